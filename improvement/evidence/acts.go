package evidence

import (
	"time"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/server/figure"
)

// actSection lists the actions, and what the figures did after each.
func (b *builder) actSection() block {
	out := block{ID: sectionActs, Title: b.sectionTitle(sectionActs)}
	if len(b.m.Acts) == 0 {
		out.Sentences = []string{b.w.Say("evidence.actions.none")}
	} else {
		out.Sentences = []string{b.w.Say("evidence.actions.about")}
		out.Tables = []table{b.actTable()}
	}
	for _, a := range b.m.Acts {
		if a.Effect != nil {
			out.Parts = append(out.Parts, b.effectBlock(a))
		}
	}
	if len(b.m.Conditions) > 0 {
		out.Parts = append(out.Parts, b.conditions())
	}
	return out
}

func (b *builder) actTable() table {
	t := table{
		Caption: b.sectionTitle(sectionActs), Headed: true,
		Columns: []figure.Column{b.column("evidence.actions.action")},
	}
	if !b.public() {
		t.Columns = append(t.Columns, b.column("evidence.actions.owner"))
	}
	for _, key := range []string{"aim", "cause", "start", "due", "state", "result"} {
		t.Columns = append(t.Columns, b.column("evidence.actions."+key))
	}
	for _, a := range b.m.Acts {
		cells := []cell{{Text: b.name(a.Action)}}
		if !b.public() {
			cells = []cell{typed(a.Title), typed(a.Owner)}
		}
		state := cell{Text: b.w.Label("evidence.state", string(a.State))}
		if !a.Closed() && a.Due != "" && a.Due < b.m.Made.UTC().Format(time.DateOnly) {
			state.Note = b.w.Say("evidence.actions.overdue")
		}
		cells = append(cells, cell{Text: b.aim(a.Aim)}, cell{Text: b.factor(a.Cause)}, cell{Text: b.day(a.Start)},
			cell{Text: b.day(a.Due)}, state, b.result(a.Result))
		t.Rows = append(t.Rows, row{Cells: cells})
	}
	return t
}

// name names an action by the figure that it is about: its title is nobody's but ours inside.
func (b *builder) name(a action.Action) string {
	return b.w.Say("evidence.actions.on", b.figureTitle(a.Aim))
}

// aim says which figure of whom should move.
func (b *builder) aim(a action.Aim) string {
	text := b.w.Say("evidence.actions.figure", b.figureTitle(a), b.groups(a.Dimension, a.Groups),
		b.w.Dimension(a.Dimension))
	if m, ok := b.rateOf(a.Measure, a.Rate); ok && a.Target != nil {
		text += " " + b.w.Say("evidence.actions.target", b.teller.ScoreInWords(m, *a.Target, nil))
	}
	return text
}

// factor names a root cause.
func (b *builder) factor(f review.Factor) string {
	for _, c := range review.Factors() {
		if c.Code == string(f) {
			return c.Display.In(b.language)
		}
	}
	return string(f)
}

// day writes a day such as 2026-03-01.
func (b *builder) day(text string) string {
	d, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return ""
	}
	return b.w.Day(d.Date())
}

func (b *builder) result(r *action.Result) cell {
	if r == nil {
		return cell{Text: b.w.Say("evidence.actions.open")}
	}
	outcome := b.w.Say("evidence.actions.outcome", b.w.Label("evidence.outcome", string(r.Outcome)), b.w.DayOf(r.At))
	if b.public() || r.Summary == "" {
		return cell{Text: outcome}
	}
	c := typed(r.Summary)
	c.Note = outcome
	return c
}

// effectBlock is what the figures show of one action: what changed, and the control chart of the groups
// with the start marked. It never says why.
func (b *builder) effectBlock(a Act) block {
	out := block{Title: b.name(a.Action)}
	if !b.public() {
		out.Title = b.w.Say("evidence.effect.title", typed(a.Title).Text)
	}
	m, ok := b.rateOf(a.Effect.Measure, a.Effect.Rate)
	if b.public() || !ok {
		out.Sentences = b.teller.Verdict(*a.Effect)
		if b.public() {
			out.Notes = []string{b.w.Say("evidence.effect.public")}
		}
		return out
	}
	figures := b.teller.Effect(*a.Effect, m)
	out.tell(figures[0])
	if len(figures) > 1 {
		charted := block{Title: figures[1].Title}
		charted.tell(figures[1])
		out.Parts = []block{charted}
	}
	return out
}

// conditions are the declared intervals that touch the period.
func (b *builder) conditions() block {
	out := block{
		Title: b.w.Say("evidence.conditions"), Sentences: []string{b.w.Say("evidence.conditions.about")},
	}
	t := table{
		Caption: b.w.Say("evidence.conditions"), Headed: true,
		Columns: []figure.Column{
			b.column("evidence.conditions.name"), b.column("evidence.conditions.site"),
			b.column("evidence.conditions.start"), b.column("evidence.conditions.end"),
		},
	}
	for _, c := range b.m.Conditions {
		site, end := b.w.Say("evidence.conditions.everywhere"), b.w.Say("evidence.conditions.open")
		if c.Site != "" {
			site = b.group("site", c.Site)
		}
		if c.End != "" {
			end = b.day(c.End)
		}
		t.Rows = append(t.Rows, row{Cells: []cell{typed(c.Name), {Text: site}, {Text: b.day(c.Start)}, {Text: end}}})
	}
	out.Tables = []table{t}
	return out
}
