package mapping

import (
	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/internal/phi"
)

// State says what is known of a value. The states differ in what a quality department does about
// them, so none is ever folded into another.
type State string

// The states, by the names they carry from here to the page.
const (
	// Known: a category is recorded.
	Known State = "known"
	// Unknown: it is recorded that nobody knows (UNK, und).
	Unknown State = "unknown"
	// AskedNoAnswer: the patient was asked and gave no answer (ASKU).
	AskedNoAnswer State = "asked-no-answer"
	// AskedDeclined: the patient was asked and chose not to answer. It is not Unknown: it is an
	// answer.
	AskedDeclined State = "asked-declined"
	// Missing: nothing is recorded.
	Missing State = "missing"
	// Conflicting: records contradict each other, or do not settle it.
	Conflicting State = "conflicting"
	// Unmapped: a code is recorded that neither our tables nor the site's ConceptMaps know.
	Unmapped State = "unmapped"
	// TextOnly: words are recorded and no code. Nothing is inferred from words.
	TextOnly State = "text-only"
)

// States lists every state in the order in which reports show them.
func States() []State {
	return []State{
		Known, Unknown, AskedNoAnswer, AskedDeclined, Missing, Conflicting, Unmapped, TextOnly,
	}
}

// Value is one mapped value.
type Value struct {
	State State
	// Code is set if and only if State is Known.
	Code string
	// From is the element that settled the value, as a path such as
	// "Patient.extension(us-core-race).ombCategory". Empty if State is Missing.
	From string
}

// Issue is something in a resource that could not be mapped, or that the reader of a figure ought
// to know. It never holds text that a person typed.
type Issue struct {
	Kind IssueKind
	// Element is the path of the element.
	Element string
	// System and Code are the coding that no table knows; empty for other kinds.
	System string
	Code   string
}

// Version orders two copies of one resource: the later LastUpdated wins, then the higher number
// in VersionID, then the copy read last.
type Version struct {
	// Updated is meta.lastUpdated in microseconds since 1970-01-01T00:00:00Z; 0 if absent.
	Updated int64
	// Number is meta.versionId where that is a whole number; else 0.
	Number int64
}

// Site is an organisation: where an encounter took place, or who manages a patient.
type Site struct {
	// Value.Code is the id of the Organization; TextOnly if only a display is recorded.
	Value
	// Label is the display of the reference, which is the name of an organisation.
	Label string
}

// Patient is who one patient is.
type Patient struct {
	ID      phi.ID
	Version Version

	// Races is the set of 1997 OMB race codes recorded, Other Race 2131-1 included, and SPD15 the set
	// of 2024 SPD 15 categories. Every race policy derives from these sets.
	Races RaceSet
	SPD15 SPD15Set
	// Race is the 1997 race: an OMB code, or TwoOrMore.
	Race Value
	// Ethnicity is 2135-2 or 2186-5.
	Ethnicity Value
	// RaceEthnicity is the policy omb1997_exclusive: 2135-2 for Hispanic of any race, else as Race.
	RaceEthnicity Value

	// Language is the primary subtag of the preferred language, LanguageGroup one of the codes
	// English, Spanish, Chinese, Sign and Other.
	Language      Value
	LanguageGroup Value
	// InterpreterNeed is Yes or No, as stated on the Patient.
	InterpreterNeed Value
	// LimitedEnglish is a proxy for limited English proficiency, which FHIR has no element for.
	LimitedEnglish LimitedEnglish

	// Sex is Patient.gender.
	Sex Value
	// Birth is as precise as it was written.
	Birth fhir.DateTime
	// Deceased is true if the record says so, with or without a date.
	Deceased     bool
	DeceasedDate fhir.DateTime

	Site Site
	// GeneralPractitioner is the id of the first Practitioner of Patient.generalPractitioner: one of the
	// staff, handled as carefully as a patient; empty if none.
	GeneralPractitioner phi.ID
	// ReplacedBy is the surviving record of this person; Replaces are those that this one survives.
	ReplacedBy phi.ID
	Replaces   []phi.ID
}

// Encounter is one contact of a patient with the health system.
type Encounter struct {
	ID      phi.ID
	Version Version
	// Patient is the id of Encounter.subject; empty if that is absent or not a Patient.
	Patient phi.ID

	// Status is the R4 status code; one that R4 does not know is as sent; "" if absent.
	Status string
	// Class is a code of v3-ActCode.
	Class Value
	// Telehealth says that it was one; Modality is Video, Audio or "" where it is not telehealth or
	// not codable.
	Telehealth bool
	Modality   string
	// Disposition is a code of THO discharge-disposition, or LeftWithoutBeingSeen.
	Disposition Value
	// Elective says that Encounter.priority is EL, a planned admission.
	Elective bool

	Start fhir.DateTime
	End   fhir.DateTime

	// InterpreterNeed is Yes or No, as stated on the Encounter; the patient's own is not looked at
	// here.
	InterpreterNeed Value
	InterpreterUse  InterpreterUse
	// InterpreterUseFrom is the element that showed it; "" for NoneDocumented.
	InterpreterUseFrom string

	Site Site
	// Practitioner is the id of the Practitioner who attended or was the primary performer, else of the
	// first who took part other than as translator; empty if none.
	Practitioner phi.ID
}

// AdverseEvent is one event that harmed a patient, or could have.
type AdverseEvent struct {
	ID      phi.ID
	Version Version
	// Patient is the id of AdverseEvent.subject; empty if the subject is not a Patient.
	Patient phi.ID
	// Encounter is the id that the event itself names; empty if none.
	Encounter phi.ID

	// Actuality is Actual or Potential; "" if absent or unknown, which counts as neither.
	Actuality string
	// Date is AdverseEvent.date, else detected, else recordedDate; DateFrom says which.
	Date     fhir.DateTime
	DateFrom string
	Detected fhir.DateTime

	// Category, Severity, Seriousness and Outcome are codes in the spelling of FHIR R4.
	Category    Value
	Severity    Value
	Seriousness Value
	Outcome     Value

	// Inequity answers "was inequity a contributing factor": yes, no, undetermined or not-asked.
	Inequity Value
}

// InterpreterUse is the strength of the evidence that an interpreter took part.
type InterpreterUse string

// The strengths, strongest first.
const (
	Documented     InterpreterUse = "documented"
	Arranged       InterpreterUse = "arranged"
	AdHoc          InterpreterUse = "documented-ad-hoc"
	NoneDocumented InterpreterUse = "none-documented"
)

// LimitedEnglish is the LEP proxy: need for an interpreter, or a preferred language other than
// English where need is not recorded.
type LimitedEnglish string

// The values of the proxy.
const (
	LimitedEnglishYes      LimitedEnglish = "yes"
	LimitedEnglishNo       LimitedEnglish = "no"
	LimitedEnglishProbable LimitedEnglish = "probable"
	LimitedEnglishUnknown  LimitedEnglish = "unknown"
)

// Codes of our own, in the systems below.
const (
	Yes                  = "yes"
	No                   = "no"
	TwoOrMore            = "two-or-more"
	LeftWithoutBeingSeen = "lwbs"
	Video                = "video"
	Audio                = "audio"
	Actual               = "actual"
	Potential            = "potential"
)

// Code systems. Those of our own hold what no standard names.
const (
	SystemCDCREC      = "urn:oid:2.16.840.1.113883.6.238"
	SystemBCP47       = "urn:ietf:bcp:47"
	SystemGender      = "http://hl7.org/fhir/administrative-gender"
	SystemOwn         = "https://equitylens.org/fhir/CodeSystem/"
	SystemRace        = SystemOwn + "race"
	SystemLanguage    = SystemOwn + "language-group"
	SystemInterpreter = SystemOwn + "interpreter-need"
	SystemAgeBand     = SystemOwn + "age-band"
	SystemSite        = SystemOwn + "site"
	SystemState       = SystemOwn + "value-state"
	SystemInequity    = SystemOwn + "inequity-contribution"
)
