package spc

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"
)

// Kind names a chart.
type Kind string

// The charts; the package comment tells them apart.
const (
	P      Kind = "p"
	U      Kind = "u"
	PPrime Kind = "p-prime"
	UPrime Kind = "u-prime"
	Run    Kind = "run"
	G      Kind = "g"
	T      Kind = "t"
)

// Limited reports whether the chart has control limits.
func (k Kind) Limited() bool {
	return k != Run
}

// ErrInput is wrapped by every error about subgroups or a Config that no chart can be drawn of.
var ErrInput = errors.New("spc: invalid input")

// ErrTooFew is wrapped where a phase has too few usable points: one, or two where the chart
// measures variation by moving ranges.
var ErrTooFew = errors.New("spc: too few points")

// Subgroup is one month, week or other slice of time; or on G and T, one interval between events,
// with Size 1.
type Subgroup struct {
	// Count is the number of events, or the sum of a figure.
	Count float64
	// Size is the number of opportunities or the exposure. Where it is 0 the subgroup is missing.
	Size float64
}

// Config says what the limits are computed from. The zero value takes all points.
type Config struct {
	// Baseline is the number of subgroups at the start that set the limits of the whole chart; 0 means
	// all. IndexAt turns a date into it. It excludes Split.
	Baseline int
	// Split holds the indices at which a new phase starts, ascending.
	Split []int
	// Exclude holds the indices of points left out of limits and runs.
	Exclude []int
	// Multiply is the unit of rates, for instance 1000 for events per 1,000 days; 0 means 1. It is for
	// U and UPrime, and for Run.
	Multiply float64
	// Screened leaves out moving ranges of 3.267 times their mean or more, and takes the mean again.
	Screened bool
}

// Point is one subgroup on the chart.
type Point struct {
	Index    int
	Missing  bool // Only Index, Excluded and Centre hold.
	Excluded bool
	Value    float64
	Centre   float64
	// Sigma is one standard deviation; on T it is that of the transformed time. 0 on Run.
	Sigma float64
	// Lower and Upper are the control limits; 0 on Run, which has none.
	Lower, Upper float64
	// Z is the distance from the mean in sigmas, on T that of transformed times; 0 where Sigma is.
	Z float64
}

// Phase is a stretch of the chart, from From to just before To, with limits of its own.
type Phase struct {
	From, To int
	// Baseline is the number of points that set the limits.
	Baseline int
	// Mean is that of the baseline: overall proportion or rate, mean gap, on T the mean of the
	// transformed gaps raised back. 0 on Run.
	Mean   float64
	Centre float64
	// SigmaZ is the factor by which Laney's charts widen sigma; 1 on the others. Below 1
	// it narrows.
	SigmaZ float64
	// Ranges is the number of moving ranges behind SigmaZ, or behind the sigma of T; 0 on the others.
	Ranges int
}

// Chart is a series with its limits.
type Chart struct {
	Kind   Kind
	Points []Point
	Phases []Phase
}

// New draws the chart. It returns an error that wraps ErrInput or ErrTooFew.
func New(kind Kind, subgroups []Subgroup, config Config) (*Chart, error) {
	if config.Multiply == 0 {
		config.Multiply = 1
	}
	if err := config.check(kind, len(subgroups)); err != nil {
		return nil, err
	}
	for i, s := range subgroups {
		if err := s.check(kind); err != nil {
			return nil, fmt.Errorf("%w: subgroup %d: %w", ErrInput, i, err)
		}
	}
	chart := &Chart{Kind: kind, Points: make([]Point, len(subgroups))}
	for i, s := range subgroups {
		p := Point{Index: i, Missing: s.Size == 0, Excluded: slices.Contains(config.Exclude, i)}
		if !p.Missing {
			p.Value = s.Count / s.Size * config.Multiply
		}
		chart.Points[i] = p
	}
	starts := append([]int{0}, config.Split...)
	for i, from := range starts {
		to := len(subgroups)
		if i+1 < len(starts) {
			to = starts[i+1]
		}
		baseline := to
		if config.Baseline > 0 {
			baseline = config.Baseline
		}
		s := stretch{
			points: chart.Points[from:to], subgroups: subgroups[from:to], baseline: baseline - from,
			multiply: config.Multiply, screened: config.Screened,
		}
		phase, err := s.fit(kind)
		if err != nil {
			return nil, fmt.Errorf("%w in the phase from subgroup %d", err, from)
		}
		phase.From, phase.To = from, to
		chart.Phases = append(chart.Phases, phase)
	}
	return chart, nil
}

// check finds a number that no subgroup of this chart can have.
func (s Subgroup) check(kind Kind) error {
	switch {
	case !(s.Size >= 0) || math.IsInf(s.Size, 0):
		return fmt.Errorf("size %v", s.Size)
	case math.IsNaN(s.Count) || math.IsInf(s.Count, 0):
		return fmt.Errorf("count %v", s.Count)
	case s.Count < 0 && kind != Run:
		return fmt.Errorf("count %v", s.Count)
	case (kind == P || kind == PPrime) && s.Size > 0 && s.Count > s.Size:
		return fmt.Errorf("count %v of %v", s.Count, s.Size)
	}
	return nil
}

// check finds what contradicts itself.
func (c Config) check(kind Kind, n int) error {
	switch kind {
	case U, UPrime, Run:
	case P, PPrime, G, T:
		if c.Multiply != 1 {
			return fmt.Errorf("%w: the %s chart has no unit to multiply by %v", ErrInput, kind, c.Multiply)
		}
	default:
		return fmt.Errorf("%w: chart %q", ErrInput, kind)
	}
	if !(c.Multiply > 0) || math.IsInf(c.Multiply, 0) {
		return fmt.Errorf("%w: multiply by %v", ErrInput, c.Multiply)
	}
	if c.Baseline < 0 || c.Baseline > n {
		return fmt.Errorf("%w: baseline of %d of %d subgroups", ErrInput, c.Baseline, n)
	}
	if c.Baseline > 0 && len(c.Split) > 0 {
		return fmt.Errorf("%w: a frozen baseline excludes a split", ErrInput)
	}
	before := 0
	for _, i := range c.Split {
		if i <= before || i >= n {
			return fmt.Errorf("%w: split at %d", ErrInput, i)
		}
		before = i
	}
	for _, i := range c.Exclude {
		if i < 0 || i >= n {
			return fmt.Errorf("%w: exclude %d", ErrInput, i)
		}
	}
	return nil
}

// IndexAt returns the index of the first subgroup that starts at the date or after it, or their
// number where none does: the Baseline before an action, or the Split at it. Starts ascend.
func IndexAt(starts []time.Time, date time.Time) int {
	return sort.Search(len(starts), func(i int) bool { return !starts[i].Before(date) })
}
