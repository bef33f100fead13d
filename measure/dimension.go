package measure

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/facts"
)

// Dimensions lists the dimensions by which every unit can be stratified.
func Dimensions() []string {
	return []string{
		mapping.DimensionRace, mapping.DimensionEthnicity, mapping.DimensionRaceEthnicity,
		mapping.DimensionLanguage, mapping.DimensionLanguageGroup, mapping.DimensionInterpreter,
		mapping.DimensionSex, mapping.DimensionAgeBand, mapping.DimensionSite,
	}
}

// maxCross is how many dimensions one stratifier may cross.
const maxCross = 2

// Stratifier is one dimension, or two that are crossed.
type Stratifier []string

// ParseStratifier reads "race" or "race*language".
func ParseStratifier(text string) (Stratifier, error) {
	parts := Stratifier(strings.Split(text, "*"))
	if len(parts) > maxCross {
		return nil, fmt.Errorf("%w: %q crosses more than %d dimensions", ErrUnknownDimension, text,
			maxCross)
	}
	for i, part := range parts {
		if !slices.Contains(Dimensions(), part) {
			return nil, fmt.Errorf("%w: %q is none of %s", ErrUnknownDimension, part,
				strings.Join(Dimensions(), ", "))
		}
		if slices.Contains(parts[:i], part) {
			return nil, fmt.Errorf("%w: %q crosses %s with itself", ErrUnknownDimension, text, part)
		}
	}
	return parts, nil
}

// String returns the form that ParseStratifier reads.
func (s Stratifier) String() string { return strings.Join(s, "*") }

// codingOf says what a key of the store means.
func codingOf(dimension, key string, sites map[string]string) Coding {
	v := facts.ValueOf(key)
	if v.State != mapping.Known {
		return Coding{State: string(v.State), Label: mapping.Label(mapping.SystemState, string(v.State))}
	}
	system := mapping.SystemOf(dimension, v.Code)
	label := mapping.Label(system, v.Code)
	if dimension == mapping.DimensionSite && sites[v.Code] != "" {
		label = sites[v.Code]
	}
	return Coding{Code: v.Code, System: system, Label: label, State: string(mapping.Known)}
}

// compareCodings orders strata for a reader: bands by age, other categories by their words, so that
// no group comes first by habit; what is not a category last, in the order of mapping.States.
func compareCodings(dimension string, a, b Coding) int {
	rank := func(c Coding) int { return slices.Index(mapping.States(), mapping.State(c.State)) }
	if d := cmp.Compare(rank(a), rank(b)); d != 0 {
		return d
	}
	if dimension == mapping.DimensionAgeBand {
		bands := mapping.AgeBands()
		return cmp.Compare(slices.Index(bands, a.Code), slices.Index(bands, b.Code))
	}
	return cmp.Or(strings.Compare(a.Label, b.Label), strings.Compare(a.Code, b.Code))
}
