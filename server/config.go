package server

import (
	"cmp"
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

	"github.com/equitylens/equitylens/internal/phi"
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

// Members lists who is in the populations of a measure. What it yields names people.
type Members interface {
	// Members yields every unit of the initial population, ordered by patient. It ends with the
	// error of yield. Errors are those of Measures.Evaluate.
	Members(ctx context.Context, asked measure.Question, yield func(measure.Member) error) error
}

// Releases answers questions for those who may not see every figure.
type Releases interface {
	// Release answers for the audience regulator or public. The error wraps ErrNotPublic where the
	// question is none of those that are made public, and otherwise is one of Measures.Evaluate.
	Release(ctx context.Context, asked measure.Question, audience string) (measure.Result, error)
}

// Patients knows who is in the snapshot.
type Patients interface {
	// Patient reports whether there is a patient of the id.
	Patient(ctx context.Context, id phi.ID) (known bool, err error)
}

// Groups knows the Groups of patients.
type Groups interface {
	// Group lists the members of the Group of an id. The error wraps ErrUnknownGroup where there is
	// none.
	Group(ctx context.Context, id string) ([]phi.ID, error)
}

// Auditor keeps the audit trail.
type Auditor interface {
	// Audit keeps one R4 AuditEvent, in JSON on one line without its end. It may hold the id of a
	// patient. After an error the answer that it is about is not given.
	Audit(ctx context.Context, event []byte) error
}

// Reports knows which reports of the live snapshot are stored, so that they can be read and
// searched as resources.
type Reports interface {
	// Stored lists those that an audience may read, in an order that stays.
	Stored(ctx context.Context, audience string) ([]Stored, error)
}

// Stored is a report of a measure over a period by every single dimension.
type Stored struct {
	Measure string
	Period  measure.Period
	// Date is when its figures were made.
	Date time.Time
	// Complete says that all the data it needs were there.
	Complete bool
}

// Importer takes in what another engine computed.
type Importer interface {
	// Import keeps measures and their members, in the place of what was imported of the same
	// measure and period before. It keeps all or nothing.
	Import(ctx context.Context, imports []measure.Import) error
}

// Jobs is where the state and the answers of requests that are answered later are kept, so that
// every server of one store can be asked about them. An answer may name people: the store seals
// values and lets them expire.
type Jobs interface {
	// Load returns what is under key; false where there is nothing, or no longer.
	Load(ctx context.Context, key string) (value []byte, found bool, err error)
	// Set puts value under key for life, whatever was there.
	Set(ctx context.Context, key string, value []byte, life time.Duration) error
	// SetIfAbsent puts value under key if nothing is there. Of many callers one is told true.
	SetIfAbsent(ctx context.Context, key string, value []byte, life time.Duration) (bool, error)
	// Delete removes what is under key, if anything.
	Delete(ctx context.Context, key string) error
}

// Snapshots says which data are being served.
type Snapshots interface {
	// Current is false where no snapshot has been published yet.
	Current() (Snapshot, bool)
}

// Snapshot is what a probe is told of the data.
type Snapshot struct {
	// ID is another one whenever an answer may be another one: answers are kept by it.
	ID string
	// DataAsOf is the moment of the data: the transactionTime of the EHR, not that of the load.
	DataAsOf time.Time
}

// OAuth holds the handlers of the authorization server, which answer for themselves: their errors
// are those of OAuth, they set their own caching, and those that a browser calls answer its
// OPTIONS. What is nil is not there.
type OAuth struct {
	// Token and Keys must be set.
	Token http.Handler
	Keys  http.Handler
	// SMART serves the smart-configuration document. It must be set.
	SMART http.Handler

	Authorize  http.Handler
	PAR        http.Handler
	Introspect http.Handler
	Revoke     http.Handler
	// Metadata serves the document of RFC 8414, OpenID that of OpenID Connect Discovery.
	Metadata http.Handler
	OpenID   http.Handler
}

// Config is what a Server needs. What is marked so must be set.
type Config struct {
	Measures   Measures   // must be set
	Snapshots  Snapshots  // must be set
	Authorizer Authorizer // must be set
	OAuth      OAuth      // the first three must be set

	// What these would answer is answered with 501 and the reason where they are nil. Without Jobs
	// every request is answered at once, as RFC 7240 allows.
	Members  Members
	Releases Releases
	Patients Patients
	Groups   Groups
	Auditor  Auditor
	Reports  Reports
	Importer Importer
	Jobs     Jobs
	Trail    Trail
	Syncer   Syncer
	Ender    Ender

	// Pages are what people see in a browser, CDS the service of CDS Hooks; none where it is zero.
	Pages []Page
	CDS   CDS

	// Resources are routes of the API that other packages answer.
	Resources []Resource

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
	// RequestID makes the id of a request. Nil means a random UUID. An id that a caller sends is
	// never taken over: it may be anything.
	RequestID func() string
	// JobID makes the address of a request that is answered later. It cannot be guessed. Nil means
	// a random UUID.
	JobID func() string

	// Origins are those of the programs in a browser that may call the API, such as
	// "https://app.example.org". None is the default.
	Origins []string
	// Limits bound how often somebody may ask. The zero Limits bound nothing; see DefaultLimits.
	Limits Limits
	// BehindProxy says that every request comes through a proxy of ours, which ends TLS and says in
	// X-Forwarded-For from where.
	BehindProxy bool

	// MaxBody bounds a request's body in bytes. 0 means 64 KiB, ample for Parameters.
	MaxBody int64
	// EvaluateTimeout bounds one evaluation. 0 means one minute.
	EvaluateTimeout time.Duration
	// MaxImport bounds the body of an import in bytes. 0 means 64 MiB.
	MaxImport int64
	// MaxSubjects bounds the patients that one answer may name. 0 means 100,000.
	MaxSubjects int
	// MaxKept bounds the answers that are kept written, in bytes. 0 means 64 MiB: some thousands.
	MaxKept int
	// MaxJobs bounds the requests that this server has accepted to answer later and not finished, 0
	// meaning 64; MaxJobsPerClient those of one client on all servers, finished ones until they
	// expire or are deleted included, 0 meaning 10.
	MaxJobs          int
	MaxJobsPerClient int
	// JobTimeout bounds the work on a job, JobLife its state and its answer. 0 means 15 minutes and
	// 1 hour.
	JobTimeout time.Duration
	JobLife    time.Duration
	// MaxJobResult bounds the answer of a job in bytes. 0 means 32 MiB.
	MaxJobResult int64
	// StaleAfter is the age of the data from which they are called stale. 0 means 36 hours: a
	// nightly sync may fail once before anybody is told.
	StaleAfter time.Duration
}

const (
	defaultMaxBody          = 64 << 10
	defaultEvaluateTimeout  = time.Minute
	defaultStaleAfter       = 36 * time.Hour
	defaultMaxImport        = 64 << 20
	defaultMaxSubjects      = 100_000
	defaultMaxKept          = 64 << 20
	defaultMaxJobs          = 64
	defaultMaxJobsPerClient = 10
	defaultJobTimeout       = 15 * time.Minute
	defaultJobLife          = time.Hour
	defaultMaxJobResult     = 32 << 20
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
	if err := c.checkResources(); err != nil {
		faults = append(faults, err)
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
	if c.JobID == nil {
		c.JobID = uuid.NewString
	}
	c.bound()
	return c, errors.Join(faults...)
}

// bound sets the bounds that were left at zero.
func (c *Config) bound() {
	c.MaxBody = cmp.Or(c.MaxBody, defaultMaxBody)
	c.EvaluateTimeout = cmp.Or(c.EvaluateTimeout, defaultEvaluateTimeout)
	c.StaleAfter = cmp.Or(c.StaleAfter, defaultStaleAfter)
	c.MaxImport = cmp.Or(c.MaxImport, defaultMaxImport)
	c.MaxSubjects = cmp.Or(c.MaxSubjects, defaultMaxSubjects)
	c.MaxKept = cmp.Or(c.MaxKept, defaultMaxKept)
	c.MaxJobs = cmp.Or(c.MaxJobs, defaultMaxJobs)
	c.MaxJobsPerClient = cmp.Or(c.MaxJobsPerClient, defaultMaxJobsPerClient)
	c.JobTimeout = cmp.Or(c.JobTimeout, defaultJobTimeout)
	c.JobLife = cmp.Or(c.JobLife, defaultJobLife)
	c.MaxJobResult = cmp.Or(c.MaxJobResult, defaultMaxJobResult)
}
