package report

import (
	"maps"
	"slices"

	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	mrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_report_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure"
)

// fillGroup adds the figures of g to the group that has its id.
func fillGroup(group *mrpb.MeasureReport_Group, g measure.Group) {
	shown := shownPopulations(g)
	unit := scoreUnit(g)
	id := groupID(g.ID)
	if g.Undated > 0 {
		group.Extension = append(group.Extension,
			r4.DecimalExtension(urlUndated, float64(g.Undated)))
	}
	group.Extension = append(group.Extension, cellExtensions(g.Cell)...)
	group.MeasureScore = score(g.Cell, unit)
	for _, p := range shown {
		whole, quantity := sizeOf(g.Cell, p)
		group.Population = append(group.Population, &mrpb.MeasureReport_Group_Population{
			Id:        r4.Text(within(id, string(p))),
			Extension: append(linked(linkPopulation, within(id, string(p))), quantity...),
			Code:      populationConcept(p),
			Count:     whole,
		})
	}
	for _, dimension := range slices.Sorted(maps.Keys(g.Strata)) {
		stratifier := reportStratifier(id, dimension, g.Strata[dimension], shown, unit)
		if slices.Contains(g.Overlapping, dimension) {
			stratifier.Extension = append(stratifier.Extension, r4.BoolExtension(urlOverlaps, true))
		}
		if share, ok := notKnown(g, dimension); ok {
			stratifier.Extension = append(stratifier.Extension, r4.DecimalExtension(urlNotKnown, share))
		}
		group.Stratifier = append(group.Stratifier, stratifier)
	}
}

// shownPopulations are those that the group and every stratum of it report, in order. A cell that
// hides a size has it all the same, without its value, so that what is hidden has the shape of what
// is not.
func shownPopulations(g measure.Group) []measure.Population {
	has := func(p measure.Population) bool {
		if _, ok := g.Populations[p]; ok {
			return true
		}
		for _, strata := range g.Strata {
			for _, s := range strata {
				if _, ok := s.Populations[p]; ok {
					return true
				}
			}
		}
		return false
	}
	least := populationsOf(g.Scoring)
	var shown []measure.Population
	counted := len(g.Populations) > 0 && !g.Suppressed
	for _, p := range populations() {
		if has(p) || !counted && slices.Contains(least, p) {
			shown = append(shown, p)
		}
	}
	return shown
}

// sizeOf is a population's size as R4 has it: a count, or the quantity that stands for it. A size
// that is hidden, or that could not be counted, is a count without a value that says why: to leave
// it out would break deqm-8 and deqm-9, and 0 would be a size. Why not a quantity such as <11 is said
// in docs/conformance.md.
func sizeOf(cell measure.Cell, p measure.Population) (*dpb.Integer, []*dpb.Extension) {
	size, ok := cell.Populations[p]
	switch {
	case ok:
		return count(size)
	case cell.Suppressed:
		return &dpb.Integer{Extension: r4.Absent("masked")}, nil
	}
	return &dpb.Integer{Extension: r4.Absent("unknown")}, nil
}

// cellExtensions are what R4 has no element for: further statistics, and that figures are hidden.
func cellExtensions(cell measure.Cell) []*dpb.Extension {
	if cell.Suppressed {
		return []*dpb.Extension{r4.BoolExtension(urlHidden, true)}
	}
	return statistics(cell)
}

// notKnown is the part of the group's initial population whose value of a dimension is not known. It
// is told only where every count that it is made of is.
func notKnown(g measure.Group, dimension string) (share float64, ok bool) {
	whole, ok := g.Populations[measure.InitialPopulation]
	if !ok || whole <= 0 || crossed(dimension) {
		return 0, false
	}
	for _, s := range g.Strata[dimension] {
		if s.Code != "" {
			continue
		}
		part, ok := s.Populations[measure.InitialPopulation]
		if !ok {
			return 0, false
		}
		share += part / whole
	}
	return share, true
}
