package network_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/improvement/network"
	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/store/facts"
	"github.com/equitylens/equitylens/store/ledger"
)

// hospital syncs a made-up population into a folder, once for all tests.
var hospital = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "network")
	if err != nil {
		return "", err
	}
	files := filepath.Join(folder, "files")
	if err := os.MkdirAll(files, 0o700); err != nil {
		return folder, err
	}
	ctx := context.Background()
	people := population.New(population.Config{Patients: 900, Seed: 5})
	if err := people.WriteNDJSON(ctx, files, 1, false); err != nil {
		return folder, err
	}
	text, err := population.ConceptMap()
	if err != nil {
		return folder, err
	}
	local, err := mapping.ParseConceptMap("site", bytes.NewReader(text))
	if err != nil {
		return folder, err
	}
	m, err := mapping.New(mapping.Config{ConceptMaps: []mapping.ConceptMap{local}})
	if err != nil {
		return folder, err
	}
	dir, err := facts.Open(filepath.Join(folder, "data"), time.Now)
	if err != nil {
		return folder, err
	}
	_, err = ingest.Sync(ctx, ingest.Config{
		Dir: dir, Mapper: m, MaxShrink: 1, MaxRefused: 1, Logger: slog.New(slog.DiscardHandler),
	}, ingest.Folder{Path: files})
	return folder, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if folder, err := hospital(); err == nil {
		_ = os.RemoveAll(folder)
	}
	os.Exit(code)
}

func engineOf(t testing.TB) *measure.Engine {
	t.Helper()
	folder, err := hospital()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := facts.Open(filepath.Join(folder, "data"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	id, err := dir.Current()
	if err != nil {
		t.Fatal(err)
	}
	opened, err := dir.Snapshot(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	return measure.NewEngine(opened, shipped(t))
}

// released is a submission of the release of a real snapshot, and what had to be left out.
func released(t testing.TB, engine *measure.Engine, prefer string) (network.Submission, []network.Withheld) {
	t.Helper()
	kept, err := ledger.Open(filepath.Join(t.TempDir(), "releases"))
	if err != nil {
		t.Fatal(err)
	}
	desk, err := release.New(release.Config{Ledger: kept, Measures: []string{prefer}, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	of := network.Composition{
		Member: "m1", Period: year(t, "2025"), Reason: network.Initial, Software: "1.0.0", Created: now(),
	}
	for _, d := range engine.Definitions() {
		result, err := desk.Answer(t.Context(), engine, measure.Question{
			Measure: d.ID, Period: of.Period, By: network.Dimensions(),
		}, release.Public)
		if errors.Is(err, release.ErrNotPublic) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		of.Snapshot = result.Snapshot
		of.Results = append(of.Results, result)
	}
	return newChecker(t).Compose(of)
}

func TestWhatIsReleasedCanBeHandedIn(t *testing.T) {
	t.Parallel()
	engine := engineOf(t)
	const prefer = "interpreter-documented"
	s, withheld := released(t, engine, prefer)
	c := newChecker(t)
	text, err := c.Encode(s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Check(text, "m1"); err != nil {
		t.Fatalf("Check: %v", err)
	}
	t.Logf("%d bytes, %d reports; left out: %v", len(text), len(s.Reports), withheld)
	if !slices.ContainsFunc(s.Reports, func(r network.Report) bool { return r.Measure == prefer }) {
		t.Errorf("%s, which is preferred, is not handed in: %v", prefer, withheld)
	}
	everyCoverIsNeeded(t, engine, c, s)
}

// everyCoverIsNeeded shows one count after the other that covers a small one, and asks whether the
// check sees what a reader with a pencil could work out from a single sum.
func everyCoverIsNeeded(
	t *testing.T, engine *measure.Engine, c *network.Checker, s network.Submission,
) {
	t.Helper()
	const sixth = 6
	small, taken := 0, 0
	for i := range s.Reports {
		truth, err := engine.Evaluate(t.Context(), measure.Question{
			Measure: s.Reports[i].Measure, Period: s.Period, By: network.Dimensions(),
		})
		if err != nil {
			t.Fatal(err)
		}
		for j := range s.Reports[i].Rates {
			for _, table := range s.Reports[i].Rates[j].Tables {
				for p, whole := range s.Reports[i].Rates[j].Whole.Sizes {
					cover, told := coverOf(table, truth.Groups[j].Strata[table.By], p, *whole)
					if cover < 0 {
						continue
					}
					if small++; raceDetector && small%sixth != 1 {
						continue // A submission is read ten times as slowly then, by one reader alone.
					}
					size := told
					table.Rows[cover].Sizes[p] = &size
					text, err := c.Encode(s)
					table.Rows[cover].Sizes[p] = nil
					if err != nil {
						t.Fatal(err)
					}
					if _, err := c.Check(text, "m1"); !errors.Is(err, network.ErrRefused) {
						taken++
						t.Errorf("%s by %s: a cover is shown and the submission is taken (%v)",
							s.Reports[i].Measure, table.By, err)
					}
				}
			}
		}
	}
	t.Logf("%d covers could be shown, %d submissions were taken", small, taken)
	if small == 0 {
		t.Error("nothing in the release covers a small count, so that nothing was tried")
	}
}

// coverOf finds a table of which two counts of a population are hidden, one of them small: the place of
// the other one, and its true value.
func coverOf(
	table network.Table, truth []measure.Stratum, p measure.Population, whole int64,
) (place int, value int64) {
	hidden, rest := []int{}, whole
	for i, row := range table.Rows {
		if row.Sizes[p] == nil {
			hidden = append(hidden, i)
		} else {
			rest -= *row.Sizes[p]
		}
	}
	if len(hidden) != 2 {
		return -1, 0
	}
	for n, i := range hidden {
		j := slices.IndexFunc(truth, func(s measure.Stratum) bool {
			return s.Code == table.Rows[i].Key || "~"+s.State == table.Rows[i].Key
		})
		if j < 0 {
			continue
		}
		mine := int64(truth[j].Populations[p])
		if other := rest - mine; other >= 1 && other <= 10 && mine >= 11 {
			return hidden[n], mine
		}
	}
	return -1, 0
}
