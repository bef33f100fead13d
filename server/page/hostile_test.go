package page_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/server/page"
)

// hostiles are what somebody might have typed for a name.
func hostiles() map[string]string {
	return map[string]string{
		"a script":              `<script>alert(1)</script>`,
		"a frame":               `"><iframe src="https://evil.example/"></iframe>`,
		"an attribute":          `x" onmouseover="alert(1)" style="display:none`,
		"an attribute in '":     `x' onfocus='alert(1)' autofocus='`,
		"an end":                `</bdi></td></table></main><h1>`,
		"a comment":             `<!-- --!> <![CDATA[ ]]>`,
		"an entity":             `&lt;script&gt; &amp &#x3c;b&#x3e;`,
		"a template":            `{{.}} {{say "site.footer"}}`,
		"a format":              `%s %[9]d %!v ${x}`,
		"turned around":         "abc \u202egnp.exe\u2066\u2067 \u202d",
		"control characters":    "a\x00b\x1b[31mc\r\nd\u0085e",
		"no UTF-8":              "a\xff\xfeb",
		"very long":             strings.Repeat("Wolfeschlegelsteinhausen", 400),
		"a line separator":      "a\u2028b\u2029c",
		"nothing that is shown": "\u202e\u2066",
	}
}

// fill sets every string that v leads to.
func fill(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Pointer:
		if !v.IsNil() {
			fill(v.Elem(), text)
		}
	case reflect.Slice:
		for i := range v.Len() {
			fill(v.Index(i), text)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() {
				fill(f, text)
			}
		}
	default:
	}
}

// skeleton is the page without its words: elements, and the names of their attributes.
func skeleton(root *html.Node) []string {
	var out []string
	for n := range root.Descendants() {
		switch n.Type {
		case html.ElementNode:
			line := n.Data
			for _, a := range n.Attr {
				line += " " + a.Key
			}
			out = append(out, line)
		case html.CommentNode:
			out = append(out, "comment")
		default:
		}
	}
	return out
}

// fullView is a view with something in every place.
func fullView() *bedside.View {
	v := chartNeeded()
	v.Banner, v.Notices, v.MoreEvents = chartAbsent().Banner, chartUnread().Notices, true
	return &v
}

// inert are pages whose every text, codes and states among them, is what a stranger has chosen.
func inert(text string) map[string]write {
	v := fullView()
	fill(reflect.ValueOf(v), text)
	return map[string]write{
		"chart": writeChart(page.Chart{
			View: *v, FrameAncestors: []string{text}, Again: "?a", OwnTab: "/own",
		}),
		"signin": func(p *page.Pages, w http.ResponseWriter, r *http.Request) {
			p.SignIn(w, r, http.StatusOK, page.SignIn{Ways: []page.Way{{Name: text, URL: "/w"}}})
		},
		"consent": func(p *page.Pages, w http.ResponseWriter, r *http.Request) {
			p.Consent(w, r, http.StatusOK, page.Consent{
				ClientID: text, ClientName: text, Scopes: []string{text, "user/Patient.rs?x=" + text},
				Person: text, Issuer: text, Action: "/a", Handle: "h", ReturnOrigin: text,
			})
		},
		"account": func(p *page.Pages, w http.ResponseWriter, r *http.Request) {
			p.Account(w, r, http.StatusOK, page.Account{
				Name: text, Issuer: text, Roles: []role.Role{role.Role(text)}, SignOut: "/out",
			})
		},
		"problem": func(p *page.Pages, w http.ResponseWriter, r *http.Request) {
			p.Problem(w, r, http.StatusBadRequest, page.Problem{
				Kind: page.Kind(text), Reference: text + "r", Detail: text + "d", FrameAncestors: []string{text},
			})
		},
	}
}

// A page whose every text is hostile has the same elements and attributes as one whose texts are not.
func TestHostileTextIsInert(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	harmless := inert("x")
	for name, text := range hostiles() {
		for kind, one := range inert(text) {
			if name == "nothing that is shown" && kind != "chart" {
				continue // A name of which nothing is left is not shown at all.
			}
			for _, lang := range []string{"en", "es"} {
				t.Run(name+" in the "+kind+" in "+lang, func(t *testing.T) {
					t.Parallel()
					answer := ask(t, p, lang, one)
					body := read(t, answer)
					if !utf8.ValidString(body) {
						t.Error("the page is no UTF-8")
					}
					if i := strings.IndexAny(body, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\x00\x1b\r"); i >= 0 {
						t.Errorf("the page holds %q", body[i:i+3])
					}
					const enough = 100_000
					if len(body) > enough {
						t.Errorf("the page has %d bytes", len(body))
					}
					want := skeleton(tree(t, read(t, ask(t, p, lang, harmless[kind]))))
					if diff := cmp.Diff(want, skeleton(tree(t, body))); diff != "" {
						t.Errorf("the elements (-harmless +hostile):\n%s", diff)
					}
					policy := answer.Header.Get("Content-Security-Policy")
					if !strings.HasSuffix(policy, "frame-ancestors 'none'") ||
						!strings.Contains(policy, "form-action 'self';") {
						t.Errorf("the policy is %q", policy)
					}
				})
			}
		}
	}
}

// A name of somebody else is in an element of its own, which keeps its direction to itself.
func TestNamesKeepTheirDirectionToThemselves(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	v := chartAbsent()
	v.Banner.Name = "\u05d3\u05e0\u05d4 \u202e"
	v.Visits = []bedside.Visit{{Site: "\u0645\u0633\u062a\u0634\u0641\u0649"}}
	root := tree(t, read(t, ask(t, p, "en", writeChart(page.Chart{View: v}))))
	var got []string
	for _, n := range all(root, func(n *html.Node) bool { return n.Data == "bdi" }) {
		got = append(got, strings.Join(said(n), ""))
	}
	want := []string{"\u05d3\u05e0\u05d4", "Female", "\u0645\u0633\u062a\u0634\u0641\u0649"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("isolated (-want +got):\n%s", diff)
	}
}

func TestLinksRunNoScript(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	const script = "javascript:alert(1)"
	for name, one := range map[string]write{
		"chart": writeChart(page.Chart{View: chartQuiet(), Again: script, OwnTab: script}),
		"signin": func(p *page.Pages, w http.ResponseWriter, r *http.Request) {
			p.SignIn(w, r, http.StatusOK, page.SignIn{Ways: []page.Way{{Name: "x", URL: script}}})
		},
	} {
		if body := read(t, ask(t, p, "en", one)); strings.Contains(body, "javascript:") {
			t.Errorf("%s: a link runs a script", name)
		}
	}
}
