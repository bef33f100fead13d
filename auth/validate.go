package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/equitylens/equitylens/auth/keys"
	"github.com/equitylens/equitylens/auth/scope"
)

var (
	// ErrNoToken means that a request brings no bearer token.
	ErrNoToken = errors.New("auth: no access token")
	// ErrInvalidToken means that a token is malformed, expired, not ours or not for this API.
	ErrInvalidToken = errors.New("auth: invalid access token")
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
}

// maxToken bounds a token before it is parsed; ours are below 2 KiB.
const maxToken = 16 << 10

// Validator reads access tokens of RFC 9068. fosite's own reader loses the audience and the
// client and cannot tell an access token from an id_token (B10).
type Validator struct {
	issuer   string
	audience string
	keys     *keys.Set
	now      func() time.Time
	good     signatures
}

// Validate returns whom the bearer token speaks for. Every error is an ErrInvalidToken and holds
// no part of the token.
func (v *Validator) Validate(_ context.Context, bearer string) (Principal, error) {
	claims, err := v.verified(bearer)
	if err != nil {
		return Principal{}, err
	}
	now := v.now()
	switch {
	case claims.Issuer != v.issuer:
		return Principal{}, invalid("of another issuer")
	case !claims.Audience.Contains(v.audience):
		return Principal{}, invalid("for another audience")
	case claims.Expiry == nil || !claims.Expiry.Time().After(now):
		return Principal{}, invalid("expired")
	case claims.IssuedAt == nil || claims.IssuedAt.Time().After(now.Add(clockSkew)):
		return Principal{}, invalid("issued in the future")
	case claims.NotBefore != nil && claims.NotBefore.Time().After(now.Add(clockSkew)):
		return Principal{}, invalid("not valid yet")
	case claims.ClientID == "" || claims.Subject == "" || claims.ID == "":
		return Principal{}, invalid("without client, subject or id")
	}
	scopes, err := scope.ParseSet(claims.Scope)
	if err != nil {
		return Principal{}, invalid("with a malformed scope")
	}
	return Principal{
		ClientID: claims.ClientID, Subject: claims.Subject, Scopes: scopes,
		Expires: claims.Expiry.Time(), TokenID: claims.ID,
	}, nil
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
