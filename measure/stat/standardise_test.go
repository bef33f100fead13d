package stat_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/measure/stat"
)

// bandsOf draws events, exposures and a standard of one length.
func bandsOf(t *rapid.T) (events, exposure, standard []float64) {
	for range rapid.IntRange(1, 8).Draw(t, "bands") {
		events = append(events, float64(rapid.IntRange(0, 50).Draw(t, "events")))
		exposure = append(exposure, rapid.Float64Range(1, 1e5).Draw(t, "exposure"))
		standard = append(standard, rapid.Float64Range(1, 1e5).Draw(t, "standard"))
	}
	return events, exposure, standard
}

func TestStandardisedRates(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events, exposure, standard := bandsOf(t)
		d, ok := stat.DirectlyStandardised(events, exposure, standard)
		if !ok {
			t.Fatalf("DirectlyStandardised(%v, %v, %v) does not exist", events, exposure, standard)
		}
		lowest, highest := math.Inf(1), 0.
		for i := range events {
			lowest = math.Min(lowest, events[i]/exposure[i])
			highest = math.Max(highest, events[i]/exposure[i])
		}
		holds(t, "the rates of the bands", lowest, d.Rate, highest)
		lo, hi := d.FayFeuer()
		holds(t, "FayFeuer", lo, d.Rate, hi)
		tiwariLo, tiwariHi := d.Tiwari()
		holds(t, "Tiwari", tiwariLo, d.Rate, tiwariHi)
		if tiwariLo != lo || tiwariHi > hi*(1+slack) {
			t.Fatalf("Tiwari = [%v, %v] is wider than FayFeuer = [%v, %v]", tiwariLo, tiwariHi, lo, hi)
		}
		lo, hi, exact := d.DobsonExact()
		_, _, byar := d.DobsonByar()
		if exact != (d.Events > 0) || byar != exact {
			t.Fatalf("Dobson of %v events exists: %v, %v", d.Events, exact, byar)
		}
		if exact {
			holds(t, "DobsonExact", lo, d.Rate, hi)
		}
		twice := make([]float64, len(standard))
		for i := range standard {
			twice[i] = 2 * standard[i]
		}
		again, _ := stat.DirectlyStandardised(events, exposure, twice)
		if math.Abs(again.Rate-d.Rate) > slack*d.Rate {
			t.Fatalf("twice the standard makes %v of %v", again.Rate, d.Rate)
		}
	})
}

// TestStandardisedToItself holds the limits to Garwood's where weights are equal: the group is its
// own standard, and its standardised rate the crude one.
func TestStandardisedToItself(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events, exposure, _ := bandsOf(t)
		d, ok := stat.DirectlyStandardised(events, exposure, exposure)
		if !ok || math.Abs(d.Rate-d.Crude) > slack*d.Crude {
			t.Fatalf("standardised to itself %v is %v", d.Crude, d.Rate)
		}
		total := 0.
		for _, e := range exposure {
			total += e
		}
		wantLo, wantHi := stat.Garwood(d.Events, total)
		for name, limits := range map[string]func() (lo, hi float64){
			"FayFeuer": d.FayFeuer, "Tiwari": d.Tiwari,
		} {
			lo, hi := limits()
			if math.Abs(lo-wantLo) > 1e-7*wantHi || math.Abs(hi-wantHi) > 1e-7*wantHi {
				t.Fatalf("%s with equal weights = [%v, %v], Garwood = [%v, %v]", name, lo, hi, wantLo, wantHi)
			}
		}
		expected, ok := stat.Expected(exposure, events, exposure)
		if !ok || math.Abs(expected-d.Events) > slack*d.Events {
			t.Fatalf("with its own rates %v events are expected of %v", expected, d.Events)
		}
	})
}

func TestStandardisedRatesThatDoNotExist(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name                       string
		events, exposure, standard []float64
		want                       bool
	}{
		{"no band", nil, nil, nil, false},
		{"an empty standard", []float64{1}, []float64{10}, []float64{0}, false},
		{"a band nobody was in", []float64{1, 0}, []float64{10, 0}, []float64{5, 5}, false},
		{"a band outside the standard", []float64{1, 0}, []float64{10, 0}, []float64{5, 0}, true},
		{"slices of different lengths", []float64{1}, []float64{10, 10}, []float64{5, 5}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if d, ok := stat.DirectlyStandardised(tt.events, tt.exposure, tt.standard); ok != tt.want {
				t.Errorf("DirectlyStandardised = %+v, %v", d, ok)
			}
		})
	}
	none, _ := stat.DirectlyStandardised([]float64{0, 0}, []float64{10, 20}, []float64{5, 5})
	if lo, hi := none.FayFeuer(); lo != 0 || !(hi > 0) {
		t.Errorf("FayFeuer of no event = [%v, %v]", lo, hi)
	}
	if _, ok := stat.Expected([]float64{10}, []float64{0}, []float64{0}); ok {
		t.Error("a band that the reference does not hold has an expectation")
	}
	if _, ok := stat.Expected([]float64{10}, nil, nil); ok {
		t.Error("slices of different lengths have an expectation")
	}
	expected, ok := stat.Expected([]float64{10, 0}, []float64{1, 0}, []float64{5, 0})
	if !ok || expected != 2 {
		t.Errorf("Expected without the band nobody was in = %v, %v; want 2", expected, ok)
	}
	if _, _, _, ok := stat.ObservedToExpected(3, 0); ok {
		t.Error("a ratio to no expected event exists")
	}
	ratio, lo, hi, ok := stat.ObservedToExpected(12, 10)
	wantLo, wantHi := stat.Garwood(12, 10)
	if !ok || ratio != 1.2 || lo != wantLo || hi != wantHi {
		t.Errorf("ObservedToExpected(12, 10) = %v [%v, %v], %v", ratio, lo, hi, ok)
	}
}
