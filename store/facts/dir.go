package facts

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// Sentinels for decisions that a caller makes.
var (
	// ErrNoSnapshot: nothing has been published yet, or not under that id.
	ErrNoSnapshot = errors.New("no such snapshot")
	// ErrLocked: another process is syncing into this directory.
	ErrLocked = errors.New("another sync is running in this data directory")
	// ErrFenced: a newer run has started, so this one may not publish.
	ErrFenced = errors.New("a newer sync has started; this one may not publish")
)

const (
	currentFile   = "CURRENT"
	fenceFile     = "FENCE"
	lockFile      = "LOCK"
	databaseFile  = "facts.duckdb"
	snapshotsPath = "snapshots"
	runsPath      = "runs"
	ownerOnly     = 0o700
	ownerFile     = 0o600
)

// Dir is a data directory.
type Dir struct {
	path string
	now  func() time.Time
}

// Open makes the directory if it is not there. now stamps runs and snapshots.
func Open(path string, now func() time.Time) (*Dir, error) {
	for _, p := range []string{path, filepath.Join(path, snapshotsPath), filepath.Join(path,
		runsPath)} {
		if err := os.MkdirAll(p, ownerOnly); err != nil {
			return nil, fmt.Errorf("make data directory: %w", err)
		}
	}
	return &Dir{path: path, now: now}, nil
}

// Now is the clock of the directory.
func (d *Dir) Now() time.Time { return d.now() }

// Path returns where the directory is.
func (d *Dir) Path() string { return d.path }

// Current returns the id of the live snapshot, or ErrNoSnapshot.
func (d *Dir) Current() (string, error) {
	text, err := os.ReadFile(filepath.Join(d.path, currentFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", ErrNoSnapshot
	}
	if err != nil {
		return "", fmt.Errorf("read %s: %w", currentFile, err)
	}
	id := strings.TrimSpace(string(text))
	if !snapshotID.MatchString(id) {
		return "", fmt.Errorf("%s does not hold the id of a snapshot", currentFile)
	}
	return id, nil
}

var snapshotID = regexp.MustCompile(`^\d{8}T\d{6}Z-\d{4,}$`)

// IDs lists the snapshots, oldest first.
func (d *Dir) IDs() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(d.path, snapshotsPath))
	if err != nil {
		return nil, fmt.Errorf("list snapshots: %w", err)
	}
	var ids []string
	for _, e := range entries {
		if e.IsDir() && snapshotID.MatchString(e.Name()) {
			ids = append(ids, e.Name())
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// Use makes a snapshot the live one.
func (d *Dir) Use(id string) error {
	if _, err := os.Stat(d.database(id)); !snapshotID.MatchString(id) || err != nil {
		return fmt.Errorf("snapshot %q: %w", id, ErrNoSnapshot)
	}
	return replaceFile(filepath.Join(d.path, currentFile), id+"\n")
}

// Prune removes all but the newest keep snapshots and never the live one, and what a publication
// that did not finish left behind. It returns the snapshots that it removed.
func (d *Dir) Prune(keep int) ([]string, error) {
	lock, err := d.lock()
	if err != nil {
		return nil, err
	}
	defer func() { _ = lock.Unlock() }()
	ids, err := d.IDs()
	if err != nil {
		return nil, err
	}
	current, err := d.Current()
	if err != nil && !errors.Is(err, ErrNoSnapshot) {
		return nil, err
	}
	if err := d.removeUnfinished(); err != nil {
		return nil, err
	}
	var removed []string
	for _, id := range ids[:max(0, len(ids)-max(0, keep))] {
		if id == current {
			continue
		}
		if err := os.RemoveAll(filepath.Join(d.path, snapshotsPath, id)); err != nil {
			return removed, fmt.Errorf("remove snapshot %s: %w", id, err)
		}
		removed = append(removed, id)
	}
	return removed, nil
}

// removeUnfinished removes the folders that move did not come to the end of. The lock must be held.
func (d *Dir) removeUnfinished() error {
	left, err := filepath.Glob(filepath.Join(d.path, snapshotsPath, unfinished+"[0-9]*"))
	if err != nil {
		return fmt.Errorf("list unfinished snapshots: %w", err)
	}
	for _, path := range left {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("remove an unfinished snapshot: %w", err)
		}
	}
	return nil
}

func (d *Dir) database(id string) string {
	return filepath.Join(d.path, snapshotsPath, id, databaseFile)
}

// lock takes the directory for this process. The kernel lets go of it when the process ends,
// however it ends, so a lock cannot be left behind.
func (d *Dir) lock() (*flock.Flock, error) {
	lock := flock.New(filepath.Join(d.path, lockFile), flock.SetPermissions(ownerFile))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	if !ok {
		return nil, ErrLocked
	}
	return lock, nil
}

// takeFence counts the runs of this directory. Whoever holds the highest number may publish.
func (d *Dir) takeFence() (int, error) {
	number, err := d.fence()
	if err != nil {
		return 0, err
	}
	number++
	return number, replaceFile(filepath.Join(d.path, fenceFile), strconv.Itoa(number)+"\n")
}

func (d *Dir) fence() (int, error) {
	text, err := os.ReadFile(filepath.Join(d.path, fenceFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", fenceFile, err)
	}
	number, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("%s does not hold a number", fenceFile)
	}
	return number, nil
}

// replaceFile writes a small file so that a reader sees the old text or the new, never a part. The
// directory's lock must be held, or nobody else write the file.
func replaceFile(path, text string) error {
	temp := path + ".tmp"
	if err := os.WriteFile(temp, []byte(text), ownerFile); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	if err := syncPath(temp); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return fmt.Errorf("replace %s: %w", filepath.Base(path), err)
	}
	return syncPath(filepath.Dir(path))
}

// syncPath forces a file or a directory to the disk.
func syncPath(path string) error {
	f, err := os.Open(path) // #nosec G304 -- a path below the data directory
	if err != nil {
		return fmt.Errorf("sync %s: %w", filepath.Base(path), err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", filepath.Base(path), err)
	}
	return nil
}
