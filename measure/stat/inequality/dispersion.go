package inequality

import "math"

// variance answers BGV = Σp(y−μ)², its root BGSD and COV = 100·BGSD/μ.
func (a *answers) variance(m Measure) {
	bgv := 0.0
	for i, y := range a.y {
		bgv += a.share[i] * (y - a.mean) * (y - a.mean)
	}
	switch {
	case m == BGV:
		var interval *Interval
		if a.hasSE {
			interval = around(bgv, a.varianceSE())
		}
		a.add(m, HEAT, bgv, interval)
	case m == BGSD:
		a.add(m, HEAT, math.Sqrt(bgv), nil)
	case a.mean == 0:
		a.refuse(m, "", ZeroMean)
	default:
		a.add(m, HEAT, 100*math.Sqrt(bgv)/a.mean, nil)
	}
}

// varianceSE is the standard error of BGV,
//
//	√(4Σp²s²(y−μ)² + 2((Σp²s²)² − Σp⁴s⁴ + Σp²(1−p)²s⁴)),
//
// Ahn et al. 2018.
func (a *answers) varianceSE() float64 {
	var linear, sum, fourth, own float64
	for i, p := range a.share {
		v := p * p * a.se[i] * a.se[i]
		d := a.y[i] - a.mean
		linear += v * d * d
		sum += v
		fourth += v * v
		own += v * (1 - p) * (1 - p) * a.se[i] * a.se[i]
	}
	return math.Sqrt(4*linear + 2*(sum*sum-fourth+own))
}

// meanDifference answers the six mean differences from the mean, the best group and the reference.
// Without a reference MDR is refused; healthequal stops there too.
func (a *answers) meanDifference(m Measure) {
	from := a.mean
	switch m {
	case MDBU, MDBW:
		from = a.y[a.best()]
	case MDRU, MDRW:
		from = a.y[a.reference]
	default:
	}
	unweighted, weighted := a.distance(from)
	if m == MDMU || m == MDBU || m == MDRU {
		a.add(m, HEAT, unweighted, nil)
		return
	}
	a.add(m, HEAT, weighted, nil)
}

// distance is the mean of |y − from| over groups and over people.
func (a *answers) distance(from float64) (unweighted, weighted float64) {
	for i, y := range a.y {
		d := math.Abs(y - from)
		unweighted += d
		weighted += a.share[i] * d
	}
	return unweighted / float64(len(a.y)), weighted
}

// disparity answers IDISU and IDISW, the mean differences from the mean as a percentage of it, and
// beside IDISU the index of Pearcy and Keppel, 100/(J−1)·Σ|y−y_ref|/y_ref, whose reference is the
// one named or else the best group. The latter needs no population.
func (a *answers) disparity(m Measure) {
	unweighted, weighted := a.distance(a.mean)
	switch {
	case a.overlap:
		a.refuse(m, HEAT, Overlapping)
	case !a.hasWeights:
		a.refuse(m, HEAT, NeedsPopulation)
	case a.mean == 0:
		a.refuse(m, HEAT, ZeroMean)
	case m == IDISU:
		a.add(m, HEAT, 100*unweighted/a.mean, nil)
	default:
		a.add(m, HEAT, 100*weighted/a.mean, nil)
	}
	if m == IDISW {
		return
	}
	reference := a.reference
	if reference < 0 {
		reference = a.best()
	}
	if a.y[reference] == 0 {
		a.refuse(m, HDCalc, ZeroComparator)
		return
	}
	unweighted, _ = a.distance(a.y[reference])
	j := float64(len(a.y))
	a.add(m, HDCalc, 100*unweighted*j/(j-1)/a.y[reference], nil)
}
