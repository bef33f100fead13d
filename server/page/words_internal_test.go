package page

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/language"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/server/words"
)

func forms(t *testing.T, tag language.Tag) map[string]words.Form {
	t.Helper()
	all, err := words.Catalogue(tag, "page")
	if err != nil {
		t.Fatalf("words.Catalogue(%v) = %v", tag, err)
	}
	return all
}

func spoken(t *testing.T, tag language.Tag) *voice {
	t.Helper()
	w, err := words.New(tag, time.UTC)
	if err != nil {
		t.Fatalf("words.New(%v) = %v", tag, err)
	}
	return &voice{w}
}

// families are the keys that are made of a code, with every code that there is.
func families() map[string][]string {
	states := []string{notRead}
	var absent []string
	for _, s := range mapping.States() {
		states = append(states, string(s))
		if s != mapping.Known {
			absent = append(absent, string(s))
		}
	}
	absent = append(absent, notRead)
	uses := []string{
		string(mapping.Documented), string(mapping.Arranged), string(mapping.AdHoc),
		string(mapping.NoneDocumented),
	}
	var roles, notices, problems []string
	for _, r := range role.All() {
		roles = append(roles, string(r))
	}
	for _, k := range bedside.NoticeKinds() {
		for _, resource := range []string{resourcePatient, resourceEncounter, resourceEvent, "other"} {
			if k != bedside.Partial || resource != resourcePatient { // A record is not one of several.
				notices = append(notices, string(k)+"."+resource)
			}
		}
	}
	for _, k := range Kinds() {
		problems = append(problems, string(k)+".title", string(k)+".happened", string(k)+".do")
	}
	return map[string][]string{
		"state": states, "lead": append(absent, "yes", "no", "yes.language", "language"), "todo": absent,
		"use": uses, "now": append(uses, nowNotRead, nowNoVisit), "role": roles, "may": roles,
		"notice": notices, "problem": problems,
		"tone":  {toneAct, toneAsk, toneCheck, toneOK, toneNote},
		"field": {mapping.DimensionRace, mapping.DimensionEthnicity, mapping.DimensionLanguage, mapping.DimensionInterpreter},
		"need":  {mapping.Yes, mapping.No}, "actuality": {mapping.Actual, mapping.Potential},
	}
}

func TestEveryCodeHasWords(t *testing.T) {
	t.Parallel()
	keys := forms(t, language.English)
	for family, codes := range families() {
		for _, code := range codes {
			if _, ok := keys[family+"."+code]; !ok {
				t.Errorf("%s.%s has no words", family, code)
			}
		}
	}
}

// labelled are the families whose codes mapping knows; the words are those of reports.
func labelled() map[string]string {
	return map[string]string{
		"race": mapping.DimensionRace, "ethnicity": mapping.DimensionEthnicity,
		"interpreter_need": mapping.DimensionInterpreter, "inequity": mapping.SystemInequity,
		"sex": mapping.DimensionSex, "class": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
		"state": mapping.SystemState, "language": mapping.DimensionLanguage,
	}
}

func TestEnglishWordsAreThoseOfReports(t *testing.T) {
	t.Parallel()
	// A sentence calls these otherwise than a column of a report does.
	other := []string{"language.ht", "language.ps", "language.sgn", "state.not-read", "sex.unknown"}
	for key, f := range forms(t, language.English) {
		family, code, _ := strings.Cut(key, ".")
		system, ok := labelled()[family]
		if !ok || slices.Contains(other, key) {
			continue
		}
		if want := mapping.Label(system, code); f.Other != want {
			t.Errorf("%s is %q, and %q in reports", key, f.Other, want)
		}
	}
}

// Every key is said somewhere: by its name, or as one of a family that a source makes keys of.
func TestEveryKeyIsUsed(t *testing.T) {
	t.Parallel()
	var sources strings.Builder
	for _, pattern := range []string{"*.go", "templates/*.html"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatalf("list %s: %v", pattern, err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatalf("read %s: %v", name, err)
			}
			sources.Write(text)
		}
	}
	source := sources.String()
	known := families()
	for key := range forms(t, language.English) {
		family, code, _ := strings.Cut(key, ".")
		switch {
		case strings.Contains(source, `"`+key+`"`):
		case slices.Contains(known[family], code):
		case labelled()[family] != "":
		case slices.Contains([]string{"category", "severity", "outcome", "scope"}, family):
			if !strings.Contains(source, `"`+family) {
				t.Errorf("no source makes keys of %s", family)
			}
		case family == "do" && slices.Contains(append(known["now"], known["todo"]...), code):
		default:
			t.Errorf("%s is said nowhere", key)
		}
	}
	said := regexp.MustCompile(`say "([a-z_.-]+)"|\.Say\("([a-z_.-]+)"[,)]`)
	for _, m := range said.FindAllStringSubmatch(source, -1) {
		if key := m[1] + m[2]; !spoken(t, language.English).Has(key) {
			t.Errorf("%s is said and is in no catalogue", key)
		}
	}
}

func TestCodesOfEventsAreThoseOfMapping(t *testing.T) {
	t.Parallel()
	mapper, err := mapping.New(mapping.Config{})
	if err != nil {
		t.Fatalf("mapping.New = %v", err)
	}
	for key := range forms(t, language.English) {
		family, code, _ := strings.Cut(key, ".")
		concept := func(system string) fhir.CodeableConcept {
			return fhir.CodeableConcept{Coding: []fhir.Coding{{
				System: "http://terminology.hl7.org/CodeSystem/adverse-event-" + system, Code: code,
			}}}
		}
		var in fhir.AdverseEvent
		var got mapping.Value
		switch family {
		case "category":
			in.Category = []fhir.CodeableConcept{concept(family)}
			out, _ := mapper.AdverseEvent(&in, nil)
			got = out.Category
		case "severity":
			in.Severity = concept(family)
			out, _ := mapper.AdverseEvent(&in, nil)
			got = out.Severity
		case "outcome":
			in.Outcome = concept(family)
			out, _ := mapper.AdverseEvent(&in, nil)
			got = out.Outcome
		default:
			continue
		}
		if got.State != mapping.Known || got.Code != code {
			t.Errorf("%s: mapping reads %q as %v", key, code, got)
		}
	}
}

func TestScopesInWords(t *testing.T) {
	t.Parallel()
	w := spoken(t, language.English)
	for _, test := range []struct {
		name string
		in   []string
		want []string
	}{
		{"nothing", nil, nil},
		{"one thing is said once", []string{"launch", "launch/patient", "launch/encounter"}, []string{
			"Know which patient and visit are open",
		}},
		{"of either version", []string{"user/Measure.read", "user/Measure.rs"}, []string{"Read measures"}},
		{"reading and changing", []string{"user/Task.cruds"}, []string{
			"Read FHIR resources of the type Task", "Change FHIR resources of the type Task",
		}},
		{"everything", []string{"user/*.*"}, []string{
			"Read everything that you may read here", "Change everything that you may change here",
		}},
		{"limited", []string{"user/MeasureReport.rs?period=2026"}, []string{
			"Read measure reports, limited to period=2026",
		}},
		{"unknown ones are named", []string{"vendor", "read.Measure", "other", "equitylens/none", "user/x"}, []string{
			"Use the permission vendor", "Use the permission read.Measure", "Use the permission other",
			"Use the permission equitylens/none", "Use the permission user/x",
		}},
	} {
		if diff := cmp.Diff(test.want, w.may(test.in)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}
