package pagetest

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Leaf is a page as it was sent, read without a browser.
type Leaf struct {
	t    testing.TB
	body string
	// Root is the whole document.
	Root *html.Node
}

// LeafOf reads a page; what is wrong with it is an error of the test.
func LeafOf(t testing.TB, body string) *Leaf {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return &Leaf{t, body, root}
}

// Attribute is "" where there is none.
func Attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// All lists elements, in the order of the page.
func (l *Leaf) All(is func(*html.Node) bool) []*html.Node {
	var out []*html.Node
	for n := range l.Root.Descendants() {
		if n.Type == html.ElementNode && is(n) {
			out = append(out, n)
		}
	}
	return out
}

// Tag finds the elements of a name.
func Tag(of atom.Atom) func(*html.Node) bool {
	return func(n *html.Node) bool { return n.DataAtom == of }
}

// ID is the element of an id; nil where there is none.
func (l *Leaf) ID(id string) *html.Node {
	found := l.All(func(n *html.Node) bool { return Attribute(n, "id") == id })
	if len(found) == 0 {
		return nil
	}
	return found[0]
}

// Text is the text below an element, with single spaces.
func Text(n *html.Node) string {
	if n == nil {
		return ""
	}
	var out strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			out.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(out.String()), " ")
}

// Said is all the text of the page below its head.
func (l *Leaf) Said() string {
	main := l.All(Tag(atom.Main))
	if len(main) == 0 {
		return Text(l.Root)
	}
	return Text(main[0])
}

// Says holds the page to say something.
func (l *Leaf) Says(want ...string) {
	l.t.Helper()
	for _, one := range want {
		if !strings.Contains(l.Said(), one) {
			l.t.Errorf("the page does not say %q:\n%s", one, l.Said())
		}
	}
}

// Silent holds the page not to say something, anywhere.
func (l *Leaf) Silent(unwanted ...string) {
	l.t.Helper()
	for _, one := range unwanted {
		if strings.Contains(l.body, one) {
			l.t.Errorf("the page holds %q", one)
		}
	}
}

// Field is the value of a control of a form: of those that are chosen, joined by commas.
func (l *Leaf) Field(form, name string) string {
	var values []string
	for _, n := range l.All(func(n *html.Node) bool { return Attribute(n, "name") == name }) {
		inside := false
		for p := n.Parent; p != nil; p = p.Parent {
			inside = inside || Attribute(p, "id") == form
		}
		kind := Attribute(n, "type")
		checked := slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "checked" })
		switch {
		case !inside || (kind == "radio" || kind == "checkbox") && !checked:
		case n.DataAtom == atom.Textarea:
			values = append(values, strings.TrimSpace(rawText(n)))
		default:
			values = append(values, Attribute(n, "value"))
		}
	}
	return strings.Join(values, ",")
}

// rawText is the text below an element as it was sent, which is the value of a text area.
func rawText(n *html.Node) string {
	var out strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			out.WriteString(d.Data)
		}
	}
	return out.String()
}

// Sound holds the page to what screen readers and browsers rely on.
func (l *Leaf) Sound() {
	l.t.Helper()
	ids := map[string]bool{}
	for _, n := range l.All(func(n *html.Node) bool { return Attribute(n, "id") != "" }) {
		if id := Attribute(n, "id"); ids[id] {
			l.t.Errorf("the id %s is there twice", id)
		} else {
			ids[id] = true
		}
	}
	level := 0
	for _, n := range l.All(func(*html.Node) bool { return true }) {
		for _, a := range n.Attr {
			refers := a.Key == "aria-labelledby" || a.Key == "aria-describedby" || a.Key == "for"
			fragment, local := strings.CutPrefix(a.Val, "#")
			if local = local && a.Key == "href"; local && !ids[fragment] {
				l.t.Errorf("<%s> leads to #%s, which is not there", n.Data, fragment)
			}
			for _, id := range strings.Fields(a.Val) {
				if refers && !ids[id] {
					l.t.Errorf("<%s %s> refers to %s, which is not there", n.Data, a.Key, id)
				}
			}
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				l.t.Errorf("<%s %s>: the policy allows nothing inline", n.Data, a.Key)
			}
		}
		if len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6' {
			if next := int(n.Data[1] - '0'); next > level+1 {
				l.t.Errorf("<%s>%s comes after a heading of level %d", n.Data, Text(n), level)
			} else {
				level = next
			}
		}
		if n.DataAtom == atom.Script || n.DataAtom == atom.Style || n.DataAtom == atom.Iframe {
			l.t.Errorf("there is a <%s>", n.Data)
		}
	}
	for _, n := range l.All(func(n *html.Node) bool {
		return n.DataAtom == atom.Textarea || n.DataAtom == atom.Select ||
			n.DataAtom == atom.Input && Attribute(n, "type") != "hidden"
	}) {
		l.labelled(n)
	}
	if n := len(l.All(Tag(atom.H1))); n != 1 {
		l.t.Errorf("%d headings of the first level", n)
	}
}

// labelled holds a control to have a label.
func (l *Leaf) labelled(control *html.Node) {
	l.t.Helper()
	for p := control.Parent; p != nil; p = p.Parent {
		if p.DataAtom == atom.Label {
			return
		}
	}
	labels := l.All(func(n *html.Node) bool {
		return n.DataAtom == atom.Label && Attribute(n, "for") == Attribute(control, "id")
	})
	if len(labels) != 1 || Text(labels[0]) == "" {
		l.t.Errorf("the control %s has no label", Attribute(control, "name"))
	}
}
