package authtest

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
)

// Verifier is a code_verifier of the shortest length that RFC 7636 allows.
const Verifier = "verifier-0123456789-0123456789-0123456789-x"

// Challenge is the code_challenge of a verifier by S256.
func Challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// AuthorizeForm is a good authorization request of a client, with the challenge of Verifier.
func AuthorizeForm(clientID, redirectURI, audience, scope string) url.Values {
	return url.Values{
		"response_type":         {"code"},
		"client_id":             {clientID},
		"redirect_uri":          {redirectURI},
		"aud":                   {audience},
		"scope":                 {scope},
		"state":                 {"state-0123456789"},
		"nonce":                 {"nonce-0123456789"},
		"code_challenge":        {Challenge(Verifier)},
		"code_challenge_method": {"S256"},
	}
}

// CodeForm is the body of a token request with a code, as a public client sends it.
func CodeForm(clientID, redirectURI, code string) url.Values {
	return url.Values{
		"grant_type":    {"authorization_code"},
		"client_id":     {clientID},
		"redirect_uri":  {redirectURI},
		"code":          {code},
		"code_verifier": {Verifier},
	}
}

// RefreshForm is the body of a token request with a refresh token, as a public client sends it.
func RefreshForm(clientID, token string) url.Values {
	return url.Values{
		"grant_type": {"refresh_token"}, "client_id": {clientID}, "refresh_token": {token},
	}
}
