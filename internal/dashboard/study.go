package dashboard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/server/figure"
)

// study is one rate of a measure by one dimension in one period, as an address asks for it, and what was
// counted for it. Whatever the address leaves open is settled in it, so that the addresses of the page
// name it.
type study struct {
	*visit
	definition measure.Definition
	told       figure.Measure
	span       span
	period     measure.Period
	// with are the dimensions that By is crossed with, joined by *; "" for none.
	with string
	// withheld says why there is nothing to show, and is a key of words; the rest is then empty.
	withheld string
	// instead are periods of which there are figures, where of the one asked for there are none.
	instead []measure.Period

	// absent says in words what of the address is not in these data.
	absent []string

	result     measure.Result
	group      measure.Group
	comparison gap.Comparison
	// choices is the measure by what it can be filtered by, of everybody.
	choices measure.Result
}

// public reports whether the page is for those who see what is released and nothing else.
func (v *visit) public() bool { return v.Audience == release.Public }

// definitionOf finds a measure.
func (v *visit) definitionOf(id string) (measure.Definition, error) {
	list := v.snapshot.Definitions()
	i := slices.IndexFunc(list, func(d measure.Definition) bool { return d.ID == id })
	if i < 0 {
		return measure.Definition{}, fmt.Errorf("%w: no measure is called %s", errNotFound, short(id))
	}
	return list[i], nil
}

// study settles what the address leaves open, and counts.
func (v *visit) study(ctx context.Context) (*study, error) {
	s := &study{visit: v}
	var err error
	if s.definition, err = v.definitionOf(v.name); err != nil {
		return nil, err
	}
	if err := s.settleRate(); err != nil {
		return nil, err
	}
	if s.span, err = v.span(ctx); err != nil {
		return nil, err
	}
	if err := s.settlePeriod(ctx); err != nil || s.withheld != "" {
		return s, err
	}
	if err := s.settleDimension(ctx); err != nil {
		return nil, err
	}
	if err := s.count(ctx); err != nil || s.withheld != "" {
		return s, err
	}
	return s, s.compare()
}

// settleRate finds the rate that is asked for, or the first.
func (s *study) settleRate() error {
	rates := s.definition.Rates()
	ids := make([]string, len(rates))
	for i, rate := range rates {
		ids[i] = rate.ID
	}
	if s.Rate == "" {
		s.Rate = ids[0]
	}
	i := slices.Index(ids, s.Rate)
	if i < 0 {
		return fmt.Errorf("%w: rate: want one of %s", errAddress, strings.Join(ids, ", "))
	}
	s.told = s.tell.MeasureOf(s.definition, measure.Group{
		ID: rates[i].ID, Title: rates[i].Title, Scoring: s.definition.Scoring,
		Improvement: rates[i].Improvement, Aggregate: s.definition.Aggregate, Per: s.definition.Per,
	})
	return nil
}

// settlePeriod takes a span that was typed before a period that was chosen, and where neither is there
// the usual period; of an imported measure the last that was imported.
func (s *study) settlePeriod(ctx context.Context) error {
	if typed := strings.TrimSpace(s.More.Get(paramSpan)); typed != "" {
		p, err := measure.ParsePeriod(typed)
		if err != nil {
			return fmt.Errorf("%w: %s: want a year, a quarter, a month or two days, such as 2025, 2025-Q1, "+
				"2025-03 or 2025-01-01/2025-06-30", errAddress, paramSpan)
		}
		s.Period = periodName(p)
	}
	s.More.Del(paramSpan)
	open := s.Period == ""
	s.period = s.visit.settlePeriod(s.span)
	if !s.definition.Imported {
		return nil
	}
	_, err := s.ask(ctx, measure.Question{})
	have, missing := importedPeriods(err)
	switch {
	case !missing:
		return nil // Whatever else is wrong is found by who counts.
	case open && len(have) > 0:
		s.period = have[len(have)-1]
		s.Period = periodName(s.period)
	default:
		s.withheld, s.instead = "measure.notimported", have
	}
	return nil
}

// importedPeriods reads from a fault of the engine of which periods an imported measure has figures.
func importedPeriods(err error) (have []measure.Period, missing bool) {
	if !errors.Is(err, measure.ErrNotImported) {
		return nil, false
	}
	_, list, _ := strings.Cut(err.Error(), "there is ")
	for name := range strings.SplitSeq(list, ", ") {
		if p, err := measure.ParsePeriod(name); err == nil {
			have = append(have, p)
		}
	}
	return have, true
}

// ask evaluates a question about the measure in the period, for whom the page is.
func (s *study) ask(ctx context.Context, q measure.Question) (measure.Result, error) {
	q.Measure, q.Period = s.definition.ID, s.period
	return s.snapshot.Answer(ctx, q, s.Audience)
}

// settleDimension finds the dimension that is asked for. Where none is it is that of the gap that surely
// affects most, so that whoever opens a measure sees first where to look.
func (s *study) settleDimension(ctx context.Context) error {
	by, with, _ := strings.Cut(s.By, "*")
	if s.with = s.More.Get(paramWith); s.with == "" {
		s.with = with
	}
	if by == "" {
		var err error
		if by, err = s.widest(ctx); err != nil {
			return err
		}
	}
	for _, one := range append([]string{by}, strings.FieldsFunc(s.with, isStar)...) {
		if !slices.Contains(measure.Dimensions(), one) {
			return fmt.Errorf("%w: by: want one of %s, or several of them joined by *", errAddress,
				strings.Join(measure.Dimensions(), ", "))
		}
	}
	if of := s.More.Get(paramOf); of != "" && of != by {
		s.forget()
	}
	s.More.Del(paramOf)
	s.By = by
	if slices.Contains(strings.Split(s.with, "*"), by) || s.public() {
		s.with = ""
	}
	s.More.Del(paramWith)
	if s.with != "" {
		s.More.Set(paramWith, s.with)
	}
	s.settlePolicy()
	return nil
}

// settlePolicy leaves out a race policy by which a dimension is not counted: it asks two questions where
// the dimension is one.
func (s *study) settlePolicy() {
	anybody := []string{"~" + string(mapping.Unknown)}
	for _, by := range append([]string{s.By}, strings.FieldsFunc(s.with, isStar)...) {
		if s.Policy == "" || (measure.Filter{by: anybody}).Check(s.Policy) == nil {
			continue
		}
		s.absent = append(s.absent, s.words.Say("measure.nopolicy", s.words.Dimension(by),
			s.words.Say("choice.policy."+string(s.Policy))))
		s.Policy = ""
	}
}

func isStar(r rune) bool { return r == '*' }

// forget leaves out what was chosen among the groups of another dimension. A rule goes for all.
func (s *study) forget() {
	s.Group = ""
	if !slices.Contains([]gap.Reference{gap.Best, gap.Largest, gap.Overall}, s.Reference) {
		s.Reference = ""
	}
}

// widest is the dimension of the gap of the rate that surely affects most, or else the first that says
// anything of it.
func (s *study) widest(ctx context.Context) (string, error) {
	r, err := s.ask(ctx, measure.Question{By: measure.Dimensions()})
	if s.notPublic(err) {
		return mapping.DimensionRaceEthnicity, nil
	}
	if err != nil {
		return "", err
	}
	gaps, err := gap.Of([]measure.Result{r}, gap.Options{})
	if err != nil {
		return "", fmt.Errorf("find the widest gap: %w", err)
	}
	for _, g := range gaps {
		if g.Rate == s.Rate && g.Clear {
			return g.Dimension, nil
		}
	}
	by := mapping.DimensionRaceEthnicity
	for _, g := range r.Groups {
		if g.ID == s.Rate && slices.Contains(g.NotBy, by) {
			by = mapping.DimensionLanguageGroup
		}
	}
	return by, nil
}

// notPublic reports whether an answer is none of those that the audience may have.
func (s *study) notPublic(err error) bool { return errors.Is(err, server.ErrNotPublic) }

// count asks for all that is told of the period at once. What only a part of the page needs is not asked
// for where that part is not shown.
func (s *study) count(ctx context.Context) error {
	q := measure.Question{By: []string{s.By}, Policy: s.Policy, Where: s.Where}
	add := func(by string) {
		if !slices.Contains(q.By, by) {
			q.By = append(q.By, by)
		}
	}
	if s.public() {
		// A policy of overlapping groups changes no other dimension, and is released for no other.
		if s.Policy == "" {
			add(mapping.DimensionSite)
		}
		s.Where, q.Where = measure.Filter{}, nil
	} else {
		add(mapping.DimensionSite)
		for _, cross := range gap.CrossesFor([]string{s.By}) {
			add(cross)
		}
		if s.with != "" {
			add(s.cross())
		}
		q.Bounds = true
	}
	var err error
	s.result, err = s.ask(ctx, q)
	if s.notPublic(err) {
		s.withhold(ctx)
		return nil
	}
	if err != nil {
		return fmt.Errorf("count: %w", err)
	}
	i := slices.IndexFunc(s.result.Groups, func(g measure.Group) bool { return g.ID == s.Rate })
	if i < 0 {
		return fmt.Errorf("%w: rate %s", errNotFound, short(s.Rate))
	}
	s.group = s.result.Groups[i]
	s.told = s.tell.MeasureOf(s.definition, s.group)
	if s.public() {
		return nil
	}
	s.choices, err = s.ask(ctx, measure.Question{By: filteredBy(), Policy: s.Policy})
	return err
}

// withhold says that the answer is not public, and finds out whether that of the usual period is.
func (s *study) withhold(ctx context.Context) {
	s.withheld = "measure.notpublic"
	if usual := s.span.usual(); usual != s.period {
		q := measure.Question{Measure: s.definition.ID, Period: usual, By: []string{s.By}}
		if _, err := s.snapshot.Answer(ctx, q, s.Audience); err == nil {
			s.instead = []measure.Period{usual}
		}
	}
}

// cross is the dimension and what it is crossed with.
func (s *study) cross() string { return s.By + "*" + s.with }

// compare compares the groups, and settles which of them is looked at. A group that there is, and that
// nobody is counted in here, is left out and named in a notice: with another filter or period it is back.
func (s *study) compare() error {
	var err error
	s.comparison, err = gap.Compare(s.result, s.Rate, s.By, gap.Options{Reference: s.Reference})
	if errors.Is(err, gap.ErrNoReference) {
		if !s.exists(string(s.Reference)) {
			return fmt.Errorf("%w: reference: want best, largest, overall or one of %s", errAddress,
				strings.Join(s.codes(), ", "))
		}
		s.absent = append(s.absent, s.words.Say("measure.noreference", s.valueName(s.By, string(s.Reference))))
		s.Reference = ""
		s.comparison, err = gap.Compare(s.result, s.Rate, s.By, gap.Options{})
	}
	if err != nil {
		return fmt.Errorf("compare: %w", err)
	}
	if s.Group != "" && !slices.Contains(s.codes(), s.Group) {
		if !s.exists(s.Group) {
			return fmt.Errorf("%w: group: want one of %s", errAddress, strings.Join(s.codes(), ", "))
		}
		s.absent = append(s.absent, s.words.Say("measure.nogroup", s.valueName(s.By, s.Group)))
		s.Group = ""
	}
	if s.Group == "" {
		s.Group, _ = figure.Lead(s.comparison, s.told)
	}
	return nil
}

// exists reports whether a code is one of the dimension under any race policy, in these data or not.
func (s *study) exists(code string) bool {
	return slices.ContainsFunc(append(mapping.Policies(), ""), func(p mapping.Policy) bool {
		return !strings.HasPrefix(code, "~") && measure.Filter{s.By: {code}}.Check(p) == nil
	})
}

// codes are those of the groups that are known.
func (s *study) codes() []string {
	var out []string
	for _, stratum := range s.group.Strata[s.By] {
		if stratum.State == string(mapping.Known) {
			out = append(out, stratum.Code)
		}
	}
	return out
}
