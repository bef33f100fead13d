package report_test

import (
	"regexp"
	"strings"
	"testing"

	lpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
	"github.com/equitylens/equitylens/measure/report/reporttest"
)

func definitions() []measure.Definition {
	return []measure.Definition{
		{
			ID: "ed-left-without-being-seen", Version: "1.0.0",
			Title: "Left the emergency department without being seen",
			Unit:  measure.EncounterUnit, Scoring: measure.Proportion, Improvement: measure.Decrease,
			DatedBy: "end", Needs: []string{"Patient", "Encounter"},
			Populations: map[measure.Population]string{
				measure.InitialPopulation: "class = 'EMER' and status = 'finished'",
				measure.Denominator:       "true",
				measure.Numerator:         "disposition = 'lwbs'",
			},
			Source: "CMS1244 numerator 2; OP-22",
			Says:   "Of finished emergency visits, the share that ended before the patient was seen.",
		},
		{
			ID: "length-of-stay", Version: "1.0.0", Title: "Length of stay",
			Unit: measure.StayUnit, Scoring: measure.ContinuousVariable, Improvement: measure.Context,
			Observe: map[measure.Population]string{
				measure.MeasurePopulation: "date_diff('day', start_date, end_date)",
			},
			Populations: map[measure.Population]string{
				measure.InitialPopulation: "status = 'finished'", measure.MeasurePopulation: "true",
			},
		},
		{
			ID: "harm-per-1000-days", Version: "1.0.0", Title: "Harm events per 1,000 patient-days",
			Unit: measure.StayUnit, Scoring: measure.Ratio, Improvement: measure.Decrease, Per: 1000,
			Observe: map[measure.Population]string{
				measure.Denominator: "patient_days", measure.Numerator: "harm_events",
			},
			Populations: map[measure.Population]string{
				measure.InitialPopulation: "status = 'finished'", measure.Denominator: "true",
				measure.DenominatorExclusion: "patient_days > 120", measure.Numerator: "true",
			},
		},
		{
			ID: "2-rates", Version: "0.2.0", Title: "Two rates",
			Unit: measure.EventUnit, Scoring: measure.Proportion, Improvement: measure.Increase,
			Populations: map[measure.Population]string{
				measure.InitialPopulation: "actuality = 'actual'", measure.Denominator: "true",
			},
			Groups: []measure.GroupDefinition{
				{ID: "main", Title: "Answered", Populations: map[measure.Population]string{
					measure.Numerator: "inequity <> 'not-asked'",
				}},
				{ID: "yes", Title: "Yes", Improvement: measure.Context,
					Populations: map[measure.Population]string{measure.Numerator: "inequity = 'yes'"}},
			},
		},
	}
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	for _, d := range definitions() {
		t.Run(d.ID, func(t *testing.T) {
			t.Parallel()
			got, err := builder(t).Measure(d, []string{"race", "language_group"})
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "measure-"+d.ID, got)
		})
	}
}

func TestMeasureHoldsItsSQL(t *testing.T) {
	t.Parallel()
	d := definitions()[3]
	got, err := builder(t).Measure(d, nil)
	if err != nil {
		t.Fatal(err)
	}
	contained := &lpb.ContainedResource{}
	if err := got.Contained[0].UnmarshalTo(contained); err != nil {
		t.Fatal(err)
	}
	sql := string(contained.GetLibrary().GetContent()[0].GetData().GetValue())
	for _, want := range []string{
		"-- group main", "-- group yes", `(inequity = 'yes') AS "numerator"`, "FROM event;",
		`(actuality = 'actual') AS "initial-population"`,
	} {
		if !strings.Contains(sql, want) {
			t.Errorf("the library does not hold %q:\n%s", want, sql)
		}
	}
}

// TestReportLinksToMeasure holds the links of a report's elements to the ids of the Measure's.
func TestReportLinksToMeasure(t *testing.T) {
	t.Parallel()
	b := builder(t)
	m, err := b.Measure(definitions()[0], []string{"race"})
	if err != nil {
		t.Fatal(err)
	}
	defined := map[string]bool{}
	for _, g := range m.Group {
		defined[g.GetId().GetValue()] = true
		for _, p := range g.Population {
			defined[p.GetId().GetValue()] = true
		}
		for _, s := range g.Stratifier {
			defined[s.GetId().GetValue()] = true
		}
	}
	result := reporttest.Results()[0]
	// A cross is asked for; no Measure defines it.
	delete(result.Groups[0].Strata, "race*language_group")
	text, err := r4.Marshal(b.MeasureReport(result))
	if err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`linkId","valueString":"([^"]*)"`)
	links := form.FindAllStringSubmatch(string(text), -1)
	if len(links) < 10 {
		t.Fatalf("the report holds %d links", len(links))
	}
	for _, link := range links {
		if !defined[link[1]] {
			t.Errorf("the report links to %q, which the Measure does not define", link[1])
		}
	}
}

// TestEveryShippedMeasureIsValid makes a Measure of each definition of the catalog.
func TestEveryShippedMeasureIsValid(t *testing.T) {
	t.Parallel()
	shipped, err := measure.Load(catalog.Files())
	if err != nil || len(shipped) == 0 {
		t.Fatalf("Load = %d definitions, %v", len(shipped), err)
	}
	for _, d := range shipped {
		m, err := builder(t).Measure(d, measure.Dimensions())
		if err != nil {
			t.Fatal(err)
		}
		text, err := r4.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r4.Unmarshal(text); err != nil {
			t.Errorf("%s: %v: %s", d.ID, err, text)
		}
		if len(m.GetGroup()) != len(d.Rates()) {
			t.Errorf("%s has %d groups, want %d", d.ID, len(m.GetGroup()), len(d.Rates()))
		}
	}
}
