package measure_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/store/facts"
	. "github.com/equitylens/equitylens/store/facts/factstest"
)

// readmissionCase is a case of the oracle: for each encounter whether it is an index stay, and
// whether that one was followed by a readmission.
type readmissionCase struct {
	ID     string
	Inputs struct {
		DataThrough string `json:"data_through"`
		Encounters  []struct {
			ID, Class, Start, End, DischargeDisposition, ServiceProvider, Status string
			Planned                                                              bool
		}
	}
	Expected struct {
		Index      map[string]bool
		Readmitted map[string]*bool
	}
}

func readmissionCases(t *testing.T) []readmissionCase {
	t.Helper()
	text, err := os.ReadFile("testdata/readmission.json")
	if err != nil {
		t.Fatal(err)
	}
	var oracle struct{ Cases []readmissionCase }
	if err := json.Unmarshal(text, &oracle); err != nil {
		t.Fatal(err)
	}
	if len(oracle.Cases) < 11 {
		t.Fatalf("the oracle holds %d cases, want 11 or more", len(oracle.Cases))
	}
	return oracle.Cases
}

// TestReadmissionOracle loads each case and reads its encounters back as strata: an index stay is
// in the denominator and not excluded, a readmitted one in the numerator.
func TestReadmissionOracle(t *testing.T) {
	t.Parallel()
	for _, c := range readmissionCases(t) {
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			b := Batch{Merge: facts.Merge{Loads: Full(Source)}}
			for i := range b.Merge.Loads {
				b.Merge.Loads[i].TransactionTime, _ = time.Parse(time.DateOnly, c.Inputs.DataThrough)
			}
			b.Patients = []mapping.Patient{Patient("a")}
			for _, e := range c.Inputs.Encounters {
				b.Encounters = append(b.Encounters, Encounter(e.ID, "a", e.Class, e.Start, e.End,
					func(m *mapping.Encounter) {
						m.Status, m.Elective = e.Status, e.Planned
						m.Disposition, m.Site = Known(e.DischargeDisposition), Site(e.ServiceProvider)
					}))
			}
			dir := Open(t)
			Load(t, dir, b)
			engine := measure.NewEngine(Current(t, dir), shipped(t))
			for _, e := range c.Inputs.Encounters {
				index, readmitted := membership(t, engine, e.End)
				if index != c.Expected.Index[e.ID] {
					t.Errorf("%s is an index stay: %t, want %t", e.ID, index, c.Expected.Index[e.ID])
				}
				if want := c.Expected.Readmitted[e.ID]; want != nil && readmitted != *want {
					t.Errorf("%s is followed by a readmission: %t, want %t", e.ID, readmitted, *want)
				}
			}
		})
	}
}

// membership evaluates the one day on which an encounter ended; no two of a case share one. One
// without an end is in no period.
func membership(t *testing.T, engine *measure.Engine, end string) (index, readmitted bool) {
	t.Helper()
	if end == "" {
		return false, false
	}
	period, err := measure.ParsePeriod(end + "/" + end)
	if err != nil {
		t.Fatal(err)
	}
	result, err := engine.Evaluate(t.Context(), measure.Question{Measure: "readmission-30-day", Period: period})
	if err != nil {
		t.Fatal(err)
	}
	p := result.Groups[0].Populations
	return p[measure.Denominator] > p[measure.DenominatorExclusion], p[measure.Numerator] > 0
}

// TestReadmissionEdges is what the oracle leaves open: each case is an index stay of H1 from 1 to 5
// March 2026 and what came after it.
func TestReadmissionEdges(t *testing.T) {
	t.Parallel()
	type change = func(*mapping.Encounter)
	next := func(start string, changes ...change) mapping.Encounter {
		return Encounter("next"+start, "a", "IMP", start, "2026-07-01", changes...)
	}
	elective := func(e *mapping.Encounter) { e.Elective = true }
	elsewhere := func(e *mapping.Encounter) { e.Site = Site("H2") }
	unplaced := func(e *mapping.Encounter) { e.Site.Value = State(mapping.Missing) }
	class := func(c string) change { return func(e *mapping.Encounter) { e.Class = Known(c) } }
	status := func(s string) change { return func(e *mapping.Encounter) { e.Status = s } }
	died := func(date string) func(*mapping.Patient) {
		return func(p *mapping.Patient) { p.Deceased, p.DeceasedDate = true, At(date) }
	}
	tests := []struct {
		name    string
		patient func(*mapping.Patient)
		index   change
		after   []mapping.Encounter
		asOf    string
		// want is excluded and readmitted.
		want [2]bool
	}{
		{"nothing", nil, nil, nil, "", [2]bool{false, false}},
		{"the day of discharge is passed over", nil, nil,
			[]mapping.Encounter{next("2026-03-05")}, "", [2]bool{false, false}},
		{"what follows the day of discharge counts", nil, nil,
			[]mapping.Encounter{next("2026-03-05"), next("2026-03-08")}, "", [2]bool{false, true}},
		{"the first day counts", nil, nil, []mapping.Encounter{next("2026-03-06")}, "", [2]bool{false,
			true}},
		{"the thirtieth day counts", nil, nil, []mapping.Encounter{next("2026-04-04")}, "", [2]bool{false,
			true}},
		{"the thirty-first does not", nil, nil, []mapping.Encounter{next("2026-04-05")}, "",
			[2]bool{false, false}},
		{"an elective stay blocks those after it", nil, nil,
			[]mapping.Encounter{next("2026-03-10", elective), next("2026-03-12")}, "", [2]bool{false,
				false}},
		{"an elective stay after the first blocks nothing", nil, nil,
			[]mapping.Encounter{next("2026-03-10"), next("2026-03-12", elective)}, "", [2]bool{false, true}},
		{"an elective stay of day 0 blocks nothing", nil, nil,
			[]mapping.Encounter{next("2026-03-05", elective), next("2026-03-12")}, "", [2]bool{false, true}},
		{"ACUTE counts", nil, nil, []mapping.Encounter{next("2026-03-10", class("ACUTE"))}, "",
			[2]bool{false, true}},
		{"NONAC does not", nil, nil, []mapping.Encounter{next("2026-03-10", class("NONAC"))}, "",
			[2]bool{false, false}},
		{"a cancelled stay does not", nil, nil,
			[]mapping.Encounter{next("2026-03-10", status("cancelled"))}, "", [2]bool{false, false}},
		{"a transfer on the same day", nil, nil,
			[]mapping.Encounter{next("2026-03-05", elsewhere)}, "", [2]bool{true, false}},
		{"a transfer on the next day", nil, nil,
			[]mapping.Encounter{next("2026-03-06", elsewhere)}, "", [2]bool{true, false}},
		{"elsewhere after two days is a readmission", nil, nil,
			[]mapping.Encounter{next("2026-03-07", elsewhere)}, "", [2]bool{false, true}},
		{"nowhere is not elsewhere", nil, nil,
			[]mapping.Encounter{next("2026-03-06", unplaced)}, "", [2]bool{false, true}},
		{"died by disposition", nil, func(e *mapping.Encounter) { e.Disposition = Known("exp") }, nil, "",
			[2]bool{true, false}},
		{"died on the day of discharge", died("2026-03-05"), nil, nil, "", [2]bool{true, false}},
		{"died the day after", died("2026-03-06"), nil, nil, "", [2]bool{false, false}},
		{"died in that month, whenever", died("2026-03"), nil, nil, "", [2]bool{false, false}},
		{"thirty days of follow-up", nil, nil, nil, "2026-04-04", [2]bool{false, false}},
		{"twenty-nine days of follow-up", nil, nil, nil, "2026-04-03", [2]bool{true, false}},
	}
	byMoment := map[string][]Batch{}
	for i, test := range tests {
		name := fmt.Sprint("case", i)
		p := Patient("a", func(p *mapping.Patient) { p.Language = Known(name) })
		if test.patient != nil {
			test.patient(&p)
		}
		index := Encounter("index", "a", "IMP", "2026-03-01", "2026-03-05")
		if test.index != nil {
			test.index(&index)
		}
		byMoment[test.asOf] = append(byMoment[test.asOf], Within(name,
			Batch{Patients: []mapping.Patient{p}, Encounters: append(test.after, index)}))
	}
	got := map[string][2]bool{}
	for asOf, cases := range byMoment {
		b := Join(cases...)
		b.Merge.Loads = Full(Source)
		for i := range b.Merge.Loads {
			b.Merge.Loads[i].TransactionTime, _ = time.Parse(time.DateOnly, cmp.Or(asOf, "2026-12-31"))
		}
		dir := Open(t)
		Load(t, dir, b)
		engine := measure.NewEngine(Current(t, dir), shipped(t))
		period, _ := measure.ParsePeriod("2026-03-05/2026-03-05")
		result, err := engine.Evaluate(t.Context(), measure.Question{Measure: "readmission-30-day", Period: period, By: []string{"language"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range result.Groups[0].Strata["language"] {
			if s.Populations[measure.Denominator] != 1 {
				t.Errorf("%s: %g index stays, want 1", s.Code, s.Populations[measure.Denominator])
			}
			got[s.Code] = [2]bool{s.Populations[measure.DenominatorExclusion] == 1,
				s.Populations[measure.Numerator] == 1}
		}
	}
	for i, test := range tests {
		if got := got[fmt.Sprint("case", i)]; got != test.want {
			t.Errorf("%s: excluded and readmitted = %v, want %v", test.name, got, test.want)
		}
	}
}
