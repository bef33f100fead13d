package figure

import (
	"slices"
	"strings"
	"time"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/stat"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/words"
)

// Groups is a rate by the groups of one dimension, in one period: a dot plot, with everybody first,
// then the groups in their order, then the rows of those whose group is not known.
func (t *Teller) Groups(c gap.Comparison, m Measure) Figure {
	f := Figure{
		ID:        "groups",
		Title:     t.w.Say("figure.groups.title", m.Words.Title, t.dimension(c.Dimension)),
		Sentences: t.groupSentences(c, m),
		Notes:     t.groupNotes(c, m),
		Table:     t.groupTable(c, m),
	}
	drawn := t.groupPlot(c, m)
	if len(drawn.Rows) == 0 {
		return f
	}
	drawn.Meta = t.meta(f, c.Period, c.Filter, source{c.Measure, c.Version, c.Snapshot, c.DataAsOf})
	f.Chart = drawn
	return f
}

func known(c gap.Compared) bool { return c.State == string(mapping.Known) }

// groupPlot draws every row. What is suppressed is absent in the comparison, so that the axis,
// which follows from the rows, cannot tell of it.
func (t *Teller) groupPlot(c gap.Comparison, m Measure) chart.DotPlot {
	plot := chart.DotPlot{
		Axis:   chart.Axis{Label: t.axisLabel(m), Format: t.axis(m, false)},
		Legend: t.legend(),
	}
	lead := leadGap(c, m)
	all := t.row(m, t.w.Say("figure.everybody"), c.All)
	plot.Rows = append(plot.Rows, all)
	for _, one := range c.Groups {
		row := t.row(m, t.group(c.Dimension, one), one)
		row.Unknown = !known(one)
		row.Reference = isReference(c, one)
		row.Emphasis = lead != nil && known(one) && one.Code == lead.Code
		plot.Rows = append(plot.Rows, row)
	}
	plot.Line = t.line(c, m)
	return plot
}

func isReference(c gap.Comparison, one gap.Compared) bool {
	return c.Reference != nil && c.Reference.Rule != gap.Overall && known(one) &&
		one.Code == c.Reference.Code
}

// referenceRow is the row of what the groups are compared with.
func referenceRow(c gap.Comparison) (one gap.Compared, ok bool) {
	if c.Reference == nil {
		return one, false
	}
	if c.Reference.Rule == gap.Overall {
		return c.All, true
	}
	i := slices.IndexFunc(c.Groups, func(one gap.Compared) bool { return isReference(c, one) })
	if i < 0 {
		return one, false
	}
	return c.Groups[i], true
}

// line is drawn at the score of the reference.
func (t *Teller) line(c gap.Comparison, m Measure) *chart.Line {
	one, ok := referenceRow(c)
	if !ok || one.Score == nil || one.Suppressed {
		return nil
	}
	return &chart.Line{Value: *one.Score, Label: t.w.Say("figure.line",
		t.reference(c.Dimension, c.Reference), t.Score(m, *one.Score, one.Interval))}
}

// row draws one stratum.
func (t *Teller) row(m Measure, name string, c gap.Compared) chart.Row {
	row := chart.Row{Label: name, Text: t.rowText(m, name, c)}
	switch {
	case c.Suppressed:
		row.State = chart.Suppressed
		return row
	case c.Score == nil:
		row.State = chart.NoData
	default:
		row.Value, row.Interval = c.Score, c.Interval
		row.Figure = t.Score(m, *c.Score, c.Interval)
		row.Unreliable = c.Reliability == string(stat.Unreliable)
	}
	row.Note = t.w.Say("figure.n", t.N(c.N))
	return row
}

// rowText is the sentence of one stratum, for whoever points at it.
func (t *Teller) rowText(m Measure, name string, c gap.Compared) string {
	switch {
	case c.Suppressed:
		return t.w.Say("figure.row", name, t.Suppressed())
	case c.Score == nil:
		return t.w.Say("figure.row.n", name, t.NoData(), t.N(c.N))
	case c.Interval == nil:
		return t.w.Say("figure.row.n", name, t.ScoreInWords(m, *c.Score, nil), t.N(c.N))
	}
	return t.w.Say("figure.row.interval", name, t.ScoreInWords(m, *c.Score, c.Interval),
		t.Ninetyfive(), t.Interval(m, *c.Score, c.Interval), t.N(c.N))
}

// legend is the words for the marks of dot plots and forest plots.
func (t *Teller) legend() chart.Legend {
	return chart.Legend{
		Interval:   t.w.Say("figure.interval", t.Ninetyfive()),
		Beyond:     t.w.Say("figure.legend.beyond"),
		Reference:  t.w.Say("figure.legend.reference"),
		Emphasis:   t.w.Say("figure.legend.emphasis"),
		Unknown:    t.w.Say("figure.legend.unknown"),
		Unreliable: t.w.Say("figure.legend.unreliable"),
		Suppressed: t.Suppressed(),
		NoData:     t.NoData(),
	}
}

// axisLabel says what an axis of scores shows.
func (t *Teller) axisLabel(m Measure) string {
	return t.w.Say("figure.axis", m.Words.Title, t.ScoreUnit(m))
}

// groupTable is the twin of the picture.
func (t *Teller) groupTable(c gap.Comparison, m Measure) Table {
	table := Table{
		Caption: t.w.Say("figure.groups.caption", m.Words.Title, t.dimension(c.Dimension),
			t.w.Period(c.Period)),
		Columns: t.groupColumns(c, m),
	}
	all := t.groupRow(c, m, t.w.Say("figure.everybody"), c.All)
	all.Kind = kindOf(c.All, KindAll)
	table.Rows = append(table.Rows, all)
	for _, one := range c.Groups {
		row := t.groupRow(c, m, t.group(c.Dimension, one), one)
		kind := KindPlain
		switch {
		case isReference(c, one):
			kind = KindReference
		case !known(one):
			kind = KindUnknown
		}
		row.Kind = kindOf(one, kind)
		table.Rows = append(table.Rows, row)
	}
	return table
}

// kindOf is kind, unless figures of the row are hidden.
func kindOf(c gap.Compared, kind Kind) Kind {
	if c.Suppressed {
		return KindSuppressed
	}
	return kind
}

// standardised reports whether any group has an age-standardised score.
func standardised(c gap.Comparison) bool {
	return slices.ContainsFunc(c.Groups, func(one gap.Compared) bool { return one.Direct != nil })
}

func (t *Teller) groupColumns(c gap.Comparison, m Measure) []Column {
	number := func(title string) Column { return Column{words.Capital(title), true} }
	interval := number(t.w.Say("figure.interval", t.Ninetyfive()))
	columns := []Column{{t.w.DimensionTitle(c.Dimension), false}}
	if m.counts() {
		columns = append(columns, number(t.w.Population(measure.Denominator)),
			number(t.w.Population(measure.Numerator)))
	} else {
		columns = append(columns, number(t.w.Population(measure.MeasurePopulation)))
	}
	columns = append(columns, number(t.w.Say("figure.column.score", t.ScoreUnit(m))), interval)
	if c.GapsRefused == nil {
		columns = append(columns,
			number(t.w.Say("figure.column.difference", t.DifferenceUnit(m))),
			interval, number(t.w.Say("figure.column.ratio")), interval,
			number(t.w.Say("figure.column.p")))
	}
	if standardised(c) {
		columns = append(columns, number(t.w.Say("figure.column.direct", t.ScoreUnit(m))), interval)
	}
	return append(columns, number(t.w.Say("figure.column.share")),
		Column{words.Capital(t.w.Say("figure.column.reliability")), false})
}

// groupRow fills the cells of the columns of groupColumns.
func (t *Teller) groupRow(c gap.Comparison, m Measure, name string, one gap.Compared) TableRow {
	cells := append([]Cell{{Text: name}}, t.scoreCells(m, one)...)
	if c.GapsRefused == nil {
		cells = append(cells, t.gapCells(m, one)...)
	}
	if standardised(c) {
		cells = append(cells, t.directCells(m, one)...)
	}
	var share, reliability Cell
	if one.Share != nil && !one.Suppressed {
		share.Text = t.OfHundred(*one.Share)
	}
	if one.Score != nil && !one.Suppressed {
		reliability.Text = t.w.Say("figure.reliability.none")
		if one.Reliability != "" {
			reliability.Text = t.w.Label("figure.reliability", one.Reliability)
		}
		if one.Why != "" {
			reliability.Note = t.w.Label("figure.why", one.Why)
		}
	}
	return TableRow{Cells: append(cells, share, reliability)}
}

// scoreCells are how many, of how many, the score and its interval. What is hidden is not 0.
func (t *Teller) scoreCells(m Measure, one gap.Compared) []Cell {
	width := 3
	if m.counts() {
		width = 4
	}
	if one.Suppressed {
		return slices.Repeat([]Cell{{Text: t.Suppressed()}}, width)
	}
	cells := []Cell{{Text: t.N(one.N)}}
	if m.counts() {
		events := ""
		if one.Events != nil {
			events = t.w.Number(*one.Events, fractional(*one.Events))
		}
		cells = append(cells, Cell{Text: events})
	}
	if one.Score == nil {
		return append(cells, Cell{Text: t.NoData()}, Cell{})
	}
	return append(cells, Cell{Text: t.Score(m, *one.Score, one.Interval)},
		Cell{Text: t.Interval(m, *one.Score, one.Interval)})
}

// fractional is how many digits after the point a count has: some measures observe parts.
func fractional(v float64) int {
	if v != float64(int64(v)) {
		return 1
	}
	return 0
}

// gapCells are the difference, the ratio and the p-value, or why there are none.
func (t *Teller) gapCells(m Measure, one gap.Compared) []Cell {
	const width = 5
	cells := make([]Cell, width)
	g := one.Gap
	if g == nil || one.Suppressed {
		if one.Suppressed {
			cells[0].Text = t.Suppressed()
		} else if one.GapRefused != nil {
			cells[0].Text = t.w.Label("figure.cell", string(one.GapRefused.Reason))
		}
		return cells
	}
	cells[0].Text = t.Difference(m, g.Difference, g.Interval)
	cells[1].Text = t.DifferenceInterval(m, g.Difference, g.Interval)
	if g.Ratio != nil {
		cells[2].Text = t.Ratio(*g.Ratio, g.RatioInterval)
		cells[3].Text = t.RatioInterval(*g.Ratio, g.RatioInterval)
	}
	if g.Q != nil {
		cells[4].Text = t.P(*g.Q)
	}
	return cells
}

// directCells are the age-standardised score and its interval, or why there is none.
func (t *Teller) directCells(m Measure, one gap.Compared) []Cell {
	switch {
	case one.Suppressed:
		return []Cell{{Text: t.Suppressed()}, {}}
	case one.Direct != nil:
		d := one.Direct
		return []Cell{
			{Text: t.Score(m, d.Score, &d.Interval), Note: t.Reliability(d.Reliability, d.Why)},
			{Text: t.Interval(m, d.Score, &d.Interval)},
		}
	case one.DirectRefused != nil:
		return []Cell{{Text: t.w.Label("figure.cell", string(one.DirectRefused.Reason))}, {}}
	}
	return make([]Cell, 2)
}

// source is what the provenance line of a picture names.
type source struct {
	measure, version, snapshot string
	asOf                       time.Time
}

// meta is what every picture of a figure has.
func (t *Teller) meta(f Figure, p measure.Period, kept measure.Filter, from source) chart.Meta {
	return chart.Meta{
		Title: f.Title, Subtitle: t.about(p, kept),
		Description: strings.Join(f.Sentences, " "), Lang: t.language(),
		Source: t.w.Say("figure.source", words.Plain(from.measure+" "+from.version),
			t.w.DayOf(from.asOf), words.Plain(from.snapshot)),
		Empty: t.w.Say("figure.empty"),
	}
}
