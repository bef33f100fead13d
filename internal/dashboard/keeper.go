package dashboard

import (
	"bytes"
	"container/list"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// written is an answer as it goes out. It names nobody, and depends on nothing but its key.
type written struct {
	header http.Header
	// body is compressed where zipped says so: nearly every browser takes it like this, and ten times as
	// many are kept as would be plain. length is that of the plain text.
	body   []byte
	zipped bool
	length int
}

func (w *written) size() int { return len(w.body) }

// worthZipping is the length from which an answer is compressed: below, it does not fit into fewer
// packets.
const worthZipping = 1024

// zip compresses what is text and long enough.
func (w *written) zip() error {
	kind := w.header.Get("Content-Type")
	w.length = len(w.body)
	if w.length < worthZipping ||
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
	w.body, w.zipped = bytes.Clone(out.Bytes()), true
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
	if w.zipped {
		if takesGzip(r) {
			h.Set("Content-Encoding", "gzip")
		} else {
			body, _ = w.plain() // What zip has written can be read.
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	out.WriteHeader(http.StatusOK)
	_, _ = out.Write(body) // A reader who has gone needs no page.
}

// plain is the answer as it was before it was compressed.
func (w *written) plain() ([]byte, error) {
	if !w.zipped {
		return w.body, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(w.body))
	if err != nil {
		return nil, fmt.Errorf("unpack a page: %w", err)
	}
	var out bytes.Buffer
	out.Grow(w.length)
	if _, err := out.ReadFrom(z); err != nil {
		return nil, fmt.Errorf("unpack a page: %w", err)
	}
	return out.Bytes(), nil
}

// takesGzip reads Accept-Encoding.
func takesGzip(r *http.Request) bool {
	for _, line := range r.Header.Values("Accept-Encoding") {
		for one := range strings.SplitSeq(line, ",") {
			name, weight, _ := strings.Cut(one, ";")
			_, q, _ := strings.Cut(weight, "=")
			n, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
			if strings.EqualFold(strings.TrimSpace(name), "gzip") {
				return err != nil || n > 0 // Without a weight it is wanted.
			}
		}
	}
	return false
}

// keeper keeps the answers that were asked for last, up to a number of bytes, and sees to it that those
// that it lacks are made once and not too many at a time.
type keeper struct {
	flights flights
	line    *line

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

// size counts the key too, which may be as long as an address.
func (e *entry) size() int { return len(e.key) + e.answer.size() }

func newKeeper(limit int) *keeper {
	return &keeper{
		flights: flights{now: map[string]*flight{}}, line: newLine(runtime.GOMAXPROCS(0)),
		limit: limit, held: map[string]*list.Element{}, order: list.New(),
	}
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
	e := &entry{key, w}
	if _, ok := k.held[key]; ok || e.size() > k.limit {
		return
	}
	k.held[key] = k.order.PushFront(e)
	for k.size += e.size(); k.size > k.limit; {
		last := k.order.Remove(k.order.Back()).(*entry)
		delete(k.held, last.key)
		k.size -= last.size()
	}
}
