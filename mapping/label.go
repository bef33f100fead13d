package mapping

import (
	_ "embed"
	"strings"
)

//go:embed languages.tsv
var languages string

// The dimensions by which figures are grouped.
const (
	DimensionRace          = "race"
	DimensionEthnicity     = "ethnicity"
	DimensionRaceEthnicity = "race_ethnicity"
	DimensionLanguage      = "language"
	DimensionLanguageGroup = "language_group"
	DimensionInterpreter   = "interpreter_need"
	DimensionSex           = "sex"
	DimensionAgeBand       = "age_band"
	DimensionSite          = "site"
)

// SystemOf returns the code system of a known code of a dimension, "" for a dimension that is none.
// Race needs the code: two-or-more is our own beside the codes of CDCREC.
func SystemOf(dimension, code string) string {
	switch dimension {
	case DimensionRace, DimensionEthnicity, DimensionRaceEthnicity:
		if code == TwoOrMore {
			return SystemRace
		}
		return SystemCDCREC
	case DimensionLanguage:
		return SystemBCP47
	case DimensionLanguageGroup:
		return SystemLanguage
	case DimensionInterpreter:
		return SystemInterpreter
	case DimensionSex:
		return SystemGender
	case DimensionAgeBand:
		return SystemAgeBand
	case DimensionSite:
		return SystemSite
	}
	return ""
}

// Label returns the words for a code of a system, or of a dimension. A code without words is its
// own label; so is a site, whose words are in the data.
func Label(system, code string) string {
	if s := SystemOf(system, code); s != "" {
		system = s
	}
	label := ""
	switch system {
	case SystemCDCREC:
		label = labelCDCREC(code)
	case SystemBCP47:
		label = column(languages, code, 1)
	case SystemRace, SystemLanguage, SystemInterpreter, SystemInequity:
		label = labelOwn(code)
	case SystemGender:
		label = labelGender(code)
	case SystemState:
		label = labelState(State(code))
	case systemActCode:
		label = labelClass(code)
	case systemDisposition:
		label = labelDisposition(code)
	}
	if label == "" {
		return code
	}
	return label
}

// labelCDCREC returns the words of the built-in table.
func labelCDCREC(code string) string {
	const displayColumn = 3
	return column(cdcrec, code, displayColumn)
}

// column finds the row of a table of tab-divided lines that starts with key, and returns one of its
// columns; "" if there is none.
func column(table, key string, n int) string {
	if strings.ContainsAny(key, "\t\n") {
		return ""
	}
	_, row, ok := strings.Cut(table, "\n"+key+"\t")
	if !ok {
		return ""
	}
	row, _, _ = strings.Cut(row, "\n")
	for range n - 1 {
		_, row, _ = strings.Cut(row, "\t")
	}
	row, _, _ = strings.Cut(row, "\t")
	return row
}

func labelOwn(code string) string {
	switch code {
	case TwoOrMore:
		return "Two or more races"
	case English:
		return "English"
	case Spanish:
		return "Spanish"
	case Chinese:
		return "Chinese"
	case Sign:
		return "Sign language"
	case Other:
		return "Other language"
	case Yes:
		return "Yes"
	case No:
		return "No"
	case "undetermined":
		return "Undetermined"
	case inequityNotAsked:
		return "Not asked"
	}
	return ""
}

func labelGender(code string) string {
	switch code {
	case "male":
		return "Male"
	case "female":
		return "Female"
	case "other":
		return "Other"
	}
	return ""
}

func labelState(s State) string {
	switch s {
	case Known:
		return "Known"
	case Unknown:
		return "Unknown"
	case AskedNoAnswer:
		return "Asked, no answer"
	case AskedDeclined:
		return "Asked, declined to answer"
	case Missing:
		return "Not recorded"
	case Conflicting:
		return "Conflicting records"
	case Unmapped:
		return "Code not mapped"
	case TextOnly:
		return "Recorded in words only"
	}
	return ""
}

func labelClass(code string) string {
	switch code {
	case "AMB":
		return "Ambulatory"
	case "EMER":
		return "Emergency"
	case "FLD":
		return "Field"
	case "HH":
		return "Home health"
	case "IMP":
		return "Inpatient"
	case "ACUTE":
		return "Inpatient, acute"
	case "NONAC":
		return "Inpatient, non-acute"
	case "OBSENC":
		return "Observation"
	case "PRENC":
		return "Pre-admission"
	case "SS":
		return "Short stay"
	case classVirtual:
		return "Virtual"
	}
	return ""
}

func labelDisposition(code string) string {
	switch code {
	case "home":
		return "Home"
	case "alt-home":
		return "Alternative home"
	case dispositionOtherHC:
		return "Other healthcare facility"
	case "hosp":
		return "Hospice"
	case "long":
		return "Long-term care"
	case dispositionAdvice:
		return "Left against advice"
	case "exp":
		return "Died"
	case "psy":
		return "Psychiatric hospital"
	case "rehab":
		return "Rehabilitation"
	case "snf":
		return "Skilled nursing facility"
	case dispositionOther:
		return "Other"
	case LeftWithoutBeingSeen:
		return "Left without being seen"
	}
	return ""
}
