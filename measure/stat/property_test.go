package stat_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/measure/stat"
)

const slack = 1e-9

func holds(t *rapid.T, name string, lo, estimate, hi float64) {
	t.Helper()
	tolerance := slack * math.Max(1, math.Abs(estimate))
	if math.IsNaN(lo) || math.IsNaN(hi) || lo > estimate+tolerance || hi < estimate-tolerance {
		t.Fatalf("%s = [%v, %v] does not hold %v", name, lo, hi, estimate)
	}
}

// part draws a total above 0 and a part of it.
func part(t *rapid.T, name string) (x, n float64) {
	total := rapid.Int64Range(1, 10_000_000).Draw(t, name+" n")
	return float64(rapid.Int64Range(0, total).Draw(t, name+" x")), float64(total)
}

func TestProportionIntervals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		of   func(x, n float64) (lo, hi float64)
	}{
		{"Wilson", stat.Wilson},
		{"ClopperPearson", stat.ClopperPearson},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				x, n := part(t, "group")
				lo, hi := tt.of(x, n)
				holds(t, tt.name, lo, x/n, hi)
				if lo < 0 || hi > 1 {
					t.Fatalf("%s(%v, %v) = [%v, %v] leaves 0..1", tt.name, x, n, lo, hi)
				}
				otherLo, otherHi := tt.of(n-x, n)
				if math.Abs(otherLo-(1-hi)) > slack || math.Abs(otherHi-(1-lo)) > slack {
					t.Fatalf("%s of %v and %v of %v are not mirror images", tt.name, x, n-x, n)
				}
				if x < n {
					nextLo, nextHi := tt.of(x+1, n)
					if nextLo <= lo || nextHi < hi {
						t.Fatalf("%s does not grow from %v to %v of %v", tt.name, x, x+1, n)
					}
				}
				moreLo, moreHi := tt.of(10*x, 10*n)
				if moreHi-moreLo >= hi-lo {
					t.Fatalf("%s of ten times %v/%v is not narrower", tt.name, x, n)
				}
			})
		})
	}
}

func TestProportionIntervalsOfNobody(t *testing.T) {
	t.Parallel()
	if lo, hi := stat.Wilson(0, 0); lo != 0 || hi != 1 {
		t.Errorf("Wilson(0, 0) = [%v, %v], want [0, 1]", lo, hi)
	}
	if lo, hi := stat.ClopperPearson(0, 0); lo != 0 || hi != 1 {
		t.Errorf("ClopperPearson(0, 0) = [%v, %v], want [0, 1]", lo, hi)
	}
}

func TestWilsonKeepsItsDigitsForRareEvents(t *testing.T) {
	t.Parallel()
	// Of 1 in 10⁹ the textbook form gives its lower limit with ten digits lost; the limit is that of a
	// Poisson score interval to within 1/n: (2 + z² − z√(z² + 4)) / 2n.
	lo, _ := stat.Wilson(1, 1e9)
	want := 4 / (2 + stat.Z*stat.Z + stat.Z*math.Sqrt(stat.Z*stat.Z+4)) / 2e9
	if math.Abs(lo/want-1) > 1e-8 {
		t.Errorf("Wilson(1, 1e9) lower = %v, want %v", lo, want)
	}
}

func TestRateIntervals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		of   func(x, exposure float64) (lo, hi float64)
	}{
		{"Garwood", stat.Garwood},
		{"Byar", stat.Byar},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				x := float64(rapid.Int64Range(0, 1_000_000).Draw(t, "events"))
				exposure := rapid.Float64Range(0.5, 1e7).Draw(t, "exposure")
				lo, hi := tt.of(x, exposure)
				holds(t, tt.name, lo, x/exposure, hi)
				halfLo, halfHi := tt.of(x, 2*exposure)
				if math.Abs(2*halfLo-lo) > slack*(1+lo) || math.Abs(2*halfHi-hi) > slack*(1+hi) {
					t.Fatalf("%s does not scale with the exposure", tt.name)
				}
				nextLo, nextHi := tt.of(x+1, exposure)
				if nextLo < lo || nextHi <= hi {
					t.Fatalf("%s does not grow from %v to %v events", tt.name, x, x+1)
				}
			})
		})
	}
}

func TestDifferenceIntervals(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x1, n1 := part(t, "first")
		x2, n2 := part(t, "second")
		lo, hi := stat.Newcombe(x1, n1, x2, n2)
		holds(t, "Newcombe", lo, x1/n1-x2/n2, hi)
		if lo < -1 || hi > 1 {
			t.Fatalf("Newcombe = [%v, %v] leaves -1..1", lo, hi)
		}
		backLo, backHi := stat.Newcombe(x2, n2, x1, n1)
		if math.Abs(backLo+hi) > slack || math.Abs(backHi+lo) > slack {
			t.Fatalf("Newcombe of swapped groups is not the negative")
		}
		lo, hi = stat.RateDifference(x1, n1, x2, n2)
		holds(t, "RateDifference", lo, x1/n1-x2/n2, hi)
	})
}

func TestRatioIntervals(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x1, n1 := part(t, "first")
		x2, n2 := part(t, "second")
		ratio := (x1 / n1) / (x2 / n2)
		if lo, hi, ok := stat.Katz(x1, n1, x2, n2); ok {
			holds(t, "Katz", lo, ratio, hi)
			backLo, backHi, _ := stat.Katz(x2, n2, x1, n1)
			if math.Abs(backLo*hi-1) > slack || math.Abs(backHi*lo-1) > slack {
				t.Fatalf("Katz of swapped groups is not the reciprocal")
			}
		} else if x1 > 0 && x2 > 0 && (x1 < n1 || x2 < n2) {
			t.Fatalf("Katz(%v, %v, %v, %v) does not exist", x1, n1, x2, n2)
		}
		walter, lo, hi := stat.Walter(x1, n1, x2, n2)
		holds(t, "Walter", lo, walter, hi)
		if lo, hi, ok := stat.RateRatio(x1, n1, x2, n2); ok {
			if x2 > 0 {
				holds(t, "RateRatio", lo, ratio, hi)
			} else if !math.IsInf(hi, 1) {
				t.Fatalf("RateRatio to a rate of 0 ends at %v", hi)
			}
		}
	})
}

func TestRatioIntervalsThatDoNotExist(t *testing.T) {
	t.Parallel()
	if _, _, ok := stat.Katz(5, 5, 7, 7); ok {
		t.Error("Katz of two complete groups claims certainty")
	}
	if _, _, ok := stat.RateRatio(0, 1, 0, 1); ok {
		t.Error("RateRatio of nothing to nothing exists")
	}
	if _, _, ok := stat.RateRatioLog(0, 1, 3, 1); ok {
		t.Error("RateRatioLog of 0 exists")
	}
}

func TestCountsAndValuesAgree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		distinct := rapid.SliceOfNDistinct(rapid.IntRange(-50, 400), 0, 30, rapid.ID[int]).Draw(t, "days")
		slices.Sort(distinct)
		values, counts := make([]float64, len(distinct)), make([]int64, len(distinct))
		var all []float64
		for i, v := range distinct {
			values[i] = float64(v)
			counts[i] = rapid.Int64Range(0, 12).Draw(t, "count")
			for range counts[i] {
				all = append(all, values[i])
			}
		}
		p := rapid.Float64Range(0, 1).Draw(t, "p")
		want, wantOK := stat.Quantile(all, p)
		got, gotOK := stat.QuantileCounts(values, counts, p)
		if got != want || gotOK != wantOK {
			t.Fatalf("QuantileCounts = %v, %v; Quantile = %v, %v", got, gotOK, want, wantOK)
		}
		lo, hi, ok := stat.MedianInterval(all)
		countsLo, countsHi, countsOK := stat.MedianIntervalCounts(values, counts)
		if lo != countsLo || hi != countsHi || ok != countsOK {
			t.Fatalf("MedianIntervalCounts = %v, %v, %v; MedianInterval = %v, %v, %v",
				countsLo, countsHi, countsOK, lo, hi, ok)
		}
		if ok != (len(all) >= 6) {
			t.Fatalf("an interval of %d values: %v", len(all), ok)
		}
		if ok {
			median, _ := stat.Quantile(all, 0.5)
			holds(t, "MedianInterval", lo, median, hi)
		}
	})
}
