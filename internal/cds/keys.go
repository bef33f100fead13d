package cds

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/auth/jwks"
	"github.com/equitylens/equitylens/internal/dial"
)

const (
	// fetchTimeout bounds one reading of keys. It may outlive the call that began it, so that the next
	// one finds the keys.
	fetchTimeout = 5 * time.Second
	// keysPause is how long an EHR whose keys could not be read is left alone.
	keysPause = 2 * time.Second
)

// errKeys means that the keys of an EHR cannot be read at the moment.
var errKeys = errors.New("the keys of the EHR cannot be read")

// newSource reads the keys of an EHR, without following a redirect.
func newSource(t Tenant, now func() time.Time) *jwks.Source {
	return jwks.New(jwks.Config{Now: now, Pause: keysPause, Client: &http.Client{
		Timeout: fetchTimeout, CheckRedirect: dial.Home(0),
		Transport: dial.NewTransport(dial.Config{
			Guard:   dial.Guard{Loopback: t.AllowLoopback, Private: t.AllowPrivateNetworks},
			RootCAs: t.RootCAs, Connect: fetchTimeout, Header: fetchTimeout,
		}),
	}})
}

// candidates are the keys that may have signed a JWT with this header. An id that is not known is
// looked up once more: the EHR may have rotated its keys.
func (t *tenant) candidates(ctx context.Context, header jose.Header) ([]jose.JSONWebKey, error) {
	if t.Keys != nil {
		return jwks.Fitting(*t.Keys, header), nil
	}
	var found []jose.JSONWebKey
	_, err := t.published.Try(ctx, t.JWKSURI, func(set jose.JSONWebKeySet) bool {
		found = jwks.Fitting(set, header)
		return len(found) > 0
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errKeys, err)
	}
	return found, nil
}
