package reviewing_test

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

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/server/page/pagetest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// scene is a page as somebody sees it, once something has happened.
type scene struct {
	name string
	rule review.Rule
	// before is what happened; who looks at address, or sends form there.
	before  func(w *world, t testing.TB)
	who     string
	address string
	form    url.Values
}

// scenes are one page of each kind at least.
func scenes() []scene {
	id := idOf(canaryEvent)
	one := "/reviews/" + id
	twice := func(w *world, t testing.TB) {
		w.reviewer(t, "Ann Roe").must(id, yes(0))
		w.reviewer(t, "Ben Ode").must(id, no(1))
	}
	settled := func(w *world, t testing.TB) { w.reviewer(t, "Ann Roe").must(id, yes(0)) }
	incomplete := yes(0)
	incomplete.Del("factors")
	incomplete.Set("evidence", "")
	return []scene{
		{"worklist", review.TwoIfSevere, func(w *world, t testing.TB) {
			twice(w, t)
			w.reviewer(t, "Ann Roe").must(idOf("e-4"), yes(0))
		}, "Ann Roe", "/reviews", nil},
		{"worklist_none", review.OneReviewer, nil, "Ann Roe", "/reviews?state=waiting&site=site-b", nil},
		{"review_open", review.TwoIfSevere, nil, "Ann Roe", one, nil},
		{"review_near_miss", review.OneReviewer, nil, "Ann Roe", "/reviews/" + idOf("e-2"), nil},
		{"review_stranger", review.OneReviewer, nil, "Ann Roe", "/reviews/" + idOf("e-3"), nil},
		{"review_faulty", review.OneReviewer, nil, "Ann Roe", one, incomplete},
		{"review_waiting", review.TwoIfSevere, settled, "Ben Ode", one, nil},
		{"review_overtaken", review.TwoIfSevere, settled, "Ben Ode", one, no(0)},
		{"review_differ", review.TwoIfSevere, twice, "Cleo Ito", one, nil},
		{"review_settled", review.OneReviewer, settled, "Ann Roe", one + "?done=answer", nil},
		{"review_lost", review.OneReviewer, settled, "Ben Ode", one, no(0)},
		{"clusters", review.OneReviewer, func(w *world, t testing.TB) {
			w.reviewer(t, "Ann Roe").must(idOf("e-4"), yes(0))
			w.reviewer(t, "Ann Roe").must(idOf("e-5"), yes(0))
		}, "Ann Roe", "/reviews/clusters", nil},
		{"codes", review.OneReviewer, nil, "Ann Roe", "/reviews/codes", nil},
	}
}

// play makes the page of a scene in a language.
func (s scene) play(t testing.TB, lang string) answer {
	t.Helper()
	w := newWorld(t, s.rule)
	if s.before != nil {
		s.before(w, t)
	}
	address := s.address + "?lang=" + lang
	if strings.Contains(s.address, "?") {
		address = s.address + "&lang=" + lang
	}
	b := w.reviewer(t, s.who)
	if s.form != nil {
		return b.post(address, s.form)
	}
	return b.get(address)
}

// hashed is the part of the name of an asset that changes with its content.
var hashed = regexp.MustCompile(`(/assets/[a-z]+\.)[0-9a-f]+\.`)

// The golden files are the pages as they are sent, but for the hash in the name of an asset.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, s := range scenes() {
		for _, lang := range []string{"en", "es"} {
			t.Run(s.name+" in "+lang, func(t *testing.T) {
				t.Parallel()
				page := s.play(t, lang)
				if page.status >= http.StatusInternalServerError || page.status == http.StatusNotFound {
					t.Fatalf("status %d", page.status)
				}
				pagetest.LeafOf(t, page.body).Sound()
				got := hashed.ReplaceAllString(page.body, "${1}HASH.")
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
		`you|your|here|please|reviews?|events?|needed|to|by|it|its|unknown|missing|other|none|yes)\b`)
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			for lang, want := range map[string]bool{"en": true, "es": false} {
				said := strings.Join(tongue(pagetest.LeafOf(t, s.play(t, lang).body).Root, nil), "\n")
				for _, name := range []string{"EquityLens", "Riverside Hospital", "Lakeside Clinics"} {
					said = strings.ReplaceAll(said, name, "")
				}
				if found := english.FindString(said); (found != "") != want {
					at := strings.Index(said, found)
					t.Errorf("in %s: %q in %q", lang, found, said[max(0, at-80):min(len(said), at+80)])
				}
			}
		})
	}
}
