package effect

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/stat"
)

var (
	// ErrUnsplit says that a measure cannot be divided by day.
	ErrUnsplit = errors.New("it counts patients over the whole period and cannot be divided by day")
	// ErrNoCondition says that no day of the period is inside, or all of it is.
	ErrNoCondition = errors.New("the conditions leave nothing to hold against each other")
	// ErrMoved says that another snapshot went live in between: asking again is the way out.
	ErrMoved = errors.New("the figures are of two snapshots")
)

// Ask answers a question, as Engine.Evaluate does.
type Ask func(ctx context.Context, q measure.Question) (measure.Result, error)

// Split is what is asked inside and outside of conditions.
type Split struct {
	// Definition is that of the measure of Question, which asks by one dimension.
	Definition measure.Definition
	Question   measure.Question
	// Rate is empty for the first one.
	Rate string
	// Reference is chosen on what is outside; empty is gap.Best.
	Reference gap.Reference
	// Conditions of which each day at a site that any of them holds is inside.
	Conditions []action.Condition
}

// Comparison is a rate inside of declared conditions against outside of them. Its JSON form is the
// contract of `equitylens conditions compare --json`: fields may be added, never changed.
type Comparison struct {
	Measure     string              `json:"measure"`
	Version     string              `json:"version"`
	Title       string              `json:"title"`
	Rate        string              `json:"rate"`
	Snapshot    string              `json:"snapshot"`
	DataAsOf    time.Time           `json:"data_as_of"`
	Period      measure.Period      `json:"period"`
	Filter      measure.Filter      `json:"filter,omitempty"`
	Incomplete  []string            `json:"incomplete,omitempty"`
	Scoring     measure.Scoring     `json:"scoring"`
	Improvement measure.Improvement `json:"improvement"`
	Per         float64             `json:"per"`
	Dimension   string              `json:"dimension"`
	Conditions  []Named             `json:"conditions"`
	// DaysInside is on how many days of the period something is inside, DaysOutside on how many
	// something is outside; where a condition holds at some sites a day is both.
	DaysInside  int `json:"days_inside"`
	DaysOutside int `json:"days_outside"`
	// All is everybody; Groups are the strata, those of unknown group too.
	All    Beside   `json:"all"`
	Groups []Beside `json:"groups"`
	// Reference is chosen on what is outside; GapsRefused says why there is none.
	Reference   *gap.Chosen  `json:"reference,omitempty"`
	GapsRefused *gap.Refused `json:"gaps_refused,omitempty"`
	// Sentences say the comparison in English, and never why.
	Sentences []string `json:"sentences"`
}

// Beside is one stratum inside and outside.
type Beside struct {
	Label   string `json:"label"`
	Code    string `json:"code,omitempty"`
	State   string `json:"state,omitempty"`
	Inside  Side   `json:"inside"`
	Outside Side   `json:"outside"`
	// Difference is inside less outside; P is the p-value of none, by the test that Method names, and Q
	// is P corrected for all groups here. What is no group of people is not tested.
	Difference *gap.Estimate `json:"difference,omitempty"`
	P          *float64      `json:"p,omitempty"`
	Q          *float64      `json:"q,omitempty"`
	Method     stat.Method   `json:"method,omitempty"`
	// GapInside and GapOutside are those to the reference, GapChange the one less the other (a difference
	// in differences).
	GapInside  *Distance     `json:"gap_inside,omitempty"`
	GapOutside *Distance     `json:"gap_outside,omitempty"`
	GapChange  *gap.Estimate `json:"gap_change,omitempty"`
}

// InsideOutside holds a measure inside of conditions against outside of them. Units are placed by the
// day by which the measure dates them: each is inside or outside, so that the two add up to the whole.
// It fails with ErrUnsplit for a measure of patients and for one of another engine, with ErrNoCondition
// where one of the two is empty, and as ask does.
func InsideOutside(ctx context.Context, ask Ask, s Split) (Comparison, error) {
	d, q := &s.Definition, s.Question
	if d.Unit == measure.PatientUnit || d.Imported {
		return Comparison{}, fmt.Errorf("%s inside and outside: %w", d.ID, ErrUnsplit)
	}
	if len(q.By) != 1 || q.Measure != d.ID {
		return Comparison{}, fmt.Errorf("%s inside and outside: one dimension is asked for: %w", d.ID,
			ErrQuestion)
	}
	spans, named, err := spansOf(q.Period, s.Conditions)
	if err != nil {
		return Comparison{}, err
	}
	pieces := piecesOf(spans, q.Where[mapping.DimensionSite])
	if len(pieces) == 0 {
		return Comparison{}, fmt.Errorf("%s inside and outside: no day is inside: %w", d.ID, ErrNoCondition)
	}
	whole, inside, err := divide(ctx, ask, q, s.Rate, pieces)
	if err != nil {
		return Comparison{}, fmt.Errorf("%s inside and outside: %w", d.ID, err)
	}
	out := outlineOf(whole, q.By[0], named)
	out.DaysInside, out.DaysOutside = dayCounts(q.Period, pieces)
	if out.DaysOutside == 0 {
		return Comparison{}, fmt.Errorf("%s inside and outside: no day is outside: %w", d.ID, ErrNoCondition)
	}
	if err := out.fill(whole, inside, s.Reference); err != nil {
		return Comparison{}, fmt.Errorf("%s inside and outside: %w", d.ID, err)
	}
	out.speak()
	return out, nil
}

// dayCounts are the days with something inside, and those with something outside.
func dayCounts(p measure.Period, pieces []piece) (inside, outside int) {
	outside = daysOf(p)
	for i, one := range pieces {
		inside += daysOf(one.period)
		if one.sites == nil {
			outside -= daysOf(pieces[i].period)
		}
	}
	return inside, outside
}

// divide asks for the whole and for each piece, and adds the pieces up. Both results hold one rate.
func divide(
	ctx context.Context, ask Ask, q measure.Question, rate string, pieces []piece,
) (whole, inside measure.Result, err error) {
	q.Bounds = false
	if whole, err = askRate(ctx, ask, q, rate); err != nil {
		return whole, inside, err
	}
	var results []measure.Result
	for _, one := range pieces {
		part := q
		part.Period = one.period
		if one.sites != nil {
			part.Where = maps.Clone(q.Where)
			if part.Where == nil {
				part.Where = measure.Filter{}
			}
			part.Where[mapping.DimensionSite] = one.sites
		}
		r, err := askRate(ctx, ask, part, rate)
		if err != nil {
			return whole, inside, err
		}
		if r.Snapshot != whole.Snapshot {
			return whole, inside, ErrMoved
		}
		results = append(results, r)
	}
	return whole, sum(whole, q.By[0], results), nil
}

// askRate keeps one rate of an answer, whose figures are all there.
func askRate(ctx context.Context, ask Ask, q measure.Question, rate string) (measure.Result, error) {
	r, err := ask(ctx, q)
	if err != nil {
		return r, err
	}
	i := slices.IndexFunc(r.Groups, func(g measure.Group) bool { return rate == "" || g.ID == rate })
	if i < 0 {
		return r, fmt.Errorf("there is no rate %s: %w", rate, ErrQuestion)
	}
	g := r.Groups[i]
	hidden := func(s measure.Stratum) bool { return s.Suppressed }
	if g.Suppressed || slices.ContainsFunc(g.Strata[q.By[0]], hidden) {
		return r, fmt.Errorf("small figures are hidden: %w", ErrQuestion)
	}
	r.Groups = []measure.Group{g}
	return r, nil
}

// sum adds up results of parts of the whole, with the strata of the whole.
func sum(whole measure.Result, dimension string, parts []measure.Result) measure.Result {
	g := whole.Groups[0]
	all := make([]measure.Cell, len(parts))
	for i, r := range parts {
		all[i] = r.Groups[0].Cell
	}
	out := g
	out.Cell = add(&g, all)
	strata := make([]measure.Stratum, len(g.Strata[dimension]))
	for i, s := range g.Strata[dimension] {
		var cells []measure.Cell
		for _, r := range parts {
			for _, other := range r.Groups[0].Strata[dimension] {
				if other.Code == s.Code && other.State == s.State {
					cells = append(cells, other.Cell)
				}
			}
		}
		strata[i] = measure.Stratum{Coding: s.Coding, Cell: add(&g, cells)}
	}
	out.Strata = map[string][]measure.Stratum{dimension: strata}
	whole.Groups = []measure.Group{out}
	return whole
}

// rest is the whole less a part of it, stratum by stratum.
func rest(whole, part measure.Result, dimension string) measure.Result {
	g := whole.Groups[0]
	out := g
	out.Cell = less(&g, g.Cell, part.Groups[0].Cell)
	strata := make([]measure.Stratum, len(g.Strata[dimension]))
	for i, s := range g.Strata[dimension] {
		inside := part.Groups[0].Strata[dimension][i].Cell // As sum made them.
		strata[i] = measure.Stratum{Coding: s.Coding, Cell: less(&g, s.Cell, inside)}
	}
	out.Strata = map[string][]measure.Stratum{dimension: strata}
	whole.Groups = []measure.Group{out}
	return whole
}

// less takes a part from a cell.
func less(g *measure.Group, whole, part measure.Cell) measure.Cell {
	negative := measure.Cell{Populations: map[measure.Population]float64{}}
	for p, n := range part.Populations {
		negative.Populations[p] = -n
	}
	for _, v := range part.Values {
		negative.Values = append(negative.Values, measure.ValueCount{Value: v.Value, Count: -v.Count})
	}
	return add(g, []measure.Cell{whole, negative})
}

// outlineOf is what can be said without figures.
func outlineOf(whole measure.Result, dimension string, named []Named) Comparison {
	g := whole.Groups[0]
	out := Comparison{
		Measure: whole.Measure, Version: whole.Version, Title: g.Title, Rate: g.ID,
		Snapshot: whole.Snapshot, DataAsOf: whole.DataAsOf, Period: whole.Period, Filter: whole.Filter,
		Incomplete: whole.Incomplete, Scoring: g.Scoring, Improvement: g.Improvement, Per: per(&g),
		Dimension: dimension, Conditions: named, Groups: []Beside{}, Sentences: []string{},
	}
	if out.Title == "" {
		out.Title = whole.Title
	}
	return out
}

// fill compares inside with outside. The tests are those of gap.Change, with outside in the place of
// before.
func (c *Comparison) fill(whole, inside measure.Result, reference gap.Reference) error {
	outside := rest(whole, inside, c.Dimension)
	tests, err := gap.Change([]measure.Result{outside}, []measure.Result{inside}, c.Rate, c.Dimension,
		c.Period.Start, gap.Options{Reference: reference})
	if err != nil {
		return err
	}
	c.Reference, c.GapsRefused = tests.Reference, tests.GapsRefused
	in, out := inside.Groups[0], outside.Groups[0]
	c.All = Beside{Label: "all", Inside: side(&in, in.Cell), Outside: side(&in, out.Cell)}
	if tests.All != nil {
		c.All.take(*tests.All, &in, in.Cell, out.Cell)
	}
	refIn, refOut, found := c.referenceCells(in, out)
	for i, s := range in.Strata[c.Dimension] {
		was := out.Strata[c.Dimension][i]
		one := Beside{Label: s.Label, Code: s.Code, State: s.State, Inside: side(&in, s.Cell),
			Outside: side(&in, was.Cell)}
		at := slices.IndexFunc(tests.Groups, func(g gap.GroupChange) bool { return g.Code == s.Code })
		if known(s) && at >= 0 {
			one.take(tests.Groups[at], &in, s.Cell, was.Cell)
			one.GapChange = tests.Groups[at].Compared
			isReference := c.Reference != nil && c.Reference.Code == s.Code
			if found && !isReference && s.Score != nil && was.Score != nil {
				inGap, outGap := distance(&in, s.Cell, refIn), distance(&in, was.Cell, refOut)
				one.GapInside, one.GapOutside = &inGap, &outGap
			}
		}
		c.Groups = append(c.Groups, one)
	}
	return nil
}

// referenceCells are those of the reference inside and outside, if both have a score. Where it is
// everybody the gaps would be to a whole of which the group is a part, and none are shown.
func (c *Comparison) referenceCells(in, out measure.Group) (inside, outside measure.Cell, ok bool) {
	if c.Reference == nil || c.Reference.Code == "" {
		return inside, outside, false
	}
	i := slices.IndexFunc(in.Strata[c.Dimension], func(s measure.Stratum) bool {
		return known(s) && s.Code == c.Reference.Code
	})
	if i < 0 {
		return inside, outside, false
	}
	inside, outside = in.Strata[c.Dimension][i].Cell, out.Strata[c.Dimension][i].Cell
	return inside, outside, inside.Score != nil && outside.Score != nil
}

// take copies a test. A median has the interval of square-and-add.
func (b *Beside) take(change gap.GroupChange, g *measure.Group, inside, outside measure.Cell) {
	b.Difference, b.P, b.Q, b.Method = change.Change, change.P, change.Q, change.Method
	if g.Scoring != measure.ContinuousVariable || inside.Score == nil || outside.Score == nil {
		return
	}
	if e, ok := medianDifference(inside, outside); ok {
		b.Difference = &gap.Estimate{Value: e.Value, Interval: &[2]float64{e.Lo, e.Hi}, Clear: e.Clear()}
	}
}
