package evidence

import (
	"time"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/effect"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/measure/gap"
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

// effectBlock is what the figures show of one action. It never says why.
func (b *builder) effectBlock(a Act) block {
	e := a.Effect
	title := b.name(a.Action)
	if !b.public() {
		title = b.w.Say("evidence.effect.title", typed(a.Title).Text)
	}
	out := block{Title: title, Sentences: []string{b.w.Label("evidence.verdict", string(e.Verdict))}}
	demonstrated := "evidence.effect.not-demonstrated"
	if e.Demonstrated {
		demonstrated = "evidence.effect.demonstrated"
	}
	out.Sentences = append(out.Sentences, b.w.Say(demonstrated))
	for _, missing := range e.Missing {
		out.Notes = append(out.Notes, b.w.Label("evidence.lacks", string(missing)))
	}
	if b.public() {
		out.Notes = append(out.Notes, b.w.Say("evidence.effect.public"))
		return out
	}
	for _, caution := range e.Cautions {
		out.Notes = append(out.Notes, b.w.Label("evidence.caution", string(caution)))
	}
	out.Notes = append(out.Notes, b.w.Say("evidence.effect.cause"))
	if m, ok := b.rateOf(e.Measure, e.Rate); ok {
		out.Tables = append(out.Tables, b.moved(e, m))
		if rows := b.distances(e, m); len(rows.Rows) > 0 {
			out.Tables = append(out.Tables, rows)
		}
	}
	return out
}

// moved are the scores before and after.
func (b *builder) moved(e *effect.Effect, m figure.Measure) table {
	t := table{
		Caption: b.w.Say("evidence.effect.scores", b.span(e.Before), b.span(e.After), b.teller.ScoreUnit(m)),
		Columns: []figure.Column{
			b.column("evidence.effect.who"), b.number("evidence.effect.before"), b.number("evidence.effect.after"),
			b.number("evidence.effect.change"),
		},
	}
	add := func(who string, one effect.Moved, kind figure.Kind) {
		change := cell{Text: b.teller.NoData()}
		if one.Change != nil {
			change = cell{
				Text: b.teller.Difference(m, one.Change.Value, one.Change.Interval),
				Note: b.between(m, one.Change),
			}
		}
		t.Rows = append(t.Rows, row{Kind: kind, Cells: []cell{
			{Text: who}, b.side(m, one.Before), b.side(m, one.After), change,
		}})
	}
	add(b.w.Say("evidence.effect.target", b.groups(e.Aim.Dimension, e.Aim.Groups)), e.Target, figure.KindPlain)
	if e.Gap != nil {
		name := b.group(e.Aim.Dimension, e.Gap.Other.Code)
		add(b.w.Say("evidence.effect.reference", name), e.Gap.Other, figure.KindReference)
	}
	if e.Comparison != nil {
		add(b.w.Say("evidence.effect.comparison"), e.Comparison.Other, figure.KindPlain)
	}
	return t
}

// span names some months, such as 2025-01 to 2025-12.
func (b *builder) span(s effect.Span) string {
	if s.From == "" {
		return b.w.Say("evidence.effect.no-months")
	}
	return b.w.Say("evidence.effect.span", s.From, s.To, b.w.Count(float64(s.Months)))
}

func (b *builder) side(m figure.Measure, s effect.Side) cell {
	if s.Score == nil {
		return cell{Text: b.teller.NoData()}
	}
	return cell{Text: b.teller.Score(m, *s.Score, s.Interval), Note: b.w.Say("evidence.effect.n", b.w.Count(s.N))}
}

// between is the interval of an estimate in words, where it has one.
func (b *builder) between(m figure.Measure, e *gap.Estimate) string {
	if e.Interval == nil {
		return ""
	}
	return b.teller.DifferenceInterval(m, e.Value, e.Interval)
}

// distances are the gap before and after, and how it changed.
func (b *builder) distances(e *effect.Effect, m figure.Measure) table {
	t := table{
		Caption: b.w.Say("evidence.effect.gap", b.teller.DifferenceUnit(m)),
		Columns: []figure.Column{
			b.column("evidence.effect.against"), b.number("evidence.effect.before"), b.number("evidence.effect.after"),
			b.number("evidence.effect.change"),
		},
	}
	add := func(name string, against *effect.Against) {
		if against == nil {
			return
		}
		distance := func(d effect.Distance) cell {
			return cell{
				Text: b.teller.Difference(m, d.Difference, d.Interval),
				Note: b.between(m, &gap.Estimate{Value: d.Difference, Interval: d.Interval}),
			}
		}
		t.Rows = append(t.Rows, row{Cells: []cell{
			{Text: name}, distance(against.Before), distance(against.After), {
				Text: b.teller.Difference(m, against.Change.Value, against.Change.Interval),
				Note: b.between(m, &against.Change),
			},
		}})
	}
	if e.Gap != nil {
		add(b.w.Say("evidence.effect.reference", b.group(e.Aim.Dimension, e.Gap.Other.Code)), e.Gap)
	}
	add(b.w.Say("evidence.effect.comparison"), e.Comparison)
	return t
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
