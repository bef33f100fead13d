package auth_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/auth/authtest"
)

// FuzzAuthorize sends parameters from outside: a browser is sent nowhere but to the client's own
// address or to our own sign-in, and never with a code, since nobody was asked.
func FuzzAuthorize(f *testing.F) {
	s := newSite(f, nil)
	good := asked("spa", spaBack).Encode()
	f.Add(good)
	f.Add(asked("spa", "http://127.0.0.1:4711/cb").Encode())
	f.Add(strings.Replace(good, "spa.example", "spa.example%40evil.example", 1))
	f.Add(good + "&prompt=none&max_age=0&request_uri=urn:ietf:params:oauth:request_uri:x")
	f.Add("continue=x")
	f.Add("response_type=code&client_id=spa&redirect_uri=%2F%2Fevil.example")
	f.Fuzz(func(t *testing.T, query string) {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			r := httptest.NewRequestWithContext(t.Context(), method, "/oauth/authorize",
				strings.NewReader(query))
			if method == http.MethodGet {
				r.URL.RawQuery = query
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			rec := httptest.NewRecorder()
			s.mux.ServeHTTP(rec, r)
			text := rec.Header().Get("Location")
			to, err := url.Parse(text)
			if err != nil || rec.Code >= 500 || (text != "") != (rec.Code == http.StatusSeeOther) {
				t.Fatalf("%s %q = %d %q", method, query, rec.Code, text)
			}
			if text == "" {
				continue
			}
			ours := to.Host == "" && (to.Path == "/signin" || to.Path == "/oauth/authorize")
			theirs := to.Host == "spa.example" && to.Path == "/cb" ||
				to.Host == "dash.example" && to.Path == "/cb" ||
				to.Host == "house.example" && to.Path == "/cb" ||
				to.Hostname() == "127.0.0.1" && to.Path == "/cb"
			if !ours && !theirs || to.User != nil || to.Fragment != "" || to.Query().Has("code") {
				t.Errorf("%s %q = %q", method, query, text)
			}
		}
	})
}

// FuzzTokenOfPeople sends bodies to the token endpoint of a site with people: no token comes of
// them, and no failure of ours.
func FuzzTokenOfPeople(f *testing.F) {
	s := newSite(f, nil)
	given := s.tokens(f, "ana")
	f.Add(authtest.CodeForm("spa", spaBack, "elc_eA.AAAA.BBBB").Encode())
	f.Add(authtest.RefreshForm("spa", given.Text("refresh_token")[1:]).Encode())
	f.Add(authtest.RefreshForm("spa", given.Text("access_token")).Encode())
	f.Add("grant_type=refresh_token&client_id=spa&refresh_token=elr_..&scope=%22")
	f.Fuzz(func(t *testing.T, body string) {
		if strings.Contains(body, "elr_") && strings.Contains(body, given.Text("refresh_token")[4:]) {
			return // It is the one that is good.
		}
		for _, path := range []string{"/oauth/token", "/oauth/introspect", "/oauth/revoke"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path,
				strings.NewReader(body))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			answer := httptest.NewRecorder()
			s.mux.ServeHTTP(answer, r)
			if answer.Code >= 500 || strings.Contains(answer.Body.String(), "access_token") {
				t.Errorf("%s %q = %d %s", path, body, answer.Code, answer.Body)
			}
		}
	})
}
