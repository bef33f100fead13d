package bench_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/store/trail"
)

// trailEvents is the size of the trail, which EQUITYLENS_BENCH_EVENTS overrides: a hospital of a
// thousand looks an hour has as many in six weeks.
const trailEvents = 1_000_000

// BenchmarkTrail looks for few events in a big trail, through all of its pages, and prints how long
// the whole of it took and how long a page of it did at most.
func BenchmarkTrail(b *testing.B) {
	const rare = 10 // Events that name the patient.
	size := trailEvents
	if text := os.Getenv("EQUITYLENS_BENCH_EVENTS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			b.Fatalf("EQUITYLENS_BENCH_EVENTS: %v", err)
		}
		size = n
	}
	wanted := phi.New("patient-4711")
	kept, first, bytes := filled(b, size, size/rare, wanted)
	for _, bench := range []struct {
		name string
		q    trail.Query
		want int
	}{
		{"by patient", trail.Query{Patient: wanted}, rare},
		{"by patient of a day", trail.Query{Patient: wanted, From: first, To: first.AddDate(0, 0, 1)}, 0},
		{"by id", trail.Query{ID: "no-such-event"}, 0},
		{"by agent", trail.Query{Agent: "nobody"}, 0},
		{"by outcome", trail.Query{Outcome: "12"}, 0},
		{"by agent, first page", trail.Query{Agent: "dashboard", Count: 50}, -1},
	} {
		b.Run(bench.name, func(b *testing.B) {
			var longest time.Duration
			for b.Loop() {
				found, took := everything(b, kept, bench.q, bench.want < 0)
				longest = max(longest, took)
				if bench.want > 0 && found != bench.want {
					b.Fatalf("found %d, want %d", found, bench.want)
				}
			}
			b.ReportMetric(longest.Seconds()*1000, "page-ms")
			b.ReportMetric(float64(bytes)/(1<<20), "MiB")
		})
	}
}

// everything goes through the pages of an answer, or reads the first alone, and says how long the
// longest took.
func everything(b *testing.B, kept *trail.Trail, q trail.Query, once bool) (found int, longest time.Duration) {
	b.Helper()
	for {
		start := time.Now()
		page, err := kept.Search(b.Context(), q)
		longest = max(longest, time.Since(start))
		if err != nil {
			b.Fatal(err)
		}
		found += len(page.Events)
		if q.Cursor = page.Next; q.Cursor == "" || once {
			return found, longest
		}
	}
}

// filled is a trail of as many events, an hour's worth of a thousand each, of which one in every so
// many names a patient; most are questions about aggregates, as a dashboard asks.
func filled(b *testing.B, size, every int, patient phi.ID) (*trail.Trail, time.Time, int64) {
	b.Helper()
	first := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	now := first
	clock := func() time.Time { return now }
	kept, err := trail.Open(trail.Config{Dir: b.TempDir(), Key: []byte("of this benchmark"), Now: clock})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = kept.Close() })
	events := audit.Builder{Observer: "equitylens.example", Address: "https://equitylens.example/fhir", Now: clock}
	access := audit.Access{
		Agent:       audit.Agent{Client: "dashboard", Address: "192.0.2.7", Token: "a2f1c0de-0000-4000-8000-000000000001"},
		Interaction: audit.Operation, Request: "request",
		Query:   "Measure/interpreter-documented/$evaluate-measure?periodStart=2025-01-01&periodEnd=2025-12-31",
		Details: []audit.Detail{{Name: "route", Value: "GET /fhir/Measure/{id}/$evaluate-measure"}},
	}
	form, err := events.Form(access)
	if err != nil {
		b.Fatal(err)
	}
	var bytes int64
	for i := range size {
		now = first.Add(time.Duration(i) * time.Hour / 1000)
		text, ok := form.Fill(fmt.Sprintf("request-%d", i))
		if i%10 == 0 || i%every == every/2 {
			named := access
			named.Patients = []phi.ID{phi.New("patient-" + strconv.Itoa(1_000_000+i))}
			if i%every == every/2 {
				named.Patients = []phi.ID{patient}
			}
			text, err = events.Access(named)
			ok = err == nil
		}
		if !ok {
			b.Fatalf("no event: %v", err)
		}
		if err := kept.Note(b.Context(), text); err != nil {
			b.Fatal(err)
		}
		bytes += int64(len(text))
	}
	return kept, first, bytes
}
