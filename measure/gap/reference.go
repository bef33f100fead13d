package gap

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
)

// Reference says what the strata of a dimension are compared with: a rule, or else the code of
// one of them.
type Reference string

// The rules.
const (
	// Best is the stratum with the best score among those that hold a tenth of the units, because the
	// best of many small groups is often best by chance; the largest, where neither way is better.
	Best Reference = "best"
	// Largest is the stratum with most units.
	Largest Reference = "largest"
	// Overall is everybody in the group of the measure, those of unknown category included.
	Overall Reference = "overall"
)

// ErrNoReference says that no dimension of the results has a stratum of the code that was to be the
// reference, with enough units to be compared.
var ErrNoReference = errors.New("no stratum can be that reference")

// smallestGroup is the effective denominator below which a stratum is not compared: CMS needs 25
// and NCHS 30 before a proportion is shown.
const smallestGroup = 30

// referenceShare is the share of the units that a stratum must hold to be the best.
const referenceShare = 0.1

// effective is the denominator after exclusions and exceptions.
func effective(s measure.Scoring, c measure.Cell) float64 {
	if s == measure.ContinuousVariable {
		return c.Populations[measure.MeasurePopulation] - c.Populations[measure.MeasureExclusion]
	}
	return c.Populations[measure.Denominator] - c.Populations[measure.DenominatorExclusion] -
		c.Populations[measure.DenominatorException]
}

// met is the numerator after exclusions.
func met(c measure.Cell) float64 {
	return c.Populations[measure.Numerator] - c.Populations[measure.NumeratorExclusion]
}

// comparable keeps the strata that are groups of people and large enough: unknown and its kin are
// shares to mend.
func comparable(g measure.Group, strata []measure.Stratum) []measure.Stratum {
	return slices.DeleteFunc(slices.Clone(strata), func(s measure.Stratum) bool {
		return !known(s) || s.Score == nil || s.Suppressed || effective(g.Scoring, s.Cell) < smallestGroup
	})
}

// known reports whether every part of a stratum is a category.
func known(s measure.Stratum) bool {
	for _, c := range s.Components {
		if c.State != string(mapping.Known) {
			return false
		}
	}
	return len(s.Components) > 0 || s.State == string(mapping.Known)
}

// code joins the codes of a stratum.
func code(s measure.Stratum) string {
	text := s.Code
	for i, c := range s.Components {
		if i > 0 {
			text += "*"
		}
		text += c.Code
	}
	return text
}

// label joins the labels of a stratum.
func label(s measure.Stratum) string {
	text := s.Label
	for i, c := range s.Components {
		if i > 0 {
			text += " × "
		}
		text += c.Label
	}
	return text
}

// overallLabel names everybody.
const overallLabel = "all"

// choose finds the reference among comparable strata; there are some.
func (r Reference) choose(g measure.Group, strata []measure.Stratum) (measure.Stratum, error) {
	switch r {
	case "", Best:
		return slices.MaxFunc(strata, func(a, b measure.Stratum) int { return better(g, a, b) }), nil
	case Largest:
		return slices.MaxFunc(strata, func(a, b measure.Stratum) int {
			return cmp.Compare(effective(g.Scoring, a.Cell), effective(g.Scoring, b.Cell))
		}), nil
	case Overall:
		return everybodyOf(g), nil
	}
	i := slices.IndexFunc(strata, func(s measure.Stratum) bool { return code(s) == string(r) })
	if i < 0 {
		return measure.Stratum{}, fmt.Errorf("reference %q: %w", string(r), ErrNoReference)
	}
	return strata[i], nil
}

// referenceOf chooses what the strata of a rate are compared with, or says why nothing is.
func (o Options) referenceOf(
	g measure.Group, dimension string,
) (reference measure.Stratum, rule Reference, refused *Refused, err error) {
	strata := comparable(g, g.Strata[dimension])
	switch {
	case g.Scoring == measure.Cohort:
		return reference, "", refuse(NoScore), nil
	case slices.Contains(g.Overlapping, dimension):
		return reference, "", refuse(Overlaps), nil
	case slices.Contains(g.NotBy, dimension):
		return reference, "", refuse(AboutIt), nil
	case len(strata) < 2:
		return reference, "", refuse(OneGroup), nil
	}
	rule = o.Reference
	if rule == "" {
		rule = Best
	}
	reference, err = rule.choose(g, strata)
	return reference, rule, nil, err
}

// better orders two strata by how well they would serve as the best.
func better(g measure.Group, a, b measure.Stratum) int {
	if d := cmp.Compare(reliable(g, a), reliable(g, b)); d != 0 {
		return d
	}
	switch g.Improvement {
	case measure.Increase:
		return cmp.Compare(*a.Score, *b.Score)
	case measure.Decrease:
		return cmp.Compare(*b.Score, *a.Score)
	case measure.Context:
	}
	return cmp.Compare(effective(g.Scoring, a.Cell), effective(g.Scoring, b.Cell))
}

// reliable is 1 for a stratum that is large enough to be the best, else 0.
func reliable(g measure.Group, s measure.Stratum) int {
	if effective(g.Scoring, s.Cell) >= referenceShare*effective(g.Scoring, g.Cell) {
		return 1
	}
	return 0
}

// worse reports whether a score is behind that of the reference; where neither way is better,
// whether it differs.
func worse(i measure.Improvement, score, reference float64) bool {
	switch i {
	case measure.Increase:
		return score < reference
	case measure.Decrease:
		return score > reference
	case measure.Context:
	}
	return score != reference
}
