package population

import (
	"context"
	"errors"
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

func TestWriteNDJSONStopsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := New(Config{Patients: 10}).WriteNDJSON(ctx, t.TempDir(), 1, false); !errors.Is(err,
		context.Canceled) {
		t.Errorf("WriteNDJSON() = %v, want %v", err, context.Canceled)
	}
	if err := New(Config{Patients: 10}).WriteNDJSON(t.Context(), "/nowhere/at/all", 1,
		false); err == nil {
		t.Error("WriteNDJSON() to a folder that is not there gave no error")
	}
}

func TestCivilDates(t *testing.T) {
	t.Parallel()
	for d := civilDay(1899, 12, 1); d < civilDay(2101, 2, 1); d++ {
		want := d.time().Format("2006-01-02")
		if got := string(appendDay(nil, d)); got != want {
			t.Fatalf("appendDay(%d) = %s, want %s", d, got, want)
		}
	}
	at := civilDay(2025, 12, 31).at(19, 5)
	if got := string(appendUTC(nil, at)); got != "2026-01-01T02:05:00Z" {
		t.Errorf("appendUTC() = %s", got)
	}
	if got := string(appendLocal(nil, at)); got != "2025-12-31T19:05:00-07:00" {
		t.Errorf("appendLocal() = %s", got)
	}
}

func TestYearsSince(t *testing.T) {
	t.Parallel()
	leap := civilDay(2004, 2, 29)
	tests := []struct {
		name      string
		birth, on day
		want      int
	}{
		{"the day before the birthday", civilDay(1980, 6, 15), civilDay(2025, 6, 14), 44},
		{"the birthday", civilDay(1980, 6, 15), civilDay(2025, 6, 15), 45},
		{"born on 29 February, on the 28th", leap, civilDay(2025, 2, 28), 20},
		{"born on 29 February, on 1 March", leap, civilDay(2025, 3, 1), 21},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.on.yearsSince(tt.birth); got != tt.want {
				t.Errorf("yearsSince() = %d, want %d", got, tt.want)
			}
		})
	}
}
