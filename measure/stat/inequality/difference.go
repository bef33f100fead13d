package inequality

import "math"

// simple answers D and R: one group against another. With an order the most advantaged is compared
// with the most disadvantaged, and the other way round for adverse figures, so that D > 0 and R > 1
// mean a disadvantage. Without one, the reference is compared with the worst group; where none is
// named, the largest with the smallest.
func (a *answers) simple(m Measure) {
	largest, smallest := a.extremes()
	last := len(a.y) - 1
	switch {
	case a.ordered && a.direction == Favourable:
		a.pair(m, HEAT, last, 0)
	case a.ordered:
		a.pair(m, HEAT, 0, last)
	case a.reference < 0:
		a.pair(m, HEAT, largest, smallest)
	case a.direction == Favourable:
		a.pair(m, HEAT, a.reference, smallest)
	default:
		a.pair(m, HEAT, largest, a.reference)
	}
	if !a.ordered {
		a.pair(m, MaxMin, largest, smallest)
	}
}

// pair compares the groups i and j. The two are taken to be independent: overlapping ones get no
// interval, and neither does a group against itself.
func (a *answers) pair(m Measure, v Variant, i, j int) {
	independent := a.hasSE && !a.overlap && i != j
	if m == D {
		d := a.y[i] - a.y[j]
		var interval *Interval
		if independent {
			interval = around(d, math.Hypot(a.se[i], a.se[j]))
		}
		a.add(m, v, d, interval)
		return
	}
	if a.y[j] == 0 {
		if a.y[i] == 0 {
			a.add(m, v, m.Null(v), nil) // Both are at 0: there is no inequality to speak of.
			return
		}
		a.refuse(m, v, ZeroComparator)
		return
	}
	r := a.y[i] / a.y[j]
	var interval *Interval
	if independent && r > 0 {
		interval = aroundLog(r, math.Hypot(a.se[i], r*a.se[j])/(a.y[j]*r))
	}
	a.add(m, v, r, interval)
}
