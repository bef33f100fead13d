package catalog_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
)

// spoken is who speaks: a measure, or a rate of one.
type spoken interface {
	Words(language string) measure.Words
}

// speakers are all measures and rates that ship, by a name for the reader of a failure.
func speakers(t *testing.T) map[string]spoken {
	t.Helper()
	definitions, err := measure.Load(catalog.Files())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]spoken{}
	for i := range definitions {
		d := &definitions[i]
		all[d.ID] = d
		for _, rate := range d.Rates() {
			all[d.ID+"/"+rate.ID] = rate
		}
	}
	return all
}

func TestEveryMeasureAndRateHasAllWords(t *testing.T) {
	t.Parallel()
	all := speakers(t)
	if len(all) != 12+9+2+3+4 {
		t.Errorf("%d measures and rates speak, want 30", len(all))
	}
	for name, of := range all {
		english := of.Words("en")
		for _, language := range measure.Languages() {
			w := of.Words(language)
			for part, text := range map[string]string{
				"title": w.Title, "says": w.Says, "reads": w.Reads, "caution": w.Caution} {
				if text == "" {
					t.Errorf("%s has no %s in %s", name, part, language)
				}
			}
			if language == "en" {
				continue
			}
			if w.Title == english.Title || w.Says == english.Says || w.Reads == english.Reads ||
				w.Caution == english.Caution {
				t.Errorf("%s is left in English in %s: %+v", name, language, w)
			}
		}
	}
}

// causal finds words that claim a cause. A figure by group says what differs, never why.
var causal = map[string]*regexp.Regexp{
	"en": regexp.MustCompile(`(?i)\b(because|due to|owing to|caus(e|es|ed|ing)|leads? to|` +
		`results? (in|from)|drives?|driven by|thanks to|attribut\w+|explain\w*|effect of|impact\w*)\b`),
	"es": regexp.MustCompile(`(?i)\b(porque|debido a|a causa de|caus(a|an|ó|aron|ado|ar)|por culpa de|` +
		`provoc\w+|ocasion\w+|gracias a|atribu\w+|expli(ca|can|có|car)|conduce\w*|impacto|` +
		`resultado de)\b`),
}

func TestNoMeasureClaimsACause(t *testing.T) {
	t.Parallel()
	for name, of := range speakers(t) {
		for language, words := range causal {
			w := of.Words(language)
			for _, text := range []string{w.Title, w.Says, w.Reads, w.Caution} {
				if found := words.FindString(text); found != "" {
					t.Errorf("%s in %s claims a cause, %q: %s", name, language, found, text)
				}
			}
		}
	}
	for language, text := range map[string]string{"en": "Fewer were seen because of the wait.",
		"es": "La espera provoca que menos personas reciban atención."} {
		if !causal[language].MatchString(text) {
			t.Errorf("%q is not seen to claim a cause", text)
		}
	}
}

// TestClausesGoOn holds the clauses to what stands before and after them in a sentence.
func TestClausesGoOn(t *testing.T) {
	t.Parallel()
	first := regexp.MustCompile(`^(\{n\}|\p{Ll})`)
	for name, of := range speakers(t) {
		for _, language := range measure.Languages() {
			w := of.Words(language)
			if !first.MatchString(w.Reads) || strings.ContainsAny(w.Reads, ".;:") {
				t.Errorf("%s in %s does not stand within a sentence: %s", name, language, w.Reads)
			}
			for _, sentence := range []string{w.Says, w.Caution} {
				if !strings.HasSuffix(sentence, ".") {
					t.Errorf("%s in %s does not end: %s", name, language, sentence)
				}
			}
		}
	}
}

// TestWhatMustBeSaid holds the cautions without which a figure is known to be misread.
func TestWhatMustBeSaid(t *testing.T) {
	t.Parallel()
	all := speakers(t)
	for _, test := range []struct{ name, of, en, es string }{
		{"a lower rate of harm may be less reporting", "harm-per-1000-days/main",
			"Reported harm is not all harm. A lower rate may mean that less was reported",
			"El daño notificado no es todo el daño. Una tasa más baja puede significar que se notificó"},
		{"few near misses are not safety", "reporting-ratio/main",
			"it does not mean safety", "no significa seguridad"},
		{"documentation is not use", "interpreter-documented/main",
			"Documented is not the same as used", "Documentado no es lo mismo que utilizado"},
		{"an unknown disposition counts as not left", "ed-left-without-being-seen/main",
			"where nothing is recorded of how it ended, it counts as not left",
			"si no consta cómo terminó, cuenta como si no se hubiera ido"},
		{"a declined answer is an answer", "real-completeness/race",
			"A declined answer counts as an answer", "Decidir no responder cuenta como respuesta"},
		{"readmissions are not adjusted", "readmission-30-day/main",
			"not adjusted for age or illness", "no se ajusta por la edad ni por la enfermedad"},
	} {
		if got := all[test.of].Words("en").Caution; !strings.Contains(got, test.en) {
			t.Errorf("%s is not said of %s: %s", test.name, test.of, got)
		}
		if got := all[test.of].Words("es").Caution; !strings.Contains(got, test.es) {
			t.Errorf("%s is not said of %s in Spanish: %s", test.name, test.of, got)
		}
	}
	for name, of := range all {
		d, rated := of.(measure.GroupDefinition)
		if rated && d.Improvement == measure.Context && name != "inequity-factor-captured/yes" &&
			!strings.Contains(of.Words("en").Caution, "neither good nor bad") {
			t.Errorf("%s does not say that it is neither good nor bad", name)
		}
	}
}
