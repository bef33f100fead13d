package fhirtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

// crowded is the situation with the most encounters, and somebody else's.
func crowded(v *visitor) (own, other Situation) {
	list := v.server.Situations()
	p := v.server.population.Load()
	slices.SortFunc(list, func(a, b Situation) int {
		return len(p.About(population.Encounter, b.Patient)) - len(p.About(population.Encounter, a.Patient))
	})
	return list[0], list[1]
}

func TestChartSearchSortsAndPages(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{})
	v.chart, _ = crowded(v)
	v.visits(chartScopes)
	whole := v.server.population.Load().About(population.Encounter, v.chart.Patient)
	if len(whole) < 8 {
		t.Fatalf("%d Encounters are too few for this test", len(whole))
	}
	for _, target := range []string{"/Encounter?patient=" + v.chart.Patient, "/Encounter?subject=Patient/" + v.chart.Patient,
		"/Encounter?patient=" + v.base + "/Patient/" + v.chart.Patient, "/Encounter?status=finished,in-progress,cancelled,planned,entered-in-error"} {
		list, pages := v.search(target + "&_sort=-date&_count=7")
		if len(list) != len(whole) || pages != (len(whole)+6)/7 {
			t.Fatalf("%s: %d of %d Encounters on %d pages", target, len(list), len(whole), pages)
		}
		last := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
		ids := map[string]bool{}
		for _, line := range list {
			c := chartEntryOf(line)
			if at := moment(c.Period.Start); at.After(last) {
				t.Errorf("%s: %v comes after %v", target, at, last)
			} else {
				last = at
			}
			ids[c.ID] = true
		}
		if len(ids) != len(whole) {
			t.Errorf("%s: %d different Encounters", target, len(ids))
		}
	}
	up, _ := v.search("/Encounter?_sort=date")
	down, _ := v.search("/Encounter?_sort=-date")
	slices.Reverse(down)
	first, last := chartEntryOf(up[0]), chartEntryOf(down[0])
	if !moment(first.Period.Start).Equal(moment(last.Period.Start)) {
		t.Error("_sort=date is not -date turned round")
	}
	one, _ := v.search("/Encounter?_id=" + first.ID)
	if len(one) != 1 || chartEntryOf(one[0]).ID != first.ID {
		t.Errorf("_id found %d", len(one))
	}
}

func TestMoment(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		want     time.Time
	}{
		{"an instant", "2025-03-01T10:00:00Z", time.Date(2025, 3, 1, 10, 0, 0, 0, time.UTC)},
		{"the hospitals' zone", "2025-03-01T03:00:00-07:00", time.Date(2025, 3, 1, 10, 0, 0, 0, time.UTC)},
		{"a date", "2025-03-01", time.Date(2025, 3, 1, 7, 0, 0, 0, time.UTC)},
		{"nothing", "", time.Time{}},
		{"no date", "soon", time.Time{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := moment(tt.in); !got.Equal(tt.want) {
				t.Errorf("moment(%q) = %v, want %v", tt.in, got, tt.want)
			}
		})
	}
}

func TestPatientScopesReachOnePatient(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{})
	own, other := crowded(v)
	v.chart = own
	v.visits(chartScopes + " patient/Organization.rs")
	event := ""
	for _, s := range v.server.Situations() {
		if lines := v.server.population.Load().About(population.AdverseEvent, s.Patient); s.Patient != own.Patient && len(lines) > 0 {
			event = chartEntryOf(lines[0]).ID
		}
	}
	tests := []struct {
		target string
		want   int
	}{
		{"/Patient/" + own.Patient, 200},
		{"/Patient/" + other.Patient, 404},
		{"/Patient?_id=" + own.Patient, 200},
		{"/Patient", 200},
		{"/Encounter/" + own.Encounter, 200},
		{"/Encounter/" + other.Encounter, 404},
		{"/Encounter?patient=" + own.Patient, 200},
		{"/Encounter?patient=" + other.Patient, 403},
		{"/Encounter?patient=" + own.Patient + "&subject=Patient/" + other.Patient, 400},
		{"/Encounter?patient=" + own.Patient + "&colour=green", 400},
		{"/Encounter?_sort=colour", 400},
		{"/AdverseEvent?subject=Patient/" + own.Patient, 200},
		{"/AdverseEvent?patient=" + own.Patient, 400},
		{"/AdverseEvent?subject=" + other.Patient, 403},
		{"/AdverseEvent/" + event, 404},
		{"/Organization", 200},
		{"/Organization/org-main", 200},
		{"/Practitioner/rosa-delmar", 200},
		{"/Practitioner/theo-marsh", 403},
		{"/Observation?patient=" + own.Patient, 404},
	}
	for _, tt := range tests {
		if status, _, body := v.get(tt.target); status != tt.want {
			t.Errorf("%s: status %d, want %d: %s", tt.target, status, tt.want, body)
		}
	}
	for _, target := range []string{"/Patient", "/Encounter", "/AdverseEvent", "/Patient?_id=" + other.Patient} {
		list, _ := v.search(target)
		for _, line := range list {
			if subjectOf(line) != own.Patient {
				t.Errorf("%s found somebody else's", target)
			}
		}
	}
	request := v.request(http.MethodGet, "/$export", nil)
	request.Header.Set("Prefer", "respond-async")
	if status, _, _ := v.send(request); status != 403 {
		t.Errorf("export with a user's token: status %d, want 403", status)
	}
}

func TestScopesOfAUserMatrix(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{})
	own, other := crowded(v)
	v.chart = own
	ask := func(scope string) []int {
		v.visits("launch " + scope)
		var got []int
		for _, target := range []string{"/Patient/" + own.Patient, "/Patient/" + other.Patient,
			"/Encounter/" + own.Encounter, "/Encounter?patient=" + own.Patient, "/Encounter?patient=" + other.Patient} {
			status, _, _ := v.get(target)
			got = append(got, status)
		}
		return got
	}
	for scope, want := range map[string][]int{
		"patient/*.rs":                           {200, 404, 200, 200, 403},
		"patient/*.read":                         {200, 404, 200, 200, 403},
		"patient/*.*":                            {200, 404, 200, 200, 403},
		"patient/Patient.r":                      {200, 404, 403, 403, 403},
		"patient/Encounter.s":                    {403, 403, 403, 200, 403},
		"patient/Encounter.r":                    {403, 403, 200, 403, 403},
		"user/*.rs":                              {200, 200, 200, 200, 200},
		"user/Patient.read":                      {200, 200, 403, 403, 403},
		"patient/*.rs user/Encounter.rs":         {200, 404, 200, 200, 200},
		"patient/Patient.write user/Patient.cud": {403, 403, 403, 403, 403},
	} {
		if d := cmp.Diff(want, ask(scope)); d != "" {
			t.Errorf("%s: own patient, another, own encounter, own encounters, another's (-want +got):\n%s", scope, d)
		}
	}
}

func TestWithheldScopes(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{Withhold: []string{"patient/AdverseEvent.rs"}})
	out := v.visits(chartScopes)
	if scope, _ := out["scope"].(string); strings.Contains(scope, "AdverseEvent") || !strings.Contains(scope, "Patient") {
		t.Errorf("scope = %q", scope)
	}
	if status, _, _ := v.get("/AdverseEvent?subject=Patient/" + v.chart.Patient); status != 403 {
		t.Errorf("search: status %d, want 403", status)
	}
}

func TestPractitionerIsTheUser(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{})
	v.visits(chartScopes)
	_, _, body := v.get("/Practitioner/rosa-delmar")
	var got struct {
		ResourceType, ID string
		Name             []struct{ Text string }
	}
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if got.ResourceType != "Practitioner" || got.ID != "rosa-delmar" || got.Name[0].Text != "Rosa Delmar, MD" {
		t.Errorf("Practitioner = %s", body)
	}
	v.visits("launch user/Practitioner.r")
	for id, want := range map[string]int{"theo-marsh": 200, "ghost": 404} {
		if status, _, _ := v.get("/Practitioner/" + id); status != want {
			t.Errorf("Practitioner %s: status %d, want %d", id, status, want)
		}
	}
}
