package disclose

import "math"

// Unbounded is the upper end of an interval without one.
const Unbounded = math.MaxInt64

// Interval is what a reader can tell of a cell at least as widely: both ends are attained by tables
// of whole counts that agree with everything that is shown.
type Interval struct{ Min, Max int64 }

// Protected reports whether a count within these bounds is kept: a small one may be no small one,
// and one that is hidden is not told to the person.
func (i Interval) Protected(count int64) bool {
	return count == 0 || i.Max >= Threshold && i.Min != i.Max
}

// Bounds returns the interval of every cell when just the given figures are hidden, whatever the
// states and ranks say. For one relation and for tables of two dimensions they are the bounds;
// where relations cross in three the true ones may be wider.
func Bounds(s *System, c Config, hidden ...Figure) ([]Interval, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	p := newSearch(s, c)
	for _, f := range hidden {
		if f < 0 || int(f) >= len(s.figures) {
			return nil, malformed("figure %d: it does not exist", int(f))
		}
		p.set(int(f), true)
	}
	p.start()
	p.walk.patience *= 1 + len(s.relations)
	out := make([]Interval, len(s.counts))
	for cell, count := range s.counts {
		out[cell] = Interval{Min: count, Max: count}
		if p.shows[cell] > 0 {
			continue
		}
		p.walk.home()
		p.walk.toward(cell, -1, p.walk.limits[cell].least, math.MaxInt)
		out[cell].Min = p.walk.values[cell]
		p.walk.home()
		if p.walk.toward(cell, 1, 2*largest, math.MaxInt) {
			out[cell].Max = Unbounded
			continue
		}
		out[cell].Max = p.walk.values[cell]
	}
	return out, nil
}
