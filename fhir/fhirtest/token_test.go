package fhirtest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"
)

func TestTokenIsGivenToBothAlgorithms(t *testing.T) {
	t.Parallel()
	for _, key := range []jose.JSONWebKey{ecKey(t), rsaKey(t)} {
		c := startWithoutToken(t, Config{Clients: []Client{{ID: "nightly", Keys: publicKeys(key)}}})
		c.key = key
		got := c.login("system/Patient.rs system/Encounter.read")
		delete(got, "access_token")
		want := map[string]any{"token_type": "bearer", "expires_in": 300.0,
			"scope": "system/Patient.rs system/Encounter.read"}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: token response (-want +got):\n%s", key.Algorithm, d)
		}
		if status, _, _ := c.get("/Patient?_count=1"); status != http.StatusOK {
			t.Errorf("%s: search with the token: status %d", key.Algorithm, status)
		}
	}
}

func TestTokenRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		claims func(*jwt.Claims)
		form   func(url.Values)
		status int
		code   string
	}{
		{name: "another grant type", form: set("grant_type", "password"), status: 400,
			code: "unsupported_grant_type"},
		{name: "no assertion type", form: set("client_assertion_type", ""), status: 400,
			code: "invalid_request"},
		{name: "no scope", form: set("scope", ""), status: 400, code: "invalid_scope"},
		{name: "a scope of a user", form: set("scope", "user/Patient.rs"), status: 400,
			code: "invalid_scope"},
		{name: "an assertion that is no JWT", form: set("client_assertion", "a.b.c"), status: 401,
			code: "invalid_client"},
		{name: "a client that nobody knows", claims: func(c *jwt.Claims) {
			c.Issuer, c.Subject = "x",
				"x"
		}, status: 401, code: "invalid_client"},
		{name: "a subject that is not the issuer", claims: func(c *jwt.Claims) { c.Subject = "x" },
			status: 401, code: "invalid_client"},
		{name: "another audience", claims: func(c *jwt.Claims) { c.Audience = jwt.Audience{"https://other"} }, status: 401, code: "invalid_client"},
		{name: "an audience with a slash behind", claims: func(c *jwt.Claims) { c.Audience[0] += "/" },
			status: 401, code: "invalid_client"},
		{name: "expired", claims: expiry(-time.Minute), status: 401, code: "invalid_client"},
		{name: "good for an hour", claims: expiry(time.Hour), status: 401, code: "invalid_client"},
		{name: "no expiry", claims: func(c *jwt.Claims) { c.Expiry = nil }, status: 401,
			code: "invalid_client"},
		{name: "not valid yet", claims: func(c *jwt.Claims) { c.NotBefore = c.Expiry }, status: 401,
			code: "invalid_client"},
		{name: "no jti", claims: func(c *jwt.Claims) { c.ID = "" }, status: 401, code: "invalid_client"},
	}
	c := startWithoutToken(t, Config{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			claims := c.claims()
			if tt.claims != nil {
				tt.claims(&claims)
			}
			form := tokenForm(c.assertion(c.key, jose.ES384, claims), "system/*.rs")
			if tt.form != nil {
				tt.form(form)
			}
			if status, out := c.ask(form); status != tt.status || out["error"] != tt.code {
				t.Errorf("status %d, %v; want %d %s", status, out, tt.status, tt.code)
			}
		})
	}
}

func set(key, value string) func(url.Values) { return func(f url.Values) { f.Set(key, value) } }

func expiry(in time.Duration) func(*jwt.Claims) {
	return func(c *jwt.Claims) {
		c.Expiry = jwt.NewNumericDate(newClock().Now().Add(in))
	}
}

func TestTokenRefusesAnotherKeyAndAReplay(t *testing.T) {
	t.Parallel()
	c := startWithoutToken(t, Config{})
	stranger := ecKey(t)
	if status, out := c.ask(tokenForm(c.assertion(stranger, jose.ES384, c.claims()),
		"system/*.rs")); status != 401 {
		t.Errorf("another key of the same kid: status %d, %v", status, out)
	}
	symmetric := jose.JSONWebKey{Key: []byte(strings.Repeat("k", 64)), KeyID: "ec"}
	if status, out := c.ask(tokenForm(c.assertion(symmetric, jose.HS384, c.claims()),
		"system/*.rs")); status != 401 {
		t.Errorf("a symmetric key: status %d, %v", status, out)
	}
	form := tokenForm(c.assertion(c.key, jose.ES384, c.claims()), "system/*.rs")
	first, _ := c.ask(form)
	second, out := c.ask(form)
	if first != 200 || second != 401 || out["error"] != "invalid_client" {
		t.Errorf("replay: status %d, then %d, %v", first, second, out)
	}
}

func TestTokenWithKeysByURL(t *testing.T) {
	t.Parallel()
	key := ecKey(t)
	status := http.StatusOK
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(publicKeys(rsaKey(t), key))
	}))
	t.Cleanup(keys.Close)
	c := startWithoutToken(t, Config{Clients: []Client{{ID: "nightly", KeysURL: keys.URL}}})
	c.key = key
	c.login("system/*.rs")
	status = http.StatusServiceUnavailable
	if got, _ := c.ask(tokenForm(c.assertion(key, jose.ES384, c.claims()),
		"system/*.rs")); got != 401 {
		t.Errorf("with the keys away: status %d, want 401", got)
	}
}

func TestRequestsNeedATokenAndAScope(t *testing.T) {
	t.Parallel()
	c := startWithoutToken(t, Config{})
	for _, target := range []string{"/Patient", "/Patient/1", "/$export", "/bulkstatus/1",
		"/bulkfiles/1/Patient.0.ndjson"} {
		if status, header, _ := c.get(target); status != 401 || header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s without a token: status %d, %v", target, status, header)
		}
	}
	c.token = "made-up"
	if status, _, _ := c.get("/Patient"); status != 401 {
		t.Errorf("with a token made up: status %d", status)
	}
	c.login("system/Encounter.rs")
	if status, _, _ := c.get("/Patient"); status != 403 {
		t.Errorf("with another scope: status %d, want 403", status)
	}
	request := c.request("GET", "/$export?_type=Patient,Encounter", nil)
	request.Header.Set("Prefer", "respond-async")
	if status, _, body := c.send(request); status != 400 {
		t.Errorf("export beyond the scope: status %d, %s", status, body)
	}
	c.clock.Advance(301 * time.Second)
	if status, _, _ := c.get("/Encounter"); status != 401 {
		t.Errorf("with a token of five minutes ago: status %d, want 401", status)
	}
}

func TestGranted(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name              string
		asked, registered []string
		want              []string
	}{
		{"what is registered", []string{"system/Patient.rs"}, []string{"system/Patient.rs"},
			[]string{"system/Patient.rs"}},
		{"less than is registered", []string{"system/Patient.r"}, []string{"system/*.cruds"},
			[]string{"system/Patient.r"}},
		{"no more than is registered", []string{"system/Patient.cruds"}, []string{"system/Patient.rs"},
			nil},
		{"the old form", []string{"system/Patient.read"}, []string{"system/*.rs"},
			[]string{"system/Patient.read"}},
		{"a wildcard gives what there is of it", []string{"system/*.rs"}, []string{"system/Patient.rs",
			"user/*.rs"}, []string{"system/Patient.rs"}},
		{"another context", []string{"patient/Patient.rs", "openid"}, []string{"system/*.rs"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := granted(tt.asked, tt.registered); !slices.Equal(got, tt.want) {
				t.Errorf("granted(%q, %q) = %q, want %q", tt.asked, tt.registered, got, tt.want)
			}
		})
	}
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	c := startWithoutToken(t, Config{})
	_, _, body := c.get("/.well-known/smart-configuration")
	var smart struct {
		TokenEndpoint string   `json:"token_endpoint"`
		Grants        []string `json:"grant_types_supported"`
	}
	if err := json.Unmarshal(body, &smart); err != nil {
		t.Fatal(err)
	}
	if smart.TokenEndpoint != c.origin+tokenPath || !slices.Contains(smart.Grants,
		"client_credentials") {
		t.Errorf("smart-configuration = %s", body)
	}
	if types := c.searchable(); !slices.Contains(types, "AdverseEvent") || !slices.Contains(types,
		"Patient") {
		t.Errorf("searchable types = %q", types)
	}
}

// searchable reads the types with search-type off the CapabilityStatement.
func (c *caller) searchable() []string {
	c.t.Helper()
	_, _, body := c.get("/metadata")
	var statement struct {
		FHIRVersion string
		Rest        []struct {
			Resource []struct {
				Type        string
				Interaction []struct{ Code string }
			}
		}
	}
	if err := json.Unmarshal(body, &statement); err != nil || statement.FHIRVersion != "4.0.1" {
		c.t.Fatalf("CapabilityStatement %s: %v", body, err)
	}
	var out []string
	for _, r := range statement.Rest[0].Resource {
		for _, i := range r.Interaction {
			if i.Code == "search-type" {
				out = append(out, r.Type)
			}
		}
	}
	return out
}
