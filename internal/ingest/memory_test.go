package ingest_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

// TestMemoryStaysBelowAGibibyte syncs a fifth of a million encounters in a process of its own and
// reads the most memory that it ever held.
func TestMemoryStaysBelowAGibibyte(t *testing.T) {
	t.Parallel()
	if testing.Short() || raceDetector {
		t.Skip("the race detector takes several times the memory; run this test without it")
	}
	files := t.TempDir()
	who := population.New(population.Config{Patients: 20_000, Seed: 8, Clean: true})
	if err := who.WriteNDJSON(t.Context(), files, 4, true); err != nil {
		t.Fatal(err)
	}
	said, _ := startChild(t, order{Data: t.TempDir(), Folder: files}).end()
	if said[saidDone] == "" {
		t.Fatalf("the child says %v", said)
	}
	kibibytes, err := strconv.Atoi(strings.TrimSuffix(said[saidPeak], " kB"))
	if err != nil {
		t.Fatalf("the child says %q of its memory", said[saidPeak])
	}
	t.Logf("peak of %d MiB; %s", kibibytes>>10, said[saidDone])
	if kibibytes >= 1<<20 {
		t.Errorf("a sync took %d MiB at its peak, want less than 1024", kibibytes>>10)
	}
}
