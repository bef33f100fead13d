package acting_test

import (
	"flag"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/equitylens/equitylens/server/page/pagetest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// scene is a page as somebody sees it, once something has happened. Its address may hold {one}, the path
// of the action that before has begun.
type scene struct {
	name    string
	before  func(b *browser) (one string)
	address string
	form    url.Values
	// drawn says that the page holds pictures, which have golden files of their own elsewhere.
	drawn bool
}

// scenes are one page of each kind at least.
func scenes() []scene {
	began := func(b *browser) string {
		one := b.began(url.Values{"period": {"2024"}})
		b.must(one, step("start", 1))
		return one
	}
	over := func(b *browser) string {
		one := began(b)
		b.must(one, step("close", 2, "outcome", "reduced", "summary", "Every triage asks now.\nThe phones are next."))
		return one
	}
	several := func(b *browser) string {
		over(b)
		b.began(url.Values{"title": {"Forms in six languages"}, "start": {"2026-01-10"}, "due": {"2026-02-01"}})
		return b.began(url.Values{"title": {"Video interpreters at night"}, "due": {"2026-12-31"}})
	}
	declared := func(b *browser) string {
		b.must("/actions/conditions", crisis("Crisis standards of care"))
		return ""
	}
	return []scene{
		{"list", several, "/actions", nil, false},
		{"list_none", nil, "/actions?state=cancelled", nil, false},
		{"new", nil, "/actions/new", nil, false},
		{"draft", nil, about, nil, false},
		{"draft_faulty", nil, "/actions/new", anAction(url.Values{"title": {""}, "due": {"2024-01-01"}}), false},
		{"action", began, "{one}", nil, false},
		{"action_over", over, "{one}?done=close", nil, false},
		{"action_faulty", began, "{one}", step("close", 2, "summary", "It went well."), false},
		{"action_overtaken", over, "{one}", step("close", 2, "outcome", "no-change", "summary", "It did not."), false},
		{"effect", over, "{one}/effect", nil, true},
		{"effect_print", over, "{one}/effect?view=print", nil, true},
		{"conditions_none", nil, "/actions/conditions", nil, false},
		{"conditions", declared, compared + "&period=2025", nil, true},
	}
}

// play makes the page of a scene in a language.
func (s scene) play(t testing.TB, lang string) answer {
	t.Helper()
	b := worldOf(t, improved, &counting{}).analyst(t, "Ann Roe")
	address := s.address
	if s.before != nil {
		address = strings.ReplaceAll(address, "{one}", s.before(b))
	}
	if strings.Contains(address, "?") {
		address += "&lang=" + lang
	} else {
		address += "?lang=" + lang
	}
	if s.form != nil {
		return b.post(address, s.form)
	}
	return b.get(address)
}

// What changes from run to run: the hash in the name of an asset, and the snapshot.
var (
	hashed   = regexp.MustCompile(`(/assets/[a-z]+\.)[0-9a-f]+\.`)
	snapshot = regexp.MustCompile(`\b20[0-9]{6}T?[0-9]{6}[A-Za-z0-9.-]*\b|\bs-[0-9a-f]{8,}\b`)
)

// The golden files are the pages as they are sent, but for what changes from run to run.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, s := range scenes() {
		for _, lang := range []string{"en", "es"} {
			t.Run(s.name+" in "+lang, func(t *testing.T) {
				t.Parallel()
				page := s.play(t, lang)
				if page.status >= http.StatusInternalServerError || page.status == http.StatusNotFound {
					t.Fatalf("status %d: %s", page.status, pagetest.LeafOf(t, page.body).Said())
				}
				pagetest.LeafOf(t, page.body).Sound()
				if s.drawn {
					return // Pictures have golden files where they are drawn; what is said is held elsewhere.
				}
				got := snapshot.ReplaceAllString(hashed.ReplaceAllString(page.body, "${1}HASH."), "SNAPSHOT")
				file := filepath.Join("testdata", s.name+"."+lang+".html")
				if *update {
					if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
						t.Fatalf("write: %v", err)
					}
				}
				want, err := os.ReadFile(file) // #nosec G304 -- a golden file of this package
				if err != nil {
					t.Fatalf("read: %v; write it with -update", err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf("the page (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// tongue gathers what a page says in its own language: not what is somebody else's words or a code.
func tongue(n *html.Node, out []string) []string {
	for c := range n.ChildNodes() {
		switch {
		case c.Type == html.TextNode && strings.TrimSpace(c.Data) != "":
			out = append(out, strings.TrimSpace(c.Data))
		case c.Type != html.ElementNode, c.Data == "code", c.Data != "html" && pagetest.Attribute(c, "lang") != "",
			pagetest.Attribute(c, "dir") == "auto":
		default:
			for _, name := range []string{"aria-label", "data-label", "title", "alt"} {
				if text := pagetest.Attribute(c, name); text != "" {
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
	english := regexp.MustCompile(`(?i)\b(the|of|is|are|was|were|and|or|not|with|for|this|that|what|which|who|` +
		`you|your|here|please|actions?|gap|needed|to|by|it|its|unknown|missing|other|none|yes)\b`)
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			for lang, want := range map[string]bool{"en": true, "es": false} {
				said := strings.Join(tongue(pagetest.LeafOf(t, s.play(t, lang).body).Root, nil), "\n")
				for _, theirs := range []string{"EquityLens", "Interpreters at triage", "Language services",
					"Forms in six languages", "Video interpreters at night", "Crisis standards of care"} {
					said = strings.ReplaceAll(said, theirs, "")
				}
				if found := english.FindString(said); (found != "") != want {
					at := strings.Index(said, found)
					t.Errorf("in %s: %q in %q", lang, found, said[max(0, at-80):min(len(said), at+80)])
				}
			}
		})
	}
}
