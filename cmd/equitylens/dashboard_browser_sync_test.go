package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/equitylens/equitylens/server/page/pagetest"
)

// The parts of the page that tell of the sync.
const (
	startSync  = `#run form button[type=submit]`
	lookAgain  = `#run a[data-live=refresh]`
	syncStatus = `#run [data-live=says]`
)

// underway reports whether the page that is open says that a sync is under way.
func (w *walk) underway(t *testing.T) bool {
	t.Helper()
	return ask[bool](t, w, `document.querySelector("#run").classList.contains("running")`)
}

// syncsAlive starts a sync from the page, which then tells by itself how far it is.
func (w *walk) syncsAlive(t *testing.T) {
	// Whatever the page says of the sync from when it is there, in the order in which it is said.
	const keep = `addEventListener("DOMContentLoaded", () => {
		const run = document.querySelector("#run");
		if (!run) return;
		const say = () => {
			const now = (run.classList.contains("running") ? "running: " : "") +
				run.querySelector("[data-live=says]").textContent;
			if (now !== told.at(-1)) told.push(now);
		};
		window.told = [];
		say();
		new MutationObserver(say).observe(run, {subtree: true, childList: true, characterData: true, attributes: true});
	})`
	kept, err := chromedp.Call(w.ctx, cdpage.AddScriptToEvaluateOnNewDocument,
		cdpage.AddScriptToEvaluateOnNewDocumentParams{Source: keep})
	if err != nil {
		t.Fatal(err)
	}
	w.signIn(t, "mika-tan")
	w.open(t, "/quality")
	w.to(t, chromedp.Click(chromedp.CSS(startSync)))
	var told []string
	w.until(t, "the sync ends", func() bool {
		told = ask[[]string](t, w, "told")
		return len(told) > 1 && !strings.HasPrefix(told[len(told)-1], "running: ")
	})
	running := slices.DeleteFunc(slices.Clone(told), func(s string) bool { return !strings.HasPrefix(s, "running: ") })
	if len(running) < 2 {
		t.Errorf("without being asked again, the page tells of the sync only:\n%s", strings.Join(told, "\n"))
	}
	_, err = chromedp.Call(w.ctx, cdpage.RemoveScriptToEvaluateOnNewDocument,
		cdpage.RemoveScriptToEvaluateOnNewDocumentParams(kept))
	if err != nil {
		t.Fatal(err)
	}
}

// syncsWithoutScripts starts a sync in each language in a browser that runs no script: the page says how
// far it is when it is asked. While it does, it is looked at as every other page is.
func (w *walk) syncsWithoutScripts(t *testing.T) {
	var v verdict
	for _, lang := range []string{"en", "es"} {
		w.do(t, pagetest.Scripts(false))
		w.open(t, with("/quality", "lang", lang))
		w.to(t, chromedp.Click(chromedp.CSS(startSync)))
		if !w.underway(t) {
			t.Errorf("just after the start of a sync the page says %q", w.text(t, syncStatus))
		}
		if got := ask[string](t, w, "document.documentElement.lang"); got != lang {
			t.Errorf("the button leads to the language %q, want %q", got, lang)
		}
		// The script of the page has not been run, and so the page stays as it is.
		w.do(t, pagetest.Scripts(true))
		w.pictures(t, "quality", lang)
		v = w.looks(t, v)
		w.do(t, pagetest.Scripts(false), pagetest.See(pagetest.View{Width: 1440}))
		w.until(t, "the sync ends", func() bool {
			w.to(t, chromedp.Click(chromedp.CSS(lookAgain)))
			return !w.underway(t)
		})
		if ask[bool](t, w, `document.querySelector("`+syncStatus+`").textContent.trim() === ""`) {
			t.Error("the page does not say how the sync ended")
		}
	}
	w.do(t, pagetest.Scripts(true))
	t.Logf("axe-core on the page of the sync: %s", v)
}

// String is one line of the summary.
func (v verdict) String() string {
	return fmt.Sprintf("%d looks, %d rules passed, %d violations, left to a person: %s",
		v.looks, v.passed, v.violations, v.left())
}
