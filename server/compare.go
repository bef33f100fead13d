package server

import (
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	mrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_report_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
)

// urlGap is the extension of a group that compares one of its strata with the reference.
const urlGap = r4.Own + "gap"

// compare adds to each group of a report the gaps between its strata and the reference, those that
// surely affect most people first. They come from the figures of the report, so that what is hidden
// in it is compared with nothing.
func compare(made *mrpb.MeasureReport, result measure.Result, reference gap.Reference) error {
	gaps, err := gap.Of([]measure.Result{result}, gap.Options{Reference: reference, Even: true})
	if err != nil {
		return err //nolint:wrapcheck // The caller names the measure.
	}
	for i, group := range result.Groups {
		for _, one := range gaps {
			if one.Rate == group.ID && i < len(made.Group) {
				made.Group[i].Extension = append(made.Group[i].Extension, gapExtension(one))
			}
		}
	}
	return nil
}

// gapExtension says one gap. Both the difference and the ratio are always there, where they exist:
// either alone can mislead.
func gapExtension(one gap.Gap) *dpb.Extension {
	parts := []*dpb.Extension{
		r4.CodeExtension("dimension", one.Dimension),
		r4.TextExtension("group", one.Group),
		r4.TextExtension("reference", one.Reference),
		r4.CodeExtension("rule", string(one.Rule)),
		r4.DecimalExtension("score", one.Score),
		r4.DecimalExtension("referenceScore", one.ReferenceScore),
		r4.DecimalExtension("difference", one.Difference),
	}
	if one.Code != "" {
		parts = append(parts, r4.CodeExtension("code", one.Code))
	}
	if one.ReferenceCode != "" {
		parts = append(parts, r4.CodeExtension("referenceCode", one.ReferenceCode))
	}
	if one.Interval != nil {
		parts = append(parts,
			r4.RangeExtension("differenceInterval", r4.Range(one.Interval[0], one.Interval[1], r4.Unit{})))
	}
	if one.Ratio != nil {
		parts = append(parts, r4.DecimalExtension("ratio", *one.Ratio))
	}
	if one.RatioInterval != nil {
		parts = append(parts, r4.RangeExtension("ratioInterval",
			r4.Range(one.RatioInterval[0], one.RatioInterval[1], r4.Unit{})))
	}
	if one.Q != nil {
		parts = append(parts, r4.DecimalExtension("q", *one.Q))
	}
	return r4.Complex(urlGap, append(parts,
		r4.BoolExtension("clear", one.Clear), r4.TextExtension("sentence", one.Sentence))...)
}
