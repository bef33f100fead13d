package stat

import (
	"math"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

// Quantile returns the p-quantile, p in 0..1, of values in ascending order by linear interpolation
// between the order statistics around (n−1)p: type 7 of Hyndman RJ, Fan Y, Am Stat 1996;50:361,
// which is R's default and DuckDB's quantile_cont. ok is false where there are no values.
func Quantile(sorted []float64, p float64) (q float64, ok bool) {
	return quantile(int64(len(sorted)), p, func(rank int64) float64 { return sorted[rank] })
}

// QuantileCounts is Quantile for values in strictly ascending order, each of which occurs as often
// as counts says at the same index. The slices have one length and counts are not negative.
func QuantileCounts(values []float64, counts []int64, p float64) (q float64, ok bool) {
	total, at := ranked(values, counts)
	return quantile(total, p, at)
}

// MedianInterval returns the distribution-free interval of the median of values in ascending order:
// the d-th smallest and the d-th largest value, d being the largest rank for which the coverage 1 −
// 2·P(Bin(n, ½) < d) is still at least 95 %. Conover WJ, Practical Nonparametric Statistics, 3rd
// edition, 3.2. With fewer than 6 values no such rank exists and ok is false.
func MedianInterval(sorted []float64) (lo, hi float64, ok bool) {
	return medianInterval(int64(len(sorted)), func(rank int64) float64 { return sorted[rank] })
}

// MedianIntervalCounts is MedianInterval for values and counts as QuantileCounts takes them.
func MedianIntervalCounts(values []float64, counts []int64) (lo, hi float64, ok bool) {
	total, at := ranked(values, counts)
	return medianInterval(total, at)
}

func quantile(n int64, p float64, at func(rank int64) float64) (float64, bool) {
	if n == 0 {
		return 0, false
	}
	h := float64(n-1) * p
	below := int64(math.Floor(h))
	lo := at(below)
	if below+1 >= n {
		return lo, true
	}
	return lo + (h-float64(below))*(at(below+1)-lo), true
}

func medianInterval(n int64, at func(rank int64) float64) (lo, hi float64, ok bool) {
	d := medianRank(n)
	if d == 0 {
		return 0, 0, false
	}
	return at(d - 1), at(n - d), true
}

// medianRank is the largest d with P(Bin(n, ½) <= d−1) <= 2.5 %; 0 where there is none.
func medianRank(n int64) int64 {
	if n == 0 {
		return 0
	}
	law := distuv.Binomial{N: float64(n), P: 0.5}
	// Every d up to half of n; the first that is too large ends the search.
	first := sort.Search(int(n/2), func(i int) bool { return law.CDF(float64(i)) > lowerTail })
	return int64(first)
}

// ranked returns how many values there are and a function from rank, counted from 0, to value.
func ranked(values []float64, counts []int64) (total int64, at func(rank int64) float64) {
	upTo := make([]int64, len(counts))
	for i, c := range counts {
		total += c
		upTo[i] = total
	}
	return total, func(rank int64) float64 {
		return values[sort.Search(len(upTo), func(i int) bool { return upTo[i] > rank })]
	}
}
