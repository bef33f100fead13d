package mapping

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/fhir"
)

// The generators mix what servers send with what nobody should, so that most draws are half valid.

func anySystem() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{SystemCDCREC, "http://hl7.org/fhir/v3/Race", systemNullFlavor,
		systemAbsent, SystemBCP47, systemSNOMED, systemActCode, systemDisposition, systemNUBC,
		systemPriority, systemParticipant, systemArrangements, systemCategory, systemSeverity,
		systemSeriousness, systemOutcome, SystemInequity, SystemInterpreter, "urn:local", ""})
}

func anyCode() *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom([]string{"2106-3", "2054-5", "2028-9", "2131-1", "2118-8",
		"2123-8", "2109-7", "2135-2", "2148-5", "2186-5", "2016-3", "1000-9", "UNK", "ASKU", "OTH", "NASK",
		"asked-declined", "asked-unknown", "not-asked", "as-text", "unknown", "en-US", "es", "spa", "ase",
		"sgn-US", "zh-yue", "und", "qaa", "373066001", "373067005", "315594003", "21541000119102", "AMB",
		"EMER", "VR", "home", "oth", "exp", "7", "07", "30", "EL", "translator", "int", "Product-Use-Error",
		"wrong-dose", "device", "severe", "Serious", "SeriousResultsInDeath", "fatal", "yes", "no",
		"undetermined"}), rapid.StringN(0, 12, 40))
}

func anyCoding() *rapid.Generator[fhir.Coding] {
	return rapid.Custom(func(t *rapid.T) fhir.Coding {
		return fhir.Coding{System: anySystem().Draw(t, "system"), Code: anyCode().Draw(t, "code")}
	})
}

func anyConcept() *rapid.Generator[fhir.CodeableConcept] {
	return rapid.Custom(func(t *rapid.T) fhir.CodeableConcept {
		return fhir.CodeableConcept{Coding: rapid.SliceOfN(anyCoding(), 0, 3).Draw(t, "coding"),
			Text: rapid.SampledFrom([]string{"", "White", "Spanish"}).Draw(t, "text")}
	})
}

func anyConcepts() *rapid.Generator[[]fhir.CodeableConcept] {
	return rapid.SliceOfN(anyConcept(), 0, 3)
}

func maybe[T any](g *rapid.Generator[T]) *rapid.Generator[*T] {
	return rapid.Custom(func(t *rapid.T) *T {
		if !rapid.Bool().Draw(t, "present") {
			return nil
		}
		v := g.Draw(t, "value")
		return &v
	})
}

func anyExtension(depth int) *rapid.Generator[fhir.Extension] {
	urls := []string{raceURL, ethnicityURL, "http://hl7.org/fhir/StructureDefinition/us-core-race",
		"http://hl7.org/fhir/Profile/us-core#ethnicity", extensionNeeded, extensionRequired,
		extensionAbsent, extensionFactor, "ombCategory", "detailed", "text", "item", "urn:other"}
	return rapid.Custom(func(t *rapid.T) fhir.Extension {
		e := fhir.Extension{
			URL:                  rapid.SampledFrom(urls).Draw(t, "url"),
			ValueCoding:          maybe(anyCoding()).Draw(t, "valueCoding"),
			ValueCodeableConcept: maybe(anyConcept()).Draw(t, "valueCodeableConcept"),
			ValueString:          maybe(rapid.SampledFrom([]string{"", "x"})).Draw(t, "valueString"),
			ValueCode:            maybe(anyCode()).Draw(t, "valueCode"),
			ValueBoolean:         maybe(rapid.Bool()).Draw(t, "valueBoolean"),
		}
		if depth > 0 {
			e.Extension = rapid.SliceOfN(anyExtension(depth-1), 0, 4).Draw(t, "extension")
		}
		return e
	})
}

func anyExtensions() *rapid.Generator[[]fhir.Extension] {
	return rapid.SliceOfN(anyExtension(2), 0, 6)
}

func anyDate() *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom([]string{"", "2018", "2018-02", "2018-02-28", "0001-01-01",
		"9999-12-31T23:59:59Z", "2018-02-28T23:30:00-05:00", "2018-03-01T00:10:00", "2018-02-30"}),
		rapid.StringN(0, 20, 30))
}

func anyReference() *rapid.Generator[fhir.Reference] {
	return rapid.Custom(func(t *rapid.T) fhir.Reference {
		return fhir.Reference{
			Reference: rapid.OneOf(rapid.SampledFrom([]string{"", "Patient/1", "Organization/2", "#c",
				"urn:uuid:3", "RelatedPerson/4", "Encounter/5", "Patient?identifier=s|6"}),
				rapid.StringN(0, 12, 40)).Draw(t, "reference"),
			Identifier: fhir.Identifier{Value: rapid.SampledFrom([]string{"", "7"}).Draw(t, "identifier")},
			Display:    rapid.SampledFrom([]string{"", "West"}).Draw(t, "display"),
		}
	})
}

func anyPatient(t *rapid.T) *fhir.Patient {
	communication := rapid.Custom(func(t *rapid.T) fhir.Communication {
		return fhir.Communication{Language: anyConcept().Draw(t, "language"),
			Preferred: maybe(rapid.Bool()).Draw(t, "preferred")}
	})
	link := rapid.Custom(func(t *rapid.T) fhir.PatientLink {
		return fhir.PatientLink{Other: anyReference().Draw(t, "other"), Type: rapid.SampledFrom(
			[]string{"replaced-by", "replaces", "seealso", ""}).Draw(t, "type")}
	})
	return &fhir.Patient{
		ID:                   "1",
		Meta:                 fhir.Meta{VersionID: anyCode().Draw(t, "version"), LastUpdated: anyDate().Draw(t, "updated")},
		Extension:            anyExtensions().Draw(t, "extension"),
		Gender:               rapid.SampledFrom([]string{"", "male", "unknown", "x"}).Draw(t, "gender"),
		BirthDate:            anyDate().Draw(t, "birthDate"),
		DeceasedDateTime:     anyDate().Draw(t, "deceased"),
		Communication:        rapid.SliceOfN(communication, 0, 4).Draw(t, "communication"),
		GeneralPractitioner:  rapid.SliceOfN(anyReference(), 0, 3).Draw(t, "generalPractitioner"),
		ManagingOrganization: anyReference().Draw(t, "organization"),
		Link:                 rapid.SliceOfN(link, 0, 3).Draw(t, "link"),
	}
}

func anyEncounter(t *rapid.T) *fhir.Encounter {
	participant := rapid.Custom(func(t *rapid.T) fhir.Participant {
		return fhir.Participant{Type: anyConcepts().Draw(t, "type"),
			Individual: anyReference().Draw(t, "individual")}
	})
	return &fhir.Encounter{
		ID:          "2",
		Extension:   anyExtensions().Draw(t, "extension"),
		Status:      rapid.SampledFrom([]string{"", "finished", "completed", "x y"}).Draw(t, "status"),
		Class:       anyCoding().Draw(t, "class"),
		Type:        anyConcepts().Draw(t, "type"),
		Priority:    anyConcept().Draw(t, "priority"),
		Subject:     anyReference().Draw(t, "subject"),
		Participant: rapid.SliceOfN(participant, 0, 3).Draw(t, "participant"),
		Period:      fhir.Period{Start: anyDate().Draw(t, "start"), End: anyDate().Draw(t, "end")},
		Hospitalization: fhir.Hospitalization{SpecialArrangement: anyConcepts().Draw(t, "arrangement"),
			DischargeDisposition: anyConcept().Draw(t, "disposition")},
		ServiceProvider: anyReference().Draw(t, "provider"),
	}
}

func anyEvent(t *rapid.T) *fhir.AdverseEvent {
	return &fhir.AdverseEvent{
		ID: "3", Extension: anyExtensions().Draw(t, "extension"),
		Actuality: rapid.SampledFrom([]string{"", "actual", "Potential", "x"}).Draw(t, "actuality"),
		Category:  anyConcepts().Draw(t, "category"),
		Subject:   anyReference().Draw(t, "subject"), Encounter: anyReference().Draw(t, "encounter"),
		Date: anyDate().Draw(t, "date"), Detected: anyDate().Draw(t, "detected"),
		RecordedDate: anyDate().Draw(t, "recorded"),
		Seriousness:  anyConcept().Draw(t, "seriousness"), Severity: anyConcept().Draw(t, "severity"),
		Outcome: anyConcept().Draw(t, "outcome"),
	}
}

// wrong reports what is wrong with a value: a code without being known, a known value without code
// or element, or a state that is none.
func wrong(v Value) string {
	switch {
	case !slices.Contains(States(), v.State):
		return "has a state that is none"
	case (v.Code != "") != (v.State == Known):
		return "has a code if and only if it is not known"
	case (v.From == "") != (v.State == Missing):
		return "names no element, or one though it is missing"
	}
	return ""
}

func checkValues(t *rapid.T, values map[string]Value) {
	for name, v := range values {
		if fault := wrong(v); fault != "" {
			t.Fatalf("%s = %+v %s", name, v, fault)
		}
	}
}

func checkIssues(t *rapid.T, issues []Issue) {
	for _, i := range issues {
		if !slices.Contains(IssueKinds(), i.Kind) || i.Element == "" {
			t.Fatalf("issue %+v has no kind or no element", i)
		}
		if strings.ContainsAny(i.System+i.Code, " \t\n") {
			t.Fatalf("issue %+v repeats words", i)
		}
	}
}

// TestMapperIsTotal feeds half valid resources: every value is whole, every issue is of a kind, and
// the same resource gives the same record and issues again.
func TestMapperIsTotal(t *testing.T) {
	t.Parallel()
	m := mapper(t, Config{Location: time.FixedZone("site", -6*3600), ConceptMaps: []ConceptMap{
		parse(t, "race.json", conceptMap("urn:local", SystemCDCREC, "7", "2028-9")),
		parse(t, "refused.json", conceptMap("urn:local", systemAbsent, "30", "asked-declined")),
		parse(t, "class.json", conceptMap("urn:local", systemActCode, "7", "VR")),
	}})
	rapid.Check(t, func(t *rapid.T) {
		in := anyPatient(t)
		p, issues := m.Patient(in, nil)
		checkIssues(t, issues)
		checkValues(t, map[string]Value{"Race": p.Race, "Ethnicity": p.Ethnicity,
			"RaceEthnicity": p.RaceEthnicity, "Language": p.Language, "LanguageGroup": p.LanguageGroup,
			"InterpreterNeed": p.InterpreterNeed, "Sex": p.Sex, "Site": p.Site.Value})
		checkIdentity(t, &p)
		again, issuesAgain := m.Patient(in, nil)
		if diff := cmp.Diff(p, again, cmp.Comparer(sameID)) + cmp.Diff(issues, issuesAgain); diff != "" {
			t.Fatalf("the same patient differs: %s", diff)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		in := anyEncounter(t)
		e, issues := m.Encounter(in, nil)
		checkIssues(t, issues)
		checkValues(t, map[string]Value{"Class": e.Class, "Disposition": e.Disposition,
			"InterpreterNeed": e.InterpreterNeed, "Site": e.Site.Value})
		if (e.InterpreterUse == NoneDocumented) != (e.InterpreterUseFrom == "") {
			t.Fatalf("InterpreterUse = %s from %q", e.InterpreterUse, e.InterpreterUseFrom)
		}
		again, issuesAgain := m.Encounter(in, nil)
		if diff := cmp.Diff(e, again, cmp.Comparer(sameID)) + cmp.Diff(issues, issuesAgain); diff != "" {
			t.Fatalf("the same encounter differs: %s", diff)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		in := anyEvent(t)
		e, issues := m.AdverseEvent(in, nil)
		checkIssues(t, issues)
		checkValues(t, map[string]Value{"Category": e.Category, "Severity": e.Severity,
			"Seriousness": e.Seriousness, "Outcome": e.Outcome, "Inequity": e.Inequity})
		if (e.DateFrom == "") != (e.Date.Precision == fhir.NoDate) {
			t.Fatalf("Date = %+v from %q", e.Date, e.DateFrom)
		}
		again, issuesAgain := m.AdverseEvent(in, nil)
		if diff := cmp.Diff(e, again, cmp.Comparer(sameID)) + cmp.Diff(issues, issuesAgain); diff != "" {
			t.Fatalf("the same event differs: %s", diff)
		}
	})
}

// checkIdentity holds the sets, the values and the policies together.
func checkIdentity(t *rapid.T, p *Patient) {
	switch p.Races.Len() {
	case 0:
		if p.Race.State == Known {
			t.Fatalf("Race = %+v without a race", p.Race)
		}
	case 1:
		if p.Race.Code != p.Races.String() {
			t.Fatalf("Race = %+v of %s", p.Race, p.Races)
		}
	default:
		if p.Race.Code != TwoOrMore {
			t.Fatalf("Race = %+v of %s", p.Race, p.Races)
		}
	}
	if p.SPD15.Has(codeHispanic) != (p.Ethnicity.Code == codeHispanic) {
		t.Fatalf("SPD15 = %s, Ethnicity = %+v", p.SPD15, p.Ethnicity)
	}
	if p.Races.Has(codeWhite) != (p.SPD15.Has(codeWhite) || p.SPD15.Has(codeMiddleEastern)) {
		t.Fatalf("SPD15 = %s of %s", p.SPD15, p.Races)
	}
	if p.RaceEthnicity != OMB1997Exclusive(p) {
		t.Fatalf("RaceEthnicity = %+v", p.RaceEthnicity)
	}
	for _, values := range [][]Value{AloneOrInCombination(p), SPD15Of2024(p)} {
		if len(values) == 0 {
			t.Fatal("a policy gives a patient no group")
		}
	}
}

// TestOrderOfExtensionsChangesNothing shuffles extensions at both levels: the record is the same, and
// so are the issues, in whatever order.
func TestOrderOfExtensionsChangesNothing(t *testing.T) {
	t.Parallel()
	m := mapper(t, Config{})
	rapid.Check(t, func(t *rapid.T) {
		in := anyPatient(t)
		want, wantIssues := m.Patient(in, nil)
		shuffled := *in
		shuffled.Extension = rapid.Permutation(in.Extension).Draw(t, "shuffled")
		for i := range shuffled.Extension {
			shuffled.Extension[i].Extension =
				rapid.Permutation(shuffled.Extension[i].Extension).Draw(t, "inner")
		}
		got, gotIssues := m.Patient(&shuffled, nil)
		if diff := cmp.Diff(want, got, cmp.Comparer(sameID)); diff != "" {
			t.Fatalf("the record changes: -want +got\n%s", diff)
		}
		if diff := cmp.Diff(sorted(wantIssues), sorted(gotIssues)); diff != "" {
			t.Fatalf("the issues change: -want +got\n%s", diff)
		}
	})
}

// TestOrderOfRepetitionsChangesNothing shuffles languages, codings, participants, categories and
// contributing factors.
func TestOrderOfRepetitionsChangesNothing(t *testing.T) {
	t.Parallel()
	m := mapper(t, Config{})
	rapid.Check(t, func(t *rapid.T) {
		patient := anyPatient(t)
		wantPatient, want := m.Patient(patient, nil)
		patient.Communication = rapid.Permutation(patient.Communication).Draw(t, "communication")
		gotPatient, got := m.Patient(patient, nil)

		encounter := anyEncounter(t)
		wantEncounter, want := m.Encounter(encounter, want)
		encounter.Extension = rapid.Permutation(encounter.Extension).Draw(t, "extension")
		encounter.Participant = rapid.Permutation(encounter.Participant).Draw(t, "participant")
		disposition := &encounter.Hospitalization.DischargeDisposition
		disposition.Coding = rapid.Permutation(disposition.Coding).Draw(t, "disposition")
		gotEncounter, got := m.Encounter(encounter, got)

		event := anyEvent(t)
		wantEvent, want := m.AdverseEvent(event, want)
		event.Extension = rapid.Permutation(event.Extension).Draw(t, "factor")
		event.Category = rapid.Permutation(event.Category).Draw(t, "category")
		event.Seriousness.Coding = rapid.Permutation(event.Seriousness.Coding).Draw(t, "seriousness")
		gotEvent, got := m.AdverseEvent(event, got)

		ids := cmp.Comparer(sameID)
		diff := cmp.Diff(wantPatient, gotPatient, ids) + cmp.Diff(wantEncounter, gotEncounter, ids) +
			cmp.Diff(wantEvent, gotEvent, ids) + cmp.Diff(sorted(want), sorted(got))
		if diff != "" {
			t.Fatalf("a record changes: -want +got\n%s", diff)
		}
	})
}

func sorted(issues []Issue) []Issue {
	return slices.SortedFunc(slices.Values(issues), func(a, b Issue) int {
		return strings.Compare(string(a.Kind)+a.Element+a.System+"|"+a.Code,
			string(b.Kind)+b.Element+b.System+"|"+b.Code)
	})
}

// TestSixtyRaceExtensions is what one server sends: the same answer again and again.
func TestSixtyRaceExtensions(t *testing.T) {
	t.Parallel()
	in := make([]fhir.Extension, 60)
	for i := range in {
		in[i] = race(omb("2106-3"), detailed("2123-8"), words("Lebanese"))
	}
	p, issues := mapper(t, Config{}).Patient(&fhir.Patient{Extension: in}, nil)
	if p.Race.Code != "2106-3" || p.SPD15.String() != "2118-8" {
		t.Errorf("Race = %+v, SPD15 = %s", p.Race, p.SPD15)
	}
	if diff := cmp.Diff([]IssueKind{RepeatedExtension}, kinds(issues)); diff != "" {
		t.Errorf("issues: -want +got\n%s", diff)
	}
}

// TestIssueKindsAreDocumented holds docs/mapping.md against the closed list of kinds, both ways.
func TestIssueKindsAreDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/mapping.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text), "## Issue kinds\n")
	if !ok {
		t.Fatal("docs/mapping.md has no section for issue kinds")
	}
	table, _, _ = strings.Cut(table, "\n## ")
	var documented []IssueKind
	for line := range strings.Lines(table) {
		if cell, ok := strings.CutPrefix(line, "| `"); ok {
			kind, _, _ := strings.Cut(cell, "`")
			documented = append(documented, IssueKind(kind))
		}
	}
	if diff := cmp.Diff(IssueKinds(), documented); diff != "" {
		t.Errorf("docs/mapping.md: -kinds +documented\n%s", diff)
	}
}
