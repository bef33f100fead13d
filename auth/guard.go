package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/equitylens/equitylens/auth/scope"
)

// Authorize returns who a request comes from, if it brings a valid token that covers need.
// Otherwise the error is ErrNoToken, ErrInvalidToken, ErrUnchecked or ErrInsufficientScope.
func (v *Validator) Authorize(r *http.Request, need scope.Scope) (Principal, error) {
	bearer, err := bearerOf(r.Header)
	if err != nil {
		return Principal{}, err
	}
	p, err := v.Validate(r.Context(), bearer)
	if err != nil {
		return Principal{}, err
	}
	if !p.Scopes.Covers(need) {
		return p, fmt.Errorf("%w: %s is needed", ErrInsufficientScope, need)
	}
	return p, nil
}

// bearerOf reads the Authorization header. A token in the URL or in a form is not read: both end
// up in logs and histories (RFC 9700 section 4.3.2).
func bearerOf(h http.Header) (string, error) {
	values := h.Values("Authorization")
	switch len(values) {
	case 0:
		return "", ErrNoToken
	case 1:
	default:
		return "", invalid("more than one")
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", ErrNoToken
	}
	token = strings.TrimLeft(token, " ")
	if token == "" {
		return "", invalid("empty")
	}
	return token, nil
}

// Guard demands tokens of requests.
type Guard struct {
	Validator *Validator
	// Deny writes the body of an answer to a request that was refused; status and the header
	// WWW-Authenticate are settled. nil means a short plain text. It is told the error, which is
	// one of those of Validator.Authorize.
	Deny func(w http.ResponseWriter, r *http.Request, status int, err error)
}

// Require returns a middleware that lets requests through whose token covers need, with the
// Principal in their context. It answers 401 to others, 403 where the token is good and the scope
// too small, and 503 where nobody can tell whether it was revoked. The error says that need is no
// scope: a route table fails at start then.
func (g *Guard) Require(need string) (func(http.Handler) http.Handler, error) {
	want, err := scope.Parse(need)
	if err != nil {
		return nil, fmt.Errorf("auth: require %q: %w", need, err)
	}
	deny := g.Deny
	if deny == nil {
		deny = func(w http.ResponseWriter, _ *http.Request, status int, _ error) {
			http.Error(w, http.StatusText(status), status)
		}
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			p, err := g.Validator.Authorize(r, want)
			if err != nil {
				status := challenge(w.Header(), want, err)
				deny(w, r, status, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(WithPrincipal(r.Context(), p)))
		})
	}, nil
}

// challenge sets WWW-Authenticate as RFC 6750 section 3 has it, and returns the status.
func challenge(h http.Header, want scope.Scope, err error) int {
	switch {
	case errors.Is(err, ErrInsufficientScope):
		h.Set("WWW-Authenticate", fmt.Sprintf(`Bearer error="insufficient_scope", scope="%s"`, want))
		return http.StatusForbidden
	case errors.Is(err, ErrUnchecked):
		h.Set("Retry-After", "5")
		return http.StatusServiceUnavailable
	case errors.Is(err, ErrNoToken):
		// Who brings nothing is told no more than what to bring.
		h.Set("WWW-Authenticate", fmt.Sprintf(`Bearer scope="%s"`, want))
	default:
		h.Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	}
	return http.StatusUnauthorized
}

// principalKey is the key of the Principal in a context.
type principalKey struct{}

// WithPrincipal returns a context that carries p.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// PrincipalFrom returns the Principal that Guard has put into the context of a request.
func PrincipalFrom(ctx context.Context) (Principal, bool) {
	p, ok := ctx.Value(principalKey{}).(Principal)
	return p, ok
}
