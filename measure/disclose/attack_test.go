package disclose_test

import (
	"math"
	"math/big"
	"slices"
)

// reader is an attacker. It knows the relations, the shown values, that counts are whole and not
// negative, and that a hidden count it may take to be positive is so. It shares no code with the
// package: it narrows intervals to a fixed point, looks for whole tables by search, and where the
// search does not end asks an exact linear program of its own.
type reader struct {
	sums  [][]int // The whole, then its parts.
	uses  [][]int // By cell, the sums it stands in.
	lo    []int64
	hi    []int64
	known []bool
}

// far stands for no upper end. No table of the tests comes near.
const far = 1 << 30

func newReader(w *world, known []bool, positive bool) *reader {
	r := &reader{sums: w.sums, uses: make([][]int, len(w.counts)), known: known}
	for i, sum := range w.sums {
		for _, c := range sum {
			r.uses[c] = append(r.uses[c], i)
		}
	}
	for c, n := range w.counts {
		lo, hi := int64(0), int64(far)
		switch {
		case known[c]:
			lo, hi = n, n
		case positive && w.public[c] && n > 0:
			lo = 1
		}
		r.lo, r.hi = append(r.lo, lo), append(r.hi, hi)
	}
	return r
}

// narrow propagates the intervals, from the relations that were given or from all; it is false
// where no table is left. It stops early where intervals only creep.
func (r *reader) narrow(from []int) bool {
	if from == nil {
		for i := range r.sums {
			from = append(from, i)
		}
	}
	queued := make([]bool, len(r.sums))
	queue := slices.Clone(from)
	for _, i := range queue {
		queued[i] = true
	}
	for at := 0; at < len(queue) && at < 60*len(r.sums); at++ {
		queued[queue[at]] = false
		whole, parts := r.sums[queue[at]][0], r.sums[queue[at]][1:]
		var lo, hi int64
		for _, p := range parts {
			lo, hi = lo+r.lo[p], hi+r.hi[p]
		}
		touch := func(c int, lo, hi int64) bool {
			if !r.clip(c, lo, hi) {
				return true
			}
			for _, i := range r.uses[c] {
				if !queued[i] {
					queue, queued[i] = append(queue, i), true
				}
			}
			return r.lo[c] <= r.hi[c]
		}
		if !touch(whole, lo, hi) {
			return false
		}
		for _, p := range parts {
			ownLo, ownHi := r.lo[p], r.hi[p]
			if !touch(p, r.lo[whole]-(hi-ownHi), r.hi[whole]-(lo-ownLo)) {
				return false
			}
			lo, hi = lo+r.lo[p]-ownLo, hi+r.hi[p]-ownHi
		}
	}
	return true
}

func (r *reader) clip(c int, lo, hi int64) bool {
	before := [2]int64{r.lo[c], r.hi[c]}
	r.lo[c], r.hi[c] = max(r.lo[c], lo), min(r.hi[c], hi)
	return before != [2]int64{r.lo[c], r.hi[c]}
}

// reached is what the search may find: yes, no, or nothing in the time it was given.
type reached int

const (
	impossible reached = iota
	unknown
	possible
)

// can asks whether some whole table has the cell within these bounds, by trying out values of the
// narrowest cell first.
func (r *reader) can(cell int, lo, hi int64, nodes *int) reached {
	next := &reader{
		sums: r.sums, uses: r.uses, lo: slices.Clone(r.lo), hi: slices.Clone(r.hi), known: r.known,
	}
	next.clip(cell, lo, hi)
	if next.lo[cell] > next.hi[cell] || len(r.uses[cell]) > 0 && !next.narrow(r.uses[cell]) {
		return impossible
	}
	if *nodes--; *nodes < 0 {
		return unknown
	}
	pick, width := -1, int64(math.MaxInt64)
	for c := range next.lo {
		if w := next.hi[c] - next.lo[c]; w > 0 && w < width {
			pick, width = c, w
		}
	}
	if pick < 0 {
		return possible
	}
	middle := next.lo[pick] + width/2
	low := next.can(pick, next.lo[pick], middle, nodes)
	if low == possible {
		return possible
	}
	return max(low, next.can(pick, middle+1, next.hi[pick], nodes))
}

// loot is what an attack brought.
type loot struct {
	cells     int // Attacked.
	derived   []int
	undecided int
}

// attack goes for every small count, and for every count that was to be printed and is not.
func (w *world) attack(known []bool, positive bool) loot {
	var got loot
	r := newReader(w, known, positive)
	if !r.narrow(nil) {
		panic("the true table does not agree with what is shown")
	}
	var lp *program
	for c, n := range w.counts {
		small := n >= 1 && n <= 10
		if !small && (known[c] || !w.public[c] || n == 0) {
			continue
		}
		got.cells++
		nodes := 500
		var answer reached
		if small {
			answer = r.can(c, 11, far, &nodes)
		} else if answer = r.can(c, n+1, far, &nodes); answer != possible {
			answer = max(answer, r.can(c, 0, n-1, &nodes))
		}
		if answer == unknown {
			if lp == nil {
				lp = newProgram(r)
			}
			got.undecided++
			if lo, hi := lp.bounds(c); small && hi < 11 || lo == hi {
				answer = impossible
			}
		}
		if answer == impossible {
			got.derived = append(got.derived, c)
		}
	}
	return got
}

// program is a linear program in fractions, solved by the two-phase simplex method on a full
// tableau with Bland's rule: slow, exact, and nothing like the walk.
type program struct {
	column []int   // By cell its column, -1 where the cell is known.
	base   []int64 // By cell its least value, which the columns count from.
	rows   [][]*big.Rat
	basic  []int
	width  int
}

func newProgram(r *reader) *program {
	p := &program{column: make([]int, len(r.lo)), base: slices.Clone(r.lo)}
	for c := range r.lo {
		p.column[c] = -1
		if r.lo[c] < r.hi[c] {
			p.column[c] = p.width
			p.width++
		}
	}
	for _, sum := range r.sums {
		row := make([]int64, p.width+1)
		for i, c := range sum {
			sign := int64(1)
			if i == 0 {
				sign = -1
			}
			row[p.width] -= sign * p.base[c]
			if at := p.column[c]; at >= 0 {
				row[at] = sign
			}
		}
		if !slices.ContainsFunc(row[:p.width], func(v int64) bool { return v != 0 }) {
			continue
		}
		sign := int64(1)
		if row[p.width] < 0 {
			sign = -1
		}
		fractions := make([]*big.Rat, len(row))
		for i, v := range row {
			fractions[i] = new(big.Rat).SetInt64(sign * v)
		}
		p.rows, p.basic = append(p.rows, fractions), append(p.basic, -1)
	}
	p.feasible()
	return p
}

// feasible is the first phase: it drives the sum of what the rows lack to 0, then drops rows that
// say nothing new.
func (p *program) feasible() {
	lack := make([]*big.Rat, p.width+1)
	for at := range lack {
		lack[at] = new(big.Rat)
		for _, row := range p.rows {
			lack[at].Add(lack[at], row[at])
		}
	}
	p.climb(lack)
	for i := len(p.rows) - 1; i >= 0; i-- {
		if p.basic[i] >= 0 {
			continue
		}
		at := slices.IndexFunc(p.rows[i][:p.width], func(v *big.Rat) bool { return v.Sign() != 0 })
		if at < 0 {
			p.rows, p.basic = slices.Delete(p.rows, i, i+1), slices.Delete(p.basic, i, i+1)
			continue
		}
		p.pivot(i, at, nil)
	}
}

// climb raises an objective, given by its reduced gains, to its top; false if there is none.
func (p *program) climb(gain []*big.Rat) bool {
	ratio, best := new(big.Rat), new(big.Rat)
	for {
		enter := slices.IndexFunc(gain[:p.width], func(v *big.Rat) bool { return v.Sign() > 0 })
		if enter < 0 {
			return true
		}
		leave := -1
		for i, row := range p.rows {
			if row[enter].Sign() <= 0 {
				continue
			}
			ratio.Quo(row[p.width], row[enter])
			order := 0
			if leave >= 0 {
				order = ratio.Cmp(best)
			}
			if leave < 0 || order < 0 || order == 0 && p.basic[i] < p.basic[leave] {
				leave = i
				best.Set(ratio)
			}
		}
		if leave < 0 {
			return false
		}
		p.pivot(leave, enter, gain)
	}
}

func (p *program) pivot(at, enter int, gain []*big.Rat) {
	factor := new(big.Rat).Inv(p.rows[at][enter])
	for _, v := range p.rows[at] {
		v.Mul(v, factor)
	}
	product := new(big.Rat)
	clear := func(row []*big.Rat) {
		f := new(big.Rat).Set(row[enter])
		if f.Sign() == 0 {
			return
		}
		for i, v := range p.rows[at] {
			if v.Sign() != 0 {
				row[i].Sub(row[i], product.Mul(f, v))
			}
		}
	}
	for i, row := range p.rows {
		if i != at {
			clear(row)
		}
	}
	if gain != nil {
		clear(gain)
	}
	p.basic[at] = enter
}

// bounds returns the least and the largest whole value of a cell.
func (p *program) bounds(cell int) (lo, hi int64) {
	column := p.column[cell]
	if column < 0 {
		return p.base[cell], p.base[cell]
	}
	hi = far
	if v, ok := p.top(column, 1); ok {
		hi = p.base[cell] + new(big.Int).Div(v.Num(), v.Denom()).Int64()
	}
	if v, ok := p.top(column, -1); ok {
		lo = p.base[cell] - new(big.Int).Div(v.Num(), v.Denom()).Int64()
	}
	return lo, hi
}

// top is the largest value of a column times a sign.
func (p *program) top(column int, sign int64) (*big.Rat, bool) {
	gain := make([]*big.Rat, p.width+1)
	for i := range gain {
		gain[i] = new(big.Rat)
	}
	gain[column].SetInt64(sign)
	for i, b := range p.basic {
		if b == column {
			for at, v := range p.rows[i] {
				gain[at].Sub(gain[at], new(big.Rat).Mul(big.NewRat(sign, 1), v))
			}
		}
	}
	if !p.climb(gain) {
		return nil, false
	}
	return gain[p.width].Neg(gain[p.width]), true
}
