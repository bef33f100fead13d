package figure

import (
	"slices"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/words"
)

// bounded is a group whose score is bounded by who of the unknown belong to it.
type bounded struct {
	measure.Stratum
	name      string
	reference bool
	// reliability says in words why the score is not to be relied on; "" of one that is.
	reliability string
	// few says that the group is too small to be told one by one.
	few bool
}

// Unknowns is what those of unknown group could make of the scores: how many they are, the least and the
// greatest score of each group whoever of them belong to it, and its score if all did. The result was
// asked for with bounds; the comparison is of it, and says what the others are compared with.
func (t *Teller) Unknowns(r measure.Result, c gap.Comparison, m Measure) Figure {
	g, _ := groupOf(r, c.Rate)
	by := t.dimension(c.Dimension)
	f := Figure{ID: "unknowns", Title: t.w.Say("time.unknown.title", m.Words.Title, by)}
	var groups []bounded
	var reference *bounded
	unknown, total, hides := unknownOf(g, c.Dimension)
	for i, s := range g.Strata[c.Dimension] {
		if stateOf(s) != string(mapping.Known) {
			continue
		}
		one := bounded{Stratum: s, name: t.w.Stratum(c.Dimension, s)}
		if i < len(c.Groups) {
			like := c.Groups[i]
			one.few = like.N < smallestGroup
			one.reliability = t.Reliability(like.Reliability, like.Why)
		}
		one.reference = c.Reference != nil && c.Reference.Code != "" && codeOf(s) == c.Reference.Code
		groups = append(groups, one)
	}
	for i := range groups {
		if groups[i].reference && groups[i].bound() {
			reference = &groups[i]
		}
	}
	f.Sentences = t.unknownSentences(groups, reference, m, by, unknown, total, hides)
	f.Notes = []string{t.w.Say("time.unknown.note")}
	if slices.ContainsFunc(groups, func(b bounded) bool { return b.bound() && b.few }) {
		f.Notes = append(f.Notes, t.w.Say("time.unknown.few"))
	}
	if hides || slices.ContainsFunc(groups, func(b bounded) bool { return b.Suppressed }) {
		f.Notes = append(f.Notes, t.w.Say("time.hidden.note"))
	}
	f.Notes = with(append(f.Notes, t.incomplete(c.Incomplete)...), m.Words.Caution)
	f.Table = t.unknownTable(groups, m, f.Title)
	f.Chart = t.unknownChart(groups, reference, c, m, f)
	if f.Chart == nil {
		f.Notes = append(f.Notes, t.w.Say("time.unknown.no-chart"))
	}
	return f
}

// bound reports whether a group has bounds that may be told.
func (b bounded) bound() bool { return !b.Suppressed && b.Bounds != nil && b.Score != nil }

// stateOf is that of a stratum: known where every part of it is.
func stateOf(s measure.Stratum) string {
	for _, c := range s.Components {
		if c.State != string(mapping.Known) {
			return c.State
		}
	}
	if len(s.Components) > 0 {
		return string(mapping.Known)
	}
	return s.State
}

// codeOf joins the codes of a stratum, as package gap does.
func codeOf(s measure.Stratum) string {
	text := s.Code
	for i, c := range s.Components {
		if i > 0 {
			text += "*"
		}
		text += c.Code
	}
	return text
}

// unknownOf counts those of the initial population who are in no known group. Where some of it is
// suppressed neither is told.
func unknownOf(g measure.Group, dimension string) (unknown, total float64, hides bool) {
	total, told := g.Populations[measure.InitialPopulation]
	hides = !told
	for _, s := range g.Strata[dimension] {
		if stateOf(s) == string(mapping.Known) {
			continue
		}
		n, told := s.Populations[measure.InitialPopulation]
		unknown += n
		hides = hides || !told
	}
	return unknown, total, hides
}

func (t *Teller) unknownSentences(
	groups []bounded, reference *bounded, m Measure, by string, unknown, total float64, hides bool,
) []string {
	var said []string
	switch {
	case hides:
		said = append(said, t.w.Say("time.unknown.hidden", by))
	case unknown <= 0:
		return []string{t.w.Say("time.unknown.none", by)}
	case total > 0:
		said = append(said, t.w.Say("time.unknown.share", t.OfHundred(unknown/total),
			t.counted(m.Unit, unknown), t.N(total), by))
	}
	for _, one := range groups {
		if one.bound() && !one.few {
			said = append(said, t.boundSentence(one, m))
		}
	}
	if reference == nil {
		return said
	}
	for _, one := range groups {
		if !one.reference && one.bound() && !one.few {
			said = append(said, t.orderSentence(one, *reference))
		}
	}
	return said
}

// boundSentence says what the unknown could make of the score of a group.
func (t *Teller) boundSentence(one bounded, m Measure) string {
	score := t.ScoreInWords(m, *one.Score, one.Interval)
	lo, hi := t.Score(m, one.Bounds[0], one.Interval), t.Score(m, one.Bounds[1], one.Interval)
	if one.IfUnknown == nil {
		return t.w.Say("time.unknown.bounds", one.name, score, lo, hi)
	}
	return t.w.Say("time.unknown.says", one.name, score, t.Score(m, *one.IfUnknown, one.Interval), lo, hi)
}

// orderSentence says whether a group is on one side of the reference whoever the unknown are. The bounds
// of both are reached by different people, so that it may be on that side even where they meet.
func (t *Teller) orderSentence(one, reference bounded) string {
	switch {
	case one.Bounds[1] < reference.Bounds[0]:
		return t.w.Say("time.unknown.below", one.name, reference.name)
	case one.Bounds[0] > reference.Bounds[1]:
		return t.w.Say("time.unknown.above", one.name, reference.name)
	}
	return t.w.Say("time.unknown.open", one.name, reference.name)
}

func (t *Teller) unknownTable(groups []bounded, m Measure, caption string) Table {
	out := Table{Caption: caption, Columns: []Column{{Title: t.w.Say("time.group")},
		{Title: words.Capital(t.w.Say("figure.column.score", t.ScoreUnit(m))), Number: true},
		{Title: t.w.Say("time.unknown.all"), Number: true},
		{Title: t.w.Say("time.unknown.least"), Number: true},
		{Title: t.w.Say("time.unknown.greatest"), Number: true}}}
	for _, one := range groups {
		row := TableRow{Cells: []Cell{{Text: one.name}}}
		figures := []*float64{one.Score, one.IfUnknown, nil, nil}
		if !one.bound() {
			figures[1] = nil
		} else {
			figures[2], figures[3] = &one.Bounds[0], &one.Bounds[1]
		}
		for _, v := range figures {
			switch {
			case one.Suppressed:
				row.Cells = append(row.Cells, Cell{Text: t.Suppressed()})
			case v == nil:
				row.Cells = append(row.Cells, Cell{Text: t.NoData()})
			default:
				row.Cells = append(row.Cells, Cell{Text: t.Score(m, *v, one.Interval)})
			}
		}
		row.Cells[1].Note = one.reliability
		switch {
		case one.Suppressed:
			row.Kind = KindSuppressed
		case one.reference:
			row.Kind = KindReference
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// unknownChart draws each score between its bounds. Those are no intervals of chance, and are named so.
func (t *Teller) unknownChart(
	groups []bounded, reference *bounded, c gap.Comparison, m Measure, f Figure,
) chart.Chart {
	d := chart.DotPlot{
		Meta: t.meta(f, c.Period, c.Filter, source{c.Measure, c.Version, c.Snapshot, c.DataAsOf}),
		Axis: chart.Axis{Label: t.axisLabel(m), Format: t.axis(m, false)},
		Legend: chart.Legend{
			Interval: t.w.Say("time.unknown.legend"), Suppressed: t.Suppressed(), NoData: t.NoData(),
			Reference: t.w.Say("figure.legend.reference"), Unreliable: t.w.Say("time.cross.unreliable"),
		},
	}
	drawn := false
	for _, one := range groups {
		row := chart.Row{Label: one.name, State: chart.NoData, Reference: one.reference, Unreliable: one.few,
			Text: t.w.Say("time.point", one.name, t.NoData())}
		switch {
		case one.Suppressed:
			row.State, row.Text = chart.Suppressed, t.w.Say("time.point", one.name, t.Suppressed())
		case one.bound():
			drawn = true
			row.State, row.Value, row.Interval = chart.Shown, one.Score, one.Bounds
			row.Figure, row.Text = t.Score(m, *one.Score, one.Interval), t.boundSentence(one, m)
		}
		d.Rows = append(d.Rows, row)
	}
	if !drawn {
		return nil
	}
	if reference != nil {
		d.Line = &chart.Line{Value: *reference.Score, Label: reference.name}
	}
	return d
}
