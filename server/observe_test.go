package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server"
)

// everyone knows every patient.
type everyone struct{}

func (everyone) Patient(context.Context, phi.ID) (bool, error) { return true, nil }

// TestNothingThatACallerSendsIsEmitted is row 44 of the faults for this door: a canary in every
// place that a caller controls, and then a look at every byte of log and metrics.
func TestNothingThatACallerSendsIsEmitted(t *testing.T) {
	t.Parallel()
	const canary = "Zebra-4711-canary"
	f := newFixture(t, func(c *server.Config) { c.Patients = everyone{} })
	token := "Authorization: Bearer " + reportScope
	period := "?periodStart=2018&periodEnd=2018"
	f.call(http.MethodGet, "/"+canary, "")
	f.call(http.MethodGet, "/fhir/Patient/"+canary, "", token)
	f.call(http.MethodGet, "/fhir/Measure/"+canary, "", "Authorization: Bearer "+measureScope)
	f.call(http.MethodGet, "/fhir/Measure/"+canary+"/$evaluate-measure"+period, "", token)
	f.call(http.MethodGet, evaluateED+period+"&subject=Patient/"+canary, "", token)
	f.call(http.MethodGet, evaluateED+period+"&"+canary+"=1", "", token)
	people := "Authorization: Bearer " + patientsScope
	for _, subject := range []string{
		"Patient/" + canary, "Group/" + canary, canary, canary + "/" + canary,
	} {
		f.call(http.MethodGet, evaluateED+period+"&subject="+subject, "", people)
		f.call(http.MethodGet, evaluateED+period+"&subject="+subject, "", people, "Prefer: respond-async")
		f.call(http.MethodGet, several+"&measureId=length-of-stay&subject="+subject, "", people)
	}
	f.call(http.MethodGet, evaluateED+period+"&practitioner="+canary, "", people)
	f.call(http.MethodGet, evaluateED+period+"&filter=site:"+canary, "", people)
	f.call(http.MethodGet, evaluateED+period+"&reference="+canary, "", people)
	f.call(http.MethodGet, "/fhir/MeasureReport/"+canary+"?_id="+canary, "", people)
	f.call(http.MethodGet, "/fhir/MeasureReport?"+canary+"=1&period="+canary, "", people)
	f.call(http.MethodGet, "/fhir/$job/"+canary, "", people)
	f.batch("batch", patientsScope, entry("GET", canary),
		entry("GET", strings.TrimPrefix(evaluateED, "/fhir/")+period+"&subject=Patient/"+canary))
	f.imports("?"+canary+"=1", "application/fhir+json", vendorBundle(vendorReport(canary, 1)))
	f.imports("", "application/fhir+json", strings.ReplaceAll(vendorReport(canary, 1), "2018", canary))
	f.call(http.MethodGet, evaluateED+"?periodStart="+canary, "", token)
	f.call(http.MethodGet, evaluateED+period+"&stratifier="+canary, "", token)
	f.call(http.MethodGet, evaluateED+"?"+canary+"=%zz", "", token)
	f.call(canary, "/fhir/Measure", "", token)
	f.call(http.MethodGet, "/fhir/Measure", "", "Authorization: Bearer "+canary)
	f.call(http.MethodGet, "/fhir/metadata", "", "User-Agent: "+canary, "Referer: http://x/"+canary,
		"X-Request-Id: "+canary, "X-Forwarded-For: "+canary, "Cookie: id="+canary)
	f.call(http.MethodPost, evaluateED, `{"resourceType":"Parameters","`+canary+`":1}`, token,
		"Content-Type: application/fhir+json")
	f.call(http.MethodPost, evaluateED, canary, token, "Content-Type: "+canary+"/x")
	f.post(evaluateED, typed("subject", "String", "Patient/"+canary))
	f.measures.answer = func(context.Context, string) (measure.Result, error) { panic(canary) }
	f.call(http.MethodGet, evaluateED+period, "", token)

	metrics := f.get("/metrics", "").Body.String()
	if !strings.Contains(metrics, "equitylens_http_request_duration_seconds") {
		t.Fatalf("there are no metrics: %s", metrics)
	}
	if lines := strings.Count(f.log.String(), "\n"); lines < 16 {
		t.Fatalf("%d lines are logged", lines)
	}
	for name, text := range map[string]string{"log": f.log.String(), "metrics": metrics} {
		lower := strings.ToLower(text)
		for _, part := range []string{"zebra", "ra-4711", "canary\""} {
			if i := strings.Index(lower, part); i >= 0 {
				t.Errorf("the %s holds %q: …%s…", name, part, text[max(0, i-80):min(len(text), i+80)])
			}
		}
	}
}

func TestOneEventARequest(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	w := f.get("/fhir/Measure/length-of-stay", measureScope)
	var got map[string]any
	if err := json.Unmarshal([]byte(f.log.String()), &got); err != nil {
		t.Fatalf("not one event: %s", f.log)
	}
	delete(got, "time")
	want := map[string]any{
		"level": "INFO", "msg": "request", "method": "GET", "status": 200.0,
		"request_id": "00000000-0000-4000-8000-000000000001",
		"route":      `/fhir/Measure/{id:[A-Za-z0-9\-.]{1,64}}`,
		"client":     "quality-department", "bytes": float64(w.Body.Len()), "duration_us": 0.0,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	if got := w.Header().Get("X-Request-Id"); got != want["request_id"] {
		t.Errorf("X-Request-Id is %q", got)
	}
}

func TestAPanicIsA500(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.measures.answer = func(context.Context, string) (measure.Result, error) {
		panic(errors.New("secret"))
	}
	w := f.get(evaluateED+"?periodStart=2018&periodEnd=2018", reportScope)
	code, _ := outcome(t, w.Body.Bytes())
	if w.Code != http.StatusInternalServerError || code != "EXCEPTION" {
		t.Errorf("%d %s", w.Code, code)
	}
	log := f.log.String()
	if strings.Contains(w.Body.String()+log, "secret") {
		t.Errorf("what was thrown went out: %s %s", w.Body, log)
	}
	if !strings.Contains(log, "errorString") || !strings.Contains(log, "evaluate.go") {
		t.Errorf("the log does not say what happened where: %s", log)
	}
}

// TestAPanicInAnAnswerBreaksTheConnection: what has begun as a 200 must not look whole.
func TestAPanicInAnAnswerBreaksTheConnection(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(c *server.Config) {
		c.OAuth.Keys = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusOK)
			panic("in the middle")
		})
	})
	s := httptest.NewServer(f)
	defer s.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
		s.URL+"/.well-known/jwks.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := s.Client().Do(r)
	if err == nil {
		_ = answer.Body.Close()
		t.Errorf("the answer is %d, want a broken connection", answer.StatusCode)
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, path := range []string{
		"/healthz", "/fhir/metadata", "/fhir/Measure", "/nothing", "/fhir/..%2f",
	} {
		h := f.get(path, "").Header()
		for name, want := range map[string]string{
			"X-Content-Type-Options":  "nosniff",
			"Cache-Control":           "no-store",
			"Referrer-Policy":         "no-referrer",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	at := func(age time.Duration) func(*server.Config) {
		return func(c *server.Config) {
			c.Snapshots = fakeSnapshots{snapshot: server.Snapshot{ID: "s1", DataAsOf: now().Add(-age)}}
		}
	}
	tests := []struct {
		name   string
		change func(*server.Config)
		drain  bool
		status int
		want   string
	}{
		{"fresh data", at(time.Hour), false, 200,
			`{"status":"ready","snapshot":"s1","data_as_of":"2019-01-02T23:00:00Z","age_seconds":3600}`},
		{"data just not stale", at(36 * time.Hour), false, 200,
			`{"status":"ready","snapshot":"s1","data_as_of":"2019-01-01T12:00:00Z","age_seconds":129600}`},
		{"stale data are said to be", at(37 * time.Hour), false, 200,
			`{"status":"stale","snapshot":"s1","data_as_of":"2019-01-01T11:00:00Z","age_seconds":133200}`},
		{"no data is not ready", func(c *server.Config) { c.Snapshots = fakeSnapshots{absent: true} },
			false, 503, `{"status":"no-data"}`},
		{"draining is not ready", at(time.Hour), true, 503, `{"status":"draining"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, tt.change)
			if tt.drain {
				f.Drain()
			}
			w := f.get("/readyz", "")
			if diff := cmp.Diff(tt.want+"\n", w.Body.String()); diff != "" || w.Code != tt.status {
				t.Errorf("/readyz = %d, want %d (-want +got):\n%s", w.Code, tt.status, diff)
			}
			if w := f.get("/healthz", ""); w.Code != http.StatusOK {
				t.Errorf("/healthz = %d", w.Code)
			}
		})
	}
}

func TestTheAgeOfNoDataIsNotShown(t *testing.T) {
	t.Parallel()
	const name = "\nequitylens_snapshot_age_seconds "
	text := newFixture(t).get("/metrics", "").Body.String()
	if !strings.Contains(text, name+"75355\n") {
		t.Errorf("the age of the data is not shown: %s", text)
	}
	f := newFixture(t, func(c *server.Config) { c.Snapshots = fakeSnapshots{absent: true} })
	if text := f.get("/metrics", "").Body.String(); strings.Contains(text, name) {
		t.Errorf("an age of no data is shown: %s", text)
	}
}

func TestNewSaysEverythingThatIsMissing(t *testing.T) {
	t.Parallel()
	_, err := server.New(server.Config{BaseURL: "quality.example.org"})
	if err == nil {
		t.Fatal("New of nothing succeeds")
	}
	for _, want := range []string{
		"Measures", "Snapshots", "Authorizer", "OAuth.Token", "OAuth.Keys", "OAuth.SMART", "BaseURL",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s: %v", want, err)
		}
	}
}

func TestAReportThatIsNotCompleteSaysSo(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const target = "/fhir/Measure/reporting-ratio/$evaluate-measure"
	w := f.get(target+"?periodStart=2018&periodEnd=2018", reportScope)
	for _, want := range []string{`"status":"error"`, "AdverseEvent is absent"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the report does not hold %s: %s", want, w.Body)
		}
	}
	if strings.Contains(w.Body.String(), "measureScore") {
		t.Errorf("there is a score of no data: %s", w.Body)
	}
}
