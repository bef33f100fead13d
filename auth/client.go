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
	// Name is what people are shown when they are asked; empty means ID.
	Name string
	// Public says that it runs where no key can be kept: in a browser or on a telephone. It has
	// no keys, and PKCE alone ties a code to it.
	Public bool
	// JWKS holds its public keys. Either this or JWKSURI is set, unless the client is public.
	JWKS *jose.JSONWebKeySet
	// JWKSURI is the https address where it publishes them.
	JWKSURI string
	// RedirectURIs are where people are sent back to: https, or http on loopback. They are
	// compared as they are written; a public client on loopback may use any port (RFC 8252).
	RedirectURIs []string
	// Grants are the grant types that it may use. Empty means authorization_code and
	// refresh_token if it has a redirect address, and client_credentials if it has none.
	Grants []string
	// Scopes is all that it may ever be granted.
	Scopes []string
	// Trusted passes over the question for consent: a program of the hospital's own.
	Trusted bool
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
	if c.ID == "" || len(c.ID) > maxIDLength {
		faults = append(faults, errors.New("no id, or one that is too long"))
	}
	if r.Name == "" {
		r.Name = c.ID
	}
	faults = append(faults, checkKeys(c, allowHTTP), r.setGrants(), r.setScopes())
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

// checkKeys wants one way to know a confidential client, and none of a public one.
func checkKeys(c Client, allowHTTP bool) error {
	switch {
	case c.Public && (c.JWKS != nil || c.JWKSURI != ""):
		return errors.New("a public client has no keys")
	case c.Public:
		return nil
	case (c.JWKS == nil) == (c.JWKSURI == ""):
		return errors.New("want either keys or an address of keys")
	case c.JWKS != nil:
		return checkJWKS(c.JWKS)
	}
	return checkJWKSURI(c.JWKSURI, allowHTTP)
}

// setGrants fills in and checks the grant types and what they need.
func (r *registered) setGrants() error {
	if len(r.Grants) == 0 {
		r.Grants = []string{clientCredentials}
		if len(r.RedirectURIs) > 0 {
			r.Grants = []string{authorizationCode, refreshToken}
		}
	}
	var faults []error
	for _, grant := range r.Grants {
		switch grant {
		case clientCredentials, authorizationCode, refreshToken:
		default:
			faults = append(faults, fmt.Errorf("grant %q is not supported", grant))
		}
	}
	code := slices.Contains(r.Grants, authorizationCode)
	switch {
	case code && len(r.RedirectURIs) == 0:
		faults = append(faults, errors.New("no redirect address"))
	case !code && len(r.RedirectURIs) > 0:
		faults = append(faults, errors.New("redirect addresses without authorization_code"))
	case !code && slices.Contains(r.Grants, refreshToken):
		faults = append(faults, errors.New("refresh_token without authorization_code"))
	case r.Public && slices.Contains(r.Grants, clientCredentials):
		faults = append(faults, errors.New("a public client cannot use client_credentials"))
	}
	for _, text := range r.RedirectURIs {
		faults = append(faults, checkRedirect(text))
	}
	return errors.Join(faults...)
}

// setScopes reads the scopes.
func (r *registered) setScopes() error {
	var faults []error
	for _, text := range r.Scopes {
		s, err := scope.Parse(text)
		if err != nil {
			faults = append(faults, fmt.Errorf("scope %q: %w", text, err))
		}
		r.scopes = append(r.scopes, s)
	}
	if len(r.Scopes) == 0 {
		faults = append(faults, errors.New("no scope"))
	}
	return errors.Join(faults...)
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

// uses reports whether the client is registered for a grant type.
func (r *registered) uses(grant string) bool { return slices.Contains(r.Grants, grant) }

// GetID implements fosite.Client.
func (r *registered) GetID() string { return r.ID }

// GetHashedSecret implements fosite.Client: there are no secrets.
func (r *registered) GetHashedSecret() []byte { return nil }

// GetRedirectURIs implements fosite.Client.
func (r *registered) GetRedirectURIs() []string { return r.RedirectURIs }

// GetGrantTypes implements fosite.Client.
func (r *registered) GetGrantTypes() fosite.Arguments { return r.Grants }

// GetResponseTypes implements fosite.Client: a code, or nothing.
func (r *registered) GetResponseTypes() fosite.Arguments {
	if r.uses(authorizationCode) {
		return fosite.Arguments{"code"}
	}
	return nil
}

// GetScopes implements fosite.Client.
func (r *registered) GetScopes() fosite.Arguments { return r.scopes.Strings() }

// IsPublic implements fosite.Client.
func (r *registered) IsPublic() bool { return r.Public }

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
