package spc

import (
	"math"
	"slices"

	"github.com/equitylens/equitylens/measure/stat"
)

const (
	// rangeFactor is the mean of the absolute difference of two standard normal values, as the tables
	// of control charts round it (d₂ for two; exactly 2/√π).
	rangeFactor = 1.128
	// screenFactor is the upper limit of a moving range in units of their mean (D₄ for two).
	screenFactor = 3.267
	// nelson is the power that makes exponential times nearly normal: a Weibull distribution of that
	// shape has almost no skew.
	nelson = 3.6
)

// stretch is a phase while its limits are made.
type stretch struct {
	points    []Point
	subgroups []Subgroup
	baseline  int // The first points that set the limits.
	multiply  float64
	screened  bool
}

// fit fills in centre, sigma and limits of all points.
func (s stretch) fit(kind Kind) (Phase, error) {
	base := s.base()
	if len(base) == 0 {
		return Phase{}, ErrTooFew
	}
	phase := Phase{Baseline: len(base), SigmaZ: 1}
	switch kind {
	case P, PPrime, U, UPrime:
		return s.attribute(kind, phase)
	case G:
		s.gaps(&phase, base)
	case T:
		return s.times(phase)
	case Run:
		phase.Centre = median(base)
		for i := range s.points {
			s.points[i].Centre = phase.Centre
		}
	}
	return phase, nil
}

// base are the values that set the limits.
func (s stretch) base() []float64 {
	var values []float64
	for _, p := range s.points[:s.baseline] {
		if !p.Missing && !p.Excluded {
			values = append(values, p.Value)
		}
	}
	return values
}

// attribute makes the limits of proportions and rates.
func (s stretch) attribute(kind Kind, phase Phase) (Phase, error) {
	var events, size float64
	for i, p := range s.points[:s.baseline] {
		if !p.Missing && !p.Excluded {
			events += s.subgroups[i].Count
			size += s.subgroups[i].Size
		}
	}
	phase.Mean = events / size * s.multiply
	phase.Centre = phase.Mean
	highest := math.Inf(1)
	variance := phase.Mean * s.multiply // Of a rate, times the exposure.
	if kind == P || kind == PPrime {
		highest = 1
		variance = phase.Mean * (1 - phase.Mean)
	}
	for i := range s.points {
		if p := &s.points[i]; !p.Missing {
			p.Sigma = math.Sqrt(variance / s.subgroups[i].Size)
			p.Z = distance(p.Value, phase.Mean, p.Sigma)
		}
	}
	if kind == PPrime || kind == UPrime {
		ranges := s.ranges(func(p Point) float64 { return p.Z })
		if len(ranges) == 0 {
			return Phase{}, ErrTooFew
		}
		phase.Ranges = len(ranges)
		phase.SigmaZ = s.meanRange(ranges) / rangeFactor
	}
	for i := range s.points {
		p := &s.points[i]
		p.Centre = phase.Centre
		if p.Missing {
			continue
		}
		p.Sigma *= phase.SigmaZ
		p.Z = distance(p.Value, phase.Mean, p.Sigma)
		p.Lower = math.Max(0, phase.Mean-3*p.Sigma)
		p.Upper = math.Min(highest, phase.Mean+3*p.Sigma)
	}
	return phase, nil
}

// gaps makes the limits of the number of opportunities between events, whose geometric distribution
// has the variance ḡ(ḡ+1).
func (s stretch) gaps(phase *Phase, base []float64) {
	sum := 0.0
	for _, v := range base {
		sum += v
	}
	phase.Mean = sum / float64(len(base))
	phase.Centre = median(base)
	sigma := math.Sqrt(phase.Mean * (phase.Mean + 1))
	for i := range s.points {
		p := &s.points[i]
		p.Centre = phase.Centre
		if p.Missing {
			continue
		}
		p.Sigma = sigma
		p.Z = distance(p.Value, phase.Mean, sigma)
		p.Lower = math.Max(0, phase.Mean-3*sigma)
		p.Upper = phase.Mean + 3*sigma
	}
}

// times makes the limits of the time between events by Nelson's transformation.
func (s stretch) times(phase Phase) (Phase, error) {
	transformed := func(p Point) float64 { return math.Pow(p.Value, 1/nelson) }
	back := func(v float64) float64 { return math.Pow(math.Max(0, v), nelson) }
	sum, used := 0.0, 0
	for _, p := range s.points[:s.baseline] {
		if !p.Missing && !p.Excluded {
			sum += transformed(p)
			used++
		}
	}
	mean := sum / float64(used)
	ranges := s.ranges(transformed)
	if len(ranges) == 0 {
		return Phase{}, ErrTooFew
	}
	sigma := s.meanRange(ranges) / rangeFactor
	phase.Ranges = len(ranges)
	phase.Mean = back(mean)
	phase.Centre = phase.Mean
	for i := range s.points {
		p := &s.points[i]
		p.Centre = phase.Centre
		if p.Missing {
			continue
		}
		p.Sigma = sigma
		p.Z = distance(transformed(*p), mean, sigma)
		p.Lower = back(mean - 3*sigma)
		p.Upper = back(mean + 3*sigma)
	}
	return phase, nil
}

// ranges are the absolute differences of successive baseline points. An excluded point is stepped
// over, at a missing one the chain is cut.
func (s stretch) ranges(value func(Point) float64) []float64 {
	var ranges []float64
	last, linked := 0.0, false
	for _, p := range s.points[:s.baseline] {
		switch {
		case p.Missing:
			linked = false
		case !p.Excluded:
			v := value(p)
			if linked {
				ranges = append(ranges, math.Abs(v-last))
			}
			last, linked = v, true
		}
	}
	return ranges
}

// meanRange is the mean of the moving ranges, screened where that was asked for.
func (s stretch) meanRange(ranges []float64) float64 {
	mean := average(ranges)
	if !s.screened || mean == 0 {
		return mean
	}
	return average(slices.DeleteFunc(ranges, func(r float64) bool { return r >= screenFactor*mean }))
}

// average is the mean of values, of which there is one at least.
func average(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// distance is in sigmas; 0 where there is no sigma to measure with.
func distance(value, mean, sigma float64) float64 {
	if sigma == 0 {
		return 0
	}
	return (value - mean) / sigma
}

// median is that of the values of a baseline, which is never empty.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	m, _ := stat.Quantile(sorted, 0.5)
	return m
}
