package mapping

import (
	"slices"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/fhir"
)

// coder makes a resource whose element has a coding, and says what was read there.
func coder(element string) func(*Mapper, fhir.Coding) (Value, []Issue) {
	patient := func(fill func(*fhir.Patient, fhir.Coding), read func(*Patient) Value) func(*Mapper, fhir.Coding) (Value, []Issue) {
		return func(m *Mapper, c fhir.Coding) (Value, []Issue) {
			var in fhir.Patient
			fill(&in, c)
			out, issues := m.Patient(&in, nil)
			return read(&out), issues
		}
	}
	encounter := func(fill func(*fhir.Encounter, fhir.Coding), read func(*Encounter) Value) func(*Mapper, fhir.Coding) (Value, []Issue) {
		return func(m *Mapper, c fhir.Coding) (Value, []Issue) {
			in := fhir.Encounter{Subject: fhir.Reference{Reference: "Patient/1"}, Status: "finished"}
			fill(&in, c)
			out, issues := m.Encounter(&in, nil)
			return read(&out), issues
		}
	}
	event := func(fill func(*fhir.AdverseEvent, fhir.CodeableConcept), read func(*AdverseEvent) Value) func(*Mapper, fhir.Coding) (Value, []Issue) {
		return func(m *Mapper, c fhir.Coding) (Value, []Issue) {
			in := fhir.AdverseEvent{
				Actuality: "actual", Date: "2018-01-01", Subject: fhir.Reference{Reference: "Patient/1"},
			}
			fill(&in, fhir.CodeableConcept{Coding: []fhir.Coding{c}})
			out, issues := m.AdverseEvent(&in, nil)
			return read(&out), issues
		}
	}
	one := func(c fhir.Coding) fhir.CodeableConcept { return fhir.CodeableConcept{Coding: []fhir.Coding{c}} }
	switch element {
	case "Patient.extension(us-core-race).ombCategory":
		return patient(func(p *fhir.Patient, c fhir.Coding) {
			p.Extension = []fhir.Extension{race(inner("ombCategory", c.System, c.Code))}
		}, func(p *Patient) Value { return p.Race })
	case "Patient.extension(us-core-ethnicity).detailed":
		return patient(func(p *fhir.Patient, c fhir.Coding) {
			p.Extension = []fhir.Extension{ethnicity(inner("detailed", c.System, c.Code))}
		}, func(p *Patient) Value { return p.Ethnicity })
	case "Patient.extension(us-core-interpreter-needed)":
		return patient(func(p *fhir.Patient, c fhir.Coding) {
			p.Extension = needExtension(extensionNeeded, c.System, c.Code)
		}, func(p *Patient) Value { return p.InterpreterNeed })
	case "Patient.communication.language":
		return patient(func(p *fhir.Patient, c fhir.Coding) {
			p.Communication = []fhir.Communication{{Language: one(c)}}
		}, func(p *Patient) Value { return p.Language })
	case classElement:
		return encounter(func(e *fhir.Encounter, c fhir.Coding) { e.Class = c }, func(e *Encounter) Value { return e.Class })
	case dispositionElement:
		return encounter(func(e *fhir.Encounter, c fhir.Coding) { e.Hospitalization.DischargeDisposition = one(c) },
			func(e *Encounter) Value { return e.Disposition })
	case "AdverseEvent.category":
		return event(func(a *fhir.AdverseEvent, c fhir.CodeableConcept) { a.Category = []fhir.CodeableConcept{c} },
			func(a *AdverseEvent) Value { return a.Category })
	case "AdverseEvent.severity":
		return event(func(a *fhir.AdverseEvent, c fhir.CodeableConcept) { a.Severity = c }, func(a *AdverseEvent) Value { return a.Severity })
	case "AdverseEvent.seriousness":
		return event(func(a *fhir.AdverseEvent, c fhir.CodeableConcept) { a.Seriousness = c },
			func(a *AdverseEvent) Value { return a.Seriousness })
	case "AdverseEvent.outcome":
		return event(func(a *fhir.AdverseEvent, c fhir.CodeableConcept) { a.Outcome = c }, func(a *AdverseEvent) Value { return a.Outcome })
	}
	return nil
}

// TestTargetsAreReadWhereTheyAreOffered translates a local code to every target of every element.
func TestTargetsAreReadWhereTheyAreOffered(t *testing.T) {
	t.Parallel()
	const local = "urn:local"
	for _, element := range []string{
		"Patient.extension(us-core-race).ombCategory", "Patient.extension(us-core-ethnicity).detailed",
		"Patient.extension(us-core-interpreter-needed)", "Patient.communication.language", classElement,
		dispositionElement, "AdverseEvent.category", "AdverseEvent.severity", "AdverseEvent.seriousness",
		"AdverseEvent.outcome",
	} {
		t.Run(element, func(t *testing.T) {
			t.Parallel()
			read := coder(element)
			plain := mapper(t, Config{})
			v, issues := read(plain, fhir.Coding{System: local, Code: "7"})
			if v.State != Unmapped || len(issues) != 1 || issues[0].Element != element {
				t.Fatalf("before: %+v, %+v, want that the code is unmapped in %s", v, issues, element)
			}
			for _, target := range Targets(element) {
				// The last of a path would refuse a second rule, so each has a mapper of its own.
				m := mapper(t, Config{RaceTable: plain.races, ConceptMaps: []ConceptMap{
					parse(t, "a.json", conceptMap(local, target.System, "7", target.Code))}})
				v, issues := read(m, fhir.Coding{System: local, Code: "7"})
				unmapped := slices.ContainsFunc(issues, func(i Issue) bool { return i.Kind == UnmappedCode })
				if v.State != target.State || unmapped {
					t.Errorf("%s|%s: %+v, %+v, want the state %s", target.System, target.Code, v, issues, target.State)
				}
			}
		})
	}
}

// TestEveryElementThatReadsCodesHasTargets holds that what is offered is read at all, and that the main
// ones are few.
func TestEveryElementThatReadsCodesHasTargets(t *testing.T) {
	t.Parallel()
	m := mapper(t, Config{})
	for _, element := range []string{
		"Patient.extension(us-core-race)", "Patient.extension(us-core-race).detailed",
		"Patient.extension(us-core-ethnicity).ombCategory", "Patient.extension(patient-interpreterRequired)",
		"Encounter.extension(us-core-interpreter-needed)", "Encounter.extension(patient-interpreterRequired)",
		"Patient.communication.language", "Patient.gender", classElement, statusElement, priorityElement,
		dispositionElement, "AdverseEvent.actuality", "AdverseEvent.category", "AdverseEvent.severity",
		"AdverseEvent.seriousness", "AdverseEvent.outcome", factorElement,
	} {
		list, main := Targets(element), 0
		for _, target := range list {
			if !m.reads(fhir.Coding{System: target.System, Code: target.Code}) {
				t.Errorf("%s: nothing reads %s|%s", element, target.System, target.Code)
			}
			if target.Main {
				main++
			}
		}
		if main < 5 || main > 45 {
			t.Errorf("%s: %d of %d targets are the main ones", element, main, len(list))
		}
	}
	for _, element := range []string{"", "Patient.birthDate", "Encounter.meta.lastUpdated", strings.Repeat("x", 99)} {
		if list := Targets(element); len(list) > 0 {
			t.Errorf("%q has the targets %v", element, list)
		}
	}
}
