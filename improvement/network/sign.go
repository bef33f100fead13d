package network

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/auth/keys"
)

// Type is the typ of the signature: an assertion or a token that the same key has signed is not taken
// for a submission, nor the other way round.
const Type = "equitylens-submission+jose"

// MediaType is that of a signed submission.
const MediaType = "application/jose"

// maxSigned bounds a signed submission; that of twelve measures is below 1 MiB.
const maxSigned = 4 << 20

// Keys finds the registered public keys of a client that may have signed under a header.
type Keys interface {
	Keys(ctx context.Context, client string, header jose.Header) ([]jose.JSONWebKey, error)
}

// algorithms are those by which submissions are signed.
func algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.ES384, jose.RS384}
}

// Sign signs the bytes of a submission as they are. The key is the member's client key; its id must be
// set. The signature of ES384 differs from one time to the next, what is signed does not.
func Sign(payload []byte, key jose.JSONWebKey) (string, error) {
	alg := jose.SignatureAlgorithm(key.Algorithm)
	if key.KeyID == "" || !keys.Fits(alg, key.Key) || (alg != jose.ES384 && alg != jose.RS384) {
		return "", errors.New("sign submission: the key has no id, or is not for ES384 or RS384")
	}
	options := (&jose.SignerOptions{}).WithType(Type)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		return "", fmt.Errorf("sign submission: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign submission: %w", err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		return "", fmt.Errorf("sign submission: %w", err)
	}
	return text, nil
}

// Verify returns what was signed by one of a client's keys, or says why it is none of its signatures.
func Verify(ctx context.Context, signed []byte, client string, of Keys) ([]byte, error) {
	if len(signed) > maxSigned {
		return nil, refused("", "it is longer than %d bytes", maxSigned)
	}
	parsed, err := jose.ParseSignedCompact(string(signed), algorithms())
	if err != nil || len(parsed.Signatures) != 1 {
		return nil, refused("", "it is not a compact JWS signed by ES384 or RS384")
	}
	header := parsed.Signatures[0].Protected
	switch typ, _ := header.ExtraHeaders[jose.HeaderType].(string); {
	case typ != Type:
		return nil, refused("", "the typ of its signature is not %s", Type)
	case header.KeyID == "":
		return nil, refused("", "its signature has no kid")
	case header.JSONWebKey != nil || len(header.ExtraHeaders) != 1 || header.Nonce != "":
		return nil, refused("", "its signature has header parameters other than alg, kid and typ")
	}
	fitting, err := of.Keys(ctx, client, header)
	if err != nil {
		return nil, fmt.Errorf("verify submission: %w", err)
	}
	for i := range fitting {
		if payload, err := parsed.Verify(&fitting[i]); err == nil {
			return payload, nil
		}
	}
	return nil, refused("", "no registered key of the member has signed it")
}

// payloadOf returns what a signed submission says, whoever signed it.
func payloadOf(signed string) ([]byte, error) {
	parsed, err := jose.ParseSignedCompact(signed, algorithms())
	if err != nil {
		return nil, refused("", "it is not a compact JWS signed by ES384 or RS384")
	}
	return parsed.UnsafePayloadWithoutVerification(), nil
}
