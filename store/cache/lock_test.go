package cache_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/equitylens/equitylens/store/cache"
)

// overtaken is a store on which something happens after the first read.
type overtaken struct {
	cache.Store
	after func()
	once  sync.Once
}

func (o *overtaken) Get(ctx context.Context, key string) (cache.Entry, error) {
	e, err := o.Store.Get(ctx, key)
	o.once.Do(o.after)
	return e, err
}

// TestTokenRisesWhenOvertaken has another take and release the lock just after the last token
// was read, while the clock stands still: the token read is old, and must not be handed out.
func TestTokenRisesWhenOvertaken(t *testing.T) {
	t.Parallel()
	c := newClock()
	inside := cache.NewMemory(cache.MemoryConfig{Now: c.Now})
	direct := cache.Locker{Store: inside, Now: c.Now}
	var other *cache.Lock
	slow := cache.Locker{Now: c.Now, Store: &overtaken{Store: inside, after: func() {
		var err error
		other, err = direct.Acquire(t.Context(), "sync", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if err := other.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
	}}}
	lock, err := slow.Acquire(t.Context(), "sync", time.Minute)
	if err != nil {
		t.Fatalf("Acquire of a free lock = %v", err)
	}
	if lock.Token <= other.Token {
		t.Errorf("token %d after %d, want it to rise", lock.Token, other.Token)
	}
}
