package fhir

// The structs below hold just the elements of FHIR R4 (4.0.1) that EquityLens reads. An element that
// was absent is its zero value; where absence and an empty value differ the field is a pointer.
// Displays of codes are left out on purpose: they drift between versions and are never compared.

// Coding is a code of a code system. http://hl7.org/fhir/R4/datatypes.html#Coding
type Coding struct {
	System string
	Code   string
}

// CodeableConcept is a concept given by codings, by text, or by both.
type CodeableConcept struct {
	Coding []Coding
	Text   string
}

// Present reports whether the element held anything.
func (c CodeableConcept) Present() bool { return len(c.Coding) > 0 || c.Text != "" }

// Identifier is a business identifier, read only where a Reference carries one.
type Identifier struct {
	System string
	Value  string
}

// Reference points at another resource: by URL, by identifier, or by nothing but a display.
type Reference struct {
	Reference  string
	Identifier Identifier
	Display    string
}

// Present reports whether the element held anything.
func (r Reference) Present() bool { return r != Reference{} }

// Period is a span between two dateTimes, as written.
type Period struct {
	Start string
	End   string
}

// Extension is one extension with those of its values that EquityLens reads.
type Extension struct {
	URL                  string
	ValueCoding          *Coding
	ValueCodeableConcept *CodeableConcept
	ValueString          *string
	ValueCode            *string
	ValueBoolean         *bool
	Extension            []Extension
}

// Meta is the version of a resource, as the server wrote it.
type Meta struct {
	VersionID   string
	LastUpdated string
}

// Patient is http://hl7.org/fhir/R4/patient.html. Names, addresses, telecoms and identifiers are
// not read at all.
type Patient struct {
	ID                   string
	Meta                 Meta
	Extension            []Extension
	Gender               string
	BirthDate            string
	DeceasedBoolean      *bool
	DeceasedDateTime     string
	Communication        []Communication
	GeneralPractitioner  []Reference
	ManagingOrganization Reference
	Link                 []PatientLink
}

// Communication is a language in which the patient can be spoken to.
type Communication struct {
	Language  CodeableConcept
	Preferred *bool
}

// PatientLink says that another record is about the same person.
type PatientLink struct {
	Other Reference
	Type  string
}

// Encounter is http://hl7.org/fhir/R4/encounter.html.
type Encounter struct {
	ID              string
	Meta            Meta
	Extension       []Extension
	Status          string
	Class           Coding
	Type            []CodeableConcept
	ServiceType     CodeableConcept
	Priority        CodeableConcept
	Subject         Reference
	Participant     []Participant
	Period          Period
	Hospitalization Hospitalization
	ServiceProvider Reference
}

// Participant is one who took part in an Encounter, and as what.
type Participant struct {
	Type       []CodeableConcept
	Individual Reference
	Period     Period
}

// Hospitalization is the part of an Encounter about admission and discharge.
type Hospitalization struct {
	SpecialArrangement   []CodeableConcept
	DischargeDisposition CodeableConcept
}

// AdverseEvent is http://hl7.org/fhir/R4/adverseevent.html.
type AdverseEvent struct {
	ID           string
	Meta         Meta
	Extension    []Extension
	Actuality    string
	Category     []CodeableConcept
	Event        CodeableConcept
	Subject      Reference
	Encounter    Reference
	Date         string
	Detected     string
	RecordedDate string
	Seriousness  CodeableConcept
	Severity     CodeableConcept
	Outcome      CodeableConcept
}
