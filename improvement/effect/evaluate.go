package effect

import (
	"errors"
	"fmt"
	"slices"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/stat/spc"
)

// The least that is compared, and the least that counts as demonstrated.
const (
	fewestMonths       = 3
	demonstratedMonths = 6
	fewestUnits        = 30
	fewestEvents       = 20
)

// likely is the p-value up to which chance is no likely reason.
const likely = 0.05

// Evaluate says what the figures show of an action: months are what Engine.Months answers to Question.
// The groups that should move are taken together and held against the reference, which is chosen on the
// months before, and against everybody else of a known group. Only whole calendar months count, and
// the month that holds the start only if it begins with it. It fails with ErrQuestion where the months
// are of another figure, and with gap.ErrNoMonths where there are none.
func Evaluate(months []measure.Result, a action.Action, o Options) (Effect, error) {
	f, err := newFigure(months, &a)
	if err != nil {
		return Effect{}, err
	}
	e := f.outline()
	if err := f.refer(); err != nil {
		return Effect{}, fmt.Errorf("effect of action %s: %w", a.ID, err)
	}
	e.Rule = f.rule
	if e.Trend, err = f.trend(); err != nil {
		return Effect{}, fmt.Errorf("effect of action %s: %w", a.ID, err)
	}
	e.Widened = f.widened(e.Trend)
	if err := f.compare(&e); err != nil {
		return Effect{}, fmt.Errorf("effect of action %s: %w", a.ID, err)
	}
	f.name(&e, o)
	f.caution(&e)
	e.Verdict = e.verdict()
	e.Missing = e.lacks(f)
	e.Demonstrated = len(e.Missing) == 0
	e.Sentence = e.sentence()
	return e, nil
}

// outline is what can be said without figures.
func (f *figure) outline() Effect {
	last := f.months[len(f.months)-1]
	e := Effect{
		Action: f.a.ID, Aim: f.a.Aim, Start: f.a.Start, Measure: last.Measure, Version: last.Version,
		Title: last.Title, Rate: f.rate.ID, Snapshot: last.Snapshot, DataAsOf: last.DataAsOf,
		Scoring: f.rate.Scoring, Improvement: f.rate.Improvement, Per: per(&f.rate),
		Before: spanOf(f.before), After: spanOf(f.after), Widened: 1,
		Missing: []Requirement{}, Groups: []Moved{}, Cautions: []Caution{}, Overlaps: []Named{},
		Conditions: []Named{},
	}
	if e.Title = f.rate.Title; e.Title == "" {
		e.Title = last.Title
	}
	for _, r := range f.months {
		for _, text := range r.Incomplete {
			if !slices.Contains(e.Incomplete, text) {
				e.Incomplete = append(e.Incomplete, text)
			}
		}
	}
	return e
}

const monthLayout = "2006-01"

func spanOf(months []measure.Result) Span {
	if len(months) == 0 {
		return Span{}
	}
	return Span{From: months[0].Period.Start.Format(monthLayout), Months: len(months),
		To: months[len(months)-1].Period.Start.Format(monthLayout)}
}

// refer chooses the reference: by the rule of the aim among the groups that should move, taken
// together, and each other group, on the months before. If the groups themselves come out as the best
// or the largest, everybody else is the reference, and so are the others where the rule is overall,
// with those of unknown group: who should move cannot be held against themselves.
func (f *figure) refer() error {
	wish := gap.Reference(f.a.Aim.Reference)
	if wish == "" {
		wish = gap.Best
	}
	f.rule, f.reference = wish, f.others
	if wish == gap.Overall {
		f.reference = bundle{coding: own(restCode, "everybody else, unknown groups included"), found: 1,
			keep: func(s measure.Stratum) bool { return !f.target.keep(s) }}
		return nil
	}
	codes := f.others.codes(f)
	if !slices.Contains([]gap.Reference{gap.Best, gap.Largest}, wish) {
		if slices.Contains(codes, string(wish)) {
			f.reference = f.single(string(wish))
			return nil
		}
		f.reference = bundle{keep: func(measure.Stratum) bool { return false }}
		return nil
	}
	all := []bundle{f.target}
	for _, code := range codes {
		all = append(all, f.single(code))
	}
	on := f.before
	if len(on) == 0 {
		on = f.months
	}
	found, err := gap.Change(f.regroup(on, all...), f.regroup(on, all...), f.rate.ID, f.dimension,
		f.start, gap.Options{Reference: wish})
	if err != nil {
		return err
	}
	if found.Reference != nil && found.Reference.Code != f.target.coding.Code {
		f.reference = f.single(found.Reference.Code)
	}
	return nil
}

// codes are those of the strata of a bundle, in the order of the results.
func (b bundle) codes(f *figure) []string {
	var out []string
	for _, r := range f.months {
		for _, s := range r.Groups[0].Strata[f.dimension] {
			if b.keep(s) && !slices.Contains(out, s.Code) {
				out = append(out, s.Code)
			}
		}
	}
	return out
}

// bundles are the strata of the report: the groups, the reference, and the others unless they are the
// reference.
func (f *figure) bundles() []bundle {
	out := []bundle{f.target}
	if f.reference.found > 0 {
		out = append(out, f.reference)
	}
	if f.others.found > 0 && f.others.coding.Code != f.reference.coding.Code {
		out = append(out, f.others)
	}
	return out
}

// trend draws the months. Where the reference is too small to be one, or is not there, there are
// charts and no gaps.
func (f *figure) trend() (gap.TrendReport, error) {
	o := gap.Options{Reference: gap.Reference(f.reference.coding.Code), Since: f.start}
	if f.reference.found == 0 {
		o.Reference = gap.Largest
	}
	months := f.regroup(f.months, f.bundles()...)
	report, err := gap.Trend(months, f.rate.ID, f.dimension, o)
	if errors.Is(err, gap.ErrNoReference) {
		o.Reference = gap.Largest
		report, err = gap.Trend(months, f.rate.ID, f.dimension, o)
	}
	return report, err
}

// widened is the largest factor by which a chart of the groups, the reference or the others widens its
// limits, because months before vary by more than chance: 1 where they do not.
func (f *figure) widened(report gap.TrendReport) float64 {
	out := 1.0
	for _, b := range f.bundles() {
		s := seriesOf(report, b.coding.Code)
		if s != nil && (s.Chart == spc.PPrime || s.Chart == spc.UPrime) {
			out = max(out, s.Widened)
		}
	}
	return out
}

// seriesOf finds a stratum of the report.
func seriesOf(report gap.TrendReport, code string) *gap.Series {
	i := slices.IndexFunc(report.Series, func(s gap.Series) bool { return s.Code == code && code != "" })
	if i < 0 {
		return nil
	}
	return &report.Series[i]
}

// compare fills every figure before and after.
func (f *figure) compare(e *Effect) error {
	singles := []bundle{}
	for _, code := range f.a.Aim.Groups {
		singles = append(singles, f.single(code))
	}
	all := f.bundles()
	if len(singles) > 1 {
		all = append(all, singles...)
	}
	var tests gap.ChangeReport
	var err error
	if len(f.before) > 0 && len(f.after) > 0 {
		tests, err = gap.Change(f.regroup(f.before, all...), f.regroup(f.after, all...), f.rate.ID,
			f.dimension, f.start, gap.Options{Reference: gap.Largest})
		if err != nil {
			return err
		}
	}
	e.Target = f.moved(f.target, tests, e.Widened)
	for _, one := range singles {
		e.Groups = append(e.Groups, f.moved(one, tests, e.Widened))
	}
	e.Gap = f.against(f.reference, tests, e.Widened)
	e.Comparison = f.against(f.others, tests, e.Widened)
	e.Reached = f.reached(e.Target)
	e.WithoutFinding = f.withoutFinding(e.Widened)
	return nil
}

// moved is a bundle before and after. The test is that of gap.Change.
func (f *figure) moved(b bundle, tests gap.ChangeReport, widened float64) Moved {
	was, is := f.cell(f.before, b), f.cell(f.after, b)
	m := Moved{Label: b.coding.Label, Code: b.coding.Code, Before: side(&f.rate, was),
		After: side(&f.rate, is)}
	if was.Score == nil || is.Score == nil {
		return m
	}
	m.Change = &gap.Estimate{Value: *is.Score - *was.Score}
	if d, ok := difference(&f.rate, is, was); ok {
		m.Change.Interval, m.Change.Clear = &[2]float64{d.Lo, d.Hi}, d.Clear()
		widen(m.Change, widened)
	}
	for _, c := range tests.Groups {
		if c.Code == m.Code {
			m.P, m.Q, m.Method = c.P, c.Q, c.Method
		}
	}
	if f.rate.Improvement != measure.Context {
		better := (m.Change.Value > 0) == (f.rate.Improvement == measure.Increase) && m.Change.Value != 0
		m.Better = &better
	}
	return m
}

// against holds the groups against a bundle; nil where that is nobody.
func (f *figure) against(b bundle, tests gap.ChangeReport, widened float64) *Against {
	if b.found == 0 {
		return nil
	}
	out := against(&f.rate, f.four(f.before, b), widened)
	if out != nil {
		out.Other = f.moved(b, tests, widened)
	}
	return out
}

// four are the cells of the groups and a bundle, with some months before.
func (f *figure) four(before []measure.Result, b bundle) *four {
	return &four{
		groupBefore: f.cell(before, f.target), groupAfter: f.cell(f.after, f.target),
		otherBefore: f.cell(before, b), otherAfter: f.cell(f.after, b),
	}
}

// reached says whether the target was.
func (f *figure) reached(m Moved) *bool {
	goal := f.a.Aim.Target
	if goal == nil || m.After.Score == nil {
		return nil
	}
	var out bool
	switch f.rate.Improvement {
	case measure.Increase:
		out = *m.After.Score >= *goal
	case measure.Decrease:
		out = *m.After.Score <= *goal
	case measure.Context:
		return nil
	}
	return &out
}

// withoutFinding is the change of the gap where the months in which it was found are not among those
// before. It is absent where none of them is, and where fewer than six are left.
func (f *figure) withoutFinding(widened float64) *gap.Estimate {
	left := f.notFinding()
	if len(left) == len(f.before) || len(left) < demonstratedMonths || f.reference.found == 0 {
		return nil
	}
	out := against(&f.rate, f.four(left, f.reference), widened)
	if out == nil {
		return nil
	}
	return &out.Change
}

// notFinding are the months before that are not of the period of the finding.
func (f *figure) notFinding() []measure.Result {
	found, err := measure.ParsePeriod(f.a.Finding.Period)
	if err != nil {
		return f.before
	}
	return slices.DeleteFunc(slices.Clone(f.before), func(r measure.Result) bool {
		return !r.Period.Start.After(found.End) && !r.Period.End.Before(found.Start)
	})
}
