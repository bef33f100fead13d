package report_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
	"github.com/equitylens/equitylens/measure/report/reporttest"
)

func definitions() []measure.Definition {
	return []measure.Definition{
		{
			ID: "ed-left-without-being-seen", Version: "1.0.0", Date: "2026-11-22",
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
		{
			ID: "own-numerator", Version: "1.0.0", Title: "Events per stay",
			Unit: measure.StayUnit, Scoring: measure.Ratio, Improvement: measure.Decrease,
			Populations: map[measure.Population]string{
				measure.InitialPopulation: "true", measure.Denominator: "status = 'finished'",
				measure.NumeratorInitial: "harm_events > 0", measure.Numerator: "true",
				measure.NumeratorExclusion: "patient_days > 120",
			},
		},
		{
			ID: "exceptions", Version: "1.0.0", Title: "With exceptions",
			Unit: measure.PatientUnit, Scoring: measure.Proportion, Improvement: measure.Increase,
			Populations: map[measure.Population]string{
				measure.InitialPopulation: "true", measure.Denominator: "true",
				measure.Numerator: "race <> ''", measure.DenominatorException: "race = '~asked-declined'",
			},
		},
		{
			ID: "seen", Version: "1.0.0", Title: "Seen", Unit: measure.PatientUnit,
			Scoring: measure.Cohort, Improvement: measure.Context,
			Populations: map[measure.Population]string{measure.InitialPopulation: "true"},
		},
		{
			ID: "long-stays", Version: "1.0.0", Title: "Long stays", Unit: measure.StayUnit,
			Scoring: measure.ContinuousVariable, Improvement: measure.Decrease,
			Aggregate: measure.Percentile90,
			Observe:   map[measure.Population]string{measure.MeasurePopulation: "patient_days"},
			Populations: map[measure.Population]string{
				measure.InitialPopulation: "true", measure.MeasurePopulation: "true",
			},
		},
		{
			ID: "CMS165", Version: "14.0.000", Title: "Controlling high blood pressure",
			Unit: measure.PatientUnit, Scoring: measure.Proportion, Improvement: measure.Increase,
			Imported: true, URL: "https://madie.cms.gov/Measure/CMS165",
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
	got, err := builder(t).Library(d)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "library-"+d.ID, got)
	sql := string(got.GetContent()[0].GetData().GetValue())
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
		library, err := builder(t).Library(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, resource := range []proto.Message{m, library} {
			text, err := r4.Marshal(resource)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r4.Unmarshal(text); err != nil {
				t.Errorf("%s: %v: %s", d.ID, err, text)
			}
		}
		if want := library.GetUrl().GetValue() + "|" + library.GetVersion().GetValue(); len(m.Library) != 1 ||
			m.Library[0].GetValue() != want {
			t.Errorf("%s refers to the libraries %v, want %s", d.ID, m.Library, want)
		}
		if len(m.GetGroup()) != len(d.Rates()) {
			t.Errorf("%s has %d groups, want %d", d.ID, len(m.GetGroup()), len(d.Rates()))
		}
	}
}

// TestAnImportedMeasureSaysWhereItComesFrom and has no expressions and no Library.
func TestAnImportedMeasureSaysWhereItComesFrom(t *testing.T) {
	t.Parallel()
	d := measure.Definition{
		ID: "m", Unit: measure.PatientUnit, Scoring: measure.Proportion, Improvement: measure.Increase,
		Imported: true, URL: "https://example.org/Measure/m",
	}
	m, err := builder(t).Measure(d, measure.Dimensions())
	if err != nil {
		t.Fatal(err)
	}
	if got := m.RelatedArtifact[0].GetResource().GetValue(); got != d.URL {
		t.Errorf("the measure derives from %q, want %q", got, d.URL)
	}
	if len(m.Library) > 0 || len(m.Group[0].Population) > 0 {
		t.Errorf("an imported measure has a library %v, populations %v", m.Library, m.Group[0].Population)
	}
	if _, err := builder(t).Library(d); err == nil {
		t.Error("an imported measure has a Library")
	}
}

// TestOddIDsAreRefused: R4 has no resource of such an id.
func TestOddIDsAreRefused(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", "a b", "a/b", strings.Repeat("a", 65)} {
		d := measure.Definition{ID: id, Version: "1"}
		if _, err := builder(t).Measure(d, nil); err == nil {
			t.Errorf("Measure(%q) succeeds", id)
		}
		if _, err := builder(t).Library(d); err == nil {
			t.Errorf("Library(%q) succeeds", id)
		}
	}
}

// TestOwnExtensionsAreDocumented looks for the extensions in the files that the other tests hold the
// reports to.
func TestOwnExtensionsAreDocumented(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../../docs/conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(regexp.QuoteMeta(r4.Own) + `([a-z0-9-]+)`)
	found := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range form.FindAllStringSubmatch(string(text), -1) {
			found[m[1]] = true
			if !strings.Contains(string(document), "\n| `"+m[1]+"` |") {
				t.Errorf("%s has the extension %s, which is not documented", file, m[1])
			}
		}
	}
	row := regexp.MustCompile("(?s)### Extensions of our own.*?### ").Find(document)
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z0-9-]+)` \\|").FindAllSubmatch(row, -1) {
		if !found[string(m[1])] {
			t.Errorf("the extension %s is documented, and no file has it", m[1])
		}
	}
}
