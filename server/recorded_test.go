package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server"
)

// record is what of an event the tests below look at.
type record struct {
	Outcome string
	Meta    struct{ Profile []string }
	Subtype []struct{ Code string }
	Agent   []struct {
		Who struct {
			Identifier struct{ System, Value string }
		}
		Network struct{ Address string }
		Role    []struct{ Coding []struct{ Code string } }
	}
	Entity []struct {
		Type   struct{ Code string }
		What   struct{ Reference string }
		Query  []byte
		Detail []struct{ Type, ValueString string }
	}
}

// records reads what the trail was handed, all of it valid.
func (f *fixture) records(t *testing.T) []record {
	t.Helper()
	var all []record
	for _, text := range f.trail.all() {
		if resource, err := r4.Unmarshal([]byte(text)); err != nil || resource.GetAuditEvent() == nil {
			t.Fatalf("not an AuditEvent: %s", text)
		}
		var one record
		if err := json.Unmarshal([]byte(text), &one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	return all
}

// pattern is the last word of the pattern that an event claims first.
func (r record) pattern() string {
	if len(r.Meta.Profile) == 0 {
		return ""
	}
	return r.Meta.Profile[0][strings.LastIndexByte(r.Meta.Profile[0], '.')+1:]
}

func (r record) detail(name string) string {
	for _, entity := range r.Entity {
		for _, d := range entity.Detail {
			if d.Type == name {
				return d.ValueString
			}
		}
	}
	return ""
}

// TestEveryAccessIsRecorded asks at each route that wants a token: with one that covers it, and
// with one that does not, there is one event that says so.
func TestEveryAccessIsRecorded(t *testing.T) {
	t.Parallel()
	for _, route := range newFixture(t).Routes() {
		if route.Scope == "" {
			continue
		}
		t.Run(route.Method+" "+route.Path, func(t *testing.T) {
			t.Parallel()
			for token, want := range map[string]string{route.Scope: "0", "openid/x": "4"} {
				f := newFixture(t, func(c *server.Config) { c.JobID = func() string { return "job-1" } })
				if strings.HasPrefix(route.Path, "/fhir/$job/") {
					f.finished(t, edOf2018, reportScope)
				}
				before := len(f.trail.all())
				text, kind := body(route)
				w := f.call(route.Method, target(route), text, "Authorization: Bearer "+token, kind)
				got := f.records(t)[before:]
				if route.Path == "/sync" && route.Method == http.MethodGet && w.Code == http.StatusOK {
					continue // It says how far a run is, and nothing of anybody.
				}
				if len(got) != 1 || got[0].Outcome != want {
					t.Fatalf("with %s = %d; recorded is %+v", token, w.Code, got)
				}
				if who := got[0].Agent[0].Who.Identifier.Value; who != "quality-department" {
					t.Errorf("it was %s", who)
				}
			}
		})
	}
}

func TestWhatIsRecorded(t *testing.T) {
	t.Parallel()
	const ann = "app+ann@user/Measure.rs,user/MeasureReport.rs,user/AuditEvent.rs"
	tests := []struct {
		name, method, target                     string
		subtype, pattern, outcome, query, detail string
	}{
		{"a read", "GET", "/fhir/Measure/length-of-stay", "read", "Read", "0", "",
			"GET /fhir/Measure/{id:[A-Za-z0-9\\-.]{1,64}}"},
		{"a search", "GET", "/fhir/Measure?title=a&title=b&access_token=secret", "search-type", "Query",
			"0", "Measure?title=a&title=b", "GET /fhir/Measure"},
		{"an operation", "GET", edOf2018, "operation", "Query", "0", strings.TrimPrefix(edOf2018, "/fhir/"),
			"GET /fhir/Measure/{id:[A-Za-z0-9\\-.]{1,64}}/$evaluate-measure"},
		{"what does not exist", "GET", "/fhir/Measure/nothing", "read", "", "4", "",
			"GET /fhir/Measure/{id:[A-Za-z0-9\\-.]{1,64}}"},
		{"what cannot be asked", "GET", "/fhir/MeasureReport?date=x", "search-type", "", "4",
			"MeasureReport?date=x", "GET /fhir/MeasureReport"},
		{"a look at the trail", "GET", "/fhir/AuditEvent?date=2019", "search-type", "Query", "0",
			"AuditEvent?date=2019", "GET /fhir/AuditEvent"},
		{"a look at the trail of a patient", "GET", "/fhir/AuditEvent?patient=Patient/p1", "search-type",
			"PatientQuery", "0", "AuditEvent?patient=Patient/p1", "GET /fhir/AuditEvent"},
		{"an event", "GET", "/fhir/AuditEvent/e1", "read", "Read", "0", "",
			"GET /fhir/AuditEvent/{id:[A-Za-z0-9\\-.]{1,64}}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			for range 2 { // Made, and filled into a form.
				f.call(tt.method, tt.target, "", "Authorization: Bearer "+ann)
			}
			all := f.records(t)
			if len(all) != 2 {
				t.Fatalf("recorded is %+v", all)
			}
			for _, got := range all {
				user := got.Agent[2]
				want := []string{
					tt.subtype, tt.pattern, tt.outcome, tt.detail, "app", "192.0.2.1", "ann",
					"https://quality.example.org", "quality-analyst", tt.query,
				}
				have := []string{
					got.Subtype[0].Code, got.pattern(), got.Outcome, got.detail("route"),
					got.Agent[0].Who.Identifier.Value, got.Agent[0].Network.Address,
					user.Who.Identifier.Value, user.Who.Identifier.System, user.Role[0].Coding[0].Code,
					string(got.Entity[0].Query),
				}
				if diff := cmp.Diff(want, have); diff != "" {
					t.Errorf("recorded (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// TestEntriesOfABatchAreRecordedEach, and the batch itself.
func TestEntriesOfABatchAreRecordedEach(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.batch("batch", measureScope+","+reportScope, entry("GET", "Measure/length-of-stay"),
		entry("GET", "Measure"), entry("GET", "AuditEvent"))
	var got []string
	for _, one := range f.records(t) {
		got = append(got, one.Subtype[0].Code+" "+one.Outcome+" "+one.Agent[0].Network.Address)
	}
	want := []string{
		"read 0 192.0.2.1", "search-type 0 192.0.2.1", "search-type 4 192.0.2.1", "batch 0 192.0.2.1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
}

// TestNothingIsAnsweredUnrecorded: figures and definitions, kept answers and compressed ones, as
// little as what names people.
func TestNothingIsAnsweredUnrecorded(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	targets := []string{
		"/fhir/Measure", "/fhir/Measure/length-of-stay", edOf2018, edOf2018 + "&subject=Patient/p1",
		"/fhir/AuditEvent", "/fhir/AuditEvent/e1", "/fhir/MeasureReport", "/fhir/Measure/nothing",
	}
	token := "Authorization: Bearer " + patientsScope + "," + measureScope + "," + trailScope
	for _, target := range targets {
		f.call(http.MethodGet, target, "", token) // So that it is kept, where it is.
	}
	f.trail.broken = errors.New("the trail is full")
	for _, target := range targets {
		for _, accept := range []string{"identity", "gzip"} {
			w := f.call(http.MethodGet, target, "", token, "Accept-Encoding: "+accept)
			if code, _ := outcome(t, w.Body.Bytes()); w.Code != 500 || code != "EXCEPTION" {
				t.Errorf("GET %s = %d %s: %s", target, w.Code, code, w.Body)
			}
			if w.Header().Get("ETag") != "" || w.Header().Get("Content-Encoding") != "" {
				t.Errorf("GET %s has headers of another answer: %v", target, w.Header())
			}
		}
	}
	if !strings.Contains(f.log.String(), "the trail is full") {
		t.Errorf("the cause is not logged: %s", f.log)
	}
	for _, target := range []string{"/healthz", "/readyz", "/metrics", "/fhir/metadata"} {
		if w := f.get(target, ""); w.Code != http.StatusOK {
			t.Errorf("GET %s = %d", target, w.Code)
		}
	}
}

func TestAPanicIsRecorded(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.measures.answer = func(context.Context, string) (measure.Result, error) { panic("secret") }
	f.get(edOf2018, reportScope)
	all := f.records(t)
	if len(all) != 1 || all[0].Outcome != "8" || strings.Contains(f.trail.all()[0], "secret") {
		t.Errorf("recorded is %+v", all)
	}
}

// noting is a trail that takes what names nobody another way.
type noting struct {
	fakeTrail
	mu    sync.Mutex
	notes []string
}

func (n *noting) Note(_ context.Context, event []byte) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.notes = append(n.notes, string(event))
	return nil
}

// TestWhatNamesSomebodyIsOnDiskFirst: the other way is for what names nobody.
func TestWhatNamesSomebodyIsOnDiskFirst(t *testing.T) {
	t.Parallel()
	both := &noting{}
	f := newFixture(t, func(c *server.Config) { c.Auditor = both })
	token := patientsScope + "," + trailScope
	f.get(edOf2018, token)
	f.get(edOf2018+"&subject=Patient/p1", token)
	f.get(edOf2018+"&subject=Group/g", token)
	f.get("/fhir/AuditEvent?patient=p1", token)
	f.get("/fhir/AuditEvent", token)
	named := func(text string) bool { return strings.Contains(text, `"reference":"`) }
	if len(both.notes) != 2 || slices.ContainsFunc(both.notes, named) {
		t.Errorf("noted are %q", both.notes)
	}
	if all := both.all(); len(all) != 3 || slices.ContainsFunc(all, func(s string) bool { return !named(s) }) {
		t.Errorf("audited are %q", all)
	}
}
