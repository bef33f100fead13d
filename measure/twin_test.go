package measure_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
	"github.com/equitylens/equitylens/store/facts"
	"github.com/equitylens/equitylens/store/facts/factstest"
)

func shipped(t testing.TB) []measure.Definition {
	t.Helper()
	definitions, err := measure.Load(catalog.Files())
	if err != nil {
		t.Fatal(err)
	}
	return definitions
}

func dayOf(t time.Time) int32 { return int32(t.Unix() / 86400) } // #nosec G115 -- years of our time

// period draws a span that holds some of a cohort, from a day to fourteen months.
func (d draw) period() measure.Period {
	start := d.start().Truncate(24 * time.Hour)
	return pick(d,
		measure.Period{Start: start, End: start.AddDate(0, 0, d.IntN(100))},
		measure.Period{Start: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2026, 12, 31, 0,
			0, 0, 0, time.UTC)},
		measure.Period{Start: time.Date(2025, 11, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2027, 12, 31,
			0, 0, 0, 0, time.UTC)},
	)
}

// stratifiers are the nine dimensions and some crosses of two, one of them both ways round.
func (d draw) stratifiers() []string {
	by := measure.Dimensions()
	for range 3 {
		i := d.IntN(9)
		j := (i + 1 + d.IntN(8)) % 9
		by = append(by, measure.Dimensions()[i]+"*"+measure.Dimensions()[j])
	}
	first, second, _ := strings.Cut(by[len(by)-1], "*")
	by = append(by, second+"*"+first)
	slices.Sort(by)
	return slices.Compact(by)
}

// TestEngineAgreesWithNaiveEvaluation holds the engine against the rulings, evaluated row by row in
// Go.
func TestEngineAgreesWithNaiveEvaluation(t *testing.T) {
	t.Parallel()
	cohorts := uint64(6)
	if testing.Short() {
		cohorts = 2
	}
	for seed := range cohorts {
		t.Run(fmt.Sprint("cohort ", seed), func(t *testing.T) {
			t.Parallel()
			d := newDraw(seed)
			w := d.cohort()
			asOf := pick(d, d.start().AddDate(0, 2, 0), time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC))
			w.asOf = dayOf(asOf)
			loads := factstest.Full(factstest.Source)
			for i := range loads {
				loads[i].TransactionTime = asOf
			}
			dir := factstest.Open(t)
			factstest.Load(t, dir, factstest.Batch{Patients: w.patients, Encounters: w.encounters,
				Events: w.events, Merge: facts.Merge{Loads: loads}})
			engine := measure.NewEngine(factstest.Current(t, dir), shipped(t))
			for range 2 {
				period := d.period()
				for _, definition := range engine.Definitions() {
					agree(t, engine, w, definition, period, d.stratifiers())
				}
			}
		})
	}
}

func agree(
	t *testing.T, engine *measure.Engine, w *world, d measure.Definition, period measure.Period,
	by []string,
) {
	t.Helper()
	agreeOn(t, engine, w, d, measure.Question{Measure: d.ID, Period: period, By: by})
}

// agreeOn compares the answer to one question.
func agreeOn(t *testing.T, engine *measure.Engine, w *world, d measure.Definition, q measure.Question) {
	t.Helper()
	result, err := engine.Evaluate(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	agreeWith(t, result, w, d, q)
}

// agreeWith compares a result with the naive one, cell by cell.
func agreeWith(t *testing.T, result measure.Result, w *world, d measure.Definition, q measure.Question) {
	t.Helper()
	rates := w.rates(d.ID, q.Period)
	if len(rates) != len(result.Groups) {
		t.Fatalf("%s has %d groups, want %d", d.ID, len(result.Groups), len(rates))
	}
	for _, group := range result.Groups {
		name := fmt.Sprintf("%s, group %s, %s, %s, where %v, %d people", d.ID, group.ID, q.Period, q.Policy,
			q.Where, len(q.People))
		in, undated := inPeriod(w.kept(rates[group.ID], q), d.Unit, q.Period)
		if group.Undated != undated {
			t.Errorf("%s: undated %d, want %d", name, group.Undated, undated)
		}
		same(t, name, group.Cell, naiveCell(&d, group.ID, in))
		if len(group.Strata) != len(q.By) {
			t.Errorf("%s: %d stratifiers, want %d", name, len(group.Strata), len(q.By))
		}
		for _, stratifier := range q.By {
			stratified(t, name+" by "+stratifier, &d, group, stratifier, in, q)
		}
	}
}

// inPeriod keeps the rows that the period holds, and counts those of the initial population that
// none can hold.
func inPeriod(rows []row, unit measure.Unit, p measure.Period) (in []row, undated int64) {
	for _, r := range rows {
		switch {
		case !r.dated && r.in[measure.InitialPopulation] && unit != measure.PatientUnit:
			undated++
		case r.dated && r.day >= dayOf(p.Start) && r.day <= dayOf(p.End):
			in = append(in, r)
		}
	}
	return in, undated
}

// same compares counts exactly, and scores but for the last digits of a float64.
func same(t *testing.T, name string, got, want measure.Cell) {
	t.Helper()
	if !maps.Equal(got.Populations, want.Populations) {
		t.Errorf("%s: populations (-want +got):\n%s", name, cmp.Diff(want.Populations, got.Populations))
		return
	}
	if diff := cmp.Diff(want, got, digits); diff != "" {
		t.Errorf("%s: cell (-want +got):\n%s", name, diff)
	}
}

// TestCohortsReachEveryPopulation keeps the dice honest: a twin that never meets a case proves
// nothing of it.
func TestCohortsReachEveryPopulation(t *testing.T) {
	t.Parallel()
	year := measure.Period{Start: time.Date(2025, 11, 1, 0, 0, 0, 0, time.UTC),
		End: time.Date(2027, 12, 31, 0, 0, 0, 0, time.UTC)}
	type reach struct{ Initial, Excluded, Numerator, Undated bool }
	got := map[string]reach{}
	for seed := range uint64(6) {
		d := newDraw(seed)
		w := d.cohort()
		w.asOf = dayOf(d.start().AddDate(0, 2, 0))
		for _, definition := range shipped(t) {
			for rate, rows := range w.rates(definition.ID, year) {
				in, undated := inPeriod(rows, definition.Unit, year)
				r := got[definition.ID+" "+rate]
				for _, row := range in {
					r.Initial = r.Initial || row.in[measure.InitialPopulation]
					r.Excluded = r.Excluded || row.in[measure.DenominatorExclusion] ||
						row.in[measure.MeasureExclusion]
					r.Numerator = r.Numerator || row.in[measure.Numerator] && (row.w == nil || *row.w > 0) ||
						row.in[measure.MeasurePopulation] && row.v != nil
				}
				r.Undated = r.Undated || undated > 0
				got[definition.ID+" "+rate] = r
			}
		}
	}
	all, open := reach{true, true, true, true}, reach{true, false, true, true}
	ofPatients := reach{true, false, true, false}
	want := map[string]reach{
		"ed-boarding-over-4h main": all, "ed-left-without-being-seen main": open,
		"ed-stay-over-8h main":    all,
		"harm-per-1000-days main": open, "inequity-factor-captured main": open,
		"inequity-factor-captured yes": open, "interpreter-documented ad-hoc": all,
		"interpreter-documented arranged": all, "interpreter-documented main": all,
		"language-recorded main": open, "length-of-stay main": all, "readmission-30-day main": all,
		"real-completeness ethnicity": ofPatients, "real-completeness interpreter-need": ofPatients,
		"real-completeness language": ofPatients, "real-completeness race": ofPatients,
		"reporting-ratio main": open, "telehealth-share main": open,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("what the cohorts reach (-want +got):\n%s", d)
	}
}
