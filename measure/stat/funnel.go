package stat

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Funnel gives the limits within which chance alone would keep the figures of sites or groups of
// different sizes, were they all the same as the centre. Spiegelhalter DJ, Stat Med 2005;24:1185.
// Limits of Level95 and Level998 are customary: 1 in 20 and 1 in 500 are outside by chance.
type Funnel struct {
	// Centre is the benchmark: a proportion, or a rate in events per unit of exposure.
	Centre float64
	// Overdispersion is the factor by which variances exceed those of chance, as Overdispersion
	// estimates it; at most 1 means that there is none. Limits are √Overdispersion as far from Centre.
	Overdispersion float64
}

// Proportion returns the limits of a proportion of n units, Centre ∓ z·√(Centre(1−Centre)/n) within
// 0..1. Where n is 0 anything is possible: 0..1.
func (f Funnel) Proportion(n float64, level Level) (lo, hi float64) {
	if n <= 0 {
		return 0, 1
	}
	half := level.z() * f.wider() * math.Sqrt(f.Centre*(1-f.Centre)/n)
	return math.Max(0, f.Centre-half), math.Min(1, f.Centre+half)
}

// Rate returns the limits of a rate in an exposure from the quantiles of the exact Poisson law with
// Centre·exposure events, interpolated between whole counts as Spiegelhalter has it: with r the
// smallest count for which P(R <= r) >= p, the count is r − (P(R <= r) − p)/P(R = r). The lower
// limit is not below 0 and the upper one not below Centre, which the interpolation leaves where
// even one event is rare. Where the exposure is 0 anything is possible: 0..+Inf.
func (f Funnel) Rate(exposure float64, level Level) (lo, hi float64) {
	if exposure <= 0 {
		return 0, math.Inf(1)
	}
	expected := f.Centre * exposure
	lower, upper := level.tails()
	lo = f.Centre + f.wider()*(poissonQuantile(expected, lower)-expected)/exposure
	hi = f.Centre + f.wider()*(poissonQuantile(expected, upper)-expected)/exposure
	return math.Max(0, lo), math.Max(f.Centre, hi)
}

func (f Funnel) wider() float64 { return math.Sqrt(math.Max(1, f.Overdispersion)) }

// ZProportion is how many standard errors of chance a proportion is from Centre, for
// Overdispersion. It does not exist where n is 0, or where Centre is 0 or 1.
func (f Funnel) ZProportion(x, n float64) (z float64, ok bool) {
	variance := f.Centre * (1 - f.Centre) / n
	if n <= 0 || variance <= 0 {
		return 0, false
	}
	return (x/n - f.Centre) / math.Sqrt(variance), true
}

// ZRate is ZProportion of a rate.
func (f Funnel) ZRate(x, exposure float64) (z float64, ok bool) {
	if exposure <= 0 || f.Centre <= 0 {
		return 0, false
	}
	return (x/exposure - f.Centre) / math.Sqrt(f.Centre/exposure), true
}

// winsorised is the share of the scores at either end that are drawn in before the mean is taken,
// so that the outliers a funnel is drawn to find do not widen it.
const winsorised = 0.1

// Overdispersion estimates how much more the scores vary than chance would have them: the mean of
// their squares, with the tenth at either end drawn in to the deciles. With no overdispersion it is
// near or below 1. The order of the scores does not matter; without any it is 1.
func Overdispersion(scores []float64) float64 {
	sorted := slices.Sorted(slices.Values(scores))
	lo, ok := Quantile(sorted, winsorised)
	if !ok {
		return 1
	}
	hi, _ := Quantile(sorted, 1-winsorised)
	sum := 0.
	for _, z := range sorted {
		z = math.Min(hi, math.Max(lo, z))
		sum += z * z
	}
	return sum / float64(len(sorted))
}

// poissonQuantile is the p-quantile of the Poisson law, interpolated between whole counts.
func poissonQuantile(mean, p float64) float64 {
	if mean <= 0 {
		return 0
	}
	law := distuv.Poisson{Lambda: mean}
	// Ten standard deviations and ten events above the mean are beyond every level in use.
	r := firstTrue(0, math.Ceil(mean+10*math.Sqrt(mean)+10), func(r float64) bool {
		return law.CDF(r) >= p
	})
	return r - (law.CDF(r)-p)/law.Prob(r)
}
