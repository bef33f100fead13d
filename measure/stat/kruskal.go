package stat

import (
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Kruskal is what the Kruskal–Wallis test gives.
type Kruskal struct {
	// H is the statistic, corrected for ties.
	H  float64
	DF int
	P  float64
}

// KruskalWallis tests whether the values of some groups, such as days of stay, come from one
// distribution, by their ranks:
//
//	H = (12/(N(N+1))·ΣR²/n − 3(N+1)) / (1 − Σ(t³−t)/(N³−N)),
//
// with R the sum of the ranks of a group and t how many values are tied. The p-value is that of χ²
// with one degree of freedom less than there are groups; it is rough where a group has fewer than
// five values. Values need no order, and groups without any are passed over. It does not exist for
// fewer than two groups or where all values are equal. Kruskal WH, Wallis WA, J Am Stat Assoc
// 1952;47:583.
func KruskalWallis(groups [][]float64) (k Kruskal, ok bool) {
	values := slices.Concat(groups...)
	slices.Sort(values)
	values = slices.Compact(values)
	counts := make([][]int64, len(groups))
	for g, group := range groups {
		counts[g] = make([]int64, len(values))
		for _, v := range group {
			at, _ := slices.BinarySearch(values, v)
			counts[g][at]++
		}
	}
	return KruskalWallisCounts(counts)
}

// KruskalWallisCounts is KruskalWallis of values with counts: counts[g][i] says how often group g
// has the i-th of the values, which are in ascending order and differ. What the values are does not
// matter to a test of ranks. All rows have one length.
func KruskalWallisCounts(counts [][]int64) (k Kruskal, ok bool) {
	if len(counts) == 0 {
		return Kruskal{}, false
	}
	rankSums, sizes := make([]float64, len(counts)), make([]float64, len(counts))
	n, ties := 0., 0.
	for i := range counts[0] {
		tied := 0.
		for g := range counts {
			tied += float64(counts[g][i])
		}
		rank := n + (tied+1)/2
		for g := range counts {
			rankSums[g] += float64(counts[g][i]) * rank
			sizes[g] += float64(counts[g][i])
		}
		n += tied
		ties += tied * (tied*tied - 1)
	}
	whole := n * (n*n - 1)
	k.DF = held(sizes) - 1
	if k.DF < 1 || ties >= whole {
		return Kruskal{}, false
	}
	for g, size := range sizes {
		if size > 0 {
			// About the mean rank, which loses no digits where N is in the millions.
			off := rankSums[g]/size - (n+1)/2
			k.H += size * off * off
		}
	}
	k.H *= 12 / (n * (n + 1)) / (1 - ties/whole)
	k.P = distuv.ChiSquared{K: float64(k.DF)}.Survival(k.H)
	return k, true
}
