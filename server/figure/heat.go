package figure

import (
	"math"
	"slices"
	"strconv"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/words"
)

// Told is a comparison and what its sentences need of the measure.
type Told struct {
	Comparison gap.Comparison
	Measure    Measure
}

const (
	// Cohen's h of a proportion that is drawn as much worse or better; 0.5 is customarily a medium
	// one. It is the same whether a measure counts those who have something or those who lack it.
	muchApart = 0.5
	// A rate or a median that is twice or half the other is drawn as much worse or better.
	twice = 2
	// leastLevel is that of a gap that is clear, however small: it is drawn as worse or better.
	leastLevel = 0.25
)

// Heat is where to look: the gaps of many rates by one dimension, a row for each rate and a column
// for each group. Only gaps of which chance is no likely reason are drawn as worse or better.
func (t *Teller) Heat(dimension string, told []Told) Figure {
	f := Figure{ID: "overview", Title: t.w.Say("figure.heat.title", t.dimension(dimension))}
	told = slices.DeleteFunc(slices.Clone(told), func(one Told) bool {
		return one.Comparison.Dimension != dimension
	})
	codes, names := t.heatColumns(told)
	if len(told) == 0 || len(codes) == 0 {
		f.Notes = []string{t.w.Say("figure.empty")}
		return f
	}
	c := told[0].Comparison
	f.Sentences = t.heatSentences(told)
	f.Notes = t.heatNotes(told)
	f.Table = Table{
		Caption: t.w.Say("figure.heat.caption", t.dimension(dimension), t.w.Period(c.Period)),
		Columns: []Column{{t.w.Say("figure.heat.measure"), false}},
	}
	drawn := chart.HeatMap{Columns: names, Legend: t.heatLegend()}
	for _, name := range names {
		f.Table.Columns = append(f.Table.Columns, Column{name, true})
	}
	for _, one := range told {
		label := t.w.Say("figure.axis", one.Measure.Words.Title, t.DifferenceUnit(one.Measure))
		row, cells := chart.HeatRow{Label: label}, []Cell{{Text: label}}
		for _, code := range codes {
			drawnCell, cell := t.heatCell(one, code)
			row.Cells, cells = append(row.Cells, drawnCell), append(cells, cell)
		}
		drawn.Rows = append(drawn.Rows, row)
		f.Table.Rows = append(f.Table.Rows, TableRow{Cells: cells})
	}
	drawn.Meta = t.meta(f, c.Period, c.Filter,
		source{t.w.Say("figure.heat.source"), "", c.Snapshot, c.DataAsOf})
	f.Chart = drawn
	return f
}

// heatColumns are the groups of all comparisons, each where the first that has it puts it.
func (t *Teller) heatColumns(told []Told) (codes, names []string) {
	for _, one := range told {
		at := 0
		for _, group := range one.Comparison.Groups {
			if !known(group) {
				continue
			}
			if i := slices.Index(codes, group.Code); i >= 0 {
				at = i + 1
				continue
			}
			codes = slices.Insert(codes, at, group.Code)
			names = slices.Insert(names, at, t.group(one.Comparison.Dimension, group))
			at++
		}
	}
	return codes, names
}

func (t *Teller) heatLegend() chart.HeatLegend {
	return chart.HeatLegend{
		Worse: t.w.Say("figure.heat.worse"), Better: t.w.Say("figure.heat.better"),
		Same: t.w.Say("figure.heat.same"), Clear: t.w.Say("figure.heat.clear"),
		Suppressed: t.Suppressed(), NoData: t.w.Say("figure.heat.no-data"),
		Reference: t.w.Say("figure.legend.reference"),
	}
}

// heatCell is a group of a rate, drawn and in the table.
func (t *Teller) heatCell(one Told, code string) (chart.HeatCell, Cell) {
	c, m := one.Comparison, one.Measure
	i := slices.IndexFunc(c.Groups, func(group gap.Compared) bool {
		return known(group) && group.Code == code
	})
	var text string
	switch {
	case i < 0:
		text = t.NoData()
	case c.Groups[i].Suppressed:
		text = t.Suppressed()
		return chart.HeatCell{State: chart.Suppressed, Title: text}, Cell{Text: text}
	case isReference(c, c.Groups[i]):
		text = t.w.Label("figure.cell", string(gap.IsReference))
		score := t.Score(m, *c.Groups[i].Score, c.Groups[i].Interval)
		return chart.HeatCell{Reference: true, Text: score, Title: t.rowText(m, text, c.Groups[i])},
			Cell{Text: text, Note: t.ScoreInWords(m, *c.Groups[i].Score, c.Groups[i].Interval)}
	case c.Groups[i].Gap != nil:
		return t.heatGap(m, *c.Groups[i].Gap)
	case c.Groups[i].Score == nil:
		text = t.NoData()
	case c.Groups[i].GapRefused != nil:
		text = t.w.Label("figure.cell", string(c.Groups[i].GapRefused.Reason))
	case c.GapsRefused != nil:
		text = t.w.Label("figure.cell", string(c.GapsRefused.Reason))
	}
	return chart.HeatCell{State: chart.NoData, Title: text}, Cell{Text: text}
}

func (t *Teller) heatGap(m Measure, g gap.Gap) (chart.HeatCell, Cell) {
	text := t.Difference(m, g.Difference, g.Interval)
	level := 0.0
	if sure(g) {
		level = m.level(g)
	}
	kind := "same"
	switch {
	case sure(g) && m.Improvement == measure.Context:
		kind = "differs"
	case level < 0:
		kind = "worse"
	case level > 0:
		kind = "better"
	}
	note := t.w.Say("figure.heat." + kind)
	if g.Interval != nil {
		note = t.w.Say("figure.heat.note", note, t.Ninetyfive(),
			t.DifferenceInterval(m, g.Difference, g.Interval))
	}
	title := t.w.Say("figure.row", text, note)
	return chart.HeatCell{Text: text, Title: title, Level: level, Clear: sure(g)},
		Cell{Text: text, Note: note}
}

// level is how far a group is behind (below 0) or ahead of what it is compared with, from -1 to 1.
// Where neither way is better it is 0.
func (m Measure) level(g gap.Gap) float64 {
	size := 0.0
	switch {
	case m.Improvement == measure.Context || g.Difference == 0:
		return 0
	case m.Scoring == measure.Proportion:
		h := 2*math.Asin(math.Sqrt(g.Score)) - 2*math.Asin(math.Sqrt(g.ReferenceScore))
		size = math.Abs(h) / muchApart
	case g.Ratio != nil && *g.Ratio > 0:
		size = math.Abs(math.Log(*g.Ratio)) / math.Log(twice)
	default:
		size = 1 // One of the two is 0.
	}
	size = min(max(size, leastLevel), 1)
	if m.behind(g) {
		return -size
	}
	return size
}

// heatSentences count the rates with gaps that chance is no likely reason of.
func (t *Teller) heatSentences(told []Told) []string {
	found, compared := 0, 0
	for _, one := range told {
		if one.Comparison.Reference == nil {
			continue
		}
		compared++
		g := leadGap(one.Comparison, one.Measure)
		if g != nil && sure(*g) && one.Measure.behind(*g) && one.Measure.Improvement != measure.Context {
			found++
		}
	}
	by := t.dimension(told[0].Comparison.Dimension)
	if found == 0 {
		return []string{t.w.Say("figure.heat.none", compared, strconv.Itoa(compared), by)}
	}
	return []string{t.w.Say("figure.heat.some", found, strconv.Itoa(found), strconv.Itoa(compared), by)}
}

func (t *Teller) heatNotes(told []Told) []string {
	out := []string{t.w.Say("figure.heat.read"), t.w.Say("figure.heat.own"),
		t.w.Say("figure.note.no-reason")}
	var about []string
	hidden, context := false, false
	for _, one := range told {
		if r := one.Comparison.GapsRefused; r != nil && r.Reason == gap.AboutIt {
			about = append(about, one.Measure.Words.Title)
		}
		context = context || one.Measure.Improvement == measure.Context
		hidden = hidden || slices.ContainsFunc(one.Comparison.Groups, func(c gap.Compared) bool {
			return c.Suppressed
		})
	}
	if len(about) > 0 {
		out = append(out, t.w.Say("figure.heat.about", t.list(about)))
	}
	if context {
		out = append(out, t.w.Say("figure.heat.context"))
	}
	if hidden {
		out = append(out, t.w.Say("figure.note.suppressed"))
	}
	return append(out, words.Capital(t.w.Say("figure.heat.unknown")))
}
