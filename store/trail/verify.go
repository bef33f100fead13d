package trail

import (
	"bufio"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Report is what Verify found.
type Report struct {
	// Head is where the trail stands: to be compared with one that was kept elsewhere, because a
	// trail whose newest events were cut off is whole as far as it goes.
	Head  Head
	Files int
	// Torn is how many bytes of a line that is being written, or was when its process was killed,
	// stand at the end.
	Torn int64
}

// Verify reads the whole trail of a folder and checks every digest and every number. An error that
// wraps ErrTampered names the file and the line at which it stops being what was written.
func Verify(ctx context.Context, folder string, key []byte) (Report, error) {
	var out Report
	numbers, err := segments(folder)
	if err != nil {
		return out, fmt.Errorf("verify audit trail: %w", err)
	}
	for i, number := range numbers {
		if number != i+1 {
			return out, fmt.Errorf("verify audit trail: %w: there is no %s", ErrTampered,
				segmentName(i+1))
		}
		torn, err := out.file(ctx, filepath.Join(folder, segmentName(number)), key)
		if err == nil && torn > 0 && i+1 < len(numbers) {
			err = fmt.Errorf("%w: its last line is torn", ErrTampered)
		}
		if err != nil {
			return out, fmt.Errorf("verify audit trail: %s: %w", segmentName(number), err)
		}
		out.Files, out.Torn = out.Files+1, torn
	}
	return out, nil
}

// Verify is the function Verify for this trail.
func (t *Trail) Verify(ctx context.Context) (Report, error) {
	return Verify(ctx, t.cfg.Dir, t.cfg.Key)
}

// file checks one file and moves the head on.
func (r *Report) file(ctx context.Context, path string, key []byte) (torn int64, err error) {
	file, err := os.Open(path) // #nosec G304 -- a file of the trail
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	in := bufio.NewReaderSize(file, blockSize)
	for n := 1; ; n++ {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		text, err := readLine(in)
		if errors.Is(err, io.EOF) {
			return int64(len(text)), nil
		}
		if err != nil {
			return 0, fmt.Errorf("line %d: %w", n, err)
		}
		l, err := parseLine(text)
		if err != nil {
			return 0, fmt.Errorf("line %d: %w: %w", n, ErrTampered, err)
		}
		want := digest(key, r.Head, l.Event)
		if l.N != r.Head.N+1 || subtle.ConstantTimeCompare([]byte(want), []byte(l.Chain)) != 1 {
			return 0, fmt.Errorf("line %d: %w: it does not follow from the line before", n, ErrTampered)
		}
		r.Head = Head{N: l.N, Chain: l.Chain}
	}
}

// readLine reads a line without its end, or what is left with io.EOF.
func readLine(in *bufio.Reader) ([]byte, error) {
	var text []byte
	for {
		part, err := in.ReadSlice('\n')
		if len(text)+len(part) > maxLine+1 {
			return nil, fmt.Errorf("%w: it is too long", ErrTampered)
		}
		text = append(text, part...)
		switch {
		case err == nil:
			return text[:len(text)-1], nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return text, err
		}
	}
}
