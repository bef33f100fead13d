package facts_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/facts"
)

// clock ticks a second at every reading, so that snapshots get ids of their own.
func clock() func() time.Time {
	at := time.Date(2026, 7, 1, 2, 0, 0, 0, time.UTC)
	return func() time.Time {
		at = at.Add(time.Second)
		return at
	}
}

func open(t *testing.T) *facts.Dir {
	t.Helper()
	dir, err := facts.Open(t.TempDir(), clock())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// batch is what one run loads.
type batch struct {
	patients   []mapping.Patient
	encounters []mapping.Encounter
	events     []mapping.AdverseEvent
	deleted    map[string][]string
	merge      facts.Merge
	// publish is false to stop before the snapshot goes live.
	unpublished bool
}

// full is a complete load of every type.
func full() []facts.Load {
	var loads []facts.Load
	for _, name := range facts.Types() {
		loads = append(loads, facts.Load{Source: "ehr", Type: name, Complete: true, Full: true})
	}
	return loads
}

func increment() []facts.Load {
	loads := full()
	for i := range loads {
		loads[i].Full = false
	}
	return loads
}

func load(t *testing.T, dir *facts.Dir, b batch) facts.Merged {
	t.Helper()
	merged, err := tryLoad(t.Context(), dir, b)
	if err != nil {
		t.Fatal(err)
	}
	return merged
}

func tryLoad(ctx context.Context, dir *facts.Dir, b batch) (merged facts.Merged, err error) {
	run, err := dir.Begin("ehr")
	if err != nil {
		return merged, err
	}
	defer func() { _ = run.Close() }()
	if err := run.Stage(ctx); err != nil {
		return merged, err
	}
	w, err := run.Writer(ctx)
	if err != nil {
		return merged, err
	}
	seq := int64(0)
	for i := range b.patients {
		seq++
		if err := w.Patient(&b.patients[i], seq); err != nil {
			return merged, err
		}
	}
	for i := range b.encounters {
		seq++
		if err := w.Encounter(&b.encounters[i], seq); err != nil {
			return merged, err
		}
	}
	for i := range b.events {
		seq++
		if err := w.AdverseEvent(&b.events[i], seq); err != nil {
			return merged, err
		}
	}
	if err := w.Close(); err != nil {
		return merged, err
	}
	for name, ids := range b.deleted {
		var list []phi.ID
		for _, id := range ids {
			list = append(list, phi.New(id))
		}
		if err := run.Delete(ctx, name, list); err != nil {
			return merged, err
		}
	}
	if b.merge.Loads == nil {
		b.merge.Loads = full()
	}
	if b.merge.MaxShrink == 0 {
		b.merge.MaxShrink = 1
	}
	merged, err = run.Merge(ctx, b.merge)
	if err != nil || b.unpublished {
		return merged, err
	}
	if _, err := run.Publish(ctx, true); err != nil {
		return merged, err
	}
	return merged, run.Discard()
}

func current(t *testing.T, dir *facts.Dir) *facts.Snapshot {
	t.Helper()
	id, err := dir.Current()
	if err != nil {
		t.Fatal(err)
	}
	s, err := dir.Snapshot(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// rows returns the rows of a query as text, a row a line.
func rows(t *testing.T, s *facts.Snapshot, query string) []string {
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
		line := ""
		for i, c := range cells {
			if i > 0 {
				line += " "
			}
			line += fmt.Sprint(*c.(*any))
		}
		out = append(out, line)
		return nil
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return out
}

func at(text string) fhir.DateTime {
	d, err := fhir.ParseDateTime(text)
	if err != nil {
		panic(err)
	}
	return d
}

func known(code string) mapping.Value { return mapping.Value{State: mapping.Known, Code: code} }

func state(s mapping.State) mapping.Value { return mapping.Value{State: s} }

func patient(id string) mapping.Patient {
	return mapping.Patient{
		ID: phi.New(id), Race: known("2054-5"), Ethnicity: known("2186-5"), RaceEthnicity: known("2054-5"),
		Language: known("es"), LanguageGroup: known("spanish"), InterpreterNeed: known("yes"),
		Sex: known("female"), Birth: at("1960-02-29"), Site: mapping.Site{Value: state(mapping.Missing)},
	}
}

func encounter(id, patient, class, start, end string) mapping.Encounter {
	return mapping.Encounter{
		ID: phi.New(id), Patient: phi.New(patient), Status: "finished", Class: known(class),
		Disposition: known("home"), Start: at(start), End: at(end),
		InterpreterNeed: state(mapping.Missing), InterpreterUse: mapping.NoneDocumented,
		Site: mapping.Site{Value: known("H1"), Label: "Hospital One"},
	}
}

func TestPublishedUnits(t *testing.T) {
	t.Parallel()
	dir := open(t)
	other := patient("b")
	other.InterpreterNeed = state(mapping.Unknown)
	merged := load(t, dir, batch{
		patients: []mapping.Patient{patient("a"), other},
		encounters: []mapping.Encounter{
			encounter("1", "a", "AMB", "2026-01-05T10:00:00Z", "2026-01-05T10:30:00Z"),
			encounter("2", "b", "IMP", "2026-01-01", "2026-01-04"),
			encounter("3", "nobody", "AMB", "2026-01-05", "2026-01-05"),
			encounter("4", "a", "AMB", "2026-01-05", ""),
		},
	})
	if merged.Orphans != 1 || merged.Undated != 1 {
		t.Errorf("orphans %d, undated %d; want 1 and 1", merged.Orphans, merged.Undated)
	}
	got := rows(t, current(t, dir), `SELECT class, minutes, race, race_state, interpreter_need, interpreter_need_state,
		age_band, site FROM encounter WHERE end_date IS NOT NULL ORDER BY class`)
	want := []string{
		"AMB 30 2054-5 known yes known 65-74 H1",
		"IMP <nil> 2054-5 known <nil> unknown 65-74 H1",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("encounters = %q\nwant %q", got, want)
	}
}

func TestIncrementAfterFull(t *testing.T) {
	t.Parallel()
	dir := open(t)
	load(t, dir, batch{patients: []mapping.Patient{patient("a")}})
	load(t, dir, batch{
		encounters: []mapping.Encounter{encounter("1", "a", "AMB", "2026-01-05", "2026-01-05")},
		merge:      facts.Merge{Loads: increment()},
	})
	got := rows(t, current(t, dir), `SELECT class, race FROM encounter`)
	if want := []string{"AMB 2054-5"}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("encounters = %q, want %q", got, want)
	}
}
