package server_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server"
)

const importScope = "equitylens/import"

// vendorReport is an individual report as another engine writes it: the patient is in the initial
// population and the denominator, and in the numerator as often as numerator says.
func vendorReport(patient string, numerator int) string {
	population := func(code string, count int) string {
		return fmt.Sprintf(`{"code":{"coding":[{"system":`+
			`"http://terminology.hl7.org/CodeSystem/measure-population","code":%q}]},"count":%d}`, code, count)
	}
	return fmt.Sprintf(`{"resourceType":"MeasureReport","status":"complete","type":"individual",`+
		`"measure":"https://vendor.example/Measure/bp|2.1","subject":{"reference":"Patient/%s"},`+
		`"date":"2019-01-01","period":{"start":"2018-01-01","end":"2018-12-31"},`+
		`"extension":[{"url":"http://hl7.org/fhir/uv/deqm/StructureDefinition/deqm-measureScoring",`+
		`"valueCodeableConcept":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/measure-scoring",`+
		`"code":"proportion"}]}}],"improvementNotation":{"coding":[{"system":`+
		`"http://terminology.hl7.org/CodeSystem/measure-improvement-notation","code":"increase"}]},`+
		`"group":[{"population":[%s,%s,%s]}]}`, patient, population("initial-population", 1),
		population("denominator", 1), population("numerator", numerator))
}

func vendorBundle(reports ...string) string {
	var entries []string
	for _, one := range reports {
		entries = append(entries, `{"resource":`+one+`}`)
	}
	return `{"resourceType":"Bundle","type":"collection","entry":[` + strings.Join(entries, ",") + `]}`
}

func (f *fixture) imports(query, kind, text string) *httptest.ResponseRecorder {
	return f.call(http.MethodPost, "/fhir/MeasureReport/$import"+query, text,
		"Authorization: Bearer "+importScope, "Content-Type: "+kind)
}

func TestReportsOfAnotherEngineAreTakenIn(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, kind, text string }{
		{"a Bundle", "application/fhir+json", vendorBundle(vendorReport("p1", 1), vendorReport("p2", 0))},
		{"a line each", "application/fhir+ndjson",
			vendorReport("p1", 1) + "\n" + vendorReport("p2", 0) + "\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			kept := f.get(edOf2018, internalScope).Header().Get("ETag")
			w := f.imports("", tt.kind, tt.text)
			resource, err := r4.Unmarshal(w.Body.Bytes())
			if err != nil || w.Code != http.StatusOK {
				t.Fatalf("%d: %s", w.Code, w.Body)
			}
			got := map[string]string{}
			for _, part := range resource.GetParameters().GetParameter()[0].GetPart() {
				name := part.GetName().GetValue()
				got[name] = part.GetValue().GetStringValue().GetValue() + part.GetValue().GetUri().GetValue()
				if n := part.GetValue().GetInteger(); n != nil {
					got[name] = fmt.Sprint(n.GetValue())
				}
			}
			delete(got, "id")
			want := map[string]string{
				"measure": "https://vendor.example/Measure/bp", "period": "", "patients": "2", "members": "2",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if len(f.importer.taken) != 1 || len(f.importer.taken[0].Members) != 2 ||
				f.importer.taken[0].Scoring != measure.Proportion {
				t.Errorf("taken is %+v", f.importer.taken)
			}
			if event := audited(t, f); event["patients"] != "2" || event["outcome"] != "0" {
				t.Errorf("audited is %v", event)
			}
			asked := f.measures.times()
			if again := f.get(edOf2018, internalScope); again.Header().Get("ETag") != kept ||
				f.measures.times() == asked {
				t.Error("what was kept before an import is given afterwards")
			}
		})
	}
}

// TestReportsThatAreRefused are refused as a whole, each fault with its place and without a person.
func TestReportsThatAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const canary = "Zebra-4711"
	bad := strings.Replace(vendorReport(canary, 1), `"individual"`, `"summary"`, 1)
	worse := strings.Replace(vendorReport(canary, 1), `"start":"2018-01-01",`, "", 1)
	w := f.imports("", "application/fhir+json", vendorBundle(vendorReport("p1", 1), bad, worse))
	resource, err := r4.Unmarshal(w.Body.Bytes())
	if err != nil || w.Code != http.StatusUnprocessableEntity {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	var places []string
	for _, issue := range resource.GetOperationOutcome().GetIssue() {
		place, _, _ := strings.Cut(issue.GetDetails().GetText().GetValue(), ":")
		places = append(places, place)
	}
	if !strings.Contains(strings.Join(places, " "), "entry 3") {
		t.Errorf("the places are %v: %s", places, w.Body)
	}
	if strings.Contains(w.Body.String()+f.log.String(), canary) {
		t.Errorf("a patient is named: %s %s", w.Body, f.log)
	}
	if len(f.importer.taken) > 0 {
		t.Errorf("some were taken: %v", f.importer.taken)
	}
	if event := audited(t, f); event["outcome"] == "0" {
		t.Errorf("audited as a success: %v", event)
	}
}

func TestImportsThatAreRefused(t *testing.T) {
	t.Parallel()
	const json = "application/fhir+json"
	good := vendorReport("p1", 1)
	for _, tt := range []struct {
		name, query, kind, text string
		change                  func(*server.Config)
		status                  int
		code                    string
	}{
		{"no importer", "", json, good, func(c *server.Config) { c.Importer = nil },
			501, "NOT_SUPPORTED"},
		{"a form", "", "application/x-www-form-urlencoded", good, nil, 415, "NOT_SUPPORTED"},
		{"a parameter that there is not", "?colour=red", json, good, nil, 400, "NOT_SUPPORTED"},
		{"a scoring that there is not", "?scoring=best", json, good, nil, 400, "VALUE"},
		{"too long", "", json, good, func(c *server.Config) { c.MaxImport = 100 }, 413, "TOO_LONG"},
		{"a store that is full", "", json, good, func(c *server.Config) {
			c.Importer = &fakeImporter{broken: errors.New("disk full")}
		}, 500, "EXCEPTION"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			change := []func(*server.Config){}
			if tt.change != nil {
				change = append(change, tt.change)
			}
			w := newFixture(t, change...).imports(tt.query, tt.kind, tt.text)
			if code, said := outcome(t, w.Body.Bytes()); w.Code != tt.status || code != tt.code {
				t.Errorf("%d %s (%s), want %d %s", w.Code, code, said, tt.status, tt.code)
			}
		})
	}
}
