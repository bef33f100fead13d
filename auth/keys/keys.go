// Package keys holds the signing keys of EquityLens: one set for the tokens that we give out, and
// another for the assertions by which we identify ourselves to EHRs. The two are never the same
// set, so that an EHR never holds a signature of ours that our own API would take for a token.
//
// A key lives in three states. A next key is published and does not sign yet, so that others
// have fetched it when it starts. The active key of an algorithm signs. A retired key verifies
// what it has signed until the last of it has expired.
package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// State is where a key stands in its life.
type State string

// The states in their order.
const (
	Next    State = "next"
	Active  State = "active"
	Retired State = "retired"
)

// rsaBits is the length of RSA keys that we make: 128-bit strength by NIST SP 800-57 part 1,
// table 2, so that a key file need not be replaced in 2031.
const rsaBits = 3072

// ErrNoKey means that the set has no active key of the algorithm.
var ErrNoKey = errors.New("keys: no active key")

// Config configures Open. The zero value makes keys of RS384 and ES384, the two algorithms that
// SMART asks of clients and servers.
type Config struct {
	// Algorithms are what the set signs with; the first is preferred.
	Algorithms []jose.SignatureAlgorithm
	// Retain is how long a retired key still verifies: at least the life of what it signs. 0
	// means one hour.
	Retain time.Duration
	// MaxAge is how long others may keep the published set; 0 means five minutes. Between
	// Prepare and Promote at least that much time has to pass.
	MaxAge time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Set is a set of keys in a file. It is safe for concurrent use.
type Set struct {
	path string
	cfg  Config

	mu   sync.RWMutex
	keys []key
}

// key is a private key with its state.
type key struct {
	jwk   jose.JSONWebKey
	state State
	// since is when it was made or last changed its state; zero for a key that another tool wrote.
	since   time.Time
	retires time.Time
}

// expired reports whether a retired key has come to its end.
func (k key) expired(now time.Time) bool {
	return k.state == Retired && !k.retires.After(now)
}

// Open reads the set from a private JWKS file, which an operator may have made with any tool. A
// missing file is made, with one active key of each algorithm, readable by its owner alone; of
// several processes that start together one file wins. A file without an active key of a
// configured algorithm is an error: what is there may be registered somewhere and is not
// changed unasked.
func Open(path string, cfg Config) (*Set, error) {
	if len(cfg.Algorithms) == 0 {
		cfg.Algorithms = []jose.SignatureAlgorithm{jose.RS384, jose.ES384}
	}
	if cfg.Retain == 0 {
		cfg.Retain = time.Hour
	}
	if cfg.MaxAge == 0 {
		cfg.MaxAge = 5 * time.Minute
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Set{path: path, cfg: cfg}
	if err := s.loadOrCreate(); err != nil {
		return nil, err
	}
	for _, alg := range cfg.Algorithms {
		if _, err := s.Signing(alg); err != nil {
			return nil, fmt.Errorf("keys: open %s: %w for %s", path, ErrNoKey, alg)
		}
	}
	return s, nil
}

// Signing returns the active private key of an algorithm.
func (s *Set) Signing(alg jose.SignatureAlgorithm) (jose.JSONWebKey, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, k := range s.keys {
		if k.state == Active && k.jwk.Algorithm == string(alg) {
			return k.jwk, nil
		}
	}
	return jose.JSONWebKey{}, fmt.Errorf("%w for %s", ErrNoKey, alg)
}

// Preferred returns the algorithm that the set signs with where the reader has no say.
func (s *Set) Preferred() jose.SignatureAlgorithm { return s.cfg.Algorithms[0] }

// Verifying returns the public key with the id kid, in whatever state, unless it has expired.
func (s *Set) Verifying(kid string) (jose.JSONWebKey, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	now := s.cfg.Now()
	for _, k := range s.keys {
		if k.jwk.KeyID == kid && !k.expired(now) {
			return k.jwk.Public(), true
		}
	}
	return jose.JSONWebKey{}, false
}

// Algorithms returns the algorithms of all keys that verify.
func (s *Set) Algorithms() []jose.SignatureAlgorithm {
	var algs []jose.SignatureAlgorithm
	for _, k := range s.Public().Keys {
		if alg := jose.SignatureAlgorithm(k.Algorithm); !slices.Contains(algs, alg) {
			algs = append(algs, alg)
		}
	}
	return algs
}

// Public returns the public keys that have not expired.
func (s *Set) Public() jose.JSONWebKeySet {
	s.mu.RLock()
	defer s.mu.RUnlock()
	now := s.cfg.Now()
	var set jose.JSONWebKeySet
	for _, k := range s.keys {
		if !k.expired(now) {
			set.Keys = append(set.Keys, k.jwk.Public())
		}
	}
	return set
}

// Prepare adds a next key for each algorithm that has none, and publishes it.
func (s *Set) Prepare() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	after := slices.Clone(s.keys)
	for _, alg := range s.cfg.Algorithms {
		if slices.ContainsFunc(after, func(k key) bool {
			return k.state == Next && k.jwk.Algorithm == string(alg)
		}) {
			continue
		}
		jwk, err := Generate(alg)
		if err != nil {
			return err
		}
		after = append(after, key{jwk: jwk, state: Next, since: s.cfg.Now()})
	}
	return s.replace(after)
}

// Promote lets each next key sign and retires the key that signed until now. Keys that have
// come to their end are dropped.
func (s *Set) Promote() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Now()
	promoted := make(map[string]bool)
	for _, k := range s.keys {
		if k.state == Next {
			promoted[k.jwk.Algorithm] = true
		}
	}
	var after []key
	for _, k := range s.keys {
		switch {
		case k.expired(now):
			continue
		case k.state == Next:
			k.state, k.since = Active, now
		case k.state == Active && promoted[k.jwk.Algorithm]:
			k.state, k.since, k.retires = Retired, now, now.Add(s.cfg.Retain)
		}
		after = append(after, k)
	}
	return s.replace(after)
}

// replace writes the keys to the file and then makes them the set's. The caller holds the lock.
func (s *Set) replace(after []key) error {
	if err := write(s.path, after); err != nil {
		return err
	}
	s.keys = after
	return nil
}

// Generate makes a private key for an algorithm, with the thumbprint of RFC 7638 as its id. The
// randomness is the system's: Go's generators accept no other.
func Generate(alg jose.SignatureAlgorithm) (jose.JSONWebKey, error) {
	var private any
	var err error
	switch alg {
	case jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512:
		private, err = rsa.GenerateKey(rand.Reader, rsaBits)
	case jose.ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.ES384:
		private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case jose.ES512:
		private, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	default:
		return jose.JSONWebKey{}, fmt.Errorf("keys: generate: no algorithm %q", alg)
	}
	if err != nil {
		return jose.JSONWebKey{}, fmt.Errorf("keys: generate %s: %w", alg, err)
	}
	jwk := jose.JSONWebKey{Key: private, Algorithm: string(alg), Use: "sig"}
	jwk.KeyID, err = thumbprint(jwk)
	return jwk, err
}

// thumbprint is the key id of RFC 7638.
func thumbprint(jwk jose.JSONWebKey) (string, error) {
	sum, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("keys: thumbprint: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}
