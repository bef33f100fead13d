package report

import (
	"fmt"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	rpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"
	mrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_report_go_proto"
	ppb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/parameters_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure"
)

// Bundle makes a collection of the summary reports of results, in their order.
func (b *Builder) Bundle(results []measure.Result) *rpb.Bundle {
	reports := make([]*mrpb.MeasureReport, len(results))
	for i, result := range results {
		reports[i] = b.MeasureReport(result)
	}
	return b.Collection(reports...)
}

// Collection makes a collection of reports of any type, each under its identifier.
func (b *Builder) Collection(reports ...*mrpb.MeasureReport) *rpb.Bundle {
	bundle := &rpb.Bundle{
		Type: &rpb.Bundle_TypeCode{Value: cpb.BundleTypeCode_COLLECTION},
		Timestamp: &dpb.Instant{
			ValueUs: b.cfg.Now().Unix() * 1_000_000, Timezone: "Z", Precision: dpb.Instant_SECOND,
		},
	}
	for _, report := range reports {
		entry := &rpb.Bundle_Entry{Resource: &rpb.ContainedResource{
			OneofResource: &rpb.ContainedResource_MeasureReport{MeasureReport: report},
		}}
		if len(report.Identifier) > 0 {
			entry.FullUrl = r4.URI(report.Identifier[0].GetValue().GetValue())
		}
		bundle.Entry = append(bundle.Entry, entry)
	}
	return bundle
}

// Parameters is the answer of DEQM's $evaluate: one parameter "return" a Bundle, of all measures of
// one subject or, for summaries, of all measures.
func Parameters(bundles ...*rpb.Bundle) (*ppb.Parameters, error) {
	parameters := &ppb.Parameters{}
	for _, bundle := range bundles {
		packed, err := r4.Contain(&rpb.ContainedResource{
			OneofResource: &rpb.ContainedResource_Bundle{Bundle: bundle},
		})
		if err != nil {
			return nil, fmt.Errorf("make Parameters: %w", err)
		}
		parameters.Parameter = append(parameters.Parameter, &ppb.Parameters_Parameter{
			Name: r4.Text("return"), Resource: packed,
		})
	}
	return parameters, nil
}
