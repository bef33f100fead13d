package report

import (
	"fmt"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	rpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"
	mrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_report_go_proto"
	opb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/observation_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
)

// element is one supplemental data element, under the id by which measures of CMS know it. Payer is
// not among them: no resource that is read names one.
type element struct{ id, dimension, title string }

func elements() []element {
	return []element{
		{"sde-race", mapping.DimensionRace, "Race"},
		{"sde-ethnicity", mapping.DimensionEthnicity, "Ethnicity"},
		{"sde-sex", mapping.DimensionSex, "Sex"},
		{"sde-age-band", mapping.DimensionAgeBand, "Age in bands"},
	}
}

// supplement adds an Observation for each value of each supplemental data element by which the first
// group is stratified: its code is the value, its value the number of those in the initial
// population that have it. Shape and place are those of the summary example of DEQM.
func (b *Builder) supplement(report *mrpb.MeasureReport, result measure.Result) {
	if len(result.Groups) == 0 {
		return
	}
	g := result.Groups[0]
	for _, e := range elements() {
		for i, s := range g.Strata[e.dimension] {
			id := fmt.Sprintf("%s-%d", e.id, i+1)
			contain(report, &rpb.ContainedResource{OneofResource: &rpb.ContainedResource_Observation{
				Observation: b.tallied(id, result, s),
			}})
			reference := r4.Fragment(id)
			reference.Extension = []*dpb.Extension{
				r4.TextExtension(urlCriteria, e.id),
				r4.MarkdownExtension(urlDescription, e.title+" of the initial population"),
			}
			report.Extension = append(report.Extension, r4.ReferenceExtension(urlSupplemental, reference))
		}
	}
}

func (b *Builder) tallied(id string, result measure.Result, s measure.Stratum) *opb.Observation {
	observation := &opb.Observation{
		Id: &dpb.Id{Value: id},
		Extension: []*dpb.Extension{r4.Complex(urlMeasureInfo,
			r4.CanonicalExtension("measure", b.canonical(result)))},
		Status: &opb.Observation_StatusCode{Value: cpb.ObservationStatusCode_FINAL},
		Code:   valueConcept(s.Coding),
	}
	size, ok := s.Populations[measure.InitialPopulation]
	if !ok {
		reason := "unknown"
		if s.Suppressed {
			reason = "masked"
		}
		observation.DataAbsentReason = r4.Coded(systemAbsent, reason)
		return observation
	}
	if whole, _ := count(size); whole != nil {
		observation.Value = &opb.Observation_ValueX{
			Choice: &opb.Observation_ValueX_Integer{Integer: whole},
		}
		return observation
	}
	observation.Value = &opb.Observation_ValueX{
		Choice: &opb.Observation_ValueX_Quantity{Quantity: r4.Quantity(size, r4.Unit{})},
	}
	return observation
}
