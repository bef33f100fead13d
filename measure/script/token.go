package script

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// token is one word of a line.
type token struct {
	text string
	// quoted says that it starts with a quote, so that it is never a word of the language.
	quoted bool
}

// is reports whether a token is a word of the language.
func (t token) is(word string) bool { return !t.quoted && t.text == word }

var (
	errNotText = errors.New("the line is not text in UTF-8")
	errQuote   = errors.New(`a quote " is not closed`)
)

// split cuts a line into tokens at white space. Double quotes hold what contains it; # starts a
// comment where a token could start.
func split(line string) ([]token, error) {
	if !utf8.ValidString(line) || strings.ContainsFunc(line, control) {
		return nil, errNotText
	}
	var tokens []token
	for {
		line = strings.TrimLeftFunc(line, unicode.IsSpace)
		if line == "" || line[0] == '#' {
			return tokens, nil
		}
		t, rest, err := next(line)
		if err != nil {
			return tokens, err
		}
		tokens, line = append(tokens, t), rest
	}
}

// next reads the token that a line starts with.
func next(line string) (t token, rest string, err error) {
	var text strings.Builder
	inside := false
	for i, r := range line {
		switch {
		case r == '"':
			inside = !inside
			t.quoted = t.quoted || i == 0
		case unicode.IsSpace(r) && !inside:
			t.text = text.String()
			return t, line[i:], nil
		default:
			text.WriteRune(r)
		}
	}
	if inside {
		return t, "", errQuote
	}
	t.text = text.String()
	return t, "", nil
}

func control(r rune) bool { return r != '\t' && unicode.IsControl(r) }
