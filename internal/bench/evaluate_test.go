package bench_test

import (
	"database/sql"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
	"github.com/equitylens/equitylens/store/facts"
)

// handWritten is the best single query that we know for one measure, one year less a day and one dimension.
// Figures of whole months may be stored, and would not be counted.
var handWritten = map[string]string{
	"ed-left-without-being-seen": `SELECT race, sum(n), sum(d) FROM (
		SELECT stratum, count(*) AS d, count(*) FILTER (disposition = 'lwbs') AS n FROM unit.encounter
		WHERE class = 'EMER' AND status = 'finished' AND end_date BETWEEN DATE '2025-01-01' AND DATE '2025-12-30'
		GROUP BY stratum) JOIN unit.stratum USING (stratum) GROUP BY race`,
	"telehealth-share": `SELECT race, sum(n), sum(d) FROM (
		SELECT stratum, count(*) AS d, count(*) FILTER (telehealth) AS n FROM unit.encounter
		WHERE class IN ('AMB', 'VR') AND status = 'finished' AND end_date BETWEEN DATE '2025-01-01' AND DATE '2025-12-30'
		GROUP BY stratum) JOIN unit.stratum USING (stratum) GROUP BY race`,
	"language-recorded": `SELECT race, sum(d) FILTER (NOT starts_with(language, '~')), sum(d) FROM (
		SELECT stratum, count(*) AS d FROM unit.encounter
		WHERE class IN ('IMP', 'ACUTE', 'NONAC', 'OBSENC', 'EMER', 'AMB', 'VR') AND status = 'finished'
			AND end_date BETWEEN DATE '2025-01-01' AND DATE '2025-12-30'
		GROUP BY stratum) JOIN unit.stratum USING (stratum) GROUP BY race`,
}

// BenchmarkEvaluate answers one measure for one year by all nine dimensions at once, and holds the
// time against that of the best hand-written query for one dimension.
func BenchmarkEvaluate(b *testing.B) {
	c := generated(b, population.Config{Patients: patients(b, evaluatePatients)})
	dir, peak := loadByProgram(b, c.all)
	id, err := dir.Current()
	if err != nil {
		b.Fatal(err)
	}
	snapshot, err := dir.Snapshot(b.Context(), id)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = snapshot.Close() }()
	b.Run("sync", func(b *testing.B) {
		for b.Loop() {
			continue
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(c.count), "encounters")
		b.ReportMetric(float64(c.bytes)/(1<<20), "encounter-MiB")
		b.ReportMetric(peak, "peak-MiB")
	})
	list, err := measure.Load(catalog.Files())
	if err != nil {
		b.Fatal(err)
	}
	engine := measure.NewEngine(snapshot, list)
	for name, query := range handWritten {
		b.Run(name, func(b *testing.B) { benchmarkEvaluate(b, engine, snapshot, name, query, c.count) })
	}
}

// loadByProgram syncs a folder with the program as it is built, in a process of its own, and says how
// many MiB of memory that took at its peak.
func loadByProgram(b *testing.B, folder string) (dir *facts.Dir, peak float64) {
	b.Helper()
	program, data := filepath.Join(b.TempDir(), "equitylens"), b.TempDir()
	build := exec.CommandContext(b.Context(), "go", "build", "-o", program, "../../cmd/equitylens")
	if text, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, text)
	}
	sync := exec.CommandContext(b.Context(), program, "sync", "--from", folder, "--data", data)
	if text, err := sync.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, text)
	}
	dir, err := facts.Open(data, time.Now)
	if err != nil {
		b.Fatal(err)
	}
	const kibibytes = 1 << 10
	return dir, float64(sync.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) / kibibytes
}

func benchmarkEvaluate(
	b *testing.B, engine *measure.Engine, snapshot *facts.Snapshot, name, query string, count int,
) {
	year, err := measure.ParsePeriod("2025-01-01/2025-12-30")
	if err != nil {
		b.Fatal(err)
	}
	ours, theirs := time.Hour, time.Hour
	for b.Loop() {
		start := time.Now()
		if _, err := engine.Evaluate(b.Context(), measure.Question{Measure: name, Period: year, By: measure.Dimensions()}); err != nil {
			b.Fatal(err)
		}
		ours = min(ours, time.Since(start))
		start = time.Now()
		if err := snapshot.Query(b.Context(), query, func(*sql.Rows) error { return nil }); err != nil {
			b.Fatal(err)
		}
		theirs = min(theirs, time.Since(start))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(count), "encounters")
	b.ReportMetric(float64(ours.Microseconds())/1000, "nine-dimensions-ms")
	b.ReportMetric(float64(theirs.Microseconds())/1000, "one-dimension-ms")
	b.ReportMetric(float64(ours)/float64(theirs), "x-hand-written")
}
