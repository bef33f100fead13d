package trail

import (
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
	n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(name, prefix), extension))
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
