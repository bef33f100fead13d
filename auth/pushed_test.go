package auth_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/equitylens/equitylens/auth"
)

// push pushes a request and wants a name for it.
func (s *site) push(t testing.TB, form url.Values) string {
	t.Helper()
	answer := s.post(t, "/oauth/par", form)
	uri := answer.Text("request_uri")
	if answer.Status != http.StatusCreated || uri == "" || answer.Body["expires_in"] != 90.0 {
		t.Fatalf("par = %d %v", answer.Status, answer.Body)
	}
	notStored(t, answer.Header)
	return uri
}

// pushedBy is what a browser is sent with after a push.
func pushedBy(client, uri string) url.Values {
	return url.Values{"client_id": {client}, "request_uri": {uri}}
}

// problem wants the page of an error and no redirect.
func (s *site) problem(t testing.TB, request url.Values, why string) {
	t.Helper()
	rec := s.visit(t, "ana", request)
	if rec.Header().Get("X-Page") != "problem" || rec.Header().Get("Location") != "" {
		t.Errorf("%s: answer = %d %v %s, want a page", why, rec.Code, rec.Header(), rec.Body)
	}
}

func TestPushedRequestsOfBothKindsOfClients(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.code(t, "ana", pushedBy("spa", s.push(t, asked("spa", spaBack))))
	form := s.asserted(t, "dash", asked("dash", dashBack))
	s.code(t, "ana", pushedBy("dash", s.push(t, form)))
	without := s.asserted(t, "dash", asked("dash", dashBack))
	without.Del("client_id")
	s.push(t, without)
	for name, form := range map[string]url.Values{
		"a confidential client without its assertion": asked("dash", dashBack),
		"an unknown client":                           asked("nobody", spaBack),
	} {
		refused(t, s.post(t, "/oauth/par", form), http.StatusUnauthorized, "invalid_client")
		_ = name
	}
}

// TestB7APushedRequestEndsAndIsUsedOnce holds its end in time and in use.
func TestB7APushedRequestEndsAndIsUsedOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	late := s.push(t, asked("spa", spaBack))
	s.clock.Advance(91 * time.Second)
	s.problem(t, pushedBy("spa", late), "too late")
	uri := s.push(t, asked("spa", spaBack))
	question(t, s.visit(t, "ana", pushedBy("spa", uri)))
	s.problem(t, pushedBy("spa", uri), "the second time")
	stolen := s.push(t, asked("spa", spaBack))
	s.problem(t, pushedBy("house", stolen), "another client")
	s.problem(t, pushedBy("spa", "urn:ietf:params:oauth:request_uri:guessed"), "a guess")
}

// TestB8AfterAPushNothingElseCounts sends further parameters through the browser, and pushes
// requests that lack what the browser could then add.
func TestB8AfterAPushNothingElseCounts(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	pushed := asked("spa", spaBack)
	pushed.Set("scope", "openid")
	request := asked("spa", homeBack)
	request.Set("state", "another-state")
	request.Set("request_uri", s.push(t, pushed))
	c := question(t, s.visit(t, "ana", request))
	if len(c.Scopes) != 1 || c.Scopes[0] != "openid" {
		t.Errorf("scopes = %q, want what was pushed", c.Scopes)
	}
	to := back(t, s.answer(t, "ana", c, auth.ConsentAllow))
	if to.Host != "spa.example" || to.Query().Get("state") != "state-0123456789" {
		t.Errorf("Location = %s, want what was pushed", to)
	}
	for _, missing := range []string{
		"code_challenge", "code_challenge_method", "state", "aud", "redirect_uri", "response_type",
	} {
		refused(t, s.post(t, "/oauth/par", with(missing, "")), http.StatusBadRequest,
			"invalid_request")
	}
}

// TestB9RequestObjectsAreNotRead sends them in every way; none changes anything.
func TestB9RequestObjectsAreNotRead(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	const unsigned = "eyJhbGciOiJub25lIn0.eyJzY29wZSI6Im9wZW5pZCJ9."
	for param, value := range map[string]string{
		"request": unsigned, "request_uri": "https://evil.example/request.jwt",
	} {
		q := back(t, s.visit(t, "ana", with(param, value))).Query()
		if q.Get("error") != param+"_not_supported" || q.Has("code") {
			t.Errorf("%s = %v, want an error", param, q)
		}
		refused(t, s.post(t, "/oauth/par", with(param, value)), http.StatusBadRequest,
			param+"_not_supported")
	}
	uri := s.push(t, asked("spa", spaBack))
	refused(t, s.post(t, "/oauth/par", with("request_uri", uri)), http.StatusBadRequest,
		"request_uri_not_supported")
}
