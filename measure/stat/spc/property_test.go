package spc_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/measure/stat/spc"
)

// kinds are all charts, with the counts that each can hold.
func kinds() []spc.Kind {
	return []spc.Kind{spc.P, spc.U, spc.PPrime, spc.UPrime, spc.Run, spc.G, spc.T}
}

func rules() []spc.Rule {
	return slices.Concat(spc.Shewhart(), spc.IHI(), spc.Anhoej())
}

// series draws subgroups of people of whom some have the event; some subgroups are missing.
func series(t *rapid.T, missing bool) []spc.Subgroup {
	n := rapid.IntRange(3, 40).Draw(t, "subgroups")
	all := make([]spc.Subgroup, n)
	for i := range all {
		if missing && i > 1 && rapid.IntRange(0, 9).Draw(t, "missing") == 0 {
			continue
		}
		size := rapid.IntRange(1, 500).Draw(t, "size")
		all[i] = spc.Subgroup{Count: float64(rapid.IntRange(0, size).Draw(t, "count")),
			Size: float64(size)}
	}
	return all
}

func mustDraw(t *rapid.T, kind spc.Kind, subgroups []spc.Subgroup, config spc.Config) *spc.Chart {
	t.Helper()
	c, err := spc.New(kind, subgroups, config)
	if err != nil {
		t.Fatalf("New(%s, %v): %v", kind, subgroups, err)
	}
	return c
}

func TestLimitsHoldTheCentre(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(kinds()).Draw(t, "kind")
		in := series(t, true)
		chart := mustDraw(t, kind, in, spc.Config{})
		for i, p := range chart.Points {
			if p.Index != i || p.Missing != (in[i].Size == 0) {
				t.Fatalf("point %d is %+v of %+v", i, p, in[i])
			}
			if p.Missing || !kind.Limited() {
				continue
			}
			slack := 1e-12 * (1 + p.Centre)
			if !(p.Lower >= 0 && p.Lower <= p.Centre+slack && p.Upper >= p.Centre-slack) {
				t.Fatalf("%s: limits of %+v do not hold its centre", kind, p)
			}
			if (kind == spc.P || kind == spc.PPrime) && p.Upper > 1 {
				t.Fatalf("%s: %+v leaves 0..1", kind, p)
			}
		}
	})
}

func TestLaneyWidensByItsFactor(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := series(t, false)
		for plain, prime := range map[spc.Kind]spc.Kind{spc.P: spc.PPrime, spc.U: spc.UPrime} {
			a, b := mustDraw(t, plain, in, spc.Config{}), mustDraw(t, prime, in, spc.Config{})
			for i, p := range a.Points {
				q, factor := b.Points[i], b.Phases[0].SigmaZ
				if q.Centre != p.Centre || math.Abs(q.Sigma-factor*p.Sigma) > 1e-12*q.Sigma {
					t.Fatalf("%s: %+v is not %v times as wide as %+v", prime, q, factor, p)
				}
			}
		}
	})
}

func TestLaneyWithoutOverdispersionIsThePlainChart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		// Points that change sides at 0.564 sigma have moving ranges of 1.128: σ_z is 1.
		size := float64(rapid.IntRange(20, 10_000).Draw(t, "size"))
		p := rapid.Float64Range(0.1, 0.9).Draw(t, "p")
		swing := 0.564 * math.Sqrt(p*(1-p)*size)
		in := of(size, repeat(rapid.IntRange(2, 20).Draw(t, "pairs"), size*p-swing, size*p+swing)...)
		plain, laney := mustDraw(t, spc.P, in, spc.Config{}), mustDraw(t, spc.PPrime, in, spc.Config{})
		for i, q := range plain.Points {
			r := laney.Points[i]
			if math.Abs(q.Lower-r.Lower) > 1e-10 || math.Abs(q.Upper-r.Upper) > 1e-10 {
				t.Fatalf("σ_z = %v: %+v, plain %+v", laney.Phases[0].SigmaZ, r, q)
			}
		}
	})
}

func TestSignalsMoveWithTheSeries(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(kinds()).Draw(t, "kind")
		in := series(t, true)
		by := rapid.IntRange(1, 5).Draw(t, "by")
		moved := append(make([]spc.Subgroup, by), in...) // Missing months come first.
		want := mustDraw(t, kind, in, spc.Config{}).Signals(rules()...)
		got := mustDraw(t, kind, moved, spc.Config{}).Signals(rules()...)
		if len(got) != len(want) {
			t.Fatalf("%s: %d signals became %d", kind, len(want), len(got))
		}
		for i, s := range want {
			for k := range s.Indices {
				s.Indices[k] += by
			}
			if g := got[i]; g.Rule != s.Rule || g.Side != s.Side || g.Found != s.Found ||
				g.Bound != s.Bound ||
				!slices.Equal(g.Indices, s.Indices) {
				t.Fatalf("%s: %+v became %+v, moved by %d", kind, s, g, by)
			}
		}
	})
}

func TestSplitIsTwoCharts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(kinds()).Draw(t, "kind")
		in := append(series(t, false), series(t, false)...)
		at := rapid.IntRange(2, len(in)-2).Draw(t, "at")
		chart := mustDraw(t, kind, in, spc.Config{Split: []int{at}})
		parts := slices.Concat(mustDraw(t, kind, in[:at], spc.Config{}).Points,
			mustDraw(t, kind, in[at:], spc.Config{}).Points)
		for i, p := range chart.Points {
			q := parts[i]
			q.Index = i
			if p != q {
				t.Fatalf("%s: point %d is %+v, alone %+v", kind, i, p, q)
			}
		}
	})
}

func TestWhatFollowsTheBaselineMovesNoLimit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(kinds()).Draw(t, "kind")
		baseline := series(t, false)
		config := spc.Config{Baseline: len(baseline)}
		alone := mustDraw(t, kind, baseline, spc.Config{})
		chart := mustDraw(t, kind, append(slices.Clone(baseline), series(t, true)...), config)
		if chart.Phases[0].Centre != alone.Phases[0].Centre ||
			!slices.Equal(chart.Points[:len(baseline)], alone.Points) {
			t.Fatalf("%s: %+v, alone %+v", kind, chart.Phases[0], alone.Phases[0])
		}
	})
}

func TestNothingIsFoundWhereNothingVaries(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(kinds()).Draw(t, "kind")
		size := rapid.IntRange(1, 900).Draw(t, "size")
		events := rapid.IntRange(0, size).Draw(t, "events")
		n := rapid.IntRange(2, 40).Draw(t, "subgroups")
		in := make([]spc.Subgroup, n)
		for i := range in {
			times := float64(rapid.IntRange(1, 7).Draw(t, "times")) // The figure is one, the sizes differ.
			in[i] = spc.Subgroup{Count: times * float64(events), Size: times * float64(size)}
		}
		chart := mustDraw(t, kind, in, spc.Config{})
		for _, s := range chart.Signals(rules()...) {
			if s.Rule != spc.FifteenWithin || len(s.Indices) != n || n < 15 {
				t.Fatalf("%s: %+v of %v", kind, s, in)
			}
		}
		spread := chart.Points[0].Sigma > 0
		if found := len(chart.Signals(spc.FifteenWithin)) > 0; (kind == spc.P || kind == spc.U) &&
			found != (n >= 15 && spread) {
			t.Fatalf("%s: fifteen within one sigma of %d points: %v", kind, n, found)
		}
	})
}

func TestPlantedShiftIsSignalled(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]spc.Kind{spc.P, spc.U}).Draw(t, "kind")
		const size, baseline, after = 400.0, 16, 12
		level := rapid.Float64Range(0.1, 0.4).Draw(t, "level")
		sigma := math.Sqrt(level * (1 - level) * size)
		if kind == spc.U {
			sigma = math.Sqrt(level * size)
		}
		up := rapid.SampledFrom([]float64{-1, 1}).Draw(t, "direction")
		var counts []float64
		for i := range baseline + after {
			noise := sigma * rapid.Float64Range(0.01, 0.5).Draw(t, "noise")
			switch {
			case i >= baseline:
				noise += 1.2 * up * sigma // Too little for a limit, enough for eight in a row.
			case i%2 == 0:
				noise = -noise
			}
			counts = append(counts, size*level+noise)
		}
		chart := mustDraw(t, kind, of(size, counts...), spc.Config{Baseline: baseline})
		want := map[spc.Rule]bool{spc.EightOneSide: false, spc.Shift: false, spc.LongRun: false}
		for _, s := range chart.Signals(rules()...) {
			_, expected := want[s.Rule]
			if expected && slices.Contains(s.Indices, baseline+after-1) &&
				(s.Side == spc.Above) == (up > 0) {
				want[s.Rule] = true
			}
		}
		for rule, found := range want {
			if !found {
				t.Fatalf("%s: a shift of %v sigma is not found by %s", kind, up, rule)
			}
		}
	})
}

// TestSigmaZMaxHoldsAgainstChance draws series without over-dispersion from a fixed seed and looks
// how often σ_z exceeds the bound.
func TestSigmaZMaxHoldsAgainstChance(t *testing.T) {
	t.Parallel()
	if got := spc.SigmaZMax(23); math.Abs(got-1.31) > 0.005 {
		t.Errorf("SigmaZMax(23) = %v, want the 1.31 of its comment", got)
	}
	random := rand.New(rand.NewPCG(3, 14))
	const rounds, points = 4000, 24
	exceeded := 0
	for range rounds {
		sum, last := 0.0, random.NormFloat64()
		for range points - 1 {
			next := random.NormFloat64()
			sum += math.Abs(next - last)
			last = next
		}
		if sum/(points-1)/1.128 > spc.SigmaZMax(points-1) {
			exceeded++
		}
	}
	if share := float64(exceeded) / rounds; share < 0.035 || share > 0.075 {
		t.Errorf("chance exceeds SigmaZMax in %v of series, want about 0.05", share)
	}
}

// BenchmarkMonths draws three years of months and applies every rule.
func BenchmarkMonths(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	in := make([]spc.Subgroup, 36)
	for i := range in {
		in[i] = spc.Subgroup{Count: float64(10 + random.IntN(20)), Size: float64(80 + random.IntN(40))}
	}
	b.ReportAllocs()
	for b.Loop() {
		chart, err := spc.New(spc.P, in, spc.Config{})
		if err != nil {
			b.Fatal(err)
		}
		chart.Signals(rules()...)
	}
}
