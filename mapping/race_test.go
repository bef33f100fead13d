package mapping

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir"
)

const (
	raceURL      = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"
	ethnicityURL = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity"
)

// inner makes one inner extension of US Core.
func inner(url, system, code string) fhir.Extension {
	return fhir.Extension{URL: url, ValueCoding: &fhir.Coding{System: system, Code: code}}
}

func omb(code string) fhir.Extension      { return inner("ombCategory", SystemCDCREC, code) }
func detailed(code string) fhir.Extension { return inner("detailed", SystemCDCREC, code) }
func null(code string) fhir.Extension     { return inner("ombCategory", systemNullFlavor, code) }
func absent(code string) fhir.Extension   { return inner("ombCategory", systemAbsent, code) }

func words(text string) fhir.Extension {
	return fhir.Extension{URL: "text", ValueString: &text}
}

func extension(url string, in ...fhir.Extension) fhir.Extension {
	return fhir.Extension{URL: url, Extension: in}
}

func race(in ...fhir.Extension) fhir.Extension      { return extension(raceURL, in...) }
func ethnicity(in ...fhir.Extension) fhir.Extension { return extension(ethnicityURL, in...) }

// whole makes an extension of DSTU2, whose value stands outside.
func whole(url string, codings ...fhir.Coding) fhir.Extension {
	return fhir.Extension{URL: url, ValueCodeableConcept: &fhir.CodeableConcept{Coding: codings}}
}

func TestRace(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		in     []fhir.Extension
		race   Value
		spd15  string
		issues []IssueKind
	}{
		{
			name:  "an OMB category is the race",
			in:    []fhir.Extension{race(omb("2028-9"), words("Asian"))},
			race:  Value{Known, "2028-9", "Patient.extension(us-core-race).ombCategory"},
			spd15: "2028-9",
		},
		{
			name:  "detailed without ombCategory rolls up",
			in:    []fhir.Extension{race(detailed("2036-2"), words("Filipino"))},
			race:  Value{Known, "2028-9", "Patient.extension(us-core-race).detailed"},
			spd15: "2028-9",
		},
		{
			name:  "detailed of another category adds to ombCategory",
			in:    []fhir.Extension{race(omb("2106-3"), detailed("2036-2"))},
			race:  Value{Known, TwoOrMore, "Patient.extension(us-core-race).ombCategory"},
			spd15: "2028-9,2106-3",
		},
		{
			name:  "other race is a category and has no place in SPD 15",
			in:    []fhir.Extension{race(omb("2131-1"))},
			race:  Value{Known, "2131-1", "Patient.extension(us-core-race).ombCategory"},
			spd15: "",
		},
		{
			name:  "other race beside a race is two or more",
			in:    []fhir.Extension{race(omb("2131-1"), omb("2054-5"))},
			race:  Value{Known, TwoOrMore, "Patient.extension(us-core-race).ombCategory"},
			spd15: "2054-5",
		},
		{
			name: "null flavour OTH alone is other race",
			in:   []fhir.Extension{race(inner("detailed", systemNullFlavor, "OTH"))},
			race: Value{Known, "2131-1", "Patient.extension(us-core-race).detailed"},
		},
		{
			name:   "null flavour OTH beside a race adds none",
			in:     []fhir.Extension{race(omb("2106-3"), inner("detailed", systemNullFlavor, "OTH"))},
			race:   Value{Known, "2106-3", "Patient.extension(us-core-race).ombCategory"},
			spd15:  "2106-3",
			issues: []IssueKind{KnownBesideUnknown},
		},
		{
			name: "asked declined is not unknown",
			in:   []fhir.Extension{race(absent("asked-declined"), words("Declined"))},
			race: Value{State: AskedDeclined, From: "Patient.extension(us-core-race).ombCategory"},
		},
		{
			name: "asked but unknown is asked without an answer",
			in:   []fhir.Extension{race(absent("asked-unknown"))},
			race: Value{State: AskedNoAnswer, From: "Patient.extension(us-core-race).ombCategory"},
		},
		{
			name:   "not asked is unknown and counted",
			in:     []fhir.Extension{race(absent("not-asked"), words("Not asked"))},
			race:   Value{State: Unknown, From: "Patient.extension(us-core-race).ombCategory"},
			issues: []IssueKind{NotAsked},
		},
		{
			name: "the null flavours of STU3 and CDA are read",
			in:   []fhir.Extension{race(inner("ombCategory", systemNullFlavorOID, "ASKU"))},
			race: Value{State: AskedNoAnswer, From: "Patient.extension(us-core-race).ombCategory"},
		},
		{
			name: "of two null codes the one that says more counts",
			in:   []fhir.Extension{race(null("UNK"), null("ASKU"))},
			race: Value{State: AskedNoAnswer, From: "Patient.extension(us-core-race).ombCategory"},
		},
		{
			name:   "a known race beside UNK counts",
			in:     []fhir.Extension{race(omb("2106-3"), null("UNK"))},
			race:   Value{Known, "2106-3", "Patient.extension(us-core-race).ombCategory"},
			spd15:  "2106-3",
			issues: []IssueKind{KnownBesideUnknown},
		},
		{
			name: "a reason for absence in place of a value is read",
			in: []fhir.Extension{race(fhir.Extension{URL: extensionAbsent,
				ValueCode: pointer("asked-declined")})},
			race: Value{State: AskedDeclined, From: "Patient.extension(us-core-race)"},
		},
		{
			name:   "a transposed code is unmapped and not repaired",
			in:     []fhir.Extension{race(omb("2016-3"), words("White"))},
			race:   Value{State: Unmapped, From: "Patient.extension(us-core-race).ombCategory"},
			issues: []IssueKind{UnmappedCode},
		},
		{
			name:   "an abstract root is no value",
			in:     []fhir.Extension{race(omb("1000-9"))},
			race:   Value{State: Unmapped, From: "Patient.extension(us-core-race).ombCategory"},
			issues: []IssueKind{UnmappedCode},
		},
		{
			name:   "a code that we cannot read beside UNK is unmapped",
			in:     []fhir.Extension{race(null("UNK"), inner("detailed", SystemCDCREC, "9999-9"))},
			race:   Value{State: Unmapped, From: "Patient.extension(us-core-race).detailed"},
			issues: []IssueKind{UnmappedCode},
		},
		{
			name:   "an unknown detailed code beside a category is counted",
			in:     []fhir.Extension{race(omb("1002-5"), detailed("9999-9"))},
			race:   Value{Known, "1002-5", "Patient.extension(us-core-race).ombCategory"},
			spd15:  "1002-5",
			issues: []IssueKind{UnmappedCode},
		},
		{
			name:   "a code without a system is unmapped",
			in:     []fhir.Extension{race(inner("ombCategory", "", "2106-3"))},
			race:   Value{State: Unmapped, From: "Patient.extension(us-core-race).ombCategory"},
			issues: []IssueKind{UnmappedCode},
		},
		{
			name:   "words are not read",
			in:     []fhir.Extension{race(words("White"))},
			race:   Value{State: TextOnly, From: "Patient.extension(us-core-race).text"},
			issues: []IssueKind{TextWithoutCode},
		},
		{
			name: "an empty extension records nothing",
			in:   []fhir.Extension{race()},
			race: Value{State: Missing},
		},
		{
			name:   "a repeated extension is read whole",
			in:     []fhir.Extension{race(omb("2106-3")), race(omb("2054-5"))},
			race:   Value{Known, TwoOrMore, "Patient.extension(us-core-race).ombCategory"},
			spd15:  "2054-5,2106-3",
			issues: []IssueKind{RepeatedExtension},
		},
		{
			name: "the DSTU2 shape under a legacy URL and system is read",
			in: []fhir.Extension{whole("http://hl7.org/fhir/StructureDefinition/us-core-race",
				fhir.Coding{System: "http://hl7.org/fhir/v3/Race", Code: "2054-5"})},
			race:   Value{Known, "2054-5", "Patient.extension(us-core-race)"},
			spd15:  "2054-5",
			issues: []IssueKind{LegacySystem},
		},
		{
			name: "the DSTU2 profile URL is read, and a translation beside it is no issue",
			in: []fhir.Extension{whole("http://hl7.org/fhir/Profile/us-core#race",
				fhir.Coding{System: "urn:local", Code: "W"},
				fhir.Coding{System: SystemCDCREC, Code: "2106-3"})},
			race:  Value{Known, "2106-3", "Patient.extension(us-core-race)"},
			spd15: "2106-3",
		},
		{
			name:  "Middle Eastern as a category is White in 1997 and itself in 2024",
			in:    []fhir.Extension{race(omb("2118-8"))},
			race:  Value{Known, "2106-3", "Patient.extension(us-core-race).ombCategory"},
			spd15: "2118-8",
		},
		{
			name:  "White and Middle Eastern as two categories are both kept",
			in:    []fhir.Extension{race(omb("2106-3"), omb("2118-8"))},
			race:  Value{Known, "2106-3", "Patient.extension(us-core-race).ombCategory"},
			spd15: "2106-3,2118-8",
		},
		{
			name:  "White detailed as Arab is Middle Eastern",
			in:    []fhir.Extension{race(omb("2106-3"), detailed("2129-5"))},
			race:  Value{Known, "2106-3", "Patient.extension(us-core-race).ombCategory"},
			spd15: "2118-8",
		},
		{
			name:  "White detailed as Armenian stays White",
			in:    []fhir.Extension{race(omb("2106-3"), detailed("2109-7"), detailed("2124-6"))},
			race:  Value{Known, "2106-3", "Patient.extension(us-core-race).ombCategory"},
			spd15: "2106-3,2118-8",
		},
	}
	m := mapper(t, Config{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, issues := m.Patient(&fhir.Patient{Extension: tt.in}, nil)
			if diff := cmp.Diff(tt.race, p.Race); diff != "" {
				t.Errorf("Race: -want +got\n%s", diff)
			}
			if got := p.SPD15.String(); got != tt.spd15 {
				t.Errorf("SPD15 = %s, want %s", got, tt.spd15)
			}
			if diff := cmp.Diff(tt.issues, kinds(issues)); diff != "" {
				t.Errorf("issues: -want +got\n%s", diff)
			}
		})
	}
}

func TestEthnicity(t *testing.T) {
	t.Parallel()
	const inEthnicity = "Patient.extension(us-core-ethnicity).ombCategory"
	const inRace = "Patient.extension(us-core-race).ombCategory"
	tests := []struct {
		name      string
		in        []fhir.Extension
		race      Value
		ethnicity Value
		combined  Value
		issues    []IssueKind
	}{
		{
			name:      "a detailed code rolls up",
			in:        []fhir.Extension{ethnicity(detailed("2148-5"))},
			race:      Value{State: Missing},
			ethnicity: Value{Known, "2135-2", "Patient.extension(us-core-ethnicity).detailed"},
			combined:  Value{Known, "2135-2", "Patient.extension(us-core-ethnicity).detailed"},
		},
		{
			name:      "Hispanic among the race codes answers an ethnicity that is absent",
			in:        []fhir.Extension{race(omb("2135-2"), words("Hispanic"))},
			race:      Value{State: Missing},
			ethnicity: Value{Known, "2135-2", inRace},
			combined:  Value{Known, "2135-2", inRace},
			issues:    []IssueKind{EthnicityInRace},
		},
		{
			name:      "Hispanic among the race codes answers an ethnicity that is unknown",
			in:        []fhir.Extension{ethnicity(null("UNK")), race(omb("2135-2"), omb("2106-3"))},
			race:      Value{Known, "2106-3", inRace},
			ethnicity: Value{Known, "2135-2", inRace},
			combined:  Value{Known, "2135-2", inRace},
			issues:    []IssueKind{EthnicityInRace, KnownBesideUnknown},
		},
		{
			name:      "Hispanic among the race codes contradicts an explicit no",
			in:        []fhir.Extension{race(omb("2135-2"), omb("2106-3")), ethnicity(omb("2186-5"))},
			race:      Value{Known, "2106-3", inRace},
			ethnicity: Value{State: Conflicting, From: inEthnicity},
			combined:  Value{State: Conflicting, From: inEthnicity},
			issues:    []IssueKind{EthnicityInRace, ContradictoryCodes},
		},
		{
			name:      "both answers in one extension are conflicting",
			in:        []fhir.Extension{ethnicity(omb("2135-2"), omb("2186-5"))},
			race:      Value{State: Missing},
			ethnicity: Value{State: Conflicting, From: inEthnicity},
			combined:  Value{State: Conflicting, From: inEthnicity},
			issues:    []IssueKind{ContradictoryCodes},
		},
		{
			name:      "a race code in the ethnicity extension is race",
			in:        []fhir.Extension{ethnicity(omb("2054-5"))},
			race:      Value{Known, "2054-5", inEthnicity},
			ethnicity: Value{State: Missing},
			combined:  Value{Known, "2054-5", inEthnicity},
			issues:    []IssueKind{RaceInEthnicity},
		},
		{
			name:      "declined is an answer, and leaves the race to count",
			in:        []fhir.Extension{race(omb("2054-5")), ethnicity(absent("asked-declined"))},
			race:      Value{Known, "2054-5", inRace},
			ethnicity: Value{State: AskedDeclined, From: inEthnicity},
			combined:  Value{Known, "2054-5", inRace},
		},
		{
			name:      "null flavour OTH answers neither way",
			in:        []fhir.Extension{ethnicity(null("OTH"))},
			race:      Value{State: Missing},
			ethnicity: Value{State: Unmapped, From: inEthnicity},
			combined:  Value{State: Missing},
			issues:    []IssueKind{UnmappedCode},
		},
		{
			name: "the DSTU2 shape under a legacy URL and system is read",
			in: []fhir.Extension{whole("http://hl7.org/fhir/Profile/us-core#ethnicity",
				fhir.Coding{System: "urn:oid:2.16.840.1.113883.5.50", Code: "2186-5"})},
			race:      Value{State: Missing},
			ethnicity: Value{Known, "2186-5", "Patient.extension(us-core-ethnicity)"},
			combined:  Value{State: Missing},
			issues:    []IssueKind{LegacySystem},
		},
	}
	m := mapper(t, Config{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, issues := m.Patient(&fhir.Patient{Extension: tt.in}, nil)
			want := []Value{tt.race, tt.ethnicity, tt.combined}
			if diff := cmp.Diff(want, []Value{p.Race, p.Ethnicity, p.RaceEthnicity}); diff != "" {
				t.Errorf("Race, Ethnicity, RaceEthnicity: -want +got\n%s", diff)
			}
			if diff := cmp.Diff(tt.issues, kinds(issues)); diff != "" {
				t.Errorf("issues: -want +got\n%s", diff)
			}
		})
	}
}

func TestEveryNameOfCDCRECIsRead(t *testing.T) {
	t.Parallel()
	m := mapper(t, Config{})
	for _, system := range []string{
		"http://terminology.hl7.org/CodeSystem/v3-Race", "http://hl7.org/fhir/v3/Race",
		"urn:oid:2.16.840.1.113883.5.104", "http://terminology.hl7.org/CodeSystem/v2-0005",
		"http://terminology.hl7.org/CodeSystem/PHRaceAndEthnicityCDC",
		"http://terminology.hl7.org/CodeSystem/v3-Ethnicity",
	} {
		p, issues := m.Patient(&fhir.Patient{Extension: []fhir.Extension{
			race(inner("ombCategory", system, "2106-3"))}}, nil)
		want := []Issue{{Kind: LegacySystem, Element: p.Race.From, System: system}}
		if diff := cmp.Diff(want, issues); diff != "" || p.Race.Code != "2106-3" {
			t.Errorf("%s: Race = %+v, issues -want +got\n%s", system, p.Race, diff)
		}
	}
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	m := mapper(t, Config{})
	p, _ := m.Patient(&fhir.Patient{Extension: []fhir.Extension{race(omb("2131-1"))}}, nil)
	from := p.Race.From
	if diff := cmp.Diff([]Value{{State: Unmapped, From: from}}, SPD15Of2024(&p)); diff != "" {
		t.Errorf("other race has no SPD 15 category: -want +got\n%s", diff)
	}
	if diff := cmp.Diff([]Value{{Known, "2131-1", from}}, AloneOrInCombination(&p)); diff != "" {
		t.Errorf("other race is a group of its own: -want +got\n%s", diff)
	}
	declined, _ := m.Patient(&fhir.Patient{Extension: []fhir.Extension{
		race(absent("asked-declined"))}}, nil)
	for _, got := range [][]Value{AloneOrInCombination(&declined), SPD15Of2024(&declined)} {
		if diff := cmp.Diff([]Value{declined.Race}, got); diff != "" {
			t.Errorf("declined keeps its state: -want +got\n%s", diff)
		}
	}
}

func TestSets(t *testing.T) {
	t.Parallel()
	s := White | Asian
	if s.String() != "2028-9,2106-3" || s.Len() != 2 || !s.Has("2106-3") ||
		s.Has("2135-2") || s.Has("x") {
		t.Errorf("RaceSet %s: Len %d", s, s.Len())
	}
	d := SPD15Hispanic | SPD15MiddleEastern
	if d.String() != "2118-8,2135-2" || d.Len() != 2 || !d.Has("2135-2") || d.Has("2131-1") {
		t.Errorf("SPD15Set %s: Len %d", d, d.Len())
	}
	if RaceSet(0).String() != "" || SPD15Set(0).List() != nil {
		t.Error("the empty sets are not empty")
	}
}

func kinds(issues []Issue) []IssueKind {
	var out []IssueKind
	for _, i := range issues {
		out = append(out, i.Kind)
	}
	return out
}

func pointer[T any](v T) *T { return &v }
