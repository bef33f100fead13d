package bulk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/equitylens/equitylens/fhir/client"
)

// Decisions that a caller makes on an error of Run.
var (
	// ErrExpired says that the server has forgotten the job or a file of it. The run folder has been
	// cleared; the next Run starts a new export, which is worth one try.
	ErrExpired = errors.New("the export has expired on the server")
	// ErrFailed says that the server gave the job up.
	ErrFailed = errors.New("the server gave the export up")
	// ErrBusy says that the server kept answering 429 to the kick-off: another job of ours is running.
	ErrBusy = errors.New("the server runs another export of this client")
	// ErrOtherRequest says that the run folder holds another export. Config.Restart discards it.
	ErrOtherRequest = errors.New("the run folder holds another export")
	// ErrTooLong says that the job was still running after Config.JobTimeout.
	ErrTooLong = errors.New("the export takes longer than is allowed")
)

// Config says what to export, to where and with how much patience. Client and Dir are required;
// every other zero value means what its comment says.
type Config struct {
	Client *client.Client
	// Dir is the run folder. It is made if missing; what else lies in it is left alone.
	Dir     string
	Request Request
	// Restart forgets an earlier run in Dir instead of going on with it.
	Restart bool
	// Keep leaves the job on the server afterwards.
	Keep bool

	// Parallel is how many files are fetched at a time. Zero means 3.
	Parallel int
	// FileTries is how often one file is fetched at most. Zero means 8, some two minutes of waits.
	FileTries int
	// PollFirst is the first wait where the server does not ask for one, doubled up to two minutes.
	// Zero means 1 s.
	PollFirst time.Duration
	// PollMax clamps what a server may ask for. Zero means 1 h: five were seen, and epoch seconds.
	PollMax time.Duration
	// PollTries is how many polls in a row may fail for a passing reason. Zero means 12, half an hour.
	PollTries int
	// BusyTries is how often a kick-off is repeated while another job runs. Zero means 24.
	BusyTries int
	// JobTimeout bounds a job from its kick-off. Zero means 30 days: jobs of weeks were seen.
	JobTimeout time.Duration
	// Limits guards the unpacking of files.
	Limits Limits

	// Progress hears how far the run is, from one goroutine at a time. It must not block. Nil is fine.
	Progress func(Progress)
	// Logger hears of what was odd and survived. Nil means silence.
	Logger *slog.Logger
}

// The defaults, whose reasons stand at the fields of Config.
const (
	defaultParallel   = 3
	defaultFileTries  = 8
	defaultPollFirst  = time.Second
	defaultPollMax    = time.Hour
	defaultPollTries  = 12
	defaultBusyTries  = 24
	defaultJobTimeout = 30 * 24 * time.Hour
)

// withDefaults returns cfg with its zero values replaced.
func (cfg Config) withDefaults() Config {
	count := func(n *int, fallback int) {
		if *n <= 0 {
			*n = fallback
		}
	}
	span := func(d *time.Duration, fallback time.Duration) {
		if *d <= 0 {
			*d = fallback
		}
	}
	count(&cfg.Parallel, defaultParallel)
	count(&cfg.FileTries, defaultFileTries)
	count(&cfg.PollTries, defaultPollTries)
	count(&cfg.BusyTries, defaultBusyTries)
	span(&cfg.PollFirst, defaultPollFirst)
	span(&cfg.PollMax, defaultPollMax)
	span(&cfg.JobTimeout, defaultJobTimeout)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return cfg
}

// Exporter makes one export into one folder. It is not for concurrent use, and two of them must not
// share a folder.
type Exporter struct {
	cfg         Config
	c           *client.Client
	folder      *folder
	fingerprint string
	progress    progress
}

// New checks the configuration. It sends nothing and writes nothing yet.
func New(cfg Config) (*Exporter, error) {
	cfg = cfg.withDefaults()
	var faults []error
	if cfg.Client == nil {
		faults = append(faults, errors.New("client: missing"))
	}
	if cfg.Dir == "" {
		faults = append(faults, errors.New("dir: missing"))
	}
	if err := errors.Join(append(faults, cfg.Request.check())...); err != nil {
		return nil, fmt.Errorf("bulk: check configuration: %w", err)
	}
	fingerprint, err := cfg.Request.fingerprint(cfg.Client)
	if err != nil {
		return nil, fmt.Errorf("bulk: %w", err)
	}
	return &Exporter{
		cfg: cfg, c: cfg.Client, folder: &folder{dir: cfg.Dir}, fingerprint: fingerprint,
		progress: progress{hear: cfg.Progress},
	}, nil
}

// Run makes the export, or goes on with the one that an earlier Run left in the folder. When ctx
// ends the job is left on the server and the folder as it is, so that a later Run can go on; Cancel
// gives both up. The Export is good if err is nil, and even then it may be partial.
func (e *Exporter) Run(ctx context.Context) (Export, error) {
	export, err := e.run(ctx)
	if errors.Is(err, ErrExpired) {
		err = errors.Join(err, e.folder.clear())
	}
	if err = errors.Join(err, e.folder.closeJournal()); err != nil {
		return Export{}, fmt.Errorf("bulk: %w", err)
	}
	return export, nil
}

// run takes the steps in order; each finds out by itself whether it was taken before.
func (e *Exporter) run(ctx context.Context) (Export, error) {
	s, err := e.open()
	if err != nil {
		return Export{}, err
	}
	if s == nil {
		if s, err = e.start(ctx); err != nil {
			return Export{}, err
		}
	}
	if err := e.list(ctx, s); err != nil {
		return Export{}, err
	}
	done, failed, err := e.download(ctx, s)
	if err != nil {
		return Export{}, err
	}
	export, err := e.assemble(s, done, failed)
	if err != nil {
		return Export{}, err
	}
	// A file that could not be fetched may be there tomorrow, so the job is not given up yet.
	if !s.Closed && len(failed) == 0 {
		if !e.cfg.Keep {
			e.forget(ctx, s)
		}
		s.Closed = true
		if err := e.folder.save(s); err != nil {
			return Export{}, err
		}
	}
	e.progress.phase(Done)
	return export, nil
}

// open returns the state to go on with, nil for a new export into a clean folder.
func (e *Exporter) open() (*state, error) {
	if err := os.MkdirAll(e.cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make run folder: %w", err)
	}
	if !e.cfg.Restart {
		s, err := e.folder.load(e.fingerprint)
		if err != nil || s != nil {
			return s, err
		}
	}
	// One Run restarts; the same Exporter run again goes on.
	e.cfg.Restart = false
	return nil, e.folder.clear()
}

// Cancel tells the server to give up the job that is in the folder, if any, and clears the folder.
func (e *Exporter) Cancel(ctx context.Context) error {
	s, err := e.folder.load(e.fingerprint)
	if err != nil {
		return fmt.Errorf("bulk: %w", err)
	}
	if s == nil {
		return nil
	}
	if !s.Closed {
		e.forget(ctx, s)
	}
	if err := e.folder.clear(); err != nil {
		return fmt.Errorf("bulk: %w", err)
	}
	return nil
}
