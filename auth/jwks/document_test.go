package jwks

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
)

func TestLifetime(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		in   http.Header
		want time.Duration
	}{
		{"nothing said", http.Header{}, 5 * time.Minute},
		{"max-age", http.Header{"Cache-Control": {"public, Max-Age=60"}}, time.Minute},
		{"in quotes", http.Header{"Cache-Control": {`max-age="60"`}}, time.Minute},
		{"in a second header", http.Header{"Cache-Control": {"public", "max-age=60"}}, time.Minute},
		{"an hour at most", http.Header{"Cache-Control": {"max-age=18446744073709551615"}}, time.Hour},
		{"beyond numbers", http.Header{"Cache-Control": {"max-age=18446744073709551616"}}, 0},
		{"no number", http.Header{"Cache-Control": {"max-age=soon"}}, 0},
		{"negative", http.Header{"Cache-Control": {"max-age=-1"}}, 0},
		{"no-store", http.Header{"Cache-Control": {"max-age=60, no-store"}}, 0},
		{"no-cache", http.Header{"Cache-Control": {"no-cache"}}, 0},
		{"another word", http.Header{"Cache-Control": {"s-maxage=9"}}, 5 * time.Minute},
		{"aged", http.Header{"Cache-Control": {"max-age=60"}, "Age": {"59"}}, time.Second},
		{"aged without max-age", http.Header{"Age": {"60"}}, 4 * time.Minute},
		{"too old", http.Header{"Cache-Control": {"max-age=60"}, "Age": {"18446744073709551615"}}, 0},
		{"of no age", http.Header{"Cache-Control": {"max-age=60"}, "Age": {"-5"}}, time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Lifetime(tt.in); got != tt.want {
				t.Errorf("Lifetime = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestFitting(t *testing.T) {
	t.Parallel()
	key := func(curve elliptic.Curve) any {
		k, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k.Public()
	}
	p384, p256 := key(elliptic.P384()), key(elliptic.P256())
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{KeyID: "bare", Key: p384},
		{KeyID: "full", Key: p384, Use: "sig", Algorithm: "ES384"},
		{KeyID: "encrypts", Key: p384, Use: "enc"},
		{KeyID: "other", Key: p384, Algorithm: "ES256"},
		{KeyID: "curve", Key: p256},
		{KeyID: "bare", Key: p256},
	}}
	for _, tt := range []struct {
		in   jose.Header
		want []string
	}{
		{jose.Header{Algorithm: "ES384"}, []string{"bare", "full"}},
		{jose.Header{Algorithm: "ES384", KeyID: "bare"}, []string{"bare"}},
		{jose.Header{Algorithm: "ES384", KeyID: "encrypts"}, nil},
		{jose.Header{Algorithm: "ES384", KeyID: "curve"}, nil},
		{jose.Header{Algorithm: "ES256"}, []string{"curve", "bare"}},
		{jose.Header{Algorithm: "RS384"}, nil},
		{jose.Header{Algorithm: "HS256", KeyID: "bare"}, nil},
		{jose.Header{Algorithm: "none"}, nil},
	} {
		t.Run(tt.in.Algorithm+" "+tt.in.KeyID, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, k := range Fitting(set, tt.in) {
				got = append(got, k.KeyID)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("ids (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzParse holds that whatever is published is either refused or nothing but valid public keys that
// can be written again.
func FuzzParse(f *testing.F) {
	text := string(keyDocument(f, "a"))
	for _, seed := range []string{
		text, `{"keys":[]}`, `{}`, `{"keys":[{"kty":"oct","k":"AQ"},7,{"kty":"new"}]}`, `<html>`, ``,
		fmt.Sprintf(`{"keys":[%s]}`, `{"kty":"EC","crv":"P-384","x":"AQ","y":"AQ"}`),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		set, err := Parse(in)
		if err != nil {
			return
		}
		for _, k := range set.Keys {
			if !k.Valid() || !k.IsPublic() {
				t.Errorf("key %q is invalid or private", k.KeyID)
			}
		}
		if _, err := json.Marshal(set); err != nil {
			t.Errorf("write the keys: %v", err)
		}
	})
}
