package gap

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/stat"
)

// Comparison is all that is to be said of one rate by one dimension in one period. Its JSON form is
// the contract of `equitylens compare --json`: fields may be added, never changed. A figure that is
// not given has its reason beside it, in a field that ends in refused.
type Comparison struct {
	Measure  string `json:"measure"`
	Version  string `json:"version"`
	Title    string `json:"title"`
	Snapshot string `json:"snapshot"`
	// DataAsOf is the moment of the data.
	DataAsOf time.Time      `json:"data_as_of"`
	Period   measure.Period `json:"period"`
	Policy   mapping.Policy `json:"race_policy,omitempty"`
	Filter   measure.Filter `json:"filter,omitempty"`
	// Incomplete says which data the measure lacks.
	Incomplete []string `json:"incomplete,omitempty"`
	// Rate is the id of the measure's group, RateTitle its title.
	Rate        string              `json:"rate"`
	RateTitle   string              `json:"rate_title"`
	Scoring     measure.Scoring     `json:"scoring"`
	Improvement measure.Improvement `json:"improvement"`
	// Per is the scale of scores: 1 for a proportion, 1000 for a rate per 1,000.
	Per       float64 `json:"per"`
	Dimension string  `json:"dimension"`
	// Overlapping says that the groups overlap.
	Overlapping bool `json:"overlapping,omitempty"`
	// Reference is the group that the others are compared with; absent where none are.
	Reference *Chosen `json:"reference,omitempty"`
	// GapsRefused says why nothing is compared.
	GapsRefused *Refused `json:"gaps_refused,omitempty"`
	// All is everybody, Groups every stratum: those that are known first.
	All    Compared   `json:"all"`
	Groups []Compared `json:"groups"`
	// Standard is the population of the age-standardised scores, StandardRefused why there are none.
	Standard        *AgeStandard `json:"age_standard,omitempty"`
	StandardRefused *Refused     `json:"age_standard_refused,omitempty"`
	// Test asks whether all groups are alike: one test, made before looking at any pair.
	Test        *Test    `json:"test,omitempty"`
	TestRefused *Refused `json:"test_refused,omitempty"`
	// Trend asks whether the score rises or falls over ages. Other dimensions have no order.
	Trend *Test `json:"trend,omitempty"`
	// Summary condenses all gaps into single numbers.
	Summary        *Summary `json:"summary,omitempty"`
	SummaryRefused *Refused `json:"summary_refused,omitempty"`
	// Sentences say the most of it in plain words.
	Sentences []string `json:"sentences"`
}

// Chosen is the reference of a comparison. Code is empty where it is everybody.
type Chosen struct {
	Rule  Reference `json:"rule"`
	Code  string    `json:"code"`
	Label string    `json:"label"`
}

// is reports whether a stratum is the reference.
func (c *Chosen) is(s measure.Stratum) bool {
	return c != nil && c.Rule != Overall && known(s) && c.Code == code(s)
}

// Compared is what is known of one stratum.
type Compared struct {
	Label string `json:"label"`
	Code  string `json:"code,omitempty"`
	State string `json:"state,omitempty"`
	// N is the effective denominator: units, days, or how many observed a value.
	N float64 `json:"n"`
	// Events is the numerator after exclusions; absent of a continuous variable.
	Events *float64 `json:"events,omitempty"`
	// Share is the part of the initial population that is in the stratum.
	Share *float64 `json:"share,omitempty"`
	// Score is crude; Interval its 95 % interval.
	Score    *float64    `json:"score,omitempty"`
	Interval *[2]float64 `json:"interval,omitempty"`
	// Reliability and Why are those of Score.
	Reliability string `json:"reliability,omitempty"`
	Why         string `json:"why,omitempty"`
	// Suppressed says that figures are hidden.
	Suppressed bool `json:"suppressed,omitempty"`
	// Direct is the score that the stratum would have with the ages of the standard.
	Direct        *Direct  `json:"age_standardised,omitempty"`
	DirectRefused *Refused `json:"age_standardised_refused,omitempty"`
	// Indirect holds its events against what people of the same ages have.
	Indirect        *Indirect `json:"observed_to_expected,omitempty"`
	IndirectRefused *Refused  `json:"observed_to_expected_refused,omitempty"`
	// Residual is how many standard errors its events are from what the test of all groups expects.
	Residual *float64 `json:"residual,omitempty"`
	// Gap is its difference from the reference.
	Gap        *Gap     `json:"gap,omitempty"`
	GapRefused *Refused `json:"gap_refused,omitempty"`
}

// ErrUnknownRate says that a measure has no rate of that id.
var ErrUnknownRate = errors.New("the measure has no such rate")

// ErrNoDimension says that a result is not stratified by the dimension.
var ErrNoDimension = errors.New("the result is not stratified by that dimension")

// Compare says all that is to be said of one rate of a result by one dimension. An empty rate is
// the first one. For age-standardised scores the result must hold the dimension crossed with
// age_band, for what is left of gaps within sites and ages the crosses of CrossesFor. The family
// of the correction is every test of the comparison.
func Compare(r measure.Result, rate, dimension string, o Options) (Comparison, error) {
	g, err := rateOf(r, rate)
	if err != nil {
		return Comparison{}, err
	}
	strata, ok := g.Strata[dimension]
	if !ok && len(r.Incomplete) == 0 {
		return Comparison{}, fmt.Errorf("compare %s by %s: %w", r.Measure, dimension, ErrNoDimension)
	}
	out := Comparison{
		Measure: r.Measure, Version: r.Version, Title: r.Title, Snapshot: r.Snapshot,
		DataAsOf: r.DataAsOf, Period: r.Period, Policy: r.Policy, Filter: r.Filter,
		Incomplete: r.Incomplete, Rate: g.ID, RateTitle: g.Title, Scoring: g.Scoring,
		Improvement: g.Improvement, Per: scale(g), Dimension: dimension,
		Overlapping: slices.Contains(g.Overlapping, dimension),
		All:         comparedOf(g, everybodyOf(g)),
		Groups:      make([]Compared, 0, len(strata)),
	}
	for _, s := range strata {
		out.Groups = append(out.Groups, comparedOf(g, s))
	}
	if err := out.gaps(r, g, strata, o); err != nil {
		return Comparison{}, err
	}
	if err := out.standardise(g, strata, o.Standard); err != nil {
		return Comparison{}, err
	}
	out.test(g, strata)
	out.summarise(g, strata, o)
	out.correct()
	out.speak(g)
	return out, nil
}

// everybodyOf is everybody as a stratum.
func everybodyOf(g measure.Group) measure.Stratum {
	return measure.Stratum{Coding: measure.Coding{Label: overallLabel}, Cell: g.Cell}
}

// rateOf finds a rate of a result.
func rateOf(r measure.Result, rate string) (measure.Group, error) {
	i := slices.IndexFunc(r.Groups, func(g measure.Group) bool { return rate == "" || g.ID == rate })
	if i < 0 {
		return measure.Group{}, fmt.Errorf("rate %q of %s: %w", rate, r.Measure, ErrUnknownRate)
	}
	return r.Groups[i], nil
}

// comparedOf begins with what the stratum says of itself.
func comparedOf(g measure.Group, s measure.Stratum) Compared {
	c := Compared{Label: label(s), Code: code(s), State: stateOf(s), Share: s.Share,
		Suppressed: s.Suppressed}
	if s.Suppressed {
		return c
	}
	c.N, c.Score, c.Interval = effective(g.Scoring, s.Cell), s.Score, s.Interval
	if g.Scoring == measure.Proportion || g.Scoring == measure.Ratio {
		events := met(s.Cell)
		c.Events = &events
	}
	if s.Score != nil {
		c.Reliability, c.Why = reliabilityOf(g, s.Cell)
	}
	return c
}

// stateOf is known, or the first state that is not, of a cross.
func stateOf(s measure.Stratum) string {
	for _, c := range s.Components {
		if c.State != string(mapping.Known) {
			return c.State
		}
	}
	if len(s.Components) > 0 {
		return string(mapping.Known)
	}
	return s.State
}

// gaps compares every stratum with the reference, or says why not.
func (out *Comparison) gaps(
	r measure.Result, g measure.Group, strata []measure.Stratum, o Options,
) error {
	reference, rule, refused, err := o.referenceOf(g, out.Dimension)
	out.GapsRefused = refused
	if refused != nil || err != nil {
		return err
	}
	out.Reference = &Chosen{Rule: rule, Code: code(reference), Label: label(reference)}
	found := compareAll(r, g, out.Dimension, o)
	for i := range out.Groups {
		c := &out.Groups[i]
		at := slices.IndexFunc(found, func(gap Gap) bool {
			return known(strata[i]) && gap.Code == c.Code
		})
		switch {
		case at >= 0:
			c.Gap = &found[at]
		case c.Suppressed:
			c.GapRefused = refuse(Hidden)
		case !known(strata[i]):
			c.GapRefused = refuse(NotAGroup)
		case c.Score == nil:
			c.GapRefused = refuse(NoScore)
		case c.N < smallestGroup:
			c.GapRefused = refuse(FewUnits)
		default:
			c.GapRefused = refuse(IsReference)
		}
	}
	return nil
}

// correct adjusts every p-value for all the others.
func (out *Comparison) correct() {
	var family []tested
	for i := range out.Groups {
		if gap := out.Groups[i].Gap; gap != nil && gap.P != nil {
			family = append(family, tested{*gap.P, &gap.Q})
		}
	}
	for _, t := range []*Test{out.Test, out.Trend} {
		if t != nil {
			family = append(family, tested{t.P, &t.Q})
		}
	}
	correct(family)
}

// Test is a test over all groups at once.
type Test struct {
	// Method is chi-squared, fisher-exact, kruskal-wallis or cochran-armitage.
	Method stat.Method `json:"method"`
	// Statistic is χ², H or Z; an exact test has none. DF are the degrees of freedom of χ² and H.
	Statistic *float64 `json:"statistic,omitempty"`
	DF        int      `json:"df,omitempty"`
	P         float64  `json:"p"`
	// Q is P corrected for all tests of the comparison.
	Q *float64 `json:"q,omitempty"`
	// Groups is how many groups were tested: those that are known and have anybody.
	Groups int `json:"groups"`
	// CramersV is the size of the association, 0 to 1.
	CramersV *float64 `json:"cramers_v,omitempty"`
	// SmallestExpected is the least count that the test expects in a cell; Rough says that it is
	// below 5 and the p-value not to be relied on, because the exact test would be too much work.
	SmallestExpected *float64 `json:"smallest_expected,omitempty"`
	Rough            bool     `json:"rough,omitempty"`
}
