package decisions_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/decisions/decisionstest"
)

// diverse fills a store with what an archive could stumble over.
func diverse(t *testing.T, store decisions.Store) {
	t.Helper()
	for i, body := range []string{
		`{"a" : "<&>\u0000\u2028"}`, "\"\u2028\ufffd\u00e9\"", "[\n1e400,\t-0 ]", strings.Repeat(" ", 70000) + "1",
	} {
		for _, kind := range decisions.Kinds() {
			for version := range i + 1 {
				c := decisionstest.Change(fmt.Sprintf("id-%d", i), version)
				c.Kind, c.Body = kind, []byte(body)
				if version%2 == 0 {
					c.Terms = map[string]string{"state": fmt.Sprint("ñ<&>", version), "site": ""}
				}
				if _, err := store.Write(t.Context(), c); err != nil {
					t.Fatalf("Write(): %v", err)
				}
			}
		}
	}
}

func TestABackupIsRestoredIntoEitherDatabase(t *testing.T) {
	t.Parallel()
	for from := range backends {
		for to := range backends {
			t.Run("from "+from+" to "+to, func(t *testing.T) {
				t.Parallel()
				source, target := open(t, backends[from](t)), open(t, backends[to](t))
				diverse(t, source)
				path := filepath.Join(t.TempDir(), "archive")
				made, err := source.Backup(t.Context(), path)
				if err != nil {
					t.Fatalf("Backup(): %v", err)
				}
				modeIs(t, path, 0o600)
				restored, err := target.Restore(t.Context(), path)
				if err != nil {
					t.Fatalf("Restore(): %v", err)
				}
				if d := cmp.Diff(made, restored); d != "" {
					t.Errorf("Backup() and Restore() differ:\n%s", d)
				}
				if made.Documents != 24 || made.Versions != 60 {
					t.Errorf("Backup() = %+v, want 24 documents with 60 versions", made)
				}
				if d := cmp.Diff(lines(t, source), lines(t, target)); d != "" {
					t.Errorf("what was restored (-want +got):\n%s", d)
				}
				findsAlike(t, source, target)
				again := filepath.Join(t.TempDir(), "again")
				second, err := target.Backup(t.Context(), again)
				if err != nil || second.Digest != made.Digest {
					t.Errorf("Backup() of what was restored = %+v, %v; want %+v", second, err, made)
				}
				if _, err := target.Write(t.Context(), decisionstest.Change("id-3", 4)); err != nil {
					t.Errorf("Write() after Restore(): %v", err)
				}
			})
		}
	}
}

// findsAlike asks both for what the terms of the newest versions find.
func findsAlike(t *testing.T, a, b decisions.Store) {
	t.Helper()
	for version := range 4 {
		q := decisions.Query{Kind: decisions.Action, Terms: map[string][]string{"state": {fmt.Sprint("ñ<&>", version)}}}
		want, err := a.Find(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		got, err := b.Find(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("Find() (-want +got):\n%s", d)
		}
	}
}

func TestABackupTakesNoFileAway(t *testing.T) {
	t.Parallel()
	store := open(t, backends["sqlite"](t))
	diverse(t, store)
	folder := t.TempDir()
	path := filepath.Join(folder, "archive")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Backup(t.Context(), path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Backup() = %v, want fs.ErrExist", err)
	}
	if text, _ := os.ReadFile(path); string(text) != "mine" {
		t.Errorf("the file holds %q", text)
	}
	if _, err := store.Backup(t.Context(), filepath.Join(folder, "none", "archive")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Backup() into no folder = %v, want fs.ErrNotExist", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := store.Backup(ctx, filepath.Join(folder, "late")); !errors.Is(err, context.Canceled) {
		t.Errorf("Backup() = %v, want context.Canceled", err)
	}
	left, err := os.ReadDir(folder)
	if err != nil || len(left) != 1 {
		t.Errorf("the folder holds %v, %v; want the one file", left, err)
	}
}

func TestNothingIsRestoredOverDecisions(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, c decisions.Config) {
		store := open(t, c)
		diverse(t, store)
		path := filepath.Join(t.TempDir(), "archive")
		if _, err := store.Backup(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		want := lines(t, store)
		if _, err := store.Restore(t.Context(), path); !errors.Is(err, decisions.ErrNotEmpty) {
			t.Errorf("Restore() = %v, want ErrNotEmpty", err)
		}
		if d := cmp.Diff(want, lines(t, store)); d != "" {
			t.Errorf("afterwards (-want +got):\n%s", d)
		}
	})
}

// small returns an archive of few lines and an empty store to restore it into.
func small(t testing.TB) ([]byte, *decisions.Database, string) {
	t.Helper()
	source := open(t, backends["sqlite"](t))
	for _, c := range []decisions.Change{
		decisionstest.Change("a", 0), decisionstest.Change("a", 1), decisionstest.Change("b", 0),
	} {
		c.Terms = map[string]string{"state": "open"}
		if _, err := source.Write(t.Context(), c); err != nil {
			t.Fatalf("Write(): %v", err)
		}
	}
	path := filepath.Join(t.TempDir(), "archive")
	if _, err := source.Backup(t.Context(), path); err != nil {
		t.Fatalf("Backup(): %v", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text, open(t, backends["sqlite"](t)), path
}

// isEmpty fails the test if anything was written.
func isEmpty(t testing.TB, store *decisions.Database) {
	t.Helper()
	status, err := store.Status(t.Context())
	if err != nil || len(status.Kinds) != 0 {
		t.Errorf("the store holds %+v, %v; want nothing", status, err)
	}
}

func TestAnArchiveThatWasCutShortIsRefused(t *testing.T) {
	t.Parallel()
	text, store, path := small(t)
	for end := range text {
		if err := os.WriteFile(path, text[:end], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Restore(t.Context(), path); !errors.Is(err, decisions.ErrArchive) {
			t.Fatalf("Restore() of %d of %d bytes = %v, want ErrArchive", end, len(text), err)
		}
	}
	isEmpty(t, store)
}

func TestAnArchiveThatWasAlteredIsRefused(t *testing.T) {
	t.Parallel()
	text, store, path := small(t)
	last := bytes.LastIndexByte(text[:len(text)-1], '\n')
	for i := range text {
		flips := []byte{1, 0x20, 0x80}
		if i < last { // The digest is of all lines but the last, so that one way is enough.
			flips = flips[i%3 : i%3+1]
		}
		for _, flip := range flips {
			altered := bytes.Clone(text)
			altered[i] ^= flip
			if err := os.WriteFile(path, altered, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := store.Restore(t.Context(), path)
			if !errors.Is(err, decisions.ErrArchive) && !errors.Is(err, decisions.ErrSchema) {
				t.Fatalf("Restore() with byte %d altered = %v, want ErrArchive", i, err)
			}
		}
	}
	whole := bytes.SplitAfter(text, []byte("\n"))
	for name, order := range map[string][]int{
		"a line is missing": {0, 1, 3, 4}, "a line is twice": {0, 1, 1, 2, 3, 4}, "two changed places": {0, 1, 3, 2, 4},
		"the tail is twice": {0, 1, 2, 3, 4, 4}, "another follows": {0, 1, 2, 3, 4, 0, 1, 2, 3, 4},
		"there is no head": {1, 2, 3, 4}, "there is no tail": {0, 1, 2, 3},
	} {
		var altered []byte
		for _, i := range order {
			altered = append(altered, whole[i]...)
		}
		if err := os.WriteFile(path, altered, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Restore(t.Context(), path); !errors.Is(err, decisions.ErrArchive) {
			t.Errorf("%s: Restore() = %v, want ErrArchive", name, err)
		}
	}
	isEmpty(t, store)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Restore(t.Context(), path); err != nil {
		t.Errorf("Restore() of the archive itself: %v", err)
	}
}

// Whatever somebody calls an archive, it is refused or restored, and nothing of what is refused is said
// or kept.
func FuzzRestore(f *testing.F) {
	text, store, _ := small(f)
	f.Add(text)
	f.Add([]byte("{}\n"))
	f.Add([]byte(`{"format":"equitylens decisions","version":1,"at":"2026-03-01T00:00:00Z"}` + "\n" +
		`{"documents":0,"versions":0,"sha256":""}` + "\n"))
	f.Add([]byte(`{"format":"equitylens decisions","version":2,"at":"2026-03-01T00:00:00Z"}` + "\n"))
	path := filepath.Join(f.TempDir(), "archive")
	f.Fuzz(func(t *testing.T, altered []byte) {
		if bytes.Equal(altered, text) {
			return
		}
		if err := os.WriteFile(path, altered, 0o600); err != nil {
			t.Fatal(err)
		}
		archive, err := store.Restore(t.Context(), path)
		if err == nil && archive.Versions != 0 {
			t.Fatalf("Restore() = %+v of what nobody has backed up", archive)
		}
		if err != nil && !errors.Is(err, decisions.ErrArchive) && !errors.Is(err, decisions.ErrSchema) {
			t.Fatalf("Restore() = %v, want ErrArchive", err)
		}
		isEmpty(t, store)
	})
}

// Archives are made while others write pairs: each holds as many versions of one as of the other, and
// all that was acknowledged before it began.
func TestABackupIsOneStateWhileOthersWrite(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, c decisions.Config) {
		store := open(t, c)
		var group sync.WaitGroup
		stop := make(chan struct{})
		acknowledged := make(chan int, 1)
		acknowledged <- 0
		group.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := store.Write(t.Context(), decisionstest.Change("a", i), decisionstest.Change("b", i)); err != nil {
					t.Errorf("Write(): %v", err)
					return
				}
				<-acknowledged
				acknowledged <- i + 1
			}
		})
		folder := t.TempDir()
		for i := range 8 {
			atLeast := <-acknowledged
			acknowledged <- atLeast
			archive, err := store.Backup(t.Context(), filepath.Join(folder, fmt.Sprint(i)))
			if err != nil {
				t.Errorf("Backup(): %v", err)
				break
			}
			if archive.Versions%2 != 0 || archive.Versions < 2*atLeast {
				t.Errorf("Backup() = %+v of pairs, at least %d", archive, atLeast)
			}
			empty := backends["sqlite"](t)
			if _, err := open(t, empty).Restore(t.Context(), filepath.Join(folder, fmt.Sprint(i))); err != nil {
				t.Errorf("Restore(): %v", err)
			}
		}
		close(stop)
		group.Wait()
	})
}
