package bulk

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/internal/phi"
)

// Deletion says that a resource is gone from the server.
type Deletion struct {
	Type string
	ID   phi.ID
}

// The faults of a deleted file.
var (
	errBundle = errors.New("not a transaction Bundle of DELETE requests")
	errDelete = errors.New("an entry is not the DELETE of a resource by its id")
)

// ReadDeleted reads a file of kind Deleted: on each line a transaction Bundle whose entries say
// request.method DELETE and request.url Type/id. Memory does not grow with the file or its lines.
// A line, or an entry, that cannot be read is yielded as a *LineError and the walk goes on; any
// other error ends it.
func ReadDeleted(path string, limits Limits) iter.Seq2[Deletion, error] {
	return func(yield func(Deletion, error) bool) {
		file, err := OpenLimited(path, limits)
		if err != nil {
			yield(Deletion{}, err)
			return
		}
		defer func() { _ = file.Close() }()
		lines := newLineReader(file)
		for lines.next() {
			w := deletedWalk{lines: lines, yield: yield}
			w.line()
			if w.stopped {
				return
			}
		}
		if lines.err != nil {
			yield(Deletion{}, fmt.Errorf("read deleted file: %w", lines.err))
		}
	}
}

// deletedWalk reads one line.
type deletedWalk struct {
	lines   *lineReader
	yield   func(Deletion, error) bool
	stopped bool
}

// line reads every Bundle on the current line; more than one is a fault of the server that costs
// nothing to forgive.
func (w *deletedWalk) line() {
	dec := json.NewDecoder(w.lines)
	for !w.stopped {
		open, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil || open != json.Delim('{') {
			w.fault(errBundle)
			return
		}
		if !w.bundle(dec) {
			return
		}
	}
}

// fault yields a fault of the line, unless the source itself failed.
func (w *deletedWalk) fault(cause error) {
	if w.lines.err == nil && !w.stopped {
		w.stopped = !w.yield(Deletion{}, w.lines.fault(cause))
	}
}

// bundle reads the members of one Bundle and reports whether the line can be read on. A Bundle
// without entries deletes nothing.
func (w *deletedWalk) bundle(dec *json.Decoder) bool {
	isBundle := true
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			w.fault(errBundle)
			return false
		}
		switch key {
		case "entry":
			if !w.entries(dec) {
				return false
			}
			continue
		case "resourceType":
			var name string
			isBundle = dec.Decode(&name) == nil && name == "Bundle"
		default:
			var other json.RawMessage
			isBundle = dec.Decode(&other) == nil && isBundle
		}
		if !isBundle {
			w.fault(errBundle)
			return false
		}
	}
	if _, err := dec.Token(); err != nil || !isBundle {
		w.fault(errBundle)
		return false
	}
	return true
}

// entries reads the array and reports whether the line can be read on.
func (w *deletedWalk) entries(dec *json.Decoder) bool {
	if open, err := dec.Token(); err != nil || open != json.Delim('[') {
		w.fault(errBundle)
		return false
	}
	for dec.More() {
		var entry struct {
			Request struct {
				Method string `json:"method"`
				URL    string `json:"url"`
			} `json:"request"`
		}
		err := dec.Decode(&entry)
		var kind *json.UnmarshalTypeError
		if err != nil && !errors.As(err, &kind) {
			w.fault(errBundle)
			return false
		}
		deletion, ok := deletionOf(entry.Request.Method, entry.Request.URL)
		if !ok {
			w.fault(errDelete)
		} else {
			w.stopped = !w.yield(deletion, nil)
		}
		if w.stopped {
			return false
		}
	}
	if _, err := dec.Token(); err != nil {
		w.fault(errBundle)
		return false
	}
	return true
}

// deletionOf reads one request. A conditional URL names no id, so it deletes nothing here.
func deletionOf(method, address string) (Deletion, bool) {
	if method != "DELETE" || strings.Contains(address, "?") {
		return Deletion{}, false
	}
	name, id := fhir.Reference{Reference: address}.Target()
	if !resourceType(name) || id == "" {
		return Deletion{}, false
	}
	return Deletion{Type: name, ID: phi.New(id)}, true
}
