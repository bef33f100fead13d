package spc

import (
	"errors"
	"fmt"
	"math"
)

// Basis is what kind of figure a series holds.
type Basis string

// Proportion counts people or things of which each has the event or not; Rate counts events over an
// exposure; Figure is anything else, such as a mean or a median.
const (
	Proportion Basis = "proportion"
	Rate       Basis = "rate"
	Figure     Basis = "figure"
)

// Because is why Choose advises a chart.
type Because string

// The reasons, in the order in which they are looked for.
const (
	NoDistribution  Because = "no-distribution"
	FewSubgroups    Because = "few-subgroups"
	RareEvents      Because = "rare-events"
	RareNonEvents   Because = "rare-non-events"
	Overdispersion  Because = "over-dispersion"
	CommonVariation Because = "common-variation"
)

// Says is the reason as a sentence.
func (b Because) Says() string {
	switch b {
	case NoDistribution:
		return "The figure is neither a proportion nor a rate, so nothing is known of its distribution."
	case FewSubgroups:
		return "There are fewer than 12 points, too few to compute limits from."
	case RareEvents:
		return "Fewer than 2 events are expected in a typical subgroup; chart what lies between them."
	case RareNonEvents:
		return "Fewer than 2 failures are expected in a typical subgroup; chart what lies between them."
	case Overdispersion:
		return "The points vary more than sampling explains, so limits from sampling would be too narrow."
	case CommonVariation:
		return "The points vary as sampling would have it."
	}
	return string(b)
}

// Advice is the chart that fits a series.
type Advice struct {
	Kind    Kind
	Because Because
	// Subgroups is the number of those that are not missing.
	Subgroups int
	// Expected is the number of events, or where they are fewer of non-events, in the median subgroup
	// at the overall level. 0 for a Figure.
	Expected float64
	// SigmaZ is Laney's, and SigmaZMax what it may be by chance; 0 where neither was looked at.
	SigmaZ, SigmaZMax float64
}

const (
	// fewestForLimits is the number of subgroups below which limits would be drawn from too little.
	fewestForLimits = 12
	// fewestExpected is the expected count below which more than one subgroup in eight is empty (e⁻²
	// of a Poisson), the lower limit does not exist, and limits from the normal distribution do not
	// hold.
	fewestExpected = 2
	// overdispersedAt is the one-sided 95 % quantile of the standard normal distribution.
	overdispersedAt = 1.6448536269514722
)

// Choose says which chart fits the series:
//
//  1. Run for a Figure, and for fewer than 12 subgroups.
//  2. G (of a Proportion) or T (of a Rate) where the median subgroup has fewer than 2 expected
//     events, or, of a Proportion, fewer than 2 expected non-events. These charts need the single
//     events: Opportunities and Intervals make their points. Longer subgroups are the other way
//     out.
//  3. PPrime or UPrime where σ_z exceeds SigmaZMax.
//  4. P or U.
//
// A chart with a frozen baseline is chosen by its baseline alone: a change that followed would pass
// for over-dispersion. The bounds 12 and 2 are ours; guides give from 10 to 25 and from 1 to 5.
func Choose(basis Basis, subgroups []Subgroup) (Advice, error) {
	kind, prime, rare := P, PPrime, G
	switch basis {
	case Proportion:
	case Rate:
		kind, prime, rare = U, UPrime, T
	case Figure:
		kind = Run
	default:
		return Advice{}, fmt.Errorf("%w: basis %q", ErrInput, basis)
	}
	var sizes []float64
	events, total := 0.0, 0.0
	for i, s := range subgroups {
		if err := s.check(kind); err != nil {
			return Advice{}, fmt.Errorf("%w: subgroup %d: %w", ErrInput, i, err)
		}
		if s.Size > 0 {
			sizes = append(sizes, s.Size)
			events += s.Count
			total += s.Size
		}
	}
	advice := Advice{Kind: Run, Because: NoDistribution, Subgroups: len(sizes)}
	if basis == Figure {
		return advice, nil
	}
	rarity := RareEvents
	if len(sizes) > 0 {
		typical := median(sizes)
		advice.Expected = events / total * typical
		if others := typical - advice.Expected; basis == Proportion && others < advice.Expected {
			advice.Expected, rarity = others, RareNonEvents
		}
	}
	switch {
	case len(sizes) < fewestForLimits:
		advice.Because = FewSubgroups
		return advice, nil
	case advice.Expected < fewestExpected:
		advice.Kind, advice.Because = rare, rarity
		return advice, nil
	}
	advice.Kind, advice.Because = kind, CommonVariation
	chart, err := New(prime, subgroups, Config{})
	if errors.Is(err, ErrTooFew) {
		return advice, nil // No two points are neighbours, so nothing speaks against the plain chart.
	}
	if err != nil {
		return Advice{}, err
	}
	phase := chart.Phases[0]
	advice.SigmaZ, advice.SigmaZMax = phase.SigmaZ, SigmaZMax(phase.Ranges)
	if advice.SigmaZ > advice.SigmaZMax {
		advice.Kind, advice.Because = prime, Overdispersion
	}
	return advice, nil
}

// SigmaZMax is the largest σ_z that chance gives a series without over-dispersion in 95 of 100
// cases, when it is the mean of so many moving ranges, of which there is one at least: above it
// Laney's chart is due. It is 1 + 1.645 standard deviations of the estimate; of independent normal
// values those follow from Var|Δ| = 2 − 4/π and from the covariance of neighbouring ranges, which
// share a value (Cryer and Ryan 1990). With 24 points it is 1.31.
func SigmaZMax(ranges int) float64 {
	const (
		squared  = 4 / math.Pi // Of the mean of |Δ|.
		variance = 2 - squared
	)
	neighbours := squared*(math.Sqrt(3)/2+math.Pi/12) - squared
	m := float64(ranges)
	return 1 + overdispersedAt*math.Sqrt((variance+2*neighbours*(m-1)/m)/m/squared)
}
