package dashboard

import (
	"context"
	"net/http"

	"github.com/equitylens/equitylens/server/page"
)

// definitions is the catalogue.
func (d *Dashboard) definitions() builder {
	return builder{open: seesFigures, make: func(_ context.Context, v *visit) (*sheet, error) {
		out := page.Definitions{Board: v.board(DefinitionsPath)}
		out.Title = v.words.Say("board.definitions")
		list := v.snapshot.Definitions()
		for i := range list {
			m := &list[i]
			base, _ := v.words.Tag().Base()
			said := m.Words(base.String())
			out.Measures = append(out.Measures, page.Entry{
				Title: said.Title, URL: v.to(MeasurePath + m.ID).String(), Says: said.Says,
				Caution: said.Caution, Source: m.Source,
			})
		}
		return &sheet{page: func(w http.ResponseWriter, r *http.Request) {
			d.cfg.Pages.Definitions(w, r, http.StatusOK, out)
		}}, nil
	}}
}
