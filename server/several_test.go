package server_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	rpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
)

const several = "/fhir/Measure/$evaluate?periodStart=2018&periodEnd=2018"

// returned is the Parameters of an answer: for each Bundle the type and the subject of each report.
func returned(t *testing.T, text []byte) [][]string {
	t.Helper()
	resource, err := r4.Unmarshal(text)
	if err != nil || resource.GetParameters() == nil {
		t.Fatalf("not Parameters: %s", text)
	}
	all := [][]string{}
	for _, parameter := range resource.GetParameters().GetParameter() {
		if parameter.GetName().GetValue() != "return" {
			t.Errorf("a parameter is called %s", parameter.GetName().GetValue())
		}
		var packed rpb.ContainedResource
		if err := parameter.GetResource().UnmarshalTo(&packed); err != nil {
			t.Fatal(err)
		}
		var reports []string
		for _, entry := range packed.GetBundle().GetEntry() {
			made := entry.GetResource().GetMeasureReport()
			reports = append(reports,
				made.GetType().GetValue().String()+" "+made.GetSubject().GetPatientId().GetValue())
			if made.GetPeriod().GetStart() == nil || made.GetPeriod().GetEnd() == nil {
				t.Error("a report has no period")
			}
		}
		all = append(all, reports)
	}
	return all
}

func TestSeveralMeasuresAtOnce(t *testing.T) {
	t.Parallel()
	const canonical = "https://equitylens.org/fhir/Measure/"
	two := "&measureUrl=" + url.QueryEscape(canonical+"length-of-stay|1.0.0") +
		"&measureId=ed-left-without-being-seen"
	tests := []struct {
		name, query, scopes string
		want                [][]string
	}{
		{"a population is one Bundle", two + "&reportType=population", reportScope,
			[][]string{{"SUMMARY ", "SUMMARY "}}},
		{"which is the default", two, reportScope, [][]string{{"SUMMARY ", "SUMMARY "}}},
		{"one measure named three times is one", "&measure=Measure/length-of-stay" +
			"&measureId=length-of-stay&measureUrl=" + url.QueryEscape(canonical+"length-of-stay"), reportScope,
			[][]string{{"SUMMARY "}}},
		{"a subject is one Bundle", two + "&subject=Patient/p1", listScope,
			[][]string{{"INDIVIDUAL p1", "INDIVIDUAL p1"}}},
		{"a Group of two is two", two + "&subject=Group/g&reportType=subject", listScope,
			[][]string{{"INDIVIDUAL p1", "INDIVIDUAL p1"}, {"INDIVIDUAL p2", "INDIVIDUAL p2"}}},
		{"a subjectGroup is counted", two + "&subjectGroup=Group/g", patientsScope,
			[][]string{{"SUMMARY ", "SUMMARY "}}},
		{"or reported on one by one", two + "&subjectGroup=Group/g&reportType=individual", listScope,
			[][]string{{"INDIVIDUAL p1", "INDIVIDUAL p1"}, {"INDIVIDUAL p2", "INDIVIDUAL p2"}}},
		{"a Group with a record that was merged", "&measureId=length-of-stay&subject=Group/merged",
			listScope, [][]string{{"INDIVIDUAL p1"}, {"INDIVIDUAL p2"}, {"INDIVIDUAL p3"}}},
		{"a Group of nobody is none", two + "&subject=Group/empty", listScope, [][]string{}},
		{"a subject list is one Bundle", two + "&reportType=subject-list", listScope,
			[][]string{{"SUBJECT_LIST ", "SUBJECT_LIST "}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newFixture(t).get(several+tt.query, tt.scopes)
			if w.Code != http.StatusOK {
				t.Fatalf("%d: %s", w.Code, w.Body)
			}
			if diff := cmp.Diff(tt.want, returned(t, w.Body.Bytes())); diff != "" {
				t.Errorf("GET %s (-want +got):\n%s", tt.query, diff)
			}
		})
	}
}

// TestSeveralMeasuresByPost gives the Group as a resource.
func TestSeveralMeasuresByPost(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	group := `{"name":"subjectGroup","resource":{"resourceType":"Group","type":"person","actual":true,
		"member":[{"entity":{"reference":"Patient/p2"}},{"entity":{"reference":"Patient/p1"}},
		{"entity":{"reference":"Patient/p3"},"inactive":true}]}}`
	w := f.postAs(listScope, "/fhir/Measure/$evaluate", date("periodStart", "2018"),
		date("periodEnd", "2018"), typed("measureId", "Id", "length-of-stay"),
		typed("measureUrl", "Canonical", "https://equitylens.org/fhir/Measure/reporting-ratio"),
		typed("reportType", "Code", "individual"), group)
	if w.Code != http.StatusOK {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	want := [][]string{{"INDIVIDUAL p2", "INDIVIDUAL p2"}, {"INDIVIDUAL p1", "INDIVIDUAL p1"}}
	if diff := cmp.Diff(want, returned(t, w.Body.Bytes())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if whom := audited(t, f)["whom"]; whom != "Patient/p2 Patient/p1 " {
		t.Errorf("audited are %s", whom)
	}
}

func TestSeveralMeasuresThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, query string
		status      int
		code        string
	}{
		{"no measure", "", 400, "REQUIRED"},
		{"a measure that there is not", "&measureId=length-of-stay&measureId=x", 404, "NOT_FOUND"},
		{"a provider of another type", "&measureId=length-of-stay&provider=Group/g", 400, "VALUE"},
		{"two words for one thing", "&measureId=length-of-stay&provider=x&practitioner=x",
			400, "INVALID"},
		{"a Group and a subject", "&measureId=length-of-stay&subject=p1&subjectGroup=g", 400, "CONFLICT"},
		{"individual without a subject", "&measureId=length-of-stay&reportType=individual",
			400, "REQUIRED"},
		{"a Group that there is not", "&measureId=length-of-stay&subjectGroup=x", 404, "NOT_FOUND"},
	} {
		w := newFixture(t).get(several+tt.query, patientsScope)
		if code, said := outcome(t, w.Body.Bytes()); w.Code != tt.status || code != tt.code {
			t.Errorf("%s = %d %s (%s), want %d %s", tt.name, w.Code, code, said, tt.status, tt.code)
		}
	}
	w := newFixture(t).postAs(listScope, "/fhir/Measure/$evaluate", date("periodStart", "2018"),
		date("periodEnd", "2018"), typed("measureId", "Id", "length-of-stay"),
		`{"name":"subjectGroup","resource":{"resourceType":"Group","type":"person","actual":true}}`)
	if code, _ := outcome(t, w.Body.Bytes()); w.Code != 400 || code != "VALUE" {
		t.Errorf("a Group without members = %d %s", w.Code, code)
	}
}

// TestAProviderIsAFilter asks by DEQM's word for it.
func TestAProviderIsAFilter(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.get(several+"&measureId=length-of-stay&provider=Practitioner/d1", internalScope)
	if diff := cmp.Diff([]string{"d1"}, f.measures.whole().Where["practitioner"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
