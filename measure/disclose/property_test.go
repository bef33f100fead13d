package disclose_test

import (
	"cmp"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/measure/disclose"
)

// draws are the kinds of random systems, and the least share of them, in per cent, in which the
// attacker derives something where only small counts are hidden.
var draws = []struct {
	name   string
	draw   func(t *rapid.T) *world
	broken int
}{
	{"a dimension by outcome", drawLine, 70},
	{"a table of two dimensions", drawTable, 75},
	{"a cube of three dimensions", drawCube, 85},
	{"overlapping groups", drawOverlap, 45},
	{"sums of any cells", drawOpenSums, 20},
}

// tally counts what the attacks of one test brought.
type tally struct {
	runs, refused, cells, derived, undecided int
	figures, hidden, primary                 int
}

func (y *tally) add(w *world, shown func(f disclose.Figure) bool, got loot) {
	y.runs++
	y.cells += got.cells
	y.derived += len(got.derived)
	y.undecided += got.undecided
	for f := range w.figures {
		y.figures++
		if !shown(disclose.Figure(f)) {
			y.hidden++
		}
		if !w.primaryOnly(disclose.Figure(f)) {
			y.primary++
		}
	}
}

func (y *tally) log(t *testing.T) {
	t.Logf("%d runs (%d refused), %d cells attacked, %d derived, %d search not ended; figures hidden "+
		"%.1f %%, of those small themselves %.1f %%", y.runs, y.refused, y.cells, y.derived, y.undecided,
		100*float64(y.hidden)/float64(y.figures), 100*float64(y.primary)/float64(y.figures))
}

func TestAttackDerivesNothing(t *testing.T) {
	t.Parallel()
	for _, tt := range draws {
		for _, config := range []disclose.Config{{}, {HiddenMayBeZero: true}} {
			name := tt.name + ", zeros always shown"
			if config.HiddenMayBeZero {
				name = tt.name + ", zeros perhaps hidden"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				var sum tally
				rapid.Check(t, func(t *rapid.T) {
					w := tt.draw(t)
					p, err := disclose.Protect(&w.System, config)
					if err != nil {
						t.Fatalf("Protect: %v", err)
					}
					got := w.attack(w.known(p.Shown), !config.HiddenMayBeZero)
					sum.add(w, p.Shown, got)
					for _, c := range got.derived {
						t.Errorf("cell %d, which is %d, was derived", c, w.counts[c])
					}
				})
				sum.log(t)
			})
		}
	}
}

// TestAttackBesidePublicFigures attacks systems of which something is public or withheld already.
// Some cannot be protected; of those nothing new is shown.
func TestAttackBesidePublicFigures(t *testing.T) {
	t.Parallel()
	states := []disclose.State{
		disclose.Open, disclose.Open, disclose.Open, disclose.Open, disclose.Withheld, disclose.Fixed,
	}
	var sum tally
	rapid.Check(t, func(t *rapid.T) {
		w := drawSums(t, states)
		p, err := disclose.Protect(&w.System, disclose.Config{})
		if err != nil {
			for f := range w.figures {
				if p.Shown(disclose.Figure(f)) || !errors.Is(err, disclose.ErrUnprotectable) {
					t.Fatalf("figure %d is shown %v, with %v", f, p.Shown(disclose.Figure(f)), err)
				}
			}
			sum.refused++
			return
		}
		for f, d := range w.display {
			shown := p.Shown(disclose.Figure(f))
			if d.State == disclose.Fixed && !shown || d.State == disclose.Withheld && shown {
				t.Fatalf("figure %d, of state %d, is shown: %v", f, d.State, shown)
			}
		}
		got := w.attack(w.known(p.Shown), true)
		sum.add(w, p.Shown, got)
		for _, c := range got.derived {
			t.Errorf("cell %d, which is %d, was derived", c, w.counts[c])
		}
	})
	sum.log(t)
}

// TestAttackIsReal holds the attacker: it breaks what hides small counts only.
func TestAttackIsReal(t *testing.T) {
	t.Parallel()
	for _, tt := range draws {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			runs, broken := 0, 0
			var sum tally
			rapid.Check(t, func(t *rapid.T) {
				w := tt.draw(t)
				got := w.attack(w.known(w.primaryOnly), false)
				sum.add(w, w.primaryOnly, got)
				runs++
				if len(got.derived) > 0 {
					broken++
				}
			})
			sum.log(t)
			t.Logf("without secondary suppression %d of %d systems are broken", broken, runs)
			if 100*broken < tt.broken*runs {
				t.Errorf("the attacker broke %d of %d, want at least %d %%", broken, runs, tt.broken)
			}
		})
	}
}

// TestMarginByMarginIsNotSafe is a second control: the rule of one dimension, applied to each row
// and each column of a table, leaves the rest of the table to the attacker.
func TestMarginByMarginIsNotSafe(t *testing.T) {
	t.Parallel()
	runs, broken := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := drawTable(t)
		known := w.known(w.primaryOnly)
		for _, sum := range w.sums {
			line := slices.Clone(sum[1:])
			slices.SortStableFunc(line, func(a, b int) int { return cmp.Compare(w.counts[a], w.counts[b]) })
			var hidden, total int64
			for _, c := range line {
				if !known[c] {
					hidden, total = hidden+1, total+w.counts[c]
				}
			}
			for _, c := range line {
				if hidden > 0 && (hidden < 2 || total < 11) && known[c] && w.counts[c] > 0 {
					known[c] = false
					hidden, total = hidden+1, total+w.counts[c]
				}
			}
		}
		runs++
		if len(w.attack(known, false).derived) > 0 {
			broken++
		}
	})
	t.Logf("margin by margin, %d of %d tables are broken", broken, runs)
	if 100*broken < 15*runs {
		t.Errorf("the attacker broke %d of %d, want at least 15 %%", broken, runs)
	}
}

// TestEveryTableOfFour attacks all tables of two by two over values around the threshold by writing
// out every table that the reader has to think possible.
func TestEveryTableOfFour(t *testing.T) {
	t.Parallel()
	values := []int64{0, 1, 10, 11, 12}
	tables, cells := 0, 0
	for at := range len(values) * len(values) * len(values) * len(values) {
		n := [4]int64{}
		for i := range n {
			n[i] = values[at%len(values)]
			at /= len(values)
		}
		w := &world{}
		var c [4]disclose.Cell
		for i := range c {
			c[i] = w.count(n[i])
			w.show(disclose.Display{}, c[i])
		}
		margins := []disclose.Cell{
			w.total(c[0], c[1]), w.total(c[2], c[3]), w.total(c[0], c[2]), w.total(c[1], c[3]),
		}
		for _, m := range margins {
			w.show(disclose.Display{Rank: 1}, m)
		}
		whole := w.total(margins[0], margins[1])
		w.sum(whole, margins[2], margins[3])
		w.show(disclose.Display{Rank: 2}, whole)
		p, err := disclose.Protect(&w.System, disclose.Config{})
		if err != nil {
			t.Fatalf("%v: %v", n, err)
		}
		tables++
		cells += everyTable(t, w, p, n)
	}
	t.Logf("%d tables, %d cells attacked, 0 derived", tables, cells)
}

// everyTable counts through a table of two by two until every count has been seen to be free, and
// to the end where one is not.
func everyTable(t *testing.T, w *world, p disclose.Pattern, n [4]int64) int {
	t.Helper()
	known := w.known(p.Shown)
	var lo, hi [9]int64
	for i := range lo {
		lo[i], hi[i] = far, -1
	}
	judge := func() (attacked int, given []int) {
		for c, v := range w.counts {
			small := v >= 1 && v <= 10
			if small || !known[c] && v > 0 {
				attacked++
			}
			if small && hi[c] < 11 || !known[c] && v > 0 && lo[c] == hi[c] {
				given = append(given, c)
			}
		}
		return attacked, given
	}
	const most = 30 // Beyond every total, so that a hidden one can grow.
	a := [4][2]int64{}
	for i := range a {
		a[i] = [2]int64{0, most}
		if known[i] {
			a[i] = [2]int64{n[i], n[i]}
		} else if n[i] > 0 {
			a[i][0] = 1
		}
	}
	// A known margin leaves one value to its second cell.
	within := func(i, margin int, first int64) (from, to int64) {
		if !known[margin] {
			return a[i][0], a[i][1]
		}
		left := w.counts[margin] - first
		return max(a[i][0], left), min(a[i][1], left)
	}
	for w0 := a[0][0]; w0 <= a[0][1]; w0++ {
		from1, to1 := within(1, 4, w0)
		for w1 := from1; w1 <= to1; w1++ {
			from2, to2 := within(2, 6, w0)
			for w2 := from2; w2 <= to2; w2++ {
				from3, to3 := within(3, 7, w1)
				for w3 := from3; w3 <= to3; w3++ {
					got := [9]int64{w0, w1, w2, w3, w0 + w1, w2 + w3, w0 + w2, w1 + w3, w0 + w1 + w2 + w3}
					agrees := true
					for c, v := range got {
						agrees = agrees && (!known[c] && (v > 0 || w.counts[c] == 0) || v == w.counts[c])
					}
					if !agrees {
						continue
					}
					for c, v := range got {
						lo[c], hi[c] = min(lo[c], v), max(hi[c], v)
					}
					if attacked, given := judge(); len(given) == 0 {
						return attacked
					}
				}
			}
		}
	}
	attacked, given := judge()
	for _, c := range given {
		t.Errorf("%v: cell %d, which is %d, is within %d and %d", n, c, w.counts[c], lo[c], hi[c])
	}
	return attacked
}
