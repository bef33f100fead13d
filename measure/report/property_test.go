package report_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/report/reporttest"
)

// TestEveryResultMakesAValidReport draws results of any shape that the contract allows.
func TestEveryResultMakesAValidReport(t *testing.T) {
	t.Parallel()
	b := builder(t)
	rapid.Check(t, func(t *rapid.T) {
		got := b.MeasureReport(drawResult(t))
		if err := reporttest.Check(got); err != nil {
			t.Fatal(err)
		}
		text, err := r4.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r4.Unmarshal(text); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
	})
}

func drawResult(t *rapid.T) measure.Result {
	start := time.Date(rapid.IntRange(1850, 2200).Draw(t, "year"), 1, 1, 0, 0, 0, 0, time.UTC)
	result := measure.Result{
		Measure: "drawn", Version: "1.0.0", Snapshot: "s",
		Complete: rapid.Bool().Draw(t, "complete"),
		Policy:   rapid.SampledFrom(append(mapping.Policies(), "")).Draw(t, "policy"),
		Audience: rapid.SampledFrom([]string{"", "internal", "regulator", "public"}).Draw(t, "audience"),
		Period:   measure.Period{Start: start, End: start.AddDate(0, 0, 364)},
	}
	ids := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z][a-z-]{0,8}`), 1, 2, rapid.ID[string])
	for _, id := range ids.Draw(t, "groups") {
		group := measure.Group{
			ID: id,
			Scoring: rapid.SampledFrom([]measure.Scoring{
				measure.Proportion, measure.Ratio, measure.ContinuousVariable, measure.Cohort,
			}).Draw(t, "scoring"),
			Improvement: rapid.SampledFrom([]measure.Improvement{
				measure.Increase, measure.Decrease, measure.Context,
			}).Draw(t, "improvement"),
			Per:     rapid.SampledFrom([]float64{0, 1, 100, 250, 1000}).Draw(t, "per"),
			Undated: rapid.Int64Range(0, 1e10).Draw(t, "undated"),
			Cell:    drawCell(t),
			Strata:  map[string][]measure.Stratum{},
		}
		if rapid.Bool().Draw(t, "stratified") {
			group.Strata["race"] = drawStrata(t)
			if rapid.Bool().Draw(t, "crossed") {
				group.Strata = map[string][]measure.Stratum{"race*sex": crossed(group.Strata["race"])}
			}
			if rapid.Bool().Draw(t, "overlapping") {
				group.Overlapping = slices.Sorted(maps.Keys(group.Strata))
			}
		}
		result.Groups = append(result.Groups, group)
	}
	return result
}

func drawCell(t *rapid.T) measure.Cell {
	cell := measure.Cell{Populations: map[measure.Population]float64{
		measure.InitialPopulation: rapid.Float64Range(0, 1e12).Draw(t, "size"),
		measure.Denominator:       float64(rapid.Int64Range(0, 1e10).Draw(t, "whole size")),
	}}
	for _, p := range []measure.Population{
		measure.NumeratorInitial, measure.DenominatorException, measure.NumeratorExclusion,
	} {
		if rapid.Bool().Draw(t, "further") {
			cell.Populations[p] = float64(rapid.IntRange(0, 9).Draw(t, "further size"))
		}
	}
	if rapid.Bool().Draw(t, "uncounted") {
		return measure.Cell{Suppressed: rapid.Bool().Draw(t, "all hidden")}
	}
	if rapid.Bool().Draw(t, "partly hidden") {
		cell.Suppressed = true
		delete(cell.Populations, measure.Denominator)
	}
	if rapid.Bool().Draw(t, "scored") {
		score := rapid.Float64Range(0, 1).Draw(t, "score")
		cell.Score, cell.Interval = &score, &[2]float64{score / 2, (1 + score) / 2}
	}
	return cell
}

func drawStrata(t *rapid.T) []measure.Stratum {
	var strata []measure.Stratum
	for _, s := range mapping.States()[:rapid.IntRange(0, 2).Draw(t, "strata")] {
		coding := measure.Coding{State: string(s), Label: string(s)}
		if s == mapping.Known {
			coding.Code, coding.System = "2106-3", mapping.SystemCDCREC
		}
		stratum := measure.Stratum{Coding: coding, Cell: drawCell(t)}
		if rapid.Bool().Draw(t, "bounded") {
			v := rapid.Float64Range(0, 1).Draw(t, "bound")
			stratum.Share, stratum.IfUnknown, stratum.Bounds = &v, &v, &[2]float64{v / 2, v}
		}
		strata = append(strata, stratum)
	}
	return strata
}

func crossed(strata []measure.Stratum) []measure.Stratum {
	var all []measure.Stratum
	for _, s := range strata {
		all = append(all, measure.Stratum{Cell: s.Cell, Components: []measure.Component{
			{Dimension: "race", Coding: s.Coding},
			{Dimension: "sex", Coding: measure.Coding{Code: "female", System: mapping.SystemGender}},
		}})
	}
	return all
}

// TestStatesAreCodedInTheirSystem holds the system of a state to the one that mapping names.
func TestStatesAreCodedInTheirSystem(t *testing.T) {
	t.Parallel()
	report := builder(t).MeasureReport(reporttest.Results()[0])
	coding := report.Group[0].Stratifier[0].Stratum[2].GetValue().GetCoding()[0]
	system, code := coding.GetSystem().GetValue(), coding.GetCode().GetValue()
	if system != mapping.SystemState || code != "asked-declined" {
		t.Errorf("a stratum of those who declined is %v", coding)
	}
}
