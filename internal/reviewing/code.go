package reviewing

import (
	"net/http"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/server/page"
)

// codes is the page of the codes of the answers.
func (p *Pages) codes(v *room.Visit) (room.Show, error) {
	if _, err := v.Query(); err != nil {
		return nil, err
	}
	t := tellerOf(v, nil)
	out := page.ReviewCodes{Board: v.Board(t.Say("review.codes"), ListPath)}
	out.Lead, out.Crumbs = t.Say("review.codes.lead"), t.crumbs(v)
	for _, s := range []struct {
		id, url string
		table   []review.Concept
	}{
		{"answers", review.SystemAnswer, append(review.Answers(), review.NotAsked())},
		{"factors", review.SystemFactor, review.Factors()},
		{"detections", review.SystemDetection, review.Detections()},
	} {
		system := page.CodeSystem{
			ID: s.id, Title: t.Label("review.codes.title", s.id), Says: t.Label("review.codes.says", s.id), URL: s.url,
		}
		for _, c := range s.table {
			system.Codes = append(system.Codes, page.Code{
				ID: s.id + "-" + c.Code, Code: c.Code, Display: t.in(c.Display), Definition: t.in(c.Definition),
				Example: t.in(c.Example),
			})
		}
		out.Systems = append(out.Systems, system)
	}
	return func(w http.ResponseWriter, r *http.Request) { p.cfg.Room.Pages().ReviewCodes(w, r, out) }, nil
}
