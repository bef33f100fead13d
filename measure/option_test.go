package measure_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/store/facts"
	"github.com/equitylens/equitylens/store/facts/factstest"
)

// policy is one of the four, or none.
func (d draw) policy() mapping.Policy { return pick(d, append(mapping.Policies(), "")...) }

// cross is up to three dimensions that a policy lets be crossed, the recorded sets among them.
func (d draw) cross(policy mapping.Policy) string {
	for {
		all := append(measure.Dimensions(), measure.DimensionRaceSet, measure.DimensionSPD15Set)
		d.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		parts := all[:1+d.IntN(3)]
		both := slices.Contains(parts, "race_ethnicity")
		if policy == mapping.PolicyNCQA && both || overlaps([]string{"race"}, policy) && both &&
			slices.Contains(parts, "race") {
			continue
		}
		return measure.Stratifier(parts).String()
	}
}

// filter keeps some of what occurs, by one dimension to three.
func (d draw) filter(policy mapping.Policy) measure.Filter {
	values := map[string][]string{
		"race":           {"2106-3", "2054-5", "2028-9", "~asked-declined", "~missing", "~unmapped"},
		"race_ethnicity": {"2106-3", "2054-5", "2135-2", "~conflicting", "~missing", "~unknown"},
		"ethnicity":      {"2135-2", "2186-5", "~missing"},
		"language":       {"en", "es", "ase", "~unknown"}, "language_group": {"spanish", "other", "~text-only"},
		"interpreter_need": {"yes", "no", "~missing"}, "sex": {"female", "male", "~missing"},
		"age_band": {"18-44", "65-74", "85+", "~unknown"}, "site": {"H1", "H2", "~missing", "~text-only"},
		measure.FilterPractitioner: {"d1", "d2"},
	}
	if policy == mapping.PolicyNCQA {
		delete(values, "race_ethnicity")
	}
	keys := slices.Sorted(func(yield func(string) bool) {
		for key := range values {
			if !yield(key) {
				return
			}
		}
	})
	out := measure.Filter{}
	for range 1 + d.IntN(2) {
		key := pick(d, keys...)
		list := slices.Clone(values[key])
		d.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		out[key] = list[:1+d.IntN(len(list))]
	}
	return out
}

// people are some patients, retired and absent ones among them.
func (d draw) people(n int) []phi.ID {
	ids := []phi.ID{phi.New("gone0"), phi.New("nobody"), phi.New("it's not an id")}
	for range d.IntN(n) {
		ids = append(ids, phi.New(fmt.Sprint("p", d.IntN(n))))
	}
	return ids
}

// question asks for anything that can be asked of a measure.
func (d draw) question(id string, patients int) measure.Question {
	q := measure.Question{Measure: id, Period: d.period(), Policy: d.policy()}
	for range d.IntN(3) {
		if by := d.cross(q.Policy); !slices.Contains(q.By, by) {
			q.By = append(q.By, by)
		}
	}
	if d.oneIn(2) {
		q.Where = d.filter(q.Policy)
	}
	if d.oneIn(3) {
		q.People = d.people(patients)
	}
	q.Bounds = d.oneIn(3)
	return q
}

// loaded is a random cohort in a store, and an engine on it.
func loaded(t *testing.T, d draw) (*world, *measure.Engine) {
	t.Helper()
	w := d.cohort()
	asOf := pick(d, d.start().AddDate(0, 2, 0), time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC))
	w.asOf = dayOf(asOf)
	loads := factstest.Full(factstest.Source)
	for i := range loads {
		loads[i].TransactionTime = asOf
	}
	dir := factstest.Open(t)
	factstest.Load(t, dir, factstest.Batch{Patients: w.patients, Encounters: w.encounters,
		Events: w.events, Merge: facts.Merge{Loads: loads}})
	return w, measure.NewEngine(factstest.Current(t, dir), slices.Concat(shipped(t), own(t)))
}

// TestEngineAgreesUnderEveryOption holds policies, crosses of three, filters, people, bounds, months,
// members and imports against the naive evaluation, and against one another.
func TestEngineAgreesUnderEveryOption(t *testing.T) {
	t.Parallel()
	cohorts := uint64(4)
	if testing.Short() {
		cohorts = 1
	}
	for seed := range cohorts {
		t.Run(fmt.Sprint("cohort ", seed), func(t *testing.T) {
			t.Parallel()
			d := newDraw(100 + seed)
			w, engine := loaded(t, d)
			for _, definition := range engine.Definitions() {
				agreeOn(t, engine, w, definition, d.question(definition.ID, len(w.patients)))
				agreeOn(t, engine, w, definition, d.question(definition.ID, len(w.patients)))
				q := d.question(definition.ID, len(w.patients))
				agreeByMonth(t, engine, w, definition, q)
				membersCountUp(t, engine, &definition, q)
				q.Where, q.People = nil, nil
				importsAgree(t, engine, &definition, q)
			}
		})
	}
}

func agreeByMonth(
	t *testing.T, engine *measure.Engine, w *world, d measure.Definition, q measure.Question,
) {
	t.Helper()
	results, err := engine.Months(t.Context(), q)
	if err != nil {
		t.Fatalf("%s: %v", describe(q), err)
	}
	periods := naiveMonths(q.Period)
	if len(results) != len(periods) {
		t.Fatalf("%s: %d months, want %d", q.Period, len(results), len(periods))
	}
	for i, result := range results {
		if result.Period != periods[i] {
			t.Fatalf("month %d of %s is %s, want %s", i, q.Period, result.Period, periods[i])
		}
		if i%4 != 0 && d.Unit == measure.PatientUnit {
			continue // The naive evaluation of patients looks at everything for each.
		}
		month := q
		month.Period = periods[i]
		agreeWith(t, result, w, d, month)
	}
}

// membersCountUp adds up members to what Evaluate answers.
func membersCountUp(t *testing.T, engine *measure.Engine, d *measure.Definition, q measure.Question) {
	t.Helper()
	result, err := engine.Evaluate(t.Context(), q)
	if err != nil {
		t.Fatalf("%s: %v", describe(q), err)
	}
	type cells map[measure.Population]float64
	groups := make([]cells, len(result.Groups))
	strata := map[string]cells{}
	add := func(to cells, r measure.MemberRate) {
		for _, p := range r.In {
			of := p
			switch p {
			case measure.DenominatorExclusion:
				of = measure.Denominator
			case measure.NumeratorExclusion:
				of = measure.Numerator
			default:
			}
			if _, observes := d.Observe[of]; observes && d.Scoring == measure.Ratio {
				to[p] += r.Observed[of]
			} else {
				to[p]++
			}
		}
	}
	before := ""
	err = engine.Members(t.Context(), q, func(m measure.Member) error {
		if order := m.Patient.Reveal() + "\x00" + m.Unit.Reveal(); order <= before {
			t.Errorf("%s: members are not in order", describe(q))
		} else {
			before = order
		}
		for g, r := range m.Rates {
			if groups[g] == nil {
				groups[g] = cells{}
			}
			add(groups[g], r)
			for _, by := range q.By {
				if s, _ := measure.ParseStratifier(by); len(s) == 1 {
					for _, c := range m.Strata[by] {
						key := fmt.Sprint(g, by, c.State, c.Code)
						if strata[key] == nil {
							strata[key] = cells{}
						}
						add(strata[key], r)
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%s: %v", describe(q), err)
	}
	compare := func(name string, got cells, want map[measure.Population]float64) {
		all := cells{}
		for p := range want {
			all[p] = got[p]
		}
		if diff := cmp.Diff(cells(want), all, digits); diff != "" {
			t.Errorf("%s, %s: members (-evaluated +members):\n%s", describe(q), name, diff)
		}
	}
	for g, group := range result.Groups {
		compare(group.ID, groups[g], group.Populations)
		for by, list := range group.Strata {
			for _, s := range list {
				if s.Components == nil {
					key := fmt.Sprint(g, by, s.State, s.Code)
					compare(key, strata[key], s.Populations)
				}
			}
		}
	}
}

// importsAgree brings the members of a measure in again, as another engine would, and asks for the
// same figures.
func importsAgree(t *testing.T, engine *measure.Engine, d *measure.Definition, q measure.Question) {
	t.Helper()
	in := measure.Import{Measure: d.ID, Version: d.Version, Title: d.Title, Scoring: d.Scoring,
		Improvement: d.Improvement, Unit: d.Unit, Period: q.Period}
	for _, rate := range d.Rates() {
		in.Rates = append(in.Rates, measure.GroupDefinition{ID: rate.ID, Title: rate.Title,
			Improvement: rate.Improvement})
	}
	all := measure.Question{Measure: d.ID, Period: q.Period, By: []string{"sex"}}
	err := engine.Members(t.Context(), all, func(m measure.Member) error {
		for _, r := range m.Rates {
			in.Members = append(in.Members, measure.ImportedMember{Patient: m.Patient, Unit: m.Unit,
				Rate: r.ID, In: r.In, Observed: r.Observed})
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%s: %v", describe(all), err)
	}
	q.Where = measure.Filter{"sex": {"female"}}
	want, err := engine.Evaluate(t.Context(), q)
	if err != nil {
		t.Fatalf("%s: %v", describe(q), err)
	}
	q.Measure += "-imported"
	got, err := engine.WithImports([]measure.Import{in}).Evaluate(t.Context(), q)
	if err != nil {
		t.Fatalf("%s: %v", describe(q), err)
	}
	if len(in.Members) == 0 {
		return // Without one member nothing says which populations there are.
	}
	// Another engine says neither what its scale is nor what it looks at besides.
	var opts cmp.Options
	opts = append(opts, digits, cmpopts.EquateEmpty(),
		cmpopts.IgnoreFields(measure.Result{}, "Measure"),
		cmpopts.IgnoreFields(measure.Group{}, "Undated", "NotBy", "Per", "Aggregate"))
	if d.Per > 1 || d.Aggregate != "" || d.Above != nil {
		opts = append(opts, cmpopts.IgnoreFields(measure.Cell{}, "Score", "Interval", "Statistics"),
			cmpopts.IgnoreFields(measure.Stratum{}, "Bounds", "IfUnknown"))
	}
	if diff := cmp.Diff(onlyDefined(want), onlyDefined(got), opts...); diff != "" {
		t.Errorf("%s (-own +imported):\n%s", describe(q), diff)
	}
}

// onlyDefined leaves out populations of which there is nothing: an import does not know of a
// population that nobody is in.
func onlyDefined(r measure.Result) measure.Result {
	clean := func(c *measure.Cell) {
		kept := map[measure.Population]float64{}
		for p, n := range c.Populations {
			if n != 0 {
				kept[p] = n
			}
		}
		c.Populations = kept
	}
	for g := range r.Groups {
		clean(&r.Groups[g].Cell)
		for _, list := range r.Groups[g].Strata {
			for i := range list {
				clean(&list[i].Cell)
			}
		}
	}
	return r
}
