package decisions

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// everything is the order of an archive.
const everything = `select ` + columns + ` from decision d order by d.kind, d.id, d.version`

// Backup writes every version into a new file, as an archive that either database can be restored from.
// It is one state of the store, while others go on writing. The file has its name once it is whole and
// on disk; one of that name that is there already is left alone, with fs.ErrExist.
func (d *Database) Backup(ctx context.Context, path string) (archive Archive, err error) {
	if _, err := os.Lstat(path); err == nil {
		return Archive{}, fmt.Errorf("back up decisions: %s: %w", path, fs.ErrExist)
	}
	folder := filepath.Dir(path)
	file, err := os.CreateTemp(folder, ".decisions-*") // For its owner alone.
	if err != nil {
		return Archive{}, fmt.Errorf("back up decisions: %w", err)
	}
	defer func() {
		if gone := os.Remove(file.Name()); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}()
	archive, err = d.archive(ctx, file)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return Archive{}, fmt.Errorf("back up decisions: %w", err)
	}
	if err := name(file.Name(), path); err != nil {
		return Archive{}, fmt.Errorf("back up decisions: %w", err)
	}
	if err := syncFolder(folder); err != nil {
		return Archive{}, fmt.Errorf("back up decisions: %w", err)
	}
	return archive, nil
}

// name gives a file its name, unless it is taken. A link cannot take a name away from another file; not
// every file system has links, and there a rename has to do.
func name(temp, path string) error {
	err := os.Link(temp, path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.Rename(temp, path)
}

// archive writes the lines.
func (d *Database) archive(ctx context.Context, w io.Writer) (Archive, error) {
	buffer := bufio.NewWriter(w)
	all := sha256.New()
	both := io.MultiWriter(buffer, all)
	at := d.now().UTC().Truncate(time.Microsecond)
	if err := writeLine(both, head{Format: archiveFormat, Version: archiveVersion, At: at}); err != nil {
		return Archive{}, err
	}
	count := tally{sum: sha256.New()}
	err := each(ctx, d.read, everything, nil, func(document Document) error {
		if err := count.add(document); err != nil {
			return err
		}
		return writeLine(both, recordOf(document))
	})
	if err != nil {
		return Archive{}, err
	}
	archive := Archive{
		At: at, Documents: count.documents, Versions: count.versions, Digest: hex.EncodeToString(all.Sum(nil)),
	}
	err = writeLine(buffer, tail{
		Documents: archive.Documents, Versions: archive.Versions, Digest: archive.Digest,
	})
	if err != nil {
		return Archive{}, err
	}
	return archive, buffer.Flush()
}
