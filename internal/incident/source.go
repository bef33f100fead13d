package incident

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/facts"
)

// Source is an incident system as a source of the sync: all of its events that were brought in and not
// withdrawn. What it does not hold is gone, because the store is ours.
type Source struct {
	ID string
	// Open opens the store of decisions, which is closed when the events are read.
	Open func(ctx context.Context) (decisions.Store, error)
}

// Name returns the name of the incident system.
func (s Source) Name() string { return s.ID }

// Fetch writes the events into the run folder, as the lines of an export. What an earlier run left there
// is of no use: the store is asked again.
func (s Source) Fetch(
	ctx context.Context, folder string, _ map[string]facts.Load, progress func(ingest.Progress),
) (out ingest.Delivery, err error) {
	store, err := s.Open(ctx)
	if err != nil {
		return ingest.Delivery{}, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	const name, kind = "AdverseEvent.ndjson", "AdverseEvent"
	path := filepath.Join(folder, name)
	lines, err := s.write(ctx, store, path)
	if err != nil {
		return ingest.Delivery{}, err
	}
	progress(ingest.Progress{Phase: "fetch", Files: 1, Total: 1, Lines: lines})
	return ingest.Delivery{
		Files:   []ingest.File{{Path: path, Label: name, Type: kind, Expected: &lines}},
		Loads:   []facts.Load{{Source: s.ID, Type: kind, Complete: true, Full: true}},
		Certain: true,
	}, nil
}

// write writes a line an event and returns how many there are.
func (s Source) write(ctx context.Context, from Finder, path string) (lines int64, err error) {
	const ownerOnly = 0o600
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, ownerOnly) // #nosec G304 -- of the run
	if err != nil {
		return 0, fmt.Errorf("write incidents: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	out := bufio.NewWriter(file)
	err = each(ctx, from, s.ID, func(_ decisions.Document, e stored) error {
		if e.Withdrawn || e.Resource == nil {
			return nil
		}
		lines++
		var line bytes.Buffer // A database may have broken it into lines.
		if err := json.Compact(&line, e.Resource); err != nil {
			return errForm
		}
		line.WriteByte('\n')
		_, err := line.WriteTo(out)
		return err
	})
	if err := errors.Join(err, out.Flush()); err != nil {
		return 0, fmt.Errorf("write incidents: %w", err)
	}
	return lines, nil
}
