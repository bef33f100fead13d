package cache_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/equitylens/equitylens/internal/worldtest"
	"github.com/equitylens/equitylens/store/cache"
	"github.com/equitylens/equitylens/store/cache/cachetest"
)

func newClock() *worldtest.Clock { return worldtest.At(time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)) }

// sealed wraps store under a new key and fails the test when a value is rejected.
func sealed(t *testing.T, store cache.Store) *cache.Sealed {
	t.Helper()
	s, err := cache.Seal(store, cache.SealConfig{
		Keys:     newRing(t),
		Rejected: func() { t.Error("a value of our own was rejected") },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newSealKey(t *testing.T) []byte {
	t.Helper()
	key, err := cache.NewSealKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newRing(t *testing.T) cache.Keyring {
	t.Helper()
	return ring(t, newSealKey(t))
}

func ring(t *testing.T, current []byte, previous ...[]byte) cache.Keyring {
	t.Helper()
	r, err := cache.NewKeyring(current, previous...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestContractOnMemory(t *testing.T) {
	t.Parallel()
	cachetest.Run(t, func(*testing.T) cachetest.Home {
		c := newClock()
		return cachetest.Home{
			Store: cache.NewMemory(cache.MemoryConfig{Now: c.Now}), Advance: c.Advance,
		}
	})
}

func TestContractOnSealedMemory(t *testing.T) {
	t.Parallel()
	cachetest.Run(t, func(t *testing.T) cachetest.Home {
		c := newClock()
		return cachetest.Home{
			Store:   sealed(t, cache.NewMemory(cache.MemoryConfig{Now: c.Now})),
			Advance: c.Advance,
		}
	})
}

func TestContractOnRedis(t *testing.T) {
	t.Parallel()
	server := cachetest.StartRedis(t)
	cachetest.Run(t, func(t *testing.T) cachetest.Home {
		return cachetest.Home{Store: server.Open(t), Advance: server.Advance}
	})
}

func TestContractOnSealedRedis(t *testing.T) {
	t.Parallel()
	server := cachetest.StartRedis(t)
	cachetest.Run(t, func(t *testing.T) cachetest.Home {
		return cachetest.Home{Store: sealed(t, server.Open(t)), Advance: server.Advance}
	})
}
