package figure

import (
	"slices"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/words"
)

// GapTime is the gap of one group to the reference month by month, and where it goes from the earlier to
// the later stretch: by the difference and by the ratio, which may disagree. ok is false where the report
// follows no gap of that code; a report that follows none at all says why.
func (t *Teller) GapTime(r gap.TrendReport, code string, m Measure) (f Figure, ok bool) {
	i := slices.IndexFunc(r.Gaps, func(g gap.MonthlyGap) bool { return g.Code == code })
	f = Figure{ID: idOf("gap", code, "")}
	if i < 0 {
		f.Title = t.w.Say("time.gap.none", m.Words.Title)
		f.Table = t.gapTable(r, gap.MonthlyGap{}, m, f.Title)
		if r.GapsRefused != nil {
			f.Sentences = []string{t.refused(r.GapsRefused)}
		}
		return f, r.GapsRefused != nil
	}
	g := r.Gaps[i]
	f.Title = t.w.Say("time.gap.title", m.Words.Title,
		t.list([]string{t.follows(r, g), t.against(r)}))
	f.Sentences = t.gapSentences(r, g, m)
	f.Notes = t.gapNotes(r, g, m)
	f.Table = t.gapTable(r, g, m, f.Title)
	f.Chart = t.gapChart(r, g, m, f)
	return f, true
}

// Gaps are the figures of all gaps that a report follows, in its order.
func (t *Teller) Gaps(r gap.TrendReport, m Measure) []Figure {
	figures := make([]Figure, 0, len(r.Gaps))
	for _, g := range r.Gaps {
		f, _ := t.GapTime(r, g.Code, m)
		figures = append(figures, f)
	}
	return figures
}

// against names what the group is compared with, as within a sentence.
func (t *Teller) against(r gap.TrendReport) string {
	if r.Reference.Rule == gap.Overall {
		return t.w.Say("time.everybody")
	}
	return t.reference(r.Dimension, r.Reference)
}

// follows names the group of a gap.
func (t *Teller) follows(r gap.TrendReport, g gap.MonthlyGap) string {
	return t.named(r.Dimension, g.Code, string(mapping.Known), g.Group)
}

func (t *Teller) gapSentences(r gap.TrendReport, g gap.MonthlyGap, m Measure) []string {
	was, is := g.Earlier, g.Later
	if g.Refused != nil || was == nil || is == nil || g.Change == nil {
		if g.Refused == nil {
			return []string{t.w.Say("time.gap.not-told")}
		}
		return []string{t.refused(g.Refused)}
	}
	said := []string{t.w.Say("time.gap.moves", t.follows(r, g), t.against(r),
		t.months(was.From, was.To), t.DifferenceInWords(m, was.Difference, g.Change.Interval),
		t.months(is.From, is.To), t.DifferenceInWords(m, is.Difference, g.Change.Interval))}
	if was.Ratio != nil && is.Ratio != nil {
		said = append(said, t.w.Say("time.gap.ratio", t.Ratio(*was.Ratio, nil), t.Ratio(*is.Ratio, nil)))
	}
	if g.Clear || g.Disagree {
		said = append(said, t.goes(g))
	}
	return append(said, t.certain(g, m))
}

// goes says where the gap goes by either measure.
func (t *Teller) goes(g gap.MonthlyGap) string {
	way := func(d gap.Direction) string { return t.w.Say("time.way." + string(d)) }
	switch {
	case g.Disagree:
		return t.w.Say("time.gap.disagree", way(g.ByDifference), way(g.ByRatio))
	case g.ByRatio == "":
		return t.w.Say("time.gap.by-difference", way(g.ByDifference))
	case g.ByRatio != g.ByDifference:
		return t.w.Say("time.gap.by-either", way(g.ByDifference), way(g.ByRatio))
	}
	return t.w.Say("time.gap.by-both", way(g.ByDifference))
}

// certain says how sure the change of the difference is.
func (t *Teller) certain(g gap.MonthlyGap, m Measure) string {
	c := g.Change
	change := t.Difference(m, c.Value, c.Interval)
	if m.counts() {
		change = t.w.Say("time.amount", change, t.DifferenceUnit(m))
	}
	if c.Interval == nil {
		return t.w.Say("time.gap.unsure", change)
	}
	key := "time.gap.chance"
	switch {
	case g.Clear:
		key = "time.gap.clear"
	case !g.Disagree:
		key = "time.gap.chance.silent"
	}
	return t.w.Say(key, change, t.Ninetyfive(), t.DifferenceInterval(m, c.Value, c.Interval))
}

func (t *Teller) gapNotes(r gap.TrendReport, g gap.MonthlyGap, m Measure) []string {
	var notes []string
	if was, is := g.Earlier, g.Later; was != nil && is != nil {
		notes = append(notes, t.w.Say("time.gap.rests", t.counted(m.Unit, was.N), t.counted(m.Unit, is.N)))
	}
	notes = append(notes, t.w.Say("time.gap.sign", t.against(r)),
		t.w.Label("time.improvement", string(m.Improvement)))
	if r.Reference.Rule == gap.Overall {
		notes = append(notes, t.w.Say("time.gap.rest"))
	}
	notes = append(notes, t.w.Say("time.gap.why"))
	var partial []string
	for _, month := range r.Months {
		if month.Partial {
			partial = append(partial, t.month(month.Name()))
		}
	}
	if len(partial) > 0 {
		notes = append(notes, t.w.Say("time.gap.partial", len(partial), words.Capital(t.list(partial))))
	}
	if hidesGap(r, g) {
		notes = append(notes, t.w.Say("time.hidden.note"))
	}
	return with(append(notes, t.incomplete(r.Incomplete)...), m.Words.Caution)
}

func (t *Teller) gapTable(r gap.TrendReport, g gap.MonthlyGap, m Measure, caption string) Table {
	out := Table{Caption: caption, Columns: []Column{
		{Title: t.w.Say("time.month")},
		{Title: words.Capital(t.w.Say("figure.column.difference", t.DifferenceUnit(m))), Number: true},
		{Title: words.Capital(t.w.Say("figure.interval", t.Ninetyfive())), Number: true},
		{Title: words.Capital(t.w.Say("figure.column.ratio")), Number: true},
	}}
	hides := hidesGap(r, g)
	for i, one := range g.Months {
		row := TableRow{Cells: []Cell{{Text: words.Capital(t.month(one.Month))}, {Text: t.gapAbsent(hides)}, {}, {}}}
		if one.Difference != nil {
			row.Cells[1].Text = t.Difference(m, *one.Difference, one.Interval)
			row.Cells[2].Text = t.DifferenceInterval(m, *one.Difference, one.Interval)
		}
		if one.Ratio != nil {
			row.Cells[3].Text = t.Ratio(*one.Ratio, nil)
		}
		if r.Months[i].Partial {
			row.Cells[0].Note = t.w.Say("time.legend.partial")
		}
		out.Rows = append(out.Rows, row)
	}
	for _, s := range []*gap.Stretch{g.Earlier, g.Later} {
		if s == nil || g.Change == nil {
			continue
		}
		row := TableRow{Kind: KindAll, Cells: []Cell{{Text: words.Capital(t.months(s.From, s.To))},
			{Text: t.Difference(m, s.Difference, g.Change.Interval)}, {}, {}}}
		if s.Ratio != nil {
			row.Cells[3].Text = t.Ratio(*s.Ratio, nil)
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// hidesGap reports whether figures of the group or of its reference are suppressed in some month.
func hidesGap(r gap.TrendReport, g gap.MonthlyGap) bool {
	return slices.ContainsFunc(r.Series, func(s gap.Series) bool {
		reference := r.Reference != nil && s.Code == r.Reference.Code && s.State != "" ||
			r.Reference != nil && r.Reference.Code == "" && everybody(s)
		return hidden(s) && (s.Code == g.Code || reference)
	})
}

// gapAbsent says why a month has no gap.
func (t *Teller) gapAbsent(hides bool) string {
	if hides {
		return t.w.Say("time.absent")
	}
	return t.NoData()
}

// gapChart draws the difference, month by month, about the line of no gap.
func (t *Teller) gapChart(r gap.TrendReport, g gap.MonthlyGap, m Measure, f Figure) chart.Chart {
	line, hides := chart.TrendLine{Label: t.follows(r, g)}, hidesGap(r, g)
	c := chart.Trend{
		Meta: t.meta(f, r.Period, r.Filter, source{r.Measure, r.Version, r.Snapshot, r.DataAsOf}),
		Axis: chart.Axis{
			Label: words.Capital(t.w.Say("figure.column.difference", t.DifferenceUnit(m))), Format: t.axis(m, true),
		},
		Zero:          &chart.Line{Label: t.w.Say("time.gap.zero", t.against(r))},
		IntervalLabel: t.w.Say("figure.interval", t.Ninetyfive()),
		Suppressed:    t.w.Say("time.absent"), NoData: t.NoData(),
	}
	for i, one := range g.Months {
		if r.Months[i].Partial {
			continue
		}
		c.Labels = append(c.Labels, t.shortMonth(one.Month))
		line.Values = append(line.Values, one.Difference)
		line.Intervals = append(line.Intervals, one.Interval)
		line.States = append(line.States, stateIn(one.Difference != nil, hides))
		text := t.gapAbsent(hides)
		if one.Difference != nil {
			text = t.DifferenceInWords(m, *one.Difference, one.Interval)
		}
		line.Texts = append(line.Texts, t.w.Say("time.point", words.Capital(t.month(one.Month)), text))
	}
	c.Lines = []chart.TrendLine{line}
	return c
}
