package auth_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/auth"
	"github.com/equitylens/equitylens/auth/authtest"
)

// publisher is a client's server that publishes keys.
type publisher struct {
	*httptest.Server
	mu     sync.Mutex
	answer http.HandlerFunc
	asked  int
}

// publish starts one over plain http on loopback.
func publish(t *testing.T, answer http.HandlerFunc) *publisher {
	t.Helper()
	p := &publisher{answer: answer}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.asked++
		p.answer(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

// now says what to answer from here on.
func (p *publisher) now(answer http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

// times is how often it was asked.
func (p *publisher) times() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// serveKeys answers with keys that may be kept as cacheControl says.
func serveKeys(t *testing.T, cacheControl string, private ...jose.JSONWebKey) http.HandlerFunc {
	t.Helper()
	text, err := json.Marshal(public(private...))
	if err != nil {
		t.Fatal(err)
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		if cacheControl != "" {
			w.Header().Set("Cache-Control", cacheControl)
		}
		_, _ = w.Write(text)
	}
}

// published is a rig whose client publishes its keys at p.
func published(t *testing.T, p *publisher, allow bool) *rig {
	t.Helper()
	return newRig(t, func(cfg *auth.Config, _ *rig) {
		cfg.Clients[0].JWKS, cfg.Clients[0].JWKSURI = nil, p.URL+"/jwks.json"
		if !allow {
			cfg.Clients[0].JWKSURI = strings.Replace(p.URL, "http:", "https:", 1)
		}
		cfg.AllowPrivateNetworks = allow
	})
}

// status asks for a token with a key and returns the status.
func (r *rig) status(t *testing.T, key jose.JSONWebKey) int {
	t.Helper()
	a := r.assertion()
	a.Key = key
	answer := r.ask(t, sign(t, a), reports)
	if answer.Status != http.StatusOK {
		refused(t, answer, http.StatusUnauthorized, "invalid_client")
	}
	return answer.Status
}

func TestPublishedKeysAreKeptAsLongAsAllowed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, cacheControl string
		keep               time.Duration
	}{
		{"by max-age", "public, max-age=60", time.Minute},
		{"an hour at most", "max-age=999999999", time.Hour},
		{"five minutes when nothing is said", "", 5 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			key := newKey(t, jose.ES384)
			p := publish(t, serveKeys(t, c.cacheControl, key))
			r := published(t, p, true)
			for range 3 {
				r.status(t, key)
			}
			r.clock.Advance(c.keep - time.Second)
			if r.status(t, key) != http.StatusOK || p.times() != 1 {
				t.Errorf("asked %d times within the time allowed, want once", p.times())
			}
			p.now(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
			if r.status(t, key) != http.StatusOK {
				t.Error("keys that may be kept are not used while their server is down")
			}
			r.clock.Advance(time.Second)
			if r.status(t, key) == http.StatusOK {
				t.Error("keys are used longer than allowed")
			}
			p.now(serveKeys(t, c.cacheControl, key))
			if r.status(t, key) != http.StatusOK {
				t.Error("keys are not used when their server is back")
			}
		})
	}
}

func TestKeysThatMustNotBeKeptAreNot(t *testing.T) {
	t.Parallel()
	for _, cacheControl := range []string{"no-store", "no-cache", "max-age=0", "max-age=soon"} {
		t.Run(cacheControl, func(t *testing.T) {
			t.Parallel()
			key := newKey(t, jose.ES384)
			p := publish(t, serveKeys(t, cacheControl, key))
			r := published(t, p, true)
			for want := 1; want <= 3; want++ {
				if r.status(t, key) != http.StatusOK || p.times() != want {
					t.Errorf("asked %d times, want %d", p.times(), want)
				}
			}
		})
	}
}

// TestRotatedKeysAreFound is faults row 40: a key of an unknown id is looked up at once, and
// made-up ids do not make us hammer the client.
func TestRotatedKeysAreFound(t *testing.T) {
	t.Parallel()
	old, next := newKey(t, jose.ES384), newKey(t, jose.ES384)
	p := publish(t, serveKeys(t, "max-age=3600", old))
	r := published(t, p, true)
	if r.status(t, old) != http.StatusOK {
		t.Fatal("the first key is refused")
	}
	p.now(serveKeys(t, "max-age=3600", next))
	if r.status(t, next) != http.StatusOK {
		t.Error("the rotated key is refused")
	}
	if r.status(t, old) == http.StatusOK {
		t.Error("the key that was taken back is accepted")
	}
	asked := p.times()
	for range 20 {
		r.status(t, newKey(t, jose.ES384))
	}
	if p.times() != asked {
		t.Errorf("20 made-up ids asked the client %d times", p.times()-asked)
	}
	r.clock.Advance(10 * time.Second)
	r.status(t, newKey(t, jose.ES384))
	if p.times() != asked+1 {
		t.Errorf("asked %d times after a while, want once", p.times()-asked)
	}
}

// write answers with text.
func write(text []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(text) }
}

func TestBadKeyDocumentsAreRefused(t *testing.T) {
	t.Parallel()
	key := newKey(t, jose.ES384)
	good := serveKeys(t, "", key)
	elsewhere := publish(t, good)
	private, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key}})
	if err != nil {
		t.Fatal(err)
	}
	for name, answer := range map[string]http.HandlerFunc{
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		},
		"an error with keys": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			good(w, r)
		},
		"a megabyte before the keys": func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(strings.Repeat(" ", 1<<20)))
			good(w, r)
		},
		"no JSON":             write([]byte("<html>")),
		"no keys":             write([]byte(`{}`)),
		"a private key":       write(private),
		"a broken connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if published(t, publish(t, answer), true).status(t, key) == http.StatusOK {
				t.Error("a token was given")
			}
		})
	}
	if elsewhere.times() != 0 {
		t.Error("a redirect was followed")
	}
}

func TestUnknownKeysInADocumentArePassedOver(t *testing.T) {
	t.Parallel()
	key := newKey(t, jose.ES384)
	text, err := json.Marshal(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	p := publish(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w,
			`{"keys":[{"kty":"new"},{"kty":"EC","crv":"P-384"},7,{"kty":"oct","k":"AQ"},%s]}`, text)
	})
	if published(t, p, true).status(t, key) != http.StatusOK {
		t.Error("the good key among them is refused")
	}
}

// TestPrivateAddressesAreNotAsked is the guard against requests that a client makes us send
// into our own network.
func TestPrivateAddressesAreNotAsked(t *testing.T) {
	t.Parallel()
	key := newKey(t, jose.ES384)
	p := publish(t, serveKeys(t, "", key))
	r := published(t, p, false)
	if r.status(t, key) == http.StatusOK || p.times() != 0 {
		t.Errorf("asked %d times, want never", p.times())
	}
	if !strings.Contains(r.log.String(), "network address is not allowed") {
		t.Errorf("log = %s, want it to tell the reason", r.log)
	}
}

func TestJKUOfTheRegisteredAddressIsAccepted(t *testing.T) {
	t.Parallel()
	key := newKey(t, jose.ES384)
	p := publish(t, serveKeys(t, "", key))
	r := published(t, p, true)
	for jku, status := range map[string]int{
		p.URL + "/jwks.json":  http.StatusOK,
		p.URL + "/jwks.json?": http.StatusUnauthorized,
		p.URL + "/other.json": http.StatusUnauthorized,
	} {
		a := authtest.Assertion{
			ClientID: "nightly", Audience: tokenURL, Key: key, Now: r.clock.Now(),
			Header: map[string]any{"jku": jku},
		}
		if answer := r.ask(t, sign(t, a), reports); answer.Status != status {
			t.Errorf("jku %s = %d %v, want %d", jku, answer.Status, answer.Body, status)
		}
	}
}

// TestManyFetchAtOnce lets many assertions wait for one fetch.
func TestManyFetchAtOnce(t *testing.T) {
	t.Parallel()
	key := newKey(t, jose.ES384)
	p := publish(t, serveKeys(t, "max-age=60", key))
	r := published(t, p, true)
	var wait sync.WaitGroup
	for range 50 {
		text := sign(t, authtest.Assertion{
			ClientID: "nightly", Audience: tokenURL, Key: key, Now: r.clock.Now(),
		})
		wait.Go(func() {
			rec := serve(t, r.Token(), authtest.Form(text, reports).Encode())
			if rec.Code != http.StatusOK {
				t.Errorf("answer = %d %s", rec.Code, rec.Body)
			}
		})
	}
	wait.Wait()
}
