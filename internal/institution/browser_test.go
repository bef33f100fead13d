package institution_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

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
	for _, s := range scenes(t) {
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
	for i, s := range scenes(t) {
		for k, v := range []pagetest.View{views[i%len(views)], views[(i+3)%len(views)]} {
			lang := []string{"en", "es"}[(i+k)%2]
			t.Run(s.name+"-"+lang+"-"+v.String(), func(t *testing.T) {
				if err := chromedp.Do(ctx, chromedp.Steps(pagetest.See(v), chromedp.Navigate(base+"/"+lang+"/"+s.name))); err != nil {
					t.Fatalf("open the page: %v", err)
				}
				pagetest.Picture(ctx, t, "institution-"+s.name+"-"+lang+"-"+v.String())
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
