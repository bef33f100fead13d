package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	rpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure"
)

func read(t *testing.T, f *fixture, target string, headers ...string) *rpb.ContainedResource {
	t.Helper()
	w := f.call(http.MethodGet, target, "", append(headers, "Authorization: Bearer "+measureScope)...)
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s = %d: %s", target, w.Code, w.Body)
	}
	resource, err := r4.Unmarshal(w.Body.Bytes())
	if err != nil {
		t.Fatalf("GET %s is not valid: %s", target, w.Body)
	}
	return resource
}

func TestMeasureIsRead(t *testing.T) {
	t.Parallel()
	m := read(t, newFixture(t), "/fhir/Measure/length-of-stay").GetMeasure()
	stratifiers := m.GetGroup()[0].GetStratifier()
	if m.GetId().GetValue() != "length-of-stay" || len(stratifiers) != len(measure.Dimensions()) {
		t.Errorf("the Measure is %v", m)
	}
}

func TestUnknownMeasureIsNotFound(t *testing.T) {
	t.Parallel()
	w := newFixture(t).get("/fhir/Measure/nothing", measureScope)
	if code, _ := outcome(t, w.Body.Bytes()); w.Code != http.StatusNotFound || code != "NOT_FOUND" {
		t.Errorf("%d %s", w.Code, code)
	}
}

func TestMeasuresAreSearched(t *testing.T) {
	t.Parallel()
	const canonical = "https://equitylens.org/fhir/Measure/"
	all := []string{
		"ed-left-without-being-seen", "harm-per-1000-days", "length-of-stay", "inequity-factor-captured",
		"reporting-ratio",
	}
	tests := []struct {
		name, query string
		want        []string
		self        string
	}{
		{"all", "", all, ""},
		{"by id", "?_id=length-of-stay", []string{"length-of-stay"}, "?_id=length-of-stay"},
		{"by one of several ids", "?_id=nothing,length-of-stay", []string{"length-of-stay"},
			"?_id=nothing%2Clength-of-stay"},
		{"by url", "?url=" + url.QueryEscape(canonical+"length-of-stay"), []string{"length-of-stay"},
			"?url=" + url.QueryEscape(canonical+"length-of-stay")},
		{"by two that contradict", "?_id=length-of-stay&url=x", nil, "?_id=length-of-stay&url=x"},
		{"by what is not known, which the self link leaves out", "?colour=red", all, ""},
		{"by more than a page holds", "?_count=1000000000", all, "?_count=200"},
		{"by version", "?version=1.0.0&_id=length-of-stay", []string{"length-of-stay"},
			"?_id=length-of-stay&version=1.0.0"},
		{"by another version", "?version=2", nil, "?version=2"},
		{"by status", "?status=http://hl7.org/fhir/publication-status%7Cactive", all,
			"?status=http%3A%2F%2Fhl7.org%2Ffhir%2Fpublication-status%7Cactive"},
		{"by the start of the title", "?title=length", []string{"length-of-stay"}, "?title=length"},
		{"by a date that no measure has", "?date=ge1900", nil, "?date=ge1900"},
		{"by a period of validity that no measure has", "?period=2018", nil, "?period=2018"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			bundle := read(t, newFixture(t), "/fhir/Measure"+tt.query).GetBundle()
			var got []string
			for _, entry := range bundle.GetEntry() {
				got = append(got, entry.GetResource().GetMeasure().GetId().GetValue())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("matches (-want +got):\n%s", diff)
			}
			if int(bundle.GetTotal().GetValue()) != len(tt.want) {
				t.Errorf("total is %d, want %d", bundle.GetTotal().GetValue(), len(tt.want))
			}
			self := bundle.GetLink()[0].GetUrl().GetValue()
			if diff := cmp.Diff("https://quality.example.org/fhir/Measure"+tt.self, self); diff != "" {
				t.Errorf("self (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStrictSearchRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	w := newFixture(t).call(http.MethodGet, "/fhir/Measure?colour=red", "",
		"Authorization: Bearer "+measureScope, "Prefer: handling=strict")
	code, _ := outcome(t, w.Body.Bytes())
	if w.Code != http.StatusBadRequest || code != "NOT_SUPPORTED" {
		t.Errorf("%d %s", w.Code, code)
	}
}

// TestCapabilityStatementSaysWhatIsServed holds the statement against the table of routes, both
// ways.
func TestCapabilityStatementSaysWhatIsServed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	statement := read(t, f, "/fhir/metadata").GetCapabilityStatement()
	rest := statement.GetRest()[0]
	const id = `/{id:[A-Za-z0-9\-.]{1,64}}`
	claimed := map[string]bool{
		// Of these a CapabilityStatement says nothing.
		"GET /fhir/metadata": true, "GET /fhir/.well-known/smart-configuration": true,
		"GET /fhir/$job" + id: true, "DELETE /fhir/$job" + id: true,
	}
	if len(rest.GetInteraction()) == 1 {
		claimed["POST /fhir"] = true
	}
	names := map[string]string{
		"MEASURE": "Measure", "LIBRARY": "Library", "MEASURE_REPORT": "MeasureReport",
		"AUDIT_EVENT": "AuditEvent",
	}
	for _, resource := range rest.GetResource() {
		path := "/fhir/" + names[resource.GetType().GetValue().String()]
		for _, interaction := range resource.GetInteraction() {
			suffix := map[string]string{"READ": id}[interaction.GetCode().GetValue().String()]
			claimed["GET "+path+suffix] = true
		}
		for _, operation := range resource.GetOperation() {
			name := "/$" + operation.GetName().GetValue()
			claimed["POST "+path+name] = true
			if name == "/$import" {
				continue
			}
			claimed["GET "+path+name] = true
			if name == "/$evaluate-measure" {
				claimed["GET "+path+id+name], claimed["POST "+path+id+name] = true, true
			}
		}
	}
	served := map[string]bool{}
	for _, route := range f.Routes() {
		if strings.HasPrefix(route.Path, "/fhir") {
			served[route.Method+" "+route.Path] = true
		}
	}
	if diff := cmp.Diff(served, claimed); diff != "" {
		t.Errorf("claimed (-served +claimed):\n%s", diff)
	}
	if got := statement.GetFhirVersion().GetValue().String(); got != "V_4_0_1" {
		t.Errorf("the version is %s", got)
	}
}

// TestEverySearchParameterOfTheStatementIsKnown searches by each with strict handling.
func TestEverySearchParameterOfTheStatementIsKnown(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	names := map[string]string{
		"MEASURE": "Measure", "LIBRARY": "Library", "MEASURE_REPORT": "MeasureReport",
		"AUDIT_EVENT": "AuditEvent",
	}
	value := map[string]string{
		"DATE": "2018", "TOKEN": "public", "URI": "urn:x", "STRING": "x", "REFERENCE": "x",
	}
	rest := read(t, f, "/fhir/metadata").GetCapabilityStatement().GetRest()[0]
	for _, resource := range rest.GetResource() {
		name := names[resource.GetType().GetValue().String()]
		for _, p := range resource.GetSearchParam() {
			target := "/fhir/" + name + "?" + p.GetName().GetValue() + "=" +
				value[p.GetType().GetValue().String()]
			w := f.call(http.MethodGet, target, "", "Prefer: handling=strict",
				"Authorization: Bearer "+measureScope+",system/Library.rs,"+reportScope+","+trailScope)
			if w.Code != http.StatusOK {
				t.Errorf("GET %s = %d: %s", target, w.Code, w.Body)
			}
		}
	}
}
