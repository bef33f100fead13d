package figure

import (
	"cmp"
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

// Pool is one figure of the members of a network: the fields of a network.Pooled that are told, which its
// caller copies, because networks stand above the floor of figures.
type Pool struct {
	Measure, Version string
	// Period is that of the submissions.
	Period measure.Period
	// Dimension and Code are the group, with the label that the coordinator gives it; all empty mean
	// everybody.
	Dimension, Code, Label string
	// Score is that of all members that show the figure together; absent where they are fewer than Least.
	Score    *float64
	Interval *[2]float64
	N        float64
	// Showing, Hidden and Absent count the members that show it, hide it, or have nothing to show.
	Showing, Hidden, Absent, Least int
	// Spread is how much more the members vary than chance would have them; limits are widened above 1.
	Spread  float64
	Members []PoolMember
}

// PoolMember is the figure of one member. Without a name it has a number.
type PoolMember struct {
	Name   string
	Number int
	Own    bool
	// Score is out of N, with its interval and, where something is pooled, the limits for that size.
	Score        float64
	Interval     [2]float64
	N            float64
	Inner, Outer *[2]float64
	// Below and Above say that it is outside of the inner limits, Far that it is of the outer ones too.
	Below, Above, Far bool
}

// outside reports whether chance alone would seldom have the member where it is.
func (p PoolMember) outside() bool { return p.Below || p.Above }

// Network is each member of a network against all of them together, between the limits within which
// chance alone would keep it.
func (t *Teller) Network(p Pool, m Measure) Figure {
	f := Figure{ID: "network", Title: t.w.Say("network.figure.title", m.Words.Title)}
	if p.Dimension != "" {
		f.Title = t.w.Say("network.figure.title.of", m.Words.Title, t.poolGroup(p))
	}
	f.Notes = with(nil, m.Words.Caution)
	f.Table = t.poolTable(p, m)
	if p.Score == nil {
		f.Sentences = []string{t.w.Say("network.figure.few", p.Showing, p.Least)}
		return f
	}
	f.Sentences = t.poolSentences(p, m)
	f.Notes = append(f.Notes, t.poolNotes(p, m)...)
	drawn := t.poolChart(p, m)
	drawn.Meta = chart.Meta{
		Title: f.Title, Subtitle: t.w.Period(p.Period), Description: strings.Join(f.Sentences, " "),
		Lang: t.language(), Source: t.w.Say("network.figure.source", words.Plain(p.Measure+" "+p.Version)),
		Empty: t.w.Say("figure.empty"),
	}
	f.Chart = drawn
	return f
}

// poolGroup names the group that a figure is of.
func (t *Teller) poolGroup(p Pool) string {
	c := measure.Coding{Code: p.Code, Label: p.Label, State: string(mapping.Known)}
	if state, absent := strings.CutPrefix(p.Code, "~"); absent {
		c = measure.Coding{State: state, Label: p.Label}
	}
	return t.w.Group(p.Dimension, c)
}

// MemberName is what a member is called: its name where the reader may know it, else a number.
func (t *Teller) MemberName(p PoolMember) string {
	name := words.Plain(p.Name)
	if name == "" {
		name = t.w.Say("network.member.number", p.Number)
	}
	if p.Own {
		name = t.w.Say("network.member.own", name)
	}
	return name
}

func (t *Teller) poolSentences(p Pool, m Measure) []string {
	out := []string{t.w.Say("network.figure.pooled", p.Showing, t.ScoreInWords(m, *p.Score, p.Interval),
		t.Ninetyfive(), t.Interval(m, *p.Score, p.Interval))}
	var far, near []string
	for _, one := range p.Members {
		if !one.outside() {
			continue
		}
		text := t.w.Say("figure.funnel.site", t.MemberName(one), t.ScoreInWords(m, one.Score, &one.Interval),
			t.poolSide(p, m, one))
		if one.Far {
			far = append(far, text)
		} else {
			near = append(near, text)
		}
	}
	if len(far)+len(near) == 0 {
		return append(out, t.w.Say("network.figure.inside", p.Showing))
	}
	if len(far) > 0 {
		out = append(out, t.w.Say("network.figure.far", len(far), p.Showing, strings.Join(far, "; ")))
	}
	if len(near) > 0 {
		out = append(out, t.w.Say("network.figure.near", len(near), p.Showing, strings.Join(near, "; ")))
	}
	return append(out, t.w.Say("network.figure.question"))
}

// poolSide says on which side of all together a member is.
func (t *Teller) poolSide(p Pool, m Measure, one PoolMember) string {
	m.Per = 1
	return t.side(funnel{m: m, Funnel: stat.Funnel{Centre: *p.Score}}, gap.Compared{Score: &one.Score})
}

func (t *Teller) poolNotes(p Pool, m Measure) []string {
	out := []string{t.w.Say("network.figure.limits", t.Ninetyfive(), t.w.Percent(float64(stat.Level998), 1))}
	if p.Spread > 1 {
		out = append(out, t.w.Say("network.figure.spread", t.w.Number(p.Spread, 1)))
	}
	if m.Improvement == measure.Context {
		out = append(out, t.w.Say("figure.note.context"))
	}
	if p.Hidden > 0 {
		out = append(out, t.w.Say("network.figure.hidden", p.Hidden))
	}
	if p.Absent > 0 {
		out = append(out, t.w.Say("network.figure.absent", p.Absent))
	}
	return out
}

// poolChart draws the members between limits that go through those of each of them.
func (t *Teller) poolChart(p Pool, m Measure) chart.Funnel {
	drawn := chart.Funnel{
		X: chart.Axis{
			Label:  t.w.Say("figure.funnel.x", t.w.Population(measure.Denominator)),
			Format: t.w.Count, Min: new(float64),
		},
		Y:            chart.Axis{Label: t.axisLabel(m), Format: t.axis(m, false)},
		Centre:       *p.Score,
		CentreLabel:  t.w.Say("figure.line", t.w.Say("network.all"), t.Score(m, *p.Score, p.Interval)),
		OutsideLabel: t.w.Say("figure.funnel.outside"), InsideLabel: t.w.Say("figure.funnel.within"),
	}
	for i, one := range p.Members {
		name := t.MemberName(one)
		drawn.Points = append(drawn.Points, chart.FunnelPoint{
			Label: name, Key: strconv.Itoa(i + 1), X: one.N, Y: one.Score, Outside: one.outside(),
			Text: t.rowText(m, name, gap.Compared{Score: &one.Score, Interval: &one.Interval, N: one.N}),
		})
	}
	for _, level := range []stat.Level{stat.Level998, stat.Level95} {
		drawn.Bands = append(drawn.Bands, chart.Band{Label: t.band(level), Points: poolBand(p, m, level)})
	}
	return drawn
}

// poolBand draws the limits of a level through those of the members. In between, how far they are from the
// centre is taken to change with the root of the size, as it does of chance alone.
func poolBand(p Pool, m Measure, level stat.Level) []chart.BandPoint {
	type at struct{ n, low, high float64 }
	var known []at
	most := 0.0
	for _, one := range p.Members {
		limits := one.Inner
		if level == stat.Level998 {
			limits = one.Outer
		}
		if limits == nil || one.N <= 0 {
			continue
		}
		root := math.Sqrt(one.N)
		known = append(known, at{one.N, (*p.Score - limits[0]) * root, (limits[1] - *p.Score) * root})
		most = max(most, one.N)
	}
	if len(known) == 0 {
		return nil
	}
	slices.SortFunc(known, func(a, b at) int { return cmp.Compare(a.n, b.n) })
	ceiling := math.Inf(1)
	if m.Scoring == measure.Proportion {
		ceiling = 1
	}
	var out []chart.BandPoint
	const steps, first, margin = 60, 0.01, 1.05
	from, to := max(1, first*most), margin*most
	for i := range steps + 1 {
		share := float64(i) / steps
		x := from + share*share*(to-from)
		after, _ := slices.BinarySearchFunc(known, x, func(a at, x float64) int { return cmp.Compare(a.n, x) })
		left, right := known[max(0, after-1)], known[min(after, len(known)-1)]
		part := 0.0
		if right.n > left.n {
			part = min(1, max(0, (x-left.n)/(right.n-left.n)))
		}
		low, high := left.low+part*(right.low-left.low), left.high+part*(right.high-left.high)
		out = append(out, chart.BandPoint{
			X: x, Low: max(0, *p.Score-low/math.Sqrt(x)), High: min(ceiling, *p.Score+high/math.Sqrt(x)),
		})
	}
	return out
}

// poolTable is the twin of the funnel.
func (t *Teller) poolTable(p Pool, m Measure) Table {
	number := func(title string) Column { return Column{words.Capital(title), true} }
	table := Table{
		Caption: t.w.Say("network.figure.caption", m.Words.Title, t.w.Period(p.Period)),
		Columns: []Column{
			{t.w.Say("network.member"), false},
			number(t.w.Say("figure.column.n", t.w.Population(measure.Denominator))),
			number(t.w.Say("figure.column.score", t.ScoreUnit(m))),
			number(t.w.Say("network.interval", t.Ninetyfive())), number(t.band(stat.Level95)),
			number(t.band(stat.Level998)), {words.Capital(t.w.Say("figure.funnel.where")), false},
		},
	}
	if p.Dimension != "" {
		table.Caption = t.w.Say("network.figure.caption.of", m.Words.Title, t.poolGroup(p), t.w.Period(p.Period))
	}
	if p.Score != nil {
		table.Rows = append(table.Rows, TableRow{Kind: KindAll, Cells: []Cell{
			{Text: t.w.Say("network.all")}, {Text: t.N(p.N)}, {Text: t.Score(m, *p.Score, p.Interval)},
			{Text: t.Interval(m, *p.Score, p.Interval)}, {}, {}, {},
		}})
	}
	for _, one := range p.Members {
		row := TableRow{Cells: []Cell{
			{Text: t.MemberName(one)}, {Text: t.N(one.N)}, {Text: t.Score(m, one.Score, &one.Interval)},
			{Text: t.Interval(m, one.Score, &one.Interval)}, {}, {}, {},
		}}
		if one.Inner != nil && one.Outer != nil && p.Score != nil {
			const inner = 4
			row.Cells[inner].Text = t.Interval(m, *p.Score, one.Inner)
			row.Cells[inner+1].Text = t.Interval(m, *p.Score, one.Outer)
			row.Cells[inner+2].Text = t.poolPlace(p, m, one)
		}
		if one.outside() {
			row.Kind = KindSignal
		}
		table.Rows = append(table.Rows, row)
	}
	return table
}

// poolPlace says where a member is to the limits.
func (t *Teller) poolPlace(p Pool, m Measure, one PoolMember) string {
	switch {
	case !one.outside():
		return t.w.Say("figure.funnel.place.inside")
	case one.Far:
		return t.w.Say("figure.funnel.place.far", t.poolSide(p, m, one))
	}
	return t.w.Say("figure.funnel.place.near", t.poolSide(p, m, one))
}
