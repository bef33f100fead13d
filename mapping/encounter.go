package mapping

import (
	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/internal/phi"
)

// Elements of Encounter that values come from.
const (
	classElement       = "Encounter.class"
	statusElement      = "Encounter.status"
	dispositionElement = "Encounter.hospitalization.dischargeDisposition"
	priorityElement    = "Encounter.priority"
)

// Codes of v3-ActCode and v3-ActPriority that rules name.
const (
	classVirtual     = "VR"
	priorityElective = "EL"
)

// Encounter maps an Encounter. It appends to issues what it could not map, and allocates nothing
// for an ordinary encounter.
func (m *Mapper) Encounter(in *fhir.Encounter, issues []Issue) (Encounter, []Issue) {
	out := Encounter{ID: phi.New(in.ID)}
	out.Version, issues = m.version(in.Meta, "Encounter.meta.lastUpdated", issues)
	out.Patient, issues = patientOf(in.Subject, "Encounter.subject", issues)
	out.Status, issues = m.status(in.Status, issues)
	out.Class, issues = m.class(in.Class, issues)
	m.telehealth(&out, in.Type)
	out.Start, out.End, issues = m.period(in.Period, issues)
	out.Disposition, issues = m.concept(reader{dispositionCode, refineDisposition},
		in.Hospitalization.DischargeDisposition, dispositionElement, issues)
	var priority Value
	priority, issues = m.concept(reader{table: priorityCode}, in.Priority, priorityElement, issues)
	out.Elective = priority.Code == priorityElective
	out.InterpreterNeed, issues = m.need(in.Extension, needElements{
		"Encounter.extension(us-core-interpreter-needed)",
		"Encounter.extension(patient-interpreterRequired)",
	}, issues)
	out.InterpreterUse, out.InterpreterUseFrom = m.use(in)
	out.Site, issues = site(in.ServiceProvider, "Encounter.serviceProvider", issues)
	out.Practitioner = m.practitioner(in.Participant)
	return out, issues
}

// status returns the R4 status code. One that R4 does not know (an R5 server sends "completed") is
// kept as sent, so that no measure counts it, and is an issue.
func (m *Mapper) status(status string, issues []Issue) (string, []Issue) {
	if status == "" {
		return "", append(issues, Issue{Kind: MissingRequired, Element: statusElement})
	}
	v, issues := m.code(reader{table: statusCode}, systemStatus, status, statusElement, issues)
	if v.State == Known {
		return v.Code, issues
	}
	return status, issues
}

// class maps Encounter.class, in R4 one Coding.
func (m *Mapper) class(class fhir.Coding, issues []Issue) (Value, []Issue) {
	if class == (fhir.Coding{}) {
		return Value{State: Missing}, issues
	}
	one := [1]fhir.Coding{class}
	return m.codings(reader{table: classCode}, one[:], false, classElement, issues)
}

// telehealth says whether the encounter was one: by its class, or by a type in the site's list. Of
// several types video counts before audio, since a visit by video has both.
func (m *Mapper) telehealth(out *Encounter, types []fhir.CodeableConcept) {
	out.Telehealth = out.Class.Code == classVirtual
	if len(m.telehealthTypes) == 0 {
		return
	}
	for _, t := range types {
		for _, c := range t.Coding {
			modality, listed := m.telehealthTypes[c]
			out.Telehealth = out.Telehealth || listed
			out.Modality = max(out.Modality, modality)
		}
	}
}

// patientOf returns the id of a subject that is a Patient. A reference without a type (urn:uuid:)
// is taken for one; if it is not, the unit is counted as an orphan.
func patientOf(subject fhir.Reference, element string, issues []Issue) (phi.ID, []Issue) {
	kind, id := subject.Target()
	switch {
	case !subject.Present():
		return phi.ID{}, append(issues, Issue{Kind: MissingRequired, Element: element})
	case id == "" || kind != "" && kind != "Patient":
		return phi.ID{}, append(issues, Issue{Kind: WrongReference, Element: element})
	}
	return phi.New(id), issues
}

// site maps a reference to an Organization: by its id, else by its identifier, which names it as
// well; a display alone is words.
func site(ref fhir.Reference, element string, issues []Issue) (Site, []Issue) {
	if !ref.Present() {
		return Site{Value: Value{State: Missing}}, issues
	}
	kind, id := ref.Target()
	if id == "" && ref.Reference == "" {
		id = ref.Identifier.Value
	}
	s := Site{Value: Value{From: element}, Label: ref.Display}
	switch {
	case id != "" && (kind == "" || kind == "Organization"):
		s.State, s.Code = Known, id
	case id == "" && ref.Display != "":
		s.State = TextOnly
		issues = append(issues, Issue{Kind: TextWithoutCode, Element: element})
	default:
		s.State = Unmapped
		issues = append(issues, Issue{Kind: WrongReference, Element: element})
	}
	return s, issues
}
