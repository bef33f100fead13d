package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/equitylens/equitylens/fhir/fhirtest"
	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/store/facts"
)

// few are the people of the tests that sync many times; fewer live a month earlier.
func few() *population.Population {
	return population.New(population.Config{Patients: 60, Seed: 3, EncountersPerPatient: 6})
}

func fewer() *population.Population {
	return population.New(population.Config{
		Patients: 60, Seed: 3, EncountersPerPatient: 6, AsOf: few().AsOf().AddDate(0, -2, 0),
	})
}

func oneFile(c *fhirtest.Config) { c.FilesPerType, c.Polls = 1, -1 }

// published is a data directory with a snapshot of fewer, made once and copied for every test.
var published = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "published")
	if err != nil {
		return "", err
	}
	files := filepath.Join(folder, "files")
	if err := os.Mkdir(files, 0o700); err != nil {
		return "", err
	}
	if err := fewer().WriteNDJSON(context.Background(), files, 1, false); err != nil {
		return "", err
	}
	data := filepath.Join(folder, "data")
	_, err = order{Data: data, Folder: files}.sync(context.Background(), nil)
	return data, err
})

// disturbed is a data directory with a live snapshot, and the hospital that has changed since.
func disturbed(t *testing.T) (s store, h *hospital, live string) {
	t.Helper()
	from, err := published()
	if err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	if err := os.CopyFS(data, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	h = openHospital(t, few(), oneFile)
	h.source.Full = true
	s = openStoreAt(t, data)
	return s, h, s.live(t)
}

// fewDigest is what every run over few comes to.
func fewDigest(t *testing.T) string {
	t.Helper()
	files := t.TempDir()
	if err := few().WriteNDJSON(t.Context(), files, 1, false); err != nil {
		t.Fatal(err)
	}
	return openStore(t).sync(t, ingest.Folder{Path: files, ID: "ehr"}).Digest
}

// TestCancelledAtEveryStepConverges ends a sync at each step that it reports, and lets the next one
// go on: row 28.
func TestCancelledAtEveryStepConverges(t *testing.T) {
	t.Parallel()
	want := fewDigest(t)
	s, h, _ := disturbed(t)
	steps, err := s.cancelledAt(t, h, 0)
	if err != nil || steps < 8 {
		t.Fatalf("undisturbed, Sync = %v after %d steps", err, steps)
	}
	for at := 1; at <= steps; at++ {
		t.Run(fmt.Sprintf("step %d of %d", at, steps), func(t *testing.T) {
			t.Parallel()
			s, h, before := disturbed(t)
			_, err := s.cancelledAt(t, h, at)
			if live := s.live(t); err != nil && live != before {
				t.Errorf("cancelled with %v, but %s is live instead of %s", err, live, before)
			}
			s.checkWhole(t)
			if again := s.sync(t, h.source); again.Digest != want {
				t.Errorf("the next run comes to %s, want %s", again.Digest, want)
			}
			if left := s.leftovers(t); len(left) > 0 {
				t.Errorf("runs %v are left behind", left)
			}
		})
	}
}

// cancelledAt cancels a sync at a step, and returns how many steps there were.
func (s store) cancelledAt(t *testing.T, h *hospital, at int) (steps int, err error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var step atomic.Int64
	s.config.Progress = func(ingest.Progress) {
		if step.Add(1) == int64(at) {
			cancel()
		}
	}
	_, err = ingest.Sync(ctx, s.config, h.source)
	return int(step.Load()), err
}

// childOf orders a child to sync from a hospital into a store.
func (h *hospital) childOf(t *testing.T, s store) order {
	t.Helper()
	key, err := clientKey()
	if err != nil {
		t.Fatal(err)
	}
	return order{Data: s.Path(), Base: h.source.Client.Base().String(), Key: &key}
}

// TestKilledAtEveryStepConverges does the same with SIGKILL to a process of its own: row 28.
func TestKilledAtEveryStepConverges(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short: it starts a process a step")
	}
	want := fewDigest(t)
	s, h, _ := disturbed(t)
	_, steps := startChild(t, h.childOf(t, s)).end()
	if steps < 8 {
		t.Fatalf("a sync reports only %d steps", steps)
	}
	for at := 1; at <= steps; at++ {
		t.Run(fmt.Sprintf("step %d of %d", at, steps), func(t *testing.T) {
			t.Parallel()
			s, h, before := disturbed(t)
			o := h.childOf(t, s)
			o.At, o.Hang = at, true
			c := startChild(t, o)
			c.step(fmt.Sprintf("step %d ", at))
			c.kill()
			if live := s.live(t); live != before {
				t.Errorf("killed before anything was published, but %s is live", live)
			}
			s.checkWhole(t)
			s.converges(t, h, want)
		})
	}
}

// converges runs once more and expects the digest of an undisturbed run.
func (s store) converges(t *testing.T, h *hospital, want string) {
	t.Helper()
	said, _ := startChild(t, h.childOf(t, s)).end()
	if said[saidDone] != want {
		t.Errorf("the next run says %v, want digest %s", said, want)
	}
	s.checkWhole(t)
	if left := s.leftovers(t); len(left) > 0 {
		t.Errorf("runs %v are left behind", left)
	}
}

// TestKilledWhilePublishing kills later and later after the last step, so that some kill meets each
// of the renames: whatever CURRENT names is whole.
func TestKilledWhilePublishing(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short: it starts some processes")
	}
	want := fewDigest(t)
	s, h, _ := disturbed(t)
	for delay := time.Duration(0); delay < 20*time.Millisecond; delay += 4 * time.Millisecond {
		c := startChild(t, h.childOf(t, s))
		c.step("publish")
		<-time.After(delay)
		c.kill()
		s.checkWhole(t)
	}
	s.converges(t, h, want)
}

// TestKilledAfterPublishingFetchesAnew leaves the folder of a run that was published: what it holds
// must not be taken for what the server says a night later.
func TestKilledAfterPublishingFetchesAnew(t *testing.T) {
	t.Parallel()
	s, h, _ := disturbed(t)
	var kept string
	publishing := s.config
	publishing.Progress = func(p ingest.Progress) {
		if p.Phase != "publish" {
			return
		}
		names := s.leftovers(t)
		kept = filepath.Join(t.TempDir(), "run")
		if err := os.CopyFS(kept, os.DirFS(filepath.Join(s.Path(), "runs", names[0]))); err != nil {
			t.Error(err)
		}
	}
	h.SetPopulation(fewer())
	published, err := ingest.Sync(t.Context(), publishing, h.source)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(s.Path(), "runs", "0002-ehr")
	if err := os.CopyFS(folder, os.DirFS(kept)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "verdict"), []byte(published.Snapshot),
		0o600); err != nil {
		t.Fatal(err)
	}
	h.SetPopulation(few())
	if got, want := s.sync(t, h.source).Digest, fewDigest(t); got != want {
		t.Errorf("the next run comes to %s, want what the server says now, %s", got, want)
	}
}

// TestRunThatEndedIsNotReadAgain fails for good on one night; the next night asks the server again.
func TestRunThatEndedIsNotReadAgain(t *testing.T) {
	t.Parallel()
	want := fewDigest(t)
	for _, c := range []struct {
		name  string
		fault fhirtest.Fault
		bend  func(*ingest.Config)
	}{
		{"a dry run", "", func(c *ingest.Config) { c.DryRun = true }},
		{"a partial export", fhirtest.PartialExport, func(*ingest.Config) {}},
		{"too many refused lines", fhirtest.TwoObjectsPerLine,
			func(c *ingest.Config) { c.MaxRefused = 0 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var faults []fhirtest.Fault
			if c.fault != "" {
				faults = append(faults, c.fault)
			}
			bad, good := openHospital(t, population.New(population.Config{
				Patients: 400, Seed: 3, EncountersPerPatient: 6,
			}), oneFile, faults...), openHospital(t, few(), oneFile)
			s := openStore(t)
			bent := s.config
			c.bend(&bent)
			if _, err := ingest.Sync(t.Context(), bent, bad.source); err == nil && !bent.DryRun {
				t.Fatal("the first night ended well")
			}
			if len(s.leftovers(t)) != 1 || s.live(t) != "" {
				t.Fatalf("runs %v are kept and %q is live", s.leftovers(t), s.live(t))
			}
			if got := s.sync(t, good.source).Digest; got != want {
				t.Errorf("the next night comes to %s, want %s", got, want)
			}
		})
	}
}

// TestTwoSyncsAtOnce stops a process in the middle of a sync: row 29. Another is refused while the
// first holds the lock, even stopped; and the first ends well when it wakes.
func TestTwoSyncsAtOnce(t *testing.T) {
	t.Parallel()
	want := fewDigest(t)
	s, h, before := disturbed(t)
	o := h.childOf(t, s)
	probe := startChild(t, order{Data: t.TempDir(), Base: o.Base, Key: o.Key})
	o.At = probe.step("merge")
	probe.end()
	c := startChild(t, o)
	c.stopped()
	if _, err := ingest.Sync(t.Context(), s.config, h.source); !errors.Is(err, facts.ErrLocked) {
		t.Errorf("a second Sync = %v, want ErrLocked", err)
	}
	if s.live(t) != before {
		t.Errorf("%s is live, want %s", s.live(t), before)
	}
	if err := c.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if said, _ := c.end(); said[saidDone] != want {
		t.Errorf("the first sync says %v, want digest %s", said, want)
	}
	s.checkWhole(t)
}

// stopped waits until the child has stopped itself.
func (c *child) stopped() {
	c.t.Helper()
	for {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(c.Process.Pid, &status, syscall.WUNTRACED, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || !status.Stopped() {
			c.t.Fatalf("the child has not stopped: %v, %v", status, err)
		}
		return
	}
}

// TestFenceRefusesTheLoser loses the lock of a stopped process, as a shared volume may: row 29. The
// run that began later publishes, and the one that wakes may not.
func TestFenceRefusesTheLoser(t *testing.T) {
	t.Parallel()
	s, h, _ := disturbed(t)
	o := h.childOf(t, s)
	probe := startChild(t, order{Data: t.TempDir(), Base: o.Base, Key: o.Key})
	o.At = probe.step("publish")
	probe.end()
	c := startChild(t, o)
	c.stopped()
	if err := os.Remove(filepath.Join(s.Path(), "LOCK")); err != nil {
		t.Fatal(err)
	}
	other := ingest.Folder{Path: writeFiles(t, map[string]string{"Patient.ndjson": patients(5, 0)}),
		ID: "other"}
	winner := s.sync(t, other)
	if err := c.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if said, _ := c.end(); len(said[saidError]) < 7 || said[saidError][:7] != "fenced:" {
		t.Errorf("the loser says %v, want that it is fenced", said)
	}
	if s.live(t) != winner.Snapshot {
		t.Errorf("%s is live, want that of the winner, %s", s.live(t), winner.Snapshot)
	}
	s.checkWhole(t)
}

// TestFullDisk bounds the size of files, so that a write fails early or late: row 30. The old
// snapshot serves on, and with room again the next run comes to the same end.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short: it starts a process a limit")
	}
	want := fewDigest(t)
	cases := []struct {
		name string
		size uint64
		// first leaves out the old snapshot, whose copy would be the first to fail.
		first bool
	}{
		{name: "at the first byte", size: 1},
		{name: "while downloading", size: 20 << 10},
		{name: "while copying the live snapshot", size: 600 << 10},
		{name: "while making a database", size: 500 << 10, first: true},
		{name: "while merging", size: 1 << 20, first: true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, h, before := disturbed(t)
			if c.first {
				s, before = openStore(t), ""
			}
			o := h.childOf(t, s)
			o.FileSize = c.size
			said, _ := startChild(t, o).end()
			if said[saidError] == "" {
				t.Fatalf("the child says %v, want an error", said)
			}
			t.Logf("the child says: %s", said[saidError])
			if s.live(t) != before {
				t.Errorf("%s is live, want %s", s.live(t), before)
			}
			s.checkWhole(t)
			s.converges(t, h, want)
		})
	}
}
