package bulk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ward is a hospital with files of every kind, some packed, whose job is found running by every other poll.
func ward(t *testing.T) *hospital {
	t.Helper()
	packed := lines("Encounter", 200)
	packed.body = pack(t, packed.body)
	h := newHospital(t,
		lines("Patient", 30), lines("Patient", 5), packed, lines("AdverseEvent", 0), lines("Encounter", 7),
		served{Deleted, "Bundle", []byte(deletedLine("Patient/gone")), 1},
		served{Error, "OperationOutcome", []byte(`{"resourceType":"OperationOutcome","issue":[` +
			`{"severity":"warning","code":"incomplete"}]}` + "\n"), -1},
	)
	polls := 0
	h.onPoll = func(w http.ResponseWriter, _ *http.Request) bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		polls++
		return polls%2 == 1 && refuse(w, http.StatusAccepted, "")
	}
	return h
}

// remains is what a finished export leaves, in a form that can be compared between folders.
func remains(t *testing.T, dir string, export Export) map[string]any {
	t.Helper()
	files := make([]File, len(export.Files))
	for i, file := range export.Files {
		if filepath.Dir(file.Path) != dir {
			t.Errorf("file %s lies in %s", file.Label, filepath.Dir(file.Path))
		}
		file.Path = filepath.Base(file.Path)
		files[i] = file
	}
	return map[string]any{
		"files": files, "issues": export.Issues, "problems": export.Problems, "partial": export.Partial,
		"since": export.Since(), "contents": contents(t, export),
		"folder": slices.DeleteFunc(listing(t, dir), func(name string) bool { return name == stateName+partSuffix }),
	}
}

// TestGoesOnAfterTheContextEnds ends the context at each request in turn; a second Run in the same
// folder comes to what an undisturbed one does.
func TestGoesOnAfterTheContextEnds(t *testing.T) {
	t.Parallel()
	h := ward(t)
	calm := t.TempDir()
	export, err := h.exporter(calm).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want, steps := remains(t, calm, export), h.asked("")
	if steps < 10 {
		t.Fatalf("only %d requests", steps)
	}
	for step := 1; step <= steps; step++ {
		t.Run(fmt.Sprintf("request %d of %d", step, steps), func(t *testing.T) {
			t.Parallel()
			h := ward(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			h.before = func(n int, _ *http.Request) {
				if n == step {
					cancel()
				}
			}
			dir := t.TempDir()
			_, err := h.exporter(dir).Run(ctx)
			// Only the DELETE may be missed without harm.
			if !errors.Is(err, context.Canceled) && step < steps {
				t.Fatalf("Run = %v, want context.Canceled", err)
			}
			export, err := h.exporter(dir).Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, remains(t, dir, export)); diff != "" {
				t.Errorf("what remains (-want +got):\n%s", diff)
			}
			if kicks := h.asked("GET /fhir/$export"); step > 1 && kicks != 1 {
				t.Errorf("%d kick-offs", kicks)
			}
		})
	}
}

// TestGoesOnAfterAKill copies the folder as it is at each request, files half written included, and
// goes on from each copy as if the process had been killed there.
func TestGoesOnAfterAKill(t *testing.T) {
	t.Parallel()
	h := ward(t)
	dir, images := t.TempDir(), t.TempDir()
	var mu sync.Mutex
	var taken []string
	var ended atomic.Bool
	h.before = func(n int, _ *http.Request) {
		if ended.Load() {
			return
		}
		image := filepath.Join(images, fmt.Sprint(n))
		if err := copyFolder(dir, image); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		taken = append(taken, image)
	}
	export, err := h.exporter(dir).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ended.Store(true)
	want := remains(t, dir, export)
	for _, image := range append(taken, dir) {
		again, err := h.exporter(image).Run(t.Context())
		if err != nil {
			t.Fatalf("from image %s: %v", filepath.Base(image), err)
		}
		if diff := cmp.Diff(want, remains(t, image, again)); diff != "" {
			t.Errorf("from image %s (-want +got):\n%s", filepath.Base(image), diff)
		}
	}
}

// copyFolder copies the regular files of a folder that changes meanwhile.
func copyFolder(from, to string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(from, entry.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := errors.Join(err, os.WriteFile(filepath.Join(to, entry.Name()), data, 0o600)); err != nil {
			return err
		}
	}
	return nil
}

// TestDamageIsFoundBeforeAFileIsBelieved bends what an earlier run left. The files at the end are
// whole, and only what was bent is fetched again.
func TestDamageIsFoundBeforeAFileIsBelieved(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		bend    func(t *testing.T, dir string)
		fetched int
	}{
		{"nothing", func(*testing.T, string) {}, 0},
		{"a bit of a file", func(t *testing.T, dir string) {
			t.Helper()
			change(t, dir, "Patient-00001.ndjson", func(b []byte) []byte { b[20] ^= 1; return b })
		}, 1},
		{"a file cut short", func(t *testing.T, dir string) {
			t.Helper()
			change(t, dir, "Encounter-00003.ndjson.gz", func(b []byte) []byte { return b[:len(b)/2] })
		}, 1},
		{"a file removed", func(t *testing.T, dir string) {
			t.Helper()
			if err := os.Remove(filepath.Join(dir, "Patient-00002.ndjson")); err != nil {
				t.Fatal(err)
			}
		}, 1},
		{"the last line of the journal torn", func(t *testing.T, dir string) {
			t.Helper()
			change(t, dir, journalName, func(b []byte) []byte { return b[:len(b)-30] })
		}, 1},
		{"a journal that names other files", func(t *testing.T, dir string) {
			t.Helper()
			change(t, dir, journalName, func(b []byte) []byte {
				return []byte(strings.ReplaceAll(string(b), `"name":"`, `"name":"../`))
			})
		}, 7},
		{"the journal removed", func(t *testing.T, dir string) {
			t.Helper()
			if err := os.Remove(filepath.Join(dir, journalName)); err != nil {
				t.Fatal(err)
			}
		}, 7},
		{"parts left over", func(t *testing.T, dir string) {
			t.Helper()
			write(t, dir, stateName+partSuffix, `{"format":1,"requ`)
		}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := ward(t)
			dir := t.TempDir()
			export, err := h.exporter(dir).Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want, before := remains(t, dir, export), h.asked("GET /fhir/file/")
			tt.bend(t, dir)
			export, err = h.exporter(dir).Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, remains(t, dir, export)); diff != "" {
				t.Errorf("what remains (-want +got):\n%s", diff)
			}
			if got := h.asked("GET /fhir/file/") - before; got != tt.fetched {
				t.Errorf("%d files fetched again, want %d", got, tt.fetched)
			}
		})
	}
}

// change rewrites a file.
func change(t *testing.T, dir, name string, f func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, name, string(f(data)))
}

// TestStateOfAnotherRequestIsRefused keeps two exports apart, and starts anew where the state is not
// whole or the caller wants it.
func TestStateOfAnotherRequestIsRefused(t *testing.T) {
	t.Parallel()
	h := ward(t)
	dir := t.TempDir()
	write(t, dir, "quarantine.ndjson", "kept")
	if _, err := h.exporter(dir).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	other := func(cfg *Config) { cfg.Request.Types = []string{"Patient"} }
	before := h.asked("")
	if _, err := h.exporter(dir, other).Run(t.Context()); !errors.Is(err, ErrOtherRequest) || h.asked("") != before {
		t.Fatalf("Run of another request = %v, want ErrOtherRequest and no request", err)
	}
	if err := h.exporter(dir, other).Cancel(t.Context()); !errors.Is(err, ErrOtherRequest) {
		t.Fatalf("Cancel of another request = %v, want ErrOtherRequest", err)
	}
	restart := h.exporter(dir, other, func(cfg *Config) { cfg.Restart = true })
	for range 2 { // The second Run of the same Exporter goes on.
		if _, err := restart.Run(t.Context()); err != nil || h.asked("GET /fhir/$export") != 2 {
			t.Fatalf("Run with Restart = %v after %d kick-offs", err, h.asked("GET /fhir/$export"))
		}
	}
	for name, text := range map[string]string{
		"half written": `{"format":1,"request":"`, "empty": "", "of no job": `{"format":1}`,
		"without a place to go on": `{"format":1,"status_url":"https://e"}`,
	} {
		write(t, dir, stateName, text)
		kicks := h.asked("GET /fhir/$export")
		if _, err := h.exporter(dir, other).Run(t.Context()); err != nil || h.asked("GET /fhir/$export") != kicks+1 {
			t.Errorf("Run on a state that is %s: %v", name, err)
		}
	}
	change(t, dir, stateName, func(b []byte) []byte {
		return []byte(strings.Replace(string(b), `"format":1`, `"format":2`, 1))
	})
	if _, err := h.exporter(dir, other).Run(t.Context()); !errors.Is(err, ErrOtherRequest) {
		t.Errorf("Run on a state of a later program = %v, want ErrOtherRequest", err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "quarantine.ndjson")); err != nil || string(got) != "kept" {
		t.Errorf("a file that is not ours is %q, %v", got, err)
	}
}

// TestFinishedExportNeedsNoServer gives the same answer again without a request.
func TestFinishedExportNeedsNoServer(t *testing.T) {
	t.Parallel()
	h := ward(t)
	dir := t.TempDir()
	first, err := h.exporter(dir).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e := h.exporter(dir)
	h.Close()
	second, err := e.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("export (-first +second):\n%s", diff)
	}
}

// TestRunFolderIsPrivate looks at the permissions: URLs in the state may be signed, files hold people.
func TestRunFolderIsPrivate(t *testing.T) {
	t.Parallel()
	h := ward(t)
	dir := filepath.Join(t.TempDir(), "runs", "1")
	if _, err := h.exporter(dir).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range append(listing(t, dir), ".") {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %s", name, info.Mode())
		}
	}
}
