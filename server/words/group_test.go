package words_test

import (
	"bufio"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/language"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server/words"
)

func known(code string) measure.Coding {
	return measure.Coding{Code: code, State: string(mapping.Known)}
}

func TestGroup(t *testing.T) {
	t.Parallel()
	english, spanish := spoken(t, language.English), spoken(t, language.Spanish)
	for _, test := range []struct {
		name, dimension string
		of              measure.Coding
		en, es          string
	}{
		{"a race", "race", known("2054-5"), "Black or African American", "Negra o afroamericana"},
		{"several races", "race", known("two-or-more"), "Two or more races", "Dos o más razas"},
		{"the rest of a race policy", "race", measure.Coding{Code: "2131-1", State: "known",
			Label: "Some Other Race"}, "Some Other Race", "Alguna otra raza"},
		{"a category of 2024", "race", known("2118-8"), "Middle Eastern or North African",
			"Del Medio Oriente o del norte de África"},
		{"a detailed code", "race", known("2127-9"), "Israeli", "Israelí"},
		{"a nation by its own name", "race", known("1382-1"), "Navajo", "Navajo"},
		{"a code that no table holds", "race", measure.Coding{Code: "9", Label: "Nine", State: "known"},
			"Nine", "Nine"},
		{"an ethnicity", "ethnicity", known("2186-5"), "Not Hispanic or Latino", "No hispana ni latina"},
		{"an ethnicity among races", "race_ethnicity", known("2135-2"), "Hispanic or Latino",
			"Hispana o latina"},
		{"a set", "race_set", known("2028-9+2106-3"), "Asian + White", "Asiática + Blanca"},
		{"a set of one", "spd15_set", known("2106-3"), "White alone", "Blanca solamente"},
		{"a language", "language", known("es"), "Spanish", "Español"},
		{"a signed language", "language", known("ase"), "American Sign Language",
			"Lengua de señas estadounidense (ASL)"},
		{"a group of languages", "language_group", known("other"), "Other language", "Otro idioma"},
		{"a need", "interpreter_need", known("yes"), "Interpreter needed", "Necesita intérprete"},
		{"a sex", "sex", known("female"), "Female", "Femenino"},
		{"an age", "age_band", known("0-17"), "0 to 17 years", "De 0 a 17 años"},
		{"the oldest", "age_band", known("85+"), "85 years and over", "85 años o más"},
		{"a state", "race", measure.Coding{State: "asked-declined", Label: "Asked, declined to answer"},
			"Asked, declined to answer", "Se preguntó, decidió no responder"},
		{"a site by the name in the data", "site", measure.Coding{Code: "org-1", State: "known",
			Label: "Harbor\u202e \x00Clinic"}, "Harbor Clinic", "Harbor Clinic"},
		{"a site without a name", "site", known("org-1"), "org-1", "org-1"},
		{"a site that is not known", "site", measure.Coding{State: "missing"}, "Not recorded", "No consta"},
		{"a reference, which has no state", "race", measure.Coding{Code: "2106-3", Label: "White"},
			"White", "Blanca"},
		{"everybody", "race", measure.Coding{Label: "all"}, "Everyone", "Todas las personas"},
		{"everybody of a cross", "race*sex", measure.Coding{Label: "all"}, "Everyone",
			"Todas las personas"},
		{"a cross", "race*language_group*sex", measure.Coding{Code: "2106-3*other*male", State: "known",
			Label: "White × Other language × Male"}, "White × Other language × Male",
			"Blanca × Otro idioma × Masculino"},
		{"a cross with two states", "race*age_band", measure.Coding{Code: "*", State: "unknown",
			Label: "Unknown × Not recorded"}, "Unknown × Not recorded", "Desconocido × No consta"},
		{"a cross with a site of a difficult name", "site*sex", measure.Coding{Code: "org-1*",
			State: "unmapped", Label: "North × South × Code not mapped"}, "org-1 × Code not mapped",
			"org-1 × Código no reconocido"},
		{"a cross that nobody can read", "race*sex", measure.Coding{Code: "x", Label: "<x>"},
			"<x>", "<x>"},
		{"a dimension that nobody knows", "moon", measure.Coding{Code: "full", Label: "Full"},
			"Full", "Full"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := english.Group(test.dimension, test.of); got != test.en {
				t.Errorf("Group(%s, %+v) = %q in English, want %q", test.dimension, test.of, got, test.en)
			}
			if got := spanish.Group(test.dimension, test.of); got != test.es {
				t.Errorf("Group(%s, %+v) = %q in Spanish, want %q", test.dimension, test.of, got, test.es)
			}
		})
	}
}

// TestGroupsAreText holds that nothing that data say of a group turns around the text beside it.
func TestGroupsAreText(t *testing.T) {
	t.Parallel()
	spanish := spoken(t, language.Spanish)
	dimensions := append(measure.Dimensions(), measure.DimensionRaceSet, "race*site", "site*race*sex", "")
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.OneOf(rapid.SampledFrom([]string{"", "*", "+", "2106-3", "yes", " × ", "known",
			"%[1]s", "\u202e", "<script>"}), rapid.String())
		text := func(name string) string {
			return part.Draw(t, name) + part.Draw(t, name) + part.Draw(t, name)
		}
		dimension := rapid.SampledFrom(dimensions).Draw(t, "dimension")
		c := measure.Coding{Code: text("code"), Label: text("label"), State: part.Draw(t, "state")}
		got := spanish.Group(dimension, c)
		hidden := func(r rune) bool { return unicode.IsControl(r) || r >= '\u202a' && r <= '\u202e' }
		misfilled := strings.Contains(got, "EXTRA") || strings.Contains(got, "BADINDEX")
		if strings.IndexFunc(got, hidden) >= 0 || misfilled {
			t.Errorf("Group(%s, %q) = %q", dimension, c, got)
		}
	})
}

func TestStratum(t *testing.T) {
	t.Parallel()
	spanish := spoken(t, language.Spanish)
	crossed := measure.Stratum{Components: []measure.Component{
		{Dimension: "race", Coding: known("2028-9")},
		{Dimension: "sex", Coding: measure.Coding{State: "unknown"}},
	}}
	if got, want := spanish.Stratum("race*sex", crossed), "Asiática × Desconocido"; got != want {
		t.Errorf("Stratum(race*sex) = %q, want %q", got, want)
	}
	one := measure.Stratum{Coding: known("2028-9")}
	if got, want := spanish.Stratum("race", one), "Asiática"; got != want {
		t.Errorf("Stratum(race) = %q, want %q", got, want)
	}
}

func TestDimension(t *testing.T) {
	t.Parallel()
	english, spanish := spoken(t, language.English), spoken(t, language.Spanish)
	for _, test := range []struct{ name, en, es, title string }{
		{"race", "race", "raza", "Raza"},
		{"interpreter_need", "interpreter need", "necesidad de intérprete", "Necesidad de intérprete"},
		{"race*age_band", "race × age", "raza × edad", "Raza × edad"},
		{"moon", "moon", "moon", "Moon"},
	} {
		if got := english.Dimension(test.name); got != test.en {
			t.Errorf("Dimension(%s) = %q in English, want %q", test.name, got, test.en)
		}
		if got := spanish.Dimension(test.name); got != test.es {
			t.Errorf("Dimension(%s) = %q in Spanish, want %q", test.name, got, test.es)
		}
		if got := spanish.DimensionTitle(test.name); got != test.title {
			t.Errorf("DimensionTitle(%s) = %q in Spanish, want %q", test.name, got, test.title)
		}
	}
}

// rows reads a table of mapping: lines of columns divided by tabs.
func rows(t *testing.T, name string) [][]string {
	t.Helper()
	file, err := os.Open("../../mapping/" + name) // #nosec G304 -- a table of this repository
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var out [][]string
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if line := lines.Text(); line != "" && line[0] != '#' {
			out = append(out, strings.Split(line, "\t"))
		}
	}
	if lines.Err() != nil || len(out) < 500 {
		t.Fatalf("read %s: %d rows, %v", name, len(out), lines.Err())
	}
	return out
}

// coded are the codes of the small tables, by the family of their names.
func coded() map[string][]string {
	var states, populations []string
	for _, s := range mapping.States() {
		states = append(states, string(s))
	}
	for _, p := range []measure.Population{measure.InitialPopulation, measure.Denominator,
		measure.DenominatorExclusion, measure.NumeratorInitial, measure.Numerator,
		measure.DenominatorException, measure.NumeratorExclusion, measure.MeasurePopulation,
		measure.MeasureExclusion} {
		populations = append(populations, string(p))
	}
	return map[string][]string{
		"state":          states,
		"population":     populations,
		"age_band":       mapping.AgeBands(),
		"race":           append((mapping.OtherRace<<1 - 1).List(), mapping.TwoOrMore),
		"ethnicity":      {"2135-2", "2186-5"},
		"language_group": {mapping.English, mapping.Spanish, mapping.Chinese, mapping.Sign, mapping.Other},
		"need":           {mapping.Yes, mapping.No},
		"sex":            {"male", "female", "other"},
		"class": {"AMB", "EMER", "FLD", "HH", "IMP", "ACUTE", "NONAC", "OBSENC", "PRENC", "SS",
			"VR"},
		"disposition": {"home", "alt-home", "other-hcf", "hosp", "long", "aadvice", "exp", "psy", "rehab",
			"snf", "oth", mapping.LeftWithoutBeingSeen},
		"dimension": append(measure.Dimensions(), measure.DimensionRaceSet, measure.DimensionSPD15Set,
			"practitioner"),
		"resource": {"Patient", "Encounter", "AdverseEvent", "Organization", "Practitioner"},
	}
}

func TestEveryCodeHasANameInEveryLanguage(t *testing.T) {
	t.Parallel()
	for _, tag := range words.Languages() {
		w := spoken(t, tag)
		for family, codes := range coded() {
			for _, code := range codes {
				if !w.Has(family + "." + code) {
					t.Errorf("%s.%s has no name in %v", family, code, tag)
				}
			}
		}
		for _, code := range (mapping.SPD15Hispanic<<1 - 1).List() {
			if got := w.Group("race", known(code)); got == code {
				t.Errorf("the category %s has no name in %v", code, tag)
			}
		}
	}
}

// TestEveryCDCRECCodeHasASpanishName holds that only nations, villages and bands of the Indigenous
// peoples of the Americas keep the names of the table.
func TestEveryCDCRECCodeHasASpanishName(t *testing.T) {
	t.Parallel()
	english, spanish := spoken(t, language.English), spoken(t, language.Spanish)
	const indigenous = "1002-5"
	named, kept := 0, 0
	for _, row := range rows(t, "cdcrec.tsv") {
		code, category, display := row[0], row[2], row[3]
		has := slices.ContainsFunc([]string{"race", "ethnicity", "cdcrec"},
			func(family string) bool { return spanish.Has(family + "." + code) })
		got := spanish.Group(mapping.DimensionRace, known(code))
		switch {
		case has:
			named++
		case category == indigenous && got == display:
			kept++
		default:
			t.Errorf("%s, %s, is %q in Spanish", code, display, got)
		}
		if corrected[code] == "" && english.Group(mapping.DimensionRace, known(code)) != display {
			t.Errorf("%s is %q in English, and %q in the table", code,
				english.Group(mapping.DimensionRace, known(code)), display)
		}
	}
	if named < 150 || kept > 815 {
		t.Errorf("%d codes have a Spanish name, and %d keep that of the table", named, kept)
	}
}

// corrected are the names that CDCREC spells wrongly or by a word that people do not use of
// themselves.
var corrected = map[string]string{"2126-1": "Afghan", "2127-9": "Israeli", "2140-2": "Castilian",
	"2142-8": "Balearic Islander"}

// TestEnglishNamesAreThoseOfReports holds the names to mapping.Label, other than those that are not
// for people.
func TestEnglishNamesAreThoseOfReports(t *testing.T) {
	t.Parallel()
	w := spoken(t, language.English)
	for dimension, codes := range map[string][]string{
		mapping.DimensionRace: coded()["race"], mapping.DimensionEthnicity: coded()["ethnicity"],
		mapping.DimensionLanguageGroup: coded()["language_group"], mapping.DimensionSex: coded()["sex"],
	} {
		for _, code := range codes {
			if got, want := w.Group(dimension, known(code)), mapping.Label(dimension, code); got != want {
				t.Errorf("%s of %s is %q, and %q in reports", code, dimension, got, want)
			}
		}
	}
	for _, code := range coded()["disposition"] {
		system := "http://terminology.hl7.org/CodeSystem/discharge-disposition"
		if got, want := w.Label("disposition", code), mapping.Label(system, code); got != want {
			t.Errorf("the disposition %s is %q, and %q in reports", code, got, want)
		}
	}
	spoken := []string{"ht", "ps", "sgn"} // A sentence calls these otherwise than a report does.
	for _, row := range rows(t, "languages.tsv") {
		if got := w.Language(row[0]); got != row[1] && !slices.Contains(spoken, row[0]) {
			t.Errorf("the language %s is %q, and %q in reports", row[0], got, row[1])
		}
	}
	for code, want := range corrected {
		if got := w.Group(mapping.DimensionRace, known(code)); got != want {
			t.Errorf("%s is %q, want %q", code, got, want)
		}
	}
}

// TestEveryLanguageHasAName holds that a language is never shown as a bare code, and that its name
// in Spanish is left in English, in quotes, only where a newer table has languages that nobody has
// named yet.
func TestEveryLanguageHasAName(t *testing.T) {
	t.Parallel()
	spanish := spoken(t, language.Spanish)
	quoted := 0
	for _, row := range rows(t, "languages.tsv") {
		got := spanish.Group(mapping.DimensionLanguage, known(row[0]))
		if strings.HasPrefix(got, "«") {
			quoted++
		}
		if strings.Trim(got, "«»") == row[0] && row[0] != row[1] {
			t.Errorf("%s, %s, is %q in Spanish", row[0], row[1], got)
		}
	}
	if quoted > 3 {
		t.Errorf("%d languages have no Spanish name", quoted)
	}
}

// TestLanguagesAreThoseOfMeasures holds that a page says its figures in the language of its other
// sentences.
func TestLanguagesAreThoseOfMeasures(t *testing.T) {
	t.Parallel()
	var tags []string
	for _, tag := range words.Languages() {
		tags = append(tags, tag.String())
	}
	if !slices.Equal(tags, measure.Languages()) {
		t.Errorf("there are catalogues in %v, and words of measures in %v", tags, measure.Languages())
	}
}
