package smart

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

func TestIDTokenIsValidated(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) int64 {
		return time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC).Add(d).Unix()
	}
	for _, tt := range []struct {
		name   string
		claims members
		ok     bool
	}{
		{"as it should be", nil, true},
		{"without a name and a fhirUser", members{"name": nil, "fhirUser": nil}, true},
		{"several audiences and azp", members{"aud": []string{"x", "equitylens"}, "azp": "equitylens"}, true},
		{"a clock behind", members{"iat": at(-4 * time.Minute)}, true},
		{"a clock ahead", members{"iat": at(4 * time.Minute)}, true},
		{"a day", members{"exp": at(24 * time.Hour)}, true},
		{"fractions of a second", members{"exp": float64(at(time.Hour)) + 0.5}, true},
		{"another issuer", members{"iss": "https://evil.example"}, false},
		{"issuer with a slash", members{"iss": "/"}, false},
		{"no issuer", members{"iss": nil}, false},
		{"another audience", members{"aud": "other"}, false},
		{"an audience in another case", members{"aud": "EquityLens"}, false},
		{"no audience", members{"aud": nil}, false},
		{"several audiences and no azp", members{"aud": []string{"x", "equitylens"}}, false},
		{"azp of another", members{"azp": "other"}, false},
		{"no nonce", members{"nonce": nil}, false},
		{"another nonce", members{"nonce": "x"}, false},
		{"expired", members{"exp": at(-time.Minute)}, false},
		{"no end", members{"exp": nil}, false},
		{"ten years", members{"exp": at(10 * 365 * 24 * time.Hour)}, false},
		{"beyond numbers", members{"exp": 1e300}, false},
		{"no beginning", members{"iat": nil}, false},
		{"from the future", members{"iat": at(6 * time.Minute)}, false},
		{"older than the flow", members{"iat": at(-6 * time.Minute)}, false},
		{"no subject", members{"sub": nil}, false},
		{"a subject without end", members{"sub": strings.Repeat("s", 256)}, false},
		{"a subject that is a number", members{"sub": 7}, false},
		{"fhirUser of another server", members{"fhirUser": "https://evil.example/fhir/Practitioner/1"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			if tt.claims["iss"] == "/" {
				tt.claims["iss"] = r.ehr.base() + "/"
			}
			r.ehr.claims = tt.claims
			visit, err := r.visit(t)
			if tt.ok != (err == nil) || !tt.ok && !errors.Is(err, ErrIdentity) {
				t.Errorf("Finish = %v, want ok %t", err, tt.ok)
			}
			if !tt.ok && (visit.Identity != nil || visit.Token.Access != "") {
				t.Error("a refused visit holds something")
			}
		})
	}
}

// unsigned is a token with a header of one's own making and no signature, or one by HMAC.
func unsigned(t testing.TB, header string, claims members) string {
	t.Helper()
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding
	return b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString(body) + "."
}

func TestForgedIDTokenIsRefused(t *testing.T) {
	t.Parallel()
	stranger := newKey(t, jose.ES384)
	for name, forge := range map[string]func(t testing.TB, e *ehr, claims members) string{
		"no algorithm": func(t testing.TB, _ *ehr, c members) string { return unsigned(t, `{"alg":"none"}`, c) },
		"None": func(t testing.TB, _ *ehr, c members) string {
			return unsigned(t, `{"alg":"None","typ":"JWT"}`, c)
		},
		"an HMAC with the public key": func(t testing.TB, e *ehr, c members) string {
			public, err := json.Marshal(e.key.Public())
			if err != nil {
				t.Fatal(err)
			}
			return signed(t, jose.JSONWebKey{Key: public, Algorithm: "HS256", KeyID: e.key.KeyID}, c, nil)
		},
		"the key of another": func(t testing.TB, _ *ehr, c members) string { return signed(t, stranger, c, nil) },
		"the key of another under the id of the right one": func(t testing.TB, e *ehr, c members) string {
			k := stranger
			k.KeyID = e.key.KeyID
			return signed(t, k, c, nil)
		},
		"a key in the header": func(t testing.TB, e *ehr, c members) string {
			k := stranger
			k.KeyID = e.key.KeyID
			return signed(t, k, c, members{"jwk": k.Public()})
		},
		"a jku in the header": func(t testing.TB, _ *ehr, c members) string {
			return signed(t, stranger, c, members{"jku": "https://evil.example/keys"})
		},
		"an x5u in the header": func(t testing.TB, _ *ehr, c members) string {
			return signed(t, stranger, c, members{"x5u": "https://evil.example/cert"})
		},
		"an extension that has to be known": func(t testing.TB, e *ehr, c members) string {
			return signed(t, e.key, c, members{"crit": []string{"exp2"}, "exp2": 1})
		},
		"claims changed afterwards": func(t testing.TB, e *ehr, c members) string {
			parts := strings.Split(signed(t, e.key, c, nil), ".")
			other := strings.Split(unsigned(t, "{}", members{"sub": "admin"}.over(c)), ".")
			return parts[0] + "." + other[1] + "." + parts[2]
		},
		"no token":     func(testing.TB, *ehr, members) string { return "" },
		"no JWT":       func(testing.TB, *ehr, members) string { return "a.b.c" },
		"an encrypted": func(testing.TB, *ehr, members) string { return "a.b.c.d.e" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.ehr.sign = func(t testing.TB, claims members) string { return forge(t, r.ehr, claims) }
			if _, err := r.visit(t); !errors.Is(err, ErrIdentity) {
				t.Errorf("Finish = %v", err)
			}
		})
	}
}

func TestAlgorithms(t *testing.T) {
	t.Parallel()
	for alg, ok := range map[jose.SignatureAlgorithm]bool{
		jose.RS256: true, jose.ES256: true, jose.ES384: true, jose.ES512: false, jose.PS256: false,
	} {
		t.Run(string(alg), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.ehr.key = newKey(t, alg)
			if _, err := r.visit(t); ok != (err == nil) {
				t.Errorf("Finish = %v", err)
			}
		})
	}
}

// served answers with public keys.
func served(list ...jose.JSONWebKey) http.HandlerFunc {
	var set jose.JSONWebKeySet
	for _, k := range list {
		set.Keys = append(set.Keys, k.Public())
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "max-age=600")
		_ = json.NewEncoder(w).Encode(set)
	}
}

func TestIDTokenWithoutKeyID(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	nameless := r.ehr.key
	nameless.KeyID = ""
	r.ehr.sign = func(t testing.TB, claims members) string { return signed(t, nameless, claims, nil) }
	small := newKey(t, jose.ES256)
	r.ehr.keys = served(r.ehr.key, small)
	if _, err := r.visit(t); err != nil {
		t.Errorf("one key fits: %v", err)
	}
	r.clock.Advance(time.Hour)
	r.ehr.change(func(e *ehr) { e.keys = served(e.key, small, newKey(t, jose.ES384)) })
	if _, err := r.visit(t); !errors.Is(err, ErrIdentity) {
		t.Errorf("two keys fit: %v", err)
	}
}

func TestKeysAreRotated(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.ehr.keys = served(r.ehr.key)
	visit := func(want error) {
		t.Helper()
		if _, err := r.visit(t); !errors.Is(err, want) {
			t.Errorf("Finish = %v, want %v", err, want)
		}
	}
	visit(nil)
	visit(nil)
	if n := r.ehr.times("/keys"); n != 1 {
		t.Errorf("keys were read %d times, want once", n)
	}
	r.ehr.change(func(e *ehr) {
		e.key = newKey(t, jose.ES384)
		e.keys = served(e.key)
	})
	visit(nil) // An unknown id is looked up at once.
	if n := r.ehr.times("/keys"); n != 2 {
		t.Errorf("keys were read %d times, want twice", n)
	}
	r.ehr.change(func(e *ehr) { e.key = newKey(t, jose.ES384) }) // Signs with a key that it does not publish.
	for range 5 {
		visit(ErrIdentity)
	}
	if n := r.ehr.times("/keys"); n != 2 {
		t.Errorf("keys were read %d times at once for unknown ids, want no more than twice", n)
	}
	r.clock.Advance(10 * time.Second)
	visit(ErrIdentity)
	visit(ErrIdentity)
	if n := r.ehr.times("/keys"); n != 3 {
		t.Errorf("keys were read %d times after a while, want three times", n)
	}
}

func TestKeysServeUntilTheyExpire(t *testing.T) {
	t.Parallel()
	for name, down := range map[string]struct {
		keys http.HandlerFunc
		want error
	}{
		"down": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, ErrUnavailable},
		"gone": {http.NotFound, ErrIdentity},
		"of a megabyte": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, `{"keys":[],"x":%q}`, strings.Repeat("x", 1<<20))
		}, ErrIdentity},
		"no JSON": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, ErrIdentity},
		"elsewhere": {func(w http.ResponseWriter, q *http.Request) {
			http.Redirect(w, q, "https://evil.example/keys", http.StatusFound)
		}, ErrIdentity},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.ehr.keys = served(r.ehr.key)
			if _, err := r.visit(t); err != nil {
				t.Fatal(err)
			}
			r.ehr.change(func(e *ehr) { e.keys = down.keys })
			r.clock.Advance(10*time.Minute - time.Second)
			if _, err := r.visit(t); err != nil {
				t.Errorf("keys that may be kept are not used: %v", err)
			}
			r.clock.Advance(time.Second)
			if _, err := r.visit(t); !errors.Is(err, down.want) {
				t.Errorf("after max-age: %v, want %v", err, down.want)
			}
			r.ehr.change(func(e *ehr) { e.keys = served(e.key) })
			if _, err := r.visit(t); err != nil {
				t.Errorf("after it came back: %v", err)
			}
		})
	}
}

func TestKeysThatDoNotCount(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*jose.JSONWebKey){
		"for encryption":        func(k *jose.JSONWebKey) { k.Use = "enc" },
		"for another algorithm": func(k *jose.JSONWebKey) { k.Algorithm = "ES256" },
		"of another id":         func(k *jose.JSONWebKey) { k.KeyID = "x" },
	} {
		r := newRig(t, nil)
		k := r.ehr.key
		change(&k)
		r.ehr.keys = served(k)
		if _, err := r.visit(t); !errors.Is(err, ErrIdentity) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := newRig(t, nil)
	bare := jose.JSONWebKey{Key: r.ehr.key.Key, KeyID: r.ehr.key.KeyID}
	r.ehr.keys = served(bare) // Neither use nor alg: SMART asks for neither.
	if _, err := r.visit(t); err != nil {
		t.Errorf("kty and kid alone: %v", err)
	}
}

func TestFHIRUser(t *testing.T) {
	t.Parallel()
	base, _ := url.Parse("https://ehr.example/api/fhir/")
	for _, tt := range []struct {
		in, want string
		ok       bool
	}{
		{"", "", true},
		{"Practitioner/1", "Practitioner/1", true},
		{"PractitionerRole/a-B.9", "PractitionerRole/a-B.9", true},
		{"Patient/1", "Patient/1", true},
		{"RelatedPerson/1", "RelatedPerson/1", true},
		{"Person/1", "Person/1", true},
		{"https://ehr.example/api/fhir/Practitioner/1", "Practitioner/1", true},
		{"HTTPS://EHR.example:443/api/fhir/Practitioner/1", "Practitioner/1", true},
		{"https://ehr.example/Practitioner/1", "", false},
		{"https://ehr.example/api/fhir/../fhir/Practitioner/1", "", false},
		{"https://ehr.example/api/fhirX/Practitioner/1", "", false},
		{"https://ehr.example.evil/api/fhir/Practitioner/1", "", false},
		{"https://a@ehr.example/api/fhir/Practitioner/1", "", false},
		{"https://ehr.example:8443/api/fhir/Practitioner/1", "", false},
		{"http://ehr.example/api/fhir/Practitioner/1", "", false},
		{"https://ehr.example/api/fhir/Practitioner/1?x", "", false},
		{"//ehr.example/api/fhir/Practitioner/1", "", false},
		{"/Practitioner/1", "", false},
		{"Practitioner/", "", false},
		{"Practitioner/..", "", false},
		{"Practitioner/1/_history/2", "", false},
		{"Practitioner/%31", "", false},
		{"Organization/1", "", false},
		{"practitioner/1", "", false},
		{"urn:uuid:0", "", false},
		{"javascript:Practitioner/1", "", false},
	} {
		got, err := fhirUser(tt.in, base)
		if got != tt.want || tt.ok != (err == nil) || err != nil && !errors.Is(err, ErrIdentity) {
			t.Errorf("fhirUser(%q) = %q, %v; want %q, ok %t", tt.in, got, err, tt.want, tt.ok)
		}
	}
}

func FuzzFHIRUser(f *testing.F) {
	for _, seed := range []string{"Practitioner/1", "https://ehr.example/fhir/Patient/1", "//a/Patient/1", "a:b"} {
		f.Add(seed)
	}
	base, _ := url.Parse("https://ehr.example/fhir")
	f.Fuzz(func(t *testing.T, claim string) {
		got, err := fhirUser(claim, base)
		if err != nil || claim == "" {
			return
		}
		kind, id, _ := strings.Cut(got, "/")
		if !isType(kind) || !isID(id) || !strings.HasSuffix(claim, got) {
			t.Fatalf("fhirUser(%q) = %q", claim, got)
		}
	})
}

func TestNamesAreFitToBeShown(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", " Ada\x00 \nSample ": "Ada Sample", "a\u202eb\u2066c": "abc", "José Ñuñez": "José Ñuñez",
		strings.Repeat("é", 300): strings.Repeat("é", maxName),
	} {
		if got := display(in); got != want {
			t.Errorf("display(%q) = %q", in, got)
		}
	}
}
