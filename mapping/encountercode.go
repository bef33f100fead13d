package mapping

import "github.com/equitylens/equitylens/fhir"

// Systems of the codes of Encounter, in R4 and where it differs in STU3.
const (
	systemActCode      = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
	systemPriority     = "http://terminology.hl7.org/CodeSystem/v3-ActPriority"
	systemStatus       = "http://hl7.org/fhir/encounter-status"
	systemDisposition  = "http://terminology.hl7.org/CodeSystem/discharge-disposition"
	systemNUBC         = "https://www.nubc.org/CodeSystem/PatDischargeStatus"
	systemNUBCPatient  = "http://www.nubc.org/patient-discharge"
	codeLeftUnseen     = "21541000119102"
	dispositionAdvice  = "aadvice"
	dispositionOther   = "oth"
	dispositionOtherHC = "other-hcf"
)

// classCode reads v3-ActCode below _ActEncounterCode.
// http://terminology.hl7.org/ValueSet/v3-ActEncounterCode
func classCode(c fhir.Coding) (string, State) {
	switch c.System {
	case systemActCode, "http://hl7.org/fhir/v3/ActCode", "urn:oid:2.16.840.1.113883.5.4":
	default:
		return "", ""
	}
	switch c.Code {
	case "AMB", "EMER", "FLD", "HH", "IMP", "ACUTE", "NONAC", "OBSENC", "PRENC", "SS", classVirtual:
		return c.Code, Known
	}
	return "", ""
}

// statusCode reads http://hl7.org/fhir/R4/codesystem-encounter-status.html.
func statusCode(c fhir.Coding) (string, State) {
	if c.System != systemStatus {
		return "", ""
	}
	switch c.Code {
	case "planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled",
		"entered-in-error", "unknown":
		return c.Code, Known
	}
	return "", ""
}

// priorityCode reads http://terminology.hl7.org/CodeSystem/v3-ActPriority.
func priorityCode(c fhir.Coding) (string, State) {
	switch c.System {
	case systemPriority, "http://hl7.org/fhir/v3/ActPriority", "urn:oid:2.16.840.1.113883.5.7":
	default:
		return "", ""
	}
	switch c.Code {
	case "A", "CR", "CS", "CSP", "CSR", priorityElective, "EM", "P", "PRN", "R", "RR", "S", "T", "UD",
		"UR":
		return c.Code, Known
	}
	return "", ""
}

// dispositionCode reads a discharge disposition into THO discharge-disposition, or
// LeftWithoutBeingSeen.
func dispositionCode(c fhir.Coding) (string, State) {
	switch c.System {
	case systemDisposition, "http://hl7.org/fhir/discharge-disposition":
		switch c.Code {
		case "home", "alt-home", dispositionOtherHC, "hosp", "long", dispositionAdvice, "exp", "psy",
			"rehab", "snf", dispositionOther:
			return c.Code, Known
		}
	case systemNUBC, systemNUBCPatient:
		return nubcCode(c.Code)
	case systemSNOMED:
		if c.Code == codeLeftUnseen {
			return LeftWithoutBeingSeen, Known
		}
	}
	return "", ""
}

// nubcCode reads UB-04 form locator 17, patient discharge status, with or without the leading zero.
// The codes from 81 on repeat those below with a planned readmission. Still a patient (30) says
// that there is no disposition yet. The crosswalk to discharge-disposition is this project's own: a
// hospital for acute care is "other-hcf", a long-term care hospital and a nursing home that
// Medicare does not certify are "long".
func nubcCode(code string) (string, State) {
	if len(code) == 1 {
		code = "0" + code
	}
	switch code {
	case "01", "06", "81", "86":
		return "home", Known
	case "02", "05", "43", "66", "69", "70", "82", "85", "88", "94", "95":
		return dispositionOtherHC, Known
	case "03", "61", "83", "89":
		return "snf", Known
	case "04", "63", "64", "84", "91", "92":
		return "long", Known
	case "07":
		return dispositionAdvice, Known
	case "20", "40", "41", "42":
		return "exp", Known
	case "21", "87":
		return dispositionOther, Known
	case "50", "51":
		return "hosp", Known
	case "62", "90":
		return "rehab", Known
	case "65", "93":
		return "psy", Known
	case "30":
		return "", Unknown
	}
	return "", ""
}

// refineDisposition decides between two codings of one disposition where one says more: UB-04 07 is
// "left against advice or discontinued care" and is sent beside the SNOMED CT code for leaving
// unseen; "oth" and "other-hcf" are general words for what the other coding names.
func refineDisposition(a, b string) (string, bool) {
	for _, pair := range [2][2]string{{a, b}, {b, a}} {
		general, special := pair[0], pair[1]
		switch {
		case general == dispositionOther,
			general == dispositionAdvice && special == LeftWithoutBeingSeen:
			return special, true
		case general == dispositionOtherHC:
			switch special {
			case "psy", "rehab", "snf", "long":
				return special, true
			}
		}
	}
	return "", false
}
