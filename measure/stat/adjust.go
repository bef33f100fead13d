package stat

import (
	"cmp"
	"slices"
)

// BenjaminiHochberg returns the p-values adjusted so that, of all that are at most q, the share
// that are chance is expected to be at most q: min over j >= i of m·p(j)/j, in the order given. The
// family is everything that one report tests; what is not tested (a group too small) does not
// count. Benjamini Y, Hochberg Y, J R Stat Soc B 1995;57:289. It is proven for independent tests
// and for those that move together (Benjamini Y, Yekutieli D, Ann Stat 2001;29:1165); two-sided
// tests of groups against one reference come close to the latter. The p-values are within 0..1.
func BenjaminiHochberg(p []float64) []float64 {
	order := ascendingOrder(p)
	adjusted := make([]float64, len(p))
	least := 1.
	for rank := len(order); rank >= 1; rank-- {
		i := order[rank-1]
		least = min(least, p[i]*float64(len(p))/float64(rank))
		adjusted[i] = least
	}
	return adjusted
}

// Holm returns the p-values adjusted so that the chance of even one false finding is at most the
// level they are held to: max over j <= i of (m−j+1)·p(j), at most 1, in the order given. It needs
// no assumption and finds less than BenjaminiHochberg. Holm S, Scand J Stat 1979;6:65.
func Holm(p []float64) []float64 {
	adjusted := make([]float64, len(p))
	most := 0.
	for rank, i := range ascendingOrder(p) {
		most = max(most, min(1, p[i]*float64(len(p)-rank)))
		adjusted[i] = most
	}
	return adjusted
}

// ascendingOrder returns the indices of p from the smallest value to the largest.
func ascendingOrder(p []float64) []int {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	return order
}
