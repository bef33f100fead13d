package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/equitylens/equitylens/auth/grant"
	"github.com/equitylens/equitylens/auth/keys"
	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/auth/scope"
)

var (
	// ErrNoToken means that a request brings no bearer token.
	ErrNoToken = errors.New("auth: no access token")
	// ErrInvalidToken means that a token is malformed, expired, not ours or not for this API.
	ErrInvalidToken = errors.New("auth: invalid access token")
	// ErrUnchecked means that a token is good as far as it says itself, and that the store which
	// knows whether it was revoked could not be asked. The request is refused.
	ErrUnchecked = errors.New("auth: access token could not be checked")
	// ErrInsufficientScope means that a valid token does not cover what is asked.
	ErrInsufficientScope = errors.New("auth: insufficient scope")
)

// Principal is who a request comes from.
type Principal struct {
	// ClientID is the program that asks.
	ClientID string
	// Subject is the person on whose behalf it asks, or the client itself.
	Subject string
	// Scopes is what it may do.
	Scopes scope.Set
	// Expires is when the token ends.
	Expires time.Time
	// TokenID is the jti of the token: it tells tokens apart in the audit trail.
	TokenID string
	// GrantID is the grant that the token belongs to: one consent of one person, or one request
	// of a client for itself.
	GrantID string
	// Person says that a person stands behind the token; Subject is their Pseudonym then.
	Person bool
	// Roles are those of the person when they gave their consent.
	Roles []role.Role
}

// maxToken bounds a token before it is parsed; ours are below 2 KiB.
const maxToken = 16 << 10

// Validator reads access tokens of RFC 9068. fosite's own reader loses the audience and the
// client and cannot tell an access token from an id_token (B10).
type Validator struct {
	issuer   string
	audience string
	keys     *keys.Set
	grants   *grant.Storage
	now      func() time.Time
	good     signatures
}

// Validate returns whom the bearer token speaks for. Every error is an ErrInvalidToken or an
// ErrUnchecked and holds no part of the token.
func (v *Validator) Validate(ctx context.Context, bearer string) (Principal, error) {
	claims, scopes, err := v.check(bearer)
	if err != nil {
		return Principal{}, err
	}
	live, err := v.grants.Live(ctx, claims.Grant, claims.ID)
	if err != nil {
		return Principal{}, fmt.Errorf("%w: %w", ErrUnchecked, err)
	}
	if !live {
		return Principal{}, invalid("revoked")
	}
	p := Principal{
		ClientID: claims.ClientID, Subject: claims.Subject, Scopes: scopes,
		Expires: claims.Expiry.Time(), TokenID: claims.ID, GrantID: claims.Grant,
		Person: claims.AuthTime != nil,
	}
	for _, name := range claims.Roles {
		// A role that is not there any more gives nothing.
		if known, err := role.Parse(name); err == nil {
			p.Roles = append(p.Roles, known)
		}
	}
	return p, nil
}

// check believes what a token says of itself, or says why not.
func (v *Validator) check(bearer string) (readClaims, scope.Set, error) {
	claims, err := v.verified(bearer)
	if err != nil {
		return readClaims{}, nil, err
	}
	now := v.now()
	no := func(how string) (readClaims, scope.Set, error) {
		return readClaims{}, nil, invalid(how)
	}
	switch {
	case claims.Issuer != v.issuer:
		return no("of another issuer")
	case !claims.Audience.Contains(v.audience):
		return no("for another audience")
	case claims.Expiry == nil || !claims.Expiry.Time().After(now):
		return no("expired")
	case claims.IssuedAt == nil || claims.IssuedAt.Time().After(now.Add(clockSkew)):
		return no("issued in the future")
	case claims.NotBefore != nil && claims.NotBefore.Time().After(now.Add(clockSkew)):
		return no("not valid yet")
	case claims.ClientID == "" || claims.Subject == "" || claims.ID == "" || claims.Grant == "":
		return no("without client, subject, grant or id")
	}
	scopes, err := scope.ParseSet(claims.Scope)
	if err != nil {
		return no("with a malformed scope")
	}
	return claims, scopes, nil
}

// readClaims are accessClaims as a token may bring them: aud may be a list.
type readClaims struct {
	accessClaims
	Audience  jwt.Audience     `json:"aud"`
	NotBefore *jwt.NumericDate `json:"nbf"`
}

// verified checks header and signature and returns the claims.
func (v *Validator) verified(bearer string) (readClaims, error) {
	if len(bearer) > maxToken {
		return readClaims{}, invalid("too long")
	}
	if known, ok := v.good.of(bearer); ok {
		// A key that was retired in between verifies nothing any more.
		if key, ok := v.keys.Verifying(known.kid); ok && key.Algorithm == known.algorithm {
			return known.claims, nil
		}
	}
	token, err := jwt.ParseSigned(bearer, supported())
	if err != nil || len(token.Headers) != 1 {
		return readClaims{}, invalid("not a signed JWT")
	}
	header := token.Headers[0]
	typ, _ := header.ExtraHeaders[jose.HeaderType].(string)
	switch strings.ToLower(typ) {
	case tokenType, "application/" + tokenType:
	default:
		return readClaims{}, invalid("not an access token")
	}
	key, ok := v.keys.Verifying(header.KeyID)
	if !ok {
		return readClaims{}, invalid("signed by an unknown key")
	}
	if key.Algorithm != header.Algorithm {
		return readClaims{}, invalid("of another algorithm than its key")
	}
	var claims readClaims
	if err := token.Claims(key.Key, &claims); err != nil {
		return readClaims{}, invalid("with a wrong signature or malformed claims")
	}
	v.good.add(bearer, signed{claims: claims, kid: header.KeyID, algorithm: header.Algorithm})
	return claims, nil
}

// invalid says what is wrong with a token.
func invalid(how string) error { return fmt.Errorf("%w: %s", ErrInvalidToken, how) }
