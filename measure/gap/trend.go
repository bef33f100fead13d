package gap

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/stat"
)

// TrendReport is one rate by one dimension, month by month. Its JSON form is the contract of
// `equitylens trend --json`: fields may be added, never changed.
type TrendReport struct {
	Measure  string    `json:"measure"`
	Version  string    `json:"version"`
	Title    string    `json:"title"`
	Snapshot string    `json:"snapshot"`
	DataAsOf time.Time `json:"data_as_of"`
	// Period is from the first day of the first month to the last of the last.
	Period      measure.Period      `json:"period"`
	Policy      mapping.Policy      `json:"race_policy,omitempty"`
	Filter      measure.Filter      `json:"filter,omitempty"`
	Incomplete  []string            `json:"incomplete,omitempty"`
	Rate        string              `json:"rate"`
	RateTitle   string              `json:"rate_title"`
	Scoring     measure.Scoring     `json:"scoring"`
	Improvement measure.Improvement `json:"improvement"`
	Per         float64             `json:"per"`
	Dimension   string              `json:"dimension"`
	Overlapping bool                `json:"overlapping,omitempty"`
	// Months are the points of every chart.
	Months []Month `json:"months"`
	// Series are everybody and each stratum, known or not.
	Series []Series `json:"series"`
	// Reference is chosen once, over all months together, or over those before an action, so that it
	// does not change from month to month.
	Reference *Chosen `json:"reference,omitempty"`
	// Gaps are those of each group to the reference; GapsRefused says why there are none.
	Gaps        []MonthlyGap `json:"gaps"`
	GapsRefused *Refused     `json:"gaps_refused,omitempty"`
	// Changes are the tests of an action with a date.
	Changes   *ChangeReport `json:"changes,omitempty"`
	Sentences []string      `json:"sentences"`
}

// Month is a calendar month, or the part of it that the period holds.
type Month struct {
	Period measure.Period `json:"period"`
	// Partial says that the data end before the month does: it is shown, and sets no limits.
	Partial bool `json:"partial,omitempty"`
}

// Name is the month as 2025-03.
func (m Month) Name() string { return m.Period.Start.Format(monthLayout) }

const monthLayout = "2006-01"

// ErrChart says that a chart does not fit the measure.
var ErrChart = errors.New("that chart does not fit the measure")

// ErrNoMonths says that there is no month to draw.
var ErrNoMonths = errors.New("no month to draw")

// trend is what the parts of a report are made from.
type trend struct {
	o         Options
	groups    []measure.Group // The rate, by month.
	dimension string
	months    []Month
	// pool is the rate over all months, with its strata.
	pool measure.Group
}

// Trend draws one rate by one dimension, month by month, of the results of Engine.Months: a control
// chart of each stratum, and how the gaps to the reference move. An empty rate is the first one.
func Trend(months []measure.Result, rate, dimension string, o Options) (TrendReport, error) {
	t := trend{o: o, dimension: dimension}
	if len(months) == 0 {
		return TrendReport{}, ErrNoMonths
	}
	var incomplete []string
	for _, r := range months {
		g, err := rateOf(r, rate)
		if err != nil {
			return TrendReport{}, err
		}
		if _, ok := g.Strata[dimension]; !ok && len(r.Incomplete) == 0 {
			return TrendReport{}, fmt.Errorf("trend of %s by %s: %w", r.Measure, dimension, ErrNoDimension)
		}
		t.groups = append(t.groups, g)
		t.months = append(t.months, Month{Period: r.Period, Partial: partial(r)})
		for _, text := range r.Incomplete {
			if !slices.Contains(incomplete, text) {
				incomplete = append(incomplete, text)
			}
		}
	}
	t.pool = pool(t.groups, dimension)
	first, last, g := months[0], months[len(months)-1], t.pool
	out := TrendReport{
		Measure: first.Measure, Version: first.Version, Title: first.Title, Snapshot: first.Snapshot,
		DataAsOf: first.DataAsOf, Policy: first.Policy, Filter: first.Filter, Incomplete: incomplete,
		Period: measure.Period{Start: first.Period.Start, End: last.Period.End},
		Rate:   g.ID, RateTitle: g.Title, Scoring: g.Scoring, Improvement: g.Improvement, Per: scale(g),
		Dimension: dimension, Overlapping: slices.Contains(g.Overlapping, dimension), Months: t.months,
		Gaps: []MonthlyGap{}, Sentences: []string{},
	}
	if err := t.series(&out); err != nil {
		return TrendReport{}, err
	}
	if err := t.gaps(&out); err != nil {
		return TrendReport{}, err
	}
	if !o.Since.IsZero() {
		before, after := around(months, o.Since)
		changes, err := Change(before, after, rate, dimension, o.Since, o)
		if err != nil {
			return TrendReport{}, err
		}
		out.Changes = &changes
	}
	out.speak()
	return out, nil
}

// partial reports whether the data end before the month does.
func partial(r measure.Result) bool {
	return !r.DataAsOf.IsZero() && r.DataAsOf.Before(r.Period.End.AddDate(0, 0, 1))
}

// around divides months into those that end before a day and those that start on it or later: the
// month of an action is neither, and nor is one that the data do not fill.
func around(months []measure.Result, day time.Time) (before, after []measure.Result) {
	for _, r := range months {
		switch {
		case partial(r):
		case r.Period.End.Before(day):
			before = append(before, r)
		case !r.Period.Start.Before(day):
			after = append(after, r)
		}
	}
	return before, after
}

// pool adds up the months of a rate: populations, and the values of a continuous variable. A
// patient counts in each month that they are seen in.
func pool(groups []measure.Group, dimension string) measure.Group {
	out := groups[0]
	var whole []measure.Cell
	var order []string
	at := map[string]measure.Stratum{}
	cells := map[string][]measure.Cell{}
	for _, g := range groups {
		whole = append(whole, g.Cell)
		for _, s := range g.Strata[dimension] {
			key := keyOf(codingsOf(s))
			if _, ok := at[key]; !ok {
				order = append(order, key)
				at[key] = measure.Stratum{Coding: s.Coding, Components: s.Components}
			}
			cells[key] = append(cells[key], s.Cell)
		}
	}
	out.Cell = poolCells(out, whole)
	strata := make([]measure.Stratum, 0, len(order))
	for _, key := range order {
		s := at[key]
		s.Cell = poolCells(out, cells[key])
		strata = append(strata, s)
	}
	slices.SortStableFunc(strata, func(a, b measure.Stratum) int {
		if known(a) != known(b) {
			if known(a) {
				return -1
			}
			return 1
		}
		return 0
	})
	out.Strata = map[string][]measure.Stratum{dimension: strata}
	return out
}

func poolCells(g measure.Group, cells []measure.Cell) measure.Cell {
	out := measure.Cell{Populations: map[measure.Population]float64{}}
	var values [][]measure.ValueCount
	for _, c := range cells {
		for p, n := range c.Populations {
			out.Populations[p] += n
		}
		values = append(values, c.Values)
		out.Suppressed = out.Suppressed || c.Suppressed
	}
	if out.Suppressed {
		return measure.Cell{Suppressed: true}
	}
	if g.Scoring == measure.ContinuousVariable {
		out.Values = pooled(values...)
		out.Score, out.Interval = middle(out.Values)
		return out
	}
	if n := countOf(g, out); n.Of > 0 && g.Scoring != measure.Cohort {
		score := scale(g) * n.Value()
		out.Score = &score
	}
	return out
}

// middle is the median of values with its interval.
func middle(values []measure.ValueCount) (*float64, *[2]float64) {
	v, n := make([]float64, len(values)), make([]int64, len(values))
	for i, one := range values {
		v[i], n[i] = one.Value, one.Count
	}
	median, ok := stat.QuantileCounts(v, n, 0.5)
	if !ok {
		return nil, nil
	}
	if lo, hi, ok := stat.MedianIntervalCounts(v, n); ok {
		return &median, &[2]float64{lo, hi}
	}
	return &median, nil
}
