package fhirtest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLaunchFromAChart(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{})
	handle := v.launch(LaunchContext{NeedPatientBanner: true, Intent: "review", User: "theo-marsh"})
	got := v.redeem(v.code(v.asked(handle, chartScopes)))
	_, claims := v.identity(got["id_token"])
	for _, secret := range []string{"access_token", "refresh_token", "id_token"} {
		if text, _ := got[secret].(string); len(text) < 32 {
			t.Errorf("%s = %q", secret, text)
		}
		delete(got, secret)
	}
	want := map[string]any{"token_type": "Bearer", "expires_in": 3600.0, "scope": chartScopes,
		"patient": v.chart.Patient, "encounter": v.chart.Encounter, "need_patient_banner": true,
		"intent": "review", "smart_style_url": v.origin + stylePath, "tenant": tenantName}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("token response (-want +got):\n%s", d)
	}
	now := float64(v.clock.Now().Unix())
	wantClaims := map[string]any{"iss": v.base, "sub": "theo-marsh", "aud": "lens",
		"nonce": "of-this-request", "fhirUser": v.base + "/Practitioner/theo-marsh", "iat": now,
		"exp": now + 600, "auth_time": now, "groups": []any{"clinicians"}}
	if d := cmp.Diff(wantClaims, claims); d != "" {
		t.Errorf("id_token (-want +got):\n%s", d)
	}
}

func TestAuthorizeIsStrict(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{})
	drop := func(name string) func(url.Values) { return func(q url.Values) { q.Del(name) } }
	tests := []struct {
		name   string
		change func(url.Values)
		want   string
	}{
		{"another response type", set("response_type", "token"), "unsupported_response_type"},
		{"no response type", drop("response_type"), "unsupported_response_type"},
		{"no state", drop("state"), "invalid_request"},
		{"another audience", set("aud", "https://evil.example.org/fhir"), "invalid_request"},
		{"the audience with a slash behind", set("aud", v.base+"/"), "invalid_request"},
		{"no audience", drop("aud"), "invalid_request"},
		{"the challenge as plain", set("code_challenge_method", "plain"), "invalid_request"},
		{"no challenge method", drop("code_challenge_method"), "invalid_request"},
		{"no challenge", drop("code_challenge"), "invalid_request"},
		{"a challenge too short", set("code_challenge", "abc"), "invalid_request"},
		{"no scope", drop("scope"), "invalid_scope"},
		{"scopes of a program alone", set("scope", "launch/patient system/*.rs"), "invalid_request"},
		{"nothing that can be granted", func(q url.Values) {
			q.Set("scope", "system/*.rs patient/Patient.sr")
			q.Del("launch")
		}, "invalid_scope"},
		{"a launch that nobody made", set("launch", "made-up"), "invalid_request"},
		{"the scope without the launch", drop("launch"), "invalid_request"},
		{"the launch without the scope", set("scope", "patient/Patient.rs"), "invalid_request"},
		{"a request object", set("request", "e30.e30."), "request_not_supported"},
		{"a request by reference", set("request_uri", "https://x"), "request_uri_not_supported"},
		{"max_age", set("max_age", "0"), "invalid_request"},
		{"a parameter twice", func(q url.Values) { q.Add("state", "b") }, "invalid_request"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q := v.asked(v.launch(LaunchContext{}), chartScopes)
			tt.change(q)
			status, _, back := v.authorize(q)
			if status != http.StatusSeeOther || back.Get("error") != tt.want || back.Has("code") ||
				back.Get("state") != q.Get("state") {
				t.Errorf("status %d, back %v, want %s", status, back, tt.want)
			}
		})
	}
}

func TestAuthorizeNeverRedirectsToAnAddressThatIsNotRegistered(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{})
	for name, change := range map[string]func(url.Values){
		"an app that nobody knows":   set("client_id", "other"),
		"two apps":                   func(q url.Values) { q.Add("client_id", "lens") },
		"another address":            set("redirect_uri", "https://evil.example.org/callback?keep=1"),
		"an address with more of it": set("redirect_uri", appRedirect+"&x=1"),
		"an address in other case":   set("redirect_uri", strings.ToUpper(appRedirect)),
		"two addresses":              func(q url.Values) { q.Add("redirect_uri", "https://evil.example.org") },
		"no address":                 func(q url.Values) { q.Del("redirect_uri") },
	} {
		q := v.asked("", staffScopes)
		change(q)
		if status, body, back := v.authorize(q); status != http.StatusBadRequest || back != nil ||
			!strings.Contains(body, "<h1>") {
			t.Errorf("%s: status %d, back %v", name, status, back)
		}
	}
}

func TestLaunchIsGoodOnceAndNotForLong(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{})
	handle := v.launch(LaunchContext{})
	v.code(v.asked(handle, chartScopes))
	if _, _, back := v.authorize(v.asked(handle, chartScopes)); back.Get("error") != "invalid_request" {
		t.Errorf("the second time: %v", back)
	}
	handle = v.launch(LaunchContext{})
	v.clock.Advance(launchLife)
	if _, _, back := v.authorize(v.asked(handle, chartScopes)); back.Get("error") != "invalid_request" {
		t.Errorf("after five minutes: %v", back)
	}
}

func TestAuthorizeByPOST(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{})
	q := v.asked(v.launch(LaunchContext{}), chartScopes)
	if status, _, back := v.came(v.post(authorizePath, q)); status != http.StatusSeeOther || back.Get("code") == "" {
		t.Errorf("status %d, back %v", status, back)
	}
}

func TestCodeIsStrict(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{Apps: []App{{ClientID: "lens", RedirectURIs: []string{appRedirect}},
		{ClientID: "other", RedirectURIs: []string{appRedirect}}}})
	tests := []struct {
		name   string
		change func(url.Values)
		status int
		code   string
	}{
		{"another code", set("code", "made-up"), 400, "invalid_grant"},
		{"another address", set("redirect_uri", appLaunch), 400, "invalid_grant"},
		{"another verifier", set("code_verifier", strings.Repeat("v", 43)), 400, "invalid_grant"},
		{"no verifier", set("code_verifier", ""), 400, "invalid_grant"},
		{"the challenge as verifier", set("code_verifier", challengeOf(verifier)), 400, "invalid_grant"},
		{"another app", set("client_id", "other"), 400, "invalid_grant"},
		{"an app that nobody knows", set("client_id", "nobody"), 401, "invalid_client"},
		{"a minute later", func(url.Values) { v.clock.Advance(codeLife) }, 400, "invalid_grant"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			form := exchange(v.code(v.asked(v.launch(LaunchContext{}), chartScopes)))
			tt.change(form)
			if status, out := v.ask(form); status != tt.status || out["error"] != tt.code {
				t.Errorf("status %d, %v; want %d %s", status, out, tt.status, tt.code)
			}
		})
	}
}

func TestCodeUsedTwiceEndsWhatItGave(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{})
	code := v.code(v.asked(v.launch(LaunchContext{}), chartScopes))
	out := v.redeem(code)
	if status, _, _ := v.get("/Patient/" + v.chart.Patient); status != 200 {
		t.Fatalf("read: status %d", status)
	}
	if status, again := v.ask(exchange(code)); status != 400 || again["error"] != "invalid_grant" {
		t.Errorf("the second time: status %d, %v", status, again)
	}
	if status, _, _ := v.get("/Patient/" + v.chart.Patient); status != 401 {
		t.Errorf("read after that: status %d, want 401", status)
	}
	refresh, _ := out["refresh_token"].(string)
	if status, _ := v.ask(renewal(refresh)); status != 400 {
		t.Errorf("refresh after that: status %d, want 400", status)
	}
}

func TestRefreshRotates(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{})
	first := v.visits(chartScopes)
	old, _ := first["refresh_token"].(string)
	narrow := renewal(old)
	narrow.Set("scope", "patient/Patient.rs system/*.rs")
	if status, out := v.ask(narrow); status != 400 || out["error"] != "invalid_scope" {
		t.Errorf("more than granted: status %d, %v", status, out)
	}
	narrow.Set("scope", "launch patient/Patient.rs")
	status, out := v.ask(narrow)
	if status != 200 || out["scope"] != "launch patient/Patient.rs" || out["patient"] != v.chart.Patient {
		t.Fatalf("refresh: status %d, %v", status, out)
	}
	v.token, _ = out["access_token"].(string)
	if status, _, _ := v.get("/Encounter"); status != 403 {
		t.Errorf("beyond the narrowed scope: status %d, want 403", status)
	}
	next, _ := out["refresh_token"].(string)
	if status, _ := v.ask(renewal(old)); status != 400 || next == old || next == "" {
		t.Errorf("the spent token: status %d", status)
	}
	if status, out := v.ask(renewal(next)); status != 400 || out["error"] != "invalid_grant" {
		t.Errorf("the newest after the reuse: status %d, %v", status, out)
	}
}

func TestRefreshNeedsItsScopeAndEnds(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{SignInAs: "rosa-delmar"})
	if out := v.visits("launch patient/Patient.rs"); out["refresh_token"] != nil || out["id_token"] != nil {
		t.Errorf("without the scopes: %v", out)
	}
	out := v.visits(chartScopes)
	v.clock.Advance(onlineLife)
	online, _ := out["refresh_token"].(string)
	if status, _ := v.ask(renewal(online)); status != 400 {
		t.Errorf("online, after half a day: status %d", status)
	}
	out = v.signs(staffScopes)
	v.clock.Advance(onlineLife)
	offline, _ := out["refresh_token"].(string)
	if status, _ := v.ask(renewal(offline)); status != 200 {
		t.Errorf("offline, after half a day: status %d", status)
	}
}

func TestSignInOutsideAChart(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{})
	q := v.asked("", staffScopes+" patient/*.rs")
	q.Set("login_hint", "wen-adeyemi")
	status, page, _ := v.authorize(q)
	handle := between(page, `name="handle" value="`, `"`)
	if status != 200 || handle == "" || strings.Count(page, `name="user"`) != len(Staff()) ||
		!strings.Contains(page, `value="wen-adeyemi" autofocus`) {
		t.Fatalf("status %d, page %s", status, page)
	}
	form := url.Values{"handle": {handle}, "user": {"sam-ortega"}, "answer": {"allow"}}
	status, _, back := v.came(v.post(signInPath, form))
	if status != http.StatusSeeOther || back.Get("state") != q.Get("state") {
		t.Fatalf("status %d, back %v", status, back)
	}
	out := v.redeem(back.Get("code"))
	_, claims := v.identity(out["id_token"])
	if out["scope"] != staffScopes || out["patient"] != nil || claims["sub"] != "sam-ortega" ||
		claims["name"] != "Sam Ortega" {
		t.Errorf("token response %v, claims %v", out, claims)
	}
	if status, _, _ := v.came(v.post(signInPath, form)); status != 400 {
		t.Errorf("the same page again: status %d, want 400", status)
	}
}

func TestSignInCanBeCancelled(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{})
	for name, form := range map[string]url.Values{
		"cancel":                 {"user": {"rosa-delmar"}, "answer": {"deny"}},
		"somebody nobody knows":  {"user": {"ghost"}, "answer": {"allow"}},
		"a form without answers": {},
	} {
		_, page, _ := v.authorize(v.asked("", staffScopes))
		form.Set("handle", between(page, `name="handle" value="`, `"`))
		if _, _, back := v.came(v.post(signInPath, form)); back.Get("error") != "access_denied" || back.Has("code") {
			t.Errorf("%s: back %v", name, back)
		}
	}
	q := v.asked("", staffScopes)
	q.Set("prompt", "none")
	if _, _, back := v.authorize(q); back.Get("error") != "login_required" {
		t.Errorf("prompt=none: back %v", back)
	}
	_, page, _ := v.authorize(v.asked("", staffScopes))
	v.clock.Advance(questionLife)
	form := url.Values{"handle": {between(page, `name="handle" value="`, `"`)}, "user": {"rosa-delmar"}, "answer": {"allow"}}
	if status, _, _ := v.came(v.post(signInPath, form)); status != 400 {
		t.Errorf("ten minutes later: status %d, want 400", status)
	}
}

func TestSignInAs(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{SignInAs: "wen-adeyemi"})
	who := func(hint string) any {
		q := v.asked("", "openid")
		q.Del("aud") // Plain OpenID Connect knows no aud.
		q.Set("login_hint", hint)
		_, claims := v.identity(v.redeem(v.code(q))["id_token"])
		return claims["sub"]
	}
	got := []any{who(""), who("sam-ortega"), who("ghost")}
	if err := v.server.SignInAs("theo-marsh"); err != nil {
		t.Fatal(err)
	}
	got = append(got, who(""))
	if want := []any{"wen-adeyemi", "sam-ortega", "wen-adeyemi", "theo-marsh"}; !slices.Equal(got, want) {
		t.Errorf("signed in: %v, want %v", got, want)
	}
	if err := v.server.SignInAs("ghost"); err == nil {
		t.Error("SignInAs(ghost) gave no error")
	}
}

func TestUserGranted(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		asked    string
		allowed  string
		withheld string
		inChart  bool
		want     string
	}{
		{"what is asked", "launch openid patient/Patient.rs user/Encounter.read", "", "", true,
			"launch openid patient/Patient.rs user/Encounter.read"},
		{"no patient without a chart", "openid patient/Patient.rs user/Patient.rs", "", "", false,
			"openid user/Patient.rs"},
		{"nothing of a program", "system/*.rs user/*.rs", "", "", true, "user/*.rs"},
		{"what the app is registered for", "openid profile user/Patient.cruds user/Patient.r",
			"openid user/*.rs", "", true, "openid user/Patient.r"},
		{"not what is withheld", "openid patient/Patient.rs patient/AdverseEvent.read", "",
			"patient/AdverseEvent.rs", true, "openid patient/Patient.rs"},
		{"the rest of a wildcard", "patient/*.rs", "", "patient/AdverseEvent.rs", true,
			"patient/Patient.rs patient/Encounter.rs patient/Organization.rs patient/Practitioner.rs"},
		{"withheld words", "openid offline_access", "", "offline_access", true, "openid"},
		{"no letters in another order", "user/Patient.sr user/Patient. user/Patient.rrs", "", "", true, ""},
		{"no part of a type", "user/Patient.rs?name=x", "", "", true, ""},
		{"what nobody knows", "email launch/patient", "", "", true, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := userGranted(strings.Fields(tt.asked), strings.Fields(tt.allowed),
				strings.Fields(tt.withheld), tt.inChart)
			if strings.Join(got, " ") != tt.want {
				t.Errorf("userGranted(%q) = %q, want %q", tt.asked, got, tt.want)
			}
		})
	}
}

func TestDiscoveryOfTheLaunch(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{})
	for _, path := range []string{"/.well-known/smart-configuration", "/.well-known/openid-configuration"} {
		_, header, body := v.get(path)
		var got struct {
			Issuer       string   `json:"issuer"`
			Keys         string   `json:"jwks_uri"`
			Authorize    string   `json:"authorization_endpoint"`
			Token        string   `json:"token_endpoint"`
			Introspect   string   `json:"introspection_endpoint"`
			Challenges   []string `json:"code_challenge_methods_supported"`
			Capabilities []string `json:"capabilities"`
		}
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatal(err)
		}
		if got.Issuer != v.base || got.Keys != v.origin+keysPath || got.Token != v.origin+tokenPath ||
			got.Authorize != v.origin+authorizePath || got.Introspect != v.origin+introspectPath ||
			!slices.Equal(got.Challenges, []string{"S256"}) ||
			!strings.HasPrefix(header.Get("Content-Type"), "application/json") {
			t.Errorf("%s = %s", path, body)
		}
		if strings.Contains(path, "smart") && !slices.Contains(got.Capabilities, "launch-ehr") {
			t.Errorf("capabilities = %q", got.Capabilities)
		}
	}
}

func TestTwoNames(t *testing.T) {
	t.Parallel()
	server, err := NewServer(withApp(Config{Now: time.Now, PublicURL: "https://ehr.internal",
		BrowserURL: "https://ehr.example.org"}))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	server.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet,
		"http://10.0.0.1:9090/fhir/.well-known/smart-configuration", nil))
	body := w.Body.String()
	for _, want := range []string{`"issuer":"https://ehr.internal/fhir"`,
		`"authorization_endpoint":"https://ehr.example.org/auth/authorize"`,
		`"token_endpoint":"https://ehr.internal/auth/token"`} {
		if !strings.Contains(body, want) {
			t.Errorf("smart-configuration lacks %s: %s", want, body)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	good := App{ClientID: "lens", RedirectURIs: []string{appRedirect}}
	tests := []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"an app without an id", func(c *Config) { c.Apps[0].ClientID = "" }, "lacks an id"},
		{"an app without an address", func(c *Config) { c.Apps[0].RedirectURIs = nil }, "redirect"},
		{"an address that is none", func(c *Config) { c.Apps[0].RedirectURIs = []string{"/callback"} }, "redirect"},
		{"an app twice", func(c *Config) { c.Apps = append(c.Apps, good) }, "twice"},
		{"an authentication that nobody knows", func(c *Config) { c.Apps[0].Auth = "mtls" }, "unknown"},
		{"a secret that is not used", func(c *Config) { c.Apps[0].Secret = "s" }, "secret"},
		{"a secret that is missing", func(c *Config) { c.Apps[0].Auth = SecretBasic }, "secret"},
		{"keys that are missing", func(c *Config) { c.Apps[0].Auth = PrivateKey }, "keys"},
		{"a user twice", func(c *Config) { c.Users = []User{{ID: "a"}, {ID: "a"}} }, "twice"},
		{"a user to sign in whom nobody knows", func(c *Config) { c.SignInAs = "ghost" }, "unknown"},
		{"a name for browsers alone", func(c *Config) { c.BrowserURL = "https://ehr.example.org" }, "PublicURL"},
		{"a launch URL that is none", func(c *Config) { c.AppLaunchURL = "launch" }, "no URL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := withApp(Config{Now: time.Now, Apps: []App{good}})
			tt.change(&c)
			if _, err := NewServer(c); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("NewServer() = %v, want %q in it", err, tt.want)
			}
		})
	}
}

func between(text, before, after string) string {
	_, text, _ = strings.Cut(text, before)
	text, _, _ = strings.Cut(text, after)
	return text
}

func TestCodeIsSpentOnce(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{})
	form := exchange(v.code(v.asked(v.launch(LaunchContext{}), "launch patient/Patient.rs"))).Encode()
	var good atomic.Int32
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, v.origin+tokenPath, strings.NewReader(form))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			v.server.Handler().ServeHTTP(w, r)
			if w.Code == http.StatusOK {
				good.Add(1)
			}
		})
	}
	all.Wait()
	if good.Load() != 1 {
		t.Errorf("%d of 64 got tokens for one code", good.Load())
	}
}

func TestOldFaultsStrikeTheLaunchToo(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{Faults: []Fault{ShortToken, NoTokenType, NoAdverseEvent}})
	out := v.visits(chartScopes)
	if out["token_type"] != nil || out["expires_in"] != 2.0 {
		t.Errorf("token response = %v", out)
	}
	if status, _, _ := v.get("/AdverseEvent?subject=Patient/" + v.chart.Patient); status != 404 {
		t.Errorf("AdverseEvent: status %d, want 404", status)
	}
	v.clock.Advance(2 * time.Second)
	if status, _, _ := v.get("/Patient/" + v.chart.Patient); status != 401 {
		t.Errorf("two seconds later: status %d, want 401", status)
	}
}
