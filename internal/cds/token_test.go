package cds_test

import (
	"context"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/internal/cds"
	"github.com/equitylens/equitylens/store/cache"
	"github.com/equitylens/equitylens/store/cache/cachetest"
)

func TestJWT(t *testing.T) {
	t.Parallel()
	es256, rs := ecKey(t, elliptic.P256()), rsaKey(t)
	stranger := ecKey(t, elliptic.P384())
	g := newRig(t, func(c *cds.Config) {
		c.Tenants[0].Keys.Keys = append(c.Tenants[0].Keys.Keys,
			jose.JSONWebKey{Key: es256.Public(), KeyID: "k1"}, jose.JSONWebKey{Key: rs.Public(), KeyID: "k1"},
			jose.JSONWebKey{Key: rs.Public(), KeyID: "enc", Use: "enc"})
		c.Tenants[0].Audiences = []string{baseURL + "/cds-services"}
		c.Tenants[0].JWKSURI = issuer + "/jwks"
	})
	change := func(of object) func() string { return func() string { return g.jwt(t, of) } }
	signed := func(alg jose.SignatureAlgorithm, key any, header map[jose.HeaderKey]any) func() string {
		return func() string { return sign(t, alg, key, header, said()) }
	}
	at := func(d time.Duration) int64 { return now().Add(d).Unix() }
	secret := make([]byte, 64)
	tests := []struct {
		name string
		in   func() string
		want int
	}{
		{"good", change(nil), 200},
		{"ES256", signed(jose.ES256, es256, nil), 200},
		{"RS256", signed(jose.RS256, rs, nil), 200},
		{"RS384", signed(jose.RS384, rs, nil), 200},
		{"the registered jku", signed(jose.ES384, g.key, map[jose.HeaderKey]any{"jku": issuer + "/jwks"}), 200},
		{"aud in an array", change(object{"aud": []string{"https://other", service}}), 200},
		{"a registered further aud", change(object{"aud": baseURL + "/cds-services"}), 200},
		{"an hour", change(object{"exp": at(time.Hour)}), 200},
		{"a tenant that nobody registered separately", change(object{"tenant": "x"}), 200},
		{"issued on a clock that is a little fast", change(object{"iat": at(20 * time.Second)}), 200},

		{"nothing", func() string { return "" }, 401},
		{"no JWT", func() string { return "hello" }, 401},
		{"none", func() string { return unsigned(t, `{"alg":"none","typ":"JWT","kid":"k1"}`) }, 401},
		{"symmetric", signed(jose.HS384, secret, nil), 401},
		{"an algorithm beyond the list", signed(jose.PS384, rs, nil), 401},
		{"another key", signed(jose.ES384, stranger, nil), 401},
		{"a key that encrypts", signed(jose.RS384, rs, map[jose.HeaderKey]any{"kid": "enc"}), 401},
		{"an unknown kid", signed(jose.ES384, g.key, map[jose.HeaderKey]any{"kid": "k2"}), 401},
		{"no kid", signed(jose.ES384, g.key, map[jose.HeaderKey]any{"kid": ""}), 401},
		{"another jku", signed(jose.ES384, stranger, map[jose.HeaderKey]any{"jku": "https://evil/jwks"}), 401},
		{"another jku and a good key", signed(jose.ES384, g.key, map[jose.HeaderKey]any{"jku": "https://evil/jwks"}), 401},
		{"x5u", signed(jose.ES384, g.key, map[jose.HeaderKey]any{"x5u": "https://evil/x"}), 401},
		{"a key of its own", signed(jose.ES384, stranger, map[jose.HeaderKey]any{
			"jwk": jose.JSONWebKey{Key: stranger.Public()}}), 401},
		{"another typ", signed(jose.ES384, g.key, map[jose.HeaderKey]any{"typ": "at+jwt"}), 401},
		{"an issuer that is not registered", change(object{"iss": issuer + ".evil.org"}), 401},
		{"no issuer", change(object{"iss": nil}), 401},
		{"another aud", change(object{"aud": service + "/"}), 401},
		{"the aud of feedback", change(object{"aud": service + "/feedback"}), 401},
		{"no aud", change(object{"aud": nil}), 401},
		{"expired", change(object{"exp": at(0)}), 401},
		{"no exp", change(object{"exp": nil}), 401},
		{"exp in ten years", change(object{"exp": at(87600 * time.Hour)}), 401},
		{"no iat", change(object{"iat": nil}), 401},
		{"iat in the future", change(object{"iat": at(time.Minute)}), 401},
		{"iat long ago", change(object{"iat": at(-2 * time.Hour)}), 401},
		{"nbf in the future", change(object{"nbf": at(time.Minute)}), 401},
		{"no jti", change(object{"jti": nil}), 401},
		{"a jti that is too long", change(object{"jti": strings.Repeat("x", 256)}), 401},
		{"claims of other types", change(object{"iss": []int{1}}), 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := g.post(t, path, tt.in(), call(nil))
			if w.Code != tt.want {
				t.Errorf("status %d, want %d: %s", w.Code, tt.want, w.Body)
			}
			if tt.want == 401 && w.Header().Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("WWW-Authenticate = %q", w.Header().Get("WWW-Authenticate"))
			}
		})
	}
}

// unsigned makes a JWT without a signature.
func unsigned(t *testing.T, header string) string {
	t.Helper()
	claims, err := json.Marshal(said())
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(header)) + "." + encode(claims) + "."
}

func TestJWTTampered(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	good := g.jwt(t, nil)
	parts := strings.Split(good, ".")
	claims := said()
	claims["sub"] = "other"
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	parts[1] = base64.RawURLEncoding.EncodeToString(text)
	if w := g.post(t, path, strings.Join(parts, "."), call(nil)); w.Code != 401 {
		t.Errorf("other claims under the signature: status %d, want 401", w.Code)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, nil)
	r.Header.Add("Authorization", "Bearer "+good)
	r.Header.Add("Authorization", "Bearer "+g.jwt(t, nil))
	w := httptest.NewRecorder()
	g.service.Service().ServeHTTP(w, r)
	if w.Code != 401 {
		t.Errorf("two JWTs: status %d, want 401", w.Code)
	}
}

func TestWithoutTenantsNobodyIsKnown(t *testing.T) {
	t.Parallel()
	g := newRig(t, func(c *cds.Config) { c.Tenants = nil })
	if w := g.post(t, path, g.jwt(t, nil), call(nil)); w.Code != 401 {
		t.Errorf("status %d, want 401", w.Code)
	}
	if diff := cmp.Diff([]cds.Outcome{cds.Refused}, g.outcomes); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

func TestTenantsOfOneIssuer(t *testing.T) {
	t.Parallel()
	var names []string
	g := newRig(t, func(c *cds.Config) {
		second := c.Tenants[0]
		second.Name, second.Claim, second.FHIRServer = "second", "hospital-2", "https://two.example.org/fhir"
		c.Tenants = append(c.Tenants, second)
		c.Count = func(name string, _ cds.Outcome) { names = append(names, name) }
	})
	body := call(object{"fhirServer": "https://two.example.org/fhir"})
	first := g.post(t, path, g.jwt(t, nil), body).Code
	second := g.post(t, path, g.jwt(t, object{"tenant": "hospital-2"}), body).Code
	if first != 403 || second != 200 {
		t.Errorf("status %d and %d, want 403 for another's server and 200", first, second)
	}
	if diff := cmp.Diff([]string{"general", "second"}, names); diff != "" {
		t.Errorf("tenants (-want +got):\n%s", diff)
	}
}

// TestOneJWTOnce sends one JWT a thousand times at once, to two servers of one store.
func TestOneJWTOnce(t *testing.T) {
	t.Parallel()
	stores := map[string]func(t *testing.T) cache.Store{
		"memory": func(*testing.T) cache.Store {
			return cache.NewMemory(cache.MemoryConfig{Now: now})
		},
		"redis": func(t *testing.T) cache.Store {
			t.Helper()
			return cachetest.StartRedis(t).Open(t)
		},
	}
	for name, store := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shared := store(t)
			key := ecKey(t, elliptic.P256()) // The fastest to verify.
			keys := &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1"}}}
			same := func(c *cds.Config) { c.Store = shared; c.Tenants[0].Keys = keys; c.Patience = time.Minute }
			servers := []*rig{newRig(t, same), newRig(t, same)}
			one := sign(t, jose.ES256, key, nil, said())
			var good, refused atomic.Int64
			var all sync.WaitGroup
			for i := range 1000 {
				all.Go(func() {
					switch servers[i%2].post(t, path, one, call(nil)).Code {
					case http.StatusOK:
						good.Add(1)
					case http.StatusUnauthorized:
						refused.Add(1)
					}
				})
			}
			all.Wait()
			if good.Load() != 1 || refused.Load() != 999 {
				t.Errorf("%d succeed and %d are refused, want 1 and 999", good.Load(), refused.Load())
			}
		})
	}
}

// downStore cannot be reached.
type downStore struct{ cache.Store }

func (downStore) SetIfAbsent(context.Context, string, []byte, time.Duration) (bool, error) {
	return false, cache.ErrUnavailable
}

func TestStoreThatIsDownRefuses(t *testing.T) {
	t.Parallel()
	g := newRig(t, func(c *cds.Config) { c.Store = downStore{} })
	w := g.post(t, path, g.jwt(t, nil), call(nil))
	if w.Code != 503 || w.Header().Get("Retry-After") == "" || len(g.events) != 0 {
		t.Errorf("status %d, %v", w.Code, g.events)
	}
	if diff := cmp.Diff([]cds.Outcome{cds.Failed}, g.outcomes); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

// keyServer publishes the keys of an EHR.
type keyServer struct {
	*httptest.Server
	mu      sync.Mutex
	keys    []jose.JSONWebKey
	header  string
	instead http.HandlerFunc
	asked   int
}

func newKeyServer(t *testing.T, keys ...jose.JSONWebKey) *keyServer {
	t.Helper()
	k := &keyServer{keys: keys, header: "max-age=60"}
	k.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.asked++
		if k.instead != nil {
			k.instead(w, r)
			return
		}
		w.Header().Set("Cache-Control", k.header)
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: k.keys})
	}))
	t.Cleanup(k.Close)
	return k
}

func (k *keyServer) set(change func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	change()
}

func TestPublishedKeys(t *testing.T) {
	t.Parallel()
	key, next := ecKey(t, elliptic.P384()), ecKey(t, elliptic.P384())
	server := newKeyServer(t, jose.JSONWebKey{Key: key.Public(), KeyID: "k1"})
	var passed atomic.Int64
	clock := func() time.Time { return now().Add(time.Duration(passed.Load())) }
	g := newRig(t, func(c *cds.Config) {
		c.Now = clock
		c.Tenants[0].Keys, c.Tenants[0].JWKSURI = nil, server.URL+"/jwks"
	})
	post := func(with any, kid string) int {
		claims := said()
		claims["iat"], claims["exp"] = clock().Unix(), clock().Add(time.Minute).Unix()
		return g.post(t, path, sign(t, jose.ES384, with, map[jose.HeaderKey]any{"kid": kid}, claims),
			call(nil)).Code
	}
	step := func(what string, status, want, asked int) {
		t.Helper()
		server.set(func() {
			if status != want || server.asked != asked {
				t.Errorf("%s: status %d after %d fetches, want %d after %d", what, status, server.asked,
					want, asked)
			}
		})
	}
	step("the first call fetches", post(key, "k1"), 200, 1)
	step("the second does not", post(key, "k1"), 200, 1)
	step("an unknown id is looked up once more", post(next, "k2"), 401, 2)
	step("and not again at once", post(next, "k3"), 401, 2)
	server.set(func() { server.keys = []jose.JSONWebKey{{Key: next.Public(), KeyID: "k2"}} })
	passed.Add(int64(11 * time.Second))
	step("a rotated key is found", post(next, "k2"), 200, 3)
	step("the old one is gone", post(key, "k1"), 401, 3)
	server.set(func() {
		server.instead = func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	passed.Add(int64(30 * time.Second))
	step("while the EHR is down kept keys are good", post(next, "k2"), 200, 3)
	passed.Add(int64(time.Minute))
	step("but no longer than max-age", post(next, "k2"), 503, 4)
	step("an EHR that is down is not asked at once again", post(next, "k2"), 503, 4)
	passed.Add(int64(3 * time.Second))
	server.set(func() {
		server.instead = func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"keys":[],"x":"` + strings.Repeat("x", 1<<20) + `"}`))
		}
	})
	step("a megabyte is refused", post(next, "k2"), 503, 5)
	passed.Add(int64(3 * time.Second))
	server.set(func() {
		server.instead = func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, g.ehr.URL+"/jwks", http.StatusFound)
		}
	})
	step("a redirect is not followed", post(next, "k2"), 503, 6)
	passed.Add(int64(3 * time.Second))
	if len(g.asked) != 0 {
		t.Errorf("the redirect was followed: %v", g.asked)
	}
	server.set(func() { server.instead, server.header = nil, "no-store" })
	step("no-store is obeyed", post(next, "k2"), 200, 7)
	step("each time", post(next, "k2"), 200, 8)
}

func TestKeysAreNotFetchedFromWithin(t *testing.T) {
	t.Parallel()
	server := newKeyServer(t)
	for _, uri := range []string{strings.Replace(server.URL, "http:", "https:", 1), "https://10.0.0.1/jwks",
		"https://169.254.169.254/jwks", "https://[::1]/jwks"} {
		g := newRig(t, func(c *cds.Config) {
			c.Tenants[0].Keys, c.Tenants[0].JWKSURI = nil, uri
			c.Tenants[0].AllowLoopback, c.Tenants[0].FHIRServer = false, "https://ehr.example.org/fhir"
		})
		if w := g.post(t, path, g.jwt(t, nil), call(nil)); w.Code != 503 {
			t.Errorf("%s: status %d, want 503", uri, w.Code)
		}
	}
	if server.asked != 0 {
		t.Errorf("loopback was asked %d times", server.asked)
	}
}
