package cache

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// ErrHeld means that another holds the lock.
var ErrHeld = errors.New("cache: lock held by another")

// ErrLost means that the lock is not ours any more: it expired, and perhaps another has it.
var ErrLost = errors.New("cache: lock lost")

// fenceTTL is how long the last token is remembered. Afterwards, and after a store that came
// back empty, the clock keeps tokens rising.
const fenceTTL = 90 * 24 * time.Hour

// Locker hands out named locks that live in a Store, so that they hold between processes.
type Locker struct {
	// Store keeps the locks.
	Store Store
	// Now is the clock that gives tokens their floor; it does not decide who holds a lock.
	Now func() time.Time
}

// Lock is a lock that was acquired. It may be lost at any time, when its holder is paused beyond
// the TTL: what it protects has to be protected by Token.
type Lock struct {
	// Token is larger than every token handed out for the same name before. Whoever writes under
	// the lock hands it along, and the place that is written refuses a token smaller than the
	// largest it has seen.
	Token uint64

	store Store
	key   string
}

// Acquire takes the lock called name for ttl, or returns ErrHeld without waiting for it.
func (l Locker) Acquire(ctx context.Context, name string, ttl time.Duration) (*Lock, error) {
	for range acquireTries {
		lock, err := l.try(ctx, name, ttl)
		if err == nil {
			return lock, nil
		}
		if errors.Is(err, ErrConflict) {
			err = l.settle(ctx, name)
		}
		if errors.Is(err, ErrHeld) {
			return nil, ErrHeld
		}
		if err != nil {
			return nil, fmt.Errorf("cache: acquire lock: %w", err)
		}
	}
	return nil, ErrHeld
}

// acquireTries bounds how often Acquire is overtaken by others that take the lock and give it
// back while it looks.
const acquireTries = 3

// settle finds out why try met a conflict: ErrHeld if somebody has the lock, nil if another try
// may succeed.
func (l Locker) settle(ctx context.Context, name string) error {
	_, err := l.Store.Get(ctx, Key("lock", name))
	if err == nil {
		return ErrHeld
	}
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	// Under a new sealing key the last token cannot be read, and its key would look changed for
	// as long as it lives. It may go: the clock keeps tokens rising.
	_, err = l.Store.Get(ctx, Key("fence", name))
	if errors.Is(err, ErrNotFound) {
		return l.Store.Delete(ctx, Key("fence", name))
	}
	return err
}

// try acquires the lock, or returns ErrConflict when lock or last token are not as it saw them.
func (l Locker) try(ctx context.Context, name string, ttl time.Duration) (*Lock, error) {
	lockKey, fenceKey := Key("lock", name), Key("fence", name)
	fence, err := l.Store.Get(ctx, fenceKey)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	token := uint64(max(l.Now().UnixMicro(), 1))
	if len(fence.Value) == 8 {
		token = max(token, binary.BigEndian.Uint64(fence.Value)+1)
	}
	value := binary.BigEndian.AppendUint64(nil, token)
	err = l.Store.Apply(ctx, Batch{
		If: []Condition{
			{Key: lockKey, Version: Absent},
			{Key: fenceKey, Version: fence.Version},
		},
		Put: []Put{
			{Key: lockKey, Value: value, TTL: ttl},
			{Key: fenceKey, Value: value, TTL: fenceTTL},
		},
	})
	if err != nil {
		return nil, err
	}
	return &Lock{Token: token, store: l.Store, key: lockKey}, nil
}

// Extend lets the lock live for ttl from now on, or returns ErrLost.
func (k *Lock) Extend(ctx context.Context, ttl time.Duration) error {
	e, err := k.mine(ctx)
	if err != nil {
		return fmt.Errorf("cache: extend lock: %w", err)
	}
	err = k.store.Apply(ctx, Batch{
		If:  []Condition{{Key: k.key, Version: e.Version}},
		Put: []Put{{Key: k.key, Value: e.Value, TTL: ttl}},
	})
	return k.settled("extend", err)
}

// Release gives the lock back. It never takes it from another: ErrLost says that it was not
// ours any more.
func (k *Lock) Release(ctx context.Context) error {
	e, err := k.mine(ctx)
	if err != nil {
		return fmt.Errorf("cache: release lock: %w", err)
	}
	err = k.store.Apply(ctx, Batch{
		If:  []Condition{{Key: k.key, Version: e.Version}},
		Del: []string{k.key},
	})
	return k.settled("release", err)
}

// mine reads the lock and makes sure that it carries our token.
func (k *Lock) mine(ctx context.Context) (Entry, error) {
	e, err := k.store.Get(ctx, k.key)
	if errors.Is(err, ErrNotFound) {
		return Entry{}, ErrLost
	}
	if err != nil {
		return Entry{}, err
	}
	if len(e.Value) != 8 || binary.BigEndian.Uint64(e.Value) != k.Token {
		return Entry{}, ErrLost
	}
	return e, nil
}

// settled names the outcome of a change of a lock that was ours a moment ago.
func (k *Lock) settled(op string, err error) error {
	if errors.Is(err, ErrConflict) {
		return fmt.Errorf("cache: %s lock: %w", op, ErrLost)
	}
	if err != nil {
		return fmt.Errorf("cache: %s lock: %w", op, err)
	}
	return nil
}
