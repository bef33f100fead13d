// Package live holds the snapshot that is being served and takes up a new one without dropping a
// request: those in flight end on the snapshot they began with, which is closed after the last.
package live

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/equitylens/equitylens/internal/imports"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/store/facts"
)

// Config says what to serve. Dir and Logger are required.
type Config struct {
	Dir         *facts.Dir
	Definitions []measure.Definition
	// Desk answers for the regulator and the public. Nil means that nothing is public.
	Desk *release.Desk
	// Every is how often CURRENT and the imports are looked at; zero means 2 s. It is polled, because file notices do not
	// cross a shared volume.
	Every  time.Duration
	Logger *slog.Logger
}

// Engine answers from the live snapshot. It is a server.Measures, Members, Patients, Releases, Reports,
// Importer and Snapshots.
type Engine struct {
	cfg Config
	mu  sync.RWMutex
	// serving is nil until there is a snapshot.
	serving *held
}

// held is an engine and those who use it.
type held struct {
	// id is the snapshot's, and says which imports are beside it.
	id     string
	engine *measure.Engine
	kept   *kept
	users  sync.WaitGroup
}

// newHeld keeps the answers of an engine. An evaluation is a user of its own: it may go on after those
// who asked for it have left, until it notices.
func newHeld(id string, engine *measure.Engine) *held {
	h := &held{id: id, engine: engine}
	h.kept = newKept(func(ctx context.Context, q measure.Question) (measure.Result, error) {
		defer h.users.Done()
		return h.engine.Evaluate(ctx, q)
	}, func() { h.users.Add(1) }, maxCells)
	return h
}

// New returns an Engine on the live snapshot, if there is one yet.
func New(ctx context.Context, cfg Config) (*Engine, error) {
	if cfg.Every == 0 {
		cfg.Every = 2 * time.Second
	}
	e := &Engine{cfg: cfg}
	if err := e.Refresh(ctx); err != nil && !errors.Is(err, facts.ErrNoSnapshot) {
		return nil, err
	}
	return e, nil
}

// Run takes up new snapshots until ctx ends. What is being served stays until Close, because requests
// in flight may still ask for it.
func (e *Engine) Run(ctx context.Context) error {
	tick := time.NewTicker(e.cfg.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := e.Refresh(ctx); err != nil && !errors.Is(err, facts.ErrNoSnapshot) && ctx.Err() == nil {
			e.cfg.Logger.Error("the new snapshot cannot be served; the old one stays", slog.Any("cause", err))
		}
	}
}

// Refresh takes up the live snapshot and the imports if they are other ones than are being served.
func (e *Engine) Refresh(ctx context.Context) error {
	id, err := e.cfg.Dir.Current()
	if err != nil {
		return err
	}
	version, err := imports.Version(e.cfg.Dir)
	if err != nil {
		return err
	}
	name := id
	if version != "" {
		name += "+" + version
	}
	if now, ok := e.Current(); ok && now.ID == name {
		return nil
	}
	imported, err := imports.Load(e.cfg.Dir)
	if err != nil {
		return err
	}
	snapshot, err := e.cfg.Dir.Snapshot(ctx, id)
	if err != nil {
		return err
	}
	e.replace(newHeld(name, measure.NewEngine(snapshot, e.cfg.Definitions).WithImports(imported)))
	e.cfg.Logger.Info("serving a snapshot", slog.String("snapshot", id), slog.Int("imports", len(imported)))
	return nil
}

func (e *Engine) replace(next *held) {
	e.mu.Lock()
	old := e.serving
	e.serving = next
	e.mu.Unlock()
	if old == nil {
		return
	}
	// Whoever asked for the old one did so before it was replaced, so nobody joins while this waits.
	go func() {
		old.users.Wait()
		if err := old.engine.Snapshot().Close(); err != nil {
			e.cfg.Logger.Error("an old snapshot cannot be closed", slog.Any("cause", err))
		}
	}()
}

// take returns the engine that is being served, held until the caller lets go of it.
func (e *Engine) take() (*held, bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.serving == nil {
		return nil, false
	}
	e.serving.users.Add(1)
	return e.serving, true
}

// Definitions lists the measures, imported ones included.
func (e *Engine) Definitions() []measure.Definition {
	h, ok := e.take()
	if !ok {
		return e.cfg.Definitions
	}
	defer h.users.Done()
	return h.engine.Definitions()
}

// Definitions and Evaluate make one snapshot a release.Engine.
func (h *held) Definitions() []measure.Definition { return h.engine.Definitions() }

// Evaluate answers from the snapshot that is held.
func (h *held) Evaluate(ctx context.Context, asked measure.Question) (measure.Result, error) {
	return h.kept.ask(ctx, asked)
}

// Release answers for the regulator or the public.
func (e *Engine) Release(
	ctx context.Context, asked measure.Question, audience string,
) (measure.Result, error) {
	h, ok := e.take()
	if !ok {
		return measure.Result{}, measure.ErrNoSnapshot
	}
	defer h.users.Done()
	view := View{engine: e, held: h}
	return view.Answer(ctx, asked, release.Audience(audience))
}

// Import keeps what another engine computed and serves it.
func (e *Engine) Import(ctx context.Context, all []measure.Import) error {
	if err := imports.Save(e.cfg.Dir, all); err != nil {
		return err
	}
	if err := e.Refresh(ctx); err != nil && !errors.Is(err, facts.ErrNoSnapshot) {
		return err
	}
	return nil
}

// Evaluate answers from the snapshot that is live when it is called.
func (e *Engine) Evaluate(ctx context.Context, asked measure.Question) (measure.Result, error) {
	h, ok := e.take()
	if !ok {
		return measure.Result{}, measure.ErrNoSnapshot
	}
	defer h.users.Done()
	return h.kept.ask(ctx, asked)
}

// Months is measure.Engine.Months on the live snapshot.
func (e *Engine) Months(ctx context.Context, asked measure.Question) ([]measure.Result, error) {
	h, ok := e.take()
	if !ok {
		return nil, measure.ErrNoSnapshot
	}
	defer h.users.Done()
	return h.engine.Months(ctx, asked)
}

// Members is measure.Engine.Members on the live snapshot.
func (e *Engine) Members(
	ctx context.Context, asked measure.Question, yield func(measure.Member) error,
) error {
	h, ok := e.take()
	if !ok {
		return measure.ErrNoSnapshot
	}
	defer h.users.Done()
	return h.engine.Members(ctx, asked, yield)
}

// Patient reports whether the live snapshot holds a patient.
func (e *Engine) Patient(ctx context.Context, id phi.ID) (known bool, err error) {
	h, ok := e.take()
	if !ok {
		return false, measure.ErrNoSnapshot
	}
	defer h.users.Done()
	return h.engine.HasPatient(ctx, id)
}

// Stored lists the reports that were counted before the live snapshot was published: months, quarters
// and years. For the public they are those that were released.
func (e *Engine) Stored(ctx context.Context, audience string) ([]server.Stored, error) {
	h, ok := e.take()
	if !ok {
		return nil, nil
	}
	defer h.users.Done()
	if audience == string(release.Public) {
		return e.released(ctx)
	}
	periods, err := h.engine.StoredPeriods(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]server.Stored, len(periods))
	for i, p := range periods {
		out[i] = server.Stored{Measure: p.Measure, Period: p.Period, Date: h.engine.Snapshot().Info.CreatedAt,
			Complete: p.Complete}
	}
	return out, nil
}

func (e *Engine) released(ctx context.Context) ([]server.Stored, error) {
	if e.cfg.Desk == nil {
		return nil, nil
	}
	all, err := e.cfg.Desk.Released(ctx)
	if err != nil {
		return nil, err
	}
	var out []server.Stored
	for _, r := range all {
		for _, result := range r.Results {
			if result.Policy == "" {
				out = append(out, server.Stored{
					Measure: result.Measure, Period: r.Period, Date: r.Created, Complete: result.Complete,
				})
			}
		}
	}
	return out, nil
}

// Current says which snapshot is being served.
func (e *Engine) Current() (server.Snapshot, bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.serving == nil {
		return server.Snapshot{}, false
	}
	info := e.serving.engine.Snapshot().Info
	return server.Snapshot{ID: e.serving.id, DataAsOf: info.DataAsOf}, true
}

// Close waits for those in flight and closes the snapshot.
func (e *Engine) Close() error {
	e.mu.Lock()
	old := e.serving
	e.serving = nil
	e.mu.Unlock()
	if old == nil {
		return nil
	}
	old.users.Wait()
	return old.engine.Snapshot().Close()
}
