package decisions_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/equitylens/equitylens/store/decisions"
)

func TestTheFileIsOfItsOwnerAlone(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "new", "a folder? 100%")
	path := filepath.Join(folder, "decisions.db")
	for range 2 {
		store, err := decisions.Open(t.Context(), decisions.Config{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		_, err = store.Write(t.Context(), decisions.Change{Document: decisions.Document{
			Kind: decisions.Review, ID: "a", By: "somebody", Body: []byte(`{}`),
		}, Expect: versions(t, store)})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{path, path + "-wal", path + "-shm"} {
			modeIs(t, name, 0o600)
		}
		modeIs(t, folder, 0o700)
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, 0o644); err != nil { // #nosec G302 -- as a copy may come back
			t.Fatal(err)
		}
	}
	left, err := os.ReadDir(folder)
	if err != nil || len(left) != 1 {
		t.Errorf("the folder holds %v, %v; want the file alone", left, err)
	}
}

func versions(t *testing.T, store decisions.Store) int {
	t.Helper()
	found, err := store.Find(t.Context(), decisions.Query{Kind: decisions.Review})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		return 0
	}
	return found[0].Version
}

func modeIs(t *testing.T, name string, want fs.FileMode) {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != want {
		t.Errorf("%s has mode %o, want %o", filepath.Base(name), got, want)
	}
}
