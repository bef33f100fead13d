package measure_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/store/facts"
	"github.com/equitylens/equitylens/store/facts/factstest"
)

// precomputed loads a cohort and stores the figures of definitions. Its first engine evaluates what
// was merged before anything is stored; the second has the stored figures.
func precomputed(
	t *testing.T, b factstest.Batch, definitions []measure.Definition,
) (plain, stored *measure.Engine, failed []string) {
	t.Helper()
	dir := factstest.Open(t)
	factstest.Load(t, dir, b)
	plain = measure.NewEngine(factstest.Current(t, dir), definitions)
	run, err := dir.Begin(factstest.Source)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = run.Close() }()
	if _, err := factstest.Merge(t.Context(), run, b); err != nil {
		t.Fatal(err)
	}
	merged, err := run.Merged(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	results, failed, err := measure.Precomputation{Definitions: definitions}.Results(t.Context(), merged)
	if err != nil {
		t.Fatal(err)
	}
	if err := run.SaveResults(t.Context(), results); err != nil {
		t.Fatal(err)
	}
	id, err := run.Publish(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	return plain, measure.NewEngine(factstest.Snapshot(t, dir, id), definitions), failed
}

// batch is a cohort of which the data are of a moment.
func (w *world) batch(asOf time.Time) factstest.Batch {
	loads := factstest.Full(factstest.Source)
	for i := range loads {
		loads[i].TransactionTime = asOf
	}
	return factstest.Batch{Patients: w.patients, Encounters: w.encounters, Events: w.events,
		Merge: facts.Merge{Loads: loads}}
}

func parsed(t *testing.T, text string) measure.Period {
	t.Helper()
	p, err := measure.ParsePeriod(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// sameAnswer holds a stored answer against the evaluation of the same question. The two snapshots
// are of the same data under two ids.
func sameAnswer(t *testing.T, plain, stored *measure.Engine, q measure.Question) measure.Result {
	t.Helper()
	want, err := plain.Evaluate(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	got, ok, err := stored.Stored(t.Context(), q)
	if err != nil || !ok {
		t.Fatalf("%s in %s by %v is stored: %t, %v", q.Measure, q.Period, q.By, ok, err)
	}
	got.Snapshot = want.Snapshot
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s in %s by %v (-evaluated +stored):\n%s", q.Measure, q.Period, q.By, d)
	}
	return got
}

// TestStoredFiguresAreThoseOfAnEvaluation looks up every shipped measure by every dimension, in every
// month, quarter and year of random cohorts, and in years without anybody.
func TestStoredFiguresAreThoseOfAnEvaluation(t *testing.T) {
	t.Parallel()
	cohorts := uint64(2)
	if testing.Short() {
		cohorts = 1
	}
	for seed := range cohorts {
		t.Run(fmt.Sprint("cohort ", seed), func(t *testing.T) {
			t.Parallel()
			w := newDraw(100 + seed).cohort()
			definitions := append(shipped(t), whoeverIsHere(t))
			plain, stored, failed := precomputed(t, w.batch(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)),
				definitions)
			if failed != nil {
				t.Fatalf("failed: %v", failed)
			}
			var periods []measure.Period
			for _, text := range []string{"2023", "2025", "2026", "2025-10", "2025-11", "2025-12", "2025-Q4"} {
				periods = append(periods, parsed(t, text))
			}
			for quarter := 1; quarter <= 4; quarter++ {
				periods = append(periods, parsed(t, fmt.Sprint("2026-Q", quarter)))
			}
			for month := 1; month <= 12; month++ {
				periods = append(periods, parsed(t, fmt.Sprintf("2026-%02d", month)))
			}
			counted := map[string]float64{}
			for _, d := range stored.Definitions() {
				for _, p := range periods {
					q := measure.Question{Measure: d.ID, Period: p, By: measure.Dimensions()}
					r := sameAnswer(t, plain, stored, q)
					counted[d.ID] += r.Groups[0].Populations[measure.InitialPopulation]
				}
				if counted[d.ID] == 0 {
					t.Errorf("%s counts nobody, so that nothing is compared", d.ID)
				}
			}
		})
	}
}

// whoeverIsHere is a measure of patients that counts those whom nobody saw.
func whoeverIsHere(t *testing.T) measure.Definition {
	t.Helper()
	d, err := measure.ParseDefinition([]byte(`
id: not-seen
version: 1.0.0
title: Adults who were not seen
unit: patient
scoring: proportion
dated_by: period
needs: [Patient, Encounter]
populations:
  initial-population: age_band <> '0-17' or encounters > 1
  denominator: "true"
  numerator: encounters = 0
source: A test.
says: Of adults, the share whom nobody saw.
`))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestStoredFiguresOfOtherQuestions asks for parts of what is stored, and for what is not.
func TestStoredFiguresOfOtherQuestions(t *testing.T) {
	t.Parallel()
	w := newDraw(200).cohort()
	plain, stored, _ := precomputed(t, w.batch(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)), shipped(t))
	const visits, people, stays = "telehealth-share", "real-completeness", "length-of-stay"
	for _, tt := range []struct {
		name string
		in   measure.Question
		want bool
	}{
		{"no dimension", measure.Question{Measure: visits, Period: parsed(t, "2026")}, true},
		{"some months", measure.Question{Measure: stays, Period: parsed(t, "2025-12-01/2026-04-30"),
			By: []string{"race", "site"}}, true},
		{"the whole span", measure.Question{Measure: stays, Period: parsed(t, "2023-01-01/2026-12-31"),
			By: []string{"age_band"}}, true},
		{"a policy that leaves the columns", measure.Question{Measure: visits, Period: parsed(t, "2026"),
			Policy: mapping.PolicyNCQA, By: []string{"race"}}, true},
		{"bounds", measure.Question{Measure: visits, Period: parsed(t, "2026"), By: []string{"race"},
			Bounds: true}, true},
		{"bounds of a median", measure.Question{Measure: stays, Period: parsed(t, "2026"),
			By: []string{"race"}, Bounds: true}, true},
		{"bounds of a ratio", measure.Question{Measure: "harm-per-1000-days", Period: parsed(t, "2026"),
			By: []string{"race"}, Bounds: true}, false},
		{"a part of a month", measure.Question{Measure: visits, Period: parsed(t, "2026-01-01/2026-01-30")},
			false},
		{"a month that starts late", measure.Question{Measure: visits,
			Period: parsed(t, "2026-01-02/2026-01-31")}, false},
		{"before the span", measure.Question{Measure: visits, Period: parsed(t, "2022")}, false},
		{"beyond the span", measure.Question{Measure: visits, Period: parsed(t, "2026-12-01/2027-01-31")},
			false},
		{"a cross", measure.Question{Measure: visits, Period: parsed(t, "2026"),
			By: []string{"race*language"}}, false},
		{"a recorded set", measure.Question{Measure: visits, Period: parsed(t, "2026"),
			By: []string{"race_set"}}, false},
		{"an overlapping policy", measure.Question{Measure: visits, Period: parsed(t, "2026"),
			Policy: mapping.PolicyAlone, By: []string{"race"}}, false},
		{"a filter", measure.Question{Measure: visits, Period: parsed(t, "2026"),
			Where: measure.Filter{"race": {"2106-3"}}}, false},
		{"patients of a quarter", measure.Question{Measure: people, Period: parsed(t, "2026-Q2"),
			By: []string{"sex"}}, true},
		{"patients of three months that are no quarter", measure.Question{Measure: people,
			Period: parsed(t, "2026-02-01/2026-04-30")}, false},
		{"patients of two months", measure.Question{Measure: people,
			Period: parsed(t, "2026-01-01/2026-02-28")}, false},
		{"patients of two years", measure.Question{Measure: people,
			Period: parsed(t, "2025-01-01/2026-12-31")}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, ok, err := stored.Stored(t.Context(), tt.in)
			if err != nil || ok != tt.want {
				t.Fatalf("stored: %t, %v; want %t", ok, err, tt.want)
			}
			if ok {
				sameAnswer(t, plain, stored, tt.in)
			}
			want, err := plain.Evaluate(t.Context(), tt.in)
			if err != nil {
				t.Fatal(err)
			}
			got, err := stored.Evaluate(t.Context(), tt.in)
			if err != nil {
				t.Fatal(err)
			}
			got.Snapshot = want.Snapshot
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("Evaluate (-without +with stored figures):\n%s", d)
			}
		})
	}
	for _, name := range []string{visits, people} {
		q := measure.Question{Measure: name, Period: parsed(t, "2025-11-01/2026-12-31"), By: []string{"sex"}}
		want, err := plain.Months(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		got, err := stored.Months(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			got[i].Snapshot = want[i].Snapshot
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("Months of %s (-without +with stored figures):\n%s", name, d)
		}
	}
}

// TestFiguresOfAnotherDefinition changes a measure under the same id and version.
func TestFiguresOfAnotherDefinition(t *testing.T) {
	t.Parallel()
	w := newDraw(300).cohort()
	definitions := shipped(t)
	_, stored, _ := precomputed(t, w.batch(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)), definitions)
	changed := slices.Clone(definitions)
	i := slices.IndexFunc(changed, func(d measure.Definition) bool { return d.ID == "telehealth-share" })
	changed[i].Populations = map[measure.Population]string{
		measure.InitialPopulation: "status = 'finished'", measure.Denominator: "true",
		measure.Numerator: "telehealth",
	}
	other := measure.NewEngine(stored.Snapshot(), changed)
	for _, d := range changed {
		q := measure.Question{Measure: d.ID, Period: parsed(t, "2026")}
		_, ok, err := other.Stored(t.Context(), q)
		if err != nil || ok != (d.ID != changed[i].ID) {
			t.Errorf("%s is stored: %t, %v", d.ID, ok, err)
		}
	}
}

// TestAMeasureThatDoesNotRunIsNamed leaves the figures of the others.
func TestAMeasureThatDoesNotRunIsNamed(t *testing.T) {
	t.Parallel()
	w := newDraw(400).cohort()
	broken, whole := shipped(t)[1], shipped(t)[0]
	broken.Populations = map[measure.Population]string{
		measure.InitialPopulation: "status = 'finished'", measure.Denominator: "nowhere > 1",
		measure.Numerator: "true",
	}
	_, stored, failed := precomputed(t, w.batch(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)),
		[]measure.Definition{broken, whole})
	if d := cmp.Diff([]string{broken.ID}, failed); d != "" {
		t.Errorf("failed (-want +got):\n%s", d)
	}
	for _, d := range stored.Definitions() {
		_, ok, err := stored.Stored(t.Context(), measure.Question{Measure: d.ID, Period: parsed(t, "2026")})
		if err != nil || ok != (d.ID == whole.ID) {
			t.Errorf("%s is stored: %t, %v", d.ID, ok, err)
		}
	}
}

func TestPrecomputationEndsWithItsContext(t *testing.T) {
	t.Parallel()
	dir := factstest.Open(t)
	factstest.Load(t, dir, newDraw(500).cohort().batch(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := measure.Precomputation{Definitions: shipped(t)}.Results(ctx, factstest.Current(t, dir))
	if err == nil {
		t.Error("Results succeeds although nobody waits for it")
	}
}

// TestNothingIsStoredOfWhatWasNotLoaded keeps an absent type from reading as nobody.
func TestNothingIsStoredOfWhatWasNotLoaded(t *testing.T) {
	t.Parallel()
	b := newDraw(600).cohort().batch(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))
	b.Events = nil
	b.Merge.Loads = b.Merge.Loads[:2]
	_, stored, failed := precomputed(t, b, shipped(t))
	if failed != nil {
		t.Errorf("failed: %v", failed)
	}
	for _, d := range stored.Definitions() {
		q := measure.Question{Measure: d.ID, Period: parsed(t, "2026")}
		_, ok, err := stored.Stored(t.Context(), q)
		if want := !slices.Contains(d.Needs, "AdverseEvent"); err != nil || ok != want {
			t.Errorf("%s is stored: %t, %v; want %t", d.ID, ok, err, want)
		}
	}
}

// TestStoredPeriods lists what can be looked up, and looks all of it up.
func TestStoredPeriods(t *testing.T) {
	t.Parallel()
	w := newDraw(700).cohort()
	plain, stored, _ := precomputed(t, w.batch(time.Date(2026, 2, 10, 0, 0, 0, 0, time.UTC)), shipped(t))
	for _, e := range []*measure.Engine{plain, stored} {
		listed, err := e.StoredPeriods(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range listed {
			if p.Measure == "telehealth-share" {
				got = append(got, p.Period.String())
			}
			q := measure.Question{Measure: p.Measure, Period: p.Period, By: measure.Dimensions()}
			if _, ok, err := e.Stored(t.Context(), q); err != nil || !ok || !p.Complete {
				t.Errorf("%s in %s is listed, and stored: %t, complete: %t, %v", p.Measure, p.Period, ok,
					p.Complete, err)
			}
		}
		var want []string
		if e == stored {
			want = []string{
				"2025-01-01/2025-12-31", "2025-10-01/2025-12-31", "2025-11-01/2025-11-30",
				"2025-12-01/2025-12-31", "2026-01-01/2026-12-31", "2026-01-01/2026-03-31",
				"2026-01-01/2026-01-31", "2026-02-01/2026-02-28",
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("periods (-want +got):\n%s", d)
		}
	}
}
