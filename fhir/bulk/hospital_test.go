package bulk

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/fhir/client"
)

// fakeClock stands still until somebody sleeps, and then jumps.
type fakeClock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

// Now returns the current moment.
func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Sleep jumps ahead and keeps the wait.
func (c *fakeClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.slept = append(c.slept, d)
	return context.Cause(ctx)
}

// waits returns the sleeps so far.
func (c *fakeClock) waits() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]time.Duration(nil), c.slept...)
}

// zeros is randomness without jitter.
type zeros struct{}

// Read fills p with zeros.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// served is one file of a hospital.
type served struct {
	kind  Kind
	typ   string
	body  []byte
	count int64 // in the manifest; -1 for none
}

// lines makes a file of n small resources.
func lines(typ string, n int) served {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"resourceType":%q,"id":"%s-%d"}`+"\n", typ, strings.ToLower(typ), i)
	}
	return served{Output, typ, []byte(b.String()), int64(n)}
}

// hospital is a Bulk Data server on loopback whose every step a test can bend. A hook returns true
// if it has answered.
type hospital struct {
	*httptest.Server
	t     *testing.T
	clock *fakeClock

	mu       sync.Mutex
	files    []served
	requests []string // method, path and query, in order
	headers  []http.Header
	tokens   int
	spent    map[string]bool
	open     bool // files need no token

	before   func(n int, r *http.Request) // sees every request but those for tokens, counted from 1
	onKick   func(w http.ResponseWriter, r *http.Request) bool
	onPoll   func(w http.ResponseWriter, r *http.Request) bool
	onFile   func(w http.ResponseWriter, r *http.Request, f served) bool
	onDelete func(w http.ResponseWriter, r *http.Request) bool
	change   func(manifest map[string]any)
}

// newHospital starts a server.
func newHospital(t *testing.T, files ...served) *hospital {
	t.Helper()
	h := &hospital{
		t: t, files: files, spent: map[string]bool{},
		clock: &fakeClock{now: time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)},
	}
	h.Server = httptest.NewServer(h)
	t.Cleanup(h.Close)
	return h
}

// ServeHTTP routes by path.
func (h *hospital) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	if r.URL.Path == "/token" {
		h.tokens++
		fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"bearer","expires_in":300}`, h.tokens)
		h.mu.Unlock()
		return
	}
	h.requests = append(h.requests, r.Method+" "+r.URL.RequestURI())
	h.headers = append(h.headers, r.Header)
	n := len(h.requests)
	before := h.before
	h.mu.Unlock()
	if before != nil {
		before(n, r)
	}
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/$export"):
		h.kick(w, r)
	case path == "/fhir/job/1" && r.Method == http.MethodDelete:
		if h.onDelete == nil || !h.onDelete(w, r) {
			w.WriteHeader(http.StatusAccepted)
		}
	case path == "/fhir/job/1":
		if h.authorised(w, r) && (h.onPoll == nil || !h.onPoll(w, r)) {
			_ = json.NewEncoder(w).Encode(h.manifest())
		}
	case strings.HasPrefix(path, "/fhir/file/"):
		h.file(w, r)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// kick accepts an export.
func (h *hospital) kick(w http.ResponseWriter, r *http.Request) {
	if !h.authorised(w, r) || h.onKick != nil && h.onKick(w, r) {
		return
	}
	w.Header().Set("Date", "Sun, 01 Mar 2026 01:59:00 GMT")
	w.Header().Set("Content-Location", h.URL+"/fhir/job/1")
	w.WriteHeader(http.StatusAccepted)
}

// authorised answers 401 unless the token is good.
func (h *hospital) authorised(w http.ResponseWriter, r *http.Request) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	header := r.Header.Get("Authorization")
	if header == "" || h.spent[header] {
		w.WriteHeader(http.StatusUnauthorized)
		return false
	}
	return true
}

// spend makes the token of a request worthless.
func (h *hospital) spend(r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.spent[r.Header.Get("Authorization")] = true
}

// manifest lists the files.
func (h *hospital) manifest() map[string]any {
	m := map[string]any{
		"transactionTime": "2026-03-01T02:00:00.000Z", "request": h.URL, "requiresAccessToken": !h.open,
		"output": []any{}, "error": []any{},
	}
	for i, f := range h.files {
		entry := map[string]any{"type": f.typ, "url": fmt.Sprintf("%s/fhir/file/%d", h.URL, i)}
		if f.count >= 0 {
			entry["count"] = f.count
		}
		list, _ := m[string(f.kind)].([]any)
		m[string(f.kind)] = append(list, entry)
	}
	if h.change != nil {
		h.change(m)
	}
	return m
}

// file serves one file.
func (h *hospital) file(w http.ResponseWriter, r *http.Request) {
	i, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/fhir/file/"))
	if err != nil || i >= len(h.files) {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if !h.open && !h.authorised(w, r) {
		return
	}
	if h.onFile == nil || !h.onFile(w, r, h.files[i]) {
		_, _ = w.Write(h.files[i].body)
	}
}

// asked returns how many requests began with a prefix.
func (h *hospital) asked(prefix string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, request := range h.requests {
		if strings.HasPrefix(request, prefix) {
			n++
		}
	}
	return n
}

// client returns a client that is registered with the hospital.
func (h *hospital) client() *client.Client {
	h.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		h.t.Fatal(err)
	}
	c, err := client.New(client.Config{
		BaseURL: h.URL + "/fhir", TokenURL: h.URL + "/token", ClientID: "us",
		Key: jose.JSONWebKey{Key: private, KeyID: "1"}, Scopes: []string{"system/*.rs"},
		AllowLoopback: true, Now: h.clock.Now, Sleep: h.clock.Sleep, Random: zeros{},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(c.Close)
	return c
}

// exporter returns an exporter into dir, changed by each of the functions.
func (h *hospital) exporter(dir string, change ...func(*Config)) *Exporter {
	h.t.Helper()
	cfg := Config{Client: h.client(), Dir: dir, Request: Request{Types: []string{"Patient", "Encounter"}}}
	for _, f := range change {
		f(&cfg)
	}
	e, err := New(cfg)
	if err != nil {
		h.t.Fatal(err)
	}
	return e
}

// run exports into a folder of its own.
func (h *hospital) run(change ...func(*Config)) (Export, error) {
	h.t.Helper()
	return h.exporter(h.t.TempDir(), change...).Run(h.t.Context())
}

// contents returns the plain bytes of every file of an export by label.
func contents(t *testing.T, export Export) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, file := range export.Files {
		all[file.Label] = plain(t, file.Path)
	}
	return all
}

// plain reads one file through the guard.
func plain(t *testing.T, path string) string {
	t.Helper()
	file, err := OpenNDJSON(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var b strings.Builder
	buf := make([]byte, 1<<16)
	for {
		n, err := file.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			if err.Error() != "EOF" {
				t.Fatal(err)
			}
			return b.String()
		}
	}
}

// listing returns the names in a folder.
func listing(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	return names
}

// write puts a file into a folder.
func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// mustParse parses a URL.
func mustParse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
