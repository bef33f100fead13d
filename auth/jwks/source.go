// Package jwks reads the public keys that others publish (RFC 7517) and keeps them no longer than
// they say. When their server is down kept keys serve until they expire, and then nothing does: a key
// that was taken back shall not be believed for ever.
package jwks

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"

	"github.com/equitylens/equitylens/internal/dial"
)

const (
	// maxBytes bounds a key document. A hundred RSA keys are below 64 KiB.
	maxBytes = 256 << 10
	// timeout bounds one reading, which may outlive who began it.
	timeout = 10 * time.Second
	// askAgain is the least time between two readings of keys that are still fresh because none of
	// them fitted. Anybody can make up a key id; nobody shall make us hammer a server by it.
	askAgain = 10 * time.Second
)

// Why there are no keys. No error holds the address or words of the server.
var (
	// ErrUnavailable means that the server could not be asked or could not answer.
	ErrUnavailable = errors.New("published keys cannot be read")
	// ErrUnusable means that what is at the address is no set of keys, or not for us to read.
	ErrUnusable = errors.New("published keys cannot be used")
)

// Config says how keys are read. Client and Now are required.
type Config struct {
	// Client decides which addresses are dialled and which redirects are followed: see internal/dial.
	Client *http.Client
	// Now is the clock.
	Now func() time.Time
	// Pause is how long an address is left alone after it could not be read. Zero means not at all.
	Pause time.Duration
}

// Source reads keys and keeps them. It is safe for concurrent use.
type Source struct {
	cfg    Config
	flight singleflight.Group

	mu   sync.Mutex
	kept map[string]document
}

// document is what was last read at an address.
type document struct {
	set     jose.JSONWebKeySet
	expires time.Time
	// asked is when it was last read although it was fresh, failed when that last went wrong.
	asked, failed time.Time
}

// New returns a Source. It reads nothing yet.
func New(cfg Config) *Source { return &Source{cfg: cfg, kept: map[string]document{}} }

// Try hands the keys at uri to use, and if that has no use for them, and they had been kept, once more
// as they are now: they may have been rotated. It returns what use said last.
func (s *Source) Try(ctx context.Context, uri string, use func(jose.JSONWebKeySet) bool) (
	bool, error,
) {
	for _, afresh := range []bool{false, true} {
		set, read, err := s.keys(ctx, uri, afresh)
		switch {
		case err != nil:
			return false, err
		case afresh && !read:
			return false, nil // The same that were of no use.
		case use(set):
			return true, nil
		case read:
			return false, nil
		}
	}
	return false, nil
}

// keys returns the keys at uri: kept ones, or read anew when they have expired or, once in a while,
// when afresh is wanted. read tells the one from the other.
func (s *Source) keys(ctx context.Context, uri string, afresh bool) (
	set jose.JSONWebKeySet, read bool, err error,
) {
	have, due, err := s.due(uri, afresh)
	if err != nil || !due {
		return have.set, false, err
	}
	// All that wait share one reading, which outlives the one that happened to come first.
	done := s.flight.DoChan(uri, func() (any, error) { return s.read(context.WithoutCancel(ctx), uri) })
	select {
	case <-ctx.Done():
		return set, false, fmt.Errorf("%w: %w", ErrUnavailable, context.Cause(ctx))
	case got := <-done:
		set, _ = got.Val.(jose.JSONWebKeySet)
		return set, true, got.Err
	}
}

// due returns what is kept of uri, and whether it has to be read. The error says that this was tried
// in vain a moment ago.
func (s *Source) due(uri string, afresh bool) (have document, due bool, err error) {
	now := s.cfg.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	have = s.kept[uri]
	switch {
	case !now.Before(have.expires):
		if s.resting(have, now) {
			return document{}, false, fmt.Errorf("%w: nor could they be a moment ago", ErrUnavailable)
		}
		return have, true, nil
	case !afresh || now.Before(have.asked.Add(askAgain)):
		return have, false, nil
	}
	have.asked = now
	s.kept[uri] = have
	return have, true, nil
}

// resting reports whether an address is left alone after a failure.
func (s *Source) resting(d document, now time.Time) bool {
	return now.Before(d.failed.Add(s.cfg.Pause))
}

// read reads the document at uri and keeps it.
func (s *Source) read(ctx context.Context, uri string) (jose.JSONWebKeySet, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	now := s.cfg.Now()
	set, keep, err := s.fetch(ctx, uri)
	s.mu.Lock()
	defer s.mu.Unlock()
	have := s.kept[uri]
	if err != nil {
		have.failed = s.cfg.Now()
		s.kept[uri] = have
		return set, err
	}
	// An address that is asked no more, because its owner has moved, is forgotten.
	maps.DeleteFunc(s.kept, func(_ string, d document) bool {
		return !now.Before(d.expires) && !s.resting(d, now)
	})
	s.kept[uri] = document{set: set, expires: now.Add(keep), asked: have.asked}
	return set, nil
}

// fetch reads the document at uri and how long it may be kept.
func (s *Source) fetch(ctx context.Context, uri string) (
	set jose.JSONWebKeySet, keep time.Duration, err error,
) {
	text, header, err := dial.Get(ctx, s.cfg.Client, uri, maxBytes)
	switch {
	case err == nil:
		set, err = Parse(text)
		return set, Lifetime(header), err
	case dial.Passing(err):
		return set, 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return set, 0, fmt.Errorf("%w: %w", ErrUnusable, err)
}
