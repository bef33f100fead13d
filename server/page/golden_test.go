package page_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The golden files are the pages as they are sent, but for the hash in the name of an asset.
func TestGolden(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	for _, s := range samples() {
		if kind, problem := strings.CutPrefix(s.name, "problem_"); problem && kind != "launch" {
			continue // They differ by words of the catalogue alone.
		}
		for _, lang := range []string{"en", "es"} {
			t.Run(s.name+" in "+lang, func(t *testing.T) {
				t.Parallel()
				got := unhashed(read(t, ask(t, p, lang, s.write)))
				file := filepath.Join("testdata", s.name+"."+lang+".html")
				if *update {
					if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
						t.Fatalf("write: %v", err)
					}
				}
				want, err := os.ReadFile(file)
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

// unhashed replaces the hash in the names of assets.
func unhashed(text string) string {
	for _, asset := range []string{"/assets/app.", "/assets/mark."} {
		parts := strings.Split(text, asset)
		for i := 1; i < len(parts); i++ {
			if _, rest, ok := strings.Cut(parts[i], "."); ok {
				parts[i] = "HASH." + rest
			}
		}
		text = strings.Join(parts, asset)
	}
	return text
}

// empty are the elements that have no end tag.
func empty(tag string) bool {
	switch tag {
	case "meta", "link", "img", "input", "br":
		return true
	}
	return false
}

// wellFormed holds a page to what a parser would otherwise repair in silence: every element is closed
// where it should be, and no attribute and no id is there twice.
func wellFormed(t *testing.T, text string) {
	t.Helper()
	var open []string
	ids := map[string]bool{}
	z := html.NewTokenizer(strings.NewReader(text))
	for kind := z.Next(); kind != html.ErrorToken; kind = z.Next() {
		token := z.Token()
		switch kind {
		case html.StartTagToken:
			seen := map[string]bool{}
			for _, a := range token.Attr {
				if seen[a.Key] || a.Key == "id" && ids[a.Val] {
					t.Errorf("%s: %s=%q is there twice", token.Data, a.Key, a.Val)
				}
				seen[a.Key], ids[a.Val] = true, ids[a.Val] || a.Key == "id"
			}
			if !empty(token.Data) {
				open = append(open, token.Data)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != token.Data {
				t.Fatalf("</%s> closes %v", token.Data, open)
			}
			open = open[:len(open)-1]
		case html.TextToken, html.CommentToken, html.DoctypeToken, html.SelfClosingTagToken, html.ErrorToken:
		}
	}
	if len(open) != 0 {
		t.Errorf("%v are not closed", open)
	}
}
