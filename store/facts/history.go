package facts

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

const (
	historyPath     = "history"
	recordExtension = ".json"
	// mostRecords is how many runs are remembered: more than half a year of nights.
	mostRecords = 200
)

// Record is what was kept of a run, which outlives the run's folder. What it says is the matter of
// whoever kept it.
type Record struct {
	// ID is the moment at which the run began, and its number.
	ID   string
	Data []byte
}

// ID tells the run from all others of the directory.
func (r *Run) ID() string { return r.stamp(r.Started()) }

// Started is when the run was first asked for it, which is to be at its beginning.
func (r *Run) Started() time.Time {
	if r.started.IsZero() {
		r.started = r.dir.now().UTC()
	}
	return r.started
}

// Record keeps data as the record of the run, in the place of what it kept before. Nothing in it may
// name a person.
func (r *Run) Record(data []byte) error {
	folder := filepath.Join(r.dir.path, historyPath)
	path := filepath.Join(folder, r.ID()+recordExtension)
	if r.record != nil {
		if err := saveFile(path, data); err != nil {
			return fmt.Errorf("keep the record of the run: %w", err)
		}
		return nil
	}
	if err := os.MkdirAll(folder, ownerOnly); err != nil {
		return fmt.Errorf("make the folder of records: %w", err)
	}
	if err := r.firstRecord(path, data); err != nil {
		return fmt.Errorf("keep the record of the run: %w", err)
	}
	return r.dir.forget()
}

// firstRecord writes the record so that it is locked before anybody can see it, by which others know
// that the run is alive.
func (r *Run) firstRecord(path string, data []byte) error {
	temp := path + ".tmp"
	if err := os.WriteFile(temp, data, ownerFile); err != nil {
		return err
	}
	lock := flock.New(temp, flock.SetPermissions(ownerFile))
	if _, err := lock.TryLock(); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	if err := syncPath(temp); err != nil {
		return errors.Join(err, lock.Unlock(), os.Remove(temp))
	}
	if err := os.Rename(temp, path); err != nil {
		return errors.Join(err, lock.Unlock(), os.Remove(temp))
	}
	r.record = lock
	return syncPath(filepath.Dir(path))
}

// forget removes all but the newest records, and what a run that was killed did not finish writing.
// The directory's lock must be held.
func (d *Dir) forget() error {
	ids, err := d.recordIDs()
	if err != nil {
		return err
	}
	folder := filepath.Join(d.path, historyPath)
	for _, id := range ids[min(len(ids), mostRecords):] {
		if err := os.Remove(filepath.Join(folder, id+recordExtension)); err != nil {
			return fmt.Errorf("remove an old record: %w", err)
		}
	}
	left, err := filepath.Glob(filepath.Join(folder, "*.tmp"))
	if err != nil {
		return fmt.Errorf("list unfinished records: %w", err)
	}
	for _, path := range left {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("remove an unfinished record: %w", err)
		}
	}
	return nil
}

// recordIDs lists the runs of which there is a record, newest first.
func (d *Dir) recordIDs() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(d.path, historyPath))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list records: %w", err)
	}
	var ids []string
	for _, e := range entries {
		id, ours := strings.CutSuffix(e.Name(), recordExtension)
		if ours && snapshotID.MatchString(id) && e.Type().IsRegular() {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	slices.Reverse(ids)
	return ids, nil
}

// Records returns what is kept of the newest runs, newest first; limit 0 means of all.
func (d *Dir) Records(limit int) ([]Record, error) {
	ids, err := d.recordIDs()
	if err != nil {
		return nil, err
	}
	if limit > 0 {
		ids = ids[:min(len(ids), limit)]
	}
	records := make([]Record, 0, len(ids))
	for _, id := range ids {
		data, err := d.readRecord(id)
		if errors.Is(err, fs.ErrNotExist) {
			continue // Removed since it was listed.
		}
		if err != nil {
			return nil, err
		}
		records = append(records, Record{ID: id, Data: data})
	}
	return records, nil
}

func (d *Dir) readRecord(id string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(d.path, historyPath, id+recordExtension)) // #nosec G304 -- as listed
	if err != nil {
		return nil, fmt.Errorf("read the record of run %s: %w", id, err)
	}
	return data, nil
}

// Abandoned reports whether a run ended without a last word: nobody holds its record. It also returns
// the record, which is read after that was seen, so that it is the run's last.
func (d *Dir) Abandoned(id string) (gone bool, last Record, err error) {
	if !snapshotID.MatchString(id) {
		return false, Record{}, fmt.Errorf("record of run %q: %w", id, fs.ErrNotExist)
	}
	lock := flock.New(filepath.Join(d.path, historyPath, id+recordExtension), flock.SetFlag(os.O_RDONLY))
	gone, err = lock.TryRLock()
	if err != nil {
		return false, Record{}, fmt.Errorf("look whether run %s goes on: %w", id, err)
	}
	if gone {
		defer func() { _ = lock.Unlock() }()
	}
	last.ID = id
	last.Data, err = d.readRecord(id)
	return gone, last, err
}

// RunFile returns where a file of a run's folder is, as long as the folder is there. folder is the last
// element of Run.Folder.
func (d *Dir) RunFile(folder, name string) string {
	return filepath.Join(d.path, runsPath, filepath.Base(folder), name)
}
