package gap_test

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/stat"
)

// aged is a stratum of race crossed with age_band.
func aged(race, band string, n, d float64) measure.Stratum {
	s := at(race, band, n, d)
	s.Components[1].Dimension = "age_band"
	return s
}

// compared compares one result by race.
func compared(t *testing.T, r measure.Result, o gap.Options) gap.Comparison {
	t.Helper()
	c, err := gap.Compare(r, "", "race", o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := json.Marshal(c); err != nil {
		t.Errorf("the comparison is no JSON: %v", err)
	}
	return c
}

// groupOf finds a group by its code.
func groupOf(t *testing.T, c gap.Comparison, code string) gap.Compared {
	t.Helper()
	i := slices.IndexFunc(c.Groups, func(g gap.Compared) bool { return g.Code == code })
	if i < 0 {
		t.Fatalf("no group %q", code)
	}
	return c.Groups[i]
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9*max(1, math.Abs(want)) {
		t.Errorf("%s = %.12g, want %.12g", what, got, want)
	}
}

// twoAges are two groups with the same score in each age, of which b is older.
func twoAges(t *testing.T) measure.Result {
	t.Helper()
	r := rates(t, measure.Decrease, share("a", 200, 1000), share("b", 320, 1000))[0]
	r.Groups[0].Strata["race*age_band"] = []measure.Stratum{
		aged("a", "18-44", 80, 800), aged("a", "45-64", 120, 200),
		aged("b", "18-44", 56, 560), aged("b", "45-64", 264, 440),
	}
	return r
}

func TestAgeStandardisationTakesOutAge(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name     string
		standard gap.Standard
		young    float64
		leftOut  int
	}{
		{"by their own people", gap.Own, 1360.0 / 2000, 0},
		{"by those of 2000", gap.US2000, 108151.0 / (108151 + 60991), 4},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := compared(t, twoAges(t), gap.Options{Standard: test.standard})
			want := 0.1*test.young + 0.6*(1-test.young)
			for _, code := range []string{"a", "b"} {
				near(t, "the score of "+code+" at the same ages", groupOf(t, c, code).Direct.Score, want)
			}
			near(t, "the share of the young", c.Standard.Bands[0].Share, test.young)
			if len(c.Standard.LeftOut) != test.leftOut {
				t.Errorf("left out are %v, want %d bands", c.Standard.LeftOut, test.leftOut)
			}
			b := groupOf(t, c, "b")
			near(t, "expected of b", b.Indirect.Expected, 560*0.1+440*0.6)
			near(t, "observed over expected of b", b.Indirect.Ratio, 1)
			lo, hi := stat.Garwood(320, 320)
			near(t, "its lower end", b.Indirect.Interval[0], lo)
			near(t, "its upper end", b.Indirect.Interval[1], hi)
			near(t, "the crude gap of b", b.Gap.Difference, 0.12)
		})
	}
}

func TestTheTestOfAllGroups(t *testing.T) {
	t.Parallel()
	strata := []measure.Stratum{share("a", 60, 300), share("b", 90, 300), share("c", 40, 100)}
	c := compared(t, rates(t, measure.Increase, strata...)[0], gap.Options{})
	want := 0.0
	for _, s := range strata {
		x, n := s.Populations[measure.Numerator], s.Populations[measure.Denominator]
		e := n * 190 / 700
		want += (x-e)*(x-e)/e + (x-e)*(x-e)/(n-e)
	}
	near(t, "χ²", *c.Test.Statistic, want)
	if c.Test.Method != gap.ChiSquareTest || c.Test.DF != 2 || c.Trend != nil {
		t.Errorf("test %+v, trend %+v; want χ² of 2 and no trend", c.Test, c.Trend)
	}
	small := compared(t, rates(t, measure.Increase, share("a", 1, 12), share("b", 7, 9))[0], gap.Options{})
	if small.Test.Method != stat.FisherTest {
		t.Errorf("small counts are tested by %s", small.Test.Method)
	}
	near(t, "Fisher's p", small.Test.P, stat.FisherExact(1, 12, 7, 9))
}

// TestRatesAreTestedAsPoissonCounts: given all events, those of a group are expected by its exposure.
func TestRatesAreTestedAsPoissonCounts(t *testing.T) {
	t.Parallel()
	r := rates(t, measure.Decrease, share("a", 30, 1000), share("b", 20, 400), share("c", 10, 600))[0]
	g := &r.Groups[0]
	g.Scoring, g.Per = measure.Ratio, 1000
	for i := range g.Strata["race"] {
		*g.Strata["race"][i].Score *= 1000
	}
	c := compared(t, r, gap.Options{})
	want := 0.0
	for _, n := range [][2]float64{{30, 1000}, {20, 400}, {10, 600}} {
		e := 60 * n[1] / 2000
		want += (n[0] - e) * (n[0] - e) / e
	}
	if math.Abs(*c.Test.Statistic-want) > 1e-6 {
		t.Errorf("χ² = %g, want %g", *c.Test.Statistic, want)
	}
}

// stays makes a stratum of a continuous variable.
func stays(code string, values ...float64) measure.Stratum {
	s := share(code, 0, float64(len(values)))
	slices.Sort(values)
	median, _ := stat.Quantile(values, 0.5)
	s.Score, s.Interval = &median, nil
	if lo, hi, ok := stat.MedianInterval(values); ok {
		s.Interval = &[2]float64{lo, hi}
	}
	s.Populations = map[measure.Population]float64{measure.MeasurePopulation: float64(len(values))}
	for i, v := range values {
		if i > 0 && values[i-1] == v {
			s.Values[len(s.Values)-1].Count++
			continue
		}
		s.Values = append(s.Values, measure.ValueCount{Value: v, Count: 1})
	}
	return s
}

func TestMediansAreTestedByRanks(t *testing.T) {
	t.Parallel()
	var a, b []float64
	for i := range 40 {
		a, b = append(a, float64(i%9)), append(b, float64(i%7)+2)
	}
	r := rates(t, measure.Decrease, stays("a", a...), stays("b", b...))[0]
	g := &r.Groups[0]
	g.Scoring = measure.ContinuousVariable
	g.Cell = stays("", slices.Concat(a, b)...).Cell
	want, _ := stat.KruskalWallis([][]float64{a, b})
	c := compared(t, r, gap.Options{})
	near(t, "H", *c.Test.Statistic, want.H)
	near(t, "p of all", c.Test.P, want.P)
	near(t, "p of the pair", *groupOf(t, c, "b").Gap.P, want.P)
	if c.Test.Method != gap.RankTest || groupOf(t, c, "b").Gap.Method != gap.RankTest {
		t.Errorf("tested by %s and %s", c.Test.Method, groupOf(t, c, "b").Gap.Method)
	}
	// Against everybody the test is against the rest.
	overall := compared(t, r, gap.Options{Reference: gap.Overall})
	near(t, "p of b and the rest", *groupOf(t, overall, "b").Gap.P, want.P)
}

func TestOnlyAgesHaveATrend(t *testing.T) {
	t.Parallel()
	r := rates(t, measure.Increase)[0]
	r.Groups[0].Strata = map[string][]measure.Stratum{"age_band": {
		share("18-44", 10, 100), share("45-64", 20, 100), share("85+", 40, 100),
	}}
	c, err := gap.Compare(r, "main", "age_band", gap.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want, _ := stat.TrendTest([]float64{10, 20, 40}, []float64{100, 100, 100}, []float64{1, 2, 5})
	near(t, "Z", *c.Trend.Statistic, want.Z)
	answered := func(name string) bool {
		return slices.ContainsFunc(c.Summary.Measures, func(m gap.SummaryMeasure) bool {
			return m.Measure == name
		})
	}
	if !c.Summary.Ordered || !answered("SII") || answered("BGV") {
		t.Errorf("summary %+v; want that of an order", c.Summary)
	}
}

func TestSummaryMeasures(t *testing.T) {
	t.Parallel()
	unknown := share("", 5, 50)
	unknown.State = "unknown"
	c := compared(t, rates(t, measure.Increase, share("a", 900, 1000), share("b", 700, 1000),
		share("c", 800, 1000), share("d", 1, 20), unknown)[0], gap.Options{})
	i := slices.IndexFunc(c.Summary.Measures, func(m gap.SummaryMeasure) bool {
		return m.Measure == "D" && m.Variant == "heat"
	})
	near(t, "D", c.Summary.Measures[i].Estimate, -groupOf(t, c, "b").Gap.Difference)
	if c.Summary.Unknown != 50 || c.Summary.Groups != 3 || !slices.Equal(c.Summary.LeftOut, []string{"Group d"}) {
		t.Errorf("unknown %g, groups %d, left out %v; want 50, 3 and d", c.Summary.Unknown,
			c.Summary.Groups, c.Summary.LeftOut)
	}
	if i := slices.IndexFunc(c.Summary.Refusals, func(r gap.SummaryRefusal) bool { return r.Measure == "SII" }); i < 0 {
		t.Error("SII is not refused of groups without an order")
	}
}

// TestOverlappingGroupsKeepWhatNeedsNoWeights is the list that the documentation gives.
func TestOverlappingGroupsKeepWhatNeedsNoWeights(t *testing.T) {
	t.Parallel()
	r := rates(t, measure.Increase, share("a", 900, 1000), share("b", 700, 1000),
		share("c", 800, 1000))[0]
	r.Groups[0].Overlapping = []string{"race"}
	var got []string
	for _, m := range compared(t, r, gap.Options{}).Summary.Measures {
		got = append(got, m.Measure+" "+m.Variant)
		if m.Interval != nil {
			t.Errorf("%s has an interval, and the groups are not independent", m.Measure)
		}
	}
	want := []string{"D heat", "D max-min", "R heat", "R max-min", "MDBU heat", "MDRU heat",
		"IDISU hdcalc"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("answered (-want +got):\n%s", d)
	}
}

// TestRefusals: what is not given says why, and nothing else is missing.
func TestRefusals(t *testing.T) {
	t.Parallel()
	type refusals struct{ Gaps, Standard, Test, Summary gap.Reason }
	cases := []struct {
		name   string
		change func(*measure.Group)
		want   refusals
	}{
		{"nothing, where the cross is there", func(*measure.Group) {}, refusals{}},
		{"standardisation without the cross", func(g *measure.Group) { delete(g.Strata, "race*age_band") },
			refusals{Standard: gap.NoCross}},
		{"all but sums of overlapping groups", func(g *measure.Group) { g.Overlapping = []string{"race"} },
			refusals{gap.Overlaps, gap.Overlaps, gap.Overlaps, ""}},
		{"gaps by what the measure is about", func(g *measure.Group) { g.NotBy = []string{"race"} },
			refusals{gap.AboutIt, "", gap.AboutIt, gap.AboutIt}},
		{"standardised and summary medians", func(g *measure.Group) { g.Scoring = measure.ContinuousVariable },
			refusals{gap.OneGroup, gap.NotACount, gap.NoValues, gap.NotACount}},
		{"everything beside a hidden figure", func(g *measure.Group) {
			g.Strata["race"][1].Cell = measure.Cell{Suppressed: true}
		}, refusals{gap.OneGroup, gap.Hidden, gap.Hidden, gap.Hidden}},
		{"standardisation by a hidden cross", func(g *measure.Group) {
			g.Strata["race*age_band"][1].Cell = measure.Cell{Suppressed: true}
		}, refusals{Standard: gap.Hidden}},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := twoAges(t)
			test.change(&r.Groups[0])
			c := compared(t, r, gap.Options{})
			var got refusals
			for _, one := range []struct {
				of *gap.Refused
				to *gap.Reason
			}{{c.GapsRefused, &got.Gaps}, {c.StandardRefused, &got.Standard}, {c.TestRefused, &got.Test},
				{c.SummaryRefused, &got.Summary}} {
				if one.of != nil {
					*one.to = one.of.Reason
					if one.of.Says == "" || one.of.Says == string(one.of.Reason) {
						t.Errorf("%s has no words", one.of.Reason)
					}
				}
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Errorf("refused (-want +got):\n%s", d)
			}
		})
	}
}

func TestAnEmptyAgeBandIsNotGuessed(t *testing.T) {
	t.Parallel()
	r := twoAges(t)
	r.Groups[0].Strata["race*age_band"] = r.Groups[0].Strata["race*age_band"][:3]
	c := compared(t, r, gap.Options{})
	b := groupOf(t, c, "b")
	if b.Direct != nil || b.DirectRefused == nil || b.DirectRefused.Reason != gap.EmptyBand {
		t.Errorf("standardised %+v, refused %+v; want that its score there is not known", b.Direct,
			b.DirectRefused)
	}
}

func TestEveryTestOfAComparisonCounts(t *testing.T) {
	t.Parallel()
	c := compared(t, rates(t, measure.Increase, share("a", 900, 1000), share("b", 860, 1000),
		share("c", 880, 1000))[0], gap.Options{})
	p := []float64{*groupOf(t, c, "b").Gap.P, *groupOf(t, c, "c").Gap.P, c.Test.P}
	want := stat.BenjaminiHochberg(p)
	got := []float64{*groupOf(t, c, "b").Gap.Q, *groupOf(t, c, "c").Gap.Q, *c.Test.Q}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("corrected (-want +got):\n%s", d)
	}
}

func TestCompareRefusesWhatIsNotThere(t *testing.T) {
	t.Parallel()
	r := twoAges(t)
	for _, test := range []struct {
		name, rate, dimension string
		o                     gap.Options
		want                  error
	}{
		{"a rate", "none", "race", gap.Options{}, gap.ErrUnknownRate},
		{"a dimension", "", "sex", gap.Options{}, gap.ErrNoDimension},
		{"a reference", "", "race", gap.Options{Reference: "z"}, gap.ErrNoReference},
		{"a standard", "", "race", gap.Options{Standard: "mars"}, gap.ErrUnknownStandard},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := gap.Compare(r, test.rate, test.dimension, test.o); !errors.Is(err, test.want) {
				t.Errorf("Compare = %v, want %v", err, test.want)
			}
		})
	}
}
