package grant_test

import (
	"sync"
	"testing"
	"time"

	"github.com/equitylens/equitylens/internal/worldtest"
	"github.com/equitylens/equitylens/store/cache"
)

// racers is how many attempts at one code or token start at once.
const racers = 1000

// race lets racers use one thing at the two desks of one home, and counts who got tokens.
func race(
	t *testing.T, desks [2]*desk, use func(d *desk) (pair, error),
) (won []pair, took time.Duration) {
	t.Helper()
	var mu sync.Mutex
	var wait sync.WaitGroup
	gate := make(chan struct{})
	for i := range racers {
		wait.Go(func() {
			<-gate
			got, err := use(desks[i%2])
			if err != nil {
				if !spent(err) {
					t.Errorf("attempt %d = %v, want invalid grant", i, err)
				}
				return
			}
			mu.Lock()
			defer mu.Unlock()
			won = append(won, got)
		})
	}
	began := time.Now()
	close(gate)
	wait.Wait()
	return won, time.Since(began)
}

// oneWins holds a race to its rule: one got tokens, and since the others have shown that more
// than one holds the thing, these do not last.
func oneWins(t *testing.T, desks [2]*desk, what string, use func(d *desk) (pair, error)) {
	t.Helper()
	won, took := race(t, desks, use)
	t.Logf("%d concurrent uses of one %s by two storages: %d succeeded, in %v",
		racers, what, len(won), took)
	if len(won) != 1 {
		t.Fatalf("%d of %d uses of one %s succeeded, want 1", len(won), racers, what)
	}
	for i, d := range desks {
		if d.live(t, won[0].access) || d.usable(t, won[0].refresh) {
			t.Errorf("desk %d: the tokens of the winner outlive the second use", i)
		}
	}
	for _, d := range desks {
		for _, token := range d.spy.refreshes {
			if d.usable(t, token) {
				t.Errorf("a refresh token that was made is usable after the race")
			}
		}
	}
}

// manyUsesOfACode uses one code a thousand times.
func manyUsesOfACode(t *testing.T, open func(*testing.T, *worldtest.Clock) func() cache.Store) {
	t.Helper()
	c := newClock()
	store := open(t, c)
	desks := [2]*desk{newDesk(store(), c), newDesk(store(), c)}
	code, err := desks[0].authorize(t.Context(), session("ada"))
	must(t, err)
	oneWins(t, desks, "code", func(d *desk) (pair, error) {
		return d.exchange(t.Context(), code, verifier)
	})
}

// manyUsesOfARefreshToken uses one refresh token a thousand times.
func manyUsesOfARefreshToken(t *testing.T, open func(*testing.T, *worldtest.Clock) func() cache.Store) {
	t.Helper()
	c := newClock()
	store := open(t, c)
	desks := [2]*desk{newDesk(store(), c), newDesk(store(), c)}
	_, first := desks[0].begin(t, "ada")
	oneWins(t, desks, "refresh token", func(d *desk) (pair, error) {
		return d.renew(t.Context(), first.refresh)
	})
}

func TestOfManyUsesOfACodeOneSucceedsOnMemory(t *testing.T) {
	t.Parallel()
	manyUsesOfACode(t, onMemory)
}

func TestOfManyUsesOfACodeOneSucceedsOnRedis(t *testing.T) {
	t.Parallel()
	manyUsesOfACode(t, onRedis)
}

func TestOfManyUsesOfARefreshTokenOneSucceedsOnMemory(t *testing.T) {
	t.Parallel()
	manyUsesOfARefreshToken(t, onMemory)
}

func TestOfManyUsesOfARefreshTokenOneSucceedsOnRedis(t *testing.T) {
	t.Parallel()
	manyUsesOfARefreshToken(t, onRedis)
}
