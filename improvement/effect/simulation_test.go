package effect_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/effect"
	"github.com/equitylens/equitylens/measure"
)

// naiveInterval is the difference in differences by hand: four Wilson limits, two differences by
// square-and-add, and their difference by square-and-add.
func naiveInterval(x, n [4]float64) (value, lo, hi float64) {
	const z = 1.959963984540054
	var p, l, u [4]float64
	for i := range 4 {
		p[i] = x[i] / n[i]
		middle := (p[i] + z*z/(2*n[i])) / (1 + z*z/n[i])
		half := z / (1 + z*z/n[i]) * math.Sqrt(p[i]*(1-p[i])/n[i]+z*z/(4*n[i]*n[i]))
		l[i], u[i] = math.Max(0, middle-half), math.Min(1, middle+half)
	}
	// Of the groups: 0 after, 1 before; of the other: 2 after, 3 before.
	a, b := p[0]-p[1], p[2]-p[3]
	al := math.Max(-1, a-math.Sqrt((p[0]-l[0])*(p[0]-l[0])+(u[1]-p[1])*(u[1]-p[1])))
	au := math.Min(1, a+math.Sqrt((u[0]-p[0])*(u[0]-p[0])+(p[1]-l[1])*(p[1]-l[1])))
	bl := math.Max(-1, b-math.Sqrt((p[2]-l[2])*(p[2]-l[2])+(u[3]-p[3])*(u[3]-p[3])))
	bu := math.Min(1, b+math.Sqrt((u[2]-p[2])*(u[2]-p[2])+(p[3]-l[3])*(p[3]-l[3])))
	return a - b, a - b - math.Hypot(a-al, bu-b), a - b + math.Hypot(au-a, b-bl)
}

func TestDifferenceInDifferencesAgreesWithANaiveOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var groups []people
		for _, code := range []string{"es", "en"} {
			p := people{code: code, size: float64(rapid.IntRange(10, 400).Draw(t, code+" size"))}
			p.before = float64(rapid.IntRange(0, 100).Draw(t, code+" before")) / 100
			p.after = float64(rapid.IntRange(0, 100).Draw(t, code+" after")) / 100
			groups = append(groups, p)
		}
		w := world{scoring: measure.Proportion, improvement: measure.Increase, before: 4, after: 3, groups: groups}
		e, err := effect.Evaluate(w.results(), anAction("es"), effect.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var x, n [4]float64
		for i, side := range []effect.Side{e.Target.After, e.Target.Before, e.Gap.Other.After, e.Gap.Other.Before} {
			x[i], n[i] = *side.Events, side.N
		}
		value, lo, hi := naiveInterval(x, n)
		got := e.Gap.Change
		for _, d := range []float64{got.Value - value, got.Interval[0] - lo, got.Interval[1] - hi} {
			if math.Abs(d) > 1e-12 {
				t.Fatalf("change of the gap %v %v, by hand %v [%v, %v]", got.Value, *got.Interval, value, lo, hi)
			}
		}
	})
}

// TestIntervalsOfTheChangeOfTheGapCover draws worlds of which the truth is known, with seeds. The
// bounds allow for four standard errors of the simulation.
func TestIntervalsOfTheChangeOfTheGapCover(t *testing.T) {
	t.Parallel()
	const worlds = 200
	tests := []struct {
		name string
		in   world
		// true change of the gap.
		truth float64
	}{
		{"of shares", world{scoring: measure.Proportion, improvement: measure.Increase, before: 4, after: 4,
			groups: []people{{"es", 40, 0.30, 0.45}, {"en", 120, 0.60, 0.62}}}, 0.13},
		{"of shares that are rare", world{scoring: measure.Proportion, improvement: measure.Decrease, before: 4,
			after: 4, groups: []people{{"es", 60, 0.05, 0.03}, {"en", 200, 0.02, 0.02}}}, -0.02},
		{"of rates", world{scoring: measure.Ratio, improvement: measure.Decrease, before: 4, after: 4,
			groups: []people{{"es", 700, 9, 6}, {"en", 3000, 5, 5}}}, -3},
		{"of medians", world{scoring: measure.ContinuousVariable, improvement: measure.Decrease, before: 4,
			after: 4, groups: []people{{"es", 40, 300, 250}, {"en", 80, 200, 200}}}, -50},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.in.dice = dice(uint64(i) + 1)
			covered := 0
			for range worlds {
				g := evaluate(t, tt.in, anAction("es")).Gap
				if g == nil || g.Change.Interval == nil {
					t.Fatal("no interval")
				}
				if g.Change.Interval[0] <= tt.truth && tt.truth <= g.Change.Interval[1] {
					covered++
				}
			}
			share := float64(covered) / worlds
			t.Logf("%.1f %% of %d intervals cover", 100*share, worlds)
			if margin := 4 * math.Sqrt(0.95*0.05/worlds); share < 0.95-margin || share > 0.995 {
				t.Errorf("%.3f of the intervals cover the truth", share)
			}
		})
	}
}

// manyLanguages is a world of eight groups that are alike and stay so, beside a larger reference.
func manyLanguages(seed uint64) world {
	w := world{scoring: measure.Proportion, improvement: measure.Increase, before: 24, after: 12, dice: dice(seed)}
	for _, code := range []string{"es", "zh", "vi", "ru", "ar", "ko", "fr", "pt"} {
		w.groups = append(w.groups, people{code, 30, 0.60, 0.60})
	}
	w.groups = append(w.groups, people{"en", 600, 0.65, 0.65})
	return w
}

// TestDemonstratedIsSeldomChance counts how often something that has no effect counts as demonstrated:
// for a group that was named beforehand, and for the one that was at its worst in the year before.
// 2.5 % are expected at most; the bound allows for three standard errors of the simulation.
func TestDemonstratedIsSeldomChance(t *testing.T) {
	t.Parallel()
	const worlds = 100
	tests := []struct {
		name  string
		worst bool
	}{
		{"a group that was named beforehand", false},
		{"the worst of eight in the year before", true},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			found, naive := 0, 0
			for n := range worlds {
				months := manyLanguages(uint64(1000*i + n)).results()
				a := anAction("es")
				if tt.worst {
					a = anAction(worstOf(months[12:24]))
					a.Finding = action.Finding{Kind: action.Gap, Period: "2024"}
				}
				e, err := effect.Evaluate(months, a, effect.Options{})
				if err != nil {
					t.Fatal(err)
				}
				if e.Demonstrated {
					found++
				}
				if e.Verdict == effect.Smaller {
					naive++
				}
			}
			t.Logf("of %d worlds without an effect %.1f %% have the verdict smaller, %.1f %% count as demonstrated",
				worlds, 100*float64(naive)/worlds, 100*float64(found)/worlds)
			const most = 0.025
			if share := float64(found) / worlds; share > most+3*math.Sqrt(most*(1-most)/worlds) {
				t.Errorf("%.3f count as demonstrated", share)
			}
		})
	}
}

// worstOf is the code of the group with the lowest share over some months.
func worstOf(months []measure.Result) string {
	events := map[string]float64{}
	for _, r := range months {
		for _, s := range r.Groups[0].Strata["language"][:8] {
			events[s.Code] += s.Populations[measure.Numerator]
		}
	}
	worst := ""
	for _, s := range months[0].Groups[0].Strata["language"][:8] {
		if worst == "" || events[s.Code] < events[worst] {
			worst = s.Code
		}
	}
	return worst
}

// TestAnEffectIsFoundWhereThereIsOne is the other side: a gap of 20 in 100 that is halved.
func TestAnEffectIsFoundWhereThereIsOne(t *testing.T) {
	t.Parallel()
	const worlds = 40
	found := 0
	for n := range worlds {
		w := share(people{"es", 100, 0.50, 0.60}, people{"en", 400, 0.70, 0.70}, people{"zh", 100, 0.65, 0.65})
		w.dice = dice(uint64(n) + 77)
		if evaluate(t, w, anAction("es")).Demonstrated {
			found++
		}
	}
	t.Logf("a gap that was halved is demonstrated in %.1f %% of %d worlds", 100*float64(found)/worlds, worlds)
	if found < worlds*9/10 {
		t.Errorf("a gap that was halved is demonstrated in %d of %d worlds", found, worlds)
	}
}
