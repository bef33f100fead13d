package bedside

import (
	"strings"
	"time"
	"unicode"
)

// spelling is one name of a person as jsonformat has read it.
type spelling struct {
	use, text, family string
	given             []string
	// ended is when it ceased to be the name; zero where the record does not say.
	ended time.Time
}

// bestName picks the name that a banner shows: official before usual before one without a use, and
// those that are no longer borne last.
func bestName(names []spelling, now time.Time) string {
	best, least := "", 0
	for _, n := range names {
		shown := n.shown()
		rank := n.rank(now)
		if shown != "" && (best == "" || rank < least) {
			best, least = shown, rank
		}
	}
	return best
}

func (n spelling) rank(now time.Time) int {
	const former = 5
	if !n.ended.IsZero() && n.ended.Before(now) {
		return former
	}
	switch n.use {
	case "OFFICIAL":
		return 0
	case "USUAL":
		return 1
	case "INVALID_UNINITIALIZED":
		return 2
	case "OLD", "MAIDEN":
		return former
	}
	return 3
}

// longestName is far above what a banner has room for.
const longestName = 200

// shown is the text of the name, else its parts. Control characters, and those that turn the
// direction of writing, are left out: they could make the banner read as another name.
func (n spelling) shown() string {
	text := n.text
	if text == "" {
		text = strings.Join(append(append([]string{}, n.given...), n.family), " ")
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > longestName {
		text = string(runes[:longestName])
	}
	return text
}
