package figure

import (
	"cmp"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/words"
)

// Figure is what is shown of one question about one result.
type Figure struct {
	// ID is stable, and stands in addresses and names of files: groups, sites, funnel, time, gap,
	// completeness and so on; a series adds its code, as in time-es.
	ID    string
	Title string
	// Sentences are plain text; the first is the one that matters.
	Sentences []string
	// Notes say what the figure does not say, and what is not given and why.
	Notes []string
	// Chart is nil where there is nothing to draw; Notes then say why.
	Chart chart.Chart
	// Table says everything that the picture shows.
	Table Table
}

// Table is the twin of a picture.
type Table struct {
	Caption string
	Columns []Column
	Rows    []TableRow
}

// Column is one column of a table. The unit of its numbers is in the title.
type Column struct {
	Title string
	// Number says that the cells are numbers, to be written one below the other.
	Number bool
}

// TableRow is one row of a table, with a cell for each column; the first cell is the head of the
// row.
type TableRow struct {
	Cells []Cell
	Kind  Kind
}

// Cell is one cell of a table.
type Cell struct {
	Text string
	// Href is a relative address that the text leads to. The caller sets it.
	Href string
	// Note is said of the figure in small print, such as why it is not to be relied on.
	Note string
}

// Kind says what a row of a table is, beside a group like others.
type Kind string

// The kinds. An unknown row is of people whose group is not known, whatever the reason; a
// suppressed one holds figures that are hidden; a row of kind signal is outside of limits.
const (
	KindPlain      Kind = ""
	KindReference  Kind = "reference"
	KindUnknown    Kind = "unknown"
	KindAll        Kind = "all"
	KindSignal     Kind = "signal"
	KindSuppressed Kind = "suppressed"
)

// Measure is what sentences need of one rate of a measure.
type Measure struct {
	// ID is that of the measure, Rate that of its group.
	ID   string
	Rate string
	// Words are those of the rate, in the language of the Teller.
	Words       measure.Words
	Scoring     measure.Scoring
	Improvement measure.Improvement
	// Aggregate is that of a continuous variable, else empty.
	Aggregate measure.Aggregate
	// Per is the scale of scores: 1 for a proportion, 1000 for a rate per 1,000.
	Per float64
	// Unit is what is counted.
	Unit measure.Unit
}

// MeasureOf gathers what sentences need of a rate, as a Teller of that language tells it. Of a
// measure that nobody defines any more, or of a rate that it has no more, the title is that of the
// result.
func (t *Teller) MeasureOf(d measure.Definition, g measure.Group) Measure {
	m := Measure{
		ID: d.ID, Rate: g.ID, Scoring: g.Scoring, Improvement: g.Improvement,
		Aggregate: g.Aggregate, Per: g.Per, Unit: d.Unit,
	}
	for _, rate := range d.Rates() {
		if rate.ID == g.ID {
			m.Words = rate.Words(t.language())
		}
	}
	// The other words are checked when a definition is read; a title may be of another engine.
	m.Words.Title = words.Plain(cmp.Or(m.Words.Title, g.Title))
	return m
}

// Teller makes figures in one language. It is not changed once made, and may be used by many
// goroutines at once.
type Teller struct{ w *words.Words }

// New makes figures in the language of some words.
func New(w *words.Words) *Teller { return &Teller{w} }

// Words says everything else in the language of the figures.
func (t *Teller) Words() *words.Words { return t.w }

// language is the language as definitions name it.
func (t *Teller) language() string {
	base, _ := t.w.Tag().Base()
	return base.String()
}
