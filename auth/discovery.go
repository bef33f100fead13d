package auth

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// SMARTConfiguration is the document at .well-known/smart-configuration. Of what belongs to
// people it names nothing where nobody signs in.
//
// https://hl7.org/fhir/smart-app-launch/conformance.html
type SMARTConfiguration struct {
	Issuer                string   `json:"issuer,omitempty"`
	JWKSURI               string   `json:"jwks_uri,omitempty"`
	AuthorizationEndpoint string   `json:"authorization_endpoint,omitempty"`
	TokenEndpoint         string   `json:"token_endpoint"`
	AuthMethods           []string `json:"token_endpoint_auth_methods_supported"`
	SigningAlgorithms     []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	GrantTypes            []string `json:"grant_types_supported"`
	ResponseTypes         []string `json:"response_types_supported,omitempty"`
	Scopes                []string `json:"scopes_supported"`
	IntrospectionEndpoint string   `json:"introspection_endpoint"`
	RevocationEndpoint    string   `json:"revocation_endpoint"`
	PushedEndpoint        string   `json:"pushed_authorization_request_endpoint,omitempty"`
	CodeChallengeMethods  []string `json:"code_challenge_methods_supported"`
	Capabilities          []string `json:"capabilities"`
}

// SMARTConfiguration describes this server. The scopes are those that the API knows.
// code_challenge_methods_supported is required of every server, also of one without codes. issuer
// and jwks_uri belong to sso-openid-connect.
func (s *Server) SMARTConfiguration(scopes ...string) SMARTConfiguration {
	c := SMARTConfiguration{
		TokenEndpoint:         s.cfg.TokenURL,
		AuthMethods:           s.authMethods(),
		SigningAlgorithms:     assertionAlgorithms(),
		GrantTypes:            s.grantTypes(),
		Scopes:                s.scopesFor(scopes),
		IntrospectionEndpoint: s.endpoint("/oauth/introspect"),
		RevocationEndpoint:    s.endpoint("/oauth/revoke"),
		CodeChallengeMethods:  []string{"S256"},
		Capabilities: []string{
			"client-confidential-asymmetric", "permission-v1", "permission-v2",
		},
	}
	if s.interactive() {
		c.Issuer, c.JWKSURI = s.cfg.Issuer, s.endpoint("/.well-known/jwks.json")
		c.AuthorizationEndpoint = s.endpoint(authorizePath)
		c.PushedEndpoint = s.endpoint("/oauth/par")
		c.ResponseTypes = []string{"code"}
		c.Capabilities = append(c.Capabilities, "authorize-post", "client-public",
			"permission-offline", "permission-online", "permission-user", "sso-openid-connect")
	}
	return c
}

// ServeHTTP answers with the document, to every origin and without a token.
func (c SMARTConfiguration) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	open{c}.ServeHTTP(w, r)
}

// metadata is the document of RFC 8414, with the members of OpenID Connect Discovery 1.0 where
// people sign in. One document serves both addresses.
type metadata struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint,omitempty"`
	TokenEndpoint         string   `json:"token_endpoint"`
	JWKSURI               string   `json:"jwks_uri"`
	Scopes                []string `json:"scopes_supported"`
	ResponseTypes         []string `json:"response_types_supported"`
	ResponseModes         []string `json:"response_modes_supported,omitempty"`
	GrantTypes            []string `json:"grant_types_supported"`
	AuthMethods           []string `json:"token_endpoint_auth_methods_supported"`
	SigningAlgorithms     []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	IntrospectionEndpoint string   `json:"introspection_endpoint"`
	IntrospectionMethods  []string `json:"introspection_endpoint_auth_methods_supported"`
	IntrospectionSigning  []string `json:"introspection_endpoint_auth_signing_alg_values_supported"`
	RevocationEndpoint    string   `json:"revocation_endpoint"`
	RevocationMethods     []string `json:"revocation_endpoint_auth_methods_supported"`
	RevocationSigning     []string `json:"revocation_endpoint_auth_signing_alg_values_supported"`
	PushedEndpoint        string   `json:"pushed_authorization_request_endpoint,omitempty"`
	CodeChallengeMethods  []string `json:"code_challenge_methods_supported"`
	IssInResponse         bool     `json:"authorization_response_iss_parameter_supported"`
	RequestParameter      bool     `json:"request_parameter_supported"`
	RequestURIParameter   bool     `json:"request_uri_parameter_supported"`
	SubjectTypes          []string `json:"subject_types_supported,omitempty"`
	IDTokenAlgorithms     []string `json:"id_token_signing_alg_values_supported,omitempty"`
	Claims                []string `json:"claims_supported,omitempty"`
	Prompts               []string `json:"prompt_values_supported,omitempty"`
}

// Metadata serves /.well-known/oauth-authorization-server. The scopes are those that the API
// knows.
func (s *Server) Metadata(scopes ...string) http.Handler {
	m := metadata{
		Issuer: s.cfg.Issuer, TokenEndpoint: s.cfg.TokenURL,
		JWKSURI: s.endpoint("/.well-known/jwks.json"), Scopes: s.scopesFor(scopes),
		ResponseTypes: []string{}, GrantTypes: s.grantTypes(),
		AuthMethods: s.authMethods(), SigningAlgorithms: assertionAlgorithms(),
		IntrospectionEndpoint: s.endpoint("/oauth/introspect"),
		IntrospectionMethods:  []string{"private_key_jwt"},
		IntrospectionSigning:  assertionAlgorithms(),
		RevocationEndpoint:    s.endpoint("/oauth/revoke"), RevocationMethods: s.authMethods(),
		RevocationSigning: assertionAlgorithms(), CodeChallengeMethods: []string{"S256"},
		IssInResponse: s.interactive(),
	}
	if s.interactive() {
		m.AuthorizationEndpoint = s.endpoint(authorizePath)
		m.PushedEndpoint = s.endpoint("/oauth/par")
		m.ResponseTypes, m.ResponseModes = []string{"code"}, []string{"query"}
		m.SubjectTypes, m.IDTokenAlgorithms = []string{"public"}, []string{"RS256"}
		m.Claims = []string{
			"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "fhirUser", "name",
			"profile",
		}
		m.Prompts = []string{"none", "login", "consent", "select_account"}
	}
	return open{m}
}

// OpenIDConfiguration serves /.well-known/openid-configuration, or 404 where nobody signs in.
func (s *Server) OpenIDConfiguration(scopes ...string) http.Handler {
	if !s.interactive() {
		return http.NotFoundHandler()
	}
	return s.Metadata(scopes...)
}

// endpoint is the address of a path below the issuer.
func (s *Server) endpoint(path string) string {
	return strings.TrimSuffix(s.cfg.Issuer, "/") + path
}

// authMethods are the ways in which clients authenticate: none is that of public ones.
func (s *Server) authMethods() []string {
	if s.interactive() {
		return []string{"private_key_jwt", "none"}
	}
	return []string{"private_key_jwt"}
}

// assertionAlgorithms are those that every client may sign with. More have to be registered.
func assertionAlgorithms() []string { return []string{"RS384", "ES384"} }

// scopesFor adds those of signing in to the scopes of the API.
func (s *Server) scopesFor(api []string) []string {
	all := slices.Clone(api)
	if s.interactive() {
		for _, name := range []string{
			"openid", "fhirUser", "profile", offlineAccess, onlineAccess,
		} {
			if !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	if all == nil {
		return []string{}
	}
	return all
}

// open answers with a public document, to every origin and without a token.
type open struct{ document any }

// ServeHTTP implements http.Handler.
func (o open) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	default:
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	text, err := json.Marshal(o.document)
	if err != nil {
		http.Error(w, "configuration is not available", http.StatusInternalServerError)
		return
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(text)
}
