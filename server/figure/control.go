package figure

import (
	"math"
	"slices"
	"time"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/stat/spc"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/words"
)

// control draws a series between its limits.
func (t *Teller) control(r gap.TrendReport, s gap.Series, m Measure, f Figure) chart.Chart {
	c := chart.Control{
		Meta: t.meta(f, r.Period, r.Filter, source{r.Measure, r.Version, r.Snapshot, r.DataAsOf}),
		Axis: chart.Axis{Label: t.axisLabel(m), Format: t.roundly(m, precision(s, m))},
		Legend: chart.ControlLegend{
			Signal: t.w.Say("time.legend.signal"), Excluded: t.w.Say("time.legend.excluded"),
			Partial: t.w.Say("time.legend.partial"), Limits: t.w.Say("time.legend.limits"),
			Suppressed: t.w.Say("time.absent"), NoData: t.NoData(),
		},
	}
	if s.Chart != "" {
		c.CentreLabel = t.w.Say("time.centre." + centreOf(s))
	}
	if s.Chart.Limited() {
		c.LowerLabel, c.UpperLabel = t.w.Say("time.lower"), t.w.Say("time.upper")
	}
	at := marks(s)
	for i, p := range s.Points {
		partial := r.Months[i].Partial
		c.Points = append(c.Points, chart.ControlPoint{
			Label: t.shortMonth(p.Month), Text: t.pointText(s, p, m),
			Value: p.Value, Centre: p.Centre, Lower: p.Lower, Upper: p.Upper,
			State: stateIn(p.Value != nil, hidden(s)), Signal: len(at[p.Month]) > 0,
			Excluded: p.Excluded && !partial, Partial: partial,
		})
	}
	if r.Changes != nil {
		if i := actionAt(r); i >= 0 {
			c.Marks = append(c.Marks, chart.Mark{At: i, Label: t.w.Say("time.action", t.day(r.Changes.Date))})
		}
	}
	return c
}

// stateIn says why a month has no figure; one that may be suppressed is taken to be.
func stateIn(told, hidden bool) chart.State {
	switch {
	case told:
		return chart.Shown
	case hidden:
		return chart.Suppressed
	}
	return chart.NoData
}

// roundly writes the numbers of an axis, which are round, and those of lines, which have as many digits
// as an interval of that width bears.
func (t *Teller) roundly(m Measure, digits *[2]float64) func(float64) string {
	round := t.axis(m, false)
	return func(v float64) string {
		scaled := hundred * m.times() * v
		if math.Abs(math.Round(scaled)-scaled) < 1e-6*math.Max(1, math.Abs(scaled)) {
			return round(v)
		}
		return t.Score(m, v, digits)
	}
}

// precision is an interval as wide as one of a month of the series usually is, which says how many digits
// its scores have, all alike; nil where none follows from the figures that are told.
func precision(s gap.Series, m Measure) *[2]float64 {
	var widest, n, events float64
	for _, p := range s.Points {
		if p.Lower != nil && p.Upper != nil {
			widest = math.Max(widest, *p.Upper-*p.Lower)
		}
		if p.Events != nil {
			n, events = n+p.N, events+*p.Events
		}
	}
	// Limits are three standard errors to either side, an interval not quite two.
	const limit, level95 = 3, 1.96
	if widest > 0 {
		return &[2]float64{0, widest * level95 / limit}
	}
	if hidden(s) || n <= 0 || events <= 0 || events >= n && m.Scoring == measure.Proportion {
		return nil
	}
	of := n / float64(len(s.Points))
	half := level95 * m.Per * math.Sqrt(events/n/of)
	if m.Scoring == measure.Proportion {
		half = level95 * math.Sqrt(events/n*(1-events/n)/of)
	}
	return &[2]float64{0, 2 * half}
}

// centreOf says what the center line of a series is. The gaps of a g chart are so skewed that their mean
// is not their middle.
func centreOf(s gap.Series) string {
	if s.Chart == spc.Run || s.Chart == spc.G {
		return "median"
	}
	return "mean"
}

// actionAt is the month that holds the day of an action; -1 where none does.
func actionAt(r gap.TrendReport) int {
	day, err := time.Parse(time.DateOnly, r.Changes.Date)
	if err != nil {
		return -1
	}
	return slices.IndexFunc(r.Months, func(m gap.Month) bool { return m.Name() == day.Format(monthLayout) })
}

// day writes the day of an action.
func (t *Teller) day(date string) string {
	at, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return words.Plain(date)
	}
	return t.w.Day(at.Date())
}

// absent says why a month has no figure. Of a series with hidden figures it is not told which they are.
func (t *Teller) absent(s gap.Series) string {
	if hidden(s) {
		return t.w.Say("time.absent")
	}
	return t.NoData()
}

// pointText is a month for whoever points at it.
func (t *Teller) pointText(s gap.Series, p gap.Point, m Measure) string {
	if p.Value == nil {
		return t.w.Say("time.point", words.Capital(t.month(p.Month)), t.absent(s))
	}
	text := t.w.Say("time.point", words.Capital(t.month(p.Month)), t.ScoreInWords(m, *p.Value, precision(s, m)))
	if !hidden(s) {
		text = t.w.Say("time.point.n", text, t.N(p.N))
	}
	return text
}

func (t *Teller) seriesTable(r gap.TrendReport, s gap.Series, m Measure, caption string) Table {
	events := m.counts()
	out := Table{Caption: caption, Columns: append([]Column{{Title: t.w.Say("time.month")}},
		t.countColumns(m)...)}
	for _, title := range []string{t.w.Say("figure.column.score", t.ScoreUnit(m)), t.w.Say("time.centre"),
		t.w.Say("time.lower"), t.w.Say("time.upper")} {
		out.Columns = append(out.Columns, Column{Title: words.Capital(title), Number: true})
	}
	out.Columns = append(out.Columns, Column{Title: t.w.Say("time.remark")})
	at, digits := marks(s), precision(s, m)
	for i, p := range s.Points {
		row := TableRow{Cells: []Cell{{Text: words.Capital(t.month(p.Month))}}}
		row.Cells = append(row.Cells, t.countCells(s, p, events)...)
		for _, v := range []*float64{p.Value, p.Centre, p.Lower, p.Upper} {
			cell := Cell{}
			if v != nil {
				cell.Text = t.Score(m, *v, digits)
			}
			row.Cells = append(row.Cells, cell)
		}
		if p.Value == nil {
			row.Cells[len(row.Cells)-4].Text = t.absent(s)
		}
		var remarks []string
		for _, rule := range at[p.Month] {
			remarks = append(remarks, t.w.Say("time.mark."+string(rule)))
		}
		if r.Months[i].Partial {
			remarks = append(remarks, t.w.Say("time.legend.partial"))
		}
		row.Cells = append(row.Cells, Cell{Text: t.list(remarks)})
		switch {
		case len(at[p.Month]) > 0:
			row.Kind = KindSignal
		case hidden(s) && p.Value == nil:
			row.Kind = KindSuppressed
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// countColumns are what a score rests on.
func (t *Teller) countColumns(m Measure) []Column {
	populations := []measure.Population{measure.MeasurePopulation}
	if m.counts() {
		populations = []measure.Population{measure.Denominator, measure.Numerator}
	}
	columns := make([]Column, len(populations))
	for i, p := range populations {
		columns[i] = Column{words.Capital(t.w.Population(p)), true}
	}
	return columns
}

// countCells are what a month rests on. Where something of the series is hidden the counts are not told:
// those of a hidden month would stand as if they were its own.
func (t *Teller) countCells(s gap.Series, p gap.Point, events bool) []Cell {
	cells := []Cell{{Text: t.N(p.N)}}
	if hidden(s) {
		cells[0].Text = t.Suppressed()
	}
	if !events {
		return cells
	}
	switch {
	case hidden(s):
		return append(cells, Cell{Text: t.Suppressed()})
	case p.Events == nil:
		return append(cells, Cell{Text: t.NoData()})
	}
	return append(cells, Cell{Text: t.w.Number(*p.Events, fractional(*p.Events))})
}
