package config

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/auth/scope"
)

// Identification is how a server knows us: public, secret or key.
type Identification string

// The ways in which a server knows us.
const (
	// Public: by our client_id alone.
	Public Identification = "public"
	// Secret: by client_id and a shared secret.
	Secret Identification = "secret"
	// Key: by an assertion signed with our client key.
	Key Identification = "key"
)

// Registration is what we are at a server of others at which people sign in.
type Registration struct {
	// Name names the server to people who choose where to sign in, and in the ids of people.
	Name     string         `yaml:"name"`
	ClientID string         `yaml:"client_id"`
	Identify Identification `yaml:"identify"`
	// Algorithm is RS384 or ES384, for identification by key.
	Algorithm string `yaml:"algorithm"`
	// SecretFile holds the shared secret and nothing else.
	SecretFile      string   `yaml:"secret_file"`
	Scopes          []string `yaml:"scopes"`
	PrivateNetworks bool     `yaml:"private_networks"`
	Loopback        bool     `yaml:"loopback"`
	CAFile          string   `yaml:"ca_file"`
}

// EHR is an EHR out of which people open EquityLens.
type EHR struct {
	Registration `yaml:",inline"`
	// BaseURL is its FHIR base, the iss of its launches.
	BaseURL string `yaml:"base_url"`
	// Chart lets its users open the page in the chart; SignIn lets them sign in.
	Chart  bool `yaml:"chart"`
	SignIn bool `yaml:"sign_in"`
	// FrameAncestors may show the page in a frame; none means the origin of BaseURL.
	FrameAncestors []string `yaml:"frame_ancestors"`
	CDSHooks       CDSHooks `yaml:"cds_hooks"`
}

// CDSHooks is how an EHR proves that a call of our CDS service is its own.
type CDSHooks struct {
	// Issuer is the iss of its tokens; "" means that it may not call.
	Issuer  string `yaml:"issuer"`
	JWKSURI string `yaml:"jwks_uri"`
}

// Provider is an OpenID Connect provider at which people sign in.
type Provider struct {
	Registration `yaml:",inline"`
	Issuer       string `yaml:"issuer"`
}

// People says who may sign in, and as what.
type People struct {
	Providers []Provider `yaml:"providers"`
	// RoleClaim is the claim of the id_token whose values Roles names.
	RoleClaim string `yaml:"role_claim"`
	// Roles lists, for each role, the values of the claim that give it.
	Roles map[string][]string `yaml:"roles"`
	// Named gives roles to single people.
	Named []Named `yaml:"named"`
	// SessionLife bounds a session, Idle the time in it without a request.
	SessionLife Duration `yaml:"session_life"`
	Idle        Duration `yaml:"idle"`
}

// Named is one person, as <name of the EHR or provider>|<sub or fhirUser>.
type Named struct {
	ID    string   `yaml:"id"`
	Roles []string `yaml:"roles"`
}

// RateLimits bound how often somebody may ask; 0 means without bound.
type RateLimits struct {
	// Address is for one network address on the doors without a token, Client for one client or
	// person on the API: requests a second.
	Address float64 `yaml:"per_address"`
	Client  float64 `yaml:"per_client"`
}

// validatePeople checks where people come from.
func (c *Config) validatePeople(v *faults) {
	names := map[string]bool{}
	unique := func(key, name string) {
		if names[name] {
			v.add(key+".name", "%q is the name of another EHR or provider", name)
		}
		names[name] = true
	}
	for i := range c.EHRs {
		key := fmt.Sprintf("ehrs[%d]", i)
		c.EHRs[i].validate(v, key)
		unique(key, c.EHRs[i].Name)
	}
	for i := range c.People.Providers {
		key := fmt.Sprintf("people.providers[%d]", i)
		p := &c.People.Providers[i]
		p.validate(v, key)
		v.outside(key+".issuer", p.Issuer, p.Loopback)
		unique(key, p.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(c.People.Roles)) {
		v.role("people.roles", name)
	}
	if len(c.People.Roles) > 0 && c.People.RoleClaim == "" {
		v.add("people.role_claim", "missing; roles are given by its values")
	}
	for i, n := range c.People.Named {
		key := fmt.Sprintf("people.named[%d]", i)
		from, id, ok := strings.Cut(n.ID, "|")
		if !ok || id == "" || !names[from] {
			v.add(key+".id", "%q is not <name of an EHR or provider>|<sub or fhirUser>", n.ID)
		}
		for _, text := range n.Roles {
			v.role(key+".roles", text)
		}
	}
	for i := range c.Server.Clients {
		if len(c.Server.Clients[i].RedirectURIs) > 0 && !c.signsIn() {
			v.add(fmt.Sprintf("server.clients[%d].redirect_uris", i), "nobody can sign in here; give an entry of "+
				"ehrs with sign_in: true, or of people.providers")
		}
	}
	v.duration("people.session_life", c.People.SessionLife)
	v.duration("people.idle", c.People.Idle)
}

// signsIn reports whether there is anywhere to sign in.
func (c *Config) signsIn() bool {
	return len(c.People.Providers) > 0 ||
		slices.ContainsFunc(c.EHRs, func(e EHR) bool { return e.SignIn })
}

func (r *Registration) validate(v *faults, key string) {
	if !sourceName.MatchString(r.Name) {
		v.add(key+".name", "%q is not a name of letters, digits, hyphens and underscores", r.Name)
	}
	v.require(key+".client_id", r.ClientID)
	v.oneOf(key+".identify", string(r.Identify), "", string(Public), string(Secret), string(Key))
	v.oneOf(key+".algorithm", r.Algorithm, "", "RS384", "ES384")
	if (r.Identify == Secret) != (r.SecretFile != "") {
		v.add(key+".secret_file", "goes together with identify: secret, and only with it")
	}
	for _, text := range r.Scopes {
		if _, err := scope.Parse(text); err != nil {
			v.add(key+".scopes", "%q is not a scope", text)
		}
	}
}

func (e *EHR) validate(v *faults, key string) {
	e.Registration.validate(v, key)
	v.outside(key+".base_url", e.BaseURL, e.Loopback)
	if !e.Chart && !e.SignIn {
		v.add(key, "is for nothing: neither chart nor sign_in is true")
	}
	for i, origin := range e.FrameAncestors {
		v.origin(fmt.Sprintf("%s.frame_ancestors[%d]", key, i), origin)
	}
	if (e.CDSHooks.Issuer == "") != (e.CDSHooks.JWKSURI == "") {
		v.add(key+".cds_hooks", "needs both issuer and jwks_uri")
	}
	if e.CDSHooks.JWKSURI != "" {
		v.outside(key+".cds_hooks.jwks_uri", e.CDSHooks.JWKSURI, e.Loopback)
	}
}

// role wants the name of a role.
func (v *faults) role(key, name string) {
	var names []string
	for _, r := range role.All() {
		names = append(names, string(r))
	}
	v.oneOf(key, name, names...)
}

// outside wants an https URL; plain http is for loopback.
func (v *faults) outside(key, value string, loopback bool) {
	v.url(key, value, exampleEHR)
	if strings.HasPrefix(strings.ToLower(value), "http://") && !loopback {
		v.add(key, "%s is plain http, which is for a server on this machine alone, with loopback: true", value)
	}
}

// plainOrigin keeps what ends up in a header to the characters of an origin.
var plainOrigin = regexp.MustCompile(`^https?://[A-Za-z0-9.:\[\]-]+$`)

// origin wants scheme and host, and nothing else.
func (v *faults) origin(key, value string) {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || !plainOrigin.MatchString(value) {
		v.add(key, "%q is not an origin such as https://ehr.example.org", value)
	}
}

// validate checks one program that may ask for tokens.
func (c *Client) validate(v *faults, key string) {
	v.require(key+".id", c.ID)
	given := 0
	for _, way := range []bool{c.JWKSFile != "", c.JWKSURI != "", c.Public} {
		if way {
			given++
		}
	}
	if given != 1 {
		v.add(key, "needs one of jwks_file, jwks_uri and public: true")
	}
	if len(c.Scopes) == 0 {
		v.add(key+".scopes", "missing; such as system/MeasureReport.rs")
	}
	for _, text := range c.Scopes {
		if _, err := scope.Parse(text); err != nil {
			v.add(key+".scopes", "%q is not a scope", text)
		}
	}
	for i, text := range c.RedirectURIs {
		if u, err := url.Parse(text); err != nil || u.Scheme == "" || u.Fragment != "" {
			v.add(fmt.Sprintf("%s.redirect_uris[%d]", key, i), "%q is not a URL without fragment", text)
		}
	}
	if c.Public && len(c.RedirectURIs) == 0 {
		v.add(key+".redirect_uris", "missing; a public client gets tokens by the code flow alone")
	}
}
