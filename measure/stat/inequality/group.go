package inequality

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Direction says which end of the scale is the good one.
type Direction string

// Favourable is a figure of which more is better, Adverse one of which less is.
const (
	Favourable Direction = "favourable"
	Adverse    Direction = "adverse"
)

// Group is one group of the dimension.
type Group struct {
	// Estimate is the group's figure in the unit of Input.Scale, not negative.
	Estimate float64
	// Absent says that there is no estimate, for instance because nobody was counted.
	Absent bool
	// SE is the standard error of Estimate; nil where it is not known.
	SE *float64
	// Population is the number of people the estimate speaks of: the weight. 0 is not known.
	Population float64
	// Rank orders the groups of an ordered dimension from the most disadvantaged, the lowest, to the
	// most advantaged. Ranks need not be consecutive; two groups never share one.
	Rank int
	// Reference marks the one group that others are compared with; none need be.
	Reference bool
	// Unknown marks people whose group is not known, whatever the state. They enter no measure.
	Unknown bool
}

// Input is what Summarise works on.
type Input struct {
	Groups    []Group
	Direction Direction
	// Scale is what a proportion is multiplied by: 1, 100 for percent, 1000 for per mille. healthequal
	// guesses it from the largest estimate; here it is said. The zero value means 1.
	Scale float64
	// Ordered says that the dimension has an order of advantage, given by Group.Rank.
	Ordered bool
	// Overlap says that one person may be in several groups.
	Overlap bool
}

// ErrInput is wrapped by every error of Summarise: the input contradicts itself.
var ErrInput = errors.New("inequality: invalid input")

// errAbsentReference names a reference that gives nothing to compare with.
var errAbsentReference = errors.New("the reference group has no estimate")

// maxAbsent is the part of the groups of a dimension without order that may lack an estimate:
// HEAT's bound.
const maxAbsent = 0.15

// sample is the known part of an input, by columns. An ordered sample stands in the order of ranks.
type sample struct {
	direction Direction
	scale     float64
	ordered   bool
	overlap   bool
	sparse    bool // Too many estimates are missing to speak of all groups.
	open      bool // The first or the last group of an order has no estimate.

	y, se, n, share []float64
	hasSE           bool // Every group has a standard error.
	hasWeights      bool // Every group has a population, and they do not overlap.
	mean            float64
	reference       int // −1 where there is none.
}

// newSample checks the input and takes the known groups out of it.
func newSample(in Input) (sample, error) {
	s := sample{
		direction: in.Direction, scale: in.Scale, ordered: in.Ordered, overlap: in.Overlap,
		hasSE: true, hasWeights: !in.Overlap, reference: -1,
	}
	if s.scale == 0 {
		s.scale = 1
	}
	if err := check(in, s.scale); err != nil {
		return sample{}, err
	}
	all := slices.DeleteFunc(slices.Clone(in.Groups), func(g Group) bool { return g.Unknown })
	known := slices.DeleteFunc(slices.Clone(all), func(g Group) bool { return g.Absent })
	absent := len(all) - len(known)
	s.sparse = absent > 0 && (s.ordered || float64(absent) > maxAbsent*float64(len(all)))
	if s.ordered {
		byRank := func(a, b Group) int { return cmp.Compare(a.Rank, b.Rank) }
		slices.SortFunc(all, byRank)
		slices.SortFunc(known, byRank)
		s.open = len(all) > 0 && (all[0].Absent || all[len(all)-1].Absent)
	}
	s.take(known)
	return s, nil
}

// take fills the columns.
func (s *sample) take(known []Group) {
	columns := make([]float64, 4*len(known))
	k := len(known)
	s.y, s.se, s.n, s.share = columns[:k], columns[k:2*k], columns[2*k:3*k], columns[3*k:]
	total := 0.0
	for i, g := range known {
		s.y[i], s.n[i] = g.Estimate, g.Population
		total += g.Population
		if g.SE == nil {
			s.hasSE = false
		} else {
			s.se[i] = *g.SE
		}
		if g.Population == 0 {
			s.hasWeights = false
		}
		if g.Reference {
			s.reference = i
		}
	}
	if !s.hasWeights {
		return
	}
	for i := range s.n {
		s.share[i] = s.n[i] / total
		s.mean += s.share[i] * s.y[i]
	}
}

// check finds what contradicts itself in the input.
func check(in Input, scale float64) error {
	if in.Direction != Favourable && in.Direction != Adverse {
		return fmt.Errorf("%w: direction %q", ErrInput, in.Direction)
	}
	if !(scale > 0) || math.IsInf(scale, 0) {
		return fmt.Errorf("%w: scale %v", ErrInput, in.Scale)
	}
	references := 0
	ranks := make([]int, 0, len(in.Groups))
	for i, g := range in.Groups {
		if g.Unknown {
			if !(g.Population >= 0) || math.IsInf(g.Population, 0) {
				return fmt.Errorf("%w: group %d: population %v", ErrInput, i, g.Population)
			}
			continue
		}
		if err := g.check(); err != nil {
			return fmt.Errorf("%w: group %d: %w", ErrInput, i, err)
		}
		if g.Reference {
			references++
		}
		ranks = append(ranks, g.Rank)
	}
	if references > 1 {
		return fmt.Errorf("%w: %d reference groups", ErrInput, references)
	}
	slices.Sort(ranks)
	if in.Ordered && len(slices.Compact(slices.Clone(ranks))) < len(ranks) {
		return fmt.Errorf("%w: two groups share a rank", ErrInput)
	}
	return nil
}

// check finds a number that no group can have.
func (g Group) check() error {
	if !(g.Population >= 0) || math.IsInf(g.Population, 0) {
		return fmt.Errorf("population %v", g.Population)
	}
	if g.Absent {
		if g.Reference {
			return errAbsentReference
		}
		return nil
	}
	if !(g.Estimate >= 0) || math.IsInf(g.Estimate, 0) {
		return fmt.Errorf("estimate %v", g.Estimate)
	}
	if g.SE != nil && (!(*g.SE >= 0) || math.IsInf(*g.SE, 0)) {
		return fmt.Errorf("standard error %v", *g.SE)
	}
	return nil
}

// best is the index of the best-performing group; of several the one with most people, which is the
// one healthequal takes.
func (s *sample) best() int {
	best := 0
	for i := range s.y {
		better := s.y[i] > s.y[best]
		if s.direction == Adverse {
			better = s.y[i] < s.y[best]
		}
		if better || (s.y[i] == s.y[best] && s.n[i] > s.n[best]) {
			best = i
		}
	}
	return best
}

// extremes are the indices of the largest and the smallest estimate. Of equals it takes the first
// and the last, so that two groups at the same level are still two.
func (s *sample) extremes() (largest, smallest int) {
	for i := range s.y {
		if s.y[i] > s.y[largest] {
			largest = i
		}
		if s.y[i] <= s.y[smallest] {
			smallest = i
		}
	}
	return largest, smallest
}

// equal reports whether all estimates are one and the same.
func (s *sample) equal() bool {
	return !slices.ContainsFunc(s.y, func(y float64) bool { return y != s.y[0] })
}
