package stat_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/measure/stat"
)

func TestKruskalWallisOfHollanderAndWolfe(t *testing.T) {
	t.Parallel()
	// Mucociliary efficiency of healthy people, and of those with obstructive airway disease and with
	// asbestosis. Hollander M, Wolfe DA, Nonparametric Statistical Methods, 1973, p. 115; the example
	// of R's kruskal.test prints 0.77143, df 2, p 0.68.
	got, ok := stat.KruskalWallis([][]float64{
		{2.9, 3.0, 2.5, 2.6, 3.2}, {3.8, 2.7, 4.0, 2.4}, {2.8, 3.4, 3.7, 2.2, 2.0},
	})
	if !ok || math.Abs(got.H-0.77143) > 5e-6 || got.DF != 2 || math.Abs(got.P-0.68) > 5e-3 {
		t.Errorf("KruskalWallis = %+v, %v; want 0.77143, 2, 0.68", got, ok)
	}
	// With two degrees of freedom the tail of χ² is e^(−H/2).
	if math.Abs(got.P-math.Exp(-got.H/2)) > 1e-12 {
		t.Errorf("P = %v of H = %v", got.P, got.H)
	}
}

// naiveH is (N−1) times the share of the variance of the ranks that is between groups, each rank
// taken by looking at all other values.
func naiveH(groups [][]float64) float64 {
	all := slices.Concat(groups...)
	mean := float64(len(all)+1) / 2
	between, total := 0., 0.
	for _, group := range groups {
		sum := 0.
		for _, v := range group {
			rank := 0.5
			for _, other := range all {
				switch {
				case other < v:
					rank++
				case other == v:
					rank += 0.5
				}
			}
			sum += rank
			total += (rank - mean) * (rank - mean)
		}
		if len(group) > 0 {
			off := sum/float64(len(group)) - mean
			between += float64(len(group)) * off * off
		}
	}
	return float64(len(all)-1) * between / total
}

func TestKruskalWallisIsNaive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		// Few values make many ties.
		days := rapid.Map(rapid.IntRange(0, 9), func(v int) float64 { return float64(v) })
		groups := rapid.SliceOfN(rapid.SliceOfN(days, 0, 12), 0, 5).Draw(t, "groups")
		got, ok := stat.KruskalWallis(groups)
		filled, values := 0, map[float64]bool{}
		counts := make([][]int64, len(groups))
		for g, group := range groups {
			counts[g] = make([]int64, 10)
			for _, v := range group {
				values[v] = true
				counts[g][int(v)]++
			}
			if len(group) > 0 {
				filled++
			}
		}
		if ok != (filled >= 2 && len(values) >= 2) {
			t.Fatalf("KruskalWallis(%v) exists: %v", groups, ok)
		}
		fromCounts, countsOK := stat.KruskalWallisCounts(counts)
		if fromCounts != got || countsOK != ok {
			t.Fatalf("KruskalWallisCounts(%v) = %+v, KruskalWallis = %+v", counts, fromCounts, got)
		}
		if !ok {
			return
		}
		if want := naiveH(groups); math.Abs(got.H-want) > 1e-9*(1+want) || got.DF != filled-1 {
			t.Fatalf("KruskalWallis(%v) = %+v, want H %v", groups, got, want)
		}
		if !(got.P >= 0 && got.P <= 1) {
			t.Fatalf("KruskalWallis(%v) = %+v", groups, got)
		}
	})
}

func TestKruskalWallisOfMillions(t *testing.T) {
	t.Parallel()
	// Of two groups with the values 0 and 1 alone, H is Pearson's χ² times (N−1)/N.
	got, ok := stat.KruskalWallisCounts([][]int64{{4_003_000, 1_000_000}, {4_000_000, 1_003_000}})
	c, exists := stat.ChiSquareTest([][]float64{{4_003_000, 1_000_000}, {4_000_000, 1_003_000}})
	n := 10_006_000.
	if !ok || !exists || math.Abs(got.H/(c.Statistic*(n-1)/n)-1) > 1e-9 {
		t.Errorf("H = %v, χ² = %v", got.H, c.Statistic)
	}
}
