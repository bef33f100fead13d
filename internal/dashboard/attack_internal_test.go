package dashboard

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/store/facts"
)

// bare is a snapshot of which nothing is asked.
type bare struct{ Snapshot }

// ID implements Snapshot.
func (bare) ID() string { return "s-1" }

// Facts implements Snapshot.
func (bare) Facts() *facts.Snapshot { return &facts.Snapshot{} }

// TestWhoMayNotSeeSmallGroupsNeverDoes gives somebody figures without those of small groups, which no role
// does today, and lets them ask for more in every way that an address has.
func TestWhoMayNotSeeSmallGroupsNeverDoes(t *testing.T) {
	t.Parallel()
	pages, err := page.New(page.Config{})
	if err != nil {
		t.Fatal(err)
	}
	d := &Dashboard{kept: newKeeper(1 << 20), cfg: Config{
		Hold: func(use func(Snapshot) error) error { return use(bare{}) }, Pages: pages, Now: time.Now,
	}}
	var asked []release.Audience
	b := builder{params: []string{"more"}, make: func(_ context.Context, v *visit) (*sheet, error) {
		asked = append(asked, v.Audience)
		return &sheet{}, nil
	}}
	show := func(_ *http.Request, v *visit, _ *sheet) (*written, error) {
		return &written{header: http.Header{}, body: []byte(v.Audience)}, nil
	}
	inside, outside := rights{Figures: true, Small: true}, rights{Figures: true}
	for _, query := range []string{
		"", "audience=internal", "audience=regulator", "audience=public", "%61udience=internal",
		"audience=%69nternal", "audience=internal&more=1", "more=audience%3Dinternal", "lang=es&audience=internal",
	} {
		r := httptest.NewRequest(http.MethodGet, "/?"+query, http.NoBody)
		// Somebody who may is answered first, so that it is kept.
		if _, err := d.answer(b, show, r, inside, "s"); err != nil {
			t.Errorf("%s: %v", query, err)
		}
		asked = nil
		for _, may := range []rights{outside, {Figures: true, Sync: true}} {
			made, err := d.answer(b, show, r, may, "s")
			if err != nil || string(made.body) != string(release.Public) {
				t.Errorf("%s: %v is answered with %q, %v", query, may, made.body, err)
			}
		}
		for _, a := range asked {
			if a != release.Public {
				t.Errorf("%s: %s was asked for", query, a)
			}
		}
	}
	for _, query := range []string{"AUDIENCE=internal", "audience=internal&audience=public", "audience=Internal",
		"audience=internal%00", "audience[]=internal", "audience=public&audience=internal",
	} {
		r := httptest.NewRequest(http.MethodGet, "/?"+query, http.NoBody)
		if made, err := d.answer(b, show, r, outside, "s"); err == nil {
			t.Errorf("%s: answered with %q", query, made.body)
		}
	}
	for _, one := range role.All() {
		if may := rightsOf([]role.Role{one}); may.Figures && !may.Small {
			t.Errorf("%s sees figures, and not those of small groups: the pages for that need a look", one)
		}
	}
}
