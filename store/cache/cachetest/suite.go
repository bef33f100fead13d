// Package cachetest holds the contract of cache.Store as a test suite, and a real redis-server on
// loopback to run it on.
package cachetest

import (
	"bytes"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/equitylens/equitylens/store/cache"
)

// Racers is how many attempts the single-winner tests start at once.
const Racers = 1000

// Home is an empty store under test.
type Home struct {
	Store cache.Store
	// Advance returns once the store's clock has moved on by at least d.
	Advance func(d time.Duration)
}

// Run holds a Store to its contract. open returns a new, empty home for each subtest.
func Run(t *testing.T, open func(t *testing.T) Home) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(*testing.T, Home)
	}{
		{"a value comes back as it was set", roundTrip},
		{"a key that was never set is not found", missing},
		{"a value is gone after its time", expiry},
		{"an expired key is absent again", expiredIsAbsent},
		{"the caller's slice stays the caller's", aliasing},
		{"calls that break the contract are refused", invalid},
		{"a replaced value has another version", versions},
		{"a batch writes all or nothing", batches},
		{"a batch across slots is refused", slots},
		{"of many writers of an absent key one wins", manySetIfAbsent},
		{"of many takers of one value one gets it", manyTake},
		{"of many swaps from one version one wins", manyApply},
		{"a lock has one holder and rising tokens", locks},
		{"a lock that expired is lost to its holder", lostLocks},
		{"of many that want a lock one gets it", manyLocks},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, open(t))
		})
	}
}

// roundTrip sets, reads, replaces and deletes.
func roundTrip(t *testing.T, h Home) {
	ctx := t.Context()
	for i, value := range [][]byte{
		{}, []byte("one"), {0, 255, '\r', '\n', 0}, bytes.Repeat([]byte("x"), 1<<20),
	} {
		key := cache.Key("round", strconv.Itoa(i))
		must(t, h.Store.Set(ctx, key, []byte("before"), time.Minute))
		must(t, h.Store.Set(ctx, key, value, time.Minute))
		if got := get(t, h, key); !bytes.Equal(got.Value, value) {
			t.Errorf("Get after Set of %d bytes = %d other bytes", len(value), len(got.Value))
		}
		must(t, h.Store.Delete(ctx, key))
		must(t, h.Store.Delete(ctx, key))
		isMissing(t, h, key)
	}
}

// missing asks for what was never there.
func missing(t *testing.T, h Home) {
	isMissing(t, h, "never")
	if _, err := h.Store.Take(t.Context(), "never"); !errors.Is(err, cache.ErrNotFound) {
		t.Errorf("Take(never) = %v, want ErrNotFound", err)
	}
}

// expiry lets each way of writing expire.
func expiry(t *testing.T, h Home) {
	ctx := t.Context()
	const ttl = 40 * time.Millisecond
	must(t, h.Store.Set(ctx, "set", []byte("v"), ttl))
	if won, err := h.Store.SetIfAbsent(ctx, "absent", []byte("v"), ttl); !won || err != nil {
		t.Fatalf("SetIfAbsent = %v, %v", won, err)
	}
	must(t, h.Store.Apply(ctx, cache.Batch{
		Put: []cache.Put{{Key: "applied", Value: []byte("v"), TTL: ttl}},
	}))
	must(t, h.Store.Set(ctx, "long", []byte("v"), time.Hour))
	must(t, h.Store.Set(ctx, "renewed", []byte("v"), ttl))
	must(t, h.Store.Set(ctx, "renewed", []byte("v"), time.Hour))
	h.Advance(ttl)
	for _, key := range []string{"set", "absent", "applied"} {
		isMissing(t, h, key)
	}
	get(t, h, "long")
	get(t, h, "renewed")
}

// expiredIsAbsent writes anew where a value has expired, under the old condition not.
func expiredIsAbsent(t *testing.T, h Home) {
	ctx := t.Context()
	must(t, h.Store.Set(ctx, "k", []byte("old"), 20*time.Millisecond))
	old := get(t, h, "k").Version
	h.Advance(20 * time.Millisecond)
	swap := cache.Batch{
		If:  []cache.Condition{{Key: "k", Version: old}},
		Put: []cache.Put{{Key: "k", Value: []byte("new"), TTL: time.Minute}},
	}
	if err := h.Store.Apply(ctx, swap); !errors.Is(err, cache.ErrConflict) {
		t.Errorf("Apply on an expired version = %v, want ErrConflict", err)
	}
	if won, err := h.Store.SetIfAbsent(ctx, "k", []byte("new"), time.Minute); !won || err != nil {
		t.Errorf("SetIfAbsent on an expired key = %v, %v, want true", won, err)
	}
}

// aliasing changes slices after they were handed over.
func aliasing(t *testing.T, h Home) {
	value := []byte("value")
	must(t, h.Store.Set(t.Context(), "k", value, time.Minute))
	value[0] = 'X'
	first := get(t, h, "k")
	first.Value[1] = 'X'
	if got := get(t, h, "k"); string(got.Value) != "value" {
		t.Errorf("Get = %q, want it untouched", got.Value)
	}
}

// invalid breaks the rules one by one.
func invalid(t *testing.T, h Home) {
	ctx := t.Context()
	put := cache.Put{Key: "k", TTL: time.Minute}
	_, noKey := h.Store.Get(ctx, "")
	_, noTTL := h.Store.SetIfAbsent(ctx, "k", nil, 0)
	for name, err := range map[string]error{
		"empty key":      noKey,
		"zero ttl":       noTTL,
		"negative ttl":   h.Store.Set(ctx, "k", nil, -time.Second),
		"endless ttl":    h.Store.Set(ctx, "k", nil, 1<<62),
		"empty batch":    h.Store.Apply(ctx, cache.Batch{If: []cache.Condition{{Key: "k"}}}),
		"written twice":  h.Store.Apply(ctx, cache.Batch{Put: []cache.Put{put, put}}),
		"put and delete": h.Store.Apply(ctx, cache.Batch{Put: []cache.Put{put}, Del: []string{"k"}}),
	} {
		if !errors.Is(err, cache.ErrInvalid) {
			t.Errorf("%s = %v, want ErrInvalid", name, err)
		}
	}
	isMissing(t, h, "k")
}

// versions swaps a value back and forth: the old version must not fit again.
func versions(t *testing.T, h Home) {
	ctx := t.Context()
	must(t, h.Store.Set(ctx, "k", []byte("a"), time.Minute))
	first := get(t, h, "k").Version
	must(t, h.Store.Set(ctx, "k", []byte("b"), time.Minute))
	must(t, h.Store.Set(ctx, "k", []byte("a"), time.Minute))
	second := get(t, h, "k").Version
	if first == second || first == cache.Absent || second == cache.Absent {
		t.Errorf("versions %q and %q, want two that differ and are not empty", first, second)
	}
	if again := get(t, h, "k").Version; again != second {
		t.Errorf("version %q changed to %q by reading", second, again)
	}
	swap := cache.Batch{If: []cache.Condition{{Key: "k", Version: first}}, Del: []string{"k"}}
	if err := h.Store.Apply(ctx, swap); !errors.Is(err, cache.ErrConflict) {
		t.Errorf("Apply on the first version = %v, want ErrConflict", err)
	}
	swap.If[0].Version = second
	must(t, h.Store.Apply(ctx, swap))
	isMissing(t, h, "k")
}

// batches rotates a token the way a refresh does: the old one goes, two new ones come.
func batches(t *testing.T, h Home) {
	ctx := t.Context()
	live, access, refresh := cache.Key("live", "f"), cache.Key("access", "f"), cache.Key("next", "f")
	must(t, h.Store.Set(ctx, live, []byte("1"), time.Minute))
	rotate := cache.Batch{
		If: []cache.Condition{
			{Key: live, Version: get(t, h, live).Version},
			{Key: access, Version: cache.Absent},
		},
		Put: []cache.Put{
			{Key: access, Value: []byte("a"), TTL: time.Minute},
			{Key: refresh, Value: []byte("r"), TTL: time.Minute},
		},
		Del: []string{live},
	}
	must(t, h.Store.Set(ctx, access, []byte("in the way"), time.Minute))
	if err := h.Store.Apply(ctx, rotate); !errors.Is(err, cache.ErrConflict) {
		t.Fatalf("Apply with one condition broken = %v, want ErrConflict", err)
	}
	isMissing(t, h, refresh)
	get(t, h, live)
	must(t, h.Store.Delete(ctx, access))
	must(t, h.Store.Apply(ctx, rotate))
	isMissing(t, h, live)
	if got := get(t, h, access); string(got.Value) != "a" {
		t.Errorf("access = %q, want a", got.Value)
	}
	if err := h.Store.Apply(ctx, rotate); !errors.Is(err, cache.ErrConflict) {
		t.Errorf("second Apply = %v, want ErrConflict", err)
	}
}

// slots refuses in every home what a cluster could not do.
func slots(t *testing.T, h Home) {
	err := h.Store.Apply(t.Context(), cache.Batch{Put: []cache.Put{
		{Key: cache.Key("k", "a"), TTL: time.Minute}, {Key: cache.Key("k", "b"), TTL: time.Minute},
	}})
	if !errors.Is(err, cache.ErrInvalid) {
		t.Errorf("Apply across slots = %v, want ErrInvalid", err)
	}
}

// race starts Racers calls of try at once and returns how many won.
func race(t *testing.T, try func(i int) (bool, error)) int {
	t.Helper()
	var wins atomic.Int64
	var wait sync.WaitGroup
	gate := make(chan struct{})
	for i := range Racers {
		wait.Go(func() {
			<-gate
			won, err := try(i)
			if err != nil {
				t.Errorf("attempt %d: %v", i, err)
			}
			if won {
				wins.Add(1)
			}
		})
	}
	close(gate)
	wait.Wait()
	return int(wins.Load())
}

// manySetIfAbsent spends one assertion id many times.
func manySetIfAbsent(t *testing.T, h Home) {
	wins := race(t, func(i int) (bool, error) {
		return h.Store.SetIfAbsent(t.Context(), "jti", []byte(strconv.Itoa(i)), time.Minute)
	})
	if wins != 1 {
		t.Errorf("%d of %d won, want 1", wins, Racers)
	}
}

// manyTake redeems one code many times.
func manyTake(t *testing.T, h Home) {
	must(t, h.Store.Set(t.Context(), "code", []byte("v"), time.Minute))
	wins := race(t, func(int) (bool, error) {
		_, err := h.Store.Take(t.Context(), "code")
		if errors.Is(err, cache.ErrNotFound) {
			return false, nil
		}
		return err == nil, err
	})
	if wins != 1 {
		t.Errorf("%d of %d won, want 1", wins, Racers)
	}
}

// manyApply rotates one token many times.
func manyApply(t *testing.T, h Home) {
	must(t, h.Store.Set(t.Context(), "token", []byte("0"), time.Minute))
	at := get(t, h, "token").Version
	wins := race(t, func(i int) (bool, error) {
		err := h.Store.Apply(t.Context(), cache.Batch{
			If:  []cache.Condition{{Key: "token", Version: at}},
			Put: []cache.Put{{Key: "token", Value: []byte(strconv.Itoa(i)), TTL: time.Minute}},
		})
		if errors.Is(err, cache.ErrConflict) {
			return false, nil
		}
		return err == nil, err
	})
	if wins != 1 {
		t.Errorf("%d of %d won, want 1", wins, Racers)
	}
}

// get returns what must be there.
func get(t *testing.T, h Home, key string) cache.Entry {
	t.Helper()
	e, err := h.Store.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("Get = %v, want a value", err)
	}
	return e
}

// isMissing wants ErrNotFound.
func isMissing(t *testing.T, h Home, key string) {
	t.Helper()
	if e, err := h.Store.Get(t.Context(), key); !errors.Is(err, cache.ErrNotFound) {
		t.Errorf("Get = %d bytes, %v, want ErrNotFound", len(e.Value), err)
	}
}

// must stops the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
