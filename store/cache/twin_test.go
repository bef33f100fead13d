package cache_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/store/cache"
	"github.com/equitylens/equitylens/store/cache/cachetest"
)

// twin plays one history on one store and writes down what it was told.
type twin struct {
	store   cache.Store
	run     string
	seen    map[string]cache.Version
	history []string
}

// step is one operation of a history.
type step struct {
	op, key, value string
}

func (w *twin) play(ctx context.Context, s step) {
	key := cache.Key(s.key, w.run)
	var said string
	var err error
	switch s.op {
	case "get":
		var e cache.Entry
		e, err = w.store.Get(ctx, key)
		w.seen[key] = e.Version
		said = string(e.Value)
	case "set":
		err = w.store.Set(ctx, key, []byte(s.value), time.Hour)
	case "absent":
		var won bool
		won, err = w.store.SetIfAbsent(ctx, key, []byte(s.value), time.Hour)
		said = fmt.Sprint(won)
	case "take":
		var v []byte
		v, err = w.store.Take(ctx, key)
		said = string(v)
	case "delete":
		err = w.store.Delete(ctx, key)
	case "swap":
		err = w.store.Apply(ctx, cache.Batch{
			If:  []cache.Condition{{Key: key, Version: w.seen[key]}},
			Put: []cache.Put{{Key: cache.Key("other", w.run), Value: []byte(s.value), TTL: time.Hour}},
			Del: []string{key},
		})
	}
	for _, known := range []error{cache.ErrNotFound, cache.ErrConflict} {
		if errors.Is(err, known) {
			err = known
		}
	}
	w.history = append(w.history, fmt.Sprintf("%s %s %q: %q, %v", s.op, s.key, s.value, said, err))
}

// TestTwins plays random histories on memory and on a sealed Redis: both say the same.
func TestTwins(t *testing.T) {
	t.Parallel()
	redis := sealed(t, cachetest.StartRedis(t).Open(t))
	ops := []string{"get", "set", "absent", "take", "delete", "swap"}
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		run := fmt.Sprint(runs)
		a := &twin{
			store: cache.NewMemory(cache.MemoryConfig{}), run: run, seen: map[string]cache.Version{},
		}
		b := &twin{store: redis, run: run, seen: map[string]cache.Version{}}
		for _, s := range rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) step {
			return step{
				op:    rapid.SampledFrom(ops).Draw(rt, "op"),
				key:   rapid.SampledFrom([]string{"a", "b", "other"}).Draw(rt, "key"),
				value: rapid.StringN(0, 3, -1).Draw(rt, "value"),
			}
		}), 1, 30).Draw(rt, "steps") {
			if s.op == "swap" && s.key == "other" {
				continue
			}
			a.play(t.Context(), s)
			b.play(t.Context(), s)
		}
		if diff := cmp.Diff(a.history, b.history); diff != "" {
			rt.Errorf("memory and redis differ (-memory +redis):\n%s", diff)
		}
	})
}
