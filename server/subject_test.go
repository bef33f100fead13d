package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	mrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_report_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/server"
)

// report asks for one MeasureReport.
func (f *fixture) report(t *testing.T, target, scopes string) *mrpb.MeasureReport {
	t.Helper()
	w := f.get(target, scopes)
	resource, err := r4.Unmarshal(w.Body.Bytes())
	if err != nil || w.Code != http.StatusOK || resource.GetMeasureReport() == nil {
		t.Fatalf("GET %s = %d: %s", target, w.Code, w.Body)
	}
	return resource.GetMeasureReport()
}

// counts are the sizes of the populations of the first group, in order.
func counts(made *mrpb.MeasureReport) string {
	var all []string
	for _, p := range made.GetGroup()[0].GetPopulation() {
		all = append(all, fmt.Sprint(p.GetCount().GetValue()))
	}
	return strings.Join(all, " ")
}

// listScope covers patients alone, not figures of small groups.
const listScope = reportScope + ",equitylens/patients"

func TestAReportOfOneSubject(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, query, subject, counts string
	}{
		{"by the default", "&subject=Patient/p1", "p1", "2 2 0 1"},
		{"in R4's word", "&subject=Patient/p1&reportType=subject", "p1", "2 2 0 1"},
		{"in DEQM's word", "&subject=p2&reportType=individual", "p2", "1 1 0 0"},
		{"by address", "&subject=https://quality.example.org/fhir/Patient/p2", "p2", "1 1 0 0"},
		{"of a patient without a unit", "&subject=Patient/p3", "p3", "0 0 0 0"},
		{"of a record that was merged", "&subject=Patient/p4", "p1", "2 2 0 1"},
		{"with what was received", "&subject=Patient/p1&lastReceivedOn=2019-01-01", "p1", "2 2 0 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			made := f.report(t, edOf2018+tt.query, listScope)
			if got := made.GetType().GetValue().String(); got != "INDIVIDUAL" {
				t.Errorf("the type is %s", got)
			}
			if got := made.GetSubject().GetPatientId().GetValue(); got != tt.subject {
				t.Errorf("the subject is %s, want %s", got, tt.subject)
			}
			populations := counts(made)
			if diff := cmp.Diff(tt.counts, populations); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
			if events := f.trail.named(); len(events) != 1 {
				t.Errorf("%d events are audited, want 1", len(events))
			}
		})
	}
}

func TestAListOfSubjects(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	w := f.get(edOf2018+"&reportType=subject-list", listScope)
	resource, err := r4.Unmarshal(w.Body.Bytes())
	if err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	if got := resource.GetMeasureReport().GetType().GetValue().String(); got != "SUBJECT_LIST" {
		t.Errorf("the type is %s", got)
	}
	for _, want := range []string{`"reference":"Patient/p1"`, `"reference":"Patient/p2"`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the list has no %s", want)
		}
	}
	if w.Header().Get("ETag") != "" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("a list may be kept: %v", w.Header())
	}
	if detail := audited(t, f)["patients"]; detail != "2" {
		t.Errorf("%s patients are audited, want 2", detail)
	}
	w = newFixture(t).get(edOf2018+"&reportType=subject-list&subject=Group/empty", listScope)
	if strings.Contains(w.Body.String(), "Patient/p") || w.Code != http.StatusOK {
		t.Errorf("a list of nobody = %d: %s", w.Code, w.Body)
	}
}

// audited is what the one event that was audited says: its details, and outcome, who and whom.
func audited(t *testing.T, f *fixture) map[string]string {
	t.Helper()
	events := f.trail.named()
	if len(events) != 1 || strings.Contains(events[0], "\n") {
		t.Fatalf("audited is %q, want one line", events)
	}
	resource, err := r4.Unmarshal([]byte(events[0]))
	if err != nil || resource.GetAuditEvent() == nil {
		t.Fatalf("not a valid AuditEvent: %s", events[0])
	}
	var event struct {
		Outcome string
		Agent   []struct {
			Who    struct{ Identifier struct{ Value string } }
			Policy []string
		}
		Entity []struct {
			Type struct{ Code string }
			What struct {
				Reference, Display string
				Identifier         struct{ Value string }
			}
			Detail []struct{ Type, ValueString string }
		}
	}
	if err := json.Unmarshal([]byte(events[0]), &event); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{
		"outcome": event.Outcome, "who": event.Agent[0].Who.Identifier.Value,
		"token": event.Agent[0].Policy[0],
	}
	for _, entity := range event.Entity {
		switch {
		case entity.What.Reference != "":
			out["whom"] += entity.What.Reference + " "
		case entity.What.Display != "":
			out["measure"] += entity.What.Display + " "
		case entity.Type.Code == "XrequestId":
			out["request"] = entity.What.Identifier.Value
		}
		for _, detail := range entity.Detail {
			out[detail.Type] = detail.ValueString
		}
	}
	return out
}

// TestEveryQuestionAboutPatientsIsAudited, whatever came of it, and by whom.
func TestEveryQuestionAboutPatientsIsAudited(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, query, scopes string
		status              int
		code                string
		want                map[string]string
	}{
		{"a report of one", "&subject=Patient/p1", listScope, 200, "",
			map[string]string{"outcome": "0", "whom": "Patient/p1 ", "patients": "1",
				"reportType": "individual"}},
		{"counts of a group", "&subject=Group/g", patientsScope, 200, "",
			map[string]string{"outcome": "0", "whom": "Group/g ", "patients": "2", "reportType": "summary"}},
		{"a patient whom nobody knows", "&subject=Patient/stranger", listScope, 404, "NOT_FOUND",
			map[string]string{"outcome": "4", "whom": "Patient/stranger ", "patients": "0",
				"reportType": "individual"}},
		{"a group that nobody knows", "&subject=Group/x", patientsScope, 404, "NOT_FOUND",
			map[string]string{"outcome": "4", "whom": "Group/x ", "patients": "0", "reportType": "summary"}},
		{"a token that does not cover it", "&subject=Patient/p1", internalScope, 403, "FORBIDDEN",
			map[string]string{"outcome": "4", "whom": "Patient/p1 ", "patients": "0",
				"reportType": "individual"}},
		{"a list with a token that does not cover it", "&reportType=subject-list", internalScope,
			403, "FORBIDDEN", map[string]string{"outcome": "4", "patients": "0",
				"reportType": "subject-list"}},
		{"counts of a group for the public", "&subject=Group/g", listScope, 403, "SUPPRESSED",
			map[string]string{"outcome": "4", "whom": "Group/g ", "patients": "0", "reportType": "summary"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			w := f.get(edOf2018+tt.query, tt.scopes)
			if w.Code != tt.status {
				t.Fatalf("%d, want %d: %s", w.Code, tt.status, w.Body)
			}
			if tt.code != "" {
				if code, _ := outcome(t, w.Body.Bytes()); code != tt.code {
					t.Errorf("the code is %s, want %s", code, tt.code)
				}
			}
			for name, value := range map[string]string{
				"who": "quality-department", "token": "token-1", "period": "2018-01-01/2018-12-31",
				"measure":  "https://equitylens.org/fhir/Measure/ed-left-without-being-seen|1.0.0 ",
				"snapshot": "20190102T030405Z-1f2e", "request": "00000000-0000-4000-8000-000000000001",
			} {
				tt.want[name] = value
			}
			if diff := cmp.Diff(tt.want, audited(t, f)); diff != "" {
				t.Errorf("audited (-want +got):\n%s", diff)
			}
		})
	}
}

// TestNoAnswerWithoutItsRecord: what cannot be audited is not said.
func TestNoAnswerWithoutItsRecord(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.trail.broken = errors.New("the trail is full")
	w := f.get(edOf2018+"&subject=Patient/p1", listScope)
	if code, _ := outcome(t, w.Body.Bytes()); w.Code != 500 || code != "EXCEPTION" {
		t.Errorf("%d %s, want 500: %s", w.Code, code, w.Body)
	}
	if !strings.Contains(f.log.String(), "the trail is full") {
		t.Errorf("the cause is not logged: %s", f.log)
	}
}

func TestQuestionsAboutPatientsThatAreRefused(t *testing.T) {
	t.Parallel()
	without := map[string]func(*server.Config){
		"auditor":  func(c *server.Config) { c.Auditor = nil },
		"members":  func(c *server.Config) { c.Members = nil },
		"patients": func(c *server.Config) { c.Patients = nil },
		"groups":   func(c *server.Config) { c.Groups = nil },
		"one":      func(c *server.Config) { c.MaxSubjects = 1 },
		"":         func(*server.Config) {},
	}
	for _, tt := range []struct {
		name, without, query string
		status               int
		code                 string
	}{
		{"without an audit trail", "auditor", "&subject=Patient/p1", 501, "NOT_SUPPORTED"},
		{"a list without an audit trail", "auditor", "&reportType=subject-list", 501, "NOT_SUPPORTED"},
		{"without members", "members", "&subject=Patient/p1", 501, "NOT_SUPPORTED"},
		{"without patients", "patients", "&subject=Patient/p1", 501, "NOT_SUPPORTED"},
		{"without groups", "groups", "&subject=Group/g", 501, "NOT_SUPPORTED"},
		{"a list that is too long", "one", "&reportType=subject-list", 422, "TOO_COSTLY"},
		{"one report of a group", "", "&subject=Group/g&reportType=subject", 400, "BUSINESS_RULE"},
		{"a list for the public", "", "&reportType=subject-list&audience=public", 400, "CONFLICT"},
		{"a group and a subject", "", "&subject=Patient/p1&subjectGroup=Group/g", 400, "NOT_SUPPORTED"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newFixture(t, without[tt.without]).get(edOf2018+tt.query, patientsScope)
			if code, said := outcome(t, w.Body.Bytes()); w.Code != tt.status || code != tt.code {
				t.Errorf("%d %s (%s), want %d %s", w.Code, code, said, tt.status, tt.code)
			}
		})
	}
}

// TestAListThatComesLater is audited when it is made, and asks for the scope again when it is
// fetched.
func TestAListThatComesLater(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	at := f.finished(t, edOf2018+"&reportType=subject-list", listScope)
	if w := f.get(at, listScope); !strings.Contains(w.Body.String(), "Patient/p1") || w.Code != 200 {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
	if w := f.get(at, reportScope); w.Code != http.StatusForbidden {
		t.Errorf("without the scope = %d", w.Code)
	}
	if got := audited(t, f)["outcome"]; got != "0" {
		t.Errorf("the outcome is %s", got)
	}
	for key, life := range f.jobs.lives {
		if life <= 0 || life.Hours() > 1 {
			t.Errorf("%s lives for %v", key, life)
		}
	}
}
