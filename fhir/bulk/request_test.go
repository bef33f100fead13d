package bulk

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/internal/phi"
)

// TestKickOffRequests writes out the request of each level and form.
func TestKickOffRequests(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, 2, 1, 3, 0, 0, 5_000_000, time.FixedZone("", 3600))
	two := []string{"Patient", "Encounter"}
	tests := []struct {
		name             string
		in               Request
		method, uri      string
		prefer, wantBody string
	}{
		{"system", Request{}, "", "/fhir/$export", "respond-async", ""},
		{"group by comma list", Request{Level: Group, GroupID: "a-1", Types: two},
			"", "/fhir/Group/a-1/$export?_type=Patient%2CEncounter", "respond-async", ""},
		{"patient level, repeated", Request{Level: Patient, Types: two, RepeatTypes: true},
			"", "/fhir/Patient/$export?_type=Patient&_type=Encounter", "respond-async", ""},
		{"everything", Request{
			Level: System, Types: two, Since: since, OutputFormat: "application/fhir+ndjson", Lenient: true,
			TypeFilters: []string{"Encounter?status=finished,in-progress"}, Params: url.Values{"_elements": {"id"}},
		}, "", "/fhir/$export?_elements=id&_outputFormat=application%2Ffhir%2Bndjson" +
			"&_since=2026-02-01T02%3A00%3A00.005Z&_type=Patient%2CEncounter" +
			"&_typeFilter=Encounter%3Fstatus%3Dfinished%2Cin-progress", "respond-async;handling=lenient", ""},
		{"by POST", Request{
			Post: true, Types: two, RepeatTypes: true, Since: since, OutputFormat: "ndjson",
			TypeFilters: []string{"Encounter?date=ge2026&status=finished"},
			Patients:    []phi.ID{phi.New("p1")}, Params: url.Values{"_elements": {"id"}},
		}, "POST", "/fhir/$export", "respond-async", `{"resourceType":"Parameters","parameter":[` +
			`{"name":"_outputFormat","valueString":"ndjson"},` +
			`{"name":"_since","valueInstant":"2026-02-01T02:00:00.005Z"},` +
			`{"name":"_type","valueString":"Patient"},{"name":"_type","valueString":"Encounter"},` +
			`{"name":"_typeFilter","valueString":"Encounter?date=ge2026&status=finished"},` +
			`{"name":"patient","valueReference":{"reference":"Patient/p1"}},` +
			`{"name":"_elements","valueString":"id"}]}`},
		{"by POST with a comma list", Request{Post: true, Types: two},
			"POST", "/fhir/$export", "respond-async",
			`{"resourceType":"Parameters","parameter":[{"name":"_type","valueString":"Patient,Encounter"}]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := tt.in.check(); err != nil {
				t.Fatal(err)
			}
			got, err := tt.in.kickOff(newHospital(t).client())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{tt.method, tt.uri, tt.prefer, tt.wantBody, "application/fhir+json"}, []string{
				got.Method, got.URL.RequestURI(), strings.Join(got.Header["Prefer"], ";"), string(got.Body),
				got.Header.Get("Accept"),
			}); diff != "" {
				t.Errorf("kick-off (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRequestsThatAreRefused before anything is sent.
func TestRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]Request{
		"another level":       {Level: "practice"},
		"a group without id":  {Level: Group},
		"a group with a path": {Level: Group, GroupID: "../Patient"},
		"an id without group": {GroupID: "a"},
		"a type that is none": {Types: []string{"Patient,Encounter"}},
		"patients in a URL":   {Patients: []phi.ID{phi.New("p")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := New(Config{Client: newHospital(t).client(), Dir: t.TempDir(), Request: in}); err == nil {
				t.Error("New succeeds")
			}
		})
	}
}

// TestKickOffIsSent checks on the server's side what TestKickOffRequests checks on ours.
func TestKickOffIsSent(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	if _, err := h.run(func(cfg *Config) {
		cfg.Request = Request{
			Level: Group, GroupID: "g", Post: true, Lenient: true, Header: http.Header{"X-Tenant": {"north"}},
		}
	}); err != nil {
		t.Fatal(err)
	}
	header := h.headers[0]
	got := []string{
		h.requests[0], header.Get("Content-Type"), strings.Join(header["Prefer"], ";"), header.Get("X-Tenant"),
		header.Get("Authorization"),
	}
	want := []string{
		"POST /fhir/Group/g/$export", "application/fhir+json", "respond-async;handling=lenient", "north",
		"Bearer token-1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("kick-off (-want +got):\n%s", diff)
	}
}
