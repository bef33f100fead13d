package institution_test

import (
	"context"
	"errors"
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

	"github.com/equitylens/equitylens/improvement/network"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server/page/pagetest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// scene is a page as somebody sees it, once something has happened.
type scene struct {
	name    string
	before  func(t testing.TB, w *world)
	address string
	form    url.Values
	// loose says that the page has no golden file: pictures have theirs where they are drawn, and one page
	// of the questionnaire is enough.
	loose bool
}

// scenes are one page of each kind at least.
func scenes(t testing.TB) []scene {
	answered := func(t testing.TB, w *world) {
		b := w.analyst(t, "Ann Roe")
		b.must("/readiness?period=2024", answering(t, 0, "culture", "begun", "level-people-taught", "routine"))
		b.must(path, answering(t, 0, "culture", "not-begun", "comment-people-taught", "Two wards so far."))
		b.must(path, answering(t, 1, "access", "begun"))
	}
	over := func(t testing.TB, w *world) {
		b := w.analyst(t, "Ann Roe")
		b.all(path, "begun")
		b.must(path, url.Values{"task": {"finish"}, "version": {"6"}})
	}
	coordinated := func(t testing.TB, w *world) {
		w.coordinated = viewed(membership(t, w, 8), network.Viewer{Coordinator: true})
	}
	return []scene{
		{"readiness_new", nil, path, nil, true},
		{"readiness", answered, path, nil, false},
		{"readiness_faulty", answered, path, answering(t, 2, "culture", "begun", "level-people-taught", "perfect"), true},
		{"readiness_overtaken", answered, path, answering(t, 1, "culture", "begun", "comment-people-taught", "One ward."), true},
		{"readiness_final", over, path, nil, true},
		{"network_none", nil, "/network", nil, false},
		{"network_nothing", coordinated, "/network?period=2024", nil, false},
		{"network", coordinated, "/network?period=2025", nil, true},
		{"network_group", coordinated,
			"/network?period=2025&measure=interpreter-documented&by=language_group&group=other", nil, true},
		{"network_member", func(t testing.TB, w *world) {
			w.fetched = viewed(membership(t, w, 8), network.Viewer{Member: "m1"})
		}, "/network?period=2025", nil, true},
		{"network_gone", func(_ testing.TB, w *world) {
			w.fetched = func(context.Context, measure.Period) (network.Overview, error) {
				return network.Overview{}, errors.New("the coordinator is gone")
			}
		}, "/network?period=2025", nil, false},
	}
}

// play makes the page of a scene in a language.
func (s scene) play(t testing.TB, lang string) answer {
	t.Helper()
	w := newWorld(t)
	if s.before != nil {
		s.before(t, w)
	}
	b := w.analyst(t, "Ann Roe")
	address := s.address + "?lang=" + lang
	if strings.Contains(s.address, "?") {
		address = s.address + "&lang=" + lang
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
	for _, s := range scenes(t) {
		for _, lang := range []string{"en", "es"} {
			t.Run(s.name+" in "+lang, func(t *testing.T) {
				t.Parallel()
				page := s.play(t, lang)
				if page.status >= http.StatusInternalServerError || page.status == http.StatusNotFound {
					t.Fatalf("status %d: %s", page.status, pagetest.LeafOf(t, page.body).Said())
				}
				pagetest.LeafOf(t, page.body).Sound()
				if s.loose {
					return
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
		`you|your|here|please|answers?|items?|members?|needed|to|by|it|its|unknown|missing|other|none|yes)\b`)
	for _, s := range scenes(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			for lang, want := range map[string]bool{"en": true, "es": false} {
				said := strings.Join(tongue(pagetest.LeafOf(t, s.play(t, lang).body).Root, nil), "\n")
				for _, theirs := range []string{"EquityLens", "Two wards so far.", "One ward.", "network.members"} {
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
