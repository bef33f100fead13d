package inequality_test

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/equitylens/equitylens/measure/stat/inequality"
)

// groups makes groups of 100 people each with these estimates, ranked as they stand.
func groups(estimates ...float64) []inequality.Group {
	all := make([]inequality.Group, len(estimates))
	for i, y := range estimates {
		all[i] = inequality.Group{Estimate: y, Population: 100, SE: se(1), Rank: i + 1}
	}
	return all
}

func se(v float64) *float64 {
	return &v
}

func with(all []inequality.Group, i int, change func(*inequality.Group)) []inequality.Group {
	change(&all[i])
	return all
}

func reference(g *inequality.Group) { g.Reference = true }
func absent(g *inequality.Group)    { g.Absent, g.Estimate = true, 0 }
func unknown(g *inequality.Group)   { g.Unknown = true }

func summarise(t *testing.T, in inequality.Input) *inequality.Result {
	t.Helper()
	if in.Direction == "" {
		in.Direction = inequality.Favourable
	}
	if in.Scale == 0 {
		in.Scale = 100
	}
	r, err := inequality.Summarise(in)
	if err != nil {
		t.Fatalf("Summarise(%+v): %v", in, err)
	}
	return r
}

func TestEstimates(t *testing.T) {
	t.Parallel()
	type input = inequality.Input
	adverse := inequality.Adverse
	tests := []struct {
		name    string
		in      input
		measure inequality.Measure
		variant inequality.Variant
		want    float64
	}{
		{"difference without order is largest less smallest",
			input{Groups: groups(30, 20, 50)}, inequality.D, inequality.HEAT, 30},
		{"difference without order is largest less smallest for adverse figures too",
			input{Groups: groups(30, 20, 50), Direction: adverse}, inequality.D, inequality.HEAT, 30},
		{"difference from a reference looks at the worst for favourable figures",
			input{Groups: with(groups(30, 20, 50), 0, reference)}, inequality.D, inequality.HEAT, 10},
		{"difference from a reference looks at the worst for adverse figures",
			input{Groups: with(groups(30, 20, 50), 0, reference), Direction: adverse},
			inequality.D, inequality.HEAT, 20},
		{"extremes are there beside a reference",
			input{Groups: with(groups(30, 20, 50), 0, reference)}, inequality.D, inequality.MaxMin, 30},
		{"difference with order is advantaged less disadvantaged",
			input{Groups: groups(30, 80, 50), Ordered: true}, inequality.D, inequality.HEAT, 20},
		{"difference with order is disadvantaged less advantaged for adverse figures",
			input{Groups: groups(30, 80, 50), Ordered: true, Direction: adverse},
			inequality.D, inequality.HEAT, -20},
		{"ratio with order is disadvantaged to advantaged for adverse figures",
			input{Groups: groups(30, 80, 60), Ordered: true, Direction: adverse},
			inequality.R, inequality.HEAT, 0.5},
		{"two groups at zero are equal", input{Groups: groups(0, 0)}, inequality.R, inequality.HEAT, 1},
		{"best is the largest of favourable figures",
			input{Groups: groups(30, 20, 50)}, inequality.MDBU, inequality.HEAT, 50. / 3},
		{"best is the smallest of adverse figures",
			input{Groups: groups(30, 20, 50), Direction: adverse},
			inequality.MDBU, inequality.HEAT, 40. / 3},
		{"attributable risk of adverse figures is negative",
			input{Groups: groups(30, 20, 40), Direction: adverse}, inequality.PAR, inequality.HEAT, -10},
		{"attributable fraction is a percentage of the mean",
			input{Groups: groups(30, 20, 40), Direction: adverse},
			inequality.PAF, inequality.HEAT, -100. / 3},
		{"attributable risk of the wrong sign is zero",
			input{Groups: groups(30, 50, 10), Ordered: true}, inequality.PAR, inequality.HEAT, 0},
		{"attributable risk of the wrong sign is zero for adverse figures",
			input{Groups: groups(30, 10, 50), Ordered: true, Direction: adverse},
			inequality.PAF, inequality.Scaled, 0},
		{"index of Pearcy and Keppel counts the groups compared",
			input{Groups: with(groups(30, 20, 50), 1, reference)},
			inequality.IDISU, inequality.HDCalc, 100. * (10 + 30) / 2 / 20},
		{"index of Pearcy and Keppel falls back on the best group",
			input{Groups: groups(30, 20, 50)}, inequality.IDISU, inequality.HDCalc,
			100. * (20 + 30) / 2 / 50},
		{"line through points on a line", input{Groups: groups(20, 40, 60), Ordered: true},
			inequality.SII, inequality.Linear, 60},
		{"ratio of the ends of a line", input{Groups: groups(20, 40, 60), Ordered: true},
			inequality.RII, inequality.Linear, 7},
		{"slope over the mean", input{Groups: groups(20, 40, 60), Ordered: true},
			inequality.RII, inequality.HDCalc, 1.5},
		{"concentration as a percentage", input{Groups: groups(20, 40, 60), Ordered: true},
			inequality.RCI, inequality.Scaled, 100. * (-20*2./3 + 60*2./3) / 3 / 40},
		{"unknown people leave the mean alone",
			input{Groups: with(groups(30, 20, 40, 100), 3, unknown)}, inequality.MDMU, inequality.HEAT,
			20. / 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok := summarise(t, tt.in).Value(tt.measure, tt.variant)
			if !ok || math.Abs(got.Estimate-tt.want) > 1e-12*math.Max(1, math.Abs(tt.want)) {
				t.Errorf("%s (%s) = %v, %v, want %v", tt.measure, tt.variant, got.Estimate, ok, tt.want)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	type input = inequality.Input
	seven := func() []inequality.Group { return groups(10, 20, 30, 40, 50, 60, 70) }
	tests := []struct {
		name    string
		in      input
		measure inequality.Measure
		variant inequality.Variant
		want    inequality.Reason // Empty where the measure is answered.
	}{
		{"race has no order", input{Groups: groups(30, 20, 50)}, inequality.ACI, "",
			inequality.NeedsOrder},
		{"race has no slope", input{Groups: groups(30, 20, 50)}, inequality.RII, "",
			inequality.NeedsOrder},
		{"variance ignores an order", input{Groups: groups(30, 20, 50), Ordered: true},
			inequality.BGV, "", inequality.NeedsNoOrder},
		{"one group differs from nobody", input{Groups: groups(30)},
			inequality.D, "", inequality.TooFewGroups},
		{"two groups have a difference", input{Groups: groups(30, 20)}, inequality.D, inequality.HEAT,
			""},
		{"two groups have no variance", input{Groups: groups(30, 20)},
			inequality.BGV, "", inequality.TooFewGroups},
		{"unknown people are no group", input{Groups: with(groups(30, 20, 40), 2, unknown)},
			inequality.MLD, "", inequality.TooFewGroups},
		{"overlapping groups have no mean", input{Groups: groups(30, 20, 50), Overlap: true},
			inequality.MDMU, "", inequality.Overlapping},
		{"overlapping groups have no attributable risk", input{Groups: groups(30, 20, 50), Overlap: true},
			inequality.PAR, "", inequality.Overlapping},
		{"overlapping groups have no index about the mean", input{Groups: groups(30, 20, 50),
			Overlap: true},
			inequality.IDISU, inequality.HEAT, inequality.Overlapping},
		{"overlapping groups have a best one", input{Groups: groups(30, 20, 50), Overlap: true},
			inequality.MDBU, inequality.HEAT, ""},
		{"overlapping groups differ", input{Groups: groups(30, 20, 50), Overlap: true},
			inequality.D, inequality.HEAT, ""},
		{"weights have to be known",
			input{Groups: with(groups(30, 20, 50), 1, func(g *inequality.Group) { g.Population = 0 })},
			inequality.BGV, "", inequality.NeedsPopulation},
		{"an unweighted measure needs no weights",
			input{Groups: with(groups(30, 20, 50), 1, func(g *inequality.Group) { g.Population = 0 })},
			inequality.MDBU, inequality.HEAT, ""},
		{"no reference was named", input{Groups: groups(30, 20, 50)},
			inequality.MDRW, "", inequality.NeedsReference},
		{"one of seven may be absent", input{Groups: with(seven(), 2, absent)},
			inequality.BGV, inequality.HEAT, ""},
		{"two of seven are too many", input{Groups: with(with(seven(), 2, absent), 3, absent)},
			inequality.BGV, "", inequality.MissingEstimates},
		{"an order has no holes", input{Groups: with(seven(), 2, absent), Ordered: true},
			inequality.SII, "", inequality.MissingEstimates},
		{"a difference needs the ends of an order",
			input{Groups: with(seven(), 6, absent), Ordered: true},
			inequality.D, "", inequality.MissingEstimates},
		{"a difference needs no more than the ends",
			input{Groups: with(seven(), 2, absent), Ordered: true}, inequality.D, inequality.HEAT, ""},
		{"a difference without order looks at what is there",
			input{Groups: with(with(seven(), 2, absent), 3, absent)}, inequality.R, inequality.HEAT, ""},
		{"nothing is relative to zero", input{Groups: groups(0, 0, 0)}, inequality.COV, "",
			inequality.ZeroMean},
		{"there is no ratio to zero", input{Groups: groups(0, 20, 50)},
			inequality.R, inequality.HEAT, inequality.ZeroComparator},
		{"a rate above its scale is no proportion", input{Groups: groups(30, 120, 50), Ordered: true},
			inequality.SII, inequality.HEAT, inequality.OutOfScale},
		{"a rate above its scale has a line", input{Groups: groups(30, 120, 50), Ordered: true},
			inequality.SII, inequality.Linear, ""},
		{"a rank that separates has no curve", input{Groups: groups(0, 0, 100, 100), Ordered: true},
			inequality.SII, inequality.Standard, inequality.NoFit},
		{"a line below zero has no ratio", input{Groups: groups(0, 0, 100, 100), Ordered: true},
			inequality.RII, inequality.Linear, inequality.NoFit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := summarise(t, tt.in)
			reason, refused := r.Refusal(tt.measure, tt.variant)
			_, answered := r.Value(tt.measure, tt.variant)
			if reason != tt.want || refused == answered {
				t.Errorf("%s (%s): reason %q, answered %v, want reason %q",
					tt.measure, tt.variant, reason, answered, tt.want)
			}
			if refused && reason.Says() == string(reason) {
				t.Errorf("%q says nothing", reason)
			}
		})
	}
}

func TestInvalidInput(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		in   inequality.Input
	}{
		{"no direction", inequality.Input{Groups: groups(1, 2)}},
		{"negative scale", inequality.Input{Direction: inequality.Adverse, Scale: -1}},
		{"negative estimate", inequality.Input{Direction: inequality.Adverse, Groups: groups(-1, 2)}},
		{"estimate that is no number",
			inequality.Input{Direction: inequality.Adverse, Groups: groups(math.NaN(), 2)}},
		{"infinite population", inequality.Input{Direction: inequality.Adverse, Groups: with(groups(1, 2),
			0,
			func(g *inequality.Group) { g.Population = math.Inf(1) })}},
		{"unknown people below zero", inequality.Input{Direction: inequality.Adverse,
			Groups: with(groups(1, 2),
				0, func(g *inequality.Group) { g.Population, g.Unknown = -1, true })}},
		{"negative standard error", inequality.Input{Direction: inequality.Adverse, Groups: with(groups(1,
			2),
			0, func(g *inequality.Group) { g.SE = se(-1) })}},
		{"two references", inequality.Input{Direction: inequality.Adverse,
			Groups: with(with(groups(1, 2), 0, reference), 1, reference)}},
		{"absent reference", inequality.Input{Direction: inequality.Adverse,
			Groups: with(with(groups(1, 2), 0, reference), 0, absent)}},
		{"shared rank", inequality.Input{Direction: inequality.Adverse, Ordered: true,
			Groups: with(groups(1, 2), 0, func(g *inequality.Group) { g.Rank = 2 })}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := inequality.Summarise(tt.in); !errors.Is(err, inequality.ErrInput) {
				t.Errorf("Summarise(%+v) = %v, want ErrInput", tt.in, err)
			}
		})
	}
}

func TestIntervalsThatDoNotExist(t *testing.T) {
	t.Parallel()
	bare := groups(30, 20, 50)
	bare[1].SE = nil
	tests := []struct {
		name    string
		in      inequality.Input
		measure inequality.Measure
		want    bool
	}{
		{"independent groups have one", inequality.Input{Groups: groups(30, 20, 50)}, inequality.D, true},
		{"overlapping groups have none", inequality.Input{Groups: groups(30, 20, 50), Overlap: true},
			inequality.D, false},
		{"a standard error is missing", inequality.Input{Groups: bare}, inequality.D, false},
		{"the reference is the worst group itself",
			inequality.Input{Groups: with(groups(30, 20, 50), 1, reference)}, inequality.R, false},
		{"a deviation has no closed formula", inequality.Input{Groups: groups(30, 20, 50)},
			inequality.BGSD, false},
		{"a rate above its scale is no proportion", inequality.Input{Groups: groups(30, 20, 500)},
			inequality.PAF, false},
		{"two equal groups are still two", inequality.Input{Groups: groups(30, 30)}, inequality.D, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			value, ok := summarise(t, tt.in).Value(tt.measure, inequality.HEAT)
			if !ok || (value.Interval != nil) != tt.want {
				t.Errorf("%s has the interval %+v (answered: %v), want one: %v", tt.measure, value.Interval, ok,
					tt.want)
			}
		})
	}
}

func TestTruncatedSaysSo(t *testing.T) {
	t.Parallel()
	r := summarise(t, inequality.Input{Groups: groups(30, 50, 10), Ordered: true})
	for _, m := range []inequality.Measure{inequality.PAR, inequality.PAF} {
		if v, ok := r.Value(m, inequality.HEAT); !ok || !v.Truncated || v.Estimate != 0 {
			t.Errorf("%s of an advantaged group that does worse = %+v, %v", m, v, ok)
		}
	}
	r = summarise(t, inequality.Input{Groups: groups(30, 50, 60), Ordered: true})
	if v, _ := r.Value(inequality.PAR, inequality.HEAT); v.Truncated {
		t.Error("PAR of the right sign says that it was truncated")
	}
}

func TestUnknownPeopleAreCountedApart(t *testing.T) {
	t.Parallel()
	r := summarise(t, inequality.Input{Groups: with(groups(30, 20, 40, 100), 3, unknown)})
	want := &inequality.Result{Groups: 3, Unknown: 100, Mean: se(30)}
	ignored := cmpopts.IgnoreFields(inequality.Result{}, "Values", "Refusals")
	if diff := cmp.Diff(want, r, ignored, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
		t.Errorf("Summarise (-want +got):\n%s", diff)
	}
}

func TestEveryMeasureHasATitleAndARecommendedAnswer(t *testing.T) {
	t.Parallel()
	plain := summarise(t, inequality.Input{Groups: with(groups(30, 20, 50), 1, reference)})
	ordered := summarise(t, inequality.Input{Groups: groups(30, 20, 50), Ordered: true})
	for _, m := range inequality.Measures() {
		if m.Title() == string(m) {
			t.Errorf("%s has no title", m)
		}
		_, inPlain := plain.Value(m, m.Recommended())
		_, inOrdered := ordered.Value(m, m.Recommended())
		if !inPlain && !inOrdered {
			t.Errorf("%s has no answer of its recommended variant %s", m, m.Recommended())
		}
	}
	if n := len(inequality.Measures()); n != 21 {
		t.Errorf("there are %d measures, want HEAT's 21", n)
	}
}
