package evidence

import (
	"slices"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/words"
)

// The sections of the page, in their order. They are the addresses within it.
const (
	sectionAsked   = "asked"
	sectionGaps    = "gaps"
	sectionPlan    = "plan"
	sectionActs    = "actions"
	sectionReviews = "reviews"
	sectionData    = "data"
	sectionTable   = "table"
	sectionOrigin  = "origin"
)

// builder makes the files of one pack.
type builder struct {
	m      Material
	o      Options
	w      *words.Words
	teller *figure.Teller
	gaps   []gap.Gap
	// language is that of the words, as the questionnaire and definitions name it.
	language string
}

func newBuilder(m Material, o Options, gaps []gap.Gap) *builder {
	base, _ := o.Words.Tag().Base()
	return &builder{
		m: m, o: o, w: o.Words, teller: figure.New(o.Words), gaps: gaps, language: base.String(),
	}
}

// block is a part of the page: what is said, a picture and tables, and parts of its own.
type block struct {
	ID, Title string
	// Warnings are said first, Notes last.
	Warnings, Sentences, Notes []string
	// Chart is nil where there is no picture.
	Chart  chart.Chart
	Tables []table
	Parts  []block
}

// tell takes over what a figure says, shows and lists.
func (b *block) tell(f figure.Figure) {
	b.Sentences, b.Notes = append(b.Sentences, f.Sentences...), append(b.Notes, f.Notes...)
	b.Chart = f.Chart
	if len(f.Table.Rows) > 0 {
		listed := tableOf(f.Table)
		listed.Headed = true // Its title stands above already.
		b.Tables = append(b.Tables, listed)
	}
}

// table is a table of the page.
type table struct {
	Caption string
	// Headed says that the caption stands above as a heading, so that only those hear it who hear the
	// page.
	Headed  bool
	Columns []figure.Column
	Rows    []row
}

// row is one row of a table; its first cell is its head.
type row struct {
	Cells []cell
	Kind  figure.Kind
}

// cell is one cell of a row. Typed says that somebody typed it.
type cell struct {
	Text, Note string
	Typed      bool
	// Link is the id of a section.
	Link string
}

func (b *builder) public() bool { return b.m.Audience == release.Public }

func (b *builder) title() string {
	return b.w.Say("evidence.title", b.w.Period(b.m.Period))
}

// audience says for whom the pack is.
func (b *builder) audience() string {
	if b.public() {
		return b.w.Say("evidence.audience.public")
	}
	return b.w.Say("evidence.audience.internal")
}

// definition finds a definition by its id.
func (b *builder) definition(id string) (measure.Definition, bool) {
	i := slices.IndexFunc(b.m.Definitions, func(d measure.Definition) bool { return d.ID == id })
	if i < 0 {
		return measure.Definition{ID: id}, false
	}
	return b.m.Definitions[i], true
}

// measureTitle is what people call a measure.
func (b *builder) measureTitle(id string) string {
	d, ok := b.definition(id)
	if !ok {
		return words.Plain(id)
	}
	return words.Plain(d.Words(b.language).Title)
}

// rateOf is what sentences need of a rate; an empty one is the first.
func (b *builder) rateOf(id, rate string) (figure.Measure, bool) {
	d, _ := b.definition(id)
	for _, r := range b.m.Results {
		if r.Measure != id {
			continue
		}
		for _, g := range r.Groups {
			if rate == "" || g.ID == rate {
				return b.teller.MeasureOf(d, g), true
			}
		}
	}
	return figure.Measure{}, false
}

// figureTitle names the figure that an action should move.
func (b *builder) figureTitle(aim action.Aim) string {
	if m, ok := b.rateOf(aim.Measure, aim.Rate); ok {
		return m.Words.Title
	}
	return b.measureTitle(aim.Measure)
}

// groups names the groups of an aim.
func (b *builder) groups(dimension string, codes []string) string {
	names := make([]string, len(codes))
	for i, code := range codes {
		names[i] = b.group(dimension, code)
	}
	return join(names)
}

// group names a group by its code. The name of a site is in the results.
func (b *builder) group(dimension, code string) string {
	for _, r := range b.m.Results {
		for _, g := range r.Groups {
			for _, s := range g.Strata[dimension] {
				if s.Code == code && code != "" {
					return b.w.Stratum(dimension, s)
				}
			}
		}
	}
	return b.w.Group(dimension, measure.Coding{Code: code, State: "known", Label: code})
}

func join(names []string) string {
	text := ""
	for i, n := range names {
		if i > 0 {
			text += ", "
		}
		text += n
	}
	return text
}

// column is the head of a column by the key of its title.
func (b *builder) column(key string) figure.Column { return figure.Column{Title: b.w.Say(key)} }

// number is column of numbers.
func (b *builder) number(key string) figure.Column {
	return figure.Column{Title: b.w.Say(key), Number: true}
}

// texts makes cells of texts of ours.
func texts(of ...string) []cell {
	cells := make([]cell, len(of))
	for i, text := range of {
		cells[i] = cell{Text: text}
	}
	return cells
}

// typed is a cell of a text that somebody typed.
func typed(text string) cell { return cell{Text: words.Prose(text), Typed: true} }
