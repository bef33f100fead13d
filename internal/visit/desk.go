package visit

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/equitylens/equitylens/auth"
	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/auth/session"
	"github.com/equitylens/equitylens/auth/smart"
	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/server/page"
)

// The addresses of people. An EHR or a provider is told LaunchPath and CallbackPath at registration.
const (
	HomePath     = "/"
	AccountPath  = "/account"
	SignInPath   = "/signin"
	SignOutPath  = "/signout"
	LaunchPath   = "/launch"
	CallbackPath = "/callback"
	ChartPrefix  = "/chart/"
)

// Tenant is what a visit needs to know of an EHR or a provider beside what the SMART client knows.
type Tenant struct {
	Name string
	// SignIn says that people may sign in there.
	SignIn bool
	// FrameAncestors may show the page in the chart in a frame.
	FrameAncestors []string
	// As for bedside.Access.
	AllowLoopback        bool
	AllowPrivateNetworks bool
	RootCAs              *x509.CertPool
}

// Auditor keeps the audit trail. After an error the answer that it is about is not given.
type Auditor interface {
	Audit(ctx context.Context, event []byte) error
}

// Charts reads one patient.
type Charts interface {
	Read(ctx context.Context, a bedside.Access) (bedside.View, error)
}

// Bars knows who was sent away by an administrator.
type Bars interface {
	// Barred reports whether everything that was given to a person or a program before a moment is
	// void.
	Barred(ctx context.Context, subject, client string, given time.Time) (bool, error)
}

// Config is what a Desk needs. SMART, Sessions, Charts, Pages and Auditor must be set.
type Config struct {
	Tenants  []Tenant
	SMART    *smart.Client
	Sessions *session.Manager
	Roster   Roster
	Charts   Charts
	Pages    *page.Pages
	Audit    audit.Builder
	Auditor  Auditor
	// Bars is nil where nobody can be sent away.
	Bars Bars
	// API is the base address of the FHIR API, to show to those who sign in.
	API string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Logger hears of visits that failed, by tenant and kind; nil means silence.
	Logger *slog.Logger
}

// Desk receives people. It is safe for concurrent use.
type Desk struct {
	cfg     Config
	tenants map[string]Tenant
	// ancestors are all origins that may frame a page of a launch that failed before it was clear
	// whose it is.
	ancestors []string
}

// New makes a Desk.
func New(cfg Config) (*Desk, error) {
	if cfg.SMART == nil || cfg.Sessions == nil || cfg.Charts == nil || cfg.Pages == nil || cfg.Auditor == nil {
		return nil, errors.New("visit: SMART, Sessions, Charts, Pages and Auditor are required")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	d := &Desk{cfg: cfg, tenants: map[string]Tenant{}}
	for _, t := range cfg.Tenants {
		d.tenants[t.Name] = t
		d.ancestors = append(d.ancestors, t.FrameAncestors...)
	}
	return d, nil
}

// Person implements auth.People: who is signed in on the browser that sends r.
func (d *Desk) Person(r *http.Request) (auth.Person, bool, error) {
	s, err := d.signedIn(r)
	if errors.Is(err, session.ErrNone) {
		return auth.Person{}, false, nil
	}
	if err != nil {
		return auth.Person{}, false, err
	}
	p := s.Person
	return auth.Person{
		Subject: p.Subject, Issuer: p.Issuer, Name: p.Name, FHIRUser: p.FHIRUser, Roles: p.Roles,
		SignedIn: p.SignedIn,
	}, true, nil
}

// signedIn returns the session of the browser, or session.ErrNone.
func (d *Desk) signedIn(r *http.Request) (session.Session, error) {
	s, err := d.cfg.Sessions.Of(r)
	if err != nil {
		return session.Session{}, err
	}
	return s, d.allowed(r.Context(), s)
}

// allowed is session.ErrNone for somebody who was sent away since.
func (d *Desk) allowed(ctx context.Context, s session.Session) error {
	if d.cfg.Bars == nil || s.Person.Subject == "" {
		return nil
	}
	who := auth.Pseudonym(s.Person.Issuer, s.Person.Subject)
	barred, err := d.cfg.Bars.Barred(ctx, who, "", s.Person.SignedIn)
	if err != nil {
		return fmt.Errorf("ask whether the session was ended: %w", err)
	}
	if barred {
		return session.ErrNone
	}
	return nil
}

// SignInURL is where a browser is sent that nobody has signed in on; it comes back to next.
func SignInURL(next string) string { return SignInPath + "?next=" + url.QueryEscape(next) }

// Consent puts the question of the authorization server to a person.
func (d *Desk) Consent(w http.ResponseWriter, r *http.Request, c auth.Consent) {
	d.cfg.Pages.Consent(w, r, http.StatusOK, page.Consent{
		ClientID: c.ClientID, ClientName: c.ClientName, Scopes: c.Scopes, Person: c.Person.Name,
		Issuer: d.nameOf(c.Person.Issuer, r), Action: c.Action, Handle: c.Handle,
		ReturnOrigin: c.ReturnOrigin,
	})
}

// nameOf is what we call the server that vouches for the person of a request.
func (d *Desk) nameOf(issuer string, r *http.Request) string {
	if s, err := d.cfg.Sessions.Of(r); err == nil {
		return s.Person.Tenant
	}
	return issuer
}

// Problem shows an error of the authorization server that must not be sent on.
func (d *Desk) Problem(w http.ResponseWriter, r *http.Request, status int, code, say string) {
	d.cfg.Pages.Problem(w, r, status, page.Problem{
		Kind: page.KindOf(status, code), Detail: say, Reference: reference(w),
	})
}

// reference is the id of the request, by which log and trail find it.
func reference(w http.ResponseWriter) string { return w.Header().Get("X-Request-Id") }

// Agent is somebody in the audit trail. The program through which they act is ours.
func (d *Desk) Agent(r *http.Request, p session.Person) audit.Agent {
	a := audit.Agent{Client: "equitylens", Address: server.Address(r)}
	if p.Subject != "" {
		a.Subject, a.Issuer, a.Name = auth.Pseudonym(p.Issuer, p.Subject), p.Issuer, p.Name
	}
	for _, have := range p.Roles {
		a.Roles = append(a.Roles, string(have))
	}
	return a
}

// note writes an event into the trail, also when the browser has gone.
func (d *Desk) note(ctx context.Context, event []byte, err error) error {
	if err == nil {
		err = d.cfg.Auditor.Audit(context.WithoutCancel(ctx), event)
	}
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

// person is who the identity of a visit is here. Their own resource is the EHR's, so that whoever is told of
// it by us needs its whole address.
func (d *Desk) person(v smart.Visit) session.Person {
	id := v.Identity
	if id == nil {
		return session.Person{Tenant: v.Tenant}
	}
	who := session.Person{
		Tenant: v.Tenant, Issuer: id.Issuer, Subject: id.Subject, Name: id.Name,
		Roles:    d.cfg.Roster.Roles(v.Tenant, id.Subject, id.FHIRUser, id.Claims),
		SignedIn: d.cfg.Now(),
	}
	if v.Token.Base == "" {
		return who
	}
	// An EHR may sign its id_tokens as an issuer of another name, which it tells by discovery alone. The
	// operator knows it by its base, and ends by that what a person was given.
	who.Issuer = v.Token.Base
	if id.FHIRUser != "" {
		who.FHIRUser = v.Token.Base + "/" + id.FHIRUser
	}
	return who
}

// withRole adds a role that comes with the way somebody came.
func withRole(roles []role.Role, more role.Role) []role.Role {
	for _, have := range roles {
		if have == more {
			return roles
		}
	}
	return append(roles[:len(roles):len(roles)], more)
}
