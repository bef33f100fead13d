package decisionstest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/equitylens/equitylens/store/decisions"
)

// Twin is a store in memory that does what is promised in the simplest way. It checks nothing of what is
// written and forgets it with the process.
type Twin struct {
	mu   sync.Mutex
	all  map[key][]decisions.Document
	zero time.Time
}

type key struct {
	kind decisions.Kind
	id   string
}

// Twin keeps the same promises.
var _ decisions.Store = (*Twin)(nil)

// NewTwin returns an empty store, whose clock stands still.
func NewTwin(now time.Time) *Twin {
	return &Twin{all: map[key][]decisions.Document{}, zero: now}
}

// Get returns the newest version.
func (w *Twin) Get(ctx context.Context, kind decisions.Kind, id string) (decisions.Document, error) {
	history, err := w.History(ctx, kind, id)
	if err != nil {
		return decisions.Document{}, err
	}
	return history[len(history)-1], nil
}

// History returns every version.
func (w *Twin) History(_ context.Context, kind decisions.Kind, id string) ([]decisions.Document, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	history := w.all[key{kind, id}]
	if len(history) == 0 {
		return nil, decisions.ErrNotFound
	}
	return slices.Clone(history), nil
}

// Find looks at every document.
func (w *Twin) Find(_ context.Context, q decisions.Query) ([]decisions.Document, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []decisions.Document
	for k, history := range w.all {
		document := history[len(history)-1]
		if k.kind == q.Kind && k.id > q.After && matches(document, q.Terms) {
			found = append(found, document)
		}
	}
	slices.SortFunc(found, func(a, b decisions.Document) int { return strings.Compare(a.ID, b.ID) })
	if q.Limit > 0 && len(found) > q.Limit {
		found = found[:q.Limit]
	}
	return found, nil
}

func matches(document decisions.Document, terms map[string][]string) bool {
	for name, values := range terms {
		value, ok := document.Terms[name]
		if !ok || !slices.Contains(values, value) {
			return false
		}
	}
	return true
}

// Write works on a copy, which takes the place of what was there if every change could be made.
func (w *Twin) Write(_ context.Context, changes ...decisions.Change) ([]decisions.Document, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	next := maps.Clone(w.all)
	var written []decisions.Document
	for _, c := range changes {
		k := key{c.Kind, c.ID}
		if len(next[k]) != c.Expect {
			return nil, decisions.ErrConflict
		}
		document := c.Document
		document.Version = c.Expect + 1
		if document.At.IsZero() {
			document.At = w.zero
		}
		next[k] = append(slices.Clone(next[k]), document)
		written = append(written, document)
	}
	w.all = next
	return written, nil
}

// Close does nothing.
func (*Twin) Close() error { return nil }
