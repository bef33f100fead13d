package server

import (
	"errors"
	"net/http"
)

// Principal is the OAuth client that a token was given to.
type Principal struct {
	// Client is its id, which is logged; it names a program, never a person.
	Client string
}

// Authorizer checks the token of a request.
type Authorizer interface {
	// Authorize returns who asks, if the request carries a valid access token that covers scope. The
	// error wraps ErrNoToken, ErrBadToken or ErrScope where that is the cause, and never holds the
	// token. Any other error is a failure of ours, and the request is refused.
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

// authorized demands a token that covers scope.
func (s *Server) authorized(scope string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		principal, err := s.cfg.Authorizer.Authorize(r, scope)
		if err != nil {
			challenge(w, scope, err)
			s.fail(w, r, err)
			return
		}
		eventOf(r).client = principal.Client
		next.ServeHTTP(w, r)
	})
}

// challenge sets the header of RFC 6750 section 3: without a token no error code, else which.
func challenge(w http.ResponseWriter, scope string, err error) {
	text := `Bearer realm="EquityLens", scope="` + scope + `"`
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
