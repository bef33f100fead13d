package figure_test

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/language"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/stat"
	"github.com/equitylens/equitylens/server/figure"
)

// stay is a measure of a median, in a language.
func stay(tag language.Tag) figure.Measure {
	m := figure.Measure{ID: "length-of-stay", Rate: "main", Scoring: measure.ContinuousVariable,
		Improvement: measure.Decrease, Per: 1, Unit: measure.StayUnit,
		Words: measure.Words{Title: "Length of hospital stay",
			Reads: "in at least half of hospital stays, the number of days was {n} or more"}}
	if tag == language.Spanish {
		m.Words = measure.Words{Title: "Duración de la hospitalización",
			Reads: "en al menos la mitad de las hospitalizaciones, el número de días fue de {n} o más"}
	}
	return m
}

// stays is a result by sex of how often each number of days, from 1 on, was observed.
func stays(t testing.TB, m figure.Measure, female, male []int64) measure.Result {
	t.Helper()
	observed := func(counts ...[]int64) measure.Cell {
		var c measure.Cell
		n := 0.0
		values, times := make([]float64, len(counts[0])), make([]int64, len(counts[0]))
		for i := range counts[0] {
			values[i] = float64(i + 1)
			for _, one := range counts {
				times[i] += one[i]
				n += float64(one[i])
			}
			c.Values = append(c.Values, measure.ValueCount{Value: values[i], Count: times[i]})
		}
		c.Populations = map[measure.Population]float64{
			measure.InitialPopulation: n, measure.MeasurePopulation: n, measure.MeasureExclusion: 0}
		if score, ok := stat.QuantileCounts(values, times, 0.5); ok {
			c.Score = &score
		}
		if lo, hi, ok := stat.MedianIntervalCounts(values, times); ok {
			c.Interval = &[2]float64{lo, hi}
		}
		return c
	}
	r := resultOf(t, m, "sex")
	r.Groups[0].Cell = observed(female, male)
	r.Groups[0].Strata["sex"] = []measure.Stratum{
		{Coding: measure.Coding{Code: "female", Label: "Female", State: "known"}, Cell: observed(female)},
		{Coding: measure.Coding{Code: "male", Label: "Male", State: "known"}, Cell: observed(male)},
	}
	return r
}

// TestSentences is the contract with readers: what is said of a comparison, in both languages. What
// it says stands in testdata/place.
func TestSentences(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		of   func(tag language.Tag) (figure.Measure, measure.Result, string, gap.Options)
	}{
		{"a rate against everybody", func(tag language.Tag) (figure.Measure, measure.Result, string, gap.Options) {
			m := harm(tag)
			return m, resultOf(t, m, "sex", counts{"female", "Female", "", 60, 9000},
				counts{"male", "Male", "", 200, 60000}), "sex", gap.Options{Reference: gap.Overall}
		}},
		{"a median", func(tag language.Tag) (figure.Measure, measure.Result, string, gap.Options) {
			m := stay(tag)
			return m, stays(t, m, []int64{10, 20, 40, 80, 160}, []int64{160, 80, 40, 20, 10}), "sex", gap.Options{}
		}},
		{"a difference that chance can make", func(tag language.Tag) (figure.Measure, measure.Result, string, gap.Options) {
			m := interpreter(tag)
			return m, resultOf(t, m, "sex", counts{"female", "Female", "", 20, 40},
				counts{"male", "Male", "", 23, 41}), "sex", gap.Options{}
		}},
		{"a group alone", func(tag language.Tag) (figure.Measure, measure.Result, string, gap.Options) {
			m := interpreter(tag)
			return m, resultOf(t, m, "sex", counts{"female", "Female", "", 20, 40}), "sex", gap.Options{}
		}},
		{"nobody", func(tag language.Tag) (figure.Measure, measure.Result, string, gap.Options) {
			m := interpreter(tag)
			r := resultOf(t, m, "sex", counts{"female", "Female", "", 0, 0})
			r.Groups[0].Strata["sex"][0].Share = nil
			return m, r, "sex", gap.Options{}
		}},
		{"everybody suppressed", func(tag language.Tag) (figure.Measure, measure.Result, string, gap.Options) {
			m := interpreter(tag)
			r := resultOf(t, m, "sex", counts{"female", "Female", "", 1, 3})
			r.Groups[0].Cell = measure.Cell{Suppressed: true}
			r.Groups[0].Strata["sex"][0].Cell = measure.Cell{Suppressed: true}
			r.Groups[0].Strata["sex"][0].Share = nil
			return m, r, "sex", gap.Options{}
		}},
		{"a measure without a clause", func(tag language.Tag) (figure.Measure, measure.Result, string, gap.Options) {
			m := interpreter(tag)
			m.Words.Reads = ""
			return m, resultOf(t, m, "sex", counts{"female", "Female", "", 20, 40}), "sex", gap.Options{}
		}},
		{"neither way is better", func(tag language.Tag) (figure.Measure, measure.Result, string, gap.Options) {
			m := interpreter(tag)
			m.Improvement = measure.Context
			return m, resultOf(t, m, "sex", counts{"female", "Female", "", 200, 400},
				counts{"male", "Male", "", 100, 400}, counts{"other", "Other", "", 310, 410}), "sex", gap.Options{}
		}},
		{"a gap that fades within sites", func(tag language.Tag) (figure.Measure, measure.Result, string, gap.Options) {
			m := interpreter(tag)
			return m, crossedWith(t, m, "sex", "site",
				[]counts{{"female", "Female", "", 260, 1000}, {"male", "Male", "", 740, 1000}},
				map[string][]counts{
					"female": {{"n", "North", "", 80, 100}, {"s", "South", "", 180, 900}},
					"male":   {{"n", "North", "", 720, 900}, {"s", "South", "", 20, 100}},
				}), "sex", gap.Options{}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			shown(t, strings.ReplaceAll(test.name, " ", "-"), func(s *figure.Teller, tag language.Tag) figure.Figure {
				m, r, dimension, o := test.of(tag)
				f := s.Groups(compare(t, r, dimension, o), m)
				if slices.ContainsFunc(append(f.Sentences, f.Notes...), func(s string) bool {
					return s == "" || strings.Contains(s, "%!") || strings.Contains(s, "figure.")
				}) {
					t.Errorf("in %v a sentence is broken: %q %q", tag, f.Sentences, f.Notes)
				}
				return f
			})
		})
	}
}
