package evidence

import (
	"strconv"

	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/words"
)

// planSection is the written plan: the assessment that it comes of, and its steps. The open actions stand
// in the section after it.
func (b *builder) planSection() block {
	out := block{ID: sectionPlan, Title: b.sectionTitle(sectionPlan)}
	a := b.m.Assessment
	if a == nil {
		out.Sentences = []string{b.w.Say("evidence.plan.none")}
		if b.public() {
			out.Sentences = []string{b.w.Say("evidence.plan.none.public")}
		}
		return out
	}
	state := b.w.Say("evidence.plan.draft", b.periodOf(a.Period))
	if a.State == readiness.Final {
		state = b.w.Say("evidence.plan.final", b.periodOf(a.Period), b.w.DayOf(a.At))
	}
	out.Sentences = []string{state, b.w.Say("evidence.plan.about")}
	if a.Period != b.periodName() {
		out.Warnings = append(out.Warnings, b.w.Say("evidence.plan.other", b.periodOf(a.Period)))
	}
	out.Parts = append(out.Parts, b.scores(*a), b.steps(*a), b.answers(*a))
	return out
}

// periodName is the name of the period of the pack, "" of one that is not assessed.
func (b *builder) periodName() string {
	name, _, err := readiness.Name(b.m.Period)
	if err != nil {
		return ""
	}
	return name
}

func (b *builder) periodOf(name string) string {
	p, err := measure.ParsePeriod(name)
	if err != nil {
		return words.Plain(name)
	}
	return b.w.Period(p)
}

// level names a level with its number, and what has none.
func (b *builder) level(l *readiness.Level) string {
	if l == nil {
		return b.w.Say("evidence.plan.unanswered")
	}
	return strconv.Itoa(int(*l)) + " · " + b.m.Questionnaire.Name(*l, b.language)
}

// scores are the domains. There is no sum of them.
func (b *builder) scores(a readiness.Assessment) block {
	q := b.m.Questionnaire
	t := table{
		Caption: b.w.Say("evidence.plan.scores"), Headed: true,
		Columns: []figure.Column{
			b.column("evidence.plan.domain"), b.column("evidence.plan.lowest"), b.column("evidence.plan.median"),
			b.number("evidence.plan.answered"), b.column("evidence.plan.change"),
		},
	}
	var changes []readiness.Change
	if b.m.Before != nil {
		changes, _ = q.Compare(*b.m.Before, a)
	}
	for i, s := range q.Score(a) {
		t.Rows = append(t.Rows, row{Cells: texts(q.Domains[i].Title.In(b.language), b.level(s.Lowest),
			b.level(s.Median), b.w.Say("evidence.plan.of", b.w.Count(float64(s.Answered)),
				b.w.Count(float64(s.Items))), b.change(changes, s.Domain))})
	}
	return block{
		Title: b.w.Say("evidence.plan.scores"), Tables: []table{t}, Notes: []string{b.w.Say("evidence.plan.no-total")},
	}
}

// change counts what rose and fell in a domain since the period before.
func (b *builder) change(changes []readiness.Change, domain string) string {
	rose, fell, compared := 0, 0, 0
	for _, c := range changes {
		if c.Domain != domain || c.Before == nil || c.Now == nil {
			continue
		}
		compared++
		switch c.Kind {
		case readiness.Rose:
			rose++
		case readiness.Fell:
			fell++
		case readiness.Same, readiness.Gained, readiness.Lost, readiness.Neither:
		}
	}
	if compared == 0 {
		return b.w.Say("evidence.plan.change.none")
	}
	return b.w.Say("evidence.plan.change.some", b.w.Count(float64(rose)), b.w.Count(float64(fell)),
		b.w.Count(float64(compared)))
}

// steps are the plan itself, the weakest first.
func (b *builder) steps(a readiness.Assessment) block {
	steps := b.m.Questionnaire.Steps(a, b.language)
	out := block{Title: b.w.Say("evidence.plan.steps")}
	if len(steps) == 0 {
		out.Sentences = []string{b.w.Say("evidence.plan.steps.none")}
		return out
	}
	t := table{
		Caption: b.w.Say("evidence.plan.steps"), Headed: true,
		Columns: []figure.Column{
			b.column("evidence.plan.item"), b.column("evidence.plan.stands"), b.column("evidence.plan.next"),
			b.column("evidence.plan.owner"), b.column("evidence.plan.shows"),
		},
	}
	for _, s := range steps {
		stands := cell{Text: b.level(&s.Level), Note: s.Why}
		t.Rows = append(t.Rows, row{Cells: []cell{
			{Text: s.Title}, stands, {Text: s.What}, {Text: s.Owner}, {Text: s.Evidence},
		}})
	}
	out.Tables = []table{t}
	return out
}

// answers are all items with what was answered. Comments are for those inside.
func (b *builder) answers(a readiness.Assessment) block {
	q := b.m.Questionnaire
	out := block{Title: b.w.Say("evidence.plan.answers")}
	for _, d := range q.Domains {
		t := table{
			Caption: d.Title.In(b.language),
			Columns: []figure.Column{
				b.column("evidence.plan.item"), b.column("evidence.plan.level"), b.column("evidence.plan.means"),
			},
		}
		if !b.public() {
			t.Columns = append(t.Columns, b.column("evidence.plan.comment"))
		}
		for _, i := range d.Items {
			answer := a.Answers[i.ID]
			cells := []cell{{Text: i.Asks.In(b.language)}, {Text: b.level(answer.Level)}, {Text: b.means(i, answer)}}
			if !b.public() {
				cells = append(cells, typed(answer.Comment))
			}
			t.Rows = append(t.Rows, row{Cells: cells})
		}
		out.Tables = append(out.Tables, t)
	}
	return out
}

// means says what stands behind an answer: its figure, and what its level means, or why it has none. The
// public has the level of an item from data without its figure.
func (b *builder) means(i readiness.Item, answer readiness.Answer) string {
	text := b.m.Questionnaire.Stands(i, answer, b.language)
	if answer.Figure != nil && answer.Figure.Partial {
		text += " " + b.w.Say("evidence.plan.partial")
	}
	return text
}
