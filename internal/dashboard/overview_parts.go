package dashboard

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/words"
)

// completenessID is the measure of whose patients it is told what is on record.
const completenessID = "real-completeness"

// heat shows every rate by the groups of one dimension. Each cell leads to the page of its group.
func (o *survey) heat(s *sheet, out *page.Overview) error {
	var told []figure.Told
	names := map[string]string{} // The code of a group by its name, which is the title of a column.
	for _, r := range o.results {
		for _, g := range r.Groups {
			if len(g.Strata[o.By]) == 0 || g.Scoring == measure.Cohort {
				continue
			}
			c, err := gap.Compare(r, g.ID, o.By, gap.Options{Reference: o.Reference})
			if errors.Is(err, gap.ErrNoReference) { // A code is of one dimension, and may be of few here.
				c, err = gap.Compare(r, g.ID, o.By, gap.Options{})
			}
			if err != nil {
				return err
			}
			for _, one := range g.Strata[o.By] {
				if one.Code == "" {
					continue
				}
				name := o.words.Group(o.By, one.Coding)
				if other, twice := names[name]; twice && other != one.Code {
					names[name] = "" // Nobody can say by the name which of the two is meant.
					continue
				}
				names[name] = one.Code
			}
			told = append(told, figure.Told{Comparison: c, Measure: o.rateOf(r.Measure, g.ID)})
		}
	}
	f := o.tell.Heat(o.By, told)
	for i := range f.Table.Rows {
		c := told[i].Comparison
		cells := f.Table.Rows[i].Cells
		for j := range cells {
			switch {
			case j == 0:
				cells[j].Href = o.toGroup(c.Measure, c.Rate, o.By, "").String()
			case slices.ContainsFunc(c.Groups, func(g gap.Compared) bool {
				return g.Code == names[f.Table.Columns[j].Title] && g.Gap != nil
			}):
				cells[j].Href = o.toGroup(c.Measure, c.Rate, o.By, names[f.Table.Columns[j].Title]).String()
			}
		}
	}
	shown := o.part(f)
	out.Map = &shown
	s.figures = append(s.figures, f)
	return nil
}

// rateOf is what sentences need of a rate.
func (o *survey) rateOf(id, rate string) figure.Measure {
	i := slices.IndexFunc(o.rates, func(m figure.Measure) bool { return m.ID == id && m.Rate == rate })
	return o.rates[i]
}

// records shows how much of race, ethnicity, language and interpreter need is known of the patients.
func (o *survey) records(s *sheet, out *page.Overview) {
	i := slices.IndexFunc(o.results, func(r measure.Result) bool { return r.Measure == completenessID })
	if i < 0 || len(o.results[i].Groups) == 0 {
		return
	}
	r := o.results[i]
	f := o.tell.Completeness(r, o.rateOf(r.Measure, r.Groups[0].ID))
	shown := o.part(f)
	out.Records = &shown
	out.Quality = page.Link{Text: o.words.Say("overview.quality"), URL: o.to(QualityPath).String()}
	s.figures = append(s.figures, f)
}

// fresh says how old the data are, and what was loaded.
func (o *survey) fresh(now time.Time) *page.Fresh {
	say := func(key string) string { return o.words.Say("overview." + key) }
	info := o.snapshot.Facts().Info
	out := &page.Fresh{Says: o.tell.Fresh(info, now), Table: figure.Table{
		Caption: say("loads"),
		Columns: []figure.Column{
			{Title: say("source")}, {Title: say("kind")}, {Title: say("asof")},
			{Title: say("read"), Number: true}, {Title: say("kept"), Number: true},
			{Title: say("refused"), Number: true}, {Title: say("complete")},
		},
	}}
	for _, load := range info.Loads {
		row := figure.TableRow{Cells: []figure.Cell{
			{Text: words.Plain(load.Source)}, {Text: words.Capital(o.words.Resource(load.Type))}, {},
			{Text: o.words.Count(float64(load.Read))}, {Text: o.words.Count(float64(load.Stored))},
			{Text: o.words.Count(float64(load.Refused))}, {Text: say("complete.yes")},
		}}
		if !load.TransactionTime.IsZero() {
			row.Cells[2].Text = o.words.Moment(load.TransactionTime)
		}
		if !load.Complete {
			row.Kind, row.Cells[len(row.Cells)-1].Text = figure.KindSignal, say("complete.no")
		}
		out.Table.Rows = append(out.Table.Rows, row)
	}
	return out
}

// changed says what the figures of the page were in the snapshot before this one. One that cannot be read
// is no reason to show nothing.
func (o *survey) changed(ctx context.Context, logger *slog.Logger) (*figure.Figure, error) {
	before := figure.Standing{}
	var unread bool
	err := o.snapshot.Earlier(ctx, func(e *measure.Engine) error {
		info := e.Snapshot().Info
		before.Snapshot, before.DataAsOf = info.ID, info.DataAsOf
		for _, now := range o.results {
			r, err := e.Evaluate(ctx, measure.Question{
				Measure: now.Measure, Period: o.period, By: o.ranked(), Policy: o.Policy,
			})
			if errIs(err, measure.ErrUnknownMeasure, measure.ErrNotImported) {
				continue // Nothing is kept of what was imported.
			}
			if err != nil {
				return err
			}
			before.Results = append(before.Results, r)
		}
		return nil
	})
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return nil, err
	case !errIs(err, measure.ErrNoSnapshot):
		logger.WarnContext(ctx, "the snapshot before this one cannot be read", slog.Any("cause", err))
		before, unread = figure.Standing{}, true
	}
	after := figure.Standing{
		Snapshot: o.snapshot.Facts().Info.ID, DataAsOf: o.snapshot.Facts().Info.DataAsOf,
		Results: cut(o.results, o.ranked()),
	}
	for _, one := range []*figure.Standing{&before, &after} {
		if one.Gaps, err = gap.Of(one.Results, gap.Options{Reference: gap.Largest, Even: true}); err != nil {
			return nil, err
		}
	}
	f := o.tell.Changed(before, after, o.rates)
	if len(f.Table.Rows) == 0 {
		f.Notes = nil // They are about the table.
	}
	if unread {
		f.Sentences = []string{o.words.Say("overview.unread")}
	}
	return &f, nil
}

// errIs reports whether an error is one of some.
func errIs(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
}

// cut copies results as far as they are by some dimensions.
func cut(results []measure.Result, dimensions []string) []measure.Result {
	out := slices.Clone(results)
	for i := range out {
		out[i].Groups = slices.Clone(out[i].Groups)
		for j := range out[i].Groups {
			strata := map[string][]measure.Stratum{}
			for by, s := range out[i].Groups[j].Strata {
				if slices.Contains(dimensions, by) {
					strata[by] = s
				}
			}
			out[i].Groups[j].Strata = strata
		}
	}
	return out
}
