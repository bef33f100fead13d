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
	// Without a person the subject is the client itself (RFC 9068 section 2.2).
	subject := r.GetSession().GetSubject()
	if subject == "" {
		subject = r.GetClient().GetID()
	}
	now := m.cfg.Now()
	token, err = jwt.Signed(signer).Claims(accessClaims{
		Issuer:   m.cfg.Issuer,
		Subject:  subject,
		Audience: audience[0],
		ClientID: r.GetClient().GetID(),
		Scope:    strings.Join(r.GetGrantedScopes(), " "),
		IssuedAt: jwt.NewNumericDate(now),
		Expiry:   jwt.NewNumericDate(now.Add(m.cfg.TokenLifetime)),
		ID:       id.String(),
	}).Serialize()
	if err != nil {
		return "", "", fmt.Errorf("make access token: %w", err)
	}
	return token, m.AccessTokenSignature(ctx, token), nil
}

// AccessTokenSignature implements oauth2.AccessTokenStrategy: the third part of a token.
func (*minter) AccessTokenSignature(_ context.Context, token string) string {
	return token[strings.LastIndexByte(token, '.')+1:]
}

// ValidateAccessToken implements oauth2.AccessTokenStrategy. Tokens are read by Validator; no
// handler that is registered reads one.
func (*minter) ValidateAccessToken(context.Context, fosite.Requester, string) error {
	return errors.New("access tokens are read by Validator")
}

// selfContained is fosite's storage of access tokens, of which there is none: a token says
// everything itself and lives for minutes.
type selfContained struct{}

// CreateAccessTokenSession implements oauth2.AccessTokenStorage: there is nothing to keep.
func (selfContained) CreateAccessTokenSession(context.Context, string, fosite.Requester) error {
	return nil
}

// GetAccessTokenSession implements oauth2.AccessTokenStorage.
func (selfContained) GetAccessTokenSession(
	context.Context, string, fosite.Session,
) (fosite.Requester, error) {
	return nil, fosite.ErrNotFound
}

// DeleteAccessTokenSession implements oauth2.AccessTokenStorage.
func (selfContained) DeleteAccessTokenSession(context.Context, string) error {
	return fosite.ErrNotFound
}
