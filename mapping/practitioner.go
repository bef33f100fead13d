package mapping

import (
	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/internal/phi"
)

// The codes of v3-ParticipationType for who is answerable for an encounter, and the names of that
// system in R4 and in STU3. http://terminology.hl7.org/CodeSystem/v3-ParticipationType
const (
	codeAttender             = "ATND"
	codePrimaryPerformer     = "PPRF"
	systemParticipation      = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
	systemParticipationSTU3  = "http://hl7.org/fhir/v3/ParticipationType"
	resourceTypePractitioner = "Practitioner"
)

// practitioner returns who attended or was the primary performer, the first of several; else the
// first Practitioner who took part other than as translator.
func (m *Mapper) practitioner(participants []fhir.Participant) phi.ID {
	var other phi.ID
	for i := range participants {
		p := &participants[i]
		id := practitionerOf(p.Individual)
		if id.Empty() {
			continue
		}
		if answerable(p.Type) {
			return id
		}
		if other.Empty() && !m.translator(p.Type) {
			other = id
		}
	}
	return other
}

func answerable(types []fhir.CodeableConcept) bool {
	for _, t := range types {
		for _, c := range t.Coding {
			if (c.Code == codeAttender || c.Code == codePrimaryPerformer) &&
				(c.System == systemParticipation || c.System == systemParticipationSTU3) {
				return true
			}
		}
	}
	return false
}

func (m *Mapper) translator(types []fhir.CodeableConcept) bool {
	for _, t := range types {
		if m.names(translatorCode, t) {
			return true
		}
	}
	return false
}

// generalPractitioner returns the first that is a Practitioner: the element may name an Organization
// or a PractitionerRole as well.
func generalPractitioner(references []fhir.Reference) phi.ID {
	for _, r := range references {
		if id := practitionerOf(r); !id.Empty() {
			return id
		}
	}
	return phi.ID{}
}

// practitionerOf returns the id of a reference that says that it is to a Practitioner. One without a
// type (urn:uuid:) may be to anybody whom the element allows.
func practitionerOf(r fhir.Reference) phi.ID {
	kind, id := r.Target()
	if kind != resourceTypePractitioner {
		return phi.ID{}
	}
	return phi.New(id)
}
