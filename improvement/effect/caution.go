package effect

import (
	"slices"
	"time"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/measure"
)

// window is the time that is compared, as days.
func (f *figure) window() (first, last string) {
	months := slices.Concat(f.before, f.after)
	if len(months) == 0 {
		months = f.months
	}
	return months[0].Period.Start.Format(time.DateOnly),
		months[len(months)-1].Period.End.Format(time.DateOnly)
}

// name lists the other actions that began or ended on the same measure within the time compared, and
// the conditions that held in it.
func (f *figure) name(e *Effect, o Options) {
	first, last := f.window()
	within := func(day string) bool { return day >= first && day <= last }
	for _, other := range o.Others {
		end := ""
		if other.Result != nil {
			end = other.Result.At.Format(time.DateOnly)
		}
		never := other.State == action.Planned || other.State == action.Cancelled
		if other.ID == f.a.ID || never || other.Aim.Measure != f.a.Aim.Measure ||
			!within(other.Start) && !within(end) || apart(other.Aim.Sites, f.a.Aim.Sites) {
			continue
		}
		e.Overlaps = append(e.Overlaps, Named{ID: other.ID, Name: other.Title, Start: other.Start, End: end})
	}
	for _, c := range o.Conditions {
		var at []string
		if c.Site != "" {
			at = []string{c.Site}
		}
		if c.Withdrawn || c.Start > last || c.End != "" && c.End < first || apart(at, f.a.Aim.Sites) {
			continue
		}
		e.Conditions = append(e.Conditions, Named{ID: c.ID, Name: c.Name, Start: c.Start, End: c.End})
	}
}

// apart reports whether two lists of sites have none in common; an empty list is everywhere.
func apart(a, b []string) bool {
	return len(a) > 0 && len(b) > 0 &&
		!slices.ContainsFunc(a, func(site string) bool { return slices.Contains(b, site) })
}

// caution lists what must be known beside the verdict.
func (f *figure) caution(e *Effect) {
	for _, one := range []struct {
		caution Caution
		holds   bool
	}{
		{Regression, f.picked()},
		{Season, f.seasonal()},
		{Overlap, len(e.Overlaps) > 0},
		{Conditions, len(e.Conditions) > 0},
		{NotBetter, e.narrows() && e.Target.Better != nil && !*e.Target.Better},
		{NoComparison, f.others.found == 0},
		{Drift, f.drifted(e)},
		{Uneven, e.Widened > 1},
		{FewEvents, !e.events()},
		{NotTested, e.Gap != nil && e.Gap.Change.Interval == nil},
		{Incomplete, len(e.Incomplete) > 0},
	} {
		if one.holds {
			e.Cautions = append(e.Cautions, one.caution)
		}
	}
}

// picked reports whether the groups were picked by figures of the months before. A finding that does not
// say when it was found is taken to be of those.
func (f *figure) picked() bool {
	if f.a.Finding.Kind == action.Cluster || len(f.before) == 0 {
		return false
	}
	return f.a.Finding.Period == "" || len(f.notFinding()) < len(f.before)
}

// seasonal reports whether the months of the year have other shares before than after.
func (f *figure) seasonal() bool {
	var before, after [12]int
	for _, r := range f.before {
		before[r.Period.Start.Month()-1]++
	}
	for _, r := range f.after {
		after[r.Period.Start.Month()-1]++
	}
	for m := range before {
		if before[m]*len(f.after) != after[m]*len(f.before) {
			return true
		}
	}
	return false
}

// drifted reports whether the chart of the groups had a pattern that was over before the action.
func (f *figure) drifted(e *Effect) bool {
	s := seriesOf(e.Trend, f.target.coding.Code)
	if s == nil || len(f.before) == 0 {
		return false
	}
	last := f.before[len(f.before)-1].Period.Start.Format(monthLayout)
	for _, signal := range s.Signals {
		over := !slices.ContainsFunc(signal.Months, func(month string) bool { return month > last })
		if signal.Side != "" && len(signal.Months) > 0 && over {
			return true
		}
	}
	return false
}

// events reports whether the groups have 20 events and 20 units without one, both sides together; of
// rates, events alone, and of medians, units.
func (e *Effect) events() bool {
	with, of := 0.0, e.Target.Before.N+e.Target.After.N
	for _, s := range []Side{e.Target.Before, e.Target.After} {
		if s.Events != nil {
			with += *s.Events
		}
	}
	switch e.Scoring {
	case measure.Proportion:
		return min(with, of-with) >= fewestEvents
	case measure.Ratio:
		return with >= fewestEvents
	case measure.ContinuousVariable, measure.Cohort:
	}
	return of >= fewestEvents
}
