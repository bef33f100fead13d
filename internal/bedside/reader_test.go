package bedside_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
)

func date(t *testing.T, text string) fhir.DateTime {
	t.Helper()
	d, err := fhir.ParseDateTime(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func known(code, from string) mapping.Value {
	return mapping.Value{State: mapping.Known, Code: code, From: from}
}

const (
	neededOnVisit   = "Encounter.extension(us-core-interpreter-needed)"
	neededOnPatient = "Patient.extension(us-core-interpreter-needed)"
)

func TestRead(t *testing.T) {
	t.Parallel()
	e := newEHR(t)
	e.encounters = []object{
		visit("old", "2026-01-10", object{"participant": translated(),
			"serviceProvider": object{"reference": "Organization/1", "display": "North Clinic"}}),
		visit(visitID, "2026-03-01T09:00:00Z", object{"status": "in-progress",
			"extension": []object{needed("yes")}}),
		visit("never", "2026-02-01", object{"status": "cancelled"}),
	}
	e.events = []object{
		harmed("a", "2025-05-05", nil), harmed("b", "", nil), harmed("c", "2019-01-01", nil),
		harmed("d", "2026-02-02", object{"actuality": "potential"}),
	}
	r, _ := reader(t, nil)
	a := e.access(t)
	a.Encounter, a.Banner = phi.New(visitID), true
	got, err := r.Read(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	yes, no := true, false
	patientAt := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	visitAt := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	missing := mapping.Value{State: mapping.Missing}
	spanish := known("es", "Patient.communication.language")
	need := known("yes", neededOnVisit)
	ambulatory := known("AMB", "Encounter.class")
	begun := date(t, "2026-03-01T09:00:00Z")
	event := func(day, actuality string) bedside.Event {
		return bedside.Event{Date: date(t, day), Actuality: actuality, Category: missing,
			Severity: missing, Outcome: missing, Inequity: missing}
	}
	want := bedside.View{
		Banner: &bedside.Banner{Name: "Ana B " + family, Birth: date(t, "1951-07-09"), Sex: "female"},
		ReadAt: now(),
		Language: bedside.Fact{Value: spanish, Sources: []bedside.Source{
			{Resource: "Patient", Element: "Patient.communication.language", Value: spanish,
				Preferred: &yes, Updated: patientAt},
			{Resource: "Patient", Element: "Patient.communication.language",
				Value: known("en", "Patient.communication.language"), Preferred: &no, Updated: patientAt},
		}},
		Interpreter: bedside.Fact{Value: need, Sources: []bedside.Source{{Resource: "Encounter",
			Element: neededOnVisit, Value: need, Encounter: begun, Updated: visitAt}}},
		Fields: []bedside.Field{{"race", missing}, {"ethnicity", missing}, {"language", spanish},
			{"interpreter_need", need}},
		Visits: []bedside.Visit{
			{Start: begun, Class: ambulatory, Current: true, Need: need, Use: mapping.NoneDocumented},
			{Start: date(t, "2026-01-10"), Class: ambulatory, Site: "North Clinic", Need: missing,
				Use: mapping.Documented, UseFrom: "Encounter.participant.type"},
		},
		Events: []bedside.Event{event("2026-02-02", "potential"), event("2025-05-05", "actual"),
			event("", "actual")},
		MoreEvents: true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Read (-want +got):\n%s", diff)
	}
}

func TestNotices(t *testing.T) {
	t.Parallel()
	other := object{"subject": object{"reference": "Patient/somebody-else"}}
	tests := []struct {
		name   string
		change func(e *ehr, a *bedside.Access)
		want   []bedside.Notice
	}{
		{"nothing is wrong", func(*ehr, *bedside.Access) {}, nil},
		{"scopes without events", func(_ *ehr, a *bedside.Access) { a.Scopes = a.Scopes[:4] },
			[]bedside.Notice{{Kind: bedside.NoPermission, Resource: "AdverseEvent"}}},
		{"scopes for the patient alone", func(_ *ehr, a *bedside.Access) { a.Scopes = a.Scopes[:3] },
			[]bedside.Notice{{Kind: bedside.NoPermission, Resource: "Encounter"},
				{Kind: bedside.NoPermission, Resource: "AdverseEvent"}}},
		{"events forbidden", func(e *ehr, _ *bedside.Access) { e.instead["AdverseEvent"] = status(403) },
			[]bedside.Notice{{Kind: bedside.NoPermission, Resource: "AdverseEvent"}}},
		{"events withheld in an answer of 200", func(e *ehr, _ *bedside.Access) {
			e.instead["AdverseEvent"] = document(searchset([]object{outcome("suppressed")}, ""))
		}, []bedside.Notice{{Kind: bedside.NoPermission, Resource: "AdverseEvent"}}},
		{"no such type", func(e *ehr, _ *bedside.Access) { e.instead["AdverseEvent"] = status(404) },
			[]bedside.Notice{{Kind: bedside.NotOffered, Resource: "AdverseEvent"}}},
		{"no parameter for the patient", func(e *ehr, _ *bedside.Access) {
			e.instead["AdverseEvent"] = status(400)
		}, []bedside.Notice{{Kind: bedside.NotOffered, Resource: "AdverseEvent"}}},
		{"an EHR that breaks", func(e *ehr, _ *bedside.Access) { e.instead["Encounter"] = status(500) },
			[]bedside.Notice{{Kind: bedside.Unreachable, Resource: "Encounter"}}},
		{"a page that is no Bundle", func(e *ehr, _ *bedside.Access) {
			e.instead["Encounter"] = document(outcome("processing"))
		}, []bedside.Notice{{Kind: bedside.Unreachable, Resource: "Encounter"}}},
		{"resources that are not R4", func(e *ehr, _ *bedside.Access) {
			e.encounters = append(many(1), visit("x", day(1), object{"status": "completed"}),
				visit("y", day(1), object{"class": nil}))
		}, []bedside.Notice{{Kind: bedside.Unreadable, Resource: "Encounter", Count: 2}}},
		{"a current encounter that is not there", func(_ *ehr, a *bedside.Access) {
			a.Encounter = phi.New("gone")
		}, []bedside.Notice{{Kind: bedside.Unreadable, Resource: "Encounter", Count: 1}}},
		{"somebody else's resources", func(e *ehr, _ *bedside.Access) {
			e.encounters = append(many(1), visit("x", day(1), other))
			e.events = []object{harmed("x", day(1), other), harmed("y", day(2), other)}
		}, []bedside.Notice{{Kind: bedside.OtherPatient, Resource: "Encounter", Count: 1},
			{Kind: bedside.OtherPatient, Resource: "AdverseEvent", Count: 2}}},
		{"a subject that is an identifier spelt like the id", func(e *ehr, _ *bedside.Access) {
			e.encounters = []object{visit("x", day(1), object{"subject": object{
				"reference": "Patient?identifier=urn:mrn|" + patientID}})}
		}, []bedside.Notice{{Kind: bedside.OtherPatient, Resource: "Encounter", Count: 1}}},
		{"no subject", func(e *ehr, _ *bedside.Access) {
			x := visit("x", day(1), nil)
			delete(x, "subject")
			e.encounters = []object{x}
		}, []bedside.Notice{{Kind: bedside.OtherPatient, Resource: "Encounter", Count: 1}}},
		{"a current encounter of somebody else", func(e *ehr, a *bedside.Access) {
			a.Encounter = phi.New("x")
			e.instead["Encounter/x"] = document(visit("x", day(1), other))
		}, []bedside.Notice{{Kind: bedside.OtherPatient, Resource: "Encounter", Count: 1}}},
		{"a current encounter that is passed over is counted once", func(e *ehr, a *bedside.Access) {
			a.Encounter = phi.New("x")
			e.encounters = []object{visit("x", day(1), object{"status": "odd"})}
		}, []bedside.Notice{{Kind: bedside.Unreadable, Resource: "Encounter", Count: 1}}},
	}
	seen := map[bedside.NoticeKind]bool{bedside.Partial: true} // TestPages holds it.
	for _, tt := range tests {
		for _, n := range tt.want {
			seen[n.Kind] = true
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := newEHR(t)
			a := e.access(t)
			tt.change(e, &a)
			r, _ := reader(t, nil)
			got, err := r.Read(t.Context(), a)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got.Notices); diff != "" {
				t.Errorf("notices (-want +got):\n%s", diff)
			}
			for _, v := range got.Visits {
				if v.Current {
					t.Error("an encounter that could not be read is shown as the current one")
				}
			}
			if len(got.Events) > 0 {
				t.Errorf("events of nobody are shown: %+v", got.Events)
			}
		})
	}
	for _, kind := range bedside.NoticeKinds() {
		if !seen[kind] {
			t.Errorf("no case shows the notice %s", kind)
		}
	}
}

func TestWithoutPermissionNothingIsAsked(t *testing.T) {
	t.Parallel()
	e := newEHR(t)
	r, _ := reader(t, nil)
	a := e.access(t)
	a.Scopes = a.Scopes[:3]
	a.Encounter = phi.New(visitID)
	if _, err := r.Read(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	a.Scopes = nil
	if _, err := r.Read(t.Context(), a); !errors.Is(err, bedside.ErrRefused) {
		t.Errorf("Read without scopes = %v, want ErrRefused", err)
	}
	if diff := cmp.Diff([]string{"/fhir/Patient/" + patientID + "?"}, e.requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestScopesOfEitherVersionAndContext(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"patient/*.read", "user/*.rs", "patient/*.cruds", "user/Patient.read user/Encounter.read user/AdverseEvent.*",
		"patient/Patient.r user/Encounter.rs patient/AdverseEvent.s",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			e := newEHR(t)
			e.encounters = many(2)
			r, _ := reader(t, nil)
			a := e.access(t)
			a.Scopes, _ = scope.ParseSet(text)
			got, err := r.Read(t.Context(), a)
			if err != nil || len(got.Notices) != 0 || len(got.Visits) != 2 {
				t.Errorf("Read = %d visits, %v, %v", len(got.Visits), got.Notices, err)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	const path = "Patient/" + patientID
	elsewhere := patient()
	elsewhere["id"] = "somebody-else"
	broken := patient()
	broken["gender"] = "f"
	tests := []struct {
		name   string
		change func(e *ehr, a *bedside.Access)
		want   error
	}{
		{"no such patient", func(e *ehr, _ *bedside.Access) { e.instead[path] = status(404) },
			bedside.ErrNoPatient},
		{"a patient who was deleted", func(e *ehr, _ *bedside.Access) { e.instead[path] = status(410) },
			bedside.ErrNoPatient},
		{"no chart is open", func(_ *ehr, a *bedside.Access) { a.Patient = phi.ID{} },
			bedside.ErrNoPatient},
		{"an id that is a path", func(_ *ehr, a *bedside.Access) { a.Patient = phi.New("../x") },
			bedside.ErrNoPatient},
		{"forbidden", func(e *ehr, _ *bedside.Access) { e.instead[path] = status(403) },
			bedside.ErrRefused},
		{"a token that has ended", func(_ *ehr, a *bedside.Access) { a.Token = "other" },
			bedside.ErrToken},
		{"a token that has ended is refused", func(_ *ehr, a *bedside.Access) { a.Token = "other" },
			bedside.ErrRefused},
		{"an EHR that breaks", func(e *ehr, _ *bedside.Access) { e.instead[path] = status(500) },
			bedside.ErrUnavailable},
		{"an EHR that is down", func(e *ehr, _ *bedside.Access) { e.Close() }, bedside.ErrUnavailable},
		{"what is not FHIR", func(e *ehr, _ *bedside.Access) { e.instead[path] = document("hello") },
			bedside.ErrUnreadable},
		{"what is not R4", func(e *ehr, _ *bedside.Access) { e.patient = broken }, bedside.ErrUnreadable},
		{"another type", func(e *ehr, _ *bedside.Access) {
			e.instead[path] = document(visit(patientID, day(1), nil))
		}, bedside.ErrUnreadable},
		{"another patient", func(e *ehr, _ *bedside.Access) { e.patient = elsewhere },
			bedside.ErrOtherPatient},
		{"loopback without leave", func(_ *ehr, a *bedside.Access) { a.AllowLoopback = false },
			bedside.ErrAccess},
		{"plain http to the world", func(_ *ehr, a *bedside.Access) {
			a.BaseURL = "http://ehr.example.org/fhir"
		}, bedside.ErrAccess},
		{"a private network without leave", func(_ *ehr, a *bedside.Access) {
			a.BaseURL = "https://10.0.0.1/fhir"
		}, bedside.ErrUnavailable},
		{"the metadata service", func(_ *ehr, a *bedside.Access) {
			a.BaseURL, a.AllowPrivateNetworks = "https://169.254.169.254/fhir", true
		}, bedside.ErrUnavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := newEHR(t)
			a := e.access(t)
			tt.change(e, &a)
			r, _ := reader(t, nil)
			got, err := r.Read(t.Context(), a)
			if !errors.Is(err, tt.want) {
				t.Errorf("Read = %v, want %v", err, tt.want)
			}
			if diff := cmp.Diff(bedside.View{}, got); diff != "" {
				t.Errorf("Read returns something beside its error:\n%s", diff)
			}
		})
	}
}

func TestSlowTypesAreNotWaitedFor(t *testing.T) {
	t.Parallel()
	e := newEHR(t)
	e.encounters = many(1)
	released := make(chan struct{})
	e.instead["AdverseEvent"] = func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-released:
		case <-r.Context().Done():
		}
	}
	t.Cleanup(func() { close(released) })
	r, _ := reader(t, func(c *bedside.Config) { c.Patience = 1500 * time.Millisecond })
	got, err := r.Read(t.Context(), e.access(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []bedside.Notice{{Kind: bedside.Unreachable, Resource: "AdverseEvent"}}
	if diff := cmp.Diff(want, got.Notices); diff != "" || len(got.Visits) != 1 {
		t.Errorf("notices (-want +got), with %d visits:\n%s", len(got.Visits), diff)
	}
}

func TestStumblingGatewayIsAskedTwice(t *testing.T) {
	t.Parallel()
	e := newEHR(t)
	first := make(chan struct{}, 1)
	first <- struct{}{}
	e.instead["Patient/"+patientID] = func(w http.ResponseWriter, _ *http.Request) {
		select {
		case <-first:
			w.WriteHeader(http.StatusBadGateway)
		default:
			send(w, e.patient)
		}
	}
	e.instead["AdverseEvent"] = status(http.StatusServiceUnavailable)
	r, _ := reader(t, nil)
	if _, err := r.Read(t.Context(), e.access(t)); err != nil {
		t.Error(err)
	}
	asked := 0
	for _, path := range e.requests() {
		if strings.HasPrefix(path, "/fhir/AdverseEvent") {
			asked++
		}
	}
	if asked != 2 {
		t.Errorf("a gateway that stumbles on was asked %d times, want 2", asked)
	}
}
