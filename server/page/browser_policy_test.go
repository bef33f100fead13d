package page_test

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/page/pagetest"
)

// elsewhere is a site of somebody else: it puts what it is asked for into a frame, and is where a program
// receives an answer, of which it tells.
func elsewhere(t *testing.T) (base string, answered <-chan bool) {
	t.Helper()
	back := make(chan bool, 10)
	mux := http.NewServeMux()
	mux.HandleFunc("/frame", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, `<!DOCTYPE html><title>frame</title><iframe src="%s"></iframe>`,
			html.EscapeString(r.FormValue("of")))
	})
	mux.HandleFunc("/back", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
		back <- true
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL, back
}

// shown serves one page at /page, and counts how often it was drawn: a browser that refuses to show a page
// does not ask for its style sheet.
func shown(t *testing.T, one write) (base string, drawn *atomic.Int64) {
	t.Helper()
	p, drawn := newPages(t), new(atomic.Int64)
	mux := http.NewServeMux()
	mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) { one(p, w, r) })
	mux.HandleFunc(page.AssetPath, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".css") {
			drawn.Add(1)
		}
		p.Assets().ServeHTTP(w, r)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL, drawn
}

func TestOnlyRegisteredEHRsFrameThePageInABrowser(t *testing.T) {
	ctx := pagetest.Browser(t)
	ehr, _ := elsewhere(t)
	for _, test := range []struct {
		name string
		in   write
		want bool
	}{
		{"the chart, in a registered EHR", chartIn(ehr), true},
		{"the chart, in another", chartIn("https://ehr.example.org"), false},
		{"the question of consent, in a registered EHR", consentTo(ehr), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			base, drawn := shown(t, test.in)
			if err := chromedp.Do(ctx, chromedp.Navigate(ehr+"/frame?of="+base+"/page")); err != nil {
				t.Fatalf("open the frame: %v", err)
			}
			if got := drawn.Load() > 0; got != test.want {
				t.Errorf("the frame shows the page: %v, want %v", got, test.want)
			}
		})
	}
}

// The answer of a person has to reach the program that asked, which is another site: browsers hold the
// redirect against the policy of the page with the form.
func TestConsentReachesTheProgramInABrowser(t *testing.T) {
	ctx := pagetest.Browser(t)
	program, answered := elsewhere(t)
	for _, answer := range []string{page.Allow, page.Deny} {
		t.Run(answer, func(t *testing.T) {
			sent := make(chan [3]string, 1)
			p := newPages(t)
			mux := http.NewServeMux()
			mux.HandleFunc("GET /page", func(w http.ResponseWriter, r *http.Request) {
				p.Consent(w, r, http.StatusOK, page.Consent{
					ClientID: "c", Action: "/answer", Handle: "h1", ReturnOrigin: program,
				})
			})
			mux.Handle("POST /answer", http.NewCrossOriginProtection().Handler(http.HandlerFunc(
				func(w http.ResponseWriter, r *http.Request) {
					sent <- [3]string{
						r.PostFormValue("handle"), r.PostFormValue("answer"), r.Header.Get("Origin"),
					}
					http.Redirect(w, r, program+"/back", http.StatusSeeOther)
				})))
			server := httptest.NewServer(mux)
			t.Cleanup(server.Close)
			err := chromedp.Do(ctx, chromedp.Navigate(server.URL+"/page"),
				chromedp.Click(chromedp.CSS(`button[value="`+answer+`"]`)))
			if err != nil {
				t.Fatalf("answer: %v", err)
			}
			const patience = 30 * time.Second
			select {
			case <-answered:
			case <-time.After(patience):
				t.Fatal("the program hears nothing")
			}
			if got, want := <-sent, [3]string{"h1", answer, server.URL}; got != want {
				t.Errorf("the form sends %q, want %q", got, want)
			}
		})
	}
}
