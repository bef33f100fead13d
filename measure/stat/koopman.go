package stat

import "math"

// Koopman returns the score interval of the ratio (x1/n1) / (x2/n2) of two independent proportions:
// every ratio that Pearson's χ² of the two groups, at the likeliest proportions with that ratio,
// does not refuse. It holds its level for small groups, where Katz does not, and needs no ½ where a
// count is 0. Koopman PAR, Biometrics 1984;40:513; the score is the one of Miettinen O, Nurminen M,
// Stat Med 1985;4:213 without N/(N−1). hi is +Inf where x2 is 0; there is none where both counts
// are 0. Both n are above 0.
func Koopman(x1, n1, x2, n2 float64) (lo, hi float64, ok bool) {
	if (x1 <= 0 && x2 <= 0) || n1 <= 0 || n2 <= 0 {
		return 0, 0, false
	}
	refuses := func(ratio float64) bool { return ratioScore(ratio, x1, n1, x2, n2) > Z*Z }
	if x1 > 0 {
		// From the estimate, or 1 where that is infinite, downwards until it is refused. An infinite
		// estimate may refuse 1 too: then the limit is above.
		inside, outside := (x1/n1)/(x2/n2), 0.
		if math.IsInf(inside, 1) {
			for inside = 1; refuses(inside); inside *= 2 {
				outside = inside
			}
		}
		if outside == 0 {
			for outside = inside / 2; !refuses(outside); outside /= 2 {
				inside = outside
			}
		}
		lo = between(outside, inside, refuses)
	}
	if x2 == 0 {
		return lo, math.Inf(1), true
	}
	inside, outside := (x1/n1)/(x2/n2), 0.
	if inside == 0 {
		for inside = 1; refuses(inside); inside /= 2 {
			outside = inside
		}
	}
	if outside == 0 {
		for outside = inside * 2; !refuses(outside); outside *= 2 {
			inside = outside
		}
	}
	return lo, between(outside, inside, refuses), true
}

// between returns the border between a ratio that is refused and one that is not, by halving to the
// last bit.
func between(refused, held float64, refuses func(float64) bool) float64 {
	for {
		middle := refused + (held-refused)/2
		if middle == refused || middle == held {
			return held
		}
		if refuses(middle) {
			refused = middle
		} else {
			held = middle
		}
	}
}

// ratioScore is the squared score of a ratio: the squared difference p1 − ratio·p2 over its
// variance at the likeliest proportions whose ratio it is. These are the smaller root of a
// quadratic and its ratio-th part.
func ratioScore(ratio, x1, n1, x2, n2 float64) float64 {
	b := ratio*(n1+x2) + x1 + n2
	product := ratio * (n1 + n2) * (x1 + x2)
	root := math.Sqrt(math.Max(0, b*b-4*product))
	q1 := 2 * ratio * (x1 + x2) / (b + root)
	q2 := q1 / ratio
	variance := q1*math.Max(0, 1-q1)/n1 + ratio*ratio*q2*math.Max(0, 1-q2)/n2
	difference := x1/n1 - ratio*x2/n2
	if difference == 0 {
		return 0
	}
	return difference * difference / variance
}
