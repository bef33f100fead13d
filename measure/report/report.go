package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	mrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_report_go_proto"
	"github.com/google/uuid"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure"
)

// MeasureReport makes a summary report of result. One question on one snapshot has one identifier,
// whenever and wherever it is asked.
func (b *Builder) MeasureReport(result measure.Result) *mrpb.MeasureReport {
	report := b.head(result, cpb.MeasureReportTypeCode_SUMMARY, identifier(result))
	for i, g := range result.Groups {
		fillGroup(report.Group[i], g)
	}
	b.supplement(report, result)
	note(report, notes(result))
	return report
}

// head makes all of a report but its figures: what was asked of which data, and groups without
// populations. Scoring and direction stand at the root if both can, else both in every group: deqm-2
// asks the root for the direction where it has the scoring, deqm-4 the group.
func (b *Builder) head(
	result measure.Result, kind cpb.MeasureReportTypeCode_Value, name string,
) *mrpb.MeasureReport {
	report := &mrpb.MeasureReport{
		Identifier: []*dpb.Identifier{{
			System: r4.URI("urn:ietf:rfc:3986"), Value: r4.Text(name),
		}},
		Status:   &mrpb.MeasureReport_StatusCode{Value: status(result)},
		Type:     &mrpb.MeasureReport_TypeCode{Value: kind},
		Measure:  &dpb.Canonical{Value: b.canonical(result)},
		Date:     r4.Moment(b.cfg.Now()),
		Reporter: r4.Named("Organization", b.cfg.Organization),
		Period:   r4.Days(result.Period.Start, result.Period.End),
	}
	scoring, scoringAlike := alike(result.Groups, func(g measure.Group) measure.Scoring {
		return g.Scoring
	})
	improvement, improvementAlike := alike(result.Groups, func(g measure.Group) measure.Improvement {
		return g.Improvement
	})
	atRoot := scoringAlike && improvementAlike &&
		(improvement != measure.Context || scoring == measure.Cohort)
	if atRoot {
		report.Extension = []*dpb.Extension{r4.ConceptExtension(urlScoring, scoringConcept(scoring))}
		if improvement != measure.Context {
			report.ImprovementNotation = improvementConcept(improvement)
		}
	}
	report.Extension = append(report.Extension, b.provenance(result)...)
	for _, g := range result.Groups {
		group := &mrpb.MeasureReport_Group{
			Id: r4.Text(groupID(g.ID)), Extension: linked(linkGroup, groupID(g.ID)),
		}
		if g.Title != "" {
			group.Code = &dpb.CodeableConcept{Text: r4.Text(g.Title)}
		}
		if !atRoot {
			group.Extension = append(group.Extension,
				r4.ConceptExtension(urlScoring, scoringConcept(g.Scoring)),
				r4.ConceptExtension(urlImprovement, improvementConcept(g.Improvement)))
		}
		report.Group = append(report.Group, group)
	}
	return report
}

// canonical names the measure with its version, which deqm-0 wants: another engine's measure may
// have none.
func (b *Builder) canonical(result measure.Result) string {
	version := result.Version
	if version == "" {
		version = unversioned
	}
	return b.MeasureURL(result.Measure) + "|" + version
}

const unversioned = "unversioned"

// status is complete only where all the data were there. R4 makes status a modifier, which every
// receiver has to look at; an extension may be passed over, and part of a count would then be read
// as the whole.
func status(result measure.Result) cpb.MeasureReportStatusCode_Value {
	if result.Complete {
		return cpb.MeasureReportStatusCode_COMPLETE
	}
	return cpb.MeasureReportStatusCode_ERROR
}

// identifier is a UUID of everything that settles the figures, and of more that tells one report from
// another.
func identifier(result measure.Result, more ...string) string {
	parts := []string{
		result.Measure, result.Version, result.Snapshot, result.Period.String(),
		string(result.Policy), result.Audience,
	}
	for _, key := range slices.Sorted(maps.Keys(result.Filter)) {
		parts = append(parts, fmt.Sprintf("%q", append([]string{key}, result.Filter[key]...)))
	}
	bounds := false
	for _, g := range result.Groups {
		parts = append(parts, g.ID)
		parts = append(parts, slices.Sorted(maps.Keys(g.Strata))...)
		for _, strata := range g.Strata {
			bounds = bounds || slices.ContainsFunc(strata, func(s measure.Stratum) bool {
				return s.Bounds != nil || s.IfUnknown != nil
			})
		}
	}
	if bounds {
		parts = append(parts, "bounds")
	}
	parts = append(parts, more...)
	name := uuid.NewSHA1(uuid.NameSpaceURL, []byte(r4.Own+strings.Join(parts, "\n")))
	return "urn:uuid:" + name.String()
}

// provenance says which data the figures come from, whether they were all there, and what was asked
// of them besides the measure and the period.
func (b *Builder) provenance(result measure.Result) []*dpb.Extension {
	snapshot := []*dpb.Extension{r4.TextExtension("id", result.Snapshot)}
	if !result.DataAsOf.IsZero() {
		snapshot = append(snapshot, r4.MomentExtension("dataAsOf", result.DataAsOf))
	}
	if b.cfg.Version != "" {
		snapshot = append(snapshot, r4.TextExtension("software", b.cfg.Version))
	}
	complete := []*dpb.Extension{r4.BoolExtension("complete", result.Complete)}
	for _, reason := range result.Incomplete {
		complete = append(complete, r4.TextExtension("reason", reason))
	}
	all := []*dpb.Extension{r4.Complex(urlSnapshot, snapshot...), r4.Complex(urlComplete, complete...)}
	if result.Policy != "" {
		all = append(all, r4.CodeExtension(urlPolicy, string(result.Policy)))
	}
	for _, key := range slices.Sorted(maps.Keys(result.Filter)) {
		parts := []*dpb.Extension{r4.CodeExtension("by", key)}
		for _, value := range result.Filter[key] {
			parts = append(parts, r4.TextExtension("value", value))
		}
		all = append(all, r4.Complex(urlFilter, parts...))
	}
	if result.Audience != "" {
		all = append(all, r4.CodeExtension(urlAudience, result.Audience))
	}
	return all
}

// alike returns what of says of every group, and whether it says the same of each.
func alike[G any, T comparable](groups []G, of func(G) T) (value T, ok bool) {
	for i, g := range groups {
		if i == 0 {
			value = of(g)
		}
		if of(g) != value {
			return value, false
		}
	}
	return value, len(groups) > 0
}

// groupID is the id of the one rate of a measure that names none.
func groupID(id string) string {
	if id == "" {
		return "main"
	}
	return id
}
