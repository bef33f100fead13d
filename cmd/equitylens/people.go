package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/equitylens/equitylens/auth"
	"github.com/equitylens/equitylens/auth/grant"
	"github.com/equitylens/equitylens/auth/keys"
	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/auth/session"
	"github.com/equitylens/equitylens/auth/smart"
	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/internal/cds"
	"github.com/equitylens/equitylens/internal/config"
	"github.com/equitylens/equitylens/internal/dashboard"
	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/internal/live"
	"github.com/equitylens/equitylens/internal/visit"
	"github.com/equitylens/equitylens/measure/report"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/store/cache"
	"github.com/equitylens/equitylens/store/trail"
)

// What is asked for where the configuration does not say.
const (
	chartScopes = "launch openid fhirUser profile online_access patient/Patient.rs " +
		"patient/Encounter.rs patient/AdverseEvent.rs"
	signInScopes = "openid profile"
)

// outside is a server of others as all that speak to it need it.
type outside struct {
	name            string
	smart           smart.Tenant
	loopback        bool
	privateNetworks bool
	roots           *x509.CertPool
	frameAncestors  []string
	hooks           config.CDSHooks
	base            string
}

// outsiders reads the EHRs and providers of the configuration, with the files that they name.
func outsiders(cfg *config.Config) (list []outside, err error) {
	var faults []error
	for i := range cfg.EHRs {
		e := &cfg.EHRs[i]
		o, err := registration(&e.Registration, chartScopes)
		if err != nil {
			faults = append(faults, fmt.Errorf("ehrs[%d]: %w", i, err))
			continue
		}
		o.smart.Issuer, o.smart.Launch, o.smart.SignIn = e.BaseURL, e.Chart, e.SignIn
		o.base, o.hooks, o.frameAncestors = e.BaseURL, e.CDSHooks, e.FrameAncestors
		if u, err := url.Parse(e.BaseURL); err == nil && len(o.frameAncestors) == 0 {
			o.frameAncestors = []string{u.Scheme + "://" + u.Host}
		}
		list = append(list, o)
	}
	for i := range cfg.People.Providers {
		p := &cfg.People.Providers[i]
		o, err := registration(&p.Registration, signInScopes)
		if err != nil {
			faults = append(faults, fmt.Errorf("people.providers[%d]: %w", i, err))
			continue
		}
		o.smart.Issuer, o.smart.SignIn, o.smart.OIDC = p.Issuer, true, true
		list = append(list, o)
	}
	return list, errors.Join(faults...)
}

func registration(r *config.Registration, usual string) (outside, error) {
	o := outside{name: r.Name, loopback: r.Loopback, privateNetworks: r.PrivateNetworks}
	scopes := r.Scopes
	if len(scopes) == 0 {
		scopes = strings.Fields(usual)
	}
	ways := map[config.Identification]smart.ClientAuth{
		"": smart.PrivateKeyJWT, config.Key: smart.PrivateKeyJWT, config.Public: smart.Public,
		config.Secret: smart.SecretBasic,
	}
	o.smart = smart.Tenant{
		Name: r.Name, ClientID: r.ClientID, ClientAuth: ways[r.Identify], Scopes: scopes,
		Algorithm:     jose.SignatureAlgorithm(r.Algorithm),
		AllowLoopback: r.Loopback, AllowPrivateNetworks: r.PrivateNetworks,
	}
	if r.SecretFile != "" {
		text, err := os.ReadFile(r.SecretFile)
		if err != nil {
			return o, fmt.Errorf("secret_file: %w", err)
		}
		o.smart.Secret = strings.TrimSpace(string(text))
	}
	var err error
	o.roots, err = certificates(r.CAFile)
	o.smart.RootCAs = o.roots
	return o, err
}

// certificates reads those that the key ca_file names; nil, the system's, where it names none.
func certificates(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // It is how crypto/tls is told to take the system's.
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("ca_file: %s holds no PEM certificate", path)
	}
	return pool, nil
}

// roster reads who has which role. The configuration was validated.
func roster(cfg *config.Config) visit.Roster {
	r := visit.Roster{
		Claim: cfg.People.RoleClaim, Values: map[role.Role][]string{}, Named: map[string][]role.Role{},
	}
	for name, values := range cfg.People.Roles {
		r.Values[role.Role(name)] = values
	}
	for _, n := range cfg.People.Named {
		for _, name := range n.Roles {
			r.Named[n.ID] = append(r.Named[n.ID], role.Role(name))
		}
	}
	return r
}

// reception is all that receives people and EHRs: nil parts where none is configured.
type reception struct {
	desk     *visit.Desk
	board    *dashboard.Dashboard
	rooms    []server.Page
	hooks    *cds.Service
	bars     *grant.Storage
	sessions *session.Manager
	idKeys   *keys.Set
	list     []outside
}

// receive builds it.
func (a *api) receive(store cache.Store, ours *keys.Set, auditor *trail.Trail) (*reception, error) {
	list, err := outsiders(a.cfg)
	if err != nil {
		return nil, err
	}
	r := &reception{bars: grant.New(grant.Config{Store: store, Now: a.program.now}), list: list}
	if len(list) == 0 {
		return r, nil
	}
	if r.idKeys, err = a.program.openKeySet(a.cfg, "identity"); err != nil {
		return nil, err
	}
	m, err := mapper(a.cfg)
	if err != nil {
		return nil, err
	}
	charts, err := bedside.New(bedside.Config{Mapper: m, Store: store, Now: a.program.now, Logger: a.logger})
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, closing(charts.Close))
	events := audit.Builder{Observer: "EquityLens", Address: a.url, Now: a.program.now}
	pages, err := a.pages()
	if err != nil {
		return nil, err
	}
	if err := a.receivePeople(r, pages, store, ours, charts, events, auditor); err != nil {
		return nil, err
	}
	if r.board, err = a.dashboard(r.desk, pages, events, auditor); err != nil {
		return nil, err
	}
	if r.rooms, err = a.rooms(r.desk, pages, events, auditor); err != nil {
		return nil, err
	}
	return r, a.receiveHooks(r, store, charts, events, auditor)
}

// closing is a function as an io.Closer.
type closing func()

// Close implements io.Closer.
func (c closing) Close() error {
	c()
	return nil
}

func (a *api) receivePeople(
	r *reception, pages *page.Pages, store cache.Store, ours *keys.Set, charts *bedside.Reader,
	events audit.Builder, auditor visit.Auditor,
) error {
	var tenants []smart.Tenant
	var known []visit.Tenant
	for _, o := range r.list {
		tenants = append(tenants, o.smart)
		known = append(known, visit.Tenant{
			Name: o.name, SignIn: o.smart.SignIn, FrameAncestors: o.frameAncestors,
			AllowLoopback: o.loopback, AllowPrivateNetworks: o.privateNetworks, RootCAs: o.roots,
		})
	}
	app, err := smart.New(smart.Config{
		Tenants: tenants, Store: store, Keys: ours, RedirectURI: a.url + visit.CallbackPath,
		Now: a.program.now, Logger: a.logger,
	})
	if err != nil {
		return err
	}
	a.closers = append(a.closers, closing(app.Close))
	r.sessions, err = session.New(session.Config{
		Store: store, Life: a.cfg.People.SessionLife.Duration, Idle: a.cfg.People.Idle.Duration,
		Insecure: strings.HasPrefix(a.url, "http://"), Now: a.program.now,
	})
	if err != nil {
		return err
	}
	r.desk, err = visit.New(visit.Config{
		Tenants: known, SMART: app, Sessions: r.sessions, Roster: roster(a.cfg), Charts: charts, Pages: pages,
		Audit: events, Auditor: auditor, Bars: r.bars, API: a.url + "/fhir", Now: a.program.now,
		Logger: a.logger,
	})
	return err
}

// pages makes what people see.
func (a *api) pages() (*page.Pages, error) {
	location, err := a.cfg.Location()
	if err != nil {
		return nil, err
	}
	return page.New(page.Config{Location: location, Logger: a.logger})
}

// dashboard makes what the quality department sees.
func (a *api) dashboard(
	desk *visit.Desk, pages *page.Pages, events audit.Builder, auditor *trail.Trail,
) (*dashboard.Dashboard, error) {
	reports, err := report.New(report.Config{
		Organization: a.cfg.Server.Organization, Version: a.program.version, Now: a.program.now,
	})
	if err != nil {
		return nil, err
	}
	hold := func(use func(dashboard.Snapshot) error) error {
		return a.live.Hold(func(v *live.View) error { return use(v) })
	}
	dir, err := a.program.dir(a.cfg)
	if err != nil {
		return nil, err
	}
	return dashboard.New(dashboard.Config{
		Hold: hold, Gate: desk, Pages: pages, Reports: reports, Audit: events, Auditor: auditor,
		Syncer: a.night,
		Runs:   func(limit int) ([]ingest.RunRecord, error) { return ingest.Runs(dir, limit) },
		Quarantine: func(run string) (ingest.Quarantined, error) {
			return ingest.RunQuarantine(dir, run)
		},
		Network:  hasNetwork(a.cfg),
		Software: a.program.version, StaleAfter: a.cfg.Server.StaleAfter.Duration, Now: a.program.now,
		Logger: a.logger,
	})
}

func (a *api) receiveHooks(
	r *reception, store cache.Store, charts *bedside.Reader, events audit.Builder, auditor visit.Auditor,
) error {
	var tenants []cds.Tenant
	for _, o := range r.list {
		if o.hooks.Issuer != "" {
			tenants = append(tenants, cds.Tenant{
				Name: o.name, Issuer: o.hooks.Issuer, JWKSURI: o.hooks.JWKSURI, FHIRServer: o.base,
				Origins: o.frameAncestors, AllowLoopback: o.loopback,
				AllowPrivateNetworks: o.privateNetworks, RootCAs: o.roots,
			})
		}
	}
	if len(tenants) == 0 {
		return nil
	}
	feedback, err := cds.OpenFile(filepath.Join(a.cfg.Data, "cds-feedback.ndjson"))
	if err != nil {
		return err
	}
	a.closers = append(a.closers, feedback)
	r.hooks, err = cds.New(cds.Config{
		BaseURL: a.url, LaunchURL: a.url + visit.LaunchPath, Tenants: tenants, Reader: charts, Store: store,
		Recorder: feedback, Audit: a.noteHook(events, auditor),
		Count: a.hookCounter(), Now: a.program.now, Logger: a.logger,
	})
	return err
}

// noteHook writes a call of the CDS service into the audit trail.
func (a *api) noteHook(events audit.Builder, auditor visit.Auditor) func(context.Context, cds.Event) error {
	return func(ctx context.Context, e cds.Event) error {
		outcome := audit.Outcome{}
		switch e.Outcome {
		case cds.Advised, cds.Silent, cds.NoEncounter:
		case cds.Refused, cds.Unread, cds.Malformed:
			outcome = audit.Outcome{Grade: audit.Refused, Words: string(e.Outcome)}
		case cds.Late, cds.Failed:
			outcome = audit.Outcome{Grade: audit.Failed, Words: string(e.Outcome)}
		}
		event, err := events.Hook(audit.Chart{
			Agent:   audit.Agent{Client: e.Tenant, Subject: e.User.Reveal(), Issuer: e.Tenant},
			Outcome: outcome, Tenant: e.Tenant, Patient: e.Patient, Encounter: e.Encounter,
			Types: []string{"Patient", "Encounter"},
		})
		if err != nil {
			return fmt.Errorf("audit: %w", err)
		}
		return auditor.Audit(context.WithoutCancel(ctx), event)
	}
}

// hookCounter counts the calls of the CDS service.
func (a *api) hookCounter() func(tenant string, outcome cds.Outcome) {
	calls := promauto.With(a.registry).NewCounterVec(prometheus.CounterOpts{
		Name: "equitylens_cds_calls_total",
		Help: "Calls of the CDS Hooks service, by the EHR that made them and how they ended.",
	}, []string{"ehr", "outcome"})
	return func(tenant string, outcome cds.Outcome) {
		calls.WithLabelValues(tenant, string(outcome)).Inc()
	}
}

// pages are the routes of people.
func (r *reception) pages() []server.Page {
	if r.desk == nil {
		return nil
	}
	return slices.Concat(r.desk.Routes(), r.board.Routes(), r.rooms)
}

// cds are the handlers of the CDS service, zero where no EHR may call it.
func (r *reception) cds() server.CDS {
	if r.hooks == nil {
		return server.CDS{}
	}
	return server.CDS{
		Discovery: r.hooks.Discovery(), Service: r.hooks.Service(), Feedback: r.hooks.Feedback(),
	}
}

// signsIn reports whether there is anywhere to sign in. The page in the chart alone needs no sign-in of
// ours.
func (r *reception) signsIn() bool {
	return slices.ContainsFunc(r.list, func(o outside) bool { return o.smart.SignIn })
}

// hospitality is what the authorization server needs to ask people.
func (r *reception) hospitality(c *auth.Config) {
	if !r.signsIn() {
		return
	}
	c.People, c.SignIn, c.Consent, c.Problem = r.desk, visit.SignInURL, r.desk.Consent, r.desk.Problem
	c.IDKeys = r.idKeys
}

// End implements server.Ender: name is the id of a program, the subject of a person as tokens and the
// audit trail have it, or <name of the EHR or provider>|<sub>.
func (r *reception) End(ctx context.Context, name string) error {
	tenant, subject, person := strings.Cut(name, "|")
	if !person {
		return r.bars.Bar(ctx, name)
	}
	for _, o := range r.list {
		if o.name == tenant && subject != "" {
			return r.bars.Bar(ctx, auth.Pseudonym(o.issuer(), subject))
		}
	}
	return server.ErrNobody
}

// issuer is who vouches for the people who come from there: the FHIR base of an EHR.
func (o outside) issuer() string {
	if o.smart.OIDC {
		return o.smart.Issuer
	}
	return strings.TrimSuffix(o.smart.Issuer, "/")
}
