package main

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/equitylens/equitylens/server/page/pagetest"
)

// corner is a page of the dashboard under the name that its pictures have.
type corner struct{ name, address string }

// corners are the pages that are looked at in every way.
func (w *walk) corners() []corner {
	return []corner{
		{"overview", "/"},
		{"public", "/?audience=public"},
		{"measure", w.measure},
		{"print", with(w.measure, "view", "print")},
		{"compare", "/compare"},
		{"sites", "/compare?kind=sites"},
		{"definitions", "/measures"},
		{"quality", "/quality"},
	}
}

// with adds a parameter to an address.
func with(address, name, value string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic(err) // The address is that of a page that was shown.
	}
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return u.String()
}

// verdict is what was found of a page in all the ways in which it was looked at.
type verdict struct {
	looks, passed, violations int
	unsure                    map[string]int
}

// left names the rules that are left to a person to judge.
func (v verdict) left() string {
	var out []string
	for _, rule := range slices.Sorted(maps.Keys(v.unsure)) {
		out = append(out, fmt.Sprintf("%s %d", rule, v.unsure[rule]))
	}
	return strings.Join(out, ", ")
}

// looksAround looks at every page in each language, scheme and width.
func (w *walk) looksAround(t *testing.T) {
	verdicts := map[string]verdict{}
	for _, c := range w.corners() {
		for _, lang := range []string{"en", "es"} {
			t.Run(c.name+" "+lang, func(t *testing.T) {
				w.open(t, with(c.address, "lang", lang))
				if got := ask[string](t, w, "document.documentElement.lang"); got != lang {
					t.Errorf("the language is %q, want %q", got, lang)
				}
				w.pictures(t, c.name, lang)
				verdicts[c.name] = w.looks(t, verdicts[c.name])
				if said := w.says.Take(); len(said) > 0 {
					t.Errorf("the browser says:\n%s", strings.Join(said, "\n"))
				}
			})
		}
	}
	var table strings.Builder
	fmt.Fprintf(&table, "%-12s %6s %13s %11s  %s\n", "page", "looks", "rules passed", "violations", "left to a person")
	for _, c := range w.corners() {
		v := verdicts[c.name]
		fmt.Fprintf(&table, "%-12s %6d %13d %11d  %s\n", c.name, v.looks, v.passed, v.violations, v.left())
	}
	t.Logf("axe-core on WCAG 2.0, 2.1 and 2.2, levels A and AA:\n%s", &table)
}

// views are the ways in which every page is looked at, in each language.
func views() []pagetest.View {
	return []pagetest.View{
		{Width: 1440}, {Width: 1440, Dark: true}, {Width: 320, Dark: true}, {Width: 320},
	}
}

// pictures takes a picture of what is open in every way, if anybody has asked for pictures.
func (w *walk) pictures(t *testing.T, name, lang string) {
	t.Helper()
	for _, view := range views() {
		w.do(t, pagetest.See(view))
		pagetest.Picture(w.ctx, t, fmt.Sprintf("%s-%v-%s", name, view, lang))
	}
	w.do(t, pagetest.See(pagetest.View{Width: 1440}))
}

// looks looks at the page that is open, as it opens and with everything on it unfolded.
func (w *walk) looks(t *testing.T, v verdict) verdict {
	t.Helper()
	moving, err := pagetest.Moving(w.ctx)
	faults(t, "it moves")(moving, err)
	if w.axe != nil {
		if err := w.axe.Load(w.ctx); err != nil {
			t.Fatal(err)
		}
		for _, view := range views() {
			w.do(t, pagetest.See(view))
			v = w.judged(t, v, view.String())
		}
	}
	if err := pagetest.Open(w.ctx); err != nil {
		t.Fatal(err)
	}
	for _, width := range []int64{320, 1440, 1440 / 2} { // Twice the size is half the width.
		w.do(t, pagetest.See(pagetest.View{Width: width}))
		w.fits(t, fmt.Sprintf("%d px wide", width))
	}
	w.do(t, pagetest.See(pagetest.View{Width: 1440}))
	if w.axe != nil {
		v = w.judged(t, v, "unfolded")
	}
	return v
}

// judged adds to a verdict what axe-core says of the page that is open.
func (w *walk) judged(t *testing.T, v verdict, how string) verdict {
	t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	audit, err := w.axe.Check(ctx)
	faults(t, "axe, "+how)(audit.Violations, err)
	v.looks++
	v.violations += len(audit.Violations)
	v.passed = max(v.passed, audit.Passed)
	if v.unsure == nil {
		v.unsure = map[string]int{}
	}
	for rule, n := range audit.Unsure {
		v.unsure[rule] = max(v.unsure[rule], n)
	}
	return v
}

// fits holds what is open to the width of the window, and controls to the width of a finger.
func (w *walk) fits(t *testing.T, how string) {
	t.Helper()
	wide, err := pagetest.Wide(w.ctx)
	faults(t, "too wide, "+how)(wide, err)
	small, err := pagetest.Small(w.ctx)
	faults(t, "too small, "+how)(small, err)
	cut, err := pagetest.Cut(w.ctx)
	faults(t, "cut off, "+how)(cut, err)
}

// forcesColors holds pictures to what somebody sees whose computer has its own colours.
func (w *walk) forcesColors(t *testing.T) {
	for _, c := range w.corners() {
		w.open(t, c.address)
		want, err := pagetest.Marks(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, view := range []pagetest.View{{Width: 1440, Forced: true}, {Width: 1440, Forced: true, Dark: true}} {
			w.do(t, pagetest.See(view))
			got, err := pagetest.Marks(w.ctx)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s shows %v marks in each picture, and %v in colours that are forced", c.name, want, got)
			}
			if !view.Dark {
				pagetest.Picture(w.ctx, t, c.name+"-"+view.String()+"-en")
			}
		}
		w.do(t, pagetest.See(pagetest.View{Width: 1440}))
	}
}

// speaksSpanish follows links and a form, which keep the language.
func (w *walk) speaksSpanish(t *testing.T) {
	spanish := func(after string) {
		t.Helper()
		if got := ask[string](t, w, "document.documentElement.lang"); got != "es" {
			t.Errorf("after %s the language is %q at %s", after, got, w.at(t))
		}
	}
	w.open(t, "/")
	w.to(t, chromedp.Click(chromedp.CSS(`a[hreflang="es"]`)))
	spanish("the link")
	w.to(t, chromedp.Click(chromedp.CSS("#findings li .next a")))
	spanish("a finding")
	w.choose(t, "reference")
	w.show(t)
	spanish("the form of a measure")
	w.to(t, chromedp.Click(chromedp.CSS(`a[hreflang="en"]`)))
	if got, want := w.asked(t, "reference"), ask[string](t, w, `document.querySelector("select[name=reference]").value`); got != want {
		t.Errorf("the other language is of the reference %q, and the form says %q", got, want)
	}
	w.to(t, chromedp.Click(chromedp.CSS(`a[hreflang="es"]`)))
	spanish("the link of a measure")
	for i := range ask[int](t, w, `document.querySelectorAll("nav.main a").length`) {
		w.to(t, chromedp.Click(chromedp.CSS(fmt.Sprintf("nav.main li:nth-child(%d) a", i+1))))
		spanish("the navigation")
	}
}

// doesWithoutScripts opens every page in a browser that runs no script.
func (w *walk) doesWithoutScripts(t *testing.T) {
	w.do(t, pagetest.Scripts(false))
	defer w.do(t, pagetest.Scripts(true))
	for _, c := range w.corners() {
		w.open(t, c.address)
		if got := ask[int](t, w, `document.querySelectorAll("h2").length`); got == 0 {
			t.Errorf("%s is empty", c.name)
		}
	}
	w.open(t, "/")
	w.to(t, chromedp.Click(chromedp.CSS("#findings li .next a")))
	want := w.choose(t, "period")
	w.show(t)
	if got := w.asked(t, "period"); got != want {
		t.Errorf("the form sends the period %q, want %q", got, want)
	}
	w.do(t, chromedp.Click(chromedp.CSS("details.twin:not([open]) summary")))
	w.do(t, chromedp.WaitVisible(chromedp.CSS("details.twin[open] table caption")))
}
