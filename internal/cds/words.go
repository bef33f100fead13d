package cds

import (
	"net/http"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/equitylens/equitylens/mapping"
)

// tongue is a language of cards.
type tongue uint8

// The languages of cards.
const (
	english tongue = iota
	spanish
)

// tongueOf reads Accept-Language; English where neither is asked for.
func tongueOf(h http.Header) tongue {
	matcher := language.NewMatcher([]language.Tag{language.English, language.Spanish})
	tags, _, err := language.ParseAcceptLanguage(h.Get("Accept-Language"))
	if err != nil {
		return english
	}
	if _, at, _ := matcher.Match(tags...); at == 1 {
		return spanish
	}
	return english
}

// languageName is the name of a known language; its code where it has none, "" if it is not known.
func languageName(v mapping.Value, in tongue) string {
	if v.State != mapping.Known {
		return ""
	}
	base, err := language.ParseBase(v.Code)
	if err != nil {
		return v.Code
	}
	names := display.English.Languages()
	if in == spanish {
		names = display.Spanish.Languages()
	}
	if name := names.Name(base); name != "" {
		return name
	}
	return v.Code
}

// words are the texts of a card in one language. summaryIn takes a language, changed a date.
type words struct {
	summary, summaryIn, open             string
	need, language, documented, recorded string
	none, yes, no, changed               string
	states                               map[mapping.State]string
	// places are the resources in which something can be recorded.
	places  map[string]string
	reasons map[string]string
}

func wordsOf(in tongue) words {
	if in == spanish {
		return inSpanish()
	}
	return inEnglish()
}

func inEnglish() words {
	return words{
		summary:   "Interpreter needed; none is documented for this visit",
		summaryIn: "Interpreter needed (%s); none is documented for this visit",
		open:      "Language and equity page of this chart",
		need:      "Interpreter needed", language: "Preferred language",
		documented: "Interpreter documented for this visit", recorded: "Recorded in:",
		none: "none", yes: "yes", no: "no", changed: " (that record was last changed on %s)",
		places: map[string]string{"Patient": "the patient’s record", "Encounter": "this visit"},
		states: map[mapping.State]string{
			mapping.Unknown: "recorded as unknown", mapping.AskedNoAnswer: "asked, no answer",
			mapping.AskedDeclined: "asked, declined to answer", mapping.Missing: "not recorded",
			mapping.Conflicting: "records contradict each other",
			mapping.Unmapped:    "a code that is not known", mapping.TextOnly: "words without a code",
		},
		reasons: map[string]string{
			ReasonPresent:   "An interpreter is present but not documented yet",
			ReasonDeclined:  "The patient declined an interpreter",
			ReasonFluent:    "The clinician speaks the language and has been assessed in it",
			ReasonNotNeeded: "Not needed today",
		},
	}
}

func inSpanish() words {
	return words{
		summary:   "Se necesita intérprete; no consta ninguno en esta visita",
		summaryIn: "Se necesita intérprete (%s); no consta ninguno en esta visita",
		open:      "Página de idioma y equidad de esta historia clínica",
		need:      "Necesita intérprete", language: "Idioma preferido",
		documented: "Intérprete documentado en esta visita", recorded: "Registrado en:",
		none: "ninguno", yes: "sí", no: "no", changed: " (último cambio de ese registro: %s)",
		places: map[string]string{"Patient": "la ficha del paciente", "Encounter": "esta visita"},
		states: map[mapping.State]string{
			mapping.Unknown:       "registrado como desconocido",
			mapping.AskedNoAnswer: "preguntado, sin respuesta",
			mapping.AskedDeclined: "preguntado, prefirió no responder", mapping.Missing: "no registrado",
			mapping.Conflicting: "los registros se contradicen", mapping.Unmapped: "un código no conocido",
			mapping.TextOnly: "texto sin código",
		},
		reasons: map[string]string{
			ReasonPresent:   "Hay un intérprete presente, aún sin documentar",
			ReasonDeclined:  "El paciente rechazó el intérprete",
			ReasonFluent:    "El profesional habla el idioma y ha sido evaluado en él",
			ReasonNotNeeded: "Hoy no hace falta",
		},
	}
}
