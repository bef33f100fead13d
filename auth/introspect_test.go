package auth_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/auth"
	"github.com/equitylens/equitylens/auth/authtest"
	"github.com/equitylens/equitylens/store/cache/cachetest"
)

// introspectedBy asks about a token as a client.
func (s *site) introspectedBy(t testing.TB, client, token string) authtest.Answer {
	t.Helper()
	answer := s.post(t, "/oauth/introspect", s.asserted(t, client, url.Values{"token": {token}}))
	if answer.Status != http.StatusOK {
		t.Fatalf("introspection = %d %v", answer.Status, answer.Body)
	}
	notStored(t, answer.Header)
	return answer
}

// introspected asks as the client that may ask about all tokens.
func (s *site) introspected(t testing.TB, token string) authtest.Answer {
	t.Helper()
	return s.introspectedBy(t, "watch", token)
}

// inactive wants {"active":false} and nothing else.
func inactive(t testing.TB, answer authtest.Answer, why string) {
	t.Helper()
	if diff := cmp.Diff(map[string]any{"active": false}, answer.Body); diff != "" {
		t.Errorf("%s (-want +got):\n%s", why, diff)
	}
}

// TestIntrospection is row A9 of the conformance checklist: what is told equals what the token
// response told.
func TestIntrospection(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	given := s.tokens(t, "ana")
	_, claims := payload(t, given.Text("access_token"))
	want := map[string]any{
		"active": true, "client_id": "spa", "scope": given.Body["scope"], "iss": issuer,
		"sub": auth.Pseudonym("https://idp.example", "ana-4711"), "aud": audience,
		"jti": claims["jti"], "exp": claims["exp"], "iat": claims["iat"], "token_type": "Bearer",
		"patient": given.Body["patient"], "need_patient_banner": true,
		"fhirUser": "https://ehr.example/Practitioner/canary",
	}
	if diff := cmp.Diff(want, s.introspected(t, given.Text("access_token")).Body); diff != "" {
		t.Errorf("access token (-want +got):\n%s", diff)
	}
	for _, name := range []string{"jti", "iat", "token_type"} {
		delete(want, name)
	}
	want["exp"] = float64(s.clock.Now().Add(14 * 24 * time.Hour).Unix())
	if diff := cmp.Diff(want, s.introspected(t, given.Text("refresh_token")).Body); diff != "" {
		t.Errorf("refresh token (-want +got):\n%s", diff)
	}
	program := s.introspected(t, s.token(t, reports)).Body
	if program["sub"] != "nightly" || program["scope"] != reports || program["active"] != true {
		t.Errorf("token of a program = %v", program)
	}
}

func TestWhatIsNoLiveTokenIsInactive(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	given := s.tokens(t, "ana")
	for why, token := range map[string]string{
		"nonsense": "INVALID", "an id_token": given.Text("id_token"), "a code": "elc_x.y.z",
		"an invented refresh token": "elr_x.y.z",
		"a broken token":            given.Text("access_token") + "x",
	} {
		inactive(t, s.introspected(t, token), why)
	}
	rotated := granted(t, s.refresh(t, given.Text("refresh_token")))
	inactive(t, s.introspected(t, given.Text("refresh_token")), "a rotated refresh token")
	inactive(t, s.introspected(t, given.Text("access_token")), "a token from before the rotation")
	if s.introspected(t, rotated.Text("refresh_token")).Body["active"] != true {
		t.Error("asking about an old refresh token has ended the new one")
	}
	s.clock.Advance(5 * time.Minute)
	inactive(t, s.introspected(t, rotated.Text("access_token")), "an expired token")
}

// TestWhoMayAskAboutTokens lets a client ask about its own, and who has the scope about all.
func TestWhoMayAskAboutTokens(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	spas := s.tokens(t, "ana").Text("access_token")
	inactive(t, s.introspectedBy(t, "dash", spas), "a token of another client")
	dashs := granted(t, s.post(t, "/oauth/token", s.asserted(t, "dash",
		authtest.Form("", "system/Measure.rs")))).Text("access_token")
	if s.introspectedBy(t, "dash", dashs).Body["active"] != true {
		t.Error("a client is not told about its own token")
	}
	watch := granted(t, s.post(t, "/oauth/token", s.asserted(t, "watch",
		authtest.Form("", "equitylens/introspect")))).Text("access_token")
	ask := func(bearer string, form url.Values) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/oauth/introspect",
			strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if bearer != "" {
			r.Header.Set("Authorization", "Bearer "+bearer)
		}
		rec := httptest.NewRecorder()
		s.mux.ServeHTTP(rec, r)
		return rec
	}
	token := url.Values{"token": {spas}}
	for _, c := range []struct {
		name, bearer string
		form         url.Values
		status       int
		want         string
	}{
		{"a bearer of the scope", watch, token, 200, `"active":true`},
		{"a bearer of another scope", dashs, token, 403, "insufficient_scope"},
		{"a broken bearer", watch + "x", token, 401, "invalid_token"},
		{"nobody", "", token, 401, "invalid_client"},
		{"a public client", "", url.Values{"token": {spas}, "client_id": {"spa"}}, 401,
			"invalid_client"},
		{"about nothing", watch, url.Values{"x": {"y"}}, 400, "invalid_request"},
		{"by Basic", "", url.Values{"token": {spas}, "client_secret": {"x"}}, 401, "invalid_client"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rec := ask(c.bearer, c.form)
			if rec.Code != c.status || !strings.Contains(rec.Body.String(), c.want) {
				t.Errorf("answer = %d %s, want %d %s", rec.Code, rec.Body, c.status, c.want)
			}
			notStored(t, rec.Header())
		})
	}
	get := s.do(t, "", http.MethodGet, "/oauth/introspect?token="+spas, nil)
	if get.Code != http.StatusMethodNotAllowed {
		t.Errorf("by GET = %d", get.Code)
	}
}

// TestRevocation is the part of checklist row A6 after a revocation: nothing of a grant works any
// more, and an access token alone ends alone.
func TestRevocation(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	revoke := func(form url.Values) {
		t.Helper()
		rec := s.do(t, "", http.MethodPost, "/oauth/revoke", form)
		if rec.Code != http.StatusOK || rec.Body.Len() != 0 {
			t.Errorf("revocation = %d %s", rec.Code, rec.Body)
		}
		notStored(t, rec.Header())
	}
	given := s.tokens(t, "ana")
	access, refresh := given.Text("access_token"), given.Text("refresh_token")
	for _, token := range []string{access, refresh, "INVALID", "elr_x.y.z"} {
		revoke(url.Values{"client_id": {"house"}, "token": {token}})
		revoke(s.asserted(t, "dash", url.Values{"token": {token}}))
	}
	s.valid(t, access, true)
	revoke(url.Values{"client_id": {"spa"}, "token": {access}, "token_type_hint": {"refresh_token"}})
	s.valid(t, access, false)
	inactive(t, s.introspected(t, access), "a revoked token")
	next := granted(t, s.refresh(t, refresh))
	revoke(url.Values{"client_id": {"spa"}, "token": {next.Text("refresh_token")}})
	s.valid(t, next.Text("access_token"), false)
	refused(t, s.refresh(t, next.Text("refresh_token")), http.StatusBadRequest, "invalid_grant")

	old := s.tokens(t, "ana")
	newer := granted(t, s.refresh(t, old.Text("refresh_token")))
	revoke(url.Values{"client_id": {"spa"}, "token": {old.Text("refresh_token")}})
	s.valid(t, newer.Text("access_token"), false)

	program := s.token(t, reports)
	revoke(s.asserted(t, "nightly", url.Values{"token": {program}}))
	s.valid(t, program, false)
	refused(t, s.post(t, "/oauth/revoke", url.Values{"token": {"x"}}), http.StatusUnauthorized,
		"invalid_client")
	refused(t, s.post(t, "/oauth/revoke", url.Values{"client_id": {"spa"}}), http.StatusBadRequest,
		"invalid_request")
}

// TestADeadStoreEndsNothingGood kills the store: no token is valid, none is given, and every
// answer says that it is for a while.
func TestADeadStoreEndsNothingGood(t *testing.T) {
	t.Parallel()
	server := cachetest.StartRedis(t)
	s := newSite(t, func(cfg *auth.Config, _ *rig) { cfg.Store = server.Open(t) })
	given := s.tokens(t, "ana")
	code := s.code(t, "ana", asked("spa", spaBack))
	s.valid(t, given.Text("access_token"), true)
	server.Kill()
	s.valid(t, given.Text("access_token"), false)
	guard := &auth.Guard{Validator: s.Validator()}
	require, err := guard.Require("user/MeasureReport.rs")
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+given.Text("access_token"))
	rec := httptest.NewRecorder()
	require(http.NotFoundHandler()).ServeHTTP(rec, r)
	if rec.Code != http.StatusServiceUnavailable || rec.Header().Get("Retry-After") == "" {
		t.Errorf("guard = %d %v, want 503", rec.Code, rec.Header())
	}
	for _, form := range []url.Values{
		authtest.CodeForm("spa", spaBack, code),
		authtest.RefreshForm("spa", given.Text("refresh_token")),
	} {
		refused(t, s.post(t, "/oauth/token", form), http.StatusServiceUnavailable,
			"temporarily_unavailable")
	}
	refused(t, s.post(t, "/oauth/par", asked("spa", spaBack)), http.StatusServiceUnavailable,
		"temporarily_unavailable")
	refused(t, s.post(t, "/oauth/revoke", url.Values{
		"client_id": {"spa"}, "token": {given.Text("refresh_token")},
	}), http.StatusServiceUnavailable, "temporarily_unavailable")
	q := back(t, s.visit(t, "ana", asked("spa", spaBack))).Query()
	if q.Get("error") != "temporarily_unavailable" || q.Has("code") {
		t.Errorf("authorize = %v, want temporarily_unavailable", q)
	}
}
