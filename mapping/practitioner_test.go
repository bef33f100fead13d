package mapping

import (
	"testing"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/internal/phi"
)

func TestPractitioner(t *testing.T) {
	t.Parallel()
	part := func(reference string, types ...fhir.CodeableConcept) fhir.Participant {
		return fhir.Participant{Type: types, Individual: fhir.Reference{Reference: reference}}
	}
	as := func(code string) fhir.CodeableConcept { return coded(systemParticipation, code) }
	translator := coded(systemParticipant, codeTranslator)
	tests := []struct {
		name string
		in   []fhir.Participant
		want string
	}{
		{"nobody", nil, ""},
		{"the only one, as nothing in particular", []fhir.Participant{part("Practitioner/1")}, "1"},
		{"the attender before who came first",
			[]fhir.Participant{part("Practitioner/1", as("CON")), part("Practitioner/2", as("ATND"))}, "2"},
		{"the first of attender and primary performer",
			[]fhir.Participant{part("Practitioner/1", as("PPRF")), part("Practitioner/2", as("ATND"))}, "1"},
		{"the name of the system in STU3", []fhir.Participant{part("Practitioner/1"),
			part("Practitioner/2", coded(systemParticipationSTU3, "ATND"))}, "2"},
		{"the same code of another system", []fhir.Participant{part("Practitioner/1"),
			part("Practitioner/2", coded("urn:other", "ATND"))}, "1"},
		{"a second type", []fhir.Participant{part("Practitioner/1"),
			part("Practitioner/2", as("CON"), as("ATND"))}, "2"},
		{"an attender who is a role, and a colleague", []fhir.Participant{
			part("PractitionerRole/9", as("ATND")), part("Practitioner/2", as("CON"))}, "2"},
		{"a translator alone", []fhir.Participant{part("Practitioner/1", translator)}, ""},
		{"a translator and another", []fhir.Participant{part("Practitioner/1", translator),
			part("Practitioner/2")}, "2"},
		{"an attender who translates", []fhir.Participant{part("Practitioner/1", translator, as("ATND")),
			part("Practitioner/2")}, "1"},
		{"a relative", []fhir.Participant{part("RelatedPerson/1", as("ATND"))}, ""},
		{"a reference without a type", []fhir.Participant{part("urn:uuid:1", as("ATND"))}, ""},
		{"an absolute reference", []fhir.Participant{part("https://ehr/fhir/Practitioner/1")}, "1"},
		{"a conditional reference",
			[]fhir.Participant{part("Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|99")}, "99"},
	}
	m := mapper(t, Config{})
	for _, tt := range tests {
		got, _ := m.Encounter(&fhir.Encounter{ID: "e", Participant: tt.in}, nil)
		if got.Practitioner != phi.New(tt.want) {
			t.Errorf("%s: practitioner = %q, want %q", tt.name, got.Practitioner.Reveal(), tt.want)
		}
	}
}

func TestGeneralPractitioner(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		in   []string
		want string
	}{
		{"none", nil, ""},
		{"one", []string{"Practitioner/1"}, "1"},
		{"the first of two", []string{"Practitioner/1", "Practitioner/2"}, "1"},
		{"behind a clinic and a role", []string{"Organization/1", "PractitionerRole/2", "Practitioner/3"}, "3"},
		{"contained", []string{"#gp"}, ""},
		{"words alone", []string{""}, ""},
	}
	m := mapper(t, Config{})
	for _, tt := range tests {
		in := fhir.Patient{ID: "p"}
		for _, r := range tt.in {
			in.GeneralPractitioner = append(in.GeneralPractitioner, fhir.Reference{Reference: r, Display: "Dr. X"})
		}
		got, _ := m.Patient(&in, nil)
		if got.GeneralPractitioner != phi.New(tt.want) {
			t.Errorf("%s: general practitioner = %q, want %q", tt.name, got.GeneralPractitioner.Reveal(), tt.want)
		}
	}
}
