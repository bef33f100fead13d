package page

import "net/http"

// Measure is the page of one rate of a measure by one dimension.
type Measure struct {
	Board
	Parts []Part
}

// Measure writes the page of a measure.
func (p *Pages) Measure(w http.ResponseWriter, r *http.Request, status int, m Measure) {
	p.boardPage(w, r, status, "measure", m.Board, m)
}
