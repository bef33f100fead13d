package gap_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/stat"
)

// with compares with another reference than the best, even strata included.
func with(t *testing.T, r gap.Reference, results []measure.Result) map[string]gap.Gap {
	t.Helper()
	found, err := gap.Of(results, gap.Options{Reference: r, Even: true})
	if err != nil {
		t.Fatal(err)
	}
	byCode := map[string]gap.Gap{}
	for _, g := range found {
		byCode[g.Code] = g
	}
	return byCode
}

func TestTheReferenceCanBeSwitched(t *testing.T) {
	t.Parallel()
	strata := []measure.Stratum{share("a", 900, 1000), share("b", 1400, 2000), share("c", 800, 1000)}
	cases := []struct {
		reference gap.Reference
		label     string
		compared  []string
		ofB       float64
	}{
		{"", "Group a", []string{"b", "c"}, -0.2},
		{gap.Best, "Group a", []string{"b", "c"}, -0.2},
		{gap.Largest, "Group b", []string{"a", "c"}, 0},
		{gap.Overall, "all", []string{"a", "b", "c"}, 0.7 - 3100.0/4000},
		{"c", "Group c", []string{"a", "b"}, -0.1},
	}
	for _, c := range cases {
		t.Run(string(c.reference), func(t *testing.T) {
			t.Parallel()
			results := rates(t, measure.Increase, strata...)
			whole := share("", 3100, 4000)
			results[0].Groups[0].Cell = whole.Cell
			found := with(t, c.reference, results)
			var codes []string
			for code, g := range found {
				codes = append(codes, code)
				if g.Reference != c.label {
					t.Errorf("%s is compared with %q, want %q", code, g.Reference, c.label)
				}
			}
			slices.Sort(codes)
			if !slices.Equal(codes, c.compared) {
				t.Errorf("compared are %v, want %v", codes, c.compared)
			}
			if math.Abs(found["b"].Difference-c.ofB) > 1e-12 {
				t.Errorf("the difference of b is %g, want %g", found["b"].Difference, c.ofB)
			}
		})
	}
}

// TestOverallIsTheRestScaled: a group's distance from everybody is that from the rest, times the
// share of the rest, and so is its interval.
func TestOverallIsTheRestScaled(t *testing.T) {
	t.Parallel()
	results := rates(t, measure.Increase, share("a", 900, 1000), share("b", 700, 1000),
		share("c", 1600, 2000))
	whole := share("", 3200, 4000)
	results[0].Groups[0].Cell = whole.Cell
	got := with(t, gap.Overall, results)["b"]
	lo, hi := stat.Newcombe(700, 1000, 2500, 3000)
	if math.Abs(got.Interval[0]-0.75*lo) > 1e-12 || math.Abs(got.Interval[1]-0.75*hi) > 1e-12 {
		t.Errorf("interval %v, want %g to %g", *got.Interval, 0.75*lo, 0.75*hi)
	}
	if got.RatioInterval != nil {
		t.Errorf("ratio interval %v, want none: it would be of the rest", *got.RatioInterval)
	}
}

func TestAReferenceThatIsNowhereIsAnError(t *testing.T) {
	t.Parallel()
	results := rates(t, measure.Increase, share("a", 900, 1000), share("b", 700, 1000))
	_, err := gap.Of(results, gap.Options{Reference: "z"})
	if !errors.Is(err, gap.ErrNoReference) || !strings.Contains(err.Error(), `"z"`) {
		t.Errorf("Of = %v, want ErrNoReference that names it", err)
	}
}

func TestOverlappingStrataAreNotTested(t *testing.T) {
	t.Parallel()
	results := rates(t, measure.Increase, share("a", 900, 1000), share("b", 700, 1000))
	results[0].Groups[0].Overlapping = []string{"race"}
	if found := gaps(t, results); len(found) != 0 {
		t.Errorf("gaps = %+v, want none: who is in both groups counts twice", found)
	}
}

// TestEveryComparisonCounts: the correction is over all that were compared, also those that are
// no gap.
func TestEveryComparisonCounts(t *testing.T) {
	t.Parallel()
	strata := []measure.Stratum{share("a", 900, 1000), share("b", 860, 1000)}
	alone := gaps(t, rates(t, measure.Increase, strata...))
	// The reference is the best large group, so that a small group may be ahead of it.
	for _, code := range []string{"c", "d", "e", "f"} {
		strata = append(strata, share(code, 95, 100))
	}
	among := gaps(t, rates(t, measure.Increase, strata...))
	if len(alone) != 1 || len(among) != 1 {
		t.Fatalf("%d and %d gaps, want one each", len(alone), len(among))
	}
	if *alone[0].P != *among[0].P || *alone[0].Q != *alone[0].P || *among[0].Q <= *among[0].P {
		t.Errorf("p %g and %g, q %g and %g; want the same p and a larger q among many", *alone[0].P,
			*among[0].P, *alone[0].Q, *among[0].Q)
	}
}

func TestDifferenceAndRatioMayDisagree(t *testing.T) {
	t.Parallel()
	disagreeing := 0
	for x := 0.0; x <= 12; x++ {
		for y := 0.0; y <= 12; y++ {
			for _, g := range with(t, "a", rates(t, measure.Decrease, share("a", x, 60), share("b", y, 400))) {
				if g.RatioInterval == nil {
					continue
				}
				ratio := g.RatioInterval[0] > 1 || g.RatioInterval[1] < 1
				if g.Disagree != (ratio != g.Clear) {
					t.Errorf("%g of 60, %g of 400: disagree is %t", x, y, g.Disagree)
				}
				if g.Disagree {
					disagreeing++
					if !strings.Contains(g.Sentence, "take neither alone") {
						t.Errorf("the sentence does not say so: %s", g.Sentence)
					}
				}
			}
		}
	}
	if disagreeing == 0 {
		t.Error("no pair disagrees; the flag was not tested")
	}
}
