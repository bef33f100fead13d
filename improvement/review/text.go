package review

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxText is how many bytes a free text may have, some three pages. maxName is that of who a reviewer
// is.
const (
	MaxText = 8 << 10
	maxName = 256
)

// clean returns a free text as it is kept: lines end in one line feed, what cannot be seen is left out
// (control characters, marks that turn the direction of writing, the byte order mark), and space around
// it too. What could be seen is never changed, nor is a text cut short.
func clean(text string, most int) (string, Problem) {
	if !utf8.ValidString(text) {
		return "", NotText
	}
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n").Replace(text)
	text = strings.TrimSpace(strings.Map(visible, text))
	if len(text) > most {
		return "", TooLong
	}
	return text, ""
}

// visible drops what no reader sees and some readers act upon.
func visible(r rune) rune {
	switch {
	case r == '\n' || r == '\t':
		return r
	case unicode.IsControl(r), r == '\ufeff', unicode.Is(unicode.Bidi_Control, r):
		return -1
	}
	return r
}
