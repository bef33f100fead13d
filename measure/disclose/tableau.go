package disclose

import "math"

// epsilon is below every coefficient that the relations of counts bring about, and above what their
// rounding leaves.
const epsilon = 1e-7

// tableau holds the relations solved for a basis: each basic cell as a sum of the others. It keeps
// no right-hand side, because the walk always stands on a table and knows its values.
type tableau struct {
	columns [][]float64 // By cell, then by row.
	basic   []int       // By row the cell it is solved for, -1 where the row says nothing new.
	row     []int       // By cell its row, -1 where it is not basic.
	pivots  int
	touched []int
}

// newTableau solves the relations for cells that may move, as far as there are such.
func newTableau(s *System, movable func(cell int) bool) *tableau {
	rows := len(s.relations)
	t := &tableau{
		columns: make([][]float64, len(s.counts)),
		basic:   make([]int, rows),
		row:     make([]int, len(s.counts)),
		touched: make([]int, 0, rows),
	}
	all := make([]float64, rows*len(s.counts))
	for c := range t.columns {
		t.columns[c] = all[c*rows : (c+1)*rows : (c+1)*rows]
		t.row[c] = -1
	}
	for i, r := range s.relations {
		t.basic[i] = -1
		t.columns[r.whole][i] = -1
		for _, part := range r.parts {
			t.columns[part][i] = 1
		}
	}
	for i := range rows {
		if c := t.first(i, movable); c >= 0 {
			t.pivot(i, c)
		}
	}
	t.pivots = 0
	return t
}

// first chooses the cell that a row is solved for: one that may move, whose coefficient is a unit,
// and which stands in few rows.
func (t *tableau) first(row int, movable func(cell int) bool) int {
	best, bestCost := -1, math.MaxInt
	for c, column := range t.columns {
		a := math.Abs(column[row])
		if a < epsilon || t.row[c] >= 0 {
			continue
		}
		cost := 0
		for _, v := range column {
			if v != 0 {
				cost++
			}
		}
		if math.Abs(a-1) > epsilon {
			cost += len(t.basic)
		}
		if !movable(c) {
			cost += 2 * len(t.basic)
		}
		if cost < bestCost {
			best, bestCost = c, cost
		}
	}
	return best
}

// pivot solves a row for another cell. It costs what stands in the row times what stands in the
// column, which relations of counts keep small.
func (t *tableau) pivot(row, cell int) {
	t.pivots++
	entering := t.columns[cell]
	p := entering[row]
	t.touched = t.touched[:0]
	for i, v := range entering {
		if v != 0 && i != row {
			t.touched = append(t.touched, i)
		}
	}
	for c, column := range t.columns {
		a := column[row]
		if a == 0 || c == cell {
			continue
		}
		a /= p
		column[row] = tidy(a)
		for _, i := range t.touched {
			column[i] = tidy(column[i] - entering[i]*a)
		}
	}
	for _, i := range t.touched {
		entering[i] = 0
	}
	entering[row] = 1
	if leaving := t.basic[row]; leaving >= 0 {
		t.row[leaving] = -1
	}
	t.basic[row] = cell
	t.row[cell] = row
}

// tidy takes away what rounding has left beside a whole number.
func tidy(a float64) float64 {
	if n := math.Floor(a + 0.5); math.Abs(a-n) < epsilon {
		return n
	}
	return a
}
