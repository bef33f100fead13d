package effect_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/effect"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
)

// TestVerdictInWorldsOfWhichTheTruthIsKnown gives as many events as are expected, so that the verdict is
// that of the truth.
func TestVerdictInWorldsOfWhichTheTruthIsKnown(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		in           world
		want         effect.Verdict
		demonstrated bool
		missing      []effect.Requirement
	}{
		{"the gap is halved", share(people{"es", 200, 0.40, 0.55}, people{"en", 600, 0.70, 0.70},
			people{"zh", 200, 0.60, 0.60}), effect.Smaller, true, nil},
		{"nothing happens", share(people{"es", 200, 0.40, 0.40}, people{"en", 600, 0.70, 0.70},
			people{"zh", 200, 0.60, 0.60}), effect.NoChangeShown, false,
			[]effect.Requirement{effect.NeedsVerdict, effect.NeedsBetter, effect.NeedsComparison}},
		{"everybody gets better by the same", share(people{"es", 200, 0.40, 0.50},
			people{"en", 600, 0.60, 0.70}, people{"zh", 200, 0.50, 0.60}), effect.EverybodyMoved, false,
			[]effect.Requirement{effect.NeedsVerdict, effect.NeedsComparison}},
		{"everybody drifts upwards all the time", func() world {
			w := share(people{"es", 200, 0.40, 0.40}, people{"en", 600, 0.60, 0.60}, people{"zh", 200, 0.50, 0.50})
			w.drift = 0.005
			return w
		}(), effect.EverybodyMoved, false,
			[]effect.Requirement{effect.NeedsVerdict, effect.NeedsComparison}},
		{"the gap grows", share(people{"es", 200, 0.40, 0.30}, people{"en", 600, 0.70, 0.70},
			people{"zh", 200, 0.60, 0.60}), effect.Larger, false,
			[]effect.Requirement{effect.NeedsVerdict, effect.NeedsBetter}},
		{"the reference alone gets worse", share(people{"es", 200, 0.40, 0.40}, people{"en", 400, 0.70, 0.55},
			people{"zh", 3000, 0.60, 0.60}), effect.EverybodyMoved, false,
			[]effect.Requirement{effect.NeedsVerdict, effect.NeedsBetter, effect.NeedsComparison}},
		{"everybody else gets worse", share(people{"es", 200, 0.40, 0.40}, people{"en", 600, 0.70, 0.55},
			people{"zh", 200, 0.60, 0.45}), effect.Smaller, false, []effect.Requirement{effect.NeedsBetter}},
		{"the gap turns and is wider", share(people{"es", 300, 0.50, 0.80}, people{"en", 600, 0.60, 0.60},
			people{"zh", 200, 0.60, 0.60}), effect.Mixed, false, []effect.Requirement{effect.NeedsVerdict}},
		{"the difference is smaller and the ratio wider", world{scoring: measure.Proportion,
			improvement: measure.Decrease, before: 24, after: 12, groups: []people{
				{"es", 900, 0.40, 0.12}, {"en", 900, 0.20, 0.04}, {"zh", 900, 0.20, 0.04}}},
			effect.Mixed, false, []effect.Requirement{effect.NeedsVerdict}},
		{"a rate of harm falls for those who had more", world{scoring: measure.Ratio,
			improvement: measure.Decrease, before: 24, after: 12, groups: []people{
				{"es", 2000, 12, 6}, {"en", 9000, 6, 6}, {"zh", 2000, 7, 7}}}, effect.Smaller, true, nil},
		{"a median wait falls for those who waited longer", world{scoring: measure.ContinuousVariable,
			improvement: measure.Decrease, before: 24, after: 12, groups: []people{
				{"es", 90, 300, 210}, {"en", 200, 180, 180}, {"zh", 90, 200, 200}}}, effect.Smaller, true, nil},
		{"two months after", func() world {
			w := share(people{"es", 200, 0.40, 0.90}, people{"en", 600, 0.70, 0.70}, people{"zh", 200, 0.60, 0.60})
			w.after = 2
			return w
		}(), effect.TooEarly, false, []effect.Requirement{effect.NeedsVerdict, effect.NeedsMonths}},
		{"five months after", func() world {
			w := share(people{"es", 200, 0.40, 0.55}, people{"en", 600, 0.70, 0.70}, people{"zh", 200, 0.60, 0.60})
			w.after = 5
			return w
		}(), effect.Smaller, false, []effect.Requirement{effect.NeedsMonths}},
		{"hardly anybody", share(people{"es", 2, 0.50, 1}, people{"en", 600, 0.70, 0.70},
			people{"zh", 200, 0.60, 0.60}), effect.TooEarly, false, []effect.Requirement{effect.NeedsVerdict,
			effect.NeedsUnits}},
		{"no month after", func() world {
			w := share(people{"es", 200, 0.40, 0.55}, people{"en", 600, 0.70, 0.70}, people{"zh", 200, 0.60, 0.60})
			w.after = 0
			return w
		}(), effect.TooEarly, false, []effect.Requirement{effect.NeedsVerdict, effect.NeedsMonths,
			effect.NeedsUnits, effect.NeedsBehind, effect.NeedsBetter, effect.NeedsComparison}},
		{"a figure that is neither good nor bad", world{scoring: measure.Proportion,
			improvement: measure.Context, before: 24, after: 12, groups: []people{
				{"es", 200, 0.40, 0.55}, {"en", 600, 0.70, 0.70}, {"zh", 200, 0.60, 0.60}}}, effect.Smaller, false,
			[]effect.Requirement{effect.NeedsDirection, effect.NeedsBehind, effect.NeedsBetter}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := evaluate(t, tt.in, anAction("es"))
			if e.Verdict != tt.want || e.Demonstrated != tt.demonstrated {
				t.Errorf("verdict %s, demonstrated %v; want %s, %v\n%s", e.Verdict, e.Demonstrated, tt.want,
					tt.demonstrated, e.Sentence)
			}
			if diff := cmp.Diff(tt.missing, e.Missing, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("missing (-want +got):\n%s", diff)
			}
			for _, claim := range []string{"because", "due to", "thanks to", "caused", "led to", "effect of", "result of"} {
				if strings.Contains(e.Sentence, claim) {
					t.Errorf("the sentence claims a cause: %s", e.Sentence)
				}
			}
			if e.Verdict != effect.TooEarly && !strings.HasSuffix(e.Sentence, "This does not show that the action is why.") {
				t.Errorf("the sentence does not say what it does not show: %s", e.Sentence)
			}
		})
	}
}

// halved is a world in which an action helped.
func halved() world {
	return share(people{"es", 200, 0.40, 0.55}, people{"en", 600, 0.70, 0.70}, people{"zh", 200, 0.60, 0.60})
}

func TestFiguresOfAnEffect(t *testing.T) {
	t.Parallel()
	goal := 0.5
	a := anAction("es", "zh")
	a.Aim.Target = &goal
	e := evaluate(t, share(people{"es", 200, 0.40, 0.55}, people{"en", 600, 0.70, 0.71},
		people{"zh", 100, 0.60, 0.61}), a)
	near := func(name string, got *float64, want float64) {
		t.Helper()
		if got == nil || math.Abs(*got-want) > 1e-9 {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
	// The groups together: 200 of 40 % and 100 of 60 %, then 200 of 55 % and 100 of 61 %.
	near("target before", e.Target.Before.Score, 140.0/300)
	near("target after", e.Target.After.Score, 171.0/300)
	near("reference after", e.Gap.Other.After.Score, 0.71)
	near("gap before", &e.Gap.Before.Difference, 140.0/300-0.7)
	near("gap after", &e.Gap.After.Difference, 171.0/300-0.71)
	near("change of the gap", &e.Gap.Change.Value, 31.0/300-0.01)
	near("ratio of ratios", &e.Gap.RatioChange.Value, (171.0/300/0.71)/(140.0/300/0.7))
	if len(e.Groups) != 2 || e.Groups[0].Code != "es" || e.Groups[1].Code != "zh" {
		t.Fatalf("groups are %+v", e.Groups)
	}
	near("es after", e.Groups[0].After.Score, 0.55)
	if e.Groups[0].P == nil || *e.Groups[0].P > 1e-6 || *e.Groups[1].P < 0.05 {
		t.Errorf("p-values are %v and %v", e.Groups[0].P, e.Groups[1].P)
	}
	if e.Comparison.Other.Code != "en" || e.Comparison.Change.Value != e.Gap.Change.Value {
		t.Errorf("the one that is left is compared with: %+v", e.Comparison.Other)
	}
	if e.Reached == nil || !*e.Reached {
		t.Errorf("target reached = %v", e.Reached)
	}
	if diff := cmp.Diff(effect.Span{From: "2023-01", To: "2024-12", Months: 24}, e.Before); diff != "" {
		t.Errorf("before (-want +got):\n%s", diff)
	}
}

// TestMonthOfTheStartIsOnNeitherSide moves the start through a month, and lets the data end within one.
func TestMonthOfTheStartIsOnNeitherSide(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		start         string
		asOf          string
		before, after int
	}{
		{"it begins with a month", "2025-01-01", "2026-01-02", 24, 12},
		{"it begins on the second day", "2025-01-02", "2026-01-02", 24, 11},
		{"it begins on the last day", "2025-01-31", "2026-01-02", 24, 11},
		{"the data end within December", "2025-01-01", "2025-12-20", 24, 11},
		{"the data end with December", "2025-01-01", "2026-01-01", 24, 12},
		{"it has not begun", "2026-02-01", "2026-01-02", 36, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			asOf, err := time.Parse(time.DateOnly, tt.asOf)
			if err != nil {
				t.Fatal(err)
			}
			months := halved().results()
			for i := range months {
				months[i].DataAsOf = asOf
			}
			a := anAction("es")
			a.Start = tt.start
			e, err := effect.Evaluate(months, a, effect.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if e.Before.Months != tt.before || e.After.Months != tt.after {
				t.Errorf("%d months before and %d after, want %d and %d", e.Before.Months, e.After.Months,
					tt.before, tt.after)
			}
		})
	}
}

func TestPartsOfMonthsCountOnNeitherSide(t *testing.T) {
	t.Parallel()
	months := halved().results()
	months[0].Period.Start = months[0].Period.Start.AddDate(0, 0, 4)
	last := len(months) - 1
	months[last].Period.End = months[last].Period.End.AddDate(0, 0, -1)
	e, err := effect.Evaluate(months, anAction("es"), effect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if e.Before.Months != 23 || e.After.Months != 11 || len(e.Trend.Months) != 34 {
		t.Errorf("%d months before, %d after, %d drawn", e.Before.Months, e.After.Months, len(e.Trend.Months))
	}
}

func TestMonthsWithoutAnybodyCountOnNeitherSide(t *testing.T) {
	t.Parallel()
	months := halved().results()
	for _, m := range []int{0, 1, 5, 35} {
		g := &months[m].Groups[0]
		g.Cell, g.Strata = measure.Cell{}, map[string][]measure.Stratum{"language": {}}
	}
	e, err := effect.Evaluate(months, anAction("es"), effect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if e.Before.Months != 21 || e.After.Months != 11 || e.Before.From != "2023-03" || len(e.Trend.Months) != 34 {
		t.Errorf("%d months before from %s, %d after, %d drawn", e.Before.Months, e.Before.From, e.After.Months,
			len(e.Trend.Months))
	}
}

func TestReferenceIsChosenAmongTheOthers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		groups    []string
		reference string
		in        world
		want      string
	}{
		{"the best before", []string{"es"}, "", halved(), "en"},
		{"the largest", []string{"es"}, "largest", halved(), "en"},
		{"a code", []string{"es"}, "zh", halved(), "zh"},
		{"everybody", []string{"es"}, "overall", halved(), "-rest"},
		{"the groups are the best themselves", []string{"en"}, "best", halved(), "-others"},
		{"only one is left", []string{"es", "zh"}, "best", halved(), "en"},
		{"the best after is not looked at", []string{"es"}, "best", share(people{"es", 200, 0.40, 0.40},
			people{"en", 600, 0.70, 0.40}, people{"zh", 200, 0.60, 0.90}), "en"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := anAction(tt.groups...)
			a.Aim.Reference = tt.reference
			e := evaluate(t, tt.in, a)
			if e.Gap == nil || e.Gap.Other.Code != tt.want {
				t.Errorf("held against %+v, want %s", e.Gap, tt.want)
			}
		})
	}
}

func TestAGroupThatIsNotThereIsNoReference(t *testing.T) {
	t.Parallel()
	a := anAction("es")
	a.Aim.Reference = "vi"
	e := evaluate(t, halved(), a)
	if e.Verdict != effect.TooEarly || e.Gap != nil || e.Demonstrated {
		t.Errorf("verdict %s, gap %v", e.Verdict, e.Gap)
	}
}

func TestMonthsOfAnotherFigureAreRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		in   func(*action.Action, []measure.Result)
		want error
	}{
		{"another measure", func(a *action.Action, _ []measure.Result) { a.Aim.Measure = "n" }, effect.ErrQuestion},
		{"another rate", func(a *action.Action, _ []measure.Result) { a.Aim.Rate = "n" }, effect.ErrQuestion},
		{"another dimension", func(a *action.Action, _ []measure.Result) { a.Aim.Dimension = "race" },
			effect.ErrQuestion},
		{"other sites", func(a *action.Action, _ []measure.Result) { a.Aim.Sites = []string{"org-1"} },
			effect.ErrQuestion},
		{"some people only", func(_ *action.Action, r []measure.Result) {
			r[3].Filter = measure.Filter{"sex": {"female"}}
		}, effect.ErrQuestion},
		{"figures that are hidden", func(_ *action.Action, r []measure.Result) {
			r[3].Groups[0].Strata["language"][0].Suppressed = true
		}, effect.ErrQuestion},
		{"groups that overlap", func(_ *action.Action, r []measure.Result) {
			r[3].Groups[0].Overlapping = []string{"language"}
		}, effect.ErrQuestion},
		{"a measure that is about the dimension", func(_ *action.Action, r []measure.Result) {
			r[3].Groups[0].NotBy = []string{"language"}
		}, effect.ErrQuestion},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, months := anAction("es"), halved().results()
			tt.in(&a, months)
			if _, err := effect.Evaluate(months, a, effect.Options{}); !errors.Is(err, tt.want) {
				t.Errorf("Evaluate = %v, want %v", err, tt.want)
			}
		})
	}
	if _, err := effect.Evaluate(nil, anAction("es"), effect.Options{}); !errors.Is(err, gap.ErrNoMonths) {
		t.Errorf("Evaluate of nothing = %v, want ErrNoMonths", err)
	}
}

func TestCautions(t *testing.T) {
	t.Parallel()
	found := func(kind action.FindingKind, period string) func(*action.Action, *effect.Options) {
		return func(a *action.Action, _ *effect.Options) { a.Finding = action.Finding{Kind: kind, Period: period} }
	}
	another := func(change func(*action.Action)) func(*action.Action, *effect.Options) {
		return func(_ *action.Action, o *effect.Options) {
			b := anAction("en")
			b.ID, b.Start = "a-2", "2025-05-01"
			change(&b)
			o.Others = []action.Action{b}
		}
	}
	condition := func(c action.Condition) func(*action.Action, *effect.Options) {
		return func(a *action.Action, o *effect.Options) { o.Conditions = []action.Condition{c} }
	}
	uneven := halved()
	uneven.after = 7
	tests := []struct {
		name string
		in   world
		set  func(*action.Action, *effect.Options)
		want []effect.Caution
	}{
		{"none", halved(), func(*action.Action, *effect.Options) {}, nil},
		{"the gap was found in the year before", halved(), found(action.Gap, "2024"),
			[]effect.Caution{effect.Regression}},
		{"nobody knows when it was found", halved(), found(action.Stratum, ""), []effect.Caution{effect.Regression}},
		{"it was found in months that are not compared", halved(), found(action.Gap, "2022"), nil},
		{"other months of the year", uneven, func(*action.Action, *effect.Options) {},
			[]effect.Caution{effect.Season}},
		{"another action on it", halved(), another(func(*action.Action) {}), []effect.Caution{effect.Overlap}},
		{"another that was only planned", halved(), another(func(b *action.Action) { b.State = action.Planned }), nil},
		{"another on another measure", halved(), another(func(b *action.Action) { b.Aim.Measure = "n" }), nil},
		{"another that began long ago", halved(), another(func(b *action.Action) { b.Start = "2019-01-01" }), nil},
		{"another that ended within", halved(), another(func(b *action.Action) {
			b.Start, b.State = "2019-01-01", action.Completed
			b.Result = &action.Result{At: time.Date(2025, 2, 1, 0, 0, 0, 0, time.UTC)}
		}), []effect.Caution{effect.Overlap}},
		{"a condition", halved(), condition(action.Condition{ID: "c", Start: "2024-12-01", End: "2025-01-10"}),
			[]effect.Caution{effect.Conditions}},
		{"a condition that goes on", halved(), condition(action.Condition{ID: "c", Start: "2020-01-01"}),
			[]effect.Caution{effect.Conditions}},
		{"a condition that was over", halved(), condition(action.Condition{ID: "c", Start: "2020-01-01",
			End: "2020-02-01"}), nil},
		{"a condition that was withdrawn", halved(), condition(action.Condition{ID: "c", Start: "2024-12-01",
			Withdrawn: true}), nil},
		{"nobody else", world{scoring: measure.Proportion, improvement: measure.Increase, before: 24, after: 12,
			groups: []people{{"es", 200, 0.4, 0.55}}}, func(a *action.Action, _ *effect.Options) {
			a.Aim.Reference = "overall"
		}, []effect.Caution{effect.NoComparison}},
		{"the groups did not get better", share(people{"es", 200, 0.40, 0.40}, people{"en", 600, 0.70, 0.55},
			people{"zh", 200, 0.60, 0.45}), func(*action.Action, *effect.Options) {},
			[]effect.Caution{effect.NotBetter}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, o := anAction("es"), effect.Options{}
			tt.set(&a, &o)
			e, err := effect.Evaluate(tt.in.results(), a, o)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, e.Cautions, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("cautions (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMonthsThatVaryMoreThanChanceWidenTheIntervals shakes the true score of each month.
func TestMonthsThatVaryMoreThanChanceWidenTheIntervals(t *testing.T) {
	t.Parallel()
	calm := halved()
	shaken := calm.results()
	for m := range shaken {
		strata := shaken[m].Groups[0].Strata["language"]
		shift := 20.0
		if m%2 == 1 {
			shift = -20
		}
		strata[0].Populations[measure.Numerator] += shift
		score := strata[0].Populations[measure.Numerator] / 200
		strata[0].Score = &score
	}
	steady := evaluate(t, calm, anAction("es"))
	e, err := effect.Evaluate(shaken, anAction("es"), effect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if steady.Widened != 1 || e.Widened < 1.5 || !slices.Contains(e.Cautions, effect.Uneven) {
		t.Fatalf("widened by %g and %g, cautions %v", steady.Widened, e.Widened, e.Cautions)
	}
	width := func(e effect.Effect) float64 { return e.Gap.Change.Interval[1] - e.Gap.Change.Interval[0] }
	if ratio := width(e) / width(steady); math.Abs(ratio-e.Widened) > 0.01*e.Widened {
		t.Errorf("the interval is %g times as wide, want %g", ratio, e.Widened)
	}
}
