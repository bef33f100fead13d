package page

import "net/http"

// Quality is the page about the data themselves.
type Quality struct {
	Board
	Parts []Part
}

// Quality writes the page about the data.
func (p *Pages) Quality(w http.ResponseWriter, r *http.Request, status int, q Quality) {
	p.boardPage(w, r, status, "quality", q.Board, q)
}
