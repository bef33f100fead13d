package network

import (
	"math"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/stat"
)

// The tails of the limits: 1 in 20 and 1 in 500 are outside by chance.
const (
	tail95  = 0.025
	tail998 = 0.001
)

// funnel gives the limits around a pooled score within which chance alone would keep members of
// different sizes: Spiegelhalter DJ, Stat Med 2005;24:1185.
type funnel struct {
	scoring measure.Scoring
	// centre is a share, or events per unit of exposure.
	centre float64
	// wider is the factor by which limits are drawn apart for overdispersion; at least 1.
	wider float64
}

// limits returns those of a size, not below 0 and, of a share, not above 1.
func (f funnel) limits(size float64, tail float64) [2]float64 {
	if f.scoring == measure.Ratio {
		level := stat.Level95
		if tail == tail998 {
			level = stat.Level998
		}
		lo, hi := stat.Funnel{Centre: f.centre, Overdispersion: f.wider * f.wider}.Rate(size, level)
		return [2]float64{lo, hi}
	}
	lo := f.centre + f.wider*(binomialQuantile(size, f.centre, tail)/size-f.centre)
	hi := f.centre + f.wider*(binomialQuantile(size, f.centre, 1-tail)/size-f.centre)
	return [2]float64{math.Max(0, math.Min(lo, f.centre)), math.Min(1, math.Max(hi, f.centre))}
}

// outside says where a score lies.
func (f funnel) outside(score float64, l95, l998 [2]float64) Outside {
	switch {
	case score < l998[0]:
		return Below998
	case score > l998[1]:
		return Above998
	case score < l95[0]:
		return Below95
	case score > l95[1]:
		return Above95
	}
	return Inside
}

// overdispersion estimates how much more members vary than chance would have them, from the squares of
// their scores in standard errors (stat.Overdispersion), and says by which factor limits are drawn
// apart. By chance alone the estimate of k members has the mean 1 and the variance 2/k, so limits are
// drawn apart only where it is two standard deviations above 1.
func overdispersion(scoring measure.Scoring, centre float64, parts [][2]float64) (estimate, wider float64) {
	chance := stat.Funnel{Centre: centre}
	var scores []float64
	for _, p := range parts {
		z, ok := chance.ZProportion(p[0], p[1])
		if scoring == measure.Ratio {
			z, ok = chance.ZRate(p[0], p[1])
		}
		if ok {
			scores = append(scores, z)
		}
	}
	estimate = stat.Overdispersion(scores)
	if len(scores) == 0 || estimate <= 1+2*math.Sqrt(2/float64(len(scores))) {
		return estimate, 1
	}
	return estimate, math.Sqrt(estimate)
}

// binomialQuantile is the p-quantile of the exact binomial law of n units, interpolated between whole
// counts as Spiegelhalter has it: with r the smallest count for which P(R <= r) >= p, it is
// r − (P(R <= r) − p)/P(R = r).
func binomialQuantile(n, share, p float64) float64 {
	switch {
	case share <= 0:
		return 0
	case share >= 1:
		return n
	}
	mean, deviation := n*share, math.Sqrt(n*share*(1-share))
	// Fifteen standard deviations and fifteen units below the mean nothing is left to count.
	const far = 15
	below, r := 0., math.Max(0, math.Floor(mean-far*deviation-far))
	for {
		mass := binomialMass(r, n, share)
		if below+mass >= p || r >= n {
			if mass == 0 {
				return r
			}
			return r - (below+mass-p)/mass
		}
		below += mass
		r++
	}
}

// binomialMass is P(R = r), by the logarithms of factorials.
func binomialMass(r, n, share float64) float64 {
	log := func(x float64) float64 { v, _ := math.Lgamma(x + 1); return v }
	return math.Exp(log(n) - log(r) - log(n-r) + r*math.Log(share) + (n-r)*math.Log1p(-share))
}
