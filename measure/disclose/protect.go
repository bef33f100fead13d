package disclose

import (
	"errors"
	"fmt"
	"math"
)

// ErrUnprotectable says that no choice was found that keeps every small count hidden, given what is
// public already. Nothing of the release may be shown.
var ErrUnprotectable = errors.New("small counts cannot be protected")

// defaultPivots is some five times what the release of a whole measure with its cross takes, and
// keeps the worst within seconds.
const defaultPivots = 20_000

// Config holds what may be decided about the audit. The zero value is the strict one.
type Config struct {
	// HiddenMayBeZero takes the reader to think that a hidden figure can be 0. By default the
	// reader is taken to have noticed that zeros are shown, and so to know that a hidden count is
	// at least 1; that asks for a little more to be hidden.
	HiddenMayBeZero bool
	// Pivots bounds the work of one try, in exchanges of the basis of the linear programs; 0 means
	// 20,000, some seconds for thousands of cells. Where it runs out, everything open of the lowest
	// rank is hidden and the search goes on with as much again, until nothing open is left: less is
	// shown, not less proven.
	Pivots int
}

// patience is how many exchanges of the basis a broken walk is given before more is hidden: enough
// for most, and few enough that a release of thousands of cells takes a second.
const patience = 24

// Pattern is what may be shown of a release. The zero value hides everything. It does not tell why
// a figure is hidden: which hidden counts are small and which only cover them would give both away.
type Pattern struct {
	shown []bool
	known []bool
}

// Shown reports whether a figure may be shown.
func (p Pattern) Shown(f Figure) bool { return f >= 0 && int(f) < len(p.shown) && p.shown[f] }

// Known reports whether a cell stands in a figure that may be shown.
func (p Pattern) Known(c Cell) bool { return c >= 0 && int(c) < len(p.known) && p.known[c] }

// Protect finds what may be shown of a system: as its primary suppression hides every figure with a
// small count, and its secondary suppression as many others as it takes until the audit passes.
// It gives the same pattern for the same system. With an error the pattern hides everything; the
// error is ErrMalformed or ErrUnprotectable.
func Protect(s *System, c Config) (Pattern, error) {
	if err := s.Check(); err != nil {
		return Pattern{}, err
	}
	p := newSearch(s, c)
	if err := p.primary(); err != nil {
		return Pattern{}, err
	}
	p.start()
	if err := p.secondary(); err != nil {
		return Pattern{}, err
	}
	p.relent()
	p.book.audit(p.walk.limits)
	for cell := range s.counts {
		if p.required(cell) && !p.book.proven(cell) {
			return Pattern{}, refusal()
		}
	}
	return p.pattern(), nil
}

// refusal names no cell: which one could not be hidden would say that it is small.
func refusal() error { return fmt.Errorf("disclose: protect the system: %w", ErrUnprotectable) }

// search is one run of Protect.
type search struct {
	system *System
	config Config
	walk   walk
	book   book
	hidden []bool  // By figure.
	shows  []int   // By cell, how many figures show it.
	of     [][]int // By cell, the figures it stands in.
	fixed  []bool  // By cell, whether a fixed figure shows it.
	kept   []bool  // By cell, whether it must stay hidden.
}

func newSearch(s *System, c Config) *search {
	if c.Pivots <= 0 {
		c.Pivots = defaultPivots
	}
	n := len(s.counts)
	p := &search{
		system: s, config: c,
		hidden: make([]bool, len(s.figures)),
		shows:  make([]int, n), of: make([][]int, n), fixed: make([]bool, n), kept: make([]bool, n),
		walk: walk{system: s, limits: make([]limit, n), values: make([]int64, n)},
		book: book{system: s, proofs: make([][]int, n)},
	}
	for f, figure := range s.figures {
		for _, cell := range figure.cells {
			p.of[cell] = append(p.of[cell], f)
			p.shows[cell]++
			p.fixed[cell] = p.fixed[cell] || figure.State == Fixed
		}
	}
	for cell := range s.counts {
		p.confine(cell)
	}
	p.walk.home()
	p.walk.patience = patience
	return p
}

// confine writes down what is known of a cell beforehand.
func (p *search) confine(cell int) {
	p.walk.limits[cell] = limit{fixed: p.shows[cell] > 0}
	if !p.config.HiddenMayBeZero && len(p.of[cell]) > 0 && p.system.counts[cell] > 0 {
		p.walk.limits[cell].least = 1
	}
}

// set hides a figure or shows it again.
func (p *search) set(figure int, hidden bool) {
	if p.hidden[figure] == hidden {
		return
	}
	p.hidden[figure] = hidden
	for _, cell := range p.system.figures[figure].cells {
		if hidden {
			p.shows[cell]--
		} else {
			p.shows[cell]++
		}
		p.confine(cell)
	}
}

// hide hides every figure that shows a cell and returns those that were not hidden before.
func (p *search) hide(cell int) []int {
	var changed []int
	for _, f := range p.of[cell] {
		if !p.hidden[f] {
			p.set(f, true)
			changed = append(changed, f)
		}
	}
	return changed
}

// primary hides what is small itself or was hidden before. Of a figure that was withheld, every
// cell that is not public by another one stays hidden, in whatever figure it stands.
func (p *search) primary() error {
	for f, figure := range p.system.figures {
		if figure.State != Withheld {
			continue
		}
		p.set(f, true)
		for _, cell := range figure.cells {
			p.kept[cell] = !p.fixed[cell]
		}
	}
	for cell, count := range p.system.counts {
		if Small(count) {
			if p.fixed[cell] {
				return refusal()
			}
			p.kept[cell] = true
		}
		if p.kept[cell] {
			p.hide(cell)
		}
	}
	return nil
}

// start solves the relations for what is hidden.
func (p *search) start() {
	p.walk.tableau = newTableau(p.system, func(cell int) bool { return !p.walk.limits[cell].fixed })
}

// required reports whether a cell needs a proof: every small one, and everything that would be
// printed and is not. Zeros may be known.
func (p *search) required(cell int) bool {
	count := p.system.counts[cell]
	return Small(count) || count > 0 && len(p.of[cell]) > 0 && p.shows[cell] == 0
}

// secondary proves cell after cell, and hides what stands in the way. What it hides may need a
// proof itself, so it goes on until it finds nothing.
func (p *search) secondary() error {
	for again := true; again; {
		again = false
		for cell := range p.system.counts {
			if !p.required(cell) || p.book.proven(cell) {
				continue
			}
			if err := p.protect(cell); err != nil {
				return err
			}
			again = true
		}
	}
	return nil
}

// protect finds a witness for one cell, starting from the true table. Of the figures that it hides
// on the way it keeps hidden those only that the witness needs.
func (p *search) protect(cell int) error {
	p.walk.home()
	var tried []int
	for !p.reach(cell) {
		more := p.relax(cell)
		if len(more) > 0 {
			tried = append(tried, more...)
			continue
		}
		if p.walk.swell(cell) {
			break
		}
		if p.walk.broken && p.walk.patience == patience {
			p.walk.patience *= 1 + len(p.system.relations)
			continue
		}
		if !p.coarsen() {
			return refusal()
		}
		p.walk.home()
		tried = nil
	}
	p.walk.patience = patience
	for _, f := range tried {
		needed := false
		for _, c := range p.system.figures[f].cells {
			needed = needed || p.walk.values[c] != p.system.counts[c]
		}
		p.set(f, needed)
	}
	p.book.add(p.walk.witness())
	return nil
}

// reach walks to a table that proves the cell.
func (p *search) reach(cell int) bool {
	truth := p.system.counts[cell]
	if Small(truth) {
		return p.walk.toward(cell, 1, Threshold, p.config.Pivots)
	}
	return p.walk.toward(cell, -1, truth-1, p.config.Pivots) ||
		p.walk.toward(cell, 1, truth+1, p.config.Pivots)
}

// relax hides one more cell, with all figures that show it: of those that hold the pushed cell down
// in the present basis, the one of the lowest rank, then the smallest positive one, then the first.
func (p *search) relax(cell int) []int {
	row := p.walk.tableau.row[cell]
	if row < 0 || p.walk.tableau.pivots > p.config.Pivots {
		return nil
	}
	best, bestRank, bestCount := -1, math.MaxInt, int64(math.MaxInt64)
	for c, column := range p.walk.tableau.columns {
		if column[row] == 0 || p.shows[c] == 0 || p.fixed[c] {
			continue
		}
		count := p.system.counts[c]
		if count == 0 {
			if column[row] > 0 {
				continue // It would have to fall.
			}
			count = math.MaxInt64 - 1 // A zero covers little, and may always be shown.
		}
		rank := p.rank(c)
		if rank < bestRank || rank == bestRank && count < bestCount {
			best, bestRank, bestCount = c, rank, count
		}
	}
	if best < 0 || best == cell {
		return nil
	}
	return p.hide(best)
}

// rank is the highest rank of the figures that show a cell.
func (p *search) rank(cell int) int {
	rank := math.MinInt
	for _, f := range p.of[cell] {
		if !p.hidden[f] {
			rank = max(rank, p.system.figures[f].Rank)
		}
	}
	return rank
}

// coarsen hides everything open of the lowest rank that is left, and allows as much work again. It
// is false where nothing is left.
func (p *search) coarsen() bool {
	lowest, found := math.MaxInt, false
	for f, figure := range p.system.figures {
		if !p.hidden[f] && figure.State == Open {
			lowest, found = min(lowest, figure.Rank), true
		}
	}
	for f, figure := range p.system.figures {
		if figure.State == Open && figure.Rank == lowest {
			p.set(f, true)
		}
	}
	if found {
		p.start()
	}
	return found
}

// pattern is what the search has left to show.
func (p *search) pattern() Pattern {
	out := Pattern{shown: make([]bool, len(p.hidden)), known: make([]bool, len(p.shows))}
	for f, hidden := range p.hidden {
		out.shown[f] = !hidden
	}
	for cell, n := range p.shows {
		out.known[cell] = n > 0
	}
	return out
}
