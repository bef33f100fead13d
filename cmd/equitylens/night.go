package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/store/cache"
	"github.com/equitylens/equitylens/store/facts"
)

// night is the run that pulls from every source: on the schedule of the configuration, or because
// somebody asked for it. One runs at a time, here and on all servers of one cache. It is a
// server.Syncer.
type night struct {
	api *api

	mu sync.Mutex
	// life ends when the program does; nil before it serves. It is kept because a run outlives the
	// request that asked for it.
	life   context.Context
	status ingest.Status
	// changed is closed and replaced when the status changes; nil until somebody waits for that.
	changed chan struct{}
	// holds says that this run has the lock of all servers, and so speaks for all.
	holds bool
	// told is when progress was last told.
	told time.Time
	done sync.WaitGroup

	// telling is held while others are told.
	telling sync.Mutex
}

// live lets runs begin until ctx ends.
func (n *night) live(ctx context.Context) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.life = ctx
}

// Start implements server.Syncer.
func (n *night) Start(ctx context.Context) error {
	if other, found := n.elsewhere(ctx); found && other.Running {
		return server.ErrRunning
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.life == nil || n.life.Err() != nil {
		return errors.New("the program is not serving")
	}
	if n.status.Running {
		return server.ErrRunning
	}
	n.status = ingest.Status{Running: true, Started: n.api.program.now()}
	n.holds = false
	n.announce()
	life := n.life
	n.done.Go(func() { n.run(life) })
	return nil
}

// Status implements server.Syncer.
func (n *night) Status() any { return n.Current(context.Background()) }

// wait returns once no run is under way. None begins after the life of the program.
func (n *night) wait() { n.done.Wait() }

// schedule starts runs on the cron line of the configuration. One that is still going is not overtaken.
func (n *night) schedule(ctx context.Context) error {
	cfg := n.api.cfg
	location := time.Local
	if zone, err := cfg.Location(); err == nil && zone != nil {
		location = zone
	}
	runner := cron.New(cron.WithLocation(location))
	_, err := runner.AddFunc(cfg.Sync.Schedule, func() {
		if err := n.Start(ctx); err != nil {
			n.api.logger.Info("the sync of the schedule did not begin", slog.Any("cause", err))
		}
	})
	if err != nil {
		return fmt.Errorf("sync.schedule: %w", err)
	}
	runner.Start()
	<-ctx.Done()
	<-runner.Stop().Done()
	return nil
}

// lockLife is how long the lock of a sync holds without being extended.
const lockLife = 2 * time.Minute

// run syncs every source under a lock that all servers of one cache share. The data directory has a lock
// and a fence of its own, so that even a lock that was lost cannot publish twice.
func (n *night) run(ctx context.Context) {
	a := n.api
	err := n.sync(ctx)
	n.end(ctx, err)
	if err != nil {
		a.logger.Error("no source was synced", slog.Any("cause", err))
	}
	if err := a.live.Refresh(ctx); err != nil && !errors.Is(err, facts.ErrNoSnapshot) {
		a.logger.Error("the new snapshot cannot be served", slog.Any("cause", err))
	}
}

func (n *night) sync(ctx context.Context) (err error) {
	a := n.api
	lock, err := a.locker.Acquire(ctx, "sync", lockLife)
	if errors.Is(err, cache.ErrHeld) {
		return errors.New("another server is syncing")
	}
	if err != nil {
		return fmt.Errorf("the lock of the sync cannot be had: %w", err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go n.extend(ctx, lock, cancel)
	defer func() { _ = lock.Release(context.WithoutCancel(ctx)) }()
	n.hold(ctx)
	// Before the lock goes, so that nobody else's status is overwritten.
	defer func() { n.end(ctx, err) }()
	sources, err := a.program.sources(ctx, a.cfg, syncFlags{})
	if err != nil {
		return err
	}
	for _, source := range sources {
		n.begin(ctx, source)
		report, err := a.program.syncOne(ctx, a.cfg, source, syncFlags{}, func(p ingest.Progress) {
			n.progress(ctx, p)
		})
		n.note(ctx, source, report, err)
	}
	return nil
}

// extend keeps the lock of the sync, and what others are told of it, alive.
func (n *night) extend(ctx context.Context, lock *cache.Lock, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(lockLife / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := lock.Extend(ctx, lockLife); err != nil {
				cancel(fmt.Errorf("the lock of the sync was lost: %w", err))
				return
			}
			n.change(ctx, func(*ingest.Status) {})
		}
	}
}

// note keeps and logs what came of a source.
func (n *night) note(ctx context.Context, source ingest.Source, report ingest.Report, err error) {
	share := ingest.Share{
		Source: source.Name(), Snapshot: report.Snapshot, Complete: report.Complete,
		Outcome: ingest.OutcomeOf(ctx, report, err),
	}
	if err != nil {
		share.Failure = err.Error()
	}
	n.change(ctx, func(s *ingest.Status) {
		s.Sources = append(s.Sources, share)
		s.Source, s.Progress = "", nil
	})
	fields := []any{
		slog.String("source", source.Name()), slog.String("snapshot", report.Snapshot),
		slog.Bool("complete", report.Complete), slog.Int64("orphans", report.Orphans),
	}
	if err != nil {
		n.api.logger.Error("the sync did not end well", append(fields, slog.Any("cause", err))...)
		return
	}
	n.api.logger.Info("synced", fields...)
}
