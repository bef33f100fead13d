package measure

import "slices"

// allPopulations lists the populations in the order of their evaluation.
func allPopulations() []Population {
	return []Population{
		InitialPopulation, Denominator, DenominatorExclusion, NumeratorInitial, Numerator,
		DenominatorException, NumeratorExclusion, MeasurePopulation, MeasureExclusion,
	}
}

// populationsOf lists the populations that a rate of a scoring must have, and those that it may:
// table 3-1 of the Quality Measure IG, http://hl7.org/fhir/us/cqfmeasures.
func populationsOf(s Scoring) (required, optional []Population) {
	switch s {
	case Proportion:
		return []Population{InitialPopulation, Denominator, Numerator},
			[]Population{DenominatorExclusion, DenominatorException, NumeratorExclusion}
	case Ratio:
		return []Population{InitialPopulation, Denominator, Numerator},
			[]Population{DenominatorExclusion, NumeratorInitial, NumeratorExclusion}
	case ContinuousVariable:
		return []Population{InitialPopulation, MeasurePopulation}, []Population{MeasureExclusion}
	case Cohort:
		return []Population{InitialPopulation}, nil
	}
	return nil, nil
}

// observable lists the populations of a scoring that may observe a number, and whether they must.
func observable(s Scoring) (populations []Population, required bool) {
	switch s {
	case Ratio:
		return []Population{Denominator, Numerator}, false
	case ContinuousVariable:
		return []Population{MeasurePopulation}, true
	case Proportion, Cohort:
	}
	return nil, false
}

// shown lists the populations that are counted of a rate: those that it defines, and its exclusions
// even where it has none, because a reader looks for them.
func (d *Definition) shown(has func(Population) bool) []Population {
	required, optional := populationsOf(d.Scoring)
	var out []Population
	for _, p := range allPopulations() {
		always := slices.Contains(required, p) || p == DenominatorExclusion || p == MeasureExclusion
		if (slices.Contains(required, p) || slices.Contains(optional, p)) && (always || has(p)) {
			out = append(out, p)
		}
	}
	return out
}

// slot is where a population stands in a tally and which letter its column has. What a continuous
// variable measures stands where other scorings have their denominator.
type slot int

// The slots.
const (
	inInitial slot = iota
	inMeasured
	inExcluded
	inNumeratorInitial
	inNumerator
	inExcepted
	inNumeratorExcluded
	slots
)

func slotOf(p Population) slot {
	switch p {
	case InitialPopulation:
		return inInitial
	case Denominator, MeasurePopulation:
		return inMeasured
	case DenominatorExclusion, MeasureExclusion:
		return inExcluded
	case NumeratorInitial:
		return inNumeratorInitial
	case Numerator:
		return inNumerator
	case DenominatorException:
		return inExcepted
	case NumeratorExclusion:
		return inNumeratorExcluded
	}
	return slots
}

// letter names the column that says whether a unit is in the population.
func (s slot) letter() string { return "idxjney"[s : s+1] }
