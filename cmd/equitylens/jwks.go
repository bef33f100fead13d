package main

import (
	"encoding/json"
	"errors"
	"os"

	"github.com/go-jose/go-jose/v4"
)

// parseJWKS reads the public keys of a client.
func parseJWKS(text []byte) (*jose.JSONWebKeySet, error) {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(text, &set); err != nil || len(set.Keys) == 0 {
		return nil, errors.New(`not a JWKS such as {"keys":[{"kty":"EC",…}]}`)
	}
	return &set, nil
}

// writeJWKS writes public keys.
func writeJWKS(path string, set jose.JSONWebKeySet) error {
	const ownerFile = 0o600
	text, err := json.Marshal(set)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, ownerFile)
}
