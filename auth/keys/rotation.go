package keys

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrActive means that a key cannot be dropped, because it signs.
	ErrActive = errors.New("keys: the key is active")
	// ErrUnknownKey means that the set has no key of an id.
	ErrUnknownKey = errors.New("keys: no such key")
)

// Info is what may be told of a key.
type Info struct {
	ID        string `json:"kid"`
	Algorithm string `json:"alg"`
	State     State  `json:"state"`
	// Since is when it was made or last changed its state; zero where its file does not say.
	Since time.Time `json:"since,omitzero"`
	// Retires is when a retired key stops to verify.
	Retires time.Time `json:"retires,omitzero"`
}

// Keys lists the keys of the set in the order of its file, those that have come to their end left out.
func (s *Set) Keys() []Info {
	s.mu.RLock()
	defer s.mu.RUnlock()
	now := s.cfg.Now()
	var all []Info
	for _, k := range s.keys {
		if !k.expired(now) {
			all = append(all, Info{
				ID: k.jwk.KeyID, Algorithm: k.jwk.Algorithm, State: k.state, Since: k.since,
				Retires: k.retires,
			})
		}
	}
	return all
}

// PromotableAt is the moment from which everybody who keeps the published set for as long as they may
// has seen its next keys; false where there is none.
func (s *Set) PromotableAt() (time.Time, bool) {
	var latest time.Time
	found := false
	for _, k := range s.Keys() {
		if k.State != Next {
			continue
		}
		found = true
		if at := k.Since.Add(s.cfg.MaxAge); !k.Since.IsZero() && at.After(latest) {
			latest = at
		}
	}
	return latest, found
}

// Drop removes a key that does not sign: a retired one that was compromised, or a next one that will
// not be used. What it has signed is void from then on.
func (s *Set) Drop(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var after []key
	found := false
	for _, k := range s.keys {
		switch {
		case k.jwk.KeyID != id:
			after = append(after, k)
		case k.state == Active:
			return fmt.Errorf("%w; promote another first", ErrActive)
		default:
			found = true
		}
	}
	if !found {
		return ErrUnknownKey
	}
	return s.replace(after)
}
