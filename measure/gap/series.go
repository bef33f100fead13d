package gap

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/stat/spc"
)

// Series is one stratum over the months, with its control chart.
type Series struct {
	Label string `json:"label"`
	Code  string `json:"code,omitempty"`
	State string `json:"state,omitempty"`
	// Chart is p, p-prime, u, u-prime or run; Why says why that one.
	Chart spc.Kind `json:"chart,omitempty"`
	Why   string   `json:"why,omitempty"`
	// Points are one a month, in the order of the report's months.
	Points []Point `json:"points"`
	// Refused says why there is no chart; the values are there still.
	Refused *Refused `json:"refused,omitempty"`
	// Widened is the factor by which a Laney chart widens its limits.
	Widened float64 `json:"widened,omitempty"`
	// Baseline is how many months set the limits.
	Baseline int `json:"baseline,omitempty"`
	// Signals are the patterns that chance seldom makes; SignalsRefused says why none were looked for.
	Signals        []Signal `json:"signals"`
	SignalsRefused *Refused `json:"signals_refused,omitempty"`
}

// Point is one month of a series. Value is absent where nothing is below the line.
type Point struct {
	Month  string   `json:"month"`
	N      float64  `json:"n"`
	Events *float64 `json:"events,omitempty"`
	Value  *float64 `json:"value,omitempty"`
	// Centre is the centre line; Lower and Upper are the limits of a chart that has some.
	Centre *float64 `json:"centre,omitempty"`
	Lower  *float64 `json:"lower,omitempty"`
	Upper  *float64 `json:"upper,omitempty"`
	// Excluded says that the month sets no limits and counts in no run.
	Excluded bool `json:"excluded,omitempty"`
}

// Signal is a pattern in a series.
type Signal struct {
	Rule spc.Rule `json:"rule"`
	// Says is the rule in words.
	Says string `json:"says"`
	// Months are those that make it; of what is said of a series as a whole, all off the centre line.
	Months []string `json:"months"`
	// Side is above, below, rising or falling, and empty of the series as a whole.
	Side spc.Side `json:"side,omitempty"`
	// Better says that the side is the good one; absent where there is no side, or neither is.
	Better *bool `json:"better,omitempty"`
	// Found is what was counted, Bound the number from which or past which the rule speaks.
	Found int `json:"found"`
	Bound int `json:"bound"`
}

// series draws everybody and every stratum.
func (t *trend) series(out *TrendReport) error {
	everybody := measure.Stratum{Coding: measure.Coding{Label: overallLabel}}
	strata := append([]measure.Stratum{everybody}, t.pool.Strata[t.dimension]...)
	out.Series = make([]Series, 0, len(strata))
	for i, s := range strata {
		cells := make([]measure.Cell, len(t.groups))
		for m, g := range t.groups {
			cells[m] = g.Cell
			if i > 0 {
				cells[m] = cellOf(g.Strata[t.dimension], s)
			}
		}
		one := Series{Label: label(s), Code: code(s), State: stateOf(s), Signals: []Signal{}}
		for m, c := range cells {
			one.Points = append(one.Points, t.point(m, c))
		}
		if err := t.chart(&one, cells); err != nil {
			return err
		}
		out.Series = append(out.Series, one)
	}
	return nil
}

// cellOf finds a stratum of a month; who is not there has nothing.
func cellOf(strata []measure.Stratum, s measure.Stratum) measure.Cell {
	key := keyOf(codingsOf(s))
	i := slices.IndexFunc(strata, func(o measure.Stratum) bool { return keyOf(codingsOf(o)) == key })
	if i < 0 {
		return measure.Cell{}
	}
	return strata[i].Cell
}

func (t *trend) point(m int, c measure.Cell) Point {
	p := Point{Month: t.months[m].Name(), N: effective(t.pool.Scoring, c), Value: c.Score,
		Excluded: t.months[m].Partial}
	if t.pool.Scoring == measure.Proportion || t.pool.Scoring == measure.Ratio {
		events := met(c)
		p.Events = &events
	}
	return p
}

// chart draws the chart of a series and finds its signals.
func (t *trend) chart(s *Series, cells []measure.Cell) error {
	if slices.ContainsFunc(cells, func(c measure.Cell) bool { return c.Suppressed }) {
		s.Refused = refuse(Hidden)
		return nil
	}
	basis, subgroups := t.subgroups(cells)
	if t.pool.Scoring == measure.Cohort || t.pool.Scoring == measure.Ratio && basis != spc.Rate {
		s.Refused = refuse(NotACount)
		return nil
	}
	config := spc.Config{}
	if basis == spc.Rate {
		config.Multiply = scale(t.pool)
	}
	for m, month := range t.months {
		if month.Partial {
			config.Exclude = append(config.Exclude, m)
		}
	}
	limits := subgroups
	if !t.o.Since.IsZero() {
		config.Baseline = t.baseline()
		limits = subgroups[:config.Baseline]
	}
	kind, why, err := t.kind(basis, limits)
	if errors.Is(err, ErrChart) {
		return err
	}
	if err != nil {
		s.Refused = refuse(NoMonths)
		return nil
	}
	drawn, err := spc.New(kind, subgroups, config)
	if err != nil {
		s.Refused = refuse(NoMonths)
		return nil
	}
	s.Chart, s.Why = kind, why
	s.draw(drawn)
	if centre := drawn.Phases[0].Centre; kind == spc.Run && basis != spc.Figure &&
		(centre == 0 || basis == spc.Proportion && centre == 1) {
		s.SignalsRefused = refuse(OneSided)
		return nil
	}
	rules := t.o.Rules
	if len(rules) == 0 {
		rules = spc.Anhoej()
		if kind.Limited() {
			rules = spc.Shewhart()
		}
	}
	for _, found := range drawn.Signals(rules...) {
		s.Signals = append(s.Signals, t.signal(found))
	}
	return nil
}

// baseline is how many months end before the action.
func (t *trend) baseline() int {
	starts := make([]time.Time, len(t.months))
	for i, m := range t.months {
		starts[i] = m.Period.Start
	}
	since := t.o.Since
	return spc.IndexAt(starts, time.Date(since.Year(), since.Month(), 1, 0, 0, 0, 0, time.UTC))
}

// subgroups are the points of a chart: events in what they are counted in, or single figures.
func (t *trend) subgroups(cells []measure.Cell) (spc.Basis, []spc.Subgroup) {
	basis := spc.Figure
	switch t.pool.Scoring {
	case measure.Proportion:
		basis = spc.Proportion
	case measure.Ratio:
		basis = spc.Rate
	case measure.ContinuousVariable, measure.Cohort:
	}
	subgroups := make([]spc.Subgroup, len(cells))
	for i, c := range cells {
		switch n := countOf(t.pool, c); {
		case basis != spc.Figure && n.Of > 0:
			if !whole(n.Events) {
				return spc.Figure, nil
			}
			subgroups[i] = spc.Subgroup{Count: n.Events, Size: n.Of}
		case basis == spc.Figure && c.Score != nil:
			subgroups[i] = spc.Subgroup{Count: *c.Score, Size: 1}
		}
	}
	return basis, subgroups
}

// kind is the chart that was asked for, else the one that fits. Charts of single events cannot be
// drawn of months, and a run chart stands in for them.
func (t *trend) kind(basis spc.Basis, limits []spc.Subgroup) (spc.Kind, string, error) {
	if t.o.Chart != "" {
		fits := map[spc.Basis][]spc.Kind{
			spc.Proportion: {spc.P, spc.PPrime, spc.Run}, spc.Rate: {spc.U, spc.UPrime, spc.Run},
			spc.Figure: {spc.Run},
		}
		if !slices.Contains(fits[basis], t.o.Chart) {
			return "", "", fmt.Errorf("chart %s of a %s: %w", t.o.Chart, basis, ErrChart)
		}
		return t.o.Chart, "It was asked for.", nil
	}
	advice, err := spc.Choose(basis, limits)
	if err != nil {
		return "", "", fmt.Errorf("choose a chart: %w", err)
	}
	if advice.Kind == spc.G || advice.Kind == spc.T {
		return spc.Run, advice.Because.Says() +
			" Months do not hold the single events, so this is a run chart without limits.", nil
	}
	return advice.Kind, advice.Because.Says(), nil
}

// draw copies the lines of a chart.
func (s *Series) draw(c *spc.Chart) {
	for i := range c.Points {
		from, to := &c.Points[i], &s.Points[i]
		to.Centre, to.Excluded = &from.Centre, from.Excluded
		if c.Kind.Limited() && !from.Missing {
			to.Lower, to.Upper = &from.Lower, &from.Upper
		}
	}
	s.Baseline = c.Phases[0].Baseline
	if c.Kind == spc.PPrime || c.Kind == spc.UPrime {
		s.Widened = c.Phases[0].SigmaZ
	}
}

func (t *trend) signal(found spc.Signal) Signal {
	s := Signal{Rule: found.Rule, Says: found.Rule.Says(), Side: found.Side, Found: found.Found,
		Bound: found.Bound, Months: []string{}}
	for _, i := range found.Indices {
		s.Months = append(s.Months, t.months[i].Name())
	}
	if found.Side != "" && t.pool.Improvement != measure.Context {
		up := found.Side == spc.Above || found.Side == spc.Rising
		better := up == (t.pool.Improvement == measure.Increase)
		s.Better = &better
	}
	return s
}
