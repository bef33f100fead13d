package main

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/equitylens/equitylens/auth/authtest"
)

// TestConformanceA6 does everything wrong that Inferno does wrong.
func TestConformanceA6(t *testing.T) {
	t.Parallel()
	l := openLens(t)
	good := l.code(t, analystUser, everyScope)
	exchanges := []struct {
		name   string
		change func(url.Values)
		want   string
	}{
		{"a code of nobody", func(f url.Values) { f.Set("code", "BADCODE") }, "invalid_grant"},
		{"a client of nobody", func(f url.Values) { f.Set("client_id", "SAMPLE_CLIENT") }, "invalid_client"},
		{"no client", func(f url.Values) { f.Del("client_id") }, "invalid_client"},
		{"another redirect address", func(f url.Values) { f.Set("redirect_uri", officeRedirect) },
			"invalid_grant"},
	}
	for _, c := range exchanges {
		form := authtest.CodeForm("board", boardRedirect, good)
		c.change(form)
		l.refused(t, c.name, form, c.want)
	}
	verifiers := []struct{ name, verifier string }{
		{"no verifier", ""}, {"a blank verifier", " "},
		{"another verifier", authtest.Verifier + "y"},
		{"the challenge as the verifier", authtest.Challenge(authtest.Verifier)},
	}
	for _, c := range verifiers {
		form := authtest.CodeForm("board", boardRedirect, l.code(t, analystUser, everyScope))
		form.Set("code_verifier", c.verifier)
		if c.verifier == "" {
			form.Del("code_verifier")
		}
		l.refused(t, c.name, form, "")
		// Whoever guesses does not get a second guess.
		form.Set("code_verifier", authtest.Verifier)
		_ = l.post(t, "/oauth/token", form)
	}
	form := authtest.CodeForm("board", boardRedirect, l.code(t, analystUser, everyScope))
	held := l.post(t, "/oauth/token", form)
	checkTokens(t, "token", held, analystScope)
	l.refused(t, "a code for the second time", form, "invalid_grant")
	if got := l.status(figuresPath, held.Text("access_token")); got != http.StatusUnauthorized {
		t.Errorf("what came of a code that was used twice opens a figure with %d", got)
	}
	l.refused(t, "a refresh token of nobody",
		authtest.RefreshForm("board", held.Text("refresh_token")[:20]+"x"), "invalid_grant")
	l.end()
}

// refused wants an error of a token request.
func (l *lens) refused(t *testing.T, name string, form url.Values, want string) {
	t.Helper()
	answer := l.post(t, "/oauth/token", form)
	if answer.Status != http.StatusBadRequest && answer.Status != http.StatusUnauthorized {
		t.Errorf("%s: %d %v", name, answer.Status, answer.Body)
	}
	if want != "" && answer.Text("error") != want {
		t.Errorf("%s: error is %q, want %q", name, answer.Text("error"), want)
	}
	if answer.Text("access_token") != "" || answer.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s: %v %v", name, answer.Header, answer.Body)
	}
}

// TestConformanceA6Authorize asks for codes that nobody may have.
func TestConformanceA6Authorize(t *testing.T) {
	t.Parallel()
	l := openLens(t)
	cases := []struct {
		name, field, value string
		// want is what the client is told; "" is a page of ours, because nobody may be sent on.
		want string
	}{
		{"another API", "aud", "https://evil.example.org/fhir", "invalid_target"},
		{"a path into another API", "aud", lensURL + "/fhir/../other", "invalid_target"},
		{"no API", "aud", "", "invalid_target"},
		{"a client of nobody", "client_id", "nobody", ""},
		{"another redirect address", "redirect_uri", "https://evil.example.org/back", ""},
		{"a redirect address with more", "redirect_uri", boardRedirect + "/more", ""},
		{"a redirect address with a user", "redirect_uri", "https://board.example.org@evil.example.org/back", ""},
		{"no redirect address", "redirect_uri", "", ""},
		{"no challenge", "code_challenge", "", "invalid_request"},
		{"a plain challenge", "code_challenge_method", "plain", "invalid_request"},
		{"a token at once", "response_type", "token", "unsupported_response_type"},
		{"no state", "state", "", "invalid_request"},
		{"a request object", "request", "eyJhbGciOiJub25lIn0.e30.", "request_not_supported"},
		{"a request object elsewhere", "request_uri", "https://evil.example.org/r", "request_uri_not_supported"},
		{"a scope that is none", "scope", "frob", "invalid_scope"},
		{"access of programs", "scope", "system/MeasureReport.rs", "invalid_scope"},
	}
	for _, c := range cases {
		form := boardForm(everyScope)
		form.Set(c.field, c.value)
		got := l.visitor(t).get(lensURL + "/oauth/authorize?" + form.Encode())
		host := got.at.Hostname()
		switch {
		case got.at.Query().Has("code"):
			t.Errorf("%s: a code", c.name)
		case c.want == "" && (host != "lens.example.org" || got.status != http.StatusBadRequest):
			t.Errorf("%s: %d at %s", c.name, got.status, got.at)
		case c.want != "" && (host != "board.example.org" || got.at.Query().Get("error") != c.want):
			t.Errorf("%s: sent to %s, want error %s", c.name, got.at, c.want)
		}
	}
	twice := boardForm(everyScope)
	twice.Add("scope", "equitylens/admin")
	got := l.visitor(t).get(lensURL + "/oauth/authorize?" + twice.Encode())
	if got.at.Query().Has("code") || handleField.MatchString(got.body) {
		t.Errorf("a parameter that is there twice is taken: %s", got.at)
	}
	l.end()
}

// TestConformanceA6Revoked uses what was taken back, and asks without a token.
func TestConformanceA6Revoked(t *testing.T) {
	t.Parallel()
	l := openLens(t)
	held := l.tokens(t, analystUser, everyScope)
	form := url.Values{"client_id": {"board"}, "token": {held.Text("access_token")}}
	other := l.signed(t, "office", url.Values{"token": {held.Text("access_token")}})
	if answer := l.post(t, "/oauth/revoke", other); answer.Status != http.StatusOK {
		t.Errorf("revocation of another's token = %d", answer.Status)
	}
	if got := l.status(figuresPath, held.Text("access_token")); got != http.StatusOK {
		t.Errorf("another client has ended the token: %d", got)
	}
	if answer := l.post(t, "/oauth/revoke", form); answer.Status != http.StatusOK {
		t.Errorf("revocation = %d", answer.Status)
	}
	if got := l.status(figuresPath, held.Text("access_token")); got != http.StatusUnauthorized {
		t.Errorf("a revoked token opens a figure with %d", got)
	}
	next := l.post(t, "/oauth/token", authtest.RefreshForm("board", held.Text("refresh_token")))
	checkTokens(t, "refresh after the access token was revoked", next, analystScope)
	form.Set("token", next.Text("refresh_token"))
	if answer := l.post(t, "/oauth/revoke", form); answer.Status != http.StatusOK {
		t.Errorf("revocation = %d", answer.Status)
	}
	if got := l.status(figuresPath, next.Text("access_token")); got != http.StatusUnauthorized {
		t.Errorf("the token of a revoked grant opens a figure with %d", got)
	}
	l.refused(t, "a revoked refresh token",
		authtest.RefreshForm("board", next.Text("refresh_token")), "invalid_grant")
	for _, token := range []string{"", "INVALID_ACCESS_TOKEN"} {
		for _, path := range []string{
			"/fhir/Measure", "/fhir/Library", "/fhir/MeasureReport", figuresPath, eventsPath, "/sync",
		} {
			if got := l.status(path, token); got != http.StatusUnauthorized {
				t.Errorf("%s with token %q = %d", path, token, got)
			}
		}
	}
	l.end()
}
