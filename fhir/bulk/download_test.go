package bulk

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
)

// pack returns data as gzip.
func pack(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(data)
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// noise makes a file of n bytes that gzip cannot make much smaller.
func noise(n int) served {
	random := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, `{"resourceType":"Patient","id":"%016x%016x"}`+"\n", random.Uint64(), random.Uint64())
	}
	return served{Output, "Patient", b.Bytes(), -1}
}

// TestFileBrokenOffIsFetchedWhole cuts the connection at many places, with a length and without,
// packed and not. What is on disk at the end is the whole file.
func TestFileBrokenOffIsFetchedWhole(t *testing.T) {
	t.Parallel()
	whole := noise(300_000)
	packed := served{Output, "Patient", pack(t, whole.body), -1}
	for _, file := range []served{whole, packed} {
		for _, length := range []bool{true, false} {
			t.Run(fmt.Sprintf("%d bytes, length given %t", len(file.body), length), func(t *testing.T) {
				t.Parallel()
				cuts := []int{0, 1, 2, 9, 100, len(file.body) / 2, len(file.body) - 9, len(file.body) - 1}
				for k := 64 << 10; k < len(file.body); k += 64 << 10 {
					cuts = append(cuts, k)
				}
				h := newHospital(t, file)
				var tries atomic.Int32
				h.onFile = func(w http.ResponseWriter, _ *http.Request, f served) bool {
					if length {
						w.Header().Set("Content-Length", fmt.Sprint(len(f.body)))
					}
					try := int(tries.Add(1))
					if try > len(cuts) {
						return false
					}
					_, _ = w.Write(f.body[:cuts[try-1]])
					_ = http.NewResponseController(w).Flush()
					panic(http.ErrAbortHandler)
				}
				export, err := h.run(func(cfg *Config) { cfg.FileTries = len(cuts) + 1 })
				if err != nil || export.Partial {
					t.Fatalf("Run = %+v, %v", export, err)
				}
				if got := contents(t, export)["Patient-00001"]; got != string(whole.body) {
					t.Errorf("%d bytes on disk, want %d", len(got), len(whole.body))
				}
				if names := listing(t, filepath.Dir(export.Files[0].Path)); strings.Contains(fmt.Sprint(names), ".part") {
					t.Errorf("the folder holds %v", names)
				}
			})
		}
	}
}

// TestSilentTruncationIsFoundByTheCount ends a body without a length early and in good order. One
// more try is made; then the mismatch is reported.
func TestSilentTruncationIsFoundByTheCount(t *testing.T) {
	t.Parallel()
	for _, times := range []int{1, 2} {
		t.Run(fmt.Sprintf("%d times", times), func(t *testing.T) {
			t.Parallel()
			h := newHospital(t, lines("Patient", 10))
			try := 0
			h.onFile = func(w http.ResponseWriter, _ *http.Request, f served) bool {
				if try++; try > times {
					return false
				}
				_, _ = w.Write(f.body[:len(f.body)/2])
				return true
			}
			export, err := h.run()
			if err != nil {
				t.Fatal(err)
			}
			if times == 1 && (export.Files[0].Lines != 10 || len(export.Problems) != 0) {
				t.Errorf("%d lines, %v; want 10 and no problem", export.Files[0].Lines, export.Problems)
			}
			want := []Problem{{
				Kind: CountMismatch, Label: "Patient-00001", Type: "Patient", Expected: 10, Got: 5,
				Reason: "the manifest says 10 lines, 5 came",
			}}
			if diff := cmp.Diff(want, export.Problems); times == 2 && diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// TestExpiredFileRestartsTheExport says that the export has expired, clears the folder, and makes a
// new export with the next Run.
func TestExpiredFileRestartsTheExport(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusNotFound, http.StatusGone} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			h := newHospital(t, lines("Patient", 2), lines("Encounter", 2))
			// A handler may still run when the Run that asked it has ended.
			var expired atomic.Bool
			expired.Store(true)
			h.onFile = func(w http.ResponseWriter, _ *http.Request, f served) bool {
				return expired.Load() && f.typ == "Encounter" && refuse(w, status, "")
			}
			dir := t.TempDir()
			e := h.exporter(dir)
			if _, err := e.Run(t.Context()); !errors.Is(err, ErrExpired) || len(listing(t, dir)) != 0 {
				t.Fatalf("Run = %v, folder holds %v; want ErrExpired and nothing", err, listing(t, dir))
			}
			expired.Store(false)
			export, err := e.Run(t.Context())
			if err != nil || len(export.Files) != 2 || h.asked("GET /fhir/$export") != 2 {
				t.Errorf("second Run = %+v, %v", export, err)
			}
		})
	}
}

// TestSignedLinkThatExpired reads the 403 of a store as what it means.
func TestSignedLinkThatExpired(t *testing.T) {
	t.Parallel()
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(store.Close)
	h := newHospital(t)
	h.change = func(m map[string]any) {
		m["output"] = []any{map[string]any{"type": "Patient", "url": store.URL + "/1"}}
	}
	if _, err := h.run(); !errors.Is(err, ErrExpired) {
		t.Errorf("Run = %v, want ErrExpired", err)
	}
}

// TestFileThatCannotBeHad makes an export partial, names what is missing, keeps the job, and is
// tried again by the next Run.
func TestFileThatCannotBeHad(t *testing.T) {
	t.Parallel()
	tests := map[string]func(http.ResponseWriter, *http.Request, served){
		"500":          func(w http.ResponseWriter, _ *http.Request, _ served) { refuse(w, 500, "") },
		"503 for ever": func(w http.ResponseWriter, _ *http.Request, _ served) { refuse(w, 503, "") },
		"401 for ever": func(w http.ResponseWriter, _ *http.Request, _ served) { refuse(w, 401, "") },
		"cut for ever": func(http.ResponseWriter, *http.Request, served) { panic(http.ErrAbortHandler) },
		"a page":       func(w http.ResponseWriter, _ *http.Request, _ served) { refuse(w, 200, "\n <html>") },
		"packed twice": func(w http.ResponseWriter, _ *http.Request, f served) { _, _ = w.Write(pack(t, pack(t, f.body))) },
		"damaged":      func(w http.ResponseWriter, _ *http.Request, f served) { _, _ = w.Write(damaged(t, f.body)) },
		"off to inside": func(w http.ResponseWriter, r *http.Request, _ served) {
			http.Redirect(w, r, "https://10.0.0.1/", http.StatusTemporaryRedirect)
		},
	}
	for name, fault := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mended atomic.Bool
			h := newHospital(t, lines("Patient", 2), lines("Encounter", 5))
			h.onFile = func(w http.ResponseWriter, r *http.Request, f served) bool {
				if !mended.Load() && f.typ == "Encounter" {
					fault(w, r, f)
					return true
				}
				return false
			}
			dir := t.TempDir()
			export, err := h.exporter(dir).Run(t.Context())
			if err != nil || !export.Partial || len(export.Files) != 1 || len(export.Problems) != 1 {
				t.Fatalf("Run = %+v, %v; want one file and one problem", export, err)
			}
			problem := export.Problems[0]
			if problem.Kind != FileFailed || problem.Label != "Encounter-00002" || problem.Type != "Encounter" ||
				strings.Contains(problem.Reason, h.URL) {
				t.Errorf("problem = %+v", problem)
			}
			if h.asked("DELETE") != 0 {
				t.Error("the job was deleted although a file is missing")
			}
			mended.Store(true)
			export, err = h.exporter(dir).Run(t.Context())
			if err != nil || export.Partial || len(export.Files) != 2 || h.asked("DELETE") != 1 {
				t.Errorf("second Run = %+v, %v", export, err)
			}
			if h.asked("GET /fhir/$export") != 1 || h.asked("GET /fhir/file/0") != 1 {
				t.Error("the second Run repeated what was done")
			}
		})
	}
}

// damaged returns data as gzip with a bent checksum.
func damaged(t testing.TB, data []byte) []byte {
	t.Helper()
	packed := pack(t, data)
	packed[len(packed)-6] ^= 1
	return packed
}

// TestLostServerStopsTheRun gives up after a few files in a row and leaves the rest for later.
func TestLostServerStopsTheRun(t *testing.T) {
	t.Parallel()
	var files []served
	for range 100 {
		files = append(files, lines("Patient", 1))
	}
	h := newHospital(t, files...)
	var lost, found atomic.Bool
	h.onFile = func(w http.ResponseWriter, r *http.Request, _ served) bool {
		if strings.HasSuffix(r.URL.Path, "/50") {
			lost.Store(true)
		}
		return lost.Load() && !found.Load() && refuse(w, 500, "")
	}
	dir := t.TempDir()
	if _, err := h.exporter(dir).Run(t.Context()); err == nil || h.asked("GET /fhir/file") > 75 {
		t.Fatalf("Run = %v after %d files", err, h.asked("GET /fhir/file"))
	}
	found.Store(true)
	export, err := h.exporter(dir).Run(t.Context())
	if err != nil || len(export.Files) != 100 || h.asked("GET /fhir/$export") != 1 {
		t.Errorf("second Run = %d files, %v", len(export.Files), err)
	}
}

// TestScatteredFailuresDoNotStopTheRun loses every other file, more than may be lost in a row.
func TestScatteredFailuresDoNotStopTheRun(t *testing.T) {
	t.Parallel()
	files := make([]served, 4*maxFailedInRow)
	for i := range files {
		files[i] = lines([]string{"Patient", "Encounter"}[i%2], 1)
	}
	h := newHospital(t, files...)
	h.onFile = func(w http.ResponseWriter, _ *http.Request, f served) bool {
		return f.typ == "Encounter" && refuse(w, 500, "")
	}
	export, err := h.run(func(cfg *Config) { cfg.Parallel = 1 })
	if err != nil || len(export.Files) != 2*maxFailedInRow || len(export.Problems) != 2*maxFailedInRow {
		t.Errorf("Run = %d files, %d problems, %v", len(export.Files), len(export.Problems), err)
	}
}

// TestDiskThatCannotBeWrittenStopsTheRun does not take our own fault for the server's.
func TestDiskThatCannotBeWrittenStopsTheRun(t *testing.T) {
	t.Parallel()
	h := newHospital(t, lines("Patient", 1))
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "Patient-00001.ndjson.part"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := h.exporter(dir).Run(t.Context())
	var disk *diskError
	if !errors.As(err, &disk) || len(h.clock.waits()) != 0 {
		t.Errorf("Run = %v after %d waits, want a fault of the disk at once", err, len(h.clock.waits()))
	}
}

// TestRateLimitDuringDownload answers every tenth request with 429, and no request comes sooner than
// asked.
func TestRateLimitDuringDownload(t *testing.T) {
	t.Parallel()
	var files []served
	for range 60 {
		files = append(files, lines("Patient", 1))
	}
	h := newHospital(t, files...)
	var opens time.Time
	n, early := 0, 0
	h.onFile = func(w http.ResponseWriter, _ *http.Request, _ served) bool {
		now := h.clock.Now()
		h.mu.Lock()
		defer h.mu.Unlock()
		if now.Before(opens) {
			early++
		}
		if n++; n%10 != 0 {
			return false
		}
		opens = now.Add(time.Minute)
		w.Header().Set("Retry-After", "60")
		return refuse(w, http.StatusTooManyRequests, "")
	}
	export, err := h.run(func(cfg *Config) { cfg.Parallel = 1 })
	if err != nil || len(export.Files) != 60 || early != 0 {
		t.Errorf("Run = %d files, %v; %d requests came early", len(export.Files), err, early)
	}
}

// TestManyTinyFiles fetches twenty thousand files (five hundred with -short) over few connections.
func TestManyTinyFiles(t *testing.T) {
	t.Parallel()
	count := 20_000
	if testing.Short() {
		count = 500
	}
	files := make([]served, count)
	for i := range files {
		files[i] = served{Output, "Patient", fmt.Appendf(nil, `{"resourceType":"Patient","id":"%d"}`, i), 1}
	}
	h := newHospital(t, files...)
	var flying, most atomic.Int32
	connections := map[string]bool{}
	h.onFile = func(_ http.ResponseWriter, r *http.Request, _ served) bool {
		now := flying.Add(1)
		defer flying.Add(-1)
		h.mu.Lock()
		defer h.mu.Unlock()
		most.Store(max(most.Load(), now))
		connections[r.RemoteAddr] = true
		return false
	}
	export, err := h.run()
	if err != nil || len(export.Files) != count || export.Partial || len(export.Problems) != 0 {
		t.Fatalf("Run = %d files, %v, %v", len(export.Files), export.Problems, err)
	}
	if most.Load() > defaultParallel || len(connections) > 2*defaultParallel {
		t.Errorf("%d requests at once over %d connections", most.Load(), len(connections))
	}
	if got := plain(t, export.Files[count-1].Path); got != string(files[count-1].body) {
		t.Errorf("last file = %q", got)
	}
}

// TestDownloadOrderDoesNotMatter compares the files of one worker and of many.
func TestDownloadOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	var files []served
	for i := range 40 {
		files = append(files, lines([]string{"Patient", "Encounter", "AdverseEvent"}[i%3], i))
	}
	var want map[string]string
	for _, parallel := range []int{1, 2, 16} {
		export, err := newHospital(t, files...).run(func(cfg *Config) { cfg.Parallel = parallel })
		if err != nil {
			t.Fatal(err)
		}
		got := contents(t, export)
		if want == nil {
			want = maps.Clone(got)
		}
		if diff := cmp.Diff(want, got); diff != "" || len(got) != 40 {
			t.Errorf("with %d workers (-want +got):\n%s", parallel, diff)
		}
	}
}
