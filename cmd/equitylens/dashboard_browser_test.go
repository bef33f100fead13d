package main

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/equitylens/equitylens/server/page/pagetest"
)

// walk is one browser in front of one demonstration. Its steps follow each other.
type walk struct {
	ctx  context.Context
	demo demonstration
	says *pagetest.Complaints
	axe  *pagetest.Axe
	// measure is the address of the measure that the overview leads to.
	measure string
}

// patience bounds a step: what a page lacks is waited for without end.
const patience = 2 * time.Minute

// newWalk opens a browser and starts a demonstration; more are arguments of it.
func newWalk(t *testing.T, more ...string) *walk {
	t.Helper()
	w := &walk{ctx: pagetest.Browser(t), demo: demonstrate(t, more...)}
	var err error
	if w.says, err = pagetest.Listen(w.ctx); err != nil {
		t.Fatal(err)
	}
	if w.axe, err = pagetest.LoadAxe(); err != nil {
		t.Fatal(err)
	}
	w.do(t, pagetest.See(pagetest.View{Width: 1440}))
	return w
}

// do takes steps that lead to no other page.
func (w *walk) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatalf("%v at %s\n%s", err, w.at(t), w.demo.log)
	}
}

// to takes steps that lead to another page, which has to be there, to be one, and to say what it is in
// one heading of the first rank.
func (w *walk) to(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	answer, err := chromedp.RunResponse(ctx, steps...)
	if err != nil {
		t.Fatalf("%v at %s\n%s", err, w.at(t), w.demo.log)
	}
	if answer != nil && answer.Status != 200 {
		t.Fatalf("%s answers %d: %s\n%s", answer.URL, answer.Status, w.text(t, "main"), w.demo.log)
	}
	if n := ask[int](t, w, `document.querySelectorAll("h1").length`); n != 1 {
		t.Errorf("%s has %d headings of the first rank", w.at(t), n)
	}
}

// open opens an address of the dashboard.
func (w *walk) open(t *testing.T, address string) {
	t.Helper()
	w.to(t, chromedp.Navigate(w.demo.url+address))
}

// ask asks something of the page that is open.
func ask[T any](t *testing.T, w *walk, expression string) T {
	t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v\n%s", expression, err, w.demo.log)
	}
	return out
}

// until waits for something that is bound to happen, though not for ever.
func (w *walk) until(t *testing.T, what string, happened func() bool) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	await(t, func() bool {
		if ctx.Err() != nil {
			t.Fatalf("%s: not within %v, at %s\n%s", what, patience, w.at(t), w.demo.log)
		}
		return happened()
	})
}

// at is the address of the page that is open, from its path on.
func (w *walk) at(t *testing.T) string {
	t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	text, err := chromedp.Run(ctx, chromedp.Location())
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(text, w.demo.url)
}

// asked is what the address of the page asks for under a name.
func (w *walk) asked(t *testing.T, name string) string {
	t.Helper()
	u, err := url.Parse(w.at(t))
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get(name)
}

// text is what can be read of an element.
func (w *walk) text(t *testing.T, selector string) string {
	t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(selector)))
	if err != nil {
		t.Fatalf("read %s of %s: %v", selector, w.at(t), err)
	}
	return text
}

// step is one part of the walk. What the browser has against any page of it is a fault.
func (w *walk) step(t *testing.T, name string, run func(t *testing.T)) {
	t.Helper()
	if t.Failed() && w.measure == "" {
		return // Nobody has signed in, or there is nowhere to go.
	}
	t.Run(name, func(t *testing.T) {
		run(t)
		if said := w.says.Take(); len(said) > 0 {
			t.Errorf("the browser says:\n%s", strings.Join(said, "\n"))
		}
	})
}

// faults reports what a check has found.
func faults(t *testing.T, what string) func(list []string, err error) {
	return func(list []string, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		const most = 12
		if n := len(list); n > most {
			list = append(slices.Clone(list[:most]), "…")
		}
		if len(list) > 0 {
			t.Errorf("%s:\n%s", what, strings.Join(list, "\n"))
		}
	}
}

// signIn signs in by one click.
func (w *walk) signIn(t *testing.T, who string) {
	t.Helper()
	if err := chromedp.Do(w.ctx, chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := chromedp.Call(ctx, network.ClearBrowserCookies, struct{}{})
		return err
	})); err != nil {
		t.Fatal(err)
	}
	w.to(t, chromedp.Navigate(w.demo.url+"/"))
	w.to(t, chromedp.Click(chromedp.CSS(`button[value="`+who+`"]`)))
}

// TestTheDashboardInABrowser walks through the dashboard of the demonstration as those do for whom it is
// made: with a mouse, with the keyboard alone, on a phone, on paper, without scripts, in Spanish.
func TestTheDashboardInABrowser(t *testing.T) {
	t.Parallel()
	withoutRaceDetector(t)
	w := newWalk(t)
	w.step(t, "an analyst signs in by one click", func(t *testing.T) {
		w.signIn(t, "wen-adeyemi")
		if at, says := w.at(t), w.text(t, "nav.main"); at != "/" || !strings.Contains(says, "Overview") {
			t.Fatalf("after signing in the page is %s with %q", at, says)
		}
	})
	w.step(t, "the first finding leads to its measure", w.followsAFinding)
	w.step(t, "the reference can be switched", w.switchesTheReference)
	w.step(t, "people can be filtered", w.filters)
	w.step(t, "another period can be chosen", w.choosesAPeriod)
	w.step(t, "a picture can be read as a table", w.readsATable)
	w.step(t, "groups, sites and periods are compared", w.compares)
	w.step(t, "the keyboard is enough", w.usesTheKeyboard)
	w.step(t, "Spanish stays Spanish", w.speaksSpanish)
	w.step(t, "no page needs a script", w.doesWithoutScripts)
	w.step(t, "a file is downloaded", w.downloads)
	w.step(t, "files are what they say", w.takesFiles)
	w.step(t, "a measure is printed on one page", w.prints)
	w.step(t, "pages are light", w.weighs)
	w.step(t, "colours that are forced hide no mark", w.forcesColors)
	w.step(t, "everybody can use every page", w.looksAround)
	w.step(t, "an engineer starts a sync and sees it go on", w.syncsAlive)
	w.step(t, "a sync is told of without scripts", w.syncsWithoutScripts)
	if w.axe == nil {
		t.Log(pagetest.Unchecked)
	}
}

func (w *walk) followsAFinding(t *testing.T) {
	title := w.text(t, "#findings li h3")
	w.to(t, chromedp.Click(chromedp.CSS("#findings li .next a")))
	w.measure = w.at(t)
	if !strings.HasPrefix(w.measure, "/measures/") {
		t.Errorf("the finding leads to %s", w.measure)
	}
	if says := w.text(t, "h1"); !strings.Contains(title, says) {
		t.Errorf("the finding %q leads to %q", title, says)
	}
	if n := ask[int](t, w, `[...document.querySelectorAll("main svg[role=img]")].filter(
		e => e.checkVisibility()).length`); n < 3 {
		t.Errorf("the page of a measure shows %d pictures", n)
	}
}

// choose picks the next option of a choice, with the keys, and returns its value.
func (w *walk) choose(t *testing.T, name string) string {
	t.Helper()
	field := `select[name="` + name + `"]`
	was := ask[string](t, w, `document.querySelector('`+field+`').value`)
	w.do(t, chromedp.Focus(chromedp.CSS(field)), chromedp.KeyEvent(kb.ArrowDown))
	if now := ask[string](t, w, `document.querySelector('`+field+`').value`); now != was {
		return now
	}
	w.do(t, chromedp.KeyEvent(kb.ArrowUp)) // It was the last.
	now := ask[string](t, w, `document.querySelector('`+field+`').value`)
	if now == was {
		t.Fatalf("%s of %s has no other option than %q", name, w.at(t), was)
	}
	return now
}

// show sends the form of choices.
func (w *walk) show(t *testing.T) {
	t.Helper()
	w.to(t, chromedp.Click(chromedp.CSS("form.choices button[type=submit]")))
}

func (w *walk) switchesTheReference(t *testing.T) {
	was := w.text(t, ".scope")
	want := w.choose(t, "reference")
	w.show(t)
	if got := w.asked(t, "reference"); got != want {
		t.Errorf("the reference is %q, want %q", got, want)
	}
	if now := w.text(t, ".scope"); now == was {
		t.Errorf("whatever is compared with, the page says %q", now)
	}
}

func (w *walk) filters(t *testing.T) {
	w.open(t, w.measure)
	all := w.text(t, "#title-provenance + *")
	if !ask[bool](t, w, `document.querySelector("form.choices details").open`) {
		w.do(t, chromedp.Click(chromedp.CSS("form.choices summary")))
	}
	const box = `form.choices input[name="where.site"]`
	site := ask[string](t, w, `document.querySelector('`+box+`').value`)
	w.do(t, chromedp.Click(chromedp.CSS(box)))
	w.show(t)
	if got := w.asked(t, "where.site"); got != site {
		t.Errorf("the filter is %q, want %q", got, site)
	}
	if now := w.text(t, "#title-provenance + *"); now == all {
		t.Error("the foot of the page does not say of whom it is")
	}
	if !ask[bool](t, w, `document.querySelector('`+box+`').checked`) {
		t.Error("the form forgets the filter")
	}
}

func (w *walk) choosesAPeriod(t *testing.T) {
	w.open(t, w.measure)
	was := w.text(t, ".scope")
	want := w.choose(t, "period")
	w.show(t)
	if got := w.asked(t, "period"); got != want {
		t.Errorf("the period is %q, want %q", got, want)
	}
	if now := w.text(t, ".scope"); now == was {
		t.Errorf("whatever the period, the page says %q", now)
	}
}

func (w *walk) readsATable(t *testing.T) {
	w.open(t, w.measure)
	const twin = "details.twin:not([open])"
	if n := ask[int](t, w, `document.querySelectorAll("`+twin+`").length`); n == 0 {
		t.Fatal("no table is folded")
	}
	if ask[bool](t, w, `document.querySelector("`+twin+` table").checkVisibility({contentVisibilityAuto: true})`) {
		t.Error("a folded table is seen")
	}
	w.do(t, chromedp.Click(chromedp.CSS(twin+" summary")))
	w.do(t, chromedp.WaitVisible(chromedp.CSS("details.twin[open] table caption")))
}

func (w *walk) compares(t *testing.T) {
	w.to(t, chromedp.Click(chromedp.CSS(`nav.main a[href^="/compare"]`)))
	for _, kind := range []string{"groups", "sites", "periods"} {
		for ask[string](t, w, `document.querySelector("select[name=kind]").value`) != kind {
			w.do(t, chromedp.Focus(chromedp.CSS("select[name=kind]")), chromedp.KeyEvent(kb.ArrowDown))
		}
		w.show(t)
		a := w.choose(t, "a")
		w.show(t)
		if got := w.asked(t, "kind") + " " + w.asked(t, "a"); got != kind+" "+a {
			t.Errorf("compared are %q, want %q", got, kind+" "+a)
		}
		if says := w.text(t, "main section.part .saidfirst"); says == "" {
			t.Errorf("%s says nothing", w.at(t))
		}
	}
}

// usesTheKeyboard goes from the overview to a measure that is filtered without a mouse.
func (w *walk) usesTheKeyboard(t *testing.T) {
	w.open(t, "/")
	w.do(t, chromedp.KeyEvent(kb.Tab))
	if at := ask[string](t, w, `document.activeElement.getAttribute("href")`); at != "#content" {
		t.Errorf("the first stop is %q, want the link that skips to the content", at)
	}
	if !ask[bool](t, w, `document.activeElement.getBoundingClientRect().top >= 0`) {
		t.Error("the link that skips to the content is not seen when it has the focus")
	}
	w.do(t, chromedp.KeyEvent(kb.Enter))
	if at := ask[string](t, w, `document.activeElement.id`); at != "content" {
		t.Errorf("the content is skipped to, and the focus is at %q", at)
	}
	for _, address := range []string{"/", w.measure, "/compare", "/measures", "/quality"} {
		w.open(t, address)
		found, err := pagetest.Tabbed(w.ctx)
		faults(t, address+" by keyboard")(found, err)
	}
	w.open(t, w.measure)
	if err := pagetest.Reach(w.ctx, "select[name=period]"); err != nil {
		t.Fatal(err)
	}
	w.do(t, chromedp.KeyEvent(kb.ArrowDown))
	want := ask[string](t, w, `document.activeElement.value`)
	if err := pagetest.Reach(w.ctx, "form.choices button"); err != nil {
		t.Fatal(err)
	}
	w.to(t, chromedp.KeyEvent(kb.Enter))
	if got := w.asked(t, "period"); got != want {
		t.Errorf("Enter sends the period %q, want %q", got, want)
	}
}
