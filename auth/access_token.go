package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"
	"github.com/ory/fosite"

	"github.com/equitylens/equitylens/auth/grant"
)

// tokenType is the header typ of an access token. It keeps an access token from being taken for
// an id_token or an assertion, and the other way round (RFC 9068 section 2.1).
const tokenType = "at+jwt"

// accessClaims are the claims of RFC 9068 section 2.2. aud is one string: tokens are for one API.
type accessClaims struct {
	Issuer   string           `json:"iss"`
	Subject  string           `json:"sub"`
	Audience string           `json:"aud"`
	ClientID string           `json:"client_id"`
	Scope    string           `json:"scope"`
	IssuedAt *jwt.NumericDate `json:"iat"`
	Expiry   *jwt.NumericDate `json:"exp"`
	ID       string           `json:"jti"`
	// Grant is the grant that the token belongs to, by which it is found to be revoked.
	Grant string `json:"grant_id"`
	// AuthTime and Roles stand in the tokens of persons alone: when they signed in, and what the
	// hospital lets them do.
	AuthTime *jwt.NumericDate `json:"auth_time,omitempty"`
	Roles    []string         `json:"roles,omitempty"`
}

// minter makes access tokens. It is fosite's AccessTokenStrategy; fosite's own keeps claims in
// the session, where a second token gets the time and id of the first (B6), and names no client
// (B10).
type minter struct{ cfg Config }

// GenerateAccessToken implements oauth2.AccessTokenStrategy. Every call makes a new id.
func (m *minter) GenerateAccessToken(
	ctx context.Context, r fosite.Requester,
) (token, signature string, err error) {
	audience := r.GetGrantedAudience()
	if len(audience) != 1 {
		return "", "", errors.New("make access token: want one audience")
	}
	id, err := uuid.NewRandomFromReader(m.cfg.Rand)
	if err != nil {
		return "", "", fmt.Errorf("make access token: draw an id: %w", err)
	}
	key, err := m.cfg.Keys.Signing(m.cfg.Keys.Preferred())
	if err != nil {
		return "", "", fmt.Errorf("make access token: %w", err)
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: key},
		(&jose.SignerOptions{}).WithType(tokenType))
	if err != nil {
		return "", "", fmt.Errorf("make access token: %w", err)
	}
	now := m.cfg.Now()
	claims := accessClaims{
		Issuer:   m.cfg.Issuer,
		Audience: audience[0],
		ClientID: r.GetClient().GetID(),
		Scope:    strings.Join(scopesOf(r), " "),
		IssuedAt: jwt.NewNumericDate(now),
		Expiry:   jwt.NewNumericDate(now.Add(m.cfg.TokenLifetime)),
		ID:       id.String(),
		Grant:    r.GetID(),
	}
	// Without a person the subject is the client itself (RFC 9068 section 2.2).
	claims.Subject = claims.ClientID
	if session, ok := r.GetSession().(*grant.Session); ok && session.Subject != "" {
		claims.Subject, claims.Roles = session.Subject, session.Roles
		claims.AuthTime = jwt.NewNumericDate(session.AuthTime)
	}
	token, err = jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		return "", "", fmt.Errorf("make access token: %w", err)
	}
	return token, grant.AccessSignature(claims.Grant, claims.ID), nil
}

// AccessTokenSignature implements oauth2.AccessTokenStrategy. Tokens are found by the ids that
// Validator reads from them; no handler that is registered asks.
func (*minter) AccessTokenSignature(context.Context, string) string { return "" }

// ValidateAccessToken implements oauth2.AccessTokenStrategy. Tokens are read by Validator; no
// handler that is registered reads one.
func (*minter) ValidateAccessToken(context.Context, fosite.Requester, string) error {
	return errors.New("access tokens are read by Validator")
}
