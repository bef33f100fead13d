package ingest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/store/facts"
)

// verdict remembers in a run folder that its files have had their say. A run that was killed is
// gone on with; one that came to an end, good or bad, is not: to read its files again would pass
// off what the source said then as what it says now.
type verdict struct{ folder string }

const (
	verdictFile = "verdict"
	// once says that a file could not be fetched, and that the next run may try that file again.
	once = "once more"
)

// final notes that nothing more is to be made of the folder than the snapshot of that id; "" is
// none.
func (v verdict) final(id string) error {
	if err := os.WriteFile(filepath.Join(v.folder, verdictFile), []byte(id), ownerOnly); err != nil {
		return fmt.Errorf("note the end of the run: %w", err)
	}
	return nil
}

// publishing notes what the folder is about to become.
func (v verdict) publishing(id string, unfinished bool) error {
	text, _, err := v.read()
	if err != nil {
		return err
	}
	if unfinished && text != once {
		id = once
	}
	return v.final(id)
}

func (v verdict) read() (text string, given bool, err error) {
	raw, err := os.ReadFile(filepath.Join(v.folder, verdictFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("read the end of the run: %w", err)
	}
	return strings.TrimSpace(string(raw)), true, nil
}

// ended reports whether the folder has had its say. A snapshot that was announced but is not there,
// because the process was killed before, leaves the folder to be gone on with.
func (v verdict) ended(dir *facts.Dir) (bool, error) {
	text, given, err := v.read()
	if err != nil || !given || text == once {
		return false, err
	}
	if text == "" {
		return true, nil
	}
	ids, err := dir.IDs()
	if err != nil {
		return false, err
	}
	return slices.Contains(ids, text), nil
}

// clear empties a run folder that has had its say.
func (s *syncing) clear(ctx context.Context, source Source, loaded map[string]facts.Load) error {
	ended, err := s.verdict.ended(s.cfg.Dir)
	if err != nil || !ended {
		return err
	}
	if a, ok := source.(Abandoner); ok {
		if err := a.Abandon(ctx, s.run.Folder(), loaded); err != nil {
			s.cfg.Logger.Warn("the source cannot be told that an earlier run was given up",
				slog.Any("cause", err))
		}
	}
	if err := s.run.Discard(); err != nil {
		return err
	}
	const ownFolder = 0o700
	if err := os.MkdirAll(s.run.Folder(), ownFolder); err != nil {
		return fmt.Errorf("make run folder: %w", err)
	}
	return nil
}
