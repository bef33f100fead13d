package report

import (
	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	rpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"

	"github.com/equitylens/equitylens/measure"
)

// Bundle makes a collection of the reports of results, in their order.
func (b *Builder) Bundle(results []measure.Result) *rpb.Bundle {
	bundle := &rpb.Bundle{
		Type: &rpb.Bundle_TypeCode{Value: cpb.BundleTypeCode_COLLECTION},
		Timestamp: &dpb.Instant{
			ValueUs: b.cfg.Now().Unix() * 1_000_000, Timezone: "Z", Precision: dpb.Instant_SECOND,
		},
	}
	for _, result := range results {
		bundle.Entry = append(bundle.Entry, &rpb.Bundle_Entry{
			FullUrl: &dpb.Uri{Value: identifier(result)},
			Resource: &rpb.ContainedResource{
				OneofResource: &rpb.ContainedResource_MeasureReport{MeasureReport: b.MeasureReport(result)},
			},
		})
	}
	return bundle
}
