package cache_test

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/equitylens/equitylens/store/cache"
)

func TestNewKeyringRefuses(t *testing.T) {
	t.Parallel()
	good := newSealKey(t)
	for _, c := range []struct {
		name     string
		current  []byte
		previous [][]byte
	}{
		{"a short key", good[:31], nil},
		{"no key", nil, nil},
		{"a long previous key", good, [][]byte{make([]byte, 33)}},
		{"one key twice", good, [][]byte{bytes.Clone(good)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := cache.NewKeyring(c.current, c.previous...); err == nil {
				t.Error("NewKeyring = nil, want an error")
			}
		})
	}
	if _, err := cache.Seal(cache.NewMemory(cache.MemoryConfig{}), cache.SealConfig{}); err == nil {
		t.Error("Seal without keys = nil, want an error")
	}
}

func TestLoadSealKeyMakesOneFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cache.key")
	got := make([][]byte, 16)
	var wait sync.WaitGroup
	for i := range got {
		wait.Go(func() {
			key, err := cache.LoadSealKey(path, rand.Reader)
			if err != nil {
				t.Errorf("LoadSealKey: %v", err)
			}
			got[i] = key
		})
	}
	wait.Wait()
	for i := range got {
		if !bytes.Equal(got[i], got[0]) {
			t.Errorf("start %d got another key than start 0", i)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v, want 0600", info.Mode().Perm())
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("folder holds %d entries, %v, want the key alone", len(left), err)
	}
}

func TestLoadSealKeyRefusesAnotherLength(t *testing.T) {
	t.Parallel()
	for _, length := range []int{0, 31, 33, 64} {
		path := filepath.Join(t.TempDir(), "cache.key")
		if err := os.WriteFile(path, make([]byte, length), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := cache.LoadSealKey(path, rand.Reader); err == nil {
			t.Errorf("LoadSealKey of %d bytes = nil, want an error", length)
		}
	}
}
