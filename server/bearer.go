package server

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

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
	out := Principal{
		Client: p.ClientID, Subject: p.Subject, Token: p.TokenID, Scopes: p.Scopes,
		Person: p.Person,
	}
	for _, one := range p.Roles {
		out.Roles = append(out.Roles, string(one))
	}
	switch {
	case err == nil || errors.Is(err, auth.ErrInsufficientScope):
		// The validator knows no route, and so not that a person needs the scope of people.
		if !out.Covers(need) {
			return out, ErrScope
		}
		return out, nil
	case errors.Is(err, auth.ErrUnchecked):
		return Principal{}, fmt.Errorf("%w: %w", ErrUnchecked, err)
	case errors.Is(err, auth.ErrNoToken):
		return Principal{}, ErrNoToken
	case errors.Is(err, auth.ErrInvalidToken):
		return Principal{}, fmt.Errorf("%w: %w", ErrBadToken, err)
	}
	return Principal{}, fmt.Errorf("authorize: %w", err)
}

// Scopes lists the scopes that the routes demand and those that a request may need beside them, of
// programs and of people, for
// the smart-configuration document.
func Scopes() []string {
	var all []string
	for _, one := range []string{scopeMeasure, scopeLibrary, scopeReport, scopeTrail} {
		all = append(all, one, "user/"+strings.TrimPrefix(one, "system/"))
	}
	return append(all, scope.Own()...)
}
