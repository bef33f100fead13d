package page

import "net/http"

// Overview is the first page: where the largest gaps are, and how far the data can be trusted.
type Overview struct {
	Board
	Parts []Part
}

// Overview writes the first page.
func (p *Pages) Overview(w http.ResponseWriter, r *http.Request, status int, o Overview) {
	p.boardPage(w, r, status, "overview", o.Board, o)
}
