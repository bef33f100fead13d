package bulk

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
)

// Limits bounds what a file may unpack to. Zero values mean what the comments say.
type Limits struct {
	// MaxBytes bounds the unpacked size. Zero means 1 TiB.
	MaxBytes int64
	// MaxRatio bounds unpacked bytes per packed byte. Zero means 200: FHIR in NDJSON packs 10 to 40
	// times, gzip can reach 1032.
	MaxRatio int64
}

// The defaults of Limits, and the size below which the ratio is not looked at: a small file may be
// all alike without being an attack.
const (
	defaultMaxBytes = 1 << 40
	defaultMaxRatio = 200
	ratioFloor      = 16 << 20
)

// Refusals of the guard. None passes by itself, so a file that earns one is not fetched again.
var (
	// ErrBomb says that a file unpacks to more than its limits allow.
	ErrBomb = errors.New("file unpacks to more than is allowed")
	// ErrNested says that a packed file holds a packed file.
	ErrNested = errors.New("file is packed twice")
)

// gzipMagic starts every gzip member (RFC 1952 2.3.1).
const gzipMagic = "\x1f\x8b"

// guardBuffer is the size of the buffer below the unpacking.
const guardBuffer = 64 << 10

// Guarded returns the plain bytes of r, which may be packed with gzip or not: the first bytes tell,
// whatever a header or a name says. Reading fails with ErrBomb or ErrNested, and with
// io.ErrUnexpectedEOF where packed bytes break off.
func Guarded(r io.Reader, limits Limits) (io.Reader, error) {
	if limits.MaxBytes <= 0 {
		limits.MaxBytes = defaultMaxBytes
	}
	if limits.MaxRatio <= 0 {
		limits.MaxRatio = defaultMaxRatio
	}
	packed := &countingReader{r: r}
	source := bufio.NewReaderSize(packed, guardBuffer)
	head, err := source.Peek(len(gzipMagic))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read start of file: %w", err)
	}
	if string(head) != gzipMagic {
		return &guard{r: source, limits: limits}, nil
	}
	unpacked, err := gzip.NewReader(source)
	if err != nil {
		return nil, fmt.Errorf("unpack file: %w", unexpected(err))
	}
	plain := bufio.NewReaderSize(unpacked, guardBuffer)
	head, err = plain.Peek(len(gzipMagic))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("unpack file: %w", unexpected(err))
	}
	if string(head) == gzipMagic {
		return nil, ErrNested
	}
	return &guard{r: plain, packed: packed, limits: limits}, nil
}

// unexpected turns an end of input within packed data into what it is.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// guard counts plain bytes and stops at the limits.
type guard struct {
	r      io.Reader
	packed *countingReader // nil if the file is plain
	limits Limits
	n      int64
}

// Read reads plain bytes.
func (g *guard) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	g.n += int64(n)
	if g.n > g.limits.MaxBytes {
		return 0, fmt.Errorf("%w: over %d bytes", ErrBomb, g.limits.MaxBytes)
	}
	if g.packed != nil && g.n > ratioFloor && g.n/g.limits.MaxRatio > g.packed.n {
		return 0, fmt.Errorf("%w: over %d times its size", ErrBomb, g.limits.MaxRatio)
	}
	return n, err
}

// countingReader counts what was read from below.
type countingReader struct {
	r io.Reader
	n int64
}

// Read reads and counts.
func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// OpenNDJSON opens a file of NDJSON, packed or not, under the default limits.
func OpenNDJSON(path string) (io.ReadCloser, error) {
	return OpenLimited(path, Limits{})
}

// OpenLimited opens a file of NDJSON, packed or not, under limits of its own.
func OpenLimited(path string, limits Limits) (io.ReadCloser, error) {
	file, err := os.Open(path) // #nosec G304 -- the caller names the file.
	if err != nil {
		return nil, fmt.Errorf("open file: %w", err)
	}
	plain, err := Guarded(file, limits)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{plain, file}, nil
}
