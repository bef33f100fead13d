package client

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"
)

// TestTokenIsAskedForWithPrivateKeyJWT runs both algorithms that SMART has every client know.
func TestTokenIsAskedForWithPrivateKeyJWT(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		key  func(*testing.T) jose.JSONWebKey
		want string
	}{
		{"ES384", newP384, "ES384"},
		{"RS384", func(t *testing.T) jose.JSONWebKey { t.Helper(); return newRSA(t, 2048) }, "RS384"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := newEHR(t)
			e.key = tt.key(t)
			e.mux.HandleFunc("GET /fhir/thing", func(w http.ResponseWriter, r *http.Request) {
				if e.authorised(w, r) {
					_, _ = io.WriteString(w, r.Header.Get("Authorization"))
				}
			})
			c := e.client(t)
			got, err := get(t.Context(), c, "thing")
			if err != nil || string(got) != "Bearer secret-token-1" {
				t.Fatalf("get = %q, %v", got, err)
			}
			e.refuse("secret-token-1")
			if _, err := get(t.Context(), c, "thing"); err != nil {
				t.Fatal(err)
			}
			ids := map[string]bool{}
			for _, assertion := range e.assertions {
				signed, err := jwt.ParseSigned(assertion, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(tt.want)})
				if err != nil {
					t.Fatalf("assertion is not %s: %v", tt.want, err)
				}
				var claims jwt.Claims
				if err := signed.UnsafeClaimsWithoutVerification(&claims); err != nil {
					t.Fatal(err)
				}
				ids[claims.ID] = true
			}
			if len(ids) != 2 {
				t.Errorf("%d different jti in 2 assertions", len(ids))
			}
		})
	}
}

// TestKeyIsChecked has every key that SMART does not allow refused before anything is sent.
func TestKeyIsChecked(t *testing.T) {
	t.Parallel()
	public := newP384(t)
	public = public.Public()
	unnamed := newP384(t)
	unnamed.KeyID = ""
	marked := newP384(t)
	marked.Algorithm = "ES256"
	for name, key := range map[string]jose.JSONWebKey{
		"none": {}, "a public key": public, "no kid": unnamed, "another algorithm": marked,
		"a short RSA key": newRSA(t, 1024),
		"a secret":        {Key: []byte("0123456789abcdef0123456789abcdef"), KeyID: "s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := New(Config{
				BaseURL: "https://ehr.example.org", ClientID: "us", Key: key, Scopes: []string{"s"}, Now: time.Now,
			})
			if err == nil || !strings.Contains(err.Error(), "key:") {
				t.Errorf("New = %v, want a fault of the key", err)
			}
		})
	}
}

// TestTokenIsRenewedBeforeItEnds keeps a token for 80 % of its life and not longer.
func TestTokenIsRenewedBeforeItEnds(t *testing.T) {
	t.Parallel()
	e := newEHR(t)
	e.mux.HandleFunc("GET /fhir/thing", func(w http.ResponseWriter, r *http.Request) { e.authorised(w, r) })
	c := e.client(t)
	var got []int
	for range 4 {
		if _, err := get(t.Context(), c, "thing"); err != nil {
			t.Fatal(err)
		}
		got = append(got, e.tokens())
		e.clock.mu.Lock()
		e.clock.now = e.clock.now.Add(120 * time.Second)
		e.clock.mu.Unlock()
	}
	// At 0, 120, 240 and 360 s: the first token is kept until 240 s, the second until 480 s.
	if diff := cmp.Diff([]int{1, 1, 2, 2}, got); diff != "" {
		t.Errorf("tokens issued (-want +got):\n%s", diff)
	}
}

// TestRefusedTokenIsRenewedOnce asks for one new token on 401 and gives up on the second.
func TestRefusedTokenIsRenewedOnce(t *testing.T) {
	t.Parallel()
	e := newEHR(t)
	requests := 0
	e.mux.HandleFunc("GET /fhir/thing", func(w http.ResponseWriter, _ *http.Request) {
		requests++
		w.WriteHeader(http.StatusUnauthorized)
	})
	_, err := get(t.Context(), e.client(t), "thing")
	var status *StatusError
	if !errors.As(err, &status) || status.Status != http.StatusUnauthorized {
		t.Errorf("get = %v, want status 401", err)
	}
	if e.tokens() != 2 || requests != 2 {
		t.Errorf("%d tokens, %d requests; want 2 and 2", e.tokens(), requests)
	}
}

// TestRenewalIsShared lets many requests find the token gone at once and counts one renewal.
func TestRenewalIsShared(t *testing.T) {
	t.Parallel()
	e := newEHR(t)
	e.mux.HandleFunc("GET /fhir/thing", func(w http.ResponseWriter, r *http.Request) { e.authorised(w, r) })
	c := e.client(t)
	for round := 1; round <= 3; round++ {
		var group sync.WaitGroup
		for range 40 {
			group.Go(func() {
				if _, err := get(t.Context(), c, "thing"); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if e.tokens() != round {
			t.Fatalf("%d tokens after %d rounds of 40 requests", e.tokens(), round)
		}
		e.refuse(fmt.Sprintf("secret-token-%d", round))
	}
}

// TestTokenAnswers reads what servers were seen to answer.
func TestTokenAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		in   string
		want time.Duration // 0 if refused
	}{
		{"as specified", `{"access_token":"a","token_type":"bearer","expires_in":300}`, 300 * time.Second},
		{"without token_type", `{"access_token":"a","expires_in":60}`, time.Minute},
		{"BEARER", `{"access_token":"a","token_type":"BEARER","expires_in":60}`, time.Minute},
		{"without expires_in", `{"access_token":"a"}`, assumedLife},
		{"expires_in as text", `{"access_token":"a","expires_in":"60"}`, time.Minute},
		{"expires_in 0", `{"access_token":"a","expires_in":0}`, assumedLife},
		{"expires_in of a year", `{"access_token":"a","expires_in":31536000}`, longestLife},
		{"expires_in null", `{"access_token":"a","expires_in":null}`, assumedLife},
		{"another type", `{"access_token":"a","token_type":"mac","expires_in":60}`, 0},
		{"no token", `{"token_type":"bearer","expires_in":60}`, 0},
		{"a token with a line break", `{"access_token":"a\r\nX: y","expires_in":60}`, 0},
		{"not JSON", `<html>`, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := readTokenAnswer([]byte(tt.in))
			if tt.want == 0 {
				if err == nil {
					t.Errorf("readTokenAnswer(%s) = %v, want an error", tt.in, got)
				}
				return
			}
			if err != nil || got.life() != tt.want {
				t.Errorf("life of %s = %v, %v; want %v", tt.in, got.life(), err, tt.want)
			}
		})
	}
}

// TestTokenEndpointIsPinned sends no credential after a redirect, and does not ask discovery twice.
func TestTokenEndpointIsPinned(t *testing.T) {
	t.Parallel()
	var caught atomic.Int32
	thief := serve(t, func(http.ResponseWriter, *http.Request) { caught.Add(1) })
	discoveries := 0
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/fhir/.well-known/smart-configuration":
			discoveries++
			_, _ = io.WriteString(w, `{"token_endpoint":"../auth/token"}`)
		case "/auth/token":
			http.Redirect(w, r, thief.URL, http.StatusTemporaryRedirect)
		}
	})
	clock := newClock()
	c := mustNew(t, Config{
		BaseURL: server.URL + "/fhir", ClientID: "us", Key: newP384(t), Scopes: []string{"s"},
		AllowLoopback: true, Now: clock.Now, Sleep: clock.Sleep,
	})
	for range 2 {
		if _, err := get(t.Context(), c, "thing"); !errors.Is(err, ErrRedirect) {
			t.Errorf("get = %v, want ErrRedirect", err)
		}
	}
	if caught.Load() != 0 || discoveries != 1 || len(clock.waits()) != 0 {
		t.Errorf("%d requests elsewhere, %d discoveries, %d waits; want 0, 1, 0",
			caught.Load(), discoveries, len(clock.waits()))
	}
}

// TestDiscoveryResolvesTheTokenEndpoint takes relative endpoints against the base and refuses plain
// http.
func TestDiscoveryResolvesTheTokenEndpoint(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"absolute", "https://auth.example.org/t/1", "https://auth.example.org/t/1"},
		{"relative to the base", "token", "BASE/fhir/r4/token"},
		{"rooted", "/oauth/token", "BASE/oauth/token"},
		{"plain http elsewhere", "http://auth.example.org/token", ""},
		{"with a user", "https://a:b@auth.example.org/token", ""},
		{"not a URL", "::", ""},
		{"none", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/fhir/r4/.well-known/smart-configuration" || r.Header.Get("Authorization") != "" {
					w.WriteHeader(http.StatusTeapot)
				}
				fmt.Fprintf(w, `{"token_endpoint":%q}`, tt.in)
			})
			c := mustNew(t, Config{
				BaseURL: server.URL + "/fhir/r4", ClientID: "us", Key: newP384(t), Scopes: []string{"s"},
				AllowLoopback: true, Now: time.Now,
			})
			got, err := c.tokens.discover(t.Context())
			want := strings.Replace(tt.want, "BASE", server.URL, 1)
			if want == "" {
				if err == nil {
					t.Errorf("discover = %s, want an error", got)
				}
				return
			}
			if err != nil || got.String() != want {
				t.Errorf("discover = %v, %v; want %s", got, err, want)
			}
		})
	}
}

// TestTokenFaultsAreNamed keeps the OAuth error, retries what passes with a new assertion, and
// prints nothing like a token.
func TestTokenFaultsAreNamed(t *testing.T) {
	t.Parallel()
	var assertions []string
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		assertions = append(assertions, r.PostFormValue("client_assertion"))
		if len(assertions) < 3 {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":"invalid_scope","error_description":"no such scope"}`)
	})
	clock := newClock()
	c := mustNew(t, Config{
		BaseURL: server.URL + "/fhir", TokenURL: server.URL, ClientID: "us", Key: newP384(t),
		Scopes: []string{"s"}, AllowLoopback: true, Now: clock.Now, Sleep: clock.Sleep,
	})
	_, err := get(t.Context(), c, "thing")
	want := "get thing: ask for access token: status 400 Bad Request: invalid_scope (no such scope)"
	if err == nil || err.Error() != want {
		t.Errorf("get = %v, want %s", err, want)
	}
	slices.Sort(assertions)
	if len(slices.Compact(assertions)) != 3 {
		t.Error("an assertion was sent twice")
	}
	for _, wait := range clock.waits() {
		if wait < 7*time.Second {
			t.Errorf("waited %s where 7 s were asked for", wait)
		}
	}
	for in, want := range map[string]string{
		"expired": "expired", "eyJhbGciOi": "", "line\nbreak": "", strings.Repeat("x", 201): "",
	} {
		if got := harmless(in, 200); got != want {
			t.Errorf("harmless(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestTokenIsNeverLogged greps the whole log of a client that had to renew.
func TestTokenIsNeverLogged(t *testing.T) {
	t.Parallel()
	e := newEHR(t)
	calls := 0
	e.mux.HandleFunc("GET /fhir/thing", func(w http.ResponseWriter, r *http.Request) {
		if calls++; calls == 2 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		e.authorised(w, r)
	})
	e.answer = func(w http.ResponseWriter, token string) {
		fmt.Fprintf(w, `{"access_token":%q,"expires_in":2,"scope":"system/Patient.rs"}`, token)
	}
	c := e.client(t)
	for range 3 {
		if _, err := get(t.Context(), c, "thing"); err != nil {
			t.Fatal(err)
		}
		e.refuse(fmt.Sprintf("secret-token-%d", e.tokens()))
	}
	log := e.log.String()
	for _, line := range []string{"access token renewed", "fewer scopes", "tried again"} {
		if !strings.Contains(log, line) {
			t.Errorf("log does not say %q", line)
		}
	}
	for _, secret := range append(e.assertions, "secret-token", e.URL, "thing?") {
		if strings.Contains(log, secret) {
			t.Errorf("log holds %.20q", secret)
		}
	}
}
