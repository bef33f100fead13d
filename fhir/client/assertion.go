package client

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"
)

// minRSABits is the least modulus that JWA allows for RS384 (RFC 7518 3.3).
const minRSABits = 2048

// assertionLife is well under the five minutes that SMART allows, so that a server whose clock is a
// minute behind does not find the end too far off.
const assertionLife = 4 * time.Minute

// algorithmOf returns the algorithm that a private key signs with. SMART names two that every
// client and server has in common: RS384 and ES384.
func algorithmOf(key jose.JSONWebKey) (jose.SignatureAlgorithm, error) {
	if key.KeyID == "" {
		return "", errors.New("the key has no kid")
	}
	var algorithm jose.SignatureAlgorithm
	switch private := key.Key.(type) {
	case *rsa.PrivateKey:
		if private == nil || private.N.BitLen() < minRSABits {
			return "", fmt.Errorf("an RSA key needs %d bits", minRSABits)
		}
		algorithm = jose.RS384
	case *ecdsa.PrivateKey:
		if private == nil || private.Curve != elliptic.P384() {
			return "", errors.New("an elliptic curve key must be on P-384")
		}
		algorithm = jose.ES384
	default:
		return "", errors.New("not a private RSA or P-384 key")
	}
	if key.Algorithm != "" && key.Algorithm != string(algorithm) {
		return "", fmt.Errorf("the key is marked for %s, it must be for %s", key.Algorithm, algorithm)
	}
	return algorithm, nil
}

// signer makes client assertions.
// http://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
type signer struct {
	clientID string
	signer   jose.Signer
	random   io.Reader
}

// newSigner prepares a checked key. go-jose writes its kid into the header.
func newSigner(cfg Config) (signer, error) {
	algorithm, err := algorithmOf(cfg.Key)
	if err != nil {
		return signer{}, err
	}
	s, err := jose.NewSigner(
		jose.SigningKey{Algorithm: algorithm, Key: cfg.Key},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return signer{}, fmt.Errorf("use key for %s: %w", algorithm, err)
	}
	return signer{clientID: cfg.ClientID, signer: s, random: cfg.Random}, nil
}

// assertion returns a fresh signed statement that we are the client, for one audience.
func (s signer) assertion(audience string, now time.Time) (string, error) {
	id, err := uuid.NewRandomFromReader(s.random)
	if err != nil {
		return "", fmt.Errorf("make jti: %w", err)
	}
	// Not jwt.Claims: it writes aud as an array of one, and some servers compare a string.
	claims := struct {
		Issuer   string           `json:"iss"`
		Subject  string           `json:"sub"`
		Audience string           `json:"aud"`
		Expiry   *jwt.NumericDate `json:"exp"`
		ID       string           `json:"jti"`
	}{s.clientID, s.clientID, audience, jwt.NewNumericDate(now.Add(assertionLife)), id.String()}
	text, err := jwt.Signed(s.signer).Claims(claims).Serialize()
	if err != nil {
		return "", fmt.Errorf("sign assertion: %w", err)
	}
	return text, nil
}
