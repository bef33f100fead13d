package incident

import (
	"cmp"

	"github.com/equitylens/equitylens/mapping"
)

// extent is one step of a scale of harm, and what it says in the words of an AdverseEvent.
type extent struct {
	// code is how the column harm has it, words how else it may be written.
	code  string
	words []string
	// system, of and display are the coding that is kept beside what it was read as.
	system, of, display string
	// What the step says; "" where it says nothing.
	actuality, severity, seriousness, outcome string
}

// Systems of the two scales.
const (
	systemLOINC = "http://loinc.org"
	systemMERP  = mapping.SystemOwn + "ncc-merp-index"
)

// extents is the crosswalk of both scales, which is our own: no publisher has an official one. The
// letters are those of the NCC MERP index (National Coordinating Council for Medication Error Reporting
// and Prevention), of which E to I are harm; the words those of LOINC 74560-4, extent of harm of the
// AHRQ Common Formats. The actuality is that of FHIR: what happened is actual, whether or not it harmed,
// and what did not reach the patient is potential. Raters agree only moderately on such scales (κ about
// 0.5), so that a difference of one step between two events says little.
func extents() []extent {
	const (
		mild, moderate, severe = "mild", "moderate", "severe"
		hospital               = "SeriousResultsInHospitalization"
		disability             = "SeriousResultsInDisability"
		threatening            = "SeriousIsLifeThreatening"
		death, fatal           = "SeriousResultsInDeath", "fatal"
		actual, potential      = mapping.Actual, mapping.Potential
	)
	return []extent{
		{"A", nil, systemMERP, "A", "Capacity to cause error", potential, "", "", ""},
		{"B", nil, systemMERP, "B", "Did not reach the patient", potential, "", "", ""},
		{"C", nil, systemMERP, "C", "Reached the patient, no harm", actual, "", "", ""},
		{"D", nil, systemMERP, "D", "Monitoring to confirm no harm", actual, "", "", ""},
		{"E", nil, systemMERP, "E", "Temporary harm, intervention", actual, mild, "", ""},
		{"F", nil, systemMERP, "F", "Temporary harm, hospitalization", actual, moderate, hospital, ""},
		{"G", nil, systemMERP, "G", "Permanent harm", actual, severe, disability, ""},
		{"H", nil, systemMERP, "H", "Intervention to sustain life", actual, severe, threatening, ""},
		{"I", nil, systemMERP, "I", "Death", actual, severe, death, fatal},
		{"death", []string{"LA20747-4"}, systemLOINC, "LA20747-4", "Death", actual, severe, death, fatal},
		{"severe-harm", []string{"severe", "LA20748-2"}, systemLOINC, "LA20748-2", "Severe", actual, severe, "", ""},
		{"moderate-harm", []string{"moderate", "LA20749-0"}, systemLOINC, "LA20749-0", "Moderate", actual,
			moderate, "", ""},
		{"mild-harm", []string{"mild", "LA21150-0"}, systemLOINC, "LA21150-0", "Mild", actual, mild, "", ""},
		{"no-harm", []string{"none", "LA21151-8"}, systemLOINC, "LA21151-8", "No harm", "", "", "", ""},
		{"unknown", []string{"LA4489-6"}, systemLOINC, "LA4489-6", "Unknown", "", "", "", ""},
	}
}

// extentOf finds a step by its code.
func extentOf(code string) (extent, bool) {
	for _, e := range extents() {
		if e.code == code {
			return e, true
		}
	}
	return extent{}, false
}

// settle fills what an event leaves open by the step of its scale. It returns the column that contradicts
// it, or that is missing, and why; nothing is filled then.
func (e *Event) settle() (Column, string) {
	x, given := extentOf(e.Harm)
	switch {
	case given && x.harmed() && e.Actuality == mapping.Potential:
		return Harm, "says that the patient was harmed, and the actuality that it only might have happened"
	case given && x.outcome != "" && e.Outcome != "" && e.Outcome != x.outcome:
		return Harm, "says that the patient died, and the outcome something else"
	case e.Actuality == "" && x.actuality == "":
		return Actuality, "is missing: actual or potential; or a harm that says so"
	}
	e.Actuality, e.Severity = cmp.Or(e.Actuality, x.actuality), cmp.Or(e.Severity, x.severity)
	e.Seriousness, e.Outcome = cmp.Or(e.Seriousness, x.seriousness), cmp.Or(e.Outcome, x.outcome)
	return "", ""
}

// harmed reports whether a step says that somebody was harmed.
func (e extent) harmed() bool { return e.severity != "" }
