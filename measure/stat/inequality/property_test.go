package inequality_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/measure/stat/inequality"
)

// draw makes an input of proportions that are whole events of whole people, so that the rounding to
// counts in the logistic regressions changes nothing.
func draw(t *rapid.T, ordered bool) inequality.Input {
	in := inequality.Input{
		Scale: 1, Ordered: ordered, Direction: inequality.Direction(rapid.SampledFrom([]string{
			string(inequality.Favourable), string(inequality.Adverse),
		}).Draw(t, "direction")),
	}
	k := rapid.IntRange(3, 12).Draw(t, "groups")
	for i := range k {
		n := rapid.IntRange(5, 5000).Draw(t, "people")
		events := rapid.IntRange(1, n-1).Draw(t, "events")
		p := float64(events) / float64(n)
		in.Groups = append(in.Groups, inequality.Group{
			Estimate: p, Population: float64(n), SE: se(math.Sqrt(p * (1 - p) / float64(n))), Rank: i,
		})
	}
	in.Groups[rapid.IntRange(0, k-1).Draw(t, "reference")].Reference = true
	return in
}

func mustSummarise(t *rapid.T, in inequality.Input) *inequality.Result {
	t.Helper()
	r, err := inequality.Summarise(in)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// changed is the input with every group changed.
func changed(in inequality.Input, change func(*inequality.Group)) inequality.Input {
	in.Groups = slices.Clone(in.Groups)
	for i := range in.Groups {
		change(&in.Groups[i])
	}
	return in
}

// near compares with the tolerance of the measure: rounding, and for a fit what its end leaves.
func near(got, want float64) bool {
	return math.Abs(got-want) <= 1e-8*math.Max(1e-3, math.Max(math.Abs(got), math.Abs(want)))
}

// same fails unless two results answer and refuse alike, each estimate of the second being that of
// the first times a factor, and each interval too where intervals says so.
func same(t *rapid.T, a, b *inequality.Result, factor func(inequality.Value) float64,
	intervals bool) {
	t.Helper()
	if len(a.Values) != len(b.Values) || !slices.Equal(a.Refusals, b.Refusals) {
		t.Fatalf("%d answers and %v became %d and %v", len(a.Values), a.Refusals, len(b.Values),
			b.Refusals)
	}
	for i, v := range a.Values {
		w, f := b.Values[i], factor(v)
		if v.Measure != w.Measure || v.Variant != w.Variant || !near(w.Estimate, f*v.Estimate) {
			t.Fatalf("%+v became %+v, want %v times", v, w, f)
		}
		if !intervals || v.Interval == nil {
			continue
		}
		if w.Interval == nil || !near(w.Interval.Upper, f*v.Interval.Upper) {
			t.Fatalf("%s (%s): %+v became %+v, want %v times", v.Measure, v.Variant, v.Interval, w.Interval,
				f)
		}
	}
}

func once(inequality.Value) float64 { return 1 }

func TestOrderOfGroupsDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := draw(t, rapid.Bool().Draw(t, "ordered"))
		other := in
		other.Groups = rapid.Permutation(in.Groups).Draw(t, "permuted")
		a, b := mustSummarise(t, in), mustSummarise(t, other)
		tied := len(estimates(in)) < len(in.Groups)
		same(t, a, b, once, !tied) // Which of two equal groups is compared decides about intervals.
	})
}

func estimates(in inequality.Input) map[float64]bool {
	distinct := map[float64]bool{}
	for _, g := range in.Groups {
		distinct[g.Estimate] = true
	}
	return distinct
}

func TestScaleDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := draw(t, rapid.Bool().Draw(t, "ordered"))
		percent := changed(in, func(g *inequality.Group) {
			g.Estimate *= 100
			g.SE = se(100 * *g.SE)
		})
		percent.Scale = 100
		same(t, mustSummarise(t, in), mustSummarise(t, percent), func(v inequality.Value) float64 {
			switch v.Measure {
			case inequality.BGV:
				return 10_000
			case inequality.D, inequality.ACI, inequality.SII, inequality.BGSD, inequality.PAR,
				inequality.MDMU, inequality.MDMW, inequality.MDBU, inequality.MDBW, inequality.MDRU,
				inequality.MDRW:
				return 100
			default:
				return 1
			}
		}, true)
	})
}

func TestOnlySharesOfThePopulationMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := draw(t, rapid.Bool().Draw(t, "ordered"))
		factor := float64(rapid.IntRange(2, 50).Draw(t, "factor"))
		larger := changed(in, func(g *inequality.Group) { g.Population *= factor })
		a, b := mustSummarise(t, in), mustSummarise(t, larger)
		same(t, a, b, once, false)
		for i, v := range a.Values {
			if v.Interval == nil {
				continue
			}
			want := v.Interval.SE
			if v.Measure == inequality.PAR || v.Measure == inequality.PAF {
				want /= math.Sqrt(factor) // Walter's formula counts people.
			}
			if got := b.Values[i].Interval.SE; !near(got, want) {
				t.Fatalf("%s (%s): standard error %v, want %v", v.Measure, v.Variant, got, want)
			}
		}
	})
}

func TestPopulationsOfOneSizeMakeTheVariantsAgree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := draw(t, true)
		in = changed(in, func(g *inequality.Group) {
			g.Population = 1000
			g.Estimate = math.Round(1000*g.Estimate) / 1000
		})
		r := mustSummarise(t, in)
		for _, m := range []inequality.Measure{inequality.SII, inequality.RII} {
			heat, ok := r.Value(m, inequality.HEAT)
			standard, okStandard := r.Value(m, inequality.Standard)
			if ok != okStandard || !near(heat.Estimate, standard.Estimate) {
				t.Fatalf("%s: %v and %v, though a square of equal weights changes nothing", m, heat, standard)
			}
		}
	})
}

func TestEqualGroupsHaveNoInequality(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := draw(t, rapid.Bool().Draw(t, "ordered"))
		p := in.Groups[0].Estimate
		r := mustSummarise(t, changed(in, func(g *inequality.Group) { g.Estimate = p }))
		for _, v := range r.Values {
			want := v.Measure.Null(v.Variant)
			if math.Abs(v.Estimate-want) > 1e-10 {
				t.Fatalf("%s (%s) of equal groups = %v, want %v", v.Measure, v.Variant, v.Estimate, want)
			}
		}
	})
}

func TestSigns(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := draw(t, rapid.Bool().Draw(t, "ordered"))
		r := mustSummarise(t, in)
		for _, v := range r.Values {
			switch v.Measure {
			case inequality.PAR, inequality.PAF:
				if v.Estimate != 0 && (v.Estimate > 0) != (in.Direction == inequality.Favourable) {
					t.Fatalf("%s of %s figures = %v", v.Measure, in.Direction, v.Estimate)
				}
			case inequality.D, inequality.ACI, inequality.RCI, inequality.SII:
			case inequality.RII:
				if v.Variant != inequality.HDCalc && v.Estimate <= 0 {
					t.Fatalf("RII (%s) = %v", v.Variant, v.Estimate)
				}
			default:
				if v.Estimate < 0 {
					t.Fatalf("%s (%s) = %v is negative", v.Measure, v.Variant, v.Estimate)
				}
			}
			if i := v.Interval; i != nil && (i.Lower > v.Estimate || i.Upper < v.Estimate || i.SE < 0) {
				t.Fatalf("%s (%s) = %v has the interval %+v", v.Measure, v.Variant, v.Estimate, *i)
			}
		}
	})
}

func TestSlopeTurnsWithTheOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := draw(t, true)
		turned := changed(in, func(g *inequality.Group) { g.Rank = -g.Rank })
		a, b := mustSummarise(t, in), mustSummarise(t, turned)
		for _, v := range a.Values {
			w, ok := b.Value(v.Measure, v.Variant)
			if !ok {
				t.Fatalf("%s (%s) is refused when the order is turned", v.Measure, v.Variant)
			}
			switch {
			case v.Measure == inequality.RII && v.Variant != inequality.HDCalc:
				if !near(v.Estimate*w.Estimate, 1) {
					t.Fatalf("%v and %v are not reciprocal", v, w)
				}
			case v.Measure == inequality.ACI, v.Measure == inequality.RCI, v.Measure == inequality.SII:
				if !near(v.Estimate, -w.Estimate) {
					t.Fatalf("%v and %v are not opposite", v, w)
				}
			default:
			}
		}
	})
}

// BenchmarkSummary40 answers all measures for 40 groups without and 40 groups with an order, so
// that each of the 21 is computed.
func BenchmarkSummary40(b *testing.B) {
	inputs := [2]inequality.Input{}
	for i := range inputs {
		inputs[i] = inequality.Input{Scale: 1, Direction: inequality.Favourable, Ordered: i == 1}
		for k := range 40 {
			p := 0.2 + 0.015*float64(k) + 0.03*math.Sin(float64(7*k))
			inputs[i].Groups = append(inputs[i].Groups, inequality.Group{
				Estimate: p, Population: float64(200 + 37*k%911), SE: se(0.02), Rank: k, Reference: k == 11,
			})
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, in := range inputs {
			if _, err := inequality.Summarise(in); err != nil {
				b.Fatal(err)
			}
		}
	}
}
