package trail

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
)

// catchUp takes in what other processes have appended since. It is called with both locks.
func (t *Trail) catchUp() error {
	info, err := t.file.Stat()
	if err != nil {
		return err
	}
	_, err = os.Stat(filepath.Join(t.cfg.Dir, segmentName(t.number+1)))
	if errors.Is(err, fs.ErrNotExist) && info.Size() == t.size {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	before := t.head
	if err == nil {
		err = t.newest()
	} else {
		err = t.reread()
	}
	if err != nil {
		return err
	}
	if t.head.N < before.N {
		return fmt.Errorf("%w: it ends with event %d, and there were %d", ErrTampered,
			t.head.N, before.N)
	}
	return nil
}

// reread takes in what another process appended to the file that this one has open.
func (t *Trail) reread() error {
	at, err := end(t.file)
	if err == nil {
		err = t.asideOf(t.file, at)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", segmentName(t.number), err)
	}
	if at.whole == 0 {
		at.head = t.head
	}
	t.size, t.head, t.month = at.whole, at.head, monthOf(t.file)
	return nil
}

// newest opens the newest file, or begins the first one. It is called with both locks, or by Open.
func (t *Trail) newest() error {
	all, err := segments(t.cfg.Dir)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return t.begin(1)
	}
	number := all[len(all)-1]
	file, err := os.OpenFile(
		filepath.Join(t.cfg.Dir, segmentName(number)), os.O_RDWR|os.O_APPEND, ownerFile)
	if err != nil {
		return err
	}
	at, err := end(file)
	if err == nil {
		err = t.asideOf(file, at)
	}
	if err == nil && at.whole == 0 && len(all) > 1 {
		// A file that was begun and not written to yet: the chain goes on from the one before.
		at.head, err = lastHead(filepath.Join(t.cfg.Dir, segmentName(all[len(all)-2])))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", segmentName(number), err), file.Close())
	}
	if err := t.leave(); err != nil {
		return errors.Join(err, file.Close())
	}
	t.file, t.number, t.size, t.head, t.spoilt = file, number, at.whole, at.head, false
	t.month = monthOf(file)
	return nil
}

func (t *Trail) asideOf(file *os.File, at ending) error {
	if at.torn == 0 {
		return nil
	}
	t.cfg.Logger.LogAttrs(context.Background(), slog.LevelWarn,
		"audit trail: a torn line is set aside",
		slog.String("file", filepath.Base(file.Name())), slog.Int64("bytes", at.torn))
	return setAside(file, at)
}

func lastHead(path string) (Head, error) {
	file, err := os.Open(path) // #nosec G304 -- a file of the trail
	if err != nil {
		return Head{}, err
	}
	at, err := end(file)
	return at.head, errors.Join(err, file.Close())
}

// monthOf is the month in which the first event of a file was recorded; empty where there is none.
func monthOf(file *os.File) string {
	at := firstMoment(file)
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("2006-01")
}

// begin makes a file and goes on in it.
func (t *Trail) begin(number int) error {
	path := filepath.Join(t.cfg.Dir, segmentName(number))
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR|os.O_APPEND, ownerFile)
	if err != nil {
		return err
	}
	if err := syncFolder(t.cfg.Dir); err != nil {
		return errors.Join(err, file.Close(), os.Remove(path))
	}
	if err := t.leave(); err != nil {
		return errors.Join(err, file.Close(), os.Remove(path))
	}
	t.file, t.number, t.size, t.month, t.spoilt = file, number, 0, "", false
	t.cfg.Logger.LogAttrs(context.Background(), slog.LevelInfo, "audit trail: a file is begun",
		slog.String("file", segmentName(number)), slog.Uint64("events", t.head.N),
		slog.String("chain", t.head.Chain))
	return nil
}

// leave makes the present file last and closes it.
func (t *Trail) leave() error {
	if t.file == nil {
		return nil
	}
	if !t.spoilt {
		if err := t.file.Sync(); err != nil {
			return err
		}
		t.synced = t.written
	}
	return t.file.Close()
}
