package population

import (
	"context"
	"testing"
)

func BenchmarkWriteNDJSON(b *testing.B) {
	for _, mode := range []struct {
		name  string
		clean bool
	}{{"messy", false}, {"clean", true}} {
		b.Run(mode.name, func(b *testing.B) {
			p := New(Config{Patients: 20000, Clean: mode.clean})
			encounters := 0
			g := newGenerator(p.settings)
			for i := range p.settings.patients {
				g.make(i)
				encounters += len(g.items(nil, Encounter, everything))
			}
			for b.Loop() {
				if err := p.WriteNDJSON(context.Background(), b.TempDir(), 1, false); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(encounters*b.N)/b.Elapsed().Seconds(), "encounters/s")
			b.ReportMetric(float64(encounters)/float64(p.settings.patients), "encounters/patient")
		})
	}
}
