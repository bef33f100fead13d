package population_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

// about names the patient that a resource is about, by what is written.
func about(t *testing.T, line []byte) string {
	t.Helper()
	var r struct {
		ResourceType, ID string
		Subject          struct{ Reference string }
	}
	if err := json.Unmarshal(line, &r); err != nil {
		t.Fatal(err)
	}
	if r.ResourceType == "Patient" {
		return r.ID
	}
	ref, _, _ := strings.Cut(r.Subject.Reference, "/_history/")
	return ref[strings.LastIndexAny(ref, "/:")+1:]
}

func TestAboutIsWhatTheWholeExportSaysOfThePatient(t *testing.T) {
	t.Parallel()
	p := population.New(population.Config{Patients: 400, Seed: 5})
	for _, kind := range []population.Type{population.Patient, population.Encounter, population.AdverseEvent} {
		want := map[string][]string{}
		lines, _, more := p.Page(kind, p.AsOf().AddDate(-200, 0, 0), population.Cursor{}, 1<<20)
		if more {
			t.Fatal("the population has more than a page")
		}
		for _, line := range lines {
			want[about(t, line)] = append(want[about(t, line)], string(line))
		}
		for patient := range want {
			if !strings.HasPrefix(patient, population.CanaryPatientID) {
				continue
			}
			var got []string
			for _, line := range p.About(kind, patient) {
				got = append(got, string(line))
			}
			if d := cmp.Diff(want[patient], got); d != "" {
				t.Fatalf("About(%s, …) (-want +got):\n%s", kind, d)
			}
		}
	}
	if got := p.About(population.Encounter, "nobody"); got != nil {
		t.Errorf("About(nobody) = %s", got)
	}
}

func TestSituationsAreThere(t *testing.T) {
	t.Parallel()
	p := population.New(population.Config{Patients: 4000, Seed: 1})
	var names []string
	patients := map[string]bool{}
	for _, s := range p.Situations() {
		names = append(names, s.Name)
		patients[s.Patient] = true
		encounter, standing := p.Read(population.Encounter, s.Encounter)
		if standing != population.Current || about(t, encounter) != s.Patient {
			t.Errorf("%s: the encounter is not the patient's", s.Name)
		}
		patient, _ := p.Read(population.Patient, s.Patient)
		translator := strings.Contains(string(encounter), `"translator"`)
		has := func(text string) bool { return strings.Contains(string(patient)+string(encounter), text) }
		holds := map[string]bool{
			population.NoInterpreter:   !translator && !has(`"valueBoolean":false`),
			population.Interpreter:     translator && has("Practitioner/int-"),
			population.Relative:        translator && has("RelatedPerson/"),
			population.NeedUnasked:     !has("interpreter-needed") && has(`"communication"`),
			population.Declined:        has("asked-declined"),
			population.Conflict:        has("interpreterRequired") && has("interpreter-needed"),
			population.MissingData:     !has("us-core-race"),
			population.HarmEvent:       len(p.About(population.AdverseEvent, s.Patient)) > 0,
			population.NothingToReport: len(p.About(population.AdverseEvent, s.Patient)) == 0,
		}
		if !holds[s.Name] {
			t.Errorf("%s does not hold of\n%s\n%s", s.Name, patient, encounter)
		}
	}
	want := []string{population.NoInterpreter, population.Interpreter, population.Relative,
		population.NeedUnasked, population.Declined, population.Conflict, population.MissingData,
		population.HarmEvent, population.NothingToReport}
	if d := cmp.Diff(want, names); d != "" {
		t.Errorf("situations (-want +got):\n%s", d)
	}
	if len(patients) != len(names) {
		t.Errorf("%d patients for %d situations", len(patients), len(names))
	}
}
