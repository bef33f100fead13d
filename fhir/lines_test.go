package fhir_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/fhir"
)

type seen struct {
	Number, Offset int64
	Text           string
	TooLong        bool
}

func readAll(in io.Reader, size, lineCap int) ([]seen, error) {
	blocks := fhir.NewBlocks(in, size, lineCap)
	var out []seen
	for {
		block, err := blocks.Next(nil)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		for line := range block.Lines() {
			out = append(out, seen{line.Number, line.Offset, string(line.Bytes), line.TooLong})
		}
	}
}

func TestBlocks(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100)
	cases := []struct {
		name string
		in   string
		want []seen
	}{
		{"an empty file", "", nil},
		{"blank lines only", "\n\r\n  \n", nil},
		{"a last line without its end", "a\nb", []seen{{1, 0, "a", false}, {2, 2, "b", false}}},
		{"CRLF", "a\r\nb\r\n", []seen{{1, 0, "a", false}, {2, 3, "b", false}}},
		{"a byte order mark", "\xef\xbb\xbfa\nb\n", []seen{{1, 3, "a", false}, {2, 5, "b", false}}},
		{"blank lines between", "a\n\n\nb\n", []seen{{1, 0, "a", false}, {4, 4, "b", false}}},
		{
			"a line over the cap", "a\n" + long + "\nb\n",
			[]seen{{1, 0, "a", false}, {2, 2, long[:21], true}, {3, 103, "b", false}},
		},
		{
			"a line over the cap at the end", "a\n" + long,
			[]seen{{1, 0, "a", false}, {2, 2, long[:21], true}},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, size := range []int{1, 3, 8, 1 << 10} {
				got, err := readAll(iotest.OneByteReader(strings.NewReader(c.in)), size, 20)
				if err != nil {
					t.Fatal(err)
				}
				for i := range got {
					if got[i].TooLong {
						got[i].Text = got[i].Text[:min(21, len(got[i].Text))]
					}
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("block size %d: lines differ (-want +got):\n%s", size, diff)
				}
			}
		})
	}
}

func TestBlocksAgreeWithSplit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOf(rapid.StringMatching(`[a-z]{0,12}`)).Draw(t, "lines")
		text := strings.Join(lines, "\n")
		got, err := readAll(strings.NewReader(text), rapid.IntRange(1, 40).Draw(t, "size"), 64)
		if err != nil {
			t.Fatal(err)
		}
		var want []seen
		offset := int64(0)
		for i, line := range strings.Split(text, "\n") {
			if line != "" {
				want = append(want, seen{int64(i) + 1, offset, line, false})
			}
			offset += int64(len(line)) + 1
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("lines differ (-want +got):\n%s", diff)
		}
	})
}

func TestBlocksPassOnAReadError(t *testing.T) {
	t.Parallel()
	in := io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(io.ErrUnexpectedEOF))
	if _, err := readAll(in, 8, 64); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error = %v, want io.ErrUnexpectedEOF", err)
	}
}

// TestHugeLineIsPassedOver reads a line far beyond the cap and proves that it is not held.
func TestHugeLineIsPassedOver(t *testing.T) {
	t.Parallel()
	const length = 100 << 20
	in := io.MultiReader(strings.NewReader("a\n"), io.LimitReader(endless('x'), length), strings.NewReader("\nb\n"))
	blocks := fhir.NewBlocks(in, fhir.DefaultBlock, 1<<20)
	var lines []seen
	for {
		block, err := blocks.Next(nil)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if cap(block.Data) > 2<<20 {
			t.Fatalf("a block holds %d bytes of a line over the cap", cap(block.Data))
		}
		for line := range block.Lines() {
			text := string(line.Bytes)
			if line.TooLong {
				text = "…"
			}
			lines = append(lines, seen{line.Number, line.Offset, text, line.TooLong})
		}
	}
	want := []seen{{1, 0, "a", false}, {2, 2, "…", true}, {3, 2 + length + 1, "b", false}}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("lines differ (-want +got):\n%s", diff)
	}
}

type endless byte

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}

func FuzzBlocks(f *testing.F) {
	f.Add([]byte("a\n\r\nb"), 3, 5)
	f.Add([]byte("\xef\xbb\xbf\n\x00\n"), 1, 1)
	f.Fuzz(func(t *testing.T, data []byte, size, lineCap int) {
		size, lineCap = 1+abs(size)%64, 1+abs(lineCap)%64
		got, err := readAll(bytes.NewReader(data), size, lineCap)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range got {
			if line.Offset < 0 || line.Offset > int64(len(data)) {
				t.Fatalf("line %d at offset %d of %d bytes", line.Number, line.Offset, len(data))
			}
			if !line.TooLong && !bytes.HasPrefix(bytes.TrimSpace(data[line.Offset:]), []byte(line.Text)) {
				t.Fatalf("line %d is not what stands at offset %d", line.Number, line.Offset)
			}
		}
	})
}

func abs(n int) int {
	if n < 0 {
		return -(n + 1)
	}
	return n
}
