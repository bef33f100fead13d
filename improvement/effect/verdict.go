package effect

import (
	"math"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
)

// verdict says what the figures show. The gap is that to the reference, by its difference:
//
//   - too early: fewer than three whole months, or fewer than 30 units, on a side;
//   - the change of the gap is within chance: everybody moved, if the groups and the comparison both got
//     better by more than chance; mixed, if the ratio is clear of chance and goes the other way; else
//     no change is shown;
//   - it is clear of chance and the gap is larger: mixed if the ratio is smaller or the sign has
//     turned, else larger;
//   - it is clear of chance and the gap is smaller: mixed if the ratio is larger; everybody moved, if the
//     groups did not gain on the comparison by more than chance; else smaller.
func (e *Effect) verdict() Verdict {
	if !e.enough(fewestMonths) || e.Gap == nil {
		return TooEarly
	}
	g := e.Gap
	ratio := g.RatioChange
	switch {
	case !g.Change.Clear && e.movedTogether():
		return EverybodyMoved
	case !g.Change.Clear && ratio != nil && ratio.Clear && g.disagree():
		return Mixed
	case !g.Change.Clear:
		return NoChangeShown
	case !e.narrows() && (g.ByDifference == gap.Turns || g.ByRatio == gap.Narrows):
		return Mixed
	case !e.narrows():
		return Larger
	case g.ByRatio == gap.Widens:
		return Mixed
	case e.Comparison != nil && !e.gained():
		return EverybodyMoved
	}
	return Smaller
}

// disagree reports whether the gap narrows by one of difference and ratio and widens by the other.
func (a *Against) disagree() bool {
	return a.ByDifference == gap.Narrows && a.ByRatio == gap.Widens ||
		a.ByDifference == gap.Widens && a.ByRatio == gap.Narrows
}

// enough reports whether the months and the units of all who are compared suffice.
func (e *Effect) enough(months int) bool {
	return min(e.Before.Months, e.After.Months) >= months && e.units()
}

// units reports whether all who are compared have 30 units on each side.
func (e *Effect) units() bool {
	all := []Moved{e.Target}
	for _, a := range []*Against{e.Gap, e.Comparison} {
		if a != nil {
			all = append(all, a.Other)
		}
	}
	for _, m := range all {
		if min(m.Before.N, m.After.N) < fewestUnits {
			return false
		}
	}
	return true
}

// narrows reports whether the gap to the reference is smaller, whichever way it points.
func (e *Effect) narrows() bool {
	if e.Gap == nil {
		return false
	}
	return math.Abs(e.Gap.After.Difference) < math.Abs(e.Gap.Before.Difference)-steady
}

// gained reports whether the groups moved against the comparison by more than chance, the same way as
// against the reference.
func (e *Effect) gained() bool {
	c := e.Comparison
	return c != nil && c.Change.Clear && c.Change.Value*e.Gap.Change.Value > 0
}

// movedTogether reports whether the groups and the comparison both got better by more than chance, and
// the one not clearly more than the other.
func (e *Effect) movedTogether() bool {
	return e.Comparison != nil && clearlyBetter(&e.Target) && clearlyBetter(&e.Comparison.Other) &&
		!e.Comparison.Change.Clear
}

// clearlyBetter reports whether a score got better by more than chance, by its test and by its interval.
func clearlyBetter(m *Moved) bool {
	return m.Better != nil && *m.Better && m.Change != nil && m.Change.Clear && m.P != nil && *m.P <= likely
}

// behind reports whether the groups were behind the reference before.
func (e *Effect) behind() bool {
	if e.Gap == nil {
		return false
	}
	switch d := e.Gap.Before.Difference; e.Improvement {
	case measure.Increase:
		return d < 0
	case measure.Decrease:
		return d > 0
	case measure.Context:
	}
	return false
}

// lacks lists what is missing for the effect to count as demonstrated.
func (e *Effect) lacks(f *figure) []Requirement {
	out := []Requirement{}
	for _, one := range []struct {
		requirement Requirement
		holds       bool
	}{
		{NeedsVerdict, e.Verdict == Smaller},
		{NeedsMonths, min(e.Before.Months, e.After.Months) >= demonstratedMonths},
		{NeedsUnits, e.units()},
		{NeedsEvents, e.events()},
		{NeedsDirection, e.Improvement != measure.Context},
		{NeedsBehind, e.behind()},
		{NeedsBetter, clearlyBetter(&e.Target)},
		{NeedsComparison, e.Gap != nil && e.gained()},
		{NeedsOtherMonths, !f.picked() || e.holdsWithoutFinding()},
		{NeedsData, len(e.Incomplete) == 0},
	} {
		if !one.holds {
			out = append(out, one.requirement)
		}
	}
	return out
}

// holdsWithoutFinding reports whether the gap is smaller by more than chance without the months by which
// the groups were picked.
func (e *Effect) holdsWithoutFinding() bool {
	w := e.WithoutFinding
	return w != nil && e.Gap != nil && w.Clear && w.Value*e.Gap.Change.Value > 0
}
