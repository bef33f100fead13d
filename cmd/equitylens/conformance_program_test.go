package main

import (
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/auth/authtest"
	"github.com/equitylens/equitylens/auth/keys"
)

// TestConformanceA7 asks for tokens as a program without people does.
func TestConformanceA7(t *testing.T) {
	t.Parallel()
	l := openLens(t)
	forged, err := keys.Generate(jose.ES384)
	if err != nil {
		t.Fatal(err)
	}
	forged.KeyID = l.office.KeyID
	good := authtest.Assertion{ClientID: "robot", Audience: lensURL + "/oauth/token", Key: l.office}
	with := func(change func(*authtest.Assertion)) authtest.Assertion {
		changed := good
		change(&changed)
		return changed
	}
	claim := func(name string, value any) authtest.Assertion {
		return with(func(a *authtest.Assertion) { a.Claims = map[string]any{name: value} })
	}
	cases := []struct {
		name      string
		assertion authtest.Assertion
		change    func(url.Values)
		// status is 0 for 400 or 401.
		status int
		want   string
	}{
		{"a grant type of nobody", good, func(f url.Values) { f.Set("grant_type", "not_a_grant_type") },
			http.StatusBadRequest, "unsupported_grant_type"},
		{"no grant type", good, func(f url.Values) { f.Del("grant_type") }, http.StatusBadRequest, ""},
		{"an assertion type of nobody", good,
			func(f url.Values) { f.Set("client_assertion_type", "not_an_assertion_type") }, 0, ""},
		{"no assertion", good, func(f url.Values) { f.Del("client_assertion") }, 0, "invalid_client"},
		{"another issuer", claim("iss", "not_a_valid_iss"), nil, 0, "invalid_client"},
		{"another subject", claim("sub", "office"), nil, 0, "invalid_client"},
		{"another audience", claim("aud", "https://evil.example.org/token"), nil, 0, "invalid_client"},
		{"no id", claim("jti", nil), nil, 0, "invalid_client"},
		{"an assertion that is over", claim("exp", time.Now().Add(-time.Hour).Unix()), nil, 0, "invalid_client"},
		{"an assertion for ten years", claim("exp", time.Now().AddDate(10, 0, 0).Unix()), nil, 0,
			"invalid_client"},
		{"another's signature", with(func(a *authtest.Assertion) { a.Key = forged }), nil, 0, "invalid_client"},
		{"a client_id that is not the signer", good, func(f url.Values) { f.Set("client_id", "office") }, 0, ""},
		{"a scope that it may not have", good, func(f url.Values) { f.Set("scope", "system/AuditEvent.rs") },
			http.StatusBadRequest, "invalid_scope"},
		{"a code for a program without people", good, func(f url.Values) {
			f.Set("grant_type", "authorization_code")
			f.Set("code", "x")
		}, 0, ""},
	}
	for _, c := range cases {
		assertion, err := c.assertion.Sign()
		if err != nil {
			t.Fatal(err)
		}
		form := authtest.Form(assertion, programScope)
		if c.change != nil {
			c.change(form)
		}
		answer := l.post(t, "/oauth/token", form)
		inOrder := answer.Status == c.status ||
			c.status == 0 && (answer.Status == http.StatusBadRequest || answer.Status == http.StatusUnauthorized)
		if !inOrder || c.want != "" && answer.Text("error") != c.want {
			t.Errorf("%s: %d %v", c.name, answer.Status, answer.Body)
		}
	}
	assertion, err := good.Sign()
	if err != nil {
		t.Fatal(err)
	}
	answer := l.post(t, "/oauth/token", authtest.Form(assertion, programScope+" system/AuditEvent.rs"))
	checkTokens(t, "token", answer, programScope)
	if answer.Text("refresh_token") != "" || answer.Text("id_token") != "" {
		t.Errorf("a program without people is given %v", answer.Body)
	}
	if got := l.status(figuresPath, answer.Text("access_token")); got != http.StatusOK {
		t.Errorf("the token opens a figure with %d", got)
	}
	l.refused(t, "an assertion for the second time", authtest.Form(assertion, programScope), "invalid_client")
	l.end()
}

// TestConformanceA9 asks about tokens.
func TestConformanceA9(t *testing.T) {
	t.Parallel()
	l := openLens(t)
	var smart smartDocument
	l.document(t, "/fhir/.well-known/smart-configuration", &smart)
	path := smart.Introspection[len(lensURL):]
	inspect := func(client, token string) map[string]any {
		answer := l.post(t, path, l.signed(t, client, url.Values{"token": {token}}))
		if answer.Status != http.StatusOK {
			t.Fatalf("introspection by %s: %d %v", client, answer.Status, answer.Body)
		}
		return answer.Body
	}
	held := l.tokens(t, analystUser, everyScope)
	got := inspect("inspector", held.Text("access_token"))
	claims := l.identity(t, held.Text("id_token"), "board")
	for name, want := range map[string]any{
		"active": true, "client_id": "board", "iss": lensURL, "sub": claims["sub"],
		"fhirUser": claims["fhirUser"], "aud": lensURL + "/fhir", "token_type": "Bearer",
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	said, _ := got["scope"].(string)
	if !slices.Equal(sorted(said), sorted(held.Text("scope"))) {
		t.Errorf("scope is %q, the token was given with %q", said, held.Text("scope"))
	}
	exp, _ := got["exp"].(float64)
	if left := time.Until(time.Unix(int64(exp), 0)); left <= 0 || left > lifetime(t, held)+time.Minute {
		t.Errorf("exp is %v from now", left)
	}
	for _, name := range []string{"patient", "encounter"} {
		if got[name] != held.Body[name] {
			t.Errorf("%s is %v, the token response had %v", name, got[name], held.Body[name])
		}
	}
	nothing := func(what string, got map[string]any) {
		if len(got) != 1 || got["active"] != false {
			t.Errorf("%s: %v, want active false and nothing else", what, got)
		}
	}
	nothing("a token of nobody", inspect("inspector", "INVALID_ACCESS_TOKEN"))
	nothing("a token of another, by a client without the scope", inspect("office", held.Text("access_token")))
	nothing("an id_token", inspect("inspector", held.Text("id_token")))
	if got := inspect("inspector", held.Text("refresh_token")); got["active"] != true ||
		got["token_type"] != nil {
		t.Errorf("a refresh token: %v", got)
	}
	_ = l.post(t, "/oauth/revoke", url.Values{"client_id": {"board"}, "token": {held.Text("refresh_token")}})
	nothing("a revoked token", inspect("inspector", held.Text("access_token")))
	nothing("a revoked refresh token", inspect("inspector", held.Text("refresh_token")))
	for name, form := range map[string]url.Values{
		"nobody": {"token": {"x"}}, "a public client": {"token": {"x"}, "client_id": {"board"}},
	} {
		if answer := l.post(t, path, form); answer.Status != http.StatusUnauthorized {
			t.Errorf("introspection by %s = %d %v", name, answer.Status, answer.Body)
		}
	}
	l.end()
}
