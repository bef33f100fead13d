package bulk

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// TestTokenEndsDuringDownload makes every token good for two files only, as if it lived 2 s.
func TestTokenEndsDuringDownload(t *testing.T) {
	t.Parallel()
	var files []served
	for range 20 {
		files = append(files, lines("Patient", 3))
	}
	h := newHospital(t, files...)
	uses := map[string]int{}
	h.onFile = func(_ http.ResponseWriter, r *http.Request, _ served) bool {
		h.mu.Lock()
		uses[r.Header.Get("Authorization")]++
		done := uses[r.Header.Get("Authorization")] == 2
		h.mu.Unlock()
		if done {
			h.spend(r)
		}
		return false
	}
	export, err := h.run(func(cfg *Config) { cfg.Parallel = 1 })
	if err != nil || len(export.Files) != 20 || export.Partial {
		t.Fatalf("Run = %d files, %v", len(export.Files), err)
	}
	// One token for every two files; the first also kicks off and polls.
	if h.tokens != 10 {
		t.Errorf("%d tokens, want 10", h.tokens)
	}
}

// TestTokenDoesNotFollowAFileRedirect sends files on to another origin, as Oracle Health does.
func TestTokenDoesNotFollowAFileRedirect(t *testing.T) {
	t.Parallel()
	h := newHospital(t, lines("Patient", 2))
	var leaked atomic.Bool
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			leaked.Store(true)
		}
		_, _ = w.Write(h.files[0].body)
	}))
	t.Cleanup(store.Close)
	h.onFile = func(w http.ResponseWriter, r *http.Request, _ served) bool {
		http.Redirect(w, r, store.URL+"/signed?for=us", http.StatusTemporaryRedirect)
		return true
	}
	export, err := h.run()
	if err != nil || len(export.Files) != 1 || leaked.Load() {
		t.Errorf("Run = %+v, %v; token leaked: %t", export, err, leaked.Load())
	}
}

// TestFilesOfAnotherOriginGetNoToken takes a manifest whose files live in a store, which refuses
// whoever brings a token.
func TestFilesOfAnotherOriginGetNoToken(t *testing.T) {
	t.Parallel()
	h := newHospital(t, lines("Patient", 2))
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = w.Write(h.files[0].body)
	}))
	t.Cleanup(store.Close)
	h.change = func(m map[string]any) {
		m["output"] = []any{map[string]any{"type": "Patient", "url": store.URL + "/1"}}
	}
	if export, err := h.run(); err != nil || len(export.Files) != 1 {
		t.Errorf("Run = %+v, %v", export, err)
	}
}

// TestTokenThatIsNeededAnyway fetches a file that wants a token although the manifest says not.
func TestTokenThatIsNeededAnyway(t *testing.T) {
	t.Parallel()
	h := newHospital(t, lines("Patient", 2))
	h.change = func(m map[string]any) { m["requiresAccessToken"] = false }
	if export, err := h.run(); err != nil || len(export.Files) != 1 || export.Partial {
		t.Errorf("Run = %+v, %v", export, err)
	}
	if got := h.asked("GET /fhir/file/0"); got != 2 {
		t.Errorf("%d requests for the file, want one without and one with the token", got)
	}
	h = newHospital(t, lines("Patient", 2))
	h.open = true
	if export, err := h.run(); err != nil || len(export.Files) != 1 {
		t.Errorf("Run on open files = %+v, %v", export, err)
	}
	if got := h.headers[len(h.headers)-2].Get("Authorization"); got != "" {
		t.Errorf("the token was sent where none is needed")
	}
}
