package auth_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/auth"
	"github.com/equitylens/equitylens/auth/authtest"
)

// idTokenFor gets an id_token for scopes and verifies it by the published keys alone.
func (s *site) idTokenFor(t testing.TB, scopes string) (map[string]any, authtest.Answer) {
	t.Helper()
	request := asked("spa", spaBack)
	request.Set("scope", scopes)
	answer := granted(t, s.post(t, "/oauth/token",
		authtest.CodeForm("spa", spaBack, s.code(t, "ana", request))))
	token, err := jwt.ParseSigned(answer.Text("id_token"), []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	s.JWKS().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(rec.Body.Bytes(), &set); err != nil {
		t.Fatal(err)
	}
	found := set.Key(token.Headers[0].KeyID)
	claims := map[string]any{}
	if len(found) != 1 || found[0].Algorithm != "RS256" {
		t.Fatalf("kid %q is not one RSA key of the JWKS", token.Headers[0].KeyID)
	}
	if err := token.Claims(found[0].Key, &claims); err != nil {
		t.Fatal(err)
	}
	return claims, answer
}

// TestIDToken is row A8 of the conformance checklist for the id_token.
func TestIDToken(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	now := float64(s.clock.Now().Unix())
	for _, c := range []struct {
		scope string
		more  map[string]any
	}{
		{"openid", nil},
		{"openid fhirUser", map[string]any{"fhirUser": "https://ehr.example/Practitioner/canary"}},
		{"openid profile", map[string]any{
			"name": "Ana Canary", "profile": "https://ehr.example/Practitioner/canary",
		}},
	} {
		claims, answer := s.idTokenFor(t, c.scope)
		hash := sha256.Sum256([]byte(answer.Text("access_token")))
		want := map[string]any{
			"iss": issuer, "sub": auth.Pseudonym("https://idp.example", "ana-4711"), "aud": "spa",
			"exp": now + 300, "iat": now, "auth_time": now, "nonce": "nonce-0123456789",
			"at_hash": base64.RawURLEncoding.EncodeToString(hash[:16]),
		}
		for name, value := range c.more {
			want[name] = value
		}
		if diff := cmp.Diff(want, claims); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.scope, diff)
		}
	}
	request := asked("spa", spaBack)
	request.Set("scope", "user/MeasureReport.rs")
	answer := granted(t, s.post(t, "/oauth/token",
		authtest.CodeForm("spa", spaBack, s.code(t, "ana", request))))
	if answer.Text("id_token") != "" {
		t.Error("an id_token is given without openid")
	}
}

// TestB10AnIDTokenIsNoAccessToken uses one at the API, and one that was signed for it by the keys
// of access tokens.
func TestB10AnIDTokenIsNoAccessToken(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	_, answer := s.idTokenFor(t, allScope)
	for why, token := range map[string]string{
		"an id_token":                   answer.Text("id_token"),
		"one signed as an access token": s.forge(t, map[string]any{"typ": "JWT"}, nil),
	} {
		if _, err := s.Validator().Validate(t.Context(), token); !errors.Is(err, auth.ErrInvalidToken) {
			t.Errorf("%s: Validate = %v, want ErrInvalidToken", why, err)
		}
	}
	header, claims := payload(t, answer.Text("access_token"))
	if header.ExtraHeaders[jose.HeaderType] != "at+jwt" || claims["aud"] != audience ||
		claims["client_id"] != "spa" || claims["auth_time"] == nil {
		t.Errorf("access token = %+v %v", header, claims)
	}
}

// TestIDTokensHaveKeysOfTheirOwn gives New no set, the wrong set, and one that cannot sign.
func TestIDTokensHaveKeysOfTheirOwn(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	cfg := auth.Config{
		Issuer: issuer, Audience: audience, Keys: s.keys, People: s,
		SignIn:  func(string) string { return "" },
		Consent: func(http.ResponseWriter, *http.Request, auth.Consent) {},
		Problem: func(http.ResponseWriter, *http.Request, int, string, string) {},
	}
	for name, change := range map[string]func(*auth.Config){
		"none":           func(*auth.Config) {},
		"the same":       func(c *auth.Config) { c.IDKeys = s.keys },
		"no page at all": func(c *auth.Config) { c.IDKeys, c.Consent = s.keys, nil },
	} {
		changed := cfg
		change(&changed)
		if _, err := auth.New(changed); err == nil {
			t.Errorf("New with %s = nil, want an error", name)
		}
	}
}
