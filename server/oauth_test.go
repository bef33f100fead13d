package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/auth"
	"github.com/equitylens/equitylens/auth/authtest"
	"github.com/equitylens/equitylens/auth/keys"
	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/store/cache"
)

const appBack = "https://app.example.org/back"

// ann is who is signed in on every browser.
type ann struct{}

func (ann) Person(r *http.Request) (auth.Person, bool, error) {
	if _, err := r.Cookie("session"); err != nil {
		return auth.Person{}, false, nil
	}
	return auth.Person{
		Subject: "ann", Issuer: "https://ehr.example.org", Roles: []role.Role{role.Analyst}, SignedIn: now(),
	}, true, nil
}

// town is a server with its authorization server, over TLS, at which ann signs in to the program
// app.
type town struct {
	*httptest.Server
	fixture   *fixture
	authority *auth.Server
}

func newTown(t *testing.T) *town {
	t.Helper()
	out := &town{}
	out.Server = httptest.NewUnstartedServer(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) { out.fixture.ServeHTTP(w, r) }))
	out.StartTLS()
	t.Cleanup(out.Close)
	open := func(name string, alg jose.SignatureAlgorithm) *keys.Set {
		set, err := keys.Open(filepath.Join(t.TempDir(), name), keys.Config{
			Algorithms: []jose.SignatureAlgorithm{alg}, Now: now,
		})
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	var err error
	out.authority, err = auth.New(auth.Config{
		Issuer: out.URL, Audience: out.URL + "/fhir", Keys: open("tokens.json", jose.ES384),
		IDKeys: open("id.json", jose.RS256),
		Store:  cache.NewMemory(cache.MemoryConfig{Now: now}), Now: now,
		Clients: []auth.Client{{
			ID: "app", Public: true, Trusted: true, RedirectURIs: []string{appBack},
			Scopes: append(server.Scopes(), "openid", "offline_access"),
		}},
		People: ann{}, SignIn: func(next string) string { return "/signin?next=" + url.QueryEscape(next) },
		Consent: func(w http.ResponseWriter, _ *http.Request, _ auth.Consent) {
			http.Error(w, "consent", http.StatusTeapot)
		},
		Problem: func(w http.ResponseWriter, _ *http.Request, status int, code, _ string) {
			http.Error(w, code, status)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	a := out.authority
	out.fixture = newFixture(t, func(c *server.Config) {
		c.BaseURL, c.Authorizer = out.URL+"/fhir", server.Bearer(a.Validator())
		c.Limits = server.DefaultLimits()
		c.OAuth = server.OAuth{
			Token: a.Token(), Keys: a.JWKS(), SMART: a.SMARTConfiguration(server.Scopes()...),
			Authorize: a.Authorize(), PAR: a.PushedAuthorization(), Introspect: a.Introspect(),
			Revoke: a.Revoke(), Metadata: a.Metadata(server.Scopes()...),
			OpenID: a.OpenIDConfiguration(server.Scopes()...),
		}
	})
	return out
}

// send sends a request as a browser does that follows nothing, and reads the answer.
func (w *town) send(
	t *testing.T, method, path string, form url.Values, headers ...string,
) (*http.Response, string) {
	t.Helper()
	body := ""
	if method == http.MethodPost {
		body = form.Encode()
	} else if len(form) > 0 {
		path += "?" + form.Encode()
	}
	r, err := http.NewRequestWithContext(t.Context(), method, w.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	client := *w.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return answer, string(text)
}

// tokens is what a program of ann's is given, for what it asks, by GET or POST.
func (w *town) tokens(t *testing.T, method, scopes string) (access, refresh, granted string) {
	t.Helper()
	form := authtest.AuthorizeForm("app", appBack, w.URL+"/fhir", scopes)
	answer, text := w.send(t, method, "/oauth/authorize", form, "Cookie: session=1")
	if on := answer.Header.Get("Location"); strings.HasPrefix(on, "/oauth/authorize?continue=") {
		answer, text = w.send(t, http.MethodGet, on, nil, "Cookie: session=1") // What a form asked.
	}
	back, err := url.Parse(answer.Header.Get("Location"))
	if err != nil || back.Query().Get("code") == "" {
		t.Fatalf("%s /oauth/authorize = %d %s: %s", method, answer.StatusCode, back, text)
	}
	answer, text = w.send(t, http.MethodPost, "/oauth/token",
		authtest.CodeForm("app", appBack, back.Query().Get("code")))
	var given struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
		Scope   string `json:"scope"`
	}
	if err := json.Unmarshal([]byte(text), &given); err != nil || given.Access == "" {
		t.Fatalf("POST /oauth/token = %d: %s", answer.StatusCode, text)
	}
	return given.Access, given.Refresh, given.Scope
}

// TestATokenOfAPersonOpensTheAPI from the question who somebody is to the answer, and no longer
// once it was revoked (rows 4, 6 and 10 of the checklist).
func TestATokenOfAPersonOpensTheAPI(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		access, refresh, granted := w.tokens(t, method,
			"openid offline_access user/MeasureReport.rs user/Measure.read user/AuditEvent.rs system/Library.rs")
		for _, none := range []string{"AuditEvent", "system/"} {
			if strings.Contains(granted, none) {
				t.Errorf("%s: an analyst is granted %q", method, granted)
			}
		}
		bearer := "Authorization: Bearer " + access
		for path, want := range map[string]int{
			"/fhir/MeasureReport": 200, "/fhir/Measure": 200, "/fhir/Library": 403, "/fhir/AuditEvent": 403,
			"/sync": 403, "/fhir/metadata": 200,
		} {
			if answer, text := w.send(t, http.MethodGet, path, nil, bearer); answer.StatusCode != want {
				t.Errorf("GET %s = %d, want %d: %s", path, answer.StatusCode, want, text)
			}
		}
		form := url.Values{"token": {refresh}, "client_id": {"app"}}
		if answer, text := w.send(t, http.MethodPost, "/oauth/revoke", form); answer.StatusCode != http.StatusOK {
			t.Errorf("POST /oauth/revoke = %d: %s", answer.StatusCode, text)
		}
		answer, _ := w.send(t, http.MethodGet, "/fhir/Measure", nil, bearer)
		if answer.StatusCode != http.StatusUnauthorized {
			t.Errorf("GET /fhir/Measure with a revoked token = %d", answer.StatusCode)
		}
	}
	want := auth.Pseudonym("https://ehr.example.org", "ann")
	for _, one := range w.fixture.records(t) {
		user := one.Agent[2]
		if user.Who.Identifier.Value != want || user.Who.Identifier.System != w.URL ||
			user.Role[0].Coding[0].Code != string(role.Analyst) || one.Agent[0].Network.Address != "127.0.0.1" {
			t.Errorf("recorded is %+v", one)
		}
	}
	if n := len(w.fixture.records(t)); n != 10 {
		t.Errorf("%d events are recorded, want 5 for each token", n)
	}
}

// TestWhoIsBarredIsOut: the end of somebody's sessions ends their tokens.
func TestWhoIsBarredIsOut(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	access, _, _ := w.tokens(t, http.MethodGet, "user/Measure.rs")
	bearer := "Authorization: Bearer " + access
	if answer, _ := w.send(t, http.MethodGet, "/fhir/Measure", nil, bearer); answer.StatusCode != http.StatusOK {
		t.Fatalf("before = %d", answer.StatusCode)
	}
	err := w.authority.Bar(t.Context(), auth.Pseudonym("https://ehr.example.org", "ann"))
	if err != nil {
		t.Fatal(err)
	}
	if answer, _ := w.send(t, http.MethodGet, "/fhir/Measure", nil, bearer); answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("after = %d", answer.StatusCode)
	}
}

// TestDiscoveryIsForEveryOriginOnce is row 2 of the checklist with the real documents, and the
// token endpoint for the origin of the app alone.
func TestDiscoveryIsForEveryOriginOnce(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	for _, path := range []string{
		"/fhir/.well-known/smart-configuration", "/.well-known/jwks.json", "/fhir/metadata",
		"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration",
	} {
		answer, text := w.send(t, http.MethodGet, path, nil, "Origin: https://anywhere.example.org")
		if got := answer.Header.Values("Access-Control-Allow-Origin"); answer.StatusCode != http.StatusOK ||
			len(got) != 1 || got[0] != "*" || !json.Valid([]byte(text)) {
			t.Errorf("GET %s = %d, allowed is %v", path, answer.StatusCode, got)
		}
	}
	for origin, want := range map[string]string{
		"https://app.example.org": "https://app.example.org", "https://evil.example.org": "",
	} {
		answer, _ := w.send(t, http.MethodOptions, "/oauth/token", nil, "Origin: "+origin,
			"Access-Control-Request-Method: POST")
		if got := answer.Header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("OPTIONS /oauth/token from %s = %d, allowed is %q", origin, answer.StatusCode, got)
		}
	}
}
