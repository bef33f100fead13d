package script

import (
	"errors"
	"fmt"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/mapping"
)

// event maps what a line says of an adverse event.
func (p *parser) event(w words) (mapping.AdverseEvent, error) {
	if w["patient"] == "" && w["encounter"] == "" {
		return mapping.AdverseEvent{}, errors.New("patient= or encounter= is missing: whom it befell")
	}
	in := fhir.AdverseEvent{
		ID: "a", Actuality: mapping.Actual, Subject: fhir.Reference{Reference: "Patient/p"},
		Severity:    concept(systemEvent+"severity", w["severity"]),
		Seriousness: concept(systemEvent+"seriousness", w["seriousness"]),
		Outcome:     concept(systemEvent+"outcome", w["outcome"]),
		Extension:   factor(w["inequity"]),
	}
	if category := concept(systemEvent+"category", w["category"]); category.Present() {
		in.Category = []fhir.CodeableConcept{category}
	}
	var faults []error
	switch w["actuality"] {
	case "", mapping.Actual:
	case mapping.Potential:
		in.Actuality = mapping.Potential
	case string(mapping.Missing):
		in.Actuality = ""
	default:
		faults = append(faults,
			fmt.Errorf("actuality=%s is none of actual, potential, missing", w["actuality"]))
	}
	var err error
	if date := w["date"]; date != "" {
		in.Date, err = moment(date)
		faults = append(faults, err)
	}
	if detected := w["detected"]; detected != "" {
		in.Detected, err = moment(detected)
		faults = append(faults, err)
	}
	out, issues := p.mapper.AdverseEvent(&in, nil)
	faults = append(faults, refused(issues), meant("category", w["category"], out.Category),
		meant("severity", w["severity"], out.Severity),
		meant("seriousness", w["seriousness"], out.Seriousness),
		meant("outcome", w["outcome"], out.Outcome), meant("inequity", w["inequity"], out.Inequity))
	return out, errors.Join(faults...)
}

// factor writes the answer to whether inequity contributed, as a contributing factor.
func factor(word string) []fhir.Extension {
	if word == "" || word == string(mapping.Missing) {
		return nil
	}
	// A state has no code there; the code of that name is one that nobody knows.
	answer := fhir.CodeableConcept{
		Coding: []fhir.Coding{{System: mapping.SystemInequity, Code: word}},
	}
	return []fhir.Extension{{
		URL: extensionFactor, Extension: []fhir.Extension{{URL: "item", ValueCodeableConcept: &answer}},
	}}
}
