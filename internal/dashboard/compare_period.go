package dashboard

import (
	"context"
	"fmt"
	"slices"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/server/page"
)

// periods compares two periods: everybody, and each group of the dimension.
func (c *comparing) periods(ctx context.Context) error {
	before, after := c.settlePeriods()
	switch {
	case !before.End.Before(after.Start):
		c.notices = append(c.notices, page.Notice{Tone: "check", Text: c.words.Say("compare.overlap")})
		return nil
	case months(before) != months(after) || months(before) == 0:
		c.notices = append(c.notices, page.Notice{Tone: "note", Text: c.words.Say("compare.unequal")})
	}
	for _, p := range []measure.Period{before, after} {
		r, err := c.snapshot.Answer(ctx, c.question(p, c.By), c.Audience)
		if err != nil {
			return fmt.Errorf("compare %s: %w", c.definition.ID, err)
		}
		c.sheet.results = append(c.sheet.results, r)
	}
	was, is := c.sheet.results[0], c.sheet.results[1]
	o := gap.Options{Reference: c.Reference}
	report, err := gap.Change([]measure.Result{was}, []measure.Result{is}, c.Rate, c.By, after.Start, o)
	if err != nil {
		return fmt.Errorf("compare %s: %w", c.definition.ID, err)
	}
	c.show(c.tell.Periods(report, was, is, c.By, c.told(is)))
	return nil
}

// settlePeriods reads the two sides as periods, the earlier first. Of an address that names none they are
// the period of the page and the one before.
func (c *comparing) settlePeriods() (before, after measure.Period) {
	read := func(side string, usual measure.Period) measure.Period {
		if side == "" {
			return usual
		}
		p, err := measure.ParsePeriod(side)
		if err != nil {
			c.notices = append(c.notices, page.Notice{Tone: "check",
				Text: c.words.Say("compare.no-period", short(side))})
			return usual
		}
		return p
	}
	after = read(c.b, c.period)
	length := max(months(after), 1)
	before = read(c.a, measure.Period{
		Start: after.Start.AddDate(0, -length, 0), End: after.Start.AddDate(0, 0, -1),
	})
	if before.Start.After(after.Start) {
		before, after = after, before
	}
	c.a, c.b, c.period = periodName(before), periodName(after), after
	c.Period = c.b
	c.settled()
	for _, length := range c.lengths() {
		for _, p := range c.span.periods(length) {
			c.offer(p)
		}
	}
	c.offer(before)
	c.offer(after)
	return before, after
}

// offer offers a period once.
func (c *comparing) offer(p measure.Period) {
	name := periodName(p)
	if slices.ContainsFunc(c.offered, func(o page.Option) bool { return o.Value == name }) {
		return
	}
	label := c.words.Period(p)
	if !c.span.over(p) {
		label = c.words.Say("choice.sofar", label)
	}
	c.offered = append(c.offered, page.Option{Value: name, Label: label})
}
