package gap_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/stat"
	"github.com/equitylens/equitylens/measure/stat/spc"
)

// monthly makes results from January 2024 on, of what two groups have in each month.
func monthly(t *testing.T, better measure.Improvement, n int, of func(m int) (a, b measure.Stratum)) []measure.Result {
	t.Helper()
	var months []measure.Result
	for m := range n {
		a, b := of(m)
		r := rates(t, better, a, b)[0]
		start := time.Date(2024, time.Month(m+1), 1, 0, 0, 0, 0, time.UTC)
		r.Period = measure.Period{Start: start, End: start.AddDate(0, 1, -1)}
		r.DataAsOf = start.AddDate(5, 0, 0)
		g := &r.Groups[0]
		met := a.Populations[measure.Numerator] + b.Populations[measure.Numerator]
		g.Cell = share("", met, g.Populations[measure.Denominator]).Cell
		months = append(months, r)
	}
	return months
}

func trendOf(t *testing.T, months []measure.Result, o gap.Options) gap.TrendReport {
	t.Helper()
	found, err := gap.Trend(months, "", "race", o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := json.Marshal(found); err != nil {
		t.Errorf("the trend is no JSON: %v", err)
	}
	return found
}

// wave moves a count about a little, by month.
func wave(m int) float64 { return float64(m*7%5) - 2 }

func TestATrendIsTheChartOfItsMonths(t *testing.T) {
	t.Parallel()
	months := monthly(t, measure.Decrease, 24, func(m int) (a, b measure.Stratum) {
		jump := 0.0
		if m == 20 {
			jump = 60
		}
		return share("a", 40+wave(m), 200), share("b", 60+wave(m+1)+jump, 300)
	})
	got := trendOf(t, months, gap.Options{}).Series[2]
	var subgroups []spc.Subgroup
	for m := range months {
		c := months[m].Groups[0].Strata["race"][1]
		subgroups = append(subgroups, spc.Subgroup{Count: c.Populations[measure.Numerator], Size: 300})
	}
	want, err := spc.New(got.Chart, subgroups, spc.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range want.Points {
		near(t, "value", *got.Points[i].Value, p.Value)
		near(t, "centre", *got.Points[i].Centre, p.Centre)
		near(t, "lower limit", *got.Points[i].Lower, p.Lower)
		near(t, "upper limit", *got.Points[i].Upper, p.Upper)
	}
	i := slices.IndexFunc(got.Signals, func(s gap.Signal) bool { return s.Rule == spc.BeyondLimits })
	if i < 0 {
		t.Fatalf("signals %+v, want one beyond the limits", got.Signals)
	}
	s := got.Signals[i]
	if d := cmp.Diff([]string{"2025-09"}, s.Months); d != "" || s.Better == nil || *s.Better {
		t.Errorf("signal %+v; want September 2025, the worse way", s)
	}
}

func TestTheDifferenceNarrowsWhileTheRatioWidens(t *testing.T) {
	t.Parallel()
	months := monthly(t, measure.Decrease, 24, func(m int) (a, b measure.Stratum) {
		if m < 12 {
			return share("a", 40, 200), share("b", 80, 200)
		}
		return share("a", 16, 200), share("b", 40, 200)
	})
	found := trendOf(t, months, gap.Options{})
	if len(found.Gaps) != 1 {
		t.Fatalf("%d gaps, want one", len(found.Gaps))
	}
	g := found.Gaps[0]
	if g.ByDifference != gap.Narrows || g.ByRatio != gap.Widens || !g.Disagree {
		t.Errorf("by difference it %s, by ratio it %s, disagree %t", g.ByDifference, g.ByRatio, g.Disagree)
	}
	near(t, "the change", g.Change.Value, 0.12-0.2)
	want, _ := stat.DifferenceInDifferences(
		stat.Layer{Group: stat.Count{Events: 960, Of: 2400}, Reference: stat.Count{Events: 480, Of: 2400}},
		stat.Layer{Group: stat.Count{Events: 480, Of: 2400}, Reference: stat.Count{Events: 192, Of: 2400}})
	near(t, "its lower end", g.Change.Interval[0], want.Lo)
	near(t, "its upper end", g.Change.Interval[1], want.Hi)
	if !strings.Contains(g.Sentence, "tell both or neither") {
		t.Errorf("the sentence does not say so: %s", g.Sentence)
	}
	if g.Earlier.To != "2024-12" || g.Later.From != "2025-01" {
		t.Errorf("stretches to %s and from %s", g.Earlier.To, g.Later.From)
	}
}

func TestAnActionIsTestedWithoutItsMonth(t *testing.T) {
	t.Parallel()
	months := monthly(t, measure.Decrease, 25, func(m int) (a, b measure.Stratum) {
		switch {
		case m < 12:
			return share("a", 40, 200), share("b", 80, 200)
		case m == 12:
			return share("a", 200, 200), share("b", 200, 200)
		}
		return share("a", 38, 200), share("b", 50, 200)
	})
	since := time.Date(2025, 1, 15, 0, 0, 0, 0, time.UTC)
	found := trendOf(t, months, gap.Options{Since: since, Reference: "a"})
	c := found.Changes
	if c == nil || len(c.Groups) != 2 {
		t.Fatalf("changes %+v, want those of two groups", c)
	}
	want, _ := stat.ProportionChange(stat.Count{Events: 960, Of: 2400}, stat.Count{Events: 600, Of: 2400})
	b := c.Groups[1]
	near(t, "p", *b.P, want.P)
	near(t, "change", b.Change.Value, -0.15)
	near(t, "change less that of the reference", b.Compared.Value, -0.14)
	if c.Groups[0].Compared != nil {
		t.Error("the reference is compared with itself")
	}
	if found.Series[2].Baseline != 12 {
		t.Errorf("%d months set the limits, want those before the action", found.Series[2].Baseline)
	}
	said := strings.Join(c.Sentences, " ")
	if !strings.Contains(said, "not why") {
		t.Errorf("the sentences do not say what they are not: %s", said)
	}
	for _, word := range []string{"because of the", "caused", "effect of", "thanks to", "led to"} {
		if strings.Contains(said, word) {
			t.Errorf("the sentences say %q: %s", word, said)
		}
	}
}

// TestTheReferenceOfAnActionIsThatBeforeIt: who is best after it may owe that to the action.
func TestTheReferenceOfAnActionIsThatBeforeIt(t *testing.T) {
	t.Parallel()
	months := monthly(t, measure.Decrease, 24, func(m int) (a, b measure.Stratum) {
		if m < 6 {
			return share("a", 40, 200), share("b", 50, 200)
		}
		return share("a", 40, 200), share("b", 10, 200)
	})
	if r := trendOf(t, months, gap.Options{}).Reference; r.Code != "b" {
		t.Errorf("without an action the reference is %q, want the best of all months", r.Code)
	}
	found := trendOf(t, months, gap.Options{Since: months[6].Period.Start})
	if found.Reference.Code != "a" || found.Changes.Reference.Code != "a" {
		t.Errorf("the references are %+v and %+v, want the best before it", found.Reference,
			found.Changes.Reference)
	}
}

func TestNothingBeforeOrAfterIsNoTest(t *testing.T) {
	t.Parallel()
	months := monthly(t, measure.Decrease, 13, func(int) (a, b measure.Stratum) {
		return share("a", 40, 200), share("b", 80, 200)
	})
	for _, since := range []time.Time{months[0].Period.Start, months[12].Period.End} {
		if c := trendOf(t, months, gap.Options{Since: since}).Changes; c.Refused == nil || c.All != nil {
			t.Errorf("since %s: %+v, want a reason", since, c)
		}
	}
}

func TestAMonthThatIsNotOverSetsNoLimits(t *testing.T) {
	t.Parallel()
	months := monthly(t, measure.Decrease, 14, func(m int) (a, b measure.Stratum) {
		return share("a", 40+wave(m), 200), share("b", 60+wave(m), 200)
	})
	last := &months[13]
	for i := range months {
		months[i].DataAsOf = last.Period.Start.AddDate(0, 0, 9)
	}
	last.Groups[0].Strata["race"][0] = share("a", 190, 200)
	found := trendOf(t, months, gap.Options{})
	if !found.Months[13].Partial || !found.Series[1].Points[13].Excluded {
		t.Errorf("month %+v, point %+v; want both set apart", found.Months[13], found.Series[1].Points[13])
	}
	whole := trendOf(t, months[:13], gap.Options{Chart: found.Series[1].Chart})
	near(t, "the centre", *found.Series[1].Points[0].Centre, *whole.Series[1].Points[0].Centre)
}

// TestAMedianOfZeroHasNoOtherSide: a rare event makes a run chart whose centre is 0, and every month
// with an event would be on one side.
func TestAMedianOfZeroHasNoOtherSide(t *testing.T) {
	t.Parallel()
	months := monthly(t, measure.Decrease, 24, func(m int) (a, b measure.Stratum) {
		rare := 0.0
		if m > 14 {
			rare = 1
		}
		return share("a", 40+wave(m), 200), share("b", rare, 30)
	})
	b := trendOf(t, months, gap.Options{}).Series[2]
	if b.Chart != spc.Run || len(b.Signals) != 0 || b.SignalsRefused == nil ||
		b.SignalsRefused.Reason != gap.OneSided {
		t.Errorf("chart %s, signals %+v, refused %+v", b.Chart, b.Signals, b.SignalsRefused)
	}
}

func TestMediansHaveARunChart(t *testing.T) {
	t.Parallel()
	values := func(of float64) []float64 {
		var v []float64
		for i := range 40 {
			v = append(v, of+float64(i%5))
		}
		return v
	}
	months := monthly(t, measure.Decrease, 14, func(m int) (a, b measure.Stratum) {
		return stays("a", values(3+float64(m%2))...), stays("b", values(6)...)
	})
	for i := range months {
		g := &months[i].Groups[0]
		g.Scoring = measure.ContinuousVariable
		g.Cell = g.Strata["race"][0].Cell
	}
	found := trendOf(t, months, gap.Options{Since: months[7].Period.Start})
	if s := found.Series[1]; s.Chart != spc.Run || s.Points[0].Upper != nil {
		t.Errorf("chart %s with limits %v", s.Chart, s.Points[0].Upper)
	}
	b := found.Changes.Groups[1]
	if b.Method != gap.RankTest || b.P == nil || *b.P < 0.99 {
		t.Errorf("%+v; want a test of ranks that finds no change", b)
	}
	if _, err := gap.Trend(months, "", "race", gap.Options{Chart: spc.P}); !errors.Is(err, gap.ErrChart) {
		t.Errorf("a p chart of medians: %v, want ErrChart", err)
	}
}
