package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/equitylens/equitylens/measure"
)

// Measures answers what the FHIR API asks. All methods are safe for concurrent use.
type Measures interface {
	// Definitions lists the measures that can be evaluated.
	Definitions() []measure.Definition
	// Evaluate answers a question. The error wraps measure.ErrUnknownMeasure,
	// measure.ErrUnknownDimension or measure.ErrNoSnapshot where that is the cause, and names no
	// person.
	Evaluate(ctx context.Context, asked measure.Question) (measure.Result, error)
}

// Snapshots says which data are being served.
type Snapshots interface {
	// Current is false where no snapshot has been published yet.
	Current() (Snapshot, bool)
}

// Snapshot is what a probe is told of the data.
type Snapshot struct {
	ID string
	// DataAsOf is the moment of the data: the transactionTime of the EHR, not that of the load.
	DataAsOf time.Time
}

// OAuth holds the handlers of the authorization server, which answer for themselves: their errors
// are those of OAuth, and they set their own caching.
type OAuth struct {
	Token http.Handler
	Keys  http.Handler
	// SMART serves the smart-configuration document.
	SMART http.Handler
}

// Config is what a Server needs. What is marked so must be set.
type Config struct {
	Measures   Measures   // must be set
	Snapshots  Snapshots  // must be set
	Authorizer Authorizer // must be set
	OAuth      OAuth      // all three must be set

	// BaseURL is the public address of the FHIR API, such as "https://quality.example.org/fhir". It
	// must be set.
	BaseURL string
	// Canonical is the base of the canonical URLs of the measures; empty means that of report.
	Canonical string
	// Organization is the reporter of every MeasureReport; empty means that of report.
	Organization string
	// Version is that of the program.
	Version string

	// Registry takes the metrics and is what /metrics shows. Nil means one of its own.
	Registry *prometheus.Registry
	// Logger takes one event a request. Nil means none is written.
	Logger *slog.Logger
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// RequestID makes the id of a request. Nil means a random UUID. An id that a caller sends is never
	// taken over: it may be anything.
	RequestID func() string

	// MaxBody bounds a request's body in bytes. 0 means 64 KiB, ample for Parameters.
	MaxBody int64
	// EvaluateTimeout bounds one evaluation. 0 means one minute.
	EvaluateTimeout time.Duration
	// StaleAfter is the age of the data from which they are called stale. 0 means 36 hours: a nightly
	// sync may fail once before anybody is told.
	StaleAfter time.Duration
}

const (
	defaultMaxBody         = 64 << 10
	defaultEvaluateTimeout = time.Minute
	defaultStaleAfter      = 36 * time.Hour
)

// complete sets what may be left out, or says everything that may not.
func (c Config) complete() (Config, error) {
	must := map[string]bool{
		"Measures": c.Measures == nil, "Snapshots": c.Snapshots == nil,
		"Authorizer": c.Authorizer == nil, "OAuth.Token": c.OAuth.Token == nil,
		"OAuth.Keys": c.OAuth.Keys == nil, "OAuth.SMART": c.OAuth.SMART == nil,
	}
	var faults []error
	for name, absent := range must {
		if absent {
			faults = append(faults, fmt.Errorf("%s is not set", name))
		}
	}
	base, err := url.Parse(c.BaseURL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		faults = append(faults, errors.New("BaseURL is not an http or https URL"))
	}
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	if c.Registry == nil {
		c.Registry = prometheus.NewRegistry()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.RequestID == nil {
		c.RequestID = uuid.NewString
	}
	if c.MaxBody == 0 {
		c.MaxBody = defaultMaxBody
	}
	if c.EvaluateTimeout == 0 {
		c.EvaluateTimeout = defaultEvaluateTimeout
	}
	if c.StaleAfter == 0 {
		c.StaleAfter = defaultStaleAfter
	}
	return c, errors.Join(faults...)
}
