package figure

import (
	"slices"
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/stat/spc"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/words"
)

// mostSignals is how many signals are said one by one. The table marks all of them.
const mostSignals = 6

// Series is the control chart of one stratum, by its index in the report, everybody first: which months
// stand out from the others, by which rule, and on which side. A month stands out or does not; why it
// does is not in the figures.
func (t *Teller) Series(r gap.TrendReport, i int, m Measure) Figure {
	s := r.Series[i]
	f := Figure{ID: idOf("time", s.Code, s.State), Title: t.w.Say("time.title.all", m.Words.Title)}
	if i > 0 {
		f.Title = t.w.Say("time.title", m.Words.Title, t.series(r, s))
	}
	f.Sentences = t.seriesSentences(r, s, m)
	f.Notes = t.seriesNotes(r, s, m)
	f.Table = t.seriesTable(r, s, m, f.Title)
	f.Chart = t.control(r, s, m, f)
	return f
}

// All are the control charts of every stratum, in the order of the report.
func (t *Teller) All(r gap.TrendReport, m Measure) []Figure {
	figures := make([]Figure, len(r.Series))
	for i := range r.Series {
		figures[i] = t.Series(r, i, m)
	}
	return figures
}

// Sparkline is the same series as large as a word, for a cell of a table. A month that the data do not
// fill is left out, because nothing here could say that it is none.
func (t *Teller) Sparkline(r gap.TrendReport, i int, m Measure) chart.Sparkline {
	s := r.Series[i]
	c := chart.Sparkline{Meta: chart.Meta{Lang: t.w.Tag().String(), Empty: t.NoData(),
		Title: t.w.Say("time.title", m.Words.Title, t.series(r, s))}}
	digits := precision(s, m)
	for j, p := range s.Points {
		if !r.Months[j].Partial {
			c.Values = append(c.Values, p.Value)
		}
		if p.Value != nil && !r.Months[j].Partial {
			c.Last = t.Score(m, *p.Value, digits)
		}
	}
	if at := latest(r, s); at >= 0 {
		c.Description = t.latestSentence(r, s, at, m)
	}
	return c
}

// series names the stratum of a series.
func (t *Teller) series(r gap.TrendReport, s gap.Series) string {
	if everybody(s) {
		return t.w.Say("time.everybody")
	}
	return t.named(r.Dimension, s.Code, s.State, s.Label)
}

// everybody reports whether a series is of all strata together.
func everybody(s gap.Series) bool { return s.Code == "" && s.State == "" }

// hidden reports whether some month of a series is suppressed. The report does not say which.
func hidden(s gap.Series) bool { return s.Refused != nil && s.Refused.Reason == gap.Hidden }

// latest is the last month that is over and has a score; -1 where there is none.
func latest(r gap.TrendReport, s gap.Series) int {
	for i, p := range slices.Backward(s.Points) {
		if p.Value != nil && !r.Months[i].Partial {
			return i
		}
	}
	return -1
}

func (t *Teller) seriesSentences(r gap.TrendReport, s gap.Series, m Measure) []string {
	span := t.span(r)
	var said []string
	switch {
	case s.Refused != nil:
		said = append(said, t.w.Say("time.refused", span, t.refused(s.Refused)))
	case s.SignalsRefused != nil:
		said = append(said, t.w.Say("time.unjudged", span, t.refused(s.SignalsRefused)))
	case len(s.Signals) == 0:
		said = append(said, t.w.Say("time.steady", span))
	default:
		said = append(said, t.w.Say("time.signals", len(s.Signals), span))
	}
	for _, signal := range foremost(s.Signals) {
		said = append(said, t.signal(s, signal, m))
	}
	if more := len(s.Signals) - mostSignals; more > 0 {
		said = append(said, t.w.Say("time.more", more))
	}
	if at := latest(r, s); at >= 0 {
		said = append(said, t.latestSentence(r, s, at, m))
	}
	return said
}

// foremost are the signals that are said one by one: the latest of each rule and side, and then others,
// the latest first. They stay in the order of the report.
func foremost(all []gap.Signal) []gap.Signal {
	chosen := make([]bool, len(all))
	left := min(len(all), mostSignals)
	choose := func(i int) { chosen[i], left = true, left-1 }
	type pattern struct {
		rule spc.Rule
		side spc.Side
	}
	seen := map[pattern]bool{}
	for i, one := range slices.Backward(all) {
		if p := (pattern{one.Rule, one.Side}); !seen[p] && left > 0 {
			seen[p] = true
			choose(i)
		}
	}
	for i := range slices.Backward(all) {
		if !chosen[i] && left > 0 {
			choose(i)
		}
	}
	var out []gap.Signal
	for i, one := range all {
		if chosen[i] {
			out = append(out, one)
		}
	}
	return out
}

// span names the months of a report.
func (t *Teller) span(r gap.TrendReport) string {
	return words.Capital(t.months(r.Months[0].Name(), r.Months[len(r.Months)-1].Name()))
}

// latestSentence says the last month that is over, and how it lies between its limits.
func (t *Teller) latestSentence(r gap.TrendReport, s gap.Series, at int, m Measure) string {
	p := s.Points[at]
	digits := precision(s, m)
	clause := t.Reading(m, *p.Value, digits)
	if !everybody(s) {
		clause = t.of(r, s, clause)
	}
	text := t.w.Say("figure.sentence", t.In(r.Months[at].Period, clause))
	if p.Lower != nil && p.Upper != nil {
		text = t.w.Say("time.latest.limits", t.In(r.Months[at].Period, clause),
			t.Score(m, *p.Lower, digits), t.Score(m, *p.Upper, digits))
	}
	return t.few(s, p, m, text)
}

// few adds to what is said of a month that it rests on few, where it does.
func (t *Teller) few(s gap.Series, p gap.Point, m Measure, text string) string {
	const fewestEvents = 20
	switch {
	case hidden(s):
	case m.Scoring == measure.Ratio && p.Events != nil && *p.Events < fewestEvents:
		return t.w.Say("time.latest.events", int(*p.Events), text)
	case m.Scoring != measure.Ratio && p.N < smallestGroup:
		return t.w.Say("time.latest.units", text, t.counted(m.Unit, p.N))
	}
	return text
}

// of says of which group a clause is.
func (t *Teller) of(r gap.TrendReport, s gap.Series, clause string) string {
	name := t.series(r, s)
	if s.State != "" && s.State != string(mapping.Known) {
		return t.w.Say("time.of-state", name, clause)
	}
	return t.w.Say("time.of-group", t.within(r.Dimension, s.Code, name), clause)
}

// signal says a signal: when, what was counted, and on which side.
func (t *Teller) signal(s gap.Series, one gap.Signal, m Measure) string {
	if len(one.Months) == 0 {
		return t.w.Say("time.rule")
	}
	first, last := one.Months[0], one.Months[len(one.Months)-1]
	when := words.Capital(t.months(first, last))
	key := "time.signal." + string(one.Rule)
	if one.Side != "" {
		key += "." + string(one.Side)
	}
	text := t.w.Say(key, one.Found, when, one.Bound)
	at := slices.IndexFunc(s.Points, func(p gap.Point) bool { return p.Month == first })
	if one.Rule == spc.BeyondLimits && at >= 0 {
		text = t.beyond(key, s, s.Points[at], one, when, m)
	}
	switch {
	case one.Better == nil:
	case *one.Better:
		text = t.w.Say("time.better", text)
	default:
		text = t.w.Say("time.worse", text)
	}
	return text
}

// beyond says a month outside of its limits, with both.
func (t *Teller) beyond(
	key string, s gap.Series, p gap.Point, one gap.Signal, when string, m Measure,
) string {
	limit := p.Upper
	if one.Side == spc.Below {
		limit = p.Lower
	}
	if p.Value == nil || limit == nil {
		return t.w.Say("time.rule")
	}
	digits := precision(s, m)
	return t.w.Say(key, when, t.ScoreInWords(m, *p.Value, digits), t.Score(m, *limit, digits))
}

func (t *Teller) seriesNotes(r gap.TrendReport, s gap.Series, m Measure) []string {
	var notes []string
	if s.Chart != "" {
		notes = append(notes, t.kindNote(s))
		if why := t.whyChart(s); why != "" {
			notes = append(notes, why)
		}
		notes = append(notes, t.baselineNote(r, s))
	}
	if len(s.Signals) > 0 {
		notes = append(notes, t.w.Say("time.note.signal"))
	}
	var partial []string
	empty := 0
	for i, month := range r.Months {
		if month.Partial {
			partial = append(partial, t.month(month.Name()))
		}
		if s.Points[i].Value == nil {
			empty++
		}
	}
	if len(partial) > 0 {
		notes = append(notes, t.w.Say("time.partial", len(partial), words.Capital(t.list(partial))))
	}
	switch {
	case hidden(s):
		notes = append(notes, t.w.Say("time.hidden.note"))
	case empty > 0:
		notes = append(notes, t.w.Say("time.gaps", empty))
	}
	if r.Overlapping {
		notes = append(notes, t.w.Say("time.overlap"))
	}
	return with(append(notes, t.incomplete(r.Incomplete)...), m.Words.Caution)
}

// kindNote says which chart it is and what its lines are.
func (t *Teller) kindNote(s gap.Series) string {
	text := t.w.Say("time.chart." + string(s.Chart))
	if s.Widened > 0 {
		text = t.w.Say("time.chart.factor", text, t.w.Number(s.Widened, 1))
	}
	return text
}

// whyChart says why that chart was chosen, where it is not the plain one. A report has it in English
// alone, so that it is looked up.
func (t *Teller) whyChart(s gap.Series) string {
	for _, b := range []spc.Because{spc.NoDistribution, spc.FewSubgroups, spc.RareEvents, spc.RareNonEvents,
		spc.Overdispersion} {
		if strings.HasPrefix(s.Why, b.Says()) {
			return t.w.Say("time.why." + string(b))
		}
	}
	return ""
}

// baselineNote says which months set the lines.
func (t *Teller) baselineNote(r gap.TrendReport, s gap.Series) string {
	if c := r.Changes; c != nil {
		return t.w.Say("time.baseline.before", s.Baseline, t.day(c.Date))
	}
	return t.w.Say("time.baseline", s.Baseline)
}

// marks are the rules that make a month stand out, by month. A signal without a side is about the series
// as a whole, and no month of it stands out.
func marks(s gap.Series) map[string][]spc.Rule {
	out := map[string][]spc.Rule{}
	for _, signal := range s.Signals {
		if signal.Side == "" {
			continue
		}
		for _, month := range signal.Months {
			if !slices.Contains(out[month], signal.Rule) {
				out[month] = append(out[month], signal.Rule)
			}
		}
	}
	return out
}
