package dashboard

import (
	"bytes"
	"compress/gzip"
	"container/list"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// written is an answer as it goes out. It names nobody, and depends on nothing but its key.
type written struct {
	header http.Header
	body   []byte
	zipped []byte
}

func (w *written) size() int { return len(w.body) + len(w.zipped) }

// worthZipping is the length from which an answer is compressed: below, it does not fit into fewer
// packets.
const worthZipping = 1024

// zip compresses what is text and long enough.
func (w *written) zip() error {
	kind := w.header.Get("Content-Type")
	if len(w.body) < worthZipping ||
		!strings.HasPrefix(kind, "text/") && !strings.Contains(kind, "json") && !strings.Contains(kind, "xml") {
		return nil
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(w.body); err != nil {
		return fmt.Errorf("compress a page: %w", err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("compress a page: %w", err)
	}
	w.zipped = bytes.Clone(out.Bytes())
	return nil
}

// send writes the answer out.
func (w *written) send(out http.ResponseWriter, r *http.Request) {
	h := out.Header()
	for name, values := range w.header {
		h[name] = slices.Clone(values) // Others add to theirs at the same time.
	}
	h.Add("Vary", "Accept-Encoding")
	body := w.body
	if w.zipped != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = w.zipped
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	out.WriteHeader(http.StatusOK)
	_, _ = out.Write(body) // A reader who has gone needs no page.
}

// keeper keeps the answers that were asked for last, up to a number of bytes.
type keeper struct {
	limit int

	mu    sync.Mutex
	held  map[string]*list.Element
	order *list.List
	size  int
}

type entry struct {
	key    string
	answer *written
}

func newKeeper(limit int) *keeper {
	return &keeper{limit: limit, held: map[string]*list.Element{}, order: list.New()}
}

func (k *keeper) get(key string) *written {
	k.mu.Lock()
	defer k.mu.Unlock()
	e, ok := k.held[key]
	if !ok {
		return nil
	}
	k.order.MoveToFront(e)
	return e.Value.(*entry).answer
}

func (k *keeper) put(key string, w *written) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.held[key]; ok || w.size() > k.limit {
		return
	}
	k.held[key] = k.order.PushFront(&entry{key, w})
	for k.size += w.size(); k.size > k.limit; {
		last := k.order.Remove(k.order.Back()).(*entry)
		delete(k.held, last.key)
		k.size -= last.answer.size()
	}
}
