package auth_test

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/auth"
	"github.com/equitylens/equitylens/auth/authtest"
)

// payload reads a token of ours without checking it.
func payload(t *testing.T, token string) (header jose.Header, claims map[string]any) {
	t.Helper()
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES384})
	if err != nil {
		t.Fatal(err)
	}
	if err := parsed.UnsafeClaimsWithoutVerification(&claims); err != nil {
		t.Fatal(err)
	}
	return parsed.Headers[0], claims
}

// TestB6EveryTokenHasItsOwnTimeAndId gets two tokens one after the other.
func TestB6EveryTokenHasItsOwnTimeAndId(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	_, first := payload(t, r.token(t, reports))
	r.clock.Advance(7 * time.Second)
	_, second := payload(t, r.token(t, reports))
	if first["jti"] == second["jti"] {
		t.Errorf("both tokens have the id %v", first["jti"])
	}
	for _, claim := range []string{"iat", "exp"} {
		a, _ := first[claim].(float64)
		b, _ := second[claim].(float64)
		if b-a != 7 {
			t.Errorf("%s is %v and then %v, want 7 seconds between", claim, a, b)
		}
	}
}

// TestB10TokenKeepsAudienceAndClient holds the claims of RFC 9068.
func TestB10TokenKeepsAudienceAndClient(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	token := r.token(t, "system/Measure.rs "+reports)
	header, claims := payload(t, token)
	key, err := r.keys.Signing(jose.ES384)
	if err != nil {
		t.Fatal(err)
	}
	if header.Algorithm != "ES384" || header.KeyID != key.KeyID ||
		header.ExtraHeaders[jose.HeaderType] != "at+jwt" {
		t.Errorf("header = %+v", header)
	}
	for _, id := range []string{"jti", "grant_id"} {
		if text, _ := claims[id].(string); text == "" {
			t.Errorf("%s = %v, want an id", id, claims[id])
		}
		delete(claims, id)
	}
	now := float64(r.clock.Now().Unix())
	want := map[string]any{
		"iss": issuer, "sub": "nightly", "aud": audience, "client_id": "nightly",
		"scope": "system/Measure.rs " + reports, "iat": now, "exp": now + 300,
	}
	if diff := cmp.Diff(want, claims); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
	p, err := r.Validator().Validate(t.Context(), token)
	if err != nil || p.ClientID != "nightly" {
		t.Errorf("Validate = %+v, %v", p, err)
	}
}

// forge signs claims with the server's own key: what only a fault of ours could make. The ids
// are those of a token that was given and is live.
func (r *rig) forge(t *testing.T, header, claims map[string]any) string {
	t.Helper()
	_, given := payload(t, r.token(t, reports))
	key, err := r.keys.Signing(jose.ES384)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]any{
		"aud": audience, "client_id": "nightly", "scope": reports, "jti": given["jti"],
		"grant_id": given["grant_id"],
	}
	for name, value := range claims {
		all[name] = value
	}
	head := map[string]any{"typ": "at+jwt"}
	for name, value := range header {
		head[name] = value
	}
	return sign(t, authtest.Assertion{
		ClientID: issuer, Audience: audience, Key: key, Now: r.clock.Now(), Claims: all, Header: head,
	})
}

func TestValidateRefuses(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	now := r.clock.Now()
	if _, err := r.Validator().Validate(t.Context(), r.forge(t, nil, nil)); err != nil {
		t.Fatalf("Validate of an unchanged forgery = %v, want none", err)
	}
	stranger := newKey(t, jose.ES384)
	for name, token := range map[string]string{
		"another issuer":     r.forge(t, nil, map[string]any{"iss": "https://evil.example"}),
		"another audience":   r.forge(t, nil, map[string]any{"aud": "https://evil.example"}),
		"a longer audience":  r.forge(t, nil, map[string]any{"aud": audience + "/Measure"}),
		"no audience":        r.forge(t, nil, map[string]any{"aud": nil}),
		"expired":            r.forge(t, nil, map[string]any{"exp": now.Unix()}),
		"no exp":             r.forge(t, nil, map[string]any{"exp": nil}),
		"from the future":    r.forge(t, nil, map[string]any{"iat": now.Add(time.Minute).Unix()}),
		"no iat":             r.forge(t, nil, map[string]any{"iat": nil}),
		"not valid yet":      r.forge(t, nil, map[string]any{"nbf": now.Add(time.Minute).Unix()}),
		"no client":          r.forge(t, nil, map[string]any{"client_id": nil}),
		"no subject":         r.forge(t, nil, map[string]any{"sub": nil}),
		"no id":              r.forge(t, nil, map[string]any{"jti": nil}),
		"another id":         r.forge(t, nil, map[string]any{"jti": "never given"}),
		"no grant":           r.forge(t, nil, map[string]any{"grant_id": nil}),
		"another grant":      r.forge(t, nil, map[string]any{"grant_id": "never given"}),
		"a malformed scope":  r.forge(t, nil, map[string]any{"scope": "system/measure.rs"}),
		"an id_token":        r.forge(t, map[string]any{"typ": "JWT"}, nil),
		"no typ":             r.forge(t, map[string]any{"typ": nil}, nil),
		"no kid":             r.forge(t, map[string]any{"kid": nil}, nil),
		"an unknown kid":     r.forge(t, map[string]any{"kid": stranger.KeyID}, nil),
		"a client assertion": sign(t, r.assertion()),
		"a stranger's signature": sign(t, authtest.Assertion{
			ClientID: issuer, Audience: audience, Key: stranger, Now: now,
			Claims: map[string]any{"client_id": "nightly", "scope": reports},
			Header: map[string]any{"typ": "at+jwt", "kid": r.keys.Public().Keys[0].KeyID},
		}),
		"nothing":       "",
		"nonsense":      "a.b.c",
		"too long":      strings.Repeat("x", 20_000),
		"one character": "x",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := r.Validator().Validate(t.Context(), token)
			if !errors.Is(err, auth.ErrInvalidToken) {
				t.Errorf("Validate = %+v, %v, want ErrInvalidToken", p, err)
			}
		})
	}
}

// TestUnsignedAndSymmetricAccessTokens is faults row 36 at the API: a live token whose header names
// no algorithm, or HMAC with the public key as its secret, or keys of its own.
func TestUnsignedAndSymmetricAccessTokens(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	good := r.token(t, reports)
	parts := strings.Split(good, ".")
	kid := r.keys.Public().Keys[0].KeyID
	header := func(more string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(
			`{"typ":"at+jwt","kid":"` + kid + `",` + more + `}`))
	}
	_, claims := payload(t, good)
	secret, err := x509.MarshalPKIXPublicKey(r.keys.Public().Keys[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	symmetric := sign(t, authtest.Assertion{
		Key:    jose.JSONWebKey{Key: secret, KeyID: kid, Algorithm: string(jose.HS384)},
		Claims: claims, Header: map[string]any{"typ": "at+jwt"},
	})
	stranger := newKey(t, jose.ES384)
	for name, token := range map[string]string{
		"alg none":                  header(`"alg":"none"`) + "." + parts[1] + ".",
		"alg none with a signature": header(`"alg":"none"`) + "." + parts[1] + "." + parts[2],
		"another alg":               header(`"alg":"ES256"`) + "." + parts[1] + "." + parts[2],
		"no signature":              parts[0] + "." + parts[1] + ".",
		"HS384 with the public key": symmetric,
		"a jku of its own": sign(t, authtest.Assertion{Key: stranger, Claims: claims,
			Header: map[string]any{"typ": "at+jwt", "jku": "https://evil.example/jwks.json"}}),
		"a key of its own": sign(t, authtest.Assertion{Key: stranger, Claims: claims,
			Header: map[string]any{"typ": "at+jwt", "kid": kid, "jwk": stranger.Public()}}),
		"an exp of its own": parts[0] + "." + base64.RawURLEncoding.EncodeToString(
			[]byte(`{"exp":9999999999}`)) + "." + parts[2],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := r.Validator().Validate(t.Context(), token); !errors.Is(err, auth.ErrInvalidToken) {
				t.Errorf("Validate = %v, want ErrInvalidToken", err)
			}
		})
	}
}

// TestAnAccessTokenIsNoAssertion uses a token of ours where an assertion belongs, with the
// server's keys registered for the client on top.
func TestAnAccessTokenIsNoAssertion(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *auth.Config, r *rig) {
		set := r.keys.Public()
		set.Keys = append(set.Keys, r.key.Public())
		cfg.Clients[0].JWKS = &set
	})
	text := r.forge(t, nil, map[string]any{"iss": "nightly", "sub": "nightly", "aud": tokenURL})
	refused(t, r.ask(t, text, reports), http.StatusUnauthorized, "invalid_client")
}

func TestTokensOutliveARotation(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	before := r.token(t, reports)
	if err := errors.Join(r.keys.Prepare(), r.keys.Promote()); err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"before": before, "after": r.token(t, reports)} {
		if _, err := r.Validator().Validate(t.Context(), token); err != nil {
			t.Errorf("token from %s the rotation: %v", name, err)
		}
	}
}

// TestNoChangedTokenIsValid changes one character of a token at a time, anywhere.
func TestNoChangedTokenIsValid(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	token := r.token(t, reports)
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
	rapid.Check(t, func(rt *rapid.T) {
		at := rapid.IntRange(0, len(token)-1).Draw(rt, "at")
		to := alphabet[rapid.IntRange(0, len(alphabet)-1).Draw(rt, "to")]
		if token[at] == to {
			return
		}
		changed := token[:at] + string(to) + token[at+1:]
		if _, err := r.Validator().Validate(t.Context(), changed); err == nil {
			rt.Errorf("the token is valid with %q at %d", to, at)
		}
	})
}

func TestGuard(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	guard := &auth.Guard{
		Validator: r.Validator(),
		Deny: func(w http.ResponseWriter, _ *http.Request, status int, err error) {
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, "denied: %v", err)
		},
	}
	require, err := guard.Require(reports)
	if err != nil {
		t.Fatal(err)
	}
	handler := require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, ok := auth.PrincipalFrom(r.Context())
		_, _ = fmt.Fprintln(w, p.ClientID, ok)
	}))
	good, small := r.token(t, "system/*.rs"), r.token(t, "system/Measure.rs")
	limited := r.token(t, reports+"?measure=x")
	for _, c := range []struct {
		name      string
		header    []string
		status    int
		challenge string
		body      string
	}{
		{"a good token", []string{"Bearer " + good}, 200, "", "nightly true"},
		{"a scheme in capitals", []string{"BEARER " + good}, 200, "", "nightly true"},
		{"no token", nil, 401, `Bearer scope="system/MeasureReport.rs"`, "no access token"},
		{"another scheme", []string{"Basic " + good}, 401,
			`Bearer scope="system/MeasureReport.rs"`, "no access token"},
		{"an empty token", []string{"Bearer "}, 401, `Bearer error="invalid_token"`, "empty"},
		{"a broken token", []string{"Bearer " + good[1:]}, 401,
			`Bearer error="invalid_token"`, "not a signed JWT"},
		{"two tokens", []string{"Bearer " + good, "Bearer " + good}, 401,
			`Bearer error="invalid_token"`, "more than one"},
		{"too small a scope", []string{"Bearer " + small}, 403,
			`Bearer error="insufficient_scope", scope="system/MeasureReport.rs"`, "is needed"},
		{"a scope with limits", []string{"Bearer " + limited}, 403,
			`Bearer error="insufficient_scope", scope="system/MeasureReport.rs"`, "is needed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			request := httptest.NewRequestWithContext(t.Context(), http.MethodGet,
				"/?access_token="+good, nil)
			for _, value := range c.header {
				request.Header.Add("Authorization", value)
			}
			rec := httptest.NewRecorder()
			handler.ServeHTTP(rec, request)
			if rec.Code != c.status || rec.Header().Get("WWW-Authenticate") != c.challenge ||
				!strings.Contains(rec.Body.String(), c.body) {
				t.Errorf("answer = %d %q %s, want %d %q and %q", rec.Code,
					rec.Header().Get("WWW-Authenticate"), rec.Body, c.status, c.challenge, c.body)
			}
		})
	}
	if _, err := guard.Require(""); err == nil {
		t.Error("Require of no scope = nil, want an error")
	}
}
