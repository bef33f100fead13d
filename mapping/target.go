package mapping

import (
	"slices"
	"strings"

	"github.com/equitylens/equitylens/fhir"
)

// Target is a coding that a rule of a site's ConceptMap may lead to in some element.
type Target struct {
	System, Code string
	// State is Known, or what a null code says of the value.
	State State
	// Main marks the few that most sites need, of an element that has hundreds.
	Main bool
}

// The paths of elements that begin the same whatever stands behind them.
const (
	raceElements      = "Patient.extension(us-core-race)"
	ethnicityElements = "Patient.extension(us-core-ethnicity)"
	needMark          = "extension(us-core-interpreter-needed)"
	requiredMark      = "extension(patient-interpreterRequired)"
)

// Targets lists what the code of an element can be translated to, by the path that an Issue names: the
// codes of the element first, in the order of their tables, then those that say why there is no value.
// It is empty for an element that reads no code. A site that has a race table of its own may have more.
func Targets(element string) []Target {
	system, codes := targetCodes(element)
	if system == "" {
		return nil
	}
	var out []Target
	for _, code := range codes {
		out = append(out, Target{System: system, Code: code, State: Known, Main: mainTarget(system, code, len(codes))})
	}
	if element == dispositionElement {
		out = append(out, Target{System: systemSNOMED, Code: codeLeftUnseen, State: Known, Main: true})
	}
	for _, code := range []string{"asked-declined", "asked-unknown", "unknown", "not-asked"} {
		null := Target{System: systemAbsent, Code: code, Main: true}
		null.State = absence(fhir.Coding{System: null.System, Code: null.Code})
		out = append(out, null)
	}
	return out
}

// targetCodes are the codes of an element and their system.
func targetCodes(element string) (system string, codes []string) {
	switch {
	case strings.HasPrefix(element, raceElements):
		return SystemCDCREC, cdcrecCodes(false)
	case strings.HasPrefix(element, ethnicityElements):
		return SystemCDCREC, cdcrecCodes(true)
	case strings.HasSuffix(element, needMark), strings.HasSuffix(element, requiredMark):
		return SystemInterpreter, []string{Yes, No}
	}
	switch element {
	case "Patient.communication.language":
		return SystemBCP47, slices.DeleteFunc(firstColumn(languages), func(code string) bool {
			_, state := languageCode(fhir.Coding{System: SystemBCP47, Code: code})
			return state != Known // "und" and its kin say that there is none.
		})
	case "Patient.gender":
		return SystemGender, []string{"male", "female", "other"}
	case factorElement:
		return SystemInequity, []string{Yes, No, "undetermined", inequityNotAsked}
	}
	if strings.HasPrefix(element, "Encounter.") {
		return encounterTargets(element)
	}
	return eventTargets(element)
}

func encounterTargets(element string) (system string, codes []string) {
	switch element {
	case classElement:
		return systemActCode, []string{"AMB", "EMER", "FLD", "HH", "IMP", "ACUTE", "NONAC", "OBSENC", "PRENC",
			"SS", classVirtual}
	case statusElement:
		return systemStatus, []string{"planned", "arrived", "triaged", "in-progress", "onleave", "finished",
			"cancelled", "entered-in-error", "unknown"}
	case priorityElement:
		return systemPriority, []string{"A", "CR", "CS", "CSP", "CSR", priorityElective, "EM", "P", "PRN", "R",
			"RR", "S", "T", "UD", "UR"}
	case dispositionElement:
		return systemDisposition, []string{"home", "alt-home", dispositionOtherHC, "hosp", "long",
			dispositionAdvice, "exp", "psy", "rehab", "snf", dispositionOther}
	}
	return "", nil
}

func eventTargets(element string) (system string, codes []string) {
	switch element {
	case "AdverseEvent.actuality":
		return systemActuality, []string{Actual, Potential}
	case "AdverseEvent.category":
		return systemCategory, []string{"product-problem", "product-quality", categoryUseError, "wrong-dose",
			"incorrect-prescribing-information", "wrong-technique", "wrong-route-of-administration", "wrong-rate",
			"wrong-duration", "wrong-time", "expired-drug", "medical-device-use-error",
			"problem-different-manufacturer", "unsafe-physical-environment", "clinical-research", "wrong-patient",
			"procedure-mishap", "medication-mishap", "device", "hospital-acquired-infection", "wrong-body-site"}
	case "AdverseEvent.severity":
		return systemSeverity, []string{"mild", "moderate", "severe"}
	case "AdverseEvent.seriousness":
		return systemSeriousness, []string{seriousnessSerious, "Non-serious", "SeriousResultsInDeath",
			"SeriousIsLifeThreatening", "SeriousResultsInHospitalization", "SeriousResultsInDisability",
			"SeriousIsBirthDefect", "SeriousRequiresPreventImpairment"}
	case "AdverseEvent.outcome":
		return systemOutcome, []string{"resolved", "recovering", "ongoing", "resolvedWithSequelae", "fatal"}
	}
	return "", nil
}

// mainTarget marks the categories of race and ethnicity and the languages that are spoken most in the
// United States (Census Bureau, American Community Survey, table B16001), and everything of an element
// that has few codes.
func mainTarget(system, code string, of int) bool {
	const few = 40
	if of <= few {
		return true
	}
	if system == SystemBCP47 {
		switch code {
		case "am", "ar", "ase", "bn", "de", "en", "es", "fa", "fr", "gu", "he", "hi", "hmn", "ht", "hy", "it",
			"ja", "km", "ko", "nv", "pa", "pl", "pt", "ru", "so", "sw", "ta", "te", "th", "tl", "uk", "ur", "vi",
			"zh":
			return true
		}
		return false
	}
	const categoryColumn = 2
	return column(cdcrec, code, categoryColumn) == code || code == codeMiddleEastern
}

// cdcrecCodes are the codes of the built-in table that are values of ethnicity, or of race.
func cdcrecCodes(ethnicity bool) []string {
	const categoryColumn = 2
	var out []string
	for _, code := range firstColumn(cdcrec) {
		category := column(cdcrec, code, categoryColumn)
		if category != "" && ethnicity == (category == codeHispanic || category == codeNotHispanic) {
			out = append(out, code)
		}
	}
	return out
}

// firstColumn lists the keys of a table of tab-divided lines.
func firstColumn(table string) []string {
	var out []string
	for line := range strings.Lines(table) {
		if key, _, ok := strings.Cut(line, "\t"); ok && !strings.HasPrefix(line, "#") {
			out = append(out, key)
		}
	}
	return out
}
