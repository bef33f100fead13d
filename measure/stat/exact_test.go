package stat_test

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/measure/stat"
)

// chances are the exact probabilities of the results of a test, of which the observed one is at.
func minlike(chances []*big.Rat, at int) float64 {
	sum := new(big.Rat)
	for _, c := range chances {
		if c.Cmp(chances[at]) <= 0 {
			sum.Add(sum, c)
		}
	}
	p, _ := sum.Float64()
	return p
}

func choose(n, k int64) *big.Int { return new(big.Int).Binomial(n, k) }

// TestRateTestCountsExactly compares the p-value with one of fractions, over all splits of the
// events.
func TestRateTestCountsExactly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(1, 60).Draw(t, "events")
		x := rapid.Int64Range(0, n).Draw(t, "of the first")
		t1, t2 := rapid.Int64Range(1, 20).Draw(t, "t1"), rapid.Int64Range(1, 20).Draw(t, "t2")
		chances := make([]*big.Rat, n+1)
		for k := range n + 1 {
			ways := choose(n, k)
			ways.Mul(ways, new(big.Int).Exp(big.NewInt(t1), big.NewInt(k), nil))
			ways.Mul(ways, new(big.Int).Exp(big.NewInt(t2), big.NewInt(n-k), nil))
			chances[k] = new(big.Rat).SetFrac(ways, new(big.Int).Exp(big.NewInt(t1+t2), big.NewInt(n), nil))
		}
		want := minlike(chances, int(x))
		got := stat.RateTest(float64(x), float64(t1), float64(n-x), float64(t2))
		if math.Abs(got-want) > 1e-11*want {
			t.Fatalf("RateTest(%d, %d, %d, %d) = %v, want %v", x, t1, n-x, t2, got, want)
		}
		if back := stat.RateTest(float64(n-x), float64(t2), float64(x), float64(t1)); back != got &&
			math.Abs(back-got) > 1e-11*got {
			t.Fatalf("RateTest of swapped groups = %v, not %v", back, got)
		}
	})
}

// TestFisherExactCountsExactly compares the p-value with one of fractions, over all tables.
func TestFisherExactCountsExactly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n1, n2 := rapid.Int64Range(0, 40).Draw(t, "n1"), rapid.Int64Range(0, 40).Draw(t, "n2")
		x1, x2 := rapid.Int64Range(0, n1).Draw(t, "x1"), rapid.Int64Range(0, n2).Draw(t, "x2")
		lowest := max(0, x1+x2-n2)
		var chances []*big.Rat
		for k := lowest; k <= min(n1, x1+x2); k++ {
			ways := new(big.Int).Mul(choose(n1, k), choose(n2, x1+x2-k))
			chances = append(chances, new(big.Rat).SetFrac(ways, choose(n1+n2, x1+x2)))
		}
		want := minlike(chances, int(x1-lowest))
		a, b, c, d := float64(x1), float64(n1), float64(x2), float64(n2)
		got := stat.FisherExact(a, b, c, d)
		if math.Abs(got-want) > 1e-11*want {
			t.Fatalf("FisherExact(%v, %v, %v, %v) = %v, want %v", a, b, c, d, got, want)
		}
		for _, other := range []float64{
			stat.FisherExact(c, d, a, b), stat.FisherExact(b-a, b, d-c, d),
			stat.FisherExact(a, a+c, b-a, b+d-a-c),
		} {
			if math.Abs(other-got) > 1e-11 {
				t.Fatalf("FisherExact of the same table turned = %v, not %v", other, got)
			}
		}
	})
}

// TestFisherTableCountsExactly compares the p-value of tables of three by three with one of
// fractions.
func TestFisherTableCountsExactly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		table := make([][]float64, 3)
		var rows, columns [3]int64
		whole := int64(0)
		for i := range table {
			table[i] = make([]float64, 3)
			for j := range table[i] {
				v := rapid.Int64Range(0, 3).Draw(t, "count")
				table[i][j] = float64(v)
				rows[i], columns[j], whole = rows[i]+v, columns[j]+v, whole+v
			}
		}
		got, ok := stat.FisherTable(table)
		if _, exists := stat.ChiSquareTest(table); ok != exists {
			t.Fatalf("FisherTable(%v) exists: %v", table, ok)
		}
		if !ok {
			return
		}
		want := tableOfFractions(table, rows, columns, whole)
		if math.Abs(got-want) > 1e-10*want {
			t.Fatalf("FisherTable(%v) = %v, want %v", table, got, want)
		}
	})
}

// tableOfFractions walks through every table of three by three by its four free cells.
func tableOfFractions(table [][]float64, rows, columns [3]int64, whole int64) float64 {
	factorial := func(n int64) *big.Int { return new(big.Int).MulRange(1, n) }
	shared := new(big.Rat).SetFrac64(1, 1)
	for i := range 3 {
		shared.Mul(shared, new(big.Rat).SetInt(factorial(rows[i])))
		shared.Mul(shared, new(big.Rat).SetInt(factorial(columns[i])))
	}
	shared.Quo(shared, new(big.Rat).SetInt(factorial(whole)))
	chance := func(cells [9]int64) *big.Rat {
		under := big.NewInt(1)
		for _, c := range cells {
			under.Mul(under, factorial(c))
		}
		return new(big.Rat).Quo(shared, new(big.Rat).SetInt(under))
	}
	var observed [9]int64
	for i := range 9 {
		observed[i] = int64(table[i/3][i%3])
	}
	limit := chance(observed)
	sum := new(big.Rat)
	for a := range min(rows[0], columns[0]) + 1 {
		for b := range min(rows[0]-a, columns[1]) + 1 {
			for d := range min(rows[1], columns[0]-a) + 1 {
				for e := range min(rows[1]-d, columns[1]-b) + 1 {
					cells := [9]int64{a, b, rows[0] - a - b, d, e, rows[1] - d - e, columns[0] - a - d}
					cells[7] = columns[1] - b - e
					cells[8] = rows[2] - cells[6] - cells[7]
					if cells[8] < 0 {
						continue
					}
					if c := chance(cells); c.Cmp(limit) <= 0 {
						sum.Add(sum, c)
					}
				}
			}
		}
	}
	p, _ := sum.Float64()
	return p
}

func TestExactTestsOfLargeCounts(t *testing.T) {
	t.Parallel()
	// With counts in the millions the exact tests agree with the approximate ones they stand in for.
	tests := []struct {
		name           string
		x1, n1, x2, n2 float64
		near           float64
	}{
		{"a small difference", 500_300, 10_000_000, 499_700, 10_000_000, 0.001},
		{"a large difference", 503_000, 10_000_000, 500_000, 10_000_000, 0.01},
		{"unequal groups, whose tail is not normal", 1_100, 200_000, 50_000, 10_000_000, 0.15},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, ok := stat.ChiSquareTest([][]float64{{tt.x1, tt.n1 - tt.x1}, {tt.x2, tt.n2 - tt.x2}})
			fisher := stat.FisherExact(tt.x1, tt.n1, tt.x2, tt.n2)
			if !ok || math.Abs(fisher/c.Yates.P-1) > tt.near {
				t.Errorf("FisherExact = %v, and with Yates' correction %v", fisher, c.Yates.P)
			}
			// The variance of a Poisson count is that of a binomial one over 1−p.
			rate := stat.RateTest(tt.x1, tt.n1, tt.x2, tt.n2)
			if rate < c.P || rate > 1 {
				t.Errorf("RateTest = %v, less than %v of proportions", rate, c.P)
			}
		})
	}
}

func TestExactTestsAtTheEdge(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		got  float64
		want float64
	}{
		{"nobody is no evidence", stat.FisherExact(0, 0, 0, 0), 1},
		{"no event is no evidence", stat.FisherExact(0, 10, 0, 20), 1},
		{"everyone is no evidence", stat.FisherExact(10, 10, 20, 20), 1},
		{"all of one and none of the other", stat.FisherExact(3, 3, 0, 3), 0.1},
		{"no event makes no difference of rates", stat.RateTest(0, 3, 0, 5), 1},
		{"one event may be anybody's", stat.RateTest(1, 1, 0, 1), 1},
		{"five to none", stat.RateTest(5, 1, 0, 1), 1. / 16},
		{"none in almost no time", stat.RateTest(0, 1, 9, 1e6), 1},
		{"all in almost no time", stat.RateTest(2, 1, 0, 999), 1e-6},
		{"what no chance makes", stat.FisherExact(1e6, 1e6, 0, 1e6), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if math.Abs(tt.got-tt.want) > 1e-12 {
				t.Errorf("p = %v, want %v", tt.got, tt.want)
			}
		})
	}
}

func TestFisherTableGivesUp(t *testing.T) {
	t.Parallel()
	large := make([][]float64, 6)
	for i := range large {
		large[i] = []float64{900, 1000, 1100, 1200, 1300, 1400 + float64(i)}
	}
	if p, ok := stat.FisherTable(large); ok {
		t.Errorf("FisherTable of six by six thousands = %v", p)
	}
	// Rare events in large groups are where the approximate test fails and the exact one is quick.
	rare := [][]float64{{3, 99_997}, {0, 50_000}, {6, 40_000}, {1, 900_000}, {0, 3_000}}
	p, ok := stat.FisherTable(rare)
	if !ok || p <= 0 || p > 1e-4 {
		t.Errorf("FisherTable(%v) = %v, %v", rare, p, ok)
	}
}

// TestKoopmanEndsAtTheScore recomputes the score at the limits by searching for the likeliest pair
// of proportions with that ratio.
func TestKoopmanEndsAtTheScore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n1 := float64(rapid.IntRange(1, 300).Draw(t, "n1"))
		n2 := float64(rapid.IntRange(1, 300).Draw(t, "n2"))
		x1 := float64(rapid.IntRange(0, int(n1)).Draw(t, "x1"))
		x2 := float64(rapid.IntRange(0, int(n2)).Draw(t, "x2"))
		lo, hi, ok := stat.Koopman(x1, n1, x2, n2)
		if ok != (x1 > 0 || x2 > 0) {
			t.Fatalf("Koopman(%v, %v, %v, %v) exists: %v", x1, n1, x2, n2, ok)
		}
		if !ok {
			return
		}
		for _, limit := range []float64{lo, hi} {
			if limit == 0 || math.IsInf(limit, 1) {
				continue
			}
			if chi := likeliest(limit, x1, n1, x2, n2); math.Abs(chi/(stat.Z*stat.Z)-1) > 1e-4 {
				t.Fatalf("the χ² of %v, a limit of Koopman(%v, %v, %v, %v), is %v", limit, x1, n1, x2, n2, chi)
			}
		}
		if (lo == 0) != (x1 == 0) || math.IsInf(hi, 1) != (x2 == 0) {
			t.Fatalf("Koopman(%v, %v, %v, %v) = [%v, %v]", x1, n1, x2, n2, lo, hi)
		}
		if x1 > 0 && x2 > 0 {
			holds(t, "Koopman", lo, (x1/n1)/(x2/n2), hi)
		}
		backLo, backHi, _ := stat.Koopman(x2, n2, x1, n1)
		if math.Abs(backLo*hi-1) > slack && x2 > 0 || math.Abs(backHi*lo-1) > slack && x1 > 0 {
			t.Fatalf("Koopman of swapped groups is [%v, %v], not the reciprocal of [%v, %v]",
				backLo, backHi, lo, hi)
		}
	})
}

// likeliest is Pearson's χ² at the second proportion q that maximises the likelihood when the first
// is ratio·q, found by golden sections.
func likeliest(ratio, x1, n1, x2, n2 float64) float64 {
	term := func(x, p float64) float64 {
		if x == 0 {
			return 0
		}
		return x * math.Log(p)
	}
	log := func(q float64) float64 {
		p := ratio * q
		return term(x1, p) + term(n1-x1, 1-p) + term(x2, q) + term(n2-x2, 1-q)
	}
	lo, hi := 0., math.Min(1, 1/ratio)
	const golden = 0.6180339887498949
	for range 200 {
		a, b := hi-golden*(hi-lo), lo+golden*(hi-lo)
		if log(a) >= log(b) {
			hi = b
		} else {
			lo = a
		}
	}
	q := (lo + hi) / 2
	p := ratio * q
	chi := 0.
	for _, c := range [][2]float64{
		{x1, n1 * p}, {n1 - x1, n1 * (1 - p)}, {x2, n2 * q}, {n2 - x2, n2 * (1 - q)},
	} {
		if c[1] > 1e-9 {
			chi += (c[0] - c[1]) * (c[0] - c[1]) / c[1]
		}
	}
	return chi
}
