package cache

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/crypto/chacha20poly1305"
)

// sealFormat is the first byte of every sealed value. Another format gets another number.
const sealFormat = 1

// headerLen is what stands before the ciphertext: format, schema, key id and nonce.
const headerLen = 1 + 2 + keyIDLen + chacha20poly1305.NonceSizeX

// errRejected means that a value does not open; it never leaves this package.
var errRejected = errors.New("value does not open")

// SealConfig configures Seal. Keys alone is required.
type SealConfig struct {
	Keys Keyring
	// Schema is the version of what the caller writes into values. A value of another schema is
	// a miss, so that a new program does not misread what an old one has left.
	Schema uint16
	// Rand gives the nonces; nil means crypto/rand.
	Rand io.Reader
	// Rejected is called for each stored value that does not open: flipped bits, another
	// schema, a lost key, or a value of another key. nil means that nobody counts.
	Rejected func()
}

// Sealed is a Store whose values are encrypted and bound to their keys.
type Sealed struct {
	store Store
	cfg   SealConfig
}

// Seal wraps store. Each value is XChaCha20-Poly1305 with a random nonce; format, schema, key id
// and cache key are its associated data. So a value under another key, be it by a mistake of
// the store, by a shifted answer or by somebody with access to it, does not open.
//
// What does not open is a miss for Get and Take, and is counted. It still occupies its key:
// SetIfAbsent finds it present, so that damage can never make a spent assertion fresh.
func Seal(store Store, cfg SealConfig) (*Sealed, error) {
	if len(cfg.Keys.ciphers) == 0 {
		return nil, errors.New("cache: seal without a key")
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if cfg.Rejected == nil {
		cfg.Rejected = func() {}
	}
	return &Sealed{store: store, cfg: cfg}, nil
}

// Get implements Store.
func (s *Sealed) Get(ctx context.Context, key string) (Entry, error) {
	e, err := s.store.Get(ctx, key)
	if err != nil {
		return Entry{}, s.miss(err)
	}
	e.Value, err = s.open(key, e.Value)
	if err != nil {
		return Entry{}, s.miss(err)
	}
	return e, nil
}

// Set implements Store.
func (s *Sealed) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	sealed, err := s.seal(key, value)
	if err != nil {
		return fmt.Errorf("set: %w", err)
	}
	return s.store.Set(ctx, key, sealed, ttl)
}

// SetIfAbsent implements Store.
func (s *Sealed) SetIfAbsent(
	ctx context.Context, key string, value []byte, ttl time.Duration,
) (bool, error) {
	sealed, err := s.seal(key, value)
	if err != nil {
		return false, fmt.Errorf("set if absent: %w", err)
	}
	return s.store.SetIfAbsent(ctx, key, sealed, ttl)
}

// Take implements Store.
func (s *Sealed) Take(ctx context.Context, key string) ([]byte, error) {
	sealed, err := s.store.Take(ctx, key)
	if err != nil {
		return nil, s.miss(err)
	}
	value, err := s.open(key, sealed)
	if err != nil {
		return nil, s.miss(err)
	}
	return value, nil
}

// Delete implements Store.
func (s *Sealed) Delete(ctx context.Context, key string) error {
	return s.store.Delete(ctx, key)
}

// Apply implements Store.
func (s *Sealed) Apply(ctx context.Context, b Batch) error {
	b.Put = slices.Clone(b.Put)
	for i, p := range b.Put {
		sealed, err := s.seal(p.Key, p.Value)
		if err != nil {
			return fmt.Errorf("apply: %w", err)
		}
		b.Put[i].Value = sealed
	}
	return s.store.Apply(ctx, b)
}

// miss turns a value that cannot be used into ErrNotFound and counts it; other errors pass.
func (s *Sealed) miss(err error) error {
	if errors.Is(err, errRejected) || errors.Is(err, ErrCorrupt) {
		s.cfg.Rejected()
		return ErrNotFound
	}
	return err
}

// seal encrypts value for key under the current key of the ring.
func (s *Sealed) seal(key string, value []byte) ([]byte, error) {
	aead := s.cfg.Keys.ciphers[s.cfg.Keys.current]
	out := make([]byte, headerLen, headerLen+len(value)+aead.Overhead())
	out[0] = sealFormat
	binary.BigEndian.PutUint16(out[1:], s.cfg.Schema)
	copy(out[3:], s.cfg.Keys.current[:])
	nonce := out[3+keyIDLen : headerLen]
	if _, err := io.ReadFull(s.cfg.Rand, nonce); err != nil {
		return nil, fmt.Errorf("draw a nonce: %w", err)
	}
	return aead.Seal(out, nonce, value, associated(out, key)), nil
}

// open decrypts what seal made for the same key, by whichever key of the ring.
func (s *Sealed) open(key string, sealed []byte) ([]byte, error) {
	if len(sealed) < headerLen || sealed[0] != sealFormat ||
		binary.BigEndian.Uint16(sealed[1:]) != s.cfg.Schema {
		return nil, errRejected
	}
	aead, ok := s.cfg.Keys.ciphers[[keyIDLen]byte(sealed[3:3+keyIDLen])]
	if !ok {
		return nil, errRejected
	}
	nonce := sealed[3+keyIDLen : headerLen]
	value, err := aead.Open(nil, nonce, sealed[headerLen:], associated(sealed, key))
	if err != nil {
		return nil, errRejected
	}
	return value, nil
}

// associated is the data that a sealed value is bound to: its own header and its key.
func associated(sealed []byte, key string) []byte {
	ad := make([]byte, 0, headerLen+len(key))
	return append(append(ad, sealed[:headerLen-chacha20poly1305.NonceSizeX]...), key...)
}
