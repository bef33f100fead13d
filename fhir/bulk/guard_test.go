package bulk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// TestGuardedGivesThePlainBytes of plain, packed and twice-concatenated files, however they come.
func TestGuardedGivesThePlainBytes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		data := rapid.SliceOfN(rapid.Byte(), 0, 2000).Draw(rt, "data")
		more := rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(rt, "more")
		if bytes.HasPrefix(append(data, more...), []byte(gzipMagic)) {
			rt.Skip("packed by chance")
		}
		if bytes.HasPrefix(data, []byte(gzipMagic)) {
			rt.Skip("packed by chance")
		}
		for name, tt := range map[string]struct{ in, want []byte }{
			"plain":       {data, data},
			"packed":      {pack(t, data), data},
			"two members": {append(pack(t, data), pack(t, more)...), append(bytes.Clone(data), more...)},
		} {
			for _, wrap := range []func(io.Reader) io.Reader{
				func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.DataErrReader,
			} {
				r, err := Guarded(wrap(bytes.NewReader(tt.in)), Limits{})
				if err != nil {
					rt.Fatalf("%s: %v", name, err)
				}
				got, err := io.ReadAll(r)
				if err != nil || !bytes.Equal(got, tt.want) {
					rt.Fatalf("%s: %d bytes, %v; want %d", name, len(got), err, len(tt.want))
				}
			}
		}
	})
}

// TestGuardedStopsAtItsLimits by size, by ratio, at nesting and at an end within packed bytes.
func TestGuardedStopsAtItsLimits(t *testing.T) {
	t.Parallel()
	zeros := make([]byte, ratioFloor+1<<20)
	even := bytes.Repeat([]byte(`{"resourceType":"Patient"}`+"\n"), 100)
	tests := []struct {
		name   string
		in     []byte
		limits Limits
		want   error
	}{
		{"small and even", pack(t, even), Limits{}, nil},
		{"plain at the cap", even, Limits{MaxBytes: int64(len(even))}, nil},
		{"plain over the cap", even, Limits{MaxBytes: int64(len(even)) - 1}, ErrBomb},
		{"packed over the cap", pack(t, even), Limits{MaxBytes: 1000}, ErrBomb},
		{"a thousandfold", pack(t, zeros), Limits{}, ErrBomb},
		{"a thousandfold, allowed", pack(t, zeros), Limits{MaxRatio: 2000}, nil},
		{"packed twice", pack(t, pack(t, even)), Limits{}, ErrNested},
		{"packed and cut", pack(t, even)[:30], Limits{}, io.ErrUnexpectedEOF},
		{"packed and cut in its head", pack(t, even)[:5], Limits{}, io.ErrUnexpectedEOF},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, "file", string(tt.in))
			r, err := OpenLimited(filepath.Join(dir, "file"), tt.limits)
			if err == nil {
				_, err = io.Copy(io.Discard, r)
				err = errors.Join(err, r.Close())
			}
			if !errors.Is(err, tt.want) || tt.want == nil && err != nil {
				t.Errorf("reading = %v, want %v", err, tt.want)
			}
		})
	}
	if _, err := OpenNDJSON(filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("a missing file opens")
	}
}

// TestLineReaderStreams reads lines of any length and tells their places.
func TestLineReaderStreams(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 3*guardBuffer)
	text := "\xef\xbb\xbfa\n\n  \r\n b c \n" + long + "\nlast"
	want := []string{"1@3:a", "4@10:b c ", fmt.Sprintf("5@16:%s", long), fmt.Sprintf("6@%d:last", 17+len(long))}
	for _, wrap := range []func(io.Reader) io.Reader{
		func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.DataErrReader,
	} {
		l := newLineReader(wrap(strings.NewReader(text)))
		for i := 0; l.next(); i++ {
			line, err := io.ReadAll(l)
			got := fmt.Sprintf("%d@%d:%s", l.number, l.start, line)
			if err != nil || i >= len(want) || got != want[i] {
				t.Fatalf("line %d = %.40q, %v", i, got, err)
			}
			want[i] = got
		}
		// Lines that nobody reads are passed over.
		l = newLineReader(wrap(strings.NewReader(text)))
		n := 0
		for l.next() {
			n++
		}
		if n != len(want) || l.err != nil {
			t.Errorf("%d lines, %v; want %d", n, l.err, len(want))
		}
	}
	broken := errors.New("broken")
	l := newLineReader(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken)))
	for l.next() {
	}
	if !errors.Is(l.err, broken) {
		t.Errorf("error of the source = %v, want %v", l.err, broken)
	}
}
