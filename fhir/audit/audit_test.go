package audit_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/internal/phi"
)

func builder() audit.Builder {
	return audit.Builder{
		Observer: "quality.example.org", Address: "https://quality.example.org/fhir",
		Now: func() time.Time {
			return time.Date(2026, 11, 22, 4, 5, 6, 789_000_000, time.FixedZone("", 3600))
		},
		NewID: func() string { return "0b5cbf4c-62f0-4f8a-8f5d-0a0d3c2a8f10" },
	}
}

func program() audit.Agent {
	return audit.Agent{Client: "quality-department", Address: "192.0.2.7", Token: "jti-1"}
}

func person() audit.Agent {
	a := program()
	a.Subject, a.Issuer, a.Name, a.Roles = "sub-77", "https://ehr.example.org/fhir", "Dr. A. Grey",
		[]string{"equity-reviewer", "administrator"}
	return a
}

// made is an event as a reader of JSON sees it.
type made struct {
	ResourceType, ID, Action, Recorded, Outcome, OutcomeDesc string
	Meta                                                     struct{ Profile []string }
	Type                                                     coding
	Subtype                                                  []coding
	Agent                                                    []agent
	Source                                                   struct {
		Observer reference
		Type     []coding
	}
	Entity []entity
}

type coding struct{ System, Code string }

type reference struct {
	Reference, Type, Display string
	Identifier               struct{ System, Value string }
}

type agent struct {
	Type      struct{ Coding []coding }
	Role      []struct{ Coding []coding }
	Who       *reference
	AltID     string `json:"altId"`
	Name      string
	Requestor *bool
	Policy    []string
	Network   *struct{ Address, Type string }
}

type entity struct {
	What   *reference
	Type   coding
	Role   coding
	Query  []byte
	Detail []struct{ Type, ValueString string }
}

// acts are all that can be recorded.
func acts() map[string]func(audit.Builder, audit.Agent, audit.Outcome) ([]byte, error) {
	access := func(a audit.Access) func(audit.Builder, audit.Agent, audit.Outcome) ([]byte, error) {
		return func(b audit.Builder, by audit.Agent, what audit.Outcome) ([]byte, error) {
			own := a
			own.Agent, own.Outcome, own.Request = by, what, "request-1"
			return b.Access(own)
		}
	}
	chart := func(
		act func(audit.Builder, audit.Chart) ([]byte, error),
	) func(audit.Builder, audit.Agent, audit.Outcome) ([]byte, error) {
		return func(b audit.Builder, by audit.Agent, what audit.Outcome) ([]byte, error) {
			return act(b, audit.Chart{
				Agent: by, Outcome: what, Tenant: "north", Patient: phi.New("p1"),
				Encounter: phi.New("e1"), Types: []string{"Patient", "Encounter"}, Request: "request-1",
			})
		}
	}
	one, two := []phi.ID{phi.New("p1")}, []phi.ID{phi.New("p1"), phi.New("p2")}
	const asked = "Measure/los/$evaluate-measure?periodStart=2018"
	return map[string]func(audit.Builder, audit.Agent, audit.Outcome) ([]byte, error){
		"read":              access(audit.Access{Interaction: audit.Read, Resource: "Measure/los"}),
		"search":            access(audit.Access{Interaction: audit.Search, Query: "Measure?title=a&title=b"}),
		"search of nothing": access(audit.Access{Interaction: audit.Search}),
		"read of a patient": access(audit.Access{
			Interaction: audit.Read, Resource: "Patient/p1", Patients: one,
		}),
		"operation about one": access(audit.Access{
			Interaction: audit.Operation, Query: asked, Patients: one,
			Subjects: []string{"https://equitylens.org/fhir/Measure/los|1.0.0"},
			Details:  []audit.Detail{{Name: "patients", Value: "1"}, {Name: "nothing"}},
		}),
		"operation about two": access(audit.Access{
			Interaction: audit.Operation, Query: asked, Patients: two,
		}),
		"operation about a group": access(audit.Access{
			Interaction: audit.Operation, Query: asked, Groups: []phi.ID{phi.New("g1")},
		}),
		"batch":  access(audit.Access{Interaction: audit.Batch, Query: ""}),
		"create": access(audit.Access{Interaction: audit.Create, Resource: "MeasureReport"}),
		"update": access(audit.Access{Interaction: audit.Update, Resource: "Task/7"}),
		"update about one": access(audit.Access{
			Interaction: audit.Update, Resource: "AdverseEvent/e1", Patients: one,
		}),
		"history": access(audit.Access{
			Interaction: audit.History, Query: "AdverseEvent/e1/_history", Patients: one,
		}),
		"delete": access(audit.Access{Interaction: audit.Delete, Resource: "$job/7"}),
		"delete about one": access(audit.Access{
			Interaction: audit.Delete, Resource: "Task/7", Patients: one,
		}),
		"sign-in": func(b audit.Builder, by audit.Agent, what audit.Outcome) ([]byte, error) {
			return b.SignIn(audit.Entry{Agent: by, Outcome: what, Tenant: "north", Request: "request-1"})
		},
		"sign-out": func(b audit.Builder, by audit.Agent, what audit.Outcome) ([]byte, error) {
			return b.SignOut(audit.Entry{Agent: by, Outcome: what})
		},
		"launch":     chart(audit.Builder.Launch),
		"chart read": chart(audit.Builder.ChartRead),
		"hook":       chart(audit.Builder.Hook),
		"launch without a patient": func(
			b audit.Builder, by audit.Agent, what audit.Outcome,
		) ([]byte, error) {
			return b.Launch(audit.Chart{Agent: by, Outcome: what})
		},
		"token": func(b audit.Builder, by audit.Agent, what audit.Outcome) ([]byte, error) {
			return b.Token(audit.Token{
				Agent: by, Outcome: what, Grant: "authorization_code", Scope: "user/Measure.rs",
			})
		},
		"administration": func(b audit.Builder, by audit.Agent, what audit.Outcome) ([]byte, error) {
			return b.Admin(audit.Deed{
				Agent: by, Outcome: what, Code: "end", Display: "sessions and tokens ended", Whom: "sub-78",
			})
		},
		"sync": func(b audit.Builder, by audit.Agent, what audit.Outcome) ([]byte, error) {
			return b.Admin(audit.Deed{Agent: by, Outcome: what, Code: "sync", Display: "sync started"})
		},
		"command line": func(b audit.Builder, by audit.Agent, what audit.Outcome) ([]byte, error) {
			return b.Command(audit.Command{
				User: by.Client, Outcome: what, Patients: one, Subjects: []string{"los|1.0.0"},
				Details: []audit.Detail{{Name: "period", Value: "2018"}},
			})
		},
	}
}

// TestEveryEventIsValid: every act, by a program and by a person, however it came out, is a valid
// AuditEvent on one line that follows the patterns that it claims.
func TestEveryEventIsValid(t *testing.T) {
	t.Parallel()
	agents := map[string]audit.Agent{"a program": program(), "a person": person(), "nobody": {}}
	outcomes := map[string]audit.Outcome{
		"0": {}, "4": {Grade: audit.Refused, Words: "there is no such measure"},
		"8": {Grade: audit.Failed, Words: "something went wrong"},
	}
	for name, act := range acts() {
		for who, by := range agents {
			for code, what := range outcomes {
				t.Run(name+" by "+who+" with outcome "+code, func(t *testing.T) {
					t.Parallel()
					text, err := act(builder(), by, what)
					if err != nil {
						t.Fatal(err)
					}
					e := parse(t, text)
					if e.Outcome != code || e.OutcomeDesc != what.Words {
						t.Errorf("outcome %s %q, want %s %q", e.Outcome, e.OutcomeDesc, code, what.Words)
					}
					for _, fault := range faults(e) {
						t.Errorf("%s\n%s", fault, text)
					}
				})
			}
		}
	}
}

// parse reads an event, which google/fhir must take for one.
func parse(t *testing.T, text []byte) made {
	t.Helper()
	resource, err := r4.Unmarshal(text)
	if err != nil || resource.GetAuditEvent() == nil || bytes.ContainsAny(text, "\r\n") {
		t.Fatalf("not an AuditEvent on one line: %s", text)
	}
	var e made
	if err := json.Unmarshal(text, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestWhichPatternsAreClaimed(t *testing.T) {
	t.Parallel()
	const use = " OAUTHaccessTokenUse.Comprehensive"
	for name, want := range map[string]string{
		"read": "Read" + use, "search": "Query" + use, "read of a patient": "PatientRead" + use,
		"operation about one": "PatientQuery" + use, "operation about two": "Query" + use,
		"operation about a group": "Query" + use, "batch": "Query" + use, "create": "Create" + use,
		"update": "Update" + use, "update about one": "PatientUpdate" + use, "history": "PatientQuery" + use,
		"delete": "Delete" + use, "delete about one": "PatientDelete" + use, "chart read": "PatientRead",
		"launch": "", "hook": "", "sign-in": "", "token": "", "administration": "", "command line": "",
	} {
		text, err := acts()[name](builder(), person(), audit.Outcome{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, profile := range parse(t, text).Meta.Profile {
			got = append(got, strings.TrimPrefix(profile, pattern("")))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s claims %v, want %s", name, got, want)
		}
	}
	text, err := acts()["read"](builder(), person(), audit.Outcome{Grade: audit.Refused})
	if err != nil {
		t.Fatal(err)
	}
	if got := parse(t, text).Meta.Profile; len(got) > 0 {
		t.Errorf("what was refused claims %v", got)
	}
}

// TestAPersonIsWhoTheirIssuerSays, with roles and the id of the token, and the program beside them.
func TestAPersonIsWhoTheirIssuerSays(t *testing.T) {
	t.Parallel()
	text, err := acts()["operation about one"](builder(), person(), audit.Outcome{})
	if err != nil {
		t.Fatal(err)
	}
	e := parse(t, text)
	user := e.Agent[2]
	var roles []string
	for _, role := range user.Role {
		roles = append(roles, role.Coding[0].Code)
	}
	got := []string{
		e.ID, e.Recorded, user.Who.Identifier.System, user.Who.Identifier.Value, user.Name,
		user.Policy[0], strings.Join(roles, " "), e.Agent[0].Who.Identifier.Value,
		e.Agent[0].Network.Address, string(e.Entity[0].Query), e.Entity[1].What.Reference,
		e.Entity[2].What.Display, e.Entity[3].What.Identifier.Value,
		e.Entity[4].Detail[0].Type + "=" + e.Entity[4].Detail[0].ValueString,
	}
	want := []string{
		"0b5cbf4c-62f0-4f8a-8f5d-0a0d3c2a8f10", "2026-11-22T03:05:06.789Z",
		"https://ehr.example.org/fhir", "sub-77", "Dr. A. Grey", "jti-1",
		"equity-reviewer administrator", "quality-department", "192.0.2.7",
		"Measure/los/$evaluate-measure?periodStart=2018", "Patient/p1",
		"https://equitylens.org/fhir/Measure/los|1.0.0", "request-1", "patients=1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	if *e.Agent[0].Requestor || !*user.Requestor || len(e.Agent[0].Policy) > 0 {
		t.Errorf("the program is the requestor, or carries the token: %s", text)
	}
}

func TestAVeryLongQuestionIsCutOff(t *testing.T) {
	t.Parallel()
	text, err := builder().Access(audit.Access{
		Interaction: audit.Search, Agent: program(), Query: strings.Repeat("x", 1<<20),
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(parse(t, text).Entity[0].Query); n != 64<<10 {
		t.Errorf("%d bytes of the question are kept", n)
	}
}

func TestEventsOfTheirOwnHaveIdsOfTheirOwn(t *testing.T) {
	t.Parallel()
	var ids []string
	for range 3 {
		text, err := audit.Builder{}.SignIn(audit.Entry{})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, parse(t, text).ID)
	}
	slices.Sort(ids)
	if len(slices.Compact(ids)) != 3 {
		t.Errorf("ids are %v", ids)
	}
}

// BenchmarkAccess prints what it costs to make the event of a request.
func BenchmarkAccess(b *testing.B) {
	act := acts()["operation about one"]
	for b.Loop() {
		if _, err := act(builder(), person(), audit.Outcome{}); err != nil {
			b.Fatal(err)
		}
	}
}
