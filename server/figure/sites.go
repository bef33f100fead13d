package figure

import (
	"strconv"
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/words"
)

// siteGap is one gap at one site.
type siteGap struct {
	name           string
	group, against gap.Compared
	gap            *gap.Gap
	// suppressed says that a figure of either is hidden, unknown that this is no site.
	suppressed, unknown bool
}

// Sites is the gap of one group to the reference at each site: a forest plot, with the gap over all
// sites and what is left of it within them. The result must hold the dimension of the comparison
// crossed with site. Without a code the group is the one that Groups begins with.
func (t *Teller) Sites(r measure.Result, c gap.Comparison, code string, m Measure) Figure {
	f := Figure{ID: "sites"}
	g := gapOf(c, m, code)
	if g == nil {
		f.Title = t.w.Say("figure.sites.title", m.Words.Title)
		reason := &gap.Refused{Reason: gap.OneGroup}
		if c.GapsRefused != nil {
			reason = c.GapsRefused
		}
		f.Notes = []string{t.refused(reason)}
		return f
	}
	name := t.named(c.Dimension, g.Code, "", g.Group)
	other := t.named(c.Dimension, g.ReferenceCode, "", g.Reference)
	f.Title = t.w.Say("figure.sites.title.of", m.Words.Title, name, other)
	sites := t.siteGaps(r, c, *g)
	if len(sites) == 0 {
		f.Notes = []string{t.w.Say("figure.sites.none")}
		return f
	}
	f.Sentences = t.siteSentences(sites, m, *g, name, other)
	f.Notes = t.siteNotes(sites, m)
	f.Table = t.siteTable(sites, c, m, *g, name, other)
	forest := t.forest(sites, m, *g, other)
	forest.Meta = t.meta(f, c.Period, c.Filter, source{c.Measure, c.Version, c.Snapshot, c.DataAsOf})
	f.Chart = forest
	return f
}

// gapOf is the gap of a group, or the one that is told first.
func gapOf(c gap.Comparison, m Measure, code string) *gap.Gap {
	if code == "" {
		return leadGap(c, m)
	}
	for _, one := range c.Groups {
		if known(one) && one.Code == code {
			return one.Gap
		}
	}
	return nil
}

// siteGaps compares the two groups at each site, in the order of the result.
func (t *Teller) siteGaps(r measure.Result, c gap.Comparison, g gap.Gap) []siteGap {
	reference := c.Reference.Rule
	if reference != gap.Overall {
		reference = gap.Reference(c.Reference.Code)
	}
	var sites []siteGap
	for _, layer := range gap.Layers(r, mapping.DimensionSite, c.Dimension) {
		one := siteGap{name: t.w.Group(mapping.DimensionSite, layer.Coding),
			unknown: layer.Coding.State != string(mapping.Known)}
		found, err := gap.Compare(layer.Result, c.Rate, c.Dimension, gap.Options{Reference: reference})
		if err != nil {
			// The reference is not at this site, or of too few: the site is shown without a gap.
			found, err = gap.Compare(layer.Result, c.Rate, c.Dimension,
				gap.Options{Reference: gap.Overall})
			if err != nil {
				continue
			}
			for i := range found.Groups {
				found.Groups[i].Gap = nil
			}
		}
		for _, of := range found.Groups {
			switch {
			case !known(of):
			case of.Code == g.Code:
				one.group, one.gap = of, of.Gap
			case of.Code == g.ReferenceCode:
				one.against = of
			}
		}
		if reference == gap.Overall {
			one.against = found.All
		}
		one.suppressed = one.group.Suppressed || one.against.Suppressed
		sites = append(sites, one)
	}
	return sites
}

// forest draws the gap at each site, the crude one over all of them first and the pooled one last.
func (t *Teller) forest(sites []siteGap, m Measure, g gap.Gap, other string) chart.Forest {
	legend := t.legend()
	legend.NoData = t.w.Say("figure.sites.not-compared")
	legend.Emphasis = "" // The row says what it is.
	f := chart.Forest{
		Axis: chart.Axis{
			Label:  t.w.Say("figure.axis.difference", t.DifferenceUnit(m)),
			Format: t.axis(m, true),
		},
		NullLabel: t.w.Say("figure.null"), Legend: legend,
	}
	f.Left, f.Right = t.sides(m, other)
	f.Rows = append(f.Rows, t.gapRow(m, t.w.Say("figure.sites.crude"), g.Difference, g.Interval))
	f.Rows[0].Emphasis = true
	most := 0.0
	for _, one := range sites {
		most = max(most, one.group.N)
	}
	for _, one := range sites {
		row := chart.Row{Label: one.name, State: chart.NoData}
		switch {
		case one.suppressed:
			row.State = chart.Suppressed
		case one.gap != nil:
			row = t.gapRow(m, one.name, one.gap.Difference, one.gap.Interval)
			row.Weight = one.group.N / most
			row.Note = t.w.Say("figure.n", t.N(one.group.N))
		default:
			row.Note = t.w.Say("figure.n", t.N(one.group.N))
		}
		if row.Text == "" {
			row.Text = t.w.Say("figure.row", one.name, t.siteState(one))
		}
		row.Unknown = one.unknown
		f.Rows = append(f.Rows, row)
	}
	if w := withinSites(g); w != nil {
		pooled := t.gapRow(m, t.w.Say("figure.sites.pooled"), w.Difference, &w.Interval)
		f.Pooled = &pooled
	}
	return f
}

// sides say what lies on either side of no difference.
func (t *Teller) sides(m Measure, other string) (left, right string) {
	kinds := [2]string{"behind", "ahead"}
	switch m.Improvement {
	case measure.Increase:
	case measure.Decrease:
		kinds = [2]string{"ahead", "behind"}
	case measure.Context:
		kinds = [2]string{"lower", "higher"}
	}
	return t.w.Say("figure.side."+kinds[0], other), t.w.Say("figure.side."+kinds[1], other)
}

// gapRow draws a difference.
func (t *Teller) gapRow(m Measure, name string, v float64, interval *[2]float64) chart.Row {
	text := t.DifferenceInWords(m, v, interval)
	if interval != nil {
		text = t.w.Say("figure.apart", text, t.Ninetyfive(), t.Between(m, v, interval))
	}
	return chart.Row{Label: name, Value: &v, Interval: interval, Figure: t.Difference(m, v, interval),
		Text: t.w.Say("figure.row", name, text)}
}

// withinSites is what is left of a gap within sites.
func withinSites(g gap.Gap) *gap.Within {
	for i := range g.Within {
		if g.Within[i].By == mapping.DimensionSite {
			return &g.Within[i]
		}
	}
	return nil
}

// siteState says why there is no gap at a site.
func (t *Teller) siteState(one siteGap) string {
	if one.suppressed {
		return t.Suppressed()
	}
	return t.w.Say("figure.sites.not-compared")
}

func (t *Teller) siteSentences(sites []siteGap, m Measure, g gap.Gap, name, other string) []string {
	// How many sites are compared, on which side of no difference, and how many of those are clear.
	compared := 0
	sides, clear := map[bool]int{}, map[bool]int{}
	for _, one := range sites {
		if one.gap == nil || one.suppressed {
			continue
		}
		compared++
		if d := one.gap.Difference; d != 0 {
			sides[d > 0]++
			if one.gap.Clear {
				clear[d > 0]++
			}
		}
	}
	all := t.w.Say("figure.sites.all", name, other)
	out := []string{words.Capital(t.w.Say("figure.sentence", t.w.Say("figure.row", all, t.apart(m, g))))}
	if compared == 0 {
		return append(out, t.w.Say("figure.sites.few"))
	}
	out = append(out, t.w.Say("figure.sites.count", compared, strconv.Itoa(compared), name,
		strconv.Itoa(sides[false]), strconv.Itoa(clear[false]), strconv.Itoa(sides[true]),
		strconv.Itoa(clear[true])))
	w := withinSites(g)
	if w == nil {
		return append(out, t.w.Say("figure.sites.not-pooled"))
	}
	return append(out, t.layers(m, g, *w), t.parts(m, g, *w))
}

// parts says how a difference splits up into what is within layers and what goes with being in
// others.
func (t *Teller) parts(m Measure, g gap.Gap, w gap.Within) string {
	part := func(v float64) string {
		text := t.DifferenceInWords(m, v, g.Interval)
		if text == t.w.Say("figure.difference.none") {
			return t.w.Say("figure.parts.none")
		}
		return text
	}
	return t.w.Say("figure.parts."+w.By, part(w.WithinPart+w.BetweenPart), part(w.WithinPart),
		part(w.BetweenPart))
}

func (t *Teller) siteNotes(sites []siteGap, m Measure) []string {
	out := with(nil, m.Words.Caution)
	var few []string
	hidden := false
	for _, one := range sites {
		switch {
		case one.suppressed:
			hidden = true
		case one.gap == nil:
			few = append(few, one.name)
		}
	}
	if len(few) > 0 {
		out = append(out, t.w.Say("figure.sites.note.few", strings.Join(few, "; ")))
	}
	if hidden {
		out = append(out, t.w.Say("figure.note.suppressed"))
	}
	return append(out, t.w.Say("figure.sites.note.many"), t.w.Say("figure.sites.note.worse"))
}

// siteTable is the twin of the forest plot.
func (t *Teller) siteTable(
	sites []siteGap, c gap.Comparison, m Measure, g gap.Gap, name, other string,
) Table {
	interval := words.Capital(t.w.Say("figure.interval", t.Ninetyfive()))
	table := Table{
		Caption: t.w.Say("figure.sites.caption", m.Words.Title, name, other, t.w.Period(c.Period)),
		Columns: []Column{
			{t.w.DimensionTitle(mapping.DimensionSite), false},
			{t.w.Say("figure.column.n", name), true},
			{t.w.Say("figure.column.score.of", name, t.ScoreUnit(m)), true},
			{t.w.Say("figure.column.n", other), true},
			{t.w.Say("figure.column.score.of", other, t.ScoreUnit(m)), true},
			{words.Capital(t.w.Say("figure.column.difference", t.DifferenceUnit(m))), true},
			{interval, true}, {words.Capital(t.w.Say("figure.column.ratio")), true}, {interval, true},
		},
	}
	for _, one := range sites {
		row := TableRow{Cells: []Cell{{Text: one.name}}}
		row.Cells = append(row.Cells, t.pairCells(m, one.group)...)
		row.Cells = append(row.Cells, t.pairCells(m, one.against)...)
		row.Cells = append(row.Cells, t.differenceCells(m, one.gap, t.siteState(one))...)
		switch {
		case one.suppressed:
			row.Kind = KindSuppressed
		case one.unknown:
			row.Kind = KindUnknown
		}
		table.Rows = append(table.Rows, row)
	}
	var group gap.Compared
	for _, one := range c.Groups {
		if known(one) && one.Code == g.Code {
			group = one
		}
	}
	against, _ := referenceRow(c)
	crude := TableRow{Kind: KindAll, Cells: []Cell{{Text: t.w.Say("figure.sites.crude")}}}
	crude.Cells = append(crude.Cells, t.pairCells(m, group)...)
	crude.Cells = append(crude.Cells, t.pairCells(m, against)...)
	crude.Cells = append(crude.Cells, t.differenceCells(m, &g, "")...)
	table.Rows = append(table.Rows, crude)
	if w := withinSites(g); w != nil {
		table.Rows = append(table.Rows, TableRow{Kind: KindAll, Cells: []Cell{
			{Text: t.w.Say("figure.sites.pooled")}, {}, {}, {}, {},
			{Text: t.Difference(m, w.Difference, &w.Interval)},
			{Text: t.DifferenceInterval(m, w.Difference, &w.Interval)}, {}, {},
		}})
	}
	return table
}

// pairCells are how many and the score of one side of a gap.
func (t *Teller) pairCells(m Measure, c gap.Compared) []Cell {
	switch {
	case c.Suppressed:
		return []Cell{{Text: t.Suppressed()}, {Text: t.Suppressed()}}
	case c.Score == nil:
		return []Cell{{Text: t.N(c.N)}, {Text: t.NoData()}}
	}
	return []Cell{{Text: t.N(c.N)}, {Text: t.Score(m, *c.Score, c.Interval),
		Note: t.Reliability(c.Reliability, c.Why)}}
}

// differenceCells are the difference, the ratio and their intervals, or why there are none.
func (t *Teller) differenceCells(m Measure, g *gap.Gap, absent string) []Cell {
	if g == nil {
		return []Cell{{Text: absent}, {}, {}, {}}
	}
	cells := t.gapCells(m, gap.Compared{Gap: g})
	return cells[:len(cells)-1]
}
