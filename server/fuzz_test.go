package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/store/trail"
)

// FuzzQuery: no query is a fault of ours, and every answer is a valid resource. A query about
// patients is audited or refused before it is known to be one.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		"", "subject=Patient/p1", "subject=Group/g&reportType=population", "subject=Group/empty",
		"reportType=subject-list&filter=race:2106-3&bounds=true", "stratifier=race*sex*site",
		"racePolicy=ncqa_separate&reference=best", "audience=public", "practitioner=d1", "subject=%00",
		"lastReceivedOn=2018&subject=p1", "filter=~:~", "reference=*", "subject=//", "&&=&;",
	} {
		f.Add(seed, "periodStart=2018&periodEnd=2018&")
		f.Add(seed, "")
	}
	f.Fuzz(func(t *testing.T, query, before string) {
		fixture := newFixture(t)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, evaluateED, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.URL.RawQuery = before + query
		r.Header.Set("Authorization", "Bearer "+patientsScope)
		w := newRecorder()
		fixture.ServeHTTP(w, r)
		if w.Code >= http.StatusInternalServerError {
			t.Errorf("?%s = %d: %s", r.URL.RawQuery, w.Code, fixture.log)
		}
		resource, err := r4.Unmarshal(w.Body.Bytes())
		if err != nil {
			t.Fatalf("?%s is answered with no resource: %s", r.URL.RawQuery, w.Body)
		}
		report := resource.GetMeasureReport()
		names := strings.Contains(w.Body.String(), `"reference":"Patient/`)
		if report != nil && names && len(fixture.trail.all()) != 1 {
			t.Errorf("?%s names patients and is not audited", r.URL.RawQuery)
		}
	})
}

// FuzzTrailQuery: no search of the trail is a fault of ours, and every answer is a valid resource.
func FuzzTrailQuery(f *testing.F) {
	for _, seed := range []string{
		"", "date=ge2019&date=lt2020-02", "patient=p1&agent=x|y", "_cursor=1.5", "_count=0&type=|", "date=9",
		"patient=Group/g", "outcome=,", "_cursor=999999999999.9", "agent=%00&_id=x",
	} {
		f.Add(seed)
	}
	kept, err := trail.Open(trail.Config{Dir: f.TempDir()})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = kept.Close() })
	f.Fuzz(func(t *testing.T, query string) {
		fixture := newFixture(t, func(c *server.Config) { c.Trail, c.Auditor = kept, kept })
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/fhir/AuditEvent", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.URL.RawQuery = query
		r.Header.Set("Authorization", "Bearer "+trailScope)
		w := newRecorder()
		fixture.ServeHTTP(w, r)
		if w.Code >= http.StatusInternalServerError {
			t.Errorf("?%s = %d: %s", query, w.Code, fixture.log)
		}
		if _, err := r4.Unmarshal(w.Body.Bytes()); err != nil {
			t.Errorf("?%s is answered with no resource: %s", query, w.Body)
		}
	})
}

// FuzzBody: no body is a fault of ours, and what is no Parameters is refused.
func FuzzBody(f *testing.F) {
	f.Add(`{"resourceType":"Parameters"}`, "application/fhir+json")
	f.Add(vendorBundle(vendorReport("p1", 1)), "application/fhir+ndjson")
	f.Add(`{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"x"}}]}`,
		"application/json")
	f.Add(`{"resourceType":"Parameters","parameter":[{"name":"subjectGroup","resource":`+
		`{"resourceType":"Group","type":"person","actual":true}}]}`, "application/fhir+json")
	f.Add("{", "")
	f.Fuzz(func(t *testing.T, text, kind string) {
		fixture := newFixture(t)
		for _, path := range []string{
			"/fhir", "/fhir/Measure/$evaluate", evaluateED, "/fhir/MeasureReport/$import",
		} {
			w := fixture.call(http.MethodPost, path, text, "Content-Type: "+kind,
				"Authorization: Bearer "+patientsScope+","+importScope)
			if w.Code >= http.StatusInternalServerError && w.Code != http.StatusNotImplemented {
				t.Errorf("POST %s = %d: %s", path, w.Code, fixture.log)
			}
		}
	})
}
