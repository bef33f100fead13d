package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// reportsPath asks for one report of those that there are.
const reportsPath = "/fhir/MeasureReport?_count=1"

// scopeRows are what Inferno calls restricted scopes: what is asked for, and what of the API it opens.
func scopeRows() []struct{ name, asked, opens string } {
	return []struct{ name, asked, opens string }{
		{"version 1, one type", "user/Measure.read", "/fhir/Measure"},
		{"version 2, one type", "user/Measure.rs", "/fhir/Measure"},
		{"version 1, another type", "user/Library.read", "/fhir/Library"},
		{"version 2, another type", "user/Library.rs", "/fhir/Library"},
		{"reports", "user/MeasureReport.rs equitylens/unsuppressed", reportsPath},
		{"all types in version 1", "user/*.read equitylens/unsuppressed",
			"/fhir/Measure /fhir/Library " + reportsPath},
		{"all types in version 2", "user/*.rs equitylens/unsuppressed",
			"/fhir/Measure /fhir/Library " + reportsPath},
		{"all of version 2", "user/*.cruds equitylens/unsuppressed",
			"/fhir/Measure /fhir/Library " + reportsPath},
		{"a search parameter", "openid user/Measure.rs?status=active", ""},
		{"a chart, which we have not", "openid patient/Measure.rs launch/patient", ""},
	}
}

// TestConformanceA10 asks with the scopes of both versions, one type at a time.
func TestConformanceA10(t *testing.T) {
	t.Parallel()
	l := openLens(t)
	for _, c := range scopeRows() {
		held := l.tokens(t, analystUser, c.asked)
		opens := strings.Fields(c.opens)
		for _, path := range []string{"/fhir/Measure", "/fhir/Library", reportsPath, eventsPath, "/sync"} {
			want := http.StatusForbidden
			if slices.Contains(opens, path) {
				want = http.StatusOK
			}
			if got := l.status(path, held.Text("access_token")); got != want {
				t.Errorf("%s: %s = %d, want %d; granted %s", c.name, path, got, want, held.Text("scope"))
			}
		}
	}
	for scope, want := range map[string]int{
		"system/Measure.read": http.StatusOK, "system/Measure.rs": http.StatusOK,
		"system/MeasureReport.rs": http.StatusForbidden,
	} {
		if got := l.status("/fhir/Measure", l.token("robot", l.office, scope)); got != want {
			t.Errorf("a program with %s reads measures with %d, want %d", scope, got, want)
		}
	}
	l.end()
}

// TestConformanceRoles asks for everything as each kind of person.
func TestConformanceRoles(t *testing.T) {
	t.Parallel()
	l := openLens(t)
	const who = "openid fhirUser profile offline_access"
	const figures = " user/Measure.rs user/Library.rs user/MeasureReport.rs equitylens/unsuppressed"
	cases := []struct {
		user, granted, opens string
	}{
		{analystUser, who + figures, "/fhir/Measure " + figuresPath},
		{reviewerUser, who + figures + " equitylens/patients", "/fhir/Measure " + figuresPath},
		{adminUser, who + " user/AuditEvent.rs equitylens/admin", eventsPath},
		{clinicianUser, who, ""},
	}
	for _, c := range cases {
		held := l.tokens(t, c.user, everyScope)
		if got := sorted(held.Text("scope")); !slices.Equal(got, sorted(c.granted)) {
			t.Errorf("%s is granted %v, want %v", c.user, got, sorted(c.granted))
		}
		opens := strings.Fields(c.opens)
		for _, path := range []string{"/fhir/Measure", figuresPath, eventsPath, "/sync"} {
			want := http.StatusForbidden
			if slices.Contains(opens, path) {
				want = http.StatusOK
			}
			if got := l.status(path, held.Text("access_token")); got != want {
				t.Errorf("%s: %s = %d, want %d", c.user, path, got, want)
			}
		}
	}
	// An administrator sees who has come, and from where.
	admin := l.tokens(t, adminUser, everyScope).Text("access_token")
	_, trail := l.do(http.MethodGet, eventsPath+"?type=110114", admin, "")
	var found struct {
		Entry []struct {
			Resource struct {
				Agent []struct {
					Network struct{ Address, Type string }
				}
			}
		}
	}
	parse(t, trail, &found)
	if len(found.Entry) != len(cases)+1 {
		t.Errorf("the trail holds %d sign-ins, want %d", len(found.Entry), len(cases)+1)
	}
	for _, e := range found.Entry {
		if from := e.Resource.Agent[0].Network; from.Address != "127.0.0.1" {
			t.Errorf("somebody signed in from %q", from.Address)
		}
	}
	l.end()
}
