package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/equitylens/equitylens/server"
)

// TestRequestsOfOtherSitesAreRefused is row 43 of the faults: what a page of somebody else's makes
// a browser send changes nothing where a cookie decides.
func TestRequestsOfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	const own, evil = "https://quality.example.org", "https://evil.example.org"
	tests := []struct {
		name, method, target string
		headers              []string
		want                 int
	}{
		{"our own page", "POST", "/signout", []string{"Sec-Fetch-Site: same-origin"}, 200},
		{"our own page, by its origin alone", "POST", "/signout", []string{"Origin: " + own}, 200},
		{"our own page behind a proxy that renames us", "POST", "/signout",
			[]string{"Sec-Fetch-Site: same-origin", "Origin: " + own}, 200},
		{"no browser", "POST", "/signout", nil, 200},
		{"somebody typed it", "POST", "/signout", []string{"Sec-Fetch-Site: none"}, 200},
		{"another site", "POST", "/signout", []string{"Sec-Fetch-Site: cross-site"}, 403},
		{"another site with its origin", "POST", "/signout",
			[]string{"Sec-Fetch-Site: cross-site", "Origin: " + evil}, 403},
		{"a neighbour of ours", "POST", "/signout",
			[]string{"Sec-Fetch-Site: same-site", "Origin: https://other.example.org"}, 403},
		{"another origin and an old browser", "POST", "/signout", []string{"Origin: " + evil}, 403},
		{"no origin at all", "POST", "/signout", []string{"Origin: null"}, 403},
		{"our origin over plain HTTP", "POST", "/signout",
			[]string{"Origin: http://quality.example.org"}, 403},
		{"another site that only looks", "GET", "/chart/h1", []string{"Sec-Fetch-Site: cross-site"}, 200},
		{"an EHR that launches", "GET", "/launch?iss=x&launch=y",
			[]string{"Sec-Fetch-Site: cross-site"}, 200},
		{"an app in a browser at the token endpoint", "POST", "/oauth/token",
			[]string{"Sec-Fetch-Site: cross-site", "Origin: " + evil}, 200},
		{"an app in a browser at PAR", "POST", "/oauth/par", []string{"Origin: " + evil}, 200},
		{"an app in a browser that revokes", "POST", "/oauth/revoke", []string{"Origin: " + evil}, 200},
		{"an app in a browser that introspects", "POST", "/oauth/introspect",
			[]string{"Origin: " + evil}, 200},
		{"an EHR in a browser at the CDS service", "POST", "/cds-services/equitylens-interpreter",
			[]string{"Sec-Fetch-Site: cross-site", "Origin: https://ehr.example.org"}, 200},
	}
	f := newFixture(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			headers := append([]string{"Cookie: __Host-session=1"}, tt.headers...)
			if w := f.call(tt.method, tt.target, "", headers...); w.Code != tt.want {
				t.Errorf("%s %s = %d, want %d: %s", tt.method, tt.target, w.Code, tt.want, w.Body)
			}
		})
	}
}

// TestAFormOfAnotherSiteBringsNoCookieToAuthorize: an app may send people there by a form, which
// can answer no question in their name.
func TestAFormOfAnotherSiteBringsNoCookieToAuthorize(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(c *server.Config) {
		c.OAuth.Authorize = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprintf(w, "%s %d", r.FormValue("client_id"), len(r.Cookies()))
		})
	})
	for _, tt := range []struct{ name, method, site, want string }{
		{"a form of another site", "POST", "cross-site", "app 0"},
		{"a form of a neighbour", "POST", "same-site", "app 0"},
		{"our own consent page", "POST", "same-origin", "app 1"},
		{"a link on another site", "GET", "cross-site", "app 1"},
	} {
		w := f.call(tt.method, "/oauth/authorize?client_id=app", "", "Sec-Fetch-Site: "+tt.site,
			"Cookie: __Host-session=1")
		if w.Body.String() != tt.want {
			t.Errorf("%s is seen as %q, want %q", tt.name, w.Body, tt.want)
		}
	}
}

// TestPagesHaveAPolicyOfTheirOwn: who may show the chart in a frame is for its page to say;
// everything else is framed by nobody.
func TestPagesHaveAPolicyOfTheirOwn(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(c *server.Config) { c.BehindProxy = true })
	chart := f.get("/chart/h1", "")
	if chart.Body.String() != "chart h1" {
		t.Errorf("the page sees %q", chart.Body)
	}
	for _, tt := range []struct{ path, policy string }{
		{"/chart/h1", "frame-ancestors https://ehr.example.org"},
		{"/", "default-src 'none'; frame-ancestors 'none'"},
		{"/fhir/metadata", "default-src 'none'; frame-ancestors 'none'"},
		{"/nothing", "default-src 'none'; frame-ancestors 'none'"},
	} {
		h := f.get(tt.path, "").Header()
		if h.Get("Content-Security-Policy") != tt.policy || h.Get("X-Content-Type-Options") != "nosniff" ||
			h.Get("Strict-Transport-Security") == "" || h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("GET %s has the headers %v", tt.path, h)
		}
	}
}

func TestATableThatNobodyDecidedAboutDoesNotStart(t *testing.T) {
	t.Parallel()
	handler := http.NotFoundHandler()
	for name, pages := range map[string][]server.Page{
		"neither session nor reason": {{Method: "GET", Path: "/x", Handler: handler}},
		"both":                       {{Method: "GET", Path: "/x", Handler: handler, Public: "why", Session: "how"}},
		"no handler":                 {{Method: "GET", Path: "/x", Public: "why"}},
		"no method":                  {{Path: "/x", Public: "why", Handler: handler}},
		"a page twice":               {{Method: "GET", Path: "/healthz", Public: "why", Handler: handler}},
		"a page of the API":          {{Method: "GET", Path: "/fhir/x", Session: "how", Handler: handler}},
	} {
		var tried error
		newFixture(t, func(c *server.Config) {
			bad := *c
			bad.Registry, bad.Pages = nil, pages
			_, tried = server.New(bad)
		})
		if tried == nil || !strings.Contains(tried.Error(), "route") {
			t.Errorf("%s: New() = %v", name, tried)
		}
	}
}

// TestWhatIsNotConfiguredIsNotThere: an endpoint without a handler is no route.
func TestWhatIsNotConfiguredIsNotThere(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(c *server.Config) {
		c.OAuth = server.OAuth{Token: c.OAuth.Token, Keys: c.OAuth.Keys, SMART: c.OAuth.SMART}
		c.CDS, c.Pages = server.CDS{}, nil
	})
	for _, path := range []string{
		"/oauth/authorize", "/oauth/par", "/oauth/introspect", "/oauth/revoke", "/cds-services",
		"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration", "/", "/launch",
	} {
		if w := f.get(path, ""); w.Code != http.StatusNotFound {
			t.Errorf("GET %s = %d", path, w.Code)
		}
	}
}

// TestAnybodysPagesMayReadWhatIsForEverybody is row 2 of the checklist.
func TestAnybodysPagesMayReadWhatIsForEverybody(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(c *server.Config) { c.Origins = []string{"https://app.example.org"} })
	for _, path := range []string{
		"/fhir/metadata", "/fhir/.well-known/smart-configuration", "/.well-known/jwks.json",
		"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration",
	} {
		for _, origin := range []string{"https://app.example.org", "https://other.example.org"} {
			w := f.call(http.MethodGet, path, "", "Origin: "+origin)
			if got := w.Header().Values("Access-Control-Allow-Origin"); w.Code != 200 || len(got) != 1 ||
				got[0] != "*" {
				t.Errorf("GET %s = %d, allowed is %v", path, w.Code, got)
			}
		}
	}
	for _, path := range []string{
		"/oauth/token", "/oauth/par", "/oauth/revoke", "/oauth/introspect", "/cds-services",
		"/cds-services/equitylens-interpreter", "/cds-services/equitylens-interpreter/feedback",
	} {
		if w := f.call(http.MethodOptions, path, ""); w.Code != http.StatusOK || w.Body.Len() == 0 {
			t.Errorf("OPTIONS %s is not for its handler: %d", path, w.Code)
		}
	}
}

// TestWhichOriginsMayCallTheAPI is row 2 of the checklist for the API.
func TestWhichOriginsMayCallTheAPI(t *testing.T) {
	t.Parallel()
	const app = "https://app.example.org"
	f := newFixture(t, func(c *server.Config) { c.Origins = []string{app} })
	asks := []string{"Access-Control-Request-Method: GET", "Access-Control-Request-Headers: authorization"}
	for _, tt := range []struct {
		name, method, path, origin string
		preflight                  bool
		status                     int
		allowed                    string
	}{
		{"the app asks whether it may", "OPTIONS", "/fhir/Measure", app, true, 204, app},
		{"whether it may ask about what is not there", "OPTIONS", "/fhir/nothing", app, true, 204, app},
		{"it calls", "GET", "/fhir/Measure", app, false, 200, app},
		{"it calls without a token", "GET", "/fhir/Library", app, false, 403, app},
		{"another asks", "OPTIONS", "/fhir/Measure", "https://evil.example.org", true, 405, ""},
		{"a prefix of it asks", "OPTIONS", "/fhir/Measure", app + ".evil", true, 405, ""},
		{"another calls", "GET", "/fhir/Measure", "https://evil.example.org", false, 200, ""},
		{"nobody's page asks", "OPTIONS", "/fhir/Measure", "null", true, 405, ""},
		{"it asks without saying what", "OPTIONS", "/fhir/Measure", app, false, 405, app},
		{"it asks at another door", "OPTIONS", "/sync", app, true, 405, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			headers := []string{"Origin: " + tt.origin, "Authorization: Bearer " + measureScope}
			if tt.preflight {
				headers = append(headers[:1], asks...)
			}
			w := f.call(tt.method, tt.path, "", headers...)
			h := w.Header()
			if w.Code != tt.status || h.Get("Access-Control-Allow-Origin") != tt.allowed {
				t.Errorf("%d, allowed is %q", w.Code, h.Get("Access-Control-Allow-Origin"))
			}
			if h.Get("Access-Control-Allow-Credentials") != "" {
				t.Error("a browser may send its cookies")
			}
			if w.Code == 204 && !strings.Contains(h.Get("Access-Control-Allow-Headers"), "Authorization") {
				t.Errorf("the headers that it may send are %q", h.Get("Access-Control-Allow-Headers"))
			}
			if strings.HasPrefix(tt.path, "/fhir") && h.Get("Vary") == "" {
				t.Error("a cache does not know that the origin matters")
			}
		})
	}
}

// limited is a server with small limits and a clock that the test moves.
func limited(t *testing.T, proxy bool) (*fixture, *time.Time) {
	t.Helper()
	at := now()
	return newFixture(t, func(c *server.Config) {
		c.Limits, c.BehindProxy = server.Limits{Address: 1, Client: 2}, proxy
		c.Now = func() time.Time { return at }
	}), &at
}

// askedTimes is how many of n requests are let through.
func askedTimes(n int, ask func() *httptest.ResponseRecorder) (through int, last *httptest.ResponseRecorder) {
	for range n {
		if last = ask(); last.Code != http.StatusTooManyRequests {
			through++
		}
	}
	return through, last
}

// TestLimits: who asks too often is told when to come again, and nobody else is.
func TestLimits(t *testing.T) {
	t.Parallel()
	f, at := limited(t, false)
	get := func(target, token string) func() *httptest.ResponseRecorder {
		return func() *httptest.ResponseRecorder { return f.get(target, token) }
	}
	for _, tt := range []struct {
		name, target, token string
		want                int
	}{
		{"a program on the API", "/fhir/Measure", "app@" + measureScope, 4},
		{"another program", "/fhir/Measure", "other@" + measureScope, 4},
		{"a person at the first program", "/fhir/Measure", "app+ann@user/Measure.rs", 4},
		{"another person", "/fhir/Measure", "app+bob@user/Measure.rs", 4},
		{"an address at the launch", "/launch", "", 5},
		{"the same at another door", "/oauth/authorize", "", 0},
		{"the CDS service", "/cds-services", "", 4},
		{"a page that shows a session", "/chart/h1", "", 4},
		{"a probe", "/healthz", "", 20},
		{"the keys", "/.well-known/jwks.json", "", 20},
	} {
		through, last := askedTimes(20, get(tt.target, tt.token))
		if through != tt.want {
			t.Errorf("%s: %d of 20 are let through, want %d", tt.name, through, tt.want)
		}
		if tt.want == 20 {
			continue
		}
		if last.Header().Get("Retry-After") != "1" {
			t.Errorf("%s: Retry-After is %q", tt.name, last.Header().Get("Retry-After"))
		}
		if strings.HasPrefix(tt.target, "/fhir") {
			if code, _ := outcome(t, last.Body.Bytes()); code != "THROTTLED" {
				t.Errorf("%s: the code is %s", tt.name, code)
			}
		}
	}
	*at = at.Add(3 * time.Second)
	if through, _ := askedTimes(20, get("/launch", "")); through != 3 {
		t.Errorf("after three seconds %d are let through, want 3", through)
	}
	if through, _ := askedTimes(20, get("/fhir/Measure", "app@"+measureScope)); through != 4 {
		t.Errorf("after three seconds %d are let through, want 4", through)
	}
}

// TestAddressesBehindAProxy: it is the proxy that says where somebody comes from, and nobody else;
// of IPv6 a whole network is one.
func TestAddressesBehindAProxy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		proxy bool
		from  func(i int) string
		want  int
	}{
		{"one address", true, func(int) string { return "192.0.2.7" }, 5},
		{"many addresses", true, func(i int) string { return fmt.Sprintf("192.0.2.%d", i) }, 20},
		{"one address that makes others up", true,
			func(i int) string { return fmt.Sprintf("198.51.100.%d, 192.0.2.7", i) }, 5},
		{"what is no address", true, func(i int) string { return fmt.Sprintf("x%d", i) }, 5},
		{"many of one network", true, func(i int) string { return fmt.Sprintf("2001:db8::%d", i) }, 5},
		{"many networks", true, func(i int) string { return fmt.Sprintf("2001:db8:0:%d::1", i) }, 20},
		{"no proxy", false, func(i int) string { return fmt.Sprintf("192.0.2.%d", i) }, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f, _ := limited(t, tt.proxy)
			i := 0
			through, _ := askedTimes(20, func() *httptest.ResponseRecorder {
				i++
				return f.call(http.MethodGet, "/launch", "", "X-Forwarded-For: "+tt.from(i))
			})
			if through != tt.want {
				t.Errorf("%d of 20 are let through, want %d", through, tt.want)
			}
		})
	}
}

// TestAPageKnowsWhereARequestComesFrom: an address alone, as the audit trail wants it, and behind a proxy
// not that of the proxy.
func TestAPageKnowsWhereARequestComesFrom(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, header, want string
		proxy              bool
	}{
		{"no proxy", "", "192.0.2.1", false},
		{"no proxy, and a header that anybody may write", "198.51.100.9", "192.0.2.1", false},
		{"a proxy", "203.0.113.9, 198.51.100.9", "198.51.100.9", true},
		{"a proxy that says nothing", "", "192.0.2.1", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := ""
			f := newFixture(t, func(c *server.Config) {
				c.BehindProxy = tt.proxy
				c.Pages = []server.Page{{
					Method: http.MethodGet, Path: "/where", Public: "it says from where",
					Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
						got = server.Address(r)
					}),
				}}
			})
			f.call(http.MethodGet, "/where", "", "X-Forwarded-For: "+tt.header)
			if got != tt.want {
				t.Errorf("Address = %q, want %q", got, tt.want)
			}
		})
	}
}

// TestTheLimitsOfTheDefaultLetABusyClientThrough: the rate at which one client may read a kept
// report.
func TestTheLimitsOfTheDefaultLetABusyClientThrough(t *testing.T) {
	t.Parallel()
	at := now()
	f := newFixture(t, func(c *server.Config) {
		c.Limits, c.Now = server.DefaultLimits(), func() time.Time { return at }
	})
	through, _ := askedTimes(1000, func() *httptest.ResponseRecorder {
		at = at.Add(2 * time.Millisecond)
		return f.get("/fhir/Measure/nothing", measureScope)
	})
	if through != 1000 {
		t.Errorf("%d of 1000 requests within two seconds are let through", through)
	}
}
