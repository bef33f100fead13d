package bulk

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
)

// LineError says that one line of a file cannot be read, and where it is. It quotes nothing.
type LineError struct {
	// Line counts from 1, Offset from 0 in the unpacked bytes.
	Line   int
	Offset int64
	cause  error
}

// Error returns for example "line 3, byte 812: not a transaction Bundle".
func (e *LineError) Error() string {
	return fmt.Sprintf("line %d, byte %d: %v", e.Line, e.Offset, e.cause)
}

// Unwrap returns the cause.
func (e *LineError) Unwrap() error { return e.cause }

// lineReader reads a file line by line, each line as a stream, so that a line of any length takes
// no memory. Blank lines and a byte order mark are passed over.
type lineReader struct {
	r      *bufio.Reader
	number int
	start  int64 // of the current line
	offset int64 // of the next byte
	open   bool  // within a line
	err    error // of the source, other than io.EOF
}

// newLineReader reads from r.
func newLineReader(r io.Reader) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, guardBuffer)}
}

// byteOrderMark may stand at the start of a file that was written on Windows.
const byteOrderMark = "\xef\xbb\xbf"

// next passes over what is left of the current line and goes to the next that is not blank. It
// returns false at the end and on an error of the source.
func (l *lineReader) next() bool {
	if l.err != nil {
		return false
	}
	if l.open {
		if _, err := io.Copy(io.Discard, l); err != nil {
			return false
		}
	}
	if l.offset == 0 {
		if head, _ := l.r.Peek(len(byteOrderMark)); string(head) == byteOrderMark {
			l.skip(len(byteOrderMark))
		}
	}
	l.number++
	l.start = l.offset
	for {
		head, err := l.r.Peek(1)
		if err != nil {
			if err != io.EOF { // bufio hands io.EOF through as it is.
				l.err = err
			}
			return false
		}
		switch head[0] {
		case '\n':
			l.skip(1)
			l.number++
			l.start = l.offset
		case ' ', '\t', '\r':
			l.skip(1)
		default:
			l.open = true
			return true
		}
	}
}

// skip passes over n bytes that are known to be buffered.
func (l *lineReader) skip(n int) {
	skipped, _ := l.r.Discard(n)
	l.offset += int64(skipped)
}

// Read reads within the current line and returns io.EOF at its end.
func (l *lineReader) Read(p []byte) (int, error) {
	if !l.open || len(p) == 0 {
		return 0, io.EOF
	}
	if _, err := l.r.Peek(1); err != nil {
		l.open = false
		if err != io.EOF { // bufio hands io.EOF through as it is.
			l.err = err
		}
		return 0, err
	}
	ready, _ := l.r.Peek(min(len(p), l.r.Buffered()))
	n := len(ready)
	end := bytes.IndexByte(ready, '\n')
	if end >= 0 {
		n = end
	}
	copy(p, ready[:n])
	l.skip(n)
	if end >= 0 {
		l.skip(1)
		l.open = false
		return n, io.EOF
	}
	return n, nil
}

// fault returns cause with the place of the current line.
func (l *lineReader) fault(cause error) *LineError {
	return &LineError{Line: l.number, Offset: l.start, cause: cause}
}
