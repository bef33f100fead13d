package mapping

import (
	"bytes"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir"
)

// conceptMap writes a ConceptMap with one group and one rule a pair of codes.
func conceptMap(source, target string, pairs ...string) string {
	var b strings.Builder
	b.WriteString(`{"resourceType":"ConceptMap","status":"active","group":[{"source":"` + source +
		`","target":"` + target + `","element":[`)
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"code":"` + pairs[i] + `","display":"x","target":[{"code":"` + pairs[i+1] +
			`","equivalence":"equivalent"}]}`)
	}
	b.WriteString(`]}]}`)
	return b.String()
}

func parse(t testing.TB, name, text string) ConceptMap {
	t.Helper()
	cm, err := ParseConceptMap(name, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return cm
}

func TestConceptMapsTranslateEveryElement(t *testing.T) {
	t.Parallel()
	const local = "urn:local"
	var maps []ConceptMap
	for target, code := range map[string]string{
		SystemCDCREC: "2054-5", SystemBCP47: "es", systemActCode: "VR", systemStatus: "finished",
		systemDisposition: "exp", systemPriority: "EL", systemParticipant: codeTranslator,
		systemArrangements: codeInterpreter, SystemGender: "female", SystemInterpreter: Yes,
		systemCategory: "device", systemSeverity: "mild", systemSeriousness: "Serious",
		systemOutcome: "fatal", SystemInequity: "no",
	} {
		maps = append(maps, parse(t, "local.json", conceptMap(local, target, "7", code)))
	}
	// Elements of type code have the system that FHIR gives them.
	maps = append(maps,
		parse(t, "gender.json", conceptMap(SystemGender, SystemGender, "F", "female")),
		parse(t, "status.json", conceptMap(systemStatus, systemStatus, "completed", "finished")),
		parse(t, "actuality.json", conceptMap(systemActuality, systemActuality, "near-miss", "potential")),
		parse(t, "declined.json", conceptMap("urn:refused", systemAbsent, "7", "asked-declined")))
	m := mapper(t, Config{ConceptMaps: maps})
	seven := coded(local, "7")

	p, issues := m.Patient(&fhir.Patient{
		Extension: []fhir.Extension{
			race(inner("ombCategory", local, "7")), ethnicity(inner("ombCategory", "urn:refused", "7")),
			needExtension(extensionNeeded, local, "7")[0],
		},
		Gender:        "F",
		Communication: []fhir.Communication{{Language: seven}},
	}, nil)
	wantPatient := []string{"2054-5", string(AskedDeclined), Yes, "female", "es"}
	gotPatient := []string{p.Race.Code, string(p.Ethnicity.State), p.InterpreterNeed.Code, p.Sex.Code,
		p.Language.Code}
	if diff := cmp.Diff(wantPatient, gotPatient); diff != "" || len(issues) != 0 {
		t.Errorf("Patient: -want +got\n%s%+v", diff, issues)
	}

	e, issues := m.Encounter(&fhir.Encounter{
		Status: "completed", Class: seven.Coding[0], Priority: seven,
		Subject:     fhir.Reference{Reference: "Patient/1"},
		Participant: []fhir.Participant{{Type: []fhir.CodeableConcept{seven}}},
		Hospitalization: fhir.Hospitalization{DischargeDisposition: seven,
			SpecialArrangement: []fhir.CodeableConcept{seven}},
	}, nil)
	wantEncounter := []string{"finished", "VR", "exp", string(Documented)}
	gotEncounter := []string{e.Status, e.Class.Code, e.Disposition.Code, string(e.InterpreterUse)}
	if diff := cmp.Diff(wantEncounter, gotEncounter); diff != "" || len(issues) != 0 ||
		!e.Elective || !e.Telehealth {
		t.Errorf("Encounter: -want +got\n%s%+v", diff, issues)
	}
	arranged, _ := m.Encounter(&fhir.Encounter{Hospitalization: fhir.Hospitalization{
		SpecialArrangement: []fhir.CodeableConcept{seven}}}, nil)
	if arranged.InterpreterUse != Arranged {
		t.Errorf("InterpreterUse = %s", arranged.InterpreterUse)
	}

	a, issues := m.AdverseEvent(&fhir.AdverseEvent{
		Actuality: "near-miss", Date: "2018-01-01", Subject: fhir.Reference{Reference: "Patient/1"},
		Category: []fhir.CodeableConcept{seven}, Severity: seven, Seriousness: seven, Outcome: seven,
		Extension: []fhir.Extension{factor(seven.Coding[0])},
	}, nil)
	wantEvent := []string{Potential, "device", "mild", "Serious", "fatal", No}
	gotEvent := []string{a.Actuality, a.Category.Code, a.Severity.Code, a.Seriousness.Code,
		a.Outcome.Code, a.Inequity.Code}
	if diff := cmp.Diff(wantEvent, gotEvent); diff != "" || len(issues) != 0 {
		t.Errorf("AdverseEvent: -want +got\n%s%+v", diff, issues)
	}
}

func TestConceptMapsStandBehindTheTables(t *testing.T) {
	t.Parallel()
	m := mapper(t, Config{ConceptMaps: []ConceptMap{
		parse(t, "a.json", conceptMap(systemDisposition, systemDisposition, "home", "exp")),
		parse(t, "b.json", conceptMap("urn:local", systemDisposition, "7", "exp")),
		parse(t, "c.json", conceptMap(SystemCDCREC, SystemCDCREC, "2016-3", "2106-3")),
	}})
	both := fhir.CodeableConcept{Coding: []fhir.Coding{
		{System: "urn:local", Code: "7"}, {System: systemDisposition, Code: "home"}}}
	for name, in := range map[string]fhir.CodeableConcept{
		"a code of the table": coded(systemDisposition, "home"), "a standard code beside a local one": both,
	} {
		v, issues := m.concept(reader{table: dispositionCode}, in, dispositionElement, nil)
		if v.Code != "home" || len(issues) != 0 {
			t.Errorf("%s: %+v, issues %+v", name, v, issues)
		}
	}
	// What we do not repair by ourselves, a site may.
	p, _ := m.Patient(&fhir.Patient{Extension: []fhir.Extension{race(omb("2016-3"))}}, nil)
	if p.Race.Code != "2106-3" {
		t.Errorf("Race = %+v", p.Race)
	}
}

func TestParseConceptMap(t *testing.T) {
	t.Parallel()
	got := parse(t, "site.json", `{"resourceType":"ConceptMap","url":"urn:x","group":[
		{"target":"urn:to","element":[
			{"code":"a","target":[{"code":"A","equivalence":"wider"},{"code":"B","equivalence":"disjoint"}]},
			{"code":"b","target":[{"equivalence":"unmatched"}]},
			{"code":"c"}]}]}`)
	want := ConceptMap{Name: "site.json", Translations: []Translation{{
		Source: fhir.Coding{Code: "a"}, Target: fhir.Coding{System: "urn:to", Code: "A"},
		Place: "group[0].element[0].target[0]",
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ParseConceptMap: -want +got\n%s", diff)
	}
}

func TestParseConceptMapRefuses(t *testing.T) {
	t.Parallel()
	group := func(s string) string { return `{"resourceType":"ConceptMap","group":[` + s + `]}` }
	target := func(s string) string {
		return group(`{"target":"t","element":[{"code":"a","target":[` + s + `]}]}`)
	}
	tests := []struct{ name, in, want string }{
		{"no JSON", `{`, "read concept map x.json:"},
		{"a key twice", `{"resourceType":"ConceptMap","group":[],"group":[]}`, "duplicate"},
		{"words after the end", group(`{"target":"t"}`) + `{}`, "read concept map x.json:"},
		{"another resource", `{"resourceType":"ValueSet"}`, `resourceType is "ValueSet"`},
		{"no group", `{"resourceType":"ConceptMap"}`, "group is missing"},
		{"no target system", group(`{"element":[]}`), "group[0]: target is missing"},
		{"no source code", group(`{"target":"t","element":[{}]}`), "group[0].element[0]: code is missing"},
		{"no target code", target(`{"equivalence":"equal"}`), "group[0].element[0].target[0]: code is missing"},
		{"no equivalence", target(`{"code":"b"}`), "equivalence is missing"},
		{"a relationship of R5", target(`{"code":"b","relationship":"equivalent"}`), "equivalence is missing"},
		{"an equivalence of its own", target(`{"code":"b","equivalence":"same"}`), `"same" is not a code of R4`},
		{"a condition", target(`{"code":"b","equivalence":"equal","dependsOn":[{"property":"p"}]}`),
			"dependsOn and product are not supported"},
		{"two targets", target(`{"code":"b","equivalence":"equal"},{"code":"c","equivalence":"equal"}`),
			"target[1]: the code has two targets"},
		{"a default", group(`{"target":"t","unmapped":{"mode":"fixed","code":"b"}}`),
			"group[0].unmapped: not supported"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseConceptMap("x.json", strings.NewReader(tt.in))
			if err == nil || !strings.Contains(err.Error(), tt.want) ||
				!strings.Contains(err.Error(), "x.json") {
				t.Errorf("ParseConceptMap = %v, want %q", err, tt.want)
			}
		})
	}
	large := bytes.NewReader(bytes.Repeat([]byte{' '}, largestConceptMap+1))
	if _, err := ParseConceptMap("x.json", large); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("ParseConceptMap of too much = %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		in   Config
		want string
	}{
		{"a target that no element reads", Config{ConceptMaps: []ConceptMap{
			parse(t, "a.json", conceptMap("urn:local", systemActCode, "7", "IMPATIENT"))}},
			"concept map a.json: group[0].element[0].target[0]: no element reads the target"},
		{"a race that the table does not hold", Config{ConceptMaps: []ConceptMap{
			parse(t, "a.json", conceptMap("urn:local", SystemCDCREC, "7", "2016-3"))}}, "no element reads"},
		{"two maps that contradict each other", Config{ConceptMaps: []ConceptMap{
			parse(t, "a.json", conceptMap("urn:local", systemActCode, "7", "IMP")),
			parse(t, "b.json", conceptMap("urn:local", systemActCode, "7", "AMB"))}},
			"concept map b.json: group[0].element[0].target[0]: urn:local|7 goes to AMB here and to IMP in a.json"},
		{"a modality of its own", Config{TelehealthTypes: []TelehealthType{
			{Coding: fhir.Coding{Code: "7"}, Modality: "fax"}}}, `modality "fax"`},
		{"a telehealth type without a code", Config{TelehealthTypes: []TelehealthType{{}}}, "code is empty"},
		{"a telehealth type with two modalities", Config{TelehealthTypes: []TelehealthType{
			{Coding: fhir.Coding{Code: "7"}, Modality: Video},
			{Coding: fhir.Coding{Code: "7"}, Modality: Audio}}}, "two modalities"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := New(tt.in); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("New = %v, want %q", err, tt.want)
			}
		})
	}
	same := parse(t, "a.json", conceptMap("urn:local", systemActCode, "7", "IMP"))
	if _, err := New(Config{ConceptMaps: []ConceptMap{same, same}}); err != nil {
		t.Errorf("New with one rule twice: %v", err)
	}
}

func TestLoadConceptMaps(t *testing.T) {
	t.Parallel()
	good := &fstest.MapFile{Data: []byte(conceptMap("urn:local", systemActCode, "7", "IMP"))}
	maps, err := LoadConceptMaps(fstest.MapFS{"b.json": good, "a.json": good, "note.txt": {},
		"old/c.json": {}})
	if err != nil || len(maps) != 2 || maps[0].Name != "a.json" || maps[1].Name != "b.json" {
		t.Errorf("LoadConceptMaps = %+v, %v", maps, err)
	}
	_, err = LoadConceptMaps(fstest.MapFS{"a.json": {Data: []byte("{")}, "b.json": {}})
	if err == nil || !strings.Contains(err.Error(), "a.json") || !strings.Contains(err.Error(), "b.json") {
		t.Errorf("LoadConceptMaps of two faults = %v, want both named", err)
	}
	if maps, err := LoadConceptMaps(fstest.MapFS{}); err != nil || maps != nil {
		t.Errorf("LoadConceptMaps of an empty folder = %v, %v", maps, err)
	}
}

func FuzzParseConceptMap(f *testing.F) {
	f.Add([]byte(conceptMap("urn:local", systemActCode, "7", "IMP", "8", "AMB")))
	f.Add([]byte(conceptMap("urn:local", SystemCDCREC, "W", "2106-3")))
	f.Add([]byte(`{"resourceType":"ConceptMap","group":[{"target":"t","element":[{"code":"a"}]}]}`))
	f.Add([]byte(`{"resourceType":"ConceptMap","group":[null]}`))
	f.Add([]byte("\xef\xbb\xbf{}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		cm, err := ParseConceptMap("x.json", bytes.NewReader(text))
		if err != nil {
			return
		}
		for _, rule := range cm.Translations {
			if rule.Source.Code == "" || rule.Target.Code == "" || rule.Target.System == "" {
				t.Errorf("a rule without a code or a target system: %+v", rule)
			}
		}
		m, err := New(Config{ConceptMaps: []ConceptMap{cm}})
		if err != nil {
			return
		}
		for _, rule := range cm.Translations {
			if len(m.translate(rule.Source)) == 0 {
				t.Errorf("a rule that New took does not translate: %+v", rule)
			}
		}
	})
}
