package measure_test

import (
	"strings"
	"testing"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/store/facts"
)

func scratch(t *testing.T) *facts.Snapshot {
	t.Helper()
	s, err := facts.Scratch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestTheCatalogueChecks(t *testing.T) {
	t.Parallel()
	if err := measure.NewEngine(scratch(t), shipped(t)).Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// of makes a proportion whose numerator is one expression.
func of(unit measure.Unit, numerator string) measure.Definition {
	return measure.Definition{ID: "own", Unit: unit, Scoring: measure.Proportion, DatedBy: "end",
		Populations: map[measure.Population]string{measure.InitialPopulation: "true",
			measure.Denominator: "true", measure.Numerator: numerator}}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	snapshot := scratch(t)
	tests := []struct {
		name string
		unit measure.Unit
		text string
		// want is a part of the message; "" for none.
		want string
	}{
		{"a condition", measure.EncounterUnit, "class = 'EMER' and minutes > 60 -- an hour", ""},
		{"a null", measure.EncounterUnit, "coalesce(null, telehealth)", ""},
		{"a date", measure.EncounterUnit, "start_date >= '2025-01-01'", ""},
		{"extract is no query", measure.EncounterUnit, "extract(year from start_date) = 2025", ""},
		{"a state", measure.StayUnit, "race_state in ('known', 'asked-declined')", ""},
		{"an age band of patients", measure.PatientUnit, "age_band = '65-74'", ""},
		{"an unknown column", measure.EncounterUnit, "clas = 'EMER'",
			`"clas" is not a column of encounter; near it are class`},
		{"a column of another unit", measure.EncounterUnit, "days > 3",
			`"days" is not a column of encounter`},
		{"a column below the view", measure.EncounterUnit, "stated_need = 'yes'",
			`"stated_need" is not a column`},
		{"a value without quotes", measure.EncounterUnit, "class = EMER",
			"a value stands in single quotes"},
		{"a class that does not exist", measure.EncounterUnit, "class = 'EMR'",
			`"EMR" is not a value of class; it has AMB, EMER`},
		{"a class in lower case", measure.EncounterUnit, "class <> 'emer'",
			`"emer" is not a value of class`},
		{"a wrong value in a list", measure.EncounterUnit, "class in ('IMP', 'INP')",
			`"INP" is not a value of class`},
		{"a wrong value out of a list", measure.EncounterUnit, "status not in ('done')",
			`"done" is not a value of status`},
		{"a wrong state", measure.EventUnit, "race_state = 'declined'",
			`"declined" is not a value of race_state; it has known`},
		{"a wrong need", measure.StayUnit, "interpreter_need = 'Y'",
			`"Y" is not a value of interpreter_need; it has yes, no`},
		{"a wrong actuality", measure.EventUnit, "actuality = 'real'",
			`"real" is not a value of actuality`},
		{"a code is no condition", measure.EncounterUnit, "class", `"class" is a code, not a condition`},
		{"a number is no condition", measure.EncounterUnit, "minutes",
			`"minutes" is a number, not a condition`},
		{"a date is no condition", measure.EncounterUnit, "end_at",
			`"end_at" is a date, not a condition`},
		{"a text is no number", measure.EncounterUnit, "minutes > 'long'",
			`"long" is not a value that this column can have`},
		{"a month that does not exist", measure.EncounterUnit, "start_date > '2025-13-01'", "2025-13-01"},
		{"half a condition", measure.EncounterUnit, "minutes >", "syntax error"},
		{"a function that does not exist", measure.EncounterUnit, "nosuch(minutes)",
			"nosuch does not exist"},
		{"a comment that eats the bracket", measure.EncounterUnit, "true) -- ",
			"a ')' has no '(' before it"},
		{"brackets that close and open", measure.EncounterUnit, "true) or (true",
			"a ')' has no '(' before it"},
		{"a bracket in a text", measure.EncounterUnit, "race = ')'", ""},
		{"a quote in a text", measure.EncounterUnit, "race = 'it''s)'", ""},
		{"an open quote", measure.EncounterUnit, "race = 'a", "a quote ' has no end"},
		{"an open comment", measure.EncounterUnit, "true /* because", "a comment /* has no end"},
		{"an escape text", measure.EncounterUnit, `race = E'\'' or (true`,
			"before a quoted text is not supported"},
		{"a second statement", measure.EncounterUnit, "true; drop view encounter",
			"a ';' would end the condition"},
		{"a second statement in brackets", measure.EncounterUnit, "1); drop view encounter; select (1",
			"a ';' would end"},
		{"a subquery", measure.EncounterUnit, "(select count(*) from base.patient) > 1", "about one row"},
		{"a subquery without select", measure.EncounterUnit, "exists (from base.patient)",
			"about one row"},
		{"a subquery by comment", measure.EncounterUnit, "exists (/* */ from base.patient)",
			"about one row"},
		{"an aggregate", measure.EncounterUnit, "count(*) > 3", "about one row"},
		{"a window", measure.EncounterUnit, "row_number() over () > 1", "about one row"},
		{"a file", measure.EncounterUnit, "read_text('/etc/passwd') is null", "table function"},
		{"a parameter", measure.EncounterUnit, "minutes > $1", "stands for a parameter"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := of(test.unit, test.text)
			err := measure.NewEngine(snapshot, []measure.Definition{d}).Check(t.Context())
			switch {
			case test.want == "" && err != nil:
				t.Errorf("Check(%s) = %v, want nothing", test.text, err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) ||
				!strings.HasPrefix(err.Error(), "measure own, numerator: ")):
				t.Errorf("Check(%s) = %v\nwant measure own, numerator: … %s", test.text, err, test.want)
			}
		})
	}
}

func TestCheckOfObservations(t *testing.T) {
	t.Parallel()
	snapshot := scratch(t)
	for text, want := range map[string]string{
		"minutes / 60.0":               "",
		"days":                         "",
		"class":                        `own, observe measure-population: "class" is a code, not a number`,
		"end_at - start_at":            "not a number",
		"sum(minutes)":                 "about one row",
		"case when died then days end": "",
	} {
		d := measure.Definition{ID: "own", Unit: measure.StayUnit, Scoring: measure.ContinuousVariable,
			DatedBy: "end",
			Observe: map[measure.Population]string{measure.MeasurePopulation: text},
			Populations: map[measure.Population]string{measure.InitialPopulation: "true",
				measure.MeasurePopulation: "true"}}
		err := measure.NewEngine(snapshot, []measure.Definition{d}).Check(t.Context())
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("Check(observe %s) = %v, want %q", text, err, want)
		}
	}
}

// FuzzExpression looks for an expression that check accepts and that then does something else than
// add one condition: every one that is accepted must evaluate.
func FuzzExpression(f *testing.F) {
	for _, seed := range []string{"true", "class = 'EMER'", "true) -- ", "'a''b' = race", "(select 1)",
		"\"race\" is null",
		"/* */ true", "minutes > 5 -- x\n and telehealth", "x'00'", "a.b", "{'a': 1}.a = 1",
		"[1][1] = 1"} {
		f.Add(seed)
	}
	s, err := facts.Scratch(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	f.Fuzz(func(t *testing.T, text string) {
		if text == "" {
			return // Loading refuses it.
		}
		engine := measure.NewEngine(s, []measure.Definition{of(measure.EncounterUnit, text)})
		if engine.Check(t.Context()) != nil {
			return
		}
		period, _ := measure.ParsePeriod("2026")
		if _, err := engine.Evaluate(t.Context(), measure.Question{Measure: "own", Period: period, By: []string{"race"}}); err != nil {
			t.Errorf("Check(%q) accepts what Evaluate refuses: %v", text, err)
		}
	})
}
