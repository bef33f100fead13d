package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestQuestionsThatCostTooMuch is row 45 of the faults: what nobody needs is refused before it is
// evaluated.
func TestQuestionsThatCostTooMuch(t *testing.T) {
	t.Parallel()
	many := func(name string, n int, value func(i int) string) string {
		var out strings.Builder
		for i := range n {
			fmt.Fprintf(&out, "&%s=%s", name, value(i))
		}
		return out.String()
	}
	const of2018 = "?periodStart=2018&periodEnd=2018"
	tests := []struct {
		name, in string
		status   int
	}{
		{"a cross of four", evaluateED + of2018 + "&stratifier=race*sex*site*language", 422},
		{"a cross of six", evaluateED + of2018 + "&stratifier=race*sex*site*language*month*ethnicity", 422},
		{"a cross of a thousand",
			evaluateED + of2018 + "&stratifier=race" + strings.Repeat("*race", 999), 422},
		{"many strata", evaluateED + of2018 + many("stratifier", 21,
			func(i int) string { return fmt.Sprintf("d%d", i) }), 422},
		{"many filters", evaluateED + of2018 + many("filter", 101,
			func(i int) string { return fmt.Sprintf("site:s%d", i) }), 422},
		{"many measures", several + many("measureId", 51,
			func(i int) string { return fmt.Sprintf("m%d", i) }), 422},
		{"all of time", evaluateED + "?periodStart=0001&periodEnd=9999", 422},
		{"a thousand years", evaluateED + "?periodStart=1000-01-01&periodEnd=1999-12-31", 422},
		{"a thousand years of several measures",
			"/fhir/Measure/$evaluate?measureId=length-of-stay&periodStart=1000&periodEnd=1999", 422},
		{"fifty years and a bit", evaluateED + "?periodStart=1970&periodEnd=2020-01-02", 422},
		{"fifty years", evaluateED + "?periodStart=1970&periodEnd=2019", 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			w := f.get(tt.in, reportScope)
			if w.Code != tt.status {
				t.Fatalf("%d, want %d: %s", w.Code, tt.status, w.Body)
			}
			if tt.status == 200 {
				return
			}
			if code, _ := outcome(t, w.Body.Bytes()); code != "TOO_COSTLY" || f.measures.times() > 0 {
				t.Errorf("the code is %s, and it was evaluated %d times", code, f.measures.times())
			}
		})
	}
}

// TestPagesAreBounded: a page of a billion is a page of 200, and one that begins there is empty.
func TestPagesAreBounded(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	token := measureScope + ",system/Library.rs," + reportScope + "," + trailScope
	for _, kind := range []string{"Measure", "Library", "MeasureReport", "AuditEvent"} {
		w := f.get("/fhir/"+kind+"?_count=1000000000", token)
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "_count=200") {
			t.Errorf("a page of a billion of %s = %d: %s", kind, w.Code, w.Body)
		}
		for _, bad := range []string{"1e9", "-1", "99999999999999999999"} {
			if w := f.get("/fhir/"+kind+"?_count="+bad, token); w.Code != http.StatusBadRequest {
				t.Errorf("a page of %s of %s = %d", bad, kind, w.Code)
			}
		}
	}
	w := f.get("/fhir/MeasureReport?_offset=1000000000", token)
	if w.Code != http.StatusOK || strings.Contains(w.Body.String(), `"entry"`) {
		t.Errorf("a page from a billion on = %d: %s", w.Code, w.Body)
	}
}

// TestTheNewDoorsEmitNothing is row 44 of the faults for what came in with signing in: codes,
// tokens, launches, cookies, CDS calls and names of people, in every place in which a caller puts
// them.
func TestTheNewDoorsEmitNothing(t *testing.T) {
	t.Parallel()
	const canary = "Zebra-4711-canary"
	f := newFixture(t)
	form := "Content-Type: application/x-www-form-urlencoded"
	cookie := "Cookie: __Host-session=" + canary
	secrets := "code=" + canary + "&code_verifier=" + canary + "&client_assertion=" + canary +
		"&token=" + canary + "&refresh_token=" + canary + "&client_id=" + canary + "&subject=" + canary
	for _, path := range []string{
		"/oauth/authorize", "/oauth/token", "/oauth/par", "/oauth/introspect", "/oauth/revoke",
	} {
		f.call(http.MethodPost, path, secrets, form, cookie, "Origin: https://"+canary)
		f.call(http.MethodGet, path+"?"+secrets, "", cookie)
		f.call(http.MethodOptions, path+"?"+secrets, "", cookie)
	}
	f.call(http.MethodGet, "/launch?iss=https://"+canary+"&launch="+canary, "", cookie)
	f.call(http.MethodGet, "/callback?state="+canary+"&"+secrets, "", cookie)
	f.call(http.MethodGet, "/chart/"+canary+"?patient="+canary, "", cookie)
	f.call(http.MethodPost, "/signout", secrets, form, cookie, "Sec-Fetch-Site: cross-site")
	hook := `{"hook":"patient-view","hookInstance":"` + canary + `","context":{"patientId":"` + canary +
		`","userId":"Practitioner/` + canary + `"},"fhirAuthorization":{"access_token":"` + canary + `"}}`
	f.call(http.MethodPost, "/cds-services/"+canary, hook, "Authorization: Bearer "+canary)
	f.call(http.MethodPost, "/cds-services/"+canary+"/feedback", hook, "Authorization: Bearer "+canary)
	people := "app+" + canary + "@user/*.rs,equitylens/admin,equitylens/sync"
	for _, target := range []string{
		"/fhir/AuditEvent?patient=Patient/" + canary + "&agent=" + canary, "/fhir/AuditEvent/" + canary,
		"/fhir/AuditEvent?_cursor=" + canary, "/fhir/Measure?access_token=" + canary + "&title=" + canary,
		"/sync?" + canary, "/fhir/$job/" + canary,
	} {
		f.get(target, people)
	}
	f.ender.broken = fmt.Errorf("the store has gone")
	f.call(http.MethodPost, "/admin/end", "subject="+canary, form, "Authorization: Bearer "+people)
	f.trail.broken = fmt.Errorf("the trail is full")
	f.get("/fhir/AuditEvent?patient=Patient/"+canary, people)
	metrics := f.get("/metrics", "").Body.String()
	if lines := strings.Count(f.log.String(), "\n"); lines < 30 {
		t.Fatalf("%d lines are logged", lines)
	}
	for name, text := range map[string]string{"log": f.log.String(), "metrics": metrics} {
		lower := strings.ToLower(text)
		for _, part := range []string{"zebra", "ra-4711", "canary"} {
			if i := strings.Index(lower, part); i >= 0 {
				t.Errorf("the %s holds %q: …%s…", name, part, text[max(0, i-80):min(len(text), i+80)])
			}
		}
	}
}
