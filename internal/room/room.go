package room

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/auth/session"
	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/server/page"
)

// Gate knows who has signed in.
type Gate interface {
	// Signed calls show for somebody who has signed in, and sends everybody else to sign in, from where
	// they come back to the address that they asked for.
	Signed(w http.ResponseWriter, r *http.Request, show func(session.Session))
	// Agent is somebody in the audit trail.
	Agent(r *http.Request, p session.Person) audit.Agent
}

// Auditor keeps the audit trail. After an error the answer that it is about is not given.
type Auditor interface {
	// Note keeps a look.
	Note(ctx context.Context, event []byte) error
	// Audit keeps a change, which outlives the machine when it returns.
	Audit(ctx context.Context, event []byte) error
}

// Config is what a Room needs. Gate, Pages and Auditor must be set.
type Config struct {
	Gate    Gate
	Pages   *page.Pages
	Audit   audit.Builder
	Auditor Auditor
	// Network says that there is a page about a network of institutions.
	Network bool
	// Scopes is what people of some roles may have; nil is role.Scopes.
	Scopes func(roles ...role.Role) scope.Set
	// Faults says what becomes of errors that this package does not know; they come before its own.
	Faults []Fault
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Logger hears of pages that could not be made; nil means silence.
	Logger *slog.Logger
}

// Room lets people in. It is safe for concurrent use.
type Room struct{ cfg Config }

// New makes a Room.
func New(cfg Config) (*Room, error) {
	if cfg.Gate == nil || cfg.Pages == nil || cfg.Auditor == nil {
		return nil, errors.New("room: Gate, Pages and Auditor are required")
	}
	if cfg.Scopes == nil {
		cfg.Scopes = role.Scopes
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Room{cfg}, nil
}

// Pages writes the pages.
func (m *Room) Pages() *page.Pages { return m.cfg.Pages }

// Show writes an answer. Nothing has been written before.
type Show func(w http.ResponseWriter, r *http.Request)

// Handler answers a visit. What it returns is shown after the visit is in the audit trail; after an error
// nothing of it is.
type Handler func(v *Visit) (Show, error)

// requestID is the header with the id of a request, by which log, trail and page find each other.
const requestID = "X-Request-Id"

// Open answers those who have signed in and whose roles cover a scope.
func (m *Room) Open(need string, handle Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.cfg.Gate.Signed(w, back(r), func(s session.Session) { //nolint:contextcheck // v carries the context.
			v := m.visit(w, r, s)
			var show Show
			err := ErrForbidden
			if v.May(need) {
				show, err = handle(v)
			}
			if noted := m.note(v, err); noted != nil {
				show, err = nil, noted
			}
			if err != nil {
				m.fail(w, r, err)
				return
			}
			show(w, r)
		})
	})
}

// back is the request that somebody comes back to who has to sign in first. A form is not sent again:
// they come back to its page.
func back(r *http.Request) *http.Request {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return r
	}
	b := r.Clone(r.Context())
	b.URL = &url.URL{Path: r.URL.Path, RawQuery: r.URL.RawQuery}
	b.Method, b.RequestURI = http.MethodGet, b.URL.RequestURI()
	return b
}

// MaxForm bounds a form, in bytes.
const MaxForm = 64 << 10

// Route is a route of the server whose handler is a page of the room.
func (m *Room) Route(method, path, need string, handle Handler) server.Page {
	return server.Page{
		Method: method, Path: path, Body: MaxForm, Handler: m.Open(need, handle),
		Session: "shows what the roles of the session may see, and sends others to sign in",
	}
}

// covers reports whether roles open what needs a scope; everybody has "".
func covers(set scope.Set, need string) bool {
	if need == "" {
		return true
	}
	one, err := scope.Parse(need)
	return err == nil && set.Covers(one)
}

// visit is a request of somebody who has signed in.
func (m *Room) visit(w http.ResponseWriter, r *http.Request, s session.Session) *Visit {
	return &Visit{
		Request: r, Person: s.Person, Words: m.cfg.Pages.Words(r), Now: m.cfg.Now(),
		room: m, writer: w, agent: m.cfg.Gate.Agent(r, s.Person), may: m.cfg.Scopes(s.Person.Roles...),
	}
}

// note writes into the trail who looked at what or did what, before they see it. A browser that has gone
// makes no difference to it.
func (m *Room) note(v *Visit, fault error) error {
	outcome := v.outcome
	if fault != nil {
		status, _ := m.judge(fault)
		outcome = audit.Outcome{Grade: audit.Refused, Words: http.StatusText(status)}
		if status >= http.StatusInternalServerError {
			outcome.Grade = audit.Failed
		}
	}
	ctx := context.WithoutCancel(v.Request.Context())
	event, keep := []byte(nil), m.cfg.Auditor.Note
	var err error
	if v.changes() {
		keep = m.cfg.Auditor.Audit
		event, err = m.cfg.Audit.Decide(v.decision(outcome))
	} else {
		event, err = m.cfg.Audit.Access(v.access(outcome))
	}
	if err == nil {
		err = keep(ctx, event)
	}
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

// access is a look in the audit trail.
func (v *Visit) access(outcome audit.Outcome) audit.Access {
	r := v.Request
	query := strings.TrimPrefix(r.URL.Path, "/")
	if r.URL.RawQuery != "" {
		query += "?" + r.URL.RawQuery
	}
	return audit.Access{
		Agent: v.agent, Outcome: outcome, Interaction: audit.Search, Query: query,
		Request: v.reference(), Patients: v.patients,
		Details: append([]audit.Detail{{Name: "route", Value: "page"}}, v.details...),
	}
}

// decision is a change in the audit trail, or one that was asked for.
func (v *Visit) decision(outcome audit.Outcome) audit.Decision {
	d := audit.Decision{
		Agent: v.agent, Outcome: outcome, Code: v.deed.Code, Display: v.deed.Display,
		Resource: v.deed.Resource, Version: v.deed.Version, Patients: v.patients,
		Request: v.reference(), Details: v.details,
	}
	if d.Code == "" {
		d.Code, d.Display = "form", "form sent"
	}
	if d.Resource == "" {
		d.Details = append(d.Details[:len(d.Details):len(d.Details)],
			audit.Detail{Name: "path", Value: v.Request.URL.Path})
	}
	return d
}
