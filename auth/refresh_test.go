package auth_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/equitylens/equitylens/auth"
	"github.com/equitylens/equitylens/auth/authtest"
	"github.com/equitylens/equitylens/auth/role"
)

// TestRefresh is row A5 of the conformance checklist: with and without scope, the same fields and
// headers as with a code, and scopes within those that were granted.
func TestRefresh(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	first := s.tokens(t, "ana")
	second := granted(t, s.refresh(t, first.Text("refresh_token")))
	if second.Text("scope") != allScope || second.Text("refresh_token") == "" ||
		second.Text("refresh_token") == first.Text("refresh_token") ||
		second.Text("patient") != "p-canary" || second.Text("id_token") != "" {
		t.Errorf("answer = %v", second.Body)
	}
	form := authtest.RefreshForm("spa", second.Text("refresh_token"))
	form.Set("scope", allScope)
	third := granted(t, s.post(t, "/oauth/token", form))
	if third.Text("scope") != allScope {
		t.Errorf("scope = %q, want %q", third.Text("scope"), allScope)
	}
	s.valid(t, third.Text("access_token"), true)
}

// TestB5ARefreshMayAskForLess asks for less, for all of it again, and for more.
func TestB5ARefreshMayAskForLess(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	token := s.tokens(t, "ana").Text("refresh_token")
	for _, c := range []struct{ name, scope, want string }{
		{"one scope", "user/MeasureReport.rs", "user/MeasureReport.rs"},
		{"fewer actions", "user/MeasureReport.r", "user/MeasureReport.r"},
		{"with limits", "user/MeasureReport.rs?measure=x", "user/MeasureReport.rs?measure=x"},
		{"version 1", "user/MeasureReport.read", "user/MeasureReport.read"},
		{"all of it again", allScope, allScope},
		{"without saying so", "", allScope},
	} {
		form := authtest.RefreshForm("spa", token)
		if c.scope != "" {
			form.Set("scope", c.scope)
		}
		answer := granted(t, s.post(t, "/oauth/token", form))
		token = answer.Text("refresh_token")
		p, err := s.Validator().Validate(t.Context(), answer.Text("access_token"))
		if answer.Text("scope") != c.want || err != nil || p.Scopes.String() != c.want {
			t.Errorf("%s: scope = %q, token is for %q, %v, want %q", c.name, answer.Text("scope"),
				p.Scopes, err, c.want)
		}
	}
	for _, more := range []string{
		"user/Measure.rs", "user/MeasureReport.cruds", "user/*.rs", "system/MeasureReport.rs",
		"openid equitylens/unsuppressed", "user/measure.sr",
	} {
		form := authtest.RefreshForm("spa", token)
		form.Set("scope", more)
		refused(t, s.post(t, "/oauth/token", form), http.StatusBadRequest, "invalid_scope")
	}
	granted(t, s.refresh(t, token))
}

// TestB6ARefreshedTokenHasItsOwnTimeAndId is the case in which fosite keeps the first ones.
func TestB6ARefreshedTokenHasItsOwnTimeAndId(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	first := s.tokens(t, "ana")
	s.clock.Advance(11 * time.Second)
	second := granted(t, s.refresh(t, first.Text("refresh_token")))
	_, a := payload(t, first.Text("access_token"))
	_, b := payload(t, second.Text("access_token"))
	if a["jti"] == b["jti"] || a["grant_id"] != b["grant_id"] || a["sub"] != b["sub"] ||
		a["auth_time"] != b["auth_time"] {
		t.Errorf("claims = %v and then %v", a, b)
	}
	for _, claim := range []string{"iat", "exp"} {
		before, _ := a[claim].(float64)
		after, _ := b[claim].(float64)
		if after-before != 11 {
			t.Errorf("%s is %v and then %v, want 11 seconds between", claim, before, after)
		}
	}
	for range 2 { // Introspection makes no id of its own.
		if got := s.introspected(t, second.Text("access_token")); got.Body["jti"] != b["jti"] {
			t.Errorf("introspection = %v, want the jti %v", got.Body, b["jti"])
		}
	}
}

// TestB15TheTypeOfATokenIsBearer also holds that reuse is invalid_grant, never "try again".
func TestB15TheTypeOfATokenIsBearer(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	first := s.tokens(t, "ana")
	second := granted(t, s.refresh(t, first.Text("refresh_token")))
	refused(t, s.refresh(t, first.Text("refresh_token")), http.StatusBadRequest, "invalid_grant")
	refused(t, s.refresh(t, second.Text("refresh_token")), http.StatusBadRequest, "invalid_grant")
	s.valid(t, second.Text("access_token"), false)
}

func TestBadRefreshTokens(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	first := s.tokens(t, "ana").Text("refresh_token")
	for name, token := range map[string]string{
		"nonsense": "BAD_REFRESH_TOKEN", "invented": "elr_eA.AAAA.BBBB",
		"shortened": first[:len(first)-1], "an access token": s.tokens(t, "ana").Text("access_token"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused(t, s.refresh(t, token), http.StatusBadRequest, "invalid_grant")
		})
	}
	refused(t, s.post(t, "/oauth/token", authtest.RefreshForm("house", first)),
		http.StatusBadRequest, "invalid_grant")
	refused(t, s.post(t, "/oauth/token", authtest.RefreshForm("", first)),
		http.StatusUnauthorized, "invalid_client")
}

// TestARefreshTokenIsForThoseWhoStay gives none without a scope for it, and ends one of
// online_access after a shift and one of offline_access after its time, however often it is used.
func TestARefreshTokenIsForThoseWhoStay(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(cfg *auth.Config, _ *rig) {
		cfg.RefreshLife, cfg.OfflineLife, cfg.OnlineLife = 2*time.Hour, 10*time.Hour, 5*time.Hour
	})
	for _, c := range []struct {
		name, scope string
		hours       int
	}{
		{"neither", "openid", 0},
		{"online", "openid online_access", 5},
		{"offline", "openid offline_access", 10},
		{"both", "openid offline_access online_access", 10},
	} {
		request := asked("spa", spaBack)
		request.Set("scope", c.scope)
		answer := granted(t, s.post(t, "/oauth/token",
			authtest.CodeForm("spa", spaBack, s.code(t, "ana", request))))
		token := answer.Text("refresh_token")
		if (token == "") != (c.hours == 0) {
			t.Errorf("%s: answer = %v", c.name, answer.Body)
		}
		hours := 0
		for token != "" && hours < 20 {
			s.clock.Advance(time.Hour)
			answer := s.refresh(t, token)
			if hours++; answer.Status != http.StatusOK {
				refused(t, answer, http.StatusBadRequest, "invalid_grant")
				break
			}
			token = answer.Text("refresh_token")
		}
		if hours != c.hours {
			t.Errorf("%s: the last refresh was refused after %d hours, want %d", c.name, hours, c.hours)
		}
	}
	idle := s.tokens(t, "ana").Text("refresh_token")
	s.clock.Advance(2 * time.Hour)
	refused(t, s.refresh(t, idle), http.StatusBadRequest, "invalid_grant")
}

// TestEveryKindOfScopeIsGranted is row A10 of the conformance checklist: both versions of SMART
// and scopes with search parameters, through a person and for a program.
func TestEveryKindOfScopeIsGranted(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, text := range []string{
		"user/MeasureReport.rs", "user/MeasureReport.read", "user/MeasureReport.r",
		"user/MeasureReport.s", "user/MeasureReport.rs?measure=falls", "equitylens/unsuppressed",
	} {
		request := asked("spa", spaBack)
		request.Set("scope", text)
		answer := granted(t, s.post(t, "/oauth/token",
			authtest.CodeForm("spa", spaBack, s.code(t, "ana", request))))
		if answer.Text("scope") != text {
			t.Errorf("person: scope = %q, want %q", answer.Text("scope"), text)
		}
	}
	for _, text := range []string{
		"system/MeasureReport.rs", "system/MeasureReport.read", "system/Measure.r",
		"system/MeasureReport.rs?measure=falls",
	} {
		if answer := granted(t, s.ask(t, sign(t, s.assertion()), text)); answer.Text("scope") != text {
			t.Errorf("program: scope = %q, want %q", answer.Text("scope"), text)
		}
	}
}

// TestGrantsAreForWhoIsRegisteredForThem asks by a grant that is not the client's.
func TestGrantsAreForWhoIsRegisteredForThem(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	form := authtest.Form("", "openid")
	form.Del("client_assertion")
	form.Del("client_assertion_type")
	form.Set("client_id", "spa")
	refused(t, s.post(t, "/oauth/token", form), http.StatusBadRequest, "unauthorized_client")
	code := s.code(t, "ana", asked("spa", spaBack))
	refused(t, s.post(t, "/oauth/token",
		s.asserted(t, "nightly", authtest.CodeForm("", spaBack, code))),
		http.StatusBadRequest, "unauthorized_client")
	granted(t, s.post(t, "/oauth/token",
		s.asserted(t, "dash", authtest.Form("", "system/Measure.rs"))))
}

// TestABarVoidsAllThatWasGivenBefore ends what a person or a client has, and nothing later.
func TestABarVoidsAllThatWasGivenBefore(t *testing.T) {
	t.Parallel()
	for name, who := range map[string]string{
		"a person": auth.Pseudonym("https://idp.example", "ana-4711"), "a client": "spa",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, nil)
			before, other := s.tokens(t, "ana"), s.token(t, reports)
			code := s.code(t, "ana", asked("spa", spaBack))
			if err := s.Bar(t.Context(), who); err != nil {
				t.Fatal(err)
			}
			s.valid(t, before.Text("access_token"), false)
			s.valid(t, other, true)
			refused(t, s.refresh(t, before.Text("refresh_token")), http.StatusBadRequest,
				"invalid_grant")
			refused(t, s.post(t, "/oauth/token", authtest.CodeForm("spa", spaBack, code)),
				http.StatusBadRequest, "invalid_grant")
			s.clock.Advance(2 * time.Second)
			s.valid(t, s.tokens(t, "ana").Text("access_token"), true)
		})
	}
	s := newSite(t, nil)
	if err := s.Bar(t.Context(), ""); err == nil {
		t.Error("Bar of nobody = nil, want an error")
	}
}

// TestTwoPeopleOfOneNameAreTwo signs in people whom two issuers call the same.
func TestTwoPeopleOfOneNameAreTwo(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	_, first := payload(t, s.tokens(t, "ana").Text("access_token"))
	s.change("ana", func(p *auth.Person) { p.Issuer = "https://other.example" })
	_, second := payload(t, s.tokens(t, "ana").Text("access_token"))
	if first["sub"] == second["sub"] || strings.Contains(first["sub"].(string), "4711") {
		t.Errorf("sub = %v and %v, want two pseudonyms", first["sub"], second["sub"])
	}
	if roles, _ := first["roles"].([]any); len(roles) != 1 || roles[0] != string(role.Analyst) {
		t.Errorf("roles = %v", first["roles"])
	}
}
