package page

import (
	"net/http"

	"github.com/equitylens/equitylens/server/figure"
)

// Compare is the page of two groups, two sites or two periods.
type Compare struct {
	Board
	// Warning is what has to be read before any figure; nil where there is no such thing.
	Warning *Warning
	Parts   []Part
}

// Warning says that the figure which is seen first misleads, and shows the table by which.
type Warning struct {
	Title, Text string
	Table       figure.Table
	// More leads to the part that tells more.
	More Link
}

// Compare writes the page of a comparison.
func (p *Pages) Compare(w http.ResponseWriter, r *http.Request, status int, c Compare) {
	p.boardPage(w, r, status, "compare", c.Board, c)
}
