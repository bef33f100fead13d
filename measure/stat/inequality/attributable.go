package inequality

import "math"

// attributable answers PAR = y_ref − μ and PAF = 100·PAR/μ: what the mean would gain if every group
// were at the level of the most advantaged one, or without an order of the best. A PAR of the wrong
// sign, a reference that does worse than the mean, is set to 0.
func (a *answers) attributable(m Measure) {
	if m == PAF && a.mean == 0 {
		a.refuse(m, "", ZeroMean)
		return
	}
	reference := len(a.y) - 1
	if !a.ordered {
		reference = a.best()
	}
	par := a.y[reference] - a.mean
	if a.equal() {
		par = 0 // The mean of equal numbers need not be that number to the last digit.
	}
	truncated := (par < 0) == (a.direction == Favourable) && par != 0
	if truncated {
		par = 0
	}
	se := a.fractionSE(reference)
	if m == PAR {
		a.add(m, HEAT, par, around(par, a.mean*se))
	} else {
		paf := 100 * par / a.mean
		a.add(m, HEAT, paf, around(paf, se))
		a.add(m, Scaled, paf, around(paf, 100*se))
	}
	for i := range a.result.Values {
		if v := &a.result.Values[i]; v.Measure == m {
			v.Truncated = truncated
		}
	}
}

// fractionSE is the standard error of PAF as a fraction, after Walter 1978: with a and b the events
// and non-events outside the reference group, c and d those within and N all four,
//
//	√(cN(ad(N−c) + bc²) / ((a+c)³(c+d)³)).
//
// It uses the populations as numbers of people observed, so it is the only standard error here that
// depends on their size and not only on their shares. NaN where an estimate exceeds the scale: it
// is no proportion, and a formula of events and non-events does not hold.
func (a *answers) fractionSE(reference int) float64 {
	total := 0.0
	for i, n := range a.n {
		if a.y[i] > a.scale {
			return math.NaN()
		}
		total += n
	}
	within := a.n[reference]
	c := a.y[reference] / a.scale * within
	d := within - c
	events := a.mean / a.scale * total
	outside := events - c
	b := total - outside - within
	return math.Sqrt(c * total * (outside*d*(total-c) + b*c*c) /
		(events * events * events * within * within * within))
}
