package bench_test

import (
	"database/sql"
	"os"
	"testing"
	"time"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
	"github.com/equitylens/equitylens/store/facts"
)

// handWritten is the best single query that we know for one measure, one year and one dimension.
var handWritten = map[string]string{
	"ed-left-without-being-seen": `SELECT race, sum(n), sum(d) FROM (
		SELECT stratum, count(*) AS d, count(*) FILTER (disposition = 'lwbs') AS n FROM unit.encounter
		WHERE class = 'EMER' AND status = 'finished' AND end_date BETWEEN DATE '2025-01-01' AND DATE '2025-12-31'
		GROUP BY stratum) JOIN unit.stratum USING (stratum) GROUP BY race`,
	"telehealth-share": `SELECT race, sum(n), sum(d) FROM (
		SELECT stratum, count(*) AS d, count(*) FILTER (telehealth) AS n FROM unit.encounter
		WHERE class IN ('AMB', 'VR') AND status = 'finished' AND end_date BETWEEN DATE '2025-01-01' AND DATE '2025-12-31'
		GROUP BY stratum) JOIN unit.stratum USING (stratum) GROUP BY race`,
	"language-recorded": `SELECT race, sum(d) FILTER (NOT starts_with(language, '~')), sum(d) FROM (
		SELECT stratum, count(*) AS d FROM unit.encounter
		WHERE class IN ('IMP', 'ACUTE', 'NONAC', 'OBSENC', 'EMER', 'AMB', 'VR') AND status = 'finished'
			AND end_date BETWEEN DATE '2025-01-01' AND DATE '2025-12-31'
		GROUP BY stratum) JOIN unit.stratum USING (stratum) GROUP BY race`,
}

// BenchmarkEvaluate answers one measure for one year by all nine dimensions at once, and holds the
// time against that of the best hand-written query for one dimension.
func BenchmarkEvaluate(b *testing.B) {
	c := generated(b, patients(b, evaluatePatients))
	dir, _ := load(b, c.patients, c.encounters)
	id, err := dir.Current()
	if err != nil {
		b.Fatal(err)
	}
	snapshot, err := dir.Snapshot(b.Context(), id)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = snapshot.Close() }()
	if err := os.RemoveAll(c.encounters); err != nil {
		b.Fatal(err)
	}
	list, err := measure.Load(catalog.Files())
	if err != nil {
		b.Fatal(err)
	}
	engine := measure.NewEngine(snapshot, list)
	for name, query := range handWritten {
		b.Run(name, func(b *testing.B) { benchmarkEvaluate(b, engine, snapshot, name, query, c.count) })
	}
}

func benchmarkEvaluate(
	b *testing.B, engine *measure.Engine, snapshot *facts.Snapshot, name, query string, count int,
) {
	year, err := measure.ParsePeriod("2025")
	if err != nil {
		b.Fatal(err)
	}
	ours, theirs := time.Hour, time.Hour
	for b.Loop() {
		start := time.Now()
		if _, err := engine.Evaluate(b.Context(), name, year, measure.Dimensions()); err != nil {
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
