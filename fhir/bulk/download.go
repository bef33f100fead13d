package bulk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/equitylens/equitylens/fhir/client"
)

// maxFailedInRow is after how many files in a row that could not be fetched the run stops: then it
// is the server that is gone, not a file, and going on would only ask tens of thousands of times.
const maxFailedInRow = 5

// download fetches every file that is not there yet. failed holds those that could not be fetched,
// by item; err is for what stops the whole run.
func (e *Exporter) download(
	ctx context.Context, s *state,
) (done map[int]fileRecord, failed map[int]error, err error) {
	known, err := e.folder.readJournal(s.Items)
	if err != nil {
		return nil, nil, err
	}
	d := &downloads{e: e, done: make(map[int]fileRecord, len(s.Items)), failed: make(map[int]error)}
	if err := d.each(ctx, s.Items, func(ctx context.Context, i int, _ Item) error {
		return d.verify(ctx, i, known)
	}); err != nil {
		return nil, nil, err
	}
	if err := e.folder.openJournal(len(s.Items), d.done); err != nil {
		return nil, nil, err
	}
	e.progress.tell(func(now *Progress) {
		*now = Progress{Phase: Downloading, FilesDone: len(d.done), FilesTotal: len(s.Items)}
	})
	there := len(d.done)
	if err := d.each(ctx, s.Items, d.fetch); err != nil {
		return nil, nil, err
	}
	if len(d.done) > there {
		if err := syncFolder(e.cfg.Dir); err != nil {
			return nil, nil, fmt.Errorf("sync run folder: %w", err)
		}
	}
	return d.done, d.failed, e.folder.closeJournal()
}

// downloads is the work in progress of one run.
type downloads struct {
	e      *Exporter
	mu     sync.Mutex
	done   map[int]fileRecord
	failed map[int]error
	inRow  int
}

// each calls work for every item, a few at a time, until one returns an error.
func (d *downloads) each(
	ctx context.Context, items []Item, work func(context.Context, int, Item) error,
) error {
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(d.e.cfg.Parallel)
	for i, item := range items {
		if inner.Err() != nil {
			break
		}
		group.Go(func() error {
			if inner.Err() != nil {
				return context.Cause(inner)
			}
			return work(inner, i, item)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// verify believes the journal's record of an item if the bytes on disk still are what it says.
func (d *downloads) verify(ctx context.Context, i int, known map[int]fileRecord) error {
	record, ok := known[i]
	if !ok {
		return nil
	}
	path := d.e.folder.path(record.Name)
	info, err := os.Stat(path)
	if err != nil || info.Size() != record.Size {
		return nil
	}
	file, err := os.Open(path) // #nosec G304 -- a name of our own making in the run folder.
	if err != nil {
		return nil
	}
	sum := sha256.New()
	_, err = io.Copy(sum, file)
	err = errors.Join(err, file.Close())
	if err == nil && hex.EncodeToString(sum.Sum(nil)) == record.SHA256 {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.done[i] = record
	}
	return context.Cause(ctx)
}

// fetch gets one file and writes down that it is there. A file that cannot be had is noted and does
// not stop the others; a disk that cannot be written, an expired export and a lost server do.
func (d *downloads) fetch(ctx context.Context, i int, item Item) error {
	d.mu.Lock()
	_, there := d.done[i]
	d.mu.Unlock()
	if there {
		return nil
	}
	record, err := d.get(ctx, i, item)
	var disk *diskError
	switch {
	case err == nil:
		if err := d.e.folder.record(record); err != nil {
			return err
		}
	case ctx.Err() != nil, errors.Is(err, ErrExpired), errors.As(err, &disk):
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		d.failed[i] = err
		if d.inRow++; d.inRow >= maxFailedInRow {
			return fmt.Errorf("%d files in a row could not be fetched, the last: %w", d.inRow, err)
		}
		d.e.cfg.Logger.LogAttrs(ctx, slog.LevelError, "file of export could not be fetched",
			slog.String("file", label(i, item)), slog.String("error", err.Error()))
		return nil
	}
	d.inRow = 0
	d.done[i] = record
	d.e.progress.tell(func(now *Progress) { now.FilesDone++ })
	return nil
}

// get fetches one file, from its start each time it breaks off. A file with fewer lines than the
// manifest says is fetched once more: a body without a length can break off unnoticed.
func (d *downloads) get(ctx context.Context, i int, item Item) (fileRecord, error) {
	u, err := url.Parse(item.URL)
	if err != nil || d.e.c.Permit(u) != nil {
		return fileRecord{}, fmt.Errorf("download %s: %w", label(i, item), client.ErrURL)
	}
	request := client.Request{
		Op: "download " + label(i, item), URL: u, Header: http.Header{"Accept": {outputFormat}},
		Auth: client.AuthOnDemand, Elsewhere: true, Tries: 1,
	}
	if item.NeedsToken {
		request.Auth = client.AuthAlways
	}
	var record fileRecord
	short := false
	err = d.e.c.Retry(ctx, d.e.cfg.FileTries, func(ctx context.Context) error {
		var err error
		if record, err = d.receive(ctx, request, i, item); err != nil {
			return err
		}
		if item.Count != nil && record.Lines < *item.Count && !short {
			short = true
			return &fileError{op: request.Op, cause: errShort, passing: true}
		}
		return nil
	})
	return record, d.expired(u, err)
}

// expired recognises a file that the server no longer has. A store on another origin, where signed
// links lead, says 403 instead of 404.
func (d *downloads) expired(u *url.URL, err error) error {
	var status *client.StatusError
	if !errors.As(err, &status) {
		return err
	}
	gone := status.Status == http.StatusNotFound || status.Status == http.StatusGone
	if gone || status.Status == http.StatusForbidden && !d.e.c.Trusted(u) {
		return fmt.Errorf("%w: %w", ErrExpired, err)
	}
	return err
}

// receive makes one try at a file: into .part, checked while it runs through, synced, renamed.
func (d *downloads) receive(
	ctx context.Context, request client.Request, i int, item Item,
) (fileRecord, error) {
	answer, err := d.e.c.Do(ctx, request)
	if err != nil {
		return fileRecord{}, err
	}
	defer func() { _ = answer.Body.Close() }()
	record := fileRecord{Item: i, Name: fileName(i, item)}
	path := d.e.folder.path(record.Name)
	// #nosec G304 -- as above.
	part, err := os.OpenFile(path+partSuffix, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fileRecord{}, &diskError{request.Op, err}
	}
	in := &intake{file: part, sum: sha256.New(), heard: d.e.progress.received}
	lines, err := in.take(answer.Body, d.e.cfg.Limits)
	if closed := part.Close(); err == nil && closed != nil {
		err = &diskError{request.Op, closed}
	}
	if err != nil {
		return fileRecord{}, errors.Join(in.fault(request.Op, err), removePart(path))
	}
	if in.packed() {
		record.Name += ".gz"
	}
	if err := os.Rename(path+partSuffix, d.e.folder.path(record.Name)); err != nil {
		return fileRecord{}, &diskError{request.Op, err}
	}
	record.Size, record.Lines, record.SHA256 = in.size, lines, hex.EncodeToString(in.sum.Sum(nil))
	return record, nil
}

// removePart drops what came of a file that was not received whole.
func removePart(path string) error {
	if err := os.Remove(path + partSuffix); err != nil {
		return &diskError{"drop part of a file", err}
	}
	return nil
}

// intake writes bytes to disk as they come and sees to it that they unpack.
type intake struct {
	file  *os.File
	sum   hash.Hash
	size  int64
	head  [len(gzipMagic)]byte
	heard func(int)
	disk  error
}

// take copies body to the file and returns the number of lines in its plain bytes.
func (in *intake) take(body io.Reader, limits Limits) (int64, error) {
	plain, err := Guarded(io.TeeReader(body, in), limits)
	if err != nil {
		return 0, err
	}
	var lines lineCounter
	if _, err := io.Copy(&lines, plain); err != nil {
		return 0, err
	}
	if err := in.file.Sync(); err != nil {
		in.disk = err
		return 0, err
	}
	return lines.total(), nil
}

// Write takes bytes as they were received.
func (in *intake) Write(p []byte) (int, error) {
	if in.size < int64(len(in.head)) {
		copy(in.head[in.size:], p)
	}
	n, err := in.file.Write(p)
	in.sum.Write(p[:n])
	in.size += int64(n)
	in.heard(n)
	if err != nil {
		in.disk = err
	}
	return n, err
}

// packed reports whether the file is gzip.
func (in *intake) packed() bool { return string(in.head[:]) == gzipMagic }

// fault says what an error on the way means.
func (in *intake) fault(op string, err error) error {
	var transport *client.TransportError
	var disk *diskError
	switch {
	case errors.As(err, &disk), errors.As(err, &transport):
		return err
	case in.disk != nil:
		return &diskError{op, in.disk}
	case errors.Is(err, ErrBomb), errors.Is(err, ErrNested), errors.Is(err, errMarkup),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &fileError{op: op, cause: err}
	}
	// The unpacking failed: bytes were lost or bent on the way.
	return &fileError{op: op, cause: err, passing: true}
}

// Faults of a file's content.
var (
	errShort  = errors.New("fewer lines than the manifest says")
	errMarkup = errors.New("a page of markup, not NDJSON")
)

// fileError is a file that came and is not good.
type fileError struct {
	op      string
	cause   error
	passing bool
}

// Error names the file by kind and place.
func (e *fileError) Error() string { return e.op + ": " + e.cause.Error() }

// Unwrap returns the cause.
func (e *fileError) Unwrap() error { return e.cause }

// Temporary reports whether the file may be good when it is fetched again.
func (e *fileError) Temporary() bool { return e.passing }

// diskError is a file that could not be written here.
type diskError struct {
	op    string
	cause error
}

// Error names the file by kind and place.
func (e *diskError) Error() string { return e.op + ": write file: " + e.cause.Error() }

// Unwrap returns the cause.
func (e *diskError) Unwrap() error { return e.cause }
