package script

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/mapping"
)

// keysOf lists what can be said of each kind of unit; nil of what is no kind.
func keysOf(kind string) []string {
	switch kind {
	case "patient":
		return []string{"race", "ethnicity", "language", "need", "sex", "born", "age", "died", "site",
			"gp", "replaced_by"}
	case "encounter":
		return []string{"patient", "class", "status", "start", "end", "disposition", "telehealth",
			"interpreter", "need", "practitioner", "site", "elective"}
	case "event":
		return []string{"patient", "encounter", "actuality", "date", "detected", "category", "severity",
			"seriousness", "outcome", "inequity"}
	}
	return nil
}

// Systems and URLs in which a script's words become FHIR.
const (
	systemNull         = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"
	systemAbsent       = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
	systemSNOMED       = "http://snomed.info/sct"
	systemActCode      = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
	systemPriority     = "http://terminology.hl7.org/CodeSystem/v3-ActPriority"
	systemDisposition  = "http://terminology.hl7.org/CodeSystem/discharge-disposition"
	systemPart         = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
	systemTakesPart    = "http://terminology.hl7.org/CodeSystem/participant-type"
	systemArrangements = "http://terminology.hl7.org/CodeSystem/encounter-special-arrangements"
	systemEvent        = "http://terminology.hl7.org/CodeSystem/adverse-event-"
	systemVisitType    = mapping.SystemOwn + "script-visit-type"
	extensionCore      = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
	extensionNeeded    = extensionCore + "interpreter-needed"
	extensionFactor    = "http://hl7.org/fhir/5.0/StructureDefinition/" +
		"extension-AdverseEvent.contributingFactor"
)

// newMapper makes the mapping of a script: the standards, and three visit types that mean
// telehealth.
func newMapper() (*mapping.Mapper, error) {
	var settings mapping.Config
	for word, modality := range map[string]string{mapping.Yes: "", mapping.Video: mapping.Video,
		mapping.Audio: mapping.Audio} {
		settings.TelehealthTypes = append(settings.TelehealthTypes, mapping.TelehealthType{
			Coding: fhir.Coding{System: systemVisitType, Code: word}, Modality: modality,
		})
	}
	return mapping.New(settings)
}

// unknownCode is a code that no table holds.
const unknownCode = "not-in-any-table"

// coding writes a word as a coding of a system, or a state as the null code that means it. There is
// none for text-only and for conflicting.
func coding(system, word string) (fhir.Coding, bool) {
	if !isState(word) {
		return fhir.Coding{System: system, Code: word}, true
	}
	switch mapping.State(word) {
	case mapping.Unknown:
		return fhir.Coding{System: systemNull, Code: "UNK"}, true
	case mapping.AskedNoAnswer:
		return fhir.Coding{System: systemNull, Code: "ASKU"}, true
	case mapping.AskedDeclined:
		return fhir.Coding{System: systemAbsent, Code: string(mapping.AskedDeclined)}, true
	case mapping.Unmapped:
		return fhir.Coding{System: mapping.SystemOwn + "no-table", Code: unknownCode}, true
	default:
		return fhir.Coding{}, false
	}
}

// concept writes a word as a concept. Nothing is recorded of what is missing.
func concept(system, word string) fhir.CodeableConcept {
	if word == string(mapping.TextOnly) {
		return fhir.CodeableConcept{Text: "words"}
	}
	if c, ok := coding(system, word); ok && word != "" {
		return fhir.CodeableConcept{Coding: []fhir.Coding{c}}
	}
	return fhir.CodeableConcept{}
}

// meant reports that the mapping did not read a word as it was meant. Whatever it cannot read is a
// mistake of the script, unless that is what the script says.
func meant(key, word string, v mapping.Value) error {
	if word == "" || word == string(v.State) || v.State == mapping.Known && !isState(word) {
		return nil
	}
	if isState(word) {
		return fmt.Errorf("%s cannot be %s", key, word)
	}
	return fmt.Errorf("%q is no %s; write a code, or %s", word, key, strings.Join(states(), ", "))
}

// refused turns the issues that no script means into an error.
func refused(issues []mapping.Issue) error {
	for _, i := range issues {
		switch i.Kind {
		case mapping.NotADate, mapping.ImplausibleDate:
			return fmt.Errorf("%s is no date that a record can have", i.Element)
		case mapping.EndBeforeStart:
			return errors.New("the end is before the start")
		default:
		}
	}
	return nil
}

// needExtensions states a need for an interpreter.
func needExtensions(word string) []fhir.Extension {
	state := func(c fhir.Coding) fhir.Extension {
		return fhir.Extension{URL: extensionNeeded, ValueCoding: &c}
	}
	yes := state(fhir.Coding{System: systemSNOMED, Code: "373066001"})
	no := state(fhir.Coding{System: systemSNOMED, Code: "373067005"})
	switch word {
	case "", string(mapping.Missing):
		return nil
	case mapping.Yes:
		return []fhir.Extension{yes}
	case mapping.No:
		return []fhir.Extension{no}
	case string(mapping.Conflicting):
		return []fhir.Extension{yes, no}
	case string(mapping.TextOnly):
		words := "words"
		return []fhir.Extension{{URL: extensionNeeded, ValueString: &words}}
	}
	c, _ := coding(mapping.SystemInterpreter, word)
	return []fhir.Extension{state(c)}
}

// organization refers to a site by its id.
func organization(id string) fhir.Reference { return refer("Organization", id) }

// refer writes a reference; none to nothing.
func refer(kind, id string) fhir.Reference {
	if id == "" || id == string(mapping.Missing) {
		return fhir.Reference{}
	}
	return fhir.Reference{Reference: kind + "/" + id}
}

// idForm is that of FHIR. http://hl7.org/fhir/R4/datatypes.html#id
var idForm = regexp.MustCompile(`^[A-Za-z0-9.-]{1,64}$`)

// ids checks that the words of some keys can be ids.
func (w words) ids(keys ...string) error {
	for _, key := range keys {
		if id := w[key]; id != "" && !idForm.MatchString(id) {
			return fmt.Errorf("%s=%q: an id is letters, digits, - and . alone", key, id)
		}
	}
	return nil
}
