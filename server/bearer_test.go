package server_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/auth"
	"github.com/equitylens/equitylens/auth/authtest"
	"github.com/equitylens/equitylens/auth/keys"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/store/cache"
)

// TestTokensOfOurOwnOpenTheAPI asks for tokens and uses them, with the real authorization server
// behind the real routes, over TLS.
func TestTokensOfOurOwnOpenTheAPI(t *testing.T) {
	t.Parallel()
	var handler http.Handler
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
	}))
	s.StartTLS()
	defer s.Close()

	client, err := keys.Generate(jose.ES384)
	if err != nil {
		t.Fatal(err)
	}
	own, err := keys.Open(filepath.Join(t.TempDir(), "tokens.json"), keys.Config{
		Algorithms: []jose.SignatureAlgorithm{jose.ES384}, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	authority, err := auth.New(auth.Config{
		Issuer: s.URL, Audience: s.URL + "/fhir", Keys: own,
		Store: cache.NewMemory(cache.MemoryConfig{}),
		Clients: []auth.Client{{
			ID: "quality", Scopes: server.Scopes(),
			JWKS: &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{client.Public()}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	handler = newFixture(t, func(c *server.Config) {
		c.BaseURL = s.URL + "/fhir"
		c.Authorizer = server.Bearer(authority.Validator())
		c.OAuth = server.OAuth{
			Token: authority.Token(), Keys: authority.JWKS(),
			SMART: authority.SMARTConfiguration(server.Scopes()...),
		}
	})

	tests := []struct {
		name, scope, path string
		want              int
	}{
		{"a token of the scope", reportScope, evaluateED + "?periodStart=2018&periodEnd=2018", 200},
		{"a token of two scopes", measureScope + " " + reportScope, "/fhir/Measure", 200},
		{"a token of another scope", measureScope,
			evaluateED + "?periodStart=2018&periodEnd=2018", 403},
		{"a token that is none", "", "/fhir/Measure", 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			token := "eyJhbGciOiJub25lIn0.e30."
			if tt.scope != "" {
				var err error
				token, err = authtest.Token(t.Context(), s.Client(), authtest.Assertion{
					ClientID: "quality", Audience: s.URL + "/oauth/token", Key: client,
				}, tt.scope)
				if err != nil {
					t.Fatal(err)
				}
			}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+tt.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+token)
			answer, err := s.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if err := answer.Body.Close(); err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode != tt.want {
				t.Errorf("GET %s with %q = %d, want %d", tt.path, tt.scope, answer.StatusCode, tt.want)
			}
		})
	}
}

func TestScopesAreThoseOfTheTable(t *testing.T) {
	t.Parallel()
	for _, route := range newFixture(t).Routes() {
		if route.Scope != "" && !slices.Contains(server.Scopes(), route.Scope) {
			t.Errorf("%s demands %s, which Scopes leaves out", route.Path, route.Scope)
		}
	}
}
