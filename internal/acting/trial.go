package acting

import (
	"slices"

	"github.com/equitylens/equitylens/improvement/effect"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server/figure"
)

// trialOf is an effect as figures tell it.
func trialOf(e *effect.Effect) figure.Trial {
	t := figure.Trial{
		Start: e.Start, Verdict: string(e.Verdict), Demonstrated: e.Demonstrated, Missing: codes(e.Missing),
		Cautions: codes(e.Cautions), Dimension: e.Aim.Dimension, Target: movedOf(e.Target),
		Reference: gapOf(e.Gap), Others: gapOf(e.Comparison),
		Before: figure.TrialSpan(e.Before), After: figure.TrialSpan(e.After), Widened: e.Widened,
		Aim: e.Aim.Target, Reached: e.Reached, Trend: e.Trend,
	}
	for _, g := range e.Groups {
		t.Groups = append(t.Groups, movedOf(g))
	}
	return t
}

func codes[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, one := range list {
		out[i] = string(one)
	}
	return out
}

func standOf(s effect.Side) figure.Stand {
	return figure.Stand{Score: s.Score, Interval: s.Interval, N: s.N}
}

func movedOf(m effect.Moved) figure.TrialGroup {
	return figure.TrialGroup{
		Code: m.Code, Label: m.Label, Before: standOf(m.Before), After: standOf(m.After), Change: m.Change,
	}
}

func gapOf(a *effect.Against) *figure.TrialGap {
	if a == nil {
		return nil
	}
	return &figure.TrialGap{
		TrialGroup: movedOf(a.Other), Difference: [2]float64{a.Before.Difference, a.After.Difference},
		Intervals: [2]*[2]float64{a.Before.Interval, a.After.Interval},
		Ratio:     [2]*float64{a.Before.Ratio, a.After.Ratio}, Moved: a.Change,
		ByDifference: a.ByDifference, ByRatio: a.ByRatio,
	}
}

// besideOf is a comparison inside and outside of conditions as figures tell it.
func besideOf(c *effect.Comparison) figure.Beside {
	b := figure.Beside{
		Dimension: c.Dimension, DaysInside: c.DaysInside, DaysOutside: c.DaysOutside, All: besideGroup(c.All),
		Reference: c.Reference, Incomplete: c.Incomplete,
		Of: measure.Result{
			Measure: c.Measure, Version: c.Version, Title: c.Title, Snapshot: c.Snapshot, DataAsOf: c.DataAsOf,
			Period: c.Period, Filter: c.Filter,
		},
	}
	for _, one := range c.Conditions {
		if !slices.Contains(b.Conditions, one.Name) {
			b.Conditions = append(b.Conditions, one.Name)
		}
	}
	for _, g := range c.Groups {
		b.Groups = append(b.Groups, besideGroup(g))
	}
	return b
}

func besideGroup(g effect.Beside) figure.BesideGroup {
	return figure.BesideGroup{
		Code: g.Code, Label: g.Label, State: g.State, Inside: standOf(g.Inside), Outside: standOf(g.Outside),
		Difference: g.Difference, GapChange: g.GapChange,
	}
}
