package server

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/equitylens/equitylens/auth"
	"github.com/equitylens/equitylens/auth/scope"
)

// Bearer is the Authorizer of the access tokens that our own authorization server gives out.
func Bearer(v *auth.Validator) Authorizer { return bearer{v} }

type bearer struct{ validator *auth.Validator }

// Authorize implements Authorizer.
func (b bearer) Authorize(r *http.Request, need string) (Principal, error) {
	want, err := scope.Parse(need)
	if err != nil {
		return Principal{}, fmt.Errorf("authorize: %w", err)
	}
	p, err := b.validator.Authorize(r, want)
	switch {
	case err == nil:
		return Principal{
			Client: p.ClientID, Subject: p.Subject, Token: p.TokenID, Scopes: p.Scopes,
		}, nil
	case errors.Is(err, auth.ErrNoToken):
		return Principal{}, ErrNoToken
	case errors.Is(err, auth.ErrInvalidToken):
		return Principal{}, fmt.Errorf("%w: %w", ErrBadToken, err)
	case errors.Is(err, auth.ErrInsufficientScope):
		return Principal{}, ErrScope
	}
	return Principal{}, fmt.Errorf("authorize: %w", err)
}

// Scopes lists the scopes that the routes demand and those that a request may need beside them, for
// the smart-configuration document.
func Scopes() []string {
	return append([]string{scopeMeasure, scopeLibrary, scopeReport}, scope.Own()...)
}
