package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/store/trail"
)

// chart is a page that says what stands in its path, and has a policy of its own.
func chart(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", "frame-ancestors https://ehr.example.org")
	_, _ = io.WriteString(w, "chart "+r.PathValue("handle"))
}

// fakeReader holds an event of every id but one.
type fakeReader struct{}

func (fakeReader) Load(_ context.Context, id string) (json.RawMessage, error) {
	if id == "nothing" {
		return nil, fmt.Errorf("load: %w", trail.ErrNoEvent)
	}
	return audit.Builder{NewID: func() string { return id }, Now: now}.SignIn(audit.Entry{})
}

func (f fakeReader) Search(ctx context.Context, _ trail.Query) (trail.Page, error) {
	text, err := f.Load(ctx, "event-1")
	return trail.Page{Events: []json.RawMessage{text}}, err
}

// fakeSyncer can be started once.
type fakeSyncer struct {
	mu      sync.Mutex
	started int
}

func (f *fakeSyncer) Start(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.started++; f.started > 1 {
		return fmt.Errorf("start: %w", server.ErrRunning)
	}
	return nil
}

func (f *fakeSyncer) Status() any {
	f.mu.Lock()
	defer f.mu.Unlock()
	return map[string]int{"started": f.started}
}

// fakeEnder notes whose sessions were ended.
type fakeEnder struct {
	mu     sync.Mutex
	ended  []string
	broken error
}

func (f *fakeEnder) End(_ context.Context, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = append(f.ended, name)
	return f.broken
}
