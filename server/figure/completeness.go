package figure

import (
	"slices"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/words"
)

// recordedDimensions are the fields whose completeness is looked at, in the order in which they are asked.
func recordedDimensions() []string {
	return []string{mapping.DimensionRace, mapping.DimensionEthnicity, mapping.DimensionLanguage,
		mapping.DimensionInterpreter}
}

// part is one part of a bar: states that ask for the same to be done about them.
type part struct {
	key    string
	states []mapping.State
}

// partsOfABar are at most six, which is how many a reader tells apart. The table has every state.
func partsOfABar() []part {
	return []part{
		{"time.part.known", []mapping.State{mapping.Known}},
		{"time.part.declined", []mapping.State{mapping.AskedDeclined}},
		{"time.part.no-answer", []mapping.State{mapping.AskedNoAnswer}},
		{"time.part.unknown", []mapping.State{mapping.Unknown}},
		{"time.part.missing", []mapping.State{mapping.Missing}},
		{"time.part.unusable", []mapping.State{mapping.Conflicting, mapping.Unmapped, mapping.TextOnly}},
	}
}

// record is one whole, and how many of it are in each state.
type record struct {
	label  string
	counts map[mapping.State]float64
	hidden map[mapping.State]bool
	total  float64
	// totalHidden says that the total is suppressed.
	totalHidden bool
}

// add counts the initial population of a stratum in a state. The parts of a whole of which one is hidden
// are shown as far as they are told, and never what is left of the whole.
func (r *record) add(state string, c measure.Cell) {
	s := mapping.State(state)
	n, ok := c.Populations[measure.InitialPopulation]
	if !ok {
		r.hidden[s] = true
		return
	}
	r.counts[s] += n
}

// whole says that every part is told, so that a bar can be drawn.
func (r *record) whole() bool { return !r.totalHidden && len(r.hidden) == 0 }

func (r *record) of(states ...mapping.State) float64 {
	sum := 0.0
	for _, s := range states {
		sum += r.counts[s]
	}
	return sum
}

// onRecord counts those with an answer: a declined answer is one.
func (r *record) onRecord() float64 { return r.of(mapping.Known, mapping.AskedDeclined) }

func newRecord(label string) record {
	return record{label: label, counts: map[mapping.State]float64{}, hidden: map[mapping.State]bool{}}
}

// Completeness is how much of race, ethnicity, language and interpreter need is on record, of everybody
// in the initial population of a result, and what the rest is. It looks at the dimensions that the result
// is stratified by.
func (t *Teller) Completeness(r measure.Result, m Measure) Figure {
	f := Figure{ID: "completeness", Title: t.w.Say("time.complete.title")}
	var records []record
	g, ok := groupOf(r, m.Rate)
	for _, dimension := range recordedDimensions() {
		strata, stratified := g.Strata[dimension]
		if ok && stratified {
			label := t.w.DimensionTitle(dimension)
			records = append(records, recordOf(label, g, strata, slices.Contains(g.Overlapping, dimension)))
		}
	}
	return t.records(f, r, records, m, t.w.Say("time.complete.field"))
}

// CompletenessBySite is the same of one dimension, by site. The result is crossed by site and that
// dimension.
func (t *Teller) CompletenessBySite(r measure.Result, dimension string, m Measure) Figure {
	f := Figure{ID: idOf("completeness", dimension, ""),
		Title: t.w.Say("time.complete.sites", t.w.DimensionTitle(dimension))}
	g, _ := groupOf(r, m.Rate)
	key := measure.Stratifier{mapping.DimensionSite, dimension}.String()
	var records []record
	at := map[string]int{}
	for _, s := range g.Strata[key] {
		if len(s.Components) != 2 {
			continue
		}
		site, value := s.Components[0].Coding, s.Components[1].State
		i, ok := at[site.Code+"~"+site.State]
		if !ok {
			i = len(records)
			at[site.Code+"~"+site.State] = i
			records = append(records, newRecord(t.w.Group(mapping.DimensionSite, site)))
		}
		records[i].add(value, s.Cell)
	}
	for i := range records {
		one := &records[i]
		for _, n := range one.counts {
			one.total += n
		}
		one.totalHidden = len(one.hidden) > 0
	}
	f = t.records(f, r, records, m, t.w.DimensionTitle(mapping.DimensionSite))
	if slices.Contains(g.Overlapping, key) {
		f.Notes = append(f.Notes, t.w.Say("time.complete.overlap"))
	}
	return f
}

// groupOf finds a rate of a result; an empty one is the first.
func groupOf(r measure.Result, rate string) (measure.Group, bool) {
	for _, g := range r.Groups {
		if rate == "" || g.ID == rate {
			return g, true
		}
	}
	return measure.Group{}, false
}

// recordOf counts a dimension. Where its groups overlap, those who are known are everybody who is in no
// other state, because they would be counted more than once.
func recordOf(label string, g measure.Group, strata []measure.Stratum, overlapping bool) record {
	one := newRecord(label)
	total, told := g.Populations[measure.InitialPopulation]
	one.total, one.totalHidden = total, !told
	for _, s := range strata {
		one.add(s.State, s.Cell)
	}
	if overlapping && one.whole() {
		one.counts[mapping.Known] = 0
		one.counts[mapping.Known] = total - one.of(mapping.States()...)
	}
	return one
}

func (t *Teller) records(f Figure, r measure.Result, records []record, m Measure, head string) Figure {
	f.Table = t.recordTable(f.Title, records, head)
	if len(records) == 0 {
		f.Sentences = []string{t.w.Say("time.complete.none")}
		return f
	}
	hidden, unequal := false, false
	worst := -1
	for i, one := range records {
		hidden = hidden || !one.whole()
		if one.whole() && one.total > 0 &&
			(worst < 0 || one.onRecord()/one.total < records[worst].onRecord()/records[worst].total) {
			worst = i
		}
		unequal = unequal || one.whole() && one.of(mapping.States()...) != one.total
	}
	if worst >= 0 && len(records) > 1 {
		one := records[worst]
		f.Sentences = append(f.Sentences, t.In(r.Period, t.w.Say("time.complete.worst", one.label,
			t.OfHundred(one.onRecord()/one.total), t.counted(m.Unit, one.total))))
	}
	for _, one := range records {
		f.Sentences = append(f.Sentences, t.recordSentence(one, m))
	}
	f.Notes = append(f.Notes, t.w.Say("time.complete.declined"), t.w.Say("time.complete.unusable"))
	f.Notes = append(f.Notes, t.incomplete(r.Incomplete)...)
	if hidden {
		f.Notes = append(f.Notes, t.w.Say("time.hidden.note"))
	}
	if unequal {
		f.Notes = append(f.Notes, t.w.Say("time.complete.unequal"))
	}
	f.Chart = t.recordChart(f, r, records, m)
	return f
}

// recordSentence says one whole: how many are known, and what each of the others is.
func (t *Teller) recordSentence(one record, m Measure) string {
	if !one.whole() {
		return t.w.Say("time.complete.hidden", one.label)
	}
	if one.total <= 0 {
		return t.w.Say("time.complete.nobody", one.label)
	}
	parts := []string{}
	for _, s := range mapping.States() {
		if n := one.counts[s]; n > 0 && s != mapping.Known {
			parts = append(parts, t.w.Say("time.complete.part", t.OfHundred(n/one.total), t.state(s)))
		}
	}
	known := t.OfHundred(one.counts[mapping.Known] / one.total)
	if len(parts) == 0 {
		return t.w.Say("time.complete.all", one.label, t.counted(m.Unit, one.total))
	}
	return t.w.Say("time.complete.says", one.label, known, t.counted(m.Unit, one.total), t.list(parts))
}

// state names a state within a sentence.
func (t *Teller) state(s mapping.State) string { return t.w.Label("time.state", string(s)) }

func (t *Teller) recordTable(caption string, records []record, head string) Table {
	out := Table{Caption: caption, Columns: []Column{{Title: head},
		{Title: t.w.Say("time.complete.total"), Number: true},
		{Title: t.w.Say("time.complete.answer"), Number: true}}}
	for _, s := range mapping.States() {
		out.Columns = append(out.Columns, Column{Title: words.Capital(t.state(s)), Number: true})
	}
	for _, one := range records {
		row := TableRow{Cells: []Cell{{Text: one.label}, {Text: t.w.Count(one.total)}}}
		answer := Cell{Text: t.NoData()}
		switch {
		case !one.whole():
			answer.Text, row.Kind = t.Suppressed(), KindSuppressed
		case one.total > 0:
			answer.Text = t.OfHundred(one.onRecord() / one.total)
		}
		if one.totalHidden {
			row.Cells[1].Text = t.Suppressed()
		}
		row.Cells = append(row.Cells, answer)
		for _, s := range mapping.States() {
			cell := Cell{Text: t.w.Count(one.counts[s])}
			if one.hidden[s] {
				cell.Text = t.Suppressed()
			} else if n := one.counts[s]; n > 0 && one.whole() {
				cell.Note = t.w.Say("time.complete.of", t.OfHundred(n/one.total))
			}
			row.Cells = append(row.Cells, cell)
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

func (t *Teller) recordChart(f Figure, r measure.Result, records []record, m Measure) chart.Chart {
	c := chart.Completeness{
		Meta:       t.meta(f, r.Period, r.Filter, source{r.Measure, r.Version, r.Snapshot, r.DataAsOf}),
		Suppressed: t.Suppressed(), NoData: t.NoData(),
		Format: func(v float64) string { return t.w.Percent(v, 0) },
	}
	for _, p := range partsOfABar() {
		c.Parts = append(c.Parts, t.w.Say(p.key))
	}
	for _, one := range records {
		row := chart.BarRow{Label: one.label, Text: t.recordSentence(one, m)}
		switch {
		case !one.whole():
			row.State = chart.Suppressed
		case one.total <= 0:
			row.State = chart.NoData
		default:
			row.Note = t.w.Say("figure.n", t.N(one.total))
			for _, p := range partsOfABar() {
				row.Shares = append(row.Shares, one.of(p.states...)/one.total)
			}
		}
		c.Rows = append(c.Rows, row)
	}
	return c
}
