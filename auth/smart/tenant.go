package smart

import (
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"

	"github.com/equitylens/equitylens/auth/keys"
	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/store/cache"
)

// ClientAuth is how we identify ourselves at a token endpoint.
type ClientAuth string

// The ways of SMART.
const (
	// Public is by our client id alone; PKCE holds the flow together.
	Public ClientAuth = "none"
	// SecretBasic is by a shared secret.
	SecretBasic ClientAuth = "client_secret_basic" // #nosec G101 -- a name
	// PrivateKeyJWT is by an assertion signed with our client key.
	PrivateKeyJWT ClientAuth = "private_key_jwt"
)

// Tenant is one server of others at which we are registered.
type Tenant struct {
	// Name is ours; it is unique.
	Name string
	// Issuer is the FHIR base of an EHR, which is the iss of its launches, or with OIDC the issuer
	// of the provider, exactly as it spells itself.
	Issuer   string
	ClientID string
	// ClientAuth is Public if empty.
	ClientAuth ClientAuth
	Secret     string
	// Algorithm of PrivateKeyJWT: RS384 or ES384. Empty means what Keys prefers.
	Algorithm jose.SignatureAlgorithm
	// Keys signs for this tenant alone; nil means Config.Keys. An assertion names the very token
	// endpoint that it is sent to and no other, so that a tenant which is not honest gains nothing
	// by handing it on; with keys of its own it could not even where another checks less.
	Keys *keys.Set
	// Scopes are what we ask for. A launch adds "launch". A sign-in asks for those alone that are
	// about the person and leaves out what reads records or outlives the sign-in.
	Scopes []string
	// Launch lets the EHR open the page in the chart, SignIn lets people sign in.
	Launch, SignIn bool
	// OIDC says that it is an OpenID Connect provider and no EHR.
	OIDC bool

	// AllowLoopback lets an issuer that is itself loopback be spoken to, also over plain http.
	AllowLoopback bool
	// AllowPrivateNetworks lets private addresses be dialled, where a hospital's EHR often lives.
	AllowPrivateNetworks bool
	// RootCAs verifies the server. Nil means the roots of the machine.
	RootCAs *x509.CertPool
}

// Config configures New. Tenants may be empty, and then everything is unknown.
type Config struct {
	Tenants []Tenant
	// Store keeps flows and which refresh tokens are spent. It is sealed: a flow holds secrets.
	Store cache.Store
	// Keys are our client keys, for tenants with PrivateKeyJWT.
	Keys *keys.Set
	// RedirectURI is our callback, registered with every tenant.
	RedirectURI string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Rand is read from many goroutines; nil means crypto/rand.
	Rand io.Reader
	// Logger hears of servers that moved or grant less; nil means silence.
	Logger *slog.Logger

	// resolver stands in for DNS in tests.
	resolver *net.Resolver
}

// Client is our side of all tenants. It is safe for concurrent use.
type Client struct {
	cfg Config
	// tenants are by name, launches by issuer without a trailing slash.
	tenants  map[string]*tenant
	launches map[string]*tenant
}

// tenant is a Tenant with what is known of it.
type tenant struct {
	Tenant
	base *url.URL
	// launch and signIn are the scopes of each.
	launch, signIn []string
	web            *web

	flight singleflight.Group
	mu     sync.Mutex
	found  discovered
}

// openid reports whether scopes ask for an identity.
func openid(scopes []string) bool { return slices.Contains(scopes, "openid") }

// New checks the whole configuration and returns a client. It sends nothing yet.
//
// Names are unique. Two tenants may share an issuer, such as one client for launches and another
// for signing in, but only one of them may take launches: a launch names the issuer and nothing
// more.
func New(cfg Config) (*Client, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Client{cfg: cfg, tenants: map[string]*tenant{}, launches: map[string]*tenant{}}
	var faults []error
	if cfg.Store == nil {
		faults = append(faults, errors.New("store: missing"))
	}
	if _, err := parseURL(cfg.RedirectURI, true); err != nil {
		faults = append(faults, fmt.Errorf("redirect_uri: %w", err))
	}
	for _, given := range cfg.Tenants {
		if err := c.add(given); err != nil {
			faults = append(faults, fmt.Errorf("tenant %q: %w", given.Name, err))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("smart: check configuration: %w", err)
	}
	return c, nil
}

// Close drops idle connections.
func (c *Client) Close() {
	for _, t := range c.tenants {
		t.web.close()
	}
}

// add registers one tenant.
func (c *Client) add(given Tenant) error {
	if given.ClientAuth == "" {
		given.ClientAuth = Public
	}
	if given.Keys == nil {
		given.Keys = c.cfg.Keys
	}
	if given.Algorithm == "" && given.Keys != nil {
		given.Algorithm = given.Keys.Preferred()
	}
	t := &tenant{Tenant: given}
	if err := t.check(); err != nil {
		return err
	}
	t.web = newWeb(given, t.base, c.cfg.resolver, c.cfg.Now)
	t.launch, t.signIn = split(given.Scopes)
	if c.tenants[given.Name] != nil {
		return errors.New("name: another tenant has it")
	}
	c.tenants[given.Name] = t
	if !given.Launch {
		return nil
	}
	if c.launches[bare(given.Issuer)] != nil {
		return errors.New("launch: another tenant takes the launches of this issuer")
	}
	c.launches[bare(given.Issuer)] = t
	return nil
}

// check returns every fault of a tenant.
func (t *tenant) check() (err error) {
	var faults []error
	fault := func(text string) { faults = append(faults, errors.New(text)) }
	if t.base, err = parseURL(t.Issuer, t.AllowLoopback); err != nil {
		faults = append(faults, fmt.Errorf("issuer: %w", err))
	} else if t.base.RawQuery != "" {
		fault("issuer: has a query")
	}
	if t.Name == "" || t.ClientID == "" {
		fault("name or client_id: missing")
	}
	if !t.Launch && !t.SignIn {
		fault("is neither for launches nor for signing in")
	}
	if t.OIDC && t.Launch {
		fault("launch: an OpenID Connect provider has no charts")
	}
	if t.SignIn && !openid(t.Scopes) {
		fault("scopes: openid is missing; without it nobody can sign in")
	}
	for _, text := range t.Scopes {
		if _, err := scope.Parse(text); err != nil {
			faults = append(faults, fmt.Errorf("scopes: %w", err))
		}
	}
	switch t.ClientAuth {
	case Public:
	case SecretBasic:
		if t.Secret == "" {
			fault("secret: missing")
		}
	case PrivateKeyJWT:
		if t.Keys == nil {
			fault("keys: missing")
		} else if _, err := t.Keys.Signing(t.Algorithm); err != nil {
			faults = append(faults, err)
		}
		if t.Algorithm != jose.RS384 && t.Algorithm != jose.ES384 {
			fault("algorithm: want RS384 or ES384")
		}
	default:
		fault("client_auth: want none, client_secret_basic or private_key_jwt")
	}
	return errors.Join(faults...)
}

// split parts the scopes into those of a launch and those of a sign-in. "launch/patient" asks the
// EHR to let the person choose a patient, which neither has a use for.
func split(scopes []string) (launch, signIn []string) {
	launch = []string{"launch"}
	for _, text := range scopes {
		if text == "launch" || strings.HasPrefix(text, "launch/") {
			continue
		}
		launch = append(launch, text)
		s, err := scope.Parse(text)
		if err != nil || s.Context != scope.None || strings.HasSuffix(text, "line_access") {
			continue // Clinical, offline_access or online_access.
		}
		signIn = append(signIn, text)
	}
	return launch, signIn
}

// bare removes one trailing slash: the one liberty that is taken with an issuer.
func bare(issuer string) string { return strings.TrimSuffix(issuer, "/") }
