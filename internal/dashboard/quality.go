package dashboard

import (
	"context"
	"net/http"

	"github.com/equitylens/equitylens/server/page"
)

// quality is the page about the data.
func (d *Dashboard) quality() builder {
	open := func(may rights) bool { return may.Figures || may.Sync }
	return builder{open: open, make: func(_ context.Context, v *visit) (*sheet, error) {
		board := v.board(QualityPath)
		board.Title = v.words.Say("board.quality")
		return &sheet{page: func(w http.ResponseWriter, r *http.Request) {
			d.cfg.Pages.Quality(w, r, http.StatusOK, page.Quality{Board: board})
		}}, nil
	}}
}
