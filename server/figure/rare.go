package figure

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/stat/spc"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/words"
)

// Course is Series, where for that stratum there is no chart of what lies between rare events. Else it is
// that chart, under the same ID: how many passed from each to the next, which of those stretches stand
// out, and whether the events become rarer. Events are called cases, because what is counted may be events
// itself.
func (t *Teller) Course(r gap.TrendReport, rare []gap.RareSeries, i int, m Measure) Figure {
	s := r.Series[i]
	at := slices.IndexFunc(rare, func(one gap.RareSeries) bool {
		return one.Code == s.Code && one.State == s.State
	})
	if at < 0 {
		return t.Series(r, i, m)
	}
	one := rare[at]
	if len(one.Points) == 0 {
		f := t.Series(r, i, m)
		f.Sentences = append([]string{t.w.Say("rare.few", one.Events,
			t.counted(m.Unit, float64(one.Units)), t.span(r), one.Needed)}, f.Sentences...)
		f.Notes = append(f.Notes, t.rareCase(one))
		if c, ok := f.Chart.(chart.Control); ok {
			c.Description = strings.Join(f.Sentences, " ")
			f.Chart = c
		}
		return f
	}
	f := Figure{ID: idOf("time", s.Code, s.State), Title: t.w.Say("rare.title.all", m.Words.Title)}
	if i > 0 {
		f.Title = t.w.Say("rare.title", m.Words.Title, t.series(r, s))
	}
	f.Sentences = t.rareSentences(r, one, m)
	f.Notes = t.rareNotes(r, one, m)
	f.Table = t.rareTable(one, f.Title)
	f.Chart = t.rareChart(r, one, m, f)
	return f
}

// stretch writes so many units, as within a sentence.
func (t *Teller) stretch(m Measure, n float64) string {
	if fractional(n) > 0 {
		return t.w.Say("rare.amount", t.w.Number(n, 1), t.w.Label("rare.unit", string(m.Unit)))
	}
	return t.counted(m.Unit, n)
}

func (t *Teller) rareSentences(r gap.TrendReport, s gap.RareSeries, m Measure) []string {
	said := []string{t.w.Say("rare.says", s.Events, t.counted(m.Unit, float64(s.Units)), t.span(r),
		t.stretch(m, *s.Centre))}
	if p := s.Pace; p != nil {
		said = append(said, t.pace(*p, m))
	}
	if len(s.Signals) == 0 {
		said = append(said, t.w.Say("rare.steady"))
	} else {
		said = append(said, t.w.Say("rare.signals", len(s.Signals)))
	}
	more := max(0, len(s.Signals)-mostSignals)
	for _, one := range s.Signals[more:] {
		said = append(said, t.rareSignal(s, one, m))
	}
	if more > 0 {
		said = append(said, t.w.Say("time.more", more))
	}
	if s.Since > 0 {
		since := t.counted(m.Unit, float64(s.Since))
		last := t.month(s.Points[len(s.Points)-1].Month)
		key := "rare.since"
		if float64(s.Since) > *s.Upper {
			key = "rare.since.long"
		}
		said = append(said, t.w.Say(key, since, last))
	}
	return said
}

// pace says whether cases become rarer.
func (t *Teller) pace(p gap.Pace, m Measure) string {
	key := "rare.pace.chance"
	switch {
	case p.Clear && p.Later > p.Earlier:
		key = "rare.pace.rarer"
	case p.Clear:
		key = "rare.pace.oftener"
	}
	return t.way(p.Better, t.w.Say(key, t.stretch(m, p.Earlier), t.stretch(m, p.Later)))
}

// way adds whether a direction is the good one, where one is.
func (t *Teller) way(better *bool, text string) string {
	switch {
	case better == nil:
		return text
	case *better:
		return t.w.Say("time.better", text)
	}
	return t.w.Say("time.worse", text)
}

// rareSignal says a signal: when, what was counted, and on which side.
func (t *Teller) rareSignal(s gap.RareSeries, one gap.RareSignal, m Measure) string {
	first, last := s.Points[one.Points[0]], s.Points[one.Points[len(one.Points)-1]]
	when := t.while(first.From, last.Month)
	var text string
	switch one.Rule {
	case spc.BeyondLimits:
		text = t.w.Say("rare.signal.beyond", when, t.stretch(m, first.Units), t.between(*s.Upper))
	case spc.EightOneSide, spc.SixTrend:
		text = t.w.Say("rare.signal."+string(one.Side), one.Found, when, one.Bound)
	default:
		text = t.w.Say("time.rule")
	}
	return t.way(one.Better, text)
}

// between writes a number of units: limits and medians are not whole.
func (t *Teller) between(v float64) string {
	const exact = 20 // From here on a part of a unit says nothing, but that a median lies between two.
	if v >= exact && 2*v != math.Trunc(2*v) {
		return t.w.Count(v)
	}
	return t.w.Number(v, fractional(v))
}

// while names the months from one case to another.
func (t *Teller) while(from, to string) string {
	if from == to {
		return words.Capital(t.month(from))
	}
	return words.Capital(t.w.Say("time.months", t.month(from), t.month(to)))
}

// rareCase says what a case is.
func (t *Teller) rareCase(s gap.RareSeries) string {
	if s.Failures {
		return t.w.Say("rare.case.failure")
	}
	return t.w.Say("rare.case")
}

func (t *Teller) rareNotes(r gap.TrendReport, s gap.RareSeries, m Measure) []string {
	notes := []string{t.rareCase(s), t.w.Say("rare.chart"), t.w.Say("rare.why"), t.w.Say("rare.order")}
	if s.Pace != nil {
		notes = append(notes, t.w.Say("rare.test", t.w.Number(likely, 2)))
	}
	if *s.Centre == 0 {
		notes = append(notes, t.w.Say("rare.together"))
	}
	if len(s.Signals) > 0 {
		notes = append(notes, t.w.Say("rare.signal.note"))
	}
	if r.Overlapping {
		notes = append(notes, t.w.Say("time.overlap"))
	}
	return with(append(notes, t.incomplete(r.Incomplete)...), m.Words.Caution)
}

// rareMarks are the rules that make a point stand out, by its index.
func rareMarks(s gap.RareSeries) map[int][]spc.Rule {
	out := map[int][]spc.Rule{}
	for _, one := range s.Signals {
		for _, i := range one.Points {
			if !slices.Contains(out[i], one.Rule) {
				out[i] = append(out[i], one.Rule)
			}
		}
	}
	return out
}

func (t *Teller) rareTable(s gap.RareSeries, caption string) Table {
	out := Table{Caption: caption, Columns: []Column{
		{Title: t.w.Say("rare.column.case")}, {Title: t.w.Say("rare.column.months")},
		{Title: t.w.Say("rare.column.between"), Number: true},
		{Title: words.Capital(t.w.Say("time.centre")), Number: true},
		{Title: words.Capital(t.w.Say("time.upper")), Number: true}, {Title: t.w.Say("time.remark")},
	}}
	at := rareMarks(s)
	for i, p := range s.Points {
		var remarks []string
		for _, rule := range at[i] {
			remarks = append(remarks, t.w.Say("time.mark."+string(rule)))
		}
		row := TableRow{Cells: []Cell{{Text: strconv.Itoa(p.Event)},
			{Text: t.while(p.From, p.Month)}, {Text: t.w.Count(p.Units)},
			{Text: t.between(*s.Centre)}, {Text: t.between(*s.Upper)}, {Text: t.list(remarks)}}}
		if len(remarks) > 0 {
			row.Kind = KindSignal
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// rareChart draws the stretches below their limit. The places on its axis are cases, and not months: the
// month of a case stands beside its number.
func (t *Teller) rareChart(r gap.TrendReport, s gap.RareSeries, m Measure, f Figure) chart.Chart {
	zero := 0.0
	c := chart.Control{
		Meta: t.meta(f, r.Period, r.Filter, source{r.Measure, r.Version, r.Snapshot, r.DataAsOf}),
		Axis: chart.Axis{Label: t.w.Say("rare.axis", words.Capital(t.w.Label("rare.unit", string(m.Unit)))),
			Format: t.between, Min: &zero},
		Legend: chart.ControlLegend{Signal: t.w.Say("time.legend.signal"),
			Limits: t.w.Say("time.legend.limits")},
		CentreLabel: t.w.Say("time.centre.median"), UpperLabel: t.w.Say("time.upper"),
	}
	at := rareMarks(s)
	for i, p := range s.Points {
		number := strconv.Itoa(p.Event)
		c.Points = append(c.Points, chart.ControlPoint{
			Label: t.w.Say("rare.label", number, t.shortMonth(p.Month)),
			Text:  t.w.Say("rare.point", number, t.month(p.Month), t.stretch(m, p.Units)),
			Value: &s.Points[i].Units, Centre: s.Centre, Upper: s.Upper, Signal: len(at[i]) > 0,
		})
	}
	return c
}
