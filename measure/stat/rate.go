package stat

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Garwood returns the exact Poisson interval of the rate of x events in an exposure,
//
//	½χ²(α/2; 2x) and ½χ²(1−α/2; 2x+2), each divided by the exposure,
//
// with a lower limit of 0 where x is 0. The unit is events per unit of exposure: scale both limits
// for "per 1,000". Garwood F, Biometrika 1936;28:437. The exposure is above 0.
func Garwood(x, exposure float64) (lo, hi float64) { return Level95.Garwood(x, exposure) }

// Garwood is the function of that name at another level.
func (l Level) Garwood(x, exposure float64) (lo, hi float64) {
	lower, upper := l.tails()
	if x > 0 {
		lo = distuv.ChiSquared{K: 2 * x}.Quantile(lower) / 2
	}
	hi = distuv.ChiSquared{K: 2*x + 2}.Quantile(upper) / 2
	return lo / exposure, hi / exposure
}

// Byar returns Byar's approximation of the same interval,
//
//	x(1 − 1/(9x) − z/(3√x))³ and (x+1)(1 − 1/(9(x+1)) + z/(3√(x+1)))³,
//
// which needs no distribution and is close from 10 events on (Breslow NE, Day NE, Statistical
// Methods in Cancer Research II, 1987, equation 2.13). The exposure is above 0.
func Byar(x, exposure float64) (lo, hi float64) { return Level95.Byar(x, exposure) }

// Byar is the function of that name at another level.
func (l Level) Byar(x, exposure float64) (lo, hi float64) {
	z := l.z()
	if x > 0 {
		lo = x * cube(1-1/(9*x)-z/(3*math.Sqrt(x)))
	}
	next := x + 1
	hi = next * cube(1-1/(9*next)+z/(3*math.Sqrt(next)))
	return math.Max(0, lo) / exposure, hi / exposure
}

func cube(v float64) float64 { return v * v * v }
