package main

import (
	"html"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/auth/authtest"
	"github.com/equitylens/equitylens/fhir/fhirtest"
)

// TestAnAnswerThatIsNotThePersonsOwn answers the question for consent in every wrong way.
func TestAnAnswerThatIsNotThePersonsOwn(t *testing.T) {
	t.Parallel()
	l := openLens(t)
	v := l.visitor(t)
	ask := func() string {
		asked := v.get(lensURL + "/oauth/authorize?" + boardForm(everyScope).Encode())
		m := handleField.FindStringSubmatch(asked.body)
		if m == nil {
			t.Fatalf("no question: %d at %s", asked.status, asked.at)
		}
		policy := asked.header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("the question has the policy %q, without %s", policy, want)
			}
		}
		return html.UnescapeString(m[1])
	}
	own := http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {lensURL}}
	send := func(who *visitor, handle, answer string, header http.Header) sight {
		request := who.request(http.MethodPost, lensURL+"/oauth/authorize", url.Values{
			"handle": {handle}, "answer": {answer},
		})
		for name, values := range header {
			request.Header[name] = values
		}
		return who.follow(request)
	}
	other := l.visitor(t)
	if err := l.ehr.SignInAs(reviewerUser); err != nil {
		t.Fatal(err)
	}
	other.get(lensURL + "/account")
	if err := l.ehr.SignInAs(analystUser); err != nil {
		t.Fatal(err)
	}
	handle := ask()
	cases := []struct {
		name   string
		who    *visitor
		handle string
		header http.Header
	}{
		{"nobody", l.visitor(t), handle, own},
		{"somebody else", other, handle, own},
		{"a page of another site", v, handle,
			http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example.org"}}},
		{"a page of a neighbouring host", v, handle, http.Header{"Sec-Fetch-Site": {"same-site"}}},
		{"an old browser on a page of another site", v, handle,
			http.Header{"Origin": {"https://evil.example.org"}}},
		{"a guessed handle", v, strings.Repeat("A", 43), own},
		{"no handle", v, "", own},
	}
	for _, c := range cases {
		got := send(c.who, c.handle, "allow", c.header)
		if got.status < 400 || got.at.Query().Has("code") {
			t.Errorf("%s answers: %d at %s", c.name, got.status, got.at)
		}
	}
	if got := send(v, handle, "allow", own); !got.at.Query().Has("code") {
		t.Errorf("the person's own answer does not count any more: %d at %s", got.status, got.at)
	}
	if got := send(v, handle, "allow", own); got.status != http.StatusBadRequest {
		t.Errorf("the answer counts twice: %d at %s", got.status, got.at)
	}
	refused := ask()
	_ = send(v, refused, "deny", own)
	if got := send(v, refused, "allow", own); got.status != http.StatusBadRequest {
		t.Errorf("no becomes yes: %d at %s", got.status, got.at)
	}
	l.end()
}

// TestNobodyIsSignedInAsAnother begins a sign-in and a launch in one browser and ends them in another.
func TestNobodyIsSignedInAsAnother(t *testing.T) {
	t.Parallel()
	l := openLens(t)
	for _, begin := range []string{lensURL + "/signin/ehr", l.launch(t)} {
		attacker, victim := l.visitor(t), l.visitor(t)
		answer := attacker.stopAt(begin, "/callback")
		if got := victim.get(answer); got.status != http.StatusBadRequest {
			t.Errorf("another browser ends it: %d at %s", got.status, got.at)
		}
		account, err := url.Parse(lensURL + "/account")
		if err != nil {
			t.Fatal(err)
		}
		if jar := victim.client.Jar.Cookies(account); len(jar) != 0 {
			t.Errorf("the other browser has %d cookies", len(jar))
		}
		if got := attacker.get(answer); got.status != http.StatusOK {
			t.Errorf("the browser that began it does not end it: %d at %s", got.status, got.at)
		}
		if got := attacker.get(answer); got.status != http.StatusBadRequest {
			t.Errorf("the answer of the EHR counts twice: %d at %s", got.status, got.at)
		}
	}
	l.end()
}

// launch is a launch out of a chart of the EHR.
func (l *lens) launch(t *testing.T) string {
	t.Helper()
	who := l.ehr.Situations()[0]
	launch, err := l.ehr.Launch(fhirtest.LaunchContext{Patient: who.Patient, Encounter: who.Encounter})
	if err != nil {
		t.Fatal(err)
	}
	return launch
}

// stopAt follows redirects up to a path of ours, which it does not open.
func (v *visitor) stopAt(address, path string) string {
	v.t.Helper()
	const most = 12
	for range most {
		if u, err := url.Parse(address); err != nil || u.Path == path {
			return address
		}
		answer, err := v.client.Do(v.request(http.MethodGet, address, nil))
		if err != nil {
			v.t.Fatal(err)
		}
		_ = answer.Body.Close()
		next, err := answer.Location()
		if err != nil {
			v.t.Fatalf("%d at %s", answer.StatusCode, address)
		}
		address = next.String()
	}
	v.t.Fatalf("the browser does not come to %s", path)
	return ""
}

// remembering is a jar that keeps what it was given.
type remembering struct {
	http.CookieJar
	given []*http.Cookie
}

// SetCookies implements http.CookieJar.
func (r *remembering) SetCookies(u *url.URL, cookies []*http.Cookie) {
	if u.Hostname() == "lens.example.org" {
		r.given = append(r.given, cookies...)
	}
	r.CookieJar.SetCookies(u, cookies)
}

// TestCookiesAreClosedToAllButUs reads what every cookie of ours says of itself.
func TestCookiesAreClosedToAllButUs(t *testing.T) {
	t.Parallel()
	l := openLens(t)
	plain, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	jar := &remembering{CookieJar: plain}
	v := &visitor{t: t, client: l.client(t, jar)}
	v.get(lensURL + "/account")
	v.get(l.launch(t))
	framed := v.request(http.MethodGet, l.launch(t), nil)
	framed.Header.Set("Sec-Fetch-Dest", "iframe")
	v.follow(framed)
	seen := map[string]int{}
	for _, c := range jar.given {
		kind, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(c.Name, "__Host-"), "__Secure-"), "-flow-")
		seen[kind]++
		if !c.Secure || !c.HttpOnly || c.Domain != "" {
			t.Errorf("%s: Secure %v, HttpOnly %v, Domain %q", kind, c.Secure, c.HttpOnly, c.Domain)
		}
		if strings.HasPrefix(c.Name, "__Host-") != (c.Path == "/") || !strings.HasPrefix(c.Name, "__") {
			t.Errorf("%s has the path %q", c.Name, c.Path)
		}
		switch {
		case c.SameSite == http.SameSiteNoneMode && !c.Partitioned:
			t.Errorf("%s is sent in every frame", kind)
		case c.SameSite != http.SameSiteNoneMode && c.SameSite != http.SameSiteLaxMode:
			t.Errorf("%s: SameSite is %v", kind, c.SameSite)
		}
		if kind == "equitylens" && !strings.Contains(c.Name, "-flow-") && c.SameSite != http.SameSiteLaxMode {
			t.Error("the cookie of a sign-in is sent in frames")
		}
	}
	if seen["equitylens"] == 0 || seen["equitylens-chart"] != 2 {
		t.Errorf("cookies: %v", seen)
	}
	l.end()
}

// TestTheLogHoldsNobodyAndNoKey does all that people do, and looks for it in what the program says.
func TestTheLogHoldsNobodyAndNoKey(t *testing.T) {
	t.Parallel()
	l := openLens(t)
	secrets := map[string]string{
		"a user's id": analystUser, "a user's name": "Adeyemi", "another user's id": clinicianUser,
		"a state": boardForm("").Get("state"), "a nonce": boardForm("").Get("nonce"),
		"a verifier": authtest.Verifier,
	}
	if err := l.ehr.SignInAs(analystUser); err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	kept := &remembering{CookieJar: jar}
	v := &visitor{t: t, client: l.client(t, kept)}
	code := v.authorize(boardForm(everyScope)).Get("code")
	held := l.post(t, "/oauth/token", authtest.CodeForm("board", boardRedirect, code))
	secrets["a code"] = code
	for _, name := range []string{"access_token", "refresh_token", "id_token"} {
		secrets["an "+name] = held.Text(name)
	}
	launch := l.launch(t)
	address, err := url.Parse(launch)
	if err != nil {
		t.Fatal(err)
	}
	secrets["a launch"] = address.Query().Get("launch")
	who := l.ehr.Situations()[0]
	secrets["a patient"], secrets["an encounter"] = who.Patient, who.Encounter
	chart := v.get(launch)
	if chart.status != http.StatusOK {
		t.Fatalf("chart: %d", chart.status)
	}
	secrets["the address of a chart"] = strings.TrimPrefix(chart.at.Path, "/chart/")
	// What goes wrong is logged too.
	for _, path := range []string{
		figuresPath + "&subject=Patient/" + who.Patient, "/fhir/Patient/" + who.Patient,
		"/chart/" + who.Patient, "/signin/" + who.Patient, "/callback?state=" + who.Patient + "&code=" + who.Patient,
		"/launch?iss=https://evil.example.org/" + who.Patient + "&launch=" + who.Patient,
		"/callback?error=" + who.Patient + "&error_description=" + who.Patient, "/" + who.Patient,
		"/oauth/authorize?client_id=" + who.Patient, "/oauth/authorize?continue=" + who.Patient,
	} {
		_, _ = l.do(http.MethodGet, path, held.Text("access_token"), "")
	}
	for _, grant := range []string{"authorization_code", "refresh_token", "client_credentials", who.Patient} {
		_ = l.post(t, "/oauth/token", url.Values{
			"grant_type": {grant}, "code": {who.Patient}, "refresh_token": {who.Patient},
			"client_id": {"board"}, "redirect_uri": {who.Patient}, "scope": {who.Patient},
		})
	}
	_ = l.post(t, "/oauth/revoke", url.Values{"client_id": {"board"}, "token": {held.Text("refresh_token")}})
	for _, c := range kept.given {
		if c.Value != "" {
			secrets["a cookie "+c.Name] = c.Value
		}
	}
	_, metrics := l.do(http.MethodGet, "/metrics", "", "")
	l.end()
	for what, secret := range secrets {
		if secret == "" {
			t.Errorf("%s is empty", what)
			continue
		}
		for where, text := range map[string]string{"the log": l.log.String(), "the metrics": metrics} {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("%s holds %s: …%s…", where, what, text[max(0, i-200):min(len(text), i+60)])
			}
		}
	}
}
