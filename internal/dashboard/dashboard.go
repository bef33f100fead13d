package dashboard

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/equitylens/equitylens/auth/session"
	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/measure/report"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/store/facts"
)

// Snapshot answers from one snapshot.
type Snapshot interface {
	// ID changes with everything that an answer can depend on but the question.
	ID() string
	Facts() *facts.Snapshot
	Definitions() []measure.Definition
	// Answer is for an audience. It fails as measure.Engine.Evaluate does, or with server.ErrNotPublic.
	Answer(ctx context.Context, asked measure.Question, audience release.Audience) (measure.Result, error)
	Inside
	// Earlier calls use with an engine on the snapshot before this one, or fails with
	// measure.ErrNoSnapshot.
	Earlier(ctx context.Context, use func(*measure.Engine) error) error
}

// Inside answers what only those inside may ask for: nothing of it is released.
type Inside interface {
	Months(ctx context.Context, asked measure.Question) ([]measure.Result, error)
	// Sequences fails as measure.Engine.Sequences does.
	Sequences(ctx context.Context, asked measure.Question, rate string) ([]measure.Sequence, error)
}

// Gate knows who has signed in.
type Gate interface {
	// Signed calls show for somebody who has signed in, and sends everybody else to sign in, from where
	// they come back to the address that they asked for.
	Signed(w http.ResponseWriter, r *http.Request, show func(session.Session))
	// Home shows those who may see no figures what there is for them.
	Home(w http.ResponseWriter, r *http.Request)
	// Agent is somebody in the audit trail.
	Agent(r *http.Request, p session.Person) audit.Agent
}

// Auditor keeps the audit trail. After an error the answer that it is about is not given.
type Auditor interface {
	Note(ctx context.Context, event []byte) error
	// Audit keeps an act of administration, which outlives the machine when it returns.
	Audit(ctx context.Context, event []byte) error
}

// Config is what a Dashboard needs. Hold, Gate, Pages, Reports and Auditor must be set.
type Config struct {
	// Hold calls use with the snapshot that is live now, or fails with measure.ErrNoSnapshot.
	Hold    func(use func(Snapshot) error) error
	Gate    Gate
	Pages   *page.Pages
	Reports *report.Builder
	Audit   audit.Builder
	Auditor Auditor
	// Syncer is the sync that the page about the data shows and starts; nil where there is none.
	Syncer Syncer
	// Runs lists the newest runs of the sync, and Quarantine what one of them refused, as ingest.Runs and
	// ingest.RunQuarantine do; nil where nobody remembers.
	Runs       func(limit int) ([]ingest.RunRecord, error)
	Quarantine func(run string) (ingest.Quarantined, error)
	// WatchFor is the life of a stream of events, Heartbeat how often it shows that it lives; 0 is 5
	// minutes and 15 seconds.
	WatchFor, Heartbeat time.Duration
	// Network says that there is a page about a network of institutions.
	Network bool
	// Software is the version of the program, for files.
	Software string
	// StaleAfter is the age of the data from which a page says that they are old; 0 is 36 hours.
	StaleAfter time.Duration
	// MaxKept bounds the answers that are kept written, in bytes; 0 is 64 MiB.
	MaxKept int
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Logger hears of pages that could not be made; nil means silence.
	Logger *slog.Logger
}

const (
	defaultStaleAfter = 36 * time.Hour
	defaultMaxKept    = 64 << 20
)

// Dashboard serves the pages. It is safe for concurrent use.
type Dashboard struct {
	cfg      Config
	kept     *keeper
	forms    forms
	streams  streams
	calendar calendar
}

// New makes a Dashboard.
func New(cfg Config) (*Dashboard, error) {
	if cfg.Hold == nil || cfg.Gate == nil || cfg.Pages == nil || cfg.Reports == nil || cfg.Auditor == nil {
		return nil, errors.New("dashboard: Hold, Gate, Pages, Reports and Auditor are required")
	}
	if cfg.StaleAfter == 0 {
		cfg.StaleAfter = defaultStaleAfter
	}
	if cfg.MaxKept == 0 {
		cfg.MaxKept = defaultMaxKept
	}
	if cfg.WatchFor == 0 {
		cfg.WatchFor = watchFor
	}
	if cfg.Heartbeat == 0 {
		cfg.Heartbeat = heartbeat
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Dashboard{cfg: cfg, kept: newKeeper(cfg.MaxKept)}, nil
}

// The addresses of the pages. Each has its files below it, in files/.
const (
	OverviewPath    = page.OverviewPath
	MeasurePath     = page.DefinitionsPath + "/"
	DefinitionsPath = page.DefinitionsPath
	ComparePath     = page.ComparePath
	QualityPath     = page.QualityPath
)

// The parts of a path that say what is asked for.
const (
	measureName = "measure"
	fileName    = "file"
)

// Routes are the addresses of the dashboard, for the server's table.
func (d *Dashboard) Routes() []server.Page {
	const (
		own     = "shows what the roles of the session may see, and sends others to sign in"
		measure = MeasurePath + "{" + measureName + ":[A-Za-z0-9_.-]{1,128}}"
		file    = "/files/{" + fileName + ":[A-Za-z0-9_.~-]{1,160}}"
	)
	var routes []server.Page
	add := func(path, files string, build builder) {
		routes = append(routes,
			server.Page{Method: http.MethodGet, Path: path, Session: own, Handler: d.page(build)},
			server.Page{Method: http.MethodGet, Path: files + file, Session: own, Handler: d.file(build)})
	}
	add(OverviewPath, "", d.overview())
	add(DefinitionsPath, DefinitionsPath, d.definitions())
	add(measure, measure, d.measure())
	add(ComparePath, ComparePath, d.compare())
	add(QualityPath, QualityPath, d.quality())
	return append(routes,
		server.Page{Method: http.MethodGet, Path: eventsPath, Session: own, Handler: http.HandlerFunc(d.events)},
		server.Page{Method: http.MethodPost, Path: startPath, Session: own, Handler: http.HandlerFunc(d.start)})
}
