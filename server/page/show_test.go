package page_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/server/page"
)

func newPages(t rapid.TB) *page.Pages {
	t.Helper()
	p, err := page.New(page.Config{})
	if err != nil {
		t.Fatalf("New = %v", err)
	}
	return p
}

// write is one call of a page.
type write func(p *page.Pages, w http.ResponseWriter, r *http.Request)

func writeChart(c page.Chart) write {
	return func(p *page.Pages, w http.ResponseWriter, r *http.Request) { p.Chart(w, r, http.StatusOK, c) }
}

// sample is a page with what it shows.
type sample struct {
	name  string
	write write
}

// samples are one page of each kind at least, with something in every place.
func samples() []sample {
	const ehr = "https://ehr.example.org"
	all := []sample{
		{"chart_needed", writeChart(page.Chart{
			View: chartNeeded(), FrameAncestors: []string{ehr}, Again: "?anew=1", OwnTab: "/chart",
		})},
		{"chart_absent", writeChart(page.Chart{View: chartAbsent(), Again: "?anew=1"})},
		{"chart_unread", writeChart(page.Chart{View: chartUnread()})},
		{"chart_quiet", writeChart(page.Chart{View: chartQuiet()})},
		{"signin", func(p *page.Pages, w http.ResponseWriter, r *http.Request) {
			p.SignIn(w, r, http.StatusUnauthorized, page.SignIn{Ways: []page.Way{
				{Name: "Riverside Hospital", URL: "/signin/riverside?next=%2Fhome"},
				{Name: "Lakeside Clinics", URL: "/signin/lakeside?next=%2Fhome"},
			}})
		}},
		{"signin_none", func(p *page.Pages, w http.ResponseWriter, r *http.Request) {
			p.SignIn(w, r, http.StatusUnauthorized, page.SignIn{})
		}},
		{"signedout", func(p *page.Pages, w http.ResponseWriter, r *http.Request) {
			p.SignedOut(w, r, http.StatusOK, page.SignedOut{Again: "/signin"})
		}},
		{"consent", func(p *page.Pages, w http.ResponseWriter, r *http.Request) {
			p.Consent(w, r, http.StatusOK, page.Consent{
				ClientID: "ward-board-7", ClientName: "Ward Board", Person: "Dr. Amara Okafor",
				Issuer: "Riverside Hospital", Action: "/oauth/authorize", Handle: "h4ndl3",
				ReturnOrigin: "https://board.example.org",
				Scopes: []string{
					"openid", "fhirUser", "user/Measure.rs", "user/MeasureReport.read",
					"user/MeasureReport.rs?period=2026", "user/Task.cruds", scope.Unsuppressed, scope.Patients,
					"offline_access", "launch/patient", "vendor-thing",
				},
			})
		}},
		{"consent_bare", func(p *page.Pages, w http.ResponseWriter, r *http.Request) {
			p.Consent(w, r, http.StatusOK, page.Consent{ClientID: "c", Action: "/a", Handle: "h"})
		}},
		{"account", func(p *page.Pages, w http.ResponseWriter, r *http.Request) {
			p.Account(w, r, http.StatusOK, page.Account{
				Name: "Dr. Amara Okafor", Issuer: "Riverside Hospital", SignedIn: readAt,
				Roles: []role.Role{role.Analyst, role.Reviewer}, SignOut: "/signout",
			})
		}},
		{"account_bare", func(p *page.Pages, w http.ResponseWriter, r *http.Request) {
			p.Account(w, r, http.StatusOK, page.Account{SignOut: "/signout"})
		}},
		{"home", func(p *page.Pages, w http.ResponseWriter, r *http.Request) {
			p.Home(w, r, http.StatusOK, page.Home{
				Name: "Dr. Amara Okafor", Roles: role.All(), API: "https://equity.example.org/fhir",
				Account: "/account",
			})
		}},
	}
	for _, kind := range page.Kinds() {
		all = append(all, sample{"problem_" + string(kind),
			func(p *page.Pages, w http.ResponseWriter, r *http.Request) {
				p.Problem(w, r, http.StatusBadRequest, page.Problem{
					Kind: kind, Reference: "5f0c1a", Detail: "code_challenge_method is not S256", Again: "/again",
				})
			}})
	}
	return all
}

// everyChart is a chart for each thing that a view can say.
func everyChart() []sample {
	all := []sample{}
	add := func(name string, v bedside.View) { all = append(all, sample{name, writeChart(page.Chart{View: v})}) }
	for _, state := range mapping.States() {
		v := chartAbsent()
		value := absent(state)
		if state == mapping.Known {
			value = known(mapping.No)
		}
		v.Interpreter.Value = value
		v.Fields = fields(absentOr(state, "1002-5"), absentOr(state, "2186-5"), absentOr(state, "mam"), value)
		add("state "+string(state), v)
	}
	for _, use := range []mapping.InterpreterUse{
		mapping.Documented, mapping.Arranged, mapping.AdHoc, mapping.NoneDocumented,
	} {
		for _, need := range []mapping.Value{known(mapping.Yes), known(mapping.No), absent(mapping.Missing)} {
			v := chartNeeded()
			v.Visits[0].Use, v.Interpreter.Value = use, need
			add("use "+string(use)+" need "+need.Code, v)
		}
	}
	for _, kind := range bedside.NoticeKinds() {
		for _, resource := range []string{"Patient", "Encounter", "AdverseEvent", "Condition"} {
			for _, count := range []int{1, 3} {
				v := chartAbsent()
				v.Notices = []bedside.Notice{{Kind: kind, Resource: resource, Count: count}}
				add("notice "+string(kind)+" "+resource, v)
			}
		}
	}
	return all
}

func absentOr(s mapping.State, code string) mapping.Value {
	if s == mapping.Known {
		return known(code)
	}
	return absent(s)
}

// ask writes a page for a reader of a language.
func ask(t rapid.TB, p *page.Pages, lang string, one write) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "https://equity.example.org/page", nil)
	r.Header.Set("Accept-Language", lang)
	w := httptest.NewRecorder()
	one(p, w, r)
	return w.Result()
}

// read returns the text of an answer.
func read(t rapid.TB, answer *http.Response) string {
	t.Helper()
	var text strings.Builder
	if err := answer.Write(&text); err != nil {
		t.Fatalf("read an answer: %v", err)
	}
	_, body, _ := strings.Cut(text.String(), "\r\n\r\n")
	return body
}

func tree(t rapid.TB, text string) *html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatalf("parse a page: %v", err)
	}
	return root
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// all returns the elements for which f is true, in the order of the page.
func all(root *html.Node, f func(*html.Node) bool) []*html.Node {
	var out []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && f(n) {
			out = append(out, n)
		}
	}
	return out
}

func ofTag(a atom.Atom) func(*html.Node) bool {
	return func(n *html.Node) bool { return n.DataAtom == a }
}

func ofClass(class string) func(*html.Node) bool {
	return func(n *html.Node) bool {
		for _, c := range strings.Fields(attribute(n, "class")) {
			if c == class {
				return true
			}
		}
		return false
	}
}

// said returns the texts below n, one for each text node.
func said(n *html.Node) []string {
	var out []string
	for d := range n.Descendants() {
		if text := strings.TrimSpace(d.Data); d.Type == html.TextNode && text != "" {
			out = append(out, text)
		}
	}
	return out
}

func TestLocationIsThatOfTheHospital(t *testing.T) {
	t.Parallel()
	chicago, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Skipf("this computer has no time zones: %v", err)
	}
	p, err := page.New(page.Config{Location: chicago})
	if err != nil {
		t.Fatalf("New = %v", err)
	}
	for lang, want := range map[string]string{
		"en": "March 3, 2026, 8:05 AM CST", "es": "3 de marzo de 2026, 08:05 CST",
	} {
		body := read(t, ask(t, p, lang, writeChart(page.Chart{View: chartQuiet()})))
		if !strings.Contains(body, want) {
			t.Errorf("the page in %s does not say %q", lang, want)
		}
	}
}
