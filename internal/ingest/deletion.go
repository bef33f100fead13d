package ingest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/fhir/bulk"
	"github.com/equitylens/equitylens/internal/phi"
)

// delete reads what the source says is gone.
func (l *loader) delete(ctx context.Context, files []File, t *tally) error {
	for i := range files {
		if !files[i].Deleted {
			continue
		}
		if err := l.deleteFile(ctx, &files[i], t); err != nil {
			return fmt.Errorf("read %s: %w", files[i].Label, err)
		}
	}
	return nil
}

// deletionsAtOnce bounds what is held in memory of a file.
const deletionsAtOnce = 10_000

func (l *loader) deleteFile(ctx context.Context, file *File, t *tally) error {
	gone := map[string][]phi.ID{}
	for d, err := range bulk.ReadDeleted(file.Path, bulk.Limits{}) {
		var bad *bulk.LineError
		if errors.As(err, &bad) {
			if err := l.refuseDeletion(file, bad, t); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		gone[d.Type] = append(gone[d.Type], d.ID)
		if len(gone[d.Type]) < deletionsAtOnce {
			continue
		}
		if err := l.run.Delete(ctx, d.Type, gone[d.Type]); err != nil {
			return err
		}
		gone[d.Type] = gone[d.Type][:0]
	}
	for name, ids := range gone {
		if err := l.run.Delete(ctx, name, ids); err != nil {
			return err
		}
	}
	return nil
}

// deletions is the name by which refused lines of such files are counted.
const deletions = "Bundle"

// refuseDeletion keeps and counts a line, or an entry of one, that deletes nothing.
func (l *loader) refuseDeletion(file *File, bad *bulk.LineError, t *tally) error {
	cause := &fhir.RefusedError{Reason: fhir.NotAResource, Element: deletions}
	t.read[deletions]++
	t.refused[deletions]++
	t.reasons[refusal{deletions, cause.Reason}]++
	line, err := lineAt(file, bad.Offset)
	if err != nil {
		return err
	}
	line.Number = int64(bad.Line)
	return l.quarantine.put(file.Label, line, cause)
}

// lineAt reads the line that starts at an offset, or the beginning of one that is too long to keep.
func lineAt(file *File, offset int64) (line fhir.Line, err error) {
	in, err := open(file)
	if err != nil {
		return line, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	if _, err := io.CopyN(io.Discard, in, offset); err != nil {
		return line, fmt.Errorf("go to byte %d: %w", offset, err)
	}
	line.Offset = offset
	reader := bufio.NewReader(io.LimitReader(in, longestKept+1))
	text, err := reader.ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return line, fmt.Errorf("read the line at byte %d: %w", offset, err)
	}
	line.Bytes = bytes.TrimRight(text, "\r\n")
	line.Length = int64(len(line.Bytes))
	line.TooLong = line.Length > longestKept
	return line, nil
}
