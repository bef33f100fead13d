package mapping

import "github.com/equitylens/equitylens/fhir"

// Systems of the null codes, with the names that STU3 and CDA gave them.
const (
	systemNullFlavor     = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"
	systemNullFlavorSTU3 = "http://hl7.org/fhir/v3/NullFlavor"
	systemNullFlavorOID  = "urn:oid:2.16.840.1.113883.5.1008"
	systemAbsent         = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
	systemAbsentSTU3     = "http://hl7.org/fhir/data-absent-reason"
)

// extensionAbsent carries a reason for absence where an extension carries no value.
const extensionAbsent = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"

// nullFlavorOther says that the value is none of those on offer.
const nullFlavorOther = "OTH"

func nullFlavorSystem(system string) bool {
	return system == systemNullFlavor || system == systemNullFlavorSTU3 ||
		system == systemNullFlavorOID
}

// absence returns the state that a null code stands for, and "" for a coding of another system.
// http://terminology.hl7.org/CodeSystem-v3-NullFlavor.html and
// http://terminology.hl7.org/CodeSystem-data-absent-reason.html
func absence(c fhir.Coding) State {
	switch {
	case nullFlavorSystem(c.System):
		switch c.Code {
		case "ASKU":
			return AskedNoAnswer
		case "UNK", "NI", "NASK", "NAV", "NAVU", "QS", "TRC", "MSK", "NA":
			return Unknown
		}
		return Unmapped
	case c.System == systemAbsent || c.System == systemAbsentSTU3:
		switch c.Code {
		case "asked-declined":
			return AskedDeclined
		case "asked-unknown":
			return AskedNoAnswer
		case "unknown", "temp-unknown", "not-asked", "masked", "not-applicable", "unsupported", "error",
			"not-performed", "not-permitted":
			return Unknown
		case "as-text":
			return TextOnly
		}
		return Unmapped
	}
	return ""
}

// neverAsked reports whether a null code says that the question was not put.
func neverAsked(c fhir.Coding) bool {
	return c.Code == "NASK" && nullFlavorSystem(c.System) ||
		c.Code == "not-asked" && (c.System == systemAbsent || c.System == systemAbsentSTU3)
}

// strength orders the states of an answer without a category: of two, the stronger says more. A
// code that we cannot read may be a category, so it is strongest; declined says more than no
// answer, and that more than unknown (in NullFlavor ASKU is a kind of UNK); words come last,
// because US Core demands them beside every code.
func strength(s State) int {
	switch s {
	case Unmapped:
		return 6
	case AskedDeclined:
		return 5
	case AskedNoAnswer:
		return 4
	case Unknown:
		return 3
	case TextOnly:
		return 2
	case Missing:
		return 1
	case Known, Conflicting:
	}
	return 0
}
