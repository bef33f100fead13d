package dashboard

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/words"
)

const (
	// findingsShown is how many gaps are listed: more would be a table.
	findingsShown = 5
	// monthsDrawn is how many months the small pictures hold, and fewestDrawn how many they need.
	monthsDrawn = 24
	fewestDrawn = 6
)

// findings lists the largest gap of each rate, of those rates that have the largest. By which dimension
// the map is, where nobody asked for one, is that of the first.
func (o *survey) findings(ctx context.Context, out *page.Overview) error {
	found := o.tell.Findings(o.by(o.ranked()...), o.rates, o.period, len(o.gaps))
	// Of a median nobody can say how many it affects, so that it has no place among those.
	slices.SortStableFunc(found.Found, func(a, b figure.Finding) int {
		return cmp.Compare(min(len(b.Affected), 1), min(len(a.Affected), 1))
	})
	out.Lead = found.Sentence
	if len(found.Found) > 0 {
		out.Lead += " " + o.tell.Largest(found.Found[0])
	}
	if o.By == "" {
		o.By = o.ranked()[0]
		if len(found.Found) > 0 {
			o.By = found.Found[0].Gap.Dimension
		}
	}
	if err := o.list(ctx, found.Found, out); err != nil {
		return err
	}
	out.Notes = append([]string{o.words.Say("overview.one-each", o.words.Count(findingsShown),
		o.dimensionNames(o.ranked()))}, found.Notes...)
	for _, by := range []string{mapping.DimensionAgeBand, mapping.DimensionSite} {
		n := o.tell.Findings(o.by(by), o.rates, o.period, 0).All
		if n == 0 {
			continue
		}
		other := o.address
		other.By = by
		out.Also = append(out.Also, page.Link{
			Text: o.words.Say("overview.also.by", n, o.words.Count(float64(n)), o.words.Dimension(by)),
			URL:  other.String() + "#" + mapID,
		})
	}
	return nil
}

// list shows the largest gap of each rate, until there are enough. Of rates of one name, which count other
// units, it is one.
func (o *survey) list(ctx context.Context, found []figure.Finding, out *page.Overview) error {
	named := func(f figure.Finding) string { return o.named[f.Gap.Measure+"*"+f.Gap.Rate] }
	told := map[string]bool{}
	for _, f := range found {
		if told[named(f)] {
			continue
		}
		told[named(f)] = true
		others := -1
		for _, other := range found {
			if other.Gap.Measure == f.Gap.Measure && other.Gap.Rate == f.Gap.Rate {
				others++
			}
		}
		deeper, err := o.within(ctx, f)
		if err != nil {
			return err
		}
		shown, err := o.finding(ctx, deeper, others)
		if err != nil {
			return err
		}
		if out.Findings = append(out.Findings, shown); len(out.Findings) == findingsShown {
			break
		}
	}
	return nil
}

// within asks what is left of a gap within sites and ages, and tells it with that. It is asked of the gaps
// that are listed alone, since such crosses are not stored; and not of what is public, where there are none.
func (o *survey) within(ctx context.Context, f figure.Finding) (figure.Finding, error) {
	by := gap.CrossesFor([]string{f.Gap.Dimension})
	if o.Audience == release.Public || f.Gap.Rule == gap.Overall || len(by) == 0 {
		return f, nil
	}
	result, err := o.snapshot.Answer(ctx, measure.Question{
		Measure: f.Gap.Measure, Period: o.period, Policy: o.Policy,
		By: append([]string{f.Gap.Dimension}, by...),
	}, o.Audience)
	if err != nil {
		return f, err
	}
	gaps, err := gap.Of([]measure.Result{result}, gap.Options{Reference: gap.Reference(f.Gap.ReferenceCode)})
	if err != nil {
		return f, err
	}
	i := slices.IndexFunc(gaps, func(g gap.Gap) bool { return g.Rate == f.Gap.Rate && g.Code == f.Gap.Code })
	if i < 0 {
		return f, nil
	}
	deeper := f.Gap
	deeper.Within = gaps[i].Within
	return o.tell.Findings([]gap.Gap{deeper}, o.rates, o.period, 1).Found[0], nil
}

// mapID is the place of the map in the page.
const mapID = "overview"

// by are the gaps by some dimensions, in their order.
func (o *survey) by(dimensions ...string) []gap.Gap {
	return slices.DeleteFunc(slices.Clone(o.gaps), func(g gap.Gap) bool {
		return !slices.Contains(dimensions, g.Dimension)
	})
}

// finding shows one gap, with where to look next.
func (o *survey) finding(ctx context.Context, f figure.Finding, others int) (page.Finding, error) {
	out := page.Finding{
		Title: f.Title, Group: f.Group, Against: f.Reference, Apart: f.Absolute, Says: f.Sentence,
		Caution:  words.Prose(o.rateOf(f.Gap.Measure, f.Gap.Rate).Words.Caution),
		Warnings: f.Warnings, Hint: f.Next, Others: o.tell.Others(others),
		Next: page.Link{
			Text: o.words.Say("overview.next"),
			URL:  o.toGroup(f.Gap.Measure, f.Gap.Rate, f.Gap.Dimension, f.Gap.Code).String(),
		},
		Act: o.act(f.Gap.Measure, f.Gap.Rate, f.Gap.Dimension, f.Gap.Code, o.Period),
	}
	for _, fact := range []page.Term{
		{Name: "affects", Value: o.tell.Affects(f)},
		{Name: "absolute", Value: o.tell.HowFar(f.Absolute, f.Interval)},
		{Name: "relative", Value: o.tell.HowFar(f.Relative, f.RelativeInterval)},
		{Name: "by", Value: words.Capital(f.Dimension)},
		{Name: "sure", Value: f.Sure},
		{Name: "reliability", Value: f.Reliability},
	} {
		if fact.Value != "" {
			fact.Name = o.words.Say("overview.fact." + fact.Name)
			out.Facts = append(out.Facts, fact)
		}
	}
	return out, o.trend(ctx, f.Gap, &out)
}

// toGroup is the page of a rate by a dimension, where it tells of one group.
func (o *survey) toGroup(id, rate, dimension, code string) address {
	a := o.to(MeasurePath + id)
	a.By, a.Group, a.Policy, a.Reference = dimension, code, o.Policy, o.Reference
	if i := slices.IndexFunc(o.rates, func(m figure.Measure) bool { return m.ID == id }); o.rates[i].Rate != rate {
		a.Rate = rate // The first is shown without being asked for.
	}
	return a
}

// trend draws the score of the group of a gap over the months up to the end of the period. Months are for
// those inside alone.
func (o *survey) trend(ctx context.Context, g gap.Gap, out *page.Finding) error {
	if o.Audience == release.Public {
		return nil
	}
	end := o.period.End
	for _, month := range o.span.periods(1) { // The last first: a month that is not over is not drawn.
		if o.span.over(month) {
			end = earlier(end, month.End)
			break
		}
	}
	first := end.AddDate(0, 0, 1).AddDate(0, -monthsDrawn, 0)
	if first.Before(o.span.first) {
		first = o.span.first
	}
	asked := measure.Period{Start: first, End: end}
	if months(asked) < fewestDrawn {
		return nil
	}
	results, err := o.snapshot.Months(ctx, measure.Question{
		Measure: g.Measure, Period: asked, By: []string{g.Dimension}, Policy: o.Policy,
	})
	if errors.Is(err, measure.ErrNotImported) {
		return nil // It is known of a period as a whole.
	}
	if err != nil {
		return err
	}
	report, err := gap.Trend(results, g.Rate, g.Dimension, gap.Options{Reference: g.Rule})
	if err != nil {
		return nil //nolint:nilerr // The picture is an extra: without one the finding is told all the same.
	}
	i := slices.IndexFunc(report.Series, func(s gap.Series) bool {
		return s.Code == g.Code && s.State == string(mapping.Known)
	})
	m := slices.IndexFunc(o.rates, func(m figure.Measure) bool { return m.ID == g.Measure && m.Rate == g.Rate })
	if i < 0 || m < 0 {
		return nil
	}
	out.Trend = o.tell.Sparkline(report, i, o.rates[m])
	list := span{first: first, asOf: end}.periods(1)
	out.TrendSays = o.words.Say("overview.trend", o.words.Period(list[len(list)-1]), o.words.Period(list[0]))
	return nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
