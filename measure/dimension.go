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
const maxCross = 3

// Stratifier is one dimension, or up to three that are crossed.
type Stratifier []string

// ParseStratifier reads "race" or "race*language*sex".
func ParseStratifier(text string) (Stratifier, error) {
	parts := Stratifier(strings.Split(text, "*"))
	if len(parts) > maxCross {
		return nil, fmt.Errorf("%w: %q crosses more than %d dimensions", ErrUnknownDimension, text,
			maxCross)
	}
	all := append(Dimensions(), DimensionRaceSet, DimensionSPD15Set)
	for i, part := range parts {
		if !slices.Contains(all, part) {
			return nil, fmt.Errorf("%w: %q is none of %s", ErrUnknownDimension, part,
				strings.Join(all, ", "))
		}
		if slices.Contains(parts[:i], part) {
			return nil, fmt.Errorf("%w: %q crosses %s with itself", ErrUnknownDimension, text, part)
		}
	}
	return parts, nil
}

// String returns the form that ParseStratifier reads.
func (s Stratifier) String() string { return strings.Join(s, "*") }

// words says what the keys of the store mean, under a race policy.
type words struct {
	sites  map[string]string
	policy mapping.Policy
}

func (w words) coding(dimension, key string) Coding {
	v := facts.ValueOf(key)
	if v.State != mapping.Known {
		return Coding{State: string(v.State), Label: mapping.Label(mapping.SystemState, string(v.State))}
	}
	out := Coding{Code: v.Code, State: string(mapping.Known)}
	switch dimension {
	case DimensionRaceSet:
		out.System, out.Label = SystemRaceSet, labelSet(v.Code)
		return out
	case DimensionSPD15Set:
		out.System, out.Label = SystemSPD15Set, labelSet(v.Code)
		return out
	}
	out.System = mapping.SystemOf(dimension, v.Code)
	out.Label = mapping.Label(out.System, v.Code)
	switch {
	case dimension == mapping.DimensionSite && w.sites[v.Code] != "":
		out.Label = w.sites[v.Code]
	case dimension == mapping.DimensionRace && w.policy == mapping.PolicyNCQA && v.Code == otherRace:
		out.Label = "Some Other Race" // As NCQA calls it.
	}
	return out
}

// labelSet names the categories of a recorded set.
func labelSet(code string) string {
	codes := strings.Split(code, setSeparator)
	labels := make([]string, len(codes))
	for i, c := range codes {
		labels[i] = mapping.Label(mapping.SystemCDCREC, c)
	}
	if len(labels) == 1 {
		return labels[0] + " alone"
	}
	return strings.Join(labels, " + ")
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
