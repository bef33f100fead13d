package mapping

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir"
)

func coded(system, code string) fhir.CodeableConcept {
	return fhir.CodeableConcept{Coding: []fhir.Coding{{System: system, Code: code}}}
}

func TestInterpreterNeed(t *testing.T) {
	t.Parallel()
	needed := func(system, code string) fhir.Extension {
		return needExtension(extensionNeeded, system, code)[0]
	}
	required := func(v bool) fhir.Extension {
		return fhir.Extension{URL: extensionRequired, ValueBoolean: &v}
	}
	const usCore = "Patient.extension(us-core-interpreter-needed)"
	const base = "Patient.extension(patient-interpreterRequired)"
	tests := []struct {
		name   string
		in     []fhir.Extension
		want   Value
		issues []IssueKind
	}{
		{"nothing is missing", nil, Value{State: Missing}, nil},
		{"yes", []fhir.Extension{needed(systemSNOMED, "373066001")}, Value{Known, Yes, usCore}, nil},
		{"no", []fhir.Extension{needed(systemSNOMED, "373067005")}, Value{Known, No, usCore}, nil},
		{"interpreter needed is yes", []fhir.Extension{needed(systemSNOMED, "315594003")},
			Value{Known, Yes, usCore}, nil},
		{"interpreter not needed is no", []fhir.Extension{needed(systemSNOMED, "315595002")},
			Value{Known, No, usCore}, nil},
		{"a boolean", []fhir.Extension{required(false)}, Value{Known, No, base}, nil},
		{"two that agree", []fhir.Extension{required(true), needed(systemSNOMED, "373066001")},
			Value{Known, Yes, usCore}, nil},
		{"two that differ are conflicting",
			[]fhir.Extension{required(true), needed(systemSNOMED, "373067005")},
			Value{State: Conflicting, From: usCore}, []IssueKind{ContradictoryCodes}},
		{"an unknown beside an answer passes",
			[]fhir.Extension{needed(systemNullFlavor, "UNK"), required(true)},
			Value{Known, Yes, base}, []IssueKind{KnownBesideUnknown}},
		{"two unknowns come from the extension of US Core",
			[]fhir.Extension{{URL: extensionRequired, Extension: []fhir.Extension{
				{URL: extensionAbsent, ValueCode: pointer("unknown")}}}, needed(systemNullFlavor, "UNK")},
			Value{State: Unknown, From: usCore}, nil},
		{"declined", []fhir.Extension{needed(systemAbsent, "asked-declined")},
			Value{State: AskedDeclined, From: usCore}, nil},
		{"a code of another question is unmapped", []fhir.Extension{needed(systemSNOMED, "1")},
			Value{State: Unmapped, From: usCore}, []IssueKind{UnmappedCode}},
		{"words are not read", []fhir.Extension{{URL: extensionNeeded, ValueString: pointer("yes")}},
			Value{State: TextOnly, From: usCore}, []IssueKind{TextWithoutCode}},
		{"a reason for absence", []fhir.Extension{{URL: extensionNeeded, Extension: []fhir.Extension{
			{URL: extensionAbsent, ValueCode: pointer("unknown")}}}},
			Value{State: Unknown, From: usCore}, nil},
	}
	m := mapper(t, Config{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, issues := m.Patient(&fhir.Patient{Extension: tt.in}, nil)
			if diff := cmp.Diff(tt.want, p.InterpreterNeed); diff != "" {
				t.Errorf("InterpreterNeed: -want +got\n%s", diff)
			}
			if diff := cmp.Diff(tt.issues, kinds(issues)); diff != "" {
				t.Errorf("issues: -want +got\n%s", diff)
			}
		})
	}
}

func TestResolveNeed(t *testing.T) {
	t.Parallel()
	yes, no := Value{Known, Yes, "p"}, Value{Known, No, "e"}
	missing, unknown := Value{State: Missing}, Value{State: Unknown, From: "e"}
	conflict, unmapped := Value{State: Conflicting, From: "e"}, Value{State: Unmapped, From: "e"}
	tests := []struct {
		name                     string
		encounter, patient, want Value
	}{
		{"the encounter's statement wins", no, yes, no},
		{"the patient's stands in", missing, yes, yes},
		{"a recorded unknown passes on", unknown, yes, yes},
		{"a refusal passes on", Value{State: AskedDeclined, From: "e"}, yes, yes},
		{"a recorded unknown stands alone", unknown, missing, unknown},
		{"a contradiction does not pass on", conflict, yes, conflict},
		{"a code that we cannot read does not pass on", unmapped, yes, unmapped},
		{"no statement at all is missing", missing, missing, missing},
		{"the patient's contradiction stands", missing, conflict, conflict},
	}
	for _, tt := range tests {
		if got := ResolveNeed(tt.encounter, tt.patient); got != tt.want {
			t.Errorf("%s: ResolveNeed = %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestLimitedEnglish(t *testing.T) {
	t.Parallel()
	known := func(code string) Value { return Value{State: Known, Code: code} }
	none := Value{State: Missing}
	tests := []struct {
		name           string
		language, need Value
		want           LimitedEnglish
	}{
		{"a need is limited English", none, known(Yes), LimitedEnglishYes},
		{"no need is not", known("es"), known(No), LimitedEnglishNo},
		{"another language without a statement is probable", known("es"), none, LimitedEnglishProbable},
		{"English without a statement is not", known("en"), none, LimitedEnglishNo},
		{"a signer with a need is another axis", known("ase"), known(Yes), LimitedEnglishNo},
		{"nothing recorded is unknown", none, none, LimitedEnglishUnknown},
	}
	for _, tt := range tests {
		if got := LimitedEnglishOf(tt.language, tt.need); got != tt.want {
			t.Errorf("%s: LimitedEnglishOf = %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestInterpreterUse(t *testing.T) {
	t.Parallel()
	translator := func(ref string) fhir.Participant {
		return fhir.Participant{Type: []fhir.CodeableConcept{coded(systemParticipant, codeTranslator)},
			Individual: fhir.Reference{Reference: ref}}
	}
	arranged := fhir.Hospitalization{SpecialArrangement: []fhir.CodeableConcept{
		coded(systemArrangements, "wheel"), coded(systemArrangements, codeInterpreter)}}
	tests := []struct {
		name string
		in   fhir.Encounter
		want InterpreterUse
		from string
	}{
		{"nothing documented", fhir.Encounter{}, NoneDocumented, ""},
		{"a practitioner who translates", fhir.Encounter{Participant: []fhir.Participant{
			translator("Practitioner/1")}}, Documented, translatorElement},
		{"a practitioner beside a relative", fhir.Encounter{Participant: []fhir.Participant{
			translator("RelatedPerson/1"), translator("Practitioner/1")}}, Documented, translatorElement},
		{"a relative behind an absolute URL", fhir.Encounter{Participant: []fhir.Participant{
			translator("https://ehr.example/fhir/RelatedPerson/1")}}, AdHoc, translatorElement},
		{"a relative and an arrangement", fhir.Encounter{Hospitalization: arranged,
			Participant: []fhir.Participant{translator("RelatedPerson/1")}}, Arranged, arrangementElement},
		{"an arrangement", fhir.Encounter{Hospitalization: arranged}, Arranged, arrangementElement},
	}
	m := mapper(t, Config{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, _ := m.Encounter(&tt.in, nil)
			if e.InterpreterUse != tt.want || e.InterpreterUseFrom != tt.from {
				t.Errorf("InterpreterUse = %s from %q, want %s from %q",
					e.InterpreterUse, e.InterpreterUseFrom, tt.want, tt.from)
			}
		})
	}
}
