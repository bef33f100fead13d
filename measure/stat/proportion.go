package stat

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Wilson returns the score interval of the proportion x/n without continuity correction,
//
//	(2x + z² ∓ z√(z² + 4x(1 − x/n))) / (2(n + z²)),
//
// which holds its level for small n and for x near 0 or n, and never leaves 0..1. Wilson EB, J Am
// Stat Assoc 1927;22:209; recommended by Newcombe RG, Stat Med 1998;17:857 (method 3). Where n is 0
// nothing is known: 0..1.
func Wilson(x, n float64) (lo, hi float64) { return Level95.Wilson(x, n) }

// Wilson is the function of that name at another level.
func (l Level) Wilson(x, n float64) (lo, hi float64) {
	if n <= 0 {
		return 0, 1
	}
	lo, hi = 0, 1
	z := l.z()
	centre := 2*x + z*z
	root := z * math.Sqrt(z*z+4*x*(1-x/n))
	whole := 2 * (n + z*z)
	if x > 0 {
		// centre − root loses digits where x is small beside n; (centre² − root²) / (centre + root) does
		// not, and the numerator is 4x²(1 + z²/n).
		lo = 4 * x * x * (1 + z*z/n) / ((centre + root) * whole)
	}
	if x < n {
		hi = math.Min(1, (centre+root)/whole)
	}
	return lo, hi
}

// ClopperPearson returns the exact interval of the proportion x/n from the quantiles of the beta
// distribution: B(α/2; x, n−x+1) and B(1−α/2; x+1, n−x). It is wider than Wilson's and never covers
// less than 95 %. Clopper CJ, Pearson ES, Biometrika 1934;26:404. Where n is 0 nothing is known:
// 0..1.
func ClopperPearson(x, n float64) (lo, hi float64) { return Level95.ClopperPearson(x, n) }

// ClopperPearson is the function of that name at another level.
func (l Level) ClopperPearson(x, n float64) (lo, hi float64) {
	lo, hi = 0, 1
	lower, upper := l.tails()
	if x > 0 {
		lo = distuv.Beta{Alpha: x, Beta: n - x + 1}.Quantile(lower)
	}
	if x < n {
		hi = distuv.Beta{Alpha: x + 1, Beta: n - x}.Quantile(upper)
	}
	return lo, hi
}
