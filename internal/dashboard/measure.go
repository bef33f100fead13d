package dashboard

import (
	"context"
	"net/http"

	"github.com/equitylens/equitylens/server/page"
)

// measure is the page of a measure.
func (d *Dashboard) measure() builder {
	return builder{open: seesFigures, make: func(_ context.Context, v *visit) (*sheet, error) {
		board := v.board(DefinitionsPath)
		board.Title = v.name
		return &sheet{page: func(w http.ResponseWriter, r *http.Request) {
			d.cfg.Pages.Measure(w, r, http.StatusOK, page.Measure{Board: board})
		}}, nil
	}}
}
