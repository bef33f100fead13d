package facts

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

const (
	importsPath     = "imports"
	importExtension = ".json"
)

// ErrImportName: an import has a name that cannot be that of a file everywhere.
var ErrImportName = errors.New(
	"the name of an import is lower-case letters, digits, dots, hyphens and underscores, 100 at most")

// Names do not differ in case alone, which some file systems fold, and never start with a dot.
var importName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,99}$`)

// SaveImport keeps the memberships that another engine computed, in the place of those of the same
// name. They outlive every snapshot, because the EHR cannot give them again.
func (d *Dir) SaveImport(name string, data []byte) error {
	if !importName.MatchString(name) {
		return fmt.Errorf("save import: %w", ErrImportName)
	}
	folder := filepath.Join(d.path, importsPath)
	if err := os.MkdirAll(folder, ownerOnly); err != nil {
		return fmt.Errorf("make the folder of imports: %w", err)
	}
	if err := saveFile(filepath.Join(folder, name+importExtension), data); err != nil {
		return fmt.Errorf("save import %s: %w", name, err)
	}
	return nil
}

// saveFile puts a file in its place whole; of several that do so at once, one wins.
func saveFile(path string, data []byte) (err error) {
	folder := filepath.Dir(path)
	temp, err := os.CreateTemp(folder, "*.tmp") // Which only its owner may read.
	if err != nil {
		return err
	}
	_, err = temp.Write(data)
	err = errors.Join(err, temp.Sync(), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return syncPath(folder)
}

// Imports returns what was saved, by name.
func (d *Dir) Imports() (map[string][]byte, error) {
	entries, err := os.ReadDir(filepath.Join(d.path, importsPath))
	if errors.Is(err, fs.ErrNotExist) {
		return map[string][]byte{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list imports: %w", err)
	}
	imports := make(map[string][]byte, len(entries))
	for _, e := range entries {
		name, ours := strings.CutSuffix(e.Name(), importExtension)
		if !ours || !importName.MatchString(name) || !e.Type().IsRegular() {
			continue // What a save that was interrupted left, or what somebody else put there.
		}
		data, err := os.ReadFile(filepath.Join(d.path, importsPath, e.Name())) // #nosec G304 -- as listed
		if errors.Is(err, fs.ErrNotExist) {
			continue // Removed since it was listed.
		}
		if err != nil {
			return nil, fmt.Errorf("read import %s: %w", name, err)
		}
		imports[name] = data
	}
	return imports, nil
}

// RemoveImport removes what was saved under a name. There need be nothing.
func (d *Dir) RemoveImport(name string) error {
	if !importName.MatchString(name) {
		return fmt.Errorf("remove import: %w", ErrImportName)
	}
	folder := filepath.Join(d.path, importsPath)
	err := os.Remove(filepath.Join(folder, name+importExtension))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove import %s: %w", name, err)
	}
	return syncPath(folder)
}
