package report

import (
	"strings"

	mrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_report_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure"
)

type (
	stratifierProto = mrpb.MeasureReport_Group_Stratifier
	stratumProto    = mrpb.MeasureReport_Group_Stratifier_StratifierGroup
	componentProto  = mrpb.MeasureReport_Group_Stratifier_StratifierGroup_Component
	sizeProto       = mrpb.MeasureReport_Group_Stratifier_StratifierGroup_StratifierGroupPopulation
)

// reportStratifier names one dimension by the stratifier's code and its values by stratum.value;
// the dimensions of a cross are named by the components of each stratum, and then neither code nor
// value is set (mrp-2, deqm-7). A cross of nobody has no stratum to name them, so its codes do.
func reportStratifier(
	group, dimension string, strata []measure.Stratum, unit r4.Unit,
) *stratifierProto {
	id := within(group, linkable(dimension))
	stratifier := &stratifierProto{Id: r4.Text(id), Extension: linked(linkStratifier, id)}
	if !crossed(dimension) || len(strata) == 0 {
		for _, part := range strings.Split(dimension, "*") {
			stratifier.Code = append(stratifier.Code, dimensionConcept(part))
		}
	}
	for _, s := range strata {
		stratum := &stratumProto{Extension: statistics(s.Cell), MeasureScore: score(s.Cell, unit)}
		if crossed(dimension) {
			stratum.Component = components(group, s.Components)
		} else {
			stratum.Value = valueConcept(s.Coding)
		}
		stratum.Population = stratumPopulations(group, s.Cell)
		stratifier.Stratum = append(stratifier.Stratum, stratum)
	}
	return stratifier
}

func crossed(dimension string) bool { return strings.Contains(dimension, "*") }

// linkable writes a cross without the star, which an element's id may not hold.
func linkable(dimension string) string { return strings.ReplaceAll(dimension, "*", "-by-") }

func components(group string, parts []measure.Component) []*componentProto {
	var all []*componentProto
	for _, part := range parts {
		all = append(all, &componentProto{
			Extension: linked(linkComponent, within(group, part.Dimension)),
			Code:      dimensionConcept(part.Dimension),
			Value:     valueConcept(part.Coding),
		})
	}
	return all
}

func stratumPopulations(group string, cell measure.Cell) []*sizeProto {
	var all []*sizeProto
	for _, p := range populations() {
		size, ok := cell.Populations[p]
		if !ok {
			continue
		}
		whole, quantity := count(size)
		all = append(all, &sizeProto{
			Extension: append(linked(linkStratumPopulation, within(group, string(p))), quantity...),
			Code:      populationConcept(p),
			Count:     whole,
		})
	}
	return all
}
