package ingest

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"unicode/utf8"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/fhir/r4"
)

// quarantineFile keeps every refused line of a run, as it came, with where it stood and why it was
// refused. It holds what the EHR sent, so it is as confidential as that.
const quarantineFile = "quarantine.ndjson"

// ownerOnly is the mode of what a run writes.
const ownerOnly = 0o600

// The longest line that is kept whole, and diagnosed.
const longestKept = 1 << 20

type quarantine struct {
	mu        sync.Mutex
	file      *os.File
	out       *bufio.Writer
	validator *r4.Validator
	folder    string
	places    places
}

// refusedLine is one line of the quarantine.
type refusedLine struct {
	File      string      `json:"file"`
	Line      int64       `json:"line"`
	Offset    int64       `json:"offset"`
	Length    int64       `json:"length"`
	SHA256    string      `json:"sha256"`
	Reason    fhir.Reason `json:"reason"`
	Element   string      `json:"element,omitempty"`
	Diagnosis string      `json:"diagnosis,omitempty"`
	// Text is the line, or the beginning of one that is too long; Bytes instead where it is not UTF-8.
	Text  string `json:"text,omitempty"`
	Bytes []byte `json:"bytes,omitempty"`
}

func newQuarantine(folder string) (*quarantine, error) {
	if err := os.Remove(filepath.Join(folder, placesFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("remove the places of an earlier attempt: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(folder, quarantineFile), // #nosec G304 -- a path of the run
		os.O_WRONLY|os.O_CREATE|os.O_TRUNC, ownerOnly)
	if err != nil {
		return nil, fmt.Errorf("open quarantine: %w", err)
	}
	validator, err := r4.NewValidator()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &quarantine{
		file: file, out: bufio.NewWriter(file), validator: validator, folder: folder,
		places: places{reasons: map[RefusedFor]int64{}},
	}, nil
}

// put keeps a line. The diagnosis is jsonformat's, which knows every rule of R4.
func (q *quarantine) put(label string, line fhir.Line, cause *fhir.RefusedError) error {
	sum := sha256.Sum256(line.Bytes)
	entry := refusedLine{
		File: label, Line: line.Number, Offset: line.Offset, Length: line.Length,
		SHA256: hex.EncodeToString(sum[:]), Reason: cause.Reason, Element: cause.Element,
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	text := line.Bytes[:min(len(line.Bytes), longestKept)]
	if utf8.Valid(text) {
		entry.Text = string(text)
	} else {
		entry.Bytes = text
	}
	if !line.TooLong && len(line.Bytes) <= longestKept {
		if err := q.validator.Validate(line.Bytes); err != nil {
			entry.Diagnosis = err.Error()
		}
	}
	q.places.add(Place{
		File: entry.File, Line: entry.Line, Offset: entry.Offset, Length: entry.Length,
		Reason: entry.Reason, Element: entry.Element,
	})
	if err := json.NewEncoder(q.out).Encode(entry); err != nil {
		return fmt.Errorf("write quarantine: %w", err)
	}
	return nil
}

// close writes everything down.
func (q *quarantine) close() error {
	if err := errors.Join(q.out.Flush(), q.file.Sync(), q.file.Close()); err != nil {
		return fmt.Errorf("close quarantine: %w", err)
	}
	return q.places.save(q.folder)
}
