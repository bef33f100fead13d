package figure_test

import (
	"math"
	"testing"

	"golang.org/x/text/language"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/figure"
)

// recorded counts people by the value of a dimension; a key that begins with ~ is a state.
func recorded(values map[string]float64, keys ...string) []measure.Stratum {
	var out []measure.Stratum
	for _, key := range keys {
		s := measure.Stratum{Coding: coding(key), Cell: measure.Cell{
			Populations: map[measure.Population]float64{measure.InitialPopulation: values[key]}}}
		out = append(out, s)
	}
	return out
}

func coding(key string) measure.Coding {
	if key[0] == '~' {
		return measure.Coding{State: key[1:], Label: mapping.Label(mapping.SystemState, key[1:])}
	}
	return measure.Coding{State: string(mapping.Known), Code: key, Label: key}
}

// completeness is a measure whose dimensions are looked at.
func completeness(s *figure.Teller, t testing.TB) figure.Measure {
	d := shipped(t, "real-completeness")
	return s.MeasureOf(d, measure.Group{ID: "race", Scoring: measure.Proportion, Per: 1})
}

func TestCompletenessSays(t *testing.T) {
	t.Parallel()
	strata := func() map[string][]measure.Stratum {
		race := map[string]float64{"2106-3": 500, "2054-5": 250, "~unknown": 20, "~asked-declined": 60,
			"~missing": 60, "~unmapped": 10}
		return map[string][]measure.Stratum{
			"race": recorded(race, "2106-3", "2054-5", "~unknown", "~asked-declined", "~missing", "~unmapped"),
			"language": recorded(map[string]float64{"en": 600, "es": 200, "~missing": 99.0, "~text-only": 1}, "en", "es",
				"~missing", "~text-only"),
			"ethnicity":        recorded(map[string]float64{"2135-2": 300, "2186-5": 600}, "2135-2", "2186-5"),
			"interpreter_need": recorded(map[string]float64{"yes": 90, "no": 700, "~asked-no-answer": 110}, "yes", "no", "~asked-no-answer"),
		}
	}
	plain := measure.Group{ID: "race", Cell: cell(proportion, 0, 900), Strata: strata()}
	hidden := plain
	hidden.Strata = strata()
	hidden.Strata["race"][5].Cell = measure.Cell{Suppressed: true}
	overlapping := plain
	overlapping.Strata, overlapping.Overlapping = strata(), []string{"race"}
	overlapping.Strata["race"][0].Populations[measure.InitialPopulation] = 640
	none := plain
	none.Strata = nil
	for _, test := range []struct {
		name  string
		group measure.Group
	}{
		{"completeness", plain}, {"completeness-suppressed", hidden},
		{"completeness-overlapping", overlapping}, {"completeness-none", none},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := measure.Result{Period: period(t, "2025"), Groups: []measure.Group{test.group}}
			inBoth(t, test.name, func(s *figure.Teller, _ language.Tag) figure.Figure {
				return s.Completeness(r, completeness(s, t))
			})
		})
	}
}

func TestCompletenessBySiteSays(t *testing.T) {
	t.Parallel()
	site := func(site, key string, n float64) measure.Stratum {
		return measure.Stratum{
			Components: []measure.Component{{Dimension: "site", Coding: coding(site)},
				{Dimension: "language", Coding: coding(key)}},
			Cell: cell(proportion, 0, n)}
	}
	rows := []measure.Stratum{site("North", "en", 300), site("North", "es", 80), site("North", "~missing", 20),
		site("South\u202e", "en", 90), site("South\u202e", "~missing", 110), site("~missing", "en", 4),
		site("West", "en", 50), {Components: site("West", "~missing", 0).Components,
			Cell: measure.Cell{Suppressed: true}}}
	r := measure.Result{Period: period(t, "2025-Q2"), Groups: []measure.Group{{ID: "race",
		Strata: map[string][]measure.Stratum{"site*language": rows}}}}
	inBoth(t, "completeness-sites", func(s *figure.Teller, _ language.Tag) figure.Figure {
		return s.CompletenessBySite(r, "language", completeness(s, t))
	})
}

// The parts of every bar are all of it, however many of each state there are.
func TestPartsOfABarAreAllOfIt(t *testing.T) {
	t.Parallel()
	s := speaks(t, language.English)
	m := completeness(s, t)
	keys := []string{"2106-3", "2054-5", "~unknown", "~asked-no-answer", "~asked-declined", "~missing",
		"~conflicting", "~unmapped", "~text-only"}
	rapid.Check(t, func(rt *rapid.T) {
		values, total := map[string]float64{}, 0.0
		for _, key := range keys {
			values[key] = float64(rapid.IntRange(0, 500).Draw(rt, key))
			total += values[key]
		}
		r := measure.Result{Groups: []measure.Group{{ID: "race", Cell: cell(proportion, 0, total),
			Strata: map[string][]measure.Stratum{"race": recorded(values, keys...)}}}}
		f := s.Completeness(r, m)
		bar := f.Chart.(chart.Completeness).Rows[0]
		if total == 0 {
			if bar.State != chart.NoData {
				rt.Errorf("nobody is drawn as %+v", bar)
			}
			return
		}
		sum := 0.0
		for _, share := range bar.Shares {
			sum += share
		}
		if math.Abs(sum-1) > 1e-9 {
			rt.Errorf("shares of %v add up to %v", values, sum)
		}
		for _, note := range f.Notes {
			if note == s.Words().Say("time.complete.unequal") {
				rt.Errorf("%v of %v are said not to add up", values, total)
			}
		}
	})
}
