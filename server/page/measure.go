package page

import "net/http"

// Measure is the page of one rate of a measure by one dimension.
type Measure struct {
	Board
	// About says of which period, groups and people the figures are.
	About string
	// Refused says why there are no figures, Instead where there are some.
	Refused string
	Instead []Link
	// Contents lead to the parts of the page.
	Contents []Link
	Sections []Section
	// Counted is how the measure counts; nil where that is not shown.
	Counted *Counted
	// Printed says that the page is shown as it is printed: the first section alone. Print leads there,
	// Back to the whole page.
	Printed     bool
	Print, Back string
}

// Section is a part of the page of a measure.
type Section struct {
	Part
	// Name is short, for the list of what the page holds.
	Name string
	// Links lead to where more is told of it.
	Links []Link
	// Further are sentences that stand behind a word, because there are many.
	Further []string
	// TableName is what the table is opened by; "" is the usual word.
	TableName string
	// Others are figures of the same kind, small and behind their name.
	OthersName string
	Others     []Part
}

// Counted is what a measure counts, beside the figure of its population.
type Counted struct {
	Facts []Term
	// Source is in the words and the language of whoever wrote it.
	Source string
	// URL leads to the catalogue, FHIR to the measure as a program reads it.
	URL, FHIR string
}

// Long reports whether the table is so long that its print is set smaller, to stay on one page.
func (s Section) Long() bool {
	const fits = 15 // Rows, with the picture of as many above them.
	return len(s.Table.Rows) > fits
}

// Only is the section that is printed, in a list for templates.
func (m Measure) Only() []Section { return m.Sections[:min(1, len(m.Sections))] }

// Rest are the sections that are not printed.
func (m Measure) Rest() []Section { return m.Sections[min(1, len(m.Sections)):] }

// Measure writes the page of a measure.
func (p *Pages) Measure(w http.ResponseWriter, r *http.Request, status int, m Measure) {
	p.boardPage(w, r, status, "measure", m.Board, m)
}
