package reporttest

import (
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
)

// Further returns results of the shapes that Results leaves out: one with hidden figures, one whose
// strata overlap, a cohort, a ratio whose numerator has an initial population of its own, and one
// with a cross of three dimensions, a filter and bounds.
func Further() []measure.Result {
	return []measure.Result{Hidden(), overlapping(), cohort(), ownNumerator(), threefold()}
}

func english() measure.Coding {
	return measure.Coding{Code: "english", System: language, Label: "English", State: "known"}
}

// Hidden returns a result by race, by language and by both whose small stratum is hidden, with
// others so that it cannot be derived.
func Hidden() measure.Result {
	hidden := measure.Cell{Suppressed: true}
	cross := func(race, tongue measure.Coding, cell measure.Cell) measure.Stratum {
		return measure.Stratum{Components: []measure.Component{
			{Dimension: "race", Coding: race}, {Dimension: "language_group", Coding: tongue},
		}, Cell: cell}
	}
	r := result("ed-left-without-being-seen", "Left the emergency department without being seen",
		measure.Group{
			ID: "main", Scoring: measure.Proportion, Improvement: measure.Decrease, Per: 1,
			Cell: share(27, 430),
			Strata: map[string][]measure.Stratum{
				"race": {
					{Coding: white(), Cell: share(11, 300)}, {Coding: asian(), Cell: share(16, 130)},
				},
				"language_group": {
					{Coding: english(), Cell: share(12, 310)}, {Coding: spanish(), Cell: share(15, 120)},
				},
				"race*language_group": {
					cross(white(), english(), hidden), cross(white(), spanish(), hidden),
					cross(asian(), english(), hidden), cross(asian(), spanish(), hidden),
					cross(asian(), state("missing", "Nothing recorded"), share(0, 0)),
				},
			},
		})
	r.Audience, r.Policy = "public", mapping.PolicyOMB1997
	return r
}

func overlapping() measure.Result {
	share1, share2 := 0.75, 0.5
	r := result("telehealth-share", "Visits by telehealth", measure.Group{
		ID: "main", Scoring: measure.Proportion, Improvement: measure.Context, Per: 1,
		Cell: share(20, 120), Overlapping: []string{"race"},
		Strata: map[string][]measure.Stratum{"race": {
			{Coding: white(), Cell: share(15, 90), Share: &share1},
			{Coding: asian(), Cell: share(9, 60), Share: &share2},
			{Coding: state("missing", "Nothing recorded"), Cell: share(1, 12)},
		}},
	})
	r.Policy = mapping.PolicyAlone
	return r
}

func cohort() measure.Result {
	of := func(n float64) measure.Cell {
		return measure.Cell{Populations: map[measure.Population]float64{measure.InitialPopulation: n}}
	}
	return result("admitted", "Admitted to hospital", measure.Group{
		ID: "main", Scoring: measure.Cohort, Improvement: measure.Context, Cell: of(41),
		Strata: map[string][]measure.Stratum{"sex": {{Coding: measure.Coding{
			Code: "female", System: mapping.SystemGender, Label: "Female", State: "known",
		}, Cell: of(41)}}},
	})
}

func ownNumerator() measure.Result {
	score, interval := 0.5, [2]float64{0.25, 1}
	return result("events-per-stay", "Events per stay", measure.Group{
		ID: "main", Scoring: measure.Ratio, Improvement: measure.Decrease, Per: 1,
		Cell: measure.Cell{Score: &score, Interval: &interval, Populations: map[measure.Population]float64{
			measure.InitialPopulation: 40, measure.Denominator: 32, measure.DenominatorExclusion: 2,
			measure.NumeratorInitial: 30, measure.Numerator: 16, measure.NumeratorExclusion: 1,
		}},
		Strata: map[string][]measure.Stratum{},
	})
}

func threefold() measure.Result {
	sex := measure.Coding{Code: "female", System: mapping.SystemGender, Label: "Female", State: "known"}
	bounded := measure.Stratum{Coding: asian(), Cell: share(6, 24)}
	bounded.Populations[measure.DenominatorException] = 1
	all := 0.5
	bounded.Bounds, bounded.IfUnknown, bounded.Share = &[2]float64{0.2, 0.5}, &all, &all
	cell := share(12, 48)
	cell.Populations[measure.DenominatorException] = 1
	r := result("interpreter-documented", "An interpreter was documented", measure.Group{
		ID: "main", Scoring: measure.Proportion, Improvement: measure.Increase, Per: 1, Cell: cell,
		Strata: map[string][]measure.Stratum{
			"race": {bounded, {Coding: state("unknown", "Unknown"), Cell: share(6, 24)}},
			"race*language_group*sex": {{Components: []measure.Component{
				{Dimension: "race", Coding: asian()}, {Dimension: "language_group", Coding: spanish()},
				{Dimension: "sex", Coding: sex},
			}, Cell: share(6, 24)}},
			"race*sex": {},
		},
	})
	r.Filter = measure.Filter{"sex": {"female"}, "site": {"north", "south"}}
	r.Audience = "regulator"
	return r
}
