package fhir_test

import (
	"testing"

	"github.com/equitylens/equitylens/fhir"
)

func TestTarget(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, in, kind, id string
	}{
		{"nothing", "", "", ""},
		{"relative", "Patient/1", "Patient", "1"},
		{"absolute", "https://ehr.example.org/fhir/Patient/1", "Patient", "1"},
		{"versioned", "Patient/1/_history/2", "Patient", "1"},
		{"absolute and versioned", "https://ehr.example.org/fhir/Patient/1/_history/2", "Patient", "1"},
		{"urn:uuid", "urn:uuid:6f1c", "", "6f1c"},
		{"urn:oid", "urn:oid:1.2.3", "", ""},
		{"contained", "#p1", "", ""},
		{"conditional", "Patient?identifier=https://x.example.org|42", "Patient", "42"},
		{"conditional without a system", "Patient?identifier=42", "Patient", "42"},
		{"absolute and conditional", "https://ehr.example.org/fhir/Patient?identifier=s|42", "Patient",
			"42"},
		{"conditional by something else", "Patient?name=x", "", ""},
		{"a bare id", "42", "", "42"},
		{"a slash at the end", "Patient/", "Patient", ""},
	}
	for _, c := range cases {
		kind, id := fhir.Reference{Reference: c.in}.Target()
		if kind != c.kind || id != c.id {
			t.Errorf("%s: Target(%q) = %q, %q, want %q, %q", c.name, c.in, kind, id, c.kind, c.id)
		}
	}
}

func TestPresent(t *testing.T) {
	t.Parallel()
	if (fhir.Reference{}).Present() || !(fhir.Reference{Display: "x"}).Present() {
		t.Error("a Reference is present if it holds anything")
	}
	if (fhir.CodeableConcept{}).Present() || !(fhir.CodeableConcept{Text: "x"}).Present() {
		t.Error("a CodeableConcept is present if it holds anything")
	}
}
