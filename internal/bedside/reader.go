package bedside

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/cache"
)

// Why there is no View. None of the errors names the patient, the URL or what the EHR said.
var (
	// ErrNoPatient: the EHR has no such Patient, or nobody's chart is open.
	ErrNoPatient = errors.New("the EHR has no such patient")
	// ErrNoEncounter is ErrNoPatient for the encounter that Need asks about.
	ErrNoEncounter = errors.New("the EHR has no such encounter")
	// ErrRefused: the EHR has not allowed the Patient to be read, by scope or by its answer.
	ErrRefused = errors.New("the EHR does not allow it")
	// ErrToken is an ErrRefused whose cause is the token: it has ended, and a new one may do.
	ErrToken = errors.New("the EHR does not accept the token")
	// ErrUnavailable: the EHR did not answer, or not in time, or not with FHIR.
	ErrUnavailable = errors.New("the EHR did not answer")
	// ErrUnreadable: the EHR answered with what is no valid FHIR R4.
	ErrUnreadable = errors.New("the answer is not valid FHIR R4")
	// ErrOtherPatient: the EHR answered with somebody else's record. Nothing of it is shown.
	ErrOtherPatient = errors.New("the answer is about another patient")
	// ErrAccess: the caller named no FHIR base that may be spoken to. It is a fault of configuration.
	ErrAccess = errors.New("the FHIR base may not be spoken to")
)

// Config says how views are made. Mapper and Now are required.
type Config struct {
	// Mapper is the one of the nightly run, so that page and figures agree.
	Mapper *mapping.Mapper
	// Store keeps answers for Keep. It has to be sealed. Nil means that nothing is kept.
	Store cache.Store
	// Keep is how long an answer is good for; 0 means two minutes.
	Keep time.Duration
	// Patience bounds the reading as a whole; 0 means five seconds. What has not come by then is a
	// Notice.
	Patience time.Duration
	// Visits and Events bound what is shown; 0 means 10 and 20.
	Visits int
	Events int
	// EventYears is how far back events are shown; 0 means 3.
	EventYears int
	// Now is the clock.
	Now func() time.Time
	// Logger hears which resource type could not be read and why; nil means silence.
	Logger *slog.Logger
}

// The defaults of Config.
const (
	defaultKeep       = 2 * time.Minute
	defaultPatience   = 5 * time.Second
	defaultVisits     = 10
	defaultEvents     = 20
	defaultEventYears = 3
)

// Access is whose chart is read, where, and by whose leave.
type Access struct {
	// Tenant is the name of the EHR, BaseURL its FHIR base. Token goes to the origin of BaseURL alone.
	Tenant  string
	BaseURL string
	Token   string
	// Scopes are those that came with Token. What they do not cover is not asked for.
	Scopes scope.Set
	// Patient is whose chart is open, Encounter the current one, if any.
	Patient   phi.ID
	Encounter phi.ID
	// Banner asks for the name.
	Banner bool
	// Binding is the session for which an answer may be kept. Empty means that nothing is kept.
	Binding string

	// AllowLoopback lets a base that is itself loopback be spoken to, also over plain http.
	// AllowPrivateNetworks lets private addresses be dialled.
	AllowLoopback        bool
	AllowPrivateNetworks bool
	// RootCAs verifies the EHR; nil means the roots of the machine.
	RootCAs *x509.CertPool
}

// Reader reads charts. It is safe for concurrent use.
type Reader struct {
	cfg   Config
	lines lines
}

// New checks cfg and returns a Reader. It sends nothing yet.
func New(cfg Config) (*Reader, error) {
	if cfg.Mapper == nil || cfg.Now == nil {
		return nil, errors.New("bedside: mapper and clock are required")
	}
	orElse(&cfg.Keep, defaultKeep)
	orElse(&cfg.Patience, defaultPatience)
	orElse(&cfg.Visits, defaultVisits)
	orElse(&cfg.Events, defaultEvents)
	orElse(&cfg.EventYears, defaultEventYears)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Reader{cfg: cfg}, nil
}

// orElse replaces a value that is not positive.
func orElse[T int | time.Duration](value *T, otherwise T) {
	if *value <= 0 {
		*value = otherwise
	}
}

// Read returns the view of one patient. Its error wraps one of the errors above; all that fails
// besides the Patient is a Notice of the View.
func (r *Reader) Read(ctx context.Context, a Access) (View, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Patience)
	defer cancel()
	q, err := r.inquire(a)
	if err != nil {
		return View{}, fmt.Errorf("bedside: %w", err)
	}
	if kept, ok := r.recall(ctx, a); ok {
		if !a.Banner {
			return kept.view(nil), nil
		}
		who, err := q.patient(ctx)
		if err != nil {
			return View{}, fmt.Errorf("bedside: %w", err)
		}
		kept.Patient = who.says
		return kept.view(&who.banner), nil
	}
	read, banner, err := q.gather(ctx)
	if err != nil {
		return View{}, fmt.Errorf("bedside: %w", err)
	}
	r.keep(ctx, a, read)
	if !a.Banner {
		banner = nil
	}
	return read.view(banner), nil
}

// gather asks for everything at once. Without the Patient the rest is given up.
func (q *inquiry) gather(ctx context.Context) (gathered, *Banner, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		who    chartOwner
		err    error
		visits visitSearch
		one    currentVisit
		events eventSearch
		all    sync.WaitGroup
	)
	all.Go(func() {
		if who, err = q.patient(ctx); err != nil {
			cancel()
		}
	})
	all.Go(func() { visits = q.visits(ctx) })
	all.Go(func() { one = q.current(ctx) })
	all.Go(func() { events = q.events(ctx) })
	all.Wait()
	if err != nil {
		return gathered{}, nil, err
	}
	out := gathered{Format: keptFormat, ReadAt: q.cfg.Now(), Patient: who.says}
	out.Contacts, out.More = newestVisits(visits, one, q.cfg.Visits)
	out.Events, out.MoreEvents = events.newest(q.cfg.Events)
	notes := notices{}
	notes.join(visits.notes)
	notes.join(one.notesBeside(visits))
	notes.join(events.notes)
	out.Notices = notes.list()
	return out, &who.banner, nil
}
