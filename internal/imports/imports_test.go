package imports_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/equitylens/equitylens/internal/imports"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/store/facts/factstest"
)

func sample(t *testing.T, period string) measure.Import {
	t.Helper()
	p, err := measure.ParsePeriod(period)
	if err != nil {
		t.Fatal(err)
	}
	return measure.Import{
		Measure: "hba1c", Version: "2", Title: "HbA1c", URL: "http://example.org/Measure/hba1c",
		Scoring: measure.Proportion, Improvement: measure.Decrease, Unit: measure.PatientUnit, Period: p,
		Rates: []measure.GroupDefinition{{ID: "main", Title: "Poor control"}},
		Members: []measure.ImportedMember{
			{Patient: phi.New("ana"), Rate: "main", In: []measure.Population{
				measure.InitialPopulation, measure.Denominator}},
			{Patient: phi.New("bo"), Unit: phi.New("e1"), Rate: "main",
				In:       []measure.Population{measure.InitialPopulation},
				Observed: map[measure.Population]float64{measure.Numerator: 2.5}},
		},
	}
}

func TestImportsAreKept(t *testing.T) {
	t.Parallel()
	dir := factstest.Open(t)
	if all, err := imports.Load(dir); err != nil || len(all) != 0 {
		t.Fatalf("Load of none = %v, %v", all, err)
	}
	first, second := sample(t, "2024"), sample(t, "2025")
	if err := imports.Save(dir, []measure.Import{first, second}); err != nil {
		t.Fatal(err)
	}
	before, err := imports.Version(dir)
	if err != nil || before == "" {
		t.Fatalf("Version = %q, %v", before, err)
	}
	second.Members = second.Members[:1]
	if err := imports.Save(dir, []measure.Import{second}); err != nil {
		t.Fatal(err)
	}
	all, err := imports.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	sorted := cmpopts.SortSlices(func(a, b measure.Import) bool {
		return a.Period.Start.Before(b.Period.Start)
	})
	ids := cmp.Comparer(func(a, b phi.ID) bool { return a == b })
	if diff := cmp.Diff([]measure.Import{first, second}, all, sorted, ids); diff != "" {
		t.Errorf("what was kept differs (-want +got):\n%s", diff)
	}
	if after, err := imports.Version(dir); err != nil || after == before {
		t.Errorf("Version stays %q, %v, though an import was replaced", after, err)
	}
	if text := imports.Summary(all); strings.Contains(text, "ana") || !strings.Contains(text, "hba1c 2") {
		t.Errorf("Summary = %q", text)
	}
}
