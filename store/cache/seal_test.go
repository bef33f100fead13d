package cache_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/equitylens/equitylens/store/cache"
)

// vault is a sealed memory whose inside can be reached.
type vault struct {
	inside   *cache.Memory
	sealed   *cache.Sealed
	rejected int
}

func newVault(t *testing.T, inside *cache.Memory, keys cache.Keyring, schema uint16) *vault {
	t.Helper()
	v := &vault{inside: inside}
	s, err := cache.Seal(inside, cache.SealConfig{
		Keys: keys, Schema: schema, Rejected: func() { v.rejected++ },
	})
	if err != nil {
		t.Fatal(err)
	}
	v.sealed = s
	return v
}

// raw returns the stored bytes of key.
func (v *vault) raw(t *testing.T, key string) []byte {
	t.Helper()
	e, err := v.inside.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return e.Value
}

// put stores bytes behind the seal's back.
func (v *vault) put(t *testing.T, key string, raw []byte) {
	t.Helper()
	if err := v.inside.Set(t.Context(), key, raw, time.Minute); err != nil {
		t.Fatal(err)
	}
}

// missed wants that key reads as a miss, that it was counted, and that the key is still taken.
func (v *vault) missed(t *testing.T, key, what string) {
	t.Helper()
	before := v.rejected
	if e, err := v.sealed.Get(t.Context(), key); !errors.Is(err, cache.ErrNotFound) {
		t.Errorf("%s: Get = %q, %v, want ErrNotFound", what, e.Value, err)
	}
	won, err := v.sealed.SetIfAbsent(t.Context(), key, []byte("fresh"), time.Minute)
	if won || err != nil {
		t.Errorf("%s: SetIfAbsent = %v, %v, want false", what, won, err)
	}
	if got, err := v.sealed.Take(t.Context(), key); !errors.Is(err, cache.ErrNotFound) {
		t.Errorf("%s: Take = %q, %v, want ErrNotFound", what, got, err)
	}
	if v.rejected != before+2 {
		t.Errorf("%s: counted %d rejects, want 2", what, v.rejected-before)
	}
}

func (v *vault) set(t *testing.T, key, value string) {
	t.Helper()
	if err := v.sealed.Set(t.Context(), key, []byte(value), time.Minute); err != nil {
		t.Fatal(err)
	}
}

// has wants that key opens to value.
func (v *vault) has(t *testing.T, key, value string) {
	t.Helper()
	if e, err := v.sealed.Get(t.Context(), key); err != nil || string(e.Value) != value {
		t.Errorf("Get(%s) = %q, %v, want %q", key, e.Value, err, value)
	}
}

func TestSealHidesValues(t *testing.T) {
	t.Parallel()
	v := newVault(t, cache.NewMemory(cache.MemoryConfig{}), newRing(t), 1)
	v.set(t, "k", "needs a Somali interpreter")
	first := v.raw(t, "k")
	if bytes.Contains(first, []byte("Somali")) {
		t.Error("the stored bytes hold the value")
	}
	v.set(t, "k", "needs a Somali interpreter")
	if bytes.Equal(first, v.raw(t, "k")) {
		t.Error("equal values are sealed to equal bytes")
	}
}

func TestEveryFlippedBitIsAMiss(t *testing.T) {
	t.Parallel()
	v := newVault(t, cache.NewMemory(cache.MemoryConfig{}), newRing(t), 1)
	v.set(t, "k", "value")
	raw := v.raw(t, "k")
	for i := range raw {
		for bit := range 8 {
			flipped := bytes.Clone(raw)
			flipped[i] ^= 1 << bit
			v.put(t, "k", flipped)
			v.missed(t, "k", "flipped bit")
		}
	}
	for length := range raw {
		v.put(t, "k", raw[:length])
		v.missed(t, "k", "cut off")
	}
	v.put(t, "k", append(bytes.Clone(raw), 0))
	v.missed(t, "k", "a byte too many")
}

func TestAValueOfAnotherKeyIsNeverReturned(t *testing.T) {
	t.Parallel()
	v := newVault(t, cache.NewMemory(cache.MemoryConfig{}), newRing(t), 1)
	v.set(t, "alice", "of alice")
	v.put(t, "bob", v.raw(t, "alice"))
	v.missed(t, "bob", "value of alice under bob")
	v.has(t, "alice", "of alice")
}

func TestAnotherSchemaIsAMiss(t *testing.T) {
	t.Parallel()
	keys, inside := newRing(t), cache.NewMemory(cache.MemoryConfig{})
	newVault(t, inside, keys, 1).set(t, "k", "old shape")
	newVault(t, inside, keys, 2).missed(t, "k", "value of schema 1 under schema 2")
}

func TestSealKeyRotation(t *testing.T) {
	t.Parallel()
	inside := cache.NewMemory(cache.MemoryConfig{})
	old, current := newSealKey(t), newSealKey(t)
	newVault(t, inside, ring(t, old), 1).set(t, "old", "sealed before")

	both := newVault(t, inside, ring(t, current, old), 1)
	both.has(t, "old", "sealed before")
	both.set(t, "new", "sealed after")

	alone := newVault(t, inside, ring(t, current), 1)
	alone.has(t, "new", "sealed after")
	alone.missed(t, "old", "value of a key that is gone")
}

func TestALockOutlivesALostSealingKey(t *testing.T) {
	t.Parallel()
	c := newClock()
	inside := cache.NewMemory(cache.MemoryConfig{Now: c.Now})
	before := cache.Locker{Store: newVault(t, inside, newRing(t), 1).sealed, Now: c.Now}
	after := cache.Locker{Store: newVault(t, inside, newRing(t), 1).sealed, Now: c.Now}

	held, err := before.Acquire(t.Context(), "sync", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := after.Acquire(t.Context(), "sync", time.Minute); !errors.Is(err, cache.ErrHeld) {
		t.Errorf("Acquire under another sealing key = %v, want ErrHeld", err)
	}
	c.Advance(time.Minute)
	next, err := after.Acquire(t.Context(), "sync", time.Minute)
	if err != nil {
		t.Fatalf("Acquire after the lock expired = %v", err)
	}
	if next.Token <= held.Token {
		t.Errorf("token %d after %d, want it to rise", next.Token, held.Token)
	}
}

func FuzzSealedGet(f *testing.F) {
	key := bytes.Repeat([]byte{7}, cache.SealKeySize)
	f.Add([]byte{})
	f.Add([]byte{1, 0, 1})
	f.Add(bytes.Repeat([]byte{1}, 100))
	f.Fuzz(func(t *testing.T, raw []byte) {
		v := newVault(t, cache.NewMemory(cache.MemoryConfig{}), ring(t, key), 1)
		v.put(t, "k", raw)
		v.missed(t, "k", "bytes from outside")
	})
}
