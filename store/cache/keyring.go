package cache

import (
	"crypto/cipher"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/crypto/chacha20poly1305"
)

// SealKeySize is the length of a sealing key in bytes.
const SealKeySize = chacha20poly1305.KeySize

// keyIDLen is the length of the name of a key inside a sealed value.
const keyIDLen = 4

// Keyring holds the keys of a sealed store: the current one seals and opens, the previous ones
// open alone, so that a key can be replaced while values under the old one live on. Its zero
// value holds none.
type Keyring struct {
	current [keyIDLen]byte
	ciphers map[[keyIDLen]byte]cipher.AEAD
}

// NewKeyring makes a keyring of 32-byte keys.
func NewKeyring(current []byte, previous ...[]byte) (Keyring, error) {
	ring := Keyring{ciphers: make(map[[keyIDLen]byte]cipher.AEAD, 1+len(previous))}
	for i, key := range append([][]byte{current}, previous...) {
		aead, err := chacha20poly1305.NewX(key)
		if err != nil {
			return Keyring{}, fmt.Errorf("cache: sealing key %d of %d bytes: %w", i, len(key), err)
		}
		id := keyID(key)
		if _, ok := ring.ciphers[id]; ok {
			return Keyring{}, fmt.Errorf("cache: sealing key %d is there twice", i)
		}
		ring.ciphers[id] = aead
		if i == 0 {
			ring.current = id
		}
	}
	return ring, nil
}

// keyID names a key without telling it: the start of a hash over it, domain-separated.
func keyID(key []byte) (id [keyIDLen]byte) {
	sum := sha256.Sum256(append([]byte("equitylens cache key id\x00"), key...))
	copy(id[:], sum[:])
	return id
}

// NewSealKey draws a key.
func NewSealKey(random io.Reader) ([]byte, error) {
	key := make([]byte, SealKeySize)
	if _, err := io.ReadFull(random, key); err != nil {
		return nil, fmt.Errorf("cache: draw a sealing key: %w", err)
	}
	return key, nil
}

// LoadSealKey reads a key from a file of exactly 32 bytes. When there is no file it draws a key
// and writes one that the owner alone may read; of several processes that start together one
// file wins and all return its key.
func LoadSealKey(path string, random io.Reader) ([]byte, error) {
	key, err := readSealKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	key, err = NewSealKey(random)
	if err != nil {
		return nil, err
	}
	err = createFile(path, key)
	if errors.Is(err, fs.ErrExist) {
		return readSealKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("cache: write sealing key: %w", err)
	}
	return key, nil
}

// readSealKey reads a key file, of which one byte too many is already an error.
func readSealKey(path string) ([]byte, error) {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return nil, fmt.Errorf("cache: open sealing key: %w", err)
	}
	defer func() { _ = f.Close() }()
	key, err := io.ReadAll(io.LimitReader(f, SealKeySize+1))
	if err != nil {
		return nil, fmt.Errorf("cache: read sealing key: %w", err)
	}
	if len(key) != SealKeySize {
		return nil, fmt.Errorf("cache: sealing key file %s does not hold exactly %d bytes",
			path, SealKeySize)
	}
	return key, nil
}

// createFile writes a new file whole or not at all: a temporary file that is linked to its name,
// which fails with fs.ErrExist when another was first.
func createFile(path string, content []byte) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".key-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(content)
	if err == nil {
		err = tmp.Sync()
	}
	if closed := tmp.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Link(tmp.Name(), path)
}
