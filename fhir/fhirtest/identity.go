package fhirtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// signing are the server's keys. They are made when they are first needed: most tests need neither.
type signing struct {
	// identity signs id_tokens, hooks the calls of CDS services.
	identity func() (jose.JSONWebKey, error)
	hooks    func() (jose.JSONWebKey, error)
}

const (
	rsaBits     = 2048
	idTokenLife = 10 * time.Minute
	// hugePadding is what makes the key set of HugeKeys larger than any should be.
	hugePadding   = 1 << 20
	anotherAuthor = "https://another.ehr.example.org/fhir"
)

// RotateKeys takes new keys into use, for id_tokens and for CDS calls. The old ones are not
// published any more.
func (s *Server) RotateKeys() {
	n := s.rotations.Add(1)
	s.signing.Store(newSigning(n))
}

// newSigning makes the n-th keys of a server, when they are asked for.
func newSigning(n int64) *signing {
	return &signing{
		identity: sync.OnceValues(func() (jose.JSONWebKey, error) {
			key, err := rsa.GenerateKey(rand.Reader, rsaBits)
			if err != nil {
				return jose.JSONWebKey{}, fmt.Errorf("make the key of id_tokens: %w", err)
			}
			return jose.JSONWebKey{Key: key, KeyID: fmt.Sprintf("ehr-identity-%d", n),
				Algorithm: string(jose.RS256), Use: "sig"}, nil
		}),
		hooks: sync.OnceValues(func() (jose.JSONWebKey, error) {
			key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
			if err != nil {
				return jose.JSONWebKey{}, fmt.Errorf("make the key of CDS calls: %w", err)
			}
			return jose.JSONWebKey{Key: key, KeyID: fmt.Sprintf("ehr-hooks-%d", n),
				Algorithm: string(jose.ES384), Use: "sig"}, nil
		}),
	}
}

// sign makes a JWT of the claims. kid "" leaves it out of the header.
func sign(key jose.JSONWebKey, kid string, header, claims map[string]any) (string, error) {
	options := (&jose.SignerOptions{}).WithType("JWT")
	if kid != "" {
		options.WithHeader("kid", kid)
	}
	for name, value := range header {
		options.WithHeader(jose.HeaderKey(name), value)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm),
		Key: key.Key}, options)
	if err != nil {
		return "", fmt.Errorf("make signer: %w", err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return token, nil
}

// idToken says who signed in: OpenID Connect Core 1.0, section 2, with fhirUser. The groups are
// what a hospital's directory adds.
func (s *Server) idToken(r *http.Request, v *visit) (string, error) {
	key, err := s.signing.Load().identity()
	if err != nil {
		return "", err
	}
	now := s.config.Now()
	claims := object{"iss": s.base(r), "sub": v.user.ID, "aud": v.app, "iat": now.Unix(),
		"exp": now.Add(idTokenLife).Unix(), "auth_time": v.at.Unix(), "groups": v.user.Groups}
	if v.nonce != "" {
		claims["nonce"] = v.nonce
	}
	if slices.Contains(v.scopes, "fhirUser") {
		claims["fhirUser"] = s.fhirUser(r, v.user)
	}
	if slices.Contains(v.scopes, "profile") {
		claims["name"], claims["preferred_username"] = v.user.Name, v.user.ID
	}
	kid := key.KeyID
	if s.faults[IDTokenWithoutKeyID] {
		kid = ""
	}
	if s.faults[WrongNonce] {
		claims["nonce"] = "of-somebody-else"
	}
	if s.faults[WrongIDTokenAudience] {
		claims["aud"] = "another-app"
	}
	if s.faults[WrongIDTokenIssuer] {
		claims["iss"] = anotherAuthor
	}
	if s.faults[ExpiredIDToken] {
		claims["iat"], claims["exp"] = now.Add(-2*time.Hour).Unix(), now.Add(-time.Hour).Unix()
	}
	return sign(key, kid, nil, claims)
}

// fhirUser is the Practitioner that a user is.
func (s *Server) fhirUser(r *http.Request, u User) string {
	if s.faults[RelativeFHIRUser] {
		return "Practitioner/" + u.ID
	}
	return s.base(r) + "/Practitioner/" + u.ID
}

// serveKeys publishes the key of id_tokens.
func (s *Server) serveKeys(w http.ResponseWriter, r *http.Request) {
	if s.faults[KeysDown] {
		w.Header().Set("Retry-After", "60")
		http.Error(w, "down for maintenance", http.StatusServiceUnavailable)
		return
	}
	if s.faults[HugeKeys] {
		s.serveKey(w, s.signing.Load().identity, object{"padding": strings.Repeat("k", hugePadding)})
		return
	}
	s.serveKey(w, s.signing.Load().identity, object{})
}

// serveKey answers with the public half of one key, in a set with whatever else is in body.
func (s *Server) serveKey(w http.ResponseWriter, of func() (jose.JSONWebKey, error), body object) {
	key, err := of()
	if err != nil {
		http.Error(w, "make key", http.StatusInternalServerError)
		return
	}
	body["keys"] = []jose.JSONWebKey{key.Public()}
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	answer(w, http.StatusOK, "application/json", body)
}
