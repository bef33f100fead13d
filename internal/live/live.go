// Package live holds the snapshot that is being served and takes up a new one without dropping a
// request: those in flight end on the snapshot they began with, which is closed after the last.
package live

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/store/facts"
)

// Config says what to serve. Dir and Logger are required.
type Config struct {
	Dir         *facts.Dir
	Definitions []measure.Definition
	// Every is how often CURRENT is looked at; zero means 2 s. It is polled, because file notices do not
	// cross a shared volume.
	Every  time.Duration
	Logger *slog.Logger
}

// Engine answers from the live snapshot. It is a server.Measures and a server.Snapshots.
type Engine struct {
	cfg Config
	mu  sync.RWMutex
	// serving is nil until there is a snapshot.
	serving *held
}

// held is an engine and those who use it.
type held struct {
	engine *measure.Engine
	users  sync.WaitGroup
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

// Refresh takes up the live snapshot if it is another one than is being served.
func (e *Engine) Refresh(ctx context.Context) error {
	id, err := e.cfg.Dir.Current()
	if err != nil {
		return err
	}
	if now, ok := e.Current(); ok && now.ID == id {
		return nil
	}
	snapshot, err := e.cfg.Dir.Snapshot(ctx, id)
	if err != nil {
		return err
	}
	e.replace(&held{engine: measure.NewEngine(snapshot, e.cfg.Definitions)})
	e.cfg.Logger.Info("serving a snapshot", slog.String("snapshot", id))
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

// Definitions lists the measures.
func (e *Engine) Definitions() []measure.Definition { return e.cfg.Definitions }

// Evaluate answers from the snapshot that is live when it is called.
func (e *Engine) Evaluate(ctx context.Context, asked measure.Question) (measure.Result, error) {
	h, ok := e.take()
	if !ok {
		return measure.Result{}, measure.ErrNoSnapshot
	}
	defer h.users.Done()
	return h.engine.Evaluate(ctx, asked)
}

// Current says which snapshot is being served.
func (e *Engine) Current() (server.Snapshot, bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.serving == nil {
		return server.Snapshot{}, false
	}
	info := e.serving.engine.Snapshot().Info
	return server.Snapshot{ID: info.ID, DataAsOf: info.DataAsOf}, true
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
