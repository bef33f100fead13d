// Package factstest loads records into a real data directory, for tests of the store and of what
// reads it. There is no double of the store: it is fast enough to be used itself.
package factstest

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/facts"
)

// Clock ticks a second at every reading. It starts after everything that the tests load.
func Clock() func() time.Time {
	at := time.Date(2027, 7, 1, 2, 0, 0, 0, time.UTC)
	return func() time.Time {
		at = at.Add(time.Second)
		return at
	}
}

// Open makes a data directory that lives as long as the test.
func Open(t testing.TB) *facts.Dir {
	t.Helper()
	dir, err := facts.Open(t.TempDir(), Clock())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// Source is the source of a Batch that names none.
const Source = "ehr"

// Batch is what one run loads.
type Batch struct {
	// Source is Source if empty.
	Source     string
	Patients   []mapping.Patient
	Encounters []mapping.Encounter
	Events     []mapping.AdverseEvent
	// Issues are what is odd in a resource, by its id.
	Issues map[string][]mapping.Issue
	// Deleted lists the ids that are gone, by resource type.
	Deleted map[string][]string
	// Merge is what the run is merged with. Without Loads it is a full load of every type.
	Merge facts.Merge
	// Unpublished stops after the merge.
	Unpublished bool
}

// Full is a complete load of every resource type.
func Full(source string) []facts.Load {
	var loads []facts.Load
	for _, name := range facts.Types() {
		loads = append(loads, facts.Load{Source: source, Type: name, Complete: true, Full: true})
	}
	return loads
}

// Increment is a complete increment of every resource type.
func Increment(source string) []facts.Load {
	loads := Full(source)
	for i := range loads {
		loads[i].Full = false
	}
	return loads
}

// Load brings a batch from the first record to the live snapshot.
func Load(t testing.TB, dir *facts.Dir, b Batch) facts.Merged {
	t.Helper()
	merged, err := TryLoad(t.Context(), dir, b)
	if err != nil {
		t.Fatal(err)
	}
	return merged
}

// TryLoad is Load where the run may fail. Its run is closed, and discarded once it is published.
func TryLoad(ctx context.Context, dir *facts.Dir, b Batch) (merged facts.Merged, err error) {
	if b.Source == "" {
		b.Source = Source
	}
	run, err := dir.Begin(b.Source)
	if err != nil {
		return merged, err
	}
	defer func() { _ = run.Close() }()
	if merged, err = Merge(ctx, run, b); err != nil || b.Unpublished {
		return merged, err
	}
	if _, err := run.Publish(ctx, true); err != nil {
		return merged, err
	}
	return merged, run.Discard()
}

// Merge stages a batch in a run and merges it.
func Merge(ctx context.Context, run *facts.Run, b Batch) (merged facts.Merged, err error) {
	if err := run.Stage(ctx); err != nil {
		return merged, err
	}
	sites, err := stage(ctx, run, b)
	if err != nil {
		return merged, err
	}
	for name, ids := range b.Deleted {
		var list []phi.ID
		for _, id := range ids {
			list = append(list, phi.New(id))
		}
		if err := run.Delete(ctx, name, list); err != nil {
			return merged, err
		}
	}
	if b.Merge.Loads == nil {
		b.Merge.Loads = Full(b.Source)
	}
	if b.Merge.MaxShrink == 0 {
		b.Merge.MaxShrink = 1
	}
	if b.Merge.Sites == nil {
		b.Merge.Sites = sites
	}
	return run.Merge(ctx, b.Merge)
}

// stage writes the records in the order of the batch, which is the order in which they were read,
// and returns the names of their sites.
func stage(ctx context.Context, run *facts.Run, b Batch) (map[string]string, error) {
	w, err := run.Writer(ctx)
	if err != nil {
		return nil, err
	}
	seq := int64(0)
	write := func(put func() error) {
		if seq++; err == nil {
			err = put()
		}
	}
	for i := range b.Patients {
		write(func() error { return w.Patient(&b.Patients[i], seq, b.Issues[b.Patients[i].ID.Reveal()]...) })
	}
	for i := range b.Encounters {
		write(func() error { return w.Encounter(&b.Encounters[i], seq, b.Issues[b.Encounters[i].ID.Reveal()]...) })
	}
	for i := range b.Events {
		write(func() error { return w.AdverseEvent(&b.Events[i], seq, b.Issues[b.Events[i].ID.Reveal()]...) })
	}
	if closing := w.Close(); err == nil {
		err = closing
	}
	return w.Sites(), err
}

// Current opens the live snapshot for the rest of the test.
func Current(t testing.TB, dir *facts.Dir) *facts.Snapshot {
	t.Helper()
	id, err := dir.Current()
	if err != nil {
		t.Fatal(err)
	}
	return Snapshot(t, dir, id)
}

// Snapshot opens a snapshot for the rest of the test.
func Snapshot(t testing.TB, dir *facts.Dir, id string) *facts.Snapshot {
	t.Helper()
	s, err := dir.Snapshot(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Rows returns the rows of a query as text: a row a line, a space between the cells.
func Rows(t testing.TB, s *facts.Snapshot, query string, args ...any) []string {
	t.Helper()
	var out []string
	err := s.Query(t.Context(), query, func(r *sql.Rows) error {
		columns, err := r.Columns()
		if err != nil {
			return err
		}
		cells := make([]any, len(columns))
		for i := range cells {
			cells[i] = new(any)
		}
		if err := r.Scan(cells...); err != nil {
			return err
		}
		words := make([]string, len(cells))
		for i, c := range cells {
			words[i] = fmt.Sprint(*c.(*any))
		}
		out = append(out, strings.Join(words, " "))
		return nil
	}, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return out
}
