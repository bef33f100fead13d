package cds

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// FileRecorder appends feedback to a file, one JSON object a line, which the owner alone may read.
// Several servers may share the file.
type FileRecorder struct {
	mu   sync.Mutex
	file *os.File
	// torn says that the file may end within a line.
	torn bool
}

// OpenFile opens the file, or makes it. A last line that a crash has cut short is ended by what is
// recorded next, so that it spoils no other.
func OpenFile(path string) (*FileRecorder, error) {
	const ownerOnly = 0o600
	f, err := os.OpenFile(filepath.Clean(path), os.O_RDWR|os.O_CREATE|os.O_APPEND, ownerOnly)
	if err != nil {
		return nil, fmt.Errorf("cds: open feedback: %w", err)
	}
	r := &FileRecorder{file: f}
	size, err := f.Seek(0, io.SeekEnd)
	if err == nil && size > 0 {
		last := make([]byte, 1)
		_, err = f.ReadAt(last, size-1)
		r.torn = last[0] != '\n'
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cds: open feedback: %w", err), f.Close())
	}
	return r, nil
}

// Record implements Recorder: the line is on the disk when it returns without an error. With one it
// may be there or not.
func (r *FileRecorder) Record(_ context.Context, f Feedback) error {
	line, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("cds: record feedback: %w", err)
	}
	line = append(line, '\n')
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.torn {
		line = append([]byte{'\n'}, line...)
	}
	_, err = r.file.Write(line)
	if err == nil {
		err = r.file.Sync()
	}
	r.torn = err != nil
	if err != nil {
		return fmt.Errorf("cds: record feedback: %w", err)
	}
	return nil
}

// Close closes the file. What is recorded is safe already.
func (r *FileRecorder) Close() error {
	if err := r.file.Close(); err != nil {
		return fmt.Errorf("cds: close feedback: %w", err)
	}
	return nil
}
