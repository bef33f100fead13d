package server_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestWhatTokensOpen is row 39 of the faults: who may read a MeasureReport with what, in the
// spelling of SMART 1 and 2, as a program and as a person.
func TestWhatTokensOpen(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, scopes    string
		program, person int
	}{
		{"its own", "system/MeasureReport.rs", 200, 403},
		{"its own of a person", "user/MeasureReport.rs", 403, 200},
		{"its own of a patient", "patient/MeasureReport.rs", 403, 403},
		{"of both", "system/MeasureReport.rs,user/MeasureReport.rs", 200, 200},
		{"every type", "system/*.rs", 200, 403},
		{"every type of a person", "user/*.rs", 403, 200},
		{"every action", "system/MeasureReport.cruds", 200, 403},
		{"every action of a person", "user/*.cruds", 403, 200},
		{"SMART 1", "system/MeasureReport.read", 200, 403},
		{"SMART 1 of a person", "user/MeasureReport.read", 403, 200},
		{"SMART 1, everything", "user/*.*", 403, 200},
		{"SMART 1, writing alone", "system/MeasureReport.write,user/MeasureReport.write", 403, 403},
		{"reading alone", "system/MeasureReport.r,user/MeasureReport.r", 403, 403},
		{"searching alone", "system/MeasureReport.s,user/MeasureReport.s", 403, 403},
		{"reading and searching apart",
			"system/MeasureReport.r,system/*.s,user/MeasureReport.r,user/*.s", 200, 200},
		{"limited by a search parameter",
			"system/MeasureReport.rs?status=complete,user/MeasureReport.rs?status=complete", 403, 403},
		{"another type", "system/Measure.rs,user/Measure.rs", 403, 403},
		{"a type that begins alike", "system/MeasureReportX.rs,user/MeasureReportX.rs", 403, 403},
		{"one of ours", "equitylens/unsuppressed,equitylens/admin", 403, 403},
		{"halves of two contexts", "system/MeasureReport.r,user/MeasureReport.s", 403, 403},
	}
	f := newFixture(t)
	const target = "/fhir/MeasureReport/length-of-stay.20180101.20181231"
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for who, want := range map[string]int{"app@": tt.program, "app+ann@": tt.person} {
				w := f.get(target, who+tt.scopes)
				if w.Code != want {
					t.Errorf("%s%s = %d, want %d: %s", who, tt.scopes, w.Code, want, w.Body)
				}
			}
		})
	}
}

// TestScopesPerType: what is granted for one type opens that one and no other (row 6 of the
// checklist).
func TestScopesPerType(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	targets := map[string]string{
		"Measure": "/fhir/Measure", "Library": "/fhir/Library", "MeasureReport": "/fhir/MeasureReport",
		"AuditEvent": "/fhir/AuditEvent",
	}
	for granted := range targets {
		for kind, target := range targets {
			want := http.StatusForbidden
			if kind == granted {
				want = http.StatusOK
			}
			for _, token := range []string{"app@system/", "app+ann@user/"} {
				if w := f.get(target, token+granted+".rs"); w.Code != want {
					t.Errorf("GET %s with %s%s.rs = %d, want %d", target, token, granted, w.Code, want)
				}
			}
		}
	}
}

// TestScopesOfOursAreTheSameForPeople: they are for both, each by its name.
func TestScopesOfOursAreTheSameForPeople(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for token, want := range map[string]int{
		"app+ann@equitylens/sync": 200, "app@equitylens/sync": 200,
		"app+ann@user/*.cruds": 403, "app@system/*.cruds": 403,
	} {
		if w := f.get("/sync", token); w.Code != want {
			t.Errorf("GET /sync with %s = %d, want %d", token, w.Code, want)
		}
	}
	w := f.get(edOf2018+"&subject=Patient/p1", "app+ann@user/MeasureReport.rs,equitylens/patients,"+
		"equitylens/unsuppressed")
	if w.Code != http.StatusOK {
		t.Errorf("a person who may ask about patients = %d: %s", w.Code, w.Body)
	}
}

// TestJobsBelongToWhoAsked is row 39 of the faults: to another program, to another person at the
// same program, to the program itself and to the same person at another one there is no such job,
// in the words in which there is none at all.
func TestJobsBelongToWhoAsked(t *testing.T) {
	t.Parallel()
	const program, person = "@system/MeasureReport.rs", "@user/MeasureReport.rs"
	owners := []string{"app" + program, "app+ann" + person, "app+bob" + person, "other+ann" + person,
		"other" + program}
	f := newFixture(t)
	for _, owner := range owners {
		at := f.finished(t, edOf2018, owner)
		none := f.get("/fhir/$job/nothing", owner)
		for _, who := range owners {
			w := f.get(at, who)
			if who == owner {
				if w.Code != http.StatusOK {
					t.Errorf("the job of %s is %d to them", owner, w.Code)
				}
				continue
			}
			if w.Code != http.StatusNotFound || w.Body.String() != none.Body.String() {
				t.Errorf("the job of %s is %d to %s: %s", owner, w.Code, who, w.Body)
			}
			if w := f.call(http.MethodDelete, at, "", "Authorization: Bearer "+who); w.Code != 404 {
				t.Errorf("%s deletes the job of %s: %d", who, owner, w.Code)
			}
		}
		if w := f.get(at, owner); w.Code != http.StatusOK {
			t.Errorf("the job of %s is gone: %d", owner, w.Code)
		}
	}
}

// TestAPersonsJobsAreCountedAlone: one person at a program does not use up the places of another.
func TestAPersonsJobsAreCountedAlone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const ann, bob = "app+ann@user/MeasureReport.rs", "app+bob@user/MeasureReport.rs"
	for range 10 {
		f.finished(t, edOf2018, ann)
	}
	if w := f.kickOff(edOf2018, ann); w.Code != http.StatusTooManyRequests {
		t.Errorf("the eleventh job = %d", w.Code)
	}
	if w := f.kickOff(edOf2018, bob); w.Code != http.StatusAccepted {
		t.Errorf("the first job of another = %d", w.Code)
	}
}

func TestABatchIsThatOfItsPerson(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	w := f.batch("batch", "app+ann@user/MeasureReport.rs,user/Measure.rs",
		entry("GET", "Measure/length-of-stay"), entry("GET", "AuditEvent"))
	body := w.Body.String()
	if w.Code != http.StatusOK || !strings.Contains(body, `"200 OK"`) ||
		!strings.Contains(body, `"403 Forbidden"`) {
		t.Errorf("%d: %s", w.Code, body)
	}
}
