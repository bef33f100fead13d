package cds

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/auth/jwks"
	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/internal/dial"
	"github.com/equitylens/equitylens/store/cache"
)

// ServiceID names the one service in its URL.
const ServiceID = "equitylens-interpreter"

// Tenant is one registered EHR.
type Tenant struct {
	// Name is ours, for logs and records.
	Name string
	// Issuer is the iss of its JWTs. Claim is their claim "tenant", where several hospitals share an
	// issuer; empty means that it is not looked at.
	Issuer string
	Claim  string
	// Keys are its public keys; if nil they are read from JWKSURI, an https URL.
	Keys    *jose.JSONWebKeySet
	JWKSURI string
	// Audiences are further values of aud that this EHR sends besides the URL that it calls.
	Audiences []string
	// FHIRServer is its FHIR base. A call that names another is refused.
	FHIRServer string
	// Origins are those of its browser applications that call the service themselves, as
	// "https://ehr.example.org".
	Origins []string

	// AllowLoopback, AllowPrivateNetworks and RootCAs are about FHIRServer and JWKSURI, as in
	// bedside.Access.
	AllowLoopback        bool
	AllowPrivateNetworks bool
	RootCAs              *x509.CertPool
}

// Reader reads what a card is made of. It is a *bedside.Reader.
type Reader interface {
	// Need asks the EHR.
	Need(ctx context.Context, a bedside.Access) (bedside.Need, error)
	// NeedOf reads two documents that came with the call.
	NeedOf(a bedside.Access, patient, encounter []byte) (bedside.Need, error)
}

// Recorder keeps feedback.
type Recorder interface {
	// Record returns once the feedback is safe.
	Record(ctx context.Context, f Feedback) error
}

// Config says for whom the service works. Tenants may be empty: then every call is refused.
type Config struct {
	// BaseURL is where the service is reached from outside, without a trailing slash: the services are
	// below BaseURL/cds-services.
	BaseURL string
	// LaunchURL is our SMART launch URL, to which a card links; empty means BaseURL/launch.
	LaunchURL string
	Tenants   []Tenant
	Reader    Reader
	// Store remembers which JWTs were used. It has to be shared by all servers of one service.
	Store    cache.Store
	Recorder Recorder
	// Audit writes down every call by which a patient was read, or was meant to be; nil means nobody
	// does. A call that it cannot write down is answered with 503 and no card.
	Audit func(context.Context, Event) error
	// Count hears of every call to the service, by the tenant's name, "" if unknown; nil means nobody.
	Count func(tenant string, outcome Outcome)
	// Patience bounds the work on one call; 0 means 400 ms, which leaves 100 of the 500 ms that CDS
	// Hooks advises for the way.
	Patience time.Duration
	// Now is the clock, Random makes the ids of cards; nil means crypto/rand.
	Now    func() time.Time
	Random io.Reader
	// Logger hears of refused calls and of EHRs that are slow; nil means silence.
	Logger *slog.Logger
}

const defaultPatience = 400 * time.Millisecond

// Service answers calls. It is safe for concurrent use.
type Service struct {
	cfg     Config
	tenants map[tenantKey]*tenant
	origins map[string]bool
}

// tenantKey is by what a JWT names its EHR.
type tenantKey struct{ issuer, claim string }

// tenant is a Tenant with what is worked out once.
type tenant struct {
	Tenant
	published *jwks.Source
}

// New checks the whole configuration.
func New(cfg Config) (*Service, error) {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if cfg.Reader == nil || cfg.Store == nil || cfg.Recorder == nil || cfg.Now == nil {
		fault("reader, store, recorder and clock are required")
	}
	cfg.BaseURL = strings.TrimRight(cfg.BaseURL, "/")
	if _, ok := absolute(cfg.BaseURL); !ok {
		fault("base URL is not absolute")
	}
	if cfg.LaunchURL == "" {
		cfg.LaunchURL = cfg.BaseURL + "/launch"
	}
	if cfg.Patience <= 0 {
		cfg.Patience = defaultPatience
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Audit == nil {
		cfg.Audit = func(context.Context, Event) error { return nil }
	}
	if cfg.Count == nil {
		cfg.Count = func(string, Outcome) {}
	}
	s := &Service{cfg: cfg, tenants: map[tenantKey]*tenant{}, origins: map[string]bool{}}
	for _, t := range cfg.Tenants {
		if err := t.check(); err != nil {
			fault("tenant %q: %w", t.Name, err)
			continue
		}
		at := tenantKey{t.Issuer, t.Claim}
		if _, twice := s.tenants[at]; twice {
			fault("tenant %q: another has the same issuer and claim", t.Name)
		}
		s.tenants[at] = &tenant{Tenant: t, published: newSource(t, cfg.Now)}
		for _, o := range t.Origins {
			s.origins[o] = true
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("cds: check configuration: %w", err)
	}
	return s, nil
}

// check returns the faults of one tenant.
func (t Tenant) check() error {
	var faults []error
	if t.Name == "" || t.Issuer == "" {
		faults = append(faults, errors.New("name and issuer are required"))
	}
	if !reachable(t.FHIRServer, t.AllowLoopback) {
		faults = append(faults, errors.New("fhir server is not an https URL"))
	}
	switch {
	case t.Keys == nil && t.JWKSURI == "":
		faults = append(faults, errors.New("keys or an address of keys are required"))
	case t.JWKSURI != "" && !reachable(t.JWKSURI, t.AllowLoopback):
		faults = append(faults, errors.New("address of keys is not an https URL"))
	}
	for _, o := range t.Origins {
		u, ok := absolute(o)
		if !ok || u.Scheme+"://"+u.Host != o {
			faults = append(faults, fmt.Errorf("origin %q is not of the form https://host[:port]", o))
		}
	}
	return errors.Join(faults...)
}

// absolute reads a URL of ours, or of a browser application: https or http.
func absolute(text string) (*url.URL, bool) {
	u, err := url.Parse(text)
	return u, err == nil && u.Host != "" && u.User == nil && u.Fragment == "" &&
		(u.Scheme == "https" || u.Scheme == "http")
}

// reachable reports whether a URL is one that we may speak to: https, or plain http on loopback where
// that is allowed.
func reachable(text string, loopback bool) bool {
	u, err := url.Parse(text)
	return err == nil && u.Fragment == "" && dial.Permit(u, loopback) == nil
}
