package gap

import (
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/stat"
)

// Within is what is left of a gap within the layers of another dimension, and what of it comes of
// the two groups being in different layers. It is arithmetic and claims no cause: to be sent to
// the worse site is an inequity as well.
type Within struct {
	// By is the dimension of the layers: site or age_band.
	By string `json:"by"`
	// Difference is the pooled difference within layers (Mantel and Haenszel), Interval its 95 %
	// interval (Sato; of rates Greenland and Robins).
	Difference float64    `json:"difference"`
	Interval   [2]float64 `json:"interval"`
	// Reverses says that the gap points the other way within layers and that both are clear of 0;
	// Fades that it is clear overall and not within.
	Reverses bool `json:"reverses,omitempty"`
	Fades    bool `json:"fades,omitempty"`
	// WithinPart and BetweenPart add up to the crude difference over the layers that are known
	// (Kitagawa): other scores in the same layer, and being in other layers.
	WithinPart  float64 `json:"within_part"`
	BetweenPart float64 `json:"between_part"`
	// Layers is how many layers hold both groups, Covered the share of the group's units in them.
	Layers  int     `json:"layers"`
	Covered float64 `json:"covered"`
}

// LayerDimensions are those within which a gap is looked at again.
func LayerDimensions() []string { return []string{mapping.DimensionSite, mapping.DimensionAgeBand} }

// CrossesFor lists the crosses that Of needs for Within, besides the dimensions themselves.
func CrossesFor(dimensions []string) []string {
	var crosses []string
	for _, d := range dimensions {
		if strings.Contains(d, "*") {
			continue
		}
		for _, layer := range LayerDimensions() {
			if layer != d {
				crosses = append(crosses, d+"*"+layer)
			}
		}
	}
	return crosses
}

// layersOf compares two strata within the layers of which the result holds the cross.
func layersOf(g measure.Group, dimension string, s, reference measure.Stratum) []Within {
	var all []Within
	for _, by := range LayerDimensions() {
		crossed, ok := g.Strata[dimension+"*"+by]
		if !ok || anyHidden(crossed) {
			continue
		}
		if w, ok := within(g, by, split(g, crossed, s.Coding, reference.Coding)); ok {
			all = append(all, w)
		}
	}
	return all
}

// split gathers the two strata of a cross by layer. Units whose layer is not known are a layer too.
func split(
	g measure.Group, crossed []measure.Stratum, group, reference measure.Coding,
) []stat.Layer {
	var order []measure.Coding
	at := map[measure.Coding]*stat.Layer{}
	for _, s := range crossed {
		if len(s.Components) != 2 {
			continue
		}
		which, layer := s.Components[0].Coding, s.Components[1].Coding
		if which != group && which != reference {
			continue
		}
		if at[layer] == nil {
			at[layer] = &stat.Layer{}
			order = append(order, layer)
		}
		if which == group {
			at[layer].Group = countOf(g, s.Cell)
		} else {
			at[layer].Reference = countOf(g, s.Cell)
		}
	}
	layers := make([]stat.Layer, 0, len(order))
	for _, layer := range order {
		layers = append(layers, *at[layer])
	}
	return layers
}

// within is ok where there are two layers at least: within one, the gap is the gap.
func within(g measure.Group, by string, layers []stat.Layer) (w Within, ok bool) {
	if len(layers) < 2 {
		return w, false
	}
	check, per := stat.SimpsonCheck, scale(g)
	switch g.Scoring {
	case measure.Proportion:
	case measure.Ratio:
		check = stat.SimpsonCheckRate
	case measure.ContinuousVariable, measure.Cohort:
		return w, false
	}
	found, ok := check(layers)
	if !ok {
		return w, false
	}
	parts, ok := stat.Decompose(layers)
	if !ok {
		return w, false
	}
	return Within{
		By: by, Difference: per * found.Within.Value,
		Interval: [2]float64{per * found.Within.Lo, per * found.Within.Hi},
		Reverses: found.Reverses, Fades: found.Fades,
		WithinPart: per * parts.Within, BetweenPart: per * parts.Between,
		Layers: found.Layers, Covered: found.Covered,
	}, true
}
