// Package ledger keeps documents that may be written once and never changed: what was made public. It
// is a folder of files, so that it can be read, backed up and shared by several servers. To lose it is
// to forget what everybody else still knows, and what new figures could be compared with.
package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Dir is a ledger in a folder. It is safe for concurrent use, also by several processes.
type Dir struct {
	path string
}

const (
	ownerOnly = 0o700
	ownerFile = 0o600
	extension = ".json"
)

// Open returns the ledger in a folder, which is made if it is not there.
func Open(path string) (*Dir, error) {
	if err := os.MkdirAll(path, ownerOnly); err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	return &Dir{path: path}, nil
}

// ErrName refuses a name that is no plain file name.
var ErrName = errors.New("not a name of an entry")

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

func (d *Dir) file(name string) (string, error) {
	if !nameForm.MatchString(name) {
		return "", fmt.Errorf("entry %q: %w", name, ErrName)
	}
	return filepath.Join(d.path, name+extension), nil
}

// Get returns an entry; ok is false if there is none.
func (d *Dir) Get(_ context.Context, name string) (document []byte, ok bool, err error) {
	path, err := d.file(name)
	if err != nil {
		return nil, false, err
	}
	document, err = os.ReadFile(path) // #nosec G304 -- the name is checked
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read entry %s: %w", name, err)
	}
	return document, true, nil
}

// PutIfAbsent writes an entry unless there is one of that name, and returns the one that stands. The
// entry is whole and on disk before it has its name.
func (d *Dir) PutIfAbsent(ctx context.Context, name string, document []byte) ([]byte, error) {
	path, err := d.file(name)
	if err != nil {
		return nil, err
	}
	err = d.write(path, document)
	if errors.Is(err, fs.ErrExist) {
		stands, ok, err := d.Get(ctx, name)
		if err == nil && !ok {
			err = fmt.Errorf("read entry %s: %w", name, fs.ErrNotExist)
		}
		return stands, err
	}
	if err != nil {
		return nil, fmt.Errorf("write entry %s: %w", name, err)
	}
	return bytes.Clone(document), nil
}

// write makes a file of another name and links it: a link, unlike a rename, fails where the name is
// taken.
func (d *Dir) write(path string, document []byte) (err error) {
	temp, err := os.CreateTemp(d.path, ".new-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(temp.Name())) }()
	_, err = temp.Write(document)
	if err == nil {
		err = temp.Chmod(ownerFile)
	}
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return err
	}
	if err := os.Link(temp.Name(), path); err != nil {
		return err
	}
	folder, err := os.Open(d.path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// Names lists the entries.
func (d *Dir) Names(context.Context) ([]string, error) {
	files, err := os.ReadDir(d.path)
	if err != nil {
		return nil, fmt.Errorf("list ledger: %w", err)
	}
	var names []string
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), extension)
		if ok && nameForm.MatchString(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}
