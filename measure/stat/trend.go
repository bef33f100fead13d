package stat

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Trend is what the Cochran–Armitage test gives.
type Trend struct {
	// T is Σx(s − s̄), the events beyond what no trend would put at high scores; its sign is that of
	// the trend. Variance is that of T where there is none.
	T, Variance float64
	// Z is T/√Variance, and P its two-sided p-value.
	Z, P float64
}

// TrendTest tests for a linear trend of proportions x/n over ordered groups with scores s, such as
// age bands or quintiles of deprivation: T = Σx(s−s̄) with variance p(1−p)·Σn(s−s̄)², s̄ = Σns/N.
// The variance is the one over N, not N−1, as in R's prop.trend.test. Race, ethnicity and language
// have no order and no trend. It does not exist where all or none have the event, where fewer than
// two scores hold people, or where the slices differ in length. Armitage P, Biometrics 1955;11:375.
func TrendTest(x, n, scores []float64) (t Trend, ok bool) {
	if len(x) != len(n) || len(x) != len(scores) {
		return Trend{}, false
	}
	events, people, mean := 0., 0., 0.
	for i := range x {
		events += x[i]
		people += n[i]
		mean += n[i] * scores[i]
	}
	if people <= 0 || events <= 0 || events >= people {
		return Trend{}, false
	}
	mean /= people
	spread := 0.
	for i := range x {
		t.T += x[i] * (scores[i] - mean)
		spread += n[i] * (scores[i] - mean) * (scores[i] - mean)
	}
	p := events / people
	t.Variance = p * (1 - p) * spread
	if t.Variance <= 0 {
		return Trend{}, false
	}
	t.Z = t.T / math.Sqrt(t.Variance)
	t.P = twoSided(t.Z)
	return t, true
}

// twoSided is the probability that a standard normal lies as far from 0 as z.
func twoSided(z float64) float64 {
	// The lower tail: Survival of the library is 1 less a number close to 1.
	return 2 * distuv.Normal{Mu: 0, Sigma: 1}.CDF(-math.Abs(z))
}
