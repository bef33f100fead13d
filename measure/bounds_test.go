package measure

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// boundUnit is one unit of a small cohort, as a tally of its own.
func boundUnit(t *rapid.T, s Scoring) tally {
	var out tally
	out.sums[inInitial] = 1
	switch s {
	case Proportion:
		kind := rapid.SampledFrom([]slot{inExcluded, inNumerator, inExcepted, inNumeratorExcluded,
			inMeasured, inInitial}).Draw(t, "kind")
		if kind != inInitial {
			out.sums[inMeasured] = 1
		}
		if kind != inMeasured {
			out.sums[kind] = 1
		}
		if kind == inNumeratorExcluded {
			out.sums[inNumerator] = 1
		}
	case Ratio:
		o := observation{float64(rapid.IntRange(0, 4).Draw(t, "v")), float64(rapid.IntRange(0, 3).Draw(t, "w"))}
		out.sums[inMeasured], out.sums[inNumerator] = o.v, o.w
		out.observe(o, 1)
	case ContinuousVariable:
		out.sums[inMeasured] = 1
		if rapid.IntRange(0, 5).Draw(t, "measured") > 0 {
			out.observe(observation{v: float64(rapid.IntRange(-3, 5).Draw(t, "value"))}, 1)
		} else {
			out.sums[inExcluded] = 1
		}
	case Cohort:
	}
	return out
}

// TestBoundsAreSharp tries every choice of those who might belong.
func TestBoundsAreSharp(t *testing.T) {
	t.Parallel()
	definitions := map[string]*Definition{"proportion": {Scoring: Proportion},
		"ratio": {Scoring: Ratio, Per: 1000}}
	for _, a := range Aggregates() {
		definitions[string(a)] = &Definition{Scoring: ContinuousVariable, Aggregate: a}
	}
	for name, d := range definitions {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) { sharp(t, d) })
		})
	}
}

func sharp(t *rapid.T, d *Definition) {
	units := func(name string, most int) []tally {
		out := make([]tally, rapid.IntRange(0, most).Draw(t, name))
		for i := range out {
			out[i] = boundUnit(t, d.Scoring)
		}
		return out
	}
	own, pool := units("own", 5), units("pool", 6)
	var some, all tally
	for i := range own {
		some.add(&own[i])
	}
	for i := range pool {
		all.add(&pool[i])
	}
	least, greatest, every := math.Inf(1), math.Inf(-1), math.NaN()
	for choice := range 1 << len(pool) {
		var chosen tally
		chosen.add(&some)
		for i := range pool {
			if choice&(1<<i) != 0 {
				chosen.add(&pool[i])
			}
		}
		if score := d.cell(nil, &chosen).Score; score != nil {
			least, greatest, every = min(least, *score), max(greatest, *score), *score
		} else {
			every = math.NaN()
		}
	}
	var bounds *[2]float64
	var unknown *float64
	switch d.Scoring {
	case Proportion:
		bounds, unknown = boundProportion(&some, &all)
	case Ratio:
		if bounds = boundRatio(&some, &all, d.scale()); some.effective() <= 0 {
			if bounds != nil {
				t.Fatalf("a ratio over nothing has bounds %v", *bounds)
			}
			return
		}
		unknown = &every
	case ContinuousVariable:
		bounds, unknown = d.boundContinuous(&some, &all)
	case Cohort:
	}
	const close = 1e-9
	switch {
	case bounds == nil && math.IsInf(least, 1):
	case bounds == nil || unknown == nil:
		t.Fatalf("no bounds; want %g to %g", least, greatest)
	case math.Abs(bounds[0]-least) > close || math.Abs(bounds[1]-greatest) > close:
		t.Fatalf("bounds %v; want %g to %g", *bounds, least, greatest)
	case math.Abs(*unknown-every) > close:
		t.Fatalf("if all belonged %g; want %g", *unknown, every)
	}
}

func TestCouldBe(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		have, want []string
		could      bool
	}{
		{"nothing known", []string{"~missing", "~unknown"}, []string{"a", "b"}, true},
		{"one known and equal", []string{"a", "~unknown"}, []string{"a", "b"}, true},
		{"one known and another", []string{"c", "~unknown"}, []string{"a", "b"}, false},
		{"a state", []string{"~missing"}, []string{"a"}, true},
	}
	for _, test := range tests {
		if got := couldBe(test.have, test.want); got != test.could {
			t.Errorf("%s: couldBe(%q, %q) = %t", test.name, test.have, test.want, got)
		}
	}
}
