package pagetest_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/equitylens/equitylens/server/page/pagetest"
)

// The two pages differ in what the checks are there to find, and in nothing else.
const (
	good = `<!DOCTYPE html><html lang="en"><title>Good</title><meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="/good.css"><main><h1>Good</h1>
<p><a href="#a">A link</a></p><p>In a line of text <a href="#b">a link</a> is as high as the line.</p>
<p><button>A button</button></p>
<details><summary>More</summary><p><a href="#c">Another</a></p></details>
<svg class="chart" role="img" aria-label="A picture" width="100" height="40"><circle cx="9" cy="9" r="5" fill="#000"/>
<text x="5" y="30">in</text></svg></main></html>`
	bad = `<!DOCTYPE html><html><title>Bad</title><meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="/bad.css"><main><h1 style="color: red">Bad</h1>
<p><a href="#a" tabindex="2">A link</a></p><p>In a line of text <a href="#b">a link</a> is as high as the line.</p>
<p><button class="small">x</button></p><p class="wide">far</p>
<details><summary>More</summary><p><a href="#c">Another</a></p></details>
<svg class="chart" role="img" width="100" height="40"><circle cx="9" cy="9" r="5" fill="#fff"/>
<text x="5" y="30">what reaches beyond the edge of a picture</text></svg></main></html>`
	goodStyle = `body { background: #fff; color: #000; font: 16px sans-serif } p > a, summary, button
		{ display: inline-block; min-height: 24px; min-width: 24px } :focus { outline: 3px solid #00f }`
	badStyle = `body { background: #fff; color: #000; font: 16px sans-serif } .wide { width: 5000px }
		button.small { width: 12px; height: 12px; padding: 0; transition: width 1s }
		p > a:only-child { display: inline-block; min-height: 24px } summary { min-height: 24px }
		:focus { outline: none }`
)

// site serves the pages under a policy that allows no style but those of a file.
func site(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	for path, content := range map[string]string{
		"/good": good, "/bad": bad, "/good.css": goodStyle, "/bad.css": badStyle, "/favicon.ico": "",
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			if strings.HasSuffix(path, ".css") {
				w.Header().Set("Content-Type", "text/css")
			}
			w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'")
			_, _ = io.WriteString(w, content)
		})
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// TestChecks holds every check to a page in which there is something to find, and to one in which there
// is not.
func TestChecks(t *testing.T) {
	t.Parallel()
	ctx := pagetest.Browser(t)
	base := site(t)
	says, err := pagetest.Listen(ctx)
	if err != nil {
		t.Fatal(err)
	}
	axe, err := pagetest.LoadAxe()
	if err != nil {
		t.Fatal(err)
	}
	checks := map[string]func(context.Context) ([]string, error){
		"what is too wide": pagetest.Wide, "words that are cut off": pagetest.Cut,
		"small targets": pagetest.Small, "what moves": pagetest.Moving, "the keyboard": pagetest.Tabbed,
		"complaints": func(ctx context.Context) ([]string, error) {
			title, err := chromedp.Run(ctx, chromedp.Title())
			found := says.Take()
			for title == "Bad" && len(found) == 0 && err == nil { // It comes, if not at once.
				_, err = chromedp.Run(ctx, chromedp.Title())
				found = says.Take()
			}
			return found, err
		},
		"marks that are not seen": func(ctx context.Context) ([]string, error) {
			marks, err := pagetest.Marks(ctx)
			if err == nil && len(marks) == 1 && marks[0] == 1 {
				return nil, nil
			}
			return []string{"no mark"}, err
		},
	}
	if axe == nil {
		t.Log(pagetest.Unchecked)
	} else {
		checks["WCAG"] = func(ctx context.Context) ([]string, error) {
			if err := axe.Load(ctx); err != nil {
				return nil, err
			}
			audit, err := axe.Check(ctx)
			return audit.Violations, err
		}
	}
	for _, page := range []string{"good", "bad"} {
		for name, check := range checks {
			t.Run(name+" in a page that is "+page, func(t *testing.T) {
				says.Take()
				if err := chromedp.Do(ctx, pagetest.See(pagetest.View{Width: 640}),
					chromedp.Navigate(base+"/"+page)); err != nil {
					t.Fatal(err)
				}
				found, err := check(ctx)
				if err != nil {
					t.Fatal(err)
				}
				if got, want := len(found) > 0, page == "bad"; got != want {
					t.Errorf("found %q, want any: %v", found, want)
				}
			})
		}
	}
}

// TestScripts holds pages to what somebody without scripts sees.
func TestScripts(t *testing.T) {
	t.Parallel()
	ctx := pagetest.Browser(t)
	const page = `data:text/html,<title>before</title><script>document.title = "after"</script>`
	for _, test := range []struct {
		name string
		in   bool
		want string
	}{
		{"they run", true, "after"},
		{"they are kept from running", false, "before"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := chromedp.Do(ctx, pagetest.Scripts(test.in), chromedp.Navigate(page)); err != nil {
				t.Fatal(err)
			}
			got, err := chromedp.Run(ctx, chromedp.Title())
			if err != nil || got != test.want {
				t.Errorf("Title = %q, %v, want %q", got, err, test.want)
			}
		})
	}
}

// TestPrint counts pages.
func TestPrint(t *testing.T) {
	t.Parallel()
	ctx := pagetest.Browser(t)
	const page = `data:text/html,<p>one</p><p style="break-before: page">two</p><p style="break-before: page">three</p>`
	if err := chromedp.Do(ctx, chromedp.Navigate(page)); err != nil {
		t.Fatal(err)
	}
	pdf, pages, err := pagetest.Print(ctx, chromedp.PaperA4)
	if err != nil || pages != 3 {
		t.Errorf("Print = %d pages, %v, want 3", pages, err)
	}
	if text, ok, err := pagetest.Printed(t.Context(), pdf); err != nil || ok && !strings.Contains(text, "three") {
		t.Errorf("Printed = %q, %v", text, err)
	}
}
