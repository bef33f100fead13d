package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/store/cache"
)

const (
	// tellEvery is how often progress within a step is told, at most.
	tellEvery = 500 * time.Millisecond
	// lookEvery is how often a server asks what another one says.
	lookEvery = time.Second
	// askFor bounds a question to the cache, which pages do not wait for.
	askFor = 2 * time.Second
)

// statusKey is where the server that syncs tells the others how far it is, for as long as its lock holds
// without being extended.
func statusKey() string { return cache.Key("sync", "status") }

// Current is how far the sync is that runs here or on another server of the cache, else how the last one
// went that is known here.
func (n *night) Current(ctx context.Context) ingest.Status {
	n.mu.Lock()
	own := n.status.Clone()
	speaks := own.Running && n.holds
	n.mu.Unlock()
	if speaks {
		return own
	}
	other, found := n.elsewhere(ctx)
	if found && (other.Running || other.Started.After(own.Started)) {
		return other
	}
	return own
}

// elsewhere is what a server of the cache last told, this one included. A cache that cannot be asked
// tells nothing.
func (n *night) elsewhere(ctx context.Context) (status ingest.Status, found bool) {
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	entry, err := n.api.locker.Store.Get(ctx, statusKey())
	if err == nil {
		err = json.Unmarshal(entry.Value, &status)
	}
	if err != nil && !errors.Is(err, cache.ErrNotFound) && ctx.Err() == nil {
		n.api.logger.Warn("what other servers say of the sync cannot be read", slog.Any("cause", err))
	}
	return status, err == nil
}

// Watch tells the status now and whenever it has changed, until ctx or the program ends. Who is slow
// gets the newest.
func (n *night) Watch(ctx context.Context) <-chan ingest.Status {
	n.mu.Lock()
	life := n.life
	n.mu.Unlock()
	out := make(chan ingest.Status)
	go func() {
		defer close(out)
		if life != nil {
			var cancel context.CancelFunc
			ctx, cancel = context.WithCancel(ctx)
			defer cancel()
			defer context.AfterFunc(life, cancel)()
		}
		n.watch(ctx, out)
	}()
	return out
}

func (n *night) watch(ctx context.Context, out chan<- ingest.Status) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var last []byte
	for {
		changed := n.next()
		now := n.Current(ctx)
		text, err := json.Marshal(now)
		if err != nil {
			n.api.logger.Error("the status of the sync cannot be written", slog.Any("cause", err))
			return
		}
		if !bytes.Equal(text, last) {
			select {
			case out <- now:
				last = text
			case <-ctx.Done():
				return
			}
		}
		select {
		case <-changed:
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// next is closed at the next change.
func (n *night) next() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.changed == nil {
		n.changed = make(chan struct{})
	}
	return n.changed
}

// announce wakes who waits. The caller holds mu.
func (n *night) announce() {
	if n.changed != nil {
		close(n.changed)
		n.changed = nil
	}
}

// change changes the status of the run that is under way, and tells everybody.
func (n *night) change(ctx context.Context, how func(*ingest.Status)) {
	n.mu.Lock()
	how(&n.status)
	n.told = n.api.program.now()
	n.announce()
	n.mu.Unlock()
	n.tell(ctx)
}

// tell keeps the status where other servers find it, if this run speaks for all. One after the other,
// so that the newest is kept. That others are not told is no reason to stop.
func (n *night) tell(ctx context.Context) {
	n.telling.Lock()
	defer n.telling.Unlock()
	n.mu.Lock()
	status, holds := n.status.Clone(), n.holds
	n.mu.Unlock()
	if !holds {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askFor)
	defer cancel()
	text, err := json.Marshal(status)
	if err == nil {
		err = n.api.locker.Store.Set(ctx, statusKey(), text, lockLife)
	}
	if err != nil {
		n.api.logger.Warn("other servers are not told of the sync", slog.Any("cause", err))
	}
}

// hold notes that the run speaks for all servers from now on.
func (n *night) hold(ctx context.Context) {
	n.mu.Lock()
	n.holds = true
	n.mu.Unlock()
	n.change(ctx, func(*ingest.Status) {})
}

// begin notes which source is asked.
func (n *night) begin(ctx context.Context, source ingest.Source) {
	n.change(ctx, func(s *ingest.Status) { s.Source = source.Name() })
}

// progress keeps how far a source is, and tells it where a step begins, or once in a while.
func (n *night) progress(ctx context.Context, p ingest.Progress) {
	n.mu.Lock()
	before := n.status.Progress
	within := before != nil && before.Phase == p.Phase && before.Step == p.Step
	if within && n.api.program.now().Sub(n.told) < tellEvery {
		n.status.Progress = &p
		n.mu.Unlock()
		return
	}
	n.mu.Unlock()
	n.change(ctx, func(s *ingest.Status) { s.Progress = &p })
}

// end notes that the run is over. It does so once.
func (n *night) end(ctx context.Context, err error) {
	n.mu.Lock()
	over := !n.status.Running
	n.mu.Unlock()
	if over {
		return
	}
	n.change(ctx, func(s *ingest.Status) {
		s.Running, s.Ended = false, n.api.program.now()
		s.Source, s.Progress = "", nil
		if err != nil {
			s.Failure = err.Error()
		}
	})
	n.mu.Lock()
	n.holds = false
	n.mu.Unlock()
}
