package spc

import "slices"

// Side is where, or in which direction, a signal lies.
type Side string

// Above and Below are sides of the centre line, Rising and Falling directions. A signal about the
// whole series has no side.
const (
	Above   Side = "above"
	Below   Side = "below"
	Rising  Side = "rising"
	Falling Side = "falling"
)

// Signal is a pattern that was found.
type Signal struct {
	Rule Rule
	// Indices are the points that make it, ascending. For what is said of a series as a whole (too few
	// or too many runs, few crossings) they are all its points off the centre line.
	Indices []int
	Side    Side
	// Found is what was counted (points in a row, runs, crossings) and Bound the number from which, or
	// past which, the rule speaks.
	Found, Bound int
}

// Signals applies the rules, phase by phase, in the order given; one that does not apply to the
// chart finds nothing. On a series that never varies no rule speaks but FifteenWithin, which is
// there to find just that.
func (c *Chart) Signals(rules ...Rule) []Signal {
	var signals []Signal
	for _, phase := range c.Phases {
		points := c.Points[phase.From:phase.To]
		useful := slices.DeleteFunc(slices.Clone(points), func(p Point) bool {
			return p.Missing || p.Excluded
		})
		for _, rule := range rules {
			switch {
			case !rule.Applies(c.Kind):
			case rule == BeyondLimits:
				signals = append(signals, beyond(points)...) // Excluded points too.
			default:
				signals = append(signals, rule.find(useful)...)
			}
		}
	}
	return signals
}

// Runs counts how the phase lies about its centre line.
func (c *Chart) Runs(phase Phase) Runs {
	return count(oneSided(slices.DeleteFunc(slices.Clone(c.Points[phase.From:phase.To]),
		func(p Point) bool { return p.Missing || p.Excluded })))
}

// find applies a rule to the useful points of a phase.
func (r Rule) find(useful []Point) []Signal {
	switch r {
	case EightOneSide:
		return r.long(oneSided(useful), eightOneSide, onSide)
	case Shift:
		return r.long(oneSided(useful), shiftLength, onSide)
	case SixTrend:
		return r.long(trends(useful), sixTrend, direction)
	case Trend:
		return r.long(trends(useful), trendLength, direction)
	case FifteenWithin:
		return r.long(within(useful), fifteenWithin, func([]Point) Side { return "" })
	case TwoOfThree:
		return r.zone(useful)
	case TooFewRuns, TooManyRuns:
		return r.number(oneSided(useful))
	case LongRun, FewCrossings:
		return r.adaptive(oneSided(useful))
	default:
		return nil
	}
}

// long is a signal for each sequence of at least so many points.
func (r Rule) long(sequences [][]Point, least int, side func([]Point) Side) []Signal {
	var signals []Signal
	for _, s := range sequences {
		if len(s) >= least {
			signals = append(signals, Signal{
				Rule: r, Indices: indices(s), Side: side(s), Found: len(s), Bound: least,
			})
		}
	}
	return signals
}

// number holds the number of runs against its exact distribution. Of fewer than ten points it says
// nothing.
func (r Rule) number(runs [][]Point) []Signal {
	counted := count(runs)
	if counted.Useful() < fewestForRuns || counted.Above == 0 || counted.Below == 0 {
		return nil
	}
	fewest, most := RunsRange(counted.Above, counted.Below)
	s := Signal{Rule: r, Indices: indices(slices.Concat(runs...)), Found: len(runs), Bound: fewest}
	if r == TooManyRuns {
		s.Bound = most
	}
	if (r == TooFewRuns && len(runs) >= fewest) || (r == TooManyRuns && len(runs) <= most) {
		return nil
	}
	return []Signal{s}
}

// adaptive holds runs and crossings against the bounds of Anhøj.
func (r Rule) adaptive(runs [][]Point) []Signal {
	counted := count(runs)
	if r == LongRun {
		signals := r.long(runs, counted.LongestMax()+1, onSide)
		for i := range signals {
			signals[i].Bound = counted.LongestMax()
		}
		return signals
	}
	if counted.Crossings >= counted.CrossingsMin() {
		return nil
	}
	return []Signal{{
		Rule: r, Indices: indices(slices.Concat(runs...)),
		Found: counted.Crossings, Bound: counted.CrossingsMin(),
	}}
}

// zone finds two of three points beyond two sigma on one side. Those that follow each other so make
// one signal.
func (r Rule) zone(useful []Point) []Signal {
	return append(r.zoneOn(useful, Above, 1), r.zoneOn(useful, Below, -1)...)
}

// zoneOn is zone for one side, whose sign that of Z has.
func (r Rule) zoneOn(useful []Point, on Side, sign float64) []Signal {
	var signals []Signal
	var chain []int // Points beyond, each at most two places after the one before.
	last := 0
	end := func() {
		if len(chain) >= twoOfThree {
			signals = append(signals, Signal{
				Rule: r, Indices: chain, Side: on, Found: len(chain), Bound: twoOfThree,
			})
		}
		chain = nil
	}
	for i, p := range useful {
		if sign*p.Z <= twoOfThreeSigma {
			continue
		}
		if i-last > 2 {
			end()
		}
		chain, last = append(chain, p.Index), i
	}
	end()
	return signals
}

// beyond finds the points strictly outside their limits.
func beyond(points []Point) []Signal {
	var signals []Signal
	for _, p := range points {
		if p.Missing {
			continue
		}
		s := Signal{Rule: BeyondLimits, Indices: []int{p.Index}, Found: 1, Bound: 1}
		switch {
		case side(p.Value, p.Upper) > 0:
			s.Side = Above
		case side(p.Value, p.Lower) < 0:
			s.Side = Below
		default:
			continue
		}
		signals = append(signals, s)
	}
	return signals
}

// trends cuts the points into stretches that only rise or only fall, each with the point it starts
// from. A point like its predecessor is stepped over.
func trends(points []Point) [][]Point {
	var all [][]Point
	var last Point
	heading := 0
	for i, p := range points {
		if i == 0 {
			all, last = append(all, []Point{p}), p
			continue
		}
		step := side(p.Value, last.Value)
		if step == 0 {
			continue
		}
		if step != heading && heading != 0 {
			all = append(all, []Point{last})
		}
		all[len(all)-1] = append(all[len(all)-1], p)
		last, heading = p, step
	}
	return all
}

// within cuts the points into stretches closer than one sigma to the mean. Where there is no sigma
// no point is.
func within(points []Point) [][]Point {
	var all [][]Point
	open := false
	for _, p := range points {
		inside := p.Sigma > 0 && p.Z > -withinSigma && p.Z < withinSigma
		if inside && !open {
			all = append(all, nil)
		}
		if inside {
			all[len(all)-1] = append(all[len(all)-1], p)
		}
		open = inside
	}
	return all
}

// onSide is the side on which all points of the run lie.
func onSide(run []Point) Side {
	if run[0].Value > run[0].Centre {
		return Above
	}
	return Below
}

// direction is where the trend goes.
func direction(trend []Point) Side {
	if trend[len(trend)-1].Value > trend[0].Value {
		return Rising
	}
	return Falling
}

// indices are those of the points on the chart.
func indices(points []Point) []int {
	all := make([]int, len(points))
	for i, p := range points {
		all[i] = p.Index
	}
	return all
}
