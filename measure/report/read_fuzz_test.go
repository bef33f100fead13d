package report_test

import (
	"strings"
	"testing"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/report"
)

// FuzzRead holds the reader to a result or faults, to memberships that keep to the subsets, and to
// faults that do not repeat the person.
func FuzzRead(f *testing.F) {
	f.Add(foreign("7f3canary", nil, counted()...))
	f.Add(foreign("7f3canary", nil, "initial-population:3", "denominator:2", "numerator:5"))
	f.Add(foreign("7f3canary", replaced(`"proportion"`, `"ratio"`), "initial-population:2",
		"initial-population:1", "denominator:2", "numerator:1", "numerator-exclusion:1"))
	f.Add(foreign("7f3canary", replaced(`"proportion"`, `"continuous-variable"`),
		"initial-population:1", "measure-population:1", "measure-population-exclusion:1"))
	f.Add(foreign("7f3canary", func(s string) string {
		return strings.Replace(s, `"period":`, `"evaluatedResource":[{"reference":"Encounter/7f3canary",`+
			`"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/cqf-criteriaReference",`+
			`"valueString":"n"}]}],"period":`, 1)
	}, "initial-population:2:i", "denominator:1:d", "numerator:1:n"))
	f.Add(`{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"id":"7f3canary"}}]}`)
	f.Add("{}\n" + foreign("7f3canary", nil))
	f.Fuzz(func(t *testing.T, text string) {
		imports, err := report.Read(strings.NewReader(text), report.ReadConfig{})
		if (err == nil) == (len(imports) == 0) {
			t.Fatalf("Read(%q) = %d imports, %v", text, len(imports), err)
		}
		if err != nil && strings.Contains(err.Error(), "7f3canary") {
			t.Fatalf("Read(%q) repeats a person: %v", text, err)
		}
		for _, i := range imports {
			for _, m := range i.Members {
				checkSubsets(t, i.Scoring, m.In)
			}
		}
	})
}

func checkSubsets(t *testing.T, scoring measure.Scoring, in []measure.Population) {
	t.Helper()
	is := map[measure.Population]bool{}
	for _, p := range in {
		if is[p] {
			t.Fatalf("%s twice in %v", p, in)
		}
		is[p] = true
	}
	bad := is[measure.Denominator] && !is[measure.InitialPopulation] ||
		is[measure.DenominatorExclusion] && !is[measure.Denominator] ||
		is[measure.NumeratorExclusion] && !is[measure.Numerator] ||
		is[measure.MeasureExclusion] && !is[measure.MeasurePopulation]
	if scoring == measure.Proportion {
		bad = bad || is[measure.Numerator] && (is[measure.DenominatorExclusion] || !is[measure.Denominator])
	}
	if bad || len(in) == 0 {
		t.Fatalf("a %s has a member in %v", scoring, in)
	}
}
