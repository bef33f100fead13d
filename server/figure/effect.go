package figure

import (
	"slices"
	"strings"

	"github.com/equitylens/equitylens/improvement/effect"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/words"
)

// restCode is the code of everybody else with those of unknown group.
const restCode = "-rest"

// Effect is what the figures show of an action: first the verdict, with the scores before and after as
// picture and table, then the control chart of the groups with the start marked, the gap to the
// reference over time, and the control charts of those whom they are held against. No sentence says why.
func (t *Teller) Effect(e effect.Effect, m Measure) []Figure {
	report := t.trialTrend(e)
	figures := []Figure{t.verdict(e, m)}
	for i, s := range report.Series {
		if s.Code == e.Target.Code {
			figures = append(figures, t.Series(report, i, m))
		}
	}
	for _, g := range report.Gaps {
		if f, ok := t.GapTime(report, g.Code, m); ok && g.Code == e.Target.Code && e.Gap != nil {
			figures = append(figures, f)
		}
	}
	for i, s := range report.Series {
		if s.Code != e.Target.Code && !everybody(s) {
			figures = append(figures, t.Series(report, i, m))
		}
	}
	return figures
}

// trialTrend is the report with names in the language of the Teller. It is by no dimension, because its
// strata may be several groups together.
func (t *Teller) trialTrend(e effect.Effect) gap.TrendReport {
	r := e.Trend
	r.Dimension = ""
	name := func(code, label string) string {
		if code == e.Target.Code {
			return t.trialTarget(e)
		}
		return t.trialName(e.Aim.Dimension, code, label)
	}
	r.Series = slices.Clone(r.Series)
	for i, s := range r.Series {
		if !everybody(s) {
			r.Series[i].Label = name(s.Code, s.Label)
		}
	}
	r.Gaps = slices.Clone(r.Gaps)
	for i, g := range r.Gaps {
		r.Gaps[i].Group = name(g.Code, g.Group)
	}
	if r.Reference != nil {
		reference := *r.Reference
		reference.Label = name(reference.Code, reference.Label)
		r.Reference = &reference
	}
	return r
}

// trialName names whom the groups are held against.
func (t *Teller) trialName(dimension, code, label string) string {
	switch {
	case code == restCode:
		return t.w.Say("effect.name.rest")
	case strings.HasPrefix(code, "-"):
		return t.w.Say("effect.name.others")
	}
	return t.named(dimension, code, string(mapping.Known), label)
}

// trialOther names others, whom the groups are held against.
func (t *Teller) trialOther(e effect.Effect, a *effect.Against) string {
	return t.trialName(e.Aim.Dimension, a.Other.Code, a.Other.Label)
}

// trialTarget names the groups that should move.
func (t *Teller) trialTarget(e effect.Effect) string {
	names := make([]string, len(e.Groups))
	for i, g := range e.Groups {
		names[i] = t.trialName(e.Aim.Dimension, g.Code, g.Label)
	}
	return t.list(names)
}

// verdict is the figure that says what changed.
func (t *Teller) verdict(e effect.Effect, m Measure) Figure {
	f := Figure{ID: "effect", Title: t.w.Say("effect.title", m.Words.Title, t.day(e.Start))}
	f.Sentences = t.trialSentences(e, m)
	f.Notes = t.trialNotes(e, m)
	f.Table = t.trialTable(e, m, f.Title)
	if rows := t.trialRows(e, m); len(rows) > 0 {
		r, legend := e.Trend, t.legend()
		legend.Emphasis = t.w.Say("effect.legend")
		f.Chart = chart.DotPlot{
			Meta:   t.meta(f, r.Period, r.Filter, source{r.Measure, r.Version, r.Snapshot, r.DataAsOf}),
			Axis:   chart.Axis{Label: t.axisLabel(m), Format: t.axis(m, false)},
			Legend: legend, Rows: rows,
		}
	} else {
		f.Notes = append(f.Notes, t.w.Say("effect.no-chart"))
	}
	return f
}

// trialSentences say the verdict with its figures.
func (t *Teller) trialSentences(e effect.Effect, m Measure) []string {
	if e.Verdict == effect.TooEarly || e.Gap == nil {
		return []string{t.trialEarly(e)}
	}
	r := e.Gap
	var said []string
	switch change := t.moved(m, r.Change); e.Verdict {
	case effect.Smaller:
		said = append(said, t.w.Say("effect.smaller", change))
		if o := e.Comparison; o != nil && o.Other.Code != r.Other.Code {
			said = append(said, t.w.Say("effect.smaller.others", t.trialOther(e, o),
				t.moved(m, o.Change)))
		}
	case effect.Larger:
		said = append(said, t.w.Say("effect.larger", change))
	case effect.EverybodyMoved:
		said = append(said, t.trialTogether(e, m, change))
	case effect.Mixed:
		said = append(said, t.trialMixed(r, change))
	default:
		said = append(said, t.w.Say("effect.none", change))
	}
	said = append(said, t.w.Say("effect.scores", t.trialTarget(e), t.stand(m, e.Target.Before),
		t.stand(m, e.Target.After), t.trialOther(e, r), t.stand(m, r.Other.Before),
		t.stand(m, r.Other.After), t.day(e.Start)))
	said = append(said, t.trialAim(e, m)...)
	return append(said, t.w.Say("effect.not-why"))
}

// stand says a score within a sentence.
func (t *Teller) stand(m Measure, s effect.Side) string {
	if s.Score == nil {
		return t.NoData()
	}
	return t.ScoreInWords(m, *s.Score, s.Interval)
}

// moved says by how much a difference changed: with its sign, its unit and its interval.
func (t *Teller) moved(m Measure, e gap.Estimate) string {
	text := t.Difference(m, e.Value, e.Interval)
	if m.counts() {
		text = t.w.Say("time.amount", text, t.DifferenceUnit(m))
	}
	return t.HowFar(text, t.DifferenceInterval(m, e.Value, e.Interval))
}

// trialTogether says that the others moved as well.
func (t *Teller) trialTogether(e effect.Effect, m Measure, change string) string {
	o := e.Comparison
	if o == nil {
		return t.w.Say("effect.none", change)
	}
	name := t.trialOther(e, o)
	if e.Gap.Change.Clear {
		return t.w.Say("effect.together.gap", change, name, t.moved(m, o.Change))
	}
	return t.w.Say("effect.together", name, t.stand(m, o.Other.Before), t.stand(m, o.Other.After), change)
}

// trialMixed says why no direction is told.
func (t *Teller) trialMixed(r *effect.Against, change string) string {
	opposite := r.ByDifference == gap.Narrows && r.ByRatio == gap.Widens ||
		r.ByDifference == gap.Widens && r.ByRatio == gap.Narrows
	if !opposite {
		return t.w.Say("effect.mixed.turned", change)
	}
	return t.w.Say("effect.mixed.ratio", t.w.Say("time.way."+string(r.ByDifference)), change,
		t.w.Say("time.way."+string(r.ByRatio)))
}

// trialEarly says what there is too little of.
func (t *Teller) trialEarly(e effect.Effect) string {
	const fewestMonths = 3
	switch {
	case min(e.Before.Months, e.After.Months) < fewestMonths:
		return t.w.Say("effect.early.months", t.day(e.Start), t.w.Count(float64(e.Before.Months)),
			t.w.Count(float64(e.After.Months)), t.w.Count(fewestMonths))
	case e.Gap == nil:
		return t.w.Say("effect.early.nobody", t.day(e.Start))
	}
	return t.w.Say("effect.early.units", t.day(e.Start), t.w.Count(smallestGroup))
}

// trialAim says whether the target is reached.
func (t *Teller) trialAim(e effect.Effect, m Measure) []string {
	if e.Aim.Target == nil || e.Reached == nil || e.Target.After.Score == nil {
		return nil
	}
	key := "effect.aim.missed"
	if *e.Reached {
		key = "effect.aim.reached"
	}
	return []string{t.w.Say(key, t.ScoreInWords(m, *e.Aim.Target, &[2]float64{}), t.stand(m, e.Target.After))}
}

// trialNotes say what was compared, what is missing for a demonstrated effect, and what to mind.
func (t *Teller) trialNotes(e effect.Effect, m Measure) []string {
	var notes []string
	if e.Before.Months > 0 && e.After.Months > 0 {
		notes = append(notes, t.w.Say("effect.spans", words.Capital(t.months(e.Before.From, e.Before.To)),
			t.months(e.After.From, e.After.To), t.w.Count(float64(e.Before.Months)),
			t.w.Count(float64(e.After.Months))))
	}
	notes = append(notes, t.demonstrated(e))
	for _, code := range e.Cautions {
		notes = append(notes, t.w.Label("effect.caution", string(code)))
	}
	if e.Widened > 1 {
		notes = append(notes, t.w.Say("effect.widened", t.w.Number(e.Widened, 1)))
	}
	notes = append(notes, t.w.Label("time.improvement", string(m.Improvement)),
		t.w.Say("effect.parallel"))
	return with(append(notes, t.incomplete(e.Trend.Incomplete)...), m.Words.Caution)
}

// demonstrated says whether the change counts as a demonstrated reduction, and what it lacks.
func (t *Teller) demonstrated(e effect.Effect) string {
	if e.Demonstrated {
		return t.w.Say("effect.demonstrated")
	}
	lacks := make([]string, len(e.Missing))
	for i, code := range e.Missing {
		lacks[i] = t.w.Label("effect.missing", string(code))
	}
	return t.w.Say("effect.not-demonstrated", strings.Join(lacks, "; "))
}

// Verdict says what the figures show of an action without any of them, for readers to whom they are not
// released: the verdict, whether it counts as a demonstrated reduction, and that this is no cause.
func (t *Teller) Verdict(e effect.Effect) []string {
	return []string{
		t.w.Label("effect.verdict", string(e.Verdict)), t.demonstrated(e), t.w.Say("effect.not-why"),
	}
}

// trialLines are the groups of the table and of the picture, with their names.
func (t *Teller) trialLines(e effect.Effect) []trialLine {
	var lines []trialLine
	if len(e.Groups) > 1 {
		lines = append(lines, trialLine{t.w.Say("effect.together.row", t.trialTarget(e)), e.Target, nil, true})
	}
	for _, g := range e.Groups {
		lines = append(lines, trialLine{t.trialName(e.Aim.Dimension, g.Code, g.Label), g, nil, len(e.Groups) == 1})
	}
	if r := e.Gap; r != nil {
		lines = append(lines, trialLine{words.Capital(t.trialOther(e, r)), r.Other, r, false})
	}
	if o := e.Comparison; o != nil && (e.Gap == nil || o.Other.Code != e.Gap.Other.Code) {
		lines = append(lines, trialLine{words.Capital(t.trialOther(e, o)), o.Other, o, false})
	}
	return lines
}

// trialLine is a group, with whom the groups are held against where it is that.
type trialLine struct {
	name    string
	group   effect.Moved
	against *effect.Against
	target  bool
}

// trialRows are two rows a group: before and after.
func (t *Teller) trialRows(e effect.Effect, m Measure) []chart.Row {
	var rows []chart.Row
	scored := false
	for _, line := range t.trialLines(e) {
		for _, side := range []struct {
			key string
			effect.Side
		}{{"effect.row.before", line.group.Before}, {"effect.row.after", line.group.After}} {
			row := t.standRow(m, t.w.Say(side.key, line.name), side.Side)
			row.Emphasis = line.target && side.key == "effect.row.after"
			row.Reference = line.against != nil && line.against == e.Gap
			scored = scored || row.Value != nil
			rows = append(rows, row)
		}
	}
	if !scored {
		return nil
	}
	return rows
}

// standRow draws a score.
func (t *Teller) standRow(m Measure, name string, s effect.Side) chart.Row {
	return t.row(m, name, gap.Compared{N: s.N, Score: s.Score, Interval: s.Interval})
}

func (t *Teller) trialTable(e effect.Effect, m Measure, caption string) Table {
	interval := words.Capital(t.w.Say("figure.interval", t.Ninetyfive()))
	out := Table{Caption: caption, Columns: []Column{{Title: t.w.Say("time.group")},
		{Title: t.w.Say("effect.column.n-before"), Number: true},
		{Title: t.w.Say("effect.column.before", t.ScoreUnit(m)), Number: true},
		{Title: t.w.Say("effect.column.n-after"), Number: true},
		{Title: t.w.Say("effect.column.after", t.ScoreUnit(m)), Number: true},
		{Title: t.w.Say("effect.column.change", t.DifferenceUnit(m)), Number: true}, {Title: interval, Number: true},
		{Title: t.w.Say("effect.column.gap", t.DifferenceUnit(m)), Number: true}, {Title: interval, Number: true},
	}}
	for _, line := range t.trialLines(e) {
		g := line.group
		row := TableRow{Cells: []Cell{{Text: line.name}, {Text: t.N(g.Before.N)}, {Text: t.standText(m, g.Before)},
			{Text: t.N(g.After.N)}, {Text: t.standText(m, g.After)}}}
		row.Cells = append(row.Cells, t.estimateCells(m, g.Change)...)
		var moved *gap.Estimate
		if line.against != nil {
			moved = &line.against.Change
		}
		row.Cells = append(row.Cells, t.estimateCells(m, moved)...)
		switch {
		case line.against != nil && line.against == e.Gap:
			row.Kind = KindReference
		case line.target:
			row.Kind = KindSignal
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// standText is a score in a column.
func (t *Teller) standText(m Measure, s effect.Side) string {
	if s.Score == nil {
		return t.NoData()
	}
	return t.Score(m, *s.Score, s.Interval)
}

// estimateCells are a difference and its interval.
func (t *Teller) estimateCells(m Measure, e *gap.Estimate) []Cell {
	if e == nil {
		return []Cell{{}, {}}
	}
	return []Cell{{Text: t.Difference(m, e.Value, e.Interval)},
		{Text: t.DifferenceInterval(m, e.Value, e.Interval)}}
}
