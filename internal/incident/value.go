package incident

import (
	"slices"
	"strings"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/mapping"
)

// The codes of the column status.
const (
	statusActive    = "active"
	statusWithdrawn = "withdrawn"
)

// element is the path of a column whose codes are those of an element of AdverseEvent.
func (c Column) element() string {
	switch c {
	case Actuality, Category, Severity, Seriousness, Outcome:
		return "AdverseEvent." + string(c)
	default:
		return ""
	}
}

// Codes lists the codes of a coded column, which are its own words besides.
func Codes(c Column) []string {
	var out []string
	switch c {
	case Harm:
		for _, e := range extents() {
			out = append(out, e.code)
		}
	case Detection:
		return []string{string(review.Reported), string(review.Triggered), string(review.FoundInReview)}
	case Status:
		return []string{statusActive, statusWithdrawn}
	default:
		for _, t := range mapping.Targets(c.element()) {
			if t.State == mapping.Known {
				out = append(out, t.Code)
			}
		}
		if c == Outcome {
			out = append(out, outcomeUnknown)
		}
	}
	return out
}

// outcomeUnknown is a code of its system, and a state to the mapping.
const outcomeUnknown = "unknown"

// system is the code system of a column whose codes are those of an element of AdverseEvent.
func (c Column) system() string {
	if targets := mapping.Targets(c.element()); len(targets) > 0 {
		return targets[0].System
	}
	return ""
}

// vocabulary is what the words of a coded column mean, by their folded form.
type vocabulary map[string]string

// vocabularyOf lays the words of a mapping over our own.
func vocabularyOf(c Column, own map[string]string) vocabulary {
	v := vocabulary{}
	for _, code := range Codes(c) {
		v[fold(code)], v[fold(strings.ToLower(code))] = code, code
	}
	for word, code := range usual(c) {
		v[word] = code
	}
	for word, code := range own {
		v[fold(word)] = code
	}
	return v
}

// usual are words that mean one thing wherever they are written.
func usual(c Column) map[string]string {
	out := map[string]string{}
	say := func(code string, words ...string) {
		for _, w := range words {
			out[fold(w)] = code
		}
	}
	switch c {
	case Actuality:
		say(mapping.Actual, "adverse event", "incident")
		say(mapping.Potential, "near miss", "close call", "good catch", "unsafe condition")
	case Outcome:
		say("resolvedWithSequelae", "resolved with sequelae")
	case Harm:
		for _, e := range extents() {
			say(e.code, e.words...)
		}
	case Detection:
		say(string(review.Reported), "report", "voluntary report")
		say(string(review.Triggered), "trigger", "trigger tool")
		say(string(review.FoundInReview), "found in review", "chart review", "record review")
	case Status:
		say(statusActive, "open", "closed", "new", "in progress", "final", "completed")
		say(statusWithdrawn, "entered in error", "deleted", "void", "voided", "retracted", "duplicate")
	default: // Of a category, a severity and a seriousness the codes alone say what they mean.
	}
	return out
}

// longestShown is how long a word of a coded column may be that a refusal repeats.
const longestShown = 32

// shown says a word of a coded column, or "a value" where it may be something else that was put there: a
// sentence, or what has the digits of a number of somebody.
func shown(word string) string {
	digits := 0
	for _, r := range word {
		if '0' <= r && r <= '9' {
			digits++
		}
	}
	const mostDigits = 3
	if len(word) > longestShown || digits > mostDigits {
		return "the value"
	}
	return `"` + word + `"`
}

// detection reads a code of the column detection.
func detection(code string) review.Detection {
	if slices.Contains(Codes(Detection), code) {
		return review.Detection(code)
	}
	return ""
}
