package figure

import (
	"slices"
	"strconv"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/words"
)

// Pair is one group beside the reference of a comparison: the scores of the two and of everybody, and
// how far the two are apart.
func (t *Teller) Pair(c gap.Comparison, code string, m Measure) Figure {
	two := c
	two.Groups = nil
	names := [2]string{t.w.Say("figure.everybody"), t.w.Say("figure.everybody")}
	for _, one := range c.Groups {
		switch {
		case known(one) && one.Code == code:
			names[0] = t.group(c.Dimension, one)
		case isReference(c, one):
			names[1] = t.group(c.Dimension, one)
		default:
			continue
		}
		two.Groups = append(two.Groups, one)
	}
	f := Figure{
		ID:        "pair",
		Title:     t.w.Say("pair.title", m.Words.Title, names[0], names[1]),
		Sentences: t.pairSentences(c, code, m),
		Notes:     t.pairNotes(c, code, m),
		Table:     t.groupTable(two, m),
	}
	f.Table.Caption = t.w.Say("pair.caption", m.Words.Title, names[0], names[1], t.w.Period(c.Period))
	plot := t.groupPlot(two, m)
	plot.Legend.Emphasis = ""
	plot.Meta = t.meta(f, c.Period, c.Filter, source{c.Measure, c.Version, c.Snapshot, c.DataAsOf})
	f.Chart = plot
	return f
}

// pairSentences say how far two groups are apart, and what speaks against taking that at its face.
func (t *Teller) pairSentences(c gap.Comparison, code string, m Measure) []string {
	g := gapOf(c, m, code)
	if code == "" || g == nil {
		out := []string{t.overall(c.Period, m, c.All)}
		i := slices.IndexFunc(c.Groups, func(one gap.Compared) bool { return known(one) && one.Code == code })
		switch {
		case c.GapsRefused != nil:
			out = append(out, t.refused(c.GapsRefused))
		case i >= 0 && c.Groups[i].GapRefused != nil:
			out = append(out, t.refused(c.Groups[i].GapRefused))
		}
		return with(out, t.unknown(c))
	}
	own, other := intervals(c, *g)
	out := []string{t.overall(c.Period, m, c.All), t.gapSentence(c.Dimension, m, *g, own, other)}
	told := *g
	told.Within = nil
	for _, w := range g.Within {
		// That it holds within sites and ages too is told beside the parts.
		if w.Reverses || w.Fades {
			told.Within = append(told.Within, w)
		}
	}
	out = append(out, t.doubts(m, told)...)
	out = with(out, t.affected(c, m, *g))
	out = with(out, t.sameAges(c, m, *g))
	return with(out, t.unknown(c))
}

// pairNotes say what a pair does not say.
func (t *Teller) pairNotes(c gap.Comparison, code string, m Measure) []string {
	out := with(nil, m.Words.Caution)
	out = append(out, t.incomplete(c.Incomplete)...)
	if m.Improvement == measure.Context {
		out = append(out, t.w.Say("figure.note.context"))
	}
	g := gapOf(c, m, code)
	if g != nil {
		out = append(out, t.w.Say("figure.note.no-reason"))
	}
	if tests := tested(c); g != nil && g.Q != nil && tests > 1 {
		out = append(out, t.w.Say("pair.corrected", strconv.Itoa(tests)))
	}
	for _, one := range c.Groups {
		if one.Suppressed && (one.Code == code || isReference(c, one)) {
			return append(out, t.w.Say("figure.note.suppressed"))
		}
	}
	return out
}

// Parts is what a difference is made of: the whole, what is left of it within sites and within ages, and
// how it splits up. ok is false where nothing of it is known.
func (t *Teller) Parts(c gap.Comparison, code string, m Measure) (f Figure, ok bool) {
	g := gapOf(c, m, code)
	if g == nil || len(g.Within) == 0 {
		return f, false
	}
	name, other := t.named(c.Dimension, g.Code, "", g.Group), t.named(c.Dimension, g.ReferenceCode, "", g.Reference)
	f = Figure{
		ID: "parts", Title: t.w.Say("pair.parts.title", name, other),
		Table: Table{
			Caption: t.w.Say("pair.parts.caption", m.Words.Title, name, other, t.w.Period(c.Period)),
			Columns: t.partColumns(m),
		},
	}
	legend := t.legend()
	legend.Emphasis = t.w.Say("pair.parts.whole")
	forest := chart.Forest{
		Axis: chart.Axis{
			Label: t.w.Say("figure.axis.difference", t.DifferenceUnit(m)), Format: t.axis(m, true),
		},
		NullLabel: t.w.Say("figure.null"), Legend: legend,
	}
	forest.Left, forest.Right = t.sides(m, other)
	whole := t.gapRow(m, t.w.Say("pair.parts.whole"), g.Difference, g.Interval)
	whole.Emphasis = true
	forest.Rows = append(forest.Rows, whole)
	f.Table.Rows = append(f.Table.Rows, TableRow{Kind: KindAll, Cells: []Cell{
		{Text: t.w.Say("pair.parts.whole")}, {Text: t.Difference(m, g.Difference, g.Interval)},
		{Text: t.DifferenceInterval(m, g.Difference, g.Interval)}, {}, {}, {}, {},
	}})
	for i := range g.Within {
		w := &g.Within[i]
		if w.By == mapping.DimensionSite {
			f.Notes = append(f.Notes, t.w.Say("figure.sites.note.worse"))
		}
		label := words.Capital(t.w.Label("figure.layer", w.By))
		forest.Rows = append(forest.Rows, t.gapRow(m, label, w.Difference, &w.Interval))
		f.Sentences = append(f.Sentences, t.layers(m, *g, *w), t.parts(m, *g, *w))
		f.Table.Rows = append(f.Table.Rows, t.partRow(m, *g, *w, label))
	}
	forest.Meta = t.meta(f, c.Period, c.Filter, source{c.Measure, c.Version, c.Snapshot, c.DataAsOf})
	f.Chart = forest
	return f, true
}

func (t *Teller) partColumns(m Measure) []Column {
	number := func(title string) Column { return Column{words.Capital(title), true} }
	return []Column{
		{t.w.Say("pair.parts.what"), false},
		number(t.w.Say("figure.column.difference", t.DifferenceUnit(m))),
		number(t.w.Say("figure.interval", t.Ninetyfive())),
		number(t.w.Say("pair.parts.within", t.DifferenceUnit(m))),
		number(t.w.Say("pair.parts.between", t.DifferenceUnit(m))),
		number(t.w.Say("pair.parts.layers")),
		number(t.w.Say("pair.parts.covered")),
	}
}

func (t *Teller) partRow(m Measure, g gap.Gap, w gap.Within, label string) TableRow {
	kind := KindPlain
	if w.Reverses || w.Fades {
		kind = KindSignal
	}
	return TableRow{Kind: kind, Cells: []Cell{
		{Text: label}, {Text: t.Difference(m, w.Difference, &w.Interval)},
		{Text: t.DifferenceInterval(m, w.Difference, &w.Interval)},
		{Text: t.Difference(m, w.WithinPart, g.Interval)}, {Text: t.Difference(m, w.BetweenPart, g.Interval)},
		{Text: t.w.Count(float64(w.Layers))}, {Text: t.OfHundred(w.Covered)},
	}}
}
