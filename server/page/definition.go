package page

import "net/http"

// Definitions is the catalogue of the measures.
type Definitions struct {
	Board
	Measures []Entry
}

// Entry is one measure of the catalogue.
type Entry struct {
	Title, URL, Says, Caution, Source string
	// Facts are its version, what it counts and the like.
	Facts []Term
}

// Definitions writes the catalogue.
func (p *Pages) Definitions(w http.ResponseWriter, r *http.Request, status int, d Definitions) {
	p.boardPage(w, r, status, "definitions", d.Board, d)
}
