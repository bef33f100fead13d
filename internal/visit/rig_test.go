package visit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/equitylens/equitylens/auth/keys"
	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/auth/session"
	"github.com/equitylens/equitylens/auth/smart"
	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/fhir/fhirtest"
	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/internal/visit"
	"github.com/equitylens/equitylens/internal/worldtest"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/store/cache"
)

// rig is a fake EHR, a desk that is registered with it, and somebody's browser.
type rig struct {
	t    *testing.T
	ehr  *fhirtest.Server
	base string
	// south is a second EHR, with other people; nil without.
	south     *fhirtest.Server
	southBase string

	// down makes our own store one that cannot be asked.
	down atomic.Bool

	url     string
	trail   *trail
	bars    *bars
	log     *worldtest.Log
	clock   *clock
	browser *http.Client
}

// settings is what a test may want otherwise.
type settings struct {
	auth   smart.ClientAuth
	faults []fhirtest.Fault
	change func(*fhirtest.Config)
	// second asks for a second EHR and a provider.
	second bool
}

// clock is the time of all parts; it goes on with the real one, and can be moved.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// trail keeps events, and fails when it is told to.
type trail struct {
	mu     sync.Mutex
	events [][]byte
	broken bool
}

func (t *trail) Audit(_ context.Context, event []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.broken {
		return errors.New("the disk is full")
	}
	t.events = append(t.events, bytes.Clone(event))
	return nil
}

func (t *trail) breakDown() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.broken = true
}

// codes lists the codes of the types and subtypes of all events with their outcomes.
func (t *trail) codes(test *testing.T) []string {
	test.Helper()
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []string
	for _, text := range t.events {
		var e struct {
			Type    struct{ Code string }
			Subtype []struct{ Code string }
			Outcome string
		}
		if err := json.Unmarshal(text, &e); err != nil {
			test.Fatal(err)
		}
		name := e.Type.Code
		for _, s := range e.Subtype {
			name += "/" + s.Code
		}
		list = append(list, name+" "+e.Outcome)
	}
	return list
}

// bars is a list of those who were sent away.
type bars struct {
	mu    sync.Mutex
	names map[string]time.Time
	fault error
}

func (b *bars) Barred(_ context.Context, subject, _ string, given time.Time) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	at, ok := b.names[subject]
	return ok && !given.After(at), b.fault
}

const (
	tenantName = "north"
	appID      = "equitylens-chart"
	appSecret  = "a shared secret with a colon: and a space"
)

// open starts everything.
func open(t *testing.T, s settings) *rig {
	t.Helper()
	r := &rig{
		t: t, trail: &trail{}, bars: &bars{names: map[string]time.Time{}}, log: &worldtest.Log{},
		clock: &clock{},
	}
	site := httptest.NewUnstartedServer(nil)
	r.url = "http://" + site.Listener.Addr().(*net.TCPAddr).String()
	ours, err := keys.Open(filepath.Join(t.TempDir(), "client.json"), keys.Config{Now: r.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	public := ours.Public()
	app := fhirtest.App{
		ClientID: appID, RedirectURIs: []string{r.url + visit.CallbackPath}, Auth: string(s.auth),
	}
	switch s.auth {
	case smart.SecretBasic:
		app.Secret = appSecret
	case smart.PrivateKeyJWT:
		app.Keys = &public
	case smart.Public:
	}
	config := fhirtest.Config{
		Population: population.New(population.Config{Patients: 600, Seed: 3}),
		Apps:       []fhirtest.App{app}, AppLaunchURL: r.url + visit.LaunchPath,
		SignInAs: "wen-adeyemi", Faults: s.faults, Now: r.clock.Now,
	}
	if s.change != nil {
		s.change(&config)
	}
	r.ehr, r.base = start(t, config)
	if s.second {
		config.Population = population.New(population.Config{Patients: 600, Seed: 9})
		r.south, r.southBase = start(t, config)
	}
	site.Config.Handler = r.handler(ours, s.auth)
	site.Start()
	t.Cleanup(site.Close)
	r.browser = newBrowser(t)
	return r
}

// start starts a fake EHR.
func start(t *testing.T, c fhirtest.Config) (ehr *fhirtest.Server, base string) {
	t.Helper()
	ehr, err := fhirtest.NewServer(c)
	if err != nil {
		t.Fatal(err)
	}
	if base, err = ehr.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ehr.Close() })
	return ehr, base
}

// tenants are the EHRs as the SMART client knows them, and a provider, which is the first of them asked
// by OpenID Connect alone.
func (r *rig) tenants(way smart.ClientAuth) []smart.Tenant {
	one := smart.Tenant{
		Name: tenantName, Issuer: r.base, ClientID: appID, ClientAuth: way, Secret: secretOf(way),
		Launch: true, SignIn: true, AllowLoopback: true,
		Scopes: []string{
			"openid", "fhirUser", "profile", "online_access", "patient/Patient.rs",
			"patient/Encounter.rs", "patient/AdverseEvent.rs",
		},
	}
	if r.south == nil {
		return []smart.Tenant{one}
	}
	two, provider := one, one
	two.Name, two.Issuer, two.SignIn = "south", r.southBase, false
	provider.Name, provider.OIDC, provider.Launch = "hospital", true, false
	provider.Scopes = []string{"openid", "profile"}
	return []smart.Tenant{one, two, provider}
}

// handler is the desk at its paths.
func (r *rig) handler(ours *keys.Set, way smart.ClientAuth) http.Handler {
	r.t.Helper()
	store := brittle{sealed(r.t, r.clock), &r.down}
	app, err := smart.New(smart.Config{
		Tenants: r.tenants(way),
		Store:   store, Keys: ours, RedirectURI: r.url + visit.CallbackPath, Now: r.clock.Now,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(app.Close)
	sessions, err := session.New(session.Config{Store: store, Insecure: true, Now: r.clock.Now})
	if err != nil {
		r.t.Fatal(err)
	}
	mapper, err := mapping.New(mapping.Config{})
	if err != nil {
		r.t.Fatal(err)
	}
	charts, err := bedside.New(bedside.Config{Mapper: mapper, Store: store, Now: r.clock.Now})
	if err != nil {
		r.t.Fatal(err)
	}
	pages, err := page.New(page.Config{})
	if err != nil {
		r.t.Fatal(err)
	}
	var known []visit.Tenant
	for _, tenant := range r.tenants(way) {
		known = append(known, visit.Tenant{
			Name: tenant.Name, SignIn: tenant.SignIn, AllowLoopback: true,
			FrameAncestors: []string{"http://ehr.example.org"},
		})
	}
	desk, err := visit.New(visit.Config{
		Tenants: known,
		SMART:   app, Sessions: sessions, Charts: charts, Pages: pages,
		Roster: visit.Roster{
			Claim: "groups", Values: map[role.Role][]string{role.Analyst: {"quality"}},
		},
		Audit:   audit.Builder{Observer: "EquityLens", Address: r.url, Now: r.clock.Now},
		Auditor: r.trail, Bars: r.bars, API: r.url + "/fhir", Now: r.clock.Now,
		Logger: slog.New(slog.NewTextHandler(r.log, nil)),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	mux := http.NewServeMux()
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET /{$}": desk.Home, "GET /account": desk.Account, "GET /signin": desk.SignIn,
		"GET /signin/{name}": desk.SignInAt, "POST /signout": desk.SignOut, "GET /launch": desk.Launch,
		"GET /callback": desk.Callback, "GET /chart/{handle}": desk.Chart,
	} {
		mux.HandleFunc(pattern, handler)
	}
	return mux
}

func secretOf(way smart.ClientAuth) string {
	if way == smart.SecretBasic {
		return appSecret
	}
	return ""
}

// sealed is the store as the program has it.
func sealed(t *testing.T, c *clock) cache.Store {
	t.Helper()
	ring, err := cache.NewKeyring(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	store, err := cache.Seal(cache.NewMemory(cache.MemoryConfig{Now: c.Now}), cache.SealConfig{Keys: ring})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// brittle is a store that can be made to answer nothing.
type brittle struct {
	cache.Store
	down *atomic.Bool
}

// fault is what it says then.
func (b brittle) fault() error {
	if b.down.Load() {
		return fmt.Errorf("%w: it was taken away", cache.ErrUnavailable)
	}
	return nil
}

func (b brittle) Get(ctx context.Context, key string) (cache.Entry, error) {
	if err := b.fault(); err != nil {
		return cache.Entry{}, err
	}
	return b.Store.Get(ctx, key)
}

func (b brittle) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := b.fault(); err != nil {
		return err
	}
	return b.Store.Set(ctx, key, value, ttl)
}

func (b brittle) Take(ctx context.Context, key string) ([]byte, error) {
	if err := b.fault(); err != nil {
		return nil, err
	}
	return b.Store.Take(ctx, key)
}

// newBrowser keeps cookies by path, and follows redirects, as browsers do.
func newBrowser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: 30 * time.Second}
}

// answer is what a browser ended at.
type answer struct {
	status int
	url    *url.URL
	header http.Header
	body   string
}

// get follows an address to its end.
func (r *rig) get(address string) answer {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.send(request)
}

func (r *rig) send(request *http.Request) answer {
	r.t.Helper()
	response, err := r.browser.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Request.URL, response.Header, string(text)}
}

// launch opens the chart of a situation.
func (r *rig) launch(s fhirtest.Situation) answer {
	r.t.Helper()
	return r.get(r.launchURL(fhirtest.LaunchContext{Patient: s.Patient, Encounter: s.Encounter}))
}

func (r *rig) launchURL(c fhirtest.LaunchContext) string {
	r.t.Helper()
	address, err := r.ehr.Launch(c)
	if err != nil {
		r.t.Fatal(err)
	}
	return address
}
