package trail

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// FuzzFiles: whatever stands in a file, reading it backwards finds the lines that reading it
// forwards finds, and neither search nor verification falls over it.
func FuzzFiles(f *testing.F) {
	text, head := appendLine(nil, nil, Head{}, []byte(`{"id":"1","recorded":"2026-11-01T00:00:00Z"}`))
	text, _ = appendLine(text, nil, head, []byte(`{"id":"2"}`))
	f.Add(text)
	f.Add(text[:len(text)-3])
	f.Add([]byte("\n\n{\"n\":1"))
	f.Add(bytes.Repeat([]byte("x\n"), blockSize))
	f.Add(append(bytes.Repeat([]byte("x"), 2*blockSize), '\n'))
	f.Fuzz(func(t *testing.T, text []byte) {
		var want [][]byte
		for line := range bytes.Lines(text) {
			if whole, ok := bytes.CutSuffix(line, []byte("\n")); ok {
				want = append(want, whole)
			}
		}
		var got [][]byte
		err := backward(bytes.NewReader(text), int64(len(text)), func(line []byte, at int64) (bool, error) {
			if !bytes.Equal(line, text[at:at+int64(len(line))]) {
				t.Errorf("the line at %d is %q", at, line)
			}
			got = append(got, line)
			return true, nil
		})
		slices.Reverse(got)
		if err != nil || !slices.EqualFunc(got, want, bytes.Equal) {
			t.Fatalf("backward finds %q, %v, want %q", got, err, want)
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, segmentName(1)), text, ownerFile); err != nil {
			t.Fatal(err)
		}
		page, err := search(t.Context(), dir, Query{Count: len(want) + 1}, maxScan)
		if err != nil || len(page.Events)+page.Damaged != len(want) {
			t.Errorf("search finds %d and %d damaged, %v; there are %d lines",
				len(page.Events), page.Damaged, err, len(want))
		}
		_, _ = Verify(t.Context(), dir, nil)
	})
}

// TestALineThatIsTooLongIsPassedOver, and those beside it are not.
func TestALineThatIsTooLongIsPassedOver(t *testing.T) {
	t.Parallel()
	long := bytes.Repeat([]byte("x"), maxLine+10)
	text := slices.Concat([]byte("a\n"), long, []byte("\nb\ntorn"))
	var got []string
	err := backward(bytes.NewReader(text), int64(len(text)), func(line []byte, _ int64) (bool, error) {
		got = append(got, string(line))
		return true, nil
	})
	if err != nil || !slices.Equal(got, []string{"b", "", "a"}) {
		t.Errorf("backward finds %q, %v", got, err)
	}
}

// TestASearchThatHasLookedEnoughGoesOnLater: a page may be empty and have a next one.
func TestASearchThatHasLookedEnoughGoesOnLater(t *testing.T) {
	t.Parallel()
	var text []byte
	var head Head
	for _, id := range []string{"a", "b", "c", "d"} {
		text, head = appendLine(text, nil, head, []byte(`{"id":"`+id+`"}`))
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, segmentName(1)), text, ownerFile); err != nil {
		t.Fatal(err)
	}
	q, pages, found := Query{ID: "a"}, 0, 0
	for {
		page, err := search(t.Context(), dir, q, 100)
		if err != nil {
			t.Fatal(err)
		}
		pages, found = pages+1, found+len(page.Events)
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	if pages < 2 || found != 1 {
		t.Errorf("%d events on %d pages, want 1 on several", found, pages)
	}
}
