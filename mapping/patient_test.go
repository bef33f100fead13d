package mapping

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/internal/phi"
)

// TestUSCoreExample holds the mapper to Patient/example of US Core, by the elements that matter here.
func TestUSCoreExample(t *testing.T) {
	t.Parallel()
	yes := true
	in := &fhir.Patient{
		ID: "example",
		Extension: []fhir.Extension{
			race(omb("2106-3"), omb("1002-5"), omb("2028-9"), detailed("1586-7"), detailed("2036-2"),
				words("Mixed")),
			ethnicity(omb("2135-2"), detailed("2184-0"), detailed("2148-5"), words("Hispanic or Latino")),
			needExtension(extensionNeeded, systemSNOMED, "373066001")[0],
			{URL: "http://hl7.org/fhir/us/core/StructureDefinition/us-core-tribal-affiliation"},
		},
		Gender:        "female",
		BirthDate:     "1987-02-20",
		Communication: []fhir.Communication{speak(SystemBCP47, "en-US", &yes)},
	}
	got, issues := mapper(t, Config{}).Patient(in, nil)
	want := Patient{
		ID:    phi.New("example"),
		Races: White | AmericanIndian | Asian,
		SPD15: SPD15White | SPD15AmericanIndian | SPD15Asian | SPD15Hispanic,
		Race:  Value{Known, TwoOrMore, "Patient.extension(us-core-race).ombCategory"},
		Ethnicity: Value{Known, codeHispanic,
			"Patient.extension(us-core-ethnicity).ombCategory"},
		RaceEthnicity: Value{Known, codeHispanic,
			"Patient.extension(us-core-ethnicity).ombCategory"},
		Language:        Value{Known, "en", "Patient.communication.language"},
		LanguageGroup:   Value{Known, English, "Patient.communication.language"},
		InterpreterNeed: Value{Known, Yes, "Patient.extension(us-core-interpreter-needed)"},
		LimitedEnglish:  LimitedEnglishYes,
		Sex:             Value{Known, "female", "Patient.gender"},
		Birth:           day(t, "1987-02-20"),
		Site:            Site{Value: Value{State: Missing}},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(sameID)); diff != "" {
		t.Errorf("Patient: -want +got\n%s", diff)
	}
	if len(issues) != 0 {
		t.Errorf("issues = %+v", issues)
	}
}

func TestSex(t *testing.T) {
	t.Parallel()
	m := mapper(t, Config{})
	for gender, want := range map[string]Value{
		"male": {Known, "male", "Patient.gender"}, "other": {Known, "other", "Patient.gender"},
		"unknown": {State: Unknown, From: "Patient.gender"}, "": {State: Missing},
		"M": {State: Unmapped, From: "Patient.gender"},
	} {
		if p, _ := m.Patient(&fhir.Patient{Gender: gender}, nil); p.Sex != want {
			t.Errorf("Patient(gender %q).Sex = %+v, want %+v", gender, p.Sex, want)
		}
	}
}

func TestDeceased(t *testing.T) {
	t.Parallel()
	m := mapper(t, Config{})
	tests := []struct {
		name string
		in   fhir.Patient
		dead bool
		date string
	}{
		{"nothing said", fhir.Patient{}, false, ""},
		{"said to live", fhir.Patient{DeceasedBoolean: pointer(false)}, false, ""},
		{"said to be dead", fhir.Patient{DeceasedBoolean: pointer(true)}, true, ""},
		{"dated", fhir.Patient{DeceasedDateTime: "2018-01-02"}, true, "2018-01-02"},
		{"with a date that is none", fhir.Patient{DeceasedDateTime: "9999-12-31"}, true, ""},
	}
	for _, tt := range tests {
		p, _ := m.Patient(&tt.in, nil)
		if p.Deceased != tt.dead || p.DeceasedDate != day(t, tt.date) {
			t.Errorf("%s: Deceased = %t, %+v", tt.name, p.Deceased, p.DeceasedDate)
		}
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	link := func(kind, ref string) fhir.PatientLink {
		return fhir.PatientLink{Type: kind, Other: fhir.Reference{Reference: ref}}
	}
	tests := []struct {
		name     string
		in       []fhir.PatientLink
		by       string
		replaces []phi.ID
		issues   []IssueKind
	}{
		{"replaced", []fhir.PatientLink{link("replaced-by", "Patient/2")}, "2", nil, nil},
		{"replaced twice by one", []fhir.PatientLink{link("replaced-by", "Patient/2"),
			link("replaced-by", "https://ehr.example/fhir/Patient/2")}, "2", nil, nil},
		{"replaced by two", []fhir.PatientLink{link("replaced-by", "Patient/2"),
			link("replaced-by", "Patient/3")}, "", nil, []IssueKind{ContradictoryCodes}},
		{"survives two", []fhir.PatientLink{link("replaces", "Patient/2"), link("replaces", "Patient/3"),
			link("replaces", "Patient/2")}, "", []phi.ID{phi.New("2"), phi.New("3")}, nil},
		{"see also merges nothing", []fhir.PatientLink{link("seealso", "Patient/2"),
			link("refer", "Patient/3")}, "", nil, nil},
		{"itself", []fhir.PatientLink{link("replaced-by", "Patient/1")}, "", nil,
			[]IssueKind{WrongReference}},
		{"a relative", []fhir.PatientLink{link("replaced-by", "RelatedPerson/2")}, "", nil,
			[]IssueKind{WrongReference}},
	}
	m := mapper(t, Config{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, issues := m.Patient(&fhir.Patient{ID: "1", Link: tt.in}, nil)
			if diff := cmp.Diff(tt.replaces, p.Replaces, cmp.Comparer(sameID)); diff != "" {
				t.Errorf("Replaces: -want +got\n%s", diff)
			}
			if diff := cmp.Diff(tt.issues, kinds(issues)); diff != "" || p.ReplacedBy.Reveal() != tt.by {
				t.Errorf("ReplacedBy = %q, want %q; issues -want +got\n%s", p.ReplacedBy.Reveal(), tt.by, diff)
			}
		})
	}
}
