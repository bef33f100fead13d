package bedside_test

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/fhir/fhirtest"
	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
)

// tokenFor is a token of the EHR for one chart: the one that it would give to a service that
// advises on it.
func tokenFor(t *testing.T, ehr *fhirtest.Server, chart fhirtest.Situation) string {
	t.Helper()
	var got struct {
		Access struct {
			Token string `json:"access_token"`
		} `json:"fhirAuthorization"`
	}
	taker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewDecoder(r.Body).Decode(&got)
		_, _ = w.Write([]byte(`{"cards":[]}`))
	}))
	defer taker.Close()
	_, err := ehr.CallHook(t.Context(), taker.URL, fhirtest.HookRequest{Patient: chart.Patient,
		Encounter: chart.Encounter, WithAuthorization: true, Scopes: "patient/*.rs"})
	if err != nil || got.Access.Token == "" {
		t.Fatalf("no token: %v", err)
	}
	return got.Access.Token
}

// TestChartsOfAnEHR reads the charts of a whole EHR, and holds each view against the resources as
// the nightly run would map them.
func TestChartsOfAnEHR(t *testing.T) {
	t.Parallel()
	people := population.New(population.Config{Patients: 1500, Seed: 3})
	for name, faults := range map[string][]fhirtest.Fault{
		"as it should be": nil, "with another parameter for events": {fhirtest.EventsByPatient},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ehr, err := fhirtest.NewServer(fhirtest.Config{Population: people, Now: people.AsOf,
				Faults: faults})
			if err != nil {
				t.Fatal(err)
			}
			base, err := ehr.Start(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = ehr.Close() })
			r, log := reader(t, func(c *bedside.Config) { c.Now = people.AsOf })
			scopes, err := scope.ParseSet("patient/*.rs")
			if err != nil {
				t.Fatal(err)
			}
			shown := 0
			for _, chart := range ehr.Situations() {
				got, err := r.Read(t.Context(), bedside.Access{Tenant: "fake", BaseURL: base,
					Token: tokenFor(t, ehr, chart), Scopes: scopes, Patient: phi.New(chart.Patient),
					Encounter: phi.New(chart.Encounter), AllowLoopback: true})
				if err != nil {
					t.Fatalf("%s: %v", chart.Name, err)
				}
				shown += len(got.Events)
				checkChart(t, people, chart, got)
			}
			if shown == 0 || log.String() != "" {
				t.Errorf("%d events; log: %s", shown, log)
			}
		})
	}
}

// checkChart maps the resources of a chart one by one, and compares.
func checkChart(t *testing.T, p *population.Population, chart fhirtest.Situation, got bedside.View) {
	t.Helper()
	m, err := mapping.New(mapping.Config{})
	if err != nil {
		t.Fatal(err)
	}
	decode := func(line []byte) fhir.Resource {
		in, err := fhir.NewDecoder().Decode(line)
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	who, _ := m.Patient(decode(p.About(population.Patient, chart.Patient)[0]).Patient, nil)
	var visits []bedside.Visit
	var need mapping.Value
	for _, line := range p.About(population.Encounter, chart.Patient) {
		e, _ := m.Encounter(decode(line).Encounter, nil)
		v := bedside.Visit{Start: e.Start, End: e.End, Class: e.Class, Site: e.Site.Label,
			Telehealth: e.Telehealth, Current: e.ID == phi.New(chart.Encounter),
			Need: mapping.ResolveNeed(e.InterpreterNeed, who.InterpreterNeed), Use: e.InterpreterUse,
			UseFrom: e.InterpreterUseFrom}
		if v.Current {
			need = v.Need
		}
		if v.Current || !slices.Contains([]string{"planned", "cancelled", "entered-in-error"}, e.Status) {
			visits = append(visits, v)
		}
	}
	slices.SortStableFunc(visits, func(a, b bedside.Visit) int {
		return -cmp.Or(cmp.Compare(a.Start.Days, b.Start.Days), cmp.Compare(a.Start.Clock, b.Start.Clock))
	})
	invalid := 0
	for _, n := range got.Notices {
		if n.Kind != bedside.Unreadable {
			t.Errorf("%s: notice %+v", chart.Name, n)
		}
		invalid += n.Count
	}
	if len(visits) <= 10 && len(got.Visits)+invalid < len(visits) {
		t.Errorf("%s: %d visits and %d unreadable, of %d", chart.Name, len(got.Visits), invalid, len(visits))
	}
	if invalid == 0 && len(visits) <= 10 {
		if diff := gocmp.Diff(visits, got.Visits); diff != "" {
			t.Errorf("%s: visits (-want +got):\n%s", chart.Name, diff)
		}
	}
	if got.Interpreter.Value != need || got.Language.Value != who.Language ||
		got.Fields[0].Value != who.Race || got.Fields[1].Value != who.Ethnicity {
		t.Errorf("%s: need %+v, language %+v, fields %+v; want need %+v of %+v", chart.Name,
			got.Interpreter.Value, got.Language.Value, got.Fields, need, who)
	}
}
