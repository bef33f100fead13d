package smart

import (
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/internal/worldtest"
)

func TestTenantsAreChecked(t *testing.T) {
	t.Parallel()
	set := keySet(t, jose.ES384)
	good := Tenant{
		Name: "mercy", Issuer: "https://ehr.example/fhir", ClientID: "c", Scopes: []string{"openid"},
		Launch: true, SignIn: true,
	}
	for _, tt := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"one tenant", func(*Config) {}, ""},
		{"no tenant", func(c *Config) { c.Tenants = nil }, ""},
		{"two that share an issuer", func(c *Config) {
			c.Tenants = append(c.Tenants, Tenant{
				Name: "staff", Issuer: good.Issuer, ClientID: "d", Scopes: []string{"openid"}, SignIn: true,
			})
		}, ""},
		{"two that take its launches", func(c *Config) {
			other := good
			other.Name, other.Issuer = "other", good.Issuer+"/"
			c.Tenants = append(c.Tenants, other)
		}, "another tenant takes the launches"},
		{"two of a name", func(c *Config) { c.Tenants = append(c.Tenants, good) }, "another tenant has it"},
		{"no store", func(c *Config) { c.Store = nil }, "store: missing"},
		{"no callback", func(c *Config) { c.RedirectURI = "" }, "redirect_uri"},
		{"a callback over plain http", func(c *Config) { c.RedirectURI = "http://app.example/cb" }, "redirect_uri"},
		{"a callback with a fragment", func(c *Config) { c.RedirectURI += "#x" }, "redirect_uri"},
		{"an issuer over plain http", func(c *Config) { c.Tenants[0].Issuer = "http://ehr.example" }, "issuer"},
		{"loopback that is not allowed", func(c *Config) { c.Tenants[0].Issuer = "http://127.0.0.1/fhir" }, "issuer"},
		{"an issuer with a query", func(c *Config) { c.Tenants[0].Issuer += "?a" }, "issuer"},
		{"an issuer with a user", func(c *Config) { c.Tenants[0].Issuer = "https://a:b@ehr.example" }, "issuer"},
		{"no client id", func(c *Config) { c.Tenants[0].ClientID = "" }, "client_id"},
		{"for nothing", func(c *Config) { c.Tenants[0].Launch, c.Tenants[0].SignIn = false, false }, "is neither"},
		{"charts of a provider", func(c *Config) { c.Tenants[0].OIDC = true }, "has no charts"},
		{"a sign-in without openid", func(c *Config) { c.Tenants[0].Scopes = nil }, "openid is missing"},
		{"a misspelt scope", func(c *Config) { c.Tenants[0].Scopes = []string{"openid", "patient/x.rs"} }, "scopes"},
		{"a secret that is missing", func(c *Config) { c.Tenants[0].ClientAuth = SecretBasic }, "secret: missing"},
		{"a key", func(c *Config) { c.Keys, c.Tenants[0].ClientAuth = set, PrivateKeyJWT }, ""},
		{"a key of its own", func(c *Config) { c.Tenants[0].Keys, c.Tenants[0].ClientAuth = set, PrivateKeyJWT }, ""},
		{"keys that are missing", func(c *Config) { c.Tenants[0].ClientAuth = PrivateKeyJWT }, "keys: missing"},
		{"an algorithm without a key", func(c *Config) {
			c.Keys, c.Tenants[0].ClientAuth, c.Tenants[0].Algorithm = set, PrivateKeyJWT, jose.RS384
		}, "no active key"},
		{"another algorithm", func(c *Config) {
			c.Keys, c.Tenants[0].ClientAuth, c.Tenants[0].Algorithm = set, PrivateKeyJWT, jose.HS256
		}, "want RS384 or ES384"},
		{"another way", func(c *Config) { c.Tenants[0].ClientAuth = "client_secret_post" }, "client_auth"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := Config{Tenants: []Tenant{good}, Store: sealed(t, &worldtest.Clock{}), RedirectURI: callback}
			tt.change(&cfg)
			_, err := New(cfg)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("New = %v, want %q", err, tt.want)
			}
		})
	}
}
