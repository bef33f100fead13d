package report

import (
	"fmt"
	"slices"

	"github.com/equitylens/equitylens/measure"
)

// expand makes memberships of the counts of one patient: one list of populations a unit. Which unit is
// which is lost in counts, and does not matter: all have the groups of one patient, and the subsets
// of the populations leave one way to count them. once says that a unit is the patient, so that what
// is in two exclusive populations is in the one that is evaluated first.
func expand(
	scoring measure.Scoring, sizes map[measure.Population]int, once bool,
) ([][]measure.Population, error) {
	if scoring != measure.Ratio {
		if _, ok := sizes[measure.NumeratorInitial]; ok {
			return nil, fmt.Errorf("two initial populations of a %s", scoring)
		}
	}
	for _, p := range needed(scoring) {
		if _, ok := sizes[p]; !ok {
			return nil, fmt.Errorf("no %s, which a %s has", p, scoring)
		}
	}
	l := layout{sizes: sizes, once: once, first: map[measure.Population]int{}}
	switch scoring {
	case measure.Proportion, measure.Ratio:
		l.shares(scoring)
	case measure.ContinuousVariable:
		l.place(measure.MeasurePopulation, 0, sizes[measure.InitialPopulation],
			"the initial population")
		m := sizes[measure.MeasurePopulation]
		l.place(measure.MeasureExclusion, m-sizes[measure.MeasureExclusion], m,
			"the measure population")
	case measure.Cohort:
	}
	if l.err != nil {
		return nil, l.err
	}
	units := make([][]measure.Population, max(sizes[measure.InitialPopulation],
		sizes[measure.NumeratorInitial]))
	for _, p := range populations() {
		for i := l.first[p]; i < l.first[p]+sizes[p]; i++ {
			units[i] = append(units[i], p)
		}
	}
	return units, nil
}

// layout says at which unit each population starts.
type layout struct {
	sizes map[measure.Population]int
	once  bool
	first map[measure.Population]int
	err   error
}

// place puts a population that has room for some units only.
func (l *layout) place(p measure.Population, start, room int, of string) {
	if l.sizes[p] > room && l.err == nil {
		l.err = fmt.Errorf("%s of %d is larger than %s, %d", p, l.sizes[p], of, max(room, 0))
	}
	l.first[p] = start
}

// yield empties a population that the one patient cannot be in, having been counted in another.
func (l *layout) yield(p measure.Population, room int) {
	if l.once && l.sizes[p] > room {
		l.sizes[p] = max(room, 0)
	}
}

// shares places a proportion or a ratio: exclusions are the last of the denominator, the numerator its
// first, exceptions those that follow. The numerator of a ratio is drawn from its own initial
// population, or else from the one that there is.
func (l *layout) shares(scoring measure.Scoring) {
	n := l.sizes
	l.place(measure.Denominator, 0, n[measure.InitialPopulation], "the initial population")
	l.place(measure.DenominatorExclusion, n[measure.Denominator]-n[measure.DenominatorExclusion],
		n[measure.Denominator], "the denominator")
	if scoring == measure.Ratio {
		room, of := n[measure.InitialPopulation], "the initial population"
		if own, ok := n[measure.NumeratorInitial]; ok {
			room, of = own, "its own initial population"
		}
		l.place(measure.Numerator, 0, room, of)
		l.place(measure.DenominatorException, 0, 0, "none, for a ratio has no exceptions")
		l.place(measure.NumeratorExclusion, 0, n[measure.Numerator], "the numerator")
		return
	}
	left := n[measure.Denominator] - n[measure.DenominatorExclusion]
	l.yield(measure.Numerator, left)
	l.place(measure.Numerator, 0, left, "the denominator without its exclusions")
	left -= n[measure.Numerator]
	l.yield(measure.DenominatorException, left)
	l.place(measure.DenominatorException, n[measure.Numerator], left,
		"the denominator without its exclusions and the numerator")
	l.yield(measure.NumeratorExclusion, n[measure.Numerator])
	l.place(measure.NumeratorExclusion, 0, n[measure.Numerator], "the numerator")
}

// needed lists the populations without which a report of a scoring says nothing.
func needed(scoring measure.Scoring) []measure.Population {
	return slices.DeleteFunc(populationsOf(scoring), func(p measure.Population) bool {
		return p == measure.DenominatorExclusion || p == measure.MeasureExclusion
	})
}

// proper reports whether one unit can be in these populations and no others.
func proper(scoring measure.Scoring, in []measure.Population) bool {
	is := func(p measure.Population) bool { return slices.Contains(in, p) }
	implies := func(p, q measure.Population) bool { return !is(p) || is(q) }
	if !implies(measure.Denominator, measure.InitialPopulation) ||
		!implies(measure.DenominatorExclusion, measure.Denominator) ||
		!implies(measure.NumeratorExclusion, measure.Numerator) ||
		!implies(measure.MeasurePopulation, measure.InitialPopulation) ||
		!implies(measure.MeasureExclusion, measure.MeasurePopulation) {
		return false
	}
	if scoring == measure.Ratio {
		return !is(measure.DenominatorException)
	}
	exclusive := 0
	for _, p := range []measure.Population{
		measure.DenominatorExclusion, measure.Numerator, measure.DenominatorException,
	} {
		if is(p) {
			exclusive++
		}
	}
	return exclusive == 0 || exclusive == 1 && is(measure.Denominator)
}
