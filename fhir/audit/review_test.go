package audit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/internal/phi"
)

func TestDecide(t *testing.T) {
	t.Parallel()
	b := audit.Builder{
		Observer: "test", Now: func() time.Time { return time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC) },
		NewID: func() string { return "e1" },
	}
	who := audit.Agent{Client: "equitylens", Subject: "s-1", Issuer: "https://ehr", Name: "Ann"}
	for _, test := range []struct {
		name    string
		in      audit.Decision
		want    []string
		without []string
	}{
		{
			"a first answer about a patient",
			audit.Decision{
				Agent: who, Code: "review-answer", Display: "answered", Resource: "AdverseEvent/r1", Version: 1,
				Patients: []phi.ID{phi.New("p-1")}, Request: "q-1",
			},
			[]string{
				`"action":"C"`, `"110110"`, `"review-answer"`, `"AdverseEvent/r1"`, `"Patient/p-1"`, `"q-1"`, `"AUT"`, `"s-1"`,
				`"outcome":"0"`,
			}, nil,
		},
		{
			"a change", audit.Decision{Agent: who, Code: "x", Resource: "Task/a", Version: 4},
			[]string{`"action":"U"`, `"110100"`, `"Task/a"`, `"valueString":"4"`}, []string{"Patient/", "110110"},
		},
		{
			"a refusal", audit.Decision{Agent: who, Code: "x", Outcome: audit.Outcome{Grade: audit.Refused, Words: "Conflict"}},
			[]string{`"action":"U"`, `"outcome":"4"`, `"outcomeDesc":"Conflict"`}, []string{`"version"`, "Task/"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			event, err := b.Decide(test.in)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range test.want {
				if !strings.Contains(string(event), want) {
					t.Errorf("the event does not hold %s:\n%s", want, event)
				}
			}
			for _, unwanted := range test.without {
				if strings.Contains(string(event), unwanted) {
					t.Errorf("the event holds %s:\n%s", unwanted, event)
				}
			}
		})
	}
}
