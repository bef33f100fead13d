package script

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/equitylens/equitylens/store/facts"
)

// source names whom a script's records come from.
const source = "script"

// stored is a cohort in a data directory of its own.
type stored struct {
	*facts.Snapshot
	folder string
}

// store brings a cohort from its records to an open snapshot. Its folder lies below folder.
func store(ctx context.Context, c *cohort, folder string, now func() time.Time) (*stored, error) {
	own, err := os.MkdirTemp(folder, "script")
	if err != nil {
		return nil, fmt.Errorf("make a folder for a cohort: %w", err)
	}
	snapshot, err := publish(ctx, own, c, now)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("load a cohort: %w", err), os.RemoveAll(own))
	}
	return &stored{snapshot, own}, nil
}

// Close removes the cohort.
func (s *stored) Close() error { return errors.Join(s.Snapshot.Close(), os.RemoveAll(s.folder)) }

// publish brings a cohort into a new data directory, and opens what it is there.
func publish(
	ctx context.Context, folder string, c *cohort, now func() time.Time,
) (*facts.Snapshot, error) {
	dir, err := facts.Open(folder, now)
	if err != nil {
		return nil, err
	}
	run, err := dir.Begin(source)
	if err != nil {
		return nil, err
	}
	id, err := merge(ctx, run, c)
	if err := errors.Join(err, run.Close()); err != nil {
		return nil, err
	}
	return dir.Snapshot(ctx, id)
}

// merge stages, merges and publishes a cohort.
func merge(ctx context.Context, run *facts.Run, c *cohort) (id string, err error) {
	if err := run.Stage(ctx); err != nil {
		return "", err
	}
	if err := write(ctx, run, c); err != nil {
		return "", err
	}
	// There was nothing before that could shrink.
	if _, err := run.Merge(ctx, facts.Merge{Loads: c.loads(), MaxShrink: 1}); err != nil {
		return "", err
	}
	return run.Publish(ctx, true)
}

// loads says what was loaded, and how far.
func (c *cohort) loads() []facts.Load {
	var loads []facts.Load
	for _, name := range facts.Types() {
		if slices.Contains(c.absent, name) {
			continue
		}
		l := facts.Load{Source: source, Type: name, Full: true, Complete: true, TransactionTime: c.asOf}
		if slices.Contains(c.partial, name) {
			l.Complete, l.Reason = false, "the script says so"
		}
		loads = append(loads, l)
	}
	return loads
}

func write(ctx context.Context, run *facts.Run, c *cohort) error {
	w, err := run.Writer(ctx)
	if err != nil {
		return err
	}
	seq := int64(0)
	for i := range c.patients {
		seq++
		err = errors.Join(err, w.Patient(&c.patients[i], seq))
	}
	for i := range c.encounters {
		seq++
		err = errors.Join(err, w.Encounter(&c.encounters[i], seq))
	}
	for i := range c.events {
		seq++
		err = errors.Join(err, w.AdverseEvent(&c.events[i], seq))
	}
	return errors.Join(err, w.Close()) //nolint:contextcheck // Closing outlives a cancelled run.
}
