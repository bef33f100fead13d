package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	rpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"
	lpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/library_go_proto"
	mpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure"
)

// sqlType is the media type of RFC 6922, in which SQL on FHIR also ships its libraries.
const sqlType = "application/sql"

// libraryID names the contained Library.
const libraryID = "sql"

// Measure makes a Measure of a definition with one stratifier a dimension. Its library is
// contained, because the SQL means nothing apart from the measure and its unit's view.
func (b *Builder) Measure(d measure.Definition, dimensions []string) (*mpb.Measure, error) {
	library, err := r4.Contain(&rpb.ContainedResource{
		OneofResource: &rpb.ContainedResource_Library{Library: library(d)},
	})
	if err != nil {
		return nil, fmt.Errorf("make Measure %s: %w", d.ID, err)
	}
	m := &mpb.Measure{
		Id:           &dpb.Id{Value: d.ID},
		Extension:    []*dpb.Extension{r4.CodeExtension(urlBasis, basis(d.Unit))},
		Url:          r4.URI(b.MeasureURL(d.ID)),
		Version:      r4.Text(d.Version),
		Name:         r4.Text(computable(d.ID)),
		Title:        r4.Text(d.Title),
		Status:       &mpb.Measure_StatusCode{Value: cpb.PublicationStatusCode_ACTIVE},
		Experimental: &dpb.Boolean{Value: false},
		Publisher:    r4.Text(b.cfg.Organization),
		Description:  r4.Markdown(d.Says),
		Rationale:    r4.Markdown(d.Source),
		Library:      []*dpb.Canonical{{Value: "#" + libraryID}},
		Scoring:      scoringConcept(d.Scoring),
	}
	m.Contained = append(m.Contained, library)
	rates := d.Rates()
	direction, same := alike(rates, func(g measure.GroupDefinition) measure.Improvement {
		return g.Improvement
	})
	if same && direction != measure.Context {
		m.ImprovementNotation = improvementConcept(direction)
	}
	for _, rate := range rates {
		group := definedGroup(d, rate, dimensions)
		if m.ImprovementNotation == nil && rate.Improvement != measure.Context {
			group.Extension = append(group.Extension,
				r4.ConceptExtension(urlDirection, improvementConcept(rate.Improvement)))
		}
		m.Group = append(m.Group, group)
	}
	return m, nil
}

// criteria are the expressions of a rate. The exclusion that every result reports and a text may
// leave out is of nobody, so that the groups of a report mirror those of the Measure.
func criteria(d measure.Definition, rate measure.GroupDefinition) map[measure.Population]string {
	all := map[measure.Population]string{measure.DenominatorExclusion: "false"}
	if d.Scoring == measure.ContinuousVariable {
		all = map[measure.Population]string{measure.MeasureExclusion: "false"}
	}
	maps.Copy(all, rate.Populations)
	return all
}

func definedGroup(
	d measure.Definition, rate measure.GroupDefinition, dimensions []string,
) *mpb.Measure_Group {
	of := criteria(d, rate)
	group := &mpb.Measure_Group{Id: r4.Text(rate.ID), Description: r4.Text(rate.Title)}
	for _, p := range populations() {
		if of[p] == "" {
			continue
		}
		group.Population = append(group.Population, &mpb.Measure_Group_Population{
			Id: r4.Text(within(rate.ID, string(p))), Code: populationConcept(p), Criteria: sql(of[p]),
		})
	}
	for _, p := range populations() {
		if d.Observe[p] != "" {
			group.Population = append(group.Population, observation(d, rate.ID, p))
		}
	}
	for _, dimension := range dimensions {
		group.Stratifier = append(group.Stratifier, &mpb.Measure_Group_Stratifier{
			Id:       r4.Text(within(rate.ID, linkable(dimension))),
			Code:     dimensionConcept(dimension),
			Criteria: sql(dimension),
		})
	}
	return group
}

// observation is the number that is observed of the members of population p. A continuous
// variable's score is their median, each side of a ratio their sum.
func observation(
	d measure.Definition, group string, p measure.Population,
) *mpb.Measure_Group_Population {
	method := "sum"
	if d.Scoring == measure.ContinuousVariable {
		method = "median"
	}
	return &mpb.Measure_Group_Population{
		Id: r4.Text(within(group, observed(p))),
		Extension: []*dpb.Extension{
			r4.CodeExtension(urlAggregate, method),
			r4.TextExtension(urlCriteria, within(group, string(p))),
		},
		Code: &dpb.CodeableConcept{Coding: []*dpb.Coding{
			r4.Coding(systemPopulation, "measure-observation", "Measure Observation"),
		}},
		Criteria: sql(d.Observe[p]),
	}
}

// observed names the observation of a population.
func observed(p measure.Population) string { return "observed-" + string(p) }

func sql(expression string) *dpb.Expression {
	return &dpb.Expression{Language: r4.Code(sqlType), Expression: r4.Text(expression)}
}

func library(d measure.Definition) *lpb.Library {
	return &lpb.Library{
		Id:     &dpb.Id{Value: libraryID},
		Status: &lpb.Library_StatusCode{Value: cpb.PublicationStatusCode_ACTIVE},
		Type:   r4.Coded(systemLibraryType, "logic-library"),
		Content: []*dpb.Attachment{{
			ContentType: &dpb.Attachment_ContentTypeCode{Value: sqlType},
			Data:        &dpb.Base64Binary{Value: []byte(statement(d))},
		}},
	}
}

// statement is the membership of every population as SQL over the view of the unit: one statement a
// group, one column a population.
func statement(d measure.Definition) string {
	var text strings.Builder
	fmt.Fprintf(&text, "-- %s %s\n", d.ID, d.Version)
	for _, rate := range d.Rates() {
		of := criteria(d, rate)
		var columns []string
		for _, p := range populations() {
			if of[p] != "" {
				columns = append(columns, fmt.Sprintf("  (%s) AS %q", of[p], string(p)))
			}
			if d.Observe[p] != "" {
				columns = append(columns, fmt.Sprintf("  (%s) AS %q", d.Observe[p], observed(p)))
			}
		}
		fmt.Fprintf(&text, "-- group %s\nSELECT\n%s\nFROM %s;\n",
			rate.ID, strings.Join(columns, ",\n"), d.Unit)
	}
	return text.String()
}

// basis is the resource type that a unit is one of; a stay is an Encounter or several joined.
func basis(unit measure.Unit) string {
	switch unit {
	case measure.PatientUnit:
		return "boolean"
	case measure.EventUnit:
		return "AdverseEvent"
	case measure.EncounterUnit, measure.StayUnit:
	}
	return "Encounter"
}

// computable writes an id as R4 wants a name: letters and digits, a capital first.
func computable(id string) string {
	words := strings.FieldsFunc(id, func(r rune) bool { return r == '-' || r == '.' })
	for i, word := range words {
		words[i] = strings.ToUpper(word[:1]) + word[1:]
	}
	name := strings.Join(words, "")
	if name == "" || slices.Contains([]byte("0123456789"), name[0]) {
		return "M" + name
	}
	return name
}
