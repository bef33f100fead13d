package page_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/page/pagetest"
)

// browserAxe is the setting of the path of axe.min.js of axe-core 4.
const browserAxe = "EQUITYLENS_AXE"

// hosted serves the samples, each at its name. Of those that are of one form there is one, or two.
func hosted(t *testing.T) (base string, names []string) {
	t.Helper()
	p := newPages(t)
	mux := http.NewServeMux()
	mux.Handle("/assets/", p.Assets())
	for _, s := range samples() {
		if kind, problem := strings.CutPrefix(s.name, "problem_"); problem &&
			kind != string(page.Launch) && kind != string(page.Client) {
			continue
		}
		if strings.HasSuffix(s.name, "_bare") || strings.HasSuffix(s.name, "_none") {
			continue
		}
		names = append(names, s.name)
		mux.HandleFunc("/"+s.name, func(w http.ResponseWriter, r *http.Request) { s.write(p, w, r) })
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL, names
}

// show opens a page as a reader with such a screen sees it.
func show(url string, width int64, scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Steps(
		chromedp.EmulateViewport(width, 900),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{
					{Name: "prefers-color-scheme", Value: scheme},
					{Name: "prefers-reduced-motion", Value: "reduce"},
				},
			})
			return err
		}),
		chromedp.Navigate(url),
	)
}

// look is one way in which a page is looked at.
type look struct {
	page, lang, scheme string
	width              int64
}

func (l look) String() string {
	return fmt.Sprintf("%s_%s_%s_%d", l.page, l.lang, l.scheme, l.width)
}

// looks are all the ways in which these pages are looked at.
func looks(pages []string) []look {
	var out []look
	for _, one := range pages {
		for _, lang := range []string{"en", "es"} {
			for _, scheme := range []string{"light", "dark"} {
				for _, width := range []int64{320, 1280} {
					out = append(out, look{one, lang, scheme, width})
				}
			}
		}
	}
	return out
}

func TestPagesInABrowser(t *testing.T) {
	t.Parallel()
	ctx := pagetest.Browser(t)
	base, pages := hosted(t)
	watched(t, ctx)
	axe := ""
	if name := os.Getenv(browserAxe); name != "" {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatalf("read axe: %v", err)
		}
		axe = string(text)
	}
	for _, l := range looks(pages) {
		t.Run(l.String(), func(t *testing.T) {
			url := base + "/" + l.page + "?lang=" + l.lang
			if err := chromedp.Do(ctx, show(url, l.width, l.scheme)); err != nil {
				t.Fatalf("open the page: %v", err)
			}
			pagetest.Picture(ctx, t, l.String())
			fits(t, ctx)
			if l.scheme == "light" {
				policy(t, ctx)
				keyboard(t, ctx)
			}
			if axe != "" {
				accessible(t, ctx, axe)
			}
		})
	}
	if axe == "" {
		t.Logf("%s is not set to the path of axe.min.js, so that WCAG was not checked: "+
			"scripts/test.sh fetches it", browserAxe)
	}
}

// accessible holds the page to WCAG 2.2, levels A and AA, as far as a program can tell.
func accessible(t *testing.T, ctx context.Context, axe string) {
	t.Helper()
	const run = `axe.run(document, {runOnly: ["wcag2a","wcag2aa","wcag21a","wcag21aa","wcag22aa"]})
		.then(r => ({Found: r.violations, Passed: r.passes.length}))`
	if err := chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](axe+";0")); err != nil {
		t.Fatalf("load axe: %v", err)
	}
	result, err := chromedp.Run(ctx, chromedp.Evaluate[struct {
		Found []struct {
			ID, Help string
			Nodes    []struct{ HTML, FailureSummary string }
		}
		Passed int
	}](run, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("run axe: %v", err)
	}
	if result.Passed == 0 {
		t.Error("axe checked nothing")
	}
	for _, f := range result.Found {
		for _, n := range f.Nodes {
			t.Errorf("%s (%s)\n%s\n%s", f.Help, f.ID, n.HTML, n.FailureSummary)
		}
	}
}

// measured looks for what reaches beyond the window, apart from the head of a table that a narrow window
// does not show, and for controls that are hard to hit: those of WCAG 2.5.8, without its exception for
// lines of text.
const measured = `(() => {
	const wide = [...document.querySelectorAll("body *")].filter(e => {
		const b = e.getBoundingClientRect(), head = e.closest("thead");
		return (!head || getComputedStyle(head).position !== "absolute") && (b.right > innerWidth + .5 || b.left < -.5);
	}).map(e => e.outerHTML.slice(0, 100));
	const low = [...document.querySelectorAll("a:not(.skip), button, summary")].filter(e => {
		const b = e.getBoundingClientRect();
		return b.height < 24 || b.width < 24;
	}).map(e => e.outerHTML.slice(0, 100));
	return {Wide: wide, Low: low, Scroll: document.documentElement.scrollWidth - innerWidth};
})()`

// fits holds the page to the width of the window.
func fits(t *testing.T, ctx context.Context) {
	t.Helper()
	result, err := chromedp.Run(ctx, chromedp.Evaluate[struct {
		Wide, Low []string
		Scroll    float64
	}](measured))
	if err != nil {
		t.Fatalf("measure: %v", err)
	}
	if result.Scroll > 0 || len(result.Wide) > 0 {
		t.Errorf("it scrolls sideways by %v px:\n%s", result.Scroll, strings.Join(result.Wide, "\n"))
	}
	if len(result.Low) > 0 {
		t.Errorf("targets are smaller than 24 px:\n%s", strings.Join(result.Low, "\n"))
	}
}

// controls names everything that a keyboard has to reach, in the order of the page; focused what it is at,
// and whether that shows.
const (
	controls = `[...document.querySelectorAll("a[href], button, summary")].map(
		e => e.getAttribute("href") || e.value || e.textContent.trim())`
	focused = `(() => {
		const e = document.activeElement, s = getComputedStyle(e), b = e.getBoundingClientRect();
		const seen = s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 && b.bottom > 0;
		return (e.getAttribute("href") || e.value || e.textContent.trim()) + (seen ? "" : " (unseen)");
	})()`
)

// keyboard walks through the page with the Tab key.
func keyboard(t *testing.T, ctx context.Context) {
	t.Helper()
	want, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](controls))
	if err != nil {
		t.Fatalf("list the controls: %v", err)
	}
	var got []string
	for range want {
		if err := chromedp.Do(ctx, chromedp.KeyEvent(kb.Tab)); err != nil {
			t.Fatalf("press Tab: %v", err)
		}
		at, err := chromedp.Run(ctx, chromedp.Evaluate[string](focused))
		if err != nil {
			t.Fatalf("find the focus: %v", err)
		}
		got = append(got, at)
	}
	if !slices.Equal(want, got) {
		t.Errorf("the keyboard reaches\n%q, want\n%q", got, want)
	}
}

// watched makes every page write down what the browser keeps from it by its policy.
func watched(t *testing.T, ctx context.Context) {
	t.Helper()
	const watch = `window.refused = [];
		document.addEventListener("securitypolicyviolation",
			e => refused.push(e.violatedDirective + " " + e.blockedURI));`
	_, err := chromedp.Call(ctx, cdpage.AddScriptToEvaluateOnNewDocument,
		cdpage.AddScriptToEvaluateOnNewDocumentParams{Source: watch})
	if err != nil {
		t.Fatalf("watch the policy: %v", err)
	}
}

// policy holds the page to its own: nothing of it is refused, and what it needs is there.
func policy(t *testing.T, ctx context.Context) {
	t.Helper()
	refused, err := chromedp.Run(ctx, chromedp.Evaluate[[]string]("refused"))
	if err != nil {
		t.Fatalf("ask what was refused: %v", err)
	}
	drawn, err := chromedp.Run(ctx, chromedp.Evaluate[bool](
		`getComputedStyle(document.body).marginTop === "0px" &&
			[...document.images].every(i => i.naturalWidth > 0)`))
	if err != nil {
		t.Fatalf("ask what was drawn: %v", err)
	}
	if len(refused) > 0 || !drawn {
		t.Errorf("the browser refused %q; style sheet and images are there: %v", refused, drawn)
	}
}
