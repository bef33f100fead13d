package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/server"
)

// target makes a request that the row of the table answers with 200.
func target(route server.Route) string {
	id := "length-of-stay"
	switch {
	case strings.HasPrefix(route.Path, "/fhir/MeasureReport/"):
		id += ".20180101.20181231"
	case strings.HasPrefix(route.Path, "/fhir/$job/"):
		id = "job-1"
	}
	path := strings.Replace(route.Path, `{id:[A-Za-z0-9\-.]{1,64}}`, id, 1)
	path = strings.Replace(path, "{handle}", "h1", 1)
	if !strings.HasSuffix(path, "$evaluate-measure") && !strings.HasSuffix(path, "$evaluate") {
		return path
	}
	return path + "?measure=length-of-stay&periodStart=2018&periodEnd=2018"
}

func body(route server.Route) (text, kind string) {
	switch {
	case route.Path == "/fhir":
		return `{"resourceType":"Bundle","type":"batch"}`, "Content-Type: application/fhir+json"
	case strings.HasSuffix(route.Path, "$import"):
		return vendorReport("p1", 1), "Content-Type: application/fhir+json"
	case route.Path == "/admin/end":
		return "client=lost-laptop", "Content-Type: application/x-www-form-urlencoded"
	case route.Method == http.MethodPost && strings.HasPrefix(route.Path, "/fhir/"):
		return `{"resourceType":"Parameters"}`, "Content-Type: application/fhir+json"
	}
	return "", "X-None: 1"
}

func TestEveryRouteDemandsWhatTheTableSays(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, route := range f.Routes() {
		other := measureScope
		if route.Scope == measureScope {
			other = reportScope
		}
		tests := []struct {
			name   string
			header string
			public int
			scoped int
		}{
			{"without a token", "X-None: 1", 200, 401},
			{"with something else than a bearer token", "Authorization: Basic c2VjcmV0", 200, 401},
			{"with a token that is not valid", "Authorization: Bearer expired", 200, 401},
			{"with a token of another scope", "Authorization: Bearer " + other, 200, 403},
			{"with a token of the scope", "Authorization: Bearer " + route.Scope, 200, 200},
		}
		for _, tt := range tests {
			t.Run(route.Method+" "+route.Path+" "+tt.name, func(t *testing.T) {
				t.Parallel()
				want := tt.scoped
				if route.Scope == "" {
					want = tt.public
				}
				text, kind := body(route)
				// Each row on its own server: the fakes note the last question.
				own := newFixture(t, func(c *server.Config) { c.JobID = func() string { return "job-1" } })
				if strings.HasPrefix(route.Path, "/fhir/$job/") {
					own.finished(t, evaluateED+"?periodStart=2018&periodEnd=2018", reportScope)
				}
				w := own.call(route.Method, target(route), text, tt.header, kind)
				if want == http.StatusOK {
					want = success(route)
				}
				if w.Code != want {
					t.Fatalf("%s %s = %d, want %d: %s", route.Method, target(route), w.Code, want, w.Body)
				}
				if want == 401 || want == 403 {
					if !strings.Contains(w.Header().Get("WWW-Authenticate"), `scope="`+route.Scope+`"`) {
						t.Errorf("WWW-Authenticate is %q", w.Header().Get("WWW-Authenticate"))
					}
					if strings.HasPrefix(route.Path, "/fhir") {
						outcome(t, w.Body.Bytes())
					}
				}
			})
		}
	}
}

// success is the status of a request that does what it is for.
func success(route server.Route) int {
	switch {
	case route.Method == http.MethodDelete, route.Method == http.MethodPost && route.Path == "/sync":
		return http.StatusAccepted
	case route.Path == "/admin/end":
		return http.StatusNoContent
	}
	return http.StatusOK
}

func TestChallengesFollowRFC6750(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	tests := []struct {
		name string
		in   string
		want string
	}{
		{"no token has no error code", "X-None: 1",
			`Bearer realm="EquityLens", scope="system/Measure.rs"`},
		{"a bad token is invalid_token", "Authorization: Bearer expired",
			`Bearer realm="EquityLens", scope="system/Measure.rs", error="invalid_token"`},
		{"too little scope is insufficient_scope", "Authorization: Bearer " + reportScope,
			`Bearer realm="EquityLens", scope="system/Measure.rs", error="insufficient_scope"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := f.call(http.MethodGet, "/fhir/Measure", "", tt.in)
			if diff := cmp.Diff(tt.want, w.Header().Get("WWW-Authenticate")); diff != "" {
				t.Errorf("WWW-Authenticate (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGetIsAnsweredToHead(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(c *server.Config) { c.JobID = func() string { return "job-1" } })
	f.finished(t, evaluateED+"?periodStart=2018&periodEnd=2018", reportScope)
	for _, route := range f.Routes() {
		if route.Method != http.MethodGet {
			continue
		}
		w := f.call(http.MethodHead, target(route), "", "Authorization: Bearer "+route.Scope)
		if w.Code != http.StatusOK {
			t.Errorf("HEAD %s = %d", target(route), w.Code)
		}
	}
}

func TestOtherMethodsAreNotAllowed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	tests := []struct {
		method, path, want string
	}{
		{http.MethodDelete, "/fhir/Measure", "GET, HEAD"},
		{http.MethodPut, "/fhir/Measure/length-of-stay", "GET, HEAD"},
		{http.MethodPatch, "/fhir/Measure/length-of-stay/$evaluate-measure", "GET, HEAD, POST"},
		{http.MethodPost, "/fhir/metadata", "GET, HEAD"},
		{"INVENTED", "/fhir/Measure/$evaluate-measure", "GET, HEAD, POST"},
		{http.MethodGet, "/oauth/token", "OPTIONS, POST"},
		{http.MethodGet, "/admin/end", "POST"},
		{http.MethodGet, "/signout", "POST"},
		{http.MethodPut, "/cds-services/equitylens-interpreter", "OPTIONS, POST"},
		{http.MethodDelete, "/fhir/AuditEvent/x", "GET, HEAD"},
		{http.MethodPost, "/healthz", "GET, HEAD"},
		{http.MethodGet, "/fhir", "POST"},
		{http.MethodPut, "/fhir/$job/x", "DELETE, GET, HEAD"},
		{http.MethodDelete, "/fhir/MeasureReport/x", "GET, HEAD"},
	}
	for _, tt := range tests {
		w := f.call(tt.method, tt.path, "")
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != tt.want {
			t.Errorf("%s %s = %d, Allow %q; want 405, %q",
				tt.method, tt.path, w.Code, w.Header().Get("Allow"), tt.want)
		}
		if strings.HasPrefix(tt.path, "/fhir/") {
			outcome(t, w.Body.Bytes())
		}
	}
}

// TestPathsThatAreNotPlain is row 46 of the faults: the answer to a trick is the answer to any
// address that does not exist, without a redirect, with and without a token.
func TestPathsThatAreNotPlain(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	clean := f.get("/fhir/nothing", "")
	outcome(t, clean.Body.Bytes())
	tricks := []string{
		"/fhir/Measure/..%2fmetadata",
		"/fhir/Measure/..%2Fmetadata",
		"/fhir/Measure/%2e%2e/metadata",
		"/fhir/Measure/../metadata",
		"/fhir/./metadata",
		"/fhir//metadata",
		"//fhir/metadata",
		"/fhir/metadata/",
		"/fhir/Measure%2flength-of-stay",
		"/fhir/Measure%5clength-of-stay",
		`/fhir/Measure\length-of-stay`,
		"/fhir/Measure/length-of-stay%00",
		"/fhir/Measure/length-of-stay%252f",
		"/fhir/Measure/length-of-stay%0d%0aX-Injected:1",
		"/fhir/Measure/" + strings.Repeat("a", 65),
		"/fhir/Measure/length-of-stay;v=1",
		"/fhir/measure",
		"/fhir/AuditEvent/..%2fmetadata",
		"/fhir/AuditEvent//x",
		"/oauth//authorize",
		"/oauth/%2e%2e/oauth/authorize",
		"/oauth/authorize/",
		"/oauth%2fauthorize",
		"/oauth/authorize%2f..%2ftoken",
		"/cds-services//x",
		"/cds-services/x%2ffeedback",
		"/cds-services/x/../feedback",
		"/chart/..%2fadmin%2fend",
		"/chart//h1",
		"/chart/h1/",
		"/admin//end",
		"/admin/end%2f",
		"/sync%00",
		"//sync",
		"/fhir/",
	}
	for _, trick := range tricks {
		for _, scope := range []string{"", measureScope} {
			w := f.get(trick, scope)
			if w.Code != http.StatusNotFound {
				t.Errorf("GET %s with token %q = %d, want 404", trick, scope, w.Code)
			}
			if strings.HasPrefix(trick, "/fhir") {
				if diff := cmp.Diff(clean.Body.String(), w.Body.String()); diff != "" {
					t.Errorf("GET %s differs from a clean 404:\n%s", trick, diff)
				}
			}
		}
	}
}

func TestNeedlessEscapesAreUndone(t *testing.T) {
	t.Parallel()
	const target = "/fhir/Measure/length%2Dof-stay/%24evaluate-measure"
	w := newFixture(t).get(target+"?periodStart=2018&periodEnd=2018", reportScope)
	if w.Code != http.StatusOK {
		t.Errorf("an escaped $ is %d: %s", w.Code, w.Body)
	}
}

func TestNothingOutsideIsAnOutcome(t *testing.T) {
	t.Parallel()
	w := newFixture(t).get("/favicon.ico", "")
	kind := w.Header().Get("Content-Type")
	if w.Code != http.StatusNotFound || !strings.HasPrefix(kind, "text/plain") {
		t.Errorf("GET /favicon.ico = %d %s", w.Code, kind)
	}
}

// outcome validates an OperationOutcome and returns its issue code and text.
func outcome(t *testing.T, text []byte) (code, said string) {
	t.Helper()
	resource, err := r4.Unmarshal(text)
	if err != nil || resource.GetOperationOutcome() == nil {
		t.Fatalf("not an OperationOutcome: %s", text)
	}
	issue := resource.GetOperationOutcome().Issue[0]
	return issue.GetCode().GetValue().String(), issue.GetDetails().GetText().GetValue()
}

// FuzzPath: no path opens without a token what the table closes, and none redirects.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{
		"/fhir/Measure", "/fhir/metadata/../Measure", "/fhir/%4deasure", "/fhir/Measure/..;/x", "//", "/",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://x/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.URL, err = r.URL.Parse(path); err != nil || r.URL.Host != "x" {
			return
		}
		fixture := newFixture(t)
		public := map[string]bool{}
		for _, route := range fixture.Routes() {
			public[route.Path] = public[route.Path] || route.Public != ""
		}
		w := newRecorder()
		fixture.ServeHTTP(w, r)
		if w.Code >= 300 && w.Code < 400 || w.Code == http.StatusOK && !public[r.URL.Path] {
			t.Errorf("GET %q without a token = %d", path, w.Code)
		}
	})
}
