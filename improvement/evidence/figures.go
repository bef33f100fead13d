package evidence

import (
	"errors"
	"slices"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/words"
	"github.com/equitylens/equitylens/store/facts"
)

// shown is how many of the largest gaps are told.
const shown = 10

// confidence is that of every interval.
const confidence = 0.95

// printed are the dimensions of the stratified table on paper. The files beside it hold all nine.
func printed() []string {
	return []string{
		mapping.DimensionRaceEthnicity, mapping.DimensionLanguageGroup, mapping.DimensionInterpreter,
		mapping.DimensionSex, mapping.DimensionAgeBand, mapping.DimensionSite,
	}
}

// rates lists every rate of the results, as sentences need it.
func (b *builder) rates() []figure.Measure {
	var rates []figure.Measure
	for _, r := range b.m.Results {
		d, _ := b.definition(r.Measure)
		for _, g := range r.Groups {
			rates = append(rates, b.teller.MeasureOf(d, g))
		}
	}
	return rates
}

// gapSection tells the largest gaps.
func (b *builder) gapSection() block {
	found := b.teller.Findings(b.gaps, b.rates(), b.m.Period, shown)
	out := block{
		ID: sectionGaps, Title: b.sectionTitle(sectionGaps), Sentences: []string{found.Sentence}, Notes: found.Notes,
	}
	if len(found.Found) == 0 {
		return out
	}
	t := table{
		Caption: b.w.Say("evidence.gaps.caption"),
		Columns: []figure.Column{
			b.column("evidence.measure"), b.column("evidence.gaps.says"), b.column("evidence.gaps.sure"),
		},
	}
	for _, f := range found.Found {
		says := cell{Text: f.Sentence}
		for _, warning := range f.Warnings {
			says.Note += warning + " "
		}
		t.Rows = append(t.Rows, row{Cells: []cell{{Text: f.Title}, says, {Text: f.Sure, Note: f.Reliability}}})
	}
	out.Tables = []table{t}
	return out
}

// tableSection is the stratified table: every rate by the dimensions that are printed.
func (b *builder) tableSection() block {
	out := block{
		ID: sectionTable, Title: b.sectionTitle(sectionTable),
		Sentences: []string{b.w.Say("evidence.table.about", TableFile, BookFile)},
	}
	for _, r := range b.m.Results {
		d, _ := b.definition(r.Measure)
		part := block{Title: b.measureTitle(r.Measure)}
		part.Sentences = append(part.Sentences, said(d.Words(b.language).Says)...)
		if !r.Complete {
			part.Warnings = append(part.Warnings, b.w.Say("evidence.partial", part.Title))
		}
		for _, g := range r.Groups {
			part.Parts = append(part.Parts, b.rateBlock(r, b.teller.MeasureOf(d, g), g))
		}
		out.Parts = append(out.Parts, part)
	}
	for _, id := range b.m.Withheld {
		out.Notes = append(out.Notes, b.w.Say("evidence.table.withheld", b.measureTitle(id)))
	}
	return out
}

func said(text string) []string {
	if text == "" {
		return nil
	}
	return []string{words.Prose(text)}
}

// rateBlock is one rate by each dimension. A dimension by which the rate says nothing is named.
func (b *builder) rateBlock(r measure.Result, m figure.Measure, g measure.Group) block {
	out := block{Title: m.Words.Title}
	for _, dimension := range printed() {
		if len(g.Strata[dimension]) == 0 {
			continue
		}
		compared, err := gap.Compare(r, g.ID, dimension, gap.Options{Reference: gap.Best})
		if errors.Is(err, gap.ErrNoReference) {
			compared, err = gap.Compare(r, g.ID, dimension, gap.Options{Reference: gap.Overall})
		}
		if err != nil {
			out.Notes = append(out.Notes, b.w.Say("evidence.table.not", b.w.Dimension(dimension)))
			continue
		}
		told := b.teller.Groups(compared, m)
		out.Tables = append(out.Tables, tableOf(told.Table))
		for _, note := range told.Notes {
			if !slices.Contains(out.Notes, note) {
				out.Notes = append(out.Notes, note)
			}
		}
	}
	out.Notes = append(out.Notes, said(m.Words.Caution)...)
	return out
}

// tableOf is the twin of a picture as a table of the page.
func tableOf(t figure.Table) table {
	out := table{Caption: t.Caption, Columns: t.Columns}
	for _, r := range t.Rows {
		one := row{Kind: r.Kind}
		for _, c := range r.Cells {
			one.Cells = append(one.Cells, cell{Text: c.Text, Note: c.Note})
		}
		out.Rows = append(out.Rows, one)
	}
	return out
}

// dataSection says how much is known of who the patients are, and what the data cannot tell.
func (b *builder) dataSection() block {
	out := block{
		ID: sectionData, Title: b.sectionTitle(sectionData),
		Sentences: []string{b.w.Say("evidence.data.about")},
		Notes: []string{
			b.w.Say("evidence.data.own"), b.w.Say("evidence.data.reported"), b.w.Say("evidence.data.social"),
		},
	}
	for _, r := range b.m.Results {
		if r.Measure != "real-completeness" {
			continue
		}
		d, _ := b.definition(r.Measure)
		t := table{
			Caption: b.w.Say("evidence.data.caption", b.w.Period(b.m.Period)),
			Columns: []figure.Column{
				b.column("evidence.measure"), b.number("evidence.data.people"), b.number("evidence.data.share"),
			},
		}
		for _, g := range r.Groups {
			t.Rows = append(t.Rows, b.recordedRow(b.teller.MeasureOf(d, g), g))
		}
		out.Tables = append(out.Tables, t)
	}
	if b.m.QualityMissing {
		out.Warnings = append(out.Warnings, b.w.Say("evidence.data.none"))
	}
	if len(b.m.Completeness) > 0 {
		out.Tables = append(out.Tables, b.states())
	}
	return out
}

func (b *builder) recordedRow(m figure.Measure, g measure.Group) row {
	one := row{Cells: texts(m.Words.Title, "", "")}
	switch {
	case g.Suppressed:
		one.Kind, one.Cells[2].Text = figure.KindSuppressed, b.teller.Suppressed()
	case g.Score == nil:
		one.Cells[2].Text = b.teller.NoData()
	default:
		one.Cells[1].Text = b.w.Count(g.Populations[measure.Denominator])
		one.Cells[2].Text = b.teller.Score(m, *g.Score, g.Interval)
	}
	return one
}

// states counts everybody of the snapshot by what is known of each field.
func (b *builder) states() table {
	t := table{
		Caption: b.w.Say("evidence.data.states"),
		Columns: []figure.Column{
			b.column("evidence.data.field"), b.column("evidence.data.state"), b.number("evidence.data.people"),
			b.number("evidence.data.share"),
		},
	}
	type key struct {
		field string
		state mapping.State
	}
	people, all := map[key]int64{}, map[string]int64{}
	var keys []key
	for _, c := range b.m.Completeness {
		k := key{c.Field, c.State}
		if _, seen := people[k]; !seen {
			keys = append(keys, k)
		}
		people[k] += c.People
		all[c.Field] += c.People
	}
	order := measure.Dimensions()
	slices.SortStableFunc(keys, func(x, y key) int {
		if x.field != y.field {
			return slices.Index(order, x.field) - slices.Index(order, y.field)
		}
		return compareCounts(people[y], people[x], string(x.state), string(y.state))
	})
	for _, k := range keys {
		t.Rows = append(t.Rows, row{Cells: texts(b.w.DimensionTitle(k.field),
			b.w.Label("quality.state", string(k.state)), b.w.Count(float64(people[k])),
			b.w.Percent(float64(people[k])/float64(all[k.field]), 1))})
	}
	return t
}

// compareCounts orders by count, and of equal ones by name.
func compareCounts(x, y int64, a, b string) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// originSection says where all of it comes from, so that it can be made again.
func (b *builder) originSection() block {
	t := table{
		Caption: b.w.Say("evidence.origin.caption"),
		Columns: []figure.Column{b.column("evidence.origin.what"), b.column("evidence.origin.value")},
	}
	line := func(key, value string) {
		if value != "" {
			t.Rows = append(t.Rows, row{Cells: []cell{{Text: b.w.Say(key)}, {Text: words.Plain(value)}}})
		}
	}
	line("evidence.origin.period", b.w.Period(b.m.Period))
	line("evidence.origin.audience", b.audience())
	line("evidence.origin.snapshot", b.m.Info.ID)
	line("evidence.origin.digest", b.m.Info.Digest)
	line("evidence.origin.data", b.w.Moment(b.m.Info.DataAsOf))
	line("evidence.origin.mapped", b.m.Info.Software)
	line("evidence.origin.software", b.o.Software)
	line("evidence.origin.questionnaire", b.m.Questionnaire.Version)
	out := block{
		ID: sectionOrigin, Title: b.sectionTitle(sectionOrigin), Tables: []table{t, b.definitions()},
		Sentences: []string{b.w.Say("evidence.origin.about")},
		Notes:     []string{b.w.Say("evidence.origin.method", b.w.Percent(confidence, 0)), b.w.Say("evidence.origin.cause")},
	}
	if len(b.m.Info.Loads) > 0 {
		out.Tables = append(out.Tables, b.loads(b.m.Info.Loads))
	}
	return out
}

func (b *builder) definitions() table {
	t := table{
		Caption: b.w.Say("evidence.origin.definitions"),
		Columns: []figure.Column{
			b.column("evidence.measure"), b.column("evidence.origin.id"), b.column("evidence.origin.version"),
			b.column("evidence.origin.from"),
		},
	}
	for _, r := range b.m.Results {
		d, _ := b.definition(r.Measure)
		t.Rows = append(t.Rows, row{Cells: texts(b.measureTitle(r.Measure), r.Measure, words.Plain(r.Version),
			words.Prose(d.Source))})
	}
	return t
}

func (b *builder) loads(loads []facts.Load) table {
	t := table{
		Caption: b.w.Say("evidence.origin.loads"),
		Columns: []figure.Column{
			b.column("evidence.origin.source"), b.column("evidence.origin.type"), b.column("evidence.origin.data"),
			b.column("evidence.origin.whole"), b.number("evidence.origin.refused"),
		},
	}
	for _, l := range loads {
		whole := b.w.Say("evidence.no")
		if l.Complete {
			whole = b.w.Say("evidence.yes")
		}
		t.Rows = append(t.Rows, row{Cells: texts(words.Plain(l.Source), words.Capital(b.w.Resource(l.Type)),
			b.w.Moment(l.TransactionTime), whole, b.w.Count(float64(l.Refused)))})
	}
	return t
}
