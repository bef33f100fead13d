package spc_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/measure/stat/spc"
)

// span lists the indices from first to last.
func span(first, last int) []int {
	var all []int
	for i := first; i <= last; i++ {
		all = append(all, i)
	}
	return all
}

// repeat repeats figures.
func repeat(n int, figures ...float64) []float64 {
	return slices.Repeat(figures, n)
}

func TestSignals(t *testing.T) {
	t.Parallel()
	// A baseline of 12 points of 100 with the mean 0.2, so that sigma is 0.04; what follows is judged.
	after := func(counts ...float64) []spc.Subgroup {
		return of(100, append(repeat(6, 18, 22), counts...)...)
	}
	frozen := spc.Config{Baseline: 12}
	tests := []struct {
		name   string
		kind   spc.Kind
		in     []spc.Subgroup
		config spc.Config
		rule   spc.Rule
		want   []spc.Signal
	}{
		{"a point above the limit", spc.P, after(33), frozen, spc.BeyondLimits,
			[]spc.Signal{{Rule: spc.BeyondLimits, Indices: []int{12}, Side: spc.Above, Found: 1, Bound: 1}}},
		{"a point below the limit", spc.P, after(7), frozen, spc.BeyondLimits,
			[]spc.Signal{{Rule: spc.BeyondLimits, Indices: []int{12}, Side: spc.Below, Found: 1, Bound: 1}}},
		{"a point on the limit is within", spc.P, after(32, 8), frozen, spc.BeyondLimits, nil},
		{"an excluded point is still beyond", spc.P, after(33),
			spc.Config{Baseline: 12, Exclude: []int{12}}, spc.BeyondLimits,
			[]spc.Signal{{Rule: spc.BeyondLimits, Indices: []int{12}, Side: spc.Above, Found: 1, Bound: 1}}},
		{"eight above", spc.P, after(repeat(7, 21)...), frozen, spc.EightOneSide,
			[]spc.Signal{{Rule: spc.EightOneSide, Indices: span(11, 18), Side: spc.Above, Found: 8,
				Bound: 8}}},
		{"seven above are none", spc.P, after(repeat(6, 21)...), frozen, spc.EightOneSide, nil},
		{"a point on the line neither counts nor ends a run", spc.P, after(21, 21, 20, 21, 21, 21, 21,
			21),
			frozen, spc.EightOneSide, []spc.Signal{{
				Rule: spc.EightOneSide, Indices: append(span(11, 13), span(15, 19)...), Side: spc.Above,
				Found: 8, Bound: 8,
			}}},
		{"six rising from the point before", spc.P, after(17, 18, 19, 20, 21, 22), frozen, spc.SixTrend,
			[]spc.Signal{{Rule: spc.SixTrend, Indices: span(12, 17), Side: spc.Rising, Found: 6, Bound: 6}}},
		{"five rising are none", spc.P, after(17, 18, 19, 20, 21), frozen, spc.SixTrend, nil},
		{"six falling", spc.P, after(24, 22, 20, 19, 18, 17), frozen, spc.SixTrend,
			[]spc.Signal{{Rule: spc.SixTrend, Indices: span(12, 17), Side: spc.Falling, Found: 6,
				Bound: 6}}},
		{"a repeated figure is stepped over in a trend", spc.P, after(17, 18, 18, 19, 20, 21, 22), frozen,
			spc.SixTrend, []spc.Signal{{
				Rule: spc.SixTrend, Indices: []int{12, 13, 15, 16, 17, 18}, Side: spc.Rising, Found: 6,
				Bound: 6,
			}}},
		{"two of three above two sigma", spc.P, after(29, 20, 29), frozen, spc.TwoOfThree,
			[]spc.Signal{{Rule: spc.TwoOfThree, Indices: []int{12, 14}, Side: spc.Above, Found: 2,
				Bound: 2}}},
		{"two of four are none", spc.P, after(29, 20, 20, 29), frozen, spc.TwoOfThree, nil},
		{"one on each side is none", spc.P, after(29, 11), frozen, spc.TwoOfThree, nil},
		{"three below make one signal", spc.P, after(11, 11, 11), frozen, spc.TwoOfThree,
			[]spc.Signal{{Rule: spc.TwoOfThree, Indices: span(12, 14), Side: spc.Below, Found: 3,
				Bound: 2}}},
		{"fifteen within one sigma", spc.P, after(21, 19, 21), frozen, spc.FifteenWithin,
			[]spc.Signal{{Rule: spc.FifteenWithin, Indices: span(0, 14), Found: 15, Bound: 15}}},
		{"fourteen are none", spc.P, after(21, 19), frozen, spc.FifteenWithin, nil},
		{"a shift of six", spc.Run, of(1, 1, 9, 9, 9, 9, 9, 9, 1, 1, 1, 1, 1), spc.Config{}, spc.Shift,
			[]spc.Signal{{Rule: spc.Shift, Indices: span(1, 6), Side: spc.Above, Found: 6, Bound: 6}}},
		{"a trend of five", spc.Run, of(1, 5, 1, 2, 3, 4, 9, 2), spc.Config{}, spc.Trend,
			[]spc.Signal{{Rule: spc.Trend, Indices: span(1, 5), Side: spc.Rising, Found: 5, Bound: 5}}},
		{"too few runs", spc.Run, of(1, append(repeat(8, 1), repeat(8, 9)...)...), spc.Config{},
			spc.TooFewRuns, []spc.Signal{{Rule: spc.TooFewRuns, Indices: span(0, 15), Found: 2, Bound: 5}}},
		{"too many runs", spc.Run, of(1, repeat(8, 1, 9)...), spc.Config{}, spc.TooManyRuns,
			[]spc.Signal{{Rule: spc.TooManyRuns, Indices: span(0, 15), Found: 16, Bound: 13}}},
		{"nine points are too few to count runs", spc.Run, of(1, 1, 1, 1, 1, 5, 9, 9, 9, 9), spc.Config{},
			spc.TooFewRuns, nil},
		{"a long run for so short a series", spc.P, after(repeat(8, 21)...), frozen, spc.LongRun,
			[]spc.Signal{{Rule: spc.LongRun, Indices: span(11, 19), Side: spc.Above, Found: 9, Bound: 7}}},
		{"few crossings", spc.Run, of(1, append(repeat(8, 1), repeat(8, 9)...)...), spc.Config{},
			spc.FewCrossings, []spc.Signal{{Rule: spc.FewCrossings, Indices: span(0, 15), Found: 1,
				Bound: 4}}},
		{"a run ends where a phase does", spc.Run, of(1, 1, 9, 9, 9, 9, 2, 2, 2, 1, 1, 1),
			spc.Config{Split: []int{4}}, spc.Shift, nil},
		{"zones mean nothing on a g chart", spc.G, of(1, append(repeat(12, 1), 40, 40)...),
			spc.Config{Baseline: 12}, spc.TwoOfThree, nil},
		{"limits mean nothing on a run chart", spc.Run, of(1, 1, 2, 99), spc.Config{}, spc.BeyondLimits,
			nil},
		{"a first event where none was is beyond", spc.P, of(50, append(repeat(12, 0), 1)...),
			spc.Config{Baseline: 12}, spc.BeyondLimits,
			[]spc.Signal{{Rule: spc.BeyondLimits, Indices: []int{12}, Side: spc.Above, Found: 1, Bound: 1}}},
		{"a long time without an event", spc.T, of(1, append(repeat(6, 4, 9), 400)...),
			spc.Config{Baseline: 12}, spc.BeyondLimits,
			[]spc.Signal{{Rule: spc.BeyondLimits, Indices: []int{12}, Side: spc.Above, Found: 1, Bound: 1}}},
		{"many opportunities without an event", spc.G, of(1, append(repeat(6, 4, 9), 400)...),
			spc.Config{Baseline: 12}, spc.BeyondLimits,
			[]spc.Signal{{Rule: spc.BeyondLimits, Indices: []int{12}, Side: spc.Above, Found: 1, Bound: 1}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			chart := draw(t, tt.kind, tt.in, tt.config)
			if diff := cmp.Diff(tt.want, chart.Signals(tt.rule)); diff != "" {
				t.Errorf("Signals(%s) (-want +got):\n%s", tt.rule, diff)
			}
		})
	}
}

func TestEveryRuleIsExplained(t *testing.T) {
	t.Parallel()
	rules := slices.Concat(spc.Shewhart(), spc.IHI(), spc.Anhoej())
	for _, r := range rules {
		if r.Says() == string(r) {
			t.Errorf("%s is not explained", r)
		}
	}
	if sorted := slices.Compact(slices.Sorted(slices.Values(rules))); len(sorted) != 11 {
		t.Errorf("there are %d rules, want 11", len(sorted))
	}
}

// TestRunsRangeAgreesWithThePrintedTable checks the critical numbers of Swed and Eisenhart for as
// many points above as below: with those or fewer, or as many or more, chance is denied at 2.5 %.
func TestRunsRangeAgreesWithThePrintedTable(t *testing.T) {
	t.Parallel()
	table := []struct{ half, few, many int }{
		{5, 2, 10}, {6, 3, 11}, {7, 3, 13}, {8, 4, 14}, {9, 5, 15}, {10, 6, 16}, {11, 7, 17}, {12, 7, 19},
		{13, 8, 20}, {14, 9, 21}, {15, 10, 22}, {16, 11, 23}, {17, 11, 25}, {18, 12, 26}, {19, 13, 27},
		{20, 14, 28},
	}
	for _, row := range table {
		fewest, most := spc.RunsRange(row.half, row.half)
		if fewest != row.few+1 || most != row.many-1 {
			t.Errorf("RunsRange(%d, %d) = %d, %d, want %d, %d", row.half, row.half, fewest, most, row.few+1,
				row.many-1)
		}
	}
}

// TestRunsRangeIsThatOfAllOrders counts the runs of every order of a few points.
func TestRunsRangeIsThatOfAllOrders(t *testing.T) {
	t.Parallel()
	for above := 1; above <= 7; above++ {
		for below := 1; below <= 7; below++ {
			n := above + below
			counts := make([]float64, n+2)
			total := 0.0
			for order := range 1 << n {
				ones, runs := 0, 1
				for i := range n {
					ones += order >> i & 1
					if i > 0 && order>>i&1 != order>>(i-1)&1 {
						runs++
					}
				}
				if ones == above {
					counts[runs]++
					total++
				}
			}
			few, most := 2, 0
			for tail := counts[few]; tail <= 0.025*total; tail += counts[few] {
				few++
			}
			for most = n; ; most-- {
				tail := 0.0
				for _, c := range counts[most:] {
					tail += c
				}
				if tail > 0.025*total {
					break
				}
			}
			if gotFew, gotMost := spc.RunsRange(above, below); gotFew != few || gotMost != most {
				t.Errorf("RunsRange(%d, %d) = %d, %d, want %d, %d", above, below, gotFew, gotMost, few, most)
			}
		}
	}
}
