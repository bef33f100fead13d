package mapping

import (
	"testing"
	"time"
	_ "time/tzdata" // TestLocation needs a zone on any machine.

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/internal/phi"
)

// ordinary is an encounter with the elements that Synthea writes.
func ordinary() *fhir.Encounter {
	return &fhir.Encounter{
		ID:     "00c7f717-4030-5582-2ed8-888ad2bc878e",
		Meta:   fhir.Meta{VersionID: "3", LastUpdated: "2024-03-01T02:03:04.567Z"},
		Status: "finished",
		Class:  fhir.Coding{System: systemActCode, Code: "AMB"},
		Type: []fhir.CodeableConcept{{Text: "Encounter for problem (procedure)",
			Coding: []fhir.Coding{{System: systemSNOMED, Code: "185347001"}}}},
		Subject: fhir.Reference{Reference: "Patient/79a66c97-6131-3213-f3c9-4606946ab056"},
		Participant: []fhir.Participant{{
			Type: []fhir.CodeableConcept{{Text: "primary performer", Coding: []fhir.Coding{
				{System: "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", Code: "PPRF"}}}},
			Individual: fhir.Reference{
				Reference: "Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|9999974493"},
		}},
		Period: fhir.Period{Start: "1989-10-04T02:25:16-04:00", End: "1989-10-04T06:20:16-04:00"},
		Hospitalization: fhir.Hospitalization{DischargeDisposition: fhir.CodeableConcept{
			Coding: []fhir.Coding{{System: systemNUBCPatient, Code: "1"}}}},
		ServiceProvider: fhir.Reference{
			Reference: "Organization?identifier=https://github.com/synthetichealth/synthea|a261e1fc",
			Display:   "NEWMAN MEMORIAL COUNTY HOSPITAL"},
	}
}

func TestOrdinaryEncounter(t *testing.T) {
	t.Parallel()
	got, issues := mapper(t, Config{}).Encounter(ordinary(), nil)
	updated, err := time.Parse(time.RFC3339Nano, "2024-03-01T02:03:04.567Z")
	if err != nil {
		t.Fatal(err)
	}
	want := Encounter{
		ID:              phi.New("00c7f717-4030-5582-2ed8-888ad2bc878e"),
		Version:         Version{Updated: updated.UnixMicro(), Number: 3},
		Patient:         phi.New("79a66c97-6131-3213-f3c9-4606946ab056"),
		Status:          "finished",
		Class:           Value{Known, "AMB", "Encounter.class"},
		Disposition:     Value{Known, "home", "Encounter.hospitalization.dischargeDisposition"},
		Start:           day(t, "1989-10-04T02:25:16-04:00"),
		End:             day(t, "1989-10-04T06:20:16-04:00"),
		InterpreterNeed: Value{State: Missing},
		InterpreterUse:  NoneDocumented,
		Site: Site{Value: Value{Known, "a261e1fc", "Encounter.serviceProvider"},
			Label: "NEWMAN MEMORIAL COUNTY HOSPITAL"},
		Practitioner: phi.New("9999974493"),
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(sameID)); diff != "" {
		t.Errorf("Encounter: -want +got\n%s", diff)
	}
	if len(issues) != 0 {
		t.Errorf("issues = %+v", issues)
	}
}

func sameID(a, b phi.ID) bool { return a == b }

func TestEncounterAllocatesNothing(t *testing.T) {
	m, in := mapper(t, Config{}), ordinary()
	issues := make([]Issue, 0, 8)
	if n := testing.AllocsPerRun(100, func() { _, issues = m.Encounter(in, issues[:0]) }); n != 0 {
		t.Errorf("Encounter allocates %v times", n)
	}
}

func TestDisposition(t *testing.T) {
	t.Parallel()
	nubc := func(code string) fhir.CodeableConcept { return coded(systemNUBC, code) }
	several := func(codings ...fhir.Coding) fhir.CodeableConcept {
		return fhir.CodeableConcept{Coding: codings}
	}
	lwbs := fhir.Coding{System: systemSNOMED, Code: "21541000119102"}
	tests := []struct {
		name  string
		in    fhir.CodeableConcept
		state State
		code  string
	}{
		{"none", fhir.CodeableConcept{}, Missing, ""},
		{"THO", coded(systemDisposition, "aadvice"), Known, "aadvice"},
		{"NUBC with its leading zero", nubc("07"), Known, "aadvice"},
		{"NUBC without it", nubc("7"), Known, "aadvice"},
		{"NUBC of Synthea", coded(systemNUBCPatient, "01"), Known, "home"},
		{"NUBC expired", nubc("20"), Known, "exp"},
		{"NUBC acute transfer", nubc("2"), Known, "other-hcf"},
		{"NUBC rehabilitation with a planned readmission", nubc("90"), Known, "rehab"},
		{"NUBC still a patient is no disposition yet", nubc("30"), Unknown, ""},
		{"NUBC reserved", nubc("99"), Unmapped, ""},
		{"left without being seen", several(lwbs), Known, LeftWithoutBeingSeen},
		{"left without being seen beside discontinued care",
			several(fhir.Coding{System: systemNUBC, Code: "07"}, lwbs), Known, LeftWithoutBeingSeen},
		{"a general word beside a special one", several(
			fhir.Coding{System: systemDisposition, Code: "other-hcf"},
			fhir.Coding{System: systemNUBC, Code: "65"}), Known, "psy"},
		{"died and went home", several(fhir.Coding{System: systemDisposition, Code: "exp"},
			fhir.Coding{System: systemNUBC, Code: "01"}), Conflicting, ""},
		{"SNOMED CT of the HL7 examples", coded(systemSNOMED, "306689006"), Unmapped, ""},
		{"words", fhir.CodeableConcept{Text: "home"}, TextOnly, ""},
		{"unknown", coded(systemNullFlavor, "UNK"), Unknown, ""},
	}
	m := mapper(t, Config{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, _ := m.Encounter(&fhir.Encounter{Hospitalization: fhir.Hospitalization{
				DischargeDisposition: tt.in}}, nil)
			if e.Disposition.State != tt.state || e.Disposition.Code != tt.code {
				t.Errorf("Disposition = %+v, want %s %s", e.Disposition, tt.state, tt.code)
			}
		})
	}
}

func TestClassAndTelehealth(t *testing.T) {
	t.Parallel()
	video := fhir.Coding{System: "urn:local", Code: "VID"}
	phone := fhir.Coding{System: "urn:local", Code: "TEL"}
	m := mapper(t, Config{TelehealthTypes: []TelehealthType{
		{Coding: video, Modality: Video}, {Coding: phone, Modality: Audio},
		{Coding: fhir.Coding{Code: "remote"}},
	}})
	types := func(codings ...fhir.Coding) []fhir.CodeableConcept {
		return []fhir.CodeableConcept{{Coding: codings}}
	}
	tests := []struct {
		name       string
		in         fhir.Encounter
		class      Value
		telehealth bool
		modality   string
	}{
		{"virtual class", fhir.Encounter{Class: fhir.Coding{System: systemActCode, Code: "VR"}},
			Value{Known, "VR", classElement}, true, ""},
		{"virtual class with a type", fhir.Encounter{Type: types(video),
			Class: fhir.Coding{System: systemActCode, Code: "VR"}}, Value{Known, "VR", classElement}, true, Video},
		{"a listed type", fhir.Encounter{Type: types(phone)}, Value{State: Missing}, true, Audio},
		{"video has sound too", fhir.Encounter{Type: types(phone, video)}, Value{State: Missing}, true, Video},
		{"a type without modality", fhir.Encounter{Type: types(fhir.Coding{Code: "remote"})},
			Value{State: Missing}, true, ""},
		{"another type", fhir.Encounter{Type: types(fhir.Coding{System: "urn:other", Code: "VID"})},
			Value{State: Missing}, false, ""},
		{"a local class is unmapped", fhir.Encounter{Class: fhir.Coding{System: "urn:local", Code: "5"}},
			Value{State: Unmapped, From: classElement}, false, ""},
		{"an abstract class is unmapped", fhir.Encounter{
			Class: fhir.Coding{System: systemActCode, Code: "_ActEncounterCode"}},
			Value{State: Unmapped, From: classElement}, false, ""},
		{"a class without a system is unmapped", fhir.Encounter{Class: fhir.Coding{Code: "AMB"}},
			Value{State: Unmapped, From: classElement}, false, ""},
		{"the class system of STU3", fhir.Encounter{
			Class: fhir.Coding{System: "http://hl7.org/fhir/v3/ActCode", Code: "IMP"}},
			Value{Known, "IMP", classElement}, false, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, _ := m.Encounter(&tt.in, nil)
			if diff := cmp.Diff(tt.class, e.Class); diff != "" {
				t.Errorf("Class: -want +got\n%s", diff)
			}
			if e.Telehealth != tt.telehealth || e.Modality != tt.modality {
				t.Errorf("Telehealth = %t %q, want %t %q", e.Telehealth, e.Modality, tt.telehealth, tt.modality)
			}
		})
	}
}

func TestStatusAndPriority(t *testing.T) {
	t.Parallel()
	m := mapper(t, Config{})
	for status, want := range map[string][]IssueKind{
		"finished": nil, "entered-in-error": nil, "completed": {UnmappedCode}, "": {MissingRequired},
	} {
		got, issues := m.status(status, nil)
		if diff := cmp.Diff(want, kinds(issues)); diff != "" || got != status {
			t.Errorf("status(%q) = %q, issues -want +got\n%s", status, got, diff)
		}
	}
	for code, want := range map[string]bool{"EL": true, "R": false, "EM": false} {
		e, issues := m.Encounter(&fhir.Encounter{Status: "finished",
			Subject: fhir.Reference{Reference: "Patient/1"}, Priority: coded(systemPriority, code)}, nil)
		if e.Elective != want || len(issues) != 0 {
			t.Errorf("priority %s: Elective = %t, issues %+v", code, e.Elective, issues)
		}
	}
	e, issues := m.Encounter(&fhir.Encounter{Status: "finished",
		Subject: fhir.Reference{Reference: "Patient/1"}, Priority: coded(systemSNOMED, "394849002")}, nil)
	want := []Issue{{UnmappedCode, priorityElement, systemSNOMED, "394849002"}}
	if diff := cmp.Diff(want, issues); diff != "" || e.Elective {
		t.Errorf("local priority: Elective = %t, issues -want +got\n%s", e.Elective, diff)
	}
}

func TestReferences(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, ref, want string
		issues          []IssueKind
	}{
		{"relative", "Patient/1", "1", nil},
		{"absolute and versioned", "https://ehr.example/fhir/Patient/1/_history/2", "1", nil},
		{"urn:uuid", "urn:uuid:79a66c97", "79a66c97", nil},
		{"a group", "Group/1", "", []IssueKind{WrongReference}},
		{"contained", "#p", "", []IssueKind{WrongReference}},
		{"absent", "", "", []IssueKind{MissingRequired}},
	}
	for _, tt := range tests {
		got, issues := patientOf(fhir.Reference{Reference: tt.ref}, "Encounter.subject", nil)
		if diff := cmp.Diff(tt.issues, kinds(issues)); diff != "" || got.Reveal() != tt.want {
			t.Errorf("%s: %q, issues -want +got\n%s", tt.name, got.Reveal(), diff)
		}
	}
}

func TestSite(t *testing.T) {
	t.Parallel()
	const at = "Encounter.serviceProvider"
	tests := []struct {
		name string
		in   fhir.Reference
		want Site
	}{
		{"none", fhir.Reference{}, Site{Value: Value{State: Missing}}},
		{"an organization", fhir.Reference{Reference: "Organization/2", Display: "West"},
			Site{Value{Known, "2", at}, "West"}},
		{"an identifier", fhir.Reference{Identifier: fhir.Identifier{System: "urn:npi", Value: "9"}},
			Site{Value{Known, "9", at}, ""}},
		{"a display alone", fhir.Reference{Display: "West"}, Site{Value{State: TextOnly, From: at}, "West"}},
		{"a contained organization", fhir.Reference{Reference: "#org"},
			Site{Value{State: Unmapped, From: at}, ""}},
		{"a practitioner", fhir.Reference{Reference: "Practitioner/2"},
			Site{Value{State: Unmapped, From: at}, ""}},
	}
	for _, tt := range tests {
		if got, _ := site(tt.in, at, nil); got != tt.want {
			t.Errorf("%s: site = %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestPeriod(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, start, end string
		wantStart        string
		wantEnd          string
		issues           []IssueKind
	}{
		{"in order", "2018-03-01T08:00:00Z", "2018-03-01T09:00:00Z",
			"2018-03-01T08:00:00Z", "2018-03-01T09:00:00Z", nil},
		{"no time at all", "2018-03-01T08:00:00Z", "2018-03-01T08:00:00Z",
			"2018-03-01T08:00:00Z", "2018-03-01T08:00:00Z", nil},
		{"a leap second", "2016-12-31T23:59:60Z", "", "2017-01-01T00:00:00Z", "", nil},
		{"open", "2018-03-01", "", "2018-03-01", "", nil},
		{"the end before the start", "2018-03-02", "2018-03-01", "2018-03-02", "", []IssueKind{EndBeforeStart}},
		{"the end before the start by the clock", "2018-03-01T09:00:00", "2018-03-01T08:00:00",
			"2018-03-01T09:00:00", "", []IssueKind{EndBeforeStart}},
		{"offsets that only look out of order", "2018-11-04T01:30:00-04:00", "2018-11-04T01:10:00-05:00",
			"2018-11-04T01:30:00-04:00", "2018-11-04T01:10:00-05:00", nil},
		{"a day that holds the start", "2018-03-01T09:00:00Z", "2018-03-01",
			"2018-03-01T09:00:00Z", "2018-03-01", nil},
		{"a month that holds the start", "2018-03-20", "2018-03", "2018-03-20", "2018-03", nil},
		{"year 1 and year 9999 say none", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "", "",
			[]IssueKind{ImplausibleDate, ImplausibleDate}},
		{"no date", "yesterday", "2018-02-30", "", "", []IssueKind{NotADate, NotADate}},
	}
	m := mapper(t, Config{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			start, end, issues := m.period(fhir.Period{Start: tt.start, End: tt.end}, nil)
			want := []fhir.DateTime{day(t, tt.wantStart), day(t, tt.wantEnd)}
			if diff := cmp.Diff(want, []fhir.DateTime{start, end}); diff != "" {
				t.Errorf("period: -want +got\n%s", diff)
			}
			if diff := cmp.Diff(tt.issues, kinds(issues)); diff != "" {
				t.Errorf("issues: -want +got\n%s", diff)
			}
		})
	}
}

func TestLocation(t *testing.T) {
	t.Parallel()
	chicago, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	m := mapper(t, Config{Location: chicago})
	start, end, _ := m.period(fhir.Period{Start: "2018-03-01T04:00:00Z", End: "2018-03-01T00:30:00"}, nil)
	if start.Days != day(t, "2018-02-28").Days {
		t.Errorf("an instant keeps the date %d of its offset", start.Days)
	}
	if !end.Zoned || end.Micros != day(t, "2018-03-01T06:30:00Z").Micros {
		t.Errorf("a dateTime without an offset is not placed in the location: %+v", end)
	}
	p, _ := m.Patient(&fhir.Patient{BirthDate: "1980-01-01T00:00:00Z"}, nil)
	if p.Birth != day(t, "1980-01-01") {
		t.Errorf("a birth date moved: %+v", p.Birth)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	m := mapper(t, Config{})
	second := int64(1_000_000)
	for in, want := range map[fhir.Meta]Version{
		{}: {},
		{VersionID: "12", LastUpdated: "1970-01-01T00:00:01Z"}:      {Updated: second, Number: 12},
		{VersionID: "a1b2", LastUpdated: "1970-01-01T01:00:01"}:     {Updated: 3601 * second},
		{VersionID: "9999999999999999999", LastUpdated: "1970-02"}:  {Updated: 31 * 86400 * second},
		{VersionID: "-3", LastUpdated: "1970-01-01T00:00:00+01:00"}: {Updated: -3600 * second},
	} {
		if got, _ := m.version(in, "Encounter.meta.lastUpdated", nil); got != want {
			t.Errorf("version(%+v) = %+v, want %+v", in, got, want)
		}
	}
}

func TestIssuesRepeatNoWords(t *testing.T) {
	t.Parallel()
	m := mapper(t, Config{})
	for code, want := range map[string]string{
		"LOC-5": "LOC-5", "Jane Doe": "", "Jos\u00e9": "", "a\tb": "",
	} {
		_, issues := m.class(fhir.Coding{System: "urn:local", Code: code}, nil)
		if diff := cmp.Diff([]Issue{{UnmappedCode, classElement, "urn:local", want}}, issues); diff != "" {
			t.Errorf("class %q: -want +got\n%s", code, diff)
		}
	}
}
