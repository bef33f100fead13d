package keys_test

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/auth/keys"
)

// clock is a clock that moves by hand.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)} }

// open makes a set of one elliptic key, which is quick.
func open(t *testing.T, path string, c *clock) *keys.Set {
	t.Helper()
	s, err := keys.Open(path, keys.Config{
		Algorithms: []jose.SignatureAlgorithm{jose.ES384}, Now: c.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func file(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "keys", "tokens.jwks.json")
}

func signing(t *testing.T, s *keys.Set) string {
	t.Helper()
	k, err := s.Signing(jose.ES384)
	if err != nil {
		t.Fatal(err)
	}
	if k.IsPublic() {
		t.Error("Signing returned a public key")
	}
	return k.KeyID
}

func TestOpenMakesAFileOnce(t *testing.T) {
	t.Parallel()
	path := file(t)
	ids := make([]string, 8)
	var wait sync.WaitGroup
	for i := range ids {
		wait.Go(func() { ids[i] = signing(t, open(t, path, newClock())) })
	}
	wait.Wait()
	for i := range ids {
		if ids[i] != ids[0] {
			t.Errorf("start %d signs with another key than start 0", i)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v, want 0600", info.Mode().Perm())
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("folder holds %d entries, %v, want the file alone", len(left), err)
	}
}

func TestDefaultAlgorithmsAreThoseOfSMART(t *testing.T) {
	t.Parallel()
	s, err := keys.Open(file(t), keys.Config{})
	if err != nil {
		t.Fatal(err)
	}
	want := []jose.SignatureAlgorithm{jose.RS384, jose.ES384}
	if diff := cmp.Diff(want, s.Algorithms()); diff != "" {
		t.Errorf("Algorithms (-want +got):\n%s", diff)
	}
	for _, alg := range want {
		k, err := s.Signing(alg)
		if err != nil || !keys.Fits(alg, k.Key) {
			t.Errorf("Signing(%s) = a key that does not fit, %v", alg, err)
		}
	}
	if _, err := s.Signing(jose.RS256); !errors.Is(err, keys.ErrNoKey) {
		t.Errorf("Signing(RS256) = %v, want ErrNoKey", err)
	}
}

func TestRotationDropsNoValidSignature(t *testing.T) {
	t.Parallel()
	path, c := file(t), newClock()
	s := open(t, path, c)
	first := signing(t, s)
	if err := s.Promote(); err != nil || signing(t, s) != first {
		t.Fatalf("Promote without a next key changed the key, %v", err)
	}

	if err := s.Prepare(); err != nil {
		t.Fatal(err)
	}
	if err := s.Prepare(); err != nil {
		t.Fatal(err)
	}
	published := s.Public().Keys
	if len(published) != 2 || signing(t, s) != first {
		t.Fatalf("after Prepare %d keys are published and %v signs, want 2 and the first",
			len(published), signing(t, s) == first)
	}

	if err := s.Promote(); err != nil {
		t.Fatal(err)
	}
	second := signing(t, s)
	if second == first || second != published[1].KeyID {
		t.Error("after Promote the next key does not sign")
	}
	other := open(t, path, c)
	if signing(t, other) != second {
		t.Error("the file does not hold the promoted key as active")
	}
	for _, set := range []*keys.Set{s, other} {
		c.now = newClock().now.Add(time.Hour - time.Second)
		if _, ok := set.Verifying(first); !ok {
			t.Error("the retired key does not verify within its hour")
		}
		c.now = newClock().now.Add(time.Hour)
		if _, ok := set.Verifying(first); ok {
			t.Error("the retired key verifies after its hour")
		}
		if got := len(set.Public().Keys); got != 1 {
			t.Errorf("%d keys are published after the hour, want 1", got)
		}
	}
	if err := s.Promote(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(text), first) {
		t.Errorf("the file still holds the key that came to its end, %v", err)
	}
}

func TestReloadSeesAnotherProcessRotate(t *testing.T) {
	t.Parallel()
	path, c := file(t), newClock()
	a, b := open(t, path, c), open(t, path, c)
	if err := errors.Join(a.Prepare(), a.Promote()); err != nil {
		t.Fatal(err)
	}
	if _, ok := b.Verifying(signing(t, a)); ok {
		t.Fatal("b knows the key before it has read it")
	}
	if err := b.Reload(); err != nil {
		t.Fatal(err)
	}
	if signing(t, a) != signing(t, b) {
		t.Error("after Reload both sign with different keys")
	}
}

func TestOpenReadsAPlainJWKS(t *testing.T) {
	t.Parallel()
	var set jose.JSONWebKeySet
	for range 2 {
		k, err := keys.Generate(jose.ES384)
		if err != nil {
			t.Fatal(err)
		}
		k.Use = ""
		set.Keys = append(set.Keys, k)
	}
	set.Keys[0].KeyID = "registered with the EHR"
	s := open(t, save(t, set), newClock())
	if got := signing(t, s); got != "registered with the EHR" {
		t.Errorf("signs with %q, want the first key of the file", got)
	}
	if got := len(s.Public().Keys); got != 2 {
		t.Errorf("%d keys are published, want 2", got)
	}
}

// save writes a JWKS as another tool would.
func save(t *testing.T, set any) string {
	t.Helper()
	text, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	es, err := keys.Generate(jose.ES384)
	if err != nil {
		t.Fatal(err)
	}
	es256, err := keys.Generate(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	with := func(k jose.JSONWebKey, change func(*jose.JSONWebKey)) jose.JSONWebKeySet {
		change(&k)
		return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{k}}
	}
	for _, c := range []struct {
		name string
		in   any
		want string
	}{
		{"a public key", jose.JSONWebKeySet{Keys: []jose.JSONWebKey{es.Public()}}, "private"},
		{"no alg", with(es, func(k *jose.JSONWebKey) { k.Algorithm = "" }), "no alg"},
		{"an alg of another curve",
			with(es256, func(k *jose.JSONWebKey) { k.Algorithm = "ES384" }), "fit"},
		{"an alg of another kind", with(es, func(k *jose.JSONWebKey) { k.Algorithm = "RS384" }), "fit"},
		{"a key for encryption", with(es, func(k *jose.JSONWebKey) { k.Use = "enc" }), "use"},
		{"one id twice", jose.JSONWebKeySet{Keys: []jose.JSONWebKey{es, es}}, "twice"},
		{"no key of the algorithm", jose.JSONWebKeySet{Keys: []jose.JSONWebKey{es256}}, "no active key"},
		{"a list", []int{1}, "not a JWKS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := keys.Open(save(t, c.in), keys.Config{
				Algorithms: []jose.SignatureAlgorithm{jose.ES384},
			})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Open = %v, want an error about %q", err, c.want)
			}
		})
	}
}

func TestHandlerServesPublicKeysAlone(t *testing.T) {
	t.Parallel()
	c := newClock()
	tokens, client := open(t, file(t), c), open(t, file(t), c)
	rec := httptest.NewRecorder()
	keys.Handler(tokens, client).ServeHTTP(rec,
		httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/.well-known/jwks.json", nil))
	if got := rec.Header().Get("Cache-Control"); got != "public, max-age=300" {
		t.Errorf("Cache-Control = %q", got)
	}
	if got := rec.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type = %q", got)
	}
	var doc struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, k := range doc.Keys {
		ids = append(ids, k["kid"].(string))
		for _, private := range []string{"d", "p", "q", "k", "equitylens_state"} {
			if _, ok := k[private]; ok {
				t.Errorf("the document holds the member %q", private)
			}
		}
		want := map[string]any{"use": "sig", "alg": "ES384", "key_ops": []any{"verify"}, "kty": "EC"}
		for member, value := range want {
			if diff := cmp.Diff(value, k[member]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", member, diff)
			}
		}
	}
	if diff := cmp.Diff([]string{signing(t, tokens), signing(t, client)}, ids); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
	for _, k := range tokens.Public().Keys {
		sum, err := k.Thumbprint(crypto.SHA256)
		if err != nil || base64.RawURLEncoding.EncodeToString(sum) != k.KeyID {
			t.Errorf("kid %q is not the thumbprint, %v", k.KeyID, err)
		}
	}

	rec = httptest.NewRecorder()
	keys.Handler(tokens).ServeHTTP(rec,
		httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/.well-known/jwks.json", nil))
	if rec.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST = %d, want 405", rec.Code)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(`{"keys":[]}`))
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-384","x":"","y":"","d":""}]}`))
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AQ","e":"AQAB","d":"AQ","alg":"RS384"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"AQ","alg":"HS256"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "keys.json")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := keys.Open(path, keys.Config{Algorithms: []jose.SignatureAlgorithm{jose.ES384}})
		if err == nil && signing(t, s) == "" {
			t.Error("Open accepted a key without an id")
		}
	})
}
