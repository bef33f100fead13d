package reviewing

import (
	"slices"
	"strings"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/page"
)

// opinions is what was answered, as far as the reader may see it, the newest first.
func (c *caseView) opinions() {
	r := &c.Review
	if c.Withheld {
		c.out.Withheld = c.Say("review.withheld")
	}
	past := 0
	if n := len(r.Reopenings); n > 0 {
		past = r.Reopenings[n-1].Opinions
	}
	for i := len(r.Opinions) - 1; i >= 0; i-- {
		o := c.opinion(&r.Opinions[i])
		switch {
		case i < past:
			o.Past = c.Say("review.past.round")
		case slices.ContainsFunc(r.Opinions[i+1:], func(later review.Opinion) bool {
			return later.Reviewer.Subject == r.Opinions[i].Reviewer.Subject
		}):
			o.Past = c.Say("review.past.changed")
		}
		c.out.Opinions = append(c.out.Opinions, o)
	}
}

func (c *caseView) opinion(o *review.Opinion) page.Opinion {
	out := page.Opinion{
		Who: c.who(o.Reviewer, c.reader), When: c.Moment(o.At), Answer: c.Say("review.answered", c.answer(o.Answer)),
		Factors: c.factors(o.Factors), Detected: c.Say("review.detected", c.detection(o.Detection)),
	}
	if c.narrative {
		out.Evidence, out.Else = o.Evidence, o.Else
	} else if o.Evidence != "" || o.Else != "" {
		out.Silent = c.Say("review.silent")
	}
	return out
}

// came is what the review came to, and what becomes of it.
func (c *caseView) came() {
	s := c.Review.Settlement
	if s == nil {
		return
	}
	out := &page.Came{
		Says: []string{
			c.Say("review.came.answer", c.chosen(s.Answer, s.Factors)),
			c.Say("review.detected", c.detection(s.Detection)),
			c.Say("review.came."+string(s.How), c.who(s.By, c.reader), c.Moment(s.At)),
			c.Say("review.came.next"),
		},
	}
	if c.narrative {
		out.Evidence = s.Evidence
	} else if s.Evidence != "" {
		out.Silent = c.Say("review.silent")
	}
	if s.Answer == review.Yes && len(s.Factors) > 0 {
		out.Act = c.act(c.visit, s.Factors[0], c.id)
	}
	c.out.Came = out
}

// history says of each version who made it, when, and what changed; the newest first.
func (c *caseView) history(versions []review.Review) figure.Table {
	table := figure.Table{Caption: c.Say("review.history.caption"), Columns: []figure.Column{
		{Title: c.Say("review.history.version")}, {Title: c.Say("review.history.when")},
		{Title: c.Say("review.history.who")}, {Title: c.Say("review.history.what")},
	}}
	for i := len(versions) - 1; i >= 0; i-- {
		before := &review.Review{}
		if i > 0 {
			before = &versions[i-1]
		}
		when, who, what := c.changed(before, &versions[i])
		table.Rows = append(table.Rows, figure.TableRow{Cells: []figure.Cell{
			{Text: c.Count(float64(versions[i].Version))}, {Text: when}, {Text: who}, {Text: what},
		}})
	}
	return table
}

// changed says what one version has that the one before has not. What the reader may not see yet is not
// in it, and is said to be there.
func (c *caseView) changed(before, after *review.Review) (when, who, what string) {
	var said []string
	if n := len(after.Reopenings); n > len(before.Reopenings) {
		o := &after.Reopenings[n-1]
		when, who = c.Moment(o.At), c.who(o.By, c.reader)
		text := c.Say("review.silent")
		if c.narrative {
			text = o.Reason
		}
		said = append(said, c.Say("review.changed.reopened", text))
	}
	if n := len(after.Opinions); n > len(before.Opinions) {
		o := &after.Opinions[n-1]
		when, who = c.Moment(o.At), c.who(o.Reviewer, c.reader)
		said = append(said, c.Say("review.changed.answered", c.chosen(o.Answer, o.Factors), c.detection(o.Detection)))
	}
	if s := after.Settlement; s != nil && before.Settlement == nil {
		when, who = c.Moment(s.At), c.who(s.By, c.reader)
		said = append(said, c.Say("review.changed.settled", c.chosen(s.Answer, s.Factors), c.Label("review.how", string(s.How))))
	}
	if len(said) == 0 {
		return "–", "–", c.Say("review.changed.withheld")
	}
	return when, who, strings.Join(said, " ")
}
