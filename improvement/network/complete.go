package network

import (
	"math"
	"slices"
)

// completion finds a value for every count that is not known, so that all sums hold: one example of
// what the true tables could be, from which package disclose then walks to all others.
type completion struct {
	t     *tables
	least []int64
	known []bool
	value []int64
}

// complete returns one table of whole counts that agrees with all that is printed. A count that is
// printed as hidden is at least hiddenLeast. It is not ok where there is no such table or none is
// found: the sums contradict each other, or only fractions of people would do.
func (t *tables) complete(hiddenLeast int64) (values []int64, ok bool) {
	c := completion{t: t}
	for _, one := range t.cells {
		least := int64(0)
		if one.printed && !one.known {
			least = hiddenLeast
		}
		c.least = append(c.least, least)
		c.known = append(c.known, one.known)
		c.value = append(c.value, one.value)
	}
	if !c.narrow() {
		return nil, false
	}
	for _, part := range c.components() {
		if !c.solve(part) {
			return nil, false
		}
	}
	for i := range c.value {
		if !c.known[i] {
			c.value[i] = c.least[i]
		}
	}
	return c.value, c.holds()
}

// left is what a sum leaves for its unknown counts: their total on the side of the parts. The whole,
// if it is unknown, counts against them.
func (c *completion) left(s sum) (left int64, unknown []int, wholeUnknown bool) {
	if c.known[s.whole] {
		left = c.value[s.whole]
	} else {
		wholeUnknown = true
	}
	for _, p := range s.parts {
		if c.known[p] {
			left -= c.value[p]
		} else {
			unknown = append(unknown, p)
		}
	}
	return left, unknown, wholeUnknown
}

// narrow fills in what a single sum settles, until nothing is left to settle. It is false where a sum
// cannot hold.
func (c *completion) narrow() bool {
	for moved := true; moved; {
		moved = false
		for _, s := range c.t.sums {
			left, unknown, whole := c.left(s)
			switch {
			case !whole && len(unknown) == 0:
				if left != 0 {
					return false
				}
			case whole && len(unknown) == 0:
				moved = true
				if !c.settle(s.whole, -left) {
					return false
				}
			case !whole && len(unknown) == 1:
				moved = true
				if !c.settle(unknown[0], left) {
					return false
				}
			}
		}
	}
	return true
}

func (c *completion) settle(at int, value int64) bool {
	c.known[at], c.value[at] = true, value
	return value >= c.least[at]
}

// components lists the sums with unknown counts, those together that share one.
func (c *completion) components() [][]sum {
	parent := make([]int, len(c.value))
	for i := range parent {
		parent[i] = i
	}
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	first := func(s sum) int {
		at := -1
		for _, i := range append([]int{s.whole}, s.parts...) {
			if c.known[i] {
				continue
			}
			if at < 0 {
				at = i
			}
			parent[root(i)] = root(at)
		}
		return at
	}
	for _, s := range c.t.sums {
		first(s)
	}
	var order []int
	groups := map[int][]sum{}
	for _, s := range c.t.sums {
		at := first(s)
		if at < 0 {
			continue
		}
		at = root(at)
		if groups[at] == nil {
			order = append(order, at)
		}
		groups[at] = append(groups[at], s)
	}
	out := make([][]sum, len(order))
	for i, at := range order {
		out[i] = groups[at]
	}
	return out
}

// solve finds values of one component by the first phase of the simplex method, on what each count is
// above its least. The corner that it ends in is whole in tables of two ways and in trees of them; where
// it is not, the component counts as unsolved.
func (c *completion) solve(sums []sum) bool {
	var columns []int
	at := map[int]int{}
	column := func(cell int) int {
		if _, ok := at[cell]; !ok {
			at[cell] = len(columns)
			columns = append(columns, cell)
		}
		return at[cell]
	}
	rows := make([][]float64, len(sums))
	right := make([]float64, len(sums))
	for i, s := range sums {
		left, unknown, whole := c.left(s)
		coefficients := map[int]float64{}
		for _, p := range unknown {
			coefficients[column(p)]++
			left -= c.least[p]
		}
		if whole {
			coefficients[column(s.whole)]--
			left += c.least[s.whole]
		}
		right[i] = float64(left)
		rows[i] = make([]float64, 0)
		for k, v := range coefficients {
			rows[i] = widened(rows[i], k+1)
			rows[i][k] = v
		}
	}
	for i := range rows {
		rows[i] = widened(rows[i], len(columns))
	}
	found, ok := corner(rows, right)
	if !ok {
		return false
	}
	for i, cell := range columns {
		whole := math.Round(found[i])
		if math.Abs(found[i]-whole) > tolerance || whole < 0 {
			return false
		}
		c.known[cell], c.value[cell] = true, int64(whole)+c.least[cell]
	}
	return true
}

func widened(row []float64, n int) []float64 {
	for len(row) < n {
		row = append(row, 0)
	}
	return row
}

// holds counts every sum again, in whole numbers.
func (c *completion) holds() bool {
	return !slices.ContainsFunc(c.t.sums, func(s sum) bool {
		left, unknown, whole := c.left(s)
		return whole || len(unknown) > 0 || left != 0
	})
}

// tolerance is what counts as nothing beside counts of people.
const tolerance = 1e-6

// corner returns x >= 0 with rows·x = right, or says that there is none. It minimises the sum of one
// artificial unknown a row by Bland's rule, which does not go in circles (R. G. Bland, Mathematics of
// Operations Research 2, 1977).
func corner(rows [][]float64, right []float64) (x []float64, ok bool) {
	m := len(rows)
	if m == 0 {
		return nil, true
	}
	n := len(rows[0])
	basis := make([]int, m)
	cost := make([]float64, n+1) // What one more of a column takes off the sum of the artificials.
	for i := range rows {
		if right[i] < 0 {
			right[i] = -right[i]
			for k := range rows[i] {
				rows[i][k] = -rows[i][k]
			}
		}
		basis[i] = n + i
		for k, v := range rows[i] {
			cost[k] += v
		}
		cost[n] += right[i]
	}
	for cost[n] > tolerance {
		enter := slices.IndexFunc(cost[:n], func(v float64) bool { return v > tolerance })
		if enter < 0 {
			return nil, false
		}
		leave := -1
		for i := range rows {
			if rows[i][enter] <= tolerance {
				continue
			}
			if leave < 0 {
				leave = i
				continue
			}
			here, best := right[i]/rows[i][enter], right[leave]/rows[leave][enter]
			if here < best-tolerance || here < best+tolerance && basis[i] < basis[leave] {
				leave = i
			}
		}
		if leave < 0 {
			return nil, false
		}
		exchange(rows, right, cost, leave, enter)
		basis[leave] = enter
	}
	x = make([]float64, n)
	for i, b := range basis {
		if b < n {
			x[b] = right[i]
		}
	}
	return x, true
}

// exchange brings a column into the basis in place of that of a row.
func exchange(rows [][]float64, right, cost []float64, leave, enter int) {
	n := len(rows[leave])
	by := rows[leave][enter]
	for k := range rows[leave] {
		rows[leave][k] /= by
	}
	right[leave] /= by
	for i := range rows {
		if f := rows[i][enter]; i != leave && f != 0 {
			for k, v := range rows[leave] {
				rows[i][k] -= f * v
			}
			right[i] -= f * right[leave]
		}
	}
	if f := cost[enter]; f != 0 {
		for k, v := range rows[leave] {
			cost[k] -= f * v
		}
		cost[n] -= f * right[leave]
	}
}
