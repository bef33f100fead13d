package auth

import (
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/ory/fosite"

	"github.com/equitylens/equitylens/auth/grant"
	"github.com/equitylens/equitylens/auth/jwks"
	"github.com/equitylens/equitylens/auth/keys"
	"github.com/equitylens/equitylens/store/cache"
)

const (
	// defaultTokenLifetime is what SMART Backend Services recommends as the longest.
	defaultTokenLifetime = 5 * time.Minute
	// defaultRefreshLife is how long a refresh token may lie unused: people who are away for two
	// weeks sign in again.
	defaultRefreshLife = 14 * 24 * time.Hour
	// defaultOfflineLife is how long a person's consent lasts, however often it is refreshed.
	defaultOfflineLife = 90 * 24 * time.Hour
	// defaultOnlineLife is a long shift: online_access is for as long as somebody works.
	defaultOnlineLife = 12 * time.Hour
	// codeLife is what SMART asks for: "usually within around one minute".
	codeLife = time.Minute
)

// The scopes for which a refresh token is given.
const (
	offlineAccess = "offline_access"
	onlineAccess  = "online_access"
)

// Config configures New. Issuer, Audience, Keys and Store are required.
type Config struct {
	// Issuer names this server: an https URL without query and fragment.
	Issuer string
	// TokenURL is the address of the token endpoint as clients see it; empty means
	// Issuer + "/oauth/token".
	TokenURL string
	// Audience is the base URL of the API that the tokens are for.
	Audience string
	// Clients may ask for tokens.
	Clients []Client
	// Keys sign the tokens. They are not the keys of our client side.
	Keys *keys.Set
	// Store keeps the ids of spent assertions. It is shared between all processes that serve
	// one issuer.
	Store cache.Store
	// TokenLifetime is how long a token is valid; 0 means 5 minutes.
	TokenLifetime time.Duration
	// AllowPrivateNetworks lets keys of clients be fetched from loopback and private addresses
	// and over plain http: for a laptop, and for clients inside the hospital's own network.
	AllowPrivateNetworks bool
	// RootCAs verify the servers that keys of clients are fetched from; nil means the system's.
	RootCAs *x509.CertPool
	// RefreshLife is how long a refresh token may lie unused; 0 means 14 days. OfflineLife and
	// OnlineLife are how long after the consent the last refresh token ends, by scope; 0 means 90
	// days and 12 hours.
	RefreshLife, OfflineLife, OnlineLife time.Duration

	// People knows who is signed in; nil means that nobody signs in here, and that programs alone
	// are given tokens. With it the four that follow are required.
	People People
	// SignIn is the URL to which a browser without a person is sent. next is the path of ours
	// at which it goes on after that.
	SignIn func(next string) string
	// Consent renders the question whether a program may have what it asks for.
	Consent func(w http.ResponseWriter, r *http.Request, c Consent)
	// Problem renders an error that must not be sent to a client.
	Problem func(w http.ResponseWriter, r *http.Request, status int, code, say string)
	// IDKeys sign id_tokens by RS256. They are another set than Keys.
	IDKeys *keys.Set

	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Rand gives the ids of tokens; nil means crypto/rand.
	Rand io.Reader
	// Logger gets one line for each token given or refused; nil means none.
	Logger *slog.Logger
}

// Server is the authorization server. Its handlers are safe for concurrent use.
type Server struct {
	cfg       Config
	clients   registry
	provider  *fosite.Fosite
	grants    *grant.Storage
	validator *Validator
	published *jwks.Source
	// origins are those whose scripts may read the answers of the endpoints for clients.
	origins map[string]bool
}

// New checks the configuration, with all its faults reported at once, and builds the server.
func New(cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	s := &Server{cfg: cfg, clients: make(registry)}
	var faults []error
	if err := checkIssuer(cfg.Issuer); err != nil {
		faults = append(faults, err)
	}
	if cfg.Audience == "" {
		faults = append(faults, errors.New("no audience"))
	}
	if cfg.Keys == nil || cfg.Store == nil {
		faults = append(faults, errors.New("keys and store are required"))
	}
	if cfg.TokenLifetime < time.Second {
		faults = append(faults, errors.New("token lifetime is below a second"))
	}
	faults = append(faults, cfg.checkPeople())
	for _, c := range cfg.Clients {
		r, err := register(c, cfg.Audience, cfg.AllowPrivateNetworks)
		switch {
		case err != nil:
			faults = append(faults, err)
		case cfg.People == nil && r.uses(authorizationCode):
			faults = append(faults, fmt.Errorf("client %q: nobody signs in to this server", c.ID))
		case s.clients[c.ID] != nil:
			faults = append(faults, fmt.Errorf("client %q is there twice", c.ID))
		default:
			s.clients[c.ID] = r
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("auth: configure: %w", err)
	}
	s.published = newSource(cfg)
	s.origins = s.clients.origins()
	s.grants = grant.New(grant.Config{
		Store: cfg.Store, Clients: s.clients, CodeLife: codeLife, AccessLife: cfg.TokenLifetime,
		RefreshLife: cfg.RefreshLife, FamilyLife: max(cfg.OfflineLife, cfg.OnlineLife),
		PushLife: pushedLife, Now: cfg.Now, Rand: cfg.Rand,
	})
	s.provider = s.newProvider()
	s.validator = &Validator{
		issuer: cfg.Issuer, audience: cfg.Audience, keys: cfg.Keys, grants: s.grants, now: cfg.Now,
	}
	return s, nil
}

// checkPeople wants all that signing in needs, or nothing of it.
func (c Config) checkPeople() error {
	if c.People == nil {
		return nil
	}
	if c.SignIn == nil || c.Consent == nil || c.Problem == nil || c.IDKeys == nil {
		return errors.New("people need a page to sign in, pages for consent and problems, and keys")
	}
	if c.IDKeys == c.Keys {
		return errors.New("id_tokens need keys of their own")
	}
	if _, err := c.IDKeys.Signing(jose.RS256); err != nil {
		return fmt.Errorf("keys of id_tokens: %w", err)
	}
	return nil
}

// withDefaults fills what the caller left at zero.
func (c Config) withDefaults() Config {
	if c.TokenURL == "" {
		c.TokenURL = strings.TrimSuffix(c.Issuer, "/") + "/oauth/token"
	}
	if c.TokenLifetime == 0 {
		c.TokenLifetime = defaultTokenLifetime
	}
	if c.RefreshLife <= 0 {
		c.RefreshLife = defaultRefreshLife
	}
	if c.OfflineLife <= 0 {
		c.OfflineLife = defaultOfflineLife
	}
	if c.OnlineLife <= 0 {
		c.OnlineLife = defaultOnlineLife
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// checkIssuer holds RFC 8414 section 2, but for plain http, which the demo on loopback speaks and
// which a proxy may speak to us.
func checkIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" ||
		u.Scheme != "https" && u.Scheme != "http" {
		return errors.New("issuer is not an absolute URL without query and fragment")
	}
	return nil
}

// Validator checks the tokens that this server gives out.
func (s *Server) Validator() *Validator { return s.validator }

// JWKS serves the public keys of the access tokens and the id_tokens, together with those of
// further sets: the keys of our client side, which EHRs look up at the same address.
func (s *Server) JWKS(further ...*keys.Set) http.Handler {
	sets := []*keys.Set{s.cfg.Keys}
	if s.interactive() {
		sets = append(sets, s.cfg.IDKeys)
	}
	return keys.Handler(append(sets, further...)...)
}
