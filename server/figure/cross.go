package figure

import (
	"cmp"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/stat"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/words"
)

// smallestGroup is how many units a group must have for its score to be compared or ranked.
const smallestGroup = 30

// crossed is one stratum of a cross, with what package gap says of its score.
type crossed struct {
	gap.Compared
	name string
}

// few says that a score rests on fewer units or events than it may be relied on with.
func (c crossed) few() bool {
	return c.Score != nil && (c.N < smallestGroup || c.Reliability == string(stat.Unreliable))
}

// Cross is a rate by two or three dimensions at once, such as race*language. Most of its groups are
// small, which is said of each; none is compared with a reference, because so many comparisons would find
// something by chance. It fails where the result does not hold the cross.
func (t *Teller) Cross(r measure.Result, cross string, m Measure) (Figure, error) {
	c, err := gap.Compare(r, m.Rate, cross, gap.Options{})
	if err != nil {
		return Figure{}, err
	}
	g, _ := groupOf(r, m.Rate)
	groups := make([]crossed, len(c.Groups))
	for i, one := range c.Groups {
		groups[i] = crossed{one, t.w.Stratum(cross, g.Strata[cross][i])}
	}
	f := Figure{ID: "cross-" + strings.ReplaceAll(cross, "*", "-"), Title: t.w.Say("time.cross.title", m.Words.Title, t.dimension(cross))}
	f.Sentences = t.crossSentences(groups, c, m)
	f.Notes = t.crossNotes(groups, c, m)
	f.Table = t.crossTable(groups, m, f.Title)
	f.Chart = t.crossChart(groups, c, m, f)
	return f, nil
}

func (t *Teller) crossSentences(groups []crossed, c gap.Comparison, m Measure) []string {
	by := t.dimension(c.Dimension)
	var sure []crossed
	small, shown := 0, 0
	for _, one := range groups {
		if one.Score == nil || one.State != string(mapping.Known) {
			continue
		}
		shown++
		if one.few() {
			small++
			continue
		}
		sure = append(sure, one)
	}
	if shown == 0 {
		return []string{t.w.Say("time.cross.none", by)}
	}
	said := []string{}
	if len(sure) > 1 {
		lowest := slices.MinFunc(sure, func(a, b crossed) int { return cmp.Compare(*a.Score, *b.Score) })
		highest := slices.MaxFunc(sure, func(a, b crossed) int { return cmp.Compare(*a.Score, *b.Score) })
		said = append(said, t.w.Say("figure.sentence", t.In(c.Period, t.w.Say("time.cross.range", len(sure),
			t.ScoreInWords(m, *lowest.Score, lowest.Interval), lowest.name,
			t.ScoreInWords(m, *highest.Score, highest.Interval), highest.name))),
			t.w.Say("time.cross.luck"))
	}
	if small > 0 {
		said = append(said, t.w.Say("time.cross.few", small, t.w.Count(float64(shown)), by))
	}
	if len(said) == 0 {
		said = append(said, t.w.Say("time.cross.one", by))
	}
	return said
}

func (t *Teller) crossNotes(groups []crossed, c gap.Comparison, m Measure) []string {
	notes := []string{t.w.Say("time.cross.note")}
	if slices.ContainsFunc(groups, func(o crossed) bool { return o.State != string(mapping.Known) }) {
		notes = append(notes, t.w.Say("time.cross.unknown"))
	}
	if slices.ContainsFunc(groups, func(o crossed) bool { return o.Suppressed }) {
		notes = append(notes, t.w.Say("time.hidden.note"))
	}
	if c.Overlapping {
		notes = append(notes, t.w.Say("time.overlap"))
	}
	return with(append(notes, t.incomplete(c.Incomplete)...), m.Words.Caution)
}

// kind is how a row of a cross stands in the table.
func (c crossed) kind() Kind {
	switch {
	case c.Suppressed:
		return KindSuppressed
	case c.State != string(mapping.Known):
		return KindUnknown
	}
	return KindPlain
}

func (t *Teller) crossTable(groups []crossed, m Measure, caption string) Table {
	out := Table{Caption: caption, Columns: []Column{{Title: t.w.Say("time.group")},
		t.countColumns(m)[0],
		{Title: words.Capital(t.w.Say("figure.column.score", t.ScoreUnit(m))), Number: true},
		{Title: words.Capital(t.w.Say("figure.interval", t.Ninetyfive())), Number: true},
		{Title: t.w.Say("time.remark")}}}
	for _, one := range groups {
		row := TableRow{Kind: one.kind(), Cells: []Cell{{Text: one.name}, {Text: t.N(one.N)},
			{Text: t.NoData()}, {}, {Text: t.Reliability(one.Reliability, one.Why)}}}
		switch {
		case one.Suppressed:
			row.Cells[1].Text, row.Cells[2].Text = t.Suppressed(), t.Suppressed()
		case one.Score != nil:
			row.Cells[2].Text = t.Score(m, *one.Score, one.Interval)
			row.Cells[3].Text = t.Interval(m, *one.Score, one.Interval)
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// crossChart draws the groups that have anybody; the table has all of them.
func (t *Teller) crossChart(groups []crossed, c gap.Comparison, m Measure, f Figure) chart.Chart {
	d := chart.DotPlot{
		Meta: t.meta(f, c.Period, c.Filter, source{c.Measure, c.Version, c.Snapshot, c.DataAsOf}),
		Axis: chart.Axis{Label: t.axisLabel(m), Format: t.axis(m, false)},
		Legend: chart.Legend{
			Interval: t.w.Say("figure.interval", t.Ninetyfive()), Unknown: t.w.Say("time.cross.row"),
			Unreliable: t.w.Say("time.cross.unreliable"),
			Suppressed: t.Suppressed(), NoData: t.NoData(),
		},
	}
	for _, one := range groups {
		row := chart.Row{Label: one.name, Unknown: one.State != string(mapping.Known), Unreliable: one.few()}
		switch {
		case one.Suppressed:
			row.State, row.Text = chart.Suppressed, t.w.Say("time.point", one.name, t.Suppressed())
		case one.Score == nil:
			continue
		default:
			row.Value, row.Interval = one.Score, one.Interval
			row.Figure = t.Score(m, *one.Score, one.Interval)
			row.Note = t.w.Say("figure.n", t.N(one.N))
			row.Text = t.w.Say("time.point", one.name,
				t.w.Say("time.point.n", t.ScoreInWords(m, *one.Score, one.Interval), t.N(one.N)))
		}
		d.Rows = append(d.Rows, row)
	}
	return d
}
