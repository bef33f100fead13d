package client

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Config says which server to speak to, as whom, and with how much patience. BaseURL and Now are
// required; every other zero value means what its comment says.
type Config struct {
	// BaseURL is the FHIR base, such as https://ehr.example.org/fhir/r4.
	BaseURL string
	// TokenURL is the token endpoint. Empty means that SMART discovery names it once.
	TokenURL string
	// Audience is the aud claim of the assertion. Empty means the token endpoint, as SMART demands;
	// a server behind a proxy may know itself by another name.
	Audience string
	// ClientID is who we are to the server. Empty means an open server: no token is asked for or sent.
	ClientID string
	// Key signs the assertion: a private RSA key (RS384) or P-384 key (ES384) with the key id under
	// which the server knows its public half.
	Key jose.JSONWebKey
	// Scopes are asked for, such as system/Patient.rs.
	Scopes []string
	// TrustedOrigins may be given the token besides the base's own, as "https://bulk.example.org".
	TrustedOrigins []string

	// AllowLoopback lets a base that is itself loopback be spoken to, also over plain http.
	AllowLoopback bool
	// AllowPrivateNetworks lets private addresses (RFC 1918, RFC 4193, RFC 6598) be dialled, where a
	// hospital's EHR often lives. Link-local and metadata addresses stay refused.
	AllowPrivateNetworks bool
	// RootCAs verifies the server. Nil means the roots of the machine.
	RootCAs *x509.CertPool

	// ConnectTimeout bounds a dial and a TLS handshake each. Zero means 10 s.
	ConnectTimeout time.Duration
	// HeaderTimeout bounds the wait for the head of an answer. Zero means 2 min: a server may work out
	// the whole page or cohort before it says a word.
	HeaderTimeout time.Duration
	// StallTimeout bounds the silence within a body; the length of a body is not bounded. Zero means
	// 2 min.
	StallTimeout time.Duration
	// MaxTries is how often one request is sent at most. Zero means 5.
	MaxTries int
	// RetryFirst is the wait before the second try, doubled for each one after. Zero means 1 s.
	RetryFirst time.Duration
	// RetryMax bounds one such wait, also where Retry-After asks for more. Zero means 5 min: rate
	// limits were seen to block for some minutes.
	RetryMax time.Duration
	// UserAgent names us to the server. Empty means "equitylens".
	UserAgent string

	// Now is the clock. It is required.
	Now func() time.Time
	// Sleep waits for d or until the context ends. Nil means a timer.
	Sleep func(ctx context.Context, d time.Duration) error
	// Random feeds token ids and jitter and is read from many goroutines. Nil means crypto/rand.
	Random io.Reader
	// Logger hears of renewed tokens and of retries. Nil means silence.
	Logger *slog.Logger
}

// The defaults, whose reasons stand at the fields of Config.
const (
	defaultConnectTimeout = 10 * time.Second
	defaultHeaderTimeout  = 2 * time.Minute
	defaultStallTimeout   = 2 * time.Minute
	defaultMaxTries       = 5
	defaultRetryFirst     = time.Second
	defaultRetryMax       = 5 * time.Minute
)

// withDefaults returns cfg with its zero values replaced.
func (cfg Config) withDefaults() Config {
	positive := func(d *time.Duration, fallback time.Duration) {
		if *d <= 0 {
			*d = fallback
		}
	}
	positive(&cfg.ConnectTimeout, defaultConnectTimeout)
	positive(&cfg.HeaderTimeout, defaultHeaderTimeout)
	positive(&cfg.StallTimeout, defaultStallTimeout)
	positive(&cfg.RetryFirst, defaultRetryFirst)
	positive(&cfg.RetryMax, defaultRetryMax)
	if cfg.MaxTries <= 0 {
		cfg.MaxTries = defaultMaxTries
	}
	if cfg.UserAgent == "" {
		cfg.UserAgent = "equitylens"
	}
	if cfg.Sleep == nil {
		cfg.Sleep = sleep
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return cfg
}

// check returns every fault of cfg at once. The base is nil if its own URL is at fault.
func (cfg Config) check() (base *url.URL, err error) {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	base, err = parseBase(cfg.BaseURL, cfg.AllowLoopback)
	if err != nil {
		fault("base_url: %w", err)
	}
	if cfg.Now == nil {
		fault("now: a clock is missing")
	}
	if cfg.ClientID != "" {
		if _, err := algorithmOf(cfg.Key); err != nil {
			fault("key: %w", err)
		}
		if len(cfg.Scopes) == 0 {
			fault("scopes: none is given")
		}
	}
	if cfg.TokenURL != "" && base != nil {
		if _, err := parsePermitted(cfg.TokenURL, policyOf(cfg, base)); err != nil {
			fault("token_url: %w", err)
		}
	}
	for _, text := range cfg.TrustedOrigins {
		if _, err := parseOrigin(text); err != nil {
			fault("trusted_origins: %q: %w", text, err)
		}
	}
	return base, errors.Join(faults...)
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
