package dashboard

import (
	"net/url"

	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server/page"
)

// act leads to where a gap becomes an action: what was found, of whom, when, and against which reference.
// It is no link where the reader keeps no actions, or sees what is public alone.
func (v *visit) act(id, rate, dimension, code, period string) page.Link {
	if !v.rights.Improve || v.Audience == release.Public || dimension == "" || code == "" {
		return page.Link{}
	}
	a := address{
		Path: page.ActionsPath + "/new", Period: period, Rate: rate, By: dimension, Group: code,
		Reference: v.Reference, Language: v.Language, More: url.Values{"measure": {id}},
	}
	return page.Link{Text: v.words.Say("board.act"), URL: a.String()}
}
