package figure_test

import (
	"errors"
	"testing"

	"golang.org/x/text/language"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/figure"
)

// crossed is a rate by race and language group.
func crossed(t testing.TB) measure.Result {
	t.Helper()
	r := resultOf(t, interpreter(language.English), "race", counts{"2106-3", "White", "", 300, 700})
	for _, c := range []struct {
		race, group string
		events, of  float64
	}{
		{"2106-3", "english", 210, 400}, {"2106-3", "spanish", 80, 250}, {"2106-3", "chinese", 5, 12},
		{"2054-5", "english", 90, 200}, {"2054-5", "spanish", 0, 0}, {"2106-3", "~missing", 3, 9},
		{"~asked-declined", "english", 10, 40},
	} {
		r.Groups[0].Strata["race*language_group"] = append(r.Groups[0].Strata["race*language_group"],
			measure.Stratum{Components: []measure.Component{{Dimension: "race", Coding: coding(c.race)},
				{Dimension: "language_group", Coding: coding(c.group)}},
				Cell: cell(proportion, c.events, c.of)})
	}
	return r
}

func TestCrossSays(t *testing.T) {
	t.Parallel()
	hidden := crossed(t)
	hidden.Groups[0].Strata["race*language_group"][2].Cell = measure.Cell{Suppressed: true}
	alone := crossed(t)
	alone.Groups[0].Strata["race*language_group"] = alone.Groups[0].Strata["race*language_group"][:1]
	for _, test := range []struct {
		name string
		r    measure.Result
	}{
		{"cross", crossed(t)}, {"cross-suppressed", hidden}, {"cross-alone", alone},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inBoth(t, test.name, func(s *figure.Teller, tag language.Tag) figure.Figure {
				f, err := s.Cross(test.r, "race*language_group", interpreter(tag))
				if err != nil {
					t.Errorf("Cross = %v", err)
				}
				return f
			})
		})
	}
}

func TestACrossThatIsNotThere(t *testing.T) {
	t.Parallel()
	_, err := speaks(t, language.English).Cross(crossed(t), "race*sex", interpreter(language.English))
	if !errors.Is(err, gap.ErrNoDimension) {
		t.Errorf("Cross of another cross = %v", err)
	}
}

func TestSmallGroupsOfACrossAreMarked(t *testing.T) {
	t.Parallel()
	f, err := speaks(t, language.English).Cross(crossed(t), "race*language_group", interpreter(language.English))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range f.Chart.(chart.DotPlot).Rows {
		if few := row.Note == "n 12" || row.Note == "n 9"; few != row.Unreliable {
			t.Errorf("%s (%s) is unreliable: %t", row.Label, row.Note, row.Unreliable)
		}
	}
}
