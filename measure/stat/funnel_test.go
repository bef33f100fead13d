package stat_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/measure/stat"
)

func TestFunnels(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := stat.Funnel{
			Centre:         rapid.Float64Range(0.001, 0.999).Draw(t, "centre"),
			Overdispersion: rapid.SampledFrom([]float64{0, 0.5, 1}).Draw(t, "none"),
		}
		wide := f
		wide.Overdispersion = rapid.Float64Range(1, 20).Draw(t, "overdispersion")
		size := rapid.Float64Range(1, 1e6).Draw(t, "size")
		for name, limits := range map[string]func(stat.Funnel, float64, stat.Level) (lo, hi float64){
			"Proportion": stat.Funnel.Proportion, "Rate": stat.Funnel.Rate,
		} {
			lo, hi := limits(f, size, stat.Level95)
			holds(t, name, lo, f.Centre, hi)
			outerLo, outerHi := limits(f, size, stat.Level998)
			if outerLo > lo || outerHi < hi || outerLo < 0 {
				t.Fatalf("%s: 99.8 %% is [%v, %v] and 95 %% [%v, %v]", name, outerLo, outerHi, lo, hi)
			}
			wideLo, wideHi := limits(wide, size, stat.Level95)
			if wideLo > lo || wideHi < hi {
				t.Fatalf("%s: overdispersion makes [%v, %v] of [%v, %v]", name, wideLo, wideHi, lo, hi)
			}
			if name == "Rate" && f.Centre*size < 5 {
				continue // Where no event or one is all there is, the limits are steps.
			}
			more, most := limits(f, 4*size, stat.Level95)
			if most-more > (hi-lo)*(1+slack) {
				t.Fatalf("%s: the funnel of %v widens with size from [%v, %v] to [%v, %v]",
					name, f, lo, hi, more, most)
			}
		}
	})
}

func TestFunnelOfProportions(t *testing.T) {
	t.Parallel()
	f := stat.Funnel{Centre: 0.2}
	lo, hi := f.Proportion(400, stat.Level95)
	if math.Abs(lo-(0.2-stat.Z*0.02)) > 1e-15 || math.Abs(hi-(0.2+stat.Z*0.02)) > 1e-15 {
		t.Errorf("the 95 %% limits of 400 about 0.2 are [%v, %v]", lo, hi)
	}
	// 3.090232306167814 is the 99.9 % quantile of the standard normal distribution.
	lo, hi = f.Proportion(400, stat.Level998)
	const half = 3.090232306167814 * 0.02
	if math.Abs(lo-(0.2-half)) > 1e-12 || math.Abs(hi-(0.2+half)) > 1e-12 {
		t.Errorf("the 99.8 %% limits of 400 about 0.2 are [%v, %v]", lo, hi)
	}
	f.Overdispersion = 4
	if lo, _ := f.Proportion(400, stat.Level95); math.Abs(lo-(0.2-stat.Z*0.04)) > 1e-15 {
		t.Errorf("with an overdispersion of 4 the limit is %v", lo)
	}
	if lo, hi := f.Proportion(0, stat.Level95); lo != 0 || hi != 1 {
		t.Errorf("the limits of nobody are [%v, %v]", lo, hi)
	}
	if lo, hi := f.Rate(0, stat.Level95); lo != 0 || !math.IsInf(hi, 1) {
		t.Errorf("the limits of no exposure are [%v, %v]", lo, hi)
	}
}

// TestFunnelOfRatesAddsUpThePoissonLaw recomputes the limits from probabilities added up one by
// one.
func TestFunnelOfRatesAddsUpThePoissonLaw(t *testing.T) {
	t.Parallel()
	quantile := func(mean, p float64) float64 {
		term := math.Exp(-mean)
		sum := term
		for r := 0.; ; r++ {
			if sum >= p {
				return r - (sum-p)/term
			}
			term *= mean / (r + 1)
			sum += term
		}
	}
	tails := map[stat.Level][2]float64{stat.Level95: {0.025, 0.975}, stat.Level998: {0.001, 0.999}}
	rapid.Check(t, func(t *rapid.T) {
		f := stat.Funnel{Centre: rapid.Float64Range(0.01, 5).Draw(t, "centre")}
		exposure := rapid.Float64Range(0.1, 100).Draw(t, "exposure")
		for level, tail := range tails {
			lo, hi := f.Rate(exposure, level)
			wantLo := math.Max(0, quantile(f.Centre*exposure, tail[0])/exposure)
			wantHi := math.Max(f.Centre, quantile(f.Centre*exposure, tail[1])/exposure)
			if math.Abs(lo-wantLo) > 1e-8*wantHi || math.Abs(hi-wantHi) > 1e-8*wantHi {
				t.Fatalf("%v of %v = [%v, %v], want [%v, %v]", f, exposure, lo, hi, wantLo, wantHi)
			}
		}
	})
}

func TestOverdispersion(t *testing.T) {
	t.Parallel()
	outlier := make([]float64, 41)
	for i := range outlier {
		outlier[i] = float64(i%3) - 1
	}
	quiet := stat.Overdispersion(outlier)
	outlier[20] = 50
	if got := stat.Overdispersion(outlier); got > quiet*1.1 {
		t.Errorf("one outlier makes an overdispersion of %v out of %v", got, quiet)
	}
	if got := stat.Overdispersion([]float64{3, -3, 3, -3}); math.Abs(got-9) > 1e-12 {
		t.Errorf("scores of ±3 have an overdispersion of %v, want 9", got)
	}
	if got := stat.Overdispersion(nil); got != 1 {
		t.Errorf("without scores it is %v", got)
	}
	f := stat.Funnel{Centre: 0.2}
	if z, ok := f.ZProportion(88, 400); !ok || math.Abs(z-1) > 1e-12 {
		t.Errorf("ZProportion = %v, %v; want 1", z, ok)
	}
	if z, ok := f.ZRate(90, 500); !ok || math.Abs(z+1) > 1e-12 {
		t.Errorf("ZRate = %v, %v; want −1", z, ok)
	}
	if lo, hi := (stat.Funnel{}).Rate(5, stat.Level95); lo != 0 || hi != 0 {
		t.Errorf("where no event is expected the limits are [%v, %v]", lo, hi)
	}
	if _, ok := (stat.Funnel{}).ZRate(1, 5); ok {
		t.Error("a score about 0 exists")
	}
	if _, ok := (stat.Funnel{Centre: 1}).ZProportion(1, 5); ok {
		t.Error("a score about 1 exists")
	}
}
