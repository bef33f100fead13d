package figure

import (
	"slices"
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/words"
)

// Trial is what the figures show of an action: the fields of an effect.Effect that are told, which its
// caller copies, because effects stand on the floor of figures.
type Trial struct {
	// Start is the day of the action, such as 2026-03-01.
	Start string
	// Verdict, Missing and Cautions are codes: effect.Verdict, effect.Requirement, effect.Caution.
	Verdict      string
	Demonstrated bool
	Missing      []string
	Cautions     []string
	// Dimension is that of the groups; Groups are those that should move, one by one, and Target they
	// together, of which no code or label is told.
	Dimension string
	Target    TrialGroup
	Groups    []TrialGroup
	// Reference and Others are whom they are held against, absent where there is nobody.
	Reference *TrialGap
	Others    *TrialGap
	// Before and After are the whole months that are compared.
	Before, After TrialSpan
	// Widened is the factor by which intervals of changes are widened.
	Widened float64
	// Aim is the score that was aimed at, and Reached whether it was; absent where there is none.
	Aim     *float64
	Reached *bool
	// Trend is that of the effect: the strata are the groups together, the reference and the others.
	Trend gap.TrendReport
}

// TrialSpan is some whole months, such as 2026-03 to 2026-08.
type TrialSpan struct {
	From, To string
	Months   int
}

// Stand is a score over some time.
type Stand struct {
	Score    *float64
	Interval *[2]float64
	N        float64
}

// TrialGroup is a group on both sides of the start. A code that begins with a dash is of several groups.
type TrialGroup struct {
	Code, Label   string
	Before, After Stand
	Change        *gap.Estimate
}

// TrialGap holds the groups against others, whose own scores it embeds. Difference, its interval and Ratio
// are before and after; Moved is the change of the difference.
type TrialGap struct {
	TrialGroup
	Difference   [2]float64
	Intervals    [2]*[2]float64
	Ratio        [2]*float64
	Moved        gap.Estimate
	ByDifference gap.Direction
	ByRatio      gap.Direction
}

// The verdicts of effect.Verdict that are told one by one.
const (
	trialEarly    = "too-early"
	trialSmaller  = "smaller"
	trialLarger   = "larger"
	trialTogether = "shrank-but-comparison-too"
	trialMixed    = "mixed"
)

// restCode is the code of everybody else with those of unknown group.
const restCode = "-rest"

// Effect is what the figures show of an action: first the verdict, with the scores before and after as
// picture and table, then the control chart of the groups with the start marked, the gap to the
// reference over time, and the control charts of those whom they are held against. No sentence says why.
func (t *Teller) Effect(e Trial, m Measure) []Figure {
	report := t.trialTrend(e)
	figures := []Figure{t.verdict(e, m)}
	for i, s := range report.Series {
		if s.Code == e.Target.Code {
			figures = append(figures, t.Series(report, i, m))
		}
	}
	for _, g := range report.Gaps {
		if f, ok := t.GapTime(report, g.Code, m); ok && g.Code == e.Target.Code && e.Reference != nil {
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
func (t *Teller) trialTrend(e Trial) gap.TrendReport {
	r := e.Trend
	r.Dimension = ""
	name := func(code, label string) string {
		if code == e.Target.Code {
			return t.trialTarget(e)
		}
		return t.trialName(e.Dimension, code, label)
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

// trialTarget names the groups that should move.
func (t *Teller) trialTarget(e Trial) string {
	names := make([]string, len(e.Groups))
	for i, g := range e.Groups {
		names[i] = t.trialName(e.Dimension, g.Code, g.Label)
	}
	return t.list(names)
}

// verdict is the figure that says what changed.
func (t *Teller) verdict(e Trial, m Measure) Figure {
	f := Figure{ID: "effect", Title: t.w.Say("effect.title", m.Words.Title, t.day(e.Start))}
	f.Sentences = t.trialSentences(e, m)
	f.Notes = t.trialNotes(e, m)
	f.Table = t.trialTable(e, m, f.Title)
	if rows := t.trialRows(e, m); len(rows) > 0 {
		r := e.Trend
		f.Chart = chart.DotPlot{
			Meta:   t.meta(f, r.Period, r.Filter, source{r.Measure, r.Version, r.Snapshot, r.DataAsOf}),
			Axis:   chart.Axis{Label: t.axisLabel(m), Format: t.axis(m, false)},
			Legend: t.legend(), Rows: rows,
		}
	} else {
		f.Notes = append(f.Notes, t.w.Say("effect.no-chart"))
	}
	return f
}

// trialSentences say the verdict with its figures.
func (t *Teller) trialSentences(e Trial, m Measure) []string {
	if e.Verdict == trialEarly || e.Reference == nil {
		return []string{t.trialEarly(e)}
	}
	r := e.Reference
	var said []string
	switch change := t.moved(m, r.Moved); e.Verdict {
	case trialSmaller:
		said = append(said, t.w.Say("effect.smaller", change))
		if o := e.Others; o != nil && o.Code != r.Code {
			said = append(said, t.w.Say("effect.smaller.others", t.trialName(e.Dimension, o.Code, o.Label),
				t.moved(m, o.Moved)))
		}
	case trialLarger:
		said = append(said, t.w.Say("effect.larger", change))
	case trialTogether:
		said = append(said, t.trialTogether(e, m, change))
	case trialMixed:
		said = append(said, t.trialMixed(r, change))
	default:
		said = append(said, t.w.Say("effect.none", change))
	}
	said = append(said, t.w.Say("effect.scores", t.trialTarget(e), t.stand(m, e.Target.Before),
		t.stand(m, e.Target.After), t.trialName(e.Dimension, r.Code, r.Label), t.stand(m, r.Before),
		t.stand(m, r.After), t.day(e.Start)))
	said = append(said, t.trialAim(e, m)...)
	return append(said, t.w.Say("effect.not-why"))
}

// stand says a score within a sentence.
func (t *Teller) stand(m Measure, s Stand) string {
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
func (t *Teller) trialTogether(e Trial, m Measure, change string) string {
	o := e.Others
	if o == nil {
		return t.w.Say("effect.none", change)
	}
	name := t.trialName(e.Dimension, o.Code, o.Label)
	if e.Reference.Moved.Clear {
		return t.w.Say("effect.together.gap", change, name, t.moved(m, o.Moved))
	}
	return t.w.Say("effect.together", name, t.stand(m, o.Before), t.stand(m, o.After), change)
}

// trialMixed says why no direction is told.
func (t *Teller) trialMixed(r *TrialGap, change string) string {
	opposite := r.ByDifference == gap.Narrows && r.ByRatio == gap.Widens ||
		r.ByDifference == gap.Widens && r.ByRatio == gap.Narrows
	if !opposite {
		return t.w.Say("effect.mixed.turned", change)
	}
	return t.w.Say("effect.mixed.ratio", t.w.Say("time.way."+string(r.ByDifference)), change,
		t.w.Say("time.way."+string(r.ByRatio)))
}

// trialEarly says what there is too little of.
func (t *Teller) trialEarly(e Trial) string {
	const fewestMonths = 3
	switch {
	case min(e.Before.Months, e.After.Months) < fewestMonths:
		return t.w.Say("effect.early.months", t.day(e.Start), t.w.Count(float64(e.Before.Months)),
			t.w.Count(float64(e.After.Months)), t.w.Count(fewestMonths))
	case e.Reference == nil:
		return t.w.Say("effect.early.nobody", t.day(e.Start))
	}
	return t.w.Say("effect.early.units", t.day(e.Start), t.w.Count(smallestGroup))
}

// trialAim says whether the target is reached.
func (t *Teller) trialAim(e Trial, m Measure) []string {
	if e.Aim == nil || e.Reached == nil || e.Target.After.Score == nil {
		return nil
	}
	key := "effect.aim.missed"
	if *e.Reached {
		key = "effect.aim.reached"
	}
	return []string{t.w.Say(key, t.ScoreInWords(m, *e.Aim, &[2]float64{}), t.stand(m, e.Target.After))}
}

// trialNotes say what was compared, what is missing for a demonstrated effect, and what to mind.
func (t *Teller) trialNotes(e Trial, m Measure) []string {
	var notes []string
	if e.Before.Months > 0 && e.After.Months > 0 {
		notes = append(notes, t.w.Say("effect.spans", words.Capital(t.months(e.Before.From, e.Before.To)),
			t.months(e.After.From, e.After.To), t.w.Count(float64(e.Before.Months)),
			t.w.Count(float64(e.After.Months))))
	}
	if e.Demonstrated {
		notes = append(notes, t.w.Say("effect.demonstrated"))
	} else {
		lacks := make([]string, len(e.Missing))
		for i, code := range e.Missing {
			lacks[i] = t.w.Label("effect.missing", code)
		}
		notes = append(notes, t.w.Say("effect.not-demonstrated", strings.Join(lacks, "; ")))
	}
	for _, code := range e.Cautions {
		notes = append(notes, t.w.Label("effect.caution", code))
	}
	if e.Widened > 1 {
		notes = append(notes, t.w.Say("effect.widened", t.w.Number(e.Widened, 1)))
	}
	notes = append(notes, t.w.Label("time.improvement", string(m.Improvement)),
		t.w.Say("effect.parallel"))
	return with(append(notes, t.incomplete(e.Trend.Incomplete)...), m.Words.Caution)
}

// trialLines are the groups of the table and of the picture, with their names.
func (t *Teller) trialLines(e Trial) []trialLine {
	var lines []trialLine
	if len(e.Groups) > 1 {
		lines = append(lines, trialLine{t.w.Say("effect.together.row", t.trialTarget(e)), e.Target, nil, true})
	}
	for _, g := range e.Groups {
		lines = append(lines, trialLine{t.trialName(e.Dimension, g.Code, g.Label), g, nil, len(e.Groups) == 1})
	}
	if r := e.Reference; r != nil {
		lines = append(lines, trialLine{words.Capital(t.trialName(e.Dimension, r.Code, r.Label)), r.TrialGroup, r, false})
	}
	if o := e.Others; o != nil && (e.Reference == nil || o.Code != e.Reference.Code) {
		lines = append(lines, trialLine{words.Capital(t.trialName(e.Dimension, o.Code, o.Label)), o.TrialGroup, o, false})
	}
	return lines
}

// trialLine is a group, with whom the groups are held against where it is that.
type trialLine struct {
	name    string
	group   TrialGroup
	against *TrialGap
	target  bool
}

// trialRows are two rows a group: before and after.
func (t *Teller) trialRows(e Trial, m Measure) []chart.Row {
	var rows []chart.Row
	scored := false
	for _, line := range t.trialLines(e) {
		for _, side := range []struct {
			key string
			Stand
		}{{"effect.row.before", line.group.Before}, {"effect.row.after", line.group.After}} {
			row := t.standRow(m, t.w.Say(side.key, line.name), side.Stand)
			row.Emphasis = line.target && side.key == "effect.row.after"
			row.Reference = line.against != nil && line.against == e.Reference
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
func (t *Teller) standRow(m Measure, name string, s Stand) chart.Row {
	return t.row(m, name, gap.Compared{N: s.N, Score: s.Score, Interval: s.Interval})
}

func (t *Teller) trialTable(e Trial, m Measure, caption string) Table {
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
			moved = &line.against.Moved
		}
		row.Cells = append(row.Cells, t.estimateCells(m, moved)...)
		switch {
		case line.against != nil && line.against == e.Reference:
			row.Kind = KindReference
		case line.target:
			row.Kind = KindSignal
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// standText is a score in a column.
func (t *Teller) standText(m Measure, s Stand) string {
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
