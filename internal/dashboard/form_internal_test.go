package dashboard

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir/audit"
)

// TestAnEventOfAFormIsTheEvent: whoever looks, at whatever, the trail holds what it would without forms.
func TestAnEventOfAFormIsTheEvent(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)
	b := audit.Builder{
		Observer: "test", Address: "https://equitylens.example", Now: func() time.Time { return at },
		NewID: func() string { return "5f3c9d8e-0000-4000-8000-000000000001" },
	}
	wen := audit.Agent{Client: "equitylens", Subject: "a1", Issuer: "https://ehr.example", Name: "Wen Adeyemi"}
	other := wen
	other.Name = "Mika Tan"
	var f forms
	for range 2 {
		for _, agent := range []audit.Agent{wen, other} {
			for _, query := range []string{"", "measures?by=race", strings.Repeat("x", 2*longestFormed)} {
				for _, outcome := range []audit.Outcome{{}, {Grade: audit.Refused, Words: "Forbidden"}} {
					for _, request := range []string{"r-1", "r-2", "", `"}`} {
						a := audit.Access{
							Agent: agent, Outcome: outcome, Interaction: audit.Search, Query: query, Request: request,
							Details: []audit.Detail{{Name: "route", Value: "dashboard"}},
						}
						want, err := b.Access(a)
						if err != nil {
							t.Fatal(err)
						}
						got, err := f.event(b, a)
						if err != nil {
							t.Fatal(err)
						}
						if diff := cmp.Diff(string(want), string(got)); diff != "" {
							t.Errorf("%s, %q, %q (-want +got):\n%s", agent.Name, query, request, diff)
						}
					}
				}
			}
		}
		at = at.Add(time.Minute)
	}
	for i := range 2 * mostForms {
		f.all[fmt.Sprint(i)] = audit.Form{}
	}
	if _, err := f.event(b, audit.Access{Agent: wen, Interaction: audit.Search, Query: "new", Request: "r"}); err != nil {
		t.Fatal(err)
	}
	if len(f.all) > mostForms {
		t.Errorf("%d forms are kept", len(f.all))
	}
}
