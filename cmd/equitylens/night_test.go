package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/internal/config"
	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/internal/worldtest"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/store/cache"
)

// openNight builds the program of a site without listening, as one of the servers of a cache.
func openNight(t *testing.T, s *site, store cache.Store) (*night, *worldtest.Log) {
	t.Helper()
	p, _, log := newProgram()
	cfg, err := config.Load(s.config)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Data = s.data
	list, err := definitions(&cfg)
	if err != nil {
		t.Fatal(err)
	}
	a, err := p.newAPI(t.Context(), &cfg, list, "127.0.0.1:1", 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.close() })
	a.locker.Store = store
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	a.night.live(ctx)
	t.Cleanup(func() {
		stop()
		a.night.wait()
	})
	return a.night, log
}

func newStore() cache.Store { return cache.NewMemory(cache.MemoryConfig{Now: time.Now}) }

// until reads statuses up to one that is meant, and returns all of them.
func until(t *testing.T, from <-chan ingest.Status, is func(ingest.Status) bool) []ingest.Status {
	t.Helper()
	var all []ingest.Status
	for {
		select {
		case s, open := <-from:
			if !open {
				t.Fatalf("no more is told after %+v", all)
			}
			if all = append(all, s); is(s) {
				return all
			}
		case <-t.Context().Done():
			t.Fatalf("nothing more is told after %+v", all)
		}
	}
}

func done(s ingest.Status) bool { return !s.Running && !s.Ended.IsZero() }

// TestANightIsWatched follows a sync from its start to its end, here and on another server of the cache.
func TestANightIsWatched(t *testing.T) {
	t.Parallel()
	site := openSite(t, population.New(population.Config{Patients: 80, Seed: 2}), nil)
	store := newStore()
	here, log := openNight(t, site, store)
	there, _ := openNight(t, site, store)
	ctx, cancel := context.WithCancel(t.Context())
	told, alsoTold := here.Watch(ctx), there.Watch(ctx)
	first := <-told
	if first.Running || !first.Started.IsZero() {
		t.Errorf("before the sync, told is %+v", first)
	}
	if err := here.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := until(t, told, done)
	last := all[len(all)-1]
	want := []ingest.Share{{
		Source: "ehr", Snapshot: last.Sources[0].Snapshot, Complete: true, Outcome: ingest.Published,
	}}
	if d := cmp.Diff(want, last.Sources); d != "" || last.Progress != nil || last.Source != "" || last.Failure != "" {
		t.Errorf("at the end, told is %+v (-want +got):\n%s", last, d)
	}
	for _, s := range all[:len(all)-1] {
		if p := s.Progress; p != nil && (s.Source != "ehr" || !slices.Contains(ingest.Phases(), p.Phase) ||
			p.Step != "" && !slices.Contains(ingest.Steps(), p.Step)) {
			t.Errorf("under way, told is %s, %+v", s.Source, *p)
		}
	}
	seen := until(t, alsoTold, done)
	if d := cmp.Diff(last, seen[len(seen)-1]); d != "" {
		t.Errorf("the other server tells (-here +there):\n%s", d)
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	barren(t, "the status of a sync", string(text))
	barren(t, "the log of a sync", log.String())
	cancel()
	for range told {
	}
	for range alsoTold {
	}
}

// TestProgressIsToldSparingly counts what is told of a thousand lines of progress, and what of steps.
func TestProgressIsToldSparingly(t *testing.T) {
	t.Parallel()
	site := openSite(t, population.New(population.Config{Patients: 1, Seed: 2}), nil)
	store := newStore()
	n, _ := openNight(t, site, store)
	clock := time.Date(2027, 7, 1, 2, 0, 0, 0, time.UTC)
	n.api.program.now = func() time.Time { return clock }
	n.status.Running = true
	n.hold(t.Context())
	told := 0
	for i := range 1000 {
		changed := n.next()
		n.progress(t.Context(), ingest.Progress{Phase: "load", Lines: int64(i)})
		clock = clock.Add(time.Millisecond)
		select {
		case <-changed:
			told++
		default:
		}
	}
	if told != 2 {
		t.Errorf("in a second progress was told %d times, want 2", told)
	}
	if got := n.Current(t.Context()).Progress; got == nil || got.Lines != 999 {
		t.Errorf("the newest progress is %+v, want that of line 999", got)
	}
	changed := n.next()
	n.progress(t.Context(), ingest.Progress{Phase: "merge"})
	select {
	case <-changed:
	default:
		t.Error("a new phase is not told at once")
	}
	n.end(t.Context(), nil)
}

// TestOtherServersOfACacheAreToldWhatRuns has one server under way and another one asked.
func TestOtherServersOfACacheAreToldWhatRuns(t *testing.T) {
	t.Parallel()
	site := openSite(t, population.New(population.Config{Patients: 1, Seed: 2}), nil)
	store := newStore()
	runs, _ := openNight(t, site, store)
	asked, _ := openNight(t, site, store)
	apart, _ := openNight(t, site, newStore())
	runs.status = ingest.Status{Running: true, Started: time.Now().UTC()}
	runs.hold(t.Context())
	runs.begin(t.Context(), ingest.Folder{ID: "lab"})
	runs.progress(t.Context(), ingest.Progress{
		Phase: "fetch", Step: ingest.Waiting, Note: "waiting: patient Esperanza", Files: 1, Total: 9, Lines: 5,
	})
	want := ingest.Status{
		Running: true, Started: runs.status.Started, Source: "lab",
		Progress: &ingest.Progress{Phase: "fetch", Step: ingest.Waiting, Files: 1, Total: 9, Lines: 5},
	}
	if d := cmp.Diff(want, asked.Status()); d != "" {
		t.Errorf("the other server's status (-want +got):\n%s", d)
	}
	if err := asked.Start(t.Context()); !errors.Is(err, server.ErrRunning) {
		t.Errorf("Start() on the other server = %v, want ErrRunning", err)
	}
	if got := apart.Current(t.Context()); got.Running {
		t.Errorf("a server of another cache tells %+v", got)
	}
	runs.end(t.Context(), errors.New("no disk"))
	if got := asked.Current(t.Context()); got.Running || got.Failure != "no disk" || got.Progress != nil {
		t.Errorf("after the end, the other server tells %+v", got)
	}
	text, err := json.Marshal(runs.Status())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{`"running":false`, `"started":`, `"ended":`, `"failure":"no disk"`} {
		if !strings.Contains(string(text), name) {
			t.Errorf("the status lacks %s: %s", name, text)
		}
	}
}

// TestTwoServersAreAskedAtOnce starts two syncs that do not know of each other yet: one of them runs.
func TestTwoServersAreAskedAtOnce(t *testing.T) {
	t.Parallel()
	site := openSite(t, population.New(population.Config{Patients: 40, Seed: 2}), nil)
	store := newStore()
	nights := make([]*night, 2)
	for i := range nights {
		nights[i], _ = openNight(t, site, store)
	}
	for _, n := range nights {
		if err := n.Start(t.Context()); err != nil && !errors.Is(err, server.ErrRunning) {
			t.Fatal(err)
		}
	}
	for _, n := range nights {
		until(t, n.Watch(t.Context()), done)
		n.wait()
	}
	dir, err := nights[0].api.program.dir(nights[0].api.cfg)
	if err != nil {
		t.Fatal(err)
	}
	runs, err := ingest.Runs(dir, 0)
	if err != nil || len(runs) == 0 || runs[len(runs)-1].Outcome != ingest.Published {
		t.Fatalf("the runs are %+v, %v", runs, err)
	}
	// The second may have begun when the first was done; then there was nothing new.
	for _, r := range runs[:len(runs)-1] {
		if r.Outcome != ingest.Unchanged {
			t.Errorf("a second run came to %s: %s", r.Outcome, r.Failure)
		}
	}
	// Whoever did not run says why, and spoke for nobody else.
	for i, n := range nights {
		if n.status.Failure != "" && n.status.Failure != "another server is syncing" {
			t.Errorf("server %d: %s", i, n.status.Failure)
		}
		if got := n.Current(t.Context()); len(n.status.Sources) > 0 && got.Failure != "" {
			t.Errorf("server %d ran, and tells %+v", i, got)
		}
	}
}

// TestACacheThatIsGoneStopsNoStatus asks while the cache cannot be reached.
func TestACacheThatIsGoneStopsNoStatus(t *testing.T) {
	t.Parallel()
	site := openSite(t, population.New(population.Config{Patients: 1, Seed: 2}), nil)
	n, log := openNight(t, site, gone{})
	if got := n.Current(t.Context()); got.Running {
		t.Errorf("the status is %+v", got)
	}
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := until(t, n.Watch(t.Context()), done)
	if got := all[len(all)-1].Failure; !strings.Contains(got, "lock of the sync cannot be had") {
		t.Errorf("without a cache the sync ends with %q", got)
	}
	if !strings.Contains(log.String(), "cannot be read") {
		t.Errorf("the log does not tell of the cache: %s", log)
	}
}

// gone is a cache that cannot be reached.
type gone struct{ cache.Store }

func (gone) Get(context.Context, string) (cache.Entry, error) {
	return cache.Entry{}, cache.ErrUnavailable
}

func (gone) Apply(context.Context, cache.Batch) error { return cache.ErrUnavailable }

// TestASecondNightChangesNothing asks an EHR twice in which nothing has changed.
func TestASecondNightChangesNothing(t *testing.T) {
	t.Parallel()
	who := population.New(population.Config{Patients: 60, Seed: 2})
	n, _ := openNight(t, openSite(t, who, nil), newStore())
	for _, want := range []ingest.Outcome{ingest.Published, ingest.Unchanged} {
		if err := n.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		all := until(t, n.Watch(t.Context()), done)
		n.wait()
		if got := all[len(all)-1].Sources; len(got) != 1 || got[0].Outcome != want || got[0].Failure != "" {
			t.Errorf("the night came to %+v, want %s", got, want)
		}
	}
}
