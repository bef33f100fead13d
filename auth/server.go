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

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"

	"github.com/equitylens/equitylens/auth/keys"
	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/store/cache"
)

// defaultTokenLifetime is what SMART Backend Services recommends as the longest: five minutes,
// because an access token of this kind is not revoked.
const defaultTokenLifetime = 5 * time.Minute

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
	validator *Validator
	fetcher   *fetcher
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
	for _, c := range cfg.Clients {
		r, err := register(c, cfg.Audience, cfg.AllowPrivateNetworks)
		switch {
		case err != nil:
			faults = append(faults, err)
		case s.clients[c.ID] != nil:
			faults = append(faults, fmt.Errorf("client %q is there twice", c.ID))
		default:
			s.clients[c.ID] = r
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("auth: configure: %w", err)
	}
	s.fetcher = newFetcher(cfg)
	s.provider = s.newProvider()
	s.validator = &Validator{
		issuer: cfg.Issuer, audience: cfg.Audience, keys: cfg.Keys, now: cfg.Now,
	}
	return s, nil
}

// withDefaults fills what the caller left at zero.
func (c Config) withDefaults() Config {
	if c.TokenURL == "" {
		c.TokenURL = strings.TrimSuffix(c.Issuer, "/") + "/oauth/token"
	}
	if c.TokenLifetime == 0 {
		c.TokenLifetime = defaultTokenLifetime
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

// newProvider sets fosite up. Handlers are listed by hand: what is not here does not exist. The
// order matters: grant narrows the scopes before fosite's handler checks them.
func (s *Server) newProvider() *fosite.Fosite {
	config := &fosite.Config{
		AccessTokenLifespan:          s.cfg.TokenLifetime,
		AccessTokenIssuer:            s.cfg.Issuer,
		TokenURL:                     s.cfg.TokenURL,
		ScopeStrategy:                coveredBy,
		AudienceMatchingStrategy:     fosite.ExactAudienceMatchingStrategy,
		ClientAuthenticationStrategy: s.authenticate,
		SendDebugMessagesToClients:   false,
		EnforcePKCE:                  true,
	}
	config.TokenEndpointHandlers.Append(&grant{audience: s.cfg.Audience})
	config.TokenEndpointHandlers.Append(&oauth2.ClientCredentialsGrantHandler{
		HandleHelper: &oauth2.HandleHelper{
			AccessTokenStrategy: &minter{cfg: s.cfg},
			AccessTokenStorage:  selfContained{},
			Config:              config,
		},
		Config: config,
	})
	return fosite.NewOAuth2Provider(s.clients, config)
}

// coveredBy is fosite's question whether the scopes of a client allow one that is asked.
func coveredBy(have []string, need string) bool {
	set, err := scope.ParseSet(strings.Join(have, " "))
	if err != nil {
		return false
	}
	n, err := scope.Parse(need)
	return err == nil && set.Covers(n)
}

// Validator checks the tokens that this server gives out.
func (s *Server) Validator() *Validator { return s.validator }

// JWKS serves the public keys of the tokens, together with those of further sets: the keys of
// our client side, which EHRs look up at the same address.
func (s *Server) JWKS(further ...*keys.Set) http.Handler {
	return keys.Handler(append([]*keys.Set{s.cfg.Keys}, further...)...)
}
