package script

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/mapping"
)

// patient maps what a line says of a patient.
func (p *parser) patient(w words) (mapping.Patient, error) {
	if err := w.ids("site", "gp"); err != nil {
		return mapping.Patient{}, err
	}
	in := fhir.Patient{ID: "p", Gender: w["sex"], ManagingOrganization: organization(w["site"])}
	if gp := refer("Practitioner", w["gp"]); gp.Present() {
		in.GeneralPractitioner = []fhir.Reference{gp}
	}
	var faults []error
	for _, question := range []string{"race", "ethnicity"} {
		extensions, err := answers(question, w[question])
		in.Extension, faults = append(in.Extension, extensions...), append(faults, err)
	}
	in.Extension = append(in.Extension, needExtensions(w["need"])...)
	in.Communication = communication(w["language"])
	var err error
	in.BirthDate, err = p.birth(w)
	faults = append(faults, err)
	if in.Gender == string(mapping.Missing) {
		in.Gender = ""
	}
	switch died := w["died"]; died {
	case "", mapping.No:
	case mapping.Yes:
		yes := true
		in.DeceasedBoolean = &yes
	default:
		in.DeceasedDateTime, err = moment(died)
		faults = append(faults, err)
	}
	out, issues := p.mapper.Patient(&in, nil)
	faults = append(faults, refused(issues), meant("need", w["need"], out.InterpreterNeed),
		meant("sex", w["sex"], out.Sex), meantLanguage(w["language"], out.Language),
		meantAnswer("race", w["race"], out.Race),
		meantAnswer("ethnicity", w["ethnicity"], out.Ethnicity))
	return out, errors.Join(faults...)
}

// meantAnswer is meant for the words of an answer that may be several; only a state that stands
// alone is sure to be that of the value.
func meantAnswer(key, word string, v mapping.Value) error {
	if !isState(word) || key == "race" && word == string(mapping.Conflicting) {
		return nil // Nothing is sure, or answers has refused it.
	}
	return meant(key, word, v)
}

// meantLanguage is meant for one language; several are what the mapping makes of them.
func meantLanguage(word string, v mapping.Value) error {
	if strings.Contains(word, ",") {
		return nil
	}
	return meant("language", word, v)
}

// answers writes the race or the ethnicity extension of US Core. The codes of the OMB are
// categories, those below them details.
func answers(question, text string) ([]fhir.Extension, error) {
	if text == "" || text == string(mapping.Missing) {
		return nil, nil
	}
	if question == "ethnicity" && text == string(mapping.Conflicting) {
		text = "hispanic,not-hispanic"
	}
	words := "words"
	e := fhir.Extension{URL: extensionCore + question}
	for word := range strings.SplitSeq(text, ",") {
		place := "ombCategory"
		c, ok := coding("", word)
		switch {
		case word == string(mapping.TextOnly):
			e.Extension = append(e.Extension, fhir.Extension{URL: "text", ValueString: &words})
			continue
		case isState(word) && !ok:
			return nil, fmt.Errorf("%s cannot be %s", question, word)
		case !isState(word):
			code, ok := raceCode(word)
			if !ok {
				return nil, fmt.Errorf("%q is no %s; write %s, a code of CDCREC, or %s", word, question,
					choices(raceNames()), choices(states()))
			}
			c = fhir.Coding{System: mapping.SystemCDCREC, Code: code}
			if !category(code) {
				place = "detailed"
			}
		}
		e.Extension = append(e.Extension, fhir.Extension{URL: place, ValueCoding: &c})
	}
	return []fhir.Extension{e}, nil
}

// category reports whether a CDCREC code has a short word, and so is a category.
func category(code string) bool {
	for _, pair := range raceWords() {
		if pair[1] == code {
			return true
		}
	}
	return false
}

func raceNames() []string {
	var names []string
	for _, pair := range raceWords() {
		names = append(names, pair[0])
	}
	return names
}

// communication writes languages, each of them preferred.
func communication(text string) []fhir.Communication {
	switch text {
	case "", string(mapping.Missing):
		return nil
	case string(mapping.Conflicting):
		text = "en,es"
	}
	preferred := true
	var out []fhir.Communication
	for word := range strings.SplitSeq(text, ",") {
		out = append(out, fhir.Communication{
			Language: concept(mapping.SystemBCP47, word), Preferred: &preferred,
		})
	}
	return out
}

// oldest bounds an age to what the store takes for plausible.
const oldest = 130

// birth returns the date of birth. An age is that of the whole year of as_of: who has it was born
// on the first day of a year.
func (p *parser) birth(w words) (string, error) {
	age, aged := w["age"]
	born, said := w["born"]
	switch {
	case aged && said:
		return "", errors.New("born and age say the same; write one of them")
	case said && strings.Contains(born, "T"):
		return "", fmt.Errorf("born=%s: a birth date is a day, a month or a year", born)
	case said:
		return moment(born)
	case !aged:
		return "", nil
	case p.load.asOf.IsZero():
		return "", errors.New("age needs an as_of line before the load, because it is that of its year")
	}
	years, err := strconv.Atoi(age)
	if err != nil || years < 0 || years > oldest {
		return "", fmt.Errorf("age=%s is no age in years", age)
	}
	return fmt.Sprintf("%04d-01-01", p.load.asOf.Year()-years), nil
}
