package room_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/auth/session"
	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/internal/worldtest"
	"github.com/equitylens/equitylens/server/page"
)

// people lets everybody in who has roles; the others are sent to sign in.
type people struct{ roles []role.Role }

// Signed implements room.Gate.
func (p people) Signed(w http.ResponseWriter, r *http.Request, show func(session.Session)) {
	if len(p.roles) == 0 {
		http.Redirect(w, r, "/signin?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		return
	}
	show(session.Session{ID: "s", Person: session.Person{Subject: "u", Name: "Ann", Roles: p.roles}})
}

// Agent implements room.Gate.
func (people) Agent(_ *http.Request, p session.Person) audit.Agent {
	return audit.Agent{Client: "equitylens", Subject: "pseudonym-of-" + p.Subject, Issuer: "https://ehr", Name: p.Name}
}

// errTrail is the error of a trail that broke down.
var errTrail = errors.New("the disk of the trail is full")

// trail is an audit trail that a test reads, and that breaks down on request.
type trail struct {
	mu           sync.Mutex
	noted, acted []string
	broken       bool
}

// Note implements room.Auditor.
func (t *trail) Note(_ context.Context, event []byte) error { return t.keep(&t.noted, event) }

// Audit implements room.Auditor.
func (t *trail) Audit(_ context.Context, event []byte) error { return t.keep(&t.acted, event) }

func (t *trail) keep(in *[]string, event []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	*in = append(*in, string(event))
	if t.broken {
		return errTrail
	}
	return nil
}

// written are the pages, which are made once: they are not changed by being used.
var written = sync.OnceValues(func() (*page.Pages, error) { return page.New(page.Config{}) })

// rig is a room with somebody in it.
type rig struct {
	*room.Room
	trail *trail
	log   *worldtest.Log
}

func newRig(t testing.TB, config room.Config, roles ...role.Role) *rig {
	t.Helper()
	out := &rig{trail: &trail{}, log: &worldtest.Log{}}
	pages, err := written()
	if err != nil {
		t.Fatal(err)
	}
	config.Gate, config.Pages, config.Auditor = people{roles}, pages, out.trail
	config.Now = worldtest.At(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)).Now
	config.Audit = audit.Builder{Observer: "test", Now: config.Now}
	config.Logger = slog.New(slog.NewTextHandler(out.log, nil))
	if out.Room, err = room.New(config); err != nil {
		t.Fatal(err)
	}
	return out
}

// ask sends a request to a page, as a browser does. A form is sent by POST.
func (r *rig) ask(need string, handle room.Handler, address string, form ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodGet, address, nil)
	if len(form) > 0 {
		request = httptest.NewRequest(http.MethodPost, address, strings.NewReader(strings.Join(form, "&")))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	w.Header().Set("X-Request-Id", "r-1")
	r.Open(need, handle).ServeHTTP(w, request)
	return w
}

// text shows a text.
func text(said string) room.Show {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(said)) }
}
