package auth_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/auth"
	"github.com/equitylens/equitylens/auth/authtest"
	"github.com/equitylens/equitylens/auth/keys"
	"github.com/equitylens/equitylens/internal/worldtest"
	"github.com/equitylens/equitylens/store/cache"
)

const (
	issuer   = "https://equitylens.example"
	tokenURL = issuer + "/oauth/token"
	audience = issuer + "/fhir"
	reports  = "system/MeasureReport.rs"
)

// rig is a server with one client, "nightly", that may read measures and reports.
type rig struct {
	*auth.Server
	url   string
	clock *worldtest.Clock
	keys  *keys.Set
	key   jose.JSONWebKey
	log   *worldtest.Log
}

// newRig starts a server; change sees its configuration before.
func newRig(t testing.TB, change func(*auth.Config, *rig)) *rig {
	t.Helper()
	r := &rig{
		clock: worldtest.At(time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)),
		key:   newKey(t, jose.ES384),
		log:   &worldtest.Log{},
	}
	var err error
	r.keys, err = keys.Open(filepath.Join(t.TempDir(), "tokens.json"), keys.Config{
		Algorithms: []jose.SignatureAlgorithm{jose.ES384}, Now: r.clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	cfg := auth.Config{
		Issuer:   issuer,
		Audience: audience,
		Clients: []auth.Client{{
			ID: "nightly", JWKS: public(r.key), Scopes: []string{"system/Measure.rs", reports},
		}},
		Keys:   r.keys,
		Store:  cache.NewMemory(cache.MemoryConfig{Now: r.clock.Now}),
		Now:    r.clock.Now,
		Logger: slog.New(slog.NewJSONHandler(r.log, nil)),
	}
	if change != nil {
		change(&cfg, r)
	}
	r.Server, err = auth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(r.Token())
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// newKey makes a key pair.
func newKey(t testing.TB, alg jose.SignatureAlgorithm) jose.JSONWebKey {
	t.Helper()
	k, err := keys.Generate(alg)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// public is what a client registers.
func public(private ...jose.JSONWebKey) *jose.JSONWebKeySet {
	set := &jose.JSONWebKeySet{}
	for _, k := range private {
		set.Keys = append(set.Keys, k.Public())
	}
	return set
}

// assertion is a good one; tests change it.
func (r *rig) assertion() authtest.Assertion {
	return authtest.Assertion{
		ClientID: "nightly", Audience: tokenURL, Key: r.key, Now: r.clock.Now(),
	}
}

// sign signs.
func sign(t testing.TB, a authtest.Assertion) string {
	t.Helper()
	text, err := a.Sign()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// ask asks for a token with a signed assertion.
func (r *rig) ask(t testing.TB, assertion, scope string) authtest.Answer {
	t.Helper()
	answer, err := authtest.Post(t.Context(), http.DefaultClient, r.url,
		authtest.Form(assertion, scope))
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// token gets a token for scope.
func (r *rig) token(t testing.TB, scope string) string {
	t.Helper()
	answer := r.ask(t, sign(t, r.assertion()), scope)
	if answer.Status != http.StatusOK {
		t.Fatalf("token = %d %v", answer.Status, answer.Body)
	}
	return answer.Text("access_token")
}

// refused wants an error of the token endpoint, in the form that OAuth gives it.
func refused(t testing.TB, answer authtest.Answer, status int, code string) {
	t.Helper()
	if answer.Status != status || answer.Text("error") != code {
		t.Errorf("answer = %d %v, want %d %s", answer.Status, answer.Body, status, code)
	}
	if _, ok := answer.Body["access_token"]; ok {
		t.Error("a refusal brings a token")
	}
	notStored(t, answer.Header)
}

// notStored wants an answer that no cache keeps.
func notStored(t testing.TB, h http.Header) {
	t.Helper()
	if h.Get("Cache-Control") != "no-store" || h.Get("Pragma") != "no-cache" {
		t.Errorf("Cache-Control = %q, Pragma = %q", h.Get("Cache-Control"), h.Get("Pragma"))
	}
}
