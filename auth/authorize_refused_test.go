package auth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/auth"
	"github.com/equitylens/equitylens/auth/authtest"
)

// with changes one parameter of a good request; an empty value removes it.
func with(name, value string) url.Values {
	request := asked("spa", spaBack)
	request.Del(name)
	if value != "" {
		request.Set(name, value)
	}
	return request
}

// TestBadRequestsAreToldToTheClient is faults row 35 and the negative list of checklist row A6:
// state, PKCE and aud missing or wrong give an error at the client's address and no code.
func TestBadRequestsAreToldToTheClient(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, c := range []struct {
		name, param, value, want string
	}{
		{"no state", "state", "", "invalid_request"},
		{"a short state", "state", "1234567", "invalid_request"},
		{"an endless state", "state", strings.Repeat("x", 3000), "invalid_request"},
		{"an endless prompt", "prompt", strings.Repeat("login ", 1000), "invalid_request"},
		{"an endless max_age", "max_age", strings.Repeat("0", 3000), "invalid_request"},
		{"an endless scope", "scope", "user/Measure.rs" + strings.Repeat(" x", 10_000),
			"invalid_request"},
		{"no challenge", "code_challenge", "", "invalid_request"},
		{"a plain challenge", "code_challenge_method", "plain", "invalid_request"},
		{"no method", "code_challenge_method", "", "invalid_request"},
		{"an unknown method", "code_challenge_method", "S512", "invalid_request"},
		{"a challenge that is no digest", "code_challenge", authtest.Verifier, "invalid_request"},
		{"a short challenge", "code_challenge", "abc", "invalid_request"},
		{"no aud", "aud", "", "invalid_request"},
		{"another aud", "aud", "https://evil.example/fhir", "invalid_target"},
		{"a longer aud", "aud", audience + "/", "invalid_target"},
		{"a climbing aud", "aud", audience + "/../other", "invalid_target"},
		{"another resource beside a good aud", "resource", "https://evil.example", "invalid_target"},
		{"another audience beside a good aud", "audience", "https://evil.example", "invalid_target"},
		{"no response type", "response_type", "", "invalid_request"},
		{"implicit", "response_type", "token", "unsupported_response_type"},
		{"hybrid", "response_type", "code id_token", "unsupported_response_type"},
		{"in the fragment", "response_mode", "fragment", "invalid_request"},
		{"by form_post", "response_mode", "form_post", "invalid_request"},
		{"no scope", "scope", "", "invalid_scope"},
		{"no scope that is allowed", "scope", "user/Patient.rs launch", "invalid_scope"},
		{"access of programs alone", "scope", "system/Measure.rs", "invalid_scope"},
		{"a request object", "request", "eyJhbGciOiJub25lIn0.e30.", "request_not_supported"},
		{"a request elsewhere", "request_uri", "https://evil.example/r", "request_uri_not_supported"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				rec := s.visit(t, "ana", with(c.param, c.value))
				if method == http.MethodPost {
					rec = s.do(t, "ana", method, "/oauth/authorize", with(c.param, c.value))
				}
				to := back(t, rec)
				if q := to.Query(); q.Get("error") != c.want || q.Has("code") || q.Get("iss") != issuer ||
					q.Get("error_description") == "" || to.Host != "spa.example" {
					t.Errorf("%s = %s, want %s", method, to, c.want)
				}
			}
		})
	}
}

// TestResourceStandsForAud asks by the name of RFC 8707.
func TestResourceStandsForAud(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	request := with("aud", "")
	request.Set("resource", audience)
	s.code(t, "ana", request)
}

// TestNoRedirectToWhereNobodyIsRegistered is faults row 38 and part of checklist row A6: with an
// unknown client or an address that is not letter by letter the client's, there is a page and no
// redirect.
func TestNoRedirectToWhereNobodyIsRegistered(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, c := range []struct{ name, client, to string }{
		{"an unknown client", "nobody", spaBack},
		{"no client", "", spaBack},
		{"a client without people", "nightly", spaBack},
		{"no address", "spa", ""},
		{"another host", "spa", "https://evil.example/cb"},
		{"a suffix of the host", "spa", "https://spa.example.evil.example/cb"},
		{"a user before the host", "spa", "https://spa.example@evil.example/cb"},
		{"a user", "spa", "https://user@spa.example/cb"},
		{"a fragment", "spa", spaBack + "#x"},
		{"an empty fragment", "spa", spaBack + "#"},
		{"capitals", "spa", "https://SPA.example/cb"},
		{"a capital path", "spa", "https://spa.example/CB"},
		{"a longer path", "spa", spaBack + "/x"},
		{"a climbing path", "spa", spaBack + "/../x"},
		{"an encoded path", "spa", "https://spa.example/%63b"},
		{"a query", "spa", spaBack + "?x=1"},
		{"an empty query", "spa", spaBack + "?"},
		{"a port", "spa", "https://spa.example:443/cb"},
		{"plain http", "spa", "http://spa.example/cb"},
		{"a backslash", "spa", `https://spa.example\@evil.example/cb`},
		{"a newline", "spa", spaBack + "\nSet-Cookie: x=y"},
		{"without a scheme", "spa", "//spa.example/cb"},
		{"a script", "spa", "javascript:alert(1)//https://spa.example/cb"},
		{"another's address", "spa", dashBack},
		{"without its query", "dash", "https://dash.example/cb"},
		{"a user on loopback", "spa", "http://user@127.0.0.1:8080/cb"},
		{"another path on loopback", "spa", "http://127.0.0.1:8080/other"},
		{"the other loopback", "spa", "http://[::1]:8080/cb"},
		{"loopback by name", "spa", "http://localhost:8080/cb"},
		{"loopback by a long name", "spa", "http://127.0.0.1.evil.example/cb"},
		{"loopback with a fragment", "spa", "http://127.0.0.1:8080/cb#x"},
		{"loopback by https", "spa", "https://127.0.0.1:8080/cb"},
		{"loopback of a confidential client", "dash", "http://127.0.0.1:8080/cb"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rec := s.visit(t, "ana", asked(c.client, c.to))
			if rec.Header().Get("X-Page") != "problem" || rec.Code != http.StatusBadRequest ||
				rec.Header().Get("Location") != "" {
				t.Errorf("answer = %d %v %s, want a page", rec.Code, rec.Header(), rec.Body)
			}
		})
	}
	for _, to := range []string{homeBack, "http://127.0.0.1:8080/cb", "http://127.0.0.1:1/cb"} {
		code := s.code(t, "ana", asked("spa", to))
		granted(t, s.post(t, "/oauth/token", authtest.CodeForm("spa", to, code)))
	}
}

func TestMalformedAuthorizeRequestsAreAPage(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	good := asked("spa", spaBack).Encode()
	for _, c := range []struct {
		name, method, query string
		status              int
	}{
		{"by PUT", http.MethodPut, good, http.StatusMethodNotAllowed},
		{"by HEAD", http.MethodHead, good, http.StatusMethodNotAllowed},
		{"with a parameter twice", http.MethodGet, good + "&redirect_uri=" + spaBack, 400},
		{"with a zero byte", http.MethodGet, good + "&x=%00", 400},
		{"with a bad escape", http.MethodGet, good + "&x=%zz", 400},
		{"with nothing", http.MethodGet, "", 400},
		{"too long", http.MethodGet, good + "&x=" + strings.Repeat("x", 70_000), 400},
		{"with an unknown handle", http.MethodGet, "continue=x", 400},
		{"POST with parameters in the URL", http.MethodPost, good, 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rec := s.do(t, "ana", c.method, "/oauth/authorize?"+c.query, url.Values{})
			if rec.Header().Get("X-Page") != "problem" || rec.Code != c.status ||
				rec.Header().Get("Location") != "" {
				t.Errorf("answer = %d %v %s, want a page of %d", rec.Code, rec.Header(), rec.Body,
					c.status)
			}
			notStored(t, rec.Header())
		})
	}
}

// TestWithoutPeopleNothingOfThemIsThere asks a server at which nobody signs in.
func TestWithoutPeopleNothingOfThemIsThere(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	if rec := serve(t, r.Authorize(), ""); rec.Code != http.StatusNotFound {
		t.Errorf("authorize = %d", rec.Code)
	}
	if rec := serve(t, r.PushedAuthorization(), ""); rec.Code != http.StatusNotFound ||
		!strings.Contains(rec.Body.String(), "nobody signs in") {
		t.Errorf("par = %d %s", rec.Code, rec.Body)
	}
	if rec := serve(t, r.OpenIDConfiguration(), ""); rec.Code != http.StatusNotFound {
		t.Errorf("openid-configuration = %d", rec.Code)
	}
	_, err := auth.New(auth.Config{
		Issuer: issuer, Audience: audience,
		Clients: []auth.Client{{
			ID: "spa", Public: true, RedirectURIs: []string{spaBack}, Scopes: []string{"openid"},
		}},
	})
	if err == nil || !strings.Contains(err.Error(), "nobody signs in") {
		t.Errorf("New = %v, want it to tell that nobody signs in", err)
	}
}

// TestClientsArePutRight tells what is wrong with clients through which people ask.
func TestClientsArePutRight(t *testing.T) {
	t.Parallel()
	key := public(newKey(t, "ES384"))
	openid := []string{"openid"}
	for _, c := range []struct {
		name   string
		client auth.Client
		want   string
	}{
		{"keys of a public one", auth.Client{ID: "x", Public: true, JWKS: key,
			RedirectURIs: []string{spaBack}, Scopes: openid}, "has no keys"},
		{"a public one without address", auth.Client{ID: "x", Public: true, Scopes: openid},
			"cannot use client_credentials"},
		{"an unknown grant", auth.Client{ID: "x", JWKS: key, Grants: []string{"password"},
			Scopes: openid}, `grant "password" is not supported`},
		{"codes without address", auth.Client{ID: "x", JWKS: key,
			Grants: []string{"authorization_code"}, Scopes: openid}, "no redirect address"},
		{"refresh without codes", auth.Client{ID: "x", JWKS: key,
			Grants: []string{"client_credentials", "refresh_token"}, Scopes: openid},
			"refresh_token without authorization_code"},
		{"an address without codes", auth.Client{ID: "x", JWKS: key, RedirectURIs: []string{spaBack},
			Grants: []string{"client_credentials"}, Scopes: openid}, "without authorization_code"},
		{"plain http", auth.Client{ID: "x", JWKS: key, RedirectURIs: []string{"http://a.example/"},
			Scopes: openid}, "neither https nor on loopback"},
		{"its own scheme", auth.Client{ID: "x", JWKS: key, RedirectURIs: []string{"app://back/"},
			Scopes: openid}, "neither https nor on loopback"},
		{"a relative address", auth.Client{ID: "x", JWKS: key, RedirectURIs: []string{"/cb"},
			Scopes: openid}, "not an absolute URL"},
		{"a fragment", auth.Client{ID: "x", JWKS: key, RedirectURIs: []string{spaBack + "#"},
			Scopes: openid}, "a fragment"},
		{"an asterisk", auth.Client{ID: "x", JWKS: key, RedirectURIs: []string{"https://*.example/"},
			Scopes: openid}, "an asterisk"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := auth.New(auth.Config{
				Issuer: issuer, Audience: audience, Clients: []auth.Client{c.client},
			})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("New = %v, want it to tell %q", err, c.want)
			}
		})
	}
}
