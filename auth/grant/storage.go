package grant

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/pkce"
	"github.com/ory/fosite/storage"

	"github.com/equitylens/equitylens/store/cache"
)

var (
	_ oauth2.CoreStorage            = (*Storage)(nil)
	_ oauth2.TokenRevocationStorage = (*Storage)(nil)
	_ pkce.PKCERequestStorage       = (*Storage)(nil)
	_ fosite.PARStorage             = (*Storage)(nil)
	_ storage.Transactional         = (*Storage)(nil)
)

// The lives that a Config leaves at zero.
const (
	defaultCodeLife    = time.Minute
	defaultAccessLife  = 5 * time.Minute
	defaultRefreshLife = 14 * 24 * time.Hour
	defaultFamilyLife  = 90 * 24 * time.Hour
	defaultPushLife    = 5 * time.Minute
)

// attempts is how often a change is tried when others change the same grant. Each failed attempt
// means that another has succeeded, and a use that comes too late ends the grant, after which
// nothing changes any more: honest use needs two, an attack with a thousand uses at once three.
const attempts = 16

// Clients finds the clients of stored requests. fosite.ClientManager is one.
type Clients interface {
	// GetClient returns the client, or fosite.ErrNotFound.
	GetClient(ctx context.Context, id string) (fosite.Client, error)
}

// Config configures New. Store and Clients are required. All lives are counted by Now: what
// fosite writes into a session about the end of a code or a refresh token is not believed,
// because it comes from another clock.
type Config struct {
	// Store is sealed, and shared by all processes that serve one issuer. Their clocks have to
	// agree to within a second.
	Store cache.Store
	// Clients finds the clients of stored requests.
	Clients Clients
	// CodeLife is how long a code can be used; 0 means a minute.
	CodeLife time.Duration
	// AccessLife is how long an access token is valid, which is for its maker to see to; 0
	// means 5 minutes.
	AccessLife time.Duration
	// RefreshLife is how long a refresh token can be used; 0 means 14 days.
	RefreshLife time.Duration
	// FamilyLife is how long after the grant the last refresh token ends; 0 means 90 days.
	FamilyLife time.Duration
	// PushLife is how long a pushed request can be used; 0 means 5 minutes.
	PushLife time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Rand gives the secrets and has to be safe for concurrent use; nil means crypto/rand.
	Rand io.Reader
}

// Storage keeps grants. It is safe for concurrent use and has no state of its own: any number of
// them may share one Store.
type Storage struct {
	cfg    Config
	tokens *Tokens
}

// New makes a storage. It does not ask the store.
func New(cfg Config) *Storage {
	for _, d := range []struct {
		life  *time.Duration
		value time.Duration
	}{
		{&cfg.CodeLife, defaultCodeLife}, {&cfg.AccessLife, defaultAccessLife},
		{&cfg.RefreshLife, defaultRefreshLife}, {&cfg.FamilyLife, defaultFamilyLife},
		{&cfg.PushLife, defaultPushLife},
	} {
		if *d.life <= 0 {
			*d.life = d.value
		}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	return &Storage{cfg: cfg, tokens: &Tokens{now: cfg.Now, rand: cfg.Rand}}
}

// Tokens makes the codes and refresh tokens that this storage can find again.
func (s *Storage) Tokens() *Tokens { return s.tokens }

// key is where the record of a grant is.
func key(id string) string { return cache.Key("grant", id) }

// step is one change of a record. It is run again on a newer record when another was faster, so
// it has no other effect.
type step func(r *record, now time.Time) error

// held is a record together with the version that it was read at.
type held struct {
	record  *record
	raw     []byte
	version cache.Version
}

// load reads a grant; one that is not there is fosite.ErrNotFound.
func (s *Storage) load(ctx context.Context, id string) (*held, error) {
	e, err := s.cfg.Store.Get(ctx, key(id))
	if errors.Is(err, cache.ErrNotFound) {
		return nil, fosite.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("grant: load: %w", err)
	}
	var r record
	if err := json.Unmarshal(e.Value, &r); err != nil {
		// The cause may quote the record.
		return nil, fmt.Errorf("grant: load: %w", cache.ErrCorrupt)
	}
	if r.Request.ID != id || r.Request.Session == nil {
		return nil, fmt.Errorf("grant: load: %w", cache.ErrCorrupt)
	}
	return &held{record: &r, raw: e.Value, version: e.Version}, nil
}

// view reads a grant for a question, within the transaction of ctx if there is one.
func (s *Storage) view(ctx context.Context, id string) (*record, error) {
	if t := transactionOf(ctx); t != nil && t.held != nil && t.id == id {
		return t.held.record, nil
	}
	h, err := s.load(ctx, id)
	if err != nil {
		return nil, err
	}
	return h.record, nil
}

// create writes the first version of a grant, or returns cache.ErrConflict.
func (s *Storage) create(ctx context.Context, r *record) error {
	return s.swap(ctx, &held{record: r, version: cache.Absent})
}

// change takes a step on a grant: now, or with the transaction of ctx. A step that finds a code
// or token used before ends the grant.
func (s *Storage) change(ctx context.Context, id string, do step) error {
	if t := transactionOf(ctx); t != nil {
		return s.punish(ctx, id, t.add(ctx, s, id, do))
	}
	return s.punish(ctx, id, s.settle(ctx, id, nil, []step{do}))
}

// settle takes steps on a grant and writes it, all or nothing. first is the grant with the steps
// taken already, or nil.
func (s *Storage) settle(ctx context.Context, id string, first *held, steps []step) error {
	h := first
	for range attempts {
		if h == nil {
			var err error
			if h, err = s.load(ctx, id); err != nil {
				return err
			}
			for _, do := range steps {
				if err := do(h.record, s.cfg.Now()); err != nil {
					return err
				}
			}
		}
		err := s.swap(ctx, h)
		if !errors.Is(err, cache.ErrConflict) {
			return err
		}
		h = nil
	}
	return fmt.Errorf("grant: change: %w in %d attempts", cache.ErrConflict, attempts)
}

// swap writes a record if its version still stands. One that says what it said is not written.
func (s *Storage) swap(ctx context.Context, h *held) error {
	now := s.cfg.Now()
	raw, err := json.Marshal(h.record)
	if err != nil {
		return errors.New("grant: write: the session is not JSON")
	}
	if bytes.Equal(raw, h.raw) {
		return nil
	}
	err = s.cfg.Store.Apply(ctx, cache.Batch{
		If:  []cache.Condition{{Key: key(h.record.Request.ID), Version: h.version}},
		Put: []cache.Put{{Key: key(h.record.Request.ID), Value: raw, TTL: h.record.ttl(now)}},
	})
	if err != nil {
		return fmt.Errorf("grant: write: %w", err)
	}
	return nil
}

// punish ends the grant when err says that something was used twice, outside of any transaction,
// since that is rolled back. If the end cannot be written, that is what is returned.
func (s *Storage) punish(ctx context.Context, id string, err error) error {
	if !errors.Is(err, fosite.ErrInvalidatedAuthorizeCode) &&
		!errors.Is(err, fosite.ErrInactiveToken) {
		return err
	}
	if failed := s.settle(ctx, id, nil, []step{end}); failed != nil &&
		!errors.Is(failed, fosite.ErrNotFound) {
		return failed
	}
	return err
}
