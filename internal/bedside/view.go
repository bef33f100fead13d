package bedside

import (
	"time"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/mapping"
)

// View is everything the page in the chart shows of one patient, and everything it says it cannot
// show. It is made anew for each request and is never logged: a Banner names the patient.
type View struct {
	// Banner says who the patient is. It is there only where the EHR asked for it, because its own
	// frame does not say so.
	Banner *Banner
	// ReadAt is when the EHR answered: with a cached answer, the earlier moment.
	ReadAt time.Time

	// Language is the preferred language (code: primary subtag of BCP 47), Interpreter the need for an
	// interpreter (code: mapping.Yes or mapping.No) as it holds for the current encounter. Where none
	// is open it is that of the patient: what the Patient says, else what the visits below say.
	Language    Fact
	Interpreter Fact
	// Fields are race, ethnicity, language and interpreter_need, in this order: what is recorded, or
	// how it is absent. The need is that of the patient, whichever encounter is open.
	Fields []Field

	// Visits are the newest encounters, the newest first; More says that the EHR holds others. The
	// current one is among them even where newer ones fill the list. Planned and cancelled ones are
	// none, unless current.
	Visits []Visit
	More   bool
	// Events are the harm events of the last years, the newest first, those without a date last.
	// MoreEvents says that there are older ones, or more than are shown.
	Events     []Event
	MoreEvents bool

	// Notices say in which respect the view is not whole. What a notice covers is not known, which is
	// never the same as none.
	Notices []Notice
}

// Banner is who the patient is, for an EHR that does not show it. It is neither stored nor cached.
type Banner struct {
	Name string
	// Birth is as precise as it is recorded; Sex is Patient.gender.
	Birth fhir.DateTime
	Sex   string
}

// Fact is a value together with every statement that led to it.
type Fact struct {
	mapping.Value
	Sources []Source
}

// Source is one statement in the chart.
type Source struct {
	// Resource is Patient or Encounter.
	Resource string
	// Element is the path of the element within it.
	Element string
	Value   mapping.Value
	// Preferred is the flag of a language; nil where there is none, and of other statements.
	Preferred *bool
	// Encounter is when the encounter that says so began; zero for a Patient.
	Encounter fhir.DateTime
	// Updated is when the EHR last changed the resource; zero where it does not say.
	Updated time.Time
}

// Field is one of the four things that equity needs to know of a patient.
type Field struct {
	// Name is that of the dimension: race, ethnicity, language, interpreter_need.
	Name string
	mapping.Value
}

// Visit is one encounter.
type Visit struct {
	Start, End fhir.DateTime
	// Class is a code of v3-ActCode; Site names the organisation, where it is named.
	Class mapping.Value
	Site  string
	// Telehealth says that it was one.
	Telehealth bool
	// Current says that it is the encounter from which the page was launched.
	Current bool
	// Need is the need for an interpreter that held for it; Use what is documented of one.
	Need mapping.Value
	Use  mapping.InterpreterUse
	// UseFrom is the element that shows Use; "" for mapping.NoneDocumented.
	UseFrom string
}

// Event is one harm event, or one that nearly was.
type Event struct {
	Date fhir.DateTime
	// Actuality is mapping.Actual, mapping.Potential or "".
	Actuality string
	Category  mapping.Value
	Severity  mapping.Value
	Outcome   mapping.Value
	// Inequity is the answer to "was inequity a contributing factor"; State Missing: nobody asked yet.
	Inequity mapping.Value
}

// NoticeKind says why something is not shown.
type NoticeKind string

// The kinds of notices.
const (
	// NoPermission: the EHR has not allowed it, by the scopes it granted or by its answer.
	NoPermission NoticeKind = "no-permission"
	// NotOffered: the EHR does not have the type at all, or cannot be asked for that of one patient.
	NotOffered NoticeKind = "not-offered"
	// Unreadable: the EHR sent what is no valid FHIR R4, or could not find what it had named; it was
	// passed over.
	Unreadable NoticeKind = "unreadable"
	// Unreachable: the EHR did not answer, or not in time, or not with FHIR.
	Unreachable NoticeKind = "unreachable"
	// OtherPatient: the EHR sent something about somebody else, or that does not say about whom; it
	// was passed over.
	OtherPatient NoticeKind = "other-patient"
	// Partial: the EHR holds more than was read, and in no order: newer ones may be missing.
	Partial NoticeKind = "partial"
)

// NoticeKinds lists the kinds in the order in which a view holds them.
func NoticeKinds() []NoticeKind {
	return []NoticeKind{NoPermission, NotOffered, Unreachable, Partial, Unreadable, OtherPatient}
}

// Notice is one respect in which a view is not whole.
type Notice struct {
	Kind NoticeKind
	// Resource is the type it is about: Patient, Encounter, AdverseEvent.
	Resource string
	// Count is how many resources it is about, where it is about single ones: Unreadable,
	// OtherPatient.
	Count int
}
