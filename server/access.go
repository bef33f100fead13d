package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/equitylens/equitylens/auth/scope"
)

// Principal is the OAuth client that a token was given to, and what the token lets it do.
type Principal struct {
	// Client is its id, which is logged; it names a program, never a person.
	Client string
	// Subject is the person on whose behalf it asks, or the client itself. It is for the audit
	// trail alone.
	Subject string
	// Token is the id of the token, for the audit trail.
	Token string
	// Scopes is all that the token covers, the scope of the route and any further one.
	Scopes scope.Set
}

// Covers reports whether the token covers a further scope.
func (p Principal) Covers(text string) bool {
	want, err := scope.Parse(text)
	return err == nil && p.Scopes.Covers(want)
}

// Authorizer checks the token of a request.
type Authorizer interface {
	// Authorize returns who asks, if the request carries a valid access token that covers scope.
	// The error wraps ErrNoToken, ErrBadToken or ErrScope where that is the cause, and never holds
	// the token. Any other error is a failure of ours, and the request is refused.
	Authorize(r *http.Request, scope string) (Principal, error)
}

// The refusals of an Authorizer.
var (
	// ErrNoToken says that the request carries no bearer token.
	ErrNoToken = errors.New("no access token")
	// ErrBadToken says that the token is malformed, expired, revoked or not for us.
	ErrBadToken = errors.New("invalid access token")
	// ErrScope says that the token is valid and does not cover the scope.
	ErrScope = errors.New("insufficient scope")
)

type principalKey struct{}

// principalOf returns who asks; of a public route nobody, who covers nothing.
func principalOf(ctx context.Context) Principal {
	p, _ := ctx.Value(principalKey{}).(Principal)
	return p
}

// authorized demands a token that covers need.
func (s *Server) authorized(need string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		principal, err := s.cfg.Authorizer.Authorize(r, need)
		if err != nil {
			challenge(w, need, err)
			s.fail(w, r, err)
			return
		}
		eventOf(r).client = principal.Client
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), principalKey{}, principal)))
	})
}

// demand refuses a principal whose token does not cover a scope that the request turned out to
// need beside that of its route.
func demand(p Principal, need string) error {
	if !p.Covers(need) {
		return tooSmall(need)
	}
	return nil
}

// challenge sets the header of RFC 6750 section 3: without a token no error code, else which.
func challenge(w http.ResponseWriter, need string, err error) {
	text := `Bearer realm="EquityLens", scope="` + need + `"`
	switch {
	case errors.Is(err, ErrNoToken):
	case errors.Is(err, ErrBadToken):
		text += `, error="invalid_token"`
	case errors.Is(err, ErrScope):
		text += `, error="insufficient_scope"`
	default:
		return
	}
	w.Header().Set("WWW-Authenticate", text)
}
