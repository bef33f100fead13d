package measure_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	. "github.com/equitylens/equitylens/store/facts/factstest"
)

var revealed = cmp.Comparer(func(a, b phi.ID) bool { return a.Reveal() == b.Reveal() })

// TestExplain follows one stay of a woman whose record was merged.
func TestExplain(t *testing.T) {
	t.Parallel()
	b := clinic()
	b.Patients = append(b.Patients, Patient("old", func(p *mapping.Patient) { p.ReplacedBy = phi.New("a") }))
	b.Patients[0].Races, b.Patients[0].Race.From = mapping.Black, "Patient.extension(us-core-race).ombCategory"
	b.Encounters = append(b.Encounters,
		Encounter("next", "old", "IMP", "2026-03-20T10:00:00Z", "2026-03-22T10:00:00Z"))
	b.Merge = loads("", nil)
	dir := Open(t)
	Load(t, dir, b)
	engine := measure.NewEngine(Current(t, dir), shipped(t))
	march, _ := measure.ParsePeriod("2026-03")
	q := measure.Question{Measure: "readmission-30-day", Period: march, By: []string{"shoe"}}
	got, err := engine.Explain(t.Context(), q, phi.New("old"))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]phi.ID{phi.New("a"), phi.New("old")}, got.Records, revealed); d != "" ||
		got.Patient != phi.New("a") {
		t.Errorf("patient %s, records (-want +got):\n%s", got.Patient.Reveal(), d)
	}
	race := measure.EquityField{Field: "race", From: "Patient.extension(us-core-race).ombCategory",
		Coding: measure.Coding{Code: "2054-5", System: mapping.SystemCDCREC,
			Label: "Black or African American", State: "known"}}
	if d := cmp.Diff(race, got.Fields[0]); d != "" {
		t.Errorf("the first field (-want +got):\n%s", d)
	}
	if len(got.Units) != 2 {
		t.Fatalf("%d units, want both stays", len(got.Units))
	}
	stay := got.Units[1]
	want := []measure.Resource{{Type: "Encounter", ID: phi.New("s")}, {Type: "Patient", ID: phi.New("a")},
		{Type: "AdverseEvent", ID: phi.New("v")}, {Type: "Encounter", ID: phi.New("next")}}
	if d := cmp.Diff(want, stay.Resources, revealed); d != "" {
		t.Errorf("resources (-want +got):\n%s", d)
	}
	numerator := stay.Rates[0].Populations[3]
	wantNumerator := measure.ExplainedPopulation{Population: measure.Numerator,
		Expression: "days_to_next between 1 and 30 and not next_elective", Holds: true, In: true,
		Columns: []measure.ColumnValue{{Column: "days_to_next", Value: "15"},
			{Column: "next_elective", Value: "false"}}}
	if d := cmp.Diff(wantNumerator, numerator); d != "" {
		t.Errorf("numerator (-want +got):\n%s", d)
	}
	if s := stay.Strata["language"]; len(s) != 1 || s[0].Code != "es" {
		t.Errorf("language %v, want es", s)
	}
	if strings.Contains(cmp.Diff(nil, got.Patient), "old") {
		t.Error("an id shows itself")
	}
}

// TestExplainAgreesWithMembers: who is explained into a population is a member of it, under every
// measure.
func TestExplainAgreesWithMembers(t *testing.T) {
	t.Parallel()
	d := newDraw(77)
	w, engine := loaded(t, d)
	for _, definition := range engine.Definitions() {
		q := measure.Question{Measure: definition.ID, Period: d.period()}
		who := w.persons()[d.IntN(len(w.persons()))].ID
		type key struct{ unit, rate, population string }
		want, got := map[key]bool{}, map[key]bool{}
		one := q
		one.People = []phi.ID{who}
		err := engine.Members(t.Context(), one, func(m measure.Member) error {
			for _, r := range m.Rates {
				for _, p := range r.In {
					want[key{m.Unit.Reveal(), r.ID, string(p)}] = true
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		explained, err := engine.Explain(t.Context(), q, who)
		if err != nil {
			t.Fatal(err)
		}
		for _, unit := range explained.Units {
			id := ""
			if unit.Resources[0].Type != "Patient" {
				id = unit.Resources[0].ID.Reveal()
			}
			for _, r := range unit.Rates {
				for _, p := range r.Populations {
					if p.In {
						got[key{id, r.ID, string(p.Population)}] = true
					}
					if p.In && !p.Holds && p.Population != measure.MeasureExclusion {
						t.Errorf("%s: in %s, which does not hold", definition.ID, p.Population)
					}
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-members +explained):\n%s", definition.ID, diff)
		}
	}
}

func TestExplainRefuses(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	Load(t, dir, clinic())
	engine := measure.NewEngine(Current(t, dir), shipped(t))
	year, _ := measure.ParsePeriod("2026")
	_, err := engine.Explain(t.Context(), measure.Question{Measure: "length-of-stay", Period: year},
		phi.New("mary"))
	if !errors.Is(err, measure.ErrUnknownPatient) || strings.Contains(err.Error(), "mary") {
		t.Errorf("Explain(mary) = %v", err)
	}
	_, err = engine.Explain(t.Context(), measure.Question{Measure: "nosuch", Period: year}, phi.New("a"))
	if !errors.Is(err, measure.ErrUnknownMeasure) {
		t.Errorf("Explain(nosuch) = %v", err)
	}
	for id, want := range map[string]bool{"a": true, "mary": false} {
		if got, err := engine.HasPatient(t.Context(), phi.New(id)); got != want || err != nil {
			t.Errorf("HasPatient(%s) = %t, %v", id, got, err)
		}
	}
}
