package auth

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/ory/fosite"

	"github.com/equitylens/equitylens/auth/scope"
)

// Client is a program that may ask for tokens. Clients come from the configuration.
type Client struct {
	// ID is the client_id, and iss and sub of its assertions.
	ID string
	// JWKS holds its public keys. Either this or JWKSURI is set.
	JWKS *jose.JSONWebKeySet
	// JWKSURI is the https address where it publishes them.
	JWKSURI string
	// Scopes is all that it may ever be granted.
	Scopes []string
	// Algorithms is what it signs with; empty means RS384 and ES384, which SMART asks every
	// server to accept.
	Algorithms []string
}

// supported are the algorithms that a client may register: asymmetric ones of RFC 7518. There is
// no "none" and no shared secret among them.
func supported() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{
		jose.RS384, jose.ES384, jose.RS256, jose.ES256, jose.RS512, jose.ES512,
		jose.PS256, jose.PS384, jose.PS512,
	}
}

// registered is a Client that was checked, as fosite wants to see it. It lives as long as the
// Server and never changes.
type registered struct {
	Client
	algorithms []jose.SignatureAlgorithm
	scopes     scope.Set
	audience   string
}

// register checks a client. All its faults are reported at once.
func register(c Client, audience string, allowHTTP bool) (*registered, error) {
	r := &registered{Client: c, audience: audience}
	var faults []error
	if c.ID == "" {
		faults = append(faults, errors.New("no id"))
	}
	switch {
	case (c.JWKS == nil) == (c.JWKSURI == ""):
		faults = append(faults, errors.New("want either keys or an address of keys"))
	case c.JWKS != nil:
		faults = append(faults, checkJWKS(c.JWKS))
	default:
		faults = append(faults, checkJWKSURI(c.JWKSURI, allowHTTP))
	}
	for _, text := range c.Scopes {
		s, err := scope.Parse(text)
		if err != nil {
			faults = append(faults, fmt.Errorf("scope %q: %w", text, err))
		}
		r.scopes = append(r.scopes, s)
	}
	if len(c.Scopes) == 0 {
		faults = append(faults, errors.New("no scope"))
	}
	for _, alg := range c.Algorithms {
		if !slices.Contains(supported(), jose.SignatureAlgorithm(alg)) {
			faults = append(faults, fmt.Errorf("algorithm %q is not supported", alg))
		}
		r.algorithms = append(r.algorithms, jose.SignatureAlgorithm(alg))
	}
	if len(c.Algorithms) == 0 {
		r.algorithms = []jose.SignatureAlgorithm{jose.RS384, jose.ES384}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("client %q: %w", c.ID, err)
	}
	return r, nil
}

// checkJWKS refuses what a client must not have handed over: a key that is private, or secret.
func checkJWKS(set *jose.JSONWebKeySet) error {
	if len(set.Keys) == 0 {
		return errors.New("no key in its keys")
	}
	for i, k := range set.Keys {
		if !k.Valid() || !k.IsPublic() {
			return fmt.Errorf("key %d is not a valid public key", i)
		}
	}
	return nil
}

// checkJWKSURI wants an absolute https address.
func checkJWKSURI(text string, allowHTTP bool) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" ||
		u.Scheme != "https" && (u.Scheme != "http" || !allowHTTP) {
		return errors.New("address of keys is not an absolute https URL")
	}
	return nil
}

// GetID implements fosite.Client.
func (r *registered) GetID() string { return r.ID }

// GetHashedSecret implements fosite.Client: there are no secrets.
func (r *registered) GetHashedSecret() []byte { return nil }

// GetRedirectURIs implements fosite.Client: nobody is redirected.
func (r *registered) GetRedirectURIs() []string { return nil }

// GetGrantTypes implements fosite.Client.
func (r *registered) GetGrantTypes() fosite.Arguments { return fosite.Arguments{clientCredentials} }

// GetResponseTypes implements fosite.Client: there is no authorization endpoint.
func (r *registered) GetResponseTypes() fosite.Arguments { return nil }

// GetScopes implements fosite.Client.
func (r *registered) GetScopes() fosite.Arguments { return r.scopes.Strings() }

// IsPublic implements fosite.Client: every client authenticates.
func (r *registered) IsPublic() bool { return false }

// GetAudience implements fosite.Client.
func (r *registered) GetAudience() fosite.Arguments { return fosite.Arguments{r.audience} }

// registry is the clients by id. It is the part of fosite.Storage that is used.
type registry map[string]*registered

// errNotUsed ends what fosite's own client authentication would do. Ours spends assertion ids
// itself, by issuer (assertion.go); if fosite's were ever switched on it fails closed here.
var errNotUsed = errors.New("auth: assertion ids are not kept by this storage")

// GetClient implements fosite.ClientManager.
func (r registry) GetClient(_ context.Context, id string) (fosite.Client, error) {
	c, ok := r[id]
	if !ok {
		return nil, fosite.ErrNotFound
	}
	return c, nil
}

// ClientAssertionJWTValid implements fosite.ClientManager.
func (registry) ClientAssertionJWTValid(context.Context, string) error { return errNotUsed }

// SetClientAssertionJWT implements fosite.ClientManager.
func (registry) SetClientAssertionJWT(context.Context, string, time.Time) error {
	return errNotUsed
}
