package dashboard

import (
	"context"
	"net/http"

	"github.com/equitylens/equitylens/server/page"
)

// overview is the first page.
func (d *Dashboard) overview() builder {
	return builder{open: seesFigures, make: func(_ context.Context, v *visit) (*sheet, error) {
		board := v.board(OverviewPath)
		board.Title = v.words.Say("board.overview")
		return &sheet{page: func(w http.ResponseWriter, r *http.Request) {
			d.cfg.Pages.Overview(w, r, http.StatusOK, page.Overview{Board: board})
		}}, nil
	}}
}
