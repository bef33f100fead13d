package auth_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/auth"
	"github.com/equitylens/equitylens/auth/authtest"
)

// document reads a public document as a client does.
func document(t *testing.T, handler http.Handler) map[string]any {
	t.Helper()
	rec := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.Header.Set("Origin", "https://anywhere.example")
	handler.ServeHTTP(rec, r)
	var doc map[string]any
	if err := json.Unmarshal(rec.Body.Bytes(), &doc); err != nil || rec.Code != http.StatusOK ||
		!strings.HasPrefix(rec.Header().Get("Content-Type"), "application/json") ||
		rec.Header().Get("Access-Control-Allow-Origin") != "*" ||
		!strings.Contains(rec.Header().Get("Cache-Control"), "max-age=") {
		t.Fatalf("document = %d %v %s, %v", rec.Code, rec.Header(), rec.Body, err)
	}
	return doc
}

// lists wants a member to be a list of texts with some in it and others not.
func lists(t *testing.T, doc map[string]any, member string, in, out []string) {
	t.Helper()
	values, _ := doc[member].([]any)
	var texts []string
	for _, v := range values {
		text, ok := v.(string)
		if !ok || text == "" {
			t.Errorf("%s holds %v", member, v)
		}
		texts = append(texts, text)
	}
	for _, want := range in {
		if !slices.Contains(texts, want) {
			t.Errorf("%s = %q, want %q in it", member, texts, want)
		}
	}
	for _, no := range out {
		if slices.Contains(texts, no) {
			t.Errorf("%s = %q, want no %q in it", member, texts, no)
		}
	}
}

// TestDiscoveryOfASiteWithPeople is row A1 of the conformance checklist, and A8 for the provider.
func TestDiscoveryOfASiteWithPeople(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for name, handler := range map[string]http.Handler{
		"smart-configuration":        s.SMARTConfiguration(reports),
		"oauth-authorization-server": s.Metadata(reports),
		"openid-configuration":       s.OpenIDConfiguration(reports),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := document(t, handler)
			for member, want := range map[string]string{
				"issuer": issuer, "jwks_uri": issuer + "/.well-known/jwks.json",
				"authorization_endpoint":                issuer + "/oauth/authorize",
				"token_endpoint":                        tokenURL,
				"introspection_endpoint":                issuer + "/oauth/introspect",
				"revocation_endpoint":                   issuer + "/oauth/revoke",
				"pushed_authorization_request_endpoint": issuer + "/oauth/par",
			} {
				if doc[member] != want {
					t.Errorf("%s = %v, want %s", member, doc[member], want)
				}
			}
			lists(t, doc, "grant_types_supported", []string{
				"authorization_code", "refresh_token", "client_credentials",
			}, []string{"password", "implicit"})
			lists(t, doc, "code_challenge_methods_supported", []string{"S256"}, []string{"plain"})
			lists(t, doc, "response_types_supported", []string{"code"}, []string{"token", "id_token"})
			lists(t, doc, "token_endpoint_auth_methods_supported",
				[]string{"private_key_jwt", "none"}, []string{"client_secret_basic"})
			lists(t, doc, "token_endpoint_auth_signing_alg_values_supported",
				[]string{"RS384", "ES384"}, []string{"none", "HS256"})
			lists(t, doc, "scopes_supported",
				[]string{reports, "openid", "fhirUser", "offline_access", "online_access"}, nil)
			if name == "smart-configuration" {
				lists(t, doc, "capabilities", []string{
					"client-public", "client-confidential-asymmetric", "sso-openid-connect",
					"permission-v1", "permission-v2", "permission-offline", "permission-online",
					"permission-user", "authorize-post",
				}, []string{"launch-ehr", "permission-patient", "client-confidential-symmetric"})
				return
			}
			lists(t, doc, "id_token_signing_alg_values_supported", []string{"RS256"}, nil)
			lists(t, doc, "subject_types_supported", []string{"public"}, nil)
			if doc["authorization_response_iss_parameter_supported"] != true ||
				doc["request_parameter_supported"] != false ||
				doc["request_uri_parameter_supported"] != false {
				t.Errorf("document = %v", doc)
			}
		})
	}
}

// TestDiscoveryOfASiteWithoutPeople lists only what is there.
func TestDiscoveryOfASiteWithoutPeople(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for name, handler := range map[string]http.Handler{
		"smart-configuration":        r.SMARTConfiguration(reports),
		"oauth-authorization-server": r.Metadata(reports),
	} {
		doc := document(t, handler)
		for _, member := range []string{
			"authorization_endpoint", "pushed_authorization_request_endpoint",
			"id_token_signing_alg_values_supported",
		} {
			if doc[member] != nil {
				t.Errorf("%s: %s = %v, want none", name, member, doc[member])
			}
		}
		if name == "smart-configuration" && (doc["issuer"] != nil || doc["jwks_uri"] != nil) {
			t.Errorf("issuer and jwks_uri are named without sso-openid-connect: %v", doc)
		}
		lists(t, doc, "grant_types_supported", []string{"client_credentials"},
			[]string{"authorization_code", "refresh_token"})
		lists(t, doc, "token_endpoint_auth_methods_supported", []string{"private_key_jwt"},
			[]string{"none"})
	}
}

// TestCrossOrigin is row A2 of the conformance checklist: scripts of public clients may read the
// answers of the endpoints that they call, errors included, and no other scripts may.
func TestCrossOrigin(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, path := range []string{"/oauth/token", "/oauth/par", "/oauth/revoke"} {
		for origin, known := range map[string]bool{
			"https://spa.example": true, "https://house.example": true, "http://127.0.0.1": true,
			"https://dash.example": false, "https://evil.example": false, "null": false, "": false,
			"https://spa.example.evil.example": false, "http://spa.example": false,
		} {
			for _, method := range []string{http.MethodOptions, http.MethodPost, http.MethodGet} {
				r := httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody)
				r.Header.Set("Origin", origin)
				rec := httptest.NewRecorder()
				s.mux.ServeHTTP(rec, r)
				want := ""
				if known {
					want = origin
				}
				h := rec.Header()
				if h.Get("Access-Control-Allow-Origin") != want || h.Get("Vary") != "Origin" ||
					h.Get("Access-Control-Allow-Credentials") != "" {
					t.Errorf("%s %s from %q = %v, want %q", method, path, origin, h, want)
				}
				if method == http.MethodOptions && (rec.Code != http.StatusNoContent ||
					(h.Get("Access-Control-Allow-Methods") == "POST") != known) {
					t.Errorf("preflight of %s from %q = %d %v", path, origin, rec.Code, h)
				}
			}
		}
	}
	for _, path := range []string{"/oauth/introspect", "/oauth/authorize"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, http.NoBody)
		r.Header.Set("Origin", "https://spa.example")
		rec := httptest.NewRecorder()
		s.mux.ServeHTTP(rec, r)
		if rec.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s may be read by scripts", path)
		}
	}
}

// TestB19NoPersonIsInAnyLog goes through everything as a person with a name that nobody else has,
// rightly and wrongly, and reads the log.
func TestB19NoPersonIsInAnyLog(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	given := s.tokens(t, "ana")
	next := granted(t, s.refresh(t, given.Text("refresh_token")))
	secrets := []string{
		"anary", "na-4711", "p-canary", auth.Pseudonym("https://idp.example", "ana-4711"),
		"state-0123456789", "nonce-0123456789", authtest.Verifier,
		given.Text("access_token"), given.Text("refresh_token"), given.Text("id_token"),
		next.Text("access_token"), next.Text("refresh_token"),
	}
	s.introspected(t, next.Text("access_token"))
	s.post(t, "/oauth/revoke", url.Values{
		"client_id": {"spa"}, "token": {next.Text("refresh_token")},
	})
	s.refresh(t, next.Text("refresh_token"))
	code := s.code(t, "ana", asked("spa", spaBack))
	secrets = append(secrets, code)
	wrong := authtest.CodeForm("spa", spaBack, code)
	wrong.Set("code_verifier", strings.Repeat("w", 43))
	refused(t, s.post(t, "/oauth/token", wrong), http.StatusBadRequest, "invalid_grant")
	s.push(t, asked("spa", spaBack))
	c := question(t, s.visit(t, "ana", asked("spa", spaBack)))
	secrets = append(secrets, c.Handle)
	s.answer(t, "rev", c, auth.ConsentAllow)
	s.answer(t, "ana", c, auth.ConsentDeny)
	s.visit(t, "ivo", asked("spa", spaBack))
	s.visit(t, "ana", with("login_hint", "ana-4711"))
	log := s.log.String()
	for _, line := range []string{
		"authorization given", "authorization refused", "token issued", "token refused",
		"request pushed", "token introspected", "revocation answered",
	} {
		if !strings.Contains(log, `"msg":"`+line+`"`) {
			t.Errorf("the log has no line %q", line)
		}
	}
	for _, secret := range secrets {
		if secret == "" || strings.Contains(log, secret) {
			t.Errorf("%.20q is in the log", secret)
		}
	}
}
