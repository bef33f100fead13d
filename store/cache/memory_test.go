package cache_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/equitylens/equitylens/store/cache"
)

func TestMemoryRefusesWhatItCannotHold(t *testing.T) {
	t.Parallel()
	c := newClock()
	m := cache.NewMemory(cache.MemoryConfig{Now: c.Now, MaxBytes: 10_000})
	stored := 0
	for ; ; stored++ {
		err := m.Set(t.Context(), strconv.Itoa(stored), make([]byte, 500), time.Minute)
		if errors.Is(err, cache.ErrFull) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if stored > 20 {
			t.Fatal("20 values of 500 bytes fit into 10,000 bytes")
		}
	}
	for i := range stored {
		if _, err := m.Get(t.Context(), strconv.Itoa(i)); err != nil {
			t.Errorf("value %d was evicted: %v", i, err)
		}
	}
	if err := m.Set(t.Context(), "0", make([]byte, 500), time.Minute); err != nil {
		t.Errorf("replacing a value of the same size = %v", err)
	}
	err := m.Apply(t.Context(), cache.Batch{
		Put: []cache.Put{{Key: "{0}new", Value: make([]byte, 500), TTL: time.Minute}},
		Del: []string{"0"},
	})
	if err != nil {
		t.Errorf("Apply that makes its own room = %v", err)
	}
	c.Advance(time.Minute)
	if err := m.Set(t.Context(), "later", make([]byte, 5000), time.Minute); err != nil {
		t.Errorf("Set after everything expired = %v", err)
	}
}

func TestMemoryIsNotAskedAfterTheDeadline(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := cache.NewMemory(cache.MemoryConfig{}).Get(ctx, "k")
	if !errors.Is(err, cache.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("Get = %v, want ErrUnavailable for context.Canceled", err)
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	if a, b := cache.Key("n", "a", "bc"), cache.Key("n", "ab", "c"); a == b {
		t.Errorf("Key tells %q from %q not", "a bc", "ab c")
	}
	if a, b := cache.Key("n", "a"), cache.Key("m", "a"); a == b {
		t.Error("Key does not tell namespaces apart")
	}
}
