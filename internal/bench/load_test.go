package bench_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2" // The yardstick: DuckDB's own reader.

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/fhir/r4"
)

// BenchmarkLoad syncs encounters from NDJSON to a committed snapshot and holds the rate against two
// yardsticks measured on the same bytes in the same run: what google/fhir's jsonformat decodes on one
// goroutine, and what DuckDB's read_ndjson stores of the same columns.
func BenchmarkLoad(b *testing.B) {
	size := patients(b, loadPatients)
	b.Run("population", func(b *testing.B) { benchmarkLoad(b, generated(b, population.Config{Patients: size})) })
	if c, ok := synthea(b, 10*size); ok {
		b.Run("synthea", func(b *testing.B) { benchmarkLoad(b, c) })
	}
}

func benchmarkLoad(b *testing.B, c corpus) {
	var ours, reader, format float64
	for b.Loop() {
		_, took := load(b, c.patients, c.encounters)
		ours = max(ours, float64(c.count)/took.Seconds())
		reader = max(reader, float64(c.count)/readNDJSON(b, c).Seconds())
		format = max(format, jsonformat(b, c))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ours, "encounters/s")
	b.ReportMetric(float64(c.bytes)/float64(c.count), "bytes/encounter")
	b.ReportMetric(ours/format, "x-jsonformat")
	b.ReportMetric(ours/reader, "x-read_ndjson")
}

// jsonformat decodes a sample on one goroutine and returns encounters a second.
func jsonformat(b *testing.B, c corpus) float64 {
	b.Helper()
	const sample = 15_000
	v, err := r4.NewValidator()
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	start := time.Now()
	eachLine(b, c.files(b)[0], func(line []byte) bool {
		if err := v.Validate(line); err != nil {
			b.Fatal(err)
		}
		n++
		return n < sample
	})
	return float64(n) / time.Since(start).Seconds()
}

// readNDJSON lets DuckDB store the columns that we store, without mapping any of them.
func readNDJSON(b *testing.B, c corpus) time.Duration {
	b.Helper()
	db, err := sql.Open("duckdb", filepath.Join(b.TempDir(), "yardstick.duckdb")+"?memory_limit=512MB")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	const coding = "STRUCT(system VARCHAR, code VARCHAR)"
	const concept = "STRUCT(coding " + coding + "[], \"text\" VARCHAR)"
	statement := fmt.Sprintf(`CREATE TABLE encounter AS
		SELECT id, meta.versionId, meta.lastUpdated, subject.reference, status, class.system, class.code,
			type[1].coding[1].code, priority.coding[1].code, hospitalization.dischargeDisposition.coding[1].code,
			period.start, period."end", extension[1].url, extension[1].valueCoding.code,
			participant[1].type[1].coding[1].code, serviceProvider.reference, serviceProvider.display
		FROM read_ndjson('%s/Encounter.*', columns = {
			id: 'VARCHAR', meta: 'STRUCT(versionId VARCHAR, lastUpdated VARCHAR)', status: 'VARCHAR',
			class: '%[2]s', "type": '%[3]s[]', priority: '%[3]s', subject: 'STRUCT(reference VARCHAR)',
			participant: 'STRUCT("type" %[3]s[], individual STRUCT(reference VARCHAR))[]',
			period: 'STRUCT("start" VARCHAR, "end" VARCHAR)',
			extension: 'STRUCT(url VARCHAR, valueCoding %[2]s)[]',
			hospitalization: 'STRUCT(dischargeDisposition %[3]s, specialArrangement %[3]s[])',
			serviceProvider: 'STRUCT(reference VARCHAR, display VARCHAR)'})`, c.encounters, coding, concept)
	start := time.Now()
	for _, s := range []string{statement, "CHECKPOINT"} {
		if _, err := db.ExecContext(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start)
}
