package measure

import "maps"

// Unit is what a measure counts: one row of the unit's documented view.
type Unit string

// The units.
const (
	PatientUnit   Unit = "patient"
	EncounterUnit Unit = "encounter"
	StayUnit      Unit = "stay"
	EventUnit     Unit = "event"
)

// Scoring is a code of http://terminology.hl7.org/CodeSystem/measure-scoring.
type Scoring string

// The scorings.
const (
	Proportion         Scoring = "proportion"
	Ratio              Scoring = "ratio"
	ContinuousVariable Scoring = "continuous-variable"
	// Cohort counts an initial population and scores nothing.
	Cohort Scoring = "cohort"
)

// Aggregate is how the observations of a continuous variable become its score.
type Aggregate string

// The aggregates.
const (
	Median       Aggregate = "median"
	Mean         Aggregate = "mean"
	Percentile90 Aggregate = "p90"
	Sum          Aggregate = "sum"
	Count        Aggregate = "count"
)

// Aggregates lists the aggregates, the default first.
func Aggregates() []Aggregate { return []Aggregate{Median, Mean, Percentile90, Sum, Count} }

// Improvement says which way is better. Increase and Decrease are the codes of
// http://terminology.hl7.org/CodeSystem/measure-improvement-notation; Context is our word for a
// figure that is neither good nor bad by itself.
type Improvement string

// The directions.
const (
	Increase Improvement = "increase"
	Decrease Improvement = "decrease"
	Context  Improvement = "context"
)

// Population is a code of http://terminology.hl7.org/CodeSystem/measure-population, and one of our
// own: NumeratorInitial, which FHIR writes as a second initial-population that the numerator names.
type Population string

// The populations, in the order in which they are evaluated.
const (
	InitialPopulation    Population = "initial-population"
	Denominator          Population = "denominator"
	DenominatorExclusion Population = "denominator-exclusion"
	NumeratorInitial     Population = "numerator-initial-population"
	Numerator            Population = "numerator"
	DenominatorException Population = "denominator-exception"
	NumeratorExclusion   Population = "numerator-exclusion"
	MeasurePopulation    Population = "measure-population"
	MeasureExclusion     Population = "measure-population-exclusion"
)

// Definition is one measure, as its YAML file says it. docs/measures.md documents every key.
type Definition struct {
	ID      string `yaml:"id"`
	Version string `yaml:"version"`
	// Date is the day from which this version is in use, such as 2026-11-22; it may be empty.
	Date    string  `yaml:"date"`
	Title   string  `yaml:"title"`
	Unit    Unit    `yaml:"unit"`
	Scoring Scoring `yaml:"scoring"`
	// Improvement is the direction of every group that does not name its own.
	Improvement Improvement `yaml:"improvement"`
	// DatedBy places a unit in the period: start, end, date, or period for a patient.
	DatedBy string `yaml:"dated_by"`
	// Needs lists the resource types without which the answer is incomplete, not zero.
	Needs []string `yaml:"needs"`
	// Per scales a ratio for people: 1000 for "per 1,000 patient-days".
	Per float64 `yaml:"per"`
	// Observe holds the SQL expression of the number that a population observes: of the
	// measure-population for a continuous variable, of denominator and numerator for a ratio.
	Observe map[Population]string `yaml:"observe"`
	// Aggregate makes the score of a continuous variable of what it observes. Empty is Median.
	Aggregate Aggregate `yaml:"aggregate"`
	// Above is a threshold whose share is reported beside a continuous variable.
	Above *float64 `yaml:"above"`
	// Populations holds one SQL boolean expression a population, over the columns of the unit's view.
	Populations map[Population]string `yaml:"populations"`
	// NotBy lists the dimensions that the measure is about: a share of known languages is 1 in every
	// language, so a gap by language says nothing. They are shown, and not compared.
	NotBy []string `yaml:"not_by"`
	// Groups are the rates of the measure where it has more than one; each overrides what it names.
	Groups []GroupDefinition `yaml:"groups"`
	Source string            `yaml:"source"`
	Says   string            `yaml:"says"`
	// Reads and Caution are those of Words, in English; In holds what is said in other languages. None
	// of them is of what the figures are, so that they are in no digest and in no JSON.
	Reads   string           `yaml:"reads" json:"-"`
	Caution string           `yaml:"caution" json:"-"`
	In      map[string]Words `yaml:"in" json:"-"`
	// Imported says that another engine decided who is in which population; there are no expressions,
	// and figures only for the periods that were imported. No file can say it.
	Imported bool `yaml:"-"`
	// URL is the canonical of an imported measure at its origin.
	URL string `yaml:"-"`
}

// GroupDefinition is one rate of a measure with several.
type GroupDefinition struct {
	ID          string                `yaml:"id"`
	Title       string                `yaml:"title"`
	Improvement Improvement           `yaml:"improvement"`
	Populations map[Population]string `yaml:"populations"`
	// NotBy adds to that of the measure.
	NotBy []string `yaml:"not_by"`
	// Says, Reads, Caution and In are as in a Definition.
	Says    string           `yaml:"says" json:"-"`
	Reads   string           `yaml:"reads" json:"-"`
	Caution string           `yaml:"caution" json:"-"`
	In      map[string]Words `yaml:"in" json:"-"`
}

// Rates returns the groups of a measure with everything filled in; a measure without groups has one,
// whose id is "main".
func (d *Definition) Rates() []GroupDefinition {
	groups := d.Groups
	if len(groups) == 0 {
		groups = []GroupDefinition{{ID: "main"}}
	}
	rates := make([]GroupDefinition, len(groups))
	for i, g := range groups {
		g = d.worded(g)
		if g.Improvement == "" {
			g.Improvement = d.Improvement
		}
		populations := make(map[Population]string, len(d.Populations)+len(g.Populations))
		maps.Copy(populations, d.Populations)
		maps.Copy(populations, g.Populations)
		g.Populations = populations
		rates[i] = g
	}
	return rates
}

// scale is what a score is multiplied by for people.
func (d *Definition) scale() float64 {
	if d.Per == 0 {
		return 1
	}
	return d.Per
}

// aggregated is how a continuous variable is scored; empty for any other scoring.
func (d *Definition) aggregated() Aggregate {
	if d.Scoring == ContinuousVariable && d.Aggregate == "" {
		return Median
	}
	return d.Aggregate
}
