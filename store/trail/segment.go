package trail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The files of a trail are numbered from 1 on.
const (
	prefix    = "audit-"
	extension = ".ndjson"
	lockName  = "lock"
	ownerOnly = 0o700
	ownerFile = 0o600
)

func segmentName(n int) string { return fmt.Sprintf("%s%06d%s", prefix, n, extension) }

// segmentNumber reads the name of a file; false where it is none of the trail.
func segmentNumber(name string) (int, bool) {
	digits, ok := strings.CutPrefix(name, prefix)
	if digits, ok = strings.CutSuffix(digits, extension); !ok {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	return n, err == nil && n > 0 && segmentName(n) == name
}

// segments lists the numbers of the files, the oldest first.
func segments(folder string) ([]int, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var all []int
	for _, entry := range entries {
		if n, ok := segmentNumber(entry.Name()); ok {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all, nil
}

// blockSize is how much of a file is read at a time.
const blockSize = 64 << 10

// backward yields the whole lines of a file that end at or before offset, the last one first, each
// without its end and with the offset at which it begins. What follows the last end of a line is no
// line: somebody is writing it, or was killed while writing. A line that is longer than any of ours
// is yielded as nil.
func backward(
	file io.ReaderAt, offset int64, yield func(text []byte, at int64) (more bool, err error),
) error {
	var tail []byte // What was read of the file from offset on, and not yielded yet.
	whole, long := false, false
	for offset > 0 {
		size := min(offset, blockSize)
		block := make([]byte, size, size+int64(len(tail)))
		if _, err := file.ReadAt(block, offset-size); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		offset -= size
		tail = append(block, tail...)
		for {
			i := bytes.LastIndexByte(tail[:min(int64(len(tail)), size)], '\n')
			if i < 0 {
				break
			}
			size = int64(i)
			text := tail[i+1:]
			tail = tail[:i]
			if whole {
				if long || len(text) > maxLine {
					text = nil
				}
				if more, err := yield(text, offset+int64(i)+1); err != nil || !more {
					return err
				}
			}
			whole, long = true, false
		}
		if long = long || len(tail) > maxLine; long {
			tail = nil
		}
	}
	if !whole {
		return nil
	}
	if long || len(tail) > maxLine {
		tail = nil
	}
	_, err := yield(tail, 0)
	return err
}

// ending is what the end of a file says: the last head that it holds, where its whole lines end,
// and how many bytes follow them.
type ending struct {
	head  Head
	whole int64
	torn  int64
}

// end reads the end of a file. A last whole line that is none of ours is an error: the trail was
// tampered with, and nothing is to be hidden behind it.
func end(file *os.File) (ending, error) {
	info, err := file.Stat()
	if err != nil {
		return ending{}, err
	}
	out := ending{torn: info.Size()}
	err = backward(file, info.Size(), func(text []byte, at int64) (bool, error) {
		l, err := parseLine(text)
		if err != nil {
			return false, fmt.Errorf("%w at byte %d", err, at)
		}
		out.head = Head{N: l.N, Chain: l.Chain}
		out.whole = at + int64(len(text)) + 1
		out.torn = info.Size() - out.whole
		return false, nil
	})
	return out, err
}

// setAside moves what a killed process left half written out of a file into one beside it.
func setAside(file *os.File, of ending) error {
	if of.torn == 0 {
		return nil
	}
	rest := make([]byte, min(of.torn, maxLine))
	if _, err := file.ReadAt(rest, of.whole); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("set a torn line aside: %w", err)
	}
	name := file.Name() + ".torn-" + strconv.FormatInt(of.whole, 10)
	aside, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, ownerFile)
	if err != nil {
		return fmt.Errorf("set a torn line aside: %w", err)
	}
	_, err = aside.Write(rest)
	err = errors.Join(err, aside.Sync(), aside.Close())
	if err == nil {
		err = errors.Join(file.Truncate(of.whole), file.Sync())
	}
	if err != nil {
		return fmt.Errorf("set a torn line aside: %w", err)
	}
	return nil
}

// syncFolder makes the name of a new file last.
func syncFolder(path string) error {
	folder, err := os.Open(filepath.Clean(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
