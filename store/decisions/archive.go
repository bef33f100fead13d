package decisions

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"
)

// ErrArchive: a file is not a whole, unaltered archive of decisions.
var ErrArchive = errors.New("not a whole archive of decisions")

// Archive says what is in an archive.
type Archive struct {
	// At is when it was made.
	At time.Time
	// Documents counts the decisions, Versions all of their versions.
	Documents, Versions int
	// Digest is the SHA-256 of every byte before the last line, in hexadecimal.
	Digest string
}

const (
	archiveFormat = "equitylens decisions"
	// archiveVersion is the newest form of an archive that this program reads and the one that it writes.
	archiveVersion = 1
)

// An archive is lines of JSON: a head, a record for each version in the order of kind, id and version,
// and a tail, which holds the digest of all that stands before it.
type (
	head struct {
		Format  string    `json:"format"`
		Version int       `json:"version"`
		At      time.Time `json:"at"`
	}
	record struct {
		Kind    Kind              `json:"kind"`
		ID      string            `json:"id"`
		Version int               `json:"version"`
		At      time.Time         `json:"at"`
		By      string            `json:"by"`
		Terms   map[string]string `json:"terms,omitempty"`
		// Body is a text and not an object, so that it comes back to the byte.
		Body string `json:"body"`
	}
	tail struct {
		Documents int    `json:"documents"`
		Versions  int    `json:"versions"`
		Digest    string `json:"sha256"`
	}
)

// writeLine writes one line. What encoding/json escapes for the sake of HTML it decodes again.
func writeLine(w io.Writer, value any) error {
	line, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode a line: %w", err)
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

func recordOf(d Document) record {
	return record{
		Kind: d.Kind, ID: d.ID, Version: d.Version, At: d.At, By: d.By, Terms: d.Terms, Body: string(d.Body),
	}
}

// document returns the document of a record, or why there cannot be such a one.
func (r record) document() (Document, error) {
	d := Document{
		Kind: r.Kind, ID: r.ID, Version: r.Version, At: r.At.UTC(), By: r.By, Terms: r.Terms, Body: []byte(r.Body),
	}
	if len(d.Terms) == 0 {
		d.Terms = nil
	}
	if d.At.Nanosecond()%int(time.Microsecond) != 0 {
		return Document{}, fmt.Errorf("%w: its time is finer than a microsecond", ErrInvalid)
	}
	return d, check(d)
}

// tally counts documents and versions that come in order, and finds holes.
type tally struct {
	documents, versions int
	last                Document
	// sum is of every document as a line of an archive; two stores with one sum hold the same.
	sum hash.Hash
}

func (t *tally) add(d Document) error {
	if !t.follows(d) {
		return fmt.Errorf("%w: version %d of %s %s is not in its place", ErrArchive, d.Version, d.Kind, d.ID)
	}
	if d.Version == 1 {
		t.documents++
	}
	t.versions++
	t.last = Document{Kind: d.Kind, ID: d.ID, Version: d.Version}
	return writeLine(t.sum, recordOf(d))
}

// follows reports whether a document is the next version of the last one, or the first of another one
// that comes after it.
func (t *tally) follows(d Document) bool {
	switch {
	case t.versions == 0 || d.Kind > t.last.Kind:
		return d.Version == 1
	case d.Kind < t.last.Kind || d.ID < t.last.ID:
		return false
	case d.ID == t.last.ID:
		return d.Version == t.last.Version+1
	}
	return d.Version == 1
}
