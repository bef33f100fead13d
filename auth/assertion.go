package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/ory/fosite"

	"github.com/equitylens/equitylens/store/cache"
)

const (
	// assertionType is the value of client_assertion_type (RFC 7523 section 2.2).
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	// maxAssertionLife is how far ahead exp may be: "no more than five minutes in the future".
	maxAssertionLife = 5 * time.Minute
	// clockSkew is how far the clock of a client may be ahead of ours. It is not granted at the
	// other end: an assertion that has expired by our clock has expired.
	clockSkew = 30 * time.Second
	// maxIDLength bounds client_id and jti before they are used for anything.
	maxIDLength = 255
)

// strangers is said whenever the client is not known or its signature is not good. What differs
// between these is not told: it would let anybody find out which clients exist.
const strangers = "the client is not known, or the assertion is not signed by one of its keys"

// assertionClaims are the claims of an assertion.
type assertionClaims struct {
	Issuer    string           `json:"iss"`
	Subject   string           `json:"sub"`
	Audience  jwt.Audience     `json:"aud"`
	Expiry    *jwt.NumericDate `json:"exp"`
	NotBefore *jwt.NumericDate `json:"nbf"`
	IssuedAt  *jwt.NumericDate `json:"iat"`
	ID        string           `json:"jti"`
}

// authenticate is the fosite.ClientAuthenticationStrategy: a public client by its client_id, any
// other by private_key_jwt as SMART wants it, and nothing else. fosite's own answers an expired
// assertion with 500 (B2), wants keys with "use" (B3), knows one algorithm a client, lets exp be
// years ahead and takes ids of different clients for the same (B4).
//
// https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html
func (s *Server) authenticate(
	ctx context.Context, r *http.Request, form url.Values,
) (fosite.Client, error) {
	client, err := s.identify(ctx, r, form)
	if err != nil {
		return nil, err
	}
	return client, nil
}

// identify returns the client that sends a request.
func (s *Server) identify(
	ctx context.Context, r *http.Request, form url.Values,
) (*registered, error) {
	if r.Header.Get("Authorization") != "" || form.Has("client_secret") {
		return nil, refuse(invalidClient, "clients authenticate by private_key_jwt alone", nil)
	}
	if !form.Has("client_assertion") && !form.Has("client_assertion_type") {
		if client, ok := s.clients[form.Get("client_id")]; ok && client.Public {
			return client, nil
		}
	}
	if form.Get("client_assertion_type") != assertionType || form.Get("client_assertion") == "" {
		return nil, refuse(invalidClient,
			"client_assertion and client_assertion_type "+assertionType+" are required", nil)
	}
	token, claims, err := parseAssertion(form.Get("client_assertion"))
	if err != nil {
		return nil, err
	}
	if id := form.Get("client_id"); id != "" && id != claims.Issuer {
		return nil, refuse(invalidClient, "client_id is not the iss of the assertion", nil)
	}
	client, ok := s.clients[claims.Issuer]
	if !ok || client.Public {
		return nil, refuse(invalidClient, strangers, errors.New("unknown client"))
	}
	if err := s.verify(ctx, client, token, claims); err != nil {
		no := asRefusal(err)
		no.client = client.ID
		return nil, no
	}
	return client, nil
}

// parseAssertion reads an assertion and believes nothing yet. The underlying errors are dropped:
// they may quote the assertion.
func parseAssertion(text string) (*jwt.JSONWebToken, assertionClaims, error) {
	malformed := func(say string) (*jwt.JSONWebToken, assertionClaims, error) {
		return nil, assertionClaims{}, refuse(invalidClient, say, nil)
	}
	token, err := jwt.ParseSigned(text, supported())
	if err != nil || len(token.Headers) != 1 {
		return malformed("the assertion is not a signed JWT of a supported algorithm")
	}
	var claims assertionClaims
	if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil {
		return malformed("the claims of the assertion are malformed")
	}
	if claims.Issuer == "" || len(claims.Issuer) > maxIDLength || claims.Issuer != claims.Subject {
		return malformed("iss and sub have to be the client_id")
	}
	return token, claims, nil
}

// verify believes an assertion or says why not. The signature comes first, so that only a client
// learns more, and the id is spent last, so that nobody can spend it for another.
func (s *Server) verify(
	ctx context.Context, client *registered, token *jwt.JSONWebToken, claims assertionClaims,
) error {
	header := token.Headers[0]
	if err := checkHeader(header, client); err != nil {
		return err
	}
	candidates, err := s.candidates(ctx, client, header)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(candidates, func(k jose.JSONWebKey) bool {
		return token.Claims(k.Key) == nil
	}) {
		return refuse(invalidClient, strangers,
			fmt.Errorf("none of %d keys with this id and kind verifies", len(candidates)))
	}
	life, err := s.checkClaims(claims)
	if err != nil {
		return err
	}
	return s.spend(ctx, claims, life)
}

// checkHeader holds typ, alg and the headers that name a key from outside.
func checkHeader(header jose.Header, client *registered) error {
	if !slices.Contains(client.algorithms, jose.SignatureAlgorithm(header.Algorithm)) {
		return refuse(invalidClient, "the client is not registered for this algorithm", nil)
	}
	// Some libraries leave typ out. If it is there it has to be that of an assertion.
	if typ, ok := header.ExtraHeaders[jose.HeaderType]; ok {
		text, _ := typ.(string)
		switch strings.ToLower(text) {
		case "jwt", "client-authentication+jwt":
		default:
			return refuse(invalidClient, "typ is not JWT", nil)
		}
	}
	if header.JSONWebKey != nil || header.ExtraHeaders["x5u"] != nil {
		return refuse(invalidClient, "the assertion must not bring a key of its own", nil)
	}
	if jku, ok := header.ExtraHeaders["jku"]; ok && (client.JWKSURI == "" || jku != client.JWKSURI) {
		return refuse(invalidClient, "jku is not the registered address of keys", nil)
	}
	return nil
}

// checkClaims holds everything about the claims but the id's first use, and returns how long
// the assertion could still be replayed.
func (s *Server) checkClaims(claims assertionClaims) (time.Duration, error) {
	now := s.cfg.Now()
	// One audience: with several, another server that is meant too could use the assertion here.
	if len(claims.Audience) != 1 ||
		claims.Audience[0] != s.cfg.TokenURL && claims.Audience[0] != s.cfg.Issuer {
		return 0, refuse(invalidClient, "aud is not the address of this token endpoint", nil)
	}
	if claims.Expiry == nil {
		return 0, refuse(invalidClient, "exp is missing", nil)
	}
	expires := claims.Expiry.Time()
	switch {
	case !expires.After(now):
		return 0, refuse(invalidClient, "the assertion has expired", nil)
	case expires.After(now.Add(maxAssertionLife + clockSkew)):
		return 0, refuse(invalidClient, "exp is more than five minutes ahead", nil)
	case claims.NotBefore != nil && claims.NotBefore.Time().After(now.Add(clockSkew)):
		return 0, refuse(invalidClient, "the assertion is not valid yet", nil)
	case claims.IssuedAt != nil && claims.IssuedAt.Time().After(now.Add(clockSkew)):
		return 0, refuse(invalidClient, "iat is in the future", nil)
	}
	if claims.ID == "" || len(claims.ID) > maxIDLength {
		return 0, refuse(invalidClient, "jti is missing or too long", nil)
	}
	return expires.Sub(now), nil
}

// spend marks the id of the assertion as used, for its issuer, until it has expired. A store
// that cannot tell is a reason to refuse.
func (s *Server) spend(ctx context.Context, claims assertionClaims, life time.Duration) error {
	first, err := s.cfg.Store.SetIfAbsent(ctx, cache.Key("jti", claims.Issuer, claims.ID), nil,
		life+time.Second)
	if err != nil {
		return refuse(temporarilyUnavailable, "try again later", err)
	}
	if !first {
		return refuse(invalidClient, "the assertion was used before", nil)
	}
	return nil
}
