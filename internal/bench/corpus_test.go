package bench_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/facts"
)

// The sizes of the populations, which EQUITYLENS_BENCH_PATIENTS overrides for a quick look.
const (
	loadPatients     = 60_000
	evaluatePatients = 1_000_000
)

func patients(b *testing.B, size int) int {
	b.Helper()
	text := os.Getenv("EQUITYLENS_BENCH_PATIENTS")
	if text == "" {
		return size
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatalf("EQUITYLENS_BENCH_PATIENTS: %v", err)
	}
	return n
}

// corpus is an export on disk: all of it in one folder, and who the patients are and their encounters
// in two others.
type corpus struct {
	all, patients, encounters string
	count                     int
	bytes                     int64
}

func (c corpus) files(b *testing.B) []string {
	b.Helper()
	files, err := filepath.Glob(filepath.Join(c.encounters, "Encounter.*"))
	if err != nil || len(files) == 0 {
		b.Fatalf("no encounters: %v", err)
	}
	return files
}

// generated is the population of the fake EHR.
func generated(b *testing.B, cfg population.Config) corpus {
	b.Helper()
	all := b.TempDir()
	cfg.Seed = 1
	people := population.New(cfg)
	if err := people.WriteNDJSON(b.Context(), all, 2, false); err != nil {
		b.Fatal(err)
	}
	c := corpus{all: all, patients: b.TempDir(), encounters: b.TempDir()}
	for kind, to := range map[string]string{"Patient": c.patients, "Encounter": c.encounters} {
		files, err := filepath.Glob(filepath.Join(all, kind+".*"))
		if err != nil {
			b.Fatal(err)
		}
		for _, f := range files {
			if err := os.Link(f, filepath.Join(to, filepath.Base(f))); err != nil {
				b.Fatal(err)
			}
		}
	}
	c.measure(b)
	return c
}

// synthea repeats the Synthea sample export, if it lies beside the checkout, with ids of their own.
func synthea(b *testing.B, size int) (corpus, bool) {
	b.Helper()
	folder := filepath.Join("..", "..", "..", "shared", "data", "synthea-bulk-10")
	patients, err := os.ReadFile(filepath.Join(folder, "Patient.ndjson"))
	if err != nil {
		return corpus{}, false
	}
	encounters, err := os.ReadFile(filepath.Join(folder, "Encounter.ndjson"))
	if err != nil {
		return corpus{}, false
	}
	c := corpus{patients: b.TempDir(), encounters: b.TempDir()}
	const encountersInSample = 1215
	times := size/encountersInSample + 1
	repeat(b, filepath.Join(c.patients, "Patient.ndjson"), patients, times)
	repeat(b, filepath.Join(c.encounters, "Encounter.000.ndjson"), encounters, times)
	c.measure(b)
	return c, true
}

// repeat writes text n times, each time about other people.
func repeat(b *testing.B, path string, text []byte, n int) {
	b.Helper()
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	out := bufio.NewWriterSize(f, 1<<20)
	for i := range n {
		copied := text
		if i > 0 {
			copied = bytes.ReplaceAll(text, []byte(`","id":"`), fmt.Appendf(nil, `","id":"%d-`, i))
			copied = bytes.ReplaceAll(copied, []byte(`"Patient/`), fmt.Appendf(nil, `"Patient/%d-`, i))
		}
		if _, err := out.Write(copied); err != nil {
			b.Fatal(err)
		}
	}
	if err := out.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
}

// measure counts the encounters and their bytes.
func (c *corpus) measure(b *testing.B) {
	b.Helper()
	for _, path := range c.files(b) {
		eachLine(b, path, func(line []byte) bool {
			c.count++
			c.bytes += int64(len(line)) + 1
			return true
		})
	}
}

func eachLine(b *testing.B, path string, use func([]byte) bool) {
	b.Helper()
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	s := bufio.NewScanner(f)
	s.Buffer(make([]byte, 1<<20), 1<<24)
	for s.Scan() && use(s.Bytes()) {
	}
	if err := s.Err(); err != nil {
		b.Fatal(err)
	}
}

// load syncs folders one after the other into a new data directory, and says how long the last took.
func load(b *testing.B, folders ...string) (dir *facts.Dir, took time.Duration) {
	b.Helper()
	return loadWith(b, nil, folders...)
}

// loadWith is load with figures stored in the snapshot.
func loadWith(b *testing.B, results ingest.Results, folders ...string) (dir *facts.Dir, took time.Duration) {
	b.Helper()
	dir, err := facts.Open(b.TempDir(), time.Now)
	if err != nil {
		b.Fatal(err)
	}
	text, err := population.ConceptMap()
	if err != nil {
		b.Fatal(err)
	}
	local, err := mapping.ParseConceptMap("site", bytes.NewReader(text))
	if err != nil {
		b.Fatal(err)
	}
	m, err := mapping.New(mapping.Config{ConceptMaps: []mapping.ConceptMap{local}})
	if err != nil {
		b.Fatal(err)
	}
	for _, folder := range folders {
		start := time.Now()
		_, err := ingest.Sync(context.Background(), ingest.Config{
			Dir: dir, Mapper: m, MaxShrink: 1, MaxRefused: 1, Logger: slog.New(slog.DiscardHandler),
			Results: results,
		}, ingest.Folder{Path: folder})
		if err != nil {
			b.Fatal(err)
		}
		took = time.Since(start)
	}
	return dir, took
}
