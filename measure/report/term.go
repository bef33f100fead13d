package report

import (
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure"
)

// Code systems and extensions of others. The deqm and cqfm ones are those of the guides named in
// the package comment; the 5.0 ones carry elements of R5 in R4.
const (
	systemScoring     = "http://terminology.hl7.org/CodeSystem/measure-scoring"
	systemImprovement = "http://terminology.hl7.org/CodeSystem/measure-improvement-notation"
	systemPopulation  = "http://terminology.hl7.org/CodeSystem/measure-population"
	systemLibraryType = "http://terminology.hl7.org/CodeSystem/library-type"
	systemDataUsage   = "http://terminology.hl7.org/CodeSystem/measure-data-usage"
	systemAbsent      = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
	systemEmpty       = "http://terminology.hl7.org/CodeSystem/list-empty-reason"
	systemState       = r4.OwnSystem + "value-state"
	systemDimension   = r4.OwnSystem + "dimension"

	deqm             = "http://hl7.org/fhir/uv/deqm/StructureDefinition/"
	urlScoring       = deqm + "deqm-measureScoring"
	urlImprovement   = deqm + "deqm-groupImprovementNotation"
	urlCountQuantity = core + "measurereport-countQuantity"

	core           = "http://hl7.org/fhir/StructureDefinition/"
	urlCriteria    = core + "cqf-criteriaReference"
	urlMeasureInfo = core + "cqf-measureInfo"
	urlMessages    = core + "cqf-messages"
	urlDescription = core + "measurereport-populationDescription"

	cqfm         = "http://hl7.org/fhir/us/cqfmeasures/StructureDefinition/"
	urlDirection = cqfm + "cqfm-improvementNotation"
	urlBasis     = cqfm + "cqfm-populationBasis"
	urlAggregate = cqfm + "cqfm-aggregateMethod"

	linkGroup             = reportLink + "group.linkId"
	linkPopulation        = reportLink + "group.population.linkId"
	linkStratifier        = reportLink + "group.stratifier.linkId"
	linkComponent         = reportLink + "group.stratifier.stratum.component.linkId"
	linkStratumPopulation = reportLink + "group.stratifier.stratum.population.linkId"
	urlSupplemental       = reportLink + "supplementalData"
	reportLink            = "http://hl7.org/fhir/5.0/StructureDefinition/extension-MeasureReport."
)

// Extensions of our own.
const (
	urlInterval  = r4.Own + "confidence-interval"
	urlStatistic = r4.Own + "statistic"
	urlSnapshot  = r4.Own + "snapshot"
	urlComplete  = r4.Own + "data-completeness"
	urlUndated   = r4.Own + "undated"
	urlPolicy    = r4.Own + "race-policy"
	urlFilter    = r4.Own + "filter"
	urlAudience  = r4.Own + "audience"
	urlOverlaps  = r4.Own + "overlapping"
	urlHidden    = r4.Own + "suppressed"
	urlShare     = r4.Own + "share"
	urlNotKnown  = r4.Own + "not-known-share"
	urlBounds    = r4.Own + "score-bounds"
	urlIfUnknown = r4.Own + "score-if-unknown"
	urlOwnMethod = r4.Own + "aggregate"
	urlOwnBasis  = r4.Own + "population-basis"
)

// populations lists every population in the order in which it is evaluated and shown.
func populations() []measure.Population {
	return []measure.Population{
		measure.InitialPopulation, measure.MeasurePopulation, measure.MeasureExclusion,
		measure.Denominator, measure.DenominatorExclusion, measure.NumeratorInitial,
		measure.Numerator, measure.DenominatorException, measure.NumeratorExclusion,
	}
}

// populationConcept has the display of the measure-population code system. The initial population of
// a ratio's numerator has the code of the other one, and is told from it by its id.
func populationConcept(p measure.Population) *dpb.CodeableConcept {
	displays := map[measure.Population]string{
		measure.InitialPopulation:    "Initial Population",
		measure.Denominator:          "Denominator",
		measure.DenominatorExclusion: "Denominator Exclusion",
		measure.DenominatorException: "Denominator Exception",
		measure.Numerator:            "Numerator",
		measure.NumeratorExclusion:   "Numerator Exclusion",
		measure.MeasurePopulation:    "Measure Population",
		measure.MeasureExclusion:     "Measure Population Exclusion",
	}
	if p == measure.NumeratorInitial {
		p = measure.InitialPopulation
	}
	return &dpb.CodeableConcept{
		Coding: []*dpb.Coding{r4.Coding(systemPopulation, string(p), displays[p])},
	}
}

// observationConcept is the code of a population that is a number and not a set.
func observationConcept() *dpb.CodeableConcept {
	return &dpb.CodeableConcept{Coding: []*dpb.Coding{
		r4.Coding(systemPopulation, observationCode, "Measure Observation"),
	}}
}

const observationCode = "measure-observation"

// populationsOf lists the populations that a result of a scoring reports at least.
func populationsOf(s measure.Scoring) []measure.Population {
	switch s {
	case measure.Cohort:
		return []measure.Population{measure.InitialPopulation}
	case measure.ContinuousVariable:
		return []measure.Population{
			measure.InitialPopulation, measure.MeasurePopulation, measure.MeasureExclusion,
		}
	case measure.Proportion, measure.Ratio:
	}
	return []measure.Population{
		measure.InitialPopulation, measure.Denominator, measure.DenominatorExclusion,
		measure.Numerator,
	}
}

func scoringConcept(s measure.Scoring) *dpb.CodeableConcept {
	return r4.Coded(systemScoring, string(s))
}

// improvementConcept is the direction as R4 codes it. The binding is required and has no code for
// Context; to say increase or decrease would make a receiver call one group better than another. So
// the concept then has no code but the reason why it has none.
func improvementConcept(i measure.Improvement) *dpb.CodeableConcept {
	if i == measure.Increase || i == measure.Decrease {
		return r4.Coded(systemImprovement, string(i))
	}
	return &dpb.CodeableConcept{
		Extension: []*dpb.Extension{r4.CodeExtension(r4.DataAbsentReason, "not-applicable")},
		Text:      r4.Text("a figure that is neither good nor bad by itself"),
	}
}

// dimensionConcept names a stratifier or a component. A dimension is a code of our own, whose text
// is the code itself.
func dimensionConcept(dimension string) *dpb.CodeableConcept {
	return r4.Coded(systemDimension, dimension)
}

// valueConcept is the value of a stratum: the code in its own system where it is known, else the
// state of the value. A label never stands alone, because labels of one dimension may be alike.
func valueConcept(c measure.Coding) *dpb.CodeableConcept {
	if c.Code != "" {
		return r4.Concept(c.System, c.Code, c.Label)
	}
	return r4.Concept(systemState, c.State, c.Label)
}

// linked makes the list of extensions that holds a link to the element of the Measure.
func linked(url, id string) []*dpb.Extension {
	return []*dpb.Extension{r4.TextExtension(url, id)}
}

// within makes an id that is unique in a measure of several groups.
func within(group, id string) string { return group + "." + id }
