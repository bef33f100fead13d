package session

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/auth/smart"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/store/cache"
)

// ErrNone means that the browser has no such session: never begun, ended, expired, or another's.
var ErrNone = errors.New("session: none")

// Person is who has signed in.
type Person struct {
	// Tenant is the name of the server that says so.
	Tenant string
	// Issuer and Subject together name one person for good.
	Issuer, Subject string
	Name, FHIRUser  string
	Roles           []role.Role
	SignedIn        time.Time
}

// Chart is an EHR's chart that we were opened in.
type Chart struct {
	Tenant             string
	Patient, Encounter phi.ID
	NeedPatientBanner  bool
	Intent, StyleURL   string
	Token              smart.Token
}

// Session is one visit. It prints as its ID.
type Session struct {
	// ID is a digest of the cookie. It is safe to bind other records to it and to log it: it does
	// not open the session.
	ID string
	// Person is the zero Person in a chart whose EHR was not asked who looks.
	Person Person
	// Chart is nil in a sign-in.
	Chart *Chart
}

// Format writes the ID for every verb.
func (s Session) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "session "+s.ID) }

// LogValue makes slog print the ID.
func (s Session) LogValue() slog.Value { return slog.StringValue(s.ID) }

// Config configures New. Store alone is required.
type Config struct {
	// Store is sealed: a record holds tokens and the id of a patient.
	Store cache.Store
	// Life bounds a session whatever happens in it; 0 means eight hours, a long shift.
	Life time.Duration
	// Idle bounds the time without a request; 0 means 30 minutes. A thirtieth of it may be lacking,
	// because not every request is written down.
	Idle time.Duration
	// Insecure is for plain http on loopback.
	Insecure bool
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Rand is read from many goroutines; nil means crypto/rand.
	Rand io.Reader
}

// The defaults, whose reasons stand at the fields of Config.
const (
	defaultLife = 8 * time.Hour
	defaultIdle = 30 * time.Minute
)

// Manager begins, finds and ends sessions. It is safe for concurrent use.
type Manager struct{ cfg Config }

// New checks the configuration.
func New(cfg Config) (*Manager, error) {
	if cfg.Store == nil {
		return nil, errors.New("session: no store")
	}
	if cfg.Life == 0 {
		cfg.Life = defaultLife
	}
	if cfg.Idle == 0 {
		cfg.Idle = defaultIdle
	}
	if cfg.Life < 0 || cfg.Idle < 0 {
		return nil, errors.New("session: life and idle are negative")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	return &Manager{cfg: cfg}, nil
}
