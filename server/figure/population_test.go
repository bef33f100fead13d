package figure_test

import (
	"slices"
	"testing"

	"golang.org/x/text/language"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/figure"
)

// shipped is a measure of the catalog.
func shipped(t testing.TB, id string) measure.Definition {
	t.Helper()
	all, err := measure.Load(catalog.Files())
	if err != nil {
		t.Fatalf("measure.Load = %v", err)
	}
	i := slices.IndexFunc(all, func(d measure.Definition) bool { return d.ID == id })
	if i < 0 {
		t.Fatalf("the catalog has no %s", id)
	}
	return all[i]
}

// own is a measure that is not in the catalog.
func own(t testing.TB, yaml string) measure.Definition {
	t.Helper()
	d, err := measure.ParseDefinition([]byte(yaml))
	if err != nil {
		t.Fatalf("ParseDefinition = %v", err)
	}
	return d
}

const videoVisits = `
id: video-visits
version: 1.0.0
title: Video visits
unit: encounter
scoring: proportion
improvement: increase
dated_by: start
needs: [Patient, Encounter]
populations:
  initial-population: class = 'AMB'
  denominator: "true"
  denominator-exclusion: disposition = 'exp'
  denominator-exception: disposition = 'oth'
  numerator: telehealth is not null
  numerator-exclusion: telehealth = 'audio'
source: Own.
says: Of visits, the share by video.
`

const emergencyCohort = `
id: emergency-cohort
version: 1.0.0
title: Emergency visits
unit: encounter
scoring: cohort
improvement: context
dated_by: start
needs: [Patient, Encounter]
populations:
  initial-population: class = 'EMER'
source: Own.
says: Emergency visits.
`

func TestPopulationSays(t *testing.T) {
	t.Parallel()
	score := func(v float64) *float64 { return &v }
	video := measure.Group{ID: "main", Scoring: measure.Proportion, Improvement: measure.Increase, Per: 1,
		Undated: 3, Cell: measure.Cell{Score: score(0.4), Interval: &[2]float64{0.38, 0.42},
			Populations: map[measure.Population]float64{
				measure.InitialPopulation: 2600, measure.Denominator: 2600, measure.DenominatorExclusion: 100,
				measure.DenominatorException: 250, measure.Numerator: 1000, measure.NumeratorExclusion: 100,
			}}}
	hidden := video
	hidden.Cell = measure.Cell{Suppressed: true, Populations: map[measure.Population]float64{
		measure.InitialPopulation: 40, measure.Denominator: 40, measure.DenominatorExclusion: 0}}
	hidden.Undated = 0
	for _, test := range []struct {
		name  string
		d     measure.Definition
		group measure.Group
	}{
		{"population-proportion", own(t, videoVisits), video},
		{"population-suppressed", own(t, videoVisits), hidden},
		{"population-ratio", shipped(t, "harm-per-1000-days"), measure.Group{ID: "main",
			Scoring: measure.Ratio, Per: 1000, Cell: measure.Cell{Score: score(3.2),
				Interval: &[2]float64{2.7, 3.8}, Populations: map[measure.Population]float64{
					measure.InitialPopulation: 9000, measure.Denominator: 42000, measure.DenominatorExclusion: 0,
					measure.Numerator: 134,
				}}}},
		{"population-continuous", shipped(t, "length-of-stay"), measure.Group{ID: "main",
			Scoring: measure.ContinuousVariable, Aggregate: measure.Median, Cell: measure.Cell{
				Score: score(3.5), Interval: &[2]float64{3, 4}, Populations: map[measure.Population]float64{
					measure.InitialPopulation: 900, measure.MeasurePopulation: 900, measure.MeasureExclusion: 12,
				}}}},
		{"population-cohort", own(t, emergencyCohort), measure.Group{ID: "main", Scoring: measure.Cohort,
			Cell: measure.Cell{Populations: map[measure.Population]float64{measure.InitialPopulation: 77}}}},
		{"population-empty", own(t, videoVisits), measure.Group{ID: "main", Scoring: measure.Proportion,
			Cell: measure.Cell{Populations: map[measure.Population]float64{measure.InitialPopulation: 0,
				measure.Denominator: 0, measure.Numerator: 0}}}},
		{"population-imported", measure.Definition{ID: "cms1", Title: "Of another engine", Imported: true,
			Unit: measure.PatientUnit, Scoring: measure.Proportion}, video},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := measure.Result{Measure: test.d.ID, Version: "1.0.0", Period: period(t, "2025"),
				Groups: []measure.Group{test.group}}
			inBoth(t, test.name, func(s *figure.Teller, _ language.Tag) figure.Figure {
				return s.Population(r, test.d, s.MeasureOf(test.d, test.group))
			})
		})
	}
}

func TestThePictureOfAPopulationIsOfParts(t *testing.T) {
	t.Parallel()
	d := own(t, videoVisits)
	score := 0.5
	g := measure.Group{ID: "main", Scoring: measure.Proportion, Per: 1, Cell: measure.Cell{Score: &score,
		Populations: map[measure.Population]float64{measure.InitialPopulation: 200, measure.Denominator: 100,
			measure.DenominatorExclusion: 20, measure.Numerator: 40}}}
	s := speaks(t, language.English)
	f := s.Population(measure.Result{Groups: []measure.Group{g}}, d, s.MeasureOf(d, g))
	c, ok := f.Chart.(chart.Completeness)
	if !ok {
		t.Fatalf("the picture is a %T", f.Chart)
	}
	want := map[string]float64{"Initial population": 1, "Denominator": 0.5, "Counted in the denominator": 0.4,
		"Counted in the numerator": 0.2}
	for _, row := range c.Rows {
		if share, ok := want[row.Label]; ok && row.Shares[0] != share {
			t.Errorf("%s is %v of the whole, want %v", row.Label, row.Shares, share)
		}
		delete(want, row.Label)
	}
	if len(want) > 0 {
		t.Errorf("the picture lacks %v", want)
	}
}
