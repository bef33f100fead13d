package auth_test

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/auth"
	"github.com/equitylens/equitylens/auth/authtest"
	"github.com/equitylens/equitylens/store/cache"
	"github.com/equitylens/equitylens/store/cache/cachetest"
)

// claim changes one claim of a good assertion.
func (r *rig) claim(name string, value any) authtest.Assertion {
	a := r.assertion()
	a.Claims = map[string]any{name: value}
	return a
}

// head changes one header of a good assertion.
func (r *rig) head(name string, value any) authtest.Assertion {
	a := r.assertion()
	a.Header = map[string]any{name: value}
	return a
}

// badAssertions are all that an assertion can be wrong in while it is signed with a key.
func badAssertions(t *testing.T, r *rig) map[string]authtest.Assertion {
	t.Helper()
	now := r.clock.Now()
	stranger := r.assertion()
	stranger.Key = newKey(t, jose.ES384)
	impostor := stranger
	impostor.Header = map[string]any{"kid": r.key.KeyID}
	otherAlgorithm := r.assertion()
	otherAlgorithm.Key = newKey(t, jose.ES256)
	otherAlgorithm.Header = map[string]any{"kid": r.key.KeyID}
	own := stranger
	own.Header = map[string]any{"jwk": stranger.Key.Public(), "kid": nil}
	return map[string]authtest.Assertion{
		"expired":                      r.claim("exp", now.Add(-time.Minute).Unix()),
		"expired this second":          r.claim("exp", now.Unix()),
		"without exp":                  r.claim("exp", nil),
		"exp ten years ahead":          r.claim("exp", now.AddDate(10, 0, 0).Unix()),
		"exp six minutes ahead":        r.claim("exp", now.Add(6*time.Minute).Unix()),
		"exp beyond all time":          r.claim("exp", 1e300),
		"exp as text":                  r.claim("exp", "soon"),
		"not valid yet":                r.claim("nbf", now.Add(time.Minute).Unix()),
		"issued in the future":         r.claim("iat", now.Add(time.Minute).Unix()),
		"without jti":                  r.claim("jti", nil),
		"with an empty jti":            r.claim("jti", ""),
		"with a number as jti":         r.claim("jti", 7),
		"with an endless jti":          r.claim("jti", strings.Repeat("x", 300)),
		"of an unknown client":         {ClientID: "nobody", Audience: tokenURL, Key: r.key, Now: now},
		"with another iss":             r.claim("iss", "somebody"),
		"with another sub":             r.claim("sub", "somebody"),
		"without sub":                  r.claim("sub", nil),
		"without iss":                  r.claim("iss", nil),
		"for another audience":         r.claim("aud", "https://evil.example/oauth/token"),
		"for a longer audience":        r.claim("aud", tokenURL+"/"),
		"without an audience":          r.claim("aud", nil),
		"for us and another":           r.claim("aud", []string{tokenURL, "https://evil.example"}),
		"signed by a stranger":         stranger,
		"signed by an impostor":        impostor,
		"of an algorithm too many":     otherAlgorithm,
		"with an unknown kid":          r.head("kid", "no such key"),
		"of the type of access tokens": r.head("typ", "at+jwt"),
		"with a typ of no text":        r.head("typ", 7),
		"with a jku of its own":        r.head("jku", "https://evil.example/jwks.json"),
		"with an x5u of its own":       r.head("x5u", "https://evil.example/cert.pem"),
		"with a key of its own":        own,
		"with its key in the header":   r.head("jwk", r.key.Public()),
		"with an unknown critical header": {
			ClientID: "nightly", Audience: tokenURL, Key: r.key, Now: now,
			Header: map[string]any{"crit": []string{"x"}, "x": 1},
		},
	}
}

// TestBadAssertionsAreInvalidClient holds faults row 36 and the negative list of SMART Backend
// Services.
func TestBadAssertionsAreInvalidClient(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for name, a := range badAssertions(t, r) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused(t, r.ask(t, sign(t, a), reports), http.StatusUnauthorized, "invalid_client")
		})
	}
}

func TestGoodAssertions(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	now := r.clock.Now()
	for name, a := range map[string]authtest.Assertion{
		"for the issuer":                  r.claim("aud", issuer),
		"for one audience in a list":      r.claim("aud", []string{tokenURL}),
		"without typ":                     r.head("typ", nil),
		"with the newer typ":              r.head("typ", "client-authentication+jwt"),
		"without kid":                     r.head("kid", nil),
		"without iat":                     r.claim("iat", nil),
		"by a clock a little ahead":       r.claim("iat", now.Add(20*time.Second).Unix()),
		"for exactly five minutes":        r.claim("exp", now.Add(5*time.Minute).Unix()),
		"for a second more":               r.claim("exp", now.Add(time.Second).Unix()),
		"with a claim that nobody knows":  r.claim("https://x.example/claim", "y"),
		"with a header that nobody knows": r.head("x", "y"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if answer := r.ask(t, sign(t, a), reports); answer.Status != http.StatusOK {
				t.Errorf("answer = %d %v, want 200", answer.Status, answer.Body)
			}
		})
	}
}

func TestB2ExpiredAssertionIsInvalidClient(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	text := sign(t, r.assertion())
	r.clock.Advance(4 * time.Minute)
	answer := r.ask(t, text, reports)
	refused(t, answer, http.StatusUnauthorized, "invalid_client")
	if answer.Text("error_description") != "the assertion has expired" {
		t.Errorf("description = %q", answer.Text("error_description"))
	}
}

func TestB3KeyWithoutUseIsAccepted(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*jose.JSONWebKey){
		"without use and alg": func(k *jose.JSONWebKey) { k.Use, k.Algorithm = "", "" },
		"without kid":         func(k *jose.JSONWebKey) { k.KeyID = "" },
		"with use and alg":    func(*jose.JSONWebKey) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(cfg *auth.Config, _ *rig) {
				change(&cfg.Clients[0].JWKS.Keys[0])
			})
			a := r.assertion()
			if name == "without kid" {
				a.Header = map[string]any{"kid": nil}
			}
			if answer := r.ask(t, sign(t, a), reports); answer.Status != http.StatusOK {
				t.Errorf("answer = %d %v, want 200", answer.Status, answer.Body)
			}
		})
	}
}

func TestB3KeyForEncryptionIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *auth.Config, _ *rig) { cfg.Clients[0].JWKS.Keys[0].Use = "enc" })
	refused(t, r.ask(t, sign(t, r.assertion()), reports), http.StatusUnauthorized, "invalid_client")
}

func TestB3EveryKeyOfTheKindIsTried(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *auth.Config, r *rig) {
		decoy := newKey(t, jose.ES384)
		decoy.KeyID = r.key.KeyID
		cfg.Clients[0].JWKS = public(newKey(t, jose.ES256), decoy, r.key)
	})
	for name, a := range map[string]authtest.Assertion{
		"with an id that two keys have": r.assertion(), "without an id": r.head("kid", nil),
	} {
		if answer := r.ask(t, sign(t, a), reports); answer.Status != http.StatusOK {
			t.Errorf("%s: answer = %d %v, want 200", name, answer.Status, answer.Body)
		}
	}
}

func TestB4EveryRegisteredAlgorithmIsAccepted(t *testing.T) {
	t.Parallel()
	rs384 := newKey(t, jose.RS384)
	rs256 := rs384
	rs256.Algorithm = "RS256"
	es256 := newKey(t, jose.ES256)
	r := newRig(t, func(cfg *auth.Config, r *rig) {
		anyAlg := rs384
		anyAlg.Algorithm = ""
		cfg.Clients[0].JWKS = public(r.key, anyAlg, es256)
		other := cfg.Clients[0]
		other.ID, other.Algorithms = "picky", []string{"ES256"}
		cfg.Clients = append(cfg.Clients, other)
	})
	for _, c := range []struct {
		client string
		key    jose.JSONWebKey
		status int
	}{
		{"nightly", r.key, http.StatusOK},
		{"nightly", rs384, http.StatusOK},
		{"nightly", rs256, http.StatusUnauthorized},
		{"nightly", es256, http.StatusUnauthorized},
		{"picky", es256, http.StatusOK},
		{"picky", r.key, http.StatusUnauthorized},
	} {
		a := r.assertion()
		a.ClientID, a.Key = c.client, c.key
		if answer := r.ask(t, sign(t, a), reports); answer.Status != c.status {
			t.Errorf("%s with %s = %d %v, want %d", c.client, c.key.Algorithm,
				answer.Status, answer.Body, c.status)
		}
	}
}

func TestB4ReplayIsInvalidClient(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	text := sign(t, r.assertion())
	if answer := r.ask(t, text, reports); answer.Status != http.StatusOK {
		t.Fatalf("first use = %d %v", answer.Status, answer.Body)
	}
	refused(t, r.ask(t, text, reports), http.StatusUnauthorized, "invalid_client")
	r.clock.Advance(4*time.Minute - time.Second)
	refused(t, r.ask(t, text, reports), http.StatusUnauthorized, "invalid_client")
}

func TestB4IdsOfTwoClientsDoNotCollide(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *auth.Config, _ *rig) {
		other := cfg.Clients[0]
		other.ID = "other"
		cfg.Clients = append(cfg.Clients, other)
	})
	for _, id := range []string{"nightly", "other"} {
		a := r.claim("jti", "1")
		a.ClientID = id
		if answer := r.ask(t, sign(t, a), reports); answer.Status != http.StatusOK {
			t.Errorf("%s = %d %v, want 200", id, answer.Status, answer.Body)
		}
	}
}

// TestB4ARefusedAssertionSpendsNothing makes sure that nobody can use up the ids of another.
func TestB4ARefusedAssertionSpendsNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	forged := r.claim("jti", "1")
	forged.Key = newKey(t, jose.ES384)
	forged.Header = map[string]any{"kid": r.key.KeyID}
	refused(t, r.ask(t, sign(t, forged), reports), http.StatusUnauthorized, "invalid_client")
	if answer := r.ask(t, sign(t, r.claim("jti", "1")), reports); answer.Status != http.StatusOK {
		t.Errorf("answer = %d %v, want 200", answer.Status, answer.Body)
	}
}

// TestUnsignedAndSymmetricAssertions is faults row 36: what a library would not even sign.
func TestUnsignedAndSymmetricAssertions(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	good := strings.Split(sign(t, r.assertion()), ".")
	header := func(alg string) string {
		text, err := json.Marshal(map[string]string{"alg": alg, "kid": r.key.KeyID, "typ": "JWT"})
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	for name, text := range map[string]string{
		"alg none":                  header("none") + "." + good[1] + ".",
		"alg none with a signature": header("none") + "." + good[1] + "." + good[2],
		"alg NONE":                  header("NONE") + "." + good[1] + ".",
		"HS384 with the public key": symmetric(t, r),
		"no signature":              good[0] + "." + good[1] + ".",
		"two parts":                 good[0] + "." + good[1],
		"four parts":                strings.Join(good, ".") + ".x",
		"JSON serialization":        `{"payload":"` + good[1] + `"}`,
		"another payload":           good[0] + "." + good[1][2:] + "." + good[2],
		"nothing":                   "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused(t, r.ask(t, text, reports), http.StatusUnauthorized, "invalid_client")
		})
	}
}

// symmetric signs by HMAC with the public key as the secret, which every verifier knows.
func symmetric(t *testing.T, r *rig) string {
	t.Helper()
	private, ok := r.key.Key.(*ecdsa.PrivateKey)
	if !ok {
		t.Fatal("not an elliptic key")
	}
	secret, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	a := r.assertion()
	a.Key = jose.JSONWebKey{Key: secret, KeyID: r.key.KeyID, Algorithm: string(jose.HS384)}
	return sign(t, a)
}

func TestOtherClientAuthenticationIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for name, change := range map[string]func(*http.Request, map[string][]string){
		"a wrong client_assertion_type": func(_ *http.Request, f map[string][]string) {
			f["client_assertion_type"] = []string{"not_an_assertion_type"}
		},
		"no client_assertion_type": func(_ *http.Request, f map[string][]string) {
			delete(f, "client_assertion_type")
		},
		"no assertion": func(_ *http.Request, f map[string][]string) {
			delete(f, "client_assertion")
		},
		"another client_id": func(_ *http.Request, f map[string][]string) {
			f["client_id"] = []string{"other"}
		},
		"a secret beside it": func(_ *http.Request, f map[string][]string) {
			f["client_secret"] = []string{"secret"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			form := authtest.Form(sign(t, r.assertion()), reports)
			change(nil, form)
			refused(t, post(t, r, form), http.StatusUnauthorized, "invalid_client")
		})
	}
	t.Run("the right client_id", func(t *testing.T) {
		t.Parallel()
		form := authtest.Form(sign(t, r.assertion()), reports)
		form.Set("client_id", "nightly")
		if answer := post(t, r, form); answer.Status != http.StatusOK {
			t.Errorf("answer = %d %v, want 200", answer.Status, answer.Body)
		}
	})
}

// manyUses uses one assertion cachetest.Racers times at once on all rigs in turn: faults row 34.
func manyUses(t *testing.T, text string, rigs ...*rig) {
	t.Helper()
	var wins, losses atomic.Int64
	var wait sync.WaitGroup
	gate := make(chan struct{})
	form := authtest.Form(text, reports).Encode()
	for i := range cachetest.Racers {
		handler := rigs[i%len(rigs)].Token()
		wait.Go(func() {
			<-gate
			rec := serve(t, handler, form)
			switch rec.Code {
			case http.StatusOK:
				wins.Add(1)
			case http.StatusUnauthorized:
				losses.Add(1)
			default:
				t.Errorf("answer = %d %s", rec.Code, rec.Body)
			}
		})
	}
	close(gate)
	wait.Wait()
	if wins.Load() != 1 || losses.Load() != cachetest.Racers-1 {
		t.Errorf("%d uses succeeded and %d were refused, want 1 and %d",
			wins.Load(), losses.Load(), cachetest.Racers-1)
	}
}

func TestB4OfManyUsesOneSucceedsOnMemory(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	manyUses(t, sign(t, r.assertion()), r)
}

// TestB4OfManyUsesOneSucceedsOnRedis has two servers of one issuer share a Redis.
func TestB4OfManyUsesOneSucceedsOnRedis(t *testing.T) {
	t.Parallel()
	server := cachetest.StartRedis(t)
	first := newRig(t, func(cfg *auth.Config, _ *rig) { cfg.Store = server.Open(t) })
	second := newRig(t, func(cfg *auth.Config, _ *rig) {
		cfg.Store = server.Open(t)
		cfg.Clients[0].JWKS = public(first.key)
	})
	text := sign(t, first.assertion())
	manyUses(t, text, first, second)
	third := newRig(t, func(cfg *auth.Config, _ *rig) {
		cfg.Store = server.Open(t)
		cfg.Clients[0].JWKS = public(first.key)
	})
	refused(t, third.ask(t, text, reports), http.StatusUnauthorized, "invalid_client")
}

func TestADeadStoreFailsClosed(t *testing.T) {
	t.Parallel()
	server := cachetest.StartRedis(t)
	r := newRig(t, func(cfg *auth.Config, _ *rig) {
		var store cache.Store = server.Open(t)
		cfg.Store = store
	})
	server.Kill()
	answer := r.ask(t, sign(t, r.assertion()), reports)
	refused(t, answer, http.StatusServiceUnavailable, "temporarily_unavailable")
	if answer.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}
