package stat_test

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/measure/stat"
)

// tableOf draws a table, rows and columns without counts included.
func tableOf(t *rapid.T) [][]float64 {
	columns := rapid.IntRange(1, 4).Draw(t, "columns")
	table := make([][]float64, rapid.IntRange(1, 5).Draw(t, "rows"))
	for i := range table {
		table[i] = make([]float64, columns)
		for j := range table[i] {
			there := rapid.IntRange(0, 1).Draw(t, "there")
			table[i][j] = float64(there * rapid.IntRange(0, 60).Draw(t, "count"))
		}
	}
	return table
}

func TestChiSquare(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		table := tableOf(t)
		c, ok := stat.ChiSquareTest(table)
		if !ok {
			return
		}
		for _, p := range []float64{c.P, c.GP, c.CramersV} {
			if !(p >= 0 && p <= 1+slack) {
				t.Fatalf("ChiSquareTest(%v) = %+v", table, c)
			}
		}
		if c.DF < 1 || !(c.Statistic >= 0) || !(c.Smallest > 0) || (c.Yates != nil) != (c.DF == 1) {
			t.Fatalf("ChiSquareTest(%v) = %+v", table, c)
		}
		if c.Yates != nil && (c.Yates.Statistic > c.Statistic*(1+slack) || c.Yates.P < c.P*(1-slack)) {
			t.Fatalf("the correction of %v makes %+v of %v", table, *c.Yates, c.Statistic)
		}
		for i, row := range table {
			off := 0.
			for j := range row {
				off += row[j] - c.Expected[i][j]
				if math.IsNaN(c.Residuals[i][j]) {
					t.Fatalf("the residuals of %v are %v", table, c.Residuals)
				}
			}
			if math.Abs(off) > 1e-9 {
				t.Fatalf("row %d of %v expects another sum", i, table)
			}
		}
		// A row without counts and another order change nothing.
		other := append([][]float64{make([]float64, len(table[0]))}, table...)
		slices.Reverse(other)
		again, ok := stat.ChiSquareTest(other)
		if !ok || again.DF != c.DF || math.Abs(again.Statistic-c.Statistic) > 1e-9*(1+c.Statistic) ||
			math.Abs(again.CramersV-c.CramersV) > slack {
			t.Fatalf("ChiSquareTest of the same rows = %+v, not %+v", again, c)
		}
	})
}

func TestChiSquareThatDoesNotExist(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		in   [][]float64
	}{
		{"no table", nil},
		{"one group", [][]float64{{1, 2}}},
		{"no event in any group", [][]float64{{0, 5}, {0, 7}}},
		{"all of the people in one group", [][]float64{{3, 5}, {0, 0}}},
		{"rows of different lengths", [][]float64{{3, 5}, {1}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if c, ok := stat.ChiSquareTest(tt.in); ok {
				t.Errorf("ChiSquareTest(%v) = %+v", tt.in, c)
			}
			if p, ok := stat.FisherTable(tt.in); ok {
				t.Errorf("FisherTable(%v) = %v", tt.in, p)
			}
		})
	}
}

func TestTrend(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var x, n, scores []float64
		for i := range rapid.IntRange(0, 6).Draw(t, "groups") {
			c := countOf(t, "group")
			x, n, scores = append(x, c.Events), append(n, c.Of), append(scores, float64(i))
		}
		trend, ok := stat.TrendTest(x, n, scores)
		if !ok {
			return
		}
		if !(trend.P >= 0 && trend.P <= 1) || math.Signbit(trend.Z) != math.Signbit(trend.T) {
			t.Fatalf("TrendTest(%v, %v) = %+v", x, n, trend)
		}
		// Scores of another origin and unit are the same question; turned round they turn the sign.
		other := make([]float64, len(scores))
		for i := range scores {
			other[i] = 7 - 3*scores[i]
		}
		back, ok := stat.TrendTest(x, n, other)
		if !ok || math.Abs(back.Z+trend.Z) > 1e-9*(1+math.Abs(trend.Z)) {
			t.Fatalf("TrendTest of scores turned round = %+v, not the negative of %+v", back, trend)
		}
		// Of two groups it is Pearson's test.
		if len(x) == 2 {
			c, ok := stat.ChiSquareTest([][]float64{{x[0], n[0] - x[0]}, {x[1], n[1] - x[1]}})
			if !ok || math.Abs(c.P-trend.P) > 1e-9 {
				t.Fatalf("of two groups TrendTest = %v and ChiSquareTest %v", trend.P, c.P)
			}
		}
	})
	for name, in := range map[string][3][]float64{
		"nobody has the event": {{0, 0}, {5, 6}, {1, 2}},
		"everyone has it":      {{5, 6}, {5, 6}, {1, 2}},
		"one score holds all":  {{2, 0}, {5, 0}, {1, 2}},
		"nothing":              {},
		"different lengths":    {{1}, {5, 6}, {1, 2}},
	} {
		if trend, ok := stat.TrendTest(in[0], in[1], in[2]); ok {
			t.Errorf("%s: %+v", name, trend)
		}
	}
}

func TestTailsKeepTheirDigits(t *testing.T) {
	t.Parallel()
	// A table of four million: z is 20, and 1 less a probability near 1 would be 0.
	trend, ok := stat.TrendTest([]float64{1_010_000, 990_000}, []float64{2e6, 2e6}, []float64{0, 1})
	c, exists := stat.ChiSquareTest([][]float64{{1_010_000, 990_000}, {990_000, 1_010_000}})
	// Abramowitz M, Stegun IA, 26.2.13: 2φ(z)/z less about 1/z² of it.
	z := math.Abs(trend.Z)
	want := 2 * math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) / z * (1 - 1/(z*z) + 3/math.Pow(z, 4))
	if !ok || !exists || math.Abs(trend.P/want-1) > 1e-5 || math.Abs(c.P/want-1) > 1e-5 {
		t.Errorf("P = %v and %v, want %v", trend.P, c.P, want)
	}
}

func TestAdjustedPValues(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOfN(rapid.Float64Range(0, 1), 0, 30).Draw(t, "p")
		bh, holm := stat.BenjaminiHochberg(p), stat.Holm(p)
		if len(bh) != len(p) || len(holm) != len(p) {
			t.Fatalf("of %d p-values %d and %d are left", len(p), len(bh), len(holm))
		}
		for i := range p {
			if !(p[i] <= bh[i]*(1+slack) && bh[i] <= holm[i]*(1+slack) && holm[i] <= 1) {
				t.Fatalf("%v is adjusted to %v and %v", p[i], bh[i], holm[i])
			}
			for j := range p {
				if p[i] < p[j] && (bh[i] > bh[j] || holm[i] > holm[j]) {
					t.Fatalf("%v and %v change places", p[i], p[j])
				}
			}
		}
		order := rapid.Permutation(indices(len(p))).Draw(t, "order")
		mixed, wantBH := make([]float64, len(p)), make([]float64, len(p))
		wantHolm := make([]float64, len(p))
		for i, from := range order {
			mixed[i], wantBH[i], wantHolm[i] = p[from], bh[from], holm[from]
		}
		if diff := cmp.Diff(wantBH, stat.BenjaminiHochberg(mixed)); diff != "" {
			t.Fatalf("BenjaminiHochberg depends on the order (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(wantHolm, stat.Holm(mixed)); diff != "" {
			t.Fatalf("Holm depends on the order (-want +got):\n%s", diff)
		}
	})
}

func indices(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}
