package figure

import (
	"cmp"
	"slices"

	"github.com/equitylens/equitylens/improvement/effect"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/words"
)

// InsideOutside is a rate inside of conditions against outside of them. No sentence says why.
func (t *Teller) InsideOutside(c effect.Comparison, m Measure) Figure {
	f := Figure{ID: "conditions", Title: t.w.Say("effect.inside.title", m.Words.Title)}
	f.Sentences = t.besideSentences(c, m)
	f.Notes = t.besideNotes(c, m)
	f.Table = t.besideTable(c, m, f.Title)
	plot := chart.DotPlot{
		Meta:   t.meta(f, c.Period, c.Filter, source{c.Measure, c.Version, c.Snapshot, c.DataAsOf}),
		Axis:   chart.Axis{Label: t.axisLabel(m), Format: t.axis(m, false)},
		Legend: t.legend(),
	}
	for _, g := range append([]effect.Beside{c.All}, c.Groups...) {
		name := t.besideName(c, g)
		for _, side := range []struct {
			key string
			effect.Side
		}{{"effect.row.inside", g.Inside}, {"effect.row.outside", g.Outside}} {
			row := t.standRow(m, t.w.Say(side.key, name), side.Side)
			row.Unknown = g.State != "" && g.State != string(mapping.Known)
			plot.Rows = append(plot.Rows, row)
		}
	}
	f.Chart = plot
	return f
}

// besideName names a group; everybody has neither a code nor a state.
func (t *Teller) besideName(c effect.Comparison, g effect.Beside) string {
	if g.Code == "" && g.State == "" {
		return t.w.Say("figure.everybody")
	}
	return t.named(c.Dimension, g.Code, g.State, g.Label)
}

// besideSentences say everybody first, and then the groups that differ by more than chance.
func (t *Teller) besideSentences(c effect.Comparison, m Measure) []string {
	said := []string{t.besideSaid(c, c.All, m)}
	silent := 0
	for _, g := range c.Groups {
		switch {
		case g.Difference == nil || g.Q == nil:
		case *g.Q <= likely:
			said = append(said, t.besideSaid(c, g, m))
		default:
			silent++
		}
		if g.GapChange != nil && g.GapChange.Clear && c.Reference != nil {
			said = append(said, t.w.Say("effect.inside.gap", t.besideName(c, g),
				t.reference(c.Dimension, c.Reference), t.moved(m, *g.GapChange)))
		}
	}
	if silent > 0 {
		said = append(said, t.w.Say("effect.inside.silent", silent))
	}
	return append(said, t.w.Say("effect.inside.not-why"))
}

func (t *Teller) besideSaid(c effect.Comparison, g effect.Beside, m Measure) string {
	name := t.besideName(c, g)
	inside, outside := t.stand(m, g.Inside), t.stand(m, g.Outside)
	if g.Difference == nil || g.Q == nil {
		return t.w.Say("effect.inside.untested", name, inside, outside)
	}
	key := "effect.inside.chance"
	if *g.Q <= likely {
		key = "effect.inside.clear"
	}
	return t.w.Say(key, name, inside, outside, t.moved(m, *g.Difference))
}

func (t *Teller) besideNotes(c effect.Comparison, m Measure) []string {
	var names []string
	for _, one := range c.Conditions {
		if name := words.Plain(one.Name); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	notes := []string{t.w.Say("effect.inside.days", t.w.Count(float64(c.DaysInside)),
		t.w.Count(float64(c.DaysOutside)), t.list(names))}
	if c.Reference != nil {
		notes = append(notes, t.chosen(c.Dimension, *c.Reference, m))
	}
	notes = append(notes, t.w.Label("time.improvement", string(m.Improvement)),
		t.w.Say("effect.inside.declared"))
	return with(append(notes, t.incomplete(c.Incomplete)...), m.Words.Caution)
}

func (t *Teller) besideTable(c effect.Comparison, m Measure, caption string) Table {
	interval := words.Capital(t.w.Say("figure.interval", t.Ninetyfive()))
	out := Table{Caption: caption, Columns: []Column{{Title: t.w.Say("time.group")},
		{Title: t.w.Say("effect.column.n-inside"), Number: true},
		{Title: t.w.Say("effect.column.inside", t.ScoreUnit(m)), Number: true},
		{Title: t.w.Say("effect.column.n-outside"), Number: true},
		{Title: t.w.Say("effect.column.outside", t.ScoreUnit(m)), Number: true},
		{Title: words.Capital(t.w.Say("figure.column.difference", t.DifferenceUnit(m))), Number: true},
		{Title: interval, Number: true},
		{Title: t.w.Say("effect.column.gap-inside", t.DifferenceUnit(m)), Number: true},
		{Title: interval, Number: true},
	}}
	for _, g := range append([]effect.Beside{c.All}, c.Groups...) {
		row := TableRow{Cells: []Cell{{Text: t.besideName(c, g)}, {Text: t.N(g.Inside.N)},
			{Text: t.standText(m, g.Inside)}, {Text: t.N(g.Outside.N)}, {Text: t.standText(m, g.Outside)}}}
		row.Cells = append(row.Cells, t.estimateCells(m, g.Difference)...)
		row.Cells = append(row.Cells, t.estimateCells(m, g.GapChange)...)
		switch {
		case g.Code == "" && g.State == "":
			row.Kind = KindAll
		case cmp.Or(g.State, string(mapping.Known)) != string(mapping.Known):
			row.Kind = KindUnknown
		case c.Reference != nil && c.Reference.Code == g.Code:
			row.Kind = KindReference
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}
