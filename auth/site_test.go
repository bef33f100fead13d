package auth_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/auth"
	"github.com/equitylens/equitylens/auth/authtest"
	"github.com/equitylens/equitylens/auth/keys"
	"github.com/equitylens/equitylens/auth/role"
)

const (
	spaBack  = "https://spa.example/cb"
	dashBack = "https://dash.example/cb?tenant=1"
	homeBack = "http://127.0.0.1/cb"
	allScope = "openid fhirUser profile offline_access user/MeasureReport.rs"
)

// idKeys are the keys of id_tokens, made once because RSA takes its time.
var idKeys = sync.OnceValues(func() (*keys.Set, error) {
	dir, err := os.MkdirTemp("", "idkeys")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	return keys.Open(filepath.Join(dir, "id.json"), keys.Config{
		Algorithms: []jose.SignatureAlgorithm{jose.RS256},
	})
})

// site is a server at which people sign in: "ana" the analyst, "ivo" without a role, "rev" the
// reviewer. Beside "nightly" it knows the clients "spa" (public), "dash" (confidential), "house"
// (trusted, public) and "watch" (may introspect all).
type site struct {
	*rig
	mux *http.ServeMux

	mu     sync.Mutex
	people map[string]auth.Person
	broken error
}

// Person implements auth.People by the cookie "who".
func (s *site) Person(r *http.Request) (auth.Person, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return auth.Person{}, false, s.broken
	}
	cookie, err := r.Cookie("who")
	if err != nil {
		return auth.Person{}, false, nil
	}
	p, ok := s.people[cookie.Value]
	return p, ok, nil
}

// change changes a person.
func (s *site) change(name string, with func(*auth.Person)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.people[name]
	with(&p)
	s.people[name] = p
}

// newSite starts a site; change sees its configuration before.
func newSite(t testing.TB, change func(*auth.Config, *rig)) *site {
	t.Helper()
	ids, err := idKeys()
	if err != nil {
		t.Fatal(err)
	}
	s := &site{mux: http.NewServeMux()}
	s.rig = newRig(t, func(cfg *auth.Config, r *rig) {
		cfg.Clients = append(cfg.Clients, siteClients(r.key)...)
		cfg.People, cfg.IDKeys = s, ids
		cfg.SignIn = func(next string) string { return "/signin?" + url.Values{"next": {next}}.Encode() }
		cfg.Consent = func(w http.ResponseWriter, _ *http.Request, c auth.Consent) {
			w.Header().Set("X-Page", "consent")
			_ = json.NewEncoder(w).Encode(c)
		}
		cfg.Problem = func(w http.ResponseWriter, _ *http.Request, status int, code, say string) {
			w.Header().Set("X-Page", "problem")
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, "%s: %s", code, say)
		}
		if change != nil {
			change(cfg, r)
		}
	})
	now := s.clock.Now()
	s.people = map[string]auth.Person{
		"ana": {
			Subject: "ana-4711", Issuer: "https://idp.example", Name: "Ana Canary",
			FHIRUser: "https://ehr.example/Practitioner/canary",
			Roles:    []role.Role{role.Analyst}, SignedIn: now,
			Context: map[string]any{"patient": "p-canary", "need_patient_banner": true, "id_token": "x"},
		},
		"rev": {
			Subject: "rev-4712", Issuer: "https://idp.example", Name: "Rev Canary",
			Roles: []role.Role{role.Reviewer}, SignedIn: now,
		},
		"ivo": {Subject: "ivo-4713", Issuer: "https://idp.example", SignedIn: now},
	}
	s.mux.Handle("/oauth/authorize", s.Authorize())
	s.mux.Handle("/oauth/par", s.PushedAuthorization())
	s.mux.Handle("/oauth/token", s.Token())
	s.mux.Handle("/oauth/introspect", s.Introspect())
	s.mux.Handle("/oauth/revoke", s.Revoke())
	return s
}

// siteClients are the clients of a site beside the first.
func siteClients(key jose.JSONWebKey) []auth.Client {
	scopes := strings.Fields(allScope + " online_access user/Measure.rs equitylens/unsuppressed " +
		"system/Measure.rs")
	return []auth.Client{
		{ID: "spa", Public: true, RedirectURIs: []string{spaBack, homeBack}, Scopes: scopes},
		{ID: "dash", Name: "The dashboard", JWKS: public(key), RedirectURIs: []string{dashBack, homeBack},
			Grants: []string{"authorization_code", "refresh_token", "client_credentials"},
			Scopes: scopes},
		{ID: "house", Public: true, Trusted: true,
			RedirectURIs: []string{"https://house.example/cb"}, Scopes: scopes},
		{ID: "watch", JWKS: public(key), Scopes: []string{"equitylens/introspect", "system/Measure.rs"}},
	}
}

// asked is a good request of a client.
func asked(client, back string) url.Values {
	return authtest.AuthorizeForm(client, back, audience, allScope)
}

// do sends a request of a person's browser; who is empty where nobody is signed in.
func (s *site) do(
	t testing.TB, who, method, target string, form url.Values,
) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if who != "" {
		r.AddCookie(&http.Cookie{Name: "who", Value: who})
	}
	rec := httptest.NewRecorder()
	s.mux.ServeHTTP(rec, r)
	return rec
}

// visit asks by GET.
func (s *site) visit(t testing.TB, who string, request url.Values) *httptest.ResponseRecorder {
	t.Helper()
	return s.do(t, who, http.MethodGet, "/oauth/authorize?"+request.Encode(), nil)
}

// question reads the page that asks for consent.
func question(t testing.TB, rec *httptest.ResponseRecorder) auth.Consent {
	t.Helper()
	var c auth.Consent
	if rec.Header().Get("X-Page") != "consent" || json.Unmarshal(rec.Body.Bytes(), &c) != nil {
		t.Fatalf("answer = %d %v %s, want the question", rec.Code, rec.Header(), rec.Body)
	}
	return c
}

// answer answers it.
func (s *site) answer(
	t testing.TB, who string, c auth.Consent, answer string,
) *httptest.ResponseRecorder {
	t.Helper()
	return s.do(t, who, http.MethodPost, c.Action,
		url.Values{auth.ConsentHandle: {c.Handle}, auth.ConsentAnswer: {answer}})
}

// back reads where a browser was sent back to.
func back(t testing.TB, rec *httptest.ResponseRecorder) *url.URL {
	t.Helper()
	to, err := url.Parse(rec.Header().Get("Location"))
	if rec.Code != http.StatusSeeOther || err != nil || to.Host == "" {
		t.Fatalf("answer = %d %q %s, want a way back to the client", rec.Code,
			rec.Header().Get("Location"), rec.Body)
	}
	return to
}

// code has a person give a client a code.
func (s *site) code(t testing.TB, who string, request url.Values) string {
	t.Helper()
	rec := s.visit(t, who, request)
	if rec.Header().Get("X-Page") == "consent" {
		rec = s.answer(t, who, question(t, rec), auth.ConsentAllow)
	}
	code := back(t, rec).Query().Get("code")
	if code == "" {
		t.Fatalf("Location = %q, want a code", rec.Header().Get("Location"))
	}
	return code
}

// post posts a form and reads the JSON of the answer, if there is any.
func (s *site) post(t testing.TB, path string, form url.Values) authtest.Answer {
	t.Helper()
	rec := s.do(t, "", http.MethodPost, path, form)
	answer := authtest.Answer{Status: rec.Code, Header: rec.Header()}
	if rec.Body.Len() > 0 {
		if err := json.Unmarshal(rec.Body.Bytes(), &answer.Body); err != nil {
			t.Fatalf("answer = %d %s, want JSON", rec.Code, rec.Body)
		}
	}
	return answer
}

// tokens has a person give spa all that it asks for, and returns the token response.
func (s *site) tokens(t testing.TB, who string) authtest.Answer {
	t.Helper()
	return granted(t, s.post(t, "/oauth/token",
		authtest.CodeForm("spa", spaBack, s.code(t, who, asked("spa", spaBack)))))
}

// granted wants a token response as RFC 6749 section 5.1 and SMART have it.
func granted(t testing.TB, answer authtest.Answer) authtest.Answer {
	t.Helper()
	if answer.Status != http.StatusOK || answer.Text("access_token") == "" {
		t.Fatalf("answer = %d %v, want a token", answer.Status, answer.Body)
	}
	if answer.Text("token_type") != "Bearer" || answer.Body["expires_in"] != 300.0 ||
		answer.Text("scope") == "" ||
		!strings.HasPrefix(answer.Header.Get("Content-Type"), "application/json") {
		t.Errorf("answer = %v %v", answer.Header, answer.Body)
	}
	notStored(t, answer.Header)
	return answer
}

// refresh uses a refresh token of spa.
func (s *site) refresh(t testing.TB, token string) authtest.Answer {
	t.Helper()
	return s.post(t, "/oauth/token", authtest.RefreshForm("spa", token))
}

// asserted adds the assertion of a confidential client to a form.
func (s *site) asserted(t testing.TB, client string, form url.Values) url.Values {
	t.Helper()
	a := s.assertion()
	a.ClientID = client
	form.Set("client_id", client)
	form.Set("client_assertion_type", authtest.AssertionType)
	form.Set("client_assertion", sign(t, a))
	return form
}

// valid wants the API to accept a token, or not.
func (s *site) valid(t testing.TB, token string, want bool) {
	t.Helper()
	if p, err := s.Validator().Validate(t.Context(), token); (err == nil) != want {
		t.Errorf("Validate = %+v, %v, want it valid: %v", p, err, want)
	}
}
