// Package cache keeps what may expire: spent assertion ids, tokens, sessions, launch context, hot
// mapped records, rendered answers and locks. Memory is its home by default, Redis at scale; one
// contract suite (cachetest) runs on every implementation.
//
// A Store never guesses. A home that cannot be reached is ErrUnavailable, which is not a miss:
// whoever asks "was this spent before?" has to refuse then. Seal wraps a Store so that values are
// unreadable at rest and a value that was written under another key is never returned.
//
// Keys are not sealed and show up in a Redis slow log, so they hold no identifier of a person in
// the clear: Key hashes its parts.
package cache

import (
	"context"
	"errors"
	"time"
)

var (
	// ErrNotFound means that the key holds no value: never set, taken, deleted or expired.
	ErrNotFound = errors.New("cache: no such key")
	// ErrConflict means that a condition of a Batch did not hold and that nothing was written.
	ErrConflict = errors.New("cache: changed by another")
	// ErrUnavailable means that the store could not be asked, or that its answer was lost: a
	// write may or may not have happened. Callers fail closed.
	ErrUnavailable = errors.New("cache: store unavailable")
	// ErrFull means that the store is at its memory limit and refused the write. Nothing that
	// has been accepted is ever evicted to make room.
	ErrFull = errors.New("cache: store full")
	// ErrCorrupt means that the key holds bytes that this program did not write.
	ErrCorrupt = errors.New("cache: foreign value")
	// ErrInvalid means that the call itself breaks the contract of Store: a TTL that is not
	// positive or beyond ten years, an empty key, a Batch across slots.
	ErrInvalid = errors.New("cache: invalid call")
)

// Store is an expiring key-value store whose operations are each atomic, also between processes
// that share one home. Implementations are safe for concurrent use, neither keep nor hand out a
// slice that the caller holds, and honour the deadline of ctx.
//
// Every TTL is positive and rounds up to a millisecond; a value is gone once its TTL has passed.
type Store interface {
	// Get returns the value of key with the version that a Batch can demand, or ErrNotFound.
	Get(ctx context.Context, key string) (Entry, error)
	// Set writes value under key for ttl, whatever was there.
	Set(ctx context.Context, key string, value []byte, ttl time.Duration) error
	// SetIfAbsent writes value under key if the key holds none, and reports whether this very
	// call did so. Of any number of concurrent calls exactly one is told true.
	SetIfAbsent(ctx context.Context, key string, value []byte, ttl time.Duration) (bool, error)
	// Take returns the value of key and deletes it in one step, or returns ErrNotFound. Of any
	// number of concurrent calls at most one gets the value.
	Take(ctx context.Context, key string) ([]byte, error)
	// Delete removes key; a key that holds nothing is no error.
	Delete(ctx context.Context, key string) error
	// Apply writes the whole batch if all its conditions hold, else nothing and ErrConflict.
	Apply(ctx context.Context, b Batch) error
}

// Entry is a value together with its version.
type Entry struct {
	Value   []byte
	Version Version
}

// Version names one write of one key. No two writes share one, so a value that was replaced by
// equal bytes has another version. The zero Version stands for "no value".
type Version string

// Absent is the Version of a key that holds no value.
const Absent Version = ""

// Batch is a set of writes under conditions: compare-and-swap over several keys at once. All its
// keys share one slot (see Key), because Redis Cluster decides atomically in one slot alone.
type Batch struct {
	If  []Condition
	Put []Put
	Del []string
}

// Condition demands that key is still at the version that Get returned, or Absent.
type Condition struct {
	Key     string
	Version Version
}

// Put writes Value under Key for TTL.
type Put struct {
	Key   string
	Value []byte
	TTL   time.Duration
}
