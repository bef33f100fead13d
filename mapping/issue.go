package mapping

import "github.com/equitylens/equitylens/fhir"

// IssueKind is what is wrong with an element. The kinds are few and closed: a site's sync report
// counts by them, and docs/mapping.md says what to do about each.
type IssueKind string

// The kinds.
const (
	// UnmappedCode: a coding that neither our tables nor the site's ConceptMaps hold.
	UnmappedCode IssueKind = "unmapped-code"
	// TextWithoutCode: words where a code is needed. The words are not read.
	TextWithoutCode IssueKind = "text-only"
	// ContradictoryCodes: two statements that cannot both hold, or that nothing decides between.
	ContradictoryCodes IssueKind = "conflict"
	// KnownBesideUnknown: a category and a null code in one answer, which us-core-23 forbids; the
	// category counts.
	KnownBesideUnknown IssueKind = "known-beside-unknown"
	// NotAsked: a null code says that nobody asked, which a site can change.
	NotAsked IssueKind = "not-asked"
	// LegacySystem: a CDCREC code under a retired name of its system; the code counts.
	LegacySystem IssueKind = "legacy-system"
	// EthnicityInRace: an ethnicity code in the race extension; it counts as ethnicity.
	EthnicityInRace IssueKind = "ethnicity-in-race"
	// RaceInEthnicity: a race code in the ethnicity extension; it counts as race.
	RaceInEthnicity IssueKind = "race-in-ethnicity"
	// RepeatedExtension: an extension that may occur once occurs again; all of it is read.
	RepeatedExtension IssueKind = "repeated-extension"
	// PreferenceUnsettled: languages are recorded, but not which one is preferred.
	PreferenceUnsettled IssueKind = "preference-unsettled"
	// NotADate: a text that is no FHIR date; the date is left out.
	NotADate IssueKind = "not-a-fhir-date"
	// ImplausibleDate: a date such as 0001-01-01 or 9999-12-31; the date is left out.
	ImplausibleDate IssueKind = "implausible-date"
	// EndBeforeStart: a period that ends before it starts; its end is left out.
	EndBeforeStart IssueKind = "end-before-start"
	// DateFallback: the event is dated by detected or recordedDate, because date is absent.
	DateFallback IssueKind = "date-fallback"
	// BirthAfterDay: a patient who was not born on the day of the age asked for. No resource shows it
	// alone, so whoever joins two of them raises it, by BornAfter.
	BirthAfterDay IssueKind = "birth-after-day"
	// MissingRequired: an element that FHIR requires is absent.
	MissingRequired IssueKind = "missing-required"
	// WrongReference: a reference to a type that the element cannot be counted by, such as the subject
	// of an event that is not a Patient, or to nothing outside the resource.
	WrongReference IssueKind = "wrong-reference"
)

// IssueKinds lists every kind in the order of docs/mapping.md.
func IssueKinds() []IssueKind {
	return []IssueKind{
		UnmappedCode, TextWithoutCode, ContradictoryCodes, KnownBesideUnknown, NotAsked, LegacySystem,
		EthnicityInRace, RaceInEthnicity, RepeatedExtension, PreferenceUnsettled, NotADate,
		ImplausibleDate, EndBeforeStart, DateFallback, BirthAfterDay, MissingRequired, WrongReference,
	}
}

// The longest system and code that an issue repeats. Longer ones are no codes.
const (
	longestSystem = 256
	longestCode   = 64
)

// codeIssue reports a coding by its system and code, each only where it has the shape of one: some
// servers put words that a person typed where a code belongs.
func codeIssue(kind IssueKind, element string, c fhir.Coding) Issue {
	i := Issue{Kind: kind, Element: element}
	if tokenShaped(c.System, longestSystem) {
		i.System = c.System
	}
	if tokenShaped(c.Code, longestCode) {
		i.Code = c.Code
	}
	return i
}

// tokenShaped reports whether s is visible ASCII without spaces, and short.
func tokenShaped(s string, longest int) bool {
	if len(s) > longest {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
