package stat

import "math"

// Katz returns the interval of the ratio (x1/n1) / (x2/n2) of two independent proportions on the
// log scale,
//
//	ln RR ∓ z√(1/x1 − 1/n1 + 1/x2 − 1/n2).
//
// Katz D et al., Biometrics 1978;34:469. It does not exist where a count is 0, nor where both
// groups are complete: the standard error would be 0, a certainty that no data give. Walter is the
// way out.
func Katz(x1, n1, x2, n2 float64) (lo, hi float64, ok bool) {
	if x1 <= 0 || x2 <= 0 || (x1 >= n1 && x2 >= n2) {
		return 0, 0, false
	}
	lo, hi = aroundLog((x1/n1)/(x2/n2), math.Sqrt(1/x1-1/n1+1/x2-1/n2))
	return lo, hi, true
}

// Walter returns the ratio of two proportions and its interval by Katz's formula after ½ is added
// to every count and every total, which lets counts of 0 through. The estimate is not x1n2/(x2n1)
// and has to be shown as what it is. Walter SD, Biometrika 1975;62:371. Both n are above 0.
func Walter(x1, n1, x2, n2 float64) (ratio, lo, hi float64) {
	x1, n1, x2, n2 = x1+0.5, n1+0.5, x2+0.5, n2+0.5
	ratio = (x1 / n1) / (x2 / n2)
	lo, hi = aroundLog(ratio, math.Sqrt(1/x1-1/n1+1/x2-1/n2))
	return ratio, lo, hi
}

// RateRatio returns the exact interval of the ratio (x1/t1) / (x2/t2) of two independent rates,
// conditional on x1 + x2: Clopper and Pearson's interval of x1 of x1+x2 as odds, times t2/t1. hi is
// +Inf where x2 is 0, and there is none at all where both counts are 0. Przyborowski J, Wilenski H,
// Biometrika 1940;31:313. Both exposures are above 0.
func RateRatio(x1, t1, x2, t2 float64) (lo, hi float64, ok bool) {
	if x1+x2 <= 0 {
		return 0, 0, false
	}
	p, q := ClopperPearson(x1, x1+x2)
	scale := t2 / t1
	lo, hi = scale*p/(1-p), math.Inf(1)
	if x2 > 0 {
		hi = scale * q / (1 - q)
	}
	return lo, hi, true
}

// RateTest returns the exact two-sided p-value of two rates being equal: given x1+x2 events, x1 is
// binomial with the share of the first exposure, and the p-value is the probability of every split
// that is no more probable than the observed one. It stands beside RateRatio, whose limits come
// from two one-sided tests; near the border one may exclude 1 where the other does not say p <
// 0.05. Counts are whole and both exposures are above 0. Without any event p is 1: nothing speaks
// against equality.
func RateTest(x1, t1, x2, t2 float64) float64 {
	if x1+x2 <= 0 {
		return 1
	}
	return binomialTest(x1, x1+x2, t1/(t1+t2))
}

// RateRatioLog returns the interval of the same ratio on the log scale, ln ∓ z√(1/x1 + 1/x2). It
// does not exist where a count is 0.
func RateRatioLog(x1, t1, x2, t2 float64) (lo, hi float64, ok bool) {
	if x1 <= 0 || x2 <= 0 {
		return 0, 0, false
	}
	lo, hi = aroundLog((x1/t1)/(x2/t2), math.Sqrt(1/x1+1/x2))
	return lo, hi, true
}

func aroundLog(ratio, se float64) (lo, hi float64) {
	factor := math.Exp(Z * se)
	return ratio / factor, ratio * factor
}
