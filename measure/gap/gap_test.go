package gap_test

import (
	"math"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
)

// share makes a stratum of a proportion.
func share(code string, n, d float64) measure.Stratum {
	score := n / d
	return measure.Stratum{
		Coding: measure.Coding{Code: code, Label: "Group " + code, State: "known"},
		Cell: measure.Cell{
			Populations: map[measure.Population]float64{measure.Denominator: d, measure.Numerator: n},
			Score:       &score, Interval: &[2]float64{score, score},
		},
	}
}

// rates wraps strata of one dimension in a result.
func rates(t *testing.T, better measure.Improvement, strata ...measure.Stratum) []measure.Result {
	t.Helper()
	period, err := measure.ParsePeriod("2025")
	if err != nil {
		t.Fatal(err)
	}
	total := 0.0
	for _, s := range strata {
		total += s.Populations[measure.Denominator]
	}
	return []measure.Result{{Measure: "m", Period: period, Groups: []measure.Group{{
		ID: "main", Title: "Done", Scoring: measure.Proportion, Improvement: better, Per: 1,
		Cell:   measure.Cell{Populations: map[measure.Population]float64{measure.Denominator: total}},
		Strata: map[string][]measure.Stratum{"race": strata},
	}}}}
}

// gaps lists the gaps of results, compared with the best.
func gaps(t *testing.T, results []measure.Result) []gap.Gap {
	t.Helper()
	found, err := gap.Of(results, gap.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestGapsAreMeasuredFromTheBestLargeGroup(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name      string
		better    measure.Improvement
		strata    []measure.Stratum
		reference string
		behind    []string
	}{
		{
			"the best, where more is better", measure.Increase,
			[]measure.Stratum{share("a", 900, 1000), share("b", 700, 1000), share("c", 800, 1000)}, "a",
			[]string{"b", "c"},
		},
		{
			"the best, where less is better", measure.Decrease,
			[]measure.Stratum{share("a", 900, 1000), share("b", 700, 1000)}, "b", []string{"a"},
		},
		{
			"the largest, where neither is better", measure.Context,
			[]measure.Stratum{share("a", 90, 100), share("b", 700, 1000)}, "b", []string{"a"},
		},
		{
			"not a small group that is best by chance", measure.Increase,
			[]measure.Stratum{share("a", 900, 1000), share("b", 40, 40), share("c", 500, 1000)}, "a",
			[]string{"c"},
		},
		{
			"a group of fewer than 30 is not compared", measure.Increase,
			[]measure.Stratum{share("a", 900, 1000), share("b", 1, 29)}, "", nil,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			found := gaps(t, rates(t, c.better, c.strata...))
			var behind []string
			for _, g := range found {
				behind = append(behind, g.Code)
				if g.ReferenceCode != c.reference {
					t.Errorf("the reference is %q, want %q", g.ReferenceCode, c.reference)
				}
			}
			if strings.Join(behind, " ") != strings.Join(c.behind, " ") {
				t.Errorf("behind are %v, want %v in this order", behind, c.behind)
			}
		})
	}
}

func TestAGapSaysHowLargeAndHowSure(t *testing.T) {
	t.Parallel()
	found := gaps(t, rates(t, measure.Increase, share("a", 900, 1000), share("b", 700, 1000)))
	if len(found) != 1 {
		t.Fatalf("%d gaps, want one", len(found))
	}
	g := found[0]
	if math.Abs(g.Difference+0.2) > 1e-12 || math.Abs(*g.Ratio-7.0/9) > 1e-12 || math.Abs(g.Affected-200) > 1e-9 {
		t.Errorf("difference %g, ratio %g, affected %g; want -0.2, 7/9 and 200", g.Difference, *g.Ratio, g.Affected)
	}
	if !g.Clear || g.Interval[1] >= 0 || math.Abs(g.AtLeast+1000*g.Interval[1]) > 1e-9 {
		t.Errorf("clear %t, interval %v, at least %g; want the nearer end of the interval", g.Clear, *g.Interval, g.AtLeast)
	}
	for _, words := range []string{"2025", "70.0 of 100 for Group b", "90.0 of 100 for Group a", "0.78 times"} {
		if !strings.Contains(g.Sentence, words) {
			t.Errorf("the sentence %q does not say %q", g.Sentence, words)
		}
	}
}

func TestAGapThatChanceCanMakeIsNotClear(t *testing.T) {
	t.Parallel()
	found := gaps(t, rates(t, measure.Increase, share("a", 45, 50), share("b", 43, 50)))
	if len(found) != 1 || found[0].Clear || found[0].AtLeast != 0 || !strings.Contains(found[0].Sentence, "Chance alone") {
		t.Errorf("gaps = %+v, want one that is not clear and says so", found)
	}
}

func TestUnknownIsNotAGroupOfPeople(t *testing.T) {
	t.Parallel()
	unknown := share("", 100, 1000)
	unknown.State = "unknown"
	if found := gaps(t, rates(t, measure.Increase, share("a", 900, 1000), unknown)); len(found) != 0 {
		t.Errorf("gaps = %+v, want none: unknown is a share to mend", found)
	}
}

func TestAReferenceOfZeroHasNoRatio(t *testing.T) {
	t.Parallel()
	found := gaps(t, rates(t, measure.Decrease, share("a", 0, 1000), share("b", 100, 1000)))
	if len(found) != 1 || found[0].Ratio != nil {
		t.Errorf("gaps = %+v, want one without a ratio", found)
	}
}
