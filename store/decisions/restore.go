package decisions

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// ErrNotEmpty refuses to restore into a store that holds decisions.
var ErrNotEmpty = errors.New("the store holds decisions already")

// maxLine is longer than any line of an archive: JSON writes a byte in six at most.
const maxLine = 6*maxBody + 1<<20

// Restore writes every version of an archive into this store, which has to be empty: ErrNotEmpty. An
// archive that was cut short or altered is refused with ErrArchive. It is read once before anything is
// written, and what is written is read back and compared before it is committed. No other program should
// be using the store; one that is writing makes it fail.
func (d *Database) Restore(ctx context.Context, path string) (Archive, error) {
	if d.looking {
		return Archive{}, fmt.Errorf("restore decisions: %w", errLooking)
	}
	file, err := os.Open(path)
	if err != nil {
		return Archive{}, fmt.Errorf("restore decisions: %w", err)
	}
	defer func() { _ = file.Close() }() // It was only read.
	archive, want, err := readArchive(ctx, file, func(Document) error { return nil })
	if err != nil {
		return Archive{}, fmt.Errorf("restore decisions: read %s: %w", path, err)
	}
	err = d.transact(ctx, func(tx *sql.Tx) error { return d.restore(ctx, tx, file, want) })
	if err != nil {
		return Archive{}, fmt.Errorf("restore decisions: %w", err)
	}
	return archive, nil
}

// restore does it in one transaction; want is the sum of what has to be there in the end.
func (d *Database) restore(ctx context.Context, tx *sql.Tx, file io.ReadSeeker, want []byte) error {
	if err := d.alone(ctx, tx); err != nil {
		return err
	}
	var there bool
	if err := tx.QueryRowContext(ctx, `select exists (select 1 from decision)`).Scan(&there); err != nil {
		return fmt.Errorf("look whether the store is empty: %w", err)
	}
	if there {
		return ErrNotEmpty
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	var newest Document
	_, _, err := readArchive(ctx, file, func(document Document) error {
		if document.Version == 1 {
			if err := addTerms(ctx, tx, newest); err != nil {
				return err
			}
		}
		newest = document
		added, err := add(ctx, tx, document)
		if err == nil && !added {
			err = ErrNotEmpty
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := addTerms(ctx, tx, newest); err != nil {
		return err
	}
	count := tally{sum: sha256.New()}
	if err := each(ctx, tx, everything, nil, count.add); err != nil {
		return fmt.Errorf("read what was written: %w", err)
	}
	if !bytes.Equal(count.sum.Sum(nil), want) {
		return fmt.Errorf("what was written is not what the archive holds: %w", ErrNotEmpty)
	}
	return nil
}

// readArchive hands over the documents of an archive and returns their sum. Only when it has returned
// without an error is it known that they were whole.
func readArchive(ctx context.Context, r io.Reader, do func(Document) error) (Archive, []byte, error) {
	lines := archiveLines{from: bufio.NewReader(r), digest: sha256.New()}
	line, err := lines.next()
	if err != nil {
		return Archive{}, nil, err
	}
	var h head
	if err := strictly(line, &h); err != nil || h.Format != archiveFormat {
		return Archive{}, nil, fmt.Errorf("%w: its first line is not that of an archive", ErrArchive)
	}
	if h.Version != archiveVersion {
		return Archive{}, nil, fmt.Errorf("it is an archive of form %d, this program reads form %d: %w",
			h.Version, archiveVersion, ErrSchema)
	}
	lines.commit(line)
	count := tally{sum: sha256.New()}
	for {
		if err := ctx.Err(); err != nil {
			return Archive{}, nil, err
		}
		if line, err = lines.next(); err != nil {
			return Archive{}, nil, err
		}
		var end tail
		if strictly(line, &end) == nil {
			archive, err := lines.finish(h, end, line, &count)
			return archive, count.sum.Sum(nil), err
		}
		document, err := documentOf(line)
		if err == nil {
			err = count.add(document)
		}
		if err != nil {
			return Archive{}, nil, fmt.Errorf("line %d: %w", lines.number, err)
		}
		lines.commit(line)
		if err := do(document); err != nil {
			return Archive{}, nil, fmt.Errorf("line %d: %w", lines.number, err)
		}
	}
}

func documentOf(line []byte) (Document, error) {
	var r record
	if err := strictly(line, &r); err != nil {
		// What the decoder says repeats what it read.
		return Document{}, fmt.Errorf("%w: it is no record of a decision", ErrArchive)
	}
	document, err := r.document()
	if err != nil {
		return Document{}, fmt.Errorf("%w: %w", ErrArchive, err)
	}
	return document, nil
}

// strictly decodes a line that holds what is asked for and nothing else.
func strictly(line []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if decoder.InputOffset() != int64(len(line))-1 {
		return errors.New("more than one value in a line")
	}
	return nil
}

// archiveLines reads lines and sums up those before the last.
type archiveLines struct {
	from   *bufio.Reader
	digest interface {
		io.Writer
		Sum([]byte) []byte
	}
	number int
}

// next returns a line with its end. A line without one was cut off.
func (l *archiveLines) next() ([]byte, error) {
	l.number++
	var line []byte
	for {
		part, err := l.from.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxLine {
			return nil, fmt.Errorf("line %d: %w: it is longer than any line of an archive", l.number, ErrArchive)
		}
		switch {
		case err == nil:
			return line, nil
		case errors.Is(err, io.EOF):
			return nil, fmt.Errorf("line %d: %w: it ends before its last line", l.number, ErrArchive)
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("line %d: %w", l.number, err)
		}
	}
}

func (l *archiveLines) commit(line []byte) { _, _ = l.digest.Write(line) } // A hash does not fail.

// finish holds the last line against what came before it, and nothing may come after it.
func (l *archiveLines) finish(h head, end tail, line []byte, count *tally) (Archive, error) {
	archive := Archive{
		At: h.At, Documents: count.documents, Versions: count.versions,
		Digest: hex.EncodeToString(l.digest.Sum(nil)),
	}
	if end.Digest != archive.Digest {
		return Archive{}, fmt.Errorf("%w: its digest is not that of its lines", ErrArchive)
	}
	// The digest is not of the line in which it stands, and JSON could be written otherwise.
	var asWritten bytes.Buffer
	if err := writeLine(&asWritten, end); err != nil || !bytes.Equal(asWritten.Bytes(), line) {
		return Archive{}, fmt.Errorf("%w: its last line was altered", ErrArchive)
	}
	if end.Documents != archive.Documents || end.Versions != archive.Versions {
		return Archive{}, fmt.Errorf("%w: it counts otherwise than its last line says", ErrArchive)
	}
	if _, err := l.from.ReadByte(); !errors.Is(err, io.EOF) {
		return Archive{}, fmt.Errorf("%w: something comes after its last line", ErrArchive)
	}
	return archive, nil
}
