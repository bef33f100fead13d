package inequality

import "math"

// nearZero stands for an estimate of 0, whose logarithm does not exist. It is healthequal's
// constant, in the unit of the estimate, so that with a 0 among the groups MLD depends on the
// scale.
const nearZero = 1e-6

// entropy answers TI = Σp·r·ln r and MLD = −Σp·ln r with r = y/μ. HEAT multiplies the estimate by
// 1,000 and leaves its standard error as it is, Scaled multiplies both and Natural neither.
func (a *answers) entropy(m Measure) {
	if a.mean == 0 {
		a.refuse(m, "", ZeroMean)
		return
	}
	r := make([]float64, len(a.y))
	mean := 0.0
	for i, y := range a.y {
		r[i] = y
		if y == 0 {
			r[i] = nearZero
		}
		mean += a.share[i] * r[i]
	}
	for i := range r {
		r[i] /= mean
	}
	estimate, se := a.theil(r, mean)
	if m == MLD {
		estimate, se = a.logDeviation(r, mean)
	}
	estimate = math.Max(0, estimate) // Both are convex in r; less is a rounding of 0.
	for _, form := range []struct {
		variant     Variant
		factor, err float64
	}{{HEAT, 1000, 1}, {Scaled, 1000, 1000}, {Natural, 1, 1}} {
		var interval *Interval
		if a.hasSE {
			interval = around(form.factor*estimate, form.err*se)
		}
		a.add(m, form.variant, form.factor*estimate, interval)
	}
}

// theil has the standard error √Σ(1 + ln r − Σp·r(1 + ln r))²p²s²/μ², Ahn et al. 2018.
func (a *answers) theil(r []float64, mean float64) (estimate, se float64) {
	centre := 0.0
	for i, p := range a.share {
		estimate += p * r[i] * math.Log(r[i])
		centre += p * r[i] * (1 + math.Log(r[i]))
	}
	v := 0.0
	for i, p := range a.share {
		t := (1 + math.Log(r[i]) - centre) * p * a.se[i] / mean
		v += t * t
	}
	return estimate, math.Sqrt(v)
}

// logDeviation has the standard error √Σ(1 − 1/r)²p²s²/μ², Ahn et al. 2018.
func (a *answers) logDeviation(r []float64, mean float64) (estimate, se float64) {
	v := 0.0
	for i, p := range a.share {
		estimate -= p * math.Log(r[i])
		t := (1 - 1/r[i]) * p * a.se[i] / mean
		v += t * t
	}
	return estimate, math.Sqrt(v)
}
