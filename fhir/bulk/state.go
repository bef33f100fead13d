package bulk

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Names within the run folder.
const (
	stateName   = "export.json"
	journalName = "files.ndjson"
	partSuffix  = ".part"
)

// stateFormat changes when an older program could misread the state.
const stateFormat = 1

// state is where a run stands. It is written whole, by rename, at every step that must not be
// repeated; the finished files, of which there may be tens of thousands, stand in the journal.
type state struct {
	Format int `json:"format"`
	// Request is the fingerprint of the request, base URL included.
	Request string `json:"request"`
	// Started is our clock at the kick-off, ServerStarted the server's, if it said.
	Started       time.Time `json:"started"`
	ServerStarted time.Time `json:"server_started"`
	StatusURL     string    `json:"status_url"`
	// Pages is how many pages of the manifest were read, Next the one to read now. Listed says that
	// Items is complete.
	Pages           int       `json:"pages,omitempty"`
	Next            string    `json:"next,omitempty"`
	Listed          bool      `json:"listed"`
	TransactionTime time.Time `json:"transaction_time"`
	Items           []Item    `json:"items,omitempty"`
	// Closed says that every file was fetched and the server told to forget the job.
	Closed bool `json:"closed"`
}

// fileRecord is one finished file, a line of the journal.
type fileRecord struct {
	// Item is the index in state.Items.
	Item   int    `json:"item"`
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	Lines  int64  `json:"lines"`
}

// folder is a run folder.
type folder struct {
	dir string
	// mu holds the journal to one writer.
	mu      sync.Mutex
	journal *os.File
}

// path returns the path of a name in the folder.
func (f *folder) path(name string) string { return filepath.Join(f.dir, name) }

// load returns the state that an earlier run left; nil if there is none or it was not written
// whole. A state of another request is ErrOtherRequest: to go on with it would mix two exports.
func (f *folder) load(fingerprint string) (*state, error) {
	data, err := os.ReadFile(f.path(stateName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read state of run: %w", err)
	}
	s := new(state)
	if json.Unmarshal(data, s) != nil || s.StatusURL == "" || !s.Listed && s.Next == "" {
		return nil, nil
	}
	if s.Format != stateFormat {
		return nil, fmt.Errorf("read state of run: %w, in format %d", ErrOtherRequest, s.Format)
	}
	if s.Request != fingerprint {
		return nil, fmt.Errorf("read state of run: %w", ErrOtherRequest)
	}
	for _, item := range s.Items {
		if item.Type != "" && !resourceType(item.Type) {
			return nil, nil
		}
	}
	return s, nil
}

// save writes the state whole.
func (f *folder) save(s *state) error {
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write state of run: %w", err)
	}
	if err := replaceFile(f.path(stateName), data); err != nil {
		return fmt.Errorf("write state of run: %w", err)
	}
	return nil
}

// ownName matches what an export writes besides its state, so that clearing takes nothing else.
var ownName = regexp.MustCompile(
	`^(?:files\.ndjson|(?:[A-Z][A-Za-z]{0,63}|mixed|deleted|error)-\d{5,}\.ndjson(?:\.gz)?)` +
		`(?:\.part)?$`)

// clear removes all that an export left in the folder; the state goes first, since it vouches for
// the rest.
func (f *folder) clear() error {
	if err := f.closeJournal(); err != nil {
		return err
	}
	for _, name := range []string{stateName, stateName + partSuffix} {
		if err := os.Remove(f.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("clear run folder: %w", err)
		}
	}
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return fmt.Errorf("clear run folder: %w", err)
	}
	for _, entry := range entries {
		if !entry.Type().IsRegular() || !ownName.MatchString(entry.Name()) {
			continue
		}
		if err := os.Remove(f.path(entry.Name())); err != nil {
			return fmt.Errorf("clear run folder: %w", err)
		}
	}
	return nil
}

// readJournal returns the finished files by item. A line that was not written whole is passed over:
// its file is fetched again.
func (f *folder) readJournal(items []Item) (map[int]fileRecord, error) {
	data, err := os.ReadFile(f.path(journalName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read journal of files: %w", err)
	}
	done := make(map[int]fileRecord)
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		var record fileRecord
		damaged := json.Unmarshal(lines.Bytes(), &record) != nil
		if damaged || record.Item < 0 || record.Item >= len(items) {
			continue
		}
		base := fileName(record.Item, items[record.Item])
		if record.Name == base || record.Name == base+".gz" {
			done[record.Item] = record
		}
	}
	return done, nil
}

// openJournal starts the journal anew with what is known to be good.
func (f *folder) openJournal(items int, done map[int]fileRecord) error {
	var data bytes.Buffer
	enc := json.NewEncoder(&data)
	for i := range items {
		record, ok := done[i]
		if !ok {
			continue
		}
		if err := enc.Encode(record); err != nil {
			return fmt.Errorf("write journal of files: %w", err)
		}
	}
	if err := replaceFile(f.path(journalName), data.Bytes()); err != nil {
		return fmt.Errorf("write journal of files: %w", err)
	}
	journal, err := os.OpenFile(f.path(journalName), os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open journal of files: %w", err)
	}
	f.journal = journal
	return nil
}

// record appends one finished file. It is not synced: a line that is lost costs one download, and a
// line that outlives its file is found out by the hash.
func (f *folder) record(r fileRecord) error {
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write journal of files: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := f.journal.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write journal of files: %w", err)
	}
	return nil
}

// closeJournal syncs and closes the journal if it is open.
func (f *folder) closeJournal() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.journal == nil {
		return nil
	}
	err := errors.Join(f.journal.Sync(), f.journal.Close())
	f.journal = nil
	if err != nil {
		return fmt.Errorf("close journal of files: %w", err)
	}
	return nil
}

// fileName returns the name of an item's file if it is not packed. It depends on the manifest
// alone, so that a run gone on with gives the same files as one that was never stopped.
func fileName(index int, item Item) string {
	stem := item.Type
	switch {
	case item.Kind != Output:
		stem = string(item.Kind)
	case stem == "":
		stem = "mixed"
	}
	return fmt.Sprintf("%s-%05d.ndjson", stem, index+1)
}

// replaceFile writes a file whole or not at all, and so that it stays after a power cut.
func replaceFile(path string, data []byte) error {
	part := path + partSuffix
	// #nosec G304 -- within the run folder.
	file, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(part, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes renames within a folder last.
func syncFolder(dir string) error {
	folder, err := os.Open(dir) // #nosec G304 -- the run folder.
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// label returns a name for an item that may be shown: its kind or type and its place.
func label(index int, item Item) string {
	return strings.TrimSuffix(fileName(index, item), ".ndjson")
}
