package trail_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/store/trail"
)

// helperDir tells this test binary that it is the process that is to be killed, and where it
// writes.
const helperDir = "EQUITYLENS_TRAIL_TEST_DIR"

// TestMain is the writer of TestKilledWriters where it was started as one.
func TestMain(m *testing.M) {
	dir := os.Getenv(helperDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	all, err := trail.Open(trail.Config{Dir: dir, MaxFile: 5000, Now: november})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for n := int(all.Head().N) + 1; ; n++ {
		keep := all.Audit
		if n%4 == 0 {
			keep = all.Note
		}
		if err := keep(context.Background(), numbered(n)); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(n) // Acknowledged.
	}
}

// TestKilledWriters kills a process in the middle of its work, again and again: everything that it
// was told is kept is there, and the next one goes on.
func TestKilledWriters(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kept := 0
	for round := range 8 {
		writer := exec.CommandContext(t.Context(), os.Args[0]) // #nosec G204 -- this test itself
		writer.Env = append(os.Environ(), helperDir+"="+dir)
		out, err := writer.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := writer.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for range 5 + 7*round {
			if !lines.Scan() {
				t.Fatalf("the writer ended: %v", lines.Err())
			}
			n, err := strconv.Atoi(lines.Text())
			if err != nil {
				t.Fatalf("the writer says %q", lines.Text())
			}
			kept = n
		}
		if err := writer.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = writer.Wait() // It was killed; nothing else is wrong.

		all := open(t, trail.Config{Dir: dir})
		report, err := all.Verify(t.Context())
		if err != nil || report.Head.N < uint64(kept) {
			t.Fatalf("round %d: Verify() = %+v, %v; %d were kept", round, report, err, kept)
		}
		if err := all.Close(); err != nil {
			t.Fatal(err)
		}
	}
	all := open(t, trail.Config{Dir: dir})
	got := ids(t, all, trail.Query{Count: 11})
	slices.Reverse(got)
	for i, id := range got {
		if id != fmt.Sprintf("e%d", i+1) {
			t.Fatalf("event %d is %s", i+1, id)
		}
	}
}

// files lists the files of a trail, the oldest first.
func files(t testing.TB, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "audit-*.ndjson"))
	if err != nil || len(all) == 0 {
		t.Fatalf("there are no files: %v", err)
	}
	return all
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func write(t testing.TB, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestTornLinesAreSetAside cuts the last line at every byte.
func TestTornLinesAreSetAside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := open(t, trail.Config{Dir: dir})
	for n := 1; n <= 2; n++ {
		if err := all.Audit(t.Context(), numbered(n)); err != nil {
			t.Fatal(err)
		}
	}
	path := files(t, dir)[0]
	whole := read(t, path)
	second := bytes.IndexByte(whole, '\n') + 1
	for cut := second; cut < len(whole); cut++ {
		write(t, path, whole[:cut])
		before, err := trail.Verify(t.Context(), dir, nil)
		if err != nil || before.Head.N != 1 || before.Torn != int64(cut-second) {
			t.Fatalf("cut at %d: Verify() = %+v, %v", cut, before, err)
		}
		again, err := trail.Open(trail.Config{Dir: dir, Now: november})
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if err := again.Note(t.Context(), numbered(3)); err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
		after, err := trail.Verify(t.Context(), dir, nil)
		if err != nil || after.Head.N != 2 || after.Torn != 0 {
			t.Fatalf("cut at %d: Verify() after an append = %+v, %v", cut, after, err)
		}
		aside := fmt.Sprintf("%s.torn-%d", path, second)
		if cut > second {
			if !bytes.Equal(read(t, aside), whole[second:cut]) {
				t.Fatalf("cut at %d: set aside is %q", cut, read(t, aside))
			}
			if err := os.Remove(aside); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestTamperingIsFound changes a trail as somebody would who has something to hide.
func TestTamperingIsFound(t *testing.T) {
	t.Parallel()
	lines := func(edit func([][]byte) [][]byte) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			t.Helper()
			path := files(t, dir)[1]
			all := bytes.SplitAfter(read(t, path), []byte("\n"))
			write(t, path, bytes.Join(edit(all[:len(all)-1]), nil))
		}
	}
	tests := []struct {
		name string
		do   func(t *testing.T, dir string)
	}{
		{"another patient", lines(func(all [][]byte) [][]byte {
			all[1] = bytes.Replace(all[1], []byte("Patient/p"), []byte("Patient/q"), 1)
			return all
		})},
		{"another number", lines(func(all [][]byte) [][]byte {
			all[1] = bytes.Replace(all[1], []byte(`"n":5`), []byte(`"n":6`), 1)
			return all
		})},
		{"a line left out", lines(func(all [][]byte) [][]byte { return slices.Delete(all, 1, 2) })},
		{"the last line of a file left out", lines(func(all [][]byte) [][]byte { return all[:len(all)-1] })},
		{"the first line of a file left out", lines(func(all [][]byte) [][]byte { return all[1:] })},
		{"two lines exchanged", lines(func(all [][]byte) [][]byte {
			all[0], all[1] = all[1], all[0]
			return all
		})},
		{"a line twice", lines(func(all [][]byte) [][]byte { return slices.Insert(all, 1, all[1]) })},
		{"an empty line", lines(func(all [][]byte) [][]byte {
			return slices.Insert(all, 1, []byte("\n"))
		})},
		{"a space", lines(func(all [][]byte) [][]byte {
			all[0] = bytes.Replace(all[0], []byte(`,"event":`), []byte(`, "event":`), 1)
			return all
		})},
		{"a file left out", func(t *testing.T, dir string) {
			if err := os.Remove(files(t, dir)[1]); err != nil {
				t.Fatal(err)
			}
		}},
		{"the first file left out", func(t *testing.T, dir string) {
			if err := os.Remove(files(t, dir)[0]); err != nil {
				t.Fatal(err)
			}
		}},
		{"a torn line within", func(t *testing.T, dir string) {
			path := files(t, dir)[1]
			write(t, path, bytes.TrimSuffix(read(t, path), []byte("\n")))
		}},
		{"written anew without the key", func(t *testing.T, dir string) {
			other := filled(t, 10, nil)
			for i, path := range files(t, dir) {
				write(t, path, read(t, files(t, other)[i]))
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			key := []byte("a key that an intruder does not have")
			dir := filled(t, 10, key)
			if report, err := trail.Verify(t.Context(), dir, key); err != nil || report.Files < 3 {
				t.Fatalf("Verify() of what nobody touched = %+v, %v", report, err)
			}
			tt.do(t, dir)
			_, err := trail.Verify(t.Context(), dir, key)
			if !errors.Is(err, trail.ErrTampered) {
				t.Errorf("Verify() = %v, want ErrTampered", err)
			}
			if err != nil && (strings.Contains(err.Error(), "Patient") || strings.Contains(err.Error(), "a0")) {
				t.Errorf("the error holds an event: %v", err)
			}
		})
	}
}

// TestNoByteChangesUnseen: with any one byte changed the trail is no longer whole, or no longer
// ends where it ended.
func TestNoByteChangesUnseen(t *testing.T) {
	t.Parallel()
	dir := filled(t, 5, nil)
	paths := files(t, dir)
	was, err := trail.Verify(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(r *rapid.T) {
		path := rapid.SampledFrom(paths).Draw(r, "file")
		text := read(t, path)
		changed := bytes.Clone(text)
		at := rapid.IntRange(0, len(text)-1).Draw(r, "at")
		changed[at] ^= rapid.ByteRange(1, 255).Draw(r, "by")
		write(t, path, changed)
		defer write(t, path, text)
		got, err := trail.Verify(context.Background(), dir, nil)
		if err == nil && got.Head == was.Head {
			r.Fatalf("byte %d of %s was changed unseen", at, filepath.Base(path))
		}
	})
}

// TestAnOpenTrailThatIsCutOffIsNotGoneOnWith: what this process has written is known to it.
func TestAnOpenTrailThatIsCutOffIsNotGoneOnWith(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := open(t, trail.Config{Dir: dir})
	for n := 1; n <= 3; n++ {
		if err := all.Audit(t.Context(), numbered(n)); err != nil {
			t.Fatal(err)
		}
	}
	path := files(t, dir)[0]
	text := read(t, path)
	if err := os.Truncate(path, int64(bytes.IndexByte(text, '\n')+1)); err != nil {
		t.Fatal(err)
	}
	if err := all.Audit(t.Context(), numbered(4)); !errors.Is(err, trail.ErrTampered) {
		t.Errorf("Audit() = %v, want ErrTampered", err)
	}
}

func TestATrailThatEndsWithRubbishIsNotGoneOnWith(t *testing.T) {
	t.Parallel()
	dir := filled(t, 2, nil)
	path := files(t, dir)[0]
	write(t, path, append(read(t, path), "rubbish\n"...))
	if all, err := trail.Open(trail.Config{Dir: dir, Now: november}); err == nil {
		_ = all.Close()
		t.Error("a trail that ends with rubbish is opened")
	}
}
