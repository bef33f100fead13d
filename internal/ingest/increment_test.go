package ingest_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir/fhirtest"
	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/measure"
)

// TestIncrementsComeToTheFullLoad goes through some nights, each asking for what changed since the
// one before, and holds every one against a full load of the same day: rows 11 to 13.
func TestIncrementsComeToTheFullLoad(t *testing.T) {
	t.Parallel()
	first := time.Date(2025, 4, 2, 0, 0, 0, 0, time.UTC)
	who := population.New(population.Config{Patients: 300, Seed: 21, AsOf: first})
	h := openHospital(t, who, nil, fhirtest.Duplicates)
	s := openStore(t)
	s.sync(t, h.source)
	var deleted int64
	for _, days := range []int{1, 2, 9, 60, 300} {
		who = who.Next(first.AddDate(0, 0, days))
		h.SetPopulation(who)
		got := s.sync(t, h.source)
		want := openStore(t).sync(t, openHospital(t, who, nil).source)
		if got.Digest != want.Digest {
			t.Errorf("after %d days the increments come to\n%s, the full load to\n%s", days, got.Digest,
				want.Digest)
		}
		if got.Orphans != want.Orphans || got.Merged != want.Merged ||
			!got.DataAsOf.Equal(want.DataAsOf) {
			t.Errorf("after %d days: orphans %d, merged %d, as of %s; the full load %d, %d, %s", days,
				got.Orphans, got.Merged, got.DataAsOf, want.Orphans, want.Merged, want.DataAsOf)
		}
		if got.Types["Encounter"].Read >= want.Types["Encounter"].Read && days < 300 {
			t.Errorf("after %d days %d encounters were read, which is no increment of %d", days,
				got.Types["Encounter"].Read, want.Types["Encounter"].Read)
		}
		for _, r := range got.Types {
			deleted += r.Deleted
		}
	}
	if deleted == 0 {
		t.Error("nothing was deleted on any night, so that deletions are not under test")
	}
}

// TestLateArrivalsRestateAndTheOldFigureStays asks for one quarter, a day and two months after its
// end: row 12.
func TestLateArrivalsRestateAndTheOldFigureStays(t *testing.T) {
	t.Parallel()
	soon := time.Date(2025, 4, 1, 0, 0, 0, 0, time.UTC)
	who := population.New(population.Config{Patients: 600, Seed: 21, AsOf: soon})
	h := openHospital(t, who, nil)
	s := openStore(t)
	const id, period = "language-recorded", "2025-Q1"
	first := s.sync(t, h.source)
	told := s.evaluate(t, first.Snapshot, id, period)
	h.SetPopulation(who.Next(soon.AddDate(0, 2, 0)))
	second := s.sync(t, h.source)
	restated := s.evaluate(t, second.Snapshot, id, period)
	if cmp.Equal(told.Groups[0].Populations, restated.Groups[0].Populations) {
		t.Error("nothing came late, so that nothing is under test")
	}
	if s.live(t) != second.Snapshot {
		t.Errorf("%s is live, want the restatement %s", s.live(t), second.Snapshot)
	}
	if diff := cmp.Diff(written(t, told), written(t,
		s.evaluate(t, first.Snapshot, id, period))); diff != "" {
		t.Errorf("the old snapshot no longer answers what it did (-then +now):\n%s", diff)
	}
}

// TestClockSkewDoesNotMoveTheCursor has a server ten minutes fast: row 14. The next increment asks
// from the server's own moment, and comes to what a full load comes to.
func TestClockSkewDoesNotMoveTheCursor(t *testing.T) {
	t.Parallel()
	first := time.Date(2025, 4, 2, 0, 0, 0, 0, time.UTC)
	who := population.New(population.Config{Patients: 150, Seed: 4, AsOf: first})
	h := openHospital(t, who, nil, fhirtest.ClockSkew)
	s := openStore(t)
	s.sync(t, h.source)
	later := who.Next(first.AddDate(0, 0, 20))
	h.SetPopulation(later)
	got, want := s.sync(t, h.source), openStore(t).sync(t, openHospital(t, later, nil).source)
	if got.Digest != want.Digest {
		t.Errorf("Digest = %s, want %s", got.Digest, want.Digest)
	}
}

// TestFileThatCouldNotBeHadIsTriedOnce goes on with an export of which a file is lost, once; then
// it is given up and the server asked anew.
func TestFileThatCouldNotBeHadIsTriedOnce(t *testing.T) {
	t.Parallel()
	h := openHospital(t, few(), oneFile, fhirtest.GzipBomb)
	s := openStore(t)
	for night, jobs := range []int{1, 1, 2} {
		if _, err := ingest.Sync(t.Context(), s.config, h.source); err == nil {
			t.Fatalf("night %d: Sync = nil, want ErrPartial", night+1)
		}
		started, open := h.Jobs()
		if started != jobs || open > 1 {
			t.Errorf("night %d: %d jobs were started and %d are open, want %d and at most one", night+1,
				started, open, jobs)
		}
	}
}

// written is a result as it is published.
func written(t *testing.T, r measure.Result) string {
	t.Helper()
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
