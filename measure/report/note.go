package report

import (
	"fmt"
	"maps"
	"slices"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	rpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"
	mrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_report_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure"
)

// messagesID names the contained OperationOutcome.
const messagesID = "messages"

// note adds what a reader of the figures has to know, in words, as a contained OperationOutcome: the
// place that the profile has for it (slice message). The same stands in extensions, as data.
func note(report *mrpb.MeasureReport, issues []r4.Issue) {
	if len(issues) == 0 {
		return
	}
	outcome := r4.Outcome(issues...)
	outcome.Id = &dpb.Id{Value: messagesID}
	contain(report, &rpb.ContainedResource{
		OneofResource: &rpb.ContainedResource_OperationOutcome{OperationOutcome: outcome},
	})
	report.Extension = append(report.Extension,
		r4.ReferenceExtension(urlMessages, r4.Fragment(messagesID)))
}

// contain packs a resource. That of a message of a known type cannot fail.
func contain(report *mrpb.MeasureReport, resource *rpb.ContainedResource) {
	packed, err := r4.Contain(resource)
	if err != nil {
		return
	}
	report.Contained = append(report.Contained, packed)
}

// notes are about the whole report first, then about each group.
func notes(result measure.Result) []r4.Issue {
	issues := incomplete(result)
	hidden := false
	for i, g := range result.Groups {
		path := fmt.Sprintf("MeasureReport.group[%d]", i)
		if g.Undated > 0 {
			issues = append(issues, r4.Issue{
				Severity: cpb.IssueSeverityCode_WARNING, Code: cpb.IssueTypeCode_INCOMPLETE,
				Text:       fmt.Sprintf("Units without a usable date, which no period holds: %d.", g.Undated),
				Expression: path,
			})
		}
		hidden = hidden || g.Suppressed
		for j, dimension := range slices.Sorted(maps.Keys(g.Strata)) {
			path := fmt.Sprintf("%s.stratifier[%d]", path, j)
			hidden = hidden || slices.ContainsFunc(g.Strata[dimension], func(s measure.Stratum) bool {
				return s.Suppressed
			})
			if slices.Contains(g.Overlapping, dimension) {
				issues = append(issues, information(path, fmt.Sprintf("The strata of %s overlap: one unit "+
					"may be in several of them, so that they add up to more than the group, and no test "+
					"between them that takes them to be separate is valid.", dimension)))
			}
			if share, ok := notKnown(g, dimension); ok && share > 0 {
				issues = append(issues, information(path, fmt.Sprintf(
					"The value of %s is not known of %.4f of the initial population.", dimension, share)))
			}
		}
	}
	if hidden {
		issues = append(issues, r4.Issue{
			Severity: cpb.IssueSeverityCode_WARNING, Code: cpb.IssueTypeCode_SUPPRESSED,
			Text: "Figures are hidden, for small numbers or so that those of others cannot be derived; " +
				"which of the two is told of none.",
			Expression: "MeasureReport",
		})
	}
	return issues
}

func information(path, text string) r4.Issue {
	return r4.Issue{
		Severity: cpb.IssueSeverityCode_INFORMATION, Code: cpb.IssueTypeCode_INFORMATIONAL,
		Text: text, Expression: path,
	}
}

func incomplete(result measure.Result) []r4.Issue {
	var issues []r4.Issue
	for _, reason := range result.Incomplete {
		issues = append(issues, r4.Issue{
			Severity: cpb.IssueSeverityCode_WARNING, Code: cpb.IssueTypeCode_INCOMPLETE,
			Text: "The data were not all there: " + reason, Expression: "MeasureReport",
		})
	}
	return issues
}
