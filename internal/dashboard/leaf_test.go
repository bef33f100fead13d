package dashboard_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// leaf is a page that was read.
type leaf struct {
	t       testing.TB
	address string
	body    string
	root    *html.Node
}

// tree parses a page.
func tree(t testing.TB, text string) *html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// attribute is "" where there is none.
func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// has reports whether an element has an attribute, whatever it says.
func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// said is the text of an element, with single spaces. That of pictures is left out.
func said(n *html.Node) string {
	var out strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode {
			out.WriteString(n.Data)
		}
		if n.Type == html.ElementNode && n.DataAtom != atom.Bdi {
			out.WriteString(" ")
		}
		if n.DataAtom == atom.Svg {
			return
		}
		for c := range n.ChildNodes() {
			walk(c)
		}
		if n.Type == html.ElementNode && n.DataAtom != atom.Bdi {
			out.WriteString(" ")
		}
	}
	walk(n)
	return strings.Join(strings.Fields(out.String()), " ")
}

// all lists the elements of a kind below an element, in the order of the page.
func all(root *html.Node, tag atom.Atom, keep ...func(*html.Node) bool) []*html.Node {
	var out []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.DataAtom == tag &&
			!slices.ContainsFunc(keep, func(k func(*html.Node) bool) bool { return !k(n) }) {
			out = append(out, n)
		}
	}
	return out
}

// class keeps the elements of a class.
func class(name string) func(*html.Node) bool {
	return func(n *html.Node) bool { return slices.Contains(strings.Fields(attribute(n, "class")), name) }
}

// ofHTML keeps what is no part of a picture.
func ofHTML(n *html.Node) bool { return n.Namespace == "" }

// text is all that the page says.
func (l *leaf) text() string { return said(all(l.root, atom.Body)[0]) }

// id is the element of an id, or nil.
func (l *leaf) id(id string) *html.Node {
	for n := range l.root.Descendants() {
		if n.Type == html.ElementNode && attribute(n, "id") == id {
			return n
		}
	}
	return nil
}

// part is the figure of an id, which has to be there.
func (l *leaf) part(id string) *html.Node {
	l.t.Helper()
	n := l.id(id)
	if n == nil {
		l.t.Fatalf("%s: there is no part %q", l.address, id)
	}
	return n
}

// rows are the rows of the first table below an element, without its head, by cell.
func rows(n *html.Node) [][]string {
	tables := all(n, atom.Table)
	if len(tables) == 0 {
		return nil
	}
	var out [][]string
	for _, body := range all(tables[0], atom.Tbody) {
		for _, row := range all(body, atom.Tr) {
			var cells []string
			for c := range row.ChildNodes() {
				if c.DataAtom == atom.Td || c.DataAtom == atom.Th {
					cells = append(cells, said(c))
				}
			}
			out = append(out, cells)
		}
	}
	return out
}

// links are the addresses that the page leads to, each once.
func (l *leaf) links() []string {
	var out []string
	for _, a := range all(l.root, atom.A) {
		if href := attribute(a, "href"); !slices.Contains(out, href) {
			out = append(out, href)
		}
	}
	return out
}

// submissions are the addresses that come of sending each form as it stands, and then with each other
// option of each choice in turn, or of a long list some.
func (l *leaf) submissions() []string {
	var out []string
	add := func(action string, values url.Values) {
		address := action
		if q := values.Encode(); q != "" {
			address += "?" + q
		}
		if !slices.Contains(out, address) {
			out = append(out, address)
		}
	}
	for _, form := range all(l.root, atom.Form) {
		if attribute(form, "method") == "post" {
			continue // It does something.
		}
		action, as := attribute(form, "action"), url.Values{}
		for n := range form.Descendants() {
			if n.DataAtom == atom.Input && attribute(n, "name") != "" &&
				(!slices.Contains([]string{"checkbox", "radio"}, attribute(n, "type")) || has(n, "checked")) {
				as.Add(attribute(n, "name"), attribute(n, "value"))
			}
			if n.DataAtom == atom.Select {
				for _, o := range chosen(n) {
					as.Add(attribute(n, "name"), o)
				}
			}
		}
		add(action, as)
		for n := range form.Descendants() {
			name := attribute(n, "name")
			var options []string
			switch {
			case n.DataAtom == atom.Select:
				for _, o := range all(n, atom.Option) {
					options = append(options, attribute(o, "value"))
				}
			case n.DataAtom == atom.Input && (attribute(n, "type") == "checkbox" || attribute(n, "type") == "radio"):
				options = []string{attribute(n, "value")}
			}
			for _, option := range ends(options) {
				other := url.Values{}
				for k, v := range as {
					other[k] = v
				}
				other[name] = []string{option}
				add(action, other)
			}
		}
	}
	return out
}

// thin reports whether long lists of pages are to be thinned: with -short, and with the race detector,
// which makes everything slow.
func thin() bool { return raceDetector || testing.Short() }

// thinned is every third of a list where lists are thinned.
func thinned[T any](list []T) []T {
	if !thin() {
		return list
	}
	const every = 3
	var out []T
	for i := 0; i < len(list); i += every {
		out = append(out, list[i])
	}
	return out
}

// ends are the first and the last of a long list, which stand for the others.
func ends(options []string) []string {
	most := 3
	if thin() {
		most = 1
	}
	if len(options) <= 2*most {
		return options
	}
	return slices.Concat(options[:most], options[len(options)-most:])
}

// chosen are the options of a choice that are sent.
func chosen(list *html.Node) []string {
	var out []string
	options := all(list, atom.Option)
	for _, o := range options {
		if has(o, "selected") {
			out = append(out, attribute(o, "value"))
		}
	}
	if len(out) == 0 && !has(list, "multiple") && len(options) > 0 {
		out = append(out, attribute(options[0], "value"))
	}
	return out
}

// asItIs is text that is shown as it is in a file: one of a measure has a place for a number.
var asItIs = regexp.MustCompile(`(?s)<pre\b.*?</pre>`)

// sound checks what holds of every page: its parts, its headings, its names, and nothing inline.
func (l *leaf) sound() {
	l.t.Helper()
	for tag, want := range map[atom.Atom]int{
		atom.H1: 1, atom.Main: 1, atom.Title: 1, atom.Style: 0, atom.Iframe: 0,
	} {
		if got := len(all(l.root, tag, ofHTML)); got != want {
			l.t.Errorf("%s: %d <%v>, want %d", l.address, got, tag, want)
		}
	}
	level, ids := 0, map[string]int{}
	for n := range l.root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.DataAtom {
		case atom.H1, atom.H2, atom.H3, atom.H4:
			next := int(n.Data[1] - '0')
			if next > level+1 {
				l.t.Errorf("%s: the heading %q leaves out a level", l.address, said(n))
			}
			if level = next; said(n) == "" {
				l.t.Errorf("%s: a heading is empty", l.address)
			}
		case atom.Table:
			if len(all(n, atom.Caption)) != 1 {
				l.t.Errorf("%s: a table has no caption", l.address)
			}
		case atom.A:
			if said(n) == "" && attribute(n, "aria-label") == "" {
				l.t.Errorf("%s: the link to %s says nothing", l.address, attribute(n, "href"))
			}
		case atom.Th:
			if attribute(n, "scope") == "" {
				l.t.Errorf("%s: the head %q has no scope", l.address, said(n))
			}
		default:
		}
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				l.t.Errorf("%s: <%s %s>: nothing inline is allowed", l.address, n.Data, a.Key)
			}
		}
		if id := attribute(n, "id"); id != "" {
			ids[id]++
		}
	}
	l.references(ids)
	body := asItIs.ReplaceAllString(l.body, "")
	for _, odd := range []string{"NaN", "%!", "+Inf", "-Inf", "<nil>", "{n}", "{{"} {
		if at := strings.Index(body, odd); at >= 0 {
			l.t.Errorf("%s: the page holds %q: …%s…", l.address, odd,
				body[max(0, at-60):min(len(body), at+60)])
		}
	}
	for _, p := range all(l.root, atom.P) {
		if said(p) == "" {
			l.t.Errorf("%s: a sentence is empty", l.address)
		}
	}
}

// references checks that an id is there once, and that what names another element names one that is.
func (l *leaf) references(ids map[string]int) {
	l.t.Helper()
	for id, n := range ids {
		if n > 1 {
			l.t.Errorf("%s: %d elements are #%s", l.address, n, id)
		}
	}
	for n := range l.root.Descendants() {
		for _, name := range []string{"aria-labelledby", "aria-describedby", "for"} {
			for id := range strings.FieldsSeq(attribute(n, name)) {
				if ids[id] == 0 {
					l.t.Errorf("%s: <%s %s> names #%s, which is not there", l.address, n.Data, name, id)
				}
			}
		}
		if n.DataAtom == atom.Select || n.DataAtom == atom.Input && attribute(n, "type") != "hidden" {
			labelled := slices.ContainsFunc(all(l.root, atom.Label), func(m *html.Node) bool {
				return attribute(m, "for") == attribute(n, "id") && said(m) != "" || slices.Contains(
					slices.Collect(m.Descendants()), n)
			})
			if !labelled {
				l.t.Errorf("%s: the choice %q has no label", l.address, attribute(n, "name"))
			}
		}
	}
}

// ours keeps the addresses that the dashboard itself has to answer.
func ours(address string) bool {
	path, _, _ := strings.Cut(address, "?")
	return strings.HasPrefix(path, "/") && !slices.ContainsFunc([]string{
		"/account", "/session/", "/assets/", "/fhir/", "/reviews", "/actions", "/readiness", "/network",
	}, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
}

// resolves checks that the links and the forms of the page lead somewhere. Of the files of several figures
// of one kind, such as time-es.svg and time-en.svg, it asks for the first.
func (l *leaf) resolves(r *rig) {
	l.t.Helper()
	page, _, _ := strings.Cut(l.address, "?")
	seen := map[string]bool{}
	for _, address := range thinned(append(l.links(), l.submissions()...)) {
		if path, _, _ := strings.Cut(address, "?"); repeated(path, seen) {
			continue
		}
		if strings.HasPrefix(address, "?") {
			address = page + address
		}
		if fragment, inside := strings.CutPrefix(address, "#"); inside {
			l.part(fragment)
			continue
		}
		plain, _, _ := strings.Cut(address, "#")
		if got := r.get(plain); ours(address) && got.status != http.StatusOK {
			l.t.Errorf("%s leads to %s, which is answered with %d: %s", l.address, address, got.status,
				said(tree(l.t, got.body)))
		}
	}
}

// repeated reports whether a path is that of a file of which one of the same kind was seen.
func repeated(path string, seen map[string]bool) bool {
	_, name, isFile := strings.Cut(path, "/files/")
	stem, _, several := strings.Cut(name, "-")
	if !isFile || !several {
		return false
	}
	kind := stem + name[strings.LastIndexByte(name, '.'):]
	defer func() { seen[kind] = true }()
	return seen[kind]
}
