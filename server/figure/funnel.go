package figure

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/stat"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/words"
)

// fewestForSpread is the number of sites from which it is asked whether they differ more than
// chance would have them: of fewer, one site that is far out would widen the limits and hide
// itself.
const fewestForSpread = 10

// place is where a site is to the limits of a funnel.
type place int

const (
	inside place = iota
	beyond95
	beyond998
)

// funnelSite is one site of a funnel.
type funnelSite struct {
	gap.Compared
	name  string
	place place
}

// funnel is the limits for the sites of one rate.
type funnel struct {
	stat.Funnel
	m     Measure
	sites []funnelSite
	// spread says that the limits are widened.
	spread bool
}

// Funnel is the score of each site against how many it counts, between the limits within which
// chance alone would keep it were all sites alike. The comparison is that by site.
func (t *Teller) Funnel(c gap.Comparison, m Measure) Figure {
	f := Figure{
		ID:    "funnel",
		Title: t.w.Say("figure.funnel.title", m.Words.Title),
		Table: t.funnelTable(c, m, funnel{}),
	}
	fun, refused := funnelOf(t, c, m)
	if refused != "" {
		f.Notes = append(with(nil, m.Words.Caution), t.w.Say(refused))
		return f
	}
	f.Sentences = t.funnelSentences(c, fun)
	f.Notes = t.funnelNotes(c, fun)
	f.Table = t.funnelTable(c, m, fun)
	drawn := t.funnelChart(c, fun)
	drawn.Meta = t.meta(f, c.Period, c.Filter, source{c.Measure, c.Version, c.Snapshot, c.DataAsOf})
	f.Chart = drawn
	return f
}

// funnelOf computes the limits, or gives the key of the sentence that says why there are none.
func funnelOf(t *Teller, c gap.Comparison, m Measure) (fun funnel, refused string) {
	switch {
	case !m.counts():
		return fun, "figure.funnel.no-count"
	case c.All.Suppressed:
		return fun, "figure.funnel.suppressed"
	case c.All.Score == nil || c.All.N <= 0 || c.All.Events == nil:
		return fun, "figure.funnel.no-data"
	}
	fun.m, fun.Centre = m, *c.All.Events/c.All.N
	var z []float64
	for _, one := range c.Groups {
		if !known(one) || one.Suppressed || one.Score == nil || one.Events == nil {
			continue
		}
		if *one.Events < 0 || m.Scoring == measure.Ratio && *one.Events != math.Trunc(*one.Events) {
			return fun, "figure.funnel.no-count"
		}
		fun.sites = append(fun.sites,
			funnelSite{Compared: one, name: t.group(mapping.DimensionSite, one)})
		score := fun.ZProportion
		if m.Scoring == measure.Ratio {
			score = fun.ZRate
		}
		if v, ok := score(*one.Events, one.N); ok {
			z = append(z, v)
		}
	}
	if len(fun.sites) < 2 {
		return fun, "figure.funnel.few"
	}
	// The mean of squares of n scores of chance alone is 1 with a variance of 2/n: beyond two
	// standard deviations of that the sites are taken to differ by more than chance.
	n := float64(len(z))
	if phi := stat.Overdispersion(z); n >= fewestForSpread && phi > 1+2*math.Sqrt(2/n) {
		fun.spread, fun.Overdispersion = true, phi
	}
	for i := range fun.sites {
		fun.sites[i].place = fun.place(fun.sites[i].Compared)
	}
	return fun, ""
}

// limits are those of a score in n units, on the scale of scores.
func (f funnel) limits(n float64, level stat.Level) (lo, hi float64) {
	if f.m.Scoring == measure.Ratio {
		lo, hi = f.Rate(n, level)
		return f.m.Per * lo, f.m.Per * hi
	}
	return f.Proportion(n, level)
}

func (f funnel) place(c gap.Compared) place {
	for _, p := range []place{beyond998, beyond95} {
		if lo, hi := f.limits(c.N, p.level()); *c.Score < lo || *c.Score > hi {
			return p
		}
	}
	return inside
}

func (p place) level() stat.Level {
	if p == beyond998 {
		return stat.Level998
	}
	return stat.Level95
}

// side says on which side of the centre a site is, and whether that is the better one.
func (t *Teller) side(f funnel, c gap.Compared) string {
	kind, high := "low", *c.Score > f.m.Per*f.Centre
	if high {
		kind = "high"
	}
	switch {
	case f.m.Improvement == measure.Context:
	case high == (f.m.Improvement == measure.Increase):
		kind += ".better"
	default:
		kind += ".worse"
	}
	return t.w.Say("figure.funnel." + kind)
}

func (t *Teller) funnelSentences(c gap.Comparison, f funnel) []string {
	out := []string{t.overall(c.Period, f.m, c.All)}
	var far, near []string
	for _, s := range f.sites {
		text := t.w.Say("figure.funnel.site", s.name, t.ScoreInWords(f.m, *s.Score, s.Interval),
			t.side(f, s.Compared))
		switch s.place {
		case beyond998:
			far = append(far, text)
		case beyond95:
			near = append(near, text)
		case inside:
		}
	}
	n := len(f.sites)
	if len(far)+len(near) == 0 {
		return append(out, t.w.Say("figure.funnel.inside", n, strconv.Itoa(n)))
	}
	if len(far) > 0 {
		out = append(out, t.w.Say("figure.funnel.far", len(far), strconv.Itoa(len(far)),
			strconv.Itoa(n), strings.Join(far, "; ")))
	}
	if len(near) > 0 {
		out = append(out, t.w.Say("figure.funnel.near", len(near), strconv.Itoa(len(near)),
			strconv.Itoa(n), strings.Join(near, "; ")))
	}
	return append(out, t.w.Say("figure.funnel.question"))
}

func (t *Teller) funnelNotes(c gap.Comparison, f funnel) []string {
	out := with(nil, f.m.Words.Caution)
	out = append(out, t.incomplete(c.Incomplete)...)
	out = append(out, t.w.Say("figure.funnel.limits", t.Ninetyfive(),
		t.w.Percent(float64(stat.Level998), 1)))
	if f.spread {
		out = append(out, t.w.Say("figure.funnel.spread", t.w.Number(f.Overdispersion, 1)))
	}
	if f.m.Improvement == measure.Context {
		out = append(out, t.w.Say("figure.note.context"))
	}
	if slices.ContainsFunc(c.Groups, func(one gap.Compared) bool { return one.Suppressed }) {
		out = append(out, t.w.Say("figure.note.suppressed"))
	}
	return out
}

// funnelChart draws the sites that have a figure, and limits as far as they reach.
func (t *Teller) funnelChart(c gap.Comparison, f funnel) chart.Funnel {
	drawn := chart.Funnel{
		X: chart.Axis{
			Label:  t.w.Say("figure.funnel.x", t.w.Population(measure.Denominator)),
			Format: t.w.Count, Min: new(float64),
		},
		Y:      chart.Axis{Label: t.axisLabel(f.m), Format: t.axis(f.m, false)},
		Centre: f.m.Per * f.Centre,
		CentreLabel: t.w.Say("figure.line", t.w.Say("figure.everybody"),
			t.Score(f.m, *c.All.Score, c.All.Interval)),
		OutsideLabel: t.w.Say("figure.funnel.outside"),
		InsideLabel:  t.w.Say("figure.funnel.within"),
	}
	most := 0.0
	for i, s := range f.sites {
		most = max(most, s.N)
		drawn.Points = append(drawn.Points, chart.FunnelPoint{
			Label: s.name, Key: strconv.Itoa(i + 1), X: s.N, Y: *s.Score, Outside: s.place != inside,
			Text: t.rowText(f.m, s.name, s.Compared),
		})
	}
	const steps, first, margin = 60, 0.01, 1.05
	from, to := max(1, first*most), margin*most
	for _, level := range []stat.Level{stat.Level998, stat.Level95} {
		band := chart.Band{Label: t.band(level)}
		for i := range steps + 1 {
			// Limits bend where few are counted, so that the steps are closer there.
			share := float64(i) / steps
			x := from + share*share*(to-from)
			lo, hi := f.limits(x, level)
			band.Points = append(band.Points, chart.BandPoint{X: x, Low: lo, High: hi})
		}
		drawn.Bands = append(drawn.Bands, band)
	}
	return drawn
}

// band names the limits of a level.
func (t *Teller) band(level stat.Level) string {
	decimals := 0
	if level == stat.Level998 {
		decimals = 1
	}
	return t.w.Say("figure.funnel.band", t.w.Percent(float64(level), decimals))
}

// funnelTable is the twin of the funnel; without limits it is of the sites alone.
func (t *Teller) funnelTable(c gap.Comparison, m Measure, f funnel) Table {
	number := func(title string) Column { return Column{words.Capital(title), true} }
	table := Table{
		Caption: t.w.Say("figure.groups.caption", m.Words.Title, t.dimension(mapping.DimensionSite),
			t.w.Period(c.Period)),
		Columns: t.scoreColumns(m),
	}
	limits := len(f.sites) > 1
	if limits {
		table.Columns = append(table.Columns,
			number(t.band(stat.Level95)), number(t.band(stat.Level998)),
			Column{words.Capital(t.w.Say("figure.funnel.where")), false})
	}
	rows := append([]gap.Compared{c.All}, c.Groups...)
	for i, one := range rows {
		name, kind := t.w.Say("figure.everybody"), KindAll
		if i > 0 {
			name, kind = t.group(mapping.DimensionSite, one), KindPlain
			if !known(one) {
				kind = KindUnknown
			}
		}
		row := TableRow{Kind: kindOf(one, kind), Cells: []Cell{{Text: name}}}
		row.Cells = append(row.Cells, t.scoreCells(m, one)...)
		at := slices.IndexFunc(f.sites, func(s funnelSite) bool {
			return i > 0 && known(one) && s.Code == one.Code
		})
		switch {
		case limits && at >= 0:
			s := f.sites[at]
			row.Cells = append(row.Cells, t.limitCell(f, s, stat.Level95),
				t.limitCell(f, s, stat.Level998), Cell{Text: t.placeWords(f, s)})
			if s.place != inside {
				row.Kind = KindSignal
			}
		case limits:
			row.Cells = append(row.Cells, Cell{}, Cell{}, Cell{})
		}
		table.Rows = append(table.Rows, row)
	}
	return table
}

// scoreColumns are the columns of scoreCells, after that of the site.
func (t *Teller) scoreColumns(m Measure) []Column {
	all := t.groupColumns(gap.Comparison{
		Dimension: mapping.DimensionSite, GapsRefused: &gap.Refused{Reason: gap.NotAGroup},
	}, m)
	const others = 2 // The share and the reliability.
	return all[:len(all)-others]
}

func (t *Teller) limitCell(f funnel, s funnelSite, level stat.Level) Cell {
	lo, hi := f.limits(s.N, level)
	return Cell{Text: t.Interval(f.m, f.m.Per*f.Centre, &[2]float64{lo, hi})}
}

// placeWords says where a site is to the limits.
func (t *Teller) placeWords(f funnel, s funnelSite) string {
	switch s.place {
	case beyond95:
		return t.w.Say("figure.funnel.place.near", t.side(f, s.Compared))
	case beyond998:
		return t.w.Say("figure.funnel.place.far", t.side(f, s.Compared))
	case inside:
	}
	return t.w.Say("figure.funnel.place.inside")
}
