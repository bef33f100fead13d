package reporttest

import (
	"time"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/stat"
)

// Results returns results of every shape: a proportion with states, a stratum of nobody and a
// cross; a ratio per 1,000; a continuous variable with other statistics; several rates of which one
// has no direction; and one whose data were not all there. The figures are ours; no person is
// behind them.
func Results() []measure.Result {
	return []measure.Result{proportion(), ratio(), continuous(), several(), incomplete()}
}

func result(id, title string, groups ...measure.Group) measure.Result {
	return measure.Result{
		Measure:  id,
		Version:  "1.0.0",
		Title:    title,
		Snapshot: "20190102T030405Z-1f2e",
		DataAsOf: time.Date(2019, 1, 2, 3, 4, 5, 0, time.UTC),
		Complete: true,
		Period: measure.Period{
			Start: time.Date(2018, 1, 1, 0, 0, 0, 0, time.UTC),
			End:   time.Date(2018, 12, 31, 0, 0, 0, 0, time.UTC),
		},
		Groups: groups,
	}
}

func share(numerator, denominator float64) measure.Cell {
	cell := measure.Cell{Populations: map[measure.Population]float64{
		measure.InitialPopulation: denominator, measure.Denominator: denominator,
		measure.DenominatorExclusion: 0, measure.Numerator: numerator,
	}}
	if denominator > 0 {
		score := numerator / denominator
		lo, hi := stat.Wilson(numerator, denominator)
		cell.Score, cell.Interval = &score, &[2]float64{lo, hi}
	}
	return cell
}

const (
	cdcrec   = "urn:oid:2.16.840.1.113883.6.238"
	language = "https://equitylens.org/fhir/CodeSystem/language-group"
)

func white() measure.Coding {
	return measure.Coding{Code: "2106-3", System: cdcrec, Label: "White", State: "known"}
}

func asian() measure.Coding {
	return measure.Coding{Code: "2028-9", System: cdcrec, Label: "Asian", State: "known"}
}

func spanish() measure.Coding {
	return measure.Coding{Code: "spanish", System: language, Label: "Spanish", State: "known"}
}

func state(name, label string) measure.Coding { return measure.Coding{Label: label, State: name} }

func proportion() measure.Result {
	return result("ed-left-without-being-seen", "Left the emergency department without being seen",
		measure.Group{
			ID: "main", Scoring: measure.Proportion, Improvement: measure.Decrease, Per: 1, Undated: 2,
			Cell: share(7, 130),
			Strata: map[string][]measure.Stratum{
				"race": {
					{Coding: white(), Cell: share(3, 90)},
					{Coding: asian(), Cell: share(4, 36)},
					{Coding: state("asked-declined", "Asked, declined"), Cell: share(0, 4)},
					{Coding: state("missing", "Nothing recorded"), Cell: share(0, 0)},
				},
				"race*language_group": {
					{Components: []measure.Component{
						{Dimension: "race", Coding: asian()}, {Dimension: "language_group", Coding: spanish()},
					}, Cell: share(4, 36)},
					{Components: []measure.Component{
						{Dimension: "race", Coding: white()},
						{Dimension: "language_group", Coding: state("missing", "Nothing recorded")},
					}, Cell: share(3, 94)},
				},
			},
		})
}

func ratio() measure.Result {
	cell := func(events, days float64) measure.Cell {
		score := 1000 * events / days
		lo, hi := stat.Garwood(events, days)
		return measure.Cell{
			Populations: map[measure.Population]float64{
				measure.InitialPopulation: 40, measure.Denominator: days, measure.Numerator: events,
			},
			Score: &score, Interval: &[2]float64{1000 * lo, 1000 * hi},
		}
	}
	return result("harm-per-1000-days", "Harm events per 1,000 patient-days", measure.Group{
		ID: "main", Scoring: measure.Ratio, Improvement: measure.Decrease, Per: 1000, Cell: cell(9, 3e9),
		Strata: map[string][]measure.Stratum{"race": {
			{Coding: white(), Cell: cell(4, 2e9)}, {Coding: asian(), Cell: cell(5, 1e9)},
		}},
	})
}

func continuous() measure.Result {
	score := 3.0
	return result("length-of-stay", "Length of stay", measure.Group{
		ID: "main", Scoring: measure.ContinuousVariable, Improvement: measure.Context,
		Cell: measure.Cell{
			Populations: map[measure.Population]float64{
				measure.InitialPopulation: 41, measure.MeasurePopulation: 41, measure.MeasureExclusion: 1,
			},
			Score: &score, Interval: &[2]float64{2, 4},
			Statistics: map[string]float64{"mean": 4.25, "p90": 9, "share-above": 0.125},
		},
		Strata: map[string][]measure.Stratum{},
	})
}

func several() measure.Result {
	return result("inequity-factor-captured", "Inequity answered as a contributing factor",
		measure.Group{
			ID: "main", Title: "An answer is present", Scoring: measure.Proportion,
			Improvement: measure.Increase, Cell: share(8, 10),
		},
		measure.Group{
			ID: "yes", Title: "The answer is yes", Scoring: measure.Proportion,
			Improvement: measure.Context, Cell: share(2, 10),
		})
}

func incomplete() measure.Result {
	r := result("reporting-ratio", "Reporting ratio", measure.Group{
		ID: "main", Scoring: measure.Proportion, Improvement: measure.Increase,
		Cell: measure.Cell{Populations: map[measure.Population]float64{}},
	})
	r.Complete = false
	r.Incomplete = []string{"AdverseEvent is absent: the source does not offer it"}
	return r
}
