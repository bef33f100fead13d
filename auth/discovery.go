package auth

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// SMARTConfiguration is the document at .well-known/smart-configuration. It names no issuer and
// no jwks_uri: these belong to sso-openid-connect, which is not offered.
//
// https://hl7.org/fhir/smart-app-launch/conformance.html
type SMARTConfiguration struct {
	TokenEndpoint        string   `json:"token_endpoint"`
	AuthMethods          []string `json:"token_endpoint_auth_methods_supported"`
	SigningAlgorithms    []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	GrantTypes           []string `json:"grant_types_supported"`
	Scopes               []string `json:"scopes_supported"`
	CodeChallengeMethods []string `json:"code_challenge_methods_supported"`
	Capabilities         []string `json:"capabilities"`
}

// SMARTConfiguration describes this server. The scopes are those that the API knows.
// code_challenge_methods_supported is required of every server, also of one without codes.
func (s *Server) SMARTConfiguration(scopes ...string) SMARTConfiguration {
	return SMARTConfiguration{
		TokenEndpoint:        s.cfg.TokenURL,
		AuthMethods:          []string{"private_key_jwt"},
		SigningAlgorithms:    []string{"RS384", "ES384"},
		GrantTypes:           []string{clientCredentials},
		Scopes:               scopes,
		CodeChallengeMethods: []string{"S256"},
		Capabilities: []string{
			"client-confidential-asymmetric", "permission-v1", "permission-v2",
		},
	}
}

// ServeHTTP answers with the document, to every origin and without a token.
func (c SMARTConfiguration) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	if c.Scopes == nil {
		c.Scopes = []string{}
	}
	text, err := json.Marshal(c)
	if err != nil {
		http.Error(w, "configuration is not available", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(text)
}
