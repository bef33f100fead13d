package disclose

import (
	"errors"
	"fmt"
	"slices"
)

// Threshold is the smallest positive count that may be shown. Counts of 1 to 10 are small; 0 is
// not: CMS cell size suppression policy (ResDAC, version of 26 January 2024).
const Threshold = 11

// largest keeps every sum of a relation far from the end of an int64.
const largest = 1 << 40

// ErrMalformed is the cause of every refusal of a System that contradicts itself.
var ErrMalformed = errors.New("malformed system")

// Small reports whether a count may neither be shown nor derived.
func Small(count int64) bool { return count > 0 && count < Threshold }

// Cell is a count of a System, in the order in which it was added.
type Cell int

// Figure is something that is shown or hidden as one, in the order in which it was added.
type Figure int

// State is what has been decided about a figure before this release.
type State uint8

// The states of a figure.
const (
	// Open figures may be shown or hidden.
	Open State = iota
	// Fixed figures are public already: hiding them would take nothing back.
	Fixed
	// Withheld figures were hidden in an earlier release of the same counts. They stay hidden, and
	// so does each of their cells that no fixed figure shows.
	Withheld
)

// Display says how a figure stands to the release.
type Display struct {
	State State
	// Rank orders what is given up: among the cells that would protect another one those of the
	// lowest rank are hidden first, and a system that is beyond the bound of work loses its lowest
	// rank whole. Crosses below single strata below totals is the usual order.
	Rank int
}

// System holds the counts of one release, and everything that anybody knows of how they add up.
// The zero value is empty and ready. A System is not safe for concurrent use while it is built.
//
// Whoever builds it answers for its being complete: a relation that readers know and the System
// does not is a door left open. Two overlapping groups are told apart by Rest, so that their
// difference is a cell too.
type System struct {
	counts    []int64
	relations []relation
	figures   []figure
	faults    []error
}

type relation struct {
	whole int
	parts []int
}

type figure struct {
	Display
	cells []int
}

// Count adds a cell with its true value. A cell that no figure shows is latent: it is never
// printed, and as secret as the others.
func (s *System) Count(value int64) Cell {
	if value < 0 || value > largest {
		s.fault("cell %d: the count is out of range", len(s.counts))
	}
	s.counts = append(s.counts, value)
	return Cell(len(s.counts) - 1)
}

// Sum says that everybody knows the whole to be the sum of the parts.
func (s *System) Sum(whole Cell, parts ...Cell) {
	at := len(s.relations)
	r := relation{whole: int(whole), parts: make([]int, 0, len(parts))}
	known := s.holds(whole)
	for _, part := range parts {
		known = known && s.holds(part)
		r.parts = append(r.parts, int(part))
	}
	s.relations = append(s.relations, r)
	switch {
	case !known:
		s.fault("relation %d: it speaks of a cell that does not exist", at)
	case len(parts) == 0:
		s.fault("relation %d: a whole has parts", at)
	case repeats(r.parts):
		s.fault("relation %d: a cell stands in it twice", at)
	case slices.Contains(r.parts, r.whole):
		s.fault("relation %d: a cell is a part of itself", at)
	}
}

// Rest adds the latent cell that holds what the parts leave of the whole, and says so by Sum. The
// complement of a numerator and the members of one overlapping group who are not in the other are
// such cells.
func (s *System) Rest(whole Cell, parts ...Cell) Cell {
	var left int64
	if s.holds(whole) {
		left = s.counts[whole]
	}
	for _, part := range parts {
		if s.holds(part) {
			left -= s.counts[part]
		}
	}
	rest := s.Count(left)
	s.Sum(whole, append(slices.Clone(parts), rest)...)
	return rest
}

// Show adds a figure that lets its reader know all of the cells: a rate shows its numerator and its
// denominator. A cell may stand in several figures, and is known if one of them is shown.
func (s *System) Show(d Display, cells ...Cell) Figure {
	at := len(s.figures)
	f := figure{Display: d, cells: make([]int, 0, len(cells))}
	known := true
	for _, c := range cells {
		known = known && s.holds(c)
		f.cells = append(f.cells, int(c))
	}
	s.figures = append(s.figures, f)
	switch {
	case !known:
		s.fault("figure %d: it shows a cell that does not exist", at)
	case len(cells) == 0:
		s.fault("figure %d: it shows nothing", at)
	case repeats(f.cells):
		s.fault("figure %d: a cell stands in it twice", at)
	case d.State > Withheld:
		s.fault("figure %d: it has no such state", at)
	}
	return Figure(at)
}

// Check tells every fault of the system: cells that do not exist, relations that go in a circle or
// do not hold. It names places and no counts, because its text may be read by anybody.
func (s *System) Check() error {
	faults := slices.Clone(s.faults)
	if len(faults) == 0 {
		for i, r := range s.relations {
			var sum int64
			for _, part := range r.parts {
				sum += s.counts[part]
			}
			if sum != s.counts[r.whole] {
				faults = append(faults, malformed("relation %d: the parts are not the whole", i))
			}
		}
		if at, found := s.circle(); found {
			faults = append(faults, malformed("cell %d: it is a part of its own parts", at))
		}
	}
	return errors.Join(faults...)
}

func (s *System) holds(c Cell) bool { return c >= 0 && int(c) < len(s.counts) }

func (s *System) fault(format string, args ...any) {
	s.faults = append(s.faults, malformed(format, args...))
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("disclose: %s: %w", fmt.Sprintf(format, args...), ErrMalformed)
}

func repeats(cells []int) bool {
	sorted := slices.Sorted(slices.Values(cells))
	return len(slices.Compact(sorted)) != len(cells)
}

// circle finds a cell that is, over any number of relations, a part of itself: it takes away cells
// that are no longer part of anything until none is left.
func (s *System) circle() (int, bool) {
	uses := make([]int, len(s.counts))
	wholes := make([][]int, len(s.counts))
	for i, r := range s.relations {
		wholes[r.whole] = append(wholes[r.whole], i)
		for _, part := range r.parts {
			uses[part]++
		}
	}
	var free []int
	for c, n := range uses {
		if n == 0 {
			free = append(free, c)
		}
	}
	for i := 0; i < len(free); i++ {
		for _, at := range wholes[free[i]] {
			for _, part := range s.relations[at].parts {
				if uses[part]--; uses[part] == 0 {
					free = append(free, part)
				}
			}
		}
	}
	at := slices.IndexFunc(uses, func(n int) bool { return n > 0 })
	return at, at >= 0
}
