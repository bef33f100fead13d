package effect

import (
	"math"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/stat"
)

// four are the cells of two groups on both sides of a day.
type four struct {
	groupBefore, groupAfter, otherBefore, otherAfter measure.Cell
}

// scored reports whether all four have a score.
func (c *four) scored() bool {
	return c.groupBefore.Score != nil && c.groupAfter.Score != nil && c.otherBefore.Score != nil &&
		c.otherAfter.Score != nil
}

// against holds two groups against each other before and after. Intervals of changes are widened by a
// factor.
func against(g *measure.Group, c *four, widened float64) *Against {
	if !c.scored() {
		return nil
	}
	out := &Against{
		Before: distance(g, c.groupBefore, c.otherBefore),
		After:  distance(g, c.groupAfter, c.otherAfter),
	}
	out.Change = differenceInDifferences(g, c)
	widen(&out.Change, widened)
	out.RatioChange = ratioOfRatios(g, c, widened)
	out.ByDifference = towards(out.Before.Difference, out.After.Difference)
	if was, is := out.Before.Ratio, out.After.Ratio; was != nil && is != nil && *was > 0 && *is > 0 {
		out.ByRatio = towards(math.Log(*was), math.Log(*is))
	}
	return out
}

// distance is the gap between two groups over some months: the interval is Newcombe's of two
// proportions, that of RateDifference of two rates, and square-and-add of two medians.
func distance(g *measure.Group, group, other measure.Cell) Distance {
	out := Distance{Difference: *group.Score - *other.Score}
	if *other.Score != 0 {
		ratio := *group.Score / *other.Score
		out.Ratio = &ratio
	}
	if e, ok := difference(g, group, other); ok {
		out.Interval = &[2]float64{e.Lo, e.Hi}
	}
	return out
}

// difference is a less b with its interval, in the unit of the score.
func difference(g *measure.Group, a, b measure.Cell) (stat.Estimate, bool) {
	x, y := countOf(g, a), countOf(g, b)
	var change stat.Change
	var ok bool
	switch g.Scoring {
	case measure.Proportion:
		change, ok = stat.ProportionChange(y, x)
	case measure.Ratio:
		if !whole(x.Events) || !whole(y.Events) {
			return stat.Estimate{}, false
		}
		change, ok = stat.RateChange(y, x)
	case measure.ContinuousVariable:
		return medianDifference(a, b)
	case measure.Cohort:
	}
	e := change.Difference
	return stat.Estimate{Value: per(g) * e.Value, Lo: per(g) * e.Lo, Hi: per(g) * e.Hi}, ok
}

// medianDifference is square-and-add on the intervals of two independent medians by order statistics.
// Zou GY, Donner A, Stat Med 2008;27:1693 give the method for any two parameters that have intervals.
func medianDifference(a, b measure.Cell) (stat.Estimate, bool) {
	if a.Score == nil || b.Score == nil || a.Interval == nil || b.Interval == nil {
		return stat.Estimate{}, false
	}
	return squareAndAdd(stat.Estimate{Value: *a.Score, Lo: a.Interval[0], Hi: a.Interval[1]},
		stat.Estimate{Value: *b.Score, Lo: b.Interval[0], Hi: b.Interval[1]}), true
}

// squareAndAdd is the difference of two independent estimates, with
//
//	d − √((a−la)² + (ub−b)²) and d + √((ua−a)² + (b−lb)²).
func squareAndAdd(a, b stat.Estimate) stat.Estimate {
	d := a.Value - b.Value
	return stat.Estimate{Value: d, Lo: d - math.Hypot(a.Value-a.Lo, b.Hi-b.Value),
		Hi: d + math.Hypot(a.Hi-a.Value, b.Value-b.Lo)}
}

// differenceInDifferences is the change of the groups less that of the other. Its interval is
// square-and-add of those of the two changes: Newcombe's of proportions, and of rates that on Garwood's
// limits (stat.DifferenceInDifferences). Where what is counted is no count there is none.
func differenceInDifferences(g *measure.Group, c *four) gap.Estimate {
	out := gap.Estimate{Value: (*c.groupAfter.Score - *c.groupBefore.Score) -
		(*c.otherAfter.Score - *c.otherBefore.Score)}
	group, ok := difference(g, c.groupAfter, c.groupBefore)
	if !ok {
		return out
	}
	other, ok := difference(g, c.otherAfter, c.otherBefore)
	if !ok {
		return out
	}
	e := squareAndAdd(group, other)
	out.Interval = &[2]float64{e.Lo, e.Hi}
	out.Clear = e.Clear()
	return out
}

// ratioOfRatios is the ratio after over that before. On the log scale its variance is the sum of
// 1/x − 1/n over the four proportions, or of 1/x over the four rates (Altman DG, Bland JM, BMJ
// 2003;326:219, with Katz's variance of each ratio). Clear says that the interval excludes 1.
func ratioOfRatios(g *measure.Group, c *four, widened float64) *gap.Estimate {
	if g.Scoring == measure.ContinuousVariable {
		return nil
	}
	variance, log := 0.0, 0.0
	for _, part := range []struct {
		cell measure.Cell
		sign float64
	}{{c.groupAfter, 1}, {c.groupBefore, -1}, {c.otherAfter, -1}, {c.otherBefore, 1}} {
		n := countOf(g, part.cell)
		if n.Events <= 0 || n.Of <= 0 {
			return nil
		}
		variance += 1 / n.Events
		if g.Scoring == measure.Proportion {
			variance -= 1 / n.Of
		}
		log += part.sign * math.Log(n.Value())
	}
	if variance <= 0 {
		return nil // All of them have the event.
	}
	margin := widened * stat.Z * math.Sqrt(variance)
	out := gap.Estimate{Value: math.Exp(log),
		Interval: &[2]float64{math.Exp(log - margin), math.Exp(log + margin)}}
	out.Clear = math.Abs(log) > margin
	return &out
}

// widen draws the ends of an interval away from its estimate.
func widen(e *gap.Estimate, factor float64) {
	if e == nil || e.Interval == nil || factor <= 1 {
		return
	}
	e.Interval = &[2]float64{e.Value - factor*(e.Value-e.Interval[0]),
		e.Value + factor*(e.Interval[1]-e.Value)}
	e.Clear = e.Interval[0] > 0 || e.Interval[1] < 0
}

// steady is by how little a gap may change to be called the same: the noise of a float64.
const steady = 1e-12

// towards says where a signed distance from no gap goes.
func towards(was, is float64) gap.Direction {
	change := math.Abs(is) - math.Abs(was)
	switch {
	case was*is < 0:
		return gap.Turns
	case math.Abs(change) <= steady:
		return gap.Stays
	case change < 0:
		return gap.Narrows
	}
	return gap.Widens
}
