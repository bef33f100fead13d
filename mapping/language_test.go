package mapping

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir"
)

func TestLanguageCode(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in    string
		code  string
		group string
	}{
		{"en", "en", English}, {"EN-us", "en", English}, {"en_US", "en", English}, {"eng", "en", English},
		{"es-419", "es", Spanish}, {"spa", "es", Spanish},
		{"zh-Hans-CN", "zh", Chinese}, {"chi", "zh", Chinese}, {"zho", "zh", Chinese},
		{"cmn", "cmn", Chinese}, {"yue", "yue", Chinese}, {"zh-yue", "yue", Chinese},
		{"zh-cmn-Hans", "cmn", Chinese}, {"wuu", "wuu", Other},
		{"ase", "ase", Sign}, {"sgn", "sgn", Sign}, {"sgn-US", "ase", Sign}, {"sgn-ase", "ase", Sign},
		{"sgn-FR", "fsl", Sign}, {"sgn-BE-FR", "sfb", Sign}, {"sgn-be-nl", "vgt", Sign},
		{"sgn-CH-DE", "sgg", Sign}, {"sgn-XX", "sgn", Sign}, {"bfi", "bfi", Sign},
		{"fre", "fr", Other}, {"fra", "fr", Other}, {"ger", "de", Other}, {"per", "fa", Other},
		{"alb", "sq", Other}, {"arm", "hy", Other}, {"bur", "my", Other}, {"iw", "he", Other},
		{"mo", "ro", Other}, {"vi", "vi", Other}, {"vie", "vi", Other}, {"hmn", "hmn", Other},
		{"prs", "prs", Other}, {"haw", "haw", Other}, {"nai", "nai", Other},
	}
	for _, tt := range tests {
		code, state := languageCode(fhir.Coding{System: SystemBCP47, Code: tt.in})
		group := languageGroup(Value{State: state, Code: code})
		if state != Known || code != tt.code || group.Code != tt.group {
			t.Errorf("languageCode(%s) = %s %s, group %s; want %s, group %s",
				tt.in, code, state, group.Code, tt.code, tt.group)
		}
	}
	for _, in := range []string{"und", "zxx", "mul", "mis", "und-US", "UND"} {
		if _, state := languageCode(fhir.Coding{System: SystemBCP47, Code: in}); state != Unknown {
			t.Errorf("languageCode(%s) = %s, want unknown", in, state)
		}
	}
	for _, in := range []string{
		"zzz", "english", "e", "", "x-klingon", "i-navajo", "qaa", "12", "-", "éé",
		strings.Repeat("en-", 40),
	} {
		if code, state := languageCode(fhir.Coding{System: SystemBCP47, Code: in}); state != "" {
			t.Errorf("languageCode(%q) = %q %s, want none", in, code, state)
		}
	}
}

// TestEveryBibliographicCode holds the 20 codes of ISO 639-2/B that differ from ISO 639-2/T against
// those: https://www.loc.gov/standards/iso639-2/php/code_list.php.
func TestEveryBibliographicCode(t *testing.T) {
	t.Parallel()
	pairs := strings.Fields("alb sqi arm hye baq eus bur mya chi zho cze ces dut nld fre fra " +
		"geo kat ger deu gre ell ice isl mac mkd mao mri may msa per fas rum ron slo slk tib bod wel cym")
	for pair := range slices.Chunk(pairs, 2) {
		b, _ := languageCode(fhir.Coding{System: SystemBCP47, Code: pair[0]})
		tt, _ := languageCode(fhir.Coding{System: SystemBCP47, Code: pair[1]})
		if b != tt || len(b) != 2 {
			t.Errorf("%s is %q, %s is %q; want one code of two letters", pair[0], b, pair[1], tt)
		}
	}
}

func TestLanguageSystems(t *testing.T) {
	t.Parallel()
	for system, want := range map[string]State{
		SystemBCP47: Known, "urn:oid:2.16.840.1.113883.6.121": Known,
		"urn:oid:2.16.840.1.113883.6.100": Known, "": "", "urn:local": "",
	} {
		if _, got := languageCode(fhir.Coding{System: system, Code: "es"}); got != want {
			t.Errorf("languageCode(%s|es) = %q, want %q", system, got, want)
		}
	}
}

func TestSignLanguagesAreSortedAndWhole(t *testing.T) {
	t.Parallel()
	codes := strings.Fields(signLanguages)
	if !slices.IsSorted(codes) || len(codes) != 165 || len(signLanguages) != signWidth*len(codes) {
		t.Fatalf("signLanguages: %d codes, sorted %t", len(codes), slices.IsSorted(codes))
	}
	for _, code := range codes {
		got, state := languageCode(fhir.Coding{System: SystemBCP47, Code: code})
		if got != code || state != Known {
			t.Errorf("languageCode(%s) = %q %s", code, got, state)
		}
		if Label(SystemBCP47, code) == code {
			t.Errorf("%s has no name", code)
		}
	}
	if signLanguage("en") || signLanguage("eng") {
		t.Error("English is no sign language")
	}
}

func TestEveryNamedLanguageIsRead(t *testing.T) {
	t.Parallel()
	rows := 0
	for line := range strings.Lines(languages) {
		if line[0] == '#' {
			continue
		}
		rows++
		code, name, _ := strings.Cut(strings.TrimSpace(line), "\t")
		_, state := languageCode(fhir.Coding{System: SystemBCP47, Code: code})
		if state == "" || name == "" {
			t.Errorf("%s %q: state %q", code, name, state)
		}
	}
	if rows < 485 {
		t.Errorf("%d names, want the 485 of the value set and more", rows)
	}
}

func speak(system, code string, preferred *bool) fhir.Communication {
	return fhir.Communication{Preferred: preferred, Language: fhir.CodeableConcept{
		Coding: []fhir.Coding{{System: system, Code: code}}}}
}

func TestPreferredLanguage(t *testing.T) {
	t.Parallel()
	yes, no := pointer(true), pointer(false)
	bcp := func(code string, preferred *bool) fhir.Communication {
		return speak(SystemBCP47, code, preferred)
	}
	text := fhir.Communication{Language: fhir.CodeableConcept{Text: "Spanish"}}
	const element = "Patient.communication.language"
	tests := []struct {
		name   string
		in     []fhir.Communication
		want   Value
		issues []IssueKind
	}{
		{"none is missing", nil, Value{State: Missing}, nil},
		{"preferred wins", []fhir.Communication{bcp("en", nil), bcp("vi", yes)},
			Value{Known, "vi", element}, nil},
		{"two different preferred ones are conflicting",
			[]fhir.Communication{bcp("en", yes), bcp("vi", yes)},
			Value{State: Conflicting, From: communicationElement}, []IssueKind{ContradictoryCodes}},
		{"two preferred tags of one language agree",
			[]fhir.Communication{bcp("es-MX", yes), bcp("spa", yes)},
			Value{Known, "es", element}, nil},
		{"a preferred language beside a preferred null code counts",
			[]fhir.Communication{bcp("und", yes), bcp("vi", yes)}, Value{Known, "vi", element},
			[]IssueKind{KnownBesideUnknown}},
		{"a preferred language beside a preferred code that we cannot read is conflicting",
			[]fhir.Communication{bcp("vi", yes), bcp("zzz", yes)},
			Value{State: Conflicting, From: communicationElement},
			[]IssueKind{UnmappedCode, ContradictoryCodes}},
		{"one without a flag is preferred", []fhir.Communication{bcp("ru", nil)},
			Value{Known, "ru", element}, nil},
		{"one without a flag beside one flagged false is preferred",
			[]fhir.Communication{bcp("fr", no), bcp("ru", nil)}, Value{Known, "ru", element}, nil},
		{"one flagged false is unknown", []fhir.Communication{bcp("en", no)},
			Value{State: Unknown, From: communicationElement}, []IssueKind{PreferenceUnsettled}},
		{"several without a flag are unknown", []fhir.Communication{bcp("en", nil), bcp("es", nil)},
			Value{State: Unknown, From: communicationElement}, []IssueKind{PreferenceUnsettled}},
		{"several without a flag that name one language are that",
			[]fhir.Communication{bcp("en-US", nil), bcp("en-GB", nil)},
			Value{Known, "en", element}, nil},
		{"words are not read", []fhir.Communication{text}, Value{State: TextOnly, From: element},
			[]IssueKind{TextWithoutCode}},
		{"a code that no list holds is unmapped", []fhir.Communication{bcp("zzz", nil)},
			Value{State: Unmapped, From: element}, []IssueKind{UnmappedCode}},
		{"declined is declined", []fhir.Communication{speak(systemAbsent, "asked-declined", nil)},
			Value{State: AskedDeclined, From: element}, nil},
		{"an entry without a language is unknown", []fhir.Communication{{Preferred: yes}},
			Value{State: Unknown, From: element}, []IssueKind{MissingRequired}},
	}
	m := mapper(t, Config{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, issues := m.Patient(&fhir.Patient{Communication: tt.in}, nil)
			if diff := cmp.Diff(tt.want, p.Language); diff != "" {
				t.Errorf("Language: -want +got\n%s", diff)
			}
			if p.LanguageGroup.State != tt.want.State {
				t.Errorf("LanguageGroup.State = %s, want %s", p.LanguageGroup.State, tt.want.State)
			}
			if diff := cmp.Diff(tt.issues, kinds(issues)); diff != "" {
				t.Errorf("issues: -want +got\n%s", diff)
			}
		})
	}
}
