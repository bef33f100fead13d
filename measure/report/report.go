package report

import (
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
	report := &mrpb.MeasureReport{
		Identifier: []*dpb.Identifier{{
			System: r4.URI("urn:ietf:rfc:3986"), Value: r4.Text(identifier(result)),
		}},
		Status:   &mrpb.MeasureReport_StatusCode{Value: status(result)},
		Type:     &mrpb.MeasureReport_TypeCode{Value: cpb.MeasureReportTypeCode_SUMMARY},
		Measure:  &dpb.Canonical{Value: b.MeasureURL(result.Measure) + "|" + result.Version},
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
	if scoringAlike {
		report.Extension = append(report.Extension,
			r4.ConceptExtension(urlScoring, scoringConcept(scoring)))
	}
	atRoot := improvementAlike && improvement != measure.Context
	if atRoot {
		report.ImprovementNotation = improvementConcept(improvement)
	}
	report.Extension = append(report.Extension, b.provenance(result)...)
	for _, g := range result.Groups {
		group := reportGroup(g)
		if !scoringAlike {
			group.Extension = append(group.Extension,
				r4.ConceptExtension(urlScoring, scoringConcept(g.Scoring)))
		}
		if !atRoot {
			group.Extension = append(group.Extension,
				r4.ConceptExtension(urlImprovement, improvementConcept(g.Improvement)))
		}
		report.Group = append(report.Group, group)
	}
	return report
}

// status is complete only where all the data were there. R4 makes status a modifier, which every
// receiver has to look at; an extension may be passed over, and part of a count would then be read
// as the whole.
func status(result measure.Result) cpb.MeasureReportStatusCode_Value {
	if result.Complete {
		return cpb.MeasureReportStatusCode_COMPLETE
	}
	return cpb.MeasureReportStatusCode_ERROR
}

// identifier is a UUID of everything that settles the figures.
func identifier(result measure.Result) string {
	parts := []string{result.Measure, result.Version, result.Snapshot, result.Period.String()}
	for _, g := range result.Groups {
		parts = append(parts, g.ID)
		parts = append(parts, slices.Sorted(maps.Keys(g.Strata))...)
	}
	name := uuid.NewSHA1(uuid.NameSpaceURL, []byte(r4.Own+strings.Join(parts, "\n")))
	return "urn:uuid:" + name.String()
}

// provenance says which data the figures come from and whether they were all there.
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
	return []*dpb.Extension{r4.Complex(urlSnapshot, snapshot...), r4.Complex(urlComplete, complete...)}
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

func reportGroup(g measure.Group) *mrpb.MeasureReport_Group {
	id := groupID(g.ID)
	unit := scoreUnit(g)
	group := &mrpb.MeasureReport_Group{
		Id:           r4.Text(id),
		Extension:    linked(linkGroup, id),
		MeasureScore: score(g.Cell, unit),
	}
	if g.Title != "" {
		group.Code = &dpb.CodeableConcept{Text: r4.Text(g.Title)}
	}
	if g.Undated > 0 {
		group.Extension = append(group.Extension,
			r4.DecimalExtension(urlUndated, float64(g.Undated)))
	}
	group.Extension = append(group.Extension, statistics(g.Cell)...)
	group.Population = groupPopulations(id, g)
	for _, dimension := range slices.Sorted(maps.Keys(g.Strata)) {
		group.Stratifier = append(group.Stratifier,
			reportStratifier(id, dimension, g.Strata[dimension], unit))
	}
	return group
}

// groupPopulations are the sizes of the populations. Where nothing could be counted each stands
// without a size and says so: to leave them out would leave a group that is no group (deqm-5), and
// 0 would be a size.
func groupPopulations(id string, g measure.Group) []*mrpb.MeasureReport_Group_Population {
	var all []*mrpb.MeasureReport_Group_Population
	add := func(p measure.Population, whole *dpb.Integer, quantity []*dpb.Extension) {
		all = append(all, &mrpb.MeasureReport_Group_Population{
			Id:        r4.Text(within(id, string(p))),
			Extension: append(linked(linkPopulation, within(id, string(p))), quantity...),
			Code:      populationConcept(p),
			Count:     whole,
		})
	}
	if len(g.Populations) == 0 {
		for _, p := range populationsOf(g.Scoring) {
			add(p, &dpb.Integer{Extension: r4.Absent("unknown")}, nil)
		}
	}
	for _, p := range populations() {
		if size, ok := g.Populations[p]; ok {
			whole, quantity := count(size)
			add(p, whole, quantity)
		}
	}
	return all
}

// groupID is the id of the one rate of a measure that names none.
func groupID(id string) string {
	if id == "" {
		return "main"
	}
	return id
}
