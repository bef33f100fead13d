package session_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/auth/session"
	"github.com/equitylens/equitylens/auth/smart"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/internal/worldtest"
	"github.com/equitylens/equitylens/store/cache"
)

const site = "https://equitylens.example"

// store is a store that can be out of reach.
type store struct {
	cache.Store
	mu   sync.Mutex
	down bool
}

func (s *store) fail(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

func (s *store) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return cache.ErrUnavailable
	}
	return nil
}

func (s *store) Get(ctx context.Context, key string) (cache.Entry, error) {
	if err := s.err(); err != nil {
		return cache.Entry{}, err
	}
	return s.Store.Get(ctx, key)
}

func (s *store) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := s.err(); err != nil {
		return err
	}
	return s.Store.Set(ctx, key, value, ttl)
}

func (s *store) Delete(ctx context.Context, key string) error {
	if err := s.err(); err != nil {
		return err
	}
	return s.Store.Delete(ctx, key)
}

func (s *store) Apply(ctx context.Context, b cache.Batch) error {
	if err := s.err(); err != nil {
		return err
	}
	return s.Store.Apply(ctx, b)
}

// rig is a manager over a sealed store in memory.
type rig struct {
	*session.Manager
	clock *worldtest.Clock
	store *store
}

func newRig(t testing.TB, change func(*session.Config)) *rig {
	t.Helper()
	r := &rig{clock: worldtest.At(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC))}
	ring, err := cache.NewKeyring(bytes.Repeat([]byte{7}, cache.SealKeySize))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := cache.Seal(cache.NewMemory(cache.MemoryConfig{Now: r.clock.Now}), cache.SealConfig{Keys: ring})
	if err != nil {
		t.Fatal(err)
	}
	r.store = &store{Store: sealed}
	cfg := session.Config{Store: r.store, Now: r.clock.Now}
	if change != nil {
		change(&cfg)
	}
	if r.Manager, err = session.New(cfg); err != nil {
		t.Fatal(err)
	}
	return r
}

// browser keeps cookies as a browser does: by name, host and path.
type browser struct {
	jar http.CookieJar
	url *url.URL
}

func newBrowser(t testing.TB, at string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(at + "/")
	if err != nil {
		t.Fatal(err)
	}
	return &browser{jar: jar, url: u}
}

// visit is a request with the cookies that the browser has for a path, and a place for the answer.
func (b *browser) visit(t testing.TB, path string) *http.Request {
	t.Helper()
	u := b.url.JoinPath(path)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, u.String(), nil)
	for _, c := range b.jar.Cookies(u) {
		r.AddCookie(c)
	}
	return r
}

// keep takes in the cookies of an answer to a path.
func (b *browser) keep(w *httptest.ResponseRecorder, path string) {
	b.jar.SetCookies(b.url.JoinPath(path), w.Result().Cookies())
}

func analyst() session.Session {
	return session.Session{Person: session.Person{
		Tenant: "mercy", Issuer: "https://ehr.example", Subject: "u-1", Name: "Ada Sample",
		FHIRUser: "Practitioner/d-1", Roles: []role.Role{role.Analyst},
		SignedIn: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC),
	}}
}

func chart(patient string) session.Session {
	return session.Session{Chart: &session.Chart{
		Tenant: "mercy", Patient: phi.New(patient), Encounter: phi.New("e-1"), NeedPatientBanner: true,
		Intent: "reconcile", StyleURL: "https://style.example",
		Token: smart.Token{
			Access: "a-" + patient, Refresh: "r-" + patient, Base: "https://ehr.example/fhir",
			Expires: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), Scopes: scopes("launch patient/Patient.read"),
		},
	}}
}

func scopes(text string) scope.Set {
	set, _ := scope.ParseSet(text) // Constant texts; a test that compares fails on nil.
	return set
}

// start begins a session in a browser.
func (r *rig) start(t testing.TB, b *browser, s session.Session, framed bool) string {
	t.Helper()
	w := httptest.NewRecorder()
	handle, err := r.Start(t.Context(), w, s, framed)
	if err != nil {
		t.Fatal(err)
	}
	b.keep(w, "/callback")
	return handle
}

// cookies are the Set-Cookie lines of an answer, without values.
func cookies(w *httptest.ResponseRecorder) []string {
	var lines []string
	for _, line := range w.Header().Values("Set-Cookie") {
		name, rest, _ := strings.Cut(line, "=")
		_, attributes, _ := strings.Cut(rest, ";")
		lines = append(lines, name+";"+attributes)
	}
	return lines
}
