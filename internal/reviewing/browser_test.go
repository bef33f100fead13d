package reviewing_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/server/page/pagetest"
)

// staged serves every scene at its name, as it was answered.
func staged(t *testing.T) string {
	t.Helper()
	pages, err := written()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/assets/", pages.Assets())
	for _, s := range scenes() {
		for _, lang := range []string{"en", "es"} {
			got := s.play(t, lang)
			mux.HandleFunc("/"+lang+"/"+s.name, func(w http.ResponseWriter, _ *http.Request) {
				for name, values := range got.header {
					w.Header()[name] = values
				}
				_, _ = w.Write([]byte(got.body))
			})
		}
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// findings are what is wrong with the page that is open, to look at.
func findings(ctx context.Context) []string {
	var all []string
	for _, look := range []func(context.Context) ([]string, error){pagetest.Wide, pagetest.Small, pagetest.Moving} {
		found, err := look(ctx)
		if err != nil {
			return []string{err.Error()}
		}
		all = append(all, found...)
	}
	return all
}

func TestPagesInABrowser(t *testing.T) {
	t.Parallel()
	base := staged(t)
	ctx := pagetest.Browser(t)
	heard, err := pagetest.Listen(ctx)
	if err != nil {
		t.Fatal(err)
	}
	axe, err := pagetest.LoadAxe()
	if err != nil {
		t.Fatal(err)
	}
	if axe == nil {
		t.Log(pagetest.Unchecked)
	}
	views := []pagetest.View{{Width: 320}, {Width: 1440}, {Width: 320, Dark: true}, {Width: 1440, Dark: true}, {Forced: true}}
	// Each page is looked at in two ways, and all pages together in all of them.
	for i, s := range scenes() {
		for k, v := range []pagetest.View{views[i%len(views)], views[(i+3)%len(views)]} {
			lang := []string{"en", "es"}[(i+k)%2]
			t.Run(s.name+"-"+lang+"-"+v.String(), func(t *testing.T) {
				if err := chromedp.Do(ctx, chromedp.Steps(pagetest.See(v), chromedp.Navigate(base+"/"+lang+"/"+s.name))); err != nil {
					t.Fatalf("open the page: %v", err)
				}
				pagetest.Picture(ctx, t, "reviewing-"+s.name+"-"+lang+"-"+v.String())
				if err := pagetest.Open(ctx); err != nil {
					t.Fatal(err)
				}
				if found := findings(ctx); len(found) > 0 {
					t.Errorf("the page:\n%s", strings.Join(found, "\n"))
				}
				if axe != nil {
					audited(ctx, t, axe)
				}
				if said := heard.Take(); len(said) > 0 {
					t.Errorf("the browser complains:\n%s", strings.Join(said, "\n"))
				}
			})
		}
	}
}

// audited holds the page that is open to WCAG.
func audited(ctx context.Context, t *testing.T, axe *pagetest.Axe) {
	t.Helper()
	if err := axe.Load(ctx); err != nil {
		t.Fatal(err)
	}
	found, err := axe.Check(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found.Violations {
		t.Error(f)
	}
}

// TestAReviewByKeyboard fills in the form of a review without a mouse, makes a mistake, is led to it, and
// mends it.
func TestAReviewByKeyboard(t *testing.T) {
	t.Parallel()
	w := newWorld(t, review.OneReviewer)
	server := httptest.NewServer(w.reviewer(t, "ann").handler)
	t.Cleanup(server.Close)
	ctx := pagetest.Browser(t)
	id := idOf(canaryEvent)
	press := func(keys ...string) {
		t.Helper()
		if err := chromedp.Do(ctx, chromedp.KeyEvent(strings.Join(keys, ""))); err != nil {
			t.Fatal(err)
		}
	}
	reach := func(selector string) {
		t.Helper()
		if err := pagetest.Reach(ctx, selector); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(script string) string {
		t.Helper()
		said, err := chromedp.Run(ctx, chromedp.Evaluate[string](script))
		if err != nil {
			t.Fatal(err)
		}
		return said
	}
	if err := chromedp.Do(ctx, chromedp.Steps(pagetest.Scripts(false), chromedp.Navigate(server.URL+"/reviews/"+id))); err != nil {
		t.Fatal(err)
	}
	reach("input[name=answer]")
	press(" ")
	reach("#answer-factors")
	press(" ")
	reach("input[name=detection]")
	press(kb.ArrowDown)
	reach("#answer .answers button")
	send(ctx, t, kb.Enter, ".wrong")
	if got := ask(`location.hash + " " + document.querySelector(".wrong a").getAttribute("href")`); got != "#answer-wrong #answer-evidence" {
		t.Errorf("the page stands at %s", got)
	}
	if got := ask(`document.querySelector("input[name=detection]:checked").value`); got != "triggered" {
		t.Errorf("the form has %q", got)
	}
	reach(".wrong a")
	press(kb.Enter)
	if got := ask(`location.hash`); got != "#answer-evidence" {
		t.Errorf("the summary leads to %s", got)
	}
	reach("#answer-evidence")
	press("The phone of the interpreters was down.")
	reach("#answer .answers button")
	send(ctx, t, kb.Enter, "#came")
	if got := ask(`document.querySelector("#came").innerText`); !strings.Contains(got, "Inequity contributed: Yes (Language access).") {
		t.Errorf("the page says %q", got)
	}
	document, err := w.desk.Review(t.Context(), id)
	if err != nil || document.Settlement == nil || document.Opinions[0].Evidence != "The phone of the interpreters was down." {
		t.Errorf("the store holds %+v, %v", document, err)
	}
}

// send presses a key and waits for what the next page shows.
func send(ctx context.Context, t *testing.T, key, selector string) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Steps(chromedp.KeyEvent(key), chromedp.WaitVisible(selector))); err != nil {
		t.Fatalf("wait for %s: %v", selector, err)
	}
}

// TestAReviewOnPaper holds the print of a review to what was decided, without what can be pressed.
func TestAReviewOnPaper(t *testing.T) {
	t.Parallel()
	base := staged(t)
	ctx := pagetest.Browser(t)
	if err := chromedp.Do(ctx, chromedp.Navigate(base+"/en/review_settled")); err != nil {
		t.Fatal(err)
	}
	pdf, pages, err := pagetest.Print(ctx, chromedp.PaperA4)
	if err != nil {
		t.Fatal(err)
	}
	pagetest.Keep(t, "reviewing-review.pdf", pdf)
	if pages < 1 || pages > 4 {
		t.Errorf("%d sheets", pages)
	}
	said, ok, err := pagetest.Printed(ctx, pdf)
	if err != nil || !ok {
		t.Skipf("the print cannot be read: %v", err)
	}
	for _, want := range []string{"What the review came to", "Medication mishap", "The consent form was in English alone."} {
		if !strings.Contains(said, want) {
			t.Errorf("the print does not say %q", want)
		}
	}
	if i := slices.IndexFunc([]string{"Open it again", "Reviews by state"}, func(s string) bool { return strings.Contains(said, s) }); i >= 0 {
		t.Error("the print holds what can be pressed")
	}
}
