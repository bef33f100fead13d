package keys

import (
	"crypto/ecdsa"
	"crypto/rsa"

	"github.com/go-jose/go-jose/v4"
)

// minRSABits is the shortest RSA key that RFC 7518 section 3.3 allows.
const minRSABits = 2048

// Fits reports whether a public or private key is of the kind and strength that an algorithm
// needs. It keeps a key from being used with an algorithm that it was not made for.
func Fits(alg jose.SignatureAlgorithm, key any) bool {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		key = &k.PublicKey
	case *ecdsa.PrivateKey:
		key = &k.PublicKey
	}
	switch alg {
	case jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512:
		k, ok := key.(*rsa.PublicKey)
		return ok && k.N.BitLen() >= minRSABits
	case jose.ES256:
		return onCurve(key, 256)
	case jose.ES384:
		return onCurve(key, 384)
	case jose.ES512:
		return onCurve(key, 521)
	default:
		return false
	}
}

// onCurve reports whether key is an elliptic one of so many bits.
func onCurve(key any, bits int) bool {
	k, ok := key.(*ecdsa.PublicKey)
	return ok && k.Curve.Params().BitSize == bits
}
