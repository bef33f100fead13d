package figure_test

import (
	"testing"

	"golang.org/x/text/language"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/figure"
)

// bounded is a result with what 20 of unknown group, 5 of them counted, could make of each score.
func bounded(t testing.TB, english, spanish, chinese float64) measure.Result {
	t.Helper()
	r := resultOf(t, interpreter(language.English), "language_group",
		counts{"english", "English", "", english, 400}, counts{"spanish", "Spanish", "", spanish, 300},
		counts{"chinese", "Chinese", "", chinese, 100}, counts{"", "", "missing", 5, 20})
	strata := r.Groups[0].Strata["language_group"]
	for i := range strata[:3] {
		s := &strata[i]
		n, of := s.Populations[measure.Numerator], s.Populations[measure.Denominator]
		all := (n + 5) / (of + 20)
		s.Bounds, s.IfUnknown = &[2]float64{n / (of + 15), (n + 5) / (of + 5)}, &all
	}
	return r
}

func TestUnknownsSay(t *testing.T) {
	t.Parallel()
	none := resultOf(t, interpreter(language.English), "language_group",
		counts{"english", "English", "", 100, 400}, counts{"spanish", "Spanish", "", 90, 300})
	hidden := bounded(t, 240, 120, 58)
	hidden.Groups[0].Strata["language_group"][3].Cell = measure.Cell{Suppressed: true}
	hidden.Groups[0].Strata["language_group"][2].Cell = measure.Cell{Suppressed: true}
	for _, test := range []struct {
		name string
		r    measure.Result
	}{
		{"unknown", bounded(t, 240, 120, 58)}, {"unknown-none", none}, {"unknown-suppressed", hidden},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := compare(t, test.r, "language_group", gap.Options{})
			inBoth(t, test.name, func(s *figure.Teller, tag language.Tag) figure.Figure {
				return s.Unknowns(test.r, c, interpreter(tag))
			})
		})
	}
}

func TestBoundsAreDrawnAboutTheScore(t *testing.T) {
	t.Parallel()
	r := bounded(t, 240, 120, 58)
	f := speaks(t, language.English).Unknowns(r, compare(t, r, "language_group", gap.Options{}),
		interpreter(language.English))
	plot, ok := f.Chart.(chart.DotPlot)
	if !ok || len(plot.Rows) != 3 {
		t.Fatalf("the picture is %T, want three rows", f.Chart)
	}
	for _, row := range plot.Rows {
		if row.Value == nil || row.Interval == nil || row.Interval[0] > *row.Value || row.Interval[1] < *row.Value {
			t.Errorf("%s: %v within %v", row.Label, row.Value, row.Interval)
		}
	}
}
