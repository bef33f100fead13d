package smart

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/equitylens/equitylens/auth/keys"
	"github.com/equitylens/equitylens/internal/worldtest"
	"github.com/equitylens/equitylens/store/cache"
)

const callback = "https://equitylens.example/callback"

// members are those of a JSON object; nil takes one away.
type members map[string]any

func (m members) over(base members) members {
	merged := maps.Clone(base)
	maps.Copy(merged, m)
	maps.DeleteFunc(merged, func(_ string, v any) bool { return v == nil })
	return merged
}

// ehr is a SMART server with one FHIR base, https://127.0.0.1:port/fhir. Its fields say how it
// deviates; they are changed under change.
type ehr struct {
	*httptest.Server
	clock *worldtest.Clock
	key   jose.JSONWebKey

	mu sync.Mutex
	// config, openid, claims and answer are laid over what it would say.
	config, openid, claims, answer members
	// keys is what its jwks_uri answers, sign how it signs, token what its token endpoint answers.
	keys, token http.HandlerFunc
	sign        func(t testing.TB, claims members) string
	// cache is its Cache-Control.
	cache string
	codes map[string]url.Values
	seen  []string
	forms []url.Values
	auth  string
}

// newEHR starts one.
func newEHR(t testing.TB, c *worldtest.Clock) *ehr {
	t.Helper()
	e := &ehr{clock: c, key: newKey(t, jose.ES384), codes: map[string]url.Values{}}
	e.sign = func(t testing.TB, claims members) string { return signed(t, e.key, claims, nil) }
	mux := http.NewServeMux()
	mux.HandleFunc("GET /fhir/.well-known/smart-configuration", func(w http.ResponseWriter, _ *http.Request) {
		e.write(w, e.config.over(members{
			"issuer": e.base(), "jwks_uri": e.URL + "/keys",
			"authorization_endpoint": e.URL + "/authorize", "token_endpoint": e.URL + "/token",
			"code_challenge_methods_supported": []string{"S256"}, "capabilities": []string{"launch-ehr"},
		}))
	})
	mux.HandleFunc("GET /fhir/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		e.write(w, e.openid.over(members{
			"issuer": e.base(), "jwks_uri": e.URL + "/keys",
			"authorization_endpoint": e.URL + "/authorize", "token_endpoint": e.URL + "/token",
		}))
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, r *http.Request) {
		if e.keys != nil {
			e.keys(w, r)
			return
		}
		e.write(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{e.key.Public()}})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) { e.serveToken(t, w, r) })
	e.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.seen = append(e.seen, r.Method+" "+r.URL.Path)
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *ehr) base() string { return e.URL + "/fhir" }

// write answers with JSON. The caller is a handler, which holds the lock.
func (e *ehr) write(w http.ResponseWriter, doc any) {
	if e.cache != "" {
		w.Header().Set("Cache-Control", e.cache)
	}
	_ = json.NewEncoder(w).Encode(doc)
}

// change makes it deviate.
func (e *ehr) change(how func(e *ehr)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	how(e)
}

// times is how often it was asked for something.
func (e *ehr) times(what string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, seen := range e.seen {
		if strings.HasSuffix(seen, what) {
			n++
		}
	}
	return n
}

// form is the n-th token request, counted from the last.
func (e *ehr) form(n int) (url.Values, string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.forms[len(e.forms)-1-n], e.auth
}

// authorize is the EHR's part in the browser: it gives a code for an authorization request.
func (e *ehr) authorize(t testing.TB, begun Begun) url.Values {
	t.Helper()
	u, err := url.Parse(begun.URL)
	if err != nil {
		t.Fatal(err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	code := "code-" + u.Query().Get("state")[:8]
	e.codes[code] = u.Query()
	return url.Values{"state": {u.Query().Get("state")}, "code": {code}}
}

// serveToken exchanges a code, as often as it comes, or a refresh token.
func (e *ehr) serveToken(t testing.TB, w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	e.forms, e.auth = append(e.forms, r.PostForm), r.Header.Get("Authorization")
	if e.token != nil {
		e.token(w, r)
		return
	}
	if r.PostForm.Get("grant_type") == "refresh_token" {
		e.write(w, e.answer.over(members{
			"access_token": "access-" + r.PostForm.Get("refresh_token"), "token_type": "Bearer",
			"expires_in": 300, "refresh_token": r.PostForm.Get("refresh_token") + "+",
		}))
		return
	}
	asked, ok := e.codes[r.PostForm.Get("code")]
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	if !ok || base64.RawURLEncoding.EncodeToString(sum[:]) != asked.Get("code_challenge") ||
		r.PostForm.Get("redirect_uri") != asked.Get("redirect_uri") {
		w.WriteHeader(http.StatusBadRequest)
		e.write(w, members{"error": "invalid_grant", "error_description": "secret words"})
		return
	}
	answer := members{
		"access_token": "access-1", "token_type": "Bearer", "expires_in": 3600,
		"scope": asked.Get("scope"), "refresh_token": "refresh-1", "patient": "p-1", "encounter": "e-1",
		"need_patient_banner": false,
	}
	if slices.Contains(strings.Fields(asked.Get("scope")), "openid") {
		answer["id_token"] = e.sign(t, e.claims.over(members{
			"iss": e.base(), "sub": "u-1", "aud": asked.Get("client_id"), "nonce": asked.Get("nonce"),
			"exp": e.clock.Now().Add(time.Hour).Unix(), "iat": e.clock.Now().Unix(),
			"name": "Ada Sample", "fhirUser": e.base() + "/Practitioner/d-1",
		}))
	}
	e.write(w, e.answer.over(answer))
}

// tenant is how the EHR is registered with us.
func (e *ehr) tenant(name string) Tenant {
	roots := x509.NewCertPool()
	roots.AddCert(e.Certificate())
	return Tenant{
		Name: name, Issuer: e.base(), ClientID: "equitylens",
		Scopes: strings.Fields("openid fhirUser launch/patient offline_access patient/*.rs"),
		Launch: true, SignIn: true, AllowLoopback: true, RootCAs: roots,
	}
}

// rig is a client of one EHR, with a log and a sealed store.
type rig struct {
	*Client
	ehr   *ehr
	clock *worldtest.Clock
	log   *bytes.Buffer
}

// newRig makes one; change sees its configuration before.
func newRig(t testing.TB, change func(*Config, *ehr)) *rig {
	t.Helper()
	r := &rig{clock: worldtest.At(time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)), log: &bytes.Buffer{}}
	r.ehr = newEHR(t, r.clock)
	cfg := Config{
		Tenants: []Tenant{r.ehr.tenant("mercy")}, Store: sealed(t, r.clock), RedirectURI: callback,
		Now: r.clock.Now, Logger: slog.New(slog.NewTextHandler(r.log, nil)),
	}
	if change != nil {
		change(&cfg, r.ehr)
	}
	var err error
	if r.Client, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// sealed is a store in memory.
func sealed(t testing.TB, c *worldtest.Clock) cache.Store {
	t.Helper()
	ring, err := cache.NewKeyring(bytes.Repeat([]byte{7}, cache.SealKeySize))
	if err != nil {
		t.Fatal(err)
	}
	store, err := cache.Seal(cache.NewMemory(cache.MemoryConfig{Now: c.Now}), cache.SealConfig{Keys: ring})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// launch begins a launch.
func (r *rig) launch(t testing.TB) Begun {
	t.Helper()
	begun, err := r.Launch(t.Context(), r.ehr.base(), "launch-1")
	if err != nil {
		t.Fatalf("Launch: %v", err)
	}
	return begun
}

// visit goes through a whole launch.
func (r *rig) visit(t testing.TB) (Visit, error) {
	t.Helper()
	begun := r.launch(t)
	return r.Finish(t.Context(), r.ehr.authorize(t, begun), begun.Binding)
}

// params are those of an authorization request.
func params(t testing.TB, begun Begun) url.Values {
	t.Helper()
	u, err := url.Parse(begun.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

// newKey makes a key that signs with alg.
func newKey(t testing.TB, alg jose.SignatureAlgorithm) jose.JSONWebKey {
	t.Helper()
	key, err := keys.Generate(alg)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// keySet makes a set of our own keys.
func keySet(t testing.TB, algs ...jose.SignatureAlgorithm) *keys.Set {
	t.Helper()
	set, err := keys.Open(filepath.Join(t.TempDir(), "keys.json"), keys.Config{Algorithms: algs})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// signed makes a token, with header members besides alg, kid and typ.
func signed(t testing.TB, key jose.JSONWebKey, claims, header members) string {
	t.Helper()
	options := (&jose.SignerOptions{}).WithType("JWT")
	for name, value := range header {
		options = options.WithHeader(jose.HeaderKey(name), value)
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(map[string]any(claims)).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}
