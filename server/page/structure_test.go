package page_test

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Every page, in both languages: what a screen reader and a browser rely on.
func TestStructure(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	for _, s := range append(samples(), everyChart()...) {
		for _, lang := range []string{"en", "es"} {
			t.Run(s.name+" in "+lang, func(t *testing.T) {
				t.Parallel()
				text := read(t, ask(t, p, lang, s.write))
				wellFormed(t, text)
				root := tree(t, text)
				for tag, want := range map[atom.Atom]int{
					atom.H1: 1, atom.Main: 1, atom.Header: 1, atom.Footer: 1, atom.Title: 1, atom.Script: 0,
					atom.Style: 0, atom.Iframe: 0,
				} {
					if got := len(all(root, ofTag(tag))); got != want {
						t.Errorf("%d <%v>, want %d", got, tag, want)
					}
				}
				if got := attribute(all(root, ofTag(atom.Html))[0], "lang"); got != lang {
					t.Errorf("the page is in %q, want %q", got, lang)
				}
				headings(t, root)
				references(t, root)
				tables(t, root)
				for n := range root.Descendants() {
					for _, a := range n.Attr {
						if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
							t.Errorf("<%s %s=%q>: the policy allows nothing inline", n.Data, a.Key, a.Val)
						}
					}
				}
			})
		}
	}
}

// headings checks that no level is left out.
func headings(t *testing.T, root *html.Node) {
	t.Helper()
	level := 0
	for _, h := range all(root, func(n *html.Node) bool {
		return n.DataAtom == atom.H1 || n.DataAtom == atom.H2 || n.DataAtom == atom.H3
	}) {
		next := int(h.Data[1] - '0')
		if next > level+1 {
			t.Errorf("<%s>%s</%s> comes after a heading of level %d", h.Data, said(h), h.Data, level)
		}
		level = next
	}
}

// references checks that what names another element names one that is there.
func references(t *testing.T, root *html.Node) {
	t.Helper()
	ids := map[string]bool{}
	for _, n := range all(root, func(n *html.Node) bool { return attribute(n, "id") != "" }) {
		ids[attribute(n, "id")] = true
	}
	skip := all(root, ofClass("skip"))
	if len(skip) != 1 || attribute(skip[0], "href") != "#content" || !ids["content"] {
		t.Error("there is no link to the content")
	}
	for _, n := range all(root, func(n *html.Node) bool { return attribute(n, "aria-labelledby") != "" }) {
		if id := attribute(n, "aria-labelledby"); !ids[id] {
			t.Errorf("<%s> is named by #%s, which is not there", n.Data, id)
		}
	}
}

// tables checks captions and scopes, and that a cell says in a narrow frame what its column says in a
// wide one.
func tables(t *testing.T, root *html.Node) {
	t.Helper()
	for _, table := range all(root, ofTag(atom.Table)) {
		if len(all(table, ofTag(atom.Caption))) != 1 {
			t.Error("a table has no caption")
		}
		var columns []string
		for _, th := range all(all(table, ofTag(atom.Thead))[0], ofTag(atom.Th)) {
			columns = append(columns, strings.Join(said(th), " "))
			if attribute(th, "scope") != "col" {
				t.Errorf("the column %q has no scope", columns[len(columns)-1])
			}
		}
		for _, row := range all(all(table, ofTag(atom.Tbody))[0], ofTag(atom.Tr)) {
			if th := all(row, ofTag(atom.Th)); len(th) != 1 || attribute(th[0], "scope") != "row" {
				t.Error("a row has no head")
			}
			for i, td := range all(row, ofTag(atom.Td)) {
				if got := attribute(td, "data-label"); got != columns[i+1] {
					t.Errorf("a cell below %q is labelled %q", columns[i+1], got)
				}
			}
		}
	}
}
