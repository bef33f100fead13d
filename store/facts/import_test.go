package facts_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/store/facts"
	. "github.com/equitylens/equitylens/store/facts/factstest"
)

func TestImports(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	none, err := dir.Imports()
	if err != nil || len(none) != 0 {
		t.Fatalf("Imports of a new directory = %v, %v", none, err)
	}
	for _, save := range []struct{ name, data string }{
		{"a.1_x-2", "first"}, {"b", ""}, {"a.1_x-2", "second"}, {"c", "gone"},
	} {
		if err := dir.SaveImport(save.name, []byte(save.data)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := dir.RemoveImport("c"); err != nil {
			t.Fatal(err)
		}
	}
	folder := filepath.Join(dir.Path(), "imports")
	for _, stray := range []string{"a.json.tmp", ".hidden.json", "B.json", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(folder, stray), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := dir.Imports()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]byte{"a.1_x-2": []byte("second"), "b": {}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Imports (-want +got):\n%s", d)
	}
	for path, mode := range map[string]os.FileMode{
		folder: 0o700, filepath.Join(folder, "b.json"): 0o600,
	} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != mode {
			t.Errorf("%s has mode %o, want %o", filepath.Base(path), info.Mode().Perm(), mode)
		}
	}
}

func TestNamesOfImports(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	for _, name := range []string{"", ".", "..", "../x", "a/b", `a\b`, "A", "a b", ".a", "-a", "a\x00", "ä",
		strings.Repeat("a", 101)} {
		if err := dir.SaveImport(name, nil); !errors.Is(err, facts.ErrImportName) {
			t.Errorf("SaveImport(%q) = %v, want ErrImportName", name, err)
		}
		if err := dir.RemoveImport(name); !errors.Is(err, facts.ErrImportName) {
			t.Errorf("RemoveImport(%q) = %v, want ErrImportName", name, err)
		}
	}
}
