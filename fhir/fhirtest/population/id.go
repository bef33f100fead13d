package population

import "strconv"

// Type is a FHIR resource type that a population holds.
type Type uint8

// The types.
const (
	Patient Type = iota
	Encounter
	AdverseEvent
	Organization
)

var typeNames = [...]string{"Patient", "Encounter", "AdverseEvent", "Organization"}

// String returns the name of the type in FHIR.
func (t Type) String() string { return typeNames[t] }

// ParseType is the inverse of String.
func ParseType(name string) (Type, bool) {
	for i, n := range typeNames {
		if n == name {
			return Type(i), true // #nosec G115 -- an index of typeNames
		}
	}
	return 0, false
}

// Types lists every type.
func Types() []Type { return []Type{Patient, Encounter, AdverseEvent, Organization} }

// Canaries are how everything that identifies a person begins, so that a leak can be found by
// searching for a few words in all that a system emits. No other text in the resources holds them.
const (
	// CanaryName begins every family name, CanaryMRN every medical record number, CanaryVisit every
	// visit number, CanaryStreet follows every house number.
	CanaryName   = "Canary-"
	CanaryMRN    = "MRN-CANARY-"
	CanaryVisit  = "CSN-CANARY-"
	CanaryStreet = "Canary Street"
	// CanaryPatientID, CanaryEncounterID and CanaryEventID begin the logical ids.
	CanaryPatientID   = "ca9a11"
	CanaryEncounterID = "ca9a12"
	CanaryEventID     = "ca9a13"
)

// Canaries lists the prefixes above.
func Canaries() []string {
	return []string{CanaryName, CanaryMRN, CanaryVisit, CanaryStreet, CanaryPatientID,
		CanaryEncounterID,
		CanaryEventID}
}

var idPrefixes = [...]string{CanaryPatientID, CanaryEncounterID, CanaryEventID}

const hexDigits = "0123456789abcdef"

// appendID writes a logical id in the shape of a UUID: the type's canary, the number of the
// resource within the person, and the index of the person.
func appendID(buf []byte, t Type, number, person int) []byte {
	buf = append(buf, idPrefixes[t]...)
	buf = append(buf, "00-"...)
	for shift := 12; shift >= 0; shift -= 4 {
		buf = append(buf, hexDigits[number>>shift&15])
	}
	buf = append(buf, "-4000-8000-"...)
	for shift := 44; shift >= 0; shift -= 4 {
		buf = append(buf, hexDigits[person>>shift&15])
	}
	return buf
}

// parseID is the inverse of appendID.
func parseID(t Type, id string) (number, person int, ok bool) {
	if t > AdverseEvent || len(id) != 36 || id[:6] != idPrefixes[t] || id[6:9] != "00-" ||
		id[13:24] != "-4000-8000-" {
		return 0, 0, false
	}
	n, err := strconv.ParseUint(id[9:13], 16, 16)
	if err != nil {
		return 0, 0, false
	}
	p, err := strconv.ParseUint(id[24:], 16, 48)
	if err != nil {
		return 0, 0, false
	}
	return int(n), int(p), true // #nosec G115 -- 16 and 48 bits
}
