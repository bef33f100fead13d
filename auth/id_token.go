package auth

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/equitylens/equitylens/auth/grant"
)

// idTokenLife is how long a client may take to read an id_token.
const idTokenLife = 5 * time.Minute

// idClaims are the claims of OpenID Connect Core section 2, and fhirUser of SMART.
type idClaims struct {
	Issuer   string           `json:"iss"`
	Subject  string           `json:"sub"`
	Audience string           `json:"aud"`
	Expiry   *jwt.NumericDate `json:"exp"`
	IssuedAt *jwt.NumericDate `json:"iat"`
	AuthTime *jwt.NumericDate `json:"auth_time,omitempty"`
	Nonce    string           `json:"nonce,omitempty"`
	AtHash   string           `json:"at_hash"`
	FHIRUser string           `json:"fhirUser,omitempty"`
	Name     string           `json:"name,omitempty"`
	Profile  string           `json:"profile,omitempty"`
}

// idToken tells a client who has signed in, signed by RS256, which every OpenID Connect client
// reads. Its keys are of a set of their own, so that no key signs both an id_token and an access
// token.
func (s *Server) idToken(
	clientID string, session *grant.Session, scopes []string, access string,
) (string, error) {
	key, err := s.cfg.IDKeys.Signing(jose.RS256)
	if err != nil {
		return "", fmt.Errorf("make id_token: %w", err)
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.RS256, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("make id_token: %w", err)
	}
	now := s.cfg.Now()
	hash := sha256.Sum256([]byte(access))
	claims := idClaims{
		Issuer: s.cfg.Issuer, Subject: session.Subject, Audience: clientID,
		Expiry: jwt.NewNumericDate(now.Add(idTokenLife)), IssuedAt: jwt.NewNumericDate(now),
		AuthTime: jwt.NewNumericDate(session.AuthTime), Nonce: session.Nonce,
		AtHash: base64.RawURLEncoding.EncodeToString(hash[:len(hash)/2]),
	}
	if slices.Contains(scopes, "fhirUser") {
		claims.FHIRUser = session.FHIRUser
	}
	if slices.Contains(scopes, "profile") {
		claims.Name, claims.Profile = session.Name, session.FHIRUser
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		return "", fmt.Errorf("make id_token: %w", err)
	}
	return text, nil
}
