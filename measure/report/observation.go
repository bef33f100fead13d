package report

import (
	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	rpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"
	mrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_report_go_proto"
	opb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/observation_go_proto"
	"google.golang.org/protobuf/proto"

	"github.com/equitylens/equitylens/fhir/r4"
)

// observe adds a contained Observation of one number that a unit adds to a population. The unit is
// its focus; nil where it is not known.
func (b *Builder) observe(
	report *mrpb.MeasureReport, about Evaluation, id, link string, unit *dpb.Reference, value float64,
) {
	observation := &opb.Observation{
		Id: &dpb.Id{Value: id},
		Extension: []*dpb.Extension{r4.Complex(urlMeasureInfo,
			r4.CanonicalExtension("measure", b.canonical(about.Result)),
			r4.TextExtension("populationId", link))},
		Status: &opb.Observation_StatusCode{Value: cpb.ObservationStatusCode_FINAL},
		Code:   observationConcept(),
		Value: &opb.Observation_ValueX{
			Choice: &opb.Observation_ValueX_Quantity{Quantity: r4.Quantity(value, r4.Unit{})},
		},
	}
	if unit != nil {
		observation.Focus = []*dpb.Reference{proto.CloneOf(unit)}
	}
	contain(report, &rpb.ContainedResource{
		OneofResource: &rpb.ContainedResource_Observation{Observation: observation},
	})
}
