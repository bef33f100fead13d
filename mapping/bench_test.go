package mapping

import (
	"testing"

	"github.com/equitylens/equitylens/fhir"
)

func BenchmarkEncounter(b *testing.B) {
	for name, c := range map[string]Config{
		"standard": {},
		"site": {ConceptMaps: []ConceptMap{
			parse(b, "class.json", conceptMap("urn:local", systemActCode, "7", "IMP", "8", "AMB"))},
			TelehealthTypes: []TelehealthType{{Coding: fhir.Coding{System: "urn:local", Code: "V"}}}},
	} {
		b.Run(name, func(b *testing.B) {
			m, in := mapper(b, c), ordinary()
			var issues []Issue
			b.ReportAllocs()
			for b.Loop() {
				_, issues = m.Encounter(in, issues[:0])
			}
		})
	}
}

func BenchmarkPatient(b *testing.B) {
	m := mapper(b, Config{})
	in := &fhir.Patient{ID: "example", Gender: "female", BirthDate: "1987-02-20",
		Extension: []fhir.Extension{race(omb("2106-3"), words("White")),
			ethnicity(omb("2186-5"), words("Not Hispanic or Latino"))},
		Communication: []fhir.Communication{speak(SystemBCP47, "en-US", nil)}}
	var issues []Issue
	b.ReportAllocs()
	for b.Loop() {
		_, issues = m.Patient(in, issues[:0])
	}
}
