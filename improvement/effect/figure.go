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

// The codes of strata that are made of several. No category has a code that begins with a dash.
const (
	restCode   = "-rest"
	othersCode = "-others"
)

// figure is the rate of an action by the dimension of its aim, month by month.
type figure struct {
	a     *action.Action
	start time.Time
	// rate is the group of the last month: its id, scoring, direction and scale.
	rate      measure.Group
	dimension string
	// months are whole calendar months; the data may not fill the last.
	months []measure.Result
	// before and after are those that count and have anybody; the month that holds the start is neither.
	before, after []measure.Result
	// target, reference and others are the strata by which months are grouped anew. The reference is
	// among the others.
	target, reference, others bundle
	rule                      gap.Reference
}

// bundle is some strata taken together.
type bundle struct {
	coding measure.Coding
	// keep says which; one that keeps none does not exist.
	keep func(measure.Stratum) bool
	// found is how many it keeps of the dimension.
	found int
}

// newFigure checks that the months are of what the action should move.
func newFigure(months []measure.Result, a *action.Action) (*figure, error) {
	f := &figure{a: a, dimension: a.Aim.Dimension}
	var err error
	if f.start, err = time.Parse(time.DateOnly, a.Start); err != nil {
		return nil, fmt.Errorf("start of action %s: %w", a.ID, err)
	}
	for _, r := range months {
		if err := f.take(r); err != nil {
			return nil, err
		}
	}
	if len(f.months) == 0 {
		return nil, fmt.Errorf("effect of action %s: %w", a.ID, gap.ErrNoMonths)
	}
	f.bundle()
	return f, nil
}

// take adds a month, unless the period begins or ends within it.
func (f *figure) take(r measure.Result) error {
	aim := &f.a.Aim
	refuse := func(what string) error {
		return fmt.Errorf("effect of action %s on %s: %s: %w", f.a.ID, aim.Measure, what, ErrQuestion)
	}
	i := slices.IndexFunc(r.Groups, func(g measure.Group) bool { return aim.Rate == "" || g.ID == aim.Rate })
	switch {
	case r.Measure != aim.Measure:
		return refuse("they are of " + r.Measure)
	case i < 0:
		return refuse("they have no rate " + aim.Rate)
	case !slices.Equal(sorted(r.Filter[mapping.DimensionSite]), sorted(aim.Sites)):
		return refuse("they are of other sites")
	case len(r.Filter) > 1 || len(r.Filter) == 1 && len(aim.Sites) == 0:
		return refuse("they are of some people only")
	}
	g := r.Groups[i]
	strata, ok := g.Strata[f.dimension]
	switch {
	case !ok && len(r.Incomplete) == 0:
		return refuse("they are not by " + f.dimension)
	case g.Scoring == measure.Cohort || slices.Contains(g.NotBy, f.dimension):
		return refuse("no gap can be told of it")
	case g.Scoring == measure.ContinuousVariable && g.Aggregate != "" && g.Aggregate != measure.Median:
		return refuse("of values only medians can be followed")
	case slices.Contains(g.Overlapping, f.dimension):
		return refuse("the groups overlap")
	case slices.ContainsFunc(strata, func(s measure.Stratum) bool { return s.Suppressed }):
		return refuse("small figures are hidden")
	}
	if r.Period.Start.Day() != 1 || r.Period.End.AddDate(0, 0, 1).Day() != 1 {
		return nil
	}
	empty := countOf(&g, g.Cell).Of <= 0
	if empty && len(f.months) == 0 {
		return nil // The data begin later.
	}
	r.Groups = []measure.Group{g}
	f.months, f.rate = append(f.months, r), g
	switch {
	case empty:
		// Nobody is counted: it says nothing of either side.
	case !r.DataAsOf.IsZero() && r.DataAsOf.Before(r.Period.End.AddDate(0, 0, 1)):
		// The data end before the month does.
	case r.Period.End.Before(f.start):
		f.before = append(f.before, r)
	case !r.Period.Start.Before(f.start):
		f.after = append(f.after, r)
	}
	return nil
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

// bundle names the groups that should move, and everybody else of a known group. A bundle of a single
// stratum goes by the name of that.
func (f *figure) bundle() {
	var others []measure.Coding
	for _, r := range f.months {
		for _, s := range r.Groups[0].Strata[f.dimension] {
			if known(s) && !slices.Contains(f.a.Aim.Groups, s.Code) &&
				!slices.ContainsFunc(others, func(c measure.Coding) bool { return c.Code == s.Code }) {
				others = append(others, s.Coding)
			}
		}
	}
	f.others = bundle{
		coding: own(othersCode, "everybody else"), found: len(others),
		keep: func(s measure.Stratum) bool { return known(s) && !slices.Contains(f.a.Aim.Groups, s.Code) },
	}
	if len(others) == 1 {
		f.others.coding = others[0]
	}
	names := make([]string, len(f.a.Aim.Groups))
	for i, code := range f.a.Aim.Groups {
		names[i] = f.single(code).coding.Label
	}
	f.target = bundle{
		coding: own(strings.Join(f.a.Aim.Groups, "+"), strings.Join(names, " + ")), found: len(names),
		keep: func(s measure.Stratum) bool { return known(s) && slices.Contains(f.a.Aim.Groups, s.Code) },
	}
	if len(names) == 1 {
		f.target.coding = f.single(f.a.Aim.Groups[0]).coding
	}
}

// own is the coding of what is made of several strata.
func own(code, label string) measure.Coding {
	return measure.Coding{Code: code, Label: label, State: string(mapping.Known)}
}

// known reports whether a stratum is a group of people.
func known(s measure.Stratum) bool { return s.State == string(mapping.Known) }

// regroup returns months whose strata are the bundles.
func (f *figure) regroup(months []measure.Result, bundles ...bundle) []measure.Result {
	out := make([]measure.Result, len(months))
	for m, r := range months {
		g := r.Groups[0]
		strata := make([]measure.Stratum, 0, len(bundles))
		for _, b := range bundles {
			strata = append(strata, measure.Stratum{Coding: b.coding, Cell: f.cell(months[m:m+1], b)})
		}
		g.Strata = map[string][]measure.Stratum{f.dimension: strata}
		r.Groups = []measure.Group{g}
		out[m] = r
	}
	return out
}

// cell adds up a bundle over months.
func (f *figure) cell(months []measure.Result, b bundle) measure.Cell {
	var cells []measure.Cell
	for _, r := range months {
		for _, s := range r.Groups[0].Strata[f.dimension] {
			if b.keep(s) {
				cells = append(cells, s.Cell)
			}
		}
	}
	return add(&f.rate, cells)
}

// single is one of the groups that should move.
func (f *figure) single(code string) bundle {
	b := bundle{keep: func(s measure.Stratum) bool { return known(s) && s.Code == code }, found: 1,
		coding: own(code, mapping.Label(f.dimension, code))}
	for _, r := range f.months {
		for _, s := range r.Groups[0].Strata[f.dimension] {
			if b.keep(s) {
				b.coding = s.Coding
			}
		}
	}
	return b
}
