package mapping_test

import (
	"fmt"
	"log"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/mapping"
)

func ExampleMapper_Patient() {
	m, err := mapping.New(mapping.Config{})
	if err != nil {
		log.Fatal(err)
	}
	patient, issues := m.Patient(&fhir.Patient{
		ID: "42",
		Extension: []fhir.Extension{{
			URL: "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race",
			Extension: []fhir.Extension{{
				URL:         "ombCategory",
				ValueCoding: &fhir.Coding{System: mapping.SystemCDCREC, Code: "2016-3"},
			}},
		}},
		Communication: []fhir.Communication{{Language: fhir.CodeableConcept{
			Coding: []fhir.Coding{{System: mapping.SystemBCP47, Code: "spa"}}}}},
	}, nil)
	fmt.Println(patient.ID)
	fmt.Println(patient.Race.State)
	fmt.Println(mapping.Label(mapping.DimensionLanguage, patient.Language.Code))
	fmt.Println(issues[0].Kind, issues[0].Element, issues[0].Code)
	// Output:
	// [id]
	// unmapped
	// Spanish
	// unmapped-code Patient.extension(us-core-race).ombCategory 2016-3
}
