package mapping

import "github.com/equitylens/equitylens/fhir"

// Extensions that state the need for an interpreter, on Patient and on Encounter.
const (
	// http://hl7.org/fhir/us/core/StructureDefinition-us-core-interpreter-needed.html, since 8.0.
	extensionNeeded = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-interpreter-needed"
	// http://hl7.org/fhir/extensions/StructureDefinition-patient-interpreterRequired.html
	extensionRequired = "http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired"
)

const systemSNOMED = "http://snomed.info/sct"

// needElements are the paths of the two statements of need on one resource.
type needElements struct{ needed, required string }

// statements gathers the statements of need on one resource: where a yes, a no and a contradiction
// stand, and the strongest of those that take no side. Of equals the extension of US Core, whose path
// sorts last, is named, so that the order of extensions changes nothing.
type statements struct {
	yes, no, clash string
	absent         Value
}

func (s *statements) add(v Value) {
	switch {
	case v.Code == Yes:
		s.yes = max(s.yes, v.From)
	case v.Code == No:
		s.no = max(s.no, v.From)
	case v.State == Conflicting:
		s.clash = max(s.clash, v.From)
	case strength(v.State) > strength(s.absent.State),
		v.State == s.absent.State && v.From > s.absent.From:
		s.absent = v
	}
}

// need maps the statements of need on one resource, whichever extension makes them. A yes and a no
// on one level are Conflicting; either counts beside a null code.
func (m *Mapper) need(
	extensions []fhir.Extension, at needElements, issues []Issue,
) (Value, []Issue) {
	s := statements{absent: Value{State: Missing}}
	for i := range extensions {
		e := &extensions[i]
		var v Value
		switch e.URL {
		case extensionNeeded:
			v, issues = m.needValue(e, at.needed, issues)
		case extensionRequired:
			v, issues = m.needValue(e, at.required, issues)
		default:
			continue
		}
		s.add(v)
	}
	return s.value(issues)
}

func (s *statements) value(issues []Issue) (Value, []Issue) {
	from := max(s.yes, s.no, s.clash)
	switch {
	case s.yes != "" && s.no != "" && s.clash == "":
		issues = append(issues, Issue{Kind: ContradictoryCodes, Element: from})
		fallthrough
	case s.clash != "":
		return Value{State: Conflicting, From: from}, issues
	case from == "":
		return s.absent, issues
	}
	if nullState(s.absent.State) {
		issues = append(issues, Issue{Kind: KnownBesideUnknown, Element: s.absent.From})
	}
	if s.yes != "" {
		return Value{State: Known, Code: Yes, From: from}, issues
	}
	return Value{State: Known, Code: No, From: from}, issues
}

// needValue reads one statement: a coding, a concept or a boolean, or the reason why there is none.
func (m *Mapper) needValue(e *fhir.Extension, element string, issues []Issue) (Value, []Issue) {
	r := reader{table: needCode}
	switch {
	case e.ValueBoolean != nil && *e.ValueBoolean:
		return Value{State: Known, Code: Yes, From: element}, issues
	case e.ValueBoolean != nil:
		return Value{State: Known, Code: No, From: element}, issues
	case e.ValueCoding != nil:
		one := [1]fhir.Coding{*e.ValueCoding}
		return m.codings(r, one[:], false, element, issues)
	case e.ValueCodeableConcept != nil:
		return m.concept(r, *e.ValueCodeableConcept, element, issues)
	case e.ValueString != nil:
		return m.codings(r, nil, true, element, issues)
	}
	for i := range e.Extension {
		if inner := &e.Extension[i]; inner.URL == extensionAbsent && inner.ValueCode != nil {
			return m.code(r, systemAbsent, *inner.ValueCode, element, issues)
		}
	}
	return Value{State: Missing}, issues
}

// needCode reads yes and no: the SNOMED CT answers of the US Core value set, the two SNOMED CT
// findings used in their stead, and the yes and no of HL7 table 0136 and of LOINC.
func needCode(c fhir.Coding) (string, State) {
	switch c.System {
	case systemSNOMED:
		switch c.Code {
		case "373066001", "315594003":
			return Yes, Known
		case "373067005", "315595002":
			return No, Known
		}
	case "http://terminology.hl7.org/CodeSystem/v2-0136":
		switch c.Code {
		case "Y":
			return Yes, Known
		case "N":
			return No, Known
		}
	case "http://loinc.org":
		switch c.Code {
		case "LA33-6":
			return Yes, Known
		case "LA32-8":
			return No, Known
		}
	case SystemInterpreter:
		if c.Code == Yes || c.Code == No {
			return c.Code, Known
		}
	}
	return "", ""
}

// ResolveNeed returns the need for an interpreter in one encounter: what the encounter says, else
// what its patient says. A recorded "unknown" passes on to the patient, and stands if the patient
// says nothing. A statement that is contradictory or cannot be read does not pass on: it may say
// the opposite.
func ResolveNeed(encounter, patient Value) Value {
	if encounter.State == "" || encounter.State == Missing {
		return patient
	}
	if nullState(encounter.State) && patient.State != "" && patient.State != Missing {
		return patient
	}
	return encounter
}

// LimitedEnglishOf is the proxy for limited English proficiency, from the preferred language and
// the need that holds where it is asked. A signer may need an interpreter and is not counted: it is
// another axis. A need that is contradictory decides nothing, so the language does.
func LimitedEnglishOf(language, need Value) LimitedEnglish {
	signs := language.State == Known && signLanguage(language.Code)
	switch {
	case signs || need.Code == No:
		return LimitedEnglishNo
	case need.Code == Yes:
		return LimitedEnglishYes
	case language.State != Known:
		return LimitedEnglishUnknown
	case language.Code == "en":
		return LimitedEnglishNo
	}
	return LimitedEnglishProbable
}

// Elements that can show that an interpreter took part.
const (
	translatorElement  = "Encounter.participant.type"
	arrangementElement = "Encounter.hospitalization.specialArrangement"
)

// use returns the strongest evidence that an interpreter took part, and the element that shows it.
// A RelatedPerson who translates is not a qualified interpreter (45 CFR 92.201), which puts ad hoc
// below arranged.
func (m *Mapper) use(e *fhir.Encounter) (InterpreterUse, string) {
	adHoc := false
	for i := range e.Participant {
		p := &e.Participant[i]
		for _, t := range p.Type {
			if !m.names(translatorCode, t) {
				continue
			}
			if kind, _ := p.Individual.Target(); kind != "RelatedPerson" {
				return Documented, translatorElement
			}
			adHoc = true
		}
	}
	for _, a := range e.Hospitalization.SpecialArrangement {
		if m.names(arrangementCode, a) {
			return Arranged, arrangementElement
		}
	}
	if adHoc {
		return AdHoc, translatorElement
	}
	return NoneDocumented, ""
}

// The two codes that show use, and the systems that hold them in R4 and in STU3.
const (
	codeTranslator         = "translator"
	codeInterpreter        = "int"
	systemParticipant      = "http://terminology.hl7.org/CodeSystem/participant-type"
	systemParticipantSTU3  = "http://hl7.org/fhir/participant-type"
	systemArrangements     = "http://terminology.hl7.org/CodeSystem/encounter-special-arrangements"
	systemArrangementsSTU3 = "http://hl7.org/fhir/encounter-special-arrangements"
)

func translatorCode(c fhir.Coding) (string, State) {
	if c.Code == codeTranslator &&
		(c.System == systemParticipant || c.System == systemParticipantSTU3) {
		return codeTranslator, Known
	}
	return "", ""
}

func arrangementCode(c fhir.Coding) (string, State) {
	if c.Code == codeInterpreter &&
		(c.System == systemArrangements || c.System == systemArrangementsSTU3) {
		return codeInterpreter, Known
	}
	return "", ""
}
