package trail

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/internal/phi"
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
			got = append(got, bytes.Clone(line))
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
		page, err := search(t.Context(), dir, Query{Count: len(want) + 1},
			reach{maxScan, scanSize})
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
		page, err := search(t.Context(), dir, q, reach{100, scanSize})
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

// TestASearchPassesOverNothing compares what a search finds in files of several chunks with what
// looking at every line finds.
func TestASearchPassesOverNothing(t *testing.T) {
	t.Parallel()
	first := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	var text []byte
	var head Head
	var all []brief
	dir := t.TempDir()
	const files, each, size, slot = 3, 60, 2000, 5 * time.Minute
	for file := range files {
		text = nil
		for i := range each {
			// Some were recorded before those that were appended before them.
			n := file*each + i
			at := first.Add(time.Duration(n)*slot - time.Duration(n%4/3)*50*time.Minute)
			event := fmt.Appendf(nil, `{"id":"e%d","recorded":%q,"outcome":"%d",`+
				`"agent":[{"who":{"identifier":{"system":"https://a.example","value":"agent-%d"}}}],`+
				`"entity":[{"what":{"reference":"Patient/p-%d"}}]}`, n, at.Format(time.RFC3339),
				n%3*4, n%5, n%20)
			var e brief
			if err := json.Unmarshal(event, &e); err != nil {
				t.Fatal(err)
			}
			all = append(all, e)
			text, head = appendLine(text, nil, head, event)
		}
		path := filepath.Join(dir, segmentName(file+1))
		if err := os.WriteFile(path, text, ownerFile); err != nil {
			t.Fatal(err)
		}
	}
	if len(text) < 3*size {
		t.Fatalf("a file of %d bytes is not of several chunks", len(text))
	}
	rapid.Check(t, func(t *rapid.T) {
		q := Query{Count: rapid.IntRange(1, 100).Draw(t, "count")}
		q.Agent = rapid.SampledFrom([]string{"", "", "agent-3", "https://a.example|agent-4", "agent"}).
			Draw(t, "agent")
		q.Outcome = rapid.SampledFrom([]string{"", "", "4", "8"}).Draw(t, "outcome")
		q.ID = rapid.SampledFrom([]string{"", "", "", "e0", "e59", "e77"}).Draw(t, "id")
		if text := rapid.SampledFrom([]string{"", "", "p-7", "p-19"}).Draw(t, "patient"); text != "" {
			q.Patient = phi.New(text)
		}
		slots := rapid.IntRange(0, files*each)
		if rapid.Bool().Draw(t, "from") {
			q.From = first.Add(time.Duration(slots.Draw(t, "after")) * slot)
		}
		if rapid.Bool().Draw(t, "to") {
			q.To = first.Add(time.Duration(slots.Draw(t, "before")) * slot)
		}
		var want, got []string
		for _, e := range slices.Backward(all) {
			if e.matches(q) {
				want = append(want, e.ID)
			}
		}
		far := reach{rapid.SampledFrom([]int64{maxScan, 3 * size}).Draw(t, "budget"), size}
		for {
			page, err := search(context.Background(), dir, q, far)
			if err != nil || page.Damaged > 0 || len(page.Events) > q.Count {
				t.Fatalf("a page of %d events, %d damaged, %v", len(page.Events), page.Damaged, err)
			}
			for _, event := range page.Events {
				var e brief
				if err := json.Unmarshal(event, &e); err != nil {
					t.Fatal(err)
				}
				got = append(got, e.ID)
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("found %v, want %v", got, want)
		}
	})
}
