package auth_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/auth"
	"github.com/equitylens/equitylens/auth/authtest"
	"github.com/equitylens/equitylens/auth/role"
)

// TestCodeFlowByGETAndByPOST is row A4 of the conformance checklist: a code by either method, and
// a token response with the launch context in it.
func TestCodeFlowByGETAndByPOST(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			rec := s.visit(t, "ana", asked("spa", spaBack))
			if method == http.MethodPost {
				// The browser keeps the cookie back from a POST of another site.
				rec = s.do(t, "", http.MethodPost, "/oauth/authorize", asked("spa", spaBack))
				if rec.Code != http.StatusSeeOther {
					t.Fatalf("POST = %d %s, want a redirect", rec.Code, rec.Body)
				}
				rec = s.do(t, "ana", http.MethodGet, rec.Header().Get("Location"), nil)
			}
			to := back(t, s.answer(t, "ana", question(t, rec), auth.ConsentAllow))
			q := to.Query()
			if to.Host != "spa.example" || q.Get("state") != "state-0123456789" ||
				q.Get("iss") != issuer || q.Get("code") == "" || len(q) != 3 {
				t.Errorf("Location = %s", to)
			}
			answer := granted(t, s.post(t, "/oauth/token",
				authtest.CodeForm("spa", spaBack, q.Get("code"))))
			if answer.Text("scope") != allScope || answer.Text("patient") != "p-canary" ||
				answer.Body["need_patient_banner"] != true || answer.Text("refresh_token") == "" {
				t.Errorf("answer = %v", answer.Body)
			}
			s.valid(t, answer.Text("access_token"), true)
		})
	}
}

func TestTheQuestionNamesProgramAndScopes(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	c := question(t, s.visit(t, "ana", asked("dash", dashBack)))
	want := auth.Consent{
		ClientID: "dash", ClientName: "The dashboard", Scopes: strings.Fields(allScope),
		Action: "/oauth/authorize", Handle: c.Handle, Person: c.Person,
		ReturnOrigin: "https://dash.example",
	}
	if diff := cmp.Diff(want, c); diff != "" || c.Person.Name != "Ana Canary" || c.Handle == "" {
		t.Errorf("question (-want +got):\n%s", diff)
	}
	to := back(t, s.answer(t, "ana", c, auth.ConsentAllow))
	if to.Query().Get("tenant") != "1" || to.Query().Get("code") == "" {
		t.Errorf("Location = %s, want its own parameter kept", to)
	}
}

// TestScopesAreWhatClientAndRolesAllow narrows what is asked by the client, then by the roles.
func TestScopesAreWhatClientAndRolesAllow(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, c := range []struct{ name, who, scope, want string }{
		{"all of it", "ana", allScope, allScope},
		{"the allowed types", "ana", "user/*.rs", "user/MeasureReport.rs user/Measure.rs"},
		{"version 1", "ana", "user/Measure.read", "user/Measure.read"},
		{"our own", "ana", "openid equitylens/unsuppressed", "openid equitylens/unsuppressed"},
		{"not what the client may not have", "rev", "openid equitylens/review", "openid"},
		{"never access of programs", "ana", "openid system/Measure.rs", "openid"},
		{"nor of a patient", "ana", "openid patient/Patient.rs", "openid"},
		{"nor what is misspelt", "ana", "openid user/Measure.sr", "openid"},
		{"search parameters", "ana", "user/Measure.rs?name=x", "user/Measure.rs?name=x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			request := asked("spa", spaBack)
			request.Set("scope", c.scope)
			code := s.code(t, c.who, request)
			answer := granted(t, s.post(t, "/oauth/token", authtest.CodeForm("spa", spaBack, code)))
			if answer.Text("scope") != c.want {
				t.Errorf("scope = %q, want %q", answer.Text("scope"), c.want)
			}
			p, err := s.Validator().Validate(t.Context(), answer.Text("access_token"))
			if err != nil || p.Scopes.String() != c.want || !p.Person || p.GrantID == "" ||
				p.Subject == "" || len(p.Roles) != 1 {
				t.Errorf("Validate = %+v, %v", p, err)
			}
		})
	}
	request := asked("spa", spaBack)
	q := back(t, s.visit(t, "ivo", request)).Query()
	if q.Get("error") != "access_denied" || q.Has("code") {
		t.Errorf("somebody without a role is answered %v, want access_denied", q)
	}
}

func TestNobodySignedInIsSentToSignIn(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	rec := s.visit(t, "", asked("spa", spaBack))
	to, err := url.Parse(rec.Header().Get("Location"))
	if err != nil || rec.Code != http.StatusSeeOther || to.Path != "/signin" || to.Host != "" {
		t.Fatalf("answer = %d %s", rec.Code, to)
	}
	next := to.Query().Get("next")
	if !strings.HasPrefix(next, "/oauth/authorize?continue=") || strings.Contains(next, "spa") {
		t.Errorf("next = %q, want a path of ours with a handle alone", next)
	}
	c := question(t, s.do(t, "ana", http.MethodGet, next, nil))
	back(t, s.answer(t, "ana", c, auth.ConsentAllow))
	again := s.do(t, "ana", http.MethodGet, next, nil)
	if again.Header().Get("X-Page") != "problem" || again.Code != http.StatusBadRequest {
		t.Errorf("the request goes on after its end: %d %s", again.Code, again.Body)
	}
}

func TestARequestDoesNotWaitForever(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	c := question(t, s.visit(t, "ana", asked("spa", spaBack)))
	s.clock.Advance(11 * time.Minute)
	rec := s.answer(t, "ana", c, auth.ConsentAllow)
	if rec.Header().Get("X-Page") != "problem" || rec.Header().Get("Location") != "" {
		t.Errorf("answer = %d %v, want a page", rec.Code, rec.Header())
	}
}

// TestConsentCountsOnceAndFromWhoWasAsked holds the page's form: the handle is spent, belongs to a
// person, and is taken from our own page alone.
func TestConsentCountsOnceAndFromWhoWasAsked(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	page := func(t *testing.T, rec *httptest.ResponseRecorder, why string) {
		t.Helper()
		if rec.Header().Get("X-Page") != "problem" || rec.Header().Get("Location") != "" {
			t.Errorf("%s: answer = %d %v %s, want a page", why, rec.Code, rec.Header(), rec.Body)
		}
	}
	c := question(t, s.visit(t, "ana", asked("spa", spaBack)))
	page(t, s.answer(t, "rev", c, auth.ConsentAllow), "another person")
	page(t, s.answer(t, "", c, auth.ConsentAllow), "nobody")
	forged := c
	forged.Handle = "guessed"
	page(t, s.answer(t, "ana", forged, auth.ConsentAllow), "an invented handle")
	form := url.Values{auth.ConsentHandle: {c.Handle}, auth.ConsentAnswer: {auth.ConsentAllow}}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/oauth/authorize",
		strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.AddCookie(&http.Cookie{Name: "who", Value: "ana"})
	rec := httptest.NewRecorder()
	s.mux.ServeHTTP(rec, r)
	page(t, rec, "another site")

	second := question(t, s.do(t, "ana", http.MethodGet, "/oauth/authorize?"+
		asked("spa", spaBack).Encode(), nil))
	if q := back(t, s.answer(t, "ana", c, auth.ConsentAllow)).Query(); q.Get("code") == "" {
		t.Fatalf("answer = %v, want a code", q)
	}
	page(t, s.answer(t, "ana", c, auth.ConsentAllow), "the same again")
	for _, no := range []string{auth.ConsentDeny, "", "ALLOW"} {
		if q := back(t, s.answer(t, "ana", second, no)).Query(); q.Get("error") != "access_denied" ||
			q.Has("code") || q.Get("state") == "" || q.Get("iss") != issuer {
			t.Errorf("%q = %v, want access_denied", no, q)
		}
		second = question(t, s.visit(t, "ana", asked("spa", spaBack)))
	}
}

// TestConsentIsNarrowedByARoleTakenAwayMeanwhile changes the person between question and answer.
func TestConsentIsNarrowedByARoleTakenAwayMeanwhile(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	c := question(t, s.visit(t, "ana", asked("spa", spaBack)))
	s.change("ana", func(p *auth.Person) { p.Roles = []role.Role{role.Engineer} })
	code := back(t, s.answer(t, "ana", c, auth.ConsentAllow)).Query().Get("code")
	answer := granted(t, s.post(t, "/oauth/token", authtest.CodeForm("spa", spaBack, code)))
	if answer.Text("scope") != "openid fhirUser profile offline_access" {
		t.Errorf("scope = %q", answer.Text("scope"))
	}
	c = question(t, s.visit(t, "ana", asked("spa", spaBack)))
	s.change("ana", func(p *auth.Person) { p.Roles = nil })
	q := back(t, s.answer(t, "ana", c, auth.ConsentAllow)).Query()
	if q.Get("error") != "access_denied" {
		t.Errorf("answer = %v, want access_denied", q)
	}
}

func TestATrustedProgramIsNotAskedAbout(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	request := asked("house", "https://house.example/cb")
	if q := back(t, s.visit(t, "ana", request)).Query(); q.Get("code") == "" {
		t.Errorf("answer = %v, want a code", q)
	}
	request.Set("prompt", "consent")
	question(t, s.visit(t, "ana", request))
}

// TestPromptAndMaxAge holds OpenID Connect Core 3.1.2.1 and 3.1.2.6.
func TestPromptAndMaxAge(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.clock.Advance(time.Minute)
	for _, c := range []struct{ name, who, client, prompt, maxAge, want string }{
		{"none and nobody", "", "spa", "none", "", "login_required"},
		{"none and a question", "ana", "spa", "none", "", "consent_required"},
		{"none and no question", "ana", "house", "none", "", "code"},
		{"none and too long ago", "ana", "house", "none", "30", "login_required"},
		{"login", "ana", "house", "login", "", "sign in"},
		{"another account", "ana", "house", "select_account", "", "sign in"},
		{"too long ago", "ana", "house", "", "30", "sign in"},
		{"at once", "ana", "house", "", "0", "sign in"},
		{"not so long ago", "ana", "house", "", "60", "code"},
		{"an unknown one", "ana", "house", "create", "", "invalid_request"},
		{"none and login", "ana", "house", "none login", "", "invalid_request"},
		{"an age of words", "ana", "house", "", "old", "invalid_request"},
		{"a negative age", "ana", "house", "", "-1", "invalid_request"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			request := asked(c.client, map[string]string{
				"spa": spaBack, "house": "https://house.example/cb",
			}[c.client])
			if c.prompt != "" {
				request.Set("prompt", c.prompt)
			}
			if c.maxAge != "" {
				request.Set("max_age", c.maxAge)
			}
			rec := s.visit(t, c.who, request)
			if c.want == "sign in" {
				if !strings.HasPrefix(rec.Header().Get("Location"), "/signin?") {
					t.Errorf("answer = %d %v, want to sign in", rec.Code, rec.Header())
				}
				return
			}
			q := back(t, rec).Query()
			if got := q.Get("error"); got != c.want && (c.want != "code" || q.Get("code") == "") {
				t.Errorf("answer = %v, want %s", q, c.want)
			}
		})
	}
}

// TestSigningInAgainEnds signs in because of prompt=login and is not asked for it again.
func TestSigningInAgainEnds(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.clock.Advance(time.Minute)
	request := asked("house", "https://house.example/cb")
	request.Set("prompt", "login")
	request.Set("max_age", "0")
	to, err := url.Parse(s.visit(t, "ana", request).Header().Get("Location"))
	if err != nil || to.Path != "/signin" {
		t.Fatalf("Location = %s, %v", to, err)
	}
	s.clock.Advance(time.Second)
	s.change("ana", func(p *auth.Person) { p.SignedIn = s.clock.Now() })
	s.clock.Advance(time.Second)
	rec := s.do(t, "ana", http.MethodGet, to.Query().Get("next"), nil)
	if q := back(t, rec).Query(); q.Get("code") == "" {
		t.Errorf("answer = %v, want a code", q)
	}
}

// TestNobodyInParticularIsNobody has sessions that do not say who it is, or since when.
func TestNobodyInParticularIsNobody(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*auth.Person){
		"no subject": func(p *auth.Person) { p.Subject = "" },
		"no issuer":  func(p *auth.Person) { p.Issuer = "" },
		"no time":    func(p *auth.Person) { p.SignedIn = time.Time{} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, nil)
			s.change("ana", change)
			q := back(t, s.visit(t, "ana", asked("spa", spaBack))).Query()
			if q.Get("error") != "server_error" || q.Has("code") {
				t.Errorf("answer = %v, want server_error", q)
			}
		})
	}
}

func TestAFailureToKnowThePersonIsTold(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.mu.Lock()
	s.broken = errors.New("canary of the session store")
	s.mu.Unlock()
	q := back(t, s.visit(t, "ana", asked("spa", spaBack))).Query()
	if q.Get("error") != "server_error" || strings.Contains(q.Get("error_description"), "canary") {
		t.Errorf("answer = %v, want server_error", q)
	}
}
