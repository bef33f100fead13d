package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/ory/fosite"

	"github.com/equitylens/equitylens/auth/grant"
)

// Revoke serves RFC 7009. A refresh token ends its grant, with all that came of it; an access
// token ends alone, and its refresh token can get another. A client revokes its own tokens: that
// of another, like one that nobody knows, is answered alike and stays as it is.
func (s *Server) Revoke() http.Handler {
	return s.crossOrigin(s.posted("a token is revoked by POST", "revocation", s.revoke))
}

// revoke answers, or returns why not and has written nothing.
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(w, r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	client, err := s.identify(ctx, r, form)
	if err != nil {
		return err
	}
	token := form.Get("token")
	if token == "" {
		return refuse(invalidRequest, "token is missing", nil)
	}
	if strings.HasPrefix(token, grant.RefreshPrefix) {
		err = s.endGrant(ctx, client, token)
	} else {
		err = s.endToken(ctx, client, token)
	}
	if err != nil {
		return err
	}
	s.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "revocation answered",
		slog.String("client", client.ID))
	noStore(w.Header())
	w.WriteHeader(http.StatusOK)
	return nil
}

// endGrant ends the grant of a refresh token, also of one that was rotated already: whoever holds
// it wants it over.
func (s *Server) endGrant(ctx context.Context, client *registered, token string) error {
	request, err := s.grants.GetRefreshTokenSession(ctx,
		s.grants.Tokens().RefreshTokenSignature(ctx, token), nil)
	switch {
	case errors.Is(err, fosite.ErrNotFound):
		return nil
	case err != nil && !errors.Is(err, fosite.ErrInactiveToken):
		return err
	case request == nil || request.GetClient().GetID() != client.ID:
		return nil
	}
	return s.grants.Revoke(ctx, request.GetID())
}

// endToken ends one access token of the client. Another text is answered alike.
func (s *Server) endToken(ctx context.Context, client *registered, token string) error {
	claims, _, invalid := s.validator.check(token)
	if invalid != nil || claims.ClientID != client.ID {
		return nil
	}
	return s.grants.RevokeToken(ctx, claims.Grant, claims.ID)
}

// Bar voids everything that was given to a person (by Pseudonym) or to a client (by its id) until
// now: codes, refresh tokens and access tokens, at once and on all processes.
func (s *Server) Bar(ctx context.Context, subjectOrClient string) error {
	if err := s.grants.Bar(ctx, subjectOrClient); err != nil {
		return fmt.Errorf("auth: bar: %w", err)
	}
	return nil
}
