package fhirtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// grant is what an access token stands for.
type grant struct {
	client string
	scopes []string
	given  time.Time
	ends   time.Time
	// visit is the authorization by a user; nil of a backend client.
	visit *visit
}

const (
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	// longestAssertion is how far in the future exp may lie; SMART App Launch 2.2.0, Client
	// Authentication: Asymmetric.
	longestAssertion = 5 * time.Minute
	// leeway is the clock difference that is forgiven.
	leeway       = 10 * time.Second
	mostFormSize = 1 << 16
	mostKeysSize = 1 << 20
)

// oauthError is an error response of RFC 6749, section 5.2.
type oauthError struct{ code, reason string }

func (e *oauthError) Error() string { return e.code + ": " + e.reason }

func badClient(format string, a ...any) error {
	return &oauthError{"invalid_client", fmt.Sprintf(format, a...)}
}

// serveToken is the token endpoint, of SMART Backend Services and of the app launch:
// https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	r.Body = http.MaxBytesReader(w, r.Body, mostFormSize)
	body, err := s.token(r)
	if err != nil {
		s.refuseToken(w, err)
		return
	}
	answer(w, http.StatusOK, "application/json", body)
}

// refuseToken is the error response of RFC 6749, section 5.2.
func (s *Server) refuseToken(w http.ResponseWriter, err error) {
	var refused *oauthError
	if !errors.As(err, &refused) {
		answer(w, http.StatusInternalServerError, "application/json",
			object{"error": "server_error", "error_description": err.Error()})
		return
	}
	status := http.StatusBadRequest
	if refused.code == "invalid_client" {
		status = http.StatusUnauthorized
	}
	answer(w, status, "application/json", object{"error": refused.code,
		"error_description": refused.reason})
}

func (s *Server) token(r *http.Request) (object, error) {
	if err := r.ParseForm(); err != nil {
		return nil, badRequest("the form cannot be read")
	}
	form := r.PostForm
	switch form.Get("grant_type") {
	case "client_credentials":
		return s.backendToken(r, form)
	case "authorization_code":
		return s.exchangeCode(r, form)
	case "refresh_token":
		return s.exchangeRefresh(r, form)
	}
	return nil, &oauthError{"unsupported_grant_type", "the grant type is unknown"}
}

// backendToken is the grant of a program without a user.
func (s *Server) backendToken(r *http.Request, form url.Values) (object, error) {
	if form.Get("client_assertion_type") != assertionType {
		return nil, badRequest("client_assertion_type is not jwt-bearer")
	}
	client, err := s.authenticate(r.Context(), form.Get("client_assertion"), s.origin(r)+tokenPath)
	if err != nil {
		return nil, err
	}
	scopes := granted(strings.Fields(form.Get("scope")), client.Scopes)
	if len(scopes) == 0 {
		return nil, &oauthError{"invalid_scope", "no scope is both asked for and registered"}
	}
	token := s.keep(grant{client: client.ID, scopes: scopes}, s.config.TokenLife)
	body := object{"access_token": token, "token_type": "bearer", "scope": strings.Join(scopes, " "),
		"expires_in": int(s.config.TokenLife.Seconds())}
	if s.faults[NoTokenType] {
		delete(body, "token_type")
	}
	return body, nil
}

// registered finds who may sign an assertion: a backend client, or an app of no other standing.
func (s *Server) registered(id string) (Client, bool) {
	if client, ok := s.clients[id]; ok {
		return client, true
	}
	app, ok := s.apps[id]
	return Client{ID: id, Keys: app.Keys, KeysURL: app.KeysURL}, ok && app.Auth == PrivateKey
}

// authenticate verifies a private_key_jwt assertion: signature, client, audience, life and single
// use.
func (s *Server) authenticate(ctx context.Context, assertion, audience string) (Client, error) {
	token, err := jwt.ParseSigned(assertion, []jose.SignatureAlgorithm{jose.RS384, jose.ES384})
	if err != nil {
		return Client{}, badClient("the assertion is no JWT signed with RS384 or ES384")
	}
	var claims jwt.Claims
	if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil {
		return Client{}, badClient("the claims cannot be read")
	}
	client, ok := s.registered(claims.Issuer)
	if !ok {
		return Client{}, badClient("the client is not registered")
	}
	keys, err := s.keysOf(ctx, client)
	if err != nil {
		return Client{}, badClient("%v", err)
	}
	if err := verify(token, keys, &claims); err != nil {
		return Client{}, err
	}
	return client, s.accept(&claims, audience)
}

// verify checks the signature with the key that kid names, or with the only key.
func verify(token *jwt.JSONWebToken, keys *jose.JSONWebKeySet, claims *jwt.Claims) error {
	header := token.Headers[0]
	if typ, ok := header.ExtraHeaders[jose.HeaderType]; ok && typ != "JWT" {
		return badClient("typ is not JWT")
	}
	candidates := keys.Keys
	if header.KeyID != "" || len(candidates) > 1 {
		candidates = keys.Key(header.KeyID)
	}
	for _, key := range candidates {
		if key.IsPublic() && token.Claims(key, claims) == nil {
			return nil
		}
	}
	return badClient("no registered key verifies the signature")
}

// accept checks the claims of a verified assertion and marks its jti as used.
func (s *Server) accept(claims *jwt.Claims, audience string) error {
	now := s.config.Now()
	switch {
	case claims.Subject != claims.Issuer:
		return badClient("sub is not iss")
	case !slices.Contains(claims.Audience, audience):
		return badClient("aud is not the token URL")
	case claims.Expiry == nil || claims.Expiry.Time().Before(now.Add(-leeway)):
		return badClient("the assertion has expired")
	case claims.Expiry.Time().After(now.Add(longestAssertion + leeway)):
		return badClient("exp lies more than five minutes ahead")
	case claims.NotBefore != nil && claims.NotBefore.Time().After(now.Add(leeway)):
		return badClient("nbf lies ahead")
	case claims.ID == "":
		return badClient("jti is missing")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, until := range s.used {
		if until.Before(now.Add(-2 * leeway)) {
			delete(s.used, id)
		}
	}
	id := claims.Issuer + " " + claims.ID
	if _, replayed := s.used[id]; replayed {
		return badClient("jti was used before")
	}
	s.used[id] = claims.Expiry.Time()
	return nil
}

// keysOf returns the client's registered keys, fetched if they are registered by URL.
func (s *Server) keysOf(ctx context.Context, client Client) (*jose.JSONWebKeySet, error) {
	if client.Keys != nil {
		return client.Keys, nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, client.KeysURL, nil)
	if err != nil {
		return nil, fmt.Errorf("ask for the keys: %w", err)
	}
	response, err := s.config.HTTP.Do(request)
	if err != nil {
		return nil, fmt.Errorf("fetch the keys: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch the keys: status %d", response.StatusCode)
	}
	var keys jose.JSONWebKeySet
	if err := json.NewDecoder(io.LimitReader(response.Body, mostKeysSize)).Decode(&keys); err != nil {
		return nil, fmt.Errorf("read the keys: %w", err)
	}
	return &keys, nil
}
