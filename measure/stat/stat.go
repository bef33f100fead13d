// Package stat holds the numbers behind a figure: intervals of proportions, rates, medians, and of
// the differences and ratios between two groups.
//
// It is pure. Every interval is two-sided and covers 95 %. Counts are float64, because a population
// may be a sum of observations; they are never negative and a part is never larger than its whole.
// A function whose interval can fail to exist says so with its last result; none returns NaN for
// arguments within its domain.
package stat

// Z is the 97.5 % quantile of the standard normal distribution, the one of a two-sided 95 %.
const Z = 1.959963984540054

const (
	lowerTail = 0.025
	upperTail = 0.975
)
