package bench_test

import (
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
	"github.com/equitylens/equitylens/store/facts"
)

// byMonth are the best queries that we know for one measure by one dimension and month, in each way of
// writing it; of the ways the faster one counts.
var byMonth = map[string][]string{
	"ed-left-without-being-seen": waysByMonth("disposition = 'lwbs'", "class = 'EMER' AND status = 'finished'"),
	"telehealth-share":           waysByMonth("telehealth", "class IN ('AMB', 'VR') AND status = 'finished'"),
	"ed-stay-over-8h":            waysByMonth("minutes >= 481", "class = 'EMER' AND status = 'finished'"),
}

// waysByMonth counts by race: with the stratum joined to every unit, and with units counted by stratum
// before.
func waysByMonth(numerator, denominator string) []string {
	const within = " AND end_date BETWEEN DATE '2023-01-01' AND DATE '2025-12-31'"
	const month = "12 * year(end_date) + month(end_date)"
	return []string{
		fmt.Sprintf(`SELECT %s AS month, race, count(*), count(*) FILTER (%s)
			FROM unit.encounter JOIN unit.stratum USING (stratum) WHERE %s GROUP BY ALL`,
			month, numerator, denominator+within),
		fmt.Sprintf(`SELECT month, race, sum(d), sum(n) FROM (
			SELECT %s AS month, stratum, count(*) AS d, count(*) FILTER (%s) AS n
			FROM unit.encounter WHERE %s GROUP BY ALL) JOIN unit.stratum USING (stratum) GROUP BY ALL`,
			month, numerator, denominator+within),
	}
}

// BenchmarkCatalogue counts every shipped measure by all nine dimensions in 36 months, and holds the
// time against that of the best hand-written query for one of them by one dimension and month, of
// which 108 would be needed. peak-MiB is that of the process while it counts.
func BenchmarkCatalogue(b *testing.B) {
	c := generated(b, population.Config{Patients: patients(b, evaluatePatients),
		From: time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC)})
	dir, _ := loadByProgram(b, c.all)
	id, err := dir.Current()
	if err != nil {
		b.Fatal(err)
	}
	snapshot, err := dir.Snapshot(b.Context(), id)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = snapshot.Close() }()
	list, err := measure.Load(catalog.Files())
	if err != nil {
		b.Fatal(err)
	}
	ours, peak := time.Hour, 0.0
	theirs := map[string]time.Duration{}
	for b.Loop() {
		forgetPeak(b)
		start := time.Now()
		_, failed, err := measure.Precomputation{Definitions: list, Steps: []int{1}}.Results(b.Context(), snapshot)
		if err != nil || failed != nil {
			b.Fatal(failed, err)
		}
		ours, peak = min(ours, time.Since(start)), max(peak, peakMiB(b))
		for name, ways := range byMonth {
			for _, way := range ways {
				took := timeQuery(b, snapshot, way)
				if best, ok := theirs[name]; !ok || took < best {
					theirs[name] = took
				}
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(c.count), "encounters")
	b.ReportMetric(float64(ours.Milliseconds()), "catalogue-ms")
	b.ReportMetric(peak, "peak-MiB")
	for name, took := range theirs {
		b.ReportMetric(float64(ours)/float64(took), "x-"+name)
	}
}

func timeQuery(b *testing.B, s *facts.Snapshot, query string) time.Duration {
	b.Helper()
	start := time.Now()
	if err := s.Query(b.Context(), query, func(*sql.Rows) error { return nil }); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

// forgetPeak makes the kernel count the greatest memory of this process anew, and peakMiB reads it.
func forgetPeak(b *testing.B) {
	b.Helper()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o600); err != nil {
		b.Logf("the peak of memory is that of the whole run: %v", err)
	}
}

func peakMiB(b *testing.B) float64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	kibibytes := 0.0
	if _, err := fmt.Sscan(rest, &kibibytes); err != nil {
		b.Fatal(err)
	}
	return kibibytes / (1 << 10)
}
