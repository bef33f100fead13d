package script

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/facts"
)

// raceWords lists the short words for race and ethnicity and the CDCREC codes that they stand for.
func raceWords() [][2]string {
	return [][2]string{
		{"white", "2106-3"}, {"black", "2054-5"}, {"asian", "2028-9"}, {"american-indian", "1002-5"},
		{"pacific-islander", "2076-8"}, {"other-race", "2131-1"}, {"middle-eastern", "2118-8"},
		{"hispanic", "2135-2"}, {"not-hispanic", "2186-5"},
	}
}

var cdcrecForm = regexp.MustCompile(`^\d{4}-\d$`)

// raceCode returns the CDCREC code that a word for race or ethnicity stands for, or that it is.
func raceCode(word string) (code string, ok bool) {
	for _, pair := range raceWords() {
		if strings.EqualFold(pair[0], word) {
			return pair[1], true
		}
	}
	held := cdcrecForm.MatchString(word) && mapping.Label(mapping.SystemCDCREC, word) != word
	return word, held
}

// closed lists the codes of a dimension whose codes are few; nil of any other.
func closed(dimension string) []string {
	switch dimension {
	case mapping.DimensionRace, mapping.DimensionRaceEthnicity:
		codes := []string{mapping.TwoOrMore}
		for _, pair := range raceWords() {
			codes = append(codes, pair[1])
		}
		return codes
	case mapping.DimensionEthnicity:
		return []string{"2135-2", "2186-5"}
	case mapping.DimensionLanguageGroup:
		return []string{mapping.English, mapping.Spanish, mapping.Chinese, mapping.Sign, mapping.Other}
	case mapping.DimensionInterpreter:
		return []string{mapping.Yes, mapping.No}
	case mapping.DimensionSex:
		return []string{"male", "female", "other"}
	case mapping.DimensionAgeBand:
		return mapping.AgeBands()
	}
	return nil
}

// isState reports whether a word names a state in which there is no value.
func isState(word string) bool {
	return word != string(mapping.Known) && slices.Contains(mapping.States(), mapping.State(word))
}

// keyOf returns the key by which the store holds what a word means in a dimension: a short word, a
// code, the label of a code, or a state.
func keyOf(dimension, word string) (key string, ok bool) {
	if isState(word) {
		return facts.Key(mapping.Value{State: mapping.State(word)}), true
	}
	switch dimension {
	case mapping.DimensionLanguage:
		return word, mapping.Label(dimension, word) != word
	case "race_set", "spd15_set":
		var codes []string
		for part := range strings.SplitSeq(word, "+") {
			code, ok := raceCode(part)
			if !ok {
				return "", false
			}
			codes = append(codes, code)
		}
		slices.Sort(codes)
		return strings.Join(codes, "+"), true
	}
	codes := closed(dimension)
	if codes == nil {
		return word, true
	}
	if code, ok := raceCode(word); ok && slices.Contains(codes, code) {
		return code, true
	}
	for _, code := range codes {
		if strings.EqualFold(code, word) || hyphened(mapping.Label(dimension, code)) == hyphened(word) {
			return code, true
		}
	}
	return "", false
}

// hyphened writes words in lower case with hyphens between them: "Black or African American" is
// black-or-african-american.
func hyphened(text string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '+'
	}), "-")
}

// choices lists words for a message.
func choices(words []string) string { return strings.Join(words, ", ") }

// states lists the states in which there is no value, for a message.
func states() []string {
	var words []string
	for _, s := range mapping.States() {
		if s != mapping.Known {
			words = append(words, string(s))
		}
	}
	return words
}
