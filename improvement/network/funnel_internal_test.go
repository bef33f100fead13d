package network

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/measure"
)

// exact is the interpolated quantile by fractions, with nothing of the code that it checks.
func exact(n int64, share *big.Rat, p *big.Rat) float64 {
	below, rest := new(big.Rat), new(big.Rat).Sub(big.NewRat(1, 1), share)
	for r := int64(0); ; r++ {
		mass := new(big.Rat).SetInt(new(big.Int).Binomial(n, r))
		for range r {
			mass.Mul(mass, share)
		}
		for range n - r {
			mass.Mul(mass, rest)
		}
		sum := new(big.Rat).Add(below, mass)
		if sum.Cmp(p) >= 0 || r == n {
			over := new(big.Rat).Sub(sum, p)
			at, _ := new(big.Rat).Sub(big.NewRat(r, 1), over.Quo(over, mass)).Float64()
			return at
		}
		below = sum
	}
}

func TestBinomialQuantileIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(1, 60).Draw(t, "n")
		share := big.NewRat(rapid.Int64Range(1, 63).Draw(t, "share"), 64)
		tail := rapid.SampledFrom([]*big.Rat{
			big.NewRat(1, 1000), big.NewRat(25, 1000), big.NewRat(975, 1000), big.NewRat(999, 1000),
		}).Draw(t, "tail")
		s, _ := share.Float64()
		p, _ := tail.Float64()
		want, got := exact(n, share, tail), binomialQuantile(float64(n), s, p)
		if math.Abs(want-got) > 1e-6 {
			t.Errorf("binomialQuantile(%d, %s, %s) = %v, want %v", n, share, tail, got, want)
		}
	})
}

func TestLimitsCloseInWithSize(t *testing.T) {
	t.Parallel()
	for _, scoring := range []measure.Scoring{measure.Proportion, measure.Ratio} {
		f := funnel{scoring: scoring, centre: 0.3, wider: 1}
		last := math.Inf(1)
		for _, n := range []float64{20, 200, 2000, 200_000} {
			l95, l998 := f.limits(n, tail95), f.limits(n, tail998)
			if l998[0] > l95[0] || l95[0] > f.centre || l95[1] < f.centre || l998[1] < l95[1] {
				t.Errorf("%s of %g: limits %v and %v around %v", scoring, n, l95, l998, f.centre)
			}
			if width := l95[1] - l95[0]; width >= last {
				t.Errorf("%s of %g: width %v is not below %v", scoring, n, width, last)
			} else {
				last = width
			}
		}
	}
}

func TestFewAreOutsideByChance(t *testing.T) {
	t.Parallel()
	f := funnel{scoring: measure.Proportion, centre: 0.4, wider: 1}
	const n = 300
	l95, l998 := f.limits(n, tail95), f.limits(n, tail998)
	counts := map[Outside]float64{}
	for r := range n + 1 {
		counts[f.outside(float64(r)/n, l95, l998)] += binomialMass(float64(r), n, f.centre)
	}
	if outside := 1 - counts[Inside]; outside < 0.03 || outside > 0.06 {
		t.Errorf("outside of 95 by chance: %v", outside)
	}
	if far := counts[Below998] + counts[Above998]; far < 0.0005 || far > 0.003 {
		t.Errorf("outside of 99.8 by chance: %v", far)
	}
}

func TestOverdispersionWidensOnlyWhatVaries(t *testing.T) {
	t.Parallel()
	quiet := [][2]float64{{30, 100}, {61, 200}, {28, 100}, {149, 500}, {33, 100}}
	if _, wider := overdispersion(measure.Proportion, 0.3, quiet); wider != 1 {
		t.Errorf("members that vary as chance has them: wider by %v", wider)
	}
	loud := [][2]float64{{10, 100}, {90, 200}, {50, 100}, {90, 500}, {60, 100}}
	estimate, wider := overdispersion(measure.Proportion, 0.3, loud)
	if estimate < 3 || math.Abs(wider*wider-estimate) > 1e-9 {
		t.Errorf("members that vary more: estimate %v, wider by %v", estimate, wider)
	}
}

// TestCompletionsHold holds that whatever tables are hidden in parts, a completion is found that agrees
// with every sum and every count that is shown.
func TestCompletionsHold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tab := newTables()
		rows := rapid.IntRange(1, 6).Draw(t, "rows")
		keys := []string{"english", "spanish", "chinese", "sign", "other", "~missing"}[:rows]
		names := []string{"all", "met", "failed"}
		totals := map[string]int64{}
		show := func(name cellName, value int64, label string) {
			if rapid.Bool().Draw(t, label) {
				tab.print(name, &value, "")
			} else {
				tab.print(name, nil, "")
			}
		}
		for _, key := range keys {
			met, failed := rapid.Int64Range(1, 90).Draw(t, "met"), rapid.Int64Range(1, 90).Draw(t, "failed")
			for i, v := range []int64{met + failed, met, failed} {
				totals[names[i]] += v
				show(cellName{names[i], "language_group", key}, v, "show")
				tab.stratum(names[i], "language_group", key)
			}
			tab.add(cellName{"all", "language_group", key}, cellName{"met", "language_group", key},
				cellName{"failed", "language_group", key})
		}
		for _, name := range names {
			total := totals[name]
			tab.print(cellName{number: name}, &total, "")
		}
		tab.add(cellName{number: "all"}, cellName{number: "met"}, cellName{number: "failed"})
		tab.relate([]string{"language_group"}, groupings{})
		values, ok := tab.complete(1)
		if !ok {
			t.Fatalf("no completion of tables that come from whole counts")
		}
		for i, c := range tab.cells {
			if c.known && values[i] != c.value || c.printed && !c.known && values[i] < 1 || values[i] < 0 {
				t.Errorf("cell %d is completed by %d", i, values[i])
			}
		}
		for _, s := range tab.sums {
			sum := int64(0)
			for _, p := range s.parts {
				sum += values[p]
			}
			if sum != values[s.whole] {
				t.Errorf("a sum is %d, its parts %d", values[s.whole], sum)
			}
		}
	})
}
