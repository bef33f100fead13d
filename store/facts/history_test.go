package facts_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/store/facts"
	. "github.com/equitylens/equitylens/store/facts/factstest"
)

// said returns what is kept of the newest runs.
func said(t *testing.T, dir *facts.Dir, limit int) []string {
	t.Helper()
	records, err := dir.Records(limit)
	if err != nil {
		t.Fatal(err)
	}
	texts := make([]string, len(records))
	for i, r := range records {
		texts[i] = string(r.Data)
	}
	return texts
}

// keep records a run.
func keep(t *testing.T, run *facts.Run, text string) {
	t.Helper()
	if err := run.Record([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

func TestRecordsOutliveTheirRuns(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	if got := said(t, dir, 0); len(got) != 0 {
		t.Errorf("before any run %v is remembered", got)
	}
	for _, name := range []string{"first", "second", "third"} {
		run := begin(t, dir, Source)
		keep(t, run, name+" begun")
		keep(t, run, name)
		if err := errors.Join(run.Discard(), run.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff([]string{"third", "second", "first"}, said(t, dir, 0)); d != "" {
		t.Errorf("records (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"third", "second"}, said(t, dir, 2)); d != "" {
		t.Errorf("the newest two (-want +got):\n%s", d)
	}
}

func TestOnlyTheNewestRecordsAreKept(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	for i := range facts.MostRecords + 3 {
		run := begin(t, dir, Source)
		keep(t, run, fmt.Sprint(i))
		if err := run.Close(); err != nil {
			t.Fatal(err)
		}
	}
	got := said(t, dir, 0)
	if len(got) != facts.MostRecords || got[len(got)-1] != "3" {
		t.Errorf("%d records are kept, the oldest %s; want %d from 3 on", len(got), got[len(got)-1],
			facts.MostRecords)
	}
}

// TestARunThatGoesOnIsNotAbandoned looks at a run before and after its process let go of it, which is
// what the kernel does for one that was killed.
func TestARunThatGoesOnIsNotAbandoned(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	run := begin(t, dir, Source)
	keep(t, run, "begun")
	for range 2 {
		gone, last, err := dir.Abandoned(run.ID())
		if gone || string(last.Data) != "begun" || err != nil {
			t.Errorf("while it goes on, Abandoned() = %t, %q, %v", gone, last.Data, err)
		}
	}
	if err := run.Close(); err != nil {
		t.Fatal(err)
	}
	gone, last, err := dir.Abandoned(run.ID())
	if !gone || string(last.Data) != "begun" || err != nil {
		t.Errorf("after it, Abandoned() = %t, %q, %v", gone, last.Data, err)
	}
	for _, id := range []string{"", "../../CURRENT", "20270701T020000Z-9999"} {
		if _, _, err := dir.Abandoned(id); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Abandoned(%q) = %v, want that there is none", id, err)
		}
	}
}

func TestWhatIsNoRecordIsPassedOver(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	run := begin(t, dir, Source)
	keep(t, run, "mine")
	if err := run.Close(); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir.Path(), "history")
	const unfinished = "20270701T020000Z-0009.json.tmp"
	for _, name := range []string{"notes.json", unfinished, "20270701T020000Z-0009.txt"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("theirs"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff([]string{"mine"}, said(t, dir, 0)); d != "" {
		t.Errorf("records (-want +got):\n%s", d)
	}
	next := begin(t, dir, Source)
	keep(t, next, "next")
	if _, err := os.Stat(filepath.Join(folder, unfinished)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what a killed run did not finish writing is still there: %v", err)
	}
	if info, err := os.Stat(filepath.Join(folder, next.ID()+".json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the record has mode %v (%v), want that only its owner reads it", info, err)
	}
}
