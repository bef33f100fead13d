package disclose_test

import (
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/measure/disclose"
)

// world is a system together with what an attacker may know of its build, written down a second
// time.
type world struct {
	disclose.System
	counts  []int64
	public  []bool
	sums    [][]int
	figures [][]int
	display []disclose.Display
}

func (w *world) count(n int64) disclose.Cell {
	w.counts, w.public = append(w.counts, n), append(w.public, false)
	return w.Count(n)
}

func (w *world) sum(whole disclose.Cell, parts ...disclose.Cell) {
	row := []int{int(whole)}
	for _, p := range parts {
		row = append(row, int(p))
	}
	w.sums = append(w.sums, row)
	w.Sum(whole, parts...)
}

// total adds the cell that is the sum of the parts.
func (w *world) total(parts ...disclose.Cell) disclose.Cell {
	var n int64
	for _, p := range parts {
		n += w.counts[p]
	}
	whole := w.count(n)
	w.sum(whole, parts...)
	return whole
}

func (w *world) show(d disclose.Display, cells ...disclose.Cell) disclose.Figure {
	row := make([]int, 0, len(cells))
	for _, c := range cells {
		row = append(row, int(c))
		w.public[c] = true
	}
	w.figures, w.display = append(w.figures, row), append(w.display, d)
	return w.Show(d, cells...)
}

// known is what a reader of a pattern is told.
func (w *world) known(shown func(f disclose.Figure) bool) []bool {
	known := make([]bool, len(w.counts))
	for f, cells := range w.figures {
		if shown(disclose.Figure(f)) {
			for _, c := range cells {
				known[c] = true
			}
		}
	}
	return known
}

// primaryOnly shows every figure that holds no small count: what is done where nobody has thought
// of sums.
func (w *world) primaryOnly(f disclose.Figure) bool {
	if w.display[f].State == disclose.Withheld {
		return false
	}
	for _, c := range w.figures[f] {
		if n := w.counts[c]; n >= 1 && n <= 10 {
			return false
		}
	}
	return true
}

// drawCount draws a count as reports have them: often 0 or small, at times large.
func drawCount(t *rapid.T) int64 {
	switch rapid.IntRange(0, 9).Draw(t, "size") {
	case 0:
		return 0
	case 1, 2:
		return rapid.Int64Range(1, 10).Draw(t, "small")
	case 3, 4, 5:
		return rapid.Int64Range(11, 30).Draw(t, "middling")
	}
	return rapid.Int64Range(31, 400).Draw(t, "large")
}

// stratum is one group's counts: denominator, numerator, exclusions, and the non-events, which
// nobody prints.
type stratum [4]disclose.Cell

func (w *world) stratum(t *rapid.T) stratum {
	n, e, rest := w.count(drawCount(t)), w.count(drawCount(t)), w.count(drawCount(t))
	return stratum{w.total(n, e, rest), n, e, rest}
}

// print shows a stratum: each count, and the score.
func (w *world) print(rank int, s stratum) {
	d := disclose.Display{Rank: rank}
	w.show(d, s[0])
	w.show(d, s[1])
	w.show(d, s[2])
	w.show(d, s[0], s[1], s[2])
}

// sumStrata adds the stratum that holds others.
func (w *world) sumStrata(strata []stratum) stratum {
	var whole stratum
	for class := range whole {
		var parts []disclose.Cell
		for _, s := range strata {
			parts = append(parts, s[class])
		}
		whole[class] = w.total(parts...)
	}
	w.sum(whole[0], whole[1], whole[2], whole[3])
	return whole
}

// drawLine draws a dimension of a measure: strata by classes.
func drawLine(t *rapid.T) *world {
	w := &world{}
	var strata []stratum
	for range rapid.IntRange(2, 7).Draw(t, "strata") {
		strata = append(strata, w.stratum(t))
		w.print(0, strata[len(strata)-1])
	}
	w.print(1, w.sumStrata(strata))
	return w
}

// drawTable draws a cross of two dimensions with both margins.
func drawTable(t *rapid.T) *world {
	w := &world{}
	rows, columns := rapid.IntRange(2, 5).Draw(t, "rows"), rapid.IntRange(2, 5).Draw(t, "columns")
	down := make([][]disclose.Cell, columns)
	across := make([][]disclose.Cell, rows)
	for i := range rows {
		for j := range columns {
			c := w.count(drawCount(t))
			w.show(disclose.Display{}, c)
			across[i], down[j] = append(across[i], c), append(down[j], c)
		}
	}
	var margin []disclose.Cell
	for _, cells := range across {
		margin = append(margin, w.total(cells...))
		w.show(disclose.Display{Rank: 1}, margin[len(margin)-1])
	}
	total := w.total(margin...)
	w.show(disclose.Display{Rank: 2}, total)
	margin = nil
	for _, cells := range down {
		margin = append(margin, w.total(cells...))
		w.show(disclose.Display{Rank: 1}, margin[len(margin)-1])
	}
	w.sum(total, margin...)
	return w
}

// drawCube draws a cross of three dimensions with margins of one or of two of them.
func drawCube(t *rapid.T) *world {
	w := &world{}
	var n [3]int
	for d := range n {
		n[d] = rapid.IntRange(2, 3).Draw(t, "width")
	}
	planes := rapid.Bool().Draw(t, "margins of two")
	margins := map[[4]int][]disclose.Cell{}
	var order [][4]int
	for at := range n[0] * n[1] * n[2] {
		c := w.count(drawCount(t))
		w.show(disclose.Display{}, c)
		k := [3]int{at / (n[1] * n[2]), at / n[2] % n[1], at % n[2]}
		for d := range k {
			key := [4]int{d, -1, -1, -1}
			key[d+1] = k[d]
			if planes {
				key = [4]int{d, k[0], k[1], k[2]}
				key[d+1] = -1
			}
			if margins[key] == nil {
				order = append(order, key)
			}
			margins[key] = append(margins[key], c)
		}
	}
	for _, key := range order {
		w.show(disclose.Display{Rank: 1}, w.total(margins[key]...))
	}
	return w
}

// drawOverlap draws groups that overlap: categories alone and in combination, a coarser grouping of
// the same people, and the total of both.
func drawOverlap(t *rapid.T) *world {
	w := &world{}
	n := rapid.IntRange(2, 4).Draw(t, "categories")
	var alone, everybody []disclose.Cell
	for range n {
		c := w.count(drawCount(t))
		w.show(disclose.Display{}, c)
		alone, everybody = append(alone, c), append(everybody, c)
	}
	several := make([][]disclose.Cell, n)
	for i := range n {
		for j := range i { // Those of two categories are an atom that nobody prints.
			c := w.count(drawCount(t))
			several[i], several[j] = append(several[i], c), append(several[j], c)
			everybody = append(everybody, c)
		}
	}
	for i, c := range alone {
		combined := w.total(append([]disclose.Cell{c}, several[i]...)...)
		w.show(disclose.Display{Rank: rapid.IntRange(0, 1).Draw(t, "rank")}, combined)
	}
	w.show(disclose.Display{Rank: 2}, w.total(everybody...))
	cut := rapid.IntRange(1, n-1).Draw(t, "cut")
	group, other := w.total(alone[:cut]...), w.total(alone[cut:]...)
	w.show(disclose.Display{Rank: 1}, group)
	w.show(disclose.Display{Rank: 1}, other)
	return w
}

// drawSums draws sums of any cells at all, in several ranks, which no table has: their relations
// are often not totally unimodular. Some figures may be public or withheld already.
func drawSums(t *rapid.T, states []disclose.State) *world {
	w := &world{}
	display := func() disclose.Display {
		return disclose.Display{
			State: rapid.SampledFrom(states).Draw(t, "state"), Rank: rapid.IntRange(0, 2).Draw(t, "rank"),
		}
	}
	var cells []disclose.Cell
	for range rapid.IntRange(3, 12).Draw(t, "cells") {
		cells = append(cells, w.count(drawCount(t)))
		for range rapid.IntRange(0, 2).Draw(t, "figures") {
			w.show(display(), cells[len(cells)-1])
		}
	}
	for range rapid.IntRange(1, 8).Draw(t, "sums") {
		chosen := rapid.IntRange(1, 1<<min(len(cells), 14)-1).Draw(t, "parts")
		var parts []disclose.Cell
		for i, c := range cells {
			if chosen>>i&1 == 1 {
				parts = append(parts, c)
			}
		}
		cells = append(cells, w.total(parts...))
		if rapid.IntRange(0, 3).Draw(t, "printed") > 0 {
			w.show(display(), cells[len(cells)-1])
		}
	}
	return w
}

func drawOpenSums(t *rapid.T) *world { return drawSums(t, []disclose.State{disclose.Open}) }
