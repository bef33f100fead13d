package measure_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/measure"
	. "github.com/equitylens/equitylens/store/facts/factstest"
)

// vendor is a measure of another engine: three encounters of two patients, of which one names its
// encounter, and a patient who is not here.
func vendor(period measure.Period) measure.Import {
	in := func(patient, unit string, populations ...measure.Population) measure.ImportedMember {
		return measure.ImportedMember{Patient: phi.New(patient), Unit: phi.New(unit), Rate: "1", In: populations}
	}
	const initial, denominator, numerator = measure.InitialPopulation, measure.Denominator,
		measure.Numerator
	return measure.Import{Measure: "cms122", Version: "12", Title: "Vendor's", Scoring: measure.Proportion,
		URL: "http://vendor.example/Measure/cms122", Improvement: measure.Decrease,
		Unit: measure.EncounterUnit, Period: period, Rates: []measure.GroupDefinition{{ID: "1"}},
		Members: []measure.ImportedMember{
			in("a", "1", initial, denominator, numerator),
			in("c", "", initial, denominator), in("c", "", initial, denominator, numerator),
			in("d", "absent", initial, denominator, measure.DenominatorExclusion, numerator),
			in("mary", "", initial, denominator, numerator),
		}}
}

func TestImports(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	Load(t, dir, clinic())
	year, _ := measure.ParsePeriod("2026")
	plain := measure.NewEngine(Current(t, dir), shipped(t))
	engine := plain.WithImports([]measure.Import{vendor(year)})
	if n := len(plain.Definitions()); n != 12 {
		t.Errorf("the engine itself has %d definitions, want 12", n)
	}
	if n := len(engine.WithImports(nil).Definitions()); n != 12 {
		t.Errorf("without imports %d definitions, want 12", n)
	}
	last := engine.Definitions()[12]
	if !last.Imported || last.ID != "cms122" || last.URL != "http://vendor.example/Measure/cms122" {
		t.Errorf("the last definition is %+v", last)
	}
	result, err := engine.Evaluate(t.Context(), measure.Question{Measure: "cms122", Period: year,
		By: []string{"language_group"}})
	if err != nil {
		t.Fatal(err)
	}
	// What is excluded is in no numerator, whatever the other engine says.
	want := map[measure.Population]float64{measure.InitialPopulation: 4, measure.Denominator: 4,
		measure.DenominatorExclusion: 1, measure.Numerator: 2}
	if d := cmp.Diff(want, result.Groups[0].Populations); d != "" {
		t.Errorf("populations (-want +got):\n%s", d)
	}
	got := map[string]float64{}
	for _, s := range result.Groups[0].Strata["language_group"] {
		got[s.Code+s.State] = s.Populations[measure.InitialPopulation]
	}
	if d := cmp.Diff(map[string]float64{"spanishknown": 1, "englishknown": 2, "asked-declined": 1}, got); d != "" {
		t.Errorf("strata (-want +got):\n%s", d)
	}
	wantIncomplete := []string{
		"Patient: 1 of 5 imported members are of nobody in the snapshot, and are left out",
		"1 of 5 imported members are of a unit that is not in the snapshot, and have the groups of their patient",
	}
	if d := cmp.Diff(wantIncomplete, result.Incomplete); d != "" || result.Complete {
		t.Errorf("complete %t, incomplete (-want +got):\n%s", result.Complete, d)
	}
	explained, err := engine.Explain(t.Context(), measure.Question{Measure: "cms122", Period: year},
		phi.New("c"))
	if err != nil || len(explained.Units) != 2 {
		t.Errorf("Explain(c) = %d units, %v; want 2", len(explained.Units), err)
	}
	if err := engine.Check(t.Context()); err != nil {
		t.Errorf("Check() = %v", err)
	}
}

func TestImportsAreOfTheirPeriodOnly(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	Load(t, dir, clinic())
	year, _ := measure.ParsePeriod("2026")
	month, _ := measure.ParsePeriod("2026-01")
	empty := vendor(month)
	empty.Members = nil
	engine := measure.NewEngine(Current(t, dir), shipped(t)).WithImports(
		[]measure.Import{vendor(year), empty, vendor(month), empty})
	_, err := engine.Evaluate(t.Context(), measure.Question{Measure: "cms122",
		Period: measure.Period{Start: year.Start, End: month.End.AddDate(0, 1, 0)}})
	if !errors.Is(err, measure.ErrNotImported) ||
		!strings.Contains(err.Error(), "2026-01-01/2026-01-31, 2026-01-01/2026-12-31") {
		t.Errorf("Evaluate(another period) = %v", err)
	}
	_, err = engine.Months(t.Context(), measure.Question{Measure: "cms122", Period: year})
	if !errors.Is(err, measure.ErrNotImported) {
		t.Errorf("Months() = %v", err)
	}
	result, err := engine.Evaluate(t.Context(), measure.Question{Measure: "cms122", Period: month,
		By: []string{"race"}})
	if err != nil || result.Groups[0].Populations[measure.InitialPopulation] != 0 {
		t.Errorf("the later import of January: %v, %v; want nobody", result.Groups, err)
	}
}

// TestMembersAfterIncrements: units are found by their place, which a sync may change.
func TestMembersAfterIncrements(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	b := Batch{}
	for i := range 3000 {
		id := fmt.Sprint("p", i)
		b.Patients = append(b.Patients, Patient(id))
		b.Encounters = append(b.Encounters, Encounter("e-"+id, id, "AMB", "2026-01-05", "2026-01-05"))
	}
	Load(t, dir, b)
	year, _ := measure.ParsePeriod("2026")
	for round := range 3 {
		next := Batch{Deleted: map[string][]string{}}
		next.Merge.Loads = Increment(Source)
		for i := range 3000 {
			id := fmt.Sprint("p", i)
			switch i % 7 {
			case round:
				next.Deleted["Encounter"] = append(next.Deleted["Encounter"], "e-"+id)
			case round + 3:
				next.Patients = append(next.Patients, Patient(id))
				next.Encounters = append(next.Encounters, Encounter("e-"+id, id, "AMB", "2026-02-05", "2026-02-05"))
			}
		}
		Load(t, dir, next)
		n := 0
		err := measure.NewEngine(Current(t, dir), shipped(t)).Members(t.Context(),
			measure.Question{Measure: "telehealth-share", Period: year, By: []string{"sex"}},
			func(m measure.Member) error {
				n++
				if m.Unit.Reveal() != "e-"+m.Patient.Reveal() {
					t.Fatalf("round %d: %s has %s", round, m.Patient.Reveal(), m.Unit.Reveal())
				}
				return nil
			})
		if err != nil || n == 0 {
			t.Fatalf("round %d: %d members, %v", round, n, err)
		}
	}
}
