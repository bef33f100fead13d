package measure

import (
	"fmt"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/mapping"
)

// The recorded sets as dimensions: exclusive groups, one for each combination that occurs. They are
// not among Dimensions, because there may be many.
const (
	DimensionRaceSet  = "race_set"
	DimensionSPD15Set = "spd15_set"
)

// Systems of the codes of recorded sets, such as 2028-9+2106-3.
const (
	SystemRaceSet  = mapping.SystemOwn + "race-set"
	SystemSPD15Set = mapping.SystemOwn + "spd15-set"
)

const (
	setSeparator = "+"
	hispanic     = "2135-2"
	otherRace    = "2131-1"
)

// axis is one dimension under a race policy: the columns of the store that its groups are made of,
// and how. Columns hold keys.
type axis struct {
	dimension string
	columns   []string
	// groups makes the groups of a unit of the keys of the columns; nil is the one key of the one
	// column. A unit has at least one group, and none twice.
	groups func(keys []string) []string
}

// overlapping says that a unit may be in several groups.
func (a axis) overlapping() bool { return a.groups != nil }

// of returns the groups of a unit.
func (a axis) of(keys []string) []string {
	if a.groups == nil {
		return keys
	}
	return a.groups(keys)
}

// axisOf resolves a dimension under a policy. The empty policy is the columns as docs/mapping.md has
// them, which is that of OMB 1997 by another name.
func axisOf(dimension string, policy mapping.Policy) (axis, error) {
	as := func(column string) (axis, error) {
		return axis{dimension: dimension, columns: []string{column}}, nil
	}
	race, both := dimension == mapping.DimensionRace, dimension == mapping.DimensionRaceEthnicity
	switch {
	case policy == mapping.PolicyNCQA && both:
		return axis{}, fmt.Errorf("%w: %s keeps race and ethnicity apart, so that there is no %s; ask for "+
			"race, ethnicity or race*ethnicity", ErrUnknownDimension, policy, dimension)
	case policy == mapping.PolicyAlone && race:
		return axis{dimension, []string{DimensionRaceSet}, inSet}, nil
	case policy == mapping.PolicyAlone && both:
		return axis{dimension, []string{DimensionRaceSet, mapping.DimensionEthnicity}, inSetOrHispanic}, nil
	case policy == mapping.PolicySPD15 && (race || both):
		return axis{dimension, []string{DimensionSPD15Set}, inSet}, nil
	}
	return as(dimension)
}

// inSet is every category of a recorded set, or the state of one that is not known.
func inSet(keys []string) []string {
	if strings.HasPrefix(keys[0], "~") {
		return keys[:1]
	}
	return strings.Split(keys[0], setSeparator)
}

// inSetOrHispanic is mapping.AloneOrInCombination, of the keys of a race set and of an ethnicity.
func inSetOrHispanic(keys []string) []string {
	if keys[1] != hispanic {
		return inSet(keys)
	}
	if strings.HasPrefix(keys[0], "~") {
		return []string{hispanic}
	}
	return append(inSet(keys), hispanic)
}

// knownPolicy refuses a policy that is not one of mapping.Policies.
func knownPolicy(policy mapping.Policy) error {
	if policy == "" || slices.Contains(mapping.Policies(), policy) {
		return nil
	}
	var names []string
	for _, p := range mapping.Policies() {
		names = append(names, string(p))
	}
	return fmt.Errorf("%w: race policy %q is none of %s", ErrUnknownDimension, policy,
		strings.Join(names, ", "))
}

// stratification is a stratifier under a policy.
type stratification struct {
	Stratifier
	axes []axis
}

// overlapping says that a unit may be in several strata.
func (s *stratification) overlapping() bool { return slices.ContainsFunc(s.axes, axis.overlapping) }

// columns lists those of all axes, each once.
func (s *stratification) columns() []string {
	var columns []string
	for _, a := range s.axes {
		columns = append(columns, a.columns...)
	}
	slices.Sort(columns)
	return slices.Compact(columns)
}

// stratifications resolves what is asked for, each once. One recorded set that is crossed with itself
// would count a unit of two categories in four strata, two of which nobody could name.
func stratifications(by []string, policy mapping.Policy) ([]stratification, error) {
	if err := knownPolicy(policy); err != nil {
		return nil, err
	}
	var out []stratification
	for _, text := range by {
		parsed, err := ParseStratifier(text)
		if err != nil {
			return nil, err
		}
		s := stratification{Stratifier: parsed}
		overlap := ""
		for _, dimension := range parsed {
			a, err := axisOf(dimension, policy)
			if err != nil {
				return nil, err
			}
			if a.overlapping() && overlap != "" {
				return nil, fmt.Errorf("%w: under %s, %s and %s are made of the same recorded set; ask for "+
					"one of them", ErrOverlapping, policy, overlap, dimension)
			}
			if a.overlapping() {
				overlap = dimension
			}
			s.axes = append(s.axes, a)
		}
		same := func(have stratification) bool { return slices.Equal(have.Stratifier, parsed) }
		if !slices.ContainsFunc(out, same) {
			out = append(out, s)
		}
	}
	return out, nil
}
