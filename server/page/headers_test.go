package page_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/server/page"
)

func consentTo(origin string) write {
	return func(p *page.Pages, w http.ResponseWriter, r *http.Request) {
		p.Consent(w, r, http.StatusOK, page.Consent{ClientID: "c", ReturnOrigin: origin})
	}
}

func chartIn(ancestors ...string) write {
	return writeChart(page.Chart{View: chartQuiet(), FrameAncestors: ancestors})
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	const start = "default-src 'none'; style-src 'self'; img-src 'self'; form-action "
	for _, test := range []struct {
		name         string
		in           write
		want, framed string
	}{
		{"nobody frames a page", chartIn(), start + "'self'; base-uri 'none'; frame-ancestors 'none'", "DENY"},
		{
			"registered EHRs frame the chart", chartIn("https://ehr.example.org", "https://b.example:8443/launch"),
			start + "'self'; base-uri 'none'; frame-ancestors https://ehr.example.org https://b.example:8443", "",
		},
		{
			"what is no origin frames nothing", chartIn("*", "https:", "https://*", "'self'", "ehr.example.org",
				"https://a.example;script-src *", "https://a b", "com.app:/x", "https://u@"),
			start + "'self'; base-uri 'none'; frame-ancestors 'none'", "DENY",
		},
		{
			"an address in brackets", chartIn("http://[::1]:8080"),
			start + "'self'; base-uri 'none'; frame-ancestors http://[::1]:8080", "",
		},
		{
			"the answer goes back to a program on the web", consentTo("https://board.example.org"),
			start + "'self' https://board.example.org; base-uri 'none'; frame-ancestors 'none'", "DENY",
		},
		{
			"the answer goes back to a program on the device", consentTo("org.example.board://"),
			start + "'self' org.example.board:; base-uri 'none'; frame-ancestors 'none'", "DENY",
		},
		{
			"no script gets the answer", consentTo("javascript:alert(1)"),
			start + "'self'; base-uri 'none'; frame-ancestors 'none'", "DENY",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := ask(t, p, "en", test.in).Header
			if diff := cmp.Diff(test.want, h.Get("Content-Security-Policy")); diff != "" {
				t.Errorf("the policy (-want +got):\n%s", diff)
			}
			if got := h.Get("X-Frame-Options"); got != test.framed {
				t.Errorf("X-Frame-Options is %q, want %q", got, test.framed)
			}
		})
	}
}

// A directive ends with a semicolon and a source with a space; whatever stands in a list of registered
// origins, it begins neither.
func FuzzPolicy(f *testing.F) {
	for _, seed := range []string{
		"https://ehr.example.org", "https://a;script-src *", "http://[::1]", "com.app:", "https://a,b",
		"https://a\r\nSet-Cookie: x", "//evil", "https://a'b", "data:x",
	} {
		f.Add(seed)
	}
	p := newPages(f)
	f.Fuzz(func(t *testing.T, text string) {
		for _, one := range []write{chartIn(text), consentTo(text)} {
			got := ask(t, p, "en", one).Header.Get("Content-Security-Policy")
			if strings.Count(got, ";") != 5 || strings.ContainsAny(got, ",\r\n\x00*\"<>") {
				t.Errorf("%q makes the policy %q", text, got)
			}
			if words := len(strings.Fields(got)); words > 13 {
				t.Errorf("%q makes the policy %q, of %d words", text, got, words)
			}
		}
	})
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	for _, s := range samples() {
		answer := ask(t, p, "es", s.write)
		got := map[string]string{}
		for _, name := range []string{
			"Cache-Control", "Content-Language", "Content-Type", "Referrer-Policy", "Vary",
			"X-Content-Type-Options",
		} {
			got[name] = answer.Header.Get(name)
		}
		want := map[string]string{
			"Cache-Control": "no-store", "Content-Language": "es", "Content-Type": "text/html; charset=utf-8",
			"Referrer-Policy": "same-origin", "Vary": "Accept-Language", "X-Content-Type-Options": "nosniff",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s.name, diff)
		}
	}
}

func TestStatusIsThatOfTheCaller(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	for status, want := range map[int]int{0: 200, 200: 200, 404: 404, 502: 502} {
		got := ask(t, p, "en", func(p *page.Pages, w http.ResponseWriter, r *http.Request) {
			p.Problem(w, r, status, page.Problem{Kind: page.NotFound})
		}).StatusCode
		if got != want {
			t.Errorf("Problem with status %d answers %d, want %d", status, got, want)
		}
	}
}

func TestLanguageIsThatOfTheReader(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	for _, test := range []struct{ name, query, header, want string }{
		{"nobody says", "", "", "en"},
		{"the browser says", "", "es-MX,es;q=0.9,en;q=0.8", "es"},
		{"the browser likes one of them less", "", "fr, es;q=0.3, en;q=0.7", "en"},
		{"a language of neither", "", "fr", "en"},
		{"the link stands above the browser", "?lang=es", "en", "es"},
		{"the link stands above the program", "?lang=en&ui_locales=es", "es", "en"},
		{"the program stands above the browser", "?ui_locales=fr%20es-419", "en", "es"},
		{"a link to a language that is none", "?lang=%22%3E%3C", "es", "es"},
		{"a link to a language of neither", "?lang=fr", "es", "es"},
		{"a header without end", "", strings.Repeat("es,", 100_000), "en"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "/page"+test.query, nil)
			r.Header.Set("Accept-Language", test.header)
			w := httptest.NewRecorder()
			p.SignedOut(w, r, http.StatusOK, page.SignedOut{})
			if got := w.Header().Get("Content-Language"); got != test.want {
				t.Errorf("the page is in %q, want %q", got, test.want)
			}
		})
	}
}

func TestLinkToTheOtherLanguageKeepsTheAddress(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	for _, test := range []struct{ name, method, target, want string }{
		{"with nothing else", http.MethodGet, "/chart", `href="?lang=es"`},
		{"with a query", http.MethodGet, "/chart?session=s1&lang=en", `href="?lang=es&amp;session=s1"`},
		{"hostile", http.MethodGet, "/chart?x=%22%3E%3Cscript%3E", `href="?lang=es&amp;x=%22%3E%3Cscript%3E"`},
		{"the answer to a form has no address", http.MethodPost, "/chart", ""},
		{"an address that holds once", http.MethodGet, "/oauth/authorize?request_uri=urn:x", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			p.SignedOut(w, httptest.NewRequest(test.method, test.target, nil), http.StatusOK, page.SignedOut{})
			body := w.Body.String()
			if got := strings.Contains(body, "<nav"); got != (test.want != "") {
				t.Errorf("there is a link: %v", got)
			}
			if !strings.Contains(body, test.want) {
				t.Errorf("the page has no %s:\n%s", test.want, body)
			}
		})
	}
}

func TestAssets(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	fetch := func(method, path string) *http.Response {
		w := httptest.NewRecorder()
		p.Assets().ServeHTTP(w, httptest.NewRequest(method, path, nil))
		return w.Result()
	}
	root := tree(t, read(t, ask(t, p, "en", chartIn())))
	found := 0
	for n := range root.Descendants() {
		for _, name := range []string{"href", "src"} {
			path := attribute(n, name)
			if !strings.HasPrefix(path, page.AssetPath) {
				continue
			}
			found++
			answer := fetch(http.MethodGet, path)
			if answer.StatusCode != http.StatusOK || answer.ContentLength == 0 {
				t.Errorf("GET %s: status %d", path, answer.StatusCode)
			}
			if got := answer.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
				t.Errorf("GET %s: Cache-Control is %q", path, got)
			}
			if got := answer.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/css") && got != "image/svg+xml" {
				t.Errorf("GET %s: Content-Type is %q", path, got)
			}
		}
	}
	if found != 3 {
		t.Errorf("the page refers to %d assets, want the style sheet, the icon and the mark", found)
	}
	for _, path := range []string{"/assets/", "/assets/app.css", "/assets/../page.go", "/assets/app.0000.css"} {
		if got := fetch(http.MethodGet, path).StatusCode; got != http.StatusNotFound {
			t.Errorf("GET %s: status %d, want 404", path, got)
		}
	}
}

func TestKindOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		status int
		code   string
		want   page.Kind
	}{
		{"a client that is not registered", 400, "invalid_client", page.Client},
		{"a person without a role", 403, "access_denied", page.Forbidden},
		{"a request that is none", 400, "invalid_request", page.BadRequest},
		{"a fault of ours", 500, "server_error", page.Internal},
		{"a fault of ours without a code", 500, "", page.Internal},
		{"too many requests", 429, "", page.Busy},
		{"an EHR that is away", 502, "", page.EHR},
		{"nothing there", 404, "", page.NotFound},
		{"nobody signed in", 401, "", page.Ended},
	} {
		if got := page.KindOf(test.status, test.code); got != test.want {
			t.Errorf("%s: KindOf(%d, %q) = %q, want %q", test.name, test.status, test.code, got, test.want)
		}
	}
}

func BenchmarkChart(b *testing.B) {
	p := newPages(b)
	c := page.Chart{View: chartNeeded(), FrameAncestors: []string{"https://ehr.example.org"}}
	r := httptest.NewRequest(http.MethodGet, "/chart?lang=es", nil)
	b.ReportAllocs()
	for b.Loop() {
		p.Chart(httptest.NewRecorder(), r, http.StatusOK, c)
	}
}
