package disclose

import "math"

// Rate reports whether a rate may be shown with its counts: numerator, denominator and what the
// numerator leaves of it are each 0 or at least the Threshold. It looks at the rate alone; Protect
// looks at everything that is shown beside it.
func Rate(numerator, denominator int64) bool {
	rest := denominator - numerator
	return numerator >= 0 && rest >= 0 && !Small(numerator) && !Small(denominator) && !Small(rest)
}

// finest is the number of decimals beyond which a percentage is taken to give its numerator away.
const finest = 6

// Numerators returns the least and the largest numerator that a percentage, rounded to so many
// decimals, can stand for beside a known denominator. Bounds that only one way of rounding a half
// would allow are left out, unless nothing else is left. It is false where no numerator fits or the
// arguments are out of range.
func Numerators(percent float64, decimals int, denominator int64) (lo, hi int64, ok bool) {
	if decimals < 0 || decimals > finest || denominator <= 0 || denominator > math.MaxInt32 ||
		!(percent >= 0 && percent <= 100) {
		return 0, 0, false
	}
	unit := int64(math.Pow10(decimals))
	shown := int64(math.Round(percent * float64(unit)))
	// The numerator lies within half a unit of shown * denominator / (100 * unit), ends excluded.
	scale, width := 200*unit, denominator
	middle := 2 * shown * denominator
	lo, hi = floor(middle-width, scale)+1, floor(middle+width-1, scale)
	if lo > hi {
		lo, hi = floor(middle-width+scale-1, scale), floor(middle+width, scale)
	}
	lo, hi = max(lo, 0), min(hi, denominator)
	return lo, hi, lo <= hi
}

// Percent reports whether a rounded percentage may be shown beside a known denominator: neither the
// numerator nor what it leaves of the denominator can be told to be below the Threshold without
// being told to be 0. CMS counts a percentage that gives a small cell away as the cell itself.
func Percent(percent float64, decimals int, denominator int64) bool {
	lo, hi, ok := Numerators(percent, decimals, denominator)
	safe := func(lo, hi int64) bool { return hi >= Threshold || lo == 0 && hi == 0 }
	return ok && !Small(denominator) && safe(lo, hi) && safe(denominator-hi, denominator-lo)
}

func floor(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

// Difference reports whether two counts of people may both be known, given how many are in both:
// the people of one who are not of the other must not be few. Equal groups tell nothing, and
// disjoint ones nothing that each did not tell. Windows that shift by a day, all sites but one, a
// category alone and in combination, and the same count before and after late data are such pairs.
func Difference(a, b, both int64) bool {
	if both < 0 || both > a || both > b {
		return false
	}
	return both == 0 || !Small(a-both) && !Small(b-both)
}
