package auth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ory/fosite"

	"github.com/equitylens/equitylens/auth/grant"
	"github.com/equitylens/equitylens/auth/scope"
)

// caller is who asks about tokens: a client about its own, or about all.
type caller struct {
	clientID string
	all      bool
}

// Introspect serves RFC 7662. A client that authenticates by private_key_jwt is told about the
// tokens that were given to it, and with the scope equitylens/introspect about all; so is who
// brings an access token of that scope. fosite's own endpoint knows no private_key_jwt and takes
// any access token. Whatever is not a live token that the caller may see is {"active":false} and
// nothing more.
func (s *Server) Introspect() http.Handler {
	return s.posted("a token is asked about by POST", "introspection", s.introspect)
}

// introspect answers, or returns why not and has written nothing.
func (s *Server) introspect(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(w, r)
	if err != nil {
		return err
	}
	who, err := s.caller(r, form)
	if err != nil {
		return err
	}
	if form.Get("token") == "" {
		return refuse(invalidRequest, "token is missing", nil)
	}
	found, err := s.describe(r.Context(), form.Get("token"))
	if err != nil {
		return err
	}
	active := found != nil && (who.all || found["client_id"] == who.clientID)
	s.cfg.Logger.LogAttrs(r.Context(), slog.LevelInfo, "token introspected",
		slog.String("client", who.clientID), slog.Bool("active", active))
	if !active {
		found = map[string]any{"active": false}
	}
	return writeJSON(w, http.StatusOK, found)
}

// caller finds out who asks.
func (s *Server) caller(r *http.Request, form url.Values) (caller, error) {
	need := scope.Scope{Name: scope.Introspect}
	if r.Header.Get("Authorization") == "" {
		client, err := s.identify(r.Context(), r, form)
		if err != nil {
			return caller{}, err
		}
		if client.Public {
			return caller{}, refuse(invalidClient,
				"a public client is not told about tokens", nil)
		}
		return caller{clientID: client.ID, all: client.scopes.Covers(need)}, nil
	}
	p, err := s.validator.Authorize(r, need)
	switch {
	case err == nil:
		return caller{clientID: p.ClientID, all: true}, nil
	case errors.Is(err, ErrInsufficientScope):
		no := refuse(insufficientScope, "the scope "+scope.Introspect+" is needed", nil)
		no.client = p.ClientID
		return caller{}, no
	case errors.Is(err, ErrUnchecked):
		return caller{}, refuse(temporarilyUnavailable, "try again later", err)
	}
	return caller{}, refuse(invalidToken, "the access token is not valid", err)
}

// describe says what a live token is; nil means that it is none.
func (s *Server) describe(ctx context.Context, token string) (map[string]any, error) {
	if strings.HasPrefix(token, grant.RefreshPrefix) {
		return s.describeRefresh(ctx, token)
	}
	claims, _, invalid := s.validator.check(token)
	if invalid != nil {
		return nil, nil
	}
	session := s.newSession()
	_, err := s.grants.GetAccessTokenSession(ctx,
		grant.AccessSignature(claims.Grant, claims.ID), session)
	if errors.Is(err, fosite.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found := told(session, strings.Fields(claims.Scope))
	found["iss"], found["sub"], found["aud"] = s.cfg.Issuer, claims.Subject, s.cfg.Audience
	found["client_id"], found["scope"], found["jti"] = claims.ClientID, claims.Scope, claims.ID
	found["exp"], found["iat"] = claims.Expiry.Time().Unix(), claims.IssuedAt.Time().Unix()
	found["token_type"] = "Bearer"
	return found, nil
}

// describeRefresh says what a refresh token is that could still be used. It has no token_type,
// which is for tokens that are shown to an API.
func (s *Server) describeRefresh(ctx context.Context, token string) (map[string]any, error) {
	tokens := s.grants.Tokens()
	session := s.newSession()
	request, err := s.grants.GetRefreshTokenSession(ctx,
		tokens.RefreshTokenSignature(ctx, token), session)
	if errors.Is(err, fosite.ErrNotFound) || errors.Is(err, fosite.ErrInactiveToken) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if tokens.ValidateRefreshToken(ctx, request, token) != nil {
		return nil, nil
	}
	found := told(session, request.GetGrantedScopes())
	found["iss"], found["sub"], found["aud"] = s.cfg.Issuer, session.Subject, s.cfg.Audience
	found["client_id"] = request.GetClient().GetID()
	found["scope"] = strings.Join(request.GetGrantedScopes(), " ")
	found["exp"] = session.GetExpiresAt(fosite.RefreshToken).Unix()
	return found, nil
}

// told is what an introspection repeats of the token response: the launch context, and who the
// person is if the client was told so.
func told(session *grant.Session, scopes []string) map[string]any {
	found := map[string]any{}
	for name, value := range session.Context {
		if !slices.Contains(reservedMembers(), name) {
			found[name] = value
		}
	}
	if session.FHIRUser != "" && slices.Contains(scopes, "fhirUser") {
		found["fhirUser"] = session.FHIRUser
	}
	found["active"] = true
	return found
}
