package facts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/equitylens/equitylens/internal/phi"
)

const (
	// runMemory bounds DuckDB while it merges; the rest of the gibibyte that a sync may take is Go's.
	runMemory = "400MB"
)

// Run is a sync in flight. It holds the directory's lock until Close.
type Run struct {
	dir    *Dir
	lock   *flock.Flock
	fence  int
	name   string
	source string
	db     *database
	live   string
	book   *issueBook
	// started names the run in history; record is held for as long as it lives.
	started time.Time
	record  *flock.Flock
}

// Begin starts a run of a source, or takes up the unfinished one that a killed process left: its
// Folder then still holds what was downloaded.
func (d *Dir) Begin(source string) (*Run, error) {
	lock, err := d.lock()
	if err != nil {
		return nil, err
	}
	run := &Run{dir: d, lock: lock, source: source}
	if err := run.begin(); err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	return run, nil
}

func (r *Run) begin() (err error) {
	if r.fence, err = r.dir.takeFence(); err != nil {
		return err
	}
	if r.live, err = r.dir.Current(); err != nil && !errors.Is(err, ErrNoSnapshot) {
		return err
	}
	entries, err := os.ReadDir(filepath.Join(r.dir.path, runsPath))
	if err != nil {
		return fmt.Errorf("list runs: %w", err)
	}
	r.name = fmt.Sprintf("%04d-%s", r.fence, r.source)
	for _, e := range entries {
		if _, source, _ := strings.Cut(e.Name(), "-"); source == r.source {
			r.name = e.Name()
		}
	}
	if err := os.MkdirAll(r.Folder(), ownerOnly); err != nil {
		return fmt.Errorf("make run folder: %w", err)
	}
	return nil
}

// Folder is where the run keeps its journal, its downloads and its quarantine.
func (r *Run) Folder() string { return filepath.Join(r.dir.path, runsPath, r.name) }

// Name is the name of the run's folder.
func (r *Run) Name() string { return r.name }

// Live returns the id of the snapshot that the run adds to, or "".
func (r *Run) Live() string { return r.live }

// Close lets go of the directory. What is unfinished stays for the next run.
func (r *Run) Close() error {
	var err error
	if r.db != nil {
		err = r.db.Close()
		r.db = nil
	}
	if r.record != nil {
		err = errors.Join(err, r.record.Unlock())
	}
	return errors.Join(err, r.lock.Unlock())
}

// Discard removes the folder of a run that is of no more use.
func (r *Run) Discard() error {
	if err := os.RemoveAll(r.Folder()); err != nil {
		return fmt.Errorf("remove run folder: %w", err)
	}
	return nil
}

// Stage makes the working copy that records are written into: a copy of the live snapshot, with
// empty tables beside its own. A copy that an earlier attempt left is thrown away: staging is
// repeated from the downloaded files.
func (r *Run) Stage(ctx context.Context) error {
	path := filepath.Join(r.Folder(), databaseFile)
	for _, old := range []string{path, path + ".wal"} {
		if err := os.Remove(old); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove an earlier attempt: %w", err)
		}
	}
	fresh := r.live == ""
	if !fresh {
		if err := copyFile(r.dir.database(r.live), path); err != nil {
			return err
		}
	}
	temp := filepath.Join(r.Folder(), "temp")
	db, err := openDatabase(ctx, path, options{memory: runMemory, temp: temp})
	if err != nil {
		return err
	}
	r.db = db
	if err := os.Chmod(path, ownerFile); err != nil {
		return fmt.Errorf("keep the new snapshot from others: %w", err)
	}
	if !fresh {
		if err := r.upgrade(ctx); err != nil {
			return err
		}
	}
	if err := r.stageTables(ctx, fresh); err != nil {
		return err
	}
	r.book, err = openIssueBook(ctx, r.db)
	return err
}

// ErrSchema: the live snapshot was written by another version of this program.
var ErrSchema = errors.New("the live snapshot has another schema; sync in full into a new data directory")

// upgrade gives the working copy the tables that an earlier version of the program did not know. The
// snapshot that it was copied from stays as it is.
func (r *Run) upgrade(ctx context.Context) error {
	var version int
	if err := r.db.QueryRowContext(ctx, `SELECT schema_version FROM meta.snapshot`).Scan(&version); err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if !canAdd(version) {
		return ErrSchema
	}
	if version == SchemaVersion {
		return nil
	}
	_, err := r.db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS base.answer
		(source VARCHAR, id VARCHAR, answer VARCHAR, PRIMARY KEY (source, id))`)
	if err != nil {
		return fmt.Errorf("upgrade the working copy: %w", err)
	}
	return nil
}

func (r *Run) stageTables(ctx context.Context, fresh bool) error {
	text := baseTables("_staged") + `
CREATE SCHEMA stage;
CREATE TABLE stage.deleted (type VARCHAR, id VARCHAR);
`
	if fresh {
		text = schemaSQL + baseTables("") + text
	}
	return r.db.script(ctx, text)
}

// tables of base, in the order in which they are merged.
var tables = []string{"patient", "encounter", "adverse_event"}

// TableOf names the table of a resource type, or "".
func tableOf(resourceType string) string {
	switch resourceType {
	case "Patient":
		return "patient"
	case "Encounter":
		return "encounter"
	case "AdverseEvent":
		return "adverse_event"
	}
	return ""
}

// Types lists the resource types that a snapshot holds.
func Types() []string { return []string{"Patient", "Encounter", "AdverseEvent"} }

// Delete notes resources that the source says are gone. They are removed after everything that was
// staged has been merged.
func (r *Run) Delete(ctx context.Context, resourceType string, ids []phi.ID) error {
	if tableOf(resourceType) == "" || len(ids) == 0 {
		return nil
	}
	revealed := make([]string, len(ids))
	for i, id := range ids {
		revealed[i] = id.Reveal()
	}
	_, err := r.db.ExecContext(ctx,
		`INSERT INTO stage.deleted SELECT ?, unnest(?::VARCHAR[])`, resourceType, revealed)
	if err != nil {
		return fmt.Errorf("note deleted resources: %w", withoutValues(err))
	}
	return nil
}

// Loads returns what the live snapshot holds of this run's source, by resource type: none if there is
// no live snapshot, or only one that cannot be added to.
func (r *Run) Loads(ctx context.Context) (map[string]Load, error) {
	loads := map[string]Load{}
	if r.live == "" {
		return loads, nil
	}
	snapshot, err := r.dir.Snapshot(ctx, r.live)
	if err != nil {
		return nil, err
	}
	defer func() { _ = snapshot.Close() }()
	if !canAdd(snapshot.Info.SchemaVersion) {
		return nil, ErrSchema
	}
	for _, load := range snapshot.Info.Loads {
		if load.Source == r.source {
			loads[load.Type] = load
		}
	}
	return loads, nil
}

// Publish makes the merged copy a snapshot, and the live one if live is true. Files of the run folder
// that are named are kept beside it. It refuses if a newer run has started since.
func (r *Run) Publish(ctx context.Context, live bool, keep ...string) (id string, err error) {
	if r.db == nil {
		return "", ErrNotMerged
	}
	if err := r.checkFence(); err != nil {
		return "", err
	}
	err = r.db.QueryRowContext(ctx, `SELECT id FROM meta.snapshot`).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) || id == r.live {
		return "", ErrNotMerged
	}
	if err != nil {
		return "", fmt.Errorf("read snapshot id: %w", err)
	}
	if _, err := r.db.ExecContext(ctx, "CHECKPOINT"); err != nil {
		return "", fmt.Errorf("checkpoint: %w", err)
	}
	err = r.db.Close()
	r.db = nil
	if err != nil {
		return "", fmt.Errorf("close the new snapshot: %w", err)
	}
	if err := r.checkFence(); err != nil {
		return "", err
	}
	if err := r.move(id, append(keep, databaseFile)); err != nil {
		return "", err
	}
	if live {
		return id, r.dir.Use(id)
	}
	return id, nil
}

// ErrNotMerged: the run has nothing to publish.
var ErrNotMerged = errors.New("nothing has been merged in this run")

func (r *Run) checkFence() error {
	if fence, err := r.dir.fence(); err != nil || fence != r.fence {
		return errors.Join(ErrFenced, err)
	}
	return nil
}

// unfinished starts the name of a snapshot's folder until all of it is there.
const unfinished = "."

// move takes files out of the run folder and makes them the folder of a snapshot, all or none.
func (r *Run) move(id string, names []string) error {
	temp := filepath.Join(r.dir.path, snapshotsPath, unfinished+id)
	if err := os.MkdirAll(temp, ownerOnly); err != nil {
		return fmt.Errorf("make snapshot folder: %w", err)
	}
	for _, name := range names {
		file := filepath.Join(temp, name)
		if err := os.Rename(filepath.Join(r.Folder(), name), file); err != nil {
			return fmt.Errorf("move the new snapshot: %w", err)
		}
		if err := syncPath(file); err != nil {
			return err
		}
	}
	if err := syncPath(temp); err != nil {
		return err
	}
	if err := os.Rename(temp, filepath.Join(r.dir.path, snapshotsPath, id)); err != nil {
		return fmt.Errorf("publish snapshot: %w", err)
	}
	return syncPath(filepath.Join(r.dir.path, snapshotsPath))
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from) // #nosec G304 -- a snapshot of the data directory
	if err != nil {
		return fmt.Errorf("open the live snapshot: %w", err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, ownerFile) // #nosec G304 -- as above
	if err != nil {
		return fmt.Errorf("copy the live snapshot: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err := io.Copy(out, in); err != nil {
		return fmt.Errorf("copy the live snapshot: %w", err)
	}
	return nil
}

// Kept returns where a file that Publish kept is.
func (d *Dir) Kept(snapshot, name string) string {
	return filepath.Join(d.path, snapshotsPath, snapshot, name)
}

// stamp names what the run makes by a moment and its number.
func (r *Run) stamp(moment time.Time) string {
	return fmt.Sprintf("%s-%04d", moment.UTC().Format("20060102T150405Z"), r.fence)
}

// Leftovers lists the folders of unfinished runs, oldest first.
func (d *Dir) Leftovers() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(d.path, runsPath))
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}
