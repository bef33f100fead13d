package acting

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/improvement/effect"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server/page"
)

// insideOutside holds a measure inside of the declared conditions against outside of them, where the
// address asks for one.
func (p *Pages) insideOutside(v *room.Visit, d *declared, q url.Values) error {
	if len(d.all) == 0 {
		return nil
	}
	by := q.Get(paramBy)
	if by != "" && !slices.Contains(dimensions(), by) {
		return &room.InputError{Field: paramBy, Why: "want one of " + strings.Join(dimensions(), ", ")}
	}
	d.out.Form = d.choices(q)
	id := q.Get(paramMeasure)
	if id == "" || by == "" {
		return nil
	}
	definition, ok := d.definition(id)
	if !ok {
		return &room.InputError{Field: paramMeasure, Why: "there is no such measure"}
	}
	err := p.cfg.Hold(func(s Snapshot) error {
		period, err := spanOf(s, q.Get(paramPeriod))
		if err != nil {
			return err
		}
		ask := func(ctx context.Context, asked measure.Question) (measure.Result, error) {
			return s.Answer(ctx, asked, release.Internal)
		}
		found, err := effect.InsideOutside(v.Context(), ask, effect.Split{
			Definition: definition, Rate: q.Get(paramRate), Conditions: d.all,
			Question: measure.Question{Measure: id, Period: period, By: []string{by}},
		})
		if err != nil {
			return fmt.Errorf("compare inside and outside of conditions: %w", err)
		}
		m := d.tell.MeasureOf(definition, measure.Group{
			ID: found.Rate, Scoring: found.Scoring, Improvement: found.Improvement, Per: found.Per,
			Title: found.Title,
		})
		d.out.Parts = []page.Part{{Figure: d.tell.InsideOutside(found, m)}}
		return nil
	})
	if errors.Is(err, effect.ErrQuestion) || errors.Is(err, effect.ErrUnsplit) || errors.Is(err, effect.ErrNoCondition) {
		d.out.Refused = d.Say("condition.refused")
		return nil
	}
	return err
}

// spanOf is the period of an address, or the newest two years of the data.
func spanOf(s Snapshot, text string) (measure.Period, error) {
	if text == "" {
		const years = 2
		end := midnight(s.Facts().Info.DataAsOf)
		return measure.Period{Start: end.AddDate(-years, 0, 1), End: end}, nil
	}
	period, err := measure.ParsePeriod(text)
	if err != nil {
		return period, &room.InputError{
			Field: paramPeriod, Why: "want a year, a quarter, a month or two days, such as 2025-01-01/2025-06-30",
		}
	}
	return period, nil
}

// choices ask which measure is to be held inside against outside, and by which groups.
func (d *declared) choices(q url.Values) *page.Form {
	form := &page.Form{Action: ConditionsPath + "#compare"}
	if lang := d.visit.Request.URL.Query().Get("lang"); lang != "" {
		form.Hidden = append(form.Hidden, page.Term{Name: "lang", Value: lang})
	}
	form.Fields = append(d.figureFields(q), page.Field{
		Name: paramPeriod, Label: d.Say("choice.period"), Value: q.Get(paramPeriod), Help: d.Say("condition.period"),
	})
	return form
}
