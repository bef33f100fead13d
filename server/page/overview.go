package page

import (
	"html/template"
	"net/http"

	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/figure"
)

// Overview is the first page: where the largest gaps are, and how far the data can be trusted.
type Overview struct {
	Board
	// About says of what the page is, in one line; Limits what it leaves out.
	About  string
	Limits []string
	// Nothing says why there are no figures; the rest is then empty, apart from the form.
	Nothing  string
	Findings []Finding
	// Notes say what is ranked, and what that does not say. Also lead to the findings that are not listed.
	Notes []string
	Also  []Link
	// Map shows all measures by the groups of one dimension.
	Map *Part
	// Records is how much of race, ethnicity, language and interpreter need is known.
	Records *Part
	// Quality leads to the page of the state of the data.
	Quality Link
	Fresh   *Fresh
	Changed *figure.Figure
}

// Finding is one of the largest gaps.
type Finding struct {
	// Title is that of the figure, Group who is behind and Against whom they are compared with.
	Title, Group, Against string
	// Apart is the gap in short.
	Apart string
	// Says is the gap in a sentence, Caution what the figure does not say.
	Says, Caution string
	Facts         []Term
	// Warnings speak against taking the gap at its face.
	Warnings []string
	// Trend is the score of the group by month; nil where it is not told. TrendSays names the months.
	Trend     chart.Chart
	TrendSays string
	// Next leads to the page where more is told of it; Hint says what to do there, Others what else is
	// found there.
	Next         Link
	Hint, Others string
	// Act leads to where it becomes an action; without an address it is left out.
	Act Link
}

// Fresh is how old and how complete the data are.
type Fresh struct {
	Says  []string
	Table figure.Table
}

// small is a picture as large as a word.
func small(c chart.Chart) (template.HTML, error) { return picture(c, 0) }

// Overview writes the first page.
func (p *Pages) Overview(w http.ResponseWriter, r *http.Request, status int, o Overview) {
	p.boardPage(w, r, status, "overview", o.Board, o)
}
