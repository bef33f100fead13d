package decisions_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/decisions/decisionstest"
)

// BenchmarkWrite measures an acknowledged write of one document with two terms, and beside it what the
// disk takes for the same bytes alone: a write and a sync of a file that is there. The ratio is what the
// store costs, on any disk.
func BenchmarkWrite(b *testing.B) {
	server := decisionstest.Postgres{Synced: true}
	b.Cleanup(server.Stop)
	body := []byte(`{"text": "` + string(slices.Repeat([]byte("x"), 2000)) + `"}`)
	for name, where := range map[string]func() decisions.Config{
		"sqlite": func() decisions.Config {
			return decisions.Config{Path: filepath.Join(b.TempDir(), "decisions.db")}
		},
		"postgresql": func() decisions.Config { return decisions.Config{URL: server.URL(b)} },
	} {
		b.Run(name, func(b *testing.B) {
			store := open(b, where())
			file, err := os.Create(filepath.Join(b.TempDir(), "alone"))
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = file.Close() }()
			var writes, syncs []time.Duration
			for b.Loop() {
				begin := time.Now()
				c := decisionstest.Change("a", len(writes))
				c.Body, c.Terms = body, map[string]string{"state": "open", "site": "north"}
				if _, err := store.Write(b.Context(), c); err != nil {
					b.Fatal(err)
				}
				written := time.Now()
				if _, err := file.WriteAt(body, 0); err != nil {
					b.Fatal(err)
				}
				if err := file.Sync(); err != nil {
					b.Fatal(err)
				}
				writes = append(writes, written.Sub(begin))
				syncs = append(syncs, time.Since(written))
			}
			slices.Sort(writes)
			slices.Sort(syncs)
			write, sync := writes[len(writes)/2], syncs[len(syncs)/2]
			b.ReportMetric(float64(write.Microseconds()), "median-µs")
			b.ReportMetric(float64(sync.Microseconds()), "sync-µs")
			b.ReportMetric(float64(write)/float64(sync), "syncs")
		})
	}
}
