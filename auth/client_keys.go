package auth

import (
	"context"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/auth/keys"
)

// candidates returns the keys that may have signed an assertion with this header. A client that
// publishes its keys may have rotated them: an unknown id is looked up afresh.
func (s *Server) candidates(
	ctx context.Context, client *registered, header jose.Header,
) ([]jose.JSONWebKey, error) {
	if client.JWKS != nil {
		return matching(*client.JWKS, header), nil
	}
	for _, afresh := range []bool{false, true} {
		set, kept, err := s.fetcher.keys(ctx, client.JWKSURI, afresh)
		if err != nil {
			return nil, refuse(invalidClient, "the keys of the client could not be read", err)
		}
		if found := matching(set, header); len(found) > 0 || !kept {
			return found, nil
		}
	}
	return nil, nil
}

// matching picks all keys of the right kind, among those with the id if the header has one.
// SMART wants kty and kid of a key; use and alg are optional, and bind if they are there (B3).
func matching(set jose.JSONWebKeySet, header jose.Header) []jose.JSONWebKey {
	var found []jose.JSONWebKey
	for _, k := range set.Keys {
		switch {
		case header.KeyID != "" && k.KeyID != header.KeyID,
			k.Use != "" && k.Use != "sig",
			k.Algorithm != "" && k.Algorithm != header.Algorithm,
			!k.IsPublic(),
			!keys.Fits(jose.SignatureAlgorithm(header.Algorithm), k.Key):
			continue
		}
		found = append(found, k)
	}
	return found
}
