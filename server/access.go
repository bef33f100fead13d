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
	// Person says that a person stands behind the token, with these roles.
	Person bool
	Roles  []string

	// address is where the request comes from.
	address string
}

// Covers reports whether the token lets its bearer do what a scope names. A route names what it
// takes of a program, "system/…"; of a person it takes the same of "user/…", and nothing of
// "system/…", which is what no person can be granted. What is granted for one patient opens nothing
// here. Scopes of our own are the same for both.
func (p Principal) Covers(text string) bool {
	want, err := scope.Parse(text)
	if err != nil {
		return false
	}
	if p.Person && want.Context == scope.System {
		want.Context = scope.User
	}
	return p.Scopes.Covers(want)
}

// owner is whose a job is: the program's, or that of one person at it.
func (p Principal) owner() string {
	if p.Person {
		return p.Client + "\n" + p.Subject
	}
	return p.Client
}

// Authorizer checks the token of a request.
type Authorizer interface {
	// Authorize returns who asks, if the request carries a valid access token that covers scope. The
	// error wraps ErrNoToken, ErrBadToken, ErrScope or ErrUnchecked where that is the cause, and never
	// holds the token; with ErrScope the Principal is who asks all the same. Any other error is a
	// failure of ours, and the request is refused.
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
	// ErrUnchecked says that nobody can tell whether the token was revoked.
	ErrUnchecked = errors.New("access token not checked")
)

type principalKey struct{}

// principalOf returns who asks; of a public route nobody, who covers nothing.
func principalOf(ctx context.Context) Principal {
	p, _ := ctx.Value(principalKey{}).(Principal)
	return p
}

// authorized demands a token that covers the scope of a route, and bounds how often one who has it
// may ask.
func (s *Server) authorized(route Route, next http.Handler) http.Handler {
	need := route.Scope
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		principal, err := s.cfg.Authorizer.Authorize(r, need)
		principal.address = s.remote(r)
		if err != nil {
			challenge(w, need, err)
			if errors.Is(err, ErrScope) {
				s.refusedAccess(r, route, principal)
			}
			s.fail(w, r, err)
			return
		}
		eventOf(r).client = principal.Client
		if wait, ok := s.limits.principals.take(principal.owner()); !ok {
			s.fail(w, r, tooOften(wait))
			return
		}
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
