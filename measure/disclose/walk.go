package disclose

import "math"

// finestStep is the largest denominator of a coefficient along which a walk still finds whole
// steps.
const finestStep = 12

// limit reports how far a cell may move: not at all, or down to its least value.
type limit struct {
	fixed bool
	least int64
}

// walk is a table of whole numbers that obeys every relation, and moves from one such table to the
// next. It starts at the true table, changes only cells whose limit allows it, and pushes one cell
// up or down: the primal simplex method, but begun inside instead of in a corner, halted as soon as
// enough is shown, and in steps that keep every count whole. Hence whatever it stands on is an
// example of what the reader has to think possible.
type walk struct {
	system  *System
	tableau *tableau
	limits  []limit
	values  []int64
	// broken is set where only a fraction of a person stood in the way.
	broken bool
	// idle counts the exchanges of the basis since the last move; a walk that is broken has
	// patience for so many, because fractions void the promise of Bland's rule.
	idle, patience int
}

// home goes back to the true table.
func (w *walk) home() { copy(w.values, w.system.counts) }

// toward pushes a cell up (sign 1) or down (sign -1) to a goal and reports whether it came there.
// Otherwise, unless the walk is broken or the budget of pivots is spent, its row holds the reason.
func (w *walk) toward(cell int, sign, goal int64, budget int) bool {
	w.broken, w.idle = false, 0
	for sign*(goal-w.values[cell]) > 0 {
		if w.tableau.pivots > budget {
			return false
		}
		if w.tableau.row[cell] < 0 {
			m := w.measure(cell, sign, cell, sign*(goal-w.values[cell]))
			w.move(m)
			if m.block < 0 {
				if m.steps == 0 {
					return false
				}
				continue
			}
			if sign*(goal-w.values[cell]) > 0 {
				w.tableau.pivot(m.block, cell)
			}
			continue
		}
		if !w.advance(cell, sign, sign*(goal-w.values[cell])) {
			return false
		}
	}
	return true
}

// advance makes one move that brings the basic cell nearer, or, where there is none, exchanges one
// cell of the basis by Bland's rule, which does not go in circles. It is false where nothing is
// left.
func (w *walk) advance(cell int, sign, missing int64) bool {
	row := w.tableau.row[cell]
	stuck := stride{block: -1}
	for c, column := range w.tableau.columns {
		dir := w.pull(c, column[row], sign)
		if dir == 0 {
			continue
		}
		m := w.measure(c, dir, cell, missing)
		if m.steps > 0 {
			w.move(m)
			if m.block >= 0 && m.steps < m.wanted {
				w.tableau.pivot(m.block, c)
			}
			return true
		}
		if stuck.block < 0 && m.block >= 0 {
			stuck = m
		}
	}
	if stuck.block < 0 {
		return false
	}
	if w.idle++; w.broken && w.idle > w.patience {
		return false
	}
	w.tableau.pivot(stuck.block, stuck.cell)
	return true
}

// pull returns the direction in which a cell outside the basis, with this coefficient in the row of
// the one that is pushed, would help; 0 if it cannot.
func (w *walk) pull(cell int, coefficient float64, sign int64) int64 {
	if coefficient == 0 || w.limits[cell].fixed || w.tableau.row[cell] >= 0 {
		return 0
	}
	dir := -sign
	if coefficient < 0 {
		dir = sign
	}
	if dir < 0 && w.values[cell] <= w.limits[cell].least {
		return 0
	}
	return dir
}

// stride is a move along one column.
type stride struct {
	cell  int
	dir   int64
	steps int64
	// wanted are the steps that would reach the goal.
	wanted int64
	// block is the row that allows no more, -1 if none does.
	block int
}

// measure finds how far a cell outside the basis can go in a direction, at most as far as the goal
// asks, so that every count stays whole and above its limit.
func (w *walk) measure(cell int, dir int64, pushed int, missing int64) stride {
	m := stride{cell: cell, dir: dir, block: -1}
	column := w.tableau.columns[cell]
	gain := 1.0
	if row := w.tableau.row[pushed]; row >= 0 {
		gain = math.Abs(column[row])
	}
	m.wanted = int64(math.Ceil(float64(missing)/gain - epsilon))
	most := math.Inf(1)
	if dir < 0 {
		most = float64(w.values[cell] - w.limits[cell].least)
	}
	unit := int64(1)
	for i, a := range column {
		if a == 0 {
			continue
		}
		at := w.tableau.basic[i]
		if w.limits[at].fixed {
			m.block = i // What is shown leaves the basis for good.
			return m
		}
		if a != math.Floor(a) {
			unit = w.whole(unit, a)
		}
		if a*float64(dir) <= 0 {
			continue
		}
		room := float64(w.values[at]-w.limits[at].least) / math.Abs(a)
		if room < most || room == most && m.block >= 0 && at < w.tableau.basic[m.block] {
			most, m.block = room, i
		}
	}
	if unit == 0 {
		w.broken = true
		return m
	}
	m.wanted = (m.wanted + unit - 1) / unit * unit
	m.steps = m.wanted
	if most < float64(m.wanted) {
		m.steps = int64(most+epsilon) / unit * unit
	}
	w.broken = w.broken || unit > 1
	return m
}

// whole returns the least multiple of a step that makes this coefficient whole, 0 if there is none
// worth looking for.
func (w *walk) whole(unit int64, a float64) int64 {
	for k := int64(1); k <= finestStep && unit > 0; k++ {
		n := a * float64(unit*k)
		if math.Abs(n-math.Round(n)) < epsilon*float64(finestStep) {
			return unit * k
		}
	}
	return 0
}

// swell multiplies by the Threshold everything that hangs together with a cell, which keeps every
// relation. It is false, and leaves the table alone, where something of that is shown.
func (w *walk) swell(cell int) bool {
	counts := w.system.counts
	joined := make([]bool, len(counts))
	joined[cell] = true
	for again := true; again; {
		again = false
		for _, r := range w.system.relations {
			touched := joined[r.whole]
			for _, part := range r.parts {
				touched = touched || joined[part]
			}
			if !touched {
				continue
			}
			for _, c := range append([]int{r.whole}, r.parts...) {
				if joined[c] || counts[c] == 0 {
					continue // A zero stays what it is, and joins nothing.
				}
				if w.limits[c].fixed {
					return false
				}
				joined[c], again = true, true
			}
		}
	}
	for c, is := range joined {
		w.values[c] = counts[c]
		if is {
			w.values[c] *= Threshold
		}
	}
	return true
}

// move goes along a column.
func (w *walk) move(m stride) {
	if m.steps == 0 {
		return
	}
	w.idle = 0
	way := m.dir * m.steps
	w.values[m.cell] += way
	for i, a := range w.tableau.columns[m.cell] {
		if at := w.tableau.basic[i]; a != 0 && at != m.cell {
			w.values[at] -= int64(math.Round(a * float64(way)))
		}
	}
}
