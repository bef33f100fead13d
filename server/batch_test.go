package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir/r4"
)

func (f *fixture) batch(kind, scopes string, entries ...string) *httptest.ResponseRecorder {
	text := fmt.Sprintf(`{"resourceType":"Bundle","type":%q,"entry":[%s]}`, kind,
		strings.Join(entries, ","))
	return f.call(http.MethodPost, "/fhir", text,
		"Authorization: Bearer "+scopes, "Content-Type: application/fhir+json")
}

func entry(method, address string) string {
	return fmt.Sprintf(`{"request":{"method":%q,"url":%q}}`, method, address)
}

// TestABatchIsItsRequests: each is answered as if it had come alone, with the token of the batch.
func TestABatchIsItsRequests(t *testing.T) {
	t.Parallel()
	const evaluate = "Measure/length-of-stay/$evaluate-measure?periodStart=2018&periodEnd=2018"
	f := newFixture(t)
	w := f.batch("batch", reportScope, entry("GET", evaluate),
		entry("GET", "/MeasureReport/length-of-stay.20180101.20181231"),
		entry("GET", "https://quality.example.org/fhir/metadata"),
		entry("GET", evaluate+"&audience=internal"),
		entry("GET", "Measure"), entry("GET", "Nothing/1"), entry("GET", "Measure/../metadata"),
		entry("DELETE", "Measure/length-of-stay"), entry("GET", "https://other.example/Measure"))
	resource, err := r4.Unmarshal(w.Body.Bytes())
	if err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	bundle := resource.GetBundle()
	if got := bundle.GetType().GetValue().String(); got != "BATCH_RESPONSE" {
		t.Errorf("the type is %s", got)
	}
	var got []string
	for _, one := range bundle.GetEntry() {
		text := one.GetResponse().GetStatus().GetValue()
		switch {
		case one.GetResource().GetMeasureReport() != nil:
			text += " report"
		case one.GetResource() != nil:
			text += " other"
		case one.GetResponse().GetOutcome().GetOperationOutcome() != nil:
			text += " outcome"
		}
		got = append(got, text)
	}
	want := []string{
		"200 OK report", "200 OK report", "200 OK other", "403 Forbidden outcome",
		"403 Forbidden outcome", "404 Not Found outcome", "404 Not Found outcome",
		"405 Method Not Allowed outcome", "404 Not Found outcome",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	if tag := bundle.GetEntry()[0].GetResponse().GetEtag().GetValue(); tag == "" ||
		tag != f.get("/fhir/"+evaluate, reportScope).Header().Get("ETag") {
		t.Errorf("the tag is %q", tag)
	}
	if lines := strings.Count(f.log.String(), "\n"); lines != 2 {
		t.Errorf("%d lines are logged, want one a request: %s", lines, f.log)
	}
}

func TestBatchesThatAreRefused(t *testing.T) {
	t.Parallel()
	many := make([]string, 51)
	for i := range many {
		many[i] = entry("GET", "metadata")
	}
	for _, tt := range []struct {
		name   string
		in     func(*fixture) *httptest.ResponseRecorder
		status int
		code   string
	}{
		{"a transaction", func(f *fixture) *httptest.ResponseRecorder {
			return f.batch("transaction", reportScope, entry("GET", "metadata"))
		}, 501, "NOT_SUPPORTED"},
		{"a collection", func(f *fixture) *httptest.ResponseRecorder {
			return f.batch("collection", reportScope)
		}, 400, "VALUE"},
		{"too many requests", func(f *fixture) *httptest.ResponseRecorder {
			return f.batch("batch", reportScope, many...)
		}, 422, "TOO_COSTLY"},
		{"another resource", func(f *fixture) *httptest.ResponseRecorder {
			return f.call(http.MethodPost, "/fhir", `{"resourceType":"Parameters"}`,
				"Authorization: Bearer "+reportScope, "Content-Type: application/fhir+json")
		}, 400, "STRUCTURE"},
		{"a form", func(f *fixture) *httptest.ResponseRecorder {
			return f.call(http.MethodPost, "/fhir", "x", "Authorization: Bearer "+reportScope,
				"Content-Type: application/x-www-form-urlencoded")
		}, 415, "NOT_SUPPORTED"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := tt.in(newFixture(t))
			if code, _ := outcome(t, w.Body.Bytes()); w.Code != tt.status || code != tt.code {
				t.Errorf("%d %s, want %d %s", w.Code, code, tt.status, tt.code)
			}
		})
	}
}
