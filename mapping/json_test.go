package mapping

import (
	"os"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/equitylens/equitylens/fhir"
)

// The shapes below are the JSON of the vectors and of the published examples, with just what the
// tests feed to the mapper. The program decodes with package fhir.
type (
	codingJSON  struct{ System, Code string }
	conceptJSON struct {
		Coding []codingJSON
		Text   string
	}
	extensionJSON struct {
		URL                  string       `json:"url"`
		ValueCoding          *codingJSON  `json:"valueCoding"`
		ValueCodeableConcept *conceptJSON `json:"valueCodeableConcept"`
		ValueString          *string      `json:"valueString"`
		ValueCode            *string      `json:"valueCode"`
		ValueBoolean         *bool        `json:"valueBoolean"`
		Extension            []extensionJSON
	}
	communicationJSON struct {
		Language  conceptJSON
		Preferred *bool
	}
	participantJSON struct {
		Type       []conceptJSON
		Individual struct{ Reference string }
	}
	encounterJSON struct {
		Extension       []extensionJSON
		Participant     []participantJSON
		Hospitalization struct {
			SpecialArrangement []conceptJSON `json:"specialArrangement"`
		}
	}
)

func (c codingJSON) fhir() fhir.Coding { return fhir.Coding{System: c.System, Code: c.Code} }

func (c conceptJSON) fhir() fhir.CodeableConcept {
	out := fhir.CodeableConcept{Text: c.Text}
	for _, coding := range c.Coding {
		out.Coding = append(out.Coding, coding.fhir())
	}
	return out
}

func conceptsFrom(in []conceptJSON) []fhir.CodeableConcept {
	var out []fhir.CodeableConcept
	for _, c := range in {
		out = append(out, c.fhir())
	}
	return out
}

func extensionsFrom(in []extensionJSON) []fhir.Extension {
	var out []fhir.Extension
	for _, e := range in {
		x := fhir.Extension{URL: e.URL, ValueString: e.ValueString, ValueCode: e.ValueCode,
			ValueBoolean: e.ValueBoolean, Extension: extensionsFrom(e.Extension)}
		if e.ValueCoding != nil {
			c := e.ValueCoding.fhir()
			x.ValueCoding = &c
		}
		if e.ValueCodeableConcept != nil {
			c := e.ValueCodeableConcept.fhir()
			x.ValueCodeableConcept = &c
		}
		out = append(out, x)
	}
	return out
}

func communicationsFrom(in []communicationJSON) []fhir.Communication {
	var out []fhir.Communication
	for _, c := range in {
		out = append(out, fhir.Communication{Language: c.Language.fhir(), Preferred: c.Preferred})
	}
	return out
}

func (e encounterJSON) fhir() *fhir.Encounter {
	out := &fhir.Encounter{Extension: extensionsFrom(e.Extension)}
	for _, p := range e.Participant {
		out.Participant = append(out.Participant, fhir.Participant{Type: conceptsFrom(p.Type),
			Individual: fhir.Reference{Reference: p.Individual.Reference}})
	}
	out.Hospitalization.SpecialArrangement = conceptsFrom(e.Hospitalization.SpecialArrangement)
	return out
}

// vectors reads a file of testdata.
func vectors[T any](t *testing.T, name string) T {
	t.Helper()
	var v T
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &v, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	return v
}

func mapper(t testing.TB, c Config) *Mapper {
	t.Helper()
	m, err := New(c)
	if err != nil {
		t.Fatalf("New(%+v): %v", c, err)
	}
	return m
}
