package stat

import "math"

// Newcombe returns the interval of the difference x1/n1 − x2/n2 of two independent proportions by
// the square-and-add method on Wilson's limits (l, u),
//
//	d − √((p1−l1)² + (u2−p2)²) and d + √((u1−p1)² + (p2−l2)²).
//
// Newcombe RG, Stat Med 1998;17:873 (method 10). Both n are above 0.
func Newcombe(x1, n1, x2, n2 float64) (lo, hi float64) {
	l1, u1 := Wilson(x1, n1)
	l2, u2 := Wilson(x2, n2)
	lo, hi = mover(x1/n1, l1, u1, x2/n2, l2, u2)
	return math.Max(-1, lo), math.Min(1, hi)
}

// RateDifference returns the interval of the difference x1/t1 − x2/t2 of two independent rates by
// the same square-and-add method (MOVER) on Garwood's limits. Donner A, Zou GY, Stat Methods Med
// Res 2012;21:347. Both exposures are above 0.
func RateDifference(x1, t1, x2, t2 float64) (lo, hi float64) {
	l1, u1 := Garwood(x1, t1)
	l2, u2 := Garwood(x2, t2)
	return mover(x1/t1, l1, u1, x2/t2, l2, u2)
}

func mover(e1, l1, u1, e2, l2, u2 float64) (lo, hi float64) {
	d := e1 - e2
	return d - math.Hypot(e1-l1, u2-e2), d + math.Hypot(u1-e1, e2-l2)
}
