package facts_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/facts"
	. "github.com/equitylens/equitylens/store/facts/factstest"
)

// with sets the disposition, the status or the site of an encounter.
func disposed(code string) func(*mapping.Encounter) {
	return func(e *mapping.Encounter) { e.Disposition = Known(code) }
}

func status(code string) func(*mapping.Encounter) {
	return func(e *mapping.Encounter) { e.Status = code }
}

func heldAt(site string) func(*mapping.Encounter) {
	return func(e *mapping.Encounter) { e.Site = Site(site) }
}

func needs(v mapping.Value) func(*mapping.Encounter) {
	return func(e *mapping.Encounter) { e.InterpreterNeed = v }
}

func of(encounter string) func(*mapping.AdverseEvent) {
	return func(a *mapping.AdverseEvent) { a.Encounter = phi.New(encounter) }
}

func replacedBy(id string) func(*mapping.Patient) {
	return func(p *mapping.Patient) { p.ReplacedBy = phi.New(id) }
}

func replaces(ids ...string) func(*mapping.Patient) {
	return func(p *mapping.Patient) {
		for _, id := range ids {
			p.Replaces = append(p.Replaces, phi.New(id))
		}
	}
}

// saying gives a patient a language by which it can be recognised in the result.
func saying(language string) func(*mapping.Patient) {
	return func(p *mapping.Patient) { p.Language = Known(language) }
}

func TestUnitsOfOneLoad(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	merged := Load(t, dir, Batch{
		Patients: []mapping.Patient{
			Patient("a"),
			Patient("b", func(p *mapping.Patient) { p.InterpreterNeed = State(mapping.Unknown) }),
		},
		Encounters: []mapping.Encounter{
			Encounter("1", "a", "AMB", "2026-01-05T10:00:00Z", "2026-01-05T10:30:00Z"),
			Encounter("2", "b", "IMP", "2026-01-01", "2026-01-04"),
			Encounter("3", "nobody", "AMB", "2026-01-05", "2026-01-05"),
			Encounter("4", "a", "AMB", "2026-01-05", ""),
		},
		Events: []mapping.AdverseEvent{
			Event("v1", "b", "2026-01-02"), Event("v2", "b", ""), Event("v3", "", "2026-01-02"),
		},
	})
	if merged.Orphans != 1 || merged.Undated != 2 || merged.Unlinked != 1 {
		t.Errorf("orphans %d, undated %d, unlinked %d; want 1, 2 and 1",
			merged.Orphans, merged.Undated, merged.Unlinked)
	}
	got := Rows(t, Current(t, dir), `SELECT class, minutes, race, race_state, interpreter_need,
		interpreter_need_state, age_band, site FROM encounter WHERE end_date IS NOT NULL ORDER BY class`)
	want := []string{
		"AMB 30 2054-5 known yes known 65-74 H1",
		"IMP <nil> 2054-5 known <nil> unknown 65-74 H1",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("encounters (-want +got):\n%s", d)
	}
}

func TestSetsOfRaces(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		race  mapping.Value
		races mapping.RaceSet
		spd15 mapping.SPD15Set
		want  string
	}{
		{"one race", Known("2054-5"), mapping.Black, mapping.SPD15Black,
			"2054-5 known 2054-5 known"},
		{"several, in the order of the codes", Known("two-or-more"), mapping.White | mapping.Asian,
			mapping.SPD15Hispanic | mapping.SPD15Asian | mapping.SPD15White,
			"2028-9+2106-3 known 2028-9+2106-3+2135-2 known"},
		{"all of them", Known("two-or-more"), 1<<6 - 1, 1<<7 - 1,
			"1002-5+2028-9+2054-5+2076-8+2106-3+2131-1 known" +
				" 1002-5+2028-9+2054-5+2076-8+2106-3+2118-8+2135-2 known"},
		{"Hispanic alone", State(mapping.Missing), 0, mapping.SPD15Hispanic,
			"<nil> missing 2135-2 known"},
		{"Other Race alone has no category in SPD 15", Known("2131-1"), mapping.OtherRace, 0,
			"2131-1 known <nil> unmapped"},
		{"declined", State(mapping.AskedDeclined), 0, 0,
			"<nil> asked-declined <nil> asked-declined"},
	}
	var b Batch
	for i, tt := range tests {
		id := fmt.Sprint(i)
		b.Patients = append(b.Patients, Patient(id, func(p *mapping.Patient) {
			p.Race, p.Races, p.SPD15 = tt.race, tt.races, tt.spd15
			p.GeneralPractitioner = phi.New(id)
		}))
		b.Encounters = append(b.Encounters, Encounter(id, id, "IMP", "2026-01-01", "2026-01-04",
			func(e *mapping.Encounter) { e.Practitioner = phi.New(id) }))
		b.Events = append(b.Events, Event(id, id, "2026-01-02", of(id)))
	}
	dir := Open(t)
	Load(t, dir, b)
	s := Current(t, dir)
	const columns = "SELECT race_set, race_set_state, spd15_set, spd15_set_state FROM "
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, from := range []string{
				"encounter WHERE practitioner = ?", "stay WHERE practitioner = ?", "event WHERE practitioner = ?",
				"patient_in(DATE '2026-01-01', DATE '2026-12-31') WHERE general_practitioner = ?",
			} {
				got := Rows(t, s, columns+from, fmt.Sprint(i))
				if d := cmp.Diff([]string{tt.want}, got); d != "" {
					t.Errorf("%s (-want +got):\n%s", from, d)
				}
			}
		})
	}
}

func TestMergedPatients(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		patients []mapping.Patient
		// owners is the language of whoever owns the encounter of a, b, c and d; "-" for nobody.
		owners  string
		persons int
		merges  int64
	}{
		{"replaced-by", []mapping.Patient{Patient("a", replacedBy("b"), saying("aa")),
			Patient("b", saying("bb"))}, "bb bb - -", 1, 1},
		{"replaces", []mapping.Patient{Patient("a", saying("aa")),
			Patient("b", replaces("a", "c"), saying("bb")), Patient("c", saying("cc"))}, "bb bb bb -", 1, 2},
		{"both sides say it", []mapping.Patient{Patient("a", replacedBy("b"), saying("aa")),
			Patient("b", replaces("a"), saying("bb"))}, "bb bb - -", 1, 1},
		{"a chain ends at the last", []mapping.Patient{Patient("a", replacedBy("b"), saying("aa")),
			Patient("b", replacedBy("c"), saying("bb")), Patient("c", saying("cc"))}, "cc cc cc -", 1, 2},
		{"a chain whose end lists all of it", []mapping.Patient{
			Patient("a", replacedBy("b"), saying("aa")), Patient("b", replacedBy("c"), saying("bb")),
			Patient("c", replaces("a", "b"), saying("cc"))}, "cc cc cc -", 1, 2},
		{"a ring has no survivor", []mapping.Patient{Patient("a", replacedBy("b"), saying("aa")),
			Patient("b", replacedBy("a"), saying("bb"))}, "aa bb - -", 2, 0},
		{"a ring with a way out", []mapping.Patient{Patient("a", replacedBy("b"), saying("aa")),
			Patient("b", replacedBy("a"), saying("bb")),
			Patient("c", replaces("b"), saying("cc"))}, "cc cc cc -", 1, 2},
		{"a survivor that is not here", []mapping.Patient{
			Patient("a", replacedBy("z"), saying("aa"))}, "aa - - -", 1, 0},
		{"a retired record that is not here", []mapping.Patient{
			Patient("b", replaces("a"), saying("bb"))}, "bb bb - -", 1, 1},
		{"two survivors are none", []mapping.Patient{Patient("a", saying("aa")),
			Patient("b", replaces("a"), saying("bb")), Patient("c", replaces("a"), saying("cc"))},
			"aa bb cc -", 3, 0},
		{"itself", []mapping.Patient{Patient("a", replacedBy("a"), replaces("a"), saying("aa"))},
			"aa - - -", 1, 0},
	}
	var cases []Batch
	var merges int64
	for i, test := range tests {
		b := Batch{Patients: test.patients}
		for d, id := range []string{"a", "b", "c", "d"} {
			day := fmt.Sprintf("2026-01-0%d", d+1)
			b.Encounters = append(b.Encounters, Encounter("e"+id, id, "AMB", day, day))
		}
		name := fmt.Sprint("case", i)
		cases = append(cases, Placed(name, Within(name, b)))
		merges += test.merges
	}
	dir := Open(t)
	if merged := Load(t, dir, Join(cases...)); merged.Merges != merges {
		t.Errorf("%d merges, want %d", merged.Merges, merges)
	}
	s := Current(t, dir)
	for i, test := range tests {
		site := fmt.Sprint("case", i)
		got := Rows(t, s, `SELECT string_agg(coalesce(e.language, '-'), ' ' ORDER BY d)
			FROM (SELECT unnest(range(1, 5))::INTEGER AS d)
			LEFT JOIN encounter e ON day(e.start_date) = d AND e.site = ?`, site)
		if got[0] != test.owners {
			t.Errorf("%s: encounters belong to %s, want %s", test.name, got[0], test.owners)
		}
		got = Rows(t, s, `SELECT count(*) FROM patient_in(DATE '2026-01-01', DATE '2026-12-31')
			WHERE site = ?`, site)
		if got[0] != fmt.Sprint(test.persons) {
			t.Errorf("%s: %s persons, want %d", test.name, got[0], test.persons)
		}
	}
}

func TestEventLink(t *testing.T) {
	t.Parallel()
	const day = "2026-03-10"
	stay := func(id, class string, changes ...func(*mapping.Encounter)) mapping.Encounter {
		return Encounter(id, "a", class, "2026-03-09", "2026-03-11", changes...)
	}
	clocked := func(id, start, end string) mapping.Encounter {
		return Encounter(id, "a", "IMP", day+"T"+start+":00Z", day+"T"+end+":00Z")
	}
	tests := []struct {
		name       string
		encounters []mapping.Encounter
		event      mapping.AdverseEvent
		// want is the class of the linked encounter and whether the event lies within it.
		want string
	}{
		{"the encounter that it names", []mapping.Encounter{stay("1", "AMB"), stay("2", "IMP")},
			Event("v", "a", day, of("1")), "AMB true"},
		{"the encounter that it names, though before it", []mapping.Encounter{stay("1", "IMP")},
			Event("v", "a", "2026-03-08", of("1")), "IMP false"},
		{"the encounter that it names, without a date of its own", []mapping.Encounter{stay("1", "IMP")},
			Event("v", "a", "", of("1")), "IMP false"},
		{"the one that covers it", []mapping.Encounter{stay("1", "EMER")}, Event("v", "a", day),
			"EMER true"},
		{"the first day covers", []mapping.Encounter{stay("1", "IMP")},
			Event("v", "a", "2026-03-09"), "IMP true"},
		{"the last day covers", []mapping.Encounter{stay("1", "IMP")},
			Event("v", "a", "2026-03-11"), "IMP true"},
		{"the day after does not", []mapping.Encounter{stay("1", "IMP")},
			Event("v", "a", "2026-03-12"), "<nil> false"},
		{"inpatient before observation before emergency before ambulatory",
			[]mapping.Encounter{stay("1", "AMB"), stay("2", "EMER"), stay("3", "OBSENC"), stay("4",
				"ACUTE")},
			Event("v", "a", day), "ACUTE true"},
		{"observation before emergency before ambulatory",
			[]mapping.Encounter{stay("1", "AMB"), stay("2", "EMER"), stay("3", "OBSENC")},
			Event("v", "a", day), "OBSENC true"},
		{"emergency before ambulatory", []mapping.Encounter{stay("1", "AMB"), stay("2", "EMER")},
			Event("v", "a", day), "EMER true"},
		{"two that cover alike are none", []mapping.Encounter{stay("1", "IMP"), stay("2", "NONAC")},
			Event("v", "a", day), "<nil> false"},
		{"two below one that is best", []mapping.Encounter{
			stay("1", "AMB"), stay("2", "AMB"), stay("3", "IMP")}, Event("v", "a", day), "IMP true"},
		{"a home visit covers no event", []mapping.Encounter{stay("1", "HH")},
			Event("v", "a", day), "<nil> false"},
		{"that of another patient", []mapping.Encounter{
			Encounter("1", "b", "IMP", "2026-03-09", "2026-03-11"), stay("2", "IMP")},
			Event("v", "a", day, of("1")), "<nil> false"},
		{"one that is not here", []mapping.Encounter{stay("2", "IMP")},
			Event("v", "a", day, of("1")), "<nil> false"},
		{"one that was entered in error", []mapping.Encounter{stay("1", "IMP",
			status("entered-in-error"))},
			Event("v", "a", day, of("1")), "<nil> false"},
		{"an error covers nothing", []mapping.Encounter{stay("1", "IMP", status("entered-in-error")),
			stay("2", "AMB", status("cancelled")), stay("3", "EMER", status("planned"))},
			Event("v", "a", day), "<nil> false"},
		{"a period without an end covers nothing", []mapping.Encounter{
			Encounter("1", "a", "IMP", "2026-03-09", "")}, Event("v", "a", day), "<nil> false"},
		{"a stay in progress covers if it has an end", []mapping.Encounter{
			stay("1", "IMP", status("in-progress"))}, Event("v", "a", day), "IMP true"},
		{"instants where both sides have them", []mapping.Encounter{
			clocked("1", "08:00", "10:00"), clocked("2", "12:00", "14:00")},
			Event("v", "a", day+"T13:00:00Z"), "IMP true"},
		{"both ends of an instant count", []mapping.Encounter{clocked("1", "08:00", "10:00")},
			Event("v", "a", day+"T10:00:00Z"), "IMP true"},
		{"an instant later on the day", []mapping.Encounter{clocked("1", "08:00", "10:00")},
			Event("v", "a", day+"T10:00:01Z"), "<nil> false"},
		{"instants of two offsets", []mapping.Encounter{clocked("1", "08:00", "10:00")},
			Event("v", "a", day+"T04:30:00-05:00"), "IMP true"},
		{"a day among instants", []mapping.Encounter{clocked("1", "08:00", "10:00")},
			Event("v", "a", day), "IMP true"},
		{"a clock without an offset counts by its day", []mapping.Encounter{clocked("1", "08:00",
			"10:00")},
			Event("v", "a", day+"T23:00:00"), "IMP true"},
		{"a month is no day", []mapping.Encounter{stay("1", "IMP")},
			Event("v", "a", "2026-03"), "<nil> false"},
	}
	var cases []Batch
	for i, test := range tests {
		cases = append(cases, Within(fmt.Sprint(i), Batch{
			Patients:   []mapping.Patient{Patient("a", saying(fmt.Sprint("case", i))), Patient("b")},
			Encounters: test.encounters, Events: []mapping.AdverseEvent{test.event},
		}))
	}
	dir := Open(t)
	Load(t, dir, Join(cases...))
	s := Current(t, dir)
	for i, test := range tests {
		got := Rows(t, s, "SELECT encounter_class, within_encounter FROM event WHERE language = ?",
			fmt.Sprint("case", i))
		if d := cmp.Diff([]string{test.want}, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, d)
		}
	}
}

func TestAnEventOfARetiredPatientFindsTheEncounterOfTheSurvivor(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	Load(t, dir, Batch{
		Patients: []mapping.Patient{Patient("a", replacedBy("b")), Patient("b")},
		Encounters: []mapping.Encounter{Encounter("1", "b", "IMP", "2026-03-09", "2026-03-11",
			heldAt("H9"))},
		Events: []mapping.AdverseEvent{Event("v", "a", "2026-03-10"), Event("w", "a", "2026-03-10",
			of("1"))},
	})
	got := Rows(t, Current(t, dir), "SELECT encounter_class, site FROM event")
	if d := cmp.Diff([]string{"IMP H9", "IMP H9"}, got); d != "" {
		t.Errorf("events (-want +got):\n%s", d)
	}
}

func TestNeedOfEncountersIsThatOfTheMapping(t *testing.T) {
	t.Parallel()
	values := []mapping.Value{Known(mapping.Yes), Known(mapping.No)}
	for _, s := range mapping.States()[1:] {
		values = append(values, State(s))
	}
	var b Batch
	want := map[string]string{}
	for i, own := range values {
		id := fmt.Sprintf("p%d", i)
		b.Patients = append(b.Patients, Patient(id, func(p *mapping.Patient) { p.InterpreterNeed = own }))
		for j, stated := range values {
			day := fmt.Sprintf("2026-%02d-%02d", i+1, j+1)
			b.Encounters = append(b.Encounters, Encounter("e"+day, id, "IMP", day, day, needs(stated)))
			b.Events = append(b.Events, Event("v"+day, id, day))
			want[day] = facts.Key(mapping.ResolveNeed(stated, own))
		}
	}
	dir := Open(t)
	Load(t, dir, b)
	for _, view := range []string{"encounter", "event"} {
		date := map[string]string{"encounter": "start_date", "event": "date"}[view]
		rows := Rows(t, Current(t, dir), fmt.Sprintf(`SELECT strftime(%s, '%%Y-%%m-%%d') || ' ' ||
			coalesce(interpreter_need, '~' || interpreter_need_state) FROM %s`, date, view))
		got := map[string]string{}
		for _, row := range rows {
			got[row[:10]] = row[11:]
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("need of %ss by day (-want +got):\n%s", view, d)
		}
	}
}

func TestNeedOfPatients(t *testing.T) {
	t.Parallel()
	in := func(v ...mapping.Value) []mapping.Value { return v }
	yes, no := Known(mapping.Yes), Known(mapping.No)
	tests := []struct {
		name       string
		own        mapping.Value
		encounters []mapping.Value
		want       string
	}{
		{"their own", no, in(yes), "no"},
		{"that of an encounter where they say nothing", State(mapping.Missing), in(State(mapping.Missing),
			yes), "yes"},
		{"unknown passes on", State(mapping.Unknown), in(no), "no"},
		{"declined passes on to an answer", State(mapping.AskedDeclined), in(yes), "yes"},
		{"declined is more than unknown", State(mapping.AskedDeclined), in(State(mapping.Unknown)),
			"~asked-declined"},
		{"declined at an encounter is an answer", State(mapping.Missing),
			in(State(mapping.AskedDeclined)), "~asked-declined"},
		{"no answer is more than unknown", State(mapping.Unknown), in(State(mapping.AskedNoAnswer)),
			"~asked-no-answer"},
		{"encounters that differ", State(mapping.Missing), in(yes, no), "~conflicting"},
		{"an encounter that contradicts itself", State(mapping.Unknown), in(yes,
			State(mapping.Conflicting)), "~conflicting"},
		{"their own contradiction stands", State(mapping.Conflicting), in(yes), "~conflicting"},
		{"their own code that no table holds stands", State(mapping.Unmapped), in(yes), "~unmapped"},
		{"nothing anywhere", State(mapping.Missing), in(State(mapping.Missing)), "~missing"},
		{"no encounter", State(mapping.Missing), nil, "~missing"},
		{"words come last", State(mapping.Missing), in(State(mapping.TextOnly), State(mapping.Unknown)),
			"~unknown"},
	}
	var b Batch
	for i, test := range tests {
		id := fmt.Sprintf("%02d", i)
		b.Patients = append(b.Patients, Patient(id, saying(id),
			func(p *mapping.Patient) { p.InterpreterNeed = test.own }))
		for j, v := range test.encounters {
			b.Encounters = append(b.Encounters,
				Encounter(fmt.Sprint(id, j), id, "AMB", "2026-03-01", "2026-03-01", needs(v)))
		}
		// Neither an encounter of another period nor one that does not count has a say.
		b.Encounters = append(b.Encounters,
			Encounter(id+"other", id, "AMB", "2025-03-01", "2025-03-01", needs(State(mapping.Conflicting))),
			Encounter(id+"error", id, "AMB", "2026-03-01", "2026-03-01", status("entered-in-error"),
				needs(State(mapping.Conflicting))))
	}
	dir := Open(t)
	Load(t, dir, b)
	got := Rows(t, Current(t, dir), `SELECT coalesce(interpreter_need, '~' || interpreter_need_state)
		FROM patient_in(DATE '2026-01-01', DATE '2026-12-31') ORDER BY language`)
	for i, test := range tests {
		if got[i] != test.want {
			t.Errorf("%s: need = %s, want %s", test.name, got[i], test.want)
		}
	}
}

// losVector is a length of stay of the oracle.
type losVector struct {
	Inputs   struct{ Start, End string }
	Expected struct {
		Calendar int     `json:"calendar_days_difference"`
		Complete int     `json:"complete_24h_days"`
		Hours    float64 `json:"hours"`
	}
}

func TestLengthOfStayOracle(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/age_los.json")
	if err != nil {
		t.Fatal(err)
	}
	var oracle struct{ Los []losVector }
	if err := json.Unmarshal(text, &oracle); err != nil {
		t.Fatal(err)
	}
	if len(oracle.Los) < 4 {
		t.Fatalf("the oracle holds %d stays, want 4 or more", len(oracle.Los))
	}
	var cases []Batch
	for i, v := range oracle.Los {
		b := Batch{Patients: []mapping.Patient{Patient("a")},
			Encounters: []mapping.Encounter{Encounter("1", "a", "IMP", v.Inputs.Start, v.Inputs.End)}}
		cases = append(cases, Placed(fmt.Sprint(i), Within(fmt.Sprint(i), b)))
	}
	dir := Open(t)
	Load(t, dir, Join(cases...))
	s := Current(t, dir)
	for i, v := range oracle.Los {
		got := Rows(t, s, "SELECT days, patient_days, minutes FROM stay WHERE site = ?", fmt.Sprint(i))
		want := fmt.Sprint(v.Expected.Calendar, " ", max(1, v.Expected.Complete), " ",
			v.Expected.Hours*60)
		if d := cmp.Diff([]string{want}, got); d != "" {
			t.Errorf("%s to %s: days, patient_days, minutes (-want +got):\n%s",
				v.Inputs.Start, v.Inputs.End, d)
		}
	}
}
