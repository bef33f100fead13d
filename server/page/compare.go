package page

import "net/http"

// Compare is the page of two groups, two sites or two periods.
type Compare struct {
	Board
	Parts []Part
}

// Compare writes the page of a comparison.
func (p *Pages) Compare(w http.ResponseWriter, r *http.Request, status int, c Compare) {
	p.boardPage(w, r, status, "compare", c.Board, c)
}
