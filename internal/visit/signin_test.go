package visit_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/equitylens/equitylens/auth"
	"github.com/equitylens/equitylens/fhir/fhirtest"
	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/internal/visit"
)

// serve is another server for the length of a test; it returns its address.
func serve(t *testing.T, handler http.Handler) string {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.URL
}

func TestSignInLeadsBackWithTheRolesOfTheRoster(t *testing.T) {
	t.Parallel()
	r := open(t, settings{})
	got := r.get(r.url + "/account")
	if got.status != http.StatusOK || got.url.Path != "/account" {
		t.Fatalf("%d at %s\n%s\n%s", got.status, got.url, got.body, r.log)
	}
	if !strings.Contains(got.body, "Wen Adeyemi") || !strings.Contains(got.body, "Quality analyst") {
		t.Errorf("the account does not say who is signed in, and as what:\n%s", got.body)
	}
	if home := r.get(r.url + "/"); home.status != http.StatusOK || home.url.Path != "/" {
		t.Errorf("home: %d at %s", home.status, home.url)
	}
	out, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/signout", nil)
	if err != nil {
		t.Fatal(err)
	}
	if left := r.send(out); left.status != http.StatusOK {
		t.Errorf("sign-out: %d", left.status)
	}
	r.browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if after := r.get(r.url + "/account"); after.status != http.StatusSeeOther {
		t.Errorf("after sign-out the account is shown: %d", after.status)
	}
}

// A program may ask for a fresh sign-in of somebody who has signed in: the browser must not be sent back as
// it came, or it never ends.
func TestWhoeverIsSentToSignInSignsIn(t *testing.T) {
	t.Parallel()
	r := open(t, settings{})
	if got := r.get(r.url + "/account"); got.status != http.StatusOK {
		t.Fatalf("%d at %s", got.status, got.url)
	}
	r.browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	got := r.get(r.url + visit.SignInURL("/oauth/authorize?continue=x"))
	if to := got.header.Get("Location"); !strings.HasPrefix(to, visit.SignInPath+"/"+tenantName+"?") {
		t.Errorf("%d, sent to %q", got.status, to)
	}
}

// TestSignInAtAProvider: OpenID Connect, without FHIR.
func TestSignInAtAProvider(t *testing.T) {
	t.Parallel()
	r := open(t, settings{second: true})
	if ways := r.get(r.url + "/signin?next=/account"); !strings.Contains(ways.body, "/signin/hospital?next=") ||
		strings.Contains(ways.body, "/signin/south") {
		t.Errorf("the ways to sign in are:\n%s", ways.body)
	}
	got := r.get(r.url + "/signin/hospital?next=/account")
	if got.status != http.StatusOK || !strings.Contains(got.body, "hospital") ||
		!strings.Contains(got.body, "Quality analyst") {
		t.Errorf("%d\n%s\n%s", got.status, got.body, r.log)
	}
	// Who comes again has to prove anew who they are, and the provider is told so; an EHR is not.
	r.browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for way, want := range map[string]string{"hospital": "login", tenantName: ""} {
		asked, err := url.Parse(r.get(r.url + "/signin/" + way).header.Get("Location"))
		if err != nil || asked.Query().Get("state") == "" || asked.Query().Get("prompt") != want {
			t.Errorf("%s is asked with prompt %q, want %q (%v)", way, asked.Query().Get("prompt"), want, err)
		}
	}
	r.browser = newBrowser(t)
	if got := r.get(r.url + "/signin/south"); got.status != http.StatusNotFound {
		t.Errorf("an EHR at which nobody signs in: %d", got.status)
	}
}

func TestSomebodyWithoutARoleIsNotLetIn(t *testing.T) {
	t.Parallel()
	r := open(t, settings{change: func(c *fhirtest.Config) { c.SignInAs = "theo-marsh" }})
	if got := r.get(r.url + "/account"); got.status != http.StatusForbidden {
		t.Errorf("%d\n%s", got.status, got.body)
	}
	r.browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if after := r.get(r.url + "/account"); after.status != http.StatusSeeOther {
		t.Errorf("somebody without a role has a session: %d", after.status)
	}
}

// TestNextStaysHere: whoever sends people here to sign in cannot have them sent on.
func TestNextStaysHere(t *testing.T) {
	t.Parallel()
	r := open(t, settings{})
	for _, next := range []string{
		"//evil.example", "https://evil.example", `/\evil.example`, "/%2f/evil.example", "javascript:alert(1)",
		"/\tx", "evil", "/..//evil.example",
	} {
		for _, path := range []string{"/signin", "/signin/" + tenantName} {
			got := r.get(r.url + path + "?next=" + url.QueryEscape(next))
			if got.status != http.StatusBadRequest {
				t.Errorf("%s with next %q: %d at %s", path, next, got.status, got.url)
			}
		}
	}
}

func TestUnknownWayToSignIn(t *testing.T) {
	t.Parallel()
	r := open(t, settings{})
	if got := r.get(r.url + "/signin/south"); got.status != http.StatusNotFound {
		t.Errorf("%d", got.status)
	}
	if got := r.get(r.url + "/signin"); got.status != http.StatusOK || !strings.Contains(got.body, "/signin/"+tenantName) {
		t.Errorf("the list of ways: %d\n%s", got.status, got.body)
	}
}

// TestBarredPeopleAreSignedOut: an administrator has ended their sessions.
func TestBarredPeopleAreSignedOut(t *testing.T) {
	t.Parallel()
	r := open(t, settings{})
	if got := r.get(r.url + "/account"); got.status != http.StatusOK {
		t.Fatalf("%d", got.status)
	}
	r.bars.mu.Lock()
	r.bars.names[auth.Pseudonym(r.base, "wen-adeyemi")] = r.clock.Now()
	r.bars.mu.Unlock()
	r.browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if got := r.get(r.url + "/account"); got.status != http.StatusSeeOther {
		t.Errorf("a barred person still has a session: %d", got.status)
	}
	r.browser.CheckRedirect = nil
	r.clock.move(time.Minute)
	if got := r.get(r.url + "/account"); got.status != http.StatusOK {
		t.Errorf("they cannot sign in again: %d\n%s", got.status, got.body)
	}
	// Nobody is let in while it cannot be asked who was sent away.
	r.bars.mu.Lock()
	r.bars.fault = http.ErrServerClosed
	r.bars.mu.Unlock()
	if got := r.get(r.url + "/account"); got.status != http.StatusInternalServerError {
		t.Errorf("without an answer of the store: %d", got.status)
	}
}

// TestWithoutOurStoreNobodyIsLetIn: what cannot be looked up is not believed, and the EHR is not blamed.
func TestWithoutOurStoreNobodyIsLetIn(t *testing.T) {
	t.Parallel()
	r := open(t, settings{})
	chart := r.launch(situation(t, r, population.NoInterpreter))
	r.get(r.url + "/account")
	r.down.Store(true)
	for _, address := range []string{
		chart.url.String(), r.url + "/account", r.url + "/signin/" + tenantName,
		r.launchURL(fhirtest.LaunchContext{Patient: situation(t, r, population.HarmEvent).Patient}),
	} {
		if got := r.get(address); got.status != http.StatusServiceUnavailable {
			t.Errorf("%s: %d, want 503\n%s", got.url.Path, got.status, r.log)
		}
	}
	r.down.Store(false)
	if got := r.get(chart.url.String()); got.status != http.StatusOK {
		t.Errorf("afterwards the chart is %d", got.status)
	}
}
