package dashboard

import (
	"context"
	"net/http"

	"github.com/equitylens/equitylens/server/page"
)

// compare is the page of two groups, sites or periods.
func (d *Dashboard) compare() builder {
	return builder{open: seesFigures, make: func(_ context.Context, v *visit) (*sheet, error) {
		board := v.board(ComparePath)
		board.Title = v.words.Say("board.compare")
		return &sheet{page: func(w http.ResponseWriter, r *http.Request) {
			d.cfg.Pages.Compare(w, r, http.StatusOK, page.Compare{Board: board})
		}}, nil
	}}
}
