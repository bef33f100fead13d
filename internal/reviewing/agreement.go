package reviewing

import (
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/page"
)

// fewPairs is below how many pairs the interval of κ is not to be relied on: its variance is that of
// large samples.
const fewPairs = 30

// level is that of its interval.
const level = 0.95

// agreement says how far two reviewers agree; nil where nobody is asked to review with another.
func (p *Pages) agreement(t *teller, a review.Agreement) *page.Agreement {
	m := a.Measured
	if m.N == 0 {
		if !p.cfg.TwoPerson {
			return nil
		}
		return &page.Agreement{Says: []string{t.Say("review.agreement.none")}}
	}
	out := &page.Agreement{
		Says: []string{t.Say("review.agreement.says", int(m.N), t.Count(m.N), t.Percent(m.Observed, 0))},
		Terms: []page.Term{
			{Name: t.Say("review.agreement.observed"), Value: t.Percent(m.Observed, 1)},
			{Name: t.Say("review.agreement.expected"), Value: t.Percent(m.Expected, 1)},
		},
		Table: t.pairs(a),
		Notes: []string{t.Say("review.agreement.how"), t.Say("review.agreement.first")},
	}
	if !a.Exists {
		out.Says = append(out.Says, t.Say("review.agreement.undefined"))
		return out
	}
	const decimals = 2
	out.Says = append(out.Says, t.Say("review.agreement.kappa", t.Number(m.Kappa.Value, decimals),
		t.Percent(level, 0), t.Number(m.Kappa.Lo, decimals), t.Number(m.Kappa.Hi, decimals)))
	if m.N < fewPairs {
		out.Says = append(out.Says, t.Say("review.agreement.few"))
	}
	for i, c := range review.Answers() {
		out.Terms = append(out.Terms, page.Term{
			Name:  t.Say("review.agreement.chosen", t.in(c.Display)),
			Value: t.Say("review.agreement.bias", t.Percent(m.Prevalence[i], 1), t.Signed(100*m.Bias[i], 1)),
		})
	}
	return out
}

// pairs counts reviews by both first answers.
func (t *teller) pairs(a review.Agreement) figure.Table {
	answers := review.Answers()
	table := figure.Table{
		Caption: t.Say("review.agreement.caption"), Columns: []figure.Column{{Title: t.Say("review.agreement.one")}},
	}
	for _, c := range answers {
		table.Columns = append(table.Columns, figure.Column{
			Title: t.Say("review.agreement.other", t.in(c.Display)), Number: true,
		})
	}
	for i, c := range answers {
		row := figure.TableRow{Cells: []figure.Cell{{Text: t.in(c.Display)}}}
		for j := range answers {
			row.Cells = append(row.Cells, figure.Cell{Text: t.Count(a.Table[i][j])})
		}
		table.Rows = append(table.Rows, row)
	}
	return table
}
