package grant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/equitylens/equitylens/store/cache"
)

// Bar voids everything that was given to a person or a client until now: codes, refresh tokens
// and access tokens. subjectOrClient is the subject of a Session or the id of a client; one bar
// holds both if they are the same. What is granted later is not touched.
//
// It is kept for as long as anything given before could live, and never moves back in time.
func (s *Storage) Bar(ctx context.Context, subjectOrClient string) error {
	if subjectOrClient == "" {
		return errors.New("grant: bar: nobody named")
	}
	key := barKey(subjectOrClient)
	put := cache.Put{Key: key, TTL: s.cfg.FamilyLife + s.cfg.AccessLife + replayKept}
	for range attempts {
		at := s.cfg.Now()
		e, err := s.cfg.Store.Get(ctx, key)
		if err != nil && !errors.Is(err, cache.ErrNotFound) {
			return fmt.Errorf("grant: bar: %w", err)
		}
		if before, err := readBar(e.Value); err == nil && before.After(at) {
			at = before
		}
		put.Value = []byte(at.UTC().Format(time.RFC3339Nano))
		err = s.cfg.Store.Apply(ctx, cache.Batch{
			If: []cache.Condition{{Key: key, Version: e.Version}}, Put: []cache.Put{put},
		})
		if err == nil {
			return nil
		}
		if !errors.Is(err, cache.ErrConflict) {
			return fmt.Errorf("grant: bar: %w", err)
		}
	}
	// A value that does not open is in the way of every condition. It is replaced.
	if err := s.cfg.Store.Set(ctx, key, put.Value, put.TTL); err != nil {
		return fmt.Errorf("grant: bar: %w", err)
	}
	return nil
}

// Barred reports whether what was given to a person or a client at issuedAt is void. Either name
// may be empty. The times of tokens are whole seconds, so what is given in the same second as
// the bar counts as given before it.
func (s *Storage) Barred(
	ctx context.Context, subject, client string, issuedAt time.Time,
) (bool, error) {
	if client == subject { // A program that acts for itself is asked about once.
		client = ""
	}
	for _, name := range []string{subject, client} {
		if name == "" {
			continue
		}
		e, err := s.cfg.Store.Get(ctx, barKey(name))
		if errors.Is(err, cache.ErrNotFound) {
			continue
		}
		if err != nil {
			return false, fmt.Errorf("grant: ask for a bar: %w", err)
		}
		at, err := readBar(e.Value)
		if err != nil {
			return false, fmt.Errorf("grant: ask for a bar: %w", cache.ErrCorrupt)
		}
		if !issuedAt.After(at) {
			return true, nil
		}
	}
	return false, nil
}

// barred reports whether a grant is void.
func (s *Storage) barred(ctx context.Context, r *record) (bool, error) {
	return s.Barred(ctx, r.Request.Session.Subject, r.Request.Client, r.Born)
}

// barKey is where the bar of a name is.
func barKey(name string) string { return cache.Key("bar", name) }

// readBar reads the time of a bar.
func readBar(value []byte) (time.Time, error) {
	return time.Parse(time.RFC3339Nano, string(value))
}
