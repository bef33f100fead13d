package page_test

import (
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// tongue returns every text that a reader sees or hears, apart from what is marked as another language
// and from names.
func tongue(n *html.Node, out []string) []string {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		switch {
		case c.Type == html.TextNode && strings.TrimSpace(c.Data) != "":
			out = append(out, strings.TrimSpace(c.Data))
		case c.Type != html.ElementNode, c.Data == "bdi", c.Data == "code",
			c.Data != "html" && attribute(c, "lang") != "":
		default:
			for _, name := range []string{"aria-label", "data-label", "title", "alt", "placeholder"} {
				if text := attribute(c, name); text != "" {
					out = append(out, text)
				}
			}
			out = tongue(c, out)
		}
	}
	return out
}

func TestSpanishPagesHoldNoEnglish(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	english := regexp.MustCompile(`(?i)\b(the|of|is|are|was|were|and|or|not|with|for|this|that|what|which|` +
		`who|you|your|here|please|record(ed)?|visits?|patient|need(s|ed)?|read|sign(ed)?|to|by|it|its|` +
		`unknown|missing|allow|access|name|documented|other|none)\b`)
	for _, s := range append(samples(), everyChart()...) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			root := tree(t, read(t, ask(t, p, "es", s.write)))
			said := tongue(root, nil)
			if len(said) < 5 {
				t.Errorf("the page says %q alone", said)
			}
			for _, text := range said {
				text = strings.ReplaceAll(text, "EquityLens", "")
				if found := english.FindString(text); found != "" {
					t.Errorf("%q in %q", found, text)
				}
			}
		})
	}
}

// The words that find English find it where it is.
func TestEnglishPagesAreFoundToBeEnglish(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	for _, s := range samples() {
		text := strings.Join(tongue(tree(t, read(t, ask(t, p, "en", s.write))), nil), " ")
		if !regexp.MustCompile(`(?i)\b(the|of|is|you|here)\b`).MatchString(text) {
			t.Errorf("%s has no word of English: %s", s.name, text)
		}
	}
}
