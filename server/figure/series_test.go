package figure_test

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/language"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/stat/spc"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/words"
)

// monthsOf are results of the months from January 2024 on, of a measure by language group.
func monthsOf(t testing.TB, m figure.Measure, n int, of func(i int) []counts) []measure.Result {
	t.Helper()
	var out []measure.Result
	for i := range n {
		r := resultOf(t, m, "language_group", of(i)...)
		start := time.Date(2024, time.Month(i+1), 1, 0, 0, 0, 0, time.UTC)
		r.Period = measure.Period{Start: start, End: start.AddDate(0, 1, -1)}
		r.DataAsOf = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
		out = append(out, r)
	}
	return out
}

func trend(t testing.TB, months []measure.Result, o gap.Options) gap.TrendReport {
	t.Helper()
	found, err := gap.Trend(months, "", "language_group", o)
	if err != nil {
		t.Fatalf("gap.Trend = %v", err)
	}
	return found
}

// wave moves a count about as much as chance would.
func wave(i int) float64 { return float64(i*37%23) - 11 }

// twoGroups are English and Spanish, and some who did not say; the month of an index has another share.
func twoGroups(odd int) func(int) []counts {
	return func(i int) []counts {
		jump := 0.0
		if i == odd {
			jump = -60
		}
		return []counts{{"english", "English", "", 120 + wave(i), 200}, {"spanish", "Spanish", "", 150 + wave(i+1) + jump, 300},
			{"", "", "missing", 4 + float64(i*3%4), 10}}
	}
}

func TestSeriesSay(t *testing.T) {
	t.Parallel()
	english := interpreter(language.English)
	notOver := monthsOf(t, english, 24, twoGroups(20))
	for i := range notOver {
		notOver[i].DataAsOf = time.Date(2025, 12, 10, 0, 0, 0, 0, time.UTC)
	}
	drift := monthsOf(t, english, 24, func(i int) []counts {
		if i < 12 {
			return []counts{{"spanish", "Spanish", "", 100 + wave(i), 300}}
		}
		return []counts{{"spanish", "Spanish", "", 150 + wave(i), 300}}
	})
	hidden := monthsOf(t, english, 14, twoGroups(-1))
	hidden[3].Groups[0].Strata["language_group"][1].Cell = measure.Cell{Suppressed: true}
	absent := monthsOf(t, english, 14, twoGroups(-1))
	absent[3].Groups[0].Strata["language_group"][1].Cell = cell(english, 0, 0)
	action := gap.Options{Since: time.Date(2025, 1, 15, 0, 0, 0, 0, time.UTC)}
	for _, test := range []struct {
		name   string
		months []measure.Result
		o      gap.Options
		series int
	}{
		{"series-signal", notOver, gap.Options{}, 2},
		{"series-steady", monthsOf(t, english, 24, twoGroups(-1)), gap.Options{}, 1},
		{"series-state", monthsOf(t, english, 24, twoGroups(-1)), gap.Options{}, 3},
		{"series-everybody", monthsOf(t, english, 8, twoGroups(-1)), gap.Options{}, 0},
		{"series-action", monthsOf(t, english, 20, twoGroups(15)), action, 2},
		{"series-drift", drift, gap.Options{Rules: append(append(spc.IHI(), spc.Anhoej()...), spc.Shewhart()...)}, 1},
		{"series-suppressed", hidden, gap.Options{}, 2},
		{"series-no-data", absent, gap.Options{}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := trend(t, test.months, test.o)
			inBoth(t, test.name, func(s *figure.Teller, tag language.Tag) figure.Figure {
				return s.Series(r, test.series, interpreter(tag))
			})
		})
	}
}

func TestGapTimeSays(t *testing.T) {
	t.Parallel()
	english := interpreter(language.English)
	harm := func(tag language.Tag) figure.Measure {
		m := interpreter(tag)
		m.Improvement = measure.Decrease
		return m
	}
	disagree := monthsOf(t, harm(language.English), 24, func(i int) []counts {
		if i < 12 {
			return []counts{{"english", "English", "", 40, 200}, {"spanish", "Spanish", "", 80, 200}}
		}
		return []counts{{"english", "English", "", 16, 200}, {"spanish", "Spanish", "", 40, 200}}
	})
	for _, test := range []struct {
		name   string
		months []measure.Result
		of     func(language.Tag) figure.Measure
		o      gap.Options
	}{
		{"gap-disagree", disagree, harm, gap.Options{}},
		{"gap-chance", monthsOf(t, english, 24, twoGroups(-1)), interpreter, gap.Options{}},
		{"gap-few", monthsOf(t, english, 4, twoGroups(-1)), interpreter, gap.Options{Reference: gap.Overall}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := trend(t, test.months, test.o)
			inBoth(t, test.name, func(s *figure.Teller, tag language.Tag) figure.Figure {
				f, ok := s.GapTime(r, "spanish", test.of(tag))
				if !ok {
					t.Errorf("GapTime(spanish) is not there")
				}
				return f
			})
		})
	}
}

func TestAMonthOfFewEventsIsSaidToBeOne(t *testing.T) {
	t.Parallel()
	harm := figure.Measure{ID: "harm", Rate: "main", Scoring: measure.Ratio, Improvement: measure.Decrease,
		Per: 1000, Unit: measure.StayUnit, Words: measure.Words{Title: "Harm",
			Reads: "{n} harms were reported per 1,000 days"}}
	months := monthsOf(t, harm, 16, func(i int) []counts {
		return []counts{{"spanish", "Spanish", "", float64(5 + i*5%4), 900}}
	})
	inBoth(t, "series-rate", func(s *figure.Teller, _ language.Tag) figure.Figure {
		return s.Series(trend(t, months, gap.Options{}), 1, harm)
	})
}

// Of medians there is no interval, and so no direction is told.
func TestAGapOfMedians(t *testing.T) {
	t.Parallel()
	stay := figure.Measure{ID: "stay", Rate: "main", Scoring: measure.ContinuousVariable,
		Improvement: measure.Decrease, Per: 1, Unit: measure.StayUnit, Words: measure.Words{Title: "Stay"}}
	month := func(text string) gap.Month { return gap.Month{Period: period(t, text)} }
	day, half := 1.0, 0.5
	r := gap.TrendReport{Measure: "stay", Dimension: "site", Period: period(t, "2025"),
		Months:    []gap.Month{month("2025-01"), month("2025-02")},
		Reference: &gap.Chosen{Rule: gap.Overall},
		Gaps: []gap.MonthlyGap{{Group: "North", Code: "n", Months: []gap.MonthGap{
			{Month: "2025-01", Difference: &day}, {Month: "2025-02", Difference: &half}},
			Earlier: &gap.Stretch{From: "2025-01", To: "2025-01", N: 40, Difference: 1},
			Later:   &gap.Stretch{From: "2025-02", To: "2025-02", N: 50, Difference: 0.5},
			Change:  &gap.Estimate{Value: -0.5}, ByDifference: gap.Narrows, ByRatio: gap.Narrows}}}
	inBoth(t, "gap-median", func(s *figure.Teller, _ language.Tag) figure.Figure {
		f, _ := s.GapTime(r, "n", stay)
		return f
	})
}

func TestAGapThatIsNotFollowed(t *testing.T) {
	t.Parallel()
	m := interpreter(language.English)
	s := speaks(t, language.English)
	if _, ok := s.GapTime(trend(t, monthsOf(t, m, 14, twoGroups(-1)), gap.Options{}), "chinese", m); ok {
		t.Error("a gap of nobody is there")
	}
	alone := trend(t, monthsOf(t, m, 14, func(int) []counts {
		return []counts{{"spanish", "Spanish", "", 100, 300}}
	}), gap.Options{})
	f, ok := s.GapTime(alone, "spanish", m)
	if !ok || len(f.Sentences) == 0 || f.Chart != nil {
		t.Errorf("the gap of a group that is alone: %+v, %t; want the reason and no picture", f, ok)
	}
}

func TestTheTableOfASeriesIsItsPicture(t *testing.T) {
	t.Parallel()
	r := trend(t, monthsOf(t, interpreter(language.English), 24, twoGroups(20)), gap.Options{})
	f := speaks(t, language.English).Series(r, 2, interpreter(language.English))
	c, ok := f.Chart.(chart.Control)
	if !ok || len(c.Points) != 24 || len(f.Table.Rows) != 24 {
		t.Fatalf("a chart %T of %d rows, want a control chart of 24", f.Chart, len(f.Table.Rows))
	}
	signals := 0
	for i, row := range f.Table.Rows {
		if len(row.Cells) != len(f.Table.Columns) {
			t.Errorf("row %d has %d cells, want %d", i, len(row.Cells), len(f.Table.Columns))
		}
		if (row.Kind == figure.KindSignal) != c.Points[i].Signal {
			t.Errorf("row %d is %q, and its point a signal: %t", i, row.Kind, c.Points[i].Signal)
		}
		if c.Points[i].Signal {
			signals++
		}
		if !strings.Contains(c.Points[i].Text, row.Cells[3].Text) {
			t.Errorf("row %d has the score %q, its point says %q", i, row.Cells[3].Text, c.Points[i].Text)
		}
	}
	if signals != 1 {
		t.Errorf("%d months are signals, want one", signals)
	}
}

// Every kind of chart, every rule and every way of a gap has its words, in both languages.
func TestEveryPatternHasWords(t *testing.T) {
	t.Parallel()
	sides := map[spc.Rule][]string{
		spc.BeyondLimits: {".above", ".below"}, spc.EightOneSide: {".above", ".below"},
		spc.SixTrend: {".rising", ".falling"}, spc.TwoOfThree: {".above", ".below"}, spc.FifteenWithin: {""},
		spc.Shift: {".above", ".below"}, spc.Trend: {".rising", ".falling"}, spc.TooFewRuns: {""},
		spc.TooManyRuns: {""}, spc.LongRun: {".above", ".below"}, spc.FewCrossings: {""},
	}
	var keys []string
	for rule, ends := range sides {
		for _, end := range ends {
			keys = append(keys, "time.signal."+string(rule)+end)
			if end != "" {
				keys = append(keys, "time.mark."+string(rule))
			}
		}
	}
	for _, rule := range append(append(spc.Shewhart(), spc.IHI()...), spc.Anhoej()...) {
		if sides[rule] == nil {
			t.Errorf("the rule %s is not looked at here", rule)
		}
	}
	for _, kind := range []spc.Kind{spc.P, spc.U, spc.PPrime, spc.UPrime, spc.Run, spc.G, spc.T} {
		keys = append(keys, "time.chart."+string(kind))
	}
	for _, why := range []spc.Because{spc.NoDistribution, spc.FewSubgroups, spc.RareEvents, spc.RareNonEvents,
		spc.Overdispersion} {
		keys = append(keys, "time.why."+string(why))
	}
	for _, way := range []gap.Direction{gap.Narrows, gap.Widens, gap.Turns, gap.Stays} {
		keys = append(keys, "time.way."+string(way))
	}
	for _, s := range mapping.States() {
		keys = append(keys, "time.state."+string(s))
	}
	for _, tag := range words.Languages() {
		for _, key := range keys {
			if !speaks(t, tag).Words().Has(key) {
				t.Errorf("%s has no words in %v", key, tag)
			}
		}
	}
}

// The score of each month is what its counts make of it, as far as its digits go.
func TestScoresOfASeriesAreThoseOfItsCounts(t *testing.T) {
	t.Parallel()
	s, m := speaks(t, language.English), interpreter(language.English)
	number := func(rt *rapid.T, text string) float64 {
		v, err := strconv.ParseFloat(strings.ReplaceAll(text, ",", ""), 64)
		if err != nil {
			rt.Fatalf("%q is no number", text)
		}
		return v
	}
	rapid.Check(t, func(rt *rapid.T) {
		months := monthsOf(t, m, rapid.IntRange(3, 14).Draw(rt, "months"), func(int) []counts {
			of := rapid.IntRange(0, 4000).Draw(rt, "of")
			return []counts{{"spanish", "Spanish", "", float64(rapid.IntRange(0, of).Draw(rt, "events")), float64(of)}}
		})
		for _, f := range s.All(trend(t, months, gap.Options{}), m) {
			for _, row := range f.Table.Rows {
				of, events := number(rt, row.Cells[1].Text), number(rt, row.Cells[2].Text)
				if of == 0 {
					if row.Cells[3].Text != "no data" {
						rt.Fatalf("of nobody the score is %q", row.Cells[3].Text)
					}
					continue
				}
				if score := number(rt, row.Cells[3].Text); math.Abs(score-100*events/of) > 0.5 ||
					(score == 0) != (events == 0) {
					rt.Fatalf("%v of %v is %v of 100", events, of, score)
				}
			}
		}
	})
}
