package words_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/language"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server/words"
)

// forms are all sentences of a language.
func forms(t *testing.T, tag language.Tag) map[string]words.Form {
	t.Helper()
	areas, err := words.Areas(tag)
	if err != nil {
		t.Fatalf("Areas(%v) = %v", tag, err)
	}
	all := map[string]words.Form{}
	for _, area := range areas {
		some, err := words.Catalogue(tag, area)
		if err != nil {
			t.Fatalf("Catalogue(%v, %s) = %v", tag, area, err)
		}
		for key, f := range some {
			all[key] = f
		}
	}
	return all
}

func spoken(t *testing.T, tag language.Tag) *words.Words {
	t.Helper()
	w, err := words.New(tag, time.UTC)
	if err != nil {
		t.Fatalf("New(%v) = %v", tag, err)
	}
	return w
}

func TestCataloguesSayTheSame(t *testing.T) {
	t.Parallel()
	place := regexp.MustCompile(`%\[\d\][sd]|%`)
	english, spanish := forms(t, language.English), forms(t, language.Spanish)
	for key, en := range english {
		es, ok := spanish[key]
		if !ok {
			t.Errorf("%s is not in Spanish", key)
			continue
		}
		if (en.One == "") != (es.One == "") {
			t.Errorf("%s has plural forms in one language alone", key)
		}
		for _, pair := range [][2]string{{en.One, es.One}, {en.Other, es.Other}} {
			a, b := place.FindAllString(pair[0], -1), place.FindAllString(pair[1], -1)
			slices.Sort(a)
			slices.Sort(b)
			if diff := cmp.Diff(a, b); diff != "" || slices.Contains(a, "%") {
				t.Errorf("%s: places (-en +es):\n%s", key, diff)
			}
		}
		if en.Other == "" || es.Other == "" || en.Other != strings.TrimSpace(en.Other) ||
			es.Other != strings.TrimSpace(es.Other) {
			t.Errorf("%s is empty, or has a space around it", key)
		}
	}
	for key := range spanish {
		if _, ok := english[key]; !ok {
			t.Errorf("%s is not in English", key)
		}
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	english, spanish := spoken(t, language.English), spoken(t, language.Spanish)
	for _, test := range []struct{ code, en, es string }{
		{"es", "Spanish", "español"},
		{"zh", "Chinese", "chino"},
		{"cmn", "Mandarin Chinese", "chino mandarín"},
		{"yue", "Yue Chinese", "cantonés"},
		{"ht", "Haitian Creole", "criollo haitiano"},
		{"tl", "Tagalog", "tagalo"},
		{"ase", "American Sign Language", "lengua de señas estadounidense (ASL)"},
		{"quc", "K'iche'", "quiché"},
		{"lsb", "Burundian Sign Language", "«Burundian Sign Language»"},
		{"nonsense", "nonsense", "«nonsense»"},
	} {
		if got := english.Language(test.code); got != test.en {
			t.Errorf("%s is %q in English, want %q", test.code, got, test.en)
		}
		if got := spanish.Language(test.code); got != test.es {
			t.Errorf("%s is %q in Spanish, want %q", test.code, got, test.es)
		}
	}
}

func TestDate(t *testing.T) {
	t.Parallel()
	english, spanish := spoken(t, language.English), spoken(t, language.Spanish)
	for _, test := range []struct{ in, en, es string }{
		{"", "", ""},
		{"2026", "2026", "2026"},
		{"1957-04", "April 1957", "abril de 1957"},
		{"2026-03-01", "March 1, 2026", "1 de marzo de 2026"},
		{"2026-12-31T23:59:00-05:00", "December 31, 2026", "31 de diciembre de 2026"},
		{"1899-02-28", "February 28, 1899", "28 de febrero de 1899"},
	} {
		in, err := fhir.ParseDateTime(test.in)
		if err != nil {
			t.Fatalf("ParseDateTime(%q) = %v", test.in, err)
		}
		if got := english.Date(in); got != test.en {
			t.Errorf("date(%s) = %q in English, want %q", test.in, got, test.en)
		}
		if got := spanish.Date(in); got != test.es {
			t.Errorf("date(%s) = %q in Spanish, want %q", test.in, got, test.es)
		}
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, in, want string }{
		{"words stay", "Núria Ébano-O’Neil, 劉", "Núria Ébano-O’Neil, 劉"},
		{"marks of joining and direction stay", "نما\u200cیش \u200f!", "نما\u200cیش \u200f!"},
		{"overrides go", "a\u202eb\u2066c", "abc"},
		{"lines become spaces", "a\r\nb", "a  b"},
		{"controls go", "a\x00\x1b[0mb", "a[0mb"},
		{"what is no UTF-8 goes", "a\xffb", "ab"},
		{"what is long is cut", strings.Repeat("ñ", 161), strings.Repeat("ñ", 160) + "…"},
		{"what is as long as it may be is not", strings.Repeat("ñ", 160), strings.Repeat("ñ", 160)},
	} {
		if got := words.Plain(test.in); got != test.want {
			t.Errorf("%s: words.Plain(%q) = %q, want %q", test.name, test.in, got, test.want)
		}
	}
}

func TestProseIsPlainAndLonger(t *testing.T) {
	t.Parallel()
	paragraph := strings.Repeat("Ein Satz. ", 199)
	for _, test := range []struct{ name, in, want string }{
		{"a paragraph stays", paragraph, strings.TrimSpace(paragraph)},
		{"overrides go", "a\u202eb\nc", "ab c"},
		{"what is longer is cut", strings.Repeat("ñ", 2001), strings.Repeat("ñ", 2000) + "…"},
	} {
		if got := words.Prose(test.in); got != test.want {
			t.Errorf("%s: words.Prose = %d bytes, want %d", test.name, len(got), len(test.want))
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		say  func(*words.Words) string
		en   string
		es   string
	}{
		{"thousands are grouped", func(w *words.Words) string { return w.Count(12345.4) }, "12,345", "12,345"},
		{"decimals", func(w *words.Words) string { return w.Number(0.25, 1) }, "0.2", "0.2"},
		{"nothing has no sign", func(w *words.Words) string { return w.Number(-0.01, 1) }, "0.0", "0.0"},
		{"percent", func(w *words.Words) string { return w.Percent(0.4126, 1) }, "41.3%", "41.3\u00a0%"},
		{"a plus", func(w *words.Words) string { return w.Signed(1.5, 1) }, "+1.5", "+1.5"},
		{"a minus", func(w *words.Words) string { return w.Signed(-1.5, 1) }, "−1.5", "−1.5"},
		{"neither", func(w *words.Words) string { return w.Signed(-0.01, 1) }, "0.0", "0.0"},
	} {
		for tag, want := range map[language.Tag]string{language.English: test.en, language.Spanish: test.es} {
			if got := test.say(spoken(t, tag)); got != want {
				t.Errorf("%s: %q in %v, want %q", test.name, got, tag, want)
			}
		}
	}
}

func TestPeriod(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ in, en, es string }{
		{"2025", "2025", "2025"},
		{"2025-Q2", "quarter 2 of 2025", "trimestre 2 de 2025"},
		{"2025-03", "March 2025", "marzo de 2025"},
		{"2024-02", "February 2024", "febrero de 2024"},
		{
			"2025-01-02/2025-03-31", "January 2, 2025 to March 31, 2025",
			"del 2 de enero de 2025 al 31 de marzo de 2025",
		},
		{
			"2024-01-01/2025-12-31", "January 1, 2024 to December 31, 2025",
			"del 1 de enero de 2024 al 31 de diciembre de 2025",
		},
	} {
		p, err := measure.ParsePeriod(test.in)
		if err != nil {
			t.Fatalf("ParsePeriod(%q) = %v", test.in, err)
		}
		for tag, want := range map[language.Tag]string{language.English: test.en, language.Spanish: test.es} {
			if got := spoken(t, tag).Period(p); got != want {
				t.Errorf("%s is %q in %v, want %q", test.in, got, tag, want)
			}
		}
	}
}
