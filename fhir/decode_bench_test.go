package fhir_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/equitylens/equitylens/fhir"
)

func BenchmarkDecodeEncounter(b *testing.B) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "shared", "data", "synthea-bulk-10", "Encounter.ndjson"))
	if err != nil {
		b.Skip("the Synthea export is not beside this checkout")
	}
	lines := bytes.Split(bytes.TrimSpace(raw), []byte("\n"))
	d := fhir.NewDecoder()
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		for _, line := range lines {
			if _, err := d.Decode(line); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(len(lines)*b.N)/b.Elapsed().Seconds(), "resources/s")
}
