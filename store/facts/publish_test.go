package facts_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/facts"
	. "github.com/equitylens/equitylens/store/facts/factstest"
)

// begin starts a run that the test closes at its end, if it has not done so itself.
func begin(t *testing.T, dir *facts.Dir, source string) *facts.Run {
	t.Helper()
	run, err := dir.Begin(source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = run.Close() })
	return run
}

func merge(t *testing.T, run *facts.Run, ids ...string) facts.Merged {
	t.Helper()
	b := Batch{Source: Source}
	for _, id := range ids {
		b.Patients = append(b.Patients, Patient(id))
	}
	merged, err := Merge(t.Context(), run, b)
	if err != nil {
		t.Fatal(err)
	}
	return merged
}

func TestOneRunAtATime(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	run := begin(t, dir, Source)
	if _, err := dir.Begin("other"); !errors.Is(err, facts.ErrLocked) {
		t.Errorf("Begin() beside a run = %v, want ErrLocked", err)
	}
	if _, err := dir.Prune(1); !errors.Is(err, facts.ErrLocked) {
		t.Errorf("Prune() beside a run = %v, want ErrLocked", err)
	}
	if err := run.Close(); err != nil {
		t.Fatal(err)
	}
	begin(t, dir, "other")
}

// TestTheOlderOfTwoRunsMayNotPublish takes the lock away from a run that sleeps, as a file system
// that forgets locks does: the fence still tells the two apart.
func TestTheOlderOfTwoRunsMayNotPublish(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	older := begin(t, dir, "a")
	merge(t, older, "old")
	if err := os.Remove(filepath.Join(dir.Path(), "LOCK")); err != nil {
		t.Fatal(err)
	}
	newer := begin(t, dir, "b")
	merge(t, newer, "new")
	if _, err := older.Publish(t.Context(), true); !errors.Is(err, facts.ErrFenced) {
		t.Errorf("Publish() of the older run = %v, want ErrFenced", err)
	}
	if _, err := dir.Current(); !errors.Is(err, facts.ErrNoSnapshot) {
		t.Errorf("Current() = %v, want ErrNoSnapshot", err)
	}
	if _, err := newer.Publish(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if _, err := older.Publish(t.Context(), true); !errors.Is(err, facts.ErrFenced) {
		t.Errorf("Publish() of the older run afterwards = %v, want ErrFenced", err)
	}
	if d := cmp.Diff([]string{"new"}, ids(t, dir)); d != "" {
		t.Errorf("patients (-want +got):\n%s", d)
	}
}

// TestAFailureAtAnyStepLeavesWhatIsServed stops a run at each step of its life, as an error or a
// kill would, and then lets the next run finish: it ends in the same data as one that was never
// stopped.
func TestAFailureAtAnyStepLeavesWhatIsServed(t *testing.T) {
	t.Parallel()
	type hindrance = func(t *testing.T, dir *facts.Dir, id string) func()
	obstruct := func(path func(id string) string) hindrance {
		return func(t *testing.T, dir *facts.Dir, id string) func() {
			t.Helper()
			p := filepath.Join(dir.Path(), path(id))
			if err := os.MkdirAll(filepath.Join(p, "in the way"), 0o700); err != nil {
				t.Fatal(err)
			}
			return func() { _ = os.RemoveAll(p) }
		}
	}
	tests := []struct {
		name string
		// steps is how far the run comes: 1 begun, 2 staged, 3 merged, 4 publication tried.
		steps int
		// hinder makes the publication fail, and returns what takes it away again.
		hinder hindrance
		// keep names a file that Publish is asked to keep.
		keep []string
	}{
		{"begun", 1, nil, nil},
		{"staged", 2, nil, nil},
		{"merged", 3, nil, nil},
		{"a kept file is not there", 4, nil, []string{"quarantine.ndjson"}},
		{"the folder of the snapshot is in the way", 4, obstruct(
			func(id string) string { return filepath.Join("snapshots", id) }), nil},
		{"CURRENT cannot be written", 4, obstruct(
			func(string) string { return "CURRENT.tmp" }), nil},
		{"the fence cannot be read", 4, func(t *testing.T, dir *facts.Dir, _ string) func() {
			t.Helper()
			path := filepath.Join(dir.Path(), "FENCE")
			text, err := os.ReadFile(path) // #nosec G304 -- the test's own folder
			if err == nil {
				err = os.WriteFile(path, []byte("many"), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			return func() { _ = os.WriteFile(path, text, 0o600) }
		}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := Open(t)
			Load(t, dir, Batch{Patients: []mapping.Patient{Patient("old")}})
			before, _ := dir.Current()
			run := begin(t, dir, Source)
			folder := run.Folder()
			if err := os.WriteFile(filepath.Join(folder, "journal"), []byte("downloaded"),
				0o600); err != nil {
				t.Fatal(err)
			}
			if test.steps == 2 {
				if err := run.Stage(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			id := ""
			if test.steps >= 3 {
				id = merge(t, run, "new", "newer").Snapshot
			}
			if test.steps == 4 {
				free := func() {}
				if test.hinder != nil {
					free = test.hinder(t, dir, id)
				}
				if _, err := run.Publish(t.Context(), true, test.keep...); err == nil {
					t.Error("Publish() succeeds")
				}
				if _, err := run.Publish(t.Context(), true); err == nil {
					t.Error("Publish() succeeds at the second try, without another merge")
				}
				free()
			}
			if err := run.Close(); err != nil {
				t.Fatal(err)
			}
			if now, err := dir.Current(); now != before || err != nil {
				t.Errorf("Current() = %s, %v; want %s", now, err, before)
			}
			if d := cmp.Diff([]string{"old"}, ids(t, dir)); d != "" {
				t.Errorf("patients (-want +got):\n%s", d)
			}
			resume(t, dir, folder)
		})
	}
}

// resume takes a run up again and finishes it.
func resume(t *testing.T, dir *facts.Dir, folder string) {
	t.Helper()
	again := begin(t, dir, Source)
	if again.Folder() != folder {
		t.Errorf("the next run works in %s, want %s", again.Folder(), folder)
	}
	// #nosec G304 -- the test's own folder
	journal, err := os.ReadFile(filepath.Join(folder, "journal"))
	if err != nil || string(journal) != "downloaded" {
		t.Errorf("journal = %q, %v", journal, err)
	}
	merged := merge(t, again, "new", "newer")
	if _, err := again.Publish(t.Context(), true, "journal"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(again.Discard(), again.Close()); err != nil {
		t.Fatal(err)
	}
	fresh := Open(t)
	straight := Load(t, fresh, Batch{Patients: []mapping.Patient{Patient("new"), Patient("newer")}})
	if d := cmp.Diff([]string{"new", "newer"}, ids(t, dir)); d != "" ||
		merged.Digest != straight.Digest {
		t.Errorf("digest %s, want %s; patients (-want +got):\n%s", merged.Digest, straight.Digest, d)
	}
	id, _ := dir.Current()
	if _, err := os.Stat(dir.Kept(id, "journal")); err != nil {
		t.Errorf("the kept file is not beside the snapshot: %v", err)
	}
	if left, err := dir.Leftovers(); err != nil || len(left) != 0 {
		t.Errorf("Leftovers() = %v, %v", left, err)
	}
	if _, err := dir.Prune(1); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Join(dir.Path(), "snapshots"))
	if err != nil || len(entries) != 1 {
		t.Errorf("%d entries beside the snapshot after Prune, %v", len(entries), err)
	}
}

func TestASnapshotThatDoesNotGoLive(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	Load(t, dir, Batch{Patients: []mapping.Patient{Patient("old")}})
	before, _ := dir.Current()
	run := begin(t, dir, Source)
	merge(t, run, "new")
	id, err := run.Publish(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	if now, _ := dir.Current(); now != before {
		t.Errorf("Current() = %s, want %s", now, before)
	}
	if got := Rows(t, Snapshot(t, dir, id), "SELECT id FROM base.patient"); got[0] != "new" {
		t.Errorf("the new snapshot holds %v", got)
	}
	if err := dir.Use(id); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"new"}, ids(t, dir)); d != "" {
		t.Errorf("patients after Use (-want +got):\n%s", d)
	}
}

func TestUseAndCurrent(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	if _, err := dir.Current(); !errors.Is(err, facts.ErrNoSnapshot) {
		t.Errorf("Current() of an empty directory = %v, want ErrNoSnapshot", err)
	}
	Load(t, dir, Batch{Patients: []mapping.Patient{Patient("a")}})
	id, _ := dir.Current()
	for _, unknown := range []string{"", "20260101T000000Z-0001", "../snapshots/" + id, id + "/", ".",
		id + "\n"} {
		if err := dir.Use(unknown); !errors.Is(err, facts.ErrNoSnapshot) {
			t.Errorf("Use(%q) = %v, want ErrNoSnapshot", unknown, err)
		}
		if s, err := dir.Snapshot(t.Context(), unknown); !errors.Is(err, facts.ErrNoSnapshot) {
			t.Errorf("Snapshot(%q) = %v, %v; want ErrNoSnapshot", unknown, s, err)
		}
	}
	for _, text := range []string{"", "../../etc", id + id, "\x00"} {
		if err := os.WriteFile(filepath.Join(dir.Path(), "CURRENT"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := dir.Current(); err == nil {
			t.Errorf("Current() of %q = %s", text, got)
		}
		if _, err := dir.Begin(Source); err == nil {
			t.Errorf("Begin() succeeds while CURRENT is %q", text)
		}
	}
	if err := dir.Use(id); err != nil {
		t.Fatal(err)
	}
	if got, err := dir.Current(); got != id || err != nil {
		t.Errorf("Current() = %s, %v; want %s", got, err, id)
	}
}

func TestPrune(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	for i := range 4 {
		Load(t, dir, Batch{Patients: []mapping.Patient{Patient(fmt.Sprint(i))}})
	}
	all, err := dir.IDs()
	if err != nil || len(all) != 4 {
		t.Fatalf("IDs() = %v, %v; want four", all, err)
	}
	if err := dir.Use(all[0]); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		keep          int
		removed, left []string
	}{
		{9, nil, all},
		{2, all[1:2], []string{all[0], all[2], all[3]}},
		{0, all[2:], all[:1]},
		{-1, nil, all[:1]},
	} {
		removed, err := dir.Prune(step.keep)
		left, second := dir.IDs()
		if err := errors.Join(err, second); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(step.removed, removed); d != "" {
			t.Errorf("Prune(%d) (-want +got):\n%s", step.keep, d)
		}
		if d := cmp.Diff(step.left, left); d != "" {
			t.Errorf("IDs() after Prune(%d) (-want +got):\n%s", step.keep, d)
		}
	}
}

// TestASnapshotCannotBeWrittenOrLeft: statements on it change nothing and reach nothing else.
func TestASnapshotCannotBeWrittenOrLeft(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	Load(t, dir, Batch{Patients: []mapping.Patient{Patient("a")}})
	s := Current(t, dir)
	out := filepath.Join(t.TempDir(), "out")
	for _, statement := range []string{
		"DELETE FROM base.patient", "UPDATE base.patient SET race = 'x'", "DROP VIEW encounter",
		"CREATE TABLE t (i INTEGER)", "INSERT INTO meta.site VALUES ('a', 'b')",
		"SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM read_text('/etc/passwd')",
		"SELECT * FROM '/etc/passwd'", "SELECT * FROM glob('/etc/*')", "SELECT * FROM parquet_scan('/x')",
		"COPY base.patient TO '" + out + "'", "EXPORT DATABASE '" + out + "'",
		"ATTACH '" + out + "' AS o", "ATTACH '/etc/passwd' AS o (READ_ONLY)",
		"INSTALL httpfs", "LOAD httpfs", "LOAD '" + out + "'",
		"SET enable_external_access = true", "SET lock_configuration = false", "SET memory_limit = '1TB'",
		"RESET enable_external_access", "SET profiling_output = '" + out + "'",
		"SET log_query_path = '" + out + "'",
		"SET allowed_directories = ['/']", "CREATE SECRET (TYPE s3)",
	} {
		rows := 0
		if err := s.Query(t.Context(), statement,
			func(*sql.Rows) error { rows++; return nil }); err == nil {
			t.Errorf("%s succeeds, with %d rows", statement, rows)
		}
	}
	if _, err := os.Stat(out); !os.IsNotExist(err) {
		t.Errorf("something was written: %v", err)
	}
	if d := cmp.Diff([]string{"a"}, ids(t, dir)); d != "" {
		t.Errorf("patients (-want +got):\n%s", d)
	}
}

func TestASnapshotIsSharedWithTheRunThatAddsToIt(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	Load(t, dir, Batch{Patients: []mapping.Patient{Patient("a")}})
	serving := Current(t, dir)
	second := Current(t, dir)
	run := begin(t, dir, Source)
	loads, err := run.Loads(t.Context())
	if err != nil || len(loads) != 3 {
		t.Errorf("Loads() = %v, %v; want three", loads, err)
	}
	merge(t, run, "b")
	if _, err := run.Publish(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if got := Rows(t, serving, "SELECT id FROM base.patient"); got[0] != "a" {
		t.Errorf("the snapshot that is served holds %v, want what it held", got)
	}
}

func TestARunOfAnotherSchema(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	Load(t, dir, Batch{Patients: []mapping.Patient{Patient("a")}})
	id, _ := dir.Current()
	facts.SetSchemaVersion(t, dir, id, facts.SchemaVersion+1)
	run := begin(t, dir, Source)
	if err := run.Stage(t.Context()); !errors.Is(err, facts.ErrSchema) {
		t.Errorf("Stage() = %v, want ErrSchema", err)
	}
	if _, err := run.Loads(t.Context()); !errors.Is(err, facts.ErrSchema) {
		t.Errorf("Loads() = %v, want ErrSchema", err)
	}
}

func TestACancelledMergePublishesNothing(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	run := begin(t, dir, Source)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Merge(ctx, run, Batch{Source: Source}); !errors.Is(err, context.Canceled) {
		t.Errorf("Merge() = %v, want that it was cancelled", err)
	}
	if _, err := run.Publish(t.Context(), true); err == nil {
		t.Error("Publish() succeeds without a merge")
	}
}
