package ledger_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/equitylens/equitylens/store/ledger"
)

func open(t *testing.T) *ledger.Dir {
	t.Helper()
	d, err := ledger.Open(filepath.Join(t.TempDir(), "ledger"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAnEntryIsWrittenOnce(t *testing.T) {
	t.Parallel()
	d := open(t)
	if _, ok, err := d.Get(t.Context(), "2025"); ok || err != nil {
		t.Fatalf("Get of nothing = %t, %v", ok, err)
	}
	for _, text := range []string{"first", "second"} {
		stands, err := d.PutIfAbsent(t.Context(), "2025", []byte(text))
		if err != nil || string(stands) != "first" {
			t.Errorf("PutIfAbsent(%s) = %q, %v; want what stands, the first", text, stands, err)
		}
	}
	got, ok, err := d.Get(t.Context(), "2025")
	if !ok || err != nil || string(got) != "first" {
		t.Errorf("Get = %q, %t, %v", got, ok, err)
	}
	names, err := d.Names(t.Context())
	if err != nil || !slices.Equal(names, []string{"2025"}) {
		t.Errorf("Names = %v, %v; want the entry alone", names, err)
	}
}

// TestOneOfManyWins writes one name from many sides: all of them hear the same entry.
func TestOneOfManyWins(t *testing.T) {
	t.Parallel()
	d := open(t)
	const writers = 64
	var all sync.WaitGroup
	heard := make([]string, writers)
	for i := range writers {
		all.Go(func() {
			stands, err := d.PutIfAbsent(t.Context(), "x", fmt.Appendf(nil, "writer %d", i))
			if err != nil {
				t.Error(err)
			}
			heard[i] = string(stands)
		})
	}
	all.Wait()
	slices.Sort(heard)
	if len(slices.Compact(heard)) != 1 {
		t.Errorf("heard were %v", heard)
	}
}

func TestNamesThatLeaveTheFolderAreRefused(t *testing.T) {
	t.Parallel()
	d := open(t)
	for _, name := range []string{"", "..", "../x", "a/b", ".hidden", "a\x00b", "é"} {
		if _, err := d.PutIfAbsent(t.Context(), name, nil); !errors.Is(err, ledger.ErrName) {
			t.Errorf("PutIfAbsent(%q) = %v, want ErrName", name, err)
		}
		if _, _, err := d.Get(t.Context(), name); !errors.Is(err, ledger.ErrName) {
			t.Errorf("Get(%q) = %v, want ErrName", name, err)
		}
	}
}

func TestAnEntryIsItsOwnersAlone(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	d, err := ledger.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.PutIfAbsent(t.Context(), "2025", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(path, "2025.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	files, err := os.ReadDir(path)
	if err != nil || len(files) != 1 {
		t.Errorf("%d files, %v; want the entry alone", len(files), err)
	}
}
