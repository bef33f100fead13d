package page

import "net/http"

// Definitions is the catalogue of the measures.
type Definitions struct {
	Board
	Measures []Entry
	// Example is a definition as a file holds it, for those who write one.
	Example string
}

// Entry is one measure of the catalogue.
type Entry struct {
	// ID is its place in the page.
	ID string
	// Title, Says and Caution are its words; Imported says who counts it, where that is not us.
	Title, Says, Caution, Imported string
	// URL leads to its figures, FHIR to it as a program reads it.
	URL, FHIR string
	// Source is where the definition comes from, in the words and the language of whoever wrote it.
	Source string
	// Facts are its version, what it counts and the like.
	Facts []Term
	Rates []Rate
}

// Rate is one of the figures of a measure.
type Rate struct {
	// Title is empty where it is the only one, whose words are those of the measure.
	Title, Says, Caution string
	Facts                []Term
	Conditions           []Condition
}

// Condition says who is in a population, or what is measured of each.
type Condition struct {
	Name string
	// Says is the condition in words; where there are none, it is the expression.
	Says, SQL string
}

// Definitions writes the catalogue.
func (p *Pages) Definitions(w http.ResponseWriter, r *http.Request, status int, d Definitions) {
	p.boardPage(w, r, status, "definitions", d.Board, d)
}
