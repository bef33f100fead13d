package facts_test

import (
	"fmt"
	"testing"

	"github.com/equitylens/equitylens/mapping"
	. "github.com/equitylens/equitylens/store/facts/factstest"
)

// TestEmergencyVisits looks at an emergency visit of 10 March 2026, from 08:00 on, and at what
// happened around it.
func TestEmergencyVisits(t *testing.T) {
	t.Parallel()
	visit := func(end string) mapping.Encounter {
		return Encounter("ed", "a", "EMER", "2026-03-10T08:00:00Z", end)
	}
	around := func(class, start, end string, changes ...func(*mapping.Encounter)) mapping.Encounter {
		return Encounter("x"+class+start, "a", class, start, end, changes...)
	}
	const noon = "2026-03-10T12:00:00Z"
	tests := []struct {
		name   string
		visit  mapping.Encounter
		around []mapping.Encounter
		// want is minutes, contains_observation, observation_within_24h, admitted_within_24h and
		// boarding_minutes.
		want string
	}{
		{"alone", visit(noon), nil, "240 false false false <nil>"},
		{"480 minutes", visit("2026-03-10T16:00:00Z"), nil, "480 false false false <nil>"},
		{"480 minutes and a half are 480", visit("2026-03-10T16:00:30Z"), nil,
			"480 false false false <nil>"},
		{"481 minutes", visit("2026-03-10T16:01:00Z"), nil, "481 false false false <nil>"},
		{"over midnight of another offset", visit("2026-03-10T23:00:00-05:00"), nil,
			"1200 false false false <nil>"},
		{"without a clock", Encounter("ed", "a", "EMER", "2026-03-10", "2026-03-10"), nil,
			"<nil> false false false <nil>"},
		{"a clock without an offset", Encounter("ed", "a", "EMER", "2026-03-10T08:00:00",
			"2026-03-10T12:00:00"), nil,
			"<nil> false false false <nil>"},
		{"an observation inside", visit("2026-03-10T20:00:00Z"),
			[]mapping.Encounter{around("OBSENC", "2026-03-10T08:00:00Z", "2026-03-10T20:00:00Z")},
			"720 true true false <nil>"},
		{"an observation that outlasts it", visit(noon),
			[]mapping.Encounter{around("OBSENC", "2026-03-10T09:00:00Z", "2026-03-10T12:00:01Z")},
			"240 false true false <nil>"},
		{"an observation without an end", visit(noon),
			[]mapping.Encounter{around("OBSENC", "2026-03-10T09:00:00Z", "")}, "240 false true false <nil>"},
		{"an observation by days", visit(noon),
			[]mapping.Encounter{around("OBSENC", "2026-03-10", "2026-03-10")}, "240 true true false <nil>"},
		{"a cancelled observation", visit(noon),
			[]mapping.Encounter{around("OBSENC", "2026-03-10T09:00:00Z", "2026-03-10T10:00:00Z",
				status("cancelled"))},
			"240 false false false <nil>"},
		{"admitted, and 240 minutes there", visit(noon),
			[]mapping.Encounter{around("IMP", "2026-03-10T08:00:00Z", "2026-03-15")},
			"240 false false true 240"},
		{"admitted, and 241 minutes there", visit("2026-03-10T12:01:00Z"),
			[]mapping.Encounter{around("ACUTE", "2026-03-10T08:00:00Z", "2026-03-15")},
			"241 false false true 241"},
		{"the first of two admissions", visit(noon), []mapping.Encounter{
			around("IMP", "2026-03-10T11:00:00Z", "2026-03-15"), around("IMP", "2026-03-10T10:00:00Z",
				"2026-03-10")},
			"240 false false true 120"},
		{"admitted 24 hours later", visit(noon),
			[]mapping.Encounter{around("IMP", "2026-03-11T08:00:00Z", "2026-03-15")},
			"240 false false true -1200"},
		{"admitted a second after that", visit(noon),
			[]mapping.Encounter{around("IMP", "2026-03-11T08:00:01Z", "2026-03-15")},
			"240 false false false <nil>"},
		{"admitted before", visit(noon),
			[]mapping.Encounter{around("IMP", "2026-03-10T07:59:59Z", "2026-03-15")},
			"240 false false false <nil>"},
		{"admitted within 24 hours, two calendar days later by its offset",
			Encounter("ed", "a", "EMER", "2026-03-10T20:00:00-05:00", "2026-03-11T03:00:00Z"),
			[]mapping.Encounter{around("IMP", "2026-03-12T00:30:00Z", "2026-03-15")},
			"120 false false true -1290"},
		{"admitted on the next day, without a clock", visit(noon),
			[]mapping.Encounter{around("IMP", "2026-03-11", "2026-03-15")}, "240 false false true <nil>"},
		{"admitted two days later, without a clock", visit(noon),
			[]mapping.Encounter{around("IMP", "2026-03-12", "2026-03-15")}, "240 false false false <nil>"},
		{"one of two admissions without a clock", visit(noon), []mapping.Encounter{
			around("IMP", "2026-03-10T10:00:00Z", "2026-03-15"), around("ACUTE", "2026-03-10",
				"2026-03-10")},
			"240 false false true <nil>"},
		{"a non-acute stay is no admission", visit(noon),
			[]mapping.Encounter{around("NONAC", "2026-03-10T10:00:00Z", "2026-03-15")},
			"240 false false false <nil>"},
		{"that of another patient", visit(noon),
			[]mapping.Encounter{Encounter("x", "b", "IMP", "2026-03-10T10:00:00Z", "2026-03-15")},
			"240 false false false <nil>"},
		{"a planned admission", visit(noon),
			[]mapping.Encounter{around("IMP", "2026-03-10T10:00:00Z", "2026-03-15", status("planned"))},
			"240 false false false <nil>"},
	}
	var cases []Batch
	for i, test := range tests {
		cases = append(cases, Within(fmt.Sprint(i), Batch{
			Patients:   []mapping.Patient{Patient("a", saying(fmt.Sprint("case", i))), Patient("b")},
			Encounters: append(test.around, test.visit),
		}))
	}
	dir := Open(t)
	Load(t, dir, Join(cases...))
	s := Current(t, dir)
	for i, test := range tests {
		got := Rows(t, s, `SELECT minutes, contains_observation, observation_within_24h,
			admitted_within_24h, boarding_minutes FROM encounter WHERE class = 'EMER' AND language = ?`, fmt.Sprint("case", i))
		if fmt.Sprint(got) != fmt.Sprint([]string{test.want}) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// TestStays is what the length of a stay is, and what it carries for rates of harm.
func TestStays(t *testing.T) {
	t.Parallel()
	const start = "2026-03-01T10:00:00Z"
	harm := func(id, date string, changes ...func(*mapping.AdverseEvent)) mapping.AdverseEvent {
		return Event(id, "a", date, append(changes, of("1"))...)
	}
	potential := func(a *mapping.AdverseEvent) { a.Actuality = mapping.Potential }
	tests := []struct {
		name   string
		stay   mapping.Encounter
		events []mapping.AdverseEvent
		// want is days, patient_days, died, against_advice and harm_events; "" for no stay.
		want string
	}{
		{"a day and a night", Encounter("1", "a", "IMP", start, "2026-03-02T09:00:00Z"), nil,
			"1 1 false false 0"},
		{"two days and a bit", Encounter("1", "a", "OBSENC", start, "2026-03-03T11:00:00Z"), nil,
			"2 2 false false 0"},
		{"no length at all", Encounter("1", "a", "NONAC", start, start), nil, "0 1 false false 0"},
		{"without a clock", Encounter("1", "a", "ACUTE", "2026-03-01", "2026-03-04"), nil,
			"3 <nil> false false 0"},
		{"without a start", Encounter("1", "a", "IMP", "", "2026-03-04"), nil,
			"<nil> <nil> false false 0"},
		{"died", Encounter("1", "a", "IMP", start, start, disposed("exp")), nil, "0 1 true false 0"},
		{"against advice", Encounter("1", "a", "IMP", start, start, disposed("aadvice")), nil,
			"0 1 false true 0"},
		{"entered in error", Encounter("1", "a", "IMP", start, start, status("entered-in-error")), nil,
			""},
		{"an emergency visit is no stay", Encounter("1", "a", "EMER", start, start), nil, ""},
		{"harm within it", Encounter("1", "a", "IMP", start, "2026-03-03T10:00:00Z"),
			[]mapping.AdverseEvent{harm("v", "2026-03-01"), harm("w", "2026-03-03T10:00:00Z")},
			"2 2 false false 2"},
		{"harm after it", Encounter("1", "a", "IMP", start, "2026-03-03T10:00:00Z"),
			[]mapping.AdverseEvent{harm("v", "2026-03-03T10:00:01Z"), harm("w", "2026-03-04")},
			"2 2 false false 0"},
		{"a near miss is no harm", Encounter("1", "a", "IMP", start, "2026-03-03T10:00:00Z"),
			[]mapping.AdverseEvent{harm("v", "2026-03-02", potential)}, "2 2 false false 0"},
		{"harm without a date", Encounter("1", "a", "IMP", start, "2026-03-03T10:00:00Z"),
			[]mapping.AdverseEvent{harm("v", "")}, "2 2 false false 0"},
	}
	var cases []Batch
	for i, test := range tests {
		cases = append(cases, Within(fmt.Sprint(i), Batch{
			Patients:   []mapping.Patient{Patient("a", saying(fmt.Sprint("case", i)))},
			Encounters: []mapping.Encounter{test.stay}, Events: test.events,
		}))
	}
	dir := Open(t)
	Load(t, dir, Join(cases...))
	s := Current(t, dir)
	for i, test := range tests {
		var want []string
		if test.want != "" {
			want = []string{test.want}
		}
		got := Rows(t, s, `SELECT days, patient_days, died, against_advice, harm_events FROM stay
			WHERE language = ?`, fmt.Sprint("case", i))
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %q, want %q", test.name, got, want)
		}
	}
}
