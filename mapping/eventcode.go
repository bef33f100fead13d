package mapping

import (
	"strings"

	"github.com/equitylens/equitylens/fhir"
)

// Systems of the codes of AdverseEvent. R4 and current HL7 terminology (THO) use the same names for
// different content, and differ in case: both are read, whatever the case.
const (
	systemActuality   = "http://hl7.org/fhir/adverse-event-actuality"
	systemCategory    = "http://terminology.hl7.org/CodeSystem/adverse-event-category"
	systemSeverity    = "http://terminology.hl7.org/CodeSystem/adverse-event-severity"
	systemSeriousness = "http://terminology.hl7.org/CodeSystem/adverse-event-seriousness"
	systemOutcome     = "http://terminology.hl7.org/CodeSystem/adverse-event-outcome"
)

// actualityCode reads http://hl7.org/fhir/R4/codesystem-adverse-event-actuality.html.
func actualityCode(c fhir.Coding) (string, State) {
	if c.System == systemActuality {
		return oneOf(c.Code, Actual, Potential)
	}
	return "", ""
}

// categoryCode reads the categories of R4 4.0.1 and those of THO 3.0.0. THO spells one of its own
// wrongly and deprecates that spelling.
func categoryCode(c fhir.Coding) (string, State) {
	switch c.System {
	case systemCategory, "http://hl7.org/fhir/adverse-event-category":
	default:
		return "", ""
	}
	if strings.EqualFold(c.Code, "hospital-aquired-infection") { //nolint:misspell // HL7 spells it so.
		return "hospital-acquired-infection", Known
	}
	if useError(strings.ToLower(c.Code)) {
		return strings.ToLower(c.Code), Known
	}
	return oneOf(c.Code,
		"product-problem", "product-quality", categoryUseError, "medical-device-use-error",
		"problem-different-manufacturer", "unsafe-physical-environment",
		"clinical-research", "wrong-patient", "procedure-mishap", "medication-mishap", "device",
		"hospital-acquired-infection", "wrong-body-site")
}

const categoryUseError = "product-use-error"

// useError reports whether a category is one of the eight that R4 puts under product-use-error.
func useError(code string) bool {
	switch code {
	case "wrong-dose", "incorrect-prescribing-information", "wrong-technique",
		"wrong-route-of-administration", "wrong-rate", "wrong-duration", "wrong-time", "expired-drug":
		return true
	}
	return false
}

func refineCategory(a, b string) (string, bool) {
	switch {
	case a == categoryUseError && useError(b):
		return b, true
	case b == categoryUseError && useError(a):
		return a, true
	}
	return "", false
}

// severityCode reads http://hl7.org/fhir/R4/codesystem-adverse-event-severity.html.
func severityCode(c fhir.Coding) (string, State) {
	switch c.System {
	case systemSeverity, "http://hl7.org/fhir/adverse-event-severity":
		return oneOf(c.Code, "mild", "moderate", "severe")
	}
	return "", ""
}

// seriousnessCode reads R4 "Serious" and its six kinds, "Non-serious", and the lower case of THO.
func seriousnessCode(c fhir.Coding) (string, State) {
	switch c.System {
	case systemSeriousness, "http://hl7.org/fhir/adverse-event-seriousness":
		return oneOf(c.Code, seriousnessSerious, "Non-serious", "SeriousResultsInDeath",
			"SeriousIsLifeThreatening", "SeriousResultsInHospitalization", "SeriousResultsInDisability",
			"SeriousIsBirthDefect", "SeriousRequiresPreventImpairment")
	}
	return "", ""
}

const seriousnessSerious = "Serious"

func refineSeriousness(a, b string) (string, bool) {
	switch {
	case a == seriousnessSerious && strings.HasPrefix(b, seriousnessSerious):
		return b, true
	case b == seriousnessSerious && strings.HasPrefix(a, seriousnessSerious):
		return a, true
	}
	return "", false
}

// outcomeCode reads http://hl7.org/fhir/R4/codesystem-adverse-event-outcome.html; "unknown" is
// there a code, and here a state.
func outcomeCode(c fhir.Coding) (string, State) {
	switch c.System {
	case systemOutcome, "http://hl7.org/fhir/adverse-event-outcome":
		if strings.EqualFold(c.Code, "unknown") {
			return "", Unknown
		}
		return oneOf(c.Code, "resolved", "recovering", "ongoing", "resolvedWithSequelae", "fatal")
	}
	return "", ""
}

// oneOf finds code among those of a table, whatever its case, and returns the spelling of the
// table.
func oneOf(code string, spellings ...string) (string, State) {
	for _, s := range spellings {
		if strings.EqualFold(s, code) {
			return s, Known
		}
	}
	return "", ""
}
