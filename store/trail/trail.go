package trail

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Config says where a trail is kept.
type Config struct {
	// Dir is the folder, which is made if it is not there. It must be set.
	Dir string
	// Key makes the digests such that only who has it can make them. Nil means digests that anybody
	// can make, so that a trail that was written anew from some line on looks whole. A trail is read
	// with the key that it was written with.
	Key []byte
	// MaxFile is the size in bytes from which the next file is begun; 0 means 256 MiB. A month (UTC)
	// begins with a new file too.
	MaxFile int64
	// SyncEvery is how long a Note may take to be on disk; 0 means one second.
	SyncEvery time.Duration
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// Logger takes the head whenever a file is begun, and what went wrong behind the back of a
	// caller. Nil means none is written. No line holds anything of an event.
	Logger *slog.Logger
}

const (
	defaultMaxFile   = 256 << 20
	defaultSyncEvery = time.Second
)

var (
	// ErrTampered says that a trail is not as it was written.
	ErrTampered = errors.New("the audit trail was tampered with")
	errClosed   = errors.New("the audit trail is closed")
)

// Trail appends to the trail of a folder, and searches it. It is safe for concurrent use, also by
// several processes.
type Trail struct {
	cfg  Config
	gate *os.File

	// syncing is held by the one who makes what was written last; whoever waits for it finds, more
	// often than not, that this has been done for them. It is taken before mu.
	syncing sync.Mutex

	mu     sync.Mutex
	file   *os.File
	number int
	size   int64
	month  string
	head   Head
	// written counts the appends of this Trail, synced those of them that are on disk.
	written, synced uint64
	// spoilt says that the file could not be synced: what the system still holds of it is not known,
	// so that the next event goes into a new one.
	spoilt bool
	timer  *time.Timer
	closed bool
}

// Open returns the trail of a folder. It reads the end of the newest file alone; Verify reads
// everything.
func Open(cfg Config) (*Trail, error) {
	cfg.MaxFile = cmp.Or(cfg.MaxFile, defaultMaxFile)
	cfg.SyncEvery = cmp.Or(cfg.SyncEvery, defaultSyncEvery)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(cfg.Dir, ownerOnly); err != nil {
		return nil, fmt.Errorf("open audit trail: %w", err)
	}
	gate, err := os.OpenFile(filepath.Join(cfg.Dir, lockName), os.O_CREATE|os.O_RDWR, ownerFile)
	if err != nil {
		return nil, fmt.Errorf("open audit trail: %w", err)
	}
	t := &Trail{cfg: cfg, gate: gate}
	if err := t.locked(t.newest); err != nil {
		return nil, fmt.Errorf("open audit trail: %w", errors.Join(err, gate.Close()))
	}
	return t, nil
}

// Audit appends an event, a JSON object on one line, and returns when it is on disk. Of many that
// are appended at once most share one sync. The end of ctx is no reason to leave an event out.
func (t *Trail) Audit(_ context.Context, event []byte) error {
	turn, err := t.append(event, false) //nolint:contextcheck // See above.
	if err != nil {
		return fmt.Errorf("append to audit trail: %w", err)
	}
	if err := t.sync(turn); err != nil {
		return fmt.Errorf("append to audit trail: %w", err)
	}
	return nil
}

// Note appends an event like Audit, and returns when it is written: it outlives this process, and
// after Config.SyncEvery the machine too.
func (t *Trail) Note(_ context.Context, event []byte) error {
	if _, err := t.append(event, true); err != nil { //nolint:contextcheck // As in Audit.
		return fmt.Errorf("append to audit trail: %w", err)
	}
	return nil
}

// Head is where the trail stood when this process last wrote to it.
func (t *Trail) Head() Head {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.head
}

// Close makes everything last and closes the files.
func (t *Trail) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil
	}
	t.closed = true
	if t.timer != nil {
		t.timer.Stop()
	}
	t.cfg.Logger.LogAttrs(context.Background(), slog.LevelInfo, "audit trail closed",
		slog.Uint64("events", t.head.N), slog.String("chain", t.head.Chain))
	err := t.file.Sync()
	if err == nil {
		t.synced = t.written
	}
	if err = errors.Join(err, t.file.Close(), t.gate.Close()); err != nil {
		return fmt.Errorf("close audit trail: %w", err)
	}
	return nil
}

// append writes a line and returns the turn that sync takes. With later it sees to the sync itself.
func (t *Trail) append(event []byte, later bool) (turn uint64, err error) {
	if !isEvent(event) {
		return 0, ErrEvent
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return 0, errClosed
	}
	err = t.locked(func() error { return t.write(event) })
	if err == nil && later && t.timer == nil {
		t.timer = time.AfterFunc(t.cfg.SyncEvery, t.syncLater)
	}
	return t.written, err
}

// write appends a line to the file that is the newest now. It is called with both locks.
func (t *Trail) write(event []byte) error {
	if err := t.catchUp(); err != nil {
		return err
	}
	month := t.cfg.Now().UTC().Format("2006-01")
	if t.size > 0 && (t.spoilt || t.size >= t.cfg.MaxFile || t.month != month) {
		if err := t.begin(t.number + 1); err != nil {
			return err
		}
	}
	text, after := appendLine(nil, t.cfg.Key, t.head, event)
	if _, err := t.file.Write(text); err != nil {
		// Half a line would be set aside by whoever comes next; better there is none.
		return errors.Join(err, t.file.Truncate(t.size))
	}
	if t.size == 0 {
		t.month = month
	}
	t.size += int64(len(text))
	t.head = after
	t.written++
	return nil
}

// locked calls do while no other process writes.
func (t *Trail) locked(do func() error) error {
	if err := lock(t.gate); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	return errors.Join(do(), unlock(t.gate))
}

// sync returns when what was written up to a turn is on disk.
func (t *Trail) sync(turn uint64) error {
	t.syncing.Lock()
	defer t.syncing.Unlock()
	for {
		t.mu.Lock()
		file, written, synced, closed := t.file, t.written, t.synced, t.closed
		t.mu.Unlock()
		switch {
		case synced >= turn:
			return nil
		case closed:
			return errClosed
		}
		err := file.Sync()
		if errors.Is(err, os.ErrClosed) {
			continue // The next file was begun, and this one made to last, in between.
		}
		t.mu.Lock()
		if err == nil {
			t.synced = max(t.synced, written)
		} else {
			t.spoilt = t.file == file
		}
		t.mu.Unlock()
		return err
	}
}

// syncLater is the sync of the notes of the last while.
func (t *Trail) syncLater() {
	t.mu.Lock()
	t.timer = nil
	turn, closed := t.written, t.closed
	t.mu.Unlock()
	if closed {
		return
	}
	if err := t.sync(turn); err != nil && !errors.Is(err, errClosed) {
		t.cfg.Logger.LogAttrs(context.Background(), slog.LevelError, "audit trail not on disk",
			slog.Any("error", err))
	}
}
