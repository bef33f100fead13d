package cachetest

import (
	"errors"
	"testing"
	"time"

	"github.com/equitylens/equitylens/store/cache"
)

// frozen is a clock that stands still, so that rising tokens do not come from it.
func frozen() time.Time { return time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC) }

// locks acquires, extends and releases in turn.
func locks(t *testing.T, h Home) {
	ctx := t.Context()
	locker := cache.Locker{Store: h.Store, Now: frozen}
	var last uint64
	for range 3 {
		lock, err := locker.Acquire(ctx, "sync", time.Minute)
		must(t, err)
		if lock.Token <= last {
			t.Errorf("token %d after %d, want it to rise", lock.Token, last)
		}
		last = lock.Token
		if _, err := locker.Acquire(ctx, "sync", time.Minute); !errors.Is(err, cache.ErrHeld) {
			t.Errorf("second Acquire = %v, want ErrHeld", err)
		}
		other, err := locker.Acquire(ctx, "another", time.Minute)
		must(t, err)
		must(t, other.Release(ctx))
		must(t, lock.Extend(ctx, time.Hour))
		must(t, lock.Release(ctx))
		if err := lock.Release(ctx); !errors.Is(err, cache.ErrLost) {
			t.Errorf("second Release = %v, want ErrLost", err)
		}
	}
}

// lostLocks lets a holder sleep beyond its time: the next holder has a larger token, and the
// sleeper can neither extend nor release what is not its own.
func lostLocks(t *testing.T, h Home) {
	ctx := t.Context()
	locker := cache.Locker{Store: h.Store, Now: frozen}
	const ttl = 40 * time.Millisecond
	sleeper, err := locker.Acquire(ctx, "sync", ttl)
	must(t, err)
	h.Advance(ttl)
	if err := sleeper.Extend(ctx, time.Minute); !errors.Is(err, cache.ErrLost) {
		t.Errorf("Extend after expiry = %v, want ErrLost", err)
	}
	next, err := locker.Acquire(ctx, "sync", time.Minute)
	must(t, err)
	if next.Token <= sleeper.Token {
		t.Errorf("token %d after %d, want it to rise", next.Token, sleeper.Token)
	}
	if err := sleeper.Extend(ctx, time.Minute); !errors.Is(err, cache.ErrLost) {
		t.Errorf("Extend of another's lock = %v, want ErrLost", err)
	}
	if err := sleeper.Release(ctx); !errors.Is(err, cache.ErrLost) {
		t.Errorf("Release of another's lock = %v, want ErrLost", err)
	}
	must(t, next.Extend(ctx, time.Minute))
	must(t, next.Release(ctx))
}

// manyLocks wants one lock many times.
func manyLocks(t *testing.T, h Home) {
	locker := cache.Locker{Store: h.Store, Now: frozen}
	wins := race(t, func(int) (bool, error) {
		_, err := locker.Acquire(t.Context(), "sync", time.Minute)
		if errors.Is(err, cache.ErrHeld) {
			return false, nil
		}
		return err == nil, err
	})
	if wins != 1 {
		t.Errorf("%d of %d won, want 1", wins, Racers)
	}
}
