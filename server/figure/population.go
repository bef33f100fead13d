package figure

import (
	"slices"
	"strings"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/words"
)

// step is one step of the walk from the initial population to the score.
type step struct {
	title string
	// condition is the expression of the definition, adds what each unit adds.
	condition, adds string
	count           float64
	// hidden says that the count is suppressed, sum that it follows from the steps before.
	hidden, sum bool
}

// walk is a rate on its way from the initial population to the score.
type walk struct {
	*Teller
	r          measure.Result
	g          measure.Group
	d          measure.Definition
	conditions map[measure.Population]string
	steps      []step
	// below and above are what stands on either side of the line.
	below, above step
}

// Population is how a rate counts: each condition of its definition, how many meet it, and what is left
// for the score. It is about everybody in the group, whatever their stratum.
func (t *Teller) Population(r measure.Result, d measure.Definition, m Measure) Figure {
	g, _ := groupOf(r, m.Rate)
	w := walk{Teller: t, r: r, g: g, d: d}
	for _, rate := range d.Rates() {
		if rate.ID == g.ID {
			w.conditions = rate.Populations
		}
	}
	w.walk()
	f := Figure{ID: "population", Title: t.w.Say("time.walk.title", m.Words.Title)}
	f.Sentences = w.sentences(m)
	f.Notes = w.notes(m)
	f.Table = w.table(m)
	f.Chart = w.chart(f, m)
	if f.Chart == nil {
		f.Notes = append(f.Notes, t.w.Say("time.walk.no-chart"))
	}
	return f
}

// walk lists the steps of the scoring, in the order in which people are counted.
func (w *walk) walk() {
	w.add(measure.InitialPopulation)
	switch w.g.Scoring {
	case measure.Proportion, measure.Ratio:
		w.below = w.part("time.walk.below", w.add(measure.Denominator),
			w.add(measure.DenominatorExclusion), w.add(measure.DenominatorException))
		w.add(measure.NumeratorInitial)
		w.above = w.part("time.walk.above", w.add(measure.Numerator), w.add(measure.NumeratorExclusion))
	case measure.ContinuousVariable:
		w.below = w.part("time.walk.measured", w.add(measure.MeasurePopulation),
			w.add(measure.MeasureExclusion))
	case measure.Cohort:
	}
}

// add adds the step of a population, where the rate has it.
func (w *walk) add(p measure.Population) step {
	condition, defined := w.conditions[p]
	count, counted := w.g.Populations[p]
	always := slices.Contains([]measure.Population{measure.InitialPopulation, measure.Denominator,
		measure.Numerator, measure.MeasurePopulation}, p)
	s := step{title: words.Capital(w.w.Population(p)), condition: code(condition), count: count}
	if !counted {
		// What is not defined of a rate is nobody. Of a rate of which something is hidden that is not told
		// apart, unless its definition says so.
		s.hidden = w.g.Suppressed && (defined || always || w.d.Imported)
		if !s.hidden {
			return s
		}
	}
	if adds, ok := w.d.Observe[p]; ok && w.g.Scoring == measure.Ratio {
		s.adds = code(adds)
	}
	w.steps = append(w.steps, s)
	return s
}

// part adds what is left of a population without those that are taken from it.
func (w *walk) part(key string, whole step, less ...step) step {
	s := step{title: w.w.Say(key), count: whole.count, hidden: whole.hidden, sum: true}
	for _, l := range less {
		s.count -= l.count
		s.hidden = s.hidden || l.hidden
	}
	w.steps = append(w.steps, s)
	return s
}

// observes says that a ratio is one of sums and not of units.
func (w *walk) observes() bool { return w.g.Scoring == measure.Ratio && len(w.d.Observe) > 0 }

func (w *walk) sentences(m Measure) []string {
	first, t := w.steps[0], w.Teller
	if first.hidden || w.below.hidden || w.above.hidden {
		return []string{t.w.Say("time.walk.hidden")}
	}
	looks := t.counted(m.Unit, first.count)
	score := t.w.Say("time.walk.no-score")
	if w.g.Score != nil {
		score = t.ScoreInWords(m, *w.g.Score, w.g.Interval)
	}
	switch w.g.Scoring {
	case measure.Cohort:
		return []string{t.w.Say("time.walk.cohort", looks)}
	case measure.ContinuousVariable:
		return []string{t.w.Say("time.walk.continuous", looks, t.w.Count(w.below.count),
			t.ScoreUnit(m), score)}
	case measure.Proportion, measure.Ratio:
	}
	if w.g.Scoring == measure.Ratio {
		return []string{t.w.Say("time.walk.ratio", looks, t.w.Count(w.below.count),
			t.w.Count(w.above.count), score)}
	}
	return []string{t.w.Say("time.walk.counts", looks, t.w.Count(w.below.count),
		t.w.Count(w.above.count), score)}
}

func (w *walk) notes(m Measure) []string {
	var notes []string
	if w.d.Imported {
		notes = append(notes, w.w.Say("time.walk.imported"))
	}
	if w.g.Undated > 0 {
		notes = append(notes, w.w.Say("time.walk.undated", w.counted(m.Unit, float64(w.g.Undated))))
	}
	if w.g.Suppressed {
		notes = append(notes, w.w.Say("time.hidden.note"))
	}
	return with(append(notes, w.incomplete(w.r.Incomplete)...), m.Words.Caution)
}

func (w *walk) table(m Measure) Table {
	t := Table{Caption: w.w.Say("time.walk.caption", m.Words.Title), Columns: []Column{
		{Title: w.w.Say("time.walk.step")},
		{Title: w.w.Say("time.walk.count"), Number: true},
		{Title: w.w.Say("time.walk.condition")},
	}}
	if w.observes() {
		t.Columns = append(t.Columns, Column{Title: w.w.Say("time.walk.adds")})
	}
	row := func(kind Kind, cells ...string) {
		r := TableRow{Kind: kind}
		for _, text := range cells[:len(t.Columns)] {
			r.Cells = append(r.Cells, Cell{Text: text})
		}
		t.Rows = append(t.Rows, r)
	}
	for _, s := range w.steps {
		count, kind := w.w.Count(s.count), KindPlain
		if s.sum {
			kind = KindAll
		}
		if s.hidden {
			count, kind = w.Suppressed(), KindSuppressed
		}
		row(kind, s.title, count, s.condition, s.adds)
	}
	switch {
	case w.g.Scoring == measure.Cohort:
	case w.g.Score != nil:
		row(KindAll, w.w.Say("time.score"), w.ScoreInWords(m, *w.g.Score, w.g.Interval), "", "")
	case w.g.Suppressed:
		row(KindSuppressed, w.w.Say("time.score"), w.Suppressed(), "", "")
	default:
		row(KindAll, w.w.Say("time.score"), w.NoData(), "", "")
	}
	return t
}

// chart draws the steps as parts of the initial population. Where sums are counted, or a numerator of
// other people, they are none.
func (w *walk) chart(f Figure, m Measure) chart.Chart {
	whole := w.steps[0]
	if w.g.Scoring == measure.Ratio || w.g.Scoring == measure.Cohort || whole.hidden || whole.count <= 0 {
		return nil
	}
	c := chart.Completeness{
		Meta:       w.meta(f, w.r.Period, w.r.Filter, source{w.r.Measure, w.r.Version, w.r.Snapshot, w.r.DataAsOf}),
		Parts:      []string{w.w.Say("time.walk.part")},
		Suppressed: w.Suppressed(), NoData: w.NoData(),
		Format: func(v float64) string { return w.w.Percent(v, 0) },
	}
	for _, s := range w.steps {
		row := chart.BarRow{Label: s.title, State: chart.Suppressed,
			Text: s.title + ": " + w.Suppressed()}
		if !s.hidden {
			row.State, row.Shares = chart.Shown, []float64{s.count / whole.count}
			row.Note = w.w.Count(s.count)
			row.Text = w.w.Say("time.point", s.title, w.counted(m.Unit, s.count))
		}
		c.Rows = append(c.Rows, row)
	}
	return c
}

// code makes an expression inert and keeps all of it.
func code(expression string) string {
	parts := strings.Fields(expression)
	for i, part := range parts {
		parts[i] = words.Plain(part)
	}
	return strings.Join(parts, " ")
}
