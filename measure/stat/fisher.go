package stat

import "math"

// FisherExact returns the exact two-sided p-value of the table of two groups, x1 of n1 and x2 of
// n2: with all four sums held fixed, the probability of every table that is no more probable than
// the observed one (as R's fisher.test, relative tolerance 1e-7). Counts are whole. Where a sum is
// 0 only one table is possible and p is 1. Fisher RA, J R Stat Soc 1935;98:39; the two-sided rule
// is Irwin's.
func FisherExact(x1, n1, x2, n2 float64) float64 {
	drawn, marked, whole := n1, x1+x2, n1+n2
	lowest, highest := math.Max(0, drawn+marked-whole), math.Min(drawn, marked)
	if lowest == highest {
		return 1
	}
	mass := func(x float64) float64 { return hypergeometricMass(x, drawn, marked, whole) }
	limit := mass(x1) * sameChance
	// The mass rises to the mode and falls from it on.
	mode := math.Floor((drawn + 1) * (marked + 1) / (whole + 2))
	mode = math.Min(highest, math.Max(lowest, mode))
	above := firstTrue(mode+1, highest+1, func(x float64) bool {
		return x > highest || mass(x) <= limit
	})
	below := mode - firstTrue(1, mode-lowest+1, func(d float64) bool {
		return mode-d < lowest || mass(mode-d) <= limit
	})
	p := 0.
	if mass(mode) <= limit {
		return 1
	}
	for x := above; x <= highest; x++ {
		m := mass(x)
		p += m
		if m < p*smallest {
			break
		}
	}
	for x := below; x >= lowest; x-- {
		m := mass(x)
		p += m
		if m < p*smallest {
			break
		}
	}
	return math.Min(1, p)
}

// smallest is the share of a sum below which the rest of a tail no longer changes it.
const smallest = 1e-18
