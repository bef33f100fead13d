package mapping

import (
	"slices"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/internal/phi"
)

// Patient maps a Patient, appending to issues what it could not map.
func (m *Mapper) Patient(in *fhir.Patient, issues []Issue) (Patient, []Issue) {
	out := Patient{ID: phi.New(in.ID)}
	out.Version, issues = m.version(in.Meta, "Patient.meta.lastUpdated", issues)
	issues = m.identify(&out, in.Extension, issues)
	issues = m.preferredLanguage(&out, in.Communication, issues)
	out.InterpreterNeed, issues = m.need(in.Extension, needElements{
		"Patient.extension(us-core-interpreter-needed)",
		"Patient.extension(patient-interpreterRequired)",
	}, issues)
	out.LimitedEnglish = LimitedEnglishOf(out.Language, out.InterpreterNeed)
	out.Sex, issues = m.code(reader{table: genderCode}, SystemGender, in.Gender,
		"Patient.gender", issues)
	out.Birth, issues = birth(in.BirthDate, issues)
	out.DeceasedDate, issues = m.date(in.DeceasedDateTime, "Patient.deceasedDateTime", issues)
	out.Deceased = in.DeceasedDateTime != "" || in.DeceasedBoolean != nil && *in.DeceasedBoolean
	out.Site, issues = site(in.ManagingOrganization, "Patient.managingOrganization", issues)
	out.GeneralPractitioner = generalPractitioner(in.GeneralPractitioner)
	issues = links(&out, in.Link, issues)
	return out, issues
}

// genderCode reads http://hl7.org/fhir/R4/codesystem-administrative-gender.html; "unknown" is there
// a code, and here a state.
func genderCode(c fhir.Coding) (string, State) {
	if c.System != SystemGender {
		return "", ""
	}
	switch c.Code {
	case "male", "female", "other":
		return c.Code, Known
	case "unknown":
		return "", Unknown
	}
	return "", ""
}

// links reads which records are about the same person. refer and seealso do not merge. A record
// replaced by two others merges with neither.
func links(out *Patient, in []fhir.PatientLink, issues []Issue) []Issue {
	const element = "Patient.link"
	contradictory := false
	for _, l := range in {
		if l.Type != "replaced-by" && l.Type != "replaces" {
			continue
		}
		kind, id := l.Other.Target()
		other := phi.New(id)
		switch {
		case id == "" || other == out.ID || kind != "" && kind != "Patient":
			issues = append(issues, Issue{Kind: WrongReference, Element: element})
		case l.Type == "replaces":
			if !slices.Contains(out.Replaces, other) {
				out.Replaces = append(out.Replaces, other)
			}
		case out.ReplacedBy.Empty():
			out.ReplacedBy = other
		default:
			contradictory = contradictory || out.ReplacedBy != other
		}
	}
	if contradictory {
		out.ReplacedBy = phi.ID{}
		issues = append(issues, Issue{Kind: ContradictoryCodes, Element: element})
	}
	return issues
}
