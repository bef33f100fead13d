package client

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/equitylens/equitylens/internal/worldtest"
)

// fakeClock stands still until somebody sleeps, and then jumps.
type fakeClock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

// newClock starts at a fixed moment.
func newClock() *fakeClock {
	return &fakeClock{now: time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)}
}

// Now returns the current moment.
func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Sleep jumps ahead and keeps the wait.
func (c *fakeClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.slept = append(c.slept, d)
	return context.Cause(ctx)
}

// waits returns the sleeps so far.
func (c *fakeClock) waits() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]time.Duration(nil), c.slept...)
}

// zeros is randomness without jitter; the ids it makes are all alike.
type zeros struct{}

// Read fills p with zeros.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// ehr is a server on loopback with a real token endpoint.
type ehr struct {
	*httptest.Server
	mux   *http.ServeMux
	key   jose.JSONWebKey
	clock *fakeClock
	log   *worldtest.Log

	mu         sync.Mutex
	issued     int
	refused    map[string]bool
	assertions []string
	// answer, if set, replaces the token response.
	answer func(w http.ResponseWriter, token string)
}

// newEHR starts a server whose requests under /fhir/ need a current token.
func newEHR(t *testing.T) *ehr {
	t.Helper()
	e := &ehr{
		mux: http.NewServeMux(), key: newP384(t), clock: newClock(), log: new(worldtest.Log),
		refused: map[string]bool{},
	}
	e.mux.HandleFunc("POST /token", e.token)
	e.Server = httptest.NewServer(e.mux)
	t.Cleanup(e.Close)
	return e
}

// newP384 returns a fresh private key for ES384.
func newP384(t *testing.T) jose.JSONWebKey {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return jose.JSONWebKey{Key: private, KeyID: "key-1"}
}

// newRSA returns a fresh private key for RS384.
func newRSA(t *testing.T, bits int) jose.JSONWebKey {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return jose.JSONWebKey{Key: private, KeyID: "key-1"}
}

// token verifies the assertion as an authorization server would.
func (e *ehr) token(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	assertion := r.PostFormValue("client_assertion")
	e.assertions = append(e.assertions, assertion)
	if err := e.verify(assertion, r); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":"invalid_client","error_description":%q}`, err.Error())
		return
	}
	e.issued++
	token := fmt.Sprintf("secret-token-%d", e.issued)
	w.Header().Set("Content-Type", "application/json")
	if e.answer != nil {
		e.answer(w, token)
		return
	}
	fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":300,"scope":"system/*.rs"}`, token)
}

// verify checks what SMART Backend Services demands of a token request.
func (e *ehr) verify(assertion string, r *http.Request) error {
	algorithms := []jose.SignatureAlgorithm{jose.ES384, jose.RS384}
	signed, err := jwt.ParseSigned(assertion, algorithms)
	if err != nil {
		return err
	}
	var claims jwt.Claims
	public := e.key.Public()
	if err := signed.Claims(public.Key, &claims); err != nil {
		return err
	}
	header := signed.Headers[0]
	life := claims.Expiry.Time().Sub(e.clock.Now())
	switch {
	case r.PostFormValue("grant_type") != "client_credentials":
		return fmt.Errorf("grant_type")
	case r.PostFormValue("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer":
		return fmt.Errorf("client_assertion_type")
	case r.PostFormValue("scope") == "":
		return fmt.Errorf("scope")
	case header.KeyID != e.key.KeyID || header.ExtraHeaders["typ"] != "JWT":
		return fmt.Errorf("header")
	case claims.Issuer != "us" || claims.Subject != "us" || claims.ID == "":
		return fmt.Errorf("iss, sub or jti")
	case len(claims.Audience) != 1 || claims.Audience[0] != e.URL+"/token":
		return fmt.Errorf("aud")
	case life <= 0 || life > 5*time.Minute:
		return fmt.Errorf("exp")
	}
	return nil
}

// tokens returns how many tokens were issued.
func (e *ehr) tokens() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.issued
}

// refuse makes a token worthless.
func (e *ehr) refuse(token string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refused["Bearer "+token] = true
}

// authorised reports whether a request carries a good token, and answers 401 if not.
func (e *ehr) authorised(w http.ResponseWriter, r *http.Request) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	header := r.Header.Get("Authorization")
	if header == "" || e.refused[header] {
		w.WriteHeader(http.StatusUnauthorized)
		return false
	}
	return true
}

// config returns the configuration of a client of this server.
func (e *ehr) config() Config {
	return Config{
		BaseURL: e.URL + "/fhir/", TokenURL: e.URL + "/token", ClientID: "us", Key: e.key,
		Scopes: []string{"system/*.rs"}, AllowLoopback: true,
		Now: e.clock.Now, Sleep: e.clock.Sleep,
		Logger: slog.New(slog.NewJSONHandler(e.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

// client returns a client of this server.
func (e *ehr) client(t *testing.T) *Client { return mustNew(t, e.config()) }

// mustNew returns a client that is closed at the end of the test.
func mustNew(t *testing.T, cfg Config) *Client {
	t.Helper()
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// open returns a client of a server that wants no token.
func open(t *testing.T, server *httptest.Server, clock *fakeClock) *Client {
	t.Helper()
	return mustNew(t, Config{
		BaseURL: server.URL + "/fhir", AllowLoopback: true, Now: clock.Now, Sleep: clock.Sleep,
		Random: zeros{},
	})
}

// serve starts a server for one handler.
func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

// get sends a plain GET for a path under the base and reads the answer.
func get(ctx context.Context, c *Client, segments ...string) ([]byte, error) {
	answer, err := c.Do(ctx, Request{Op: "get thing", URL: c.URL(segments...)})
	if err != nil {
		return nil, err
	}
	return ReadDocument(answer, 1<<20)
}
