package live

import (
	"maps"
	"slices"

	"github.com/equitylens/equitylens/measure"
)

// clone copies a result down to its last number, so that who hides some of them hides them for
// nobody else.
func clone(r measure.Result) measure.Result {
	r.Incomplete = slices.Clone(r.Incomplete)
	filter := maps.Clone(r.Filter)
	for key, values := range filter {
		filter[key] = slices.Clone(values)
	}
	r.Filter = filter
	r.Groups = slices.Clone(r.Groups)
	for i := range r.Groups {
		g := &r.Groups[i]
		g.Cell = cloneCell(g.Cell)
		g.Overlapping, g.NotBy = slices.Clone(g.Overlapping), slices.Clone(g.NotBy)
		g.Strata = maps.Clone(g.Strata)
		for key, strata := range g.Strata {
			g.Strata[key] = cloneStrata(strata)
		}
	}
	return r
}

func cloneStrata(strata []measure.Stratum) []measure.Stratum {
	out := slices.Clone(strata)
	for i := range out {
		s := &out[i]
		s.Cell = cloneCell(s.Cell)
		s.Components = slices.Clone(s.Components)
		s.Share, s.Bounds, s.IfUnknown = pointed(s.Share), pointed(s.Bounds), pointed(s.IfUnknown)
	}
	return out
}

func cloneCell(c measure.Cell) measure.Cell {
	c.Populations, c.Statistics = maps.Clone(c.Populations), maps.Clone(c.Statistics)
	c.Score, c.Interval = pointed(c.Score), pointed(c.Interval)
	return c
}

// pointed points at a copy, or at nothing.
func pointed[T any](p *T) *T {
	if p == nil {
		return nil
	}
	value := *p
	return &value
}
