package measure_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/measure"
)

// worded is a definition of two rates: one that says everything for itself, and one that says
// nothing.
const worded = `
id: own-visits
version: 1.0.0
title: Visits
unit: encounter
scoring: proportion
dated_by: start
needs: [Encounter]
populations: {initial-population: "true", denominator: "true", numerator: telehealth}
groups:
  - id: far
    title: Far
    says: Far says.
    reads: far {n}
    caution: Far beware.
    in: {es: {title: Lejos, reads: "lejos {n}"}}
  - id: near
source: Own.
says: Says.
reads: all {n}
caution: Beware.
in: {es: {title: Visitas, says: Dice., caution: Cuidado.}}
`

func readDefinition(t *testing.T, text string) measure.Definition {
	t.Helper()
	d, err := measure.ParseDefinition([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestWords(t *testing.T) {
	t.Parallel()
	groups, rest, _ := strings.Cut(worded[strings.Index(worded, "groups:"):], "source:")
	alone := readDefinition(t, strings.Replace(small,
		"    title: By telehealth", "    in: {es: {title: Lejos}}", 1))
	single := readDefinition(t, strings.Replace(worded, groups, "", 1))
	several, plain := readDefinition(t, worded), readDefinition(t, small)
	if rest == "" || len(several.Rates()) != 2 || len(single.Rates()) != 1 {
		t.Fatal("the definitions are not what they are meant to be")
	}
	tests := []struct {
		name string
		of   interface{ Words(string) measure.Words }
		in   string
		want measure.Words
	}{
		{"a measure in English", &several, "en", measure.Words{"Visits", "Says.", "all {n}", "Beware."}},
		{"a measure in Spanish, its clause in English", &several, "es",
			measure.Words{"Visitas", "Dice.", "all {n}", "Cuidado."}},
		{"a measure in a language that nobody wrote", &several, "vi",
			measure.Words{"Visits", "Says.", "all {n}", "Beware."}},
		{"a rate in English", several.Rates()[0], "en",
			measure.Words{"Far", "Far says.", "far {n}", "Far beware."}},
		{"a rate in Spanish, what it does not say in its own English", several.Rates()[0], "es",
			measure.Words{"Lejos", "Far says.", "lejos {n}", "Far beware."}},
		{"a rate that says nothing, without the clause of the measure", several.Rates()[1], "en",
			measure.Words{"Visits", "Says.", "", "Beware."}},
		{"a rate that says nothing, in Spanish", several.Rates()[1], "es",
			measure.Words{"Visitas", "Dice.", "", "Cuidado."}},
		{"the only rate", single.Rates()[0], "en",
			measure.Words{"Visits", "Says.", "all {n}", "Beware."}},
		{"the only rate in Spanish", single.Rates()[0], "es",
			measure.Words{"Visitas", "Dice.", "all {n}", "Cuidado."}},
		{"a measure without new words", &plain, "es", measure.Words{Title: "Visits", Says: "A sentence."}},
		{"a rate in a language that it alone has", alone.Rates()[0], "es",
			measure.Words{Title: "Lejos", Says: "A sentence."}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, test.of.Words(test.in)); diff != "" {
				t.Errorf("Words(%s) (-want +got):\n%s", test.in, diff)
			}
		})
	}
}

// TestRatesLeaveTheDefinitionAsItIs holds that what a rate takes over is not written back.
func TestRatesLeaveTheDefinitionAsItIs(t *testing.T) {
	t.Parallel()
	d, same := readDefinition(t, worded), readDefinition(t, worded)
	for range 2 {
		for _, rate := range d.Rates() {
			rate.In["es"] = measure.Words{}
		}
	}
	if diff := cmp.Diff(same, d); diff != "" {
		t.Errorf("the definition after Rates() (-before +after):\n%s", diff)
	}
}

func TestImportedMeasuresHaveATitleAlone(t *testing.T) {
	t.Parallel()
	engine := measure.NewEngine(scratch(t), nil).WithImports([]measure.Import{{Measure: "cms165",
		Version: "14", Title: "Blood pressure", Scoring: measure.Proportion, Unit: measure.PatientUnit,
		Period: parsed(t, "2026"), Rates: []measure.GroupDefinition{{ID: "1", Title: "Controlled"}}}})
	d := engine.Definitions()[0]
	want := measure.Words{Title: "Controlled"}
	if diff := cmp.Diff(want, d.Rates()[0].Words("es")); diff != "" {
		t.Errorf("Words(es) (-want +got):\n%s", diff)
	}
}
