package server_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/report/reporttest"
	"github.com/equitylens/equitylens/server"
)

func newRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }

const evaluateED = "/fhir/Measure/ed-left-without-being-seen/$evaluate-measure"

func TestEvaluateAnswersAMeasureReport(t *testing.T) {
	t.Parallel()
	w := newFixture(t).get(evaluateED+"?periodStart=2018&periodEnd=2018", reportScope)
	kind := w.Header().Get("Content-Type")
	if w.Code != http.StatusOK || kind != "application/fhir+json; charset=utf-8" {
		t.Fatalf("%d %s: %s", w.Code, kind, w.Body)
	}
	resource, err := r4.Unmarshal(w.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := reporttest.Check(resource.GetMeasureReport()); err != nil {
		t.Error(err)
	}
}

func TestPartialDatesCoverWhatTheyName(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, start, end string
		want             string
	}{
		{"a year", "2018", "2018", "2018-01-01/2018-12-31"},
		{"two years", "2017", "2018", "2017-01-01/2018-12-31"},
		{"a month", "2018-02", "2018-02", "2018-02-01/2018-02-28"},
		{"February of a leap year", "2020-02", "2020-02", "2020-02-01/2020-02-29"},
		{"a day", "2018-03-04", "2018-03-04", "2018-03-04/2018-03-04"},
		{"mixed precisions", "2018", "2018-06", "2018-01-01/2018-06-30"},
		{"a day in the middle of the month it ends in", "2018-06-15", "2018-06", "2018-06-15/2018-06-30"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := question{
				ID: "ed-left-without-being-seen", Period: tt.want, Dimensions: measure.Dimensions(),
			}
			f := newFixture(t)
			w := f.get(evaluateED+"?periodStart="+tt.start+"&periodEnd="+tt.end, reportScope)
			if diff := cmp.Diff(want, f.measures.asked()); diff != "" || w.Code != http.StatusOK {
				t.Errorf("GET %s..%s = %d asks (-want +got):\n%s%s", tt.start, tt.end, w.Code, diff, w.Body)
			}
			f = newFixture(t)
			w = f.post(evaluateED, date("periodStart", tt.start), date("periodEnd", tt.end))
			if diff := cmp.Diff(want, f.measures.asked()); diff != "" || w.Code != http.StatusOK {
				t.Errorf("POST %s..%s = %d asks (-want +got):\n%s%s", tt.start, tt.end, w.Code, diff, w.Body)
			}
		})
	}
}

func date(name, value string) string { return typed(name, "Date", value) }

func typed(name, kind, value string) string {
	return fmt.Sprintf(`{"name":%q,"value%s":%q}`, name, kind, value)
}

func (f *fixture) post(target string, parameters ...string) *httptest.ResponseRecorder {
	return f.postAs(reportScope, target, parameters...)
}

func (f *fixture) postAs(
	scopes, target string, parameters ...string,
) *httptest.ResponseRecorder {
	text := `{"resourceType":"Parameters","parameter":[` + strings.Join(parameters, ",") + `]}`
	return f.call(http.MethodPost, target, text,
		"Authorization: Bearer "+scopes, "Content-Type: application/fhir+json")
}

func TestTheMeasureCanBeNamedInEveryWay(t *testing.T) {
	t.Parallel()
	const typeLevel = "/fhir/Measure/$evaluate-measure"
	tests := []struct {
		name, target, measure string
		want                  int
	}{
		{"by its id", typeLevel, "length-of-stay", 200},
		{"by a reference", typeLevel, "Measure/length-of-stay", 200},
		{"by its address here", typeLevel,
			"https://quality.example.org/fhir/Measure/length-of-stay", 200},
		{"by its canonical", typeLevel, "https://equitylens.org/fhir/Measure/length-of-stay", 200},
		{"by its canonical and version", typeLevel,
			"https://equitylens.org/fhir/Measure/length-of-stay|1.0.0", 200},
		{"twice, and alike", "/fhir/Measure/length-of-stay/$evaluate-measure", "length-of-stay", 200},
		{"twice, and not alike", "/fhir/Measure/length-of-stay/$evaluate-measure",
			"reporting-ratio", 400},
		{"by a version that there is not", typeLevel,
			"https://equitylens.org/fhir/Measure/length-of-stay|2.0.0", 404},
		{"by a canonical of somebody else", typeLevel, "https://example.org/Measure/length-of-stay", 404},
		{"by an id that there is not", typeLevel, "length", 404},
		{"not at all", typeLevel, "", 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			query := "?periodStart=2018&periodEnd=2018"
			if tt.measure != "" {
				query += "&measure=" + url.QueryEscape(tt.measure)
			}
			f := newFixture(t)
			if w := f.get(tt.target+query, reportScope); w.Code != tt.want {
				t.Errorf("GET = %d, want %d: %s", w.Code, tt.want, w.Body)
			}
			parameters := []string{date("periodStart", "2018"), date("periodEnd", "2018")}
			if tt.measure != "" {
				parameters = append(parameters, typed("measure", "String", tt.measure))
			}
			if w := f.post(tt.target, parameters...); w.Code != tt.want {
				t.Errorf("POST = %d, want %d: %s", w.Code, tt.want, w.Body)
			}
			if tt.want == http.StatusOK && f.measures.asked().ID != "length-of-stay" {
				t.Errorf("%q was evaluated", f.measures.asked().ID)
			}
		})
	}
}

func TestStratifiersReachTheEvaluation(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	w := f.get(evaluateED+"?periodStart=2018&periodEnd=2018"+
		"&stratifier=race&stratifier=race*language_group*sex&stratifier=race", internalScope)
	want := []string{"race", "race*language_group*sex"}
	if diff := cmp.Diff(want, f.measures.asked().Dimensions); diff != "" || w.Code != http.StatusOK {
		t.Errorf("GET = %d asks (-want +got):\n%s", w.Code, diff)
	}
	w = f.post(evaluateED, date("periodStart", "2018"), date("periodEnd", "2018"),
		typed("stratifier", "String", "language_group"), typed("stratifier", "Code", "race"))
	want = []string{"language_group", "race"}
	if diff := cmp.Diff(want, f.measures.asked().Dimensions); diff != "" || w.Code != http.StatusOK {
		t.Errorf("POST = %d asks (-want +got):\n%s", w.Code, diff)
	}
}

func TestQuestionsThatAreRefused(t *testing.T) {
	t.Parallel()
	const period = "periodStart=2018&periodEnd=2018"
	many := strings.Builder{}
	for i := range 21 {
		fmt.Fprintf(&many, "&stratifier=race*%s", strings.Repeat("x", i+1))
	}
	tests := []struct {
		name, query string
		status      int
		code        string
	}{
		{"no periodStart", "periodEnd=2018", 400, "REQUIRED"},
		{"no periodEnd", "periodStart=2018", 400, "REQUIRED"},
		{"an empty periodStart", "periodStart=&periodEnd=2018", 400, "REQUIRED"},
		{"two periodStarts", "periodStart=2017&" + period, 400, "INVALID"},
		{"a date that there is not", "periodStart=2018-02-30&periodEnd=2018", 400, "VALUE"},
		{"a date of another country", "periodStart=01/02/2018&periodEnd=2018", 400, "VALUE"},
		{"a quarter", "periodStart=2018-Q1&periodEnd=2018", 400, "VALUE"},
		{"a dateTime", "periodStart=2018-01-01T00:00:00Z&periodEnd=2018", 400, "VALUE"},
		{"a period that ends before it starts", "periodStart=2018&periodEnd=2017", 400, "VALUE"},
		{"a malformed query", "periodStart=%zz", 400, "INVALID"},
		{"a misspelt parameter", period + "&stratifer=race", 400, "NOT_SUPPORTED"},
		{"a report type that there is not", period + "&reportType=everyone", 400, "CODE_INVALID"},
		{"a subject report without a subject", period + "&reportType=subject", 400, "REQUIRED"},
		{"a report type without a value", period + "&reportType=", 400, "CODE_INVALID"},
		{"a subject who is nobody's id", period + "&subject=Patient/%20", 400, "VALUE"},
		{"a subject of another server", period + "&subject=https://x.example/Patient/1", 400, "VALUE"},
		{"a subject of another type", period + "&subject=Location/1", 400, "VALUE"},
		{"two subjects", period + "&subject=Patient/1&subject=Patient/2", 400, "INVALID"},
		{"a practitioner of another type", period + "&practitioner=Patient/1", 400, "VALUE"},
		{"lastReceivedOn of a population", period + "&lastReceivedOn=2018-01-01", 400, "BUSINESS_RULE"},
		{"lastReceivedOn that is no date", period + "&lastReceivedOn=now", 400, "VALUE"},
		{"a policy that there is not", period + "&racePolicy=best", 400, "CODE_INVALID"},
		{"a policy without a value", period + "&racePolicy=", 400, "CODE_INVALID"},
		{"bounds that are not a yes or no", period + "&bounds=1", 400, "VALUE"},
		{"a filter without a value", period + "&filter=race", 400, "VALUE"},
		{"a filter by payer", period + "&filter=payer:medicaid", 400, "NOT_SUPPORTED"},
		{"a filter of SQL", period + "&filter=race:'%20or%201=1", 400, "VALUE"},
		{"many filters", period + strings.Repeat("&filter=race:1", 101), 422, "TOO_COSTLY"},
		{"an audience that there is not", period + "&audience=friends", 400, "CODE_INVALID"},
		{"a reference that nobody is", period + "&reference=1234-5", 400, "CODE_INVALID"},
		{"a reference that is no code", period + "&reference=%3Cb%3E", 400, "VALUE"},
		{"an unknown dimension", period + "&stratifier=shoe_size", 400, "CODE_INVALID"},
		{"a malformed dimension", period + "&stratifier=race%3Bdrop", 400, "VALUE"},
		{"an empty dimension", period + "&stratifier=", 400, "VALUE"},
		{"a cross of four", period + "&stratifier=race*sex*site*language", 422, "TOO_COSTLY"},
		{"21 stratifiers", period + many.String(), 422, "TOO_COSTLY"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newFixture(t).get(evaluateED+"?"+tt.query, internalScope)
			code, said := outcome(t, w.Body.Bytes())
			if w.Code != tt.status || code != tt.code {
				t.Errorf("GET ?%s = %d %s (%s), want %d %s", tt.query, w.Code, code, said, tt.status, tt.code)
			}
			if said == "" {
				t.Error("the outcome says nothing")
			}
		})
	}
}

func TestBodiesThatAreRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, kind, text string
		status           int
		code             string
	}{
		{"a form", "application/x-www-form-urlencoded", "periodStart=2018", 415, "NOT_SUPPORTED"},
		{"XML", "application/fhir+xml", "<Parameters/>", 415, "NOT_SUPPORTED"},
		{"no media type", "", "{}", 415, "NOT_SUPPORTED"},
		{"no JSON", "application/fhir+json", "periodStart", 400, "STRUCTURE"},
		{"half a resource", "application/fhir+json", `{"resourceType":"Parameters"`, 400, "STRUCTURE"},
		{"another resource", "application/fhir+json", `{"resourceType":"Bundle","type":"batch"}`,
			400, "STRUCTURE"},
		{"an unknown parameter", "application/fhir+json",
			`{"resourceType":"Parameters","parameter":[{"name":"x","valueString":"y"}]}`,
			400, "NOT_SUPPORTED"},
		{"a parameter without a value", "application/fhir+json",
			`{"resourceType":"Parameters","parameter":[{"name":"stratifier","valueInteger":1}]}`,
			400, "VALUE"},
		{"a dateTime for a date", "application/fhir+json", `{"resourceType":"Parameters","parameter":[` +
			`{"name":"periodStart","valueDateTime":"2018-01-01T00:00:00Z"}]}`, 400, "VALUE"},
		{"a body that is too long", "application/fhir+json", strings.Repeat(" ", 64<<10+1),
			413, "TOO_LONG"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newFixture(t).call(http.MethodPost, evaluateED, tt.text,
				"Authorization: Bearer "+reportScope, "Content-Type: "+tt.kind)
			if code, said := outcome(t, w.Body.Bytes()); w.Code != tt.status || code != tt.code {
				t.Errorf("POST = %d %s (%s), want %d %s", w.Code, code, said, tt.status, tt.code)
			}
		})
	}
}

func TestFailuresOfTheEvaluation(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		err        error
		status     int
		code       string
		retryAfter string
	}{
		{"an unknown measure", fmt.Errorf("x: %w", measure.ErrUnknownMeasure), 404, "NOT_FOUND", ""},
		{"no snapshot", fmt.Errorf("x: %w", measure.ErrNoSnapshot), 503, "TRANSIENT", "60"},
		{"something of ours that gave up", context.Canceled, 500, "EXCEPTION", ""},
		{"anything else", errors.New("disk /var/lib/facts.duckdb is on fire"), 500, "EXCEPTION", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.measures.answer = func(context.Context, string) (measure.Result, error) {
				return measure.Result{}, tt.err
			}
			w := f.get(evaluateED+"?periodStart=2018&periodEnd=2018", reportScope)
			code, _ := outcome(t, w.Body.Bytes())
			if w.Code != tt.status || code != tt.code || w.Header().Get("Retry-After") != tt.retryAfter {
				t.Errorf("%d %s, Retry-After %q; want %d %s, %q", w.Code, code, w.Header().Get("Retry-After"),
					tt.status, tt.code, tt.retryAfter)
			}
			if strings.Contains(w.Body.String(), "facts.duckdb") {
				t.Errorf("the cause went out: %s", w.Body)
			}
			if tt.status >= 500 && !strings.Contains(f.log.String(), tt.err.Error()) {
				t.Errorf("the cause is not logged: %s", f.log)
			}
		})
	}
}

func TestAnEvaluationThatTakesTooLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(c *server.Config) { c.EvaluateTimeout = time.Hour })
		f.measures.answer = func(ctx context.Context, _ string) (measure.Result, error) {
			<-ctx.Done()
			return measure.Result{}, errors.New("INTERRUPT Error: Interrupted!")
		}
		w := f.get(evaluateED+"?periodStart=2018&periodEnd=2018", reportScope)
		if code, _ := outcome(t, w.Body.Bytes()); w.Code != 503 || code != "TIMEOUT" {
			t.Errorf("%d %s, want 503 TIMEOUT", w.Code, code)
		}
	})
}

func TestACallerThatDoesNotWait(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	f.measures.answer = func(ctx context.Context, _ string) (measure.Result, error) {
		cancel()
		<-ctx.Done()
		return measure.Result{}, ctx.Err()
	}
	r := httptest.NewRequestWithContext(ctx, http.MethodGet,
		evaluateED+"?periodStart=2018&periodEnd=2018", nil)
	r.Header.Set("Authorization", "Bearer "+reportScope)
	f.ServeHTTP(newRecorder(), r)
	if !strings.Contains(f.log.String(), `"status":499`) {
		t.Errorf("the log does not show it: %s", f.log)
	}
}

func TestNegotiation(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, accept, query string
		want                int
	}{
		{"anything", "*/*", "", 200},
		{"JSON", "application/json", "", 200},
		{"FHIR JSON", "application/fhir+json", "", 200},
		{"FHIR JSON of R4", "application/fhir+json; fhirVersion=4.0", "", 200},
		{"FHIR JSON of R5", "application/fhir+json; fhirVersion=5.0", "", 406},
		{"a browser", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "", 200},
		{"XML alone", "application/fhir+xml", "", 406},
		{"JSON refused", "application/json;q=0, application/fhir+xml", "", 406},
		{"XML by the query", "application/fhir+json", "?_format=xml", 406},
		{"JSON by the query", "application/fhir+xml", "?_format=json", 200},
		{"FHIR JSON by the query", "application/fhir+xml", "?_format=application/fhir%2Bjson", 200},
		{"FHIR JSON by the query, not escaped", "text/html", "?_format=application/fhir+json", 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			w := f.call(http.MethodGet, "/fhir/metadata"+tt.query, "", "Accept: "+tt.accept)
			if w.Code != tt.want {
				t.Errorf("Accept %q, %q = %d, want %d", tt.accept, tt.query, w.Code, tt.want)
			}
		})
	}
}

func TestLargeAnswersAreCompressed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const target = evaluateED + "?periodStart=2018&periodEnd=2018"
	plain := f.get(target, reportScope)
	w := f.call(http.MethodGet, target, "",
		"Authorization: Bearer "+reportScope, "Accept-Encoding: gzip")
	if w.Header().Get("Content-Encoding") != "gzip" || w.Body.Len() >= plain.Body.Len() {
		t.Fatalf("%q of %d bytes", w.Header().Get("Content-Encoding"), w.Body.Len())
	}
	r, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plain.Body.String(), string(text)); diff != "" {
		t.Errorf("compressed differs (-plain +compressed):\n%s", diff)
	}
}
