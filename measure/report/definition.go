package report

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	mpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure"
)

// idForm is that of the id of a resource.
var idForm = regexp.MustCompile(`^[A-Za-z0-9\-.]{1,64}$`)

// Measure makes a Measure of a definition with one stratifier a dimension, and the supplemental data
// elements that a report of it has. Its expressions stand in it and, as whole statements, in its
// Library. An imported measure has no expressions: it says from which measure it derives.
func (b *Builder) Measure(d measure.Definition, dimensions []string) (*mpb.Measure, error) {
	if !idForm.MatchString(d.ID) {
		return nil, fmt.Errorf("make Measure %q: that is no id of a resource", d.ID)
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
		Scoring:      scoringConcept(d.Scoring),
	}
	if day, err := time.Parse(time.DateOnly, d.Date); err == nil {
		m.Date = r4.Day(day)
		m.EffectivePeriod = &dpb.Period{Start: r4.Day(day)}
	}
	if d.Caution != "" {
		m.Disclaimer = r4.Markdown(d.Caution)
	}
	if d.Imported {
		m.Version = r4.Text(cmp.Or(d.Version, unversioned))
		m.Description = r4.Markdown(cmp.Or(d.Says, imported))
		m.RelatedArtifact = []*dpb.RelatedArtifact{{
			Type: &dpb.RelatedArtifact_TypeCode{
				Value: cpb.RelatedArtifactTypeCode_DERIVED_FROM,
			},
			Resource: canonicalOf(d.URL, d.Version),
		}}
	} else {
		m.Library = []*dpb.Canonical{{Value: b.LibraryURL(d.ID) + "|" + d.Version}}
	}
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
	for _, e := range elements() {
		m.SupplementalData = append(m.SupplementalData, &mpb.Measure_SupplementalData{
			Id:          r4.Text(e.id),
			Code:        dimensionConcept(e.dimension),
			Usage:       []*dpb.CodeableConcept{r4.Coded(systemDataUsage, "supplemental-data")},
			Description: r4.Text(e.title),
			Criteria:    sql(e.dimension),
		})
	}
	return m, nil
}

// imported is what an imported measure says of itself.
const imported = "Who is in which population was decided by another engine, whose individual reports " +
	"were imported; the strata are ours. The measure from which this one derives says how."

func canonicalOf(url, version string) *dpb.Canonical {
	if url == "" {
		return nil
	}
	if version != "" && version != unversioned {
		url += "|" + version
	}
	return &dpb.Canonical{Value: url}
}

// criteria are the expressions of a rate. The exclusion that every result reports and a text may
// leave out is of nobody, so that the groups of a report mirror those of the Measure.
func criteria(d measure.Definition, rate measure.GroupDefinition) map[measure.Population]string {
	all := map[measure.Population]string{}
	switch {
	case d.Imported:
		return all
	case d.Scoring == measure.ContinuousVariable:
		all[measure.MeasureExclusion] = "false"
	case d.Scoring != measure.Cohort:
		all[measure.DenominatorExclusion] = "false"
	}
	maps.Copy(all, rate.Populations)
	return all
}

// definedGroup is one rate. R4 demands an expression of every population of a Measure, so that an
// imported one, which has none, has no populations either.
func definedGroup(
	d measure.Definition, rate measure.GroupDefinition, dimensions []string,
) *mpb.Measure_Group {
	of := criteria(d, rate)
	id := groupID(rate.ID)
	group := &mpb.Measure_Group{Id: r4.Text(id), Description: r4.Text(rate.Title)}
	for _, p := range populations() {
		if of[p] == "" {
			continue
		}
		group.Population = append(group.Population, &mpb.Measure_Group_Population{
			Id: r4.Text(within(id, string(p))), Extension: drawnFrom(of, id, p),
			Code: populationConcept(p), Criteria: sql(of[p]),
		})
	}
	for _, p := range populations() {
		if d.Observe[p] != "" {
			group.Population = append(group.Population, observation(d, id, p))
		}
	}
	for _, dimension := range dimensions {
		stratifier := &mpb.Measure_Group_Stratifier{
			Id: r4.Text(within(id, linkable(dimension))), Code: dimensionConcept(dimension),
		}
		if !d.Imported {
			stratifier.Criteria = sql(dimension)
		}
		group.Stratifier = append(group.Stratifier, stratifier)
	}
	return group
}

// drawnFrom says of denominator and numerator which initial population each is drawn from, where
// there are two.
func drawnFrom(
	of map[measure.Population]string, group string, p measure.Population,
) []*dpb.Extension {
	if of[measure.NumeratorInitial] == "" {
		return nil
	}
	from := map[measure.Population]measure.Population{
		measure.Denominator: measure.InitialPopulation, measure.Numerator: measure.NumeratorInitial,
	}[p]
	if from == "" {
		return nil
	}
	return []*dpb.Extension{r4.TextExtension(urlCriteria, within(group, string(from)))}
}

// observation is the number that is observed of the members of population p. The score of a
// continuous variable is an aggregate of it, each side of a ratio its sum.
func observation(
	d measure.Definition, group string, p measure.Population,
) *mpb.Measure_Group_Population {
	return &mpb.Measure_Group_Population{
		Id:        r4.Text(within(group, observed(p))),
		Extension: append(method(d), r4.TextExtension(urlCriteria, within(group, string(p)))),
		Code:      observationConcept(),
		Criteria:  sql(d.Observe[p]),
	}
}

// method names the aggregate by the code of the aggregate-method system; the binding is required, and
// has none for a percentile, which is named in an extension of our own.
func method(d measure.Definition) []*dpb.Extension {
	if d.Scoring != measure.ContinuousVariable {
		return []*dpb.Extension{r4.CodeExtension(urlAggregate, "sum")}
	}
	switch d.Aggregate {
	case measure.Percentile90:
		return []*dpb.Extension{r4.CodeExtension(urlOwnMethod, string(d.Aggregate))}
	case measure.Mean:
		return []*dpb.Extension{r4.CodeExtension(urlAggregate, "average")}
	case measure.Sum, measure.Count:
		return []*dpb.Extension{r4.CodeExtension(urlAggregate, string(d.Aggregate))}
	case measure.Median:
	}
	return []*dpb.Extension{r4.CodeExtension(urlAggregate, "median")}
}

// observed names the observation of a population.
func observed(p measure.Population) string { return "observed-" + string(p) }

func sql(expression string) *dpb.Expression {
	return &dpb.Expression{Language: r4.Code(sqlType), Expression: r4.Text(expression)}
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
