package effect_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/effect"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
)

func period(t testing.TB, text string) measure.Period {
	t.Helper()
	p, err := measure.ParsePeriod(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// held reports, for a day and a site, whether a condition holds: the definition, word by word.
func held(conditions []action.Condition, day, site string) bool {
	for _, c := range conditions {
		if !c.Withdrawn && (c.Site == "" || c.Site == site) && c.Start <= day && (c.End == "" || day <= c.End) {
			return true
		}
	}
	return false
}

// naiveSplit asks for each day and each site by itself.
func naiveSplit(
	t *testing.T, e *measure.Engine, q measure.Question, conditions []action.Condition,
) (inside, outside map[string]effect.Side) {
	t.Helper()
	inside, outside = map[string]effect.Side{}, map[string]effect.Side{}
	whole, end := q.Period.Start, q.Period.End
	for day := whole; !day.After(end); day = day.AddDate(0, 0, 1) {
		// A run of days on which the same holds is asked for at once.
		last := day
		for next := last.AddDate(0, 0, 1); !next.After(end) && sameDays(conditions, day, next); next = last.AddDate(0, 0, 1) {
			last = next
		}
		for _, site := range []string{"H1", "H2", "H3"} {
			part := q
			part.Period = measure.Period{Start: day, End: last}
			part.Where = measure.Filter{mapping.DimensionSite: {site}}
			r, err := e.Evaluate(t.Context(), part)
			if err != nil {
				t.Fatal(err)
			}
			to := outside
			if held(conditions, day.Format(time.DateOnly), site) {
				to = inside
			}
			for _, s := range r.Groups[0].Strata[q.By[0]] {
				to[s.Code+s.State] = sumOf(to[s.Code+s.State], r.Groups[0], s.Cell)
			}
			to["all"] = sumOf(to["all"], r.Groups[0], r.Groups[0].Cell)
		}
		day = last
	}
	return inside, outside
}

func sameDays(conditions []action.Condition, a, b time.Time) bool {
	for _, site := range []string{"H1", "H2", "H3"} {
		if held(conditions, a.Format(time.DateOnly), site) != held(conditions, b.Format(time.DateOnly), site) {
			return false
		}
	}
	return true
}

// sumOf adds up units and events.
func sumOf(s effect.Side, g measure.Group, c measure.Cell) effect.Side {
	p := c.Populations
	if g.Scoring == measure.ContinuousVariable {
		s.N += p[measure.MeasurePopulation] - p[measure.MeasureExclusion]
		return s
	}
	events := p[measure.Numerator] - p[measure.NumeratorExclusion]
	if s.Events != nil {
		events += *s.Events
	}
	s.Events = &events
	s.N += p[measure.Denominator] - p[measure.DenominatorExclusion] - p[measure.DenominatorException]
	return s
}

// TestInsideAndOutsideAddUpToTheWhole holds every measure that can be divided by day against a naive
// division by day and site, with random conditions.
func TestInsideAndOutsideAddUpToTheWhole(t *testing.T) {
	t.Parallel()
	d := dice(41)
	e := engine(t, cohort(d))
	// Four months of figures; conditions in and around them.
	q := measure.Question{Period: period(t, "2026-01-10/2026-04-20"), By: []string{mapping.DimensionLanguage}}
	for round, conditions := range [][]action.Condition{randomConditions(d), randomConditions(d)} {
		for _, definition := range shipped(t) {
			// Those that are counted alike take turns.
			if definition.Unit == measure.PatientUnit || (len(definition.ID)+round)%2 == 0 {
				continue
			}
			q := q
			q.Measure = definition.ID
			t.Run(fmt.Sprint(definition.ID, " ", round), func(t *testing.T) {
				t.Parallel()
				split := effect.Split{Definition: definition, Question: q, Reference: gap.Largest,
					Conditions: conditions}
				c, err := effect.InsideOutside(t.Context(), e.Evaluate, split)
				if err != nil {
					t.Fatal(err)
				}
				wantIn, wantOut := naiveSplit(t, e, q, conditions)
				whole, err := e.Evaluate(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				checkBeside(t, c.All, wantIn["all"], wantOut["all"])
				for _, b := range c.Groups {
					checkBeside(t, b, wantIn[b.Code+b.State], wantOut[b.Code+b.State])
				}
				if len(c.Groups) != len(whole.Groups[0].Strata[mapping.DimensionLanguage]) {
					t.Errorf("%d groups of %d", len(c.Groups), len(whole.Groups[0].Strata[mapping.DimensionLanguage]))
				}
				all := sumOf(effect.Side{}, whole.Groups[0], whole.Groups[0].Cell)
				if sum := c.All.Inside.N + c.All.Outside.N; sum != all.N {
					t.Errorf("%g inside and %g outside, the whole has %g", c.All.Inside.N, c.All.Outside.N, all.N)
				}
			})
		}
	}
}

// checkBeside compares counts.
func checkBeside(t *testing.T, b effect.Beside, inside, outside effect.Side) {
	t.Helper()
	for _, one := range []struct {
		name      string
		got, want effect.Side
	}{{"inside", b.Inside, inside}, {"outside", b.Outside, outside}} {
		if one.want.Events == nil && one.got.Events != nil {
			zero := 0.0
			one.want.Events = &zero // It was never there.
		}
		ignore := cmpopts.IgnoreFields(effect.Side{}, "Score", "Interval")
		if diff := cmp.Diff(one.want, one.got, ignore); diff != "" {
			t.Errorf("%s %s (-naive +got):\n%s", b.Label, one.name, diff)
		}
	}
}

func randomConditions(d *rand.Rand) []action.Condition {
	out := []action.Condition{{ID: "c-0", Start: "2026-02-05", End: "2026-02-09"}}
	for i := range 1 + d.IntN(3) {
		start := time.Date(2026, 1, 1+d.IntN(110), 0, 0, 0, 0, time.UTC)
		c := action.Condition{ID: fmt.Sprint("c-", i+1), Start: start.Format(time.DateOnly),
			End:  start.AddDate(0, 0, d.IntN(30)).Format(time.DateOnly),
			Site: []string{"", "H1", "H2"}[d.IntN(3)], Withdrawn: d.IntN(5) == 0}
		if c.Site != "" && d.IntN(4) == 0 {
			c.End = ""
		}
		out = append(out, c)
	}
	return out
}

// fixed answers with counts by site and day: each day of each site has 10 units of each group, of which
// inside of the conditions 2 have the event and outside 6 of "es", always 7 of "en".
func fixed(conditions []action.Condition) effect.Ask {
	return func(_ context.Context, q measure.Question) (measure.Result, error) {
		sites := q.Where[mapping.DimensionSite]
		if len(sites) == 0 {
			sites = []string{"H1", "H2", "H3"}
		}
		g := measure.Group{ID: "main", Title: "Good talks", Scoring: measure.Proportion,
			Improvement: measure.Increase, Per: 1}
		var strata []measure.Stratum
		for _, code := range []string{"es", "en"} {
			n, x := 0.0, 0.0
			for day := q.Period.Start; !day.After(q.Period.End); day = day.AddDate(0, 0, 1) {
				for _, site := range sites {
					n += 10
					switch {
					case code == "en":
						x += 7
					case held(conditions, day.Format(time.DateOnly), site):
						x += 2
					default:
						x += 6
					}
				}
			}
			score := x / n
			strata = append(strata, measure.Stratum{Coding: measure.Coding{Code: code, Label: code, State: "known"},
				Cell: measure.Cell{Score: &score, Populations: map[measure.Population]float64{
					measure.Denominator: n, measure.Numerator: x, measure.InitialPopulation: n}}})
		}
		whole := 0.0
		events := 0.0
		for _, s := range strata {
			whole += s.Populations[measure.Denominator]
			events += s.Populations[measure.Numerator]
		}
		g.Cell = measure.Cell{Populations: map[measure.Population]float64{measure.Denominator: whole,
			measure.Numerator: events}}
		g.Strata = map[string][]measure.Stratum{mapping.DimensionLanguage: strata}
		return measure.Result{Measure: q.Measure, Version: "1.0.0", Snapshot: "s", Period: q.Period,
			Filter: q.Where, Groups: []measure.Group{g}}, nil
	}
}

func definition(unit measure.Unit) measure.Definition {
	return measure.Definition{ID: "m", Unit: unit, Scoring: measure.Proportion}
}

func TestFiguresInsideAndOutside(t *testing.T) {
	t.Parallel()
	conditions := []action.Condition{{ID: "c", Name: "Crisis", Start: "2026-01-11", End: "2026-01-20"}}
	q := measure.Question{Measure: "m", Period: period(t, "2026-01"), By: []string{mapping.DimensionLanguage}}
	c, err := effect.InsideOutside(t.Context(), fixed(conditions), effect.Split{
		Definition: definition(measure.EncounterUnit), Question: q, Conditions: conditions})
	if err != nil {
		t.Fatal(err)
	}
	if c.DaysInside != 10 || c.DaysOutside != 21 || c.Reference == nil || c.Reference.Code != "en" {
		t.Fatalf("%d days inside, %d outside, reference %+v", c.DaysInside, c.DaysOutside, c.Reference)
	}
	es := c.Groups[0]
	for name, one := range map[string][2]float64{
		"inside": {*es.Inside.Score, 0.2}, "outside": {*es.Outside.Score, 0.6},
		"difference": {es.Difference.Value, -0.4}, "gap inside": {es.GapInside.Difference, -0.5},
		"gap outside": {es.GapOutside.Difference, -0.1}, "change of the gap": {es.GapChange.Value, -0.4},
	} {
		if math.Abs(one[0]-one[1]) > 1e-12 {
			t.Errorf("%s is %g, want %g", name, one[0], one[1])
		}
	}
	if !es.GapChange.Clear || *es.P > 1e-9 || c.Groups[1].GapInside != nil || c.Groups[1].GapChange != nil {
		t.Errorf("es %+v\nen %+v", es, c.Groups[1])
	}
	want := []string{
		"all: 45.0 of 100 inside, 65.0 of 100 outside; more than chance would make of it.",
		"es: 20.0 of 100 inside, 60.0 of 100 outside; more than chance would make of it. Its gap to en is " +
			"larger inside: the difference of the two is 40.0 in 100 (95 % interval 31.0 to 48.3), more than chance " +
			"would make of it.",
		"en: 70.0 of 100 inside, 70.0 of 100 outside; chance alone can make such a difference.",
	}
	if diff := cmp.Diff(want, c.Sentences[:len(c.Sentences)-1]); diff != "" {
		t.Errorf("sentences (-want +got):\n%s", diff)
	}
}

func TestWhatCannotBeHeldInsideAgainstOutside(t *testing.T) {
	t.Parallel()
	over := []action.Condition{{ID: "c", Start: "2025-01-01"}}
	some := []action.Condition{{ID: "c", Start: "2026-01-11", End: "2026-01-20"}}
	atH2 := []action.Condition{{ID: "c", Start: "2026-01-11", End: "2026-01-20", Site: "H2"}}
	imported := definition(measure.EncounterUnit)
	imported.Imported = true
	tests := []struct {
		name       string
		in         measure.Definition
		conditions []action.Condition
		where      measure.Filter
		want       error
	}{
		{"a measure of patients", definition(measure.PatientUnit), some, nil, effect.ErrUnsplit},
		{"a measure of another engine", imported, some, nil, effect.ErrUnsplit},
		{"no condition", definition(measure.StayUnit), nil, nil, effect.ErrNoCondition},
		{"a condition of the whole period", definition(measure.StayUnit), over, nil, effect.ErrNoCondition},
		{"a condition at a site that was not asked for", definition(measure.StayUnit), atH2,
			measure.Filter{mapping.DimensionSite: {"H1"}}, effect.ErrNoCondition},
		{"a withdrawn one", definition(measure.StayUnit), []action.Condition{{ID: "c", Start: "2026-01-11",
			Withdrawn: true}}, nil, effect.ErrNoCondition},
		{"one that is over", definition(measure.StayUnit), []action.Condition{{ID: "c", Start: "2025-01-11",
			End: "2025-12-31"}}, nil, effect.ErrNoCondition},
		{"some days", definition(measure.EventUnit), some, nil, nil},
		{"some days at a site", definition(measure.EventUnit), atH2, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			q := measure.Question{Measure: "m", Period: period(t, "2026-01"), By: []string{mapping.DimensionLanguage},
				Where: tt.where}
			_, err := effect.InsideOutside(t.Context(), fixed(tt.conditions), effect.Split{Definition: tt.in,
				Question: q, Conditions: tt.conditions})
			if !errors.Is(err, tt.want) {
				t.Errorf("InsideOutside = %v, want %v", err, tt.want)
			}
		})
	}
}

func TestFiguresOfTwoSnapshotsAreNotMixed(t *testing.T) {
	t.Parallel()
	conditions := []action.Condition{{ID: "c", Start: "2026-01-11", End: "2026-01-20"}}
	asked := 0
	ask := func(ctx context.Context, q measure.Question) (measure.Result, error) {
		r, err := fixed(conditions)(ctx, q)
		asked++
		r.Snapshot = fmt.Sprint(asked)
		return r, err
	}
	q := measure.Question{Measure: "m", Period: period(t, "2026-01"), By: []string{mapping.DimensionLanguage}}
	_, err := effect.InsideOutside(t.Context(), ask, effect.Split{Definition: definition(measure.StayUnit),
		Question: q, Conditions: conditions})
	if !errors.Is(err, effect.ErrMoved) {
		t.Errorf("InsideOutside = %v, want ErrMoved", err)
	}
}

func TestAimCheck(t *testing.T) {
	t.Parallel()
	check := effect.AimCheck(shipped(t))
	valid := action.Aim{Measure: "readmission-30-day", Dimension: "language", Groups: []string{"es", "zh"},
		Reference: "en"}
	high, negative := 1.2, -1.0
	tests := []struct {
		name string
		in   func(*action.Aim)
		ok   bool
	}{
		{"as it is", func(*action.Aim) {}, true},
		{"the best as reference", func(a *action.Aim) { a.Reference = "best" }, true},
		{"no reference", func(a *action.Aim) { a.Reference = "" }, true},
		{"a rate of several", func(a *action.Aim) { a.Measure, a.Rate = "inequity-factor-captured", "yes" }, true},
		{"an age band", func(a *action.Aim) { a.Dimension, a.Groups, a.Reference = "age_band", []string{"75-84"}, "18-44" },
			true},
		{"a measure that is not there", func(a *action.Aim) { a.Measure = "m" }, false},
		{"a rate that is not there", func(a *action.Aim) { a.Rate = "yes" }, false},
		{"a dimension that is none", func(a *action.Aim) { a.Dimension = "income" }, false},
		{"a cross", func(a *action.Aim) { a.Dimension = "race*sex" }, false},
		{"groups of another dimension", func(a *action.Aim) { a.Dimension = "race" }, false},
		{"a reference of another dimension", func(a *action.Aim) { a.Reference = "2054-5" }, false},
		{"a rate that is about the dimension", func(a *action.Aim) { a.Measure, a.Rate = "real-completeness", "language" }, false},
		{"a measure that is about the dimension", func(a *action.Aim) { a.Measure = "language-recorded" }, false},
		{"a share above 1", func(a *action.Aim) { a.Target = &high }, false},
		{"a target below 0", func(a *action.Aim) { a.Measure, a.Target = "length-of-stay", &negative }, false},
		{"a median of 1.2 days", func(a *action.Aim) { a.Measure, a.Target = "length-of-stay", &high }, true},
		{"sites at sites", func(a *action.Aim) {
			a.Dimension, a.Groups, a.Reference, a.Sites = "site", []string{"H1"}, "", []string{"H2"}
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := valid
			a.Groups = slices.Clone(valid.Groups)
			tt.in(&a)
			if err := check(a); (err == nil) != tt.ok {
				t.Errorf("check(%+v) = %v", a, err)
			}
		})
	}
}

func TestQuestionOfAnAction(t *testing.T) {
	t.Parallel()
	a := anAction("es")
	a.Start, a.Aim.Sites = "2025-03-15", []string{"H1"}
	tests := []struct {
		name   string
		months int
		asOf   string
		want   string
	}{
		{"two years before, to the month of the data", 0, "2026-01-20", "2023-03-01/2026-01-31"},
		{"half a year before", 6, "2026-01-20", "2024-09-01/2026-01-31"},
		{"data from before it began", 6, "2025-01-20", "2024-09-01/2025-02-28"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			asOf, err := time.Parse(time.DateOnly, tt.asOf)
			if err != nil {
				t.Fatal(err)
			}
			q, err := effect.Question(a, tt.months, asOf)
			if err != nil || q.Period.String() != tt.want || !slices.Equal(q.Where["site"], []string{"H1"}) {
				t.Errorf("Question = %s %v, %v; want %s", q.Period, q.Where, err, tt.want)
			}
		})
	}
}

// TestEngineAnswersTheQuestionOfAnAction goes the whole way, with the real engine.
func TestEngineAnswersTheQuestionOfAnAction(t *testing.T) {
	t.Parallel()
	e := engine(t, cohort(dice(43)))
	for _, id := range []string{"ed-stay-over-8h", "harm-per-1000-days", "length-of-stay", "reporting-ratio"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			a := anAction("es")
			a.Aim.Measure, a.Start, a.Aim.Sites = id, "2026-03-01", []string{"H1", "H2"}
			q, err := effect.Question(a, 3, time.Date(2026, 4, 30, 12, 0, 0, 0, time.UTC))
			if err != nil {
				t.Fatal(err)
			}
			months, err := e.Months(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			got, err := effect.Evaluate(months, a, effect.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got.Verdict != effect.TooEarly || got.Before.Months != 2 || got.After.Months != 2 ||
				got.Target.Label != "Spanish" {
				t.Errorf("%s of %d and %d months: %s", got.Verdict, got.Before.Months, got.After.Months, got.Sentence)
			}
		})
	}
}
