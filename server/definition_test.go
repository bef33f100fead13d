package server_test

import (
	"net/http"
	"net/url"
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
		{"by what is not known, which the self link leaves out",
			"?colour=red&_count=1000000000", all, ""},
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

// TestCapabilityStatementSaysWhatIsServed holds the statement against the table of routes.
func TestCapabilityStatementSaysWhatIsServed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	statement := read(t, f, "/fhir/metadata").GetCapabilityStatement()
	served := map[string]bool{}
	for _, route := range f.Routes() {
		served[route.Method+" "+route.Path] = true
	}
	for _, resource := range statement.GetRest()[0].GetResource() {
		name := "/fhir/Measure"
		if resource.GetType().GetValue().String() != "MEASURE" {
			t.Errorf("%s is claimed", resource.GetType().GetValue())
		}
		for _, interaction := range resource.GetInteraction() {
			paths := map[string]string{
				"READ": name + `/{id:[A-Za-z0-9\-.]{1,64}}`, "SEARCH_TYPE": name,
			}
			if !served["GET "+paths[interaction.GetCode().GetValue().String()]] {
				t.Errorf("%s is claimed and not served", interaction.GetCode().GetValue())
			}
		}
		for _, operation := range resource.GetOperation() {
			path := name + "/$" + operation.GetName().GetValue()
			if !served["GET "+path] || !served["POST "+path] {
				t.Errorf("%s is claimed and not served", path)
			}
		}
	}
	if got := statement.GetFhirVersion().GetValue().String(); got != "V_4_0_1" {
		t.Errorf("the version is %s", got)
	}
}
