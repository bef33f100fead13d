package gap_test

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/stat/spc"
)

// spaced is a sequence of a unit a day from January 2024 on, with the event after so many without.
func spaced(code string, between ...int) measure.Sequence {
	s := measure.Sequence{Coding: measure.Coding{Code: code, Label: "Group " + code}}
	if code != "" {
		s.State = "known"
	}
	day := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, n := range between {
		for range n {
			s.Days = append(s.Days, measure.DayCount{Day: day, Units: 1})
			day = day.AddDate(0, 0, 1)
		}
		if i < len(between)-1 {
			s.Days = append(s.Days, measure.DayCount{Day: day, Units: 1, Events: 1})
			day = day.AddDate(0, 0, 1)
		}
	}
	return s
}

// sparse is a trend of two groups, of which b has an event every other month and a many.
func sparse(t *testing.T, better measure.Improvement) gap.TrendReport {
	t.Helper()
	return trendOf(t, monthly(t, better, 24, func(m int) (a, b measure.Stratum) {
		return share("a", 40+wave(m), 200), share("b", float64(m%2), 30)
	}), gap.Options{})
}

// steady are the units before, between and after 15 events.
func steady() []int {
	return []int{9, 20, 31, 12, 25, 40, 18, 22, 30, 11, 28, 24, 19, 33, 21, 7}
}

func TestRareEventsHaveAChartOfWhatLiesBetween(t *testing.T) {
	t.Parallel()
	r := sparse(t, measure.Decrease)
	if !gap.RareIn(r) {
		t.Fatal("no series is rare")
	}
	got, err := gap.Rare(r, []measure.Sequence{spaced("", 1, 2), spaced("a", 3, 4), spaced("b", steady()...)})
	if err != nil || len(got) != 1 {
		t.Fatalf("Rare = %d series, %v, want that of b", len(got), err)
	}
	if _, err := json.Marshal(got); err != nil {
		t.Errorf("it is no JSON: %v", err)
	}
	s := got[0]
	var units []float64
	for _, p := range s.Points {
		units = append(units, p.Units)
	}
	want := []float64{20, 31, 12, 25, 40, 18, 22, 30, 11, 28, 24, 19, 33, 21}
	if diff := cmp.Diff(want, units); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
	mean := 334. / 14
	if s.Code != "b" || s.Events != 15 || s.Units != 365 || s.Since != 7 || s.Failures ||
		*s.Centre != 23 || math.Abs(*s.Upper-(mean+3*math.Sqrt(mean*(mean+1)))) > 1e-9 {
		t.Errorf("the series is %+v, from %v to %v", s, *s.Centre, *s.Upper)
	}
	first := gap.RarePoint{Event: 2, From: "2024-01", Month: "2024-01", Units: 20}
	if diff := cmp.Diff(first, s.Points[0]); diff != "" {
		t.Errorf("the first point (-want +got):\n%s", diff)
	}
	if len(s.Signals) != 0 || s.Pace == nil || s.Pace.Clear {
		t.Errorf("signals %v and pace %+v, want none", s.Signals, s.Pace)
	}
}

func TestRareSignals(t *testing.T) {
	t.Parallel()
	good, bad := true, false
	far := steady()
	far[9] = 400
	slower := []int{3, 4, 5, 2, 6, 3, 5, 4, 2, 30, 41, 38, 52, 47, 61, 33, 40, 20}
	sooner := slices.Clone(slower)
	slices.Reverse(sooner)
	for _, tt := range []struct {
		name    string
		better  measure.Improvement
		between []int
		rule    spc.Rule
		side    spc.Side
		is      *bool
		clear   bool
		pace    *bool
	}{
		{"a long way without harm", measure.Decrease, far, spc.BeyondLimits, spc.Above, &good, false, nil},
		{"a long way without success", measure.Increase, far, spc.BeyondLimits, spc.Above, &bad, false, nil},
		{"a long way to nothing good or bad", measure.Context, far, spc.BeyondLimits, spc.Above, nil, false, nil},
		{"ever rarer", measure.Decrease, slower, spc.EightOneSide, spc.Below, &bad, true, &good},
		{"ever more frequent", measure.Decrease, sooner, spc.EightOneSide, spc.Above, &good, true, &bad},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := gap.Rare(sparse(t, tt.better), []measure.Sequence{spaced("b", tt.between...)})
			if err != nil || len(got) != 1 {
				t.Fatalf("Rare = %d series, %v", len(got), err)
			}
			i := slices.IndexFunc(got[0].Signals, func(s gap.RareSignal) bool { return s.Rule == tt.rule })
			if i < 0 {
				t.Fatalf("the signals are %+v, want %s", got[0].Signals, tt.rule)
			}
			if s := got[0].Signals[i]; s.Side != tt.side || cmp.Diff(tt.is, s.Better) != "" || s.Says == "" {
				t.Errorf("the signal is %+v", s)
			}
			if p := got[0].Pace; p.Clear != tt.clear || cmp.Diff(tt.pace, p.Better) != "" {
				t.Errorf("the pace is %+v", p)
			}
		})
	}
}

func TestRareFailures(t *testing.T) {
	t.Parallel()
	r := trendOf(t, monthly(t, measure.Increase, 24, func(m int) (a, b measure.Stratum) {
		return share("a", 40+wave(m), 200), share("b", 30-float64(m%2), 30)
	}), gap.Options{})
	q := spaced("b", steady()...)
	for i := range q.Days {
		q.Days[i].Events = 1 - q.Days[i].Events
	}
	got, err := gap.Rare(r, []measure.Sequence{q})
	if err != nil || len(got) != 1 || !got[0].Failures || got[0].Events != 15 || len(got[0].Points) != 14 {
		t.Errorf("Rare = %+v, %v, want 15 failures", got, err)
	}
}

func TestTooFewEventsHaveNoChart(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		between []int
		points  int
	}{
		{"none", []int{40}, 0},
		{"twelve", steady()[:13], 0},
		{"thirteen", steady()[:14], 12},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := gap.Rare(sparse(t, measure.Decrease), []measure.Sequence{spaced("b", tt.between...)})
			if err != nil || len(got) != 1 {
				t.Fatalf("Rare = %d series, %v", len(got), err)
			}
			s := got[0]
			if s.Events != len(tt.between)-1 || len(s.Points) != tt.points || s.Needed != 13 ||
				(s.Centre != nil) != (tt.points > 0) || (s.Pace != nil) != (tt.points > 0) {
				t.Errorf("the series is %+v, want %d points", s, tt.points)
			}
		})
	}
}

// Where half of the events follow another at once the median is 0, and no point can be below it.
func TestEventsThatComeTogether(t *testing.T) {
	t.Parallel()
	between := []int{9}
	for i := range 12 {
		between = append(between, 0, i%2*20)
	}
	got, err := gap.Rare(sparse(t, measure.Decrease), []measure.Sequence{spaced("b", append(between, 3)...)})
	if err != nil || len(got) != 1 || *got[0].Centre != 0 {
		t.Fatalf("Rare = %+v, %v, want a median of 0", got, err)
	}
	for _, s := range got[0].Signals {
		if s.Rule != spc.BeyondLimits {
			t.Errorf("the signal %s speaks of sides", s.Rule)
		}
	}
}

func TestWhatIsNotRareHasNone(t *testing.T) {
	t.Parallel()
	r := trendOf(t, monthly(t, measure.Decrease, 24, func(m int) (a, b measure.Stratum) {
		return share("a", 40+wave(m), 200), share("b", 50+wave(m+1), 200)
	}), gap.Options{})
	got, err := gap.Rare(r, []measure.Sequence{spaced("a", steady()...), spaced("b", steady()...)})
	if gap.RareIn(r) || err != nil || len(got) != 0 {
		t.Errorf("RareIn = %t, Rare = %v, %v, want none", gap.RareIn(r), got, err)
	}
}

// Whatever the days, the points hold what their events leave of the denominator, and turning the order
// round turns the test of the pace round.
func TestRareIsWhatItsDaysHold(t *testing.T) {
	t.Parallel()
	r := sparse(t, measure.Decrease)
	rapid.Check(t, func(rt *rapid.T) {
		q := measure.Sequence{Coding: measure.Coding{Code: "b", State: "known"}}
		for i := range rapid.IntRange(1, 60).Draw(rt, "days") {
			n := rapid.Int64Range(1, 9).Draw(rt, "units")
			q.Days = append(q.Days, measure.DayCount{Units: n, Events: rapid.Int64Range(0, min(n, 2)).Draw(rt, "events"),
				Day: time.Date(2024, 1, 1+i, 0, 0, 0, 0, time.UTC)})
		}
		got, err := gap.Rare(r, []measure.Sequence{q})
		if err != nil || len(got) != 1 {
			rt.Fatalf("Rare = %v, %v", got, err)
		}
		s := got[0]
		if len(s.Points) == 0 {
			return
		}
		numbers, _ := q.Events(false)
		sum := float64(numbers[0]) + float64(s.Since)
		for _, p := range s.Points {
			sum += p.Units + 1
		}
		if sum != float64(s.Units) || len(s.Points) != s.Events-1 {
			rt.Fatalf("the parts add up to %v of %d", sum, s.Units)
		}
		back := q
		back.Days = slices.Clone(q.Days)
		slices.Reverse(back.Days)
		turned, err := gap.Rare(r, []measure.Sequence{back})
		if err != nil || len(turned) != 1 {
			rt.Fatalf("Rare = %v, %v", turned, err)
		}
		if (s.Pace == nil) != (turned[0].Pace == nil) ||
			s.Pace != nil && !cmp.Equal(s.Pace.P, turned[0].Pace.P, cmpopts.EquateApprox(1e-9, 1e-12)) {
			rt.Fatalf("the pace is %+v, turned round %+v", s.Pace, turned[0].Pace)
		}
	})
}
