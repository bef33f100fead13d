package effect

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
)

// AimCheck returns what says whether an aim is of a figure that exists and can be followed: its
// measure, rate, dimension and groups, by the definitions that are live.
func AimCheck(definitions []measure.Definition) func(action.Aim) error {
	return func(a action.Aim) error {
		i := slices.IndexFunc(definitions, func(d measure.Definition) bool { return d.ID == a.Measure })
		if i < 0 {
			return fmt.Errorf("there is no such measure; there are %s", strings.Join(idsOf(definitions), ", "))
		}
		d := &definitions[i]
		rate, err := rateOf(d, a.Rate)
		if err != nil {
			return err
		}
		switch {
		case !slices.Contains(measure.Dimensions(), a.Dimension):
			return fmt.Errorf("the dimension is none of %s", strings.Join(measure.Dimensions(), ", "))
		case d.Scoring == measure.Cohort:
			return fmt.Errorf("%s only counts, and has no score to move", d.ID)
		case d.Imported:
			return fmt.Errorf("%s comes from another engine, and is not known by month", d.ID)
		case d.Scoring == measure.ContinuousVariable && d.Aggregate != "" && d.Aggregate != measure.Median:
			return fmt.Errorf("%s is a %s; of values only medians can be followed", d.ID, d.Aggregate)
		case slices.Contains(slices.Concat(d.NotBy, rate.NotBy), a.Dimension):
			return fmt.Errorf("%s is about %s, so that a gap by it says nothing", d.ID, a.Dimension)
		}
		if err := (measure.Filter{a.Dimension: a.Groups}).Check(""); err != nil {
			return fmt.Errorf("the groups: %w", err)
		}
		rules := []gap.Reference{"", gap.Best, gap.Largest, gap.Overall}
		if !slices.Contains(rules, gap.Reference(a.Reference)) {
			if err := (measure.Filter{a.Dimension: {a.Reference}}).Check(""); err != nil {
				return fmt.Errorf("the reference is neither best, largest, overall nor a group: %w", err)
			}
		}
		if a.Dimension == mapping.DimensionSite && len(a.Sites) > 0 {
			return fmt.Errorf("groups that are sites cannot be limited to sites")
		}
		if t := a.Target; t != nil && (*t < 0 || d.Scoring == measure.Proportion && *t > 1) {
			return fmt.Errorf("the target of a share is from 0 to 1, any other 0 or more")
		}
		return nil
	}
}

func idsOf(definitions []measure.Definition) []string {
	out := make([]string, len(definitions))
	for i, d := range definitions {
		out[i] = d.ID
	}
	slices.Sort(out)
	return out
}

// rateOf finds a rate of a measure; empty is the first.
func rateOf(d *measure.Definition, id string) (measure.GroupDefinition, error) {
	rates := d.Rates()
	if id == "" {
		return rates[0], nil
	}
	ids := make([]string, len(rates))
	for i, r := range rates {
		if r.ID == id {
			return r, nil
		}
		ids[i] = r.ID
	}
	return measure.GroupDefinition{}, fmt.Errorf("%s has no such rate; it has %s", d.ID,
		strings.Join(ids, ", "))
}

// usualMonths is how many months before an action are looked at where nobody says: two years, so that
// every season is in them twice and charts have enough points for limits.
const usualMonths = 24

// Question is what to ask Engine.Months for the effect of an action: from a number of whole months
// before it (0 is 24) to the last day that data are of.
func Question(a action.Action, monthsBefore int, dataAsOf time.Time) (measure.Question, error) {
	start, err := time.Parse(time.DateOnly, a.Start)
	if err != nil {
		return measure.Question{}, fmt.Errorf("start of action %s: %w", a.ID, err)
	}
	if monthsBefore <= 0 {
		monthsBefore = usualMonths
	}
	first := time.Date(start.Year(), start.Month(), 1, 0, 0, 0, 0, time.UTC)
	end := time.Date(dataAsOf.Year(), dataAsOf.Month()+1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, -1)
	if end.Before(first) {
		// Nothing is known since: the months before are all there is to show.
		end = first.AddDate(0, 0, -1)
	}
	q := measure.Question{
		Measure: a.Aim.Measure, By: []string{a.Aim.Dimension},
		Period: measure.Period{Start: first.AddDate(0, -monthsBefore, 0), End: end},
	}
	if len(a.Aim.Sites) > 0 {
		q.Where = measure.Filter{mapping.DimensionSite: slices.Clone(a.Aim.Sites)}
	}
	return q, nil
}
