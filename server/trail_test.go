package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/store/trail"
)

// audible is a server over a real trail, in which p1 was asked about twice and p2 once, by two
// persons on three days. What it is asked itself is recorded elsewhere.
func audible(t *testing.T) *fixture {
	t.Helper()
	day := now()
	kept, err := trail.Open(trail.Config{Dir: t.TempDir(), Now: func() time.Time { return day }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = kept.Close() })
	f := newFixture(t, func(c *server.Config) {
		c.Auditor, c.Trail, c.Now = kept, kept, func() time.Time { return day }
	})
	const scopes = "@user/MeasureReport.rs,equitylens/unsuppressed,equitylens/patients"
	for _, one := range []string{"app+ann Patient/p1", "app+bob Patient/p2", "app+ann Patient/p1"} {
		who, whom, _ := strings.Cut(one, " ")
		if w := f.get(edOf2018+"&subject="+whom, who+scopes); w.Code != http.StatusOK {
			t.Fatalf("%d: %s", w.Code, w.Body)
		}
		day = day.AddDate(0, 0, 1)
	}
	return newFixture(t, func(c *server.Config) { c.Trail = kept })
}

// foundEvents reads a searchset: whom its events are about, and the address of the next page.
func foundEvents(t *testing.T, text []byte) (whom []string, next string) {
	t.Helper()
	var bundle struct {
		Type  string
		Total *int
		Link  []struct{ Relation, URL string }
		Entry []struct {
			FullURL  string `json:"fullUrl"`
			Resource struct {
				ResourceType, ID string
				Entity           []struct{ What struct{ Reference string } }
			}
		}
	}
	if err := json.Unmarshal(text, &bundle); err != nil || bundle.Type != "searchset" {
		t.Fatalf("not a searchset: %s", text)
	}
	for _, entry := range bundle.Entry {
		if want := "https://quality.example.org/fhir/AuditEvent/" + entry.Resource.ID; entry.FullURL != want ||
			entry.Resource.ResourceType != "AuditEvent" {
			t.Errorf("an entry is %+v", entry)
		}
		about := "nobody"
		for _, entity := range entry.Resource.Entity {
			if entity.What.Reference != "" {
				about = entity.What.Reference
			}
		}
		whom = append(whom, about)
	}
	for _, link := range bundle.Link {
		if link.Relation == "next" {
			next = link.URL
		}
	}
	return whom, next
}

func TestTheTrailIsSearched(t *testing.T) {
	t.Parallel()
	f := audible(t)
	tests := []struct{ name, in, want string }{
		{"by patient", "patient=Patient/p1", "Patient/p1 Patient/p1"},
		{"by patient, as a bare id", "patient=p2", "Patient/p2"},
		{"by patient, as an address", "patient=https://quality.example.org/fhir/Patient/p2", "Patient/p2"},
		{"by person", "agent=bob", "Patient/p2"},
		{"by person and issuer", "agent=https://quality.example.org|bob", "Patient/p2"},
		{"on a day", "date=2019-01-03", "Patient/p1"},
		{"after a day", "date=gt2019-01-03&subtype=operation", "Patient/p1 Patient/p2"},
		{"before a day", "date=lt2019-01-04", "Patient/p1"},
		{"up to a day", "date=le2019-01-04", "Patient/p2 Patient/p1"},
		{"between two days", "date=ge2019-01-04&date=lt2019-01-05", "Patient/p2"},
		{"of no day", "date=gt2019-01-05&date=lt2019-01-04", ""},
		{"by type and outcome", "type=rest&outcome=0&agent=ann", "Patient/p1 Patient/p1"},
		{"by type with its system",
			"type=http://terminology.hl7.org/CodeSystem/audit-event-type|rest&agent=bob", "Patient/p2"},
		{"by outcome of none", "outcome=8", ""},
		{"from a day on", "date=ge2019-01-04", "Patient/p1 Patient/p2"},
		{"by action", "action=E&agent=bob", "Patient/p2"},
		{"none of them", "_count=0", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := f.get("/fhir/AuditEvent?"+tt.in, "auditor@"+trailScope)
			if w.Code != http.StatusOK {
				t.Fatalf("%d: %s", w.Code, w.Body)
			}
			whom, _ := foundEvents(t, w.Body.Bytes())
			if got := strings.Join(whom, " "); got != tt.want {
				t.Errorf("?%s finds %s, want %s", tt.in, got, tt.want)
			}
		})
	}
}

// TestPagesOfTheTrail reads it to its end by the links.
func TestPagesOfTheTrail(t *testing.T) {
	t.Parallel()
	f := audible(t)
	next := "https://quality.example.org/fhir/AuditEvent?_count=1&subtype=operation"
	var got []string
	for range 4 {
		w := f.get(strings.TrimPrefix(next, "https://quality.example.org"), trailScope)
		var whom []string
		whom, next = foundEvents(t, w.Body.Bytes())
		got = append(got, whom...)
		if next == "" {
			break
		}
		if !strings.Contains(next, "subtype=operation") || !strings.Contains(next, "_count=1") {
			t.Errorf("the link to the next page is %s", next)
		}
	}
	if diff := cmp.Diff([]string{"Patient/p1", "Patient/p2", "Patient/p1"}, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestAnEventOfTheTrailIsRead(t *testing.T) {
	t.Parallel()
	f := audible(t)
	w := f.get("/fhir/AuditEvent?agent=bob", "app+eve@user/AuditEvent.rs")
	var bundle struct {
		Entry []struct{ Resource json.RawMessage }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &bundle); err != nil || len(bundle.Entry) != 1 {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	var event struct{ ID string }
	if err := json.Unmarshal(bundle.Entry[0].Resource, &event); err != nil {
		t.Fatal(err)
	}
	w = f.get("/fhir/AuditEvent/"+event.ID, trailScope)
	if diff := cmp.Diff(string(bundle.Entry[0].Resource), strings.TrimSpace(w.Body.String())); diff != "" {
		t.Errorf("%d (-found +read):\n%s", w.Code, diff)
	}
}

func TestSearchesOfTheTrailThatAreRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		status   int
		code     string
	}{
		{"a patient that is none", "?patient=Group/g", 400, "VALUE"},
		{"two patients", "?patient=p1&patient=p2", 400, "INVALID"},
		{"one patient or another", "?patient=p1,p2", 400, "VALUE"},
		{"nobody", "?agent=", 400, "VALUE"},
		{"a date that is none", "?date=yesterday", 400, "VALUE"},
		{"a date that is not the same", "?date=ne2019", 400, "VALUE"},
		{"a cursor that is none", "?_cursor=x", 400, "VALUE"},
		{"a count that is none", "?_count=-1", 400, "VALUE"},
		{"an event that is not there", "/nothing", 404, "NOT_FOUND"},
	}
	f := audible(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := f.get("/fhir/AuditEvent"+tt.in, trailScope)
			if code, _ := outcome(t, w.Body.Bytes()); w.Code != tt.status || code != tt.code {
				t.Errorf("%s = %d %s, want %d %s", tt.in, w.Code, code, tt.status, tt.code)
			}
		})
	}
	without := newFixture(t, func(c *server.Config) { c.Trail = nil })
	for _, target := range []string{"/fhir/AuditEvent", "/fhir/AuditEvent/x"} {
		if w := without.get(target, trailScope); w.Code != http.StatusNotImplemented {
			t.Errorf("without a trail GET %s = %d", target, w.Code)
		}
	}
}

func TestSyncIsStartedOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	token := "Authorization: Bearer app+eng@equitylens/sync"
	for _, want := range []int{http.StatusAccepted, http.StatusConflict} {
		if w := f.call(http.MethodPost, "/sync", "", token); w.Code != want {
			t.Errorf("POST /sync = %d, want %d: %s", w.Code, want, w.Body)
		}
	}
	w := f.call(http.MethodGet, "/sync", "", token)
	if got := strings.TrimSpace(w.Body.String()); w.Code != 200 || got != `{"started":2}` {
		t.Errorf("GET /sync = %d %s", w.Code, got)
	}
	var got []string
	for _, one := range f.records(t) {
		got = append(got, one.Subtype[0].Code+" "+one.Outcome)
	}
	if diff := cmp.Diff([]string{"sync 0", "sync 4"}, got); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
}

func TestSessionsAreEnded(t *testing.T) {
	t.Parallel()
	const form = "Content-Type: application/x-www-form-urlencoded"
	tests := []struct {
		name, in, kind string
		status, events int
		want           string
	}{
		{"of a person", "subject=ann", form, 204, 1, "ann"},
		{"of a program", "client=lost-laptop", form, 204, 1, "lost-laptop"},
		{"of both", "client=a&subject=b", form, 400, 0, ""},
		{"of two persons", "subject=a&subject=b", form, 400, 0, ""},
		{"of nobody", "", form, 400, 0, ""},
		{"of somebody without a name", "subject=", form, 400, 0, ""},
		{"of a name that is too long", "subject=" + strings.Repeat("x", 513), form, 400, 0, ""},
		{"in another language", `{"subject":"ann"}`, "Content-Type: application/json", 400, 0, ""},
		{"in no language", "subject=%zz", form, 400, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			w := f.call(http.MethodPost, "/admin/end", tt.in, tt.kind,
				"Authorization: Bearer app+root@equitylens/admin")
			if w.Code != tt.status || strings.Join(f.ender.ended, " ") != tt.want {
				t.Errorf("%d, ended are %v: %s", w.Code, f.ender.ended, w.Body)
			}
			if events := f.records(t); len(events) != tt.events {
				t.Errorf("recorded is %+v", events)
			}
		})
	}
	f := newFixture(t)
	f.ender.broken = fmt.Errorf("the store has gone")
	w := f.call(http.MethodPost, "/admin/end", "subject=ann", form,
		"Authorization: Bearer app+root@equitylens/admin")
	if events := f.records(t); w.Code != 500 || len(events) != 1 || events[0].Outcome != "8" {
		t.Errorf("%d, recorded is %+v", w.Code, events)
	}
}

func TestWhatIsNotThereCannotBeRun(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(c *server.Config) { c.Syncer, c.Ender = nil, nil })
	for _, one := range []string{"GET /sync", "POST /sync", "POST /admin/end"} {
		method, path, _ := strings.Cut(one, " ")
		w := f.call(method, path, "", "Authorization: Bearer equitylens/sync,equitylens/admin")
		if w.Code != http.StatusNotImplemented {
			t.Errorf("%s = %d", one, w.Code)
		}
	}
}
