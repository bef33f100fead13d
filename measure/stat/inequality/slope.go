package inequality

import "math"

// slope is a fitted curve of the estimates over relative rank, as fractions of the scale.
type slope struct {
	variant Variant
	reason  Reason // Why there is no fit; empty where there is one.

	b0, b1     float64 // Intercept and slope of the linear predictor.
	low, high  float64 // Predictions at rank 0 and rank 1.
	difference float64 // Standard error of high − low.
	logRatio   float64 // Standard error of ln(high/low).
}

// counts are the groups as a binomial regression wants them.
type counts struct {
	x, n, events []float64 // Relative ranks, people, people with the event.
	possible     bool      // No group has more events than people.
}

// slope answers SII = v1 − v0 and RII = v1/v0, the difference and the ratio of the predictions for
// the most advantaged and the most disadvantaged person, by every regression; RII also as SII/μ of
// the linear one. Intervals are from the robust variance HC1.
func (a *answers) slope(m Measure) {
	if a.equal() {
		// healthequal stops; the value is the null one, and about its spread nothing is known.
		for _, v := range []Variant{HEAT, Standard, Linear} {
			a.add(m, v, m.Null(v), nil)
		}
		if m == RII {
			a.add(m, HDCalc, m.Null(HDCalc), nil)
		}
		return
	}
	if a.slopes == nil {
		a.slopes = a.fits()
	}
	for _, f := range a.slopes {
		switch {
		case f.reason != "":
			a.refuse(m, f.variant, f.reason)
		case m == SII:
			sii := a.scale * (f.high - f.low)
			a.add(m, f.variant, sii, around(sii, a.scale*f.difference))
		case f.low <= 0 || f.high <= 0:
			a.refuse(m, f.variant, NoFit) // A line may leave the scale; a ratio to that says nothing.
		default:
			rii := f.high / f.low
			a.add(m, f.variant, rii, aroundLog(rii, f.logRatio))
		}
		if m == RII && f.variant == Linear && f.reason == "" {
			over := a.scale * (f.high - f.low) / a.mean
			a.add(m, HDCalc, over, around(over, a.scale*f.difference/a.mean))
		}
	}
}

// fits makes the three regressions, all on the same ranks.
func (a *answers) fits() []slope {
	c := a.counts()
	ones, fractions := make([]float64, len(a.y)), make([]float64, len(a.y))
	for i, y := range a.y {
		ones[i], fractions[i] = 1, y/a.scale
	}
	heat, standard := slope{reason: OutOfScale}, slope{reason: OutOfScale}
	if c.possible {
		heat, standard = logitSlope(c, c.n), logitSlope(c, ones)
	}
	linear := linearSlope(c.x, fractions, c.n)
	heat.variant, standard.variant, linear.variant = HEAT, Standard, Linear
	return []slope{heat, standard, linear}
}

// counts rounds as healthequal does: populations up to whole people, events to whole events (a half
// to the even number), ranks from the rounded populations. So populations have to be numbers of
// people; shares would all become 1.
func (a *answers) counts() counts {
	c := counts{
		n: make([]float64, len(a.y)), events: make([]float64, len(a.y)), possible: true,
	}
	for i, y := range a.y {
		c.n[i] = math.Ceil(a.n[i])
		c.events[i] = math.RoundToEven(y / a.scale * c.n[i])
		c.possible = c.possible && c.events[i] <= c.n[i]
	}
	c.x = ridits(c.n)
	return c
}

// logitSlope fits a logistic curve and takes its ends, with standard errors by the delta method.
func logitSlope(c counts, weights []float64) slope {
	b0, b1, ok := logit(c, weights)
	if !ok {
		return slope{reason: NoFit}
	}
	var bread, meat matrix
	for i, x := range c.x {
		p := expit(b0 + b1*x)
		bread.add(x, weights[i]*c.n[i]*p*(1-p))
		score := weights[i] * (c.events[i] - c.n[i]*p)
		meat.add(x, score*score)
	}
	f := slope{b0: b0, b1: b1, low: expit(b0), high: expit(b0 + b1)}
	lowSlope, highSlope := f.low*(1-f.low), f.high*(1-f.high)
	return f.spread(bread, meat, len(c.x), [2]float64{lowSlope, highSlope})
}

// linearSlope fits a straight line by weighted least squares.
func linearSlope(x, y, weights []float64) slope {
	var bread matrix
	var sum, cross float64
	for i := range x {
		bread.add(x[i], weights[i])
		sum += weights[i] * y[i]
		cross += weights[i] * x[i] * y[i]
	}
	inverse, ok := bread.inverse()
	if !ok {
		return slope{reason: NoFit}
	}
	b0 := inverse[0]*sum + inverse[1]*cross
	b1 := inverse[1]*sum + inverse[2]*cross
	var meat matrix
	for i := range x {
		score := weights[i] * (y[i] - b0 - b1*x[i])
		meat.add(x[i], score*score)
	}
	f := slope{b0: b0, b1: b1, low: b0, high: b0 + b1}
	return f.spread(bread, meat, len(x), [2]float64{1, 1})
}

// spread fills in the standard errors from the sandwich bread⁻¹·meat·bread⁻¹·k/(k−2), HC1. slopes
// are the derivatives of the predictions at rank 0 and 1 by the linear predictor.
func (f slope) spread(bread, meat matrix, k int, slopes [2]float64) slope {
	inverse, ok := bread.inverse()
	if !ok {
		return slope{reason: NoFit}
	}
	v := inverse.sandwich(meat)
	correction := float64(k) / float64(k-2)
	for i := range v {
		v[i] *= correction
	}
	f.difference = v.norm(slopes[1]-slopes[0], slopes[1])
	f.logRatio = v.norm(slopes[1]/f.high-slopes[0]/f.low, slopes[1]/f.high)
	return f
}
