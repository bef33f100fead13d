package stat_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/measure/stat"
)

func count(events, of float64) stat.Count { return stat.Count{Events: events, Of: of} }

// near compares to a relative 1e-9.
func near() cmp.Option { return cmpopts.EquateApprox(1e-9, 1e-12) }

// berkeley is who was admitted to the six largest departments in Berkeley in autumn 1973, men
// beside women. Bickel PJ, Hammel EA, O'Connell JW, Science 1975;187:398; UCBAdmissions in R.
func berkeley() []stat.Layer {
	return []stat.Layer{
		{Group: count(512, 825), Reference: count(89, 108)},
		{Group: count(353, 560), Reference: count(17, 25)},
		{Group: count(120, 325), Reference: count(202, 593)},
		{Group: count(138, 417), Reference: count(131, 375)},
		{Group: count(53, 191), Reference: count(94, 393)},
		{Group: count(22, 373), Reference: count(24, 341)},
	}
}

// stones is success in removing kidney stones, open surgery beside percutaneous, in small and large
// stones. Charig CR et al., BMJ 1986;292:879.
func stones(times float64) []stat.Layer {
	return []stat.Layer{
		{
			Group:     count(81*times, 87*times),
			Reference: count(234*times, 270*times),
		},
		{
			Group:     count(192*times, 263*times),
			Reference: count(55*times, 80*times),
		},
	}
}

func TestMantelHaenszelOfBerkeley(t *testing.T) {
	t.Parallel()
	// The crude ratio is 1.467 and the one within departments 0.945.
	layers := berkeley()
	got, ok := stat.MantelHaenszel(layers)
	if !ok || math.Abs(got.Value-0.945) > 0.0005 {
		t.Errorf("MantelHaenszel = %v, %v; want 0.945", got, ok)
	}
	check, ok := stat.SimpsonCheck(layers)
	if !ok || math.Abs(check.Crude.Value-(1198./2691-557./1835)) > 1e-12 {
		t.Errorf("SimpsonCheck = %+v, %v", check, ok)
	}
	if !check.Opposite || check.Reverses || !check.Fades || check.Layers != 6 {
		t.Errorf("SimpsonCheck = %+v; the difference within departments is not clear of 0", check)
	}
}

func TestSimpson(t *testing.T) {
	t.Parallel()
	one := []stat.Layer{{Group: count(30, 100), Reference: count(10, 100)}}
	tests := []struct {
		name      string
		in        []stat.Layer
		opposite  bool
		reverses  bool
		fades     bool
		covered   float64
		wantCheck bool
	}{
		{"few patients turn round, and may do so by chance", stones(1), true, false, false, 1, true},
		{"many patients turn round for sure", stones(10), true, true, false, 1, true},
		{"one layer is the whole", one, false, false, false, 1, true},
		{"a layer of the group alone is not covered", append([]stat.Layer{
			{Group: count(1, 100)},
		}, one...), false, false, false, 0.5, true},
		{"a group without its reference cannot be checked", []stat.Layer{
			{Group: count(1, 100)}, {Reference: count(1, 100)},
		}, false, false, false, 0, false},
		{"no event at all tells nothing", []stat.Layer{
			{Group: count(0, 100), Reference: count(0, 100)},
		}, false, false, false, 0, false},
		{"nobody", nil, false, false, false, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok := stat.SimpsonCheck(tt.in)
			if ok != tt.wantCheck || got.Opposite != tt.opposite || got.Reverses != tt.reverses ||
				got.Fades != tt.fades || math.Abs(got.Covered-tt.covered) > 1e-12 {
				t.Errorf("SimpsonCheck(%v) = %+v, %v", tt.in, got, ok)
			}
		})
	}
}

// TestSimpsonOfRates makes the events rare: of a hundredth a proportion and a rate are the same,
// and so are their intervals.
func TestSimpsonOfRates(t *testing.T) {
	t.Parallel()
	rare := stones(100)
	for i := range rare {
		rare[i].Group.Of *= 100
		rare[i].Reference.Of *= 100
	}
	share, ok := stat.SimpsonCheck(rare)
	rate, rateOK := stat.SimpsonCheckRate(rare)
	if !ok || !rateOK || !rate.Opposite {
		t.Fatalf("SimpsonCheckRate = %+v, %v", rate, rateOK)
	}
	if diff := cmp.Diff(share, rate, cmpopts.EquateApprox(0.02, 0)); diff != "" {
		t.Errorf("SimpsonCheckRate of rare events (-SimpsonCheck +got):\n%s", diff)
	}
	if s, ok := stat.SimpsonCheckRate([]stat.Layer{{Group: count(0, 5), Reference: count(0, 5)}}); ok {
		t.Errorf("without an event SimpsonCheckRate = %+v", s)
	}
}

// layersOf draws sites in which one of the two may be absent.
func layersOf(t *rapid.T) []stat.Layer {
	layers := make([]stat.Layer, rapid.IntRange(1, 6).Draw(t, "layers"))
	for i := range layers {
		layers[i] = stat.Layer{Group: countOf(t, "group"), Reference: countOf(t, "reference")}
	}
	return layers
}

func countOf(t *rapid.T, name string) stat.Count {
	of := rapid.IntRange(0, 200).Draw(t, name+" of")
	return stat.Count{Events: float64(rapid.IntRange(0, of).Draw(t, name+" events")), Of: float64(of)}
}

func swapped(layers []stat.Layer) []stat.Layer {
	back := make([]stat.Layer, len(layers))
	for i, l := range layers {
		back[i] = stat.Layer{Group: l.Reference, Reference: l.Group}
	}
	return back
}

func TestPooledRatios(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		of   func([]stat.Layer) (stat.Estimate, bool)
	}{
		{"MantelHaenszel", stat.MantelHaenszel},
		{"MantelHaenszelRate", stat.MantelHaenszelRate},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				layers := layersOf(t)
				e, ok := tt.of(layers)
				back, backOK := tt.of(swapped(layers))
				if ok != backOK {
					t.Fatalf("%s exists: %v, and of swapped groups: %v", tt.name, ok, backOK)
				}
				if !ok {
					return
				}
				holds(t, tt.name, e.Lo, e.Value, e.Hi)
				want := stat.Estimate{Value: 1 / e.Value, Lo: 1 / e.Hi, Hi: 1 / e.Lo}
				if diff := cmp.Diff(want, back, near()); diff != "" {
					t.Fatalf("%s of swapped groups (-reciprocal +got):\n%s", tt.name, diff)
				}
				smallest, largest := math.Inf(1), 0.
				for _, l := range layers {
					if l.Group.Of > 0 && l.Reference.Of > 0 && l.Group.Events+l.Reference.Events > 0 {
						ratio := l.Group.Value() / l.Reference.Value()
						smallest, largest = math.Min(smallest, ratio), math.Max(largest, ratio)
					}
				}
				holds(t, "the ratios of the layers", smallest, e.Value, largest)
			})
		})
	}
}

func TestPooledDifferences(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		of   func([]stat.Layer) (stat.Estimate, bool)
	}{
		{"MantelHaenszelDifference", stat.MantelHaenszelDifference},
		{"MantelHaenszelRateDifference", stat.MantelHaenszelRateDifference},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				layers := layersOf(t)
				e, ok := tt.of(layers)
				back, backOK := tt.of(swapped(layers))
				if ok != backOK {
					t.Fatalf("%s of %v exists: %v, and of swapped groups: %v", tt.name, layers, ok, backOK)
				}
				if !ok {
					return
				}
				holds(t, tt.name, e.Lo, e.Value, e.Hi)
				want := stat.Estimate{Value: -e.Value, Lo: -e.Hi, Hi: -e.Lo}
				if diff := cmp.Diff(want, back, near()); diff != "" {
					t.Fatalf("%s of swapped groups (-negative +got):\n%s", tt.name, diff)
				}
			})
		})
	}
}

// TestOneLayerIsCrude holds the pooled figures to the plain ones of the only layer, and to those of
// many layers that are all alike.
func TestOneLayerIsCrude(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := stat.Layer{Group: countOf(t, "group"), Reference: countOf(t, "reference")}
		g, r := l.Group, l.Reference
		layers := []stat.Layer{l, l, l}[:rapid.SampledFrom([]int{1, 3}).Draw(t, "layers")]
		if e, ok := stat.MantelHaenszel(layers); ok {
			if math.Abs(e.Value/(g.Value()/r.Value())-1) > slack {
				t.Fatalf("MantelHaenszel(%v) = %v", layers, e)
			}
			if lo, hi, exists := stat.Katz(g.Events, g.Of, r.Events, r.Of); len(layers) == 1 &&
				(!exists || math.Abs(e.Lo/lo-1) > slack || math.Abs(e.Hi/hi-1) > slack) {
				t.Fatalf("MantelHaenszel(%v) = %v, and Katz = [%v, %v], %v", layers, e, lo, hi, exists)
			}
		}
		if e, ok := stat.MantelHaenszelRate(layers); ok {
			lo, hi, exists := stat.RateRatioLog(g.Events, g.Of, r.Events, r.Of)
			if len(layers) == 1 && (!exists || math.Abs(e.Lo/lo-1) > slack || math.Abs(e.Hi/hi-1) > slack) {
				t.Fatalf("MantelHaenszelRate(%v) = %v, and RateRatioLog = [%v, %v]", layers, e, lo, hi)
			}
		}
		for _, of := range []func([]stat.Layer) (stat.Estimate, bool){
			stat.MantelHaenszelDifference, stat.MantelHaenszelRateDifference,
		} {
			if e, ok := of(layers); ok && math.Abs(e.Value-(g.Value()-r.Value())) > slack {
				t.Fatalf("the difference of %v = %v", layers, e)
			}
		}
		if s, ok := stat.SimpsonCheck(layers); ok && (s.Opposite || s.Reverses) {
			t.Fatalf("SimpsonCheck(%v) = %+v", layers, s)
		}
	})
}

// TestSatoComesCloseToTheUsualVariance compares the standard error with √(p1q1/n1 + p2q2/n2) where
// groups are large.
func TestSatoComesCloseToTheUsualVariance(t *testing.T) {
	t.Parallel()
	layers := []stat.Layer{
		{Group: count(3000, 10_000), Reference: count(2000, 10_000)},
	}
	e, ok := stat.MantelHaenszelDifference(layers)
	want := stat.Z * math.Sqrt(0.3*0.7/10_000+0.2*0.8/10_000)
	if !ok || math.Abs((e.Hi-e.Value)/want-1) > 1e-3 {
		t.Errorf("half the interval is %v, want about %v", e.Hi-e.Value, want)
	}
}

func TestDecompose(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		layers := layersOf(t)
		p, ok := stat.Decompose(layers)
		var x1, n1, x2, n2 float64
		for _, l := range layers {
			x1, n1 = x1+l.Group.Events, n1+l.Group.Of
			x2, n2 = x2+l.Reference.Events, n2+l.Reference.Of
		}
		if ok != (n1 > 0 && n2 > 0) {
			t.Fatalf("Decompose(%v) exists: %v", layers, ok)
		}
		if !ok {
			return
		}
		if math.Abs(p.Crude-(x1/n1-x2/n2)) > 1e-12 || math.Abs(p.Within+p.Between-p.Crude) > 1e-12 {
			t.Fatalf("Decompose(%v) = %+v", layers, p)
		}
		within, between := 0., 0.
		for _, part := range p.Layers {
			within, between = within+part.Within, between+part.Between
		}
		if len(p.Layers) != len(layers) || math.Abs(within-p.Within) > 1e-12 ||
			math.Abs(between-p.Between) > 1e-12 {
			t.Fatalf("the layers of Decompose(%v) add up to %v and %v", layers, within, between)
		}
		back, _ := stat.Decompose(swapped(layers))
		if math.Abs(back.Within+p.Within) > 1e-12 || math.Abs(back.Between+p.Between) > 1e-12 {
			t.Fatalf("Decompose of swapped groups = %+v, not the negative of %+v", back, p)
		}
	})
}

func TestDecomposeTellsThePartsApart(t *testing.T) {
	t.Parallel()
	site := func(events, of, others, othersOf float64) stat.Layer {
		return stat.Layer{Group: count(events, of), Reference: count(others, othersOf)}
	}
	tests := []struct {
		name            string
		in              []stat.Layer
		within, between float64
	}{
		{"equal rates leave sites", []stat.Layer{site(40, 80, 10, 20), site(2, 20, 8, 80)}, 0, 0.24},
		{"equal sites leave rates", []stat.Layer{site(25, 50, 10, 50), site(10, 50, 5, 50)}, 0.2, 0},
		{"separate sites are all sites", []stat.Layer{site(50, 100, 0, 0), site(0, 0, 10, 100)}, 0, 0.4},
		{"an empty site is nothing", []stat.Layer{site(50, 100, 10, 100), {}}, 0.4, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok := stat.Decompose(tt.in)
			if !ok || math.Abs(got.Within-tt.within) > 1e-12 || math.Abs(got.Between-tt.between) > 1e-12 {
				t.Errorf("Decompose(%v) = %+v, %v; want %v and %v", tt.in, got, ok, tt.within, tt.between)
			}
		})
	}
}
