package gap

import (
	"slices"
	"strings"

	"github.com/equitylens/equitylens/measure"
)

// Layer is the part of a result that one value of a dimension holds, such as one site.
type Layer struct {
	Coding measure.Coding
	// Result is stratified by one dimension, so that Compare can be asked of it.
	Result measure.Result
}

// Layers cuts a result that holds by crossed with dimension, either way round, into one result for
// each value of by, known or not. The layers are in the order of the strata of by where the result
// holds those, else as they occur. A rate without the cross is in no layer; without any there are
// no layers. Where figures of a layer are hidden, what they add up to is hidden as well, unless the
// result itself gives it.
func Layers(r measure.Result, by, dimension string) []Layer {
	var layers []Layer
	at := map[measure.Coding]int{}
	layerOf := func(c measure.Coding) *Layer {
		i, ok := at[c]
		if !ok {
			i = len(layers)
			at[c] = i
			one := r
			one.Groups = nil
			layers = append(layers, Layer{Coding: c, Result: one})
		}
		return &layers[i]
	}
	for _, g := range r.Groups {
		cross := crossOf(g, by, dimension)
		if cross == "" {
			continue
		}
		for _, s := range g.Strata[by] {
			layerOf(s.Coding)
		}
		for _, s := range g.Strata[cross] {
			layer, coding := layerOf(partOf(s, by)), partOf(s, dimension)
			last := len(layer.Result.Groups) - 1
			if last < 0 || layer.Result.Groups[last].ID != g.ID {
				layer.Result.Groups = append(layer.Result.Groups, emptied(g, cross, dimension))
				last++
			}
			strata := layer.Result.Groups[last].Strata
			strata[dimension] = append(strata[dimension], measure.Stratum{Coding: coding, Cell: s.Cell})
		}
		for i := range layers {
			fill(&layers[i], g, by, dimension)
		}
	}
	return slices.DeleteFunc(layers, func(l Layer) bool { return len(l.Result.Groups) == 0 })
}

// crossOf finds the key of the strata of two dimensions, "" if there are none.
func crossOf(g measure.Group, by, dimension string) string {
	for _, key := range []string{dimension + "*" + by, by + "*" + dimension} {
		if _, ok := g.Strata[key]; ok && !strings.Contains(dimension+by, "*") {
			return key
		}
	}
	return ""
}

// partOf is what a crossed stratum is by one of its dimensions.
func partOf(s measure.Stratum, dimension string) measure.Coding {
	for _, c := range s.Components {
		if c.Dimension == dimension {
			return c.Coding
		}
	}
	return measure.Coding{}
}

// emptied is a rate of which nothing is counted yet. Groups that overlap do so within a layer too.
func emptied(g measure.Group, cross, dimension string) measure.Group {
	overlapping := slices.Contains(g.Overlapping, cross) || slices.Contains(g.Overlapping, dimension)
	g.Overlapping = nil
	if overlapping {
		g.Overlapping = []string{dimension}
	}
	g.Cell = measure.Cell{}
	g.Strata = map[string][]measure.Stratum{dimension: nil}
	return g
}

// fill gives a rate of a layer the figures of all in the layer, and each stratum its share of them.
func fill(layer *Layer, g measure.Group, by, dimension string) {
	i := slices.IndexFunc(layer.Result.Groups, func(o measure.Group) bool { return o.ID == g.ID })
	if i < 0 {
		return
	}
	whole := &layer.Result.Groups[i]
	strata := whole.Strata[dimension]
	at := slices.IndexFunc(g.Strata[by], func(s measure.Stratum) bool { return s.Coding == layer.Coding })
	switch {
	case at >= 0:
		whole.Cell = g.Strata[by][at].Cell
	case len(whole.Overlapping) > 0:
	default:
		cells := make([]measure.Cell, len(strata))
		for i, s := range strata {
			cells[i] = s.Cell
		}
		whole.Cell = poolCells(g, cells)
		if g.Aggregate != "" && g.Aggregate != measure.Median {
			whole.Score, whole.Interval = nil, nil // What is pooled is the median.
		}
	}
	all := whole.Populations[measure.InitialPopulation]
	for i := range strata {
		if s := &strata[i]; !s.Suppressed && !whole.Suppressed && all > 0 {
			share := s.Populations[measure.InitialPopulation] / all
			s.Share = &share
		}
	}
}
