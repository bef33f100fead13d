package main

import (
	"crypto/tls"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/auth/authtest"
)

// smartDocument is what Inferno reads of .well-known/smart-configuration.
type smartDocument struct {
	Issuer        string   `json:"issuer"`
	JWKS          string   `json:"jwks_uri"`
	Authorization string   `json:"authorization_endpoint"`
	Token         string   `json:"token_endpoint"`
	Introspection string   `json:"introspection_endpoint"`
	Revocation    string   `json:"revocation_endpoint"`
	Capabilities  []string `json:"capabilities"`
	GrantTypes    []string `json:"grant_types_supported"`
	Challenges    []string `json:"code_challenge_methods_supported"`
	AuthMethods   []string `json:"token_endpoint_auth_methods_supported"`
	Algorithms    []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	Scopes        []string `json:"scopes_supported"`
}

// TestConformanceA1 reads the SMART configuration.
func TestConformanceA1(t *testing.T) {
	t.Parallel()
	l := openLens(t)
	var got smartDocument
	l.document(t, "/fhir/.well-known/smart-configuration", &got)
	texts := []struct{ name, got, want string }{
		{"issuer", got.Issuer, lensURL},
		{"jwks_uri", got.JWKS, lensURL + "/.well-known/jwks.json"},
		{"authorization_endpoint", got.Authorization, lensURL + "/oauth/authorize"},
		{"token_endpoint", got.Token, lensURL + "/oauth/token"},
		{"introspection_endpoint", got.Introspection, lensURL + "/oauth/introspect"},
		{"revocation_endpoint", got.Revocation, lensURL + "/oauth/revoke"},
	}
	for _, c := range texts {
		if c.got != c.want {
			t.Errorf("%s is %q, want %q", c.name, c.got, c.want)
		}
	}
	lists := []struct {
		name       string
		got        []string
		want, none []string
	}{
		{"capabilities", got.Capabilities, []string{
			"authorize-post", "client-public", "client-confidential-asymmetric", "permission-v1",
			"permission-v2", "permission-offline", "permission-user", "sso-openid-connect",
			// What belongs to a launch out of an EHR is a promise of the EHR's, not of ours.
		}, []string{"launch-ehr", "launch-standalone", "context-ehr-patient", ""}},
		{"grant_types_supported", got.GrantTypes,
			[]string{"authorization_code", "refresh_token", "client_credentials"},
			[]string{"implicit", "password"}},
		{"code_challenge_methods_supported", got.Challenges, []string{"S256"}, []string{"plain"}},
		{"token_endpoint_auth_methods_supported", got.AuthMethods, []string{"private_key_jwt", "none"},
			[]string{"client_secret_basic", "client_secret_post"}},
		{"token_endpoint_auth_signing_alg_values_supported", got.Algorithms,
			[]string{"RS384", "ES384"}, []string{"none", "HS256"}},
		{"scopes_supported", got.Scopes, strings.Fields(everyScope + " " + programScope), nil},
	}
	for _, c := range lists {
		for _, want := range c.want {
			if !slices.Contains(c.got, want) {
				t.Errorf("%s is %v, without %s", c.name, c.got, want)
			}
		}
		for _, none := range c.none {
			if slices.Contains(c.got, none) {
				t.Errorf("%s is %v, with %q", c.name, c.got, none)
			}
		}
	}
	l.end()
}

// TestConformanceA2 asks as a page of another origin does.
func TestConformanceA2(t *testing.T) {
	t.Parallel()
	l := openLens(t)
	for _, path := range []string{
		"/fhir/.well-known/smart-configuration", "/.well-known/oauth-authorization-server",
		"/.well-known/openid-configuration", "/.well-known/jwks.json",
	} {
		var any map[string]any
		if got := l.document(t, path, &any).Get("Access-Control-Allow-Origin"); got != "*" {
			t.Errorf("%s: Access-Control-Allow-Origin is %q", path, got)
		}
	}
	cases := []struct {
		name, method, path, origin, want string
	}{
		{"the CapabilityStatement", "GET", "/fhir/metadata", "https://anywhere.example.org", "*"},
		{"a token for a public client", "POST", "/oauth/token", "https://board.example.org",
			"https://board.example.org"},
		{"whether it may ask for one", "OPTIONS", "/oauth/token", "https://board.example.org",
			"https://board.example.org"},
		{"a revocation by a public client", "POST", "/oauth/revoke", "https://board.example.org",
			"https://board.example.org"},
		{"a pushed request", "POST", "/oauth/par", "https://board.example.org", "https://board.example.org"},
		{"a token for a page of nobody's", "POST", "/oauth/token", "https://evil.example.org", ""},
		{"a token for a confidential client", "POST", "/oauth/token", "https://office.example.org", ""},
		{"the authorization page", "GET", "/oauth/authorize", "https://board.example.org", ""},
		{"the API, which no page was allowed", "GET", "/fhir/Measure", "https://board.example.org", ""},
	}
	for _, c := range cases {
		request, err := http.NewRequestWithContext(t.Context(), c.method, lensURL+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Origin", c.origin)
		if c.method == http.MethodOptions {
			request.Header.Set("Access-Control-Request-Method", "POST")
		}
		answer, err := l.serving.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if got := answer.Header.Get("Access-Control-Allow-Origin"); got != c.want {
			t.Errorf("%s: Access-Control-Allow-Origin is %q, want %q", c.name, got, c.want)
		}
		if answer.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: another page may send cookies", c.name)
		}
	}
	l.end()
}

// TestConformanceA3 connects by every version of TLS, and by none.
func TestConformanceA3(t *testing.T) {
	t.Parallel()
	l := openLens(t)
	cases := []struct {
		name    string
		version uint16
		want    bool
	}{
		{"TLS 1.0", tls.VersionTLS10, false},
		{"TLS 1.1", tls.VersionTLS11, false},
		{"TLS 1.2", tls.VersionTLS12, true},
		{"TLS 1.3", tls.VersionTLS13, true},
	}
	for _, c := range cases {
		dialer := tls.Dialer{Config: &tls.Config{
			RootCAs: l.roots, MinVersion: c.version, MaxVersion: c.version,
		}}
		connection, err := dialer.DialContext(t.Context(), "tcp", l.address)
		if err == nil {
			_ = connection.Close()
		}
		if (err == nil) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+l.address+"/oauth/token",
		strings.NewReader(authtest.RefreshForm("board", "x").Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := l.serving.client.Do(request); err == nil {
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusBadRequest {
			t.Errorf("plain http is answered with %d", answer.StatusCode)
		}
	}
	l.end()
}
