package chart

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// longestText is how many characters of a text are kept: more than anybody reads in a picture, and
// enough for a description of many groups.
const longestText = 4000

// clean returns text with nothing in it that is not to be seen: controls, what turns the direction of
// what follows, and what XML cannot hold. Any run of spaces is one space.
func clean(text string) string {
	text = strings.ToValidUTF8(text, "\ufffd")
	var b strings.Builder
	space, n := false, 0
	for _, r := range text {
		switch {
		case unicode.IsSpace(r) || r == '\u2028' || r == '\u2029':
			space = b.Len() > 0
			continue
		case unicode.Is(unicode.Cc, r) || turns(r) || r == 0xFFFE || r == 0xFFFF:
			continue
		}
		if n == longestText {
			b.WriteRune(ellipsis)
			break
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}

// turns reports whether a character changes the direction of others, or is a mark of the order of
// bytes. See Unicode Standard Annex #9, table 1.
func turns(r rune) bool {
	return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' ||
		r == '\u200e' || r == '\u200f' || r == '\u061c' || r == '\ufeff'
}

// tag returns a language tag with nothing in it but what such tags hold.
func tag(lang string) string {
	const longest = 35
	out := strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-') {
			return r
		}
		return -1
	}, lang)
	return out[:min(len(out), longest)]
}
