package incident

import (
	"slices"
	"strings"
	"unicode"
)

// Column is a column of ours.
type Column string

// The columns. ID, Patient and Date are required, and of Actuality and Harm one.
const (
	// ID is the id of the event in the incident system, which is unique there and never changes.
	ID Column = "id"
	// Patient and Encounter are FHIR logical ids in the EHR.
	Patient   Column = "patient"
	Encounter Column = "encounter"
	// Date is when it happened, Detected when somebody noticed, Recorded when it was filed.
	Date     Column = "date"
	Detected Column = "detected"
	Recorded Column = "recorded"
	// Actuality says whether it happened, or nearly did.
	Actuality   Column = "actuality"
	Category    Column = "category"
	Severity    Column = "severity"
	Seriousness Column = "seriousness"
	Outcome     Column = "outcome"
	// Harm is a letter of the NCC MERP index, or an extent of harm of AHRQ.
	Harm Column = "harm"
	// Detection is how the event came to be known.
	Detection Column = "detection"
	// Site is the code of a site. Figures take the site from the encounter.
	Site Column = "site"
	// Status is active or withdrawn.
	Status Column = "status"
)

// Columns lists the columns.
func Columns() []Column {
	return []Column{ID, Patient, Encounter, Date, Detected, Recorded, Actuality, Category, Severity,
		Seriousness, Outcome, Harm, Detection, Site, Status}
}

// Coded reports whether the values of a column are words of a list.
func (c Column) Coded() bool { return slices.Contains(codedColumns(), c) }

func codedColumns() []Column {
	return []Column{Actuality, Category, Severity, Seriousness, Outcome, Harm, Detection, Status}
}

// fold makes words equal that differ in case, in what divides them, or in the humps of a header.
func fold(text string) string {
	var b strings.Builder
	var last rune
	for _, r := range text {
		switch {
		case unicode.IsSpace(r) || r == '_' || r == '-':
			if b.Len() > 0 && last != ' ' {
				b.WriteByte(' ')
			}
			last = ' '
			continue
		case unicode.IsUpper(r) && unicode.IsLower(last):
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
		last = r
	}
	return strings.TrimSuffix(b.String(), " ")
}

const (
	namesPerson = "looks as if it named a person: leave it out of the export; a patient is known by the " +
		"FHIR id in the column patient"
	freeText = "looks like free text, which may name a person: leave it out of the export; what happened " +
		"is told in the review"
)

// personal says why a column must not be in a table at all, or "". It knows a column by its header, so
// that it is no proof that the others hold nothing of the kind.
func personal(header string) string {
	words := strings.FieldsFunc(fold(header), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	text := " " + strings.Join(words, " ") + " "
	has := func(phrases ...string) bool {
		return slices.ContainsFunc(phrases, func(p string) bool { return strings.Contains(text, " "+p+" ") })
	}
	switch {
	case text == " name ", has("mrn", "medical record", "ssn", "social security", "dob", "birth", "birthdate",
		"birthday", "surname", "lastname", "firstname", "patient name", "first name", "last name", "family name",
		"given name", "full name", "middle name", "maiden name", "phone", "telephone", "email", "e mail", "address",
		"street", "zip", "reporter", "reported by", "staff name", "employee"):
		return namesPerson
	case has("narrative", "comment", "comments", "note", "notes", "remark", "remarks", "description", "free text",
		"freetext", "memo", "summary", "details", "what happened", "story"):
		return freeText
	}
	return ""
}
