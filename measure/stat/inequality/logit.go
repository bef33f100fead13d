package inequality

import "math"

const (
	// logitSteps bounds the iterations. Newton's method doubles the correct digits in each, so a fit
	// takes about ten; only data that are all but separated by rank take more.
	logitSteps = 100
	// logitStep ends the iteration: a whole step changes neither coefficient by more than this part
	// of itself (or of 1). What it leaves is of the order of its square, so both are good to the
	// rounding of a double, which on lopsided data is not much below this.
	logitStep = 1e-9
	// logitReach is how far one step may take the prediction for a group. Much beyond it the curve is
	// flat to the last digit, and no step leads back.
	logitReach = 5
	// logitFlat is the part of the largest possible information below which nothing is left to climb:
	// a rank separates events from non-events, every prediction has gone to 0 or 1, and the
	// coefficients would grow for ever.
	logitFlat = 1e-14
	// logitNoise is the part of the likelihood that may be rounding. Less of it is no reason to
	// shorten a step: near the end of the climb every step is a good one.
	logitNoise = 1e-10
)

// logit fits events/n = expit(b0 + b1·x) by iteratively reweighted least squares, which is Newton's
// method on the weighted binomial likelihood, from the overall proportion and slope 0. A step that
// goes too far, or lowers the likelihood, is shortened; as that has one maximum, the iteration
// climbs to it. ok is false where it lies at infinity.
func logit(c counts, weights []float64) (b0, b1 float64, ok bool) {
	var all, total float64
	for i, w := range weights {
		all += w * c.events[i]
		total += w * c.n[i]
	}
	if all <= 0 || all >= total {
		return 0, 0, false
	}
	first, last := c.x[0], c.x[len(c.x)-1]
	b0 = math.Log(all / (total - all))
	likelihood := logLikelihood(c, weights, b0, 0)
	for range logitSteps {
		d0, d1, ok := newton(c, weights, b0, b1)
		if !ok {
			return 0, 0, false
		}
		if math.Abs(d0) <= logitStep*math.Max(1, math.Abs(b0)) &&
			math.Abs(d1) <= logitStep*math.Max(1, math.Abs(b1)) {
			return b0 + d0, b1 + d1, true
		}
		if far := math.Max(math.Abs(d0+d1*first), math.Abs(d0+d1*last)); far > logitReach {
			d0, d1 = d0*logitReach/far, d1*logitReach/far
		}
		next := logLikelihood(c, weights, b0+d0, b1+d1)
		least := likelihood - logitNoise*math.Abs(likelihood)
		for halvings := 0; next < least && halvings < 30; halvings++ {
			d0, d1 = d0/2, d1/2
			next = logLikelihood(c, weights, b0+d0, b1+d1)
		}
		b0, b1, likelihood = b0+d0, b1+d1, next
	}
	return 0, 0, false
}

// newton is the step from (b0, b1): the inverse of the information times the score. ok is false
// where the information has run out.
func newton(c counts, weights []float64, b0, b1 float64) (d0, d1 float64, ok bool) {
	var information matrix
	var s0, s1, total float64
	for i, x := range c.x {
		p := expit(b0 + b1*x)
		information.add(x, weights[i]*c.n[i]*p*(1-p))
		score := weights[i] * (c.events[i] - c.n[i]*p)
		s0 += score
		s1 += score * x
		total += weights[i] * c.n[i]
	}
	inverse, ok := information.inverse()
	if !ok || information[0] < logitFlat*total {
		return 0, 0, false
	}
	return inverse[0]*s0 + inverse[1]*s1, inverse[1]*s0 + inverse[2]*s1, true
}

// logLikelihood is the weighted binomial one, up to a constant.
func logLikelihood(c counts, weights []float64, b0, b1 float64) float64 {
	sum := 0.0
	for i, x := range c.x {
		eta := b0 + b1*x
		// ln(1 + exp(eta)) without overflow.
		never := math.Max(eta, 0) + math.Log1p(math.Exp(-math.Abs(eta)))
		sum += weights[i] * (c.events[i]*eta - c.n[i]*never)
	}
	return sum
}

// expit is the inverse of the logit.
func expit(eta float64) float64 {
	return 1 / (1 + math.Exp(-eta))
}

// matrix is a symmetric one of two rows: its elements 11, 12 and 22.
type matrix [3]float64

// add takes in w·(1, x)(1, x)ᵀ.
func (m *matrix) add(x, w float64) {
	m[0] += w
	m[1] += w * x
	m[2] += w * x * x
}

// inverse exists unless the rows say the same.
func (m matrix) inverse() (matrix, bool) {
	det := m[0]*m[2] - m[1]*m[1]
	if !(det > 1e-14*m[0]*m[2]) {
		return matrix{}, false
	}
	return matrix{m[2] / det, -m[1] / det, m[0] / det}, true
}

// sandwich is m·meat·m.
func (m matrix) sandwich(meat matrix) matrix {
	// The rows of m·meat.
	a, b := m[0]*meat[0]+m[1]*meat[1], m[0]*meat[1]+m[1]*meat[2]
	c, d := m[1]*meat[0]+m[2]*meat[1], m[1]*meat[1]+m[2]*meat[2]
	return matrix{a*m[0] + b*m[1], a*m[1] + b*m[2], c*m[1] + d*m[2]}
}

// norm is √(gᵀ·m·g) for g = (g0, g1).
func (m matrix) norm(g0, g1 float64) float64 {
	return math.Sqrt(math.Max(0, g0*g0*m[0]+2*g0*g1*m[1]+g1*g1*m[2]))
}
