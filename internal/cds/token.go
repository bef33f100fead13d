package cds

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/equitylens/equitylens/store/cache"
)

const (
	// maxTokenLife is how far ahead exp may be. CDS Hooks advises five minutes; clients in use, its
	// own sandbox among them, send an hour.
	maxTokenLife = time.Hour
	// skew is how far the clock of an EHR may be ahead of ours. It is not granted at the other end.
	skew = 30 * time.Second
	// maxTokenBytes and maxIDBytes bound what comes from strangers before it is used for anything.
	maxTokenBytes = 16 << 10
	maxIDBytes    = 255
)

var (
	// errCaller refuses who called. Why is for the log alone.
	errCaller = errors.New("the caller is not a registered EHR, or its JWT is not good")
	// errStore means that nobody can say whether a JWT was used before.
	errStore = errors.New("used JWTs cannot be looked up")
)

// claims are those of CDS Hooks. https://cds-hooks.hl7.org/2.0/#trusting-cds-clients
type claims struct {
	Issuer    string           `json:"iss"`
	Audience  jwt.Audience     `json:"aud"`
	Expiry    *jwt.NumericDate `json:"exp"`
	NotBefore *jwt.NumericDate `json:"nbf"`
	IssuedAt  *jwt.NumericDate `json:"iat"`
	ID        string           `json:"jti"`
	Tenant    string           `json:"tenant"`
}

// algorithms are the asymmetric ones that EHRs use. "none" and the symmetric ones are not among
// them.
func algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.ES384, jose.RS384, jose.ES256, jose.RS256}
}

func no(why string) error { return fmt.Errorf("%w: %s", errCaller, why) }

// caller returns the EHR that a request comes from, or an error that wraps errCaller, errKeys or
// errStore. audiences are the URLs that the JWT may be for. Its id is spent by this.
func (s *Service) caller(
	ctx context.Context, r *http.Request, audiences ...string,
) (*tenant, error) {
	token, said, err := parseToken(r.Header)
	if err != nil {
		return nil, err
	}
	t, known := s.tenants[tenantKey{said.Issuer, said.Tenant}]
	if !known {
		t, known = s.tenants[tenantKey{said.Issuer, ""}]
	}
	if !known {
		return nil, no("iss is not registered")
	}
	if jku, ok := token.Headers[0].ExtraHeaders["jku"]; ok && (t.JWKSURI == "" || jku != t.JWKSURI) {
		return nil, no("jku is not the registered address of keys")
	}
	life, err := said.check(s.cfg.Now(), append(audiences, t.Audiences...))
	if err != nil {
		return nil, err
	}
	found, err := t.candidates(ctx, token.Headers[0])
	if err != nil {
		return nil, err
	}
	var signed claims
	for _, key := range found {
		if token.Claims(key, &signed) == nil {
			return t, s.spend(ctx, said, life)
		}
	}
	return nil, no("it is not signed by a key of the EHR")
}

// parseToken reads the JWT of a request and believes nothing of it yet. Errors of the library are
// dropped: they may quote it.
func parseToken(h http.Header) (*jwt.JSONWebToken, claims, error) {
	values := h.Values("Authorization")
	if len(values) != 1 {
		return nil, claims{}, no("not one Authorization header")
	}
	scheme, text, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") || len(text) > maxTokenBytes {
		return nil, claims{}, no("no bearer")
	}
	token, err := jwt.ParseSigned(strings.TrimSpace(text), algorithms())
	if err != nil || len(token.Headers) != 1 {
		return nil, claims{}, no("no JWT of a supported algorithm")
	}
	header := token.Headers[0]
	if header.KeyID == "" {
		return nil, claims{}, no("kid is missing")
	}
	// Some libraries leave typ out. If it is there it has to be JWT.
	if typ, ok := header.ExtraHeaders[jose.HeaderType]; ok && typ != "JWT" && typ != "jwt" {
		return nil, claims{}, no("typ is not JWT")
	}
	if header.JSONWebKey != nil || header.ExtraHeaders["x5u"] != nil {
		return nil, claims{}, no("it brings a key of its own")
	}
	var said claims
	if token.UnsafeClaimsWithoutVerification(&said) != nil {
		return nil, claims{}, no("its claims cannot be read")
	}
	return token, said, nil
}

// check holds everything about the claims but the first use of the id, and returns how long the JWT
// could still be replayed.
func (c claims) check(now time.Time, audiences []string) (time.Duration, error) {
	meant := func(a string) bool { return slices.Contains(audiences, a) }
	switch {
	case !slices.ContainsFunc(c.Audience, meant):
		return 0, no("aud is not the URL that is called")
	case c.Expiry == nil || c.IssuedAt == nil:
		return 0, no("exp or iat is missing")
	case c.ID == "" || len(c.ID) > maxIDBytes:
		return 0, no("jti is missing or too long")
	}
	expires, issued := c.Expiry.Time(), c.IssuedAt.Time()
	switch {
	case !expires.After(now):
		return 0, no("it has expired")
	case expires.After(now.Add(maxTokenLife + skew)):
		return 0, no("exp is more than an hour ahead")
	case issued.After(now.Add(skew)):
		return 0, no("iat is in the future")
	case issued.Before(now.Add(-maxTokenLife)):
		return 0, no("iat is more than an hour ago")
	case c.NotBefore != nil && c.NotBefore.Time().After(now.Add(skew)):
		return 0, no("it is not valid yet")
	}
	return expires.Sub(now), nil
}

// spend marks the id as used, for its issuer, until the JWT has expired. A store that cannot tell
// is a reason to refuse.
func (s *Service) spend(ctx context.Context, c claims, life time.Duration) error {
	first, err := s.cfg.Store.SetIfAbsent(ctx, cache.Key("cds-jti", c.Issuer, c.ID), nil,
		life+time.Second)
	if err != nil {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	if !first {
		return no("it was used before")
	}
	return nil
}
