package auth

import (
	"context"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/auth/jwks"
	"github.com/equitylens/equitylens/internal/dial"
)

// candidates returns the keys that may have signed an assertion with this header. A client that
// publishes its keys may have rotated them: an unknown id is looked up afresh.
func (s *Server) candidates(
	ctx context.Context, client *registered, header jose.Header,
) ([]jose.JSONWebKey, error) {
	if client.JWKS != nil {
		return jwks.Fitting(*client.JWKS, header), nil
	}
	var found []jose.JSONWebKey
	_, err := s.published.Try(ctx, client.JWKSURI, func(set jose.JSONWebKeySet) bool {
		found = jwks.Fitting(set, header)
		return len(found) > 0
	})
	if err != nil {
		return nil, refuse(invalidClient, "the keys of the client could not be read", err)
	}
	return found, nil
}

// fetchTimeout bounds one reading of published keys from dial to last byte.
const fetchTimeout = 5 * time.Second

// newSource reads the keys that clients publish: without following a redirect, and from public
// addresses alone unless more is allowed. Metadata services stay refused even
// then.
func newSource(cfg Config) *jwks.Source {
	return jwks.New(jwks.Config{Now: cfg.Now, Client: &http.Client{
		Timeout: fetchTimeout, CheckRedirect: dial.Home(0),
		Transport: dial.NewTransport(dial.Config{
			Guard:   dial.Guard{Loopback: cfg.AllowPrivateNetworks, Private: cfg.AllowPrivateNetworks},
			RootCAs: cfg.RootCAs, Connect: fetchTimeout, Header: fetchTimeout,
		}),
	}})
}
