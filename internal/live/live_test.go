package live_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/internal/live"
	"github.com/equitylens/equitylens/internal/worldtest"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
	"github.com/equitylens/equitylens/store/facts"
)

func definitions(t *testing.T) []measure.Definition {
	t.Helper()
	list, err := measure.Load(catalog.Files())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func openDir(t *testing.T) *facts.Dir {
	t.Helper()
	dir, err := facts.Open(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// publish loads a population of so many people and makes it the live snapshot.
func publish(t *testing.T, dir *facts.Dir, patients int) string {
	t.Helper()
	folder := t.TempDir()
	who := population.New(population.Config{Patients: patients, Seed: 2, EncountersPerPatient: 4})
	if err := who.WriteNDJSON(t.Context(), folder, 1, false); err != nil {
		t.Fatal(err)
	}
	mapper, err := mapping.New(mapping.Config{})
	if err != nil {
		t.Fatal(err)
	}
	report, err := ingest.Sync(t.Context(), ingest.Config{Dir: dir, Mapper: mapper, MaxShrink: 1},
		ingest.Folder{Path: folder})
	if err != nil {
		t.Fatal(err)
	}
	return report.Snapshot
}

func open(t *testing.T, dir *facts.Dir, every time.Duration, log *worldtest.Log) *live.Engine {
	t.Helper()
	e, err := live.New(t.Context(), live.Config{
		Dir: dir, Definitions: definitions(t), Every: every, Logger: slog.New(slog.NewJSONHandler(log,
			nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func year(t *testing.T) measure.Period {
	t.Helper()
	p, err := measure.ParsePeriod("2025")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestNoSnapshotYet(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	e := open(t, dir, 0, &worldtest.Log{})
	if s, ok := e.Current(); ok {
		t.Errorf("Current = %v of an empty directory", s)
	}
	if _, err := e.Evaluate(t.Context(), measure.Question{Measure: "telehealth-share", Period: year(t)}); !errors.Is(err,
		measure.ErrNoSnapshot) {
		t.Errorf("Evaluate = %v, want ErrNoSnapshot", err)
	}
	if err := e.Refresh(t.Context()); !errors.Is(err, facts.ErrNoSnapshot) {
		t.Errorf("Refresh = %v, want ErrNoSnapshot", err)
	}
	id := publish(t, dir, 20)
	if err := e.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s, ok := e.Current(); !ok || s.ID != id || s.DataAsOf.IsZero() {
		t.Errorf("Current = %v, %v, want %s", s, ok, id)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if _, ok := e.Current(); ok {
		t.Error("a closed Engine still says what it serves")
	}
	if err := e.Close(); err != nil {
		t.Errorf("a second Close = %v", err)
	}
}

// TestSwapUnderLoad changes CURRENT again and again while many ask: every answer is whole, and of
// one snapshot only.
func TestSwapUnderLoad(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	// The larger population comes second, so that the two cannot be taken for one another.
	want := map[string]float64{}
	var ids []string
	for _, patients := range []int{30, 90} {
		id := publish(t, dir, patients)
		e := open(t, dir, 0, &worldtest.Log{})
		r, err := e.Evaluate(t.Context(), measure.Question{Measure: "language-recorded", Period: year(t)})
		if err != nil {
			t.Fatal(err)
		}
		want[id] = r.Groups[0].Populations[measure.InitialPopulation]
		ids = append(ids, id)
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if want[ids[0]] == want[ids[1]] || want[ids[0]] == 0 {
		t.Fatalf("the two snapshots answer alike: %v", want)
	}

	e := open(t, dir, 0, &worldtest.Log{})
	asking, done := context.WithCancel(t.Context())
	var askers sync.WaitGroup
	var mu sync.Mutex
	served := map[string]int{}
	for range 4 {
		askers.Go(func() {
			for asking.Err() == nil {
				r, err := e.Evaluate(t.Context(), measure.Question{Measure: "language-recorded", Period: year(t), By: []string{"race", "site"}})
				if err != nil {
					t.Errorf("Evaluate under load = %v", err)
					return
				}
				if got := r.Groups[0].Populations[measure.InitialPopulation]; got != want[r.Snapshot] {
					t.Errorf("snapshot %s answers %g, want %g", r.Snapshot, got, want[r.Snapshot])
				}
				mu.Lock()
				served[r.Snapshot]++
				mu.Unlock()
			}
		})
	}
	for i := range 20 {
		if err := dir.Use(ids[i%2]); err != nil {
			t.Error(err)
		}
		if err := e.Refresh(t.Context()); err != nil {
			t.Error(err)
		}
		r, err := e.Evaluate(t.Context(), measure.Question{Measure: "language-recorded", Period: year(t)})
		if err != nil || r.Snapshot != ids[i%2] {
			t.Errorf("after the swap Evaluate is of %s, %v, want %s", r.Snapshot, err, ids[i%2])
		}
	}
	done()
	askers.Wait()
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if len(served) == 0 {
		t.Error("nobody was served")
	}
}

// TestRunTakesUpWhatOthersPublish watches CURRENT as a server does beside a CronJob.
func TestRunTakesUpWhatOthersPublish(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	log := &worldtest.Log{}
	e := open(t, dir, time.Millisecond, log)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	id := publish(t, dir, 20)
	await(t, func() bool { s, ok := e.Current(); return ok && s.ID == id })

	// A CURRENT that names nothing is an error in the log; what is served stays.
	if err := os.WriteFile(filepath.Join(dir.Path(), "CURRENT"), []byte("nonsense\n"),
		0o600); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return strings.Contains(log.String(), "the old one stays") })
	if s, ok := e.Current(); !ok || s.ID != id {
		t.Errorf("Current = %v, %v, want the old %s", s, ok, id)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run = %v", err)
	}
	if _, err := e.Evaluate(t.Context(), measure.Question{Measure: "telehealth-share", Period: year(t)}); err != nil {
		t.Errorf("after Run, a request in flight gets %v", err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// await waits for something that is bound to happen; the test's own deadline bounds it.
func await(t *testing.T, happened func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !happened() {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("it never happened")
		}
	}
}
