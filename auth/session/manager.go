package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/equitylens/equitylens/store/cache"
)

// keyOf is where a session is stored.
func keyOf(id string) string { return cache.Key("session", id) }

// Start begins a session and gives the browser its cookie. The cookie is always drawn anew, never
// one that the browser came with, so that nobody can be made to use a session that another knows.
// If s has an ID, that of an earlier session of the browser, that one ends.
//
// With a Chart it is that of one launch, under the handle that is returned; framed says that the
// launch came in a frame. Without one it is a sign-in, and the handle is empty.
func (m *Manager) Start(
	ctx context.Context, w http.ResponseWriter, s Session, framed bool,
) (handle string, err error) {
	cookie := m.signIn()
	if s.Chart != nil {
		if handle, err = m.random(handleBytes); err != nil {
			return "", err
		}
		cookie = m.chart(handle, framed)
	}
	value, err := m.random(cookieBytes)
	if err != nil {
		return "", err
	}
	now := m.cfg.Now()
	r := record{Started: now, Used: now}
	r.hold(s)
	text, err := r.encode()
	if err != nil {
		return "", err
	}
	if s.ID != "" {
		if err := m.cfg.Store.Delete(ctx, keyOf(s.ID)); err != nil {
			return "", fmt.Errorf("session: end the earlier one: %w", err)
		}
	}
	if err := m.cfg.Store.Set(ctx, keyOf(idOf(handle, value)), text, m.ttl(r)); err != nil {
		return "", fmt.Errorf("session: start: %w", err)
	}
	set(w, cookie, value)
	return handle, nil
}

// Of returns the sign-in of the browser, or ErrNone.
func (m *Manager) Of(r *http.Request) (Session, error) {
	s, err := m.find(r, m.signIn().Name, "")
	if err == nil && s.Chart != nil {
		return Session{}, ErrNone
	}
	return s, err
}

// OfChart returns the session of one chart, or ErrNone. The handle alone, without its cookie, opens
// nothing.
func (m *Manager) OfChart(r *http.Request, handle string) (Session, error) {
	if !isRandom(handle, handleBytes) {
		return Session{}, ErrNone
	}
	s, err := m.find(r, m.chart(handle, false).Name, handle)
	if err == nil && s.Chart == nil {
		return Session{}, ErrNone
	}
	return s, err
}

// find returns the first session that a cookie of the request opens, and marks it as used.
func (m *Manager) find(r *http.Request, name, handle string) (Session, error) {
	for _, value := range values(r, name) {
		id := idOf(handle, value)
		rec, version, err := m.load(r.Context(), id)
		if errors.Is(err, ErrNone) {
			continue
		}
		if err != nil {
			return Session{}, err
		}
		if err := m.touch(r.Context(), id, rec, version); err != nil {
			return Session{}, err
		}
		return rec.session(id)
	}
	return Session{}, ErrNone
}

// load reads a session that has not ended.
func (m *Manager) load(ctx context.Context, id string) (record, cache.Version, error) {
	entry, err := m.cfg.Store.Get(ctx, keyOf(id))
	if errors.Is(err, cache.ErrNotFound) {
		return record{}, "", ErrNone
	}
	if err != nil {
		return record{}, "", fmt.Errorf("session: read: %w", err)
	}
	var r record
	if err := json.Unmarshal(entry.Value, &r); err != nil {
		return record{}, "", fmt.Errorf("session: decode: %w", err)
	}
	if m.ttl(r) <= 0 {
		return record{}, "", ErrNone
	}
	barred, err := m.barred(ctx, r)
	if err != nil {
		return record{}, "", err
	}
	if barred {
		return record{}, "", ErrNone
	}
	return r, entry.Version, nil
}

// ttl is how long a session still has, by both of its bounds.
func (m *Manager) ttl(r record) time.Duration {
	now := m.cfg.Now()
	return min(r.Started.Add(m.cfg.Life).Sub(now), r.Used.Add(m.cfg.Idle).Sub(now))
}

// usesOf is how often at most the use of a session is written down within Idle.
const usesOf = 30

// touch writes down that a session is in use, now and then. Somebody else's write at the same time
// is as good, and an end of the session stays one.
func (m *Manager) touch(ctx context.Context, id string, r record, version cache.Version) error {
	now := m.cfg.Now()
	if now.Sub(r.Used) < m.cfg.Idle/usesOf {
		return nil
	}
	r.Used = now
	err := m.put(ctx, id, r, version)
	if errors.Is(err, cache.ErrConflict) {
		return nil
	}
	return err
}

// put writes a session over the version that was read.
func (m *Manager) put(ctx context.Context, id string, r record, version cache.Version) error {
	text, err := r.encode()
	if err != nil {
		return err
	}
	err = m.cfg.Store.Apply(ctx, cache.Batch{
		If:  []cache.Condition{{Key: keyOf(id), Version: version}},
		Put: []cache.Put{{Key: keyOf(id), Value: text, TTL: m.ttl(r)}},
	})
	if err != nil {
		return fmt.Errorf("session: write: %w", err)
	}
	return nil
}

// saveTries bounds how often Save is overtaken by requests that mark the session as used.
const saveTries = 8

// Save writes what s holds into its session, which goes on as old as it was. A session that has
// ended meanwhile stays ended: ErrNone.
func (m *Manager) Save(ctx context.Context, s Session) error {
	var err error
	for range saveTries {
		var r record
		var version cache.Version
		r, version, err = m.load(ctx, s.ID)
		if err != nil {
			return err
		}
		r.hold(s)
		r.Used = m.cfg.Now()
		if err = m.put(ctx, s.ID, r, version); !errors.Is(err, cache.ErrConflict) {
			return err
		}
	}
	return err
}

// End ends the sign-in of the browser, if it has one, and removes its cookie.
func (m *Manager) End(w http.ResponseWriter, r *http.Request) error {
	c := m.signIn()
	return m.end(w, r, c, c, "")
}

// EndChart ends the session of one chart, if the browser has it, and removes its cookie.
func (m *Manager) EndChart(w http.ResponseWriter, r *http.Request, handle string) error {
	if !isRandom(handle, handleBytes) {
		return nil
	}
	return m.end(w, r, m.chart(handle, false), m.chart(handle, true), handle)
}

// end deletes what the cookies of the request open. The browser loses its cookie even where the
// store cannot be asked.
func (m *Manager) end(
	w http.ResponseWriter, r *http.Request, plain, framed http.Cookie, handle string,
) error {
	m.unset(w, plain, framed)
	var faults []error
	for _, value := range values(r, plain.Name) {
		if err := m.cfg.Store.Delete(r.Context(), keyOf(idOf(handle, value))); err != nil {
			faults = append(faults, fmt.Errorf("session: end: %w", err))
		}
	}
	return errors.Join(faults...)
}

// barKey is where it is kept since when the sessions of a person are void.
func barKey(issuer, subject string) string { return cache.Key("session-bar", issuer, subject) }

// EndAllOf ends every session of a person that has begun until now, in whatever browser. It can
// say so of nobody but a person whom an id_token named.
func (m *Manager) EndAllOf(ctx context.Context, issuer, subject string) error {
	text, err := m.cfg.Now().MarshalText()
	if err != nil {
		return fmt.Errorf("session: end all: %w", err)
	}
	// Afterwards the last of them has ended by itself.
	if err := m.cfg.Store.Set(ctx, barKey(issuer, subject), text, m.cfg.Life); err != nil {
		return fmt.Errorf("session: end all: %w", err)
	}
	return nil
}

// barred reports whether EndAllOf has ended a session.
func (m *Manager) barred(ctx context.Context, r record) (bool, error) {
	if r.Person.Subject == "" {
		return false, nil
	}
	entry, err := m.cfg.Store.Get(ctx, barKey(r.Person.Issuer, r.Person.Subject))
	if errors.Is(err, cache.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("session: read: %w", err)
	}
	var since time.Time
	if err := since.UnmarshalText(entry.Value); err != nil {
		return false, fmt.Errorf("session: decode: %w", err)
	}
	return !r.Started.After(since), nil
}
