package stat

import (
	"cmp"
	"math"
	"slices"
	"sort"
)

const (
	// fisherRows is the most rows or columns, whichever are fewer, of a table for FisherTable.
	fisherRows = 8
	// fisherHalves and fisherSteps are how many ways to fill the first half of a table FisherTable
	// keeps, and the second half tries, before it gives up: about a second of work.
	fisherHalves = 200_000
	fisherSteps  = 20_000_000
)

// FisherTable is FisherExact of a table of any size (Freeman GH, Halton JH, Biometrika
// 1951;38:141). The tables with the same sums are counted from both ends: ways to fill the first
// half of the columns, kept by what they leave in the rows, meet ways to fill the rest. Their
// number grows fast with the counts, so ok is false where the work is too much, which is where
// counts are large and ChiSquareTest serves; and where ChiSquareTest would not exist. Counts are
// whole.
func FisherTable(table [][]float64) (p float64, ok bool) {
	m, ok := marginsOf(table)
	if !ok {
		return 0, false
	}
	if len(table) == 2 && len(table[0]) == 2 {
		return FisherExact(table[0][0], m.rows[0], table[1][0], m.rows[1]), true
	}
	f := fisherWalk{rows: wholes(m.rows), columns: wholes(m.columns), logs: logFactorials()}
	if len(f.rows) > len(f.columns) {
		f.rows, f.columns = f.columns, f.rows
	}
	if len(f.rows) > fisherRows {
		return 0, false
	}
	f.columns = dealt(f.columns)
	observed := 0.
	for _, row := range table {
		for _, count := range row {
			observed -= f.log(int(count))
		}
	}
	constant := -f.log(int(m.whole))
	for _, sum := range slices.Concat(f.rows, f.columns) {
		constant += f.log(sum)
	}
	return f.p(observed+math.Log(sameChance), constant)
}

// dealt returns the columns in an order whose halves hold large and small ones alike, with the
// largest last: there a single way is left.
func dealt(columns []int) []int {
	slices.Sort(columns)
	var first, second []int
	for i := len(columns) - 1; i >= 0; i-- {
		if (len(columns)-1-i)%2 == 0 {
			second = append(second, columns[i])
		} else {
			first = append(first, columns[i])
		}
	}
	slices.Reverse(second)
	return append(first, second...)
}

// wholes are the sums above 0.
func wholes(sums []float64) []int {
	var whole []int
	for _, s := range sums {
		if s > 0 {
			whole = append(whole, int(s))
		}
	}
	return whole
}

// fisherWalk visits the tables with given sums.
type fisherWalk struct {
	// rows is what is left to place in each row.
	rows    []int
	columns []int
	logs    []float64
	// steps is how many ways are left to try.
	steps int
}

// logFactorials holds ln n! at n for the numbers that most cells hold.
func logFactorials() []float64 {
	logs := make([]float64, 1024)
	for n := 2; n < len(logs); n++ {
		logs[n], _ = math.Lgamma(float64(n) + 1)
	}
	return logs
}

// log is ln n!.
func (f *fisherWalk) log(n int) float64 {
	if n < len(f.logs) {
		return f.logs[n]
	}
	l, _ := math.Lgamma(float64(n) + 1)
	return l
}

// half is a set of ways to fill the first columns that leave the same rows: the negative sums of ln
// x!, ascending, and the probabilities up to each, relative to that of the last.
type half struct {
	logs, upTo []float64
}

// p adds up the probabilities of all tables whose −Σ ln x! is at most limit; constant is the
// logarithm of the factor that they share.
func (f *fisherWalk) p(limit, constant float64) (p float64, ok bool) {
	middle := len(f.columns) / 2
	halves := map[[fisherRows]int][]float64{}
	f.steps = fisherHalves
	f.fill(0, middle, 0, func(log float64) {
		var left [fisherRows]int
		copy(left[:], f.rows)
		halves[left] = append(halves[left], log)
	})
	if f.steps < 0 {
		return 0, false
	}
	f.steps = fisherSteps
	// Sums of many terms depend on their order in the last digits, and a map has none.
	order := make([][fisherRows]int, 0, len(halves))
	for left := range halves {
		order = append(order, left)
	}
	slices.SortFunc(order, func(a, b [fisherRows]int) int { return slices.Compare(a[:], b[:]) })
	for _, left := range order {
		h := newHalf(halves[left])
		last := len(h.logs) - 1
		copy(f.rows, left[:])
		f.fill(middle, len(f.columns), 0, func(log float64) {
			within := sort.Search(len(h.logs), func(i int) bool { return h.logs[i]+log > limit })
			if within > 0 {
				p += math.Exp(constant+log+h.logs[last]) * h.upTo[within-1]
			}
		})
	}
	if f.steps < 0 {
		return 0, false
	}
	return math.Min(1, p), true
}

func newHalf(logs []float64) half {
	slices.SortFunc(logs, cmp.Compare[float64])
	h := half{logs: logs, upTo: make([]float64, len(logs))}
	sum := 0.
	for i, log := range logs {
		sum += math.Exp(log - logs[len(logs)-1])
		h.upTo[i] = sum
	}
	return h
}

// fill calls done for every way to fill the columns from..to−1, with log less the sum of ln x! of
// the cells; rows then holds what the way leaves. It stops where no steps are left.
func (f *fisherWalk) fill(from, to int, log float64, done func(log float64)) {
	if from == to {
		f.steps--
		done(log)
		return
	}
	f.cell(0, f.columns[from], log, func(log float64) { f.fill(from+1, to, log, done) })
}

// cell places count in the rows from row on.
func (f *fisherWalk) cell(row, count int, log float64, done func(log float64)) {
	if row == len(f.rows)-1 {
		if count <= f.rows[row] {
			f.rows[row] -= count
			done(log - f.log(count))
			f.rows[row] += count
		}
		return
	}
	below := 0
	for _, left := range f.rows[row+1:] {
		below += left
	}
	for x := max(0, count-below); x <= min(count, f.rows[row]) && f.steps >= 0; x++ {
		f.rows[row] -= x
		f.cell(row+1, count-x, log-f.log(x), done)
		f.rows[row] += x
	}
}
