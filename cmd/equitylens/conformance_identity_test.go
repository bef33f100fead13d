package main

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// identity reads an id_token as a client does that has nothing but the issuer and the standard library:
// by discovery, the published keys and RSASSA-PKCS1-v1_5 with SHA-256.
func (l *lens) identity(t *testing.T, token, client string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("the id_token has %d parts", len(parts))
	}
	var header struct{ Alg, Kid string }
	unpack(t, parts[0], &header)
	if header.Alg != "RS256" || header.Kid == "" {
		t.Fatalf("the id_token is signed by %q with the key %q", header.Alg, header.Kid)
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(l.publishedKey(t, header.Kid), crypto.SHA256, sum[:], signature); err != nil {
		t.Fatalf("the id_token: %v", err)
	}
	var claims map[string]any
	unpack(t, parts[1], &claims)
	if claims["iss"] != lensURL || claims["aud"] != client {
		t.Errorf("the id_token is of %v for %v", claims["iss"], claims["aud"])
	}
	if sub, _ := claims["sub"].(string); sub == "" || len(sub) > 255 {
		t.Errorf("sub is %v", claims["sub"])
	}
	exp, _ := claims["exp"].(float64)
	iat, _ := claims["iat"].(float64)
	now := float64(time.Now().Unix())
	if exp <= now || iat > now+1 || iat < now-600 {
		t.Errorf("iat is %v, exp %v, now %v", iat, exp, now)
	}
	return claims
}

// publishedKey is the RSA key of an id at the jwks_uri of our discovery document.
func (l *lens) publishedKey(t *testing.T, id string) *rsa.PublicKey {
	t.Helper()
	var found struct {
		JWKS string `json:"jwks_uri"`
	}
	l.document(t, "/.well-known/openid-configuration", &found)
	var set struct {
		Keys []struct{ Kty, Kid, Use, Alg, N, E, D string }
	}
	l.document(t, strings.TrimPrefix(found.JWKS, lensURL), &set)
	for _, k := range set.Keys {
		if k.D != "" {
			t.Fatal("a private key is published")
		}
		if k.Kid != id {
			continue
		}
		n, err := base64.RawURLEncoding.DecodeString(k.N)
		if err != nil || k.Kty != "RSA" || k.Use != "sig" {
			t.Fatalf("key %s is %s for %s: %v", id, k.Kty, k.Use, err)
		}
		e, err := base64.RawURLEncoding.DecodeString(k.E)
		if err != nil {
			t.Fatal(err)
		}
		return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	}
	t.Fatalf("no key %s is published", id)
	return nil
}

// unpack reads a part of a JWT.
func unpack(t *testing.T, part string, into any) {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// TestConformanceA8 signs people in with OpenID Connect.
func TestConformanceA8(t *testing.T) {
	t.Parallel()
	l := openLens(t)
	var found map[string]any
	l.document(t, "/.well-known/openid-configuration", &found)
	for name, want := range map[string]any{
		"issuer": lensURL, "authorization_endpoint": lensURL + "/oauth/authorize",
		"token_endpoint": lensURL + "/oauth/token", "jwks_uri": lensURL + "/.well-known/jwks.json",
	} {
		if found[name] != want {
			t.Errorf("%s is %v, want %v", name, found[name], want)
		}
	}
	for name, want := range map[string]string{
		"response_types_supported": "code", "subject_types_supported": "public",
		"id_token_signing_alg_values_supported": "RS256", "code_challenge_methods_supported": "S256",
	} {
		list, _ := found[name].([]any)
		if !slices.Contains(list, any(want)) {
			t.Errorf("%s is %v, without %s", name, found[name], want)
		}
	}

	held := l.tokens(t, analystUser, everyScope)
	claims := l.identity(t, held.Text("id_token"), "board")
	if claims["nonce"] != boardForm("").Get("nonce") || claims["name"] != "Wen Adeyemi" {
		t.Errorf("nonce is %v, name %v", claims["nonce"], claims["name"])
	}
	sum := sha256.Sum256([]byte(held.Text("access_token")))
	if want := base64.RawURLEncoding.EncodeToString(sum[:16]); claims["at_hash"] != want {
		t.Errorf("at_hash is %v, want %s", claims["at_hash"], want)
	}
	// The reader has no base to which it could be relative: the resource is the EHR's.
	user, _ := claims["fhirUser"].(string)
	if u, err := url.Parse(user); err != nil || !u.IsAbs() ||
		!strings.HasSuffix(u.Path, "/Practitioner/"+analystUser) {
		t.Errorf("fhirUser is %q, want the address of the Practitioner", user)
	}
	again := l.identity(t, l.tokens(t, analystUser, "openid").Text("id_token"), "board")
	if again["sub"] != claims["sub"] || again["name"] != nil || again["fhirUser"] != nil {
		t.Errorf("with openid alone: %v", again)
	}
	other := l.identity(t, l.tokens(t, reviewerUser, "openid").Text("id_token"), "board")
	if other["sub"] == claims["sub"] {
		t.Error("two people have one sub")
	}
	l.end()
}
