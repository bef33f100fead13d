package figure

import (
	"slices"
	"strconv"
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/words"
)

// spanned is one rate in two periods.
type spanned struct {
	report    gap.ChangeReport
	was, is   measure.Group
	dimension string
	m         Measure
}

// Periods is a rate in two periods: how everybody's score and that of each group changed, and how the
// gaps did. The report is that of gap.Change on the two results, which are of the same question but for
// the period.
func (t *Teller) Periods(report gap.ChangeReport, before, after measure.Result, dimension string, m Measure) Figure {
	s := spanned{report: report, dimension: dimension, m: m}
	s.was, _ = groupOf(before, m.Rate)
	s.is, _ = groupOf(after, m.Rate)
	was, is := t.w.Period(before.Period), t.w.Period(after.Period)
	f := Figure{
		ID: "periods", Title: t.w.Say("pair.periods.title", m.Words.Title, was, is),
		Sentences: t.periodSentences(s, before, after),
		Notes:     t.periodNotes(s, before, after),
		Table:     t.periodTable(s, was, is),
	}
	forest := chart.Forest{
		Axis: chart.Axis{
			Label: t.w.Say("pair.periods.axis", t.DifferenceUnit(m)), Format: t.axis(m, true),
		},
		NullLabel: t.w.Say("pair.periods.null"), Legend: t.legend(),
	}
	forest.Legend.Emphasis = ""
	forest.Left, forest.Right = t.periodSides(m)
	for _, one := range s.all() {
		forest.Rows = append(forest.Rows, t.changeRow(s, one))
	}
	forest.Meta = t.meta(f, after.Period, after.Filter,
		source{after.Measure, after.Version, after.Snapshot, after.DataAsOf})
	forest.Subtitle = t.w.Say("pair.periods.subtitle", was, strings.TrimSpace(t.about(after.Period, after.Filter)))
	f.Chart = forest
	return f
}

// all is everybody, and then the groups.
func (s spanned) all() []gap.GroupChange {
	var out []gap.GroupChange
	if s.report.All != nil {
		out = append(out, *s.report.All)
		out[0].Code = ""
	}
	return append(out, s.report.Groups...)
}

// changed names a group; one without a code is everybody.
func (t *Teller) changed(s spanned, one gap.GroupChange) string {
	if one.Code == "" {
		return t.w.Say("figure.everybody")
	}
	return t.named(s.dimension, one.Code, "", one.Label)
}

// cells are the two that a change is between.
func (s spanned) cells(one gap.GroupChange) (was, is measure.Cell) {
	of := func(g measure.Group) measure.Cell {
		if one.Code == "" {
			return g.Cell
		}
		for _, stratum := range g.Strata[s.dimension] {
			if stratum.State == string(mapping.Known) && stratum.Code == one.Code {
				return stratum.Cell
			}
		}
		return measure.Cell{}
	}
	return of(s.was), of(s.is)
}

// changeRow draws a change.
func (t *Teller) changeRow(s spanned, one gap.GroupChange) chart.Row {
	name := t.changed(s, one)
	was, is := s.cells(one)
	switch {
	case was.Suppressed || is.Suppressed:
		return chart.Row{Label: name, State: chart.Suppressed, Text: t.w.Say("figure.row", name, t.Suppressed())}
	case one.Change == nil:
		return chart.Row{Label: name, State: chart.NoData, Text: t.w.Say("figure.row", name, t.NoData())}
	}
	row := t.gapRow(s.m, name, one.Change.Value, one.Change.Interval)
	row.Note = t.w.Say("figure.n", t.N(one.NAfter))
	row.Unreliable = few(one)
	return row
}

// few reports whether a change rests on too few to be relied on: the least that gaps are told of.
func few(one gap.GroupChange) bool {
	const least = 30
	return one.NBefore < least || one.NAfter < least
}

// periodSides say what lies on either side of no change.
func (t *Teller) periodSides(m Measure) (left, right string) {
	kinds := [2]string{"worse", "better"}
	switch m.Improvement {
	case measure.Increase:
	case measure.Decrease:
		kinds = [2]string{"better", "worse"}
	case measure.Context:
		kinds = [2]string{"lower", "higher"}
	}
	return t.w.Say("pair.periods.side." + kinds[0]), t.w.Say("pair.periods.side." + kinds[1])
}

// surely reports whether chance is no likely reason for a change, all tests of the report considered.
func surely(one gap.GroupChange) bool { return one.Q != nil && *one.Q <= likely }

// periodSentences say everybody's change, the groups whose change is more than chance, and the gaps that
// moved.
func (t *Teller) periodSentences(s spanned, before, after measure.Result) []string {
	if s.report.Refused != nil || s.report.All == nil {
		return []string{t.w.Say("pair.periods.none")}
	}
	out := []string{t.periodFirst(s, before, after)}
	var clear, moved []string
	unclear := 0
	for _, one := range s.report.Groups {
		switch {
		case one.Change == nil || few(one):
		case surely(one):
			clear = append(clear, t.w.Say("figure.other", t.changed(s, one),
				t.DifferenceInWords(s.m, one.Change.Value, one.Change.Interval)))
		default:
			unclear++
		}
		if e := one.Compared; e != nil && e.Clear && !few(one) && s.report.Reference != nil {
			moved = append(moved, t.w.Say("figure.other", t.changed(s, one),
				t.DifferenceInWords(s.m, e.Value, e.Interval)))
		}
	}
	if len(clear) > 0 {
		out = append(out, t.w.Say("pair.periods.groups", strings.Join(clear, "; ")))
	}
	if unclear > 0 {
		out = append(out, t.w.Say("pair.periods.unclear", unclear, strconv.Itoa(unclear)))
	}
	if s.report.Reference == nil {
		return out
	}
	other := t.w.Say("pair.periods.rest")
	if s.report.Reference.Rule != gap.Overall {
		other = t.reference(s.dimension, s.report.Reference)
	}
	if len(moved) > 0 {
		return append(out, t.w.Say("pair.periods.moved", other, strings.Join(moved, "; ")))
	}
	return append(out, t.w.Say("pair.periods.same", other))
}

// periodFirst says the scores of everybody, and how sure their change is.
func (t *Teller) periodFirst(s spanned, before, after measure.Result) string {
	all := *s.report.All
	if all.Before == nil || all.After == nil || all.Change == nil {
		if s.was.Suppressed || s.is.Suppressed {
			return t.w.Say("pair.periods.suppressed", s.m.Words.Title)
		}
		return t.w.Say("pair.periods.no-data", s.m.Words.Title)
	}
	apart := t.DifferenceInWords(s.m, all.Change.Value, all.Change.Interval)
	if all.Change.Interval != nil {
		apart = t.w.Say("figure.apart", apart, t.Ninetyfive(), t.Between(s.m, all.Change.Value, all.Change.Interval))
	}
	first := t.w.Say("pair.periods.first", s.m.Words.Title,
		t.ScoreInWords(s.m, *all.Before, s.was.Interval), t.w.Period(before.Period),
		t.ScoreInWords(s.m, *all.After, s.is.Interval), t.w.Period(after.Period), apart)
	if surely(all) {
		return first + " " + t.w.Say("pair.periods.sure")
	}
	return first + " " + t.w.Say("figure.chance")
}

// periodNotes say what two periods do not say.
func (t *Teller) periodNotes(s spanned, before, after measure.Result) []string {
	out := with(nil, s.m.Words.Caution)
	lacks := slices.Clone(after.Incomplete)
	for _, lack := range before.Incomplete {
		if !slices.Contains(lacks, lack) {
			lacks = append(lacks, lack)
		}
	}
	out = append(out, t.incomplete(lacks)...)
	if !after.DataAsOf.IsZero() && after.DataAsOf.Before(after.Period.End.AddDate(0, 0, 1)) {
		out = append(out, t.w.Say("pair.periods.open", t.w.Period(after.Period), t.w.DayOf(after.DataAsOf)))
	}
	if before.Version != after.Version {
		out = append(out, t.w.Say("pair.periods.version"))
	}
	out = append(out, t.w.Say("pair.periods.why"), t.w.Say("pair.periods.data"))
	tests := 0
	hidden := false
	for _, one := range s.all() {
		if one.Q != nil {
			tests++
		}
		was, is := s.cells(one)
		hidden = hidden || was.Suppressed || is.Suppressed
	}
	if tests > 1 {
		out = append(out, t.w.Say("figure.note.corrected", strconv.Itoa(tests), t.w.Number(likely, 2)))
	}
	var small []string
	for _, one := range s.report.Groups {
		if one.Change != nil && few(one) {
			small = append(small, t.changed(s, one))
		}
	}
	if len(small) > 0 {
		out = append(out, t.w.Say("figure.note.unreliable", t.list(small)))
	}
	if s.report.GapsRefused != nil {
		out = append(out, t.refused(s.report.GapsRefused))
	}
	if hidden {
		out = append(out, t.w.Say("figure.note.suppressed"))
	}
	return out
}

// periodTable is the twin of the picture.
func (t *Teller) periodTable(s spanned, was, is string) Table {
	number := func(title string) Column { return Column{words.Capital(title), true} }
	interval := number(t.w.Say("figure.interval", t.Ninetyfive()))
	table := Table{
		Caption: t.w.Say("pair.periods.caption", s.m.Words.Title, was, is, t.dimension(s.dimension)),
		Columns: []Column{
			{t.w.DimensionTitle(s.dimension), false},
			number(t.w.Say("figure.column.n", was)),
			number(t.w.Say("figure.column.score.of", was, t.ScoreUnit(s.m))), interval,
			number(t.w.Say("figure.column.n", is)),
			number(t.w.Say("figure.column.score.of", is, t.ScoreUnit(s.m))), interval,
			number(t.w.Say("pair.periods.column.change", t.DifferenceUnit(s.m))), interval,
			number(t.w.Say("figure.column.p")),
		},
	}
	compared := s.report.Reference != nil
	if compared {
		other := t.w.Say("pair.periods.rest")
		if s.report.Reference.Rule != gap.Overall {
			other = t.reference(s.dimension, s.report.Reference)
		}
		table.Columns = append(table.Columns,
			Column{t.w.Say("pair.periods.column.moved", other, t.DifferenceUnit(s.m)), true}, interval)
	}
	for _, one := range s.all() {
		table.Rows = append(table.Rows, t.periodRow(s, one, compared))
	}
	return table
}

func (t *Teller) periodRow(s spanned, one gap.GroupChange, compared bool) TableRow {
	row := TableRow{Cells: []Cell{{Text: t.changed(s, one)}}}
	was, is := s.cells(one)
	for _, side := range []struct {
		cell measure.Cell
		n    float64
	}{{was, one.NBefore}, {is, one.NAfter}} {
		row.Cells = append(row.Cells, t.sideCells(s.m, side.cell, side.n)...)
	}
	switch {
	case one.Change != nil:
		row.Cells = append(row.Cells, Cell{Text: t.Difference(s.m, one.Change.Value, one.Change.Interval)},
			Cell{Text: t.spanOf(s.m, one.Change)})
	case one.Refused != nil:
		row.Cells = append(row.Cells, Cell{Text: t.w.Label("figure.cell", string(one.Refused.Reason))}, Cell{})
	default:
		row.Cells = append(row.Cells, Cell{Text: t.NoData()}, Cell{})
	}
	p := ""
	if one.Q != nil {
		p = t.P(*one.Q)
	}
	row.Cells = append(row.Cells, Cell{Text: p})
	if compared {
		moved := make([]Cell, 2)
		switch e := one.Compared; {
		case e != nil:
			moved[0].Text, moved[1].Text = t.Difference(s.m, e.Value, e.Interval), t.spanOf(s.m, e)
		case one.Code != "" && one.Code == s.report.Reference.Code:
			moved[0].Text = t.w.Say("figure.cell.is-reference")
			row.Kind = KindReference
		}
		row.Cells = append(row.Cells, moved...)
	}
	switch {
	case was.Suppressed || is.Suppressed:
		row.Kind = KindSuppressed
	case one.Code == "":
		row.Kind = KindAll
	}
	return row
}

// spanOf writes the interval of an estimate, which may have none.
func (t *Teller) spanOf(m Measure, e *gap.Estimate) string {
	if e.Interval == nil {
		return ""
	}
	return t.DifferenceInterval(m, e.Value, e.Interval)
}

// sideCells are how many, the score and its interval in one period. What is hidden is not 0.
func (t *Teller) sideCells(m Measure, c measure.Cell, n float64) []Cell {
	switch {
	case c.Suppressed:
		return slices.Repeat([]Cell{{Text: t.Suppressed()}}, 3)
	case c.Score == nil:
		return []Cell{{Text: t.N(n)}, {Text: t.NoData()}, {}}
	}
	cells := []Cell{{Text: t.N(n)}, {Text: t.Score(m, *c.Score, c.Interval)}, {}}
	if c.Interval != nil {
		cells[2].Text = t.Interval(m, *c.Score, c.Interval)
	}
	return cells
}
