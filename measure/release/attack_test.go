package release_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/release"
)

// attacker knows every figure that was published, every definition, and how strata add up. It narrows
// what each hidden count can be, sum by sum, until nothing moves.
type attacker struct {
	lo, hi, truth map[string]float64
	sums          []equation
}

type equation struct {
	whole string
	parts []string
}

func newAttacker() *attacker {
	return &attacker{lo: map[string]float64{}, hi: map[string]float64{}, truth: map[string]float64{}}
}

// learn notes a count; published is absent where it is hidden.
func (a *attacker) learn(name string, truth float64, published *float64) {
	if _, ok := a.truth[name]; !ok {
		a.truth[name], a.lo[name], a.hi[name] = truth, 0, math.Inf(1)
	}
	if published != nil {
		a.lo[name], a.hi[name] = *published, *published
	}
}

func (a *attacker) add(whole string, parts ...string) {
	a.sums = append(a.sums, equation{whole, parts})
}

// narrow runs to the fixed point.
func (a *attacker) narrow() {
	for moved := true; moved; {
		moved = false
		tighten := func(name string, lo, hi float64) {
			if lo > a.lo[name]+1e-9 {
				a.lo[name], moved = lo, true
			}
			if hi < a.hi[name]-1e-9 {
				a.hi[name], moved = hi, true
			}
		}
		for _, e := range a.sums {
			lo, hi := 0.0, 0.0
			for _, part := range e.parts {
				lo += a.lo[part]
				hi += a.hi[part]
			}
			tighten(e.whole, lo, hi)
			for _, part := range e.parts {
				others := math.Inf(1)
				if !math.IsInf(hi, 1) {
					others = hi - a.hi[part]
				}
				least := math.Inf(-1)
				if !math.IsInf(others, 1) {
					least = a.lo[e.whole] - others
				}
				tighten(part, least, a.hi[e.whole]-(lo-a.lo[part]))
			}
		}
	}
}

// derived lists the small counts that it can tell to be small, or to the person.
func (a *attacker) derived() (found []string, attacked int) {
	for name, truth := range a.truth {
		if truth < 1 || truth > 10 {
			continue
		}
		attacked++
		if a.hi[name] < 11 || a.hi[name] == a.lo[name] {
			found = append(found, fmt.Sprintf("%s is within %g to %g", name, a.lo[name], a.hi[name]))
		}
	}
	return found, attacked
}

// names gives the counts of a rate the same name in every measure that counts the same.
func names(d measure.Definition, rate measure.GroupDefinition) map[measure.Population]string {
	initial := fmt.Sprint(d.Unit, d.DatedBy, rate.Populations[measure.InitialPopulation])
	whole := initial + "|" + rate.Populations[measure.Denominator] +
		rate.Populations[measure.MeasurePopulation] + d.Observe[measure.Denominator]
	own := d.ID + rate.ID
	return map[measure.Population]string{
		measure.InitialPopulation: initial, measure.Denominator: whole, measure.MeasurePopulation: whole,
		measure.DenominatorExclusion: own + "|x", measure.MeasureExclusion: own + "|x",
		measure.Numerator: own + "|n", "left": own + "|left",
	}
}

// stratum names a stratum, with the parts of a cross in one order.
func stratum(by string, policy mapping.Policy, s measure.Stratum) string {
	parts := s.Components
	if len(parts) == 0 {
		parts = []measure.Component{{Dimension: by, Coding: s.Coding}}
	}
	texts := make([]string, len(parts))
	for i, c := range parts {
		texts[i] = c.Dimension + "=" + c.Code + c.State
		if policy != "" {
			texts[i] += "@" + string(policy)
		}
	}
	slices.Sort(texts)
	return strings.Join(texts, " ")
}

// study takes in one rate: what is true of it, and what was published.
func (a *attacker) study(
	d measure.Definition, rate measure.GroupDefinition, truth, published measure.Group,
	policy mapping.Policy,
) {
	of := names(d, rate)
	at := func(p measure.Population, where string) string { return of[p] + "@" + where }
	note := func(where string, t measure.Cell, known *measure.Cell) {
		for p, v := range t.Populations {
			var shown *float64
			if known != nil {
				if seen, ok := known.Populations[p]; ok {
					shown = &seen
				}
			}
			a.learn(at(p, where), v, shown)
		}
		if d.Scoring == measure.Proportion {
			left := t.Populations[measure.Denominator] - t.Populations[measure.DenominatorExclusion] -
				t.Populations[measure.Numerator]
			a.learn(at("left", where), left, nil)
			a.add(at(measure.Denominator, where), at(measure.DenominatorExclusion, where),
				at(measure.Numerator, where), at("left", where))
		}
	}
	note("all", truth.Cell, &published.Cell)
	for by, strata := range truth.Strata {
		shown := map[string]*measure.Cell{}
		for i := range published.Strata[by] {
			shown[stratum(by, policy, published.Strata[by][i])] = &published.Strata[by][i].Cell
		}
		sums := map[string][]string{}
		for _, s := range strata {
			where := stratum(by, policy, s)
			note(where, s.Cell, shown[where])
			coarser := []string{"all"}
			for i := range s.Components {
				rest := s
				rest.Components = slices.Delete(slices.Clone(s.Components), i, i+1)
				coarser = append(coarser, stratum(by, policy, rest))
			}
			if slices.Contains(truth.Overlapping, by) {
				continue
			}
			for j, whole := range coarser {
				if j == 0 && len(s.Components) > 0 {
					continue // A cross adds up to what is next to it.
				}
				key := fmt.Sprint(j, whole)
				sums[key] = append(sums[key], where)
			}
		}
		for key, parts := range sums {
			whole := strings.TrimLeft(key, "0123456789 ")
			for _, p := range append(slices.Collect(keys(truth.Populations)), "left") {
				if p == "left" && d.Scoring != measure.Proportion {
					continue
				}
				cells := make([]string, len(parts))
				for i, part := range parts {
					cells[i] = at(p, part)
				}
				a.add(at(p, whole), cells...)
			}
		}
	}
}

func keys(m map[measure.Population]float64) func(func(measure.Population) bool) {
	return func(yield func(measure.Population) bool) {
		for p := range m {
			if !yield(p) {
				return
			}
		}
	}
}

// TestNothingSmallCanBeDerivedFromARelease asks for everything that is released of a year, of every
// measure, and attacks all of it at once.
func TestNothingSmallCanBeDerivedFromARelease(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		change func(*release.Config)
		by     []string
		// measures are all if it is empty.
		measures []string
	}{
		{"single dimensions", nil, nil, nil},
		{"a cross", func(c *release.Config) { c.Cross = "race*language" }, []string{"race*language"}, few()},
		{"a cross of three", func(c *release.Config) { c.Cross = "ethnicity*sex*age_band" },
			[]string{"ethnicity*sex*age_band", "ethnicity*sex", "sex*age_band", "ethnicity*age_band"}, few()},
		{"overlapping policies", func(c *release.Config) {
			c.Policies = []mapping.Policy{mapping.PolicyAlone, mapping.PolicySPD15}
		}, nil, few()},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := shared(t, c.measures...)
			d := desk(t, entries(t), c.change)
			a, open := newAttacker(), newAttacker()
			shown, hidden, measures := 0, 0, 0
			policies := []mapping.Policy{""}
			if strings.Contains(c.name, "policies") {
				policies = append(policies, mapping.PolicyAlone, mapping.PolicySPD15)
			}
			for _, definition := range e.Definitions() {
				for _, policy := range policies {
					by := slices.Concat(measure.Dimensions(), c.by)
					if policy != "" {
						by = []string{"race", "race_ethnicity"}
					}
					asked := measure.Question{
						Measure: definition.ID, Period: period(t, "2025"), By: by, Policy: policy,
					}
					published, err := d.Answer(t.Context(), e, asked, release.Public)
					if err != nil {
						t.Logf("withheld: %v", err)
						continue
					}
					measures++
					truth, err := e.Evaluate(t.Context(), asked)
					if err != nil {
						t.Fatal(err)
					}
					for i, rate := range definition.Rates() {
						a.study(definition, rate, truth.Groups[i], published.Groups[i], policy)
						open.study(definition, rate, truth.Groups[i], primary(truth.Groups[i]), policy)
						for _, strata := range published.Groups[i].Strata {
							for _, s := range strata {
								if s.Suppressed {
									hidden++
								} else {
									shown++
								}
							}
						}
					}
				}
			}
			if measures < 1 || shown == 0 {
				t.Fatalf("%d results and %d whole strata were released; that is no test", measures, shown)
			}
			a.narrow()
			found, attacked := a.derived()
			slices.Sort(found)
			for _, text := range found[:min(len(found), 20)] {
				t.Error(text)
			}
			open.narrow()
			control, _ := open.derived()
			t.Logf("%d small counts attacked, %d derived; %d strata shown whole, %d not; with small counts "+
				"alone hidden %d are derived", attacked, len(found), shown, hidden, len(control))
			if len(control) == 0 {
				t.Error("the attacker derives nothing where only small counts are hidden: it is no attacker")
			}
		})
	}
}

// primary hides small counts, and nothing to cover them.
func primary(g measure.Group) measure.Group {
	hide := func(c measure.Cell) measure.Cell {
		populations := map[measure.Population]float64{}
		for p, v := range c.Populations {
			if v < 1 || v > 10 {
				populations[p] = v
			}
		}
		c.Populations = populations
		return c
	}
	g.Cell = hide(g.Cell)
	strata := map[string][]measure.Stratum{}
	for by, all := range g.Strata {
		for _, s := range all {
			s.Cell = hide(s.Cell)
			strata[by] = append(strata[by], s)
		}
	}
	g.Strata = strata
	return g
}
