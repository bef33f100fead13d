package report

import (
	"strings"

	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
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
// value is set (mrp-2, deqm-7). A cross of nobody has no stratum to name them, so its code does: one
// code, for the profile allows no more.
func reportStratifier(
	group, dimension string, strata []measure.Stratum, shown []measure.Population, unit r4.Unit,
) *stratifierProto {
	id := within(group, linkable(dimension))
	stratifier := &stratifierProto{Id: r4.Text(id), Extension: linked(linkStratifier, id)}
	if !crossed(dimension) || len(strata) == 0 {
		stratifier.Code = []*dpb.CodeableConcept{dimensionConcept(dimension)}
	}
	for _, s := range strata {
		stratum := &stratumProto{
			Extension: stratumExtensions(s, unit), MeasureScore: score(s.Cell, unit),
		}
		if crossed(dimension) {
			stratum.Component = components(group, s.Components)
		} else {
			stratum.Value = valueConcept(s.Coding)
		}
		for _, p := range shown {
			whole, quantity := sizeOf(s.Cell, p)
			stratum.Population = append(stratum.Population, &sizeProto{
				Extension: append(linked(linkStratumPopulation, within(group, string(p))), quantity...),
				Code:      populationConcept(p),
				Count:     whole,
			})
		}
		stratifier.Stratum = append(stratifier.Stratum, stratum)
	}
	return stratifier
}

// stratumExtensions are those of the cell, the share of the stratum and, where they were asked for,
// the scores that it could have. What is hidden takes with it all that could tell it.
func stratumExtensions(s measure.Stratum, unit r4.Unit) []*dpb.Extension {
	all := cellExtensions(s.Cell)
	if _, ok := s.Populations[measure.InitialPopulation]; s.Share != nil && (ok || !s.Suppressed) {
		all = append(all, r4.DecimalExtension(urlShare, *s.Share))
	}
	if s.Suppressed {
		return all
	}
	if s.Bounds != nil {
		all = append(all, r4.RangeExtension(urlBounds, r4.Range(s.Bounds[0], s.Bounds[1], unit)))
	}
	if s.IfUnknown != nil {
		all = append(all, r4.QuantityExtension(urlIfUnknown, r4.Quantity(*s.IfUnknown, unit)))
	}
	return all
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
