package fhirtest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
)

// credentials is a server with an app of every kind, at one redirect URI. Their ids hold what has to be
// escaped.
func credentials(t *testing.T) *visitor {
	t.Helper()
	key := rsaKey(t)
	v := startApp(t, Config{Apps: []App{
		{ClientID: "lens", RedirectURIs: []string{appRedirect}},
		{ClientID: "lens:with secret", RedirectURIs: []string{appRedirect}, Auth: SecretBasic, Secret: "open %2B sesame:+"},
		{ClientID: "lens-with-key", RedirectURIs: []string{appRedirect}, Auth: PrivateKey, Keys: publicKeys(key)},
	}})
	v.key = key
	return v
}

func (v *visitor) codeFor(app string) url.Values {
	v.t.Helper()
	q := v.asked(v.launch(LaunchContext{}), chartScopes)
	q.Set("client_id", app)
	form := exchange(v.code(q))
	form.Del("client_id")
	return form
}

// tokenBasic asks for a token with HTTP Basic.
func (v *visitor) tokenBasic(path string, form url.Values, id, secret string) (int, map[string]any) {
	v.t.Helper()
	request := v.post(path, form)
	request.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	return v.answered(request)
}

func (v *visitor) answered(request *http.Request) (int, map[string]any) {
	v.t.Helper()
	status, _, body := v.send(request)
	var out map[string]any
	if err := json.Unmarshal(body, &out); err != nil {
		v.t.Fatalf("%s: %v", body, err)
	}
	return status, out
}

// withAssertion adds what the app with a key says of itself.
func (v *visitor) withAssertion(form url.Values) url.Values {
	v.t.Helper()
	claims := v.claims()
	claims.Issuer, claims.Subject = "lens-with-key", "lens-with-key"
	form.Set("client_assertion_type", assertionType)
	form.Set("client_assertion", v.assertion(v.key, jose.RS384, claims))
	return form
}

func TestAppWithASecret(t *testing.T) {
	t.Parallel()
	v := credentials(t)
	const id, secret = "lens:with secret", "open %2B sesame:+"
	if status, out := v.tokenBasic(tokenPath, v.codeFor(id), id, "wrong"); status != 401 || out["error"] != "invalid_client" {
		t.Errorf("with another secret: status %d, %v", status, out)
	}
	bare := v.codeFor(id)
	bare.Set("client_id", id)
	bare.Set("client_secret", secret)
	if status, _ := v.ask(bare); status != 401 {
		t.Errorf("with the secret in the form: status %d, want 401", status)
	}
	status, out := v.tokenBasic(tokenPath, v.codeFor(id), id, secret)
	refresh, _ := out["refresh_token"].(string)
	if status != 200 || refresh == "" {
		t.Fatalf("status %d, %v", status, out)
	}
	again := renewal(refresh)
	if status, _ := v.ask(again); status != 400 {
		t.Errorf("refresh as another app: status %d, want 400", status)
	}
	again.Set("client_id", id)
	if status, _ := v.ask(again); status != 401 {
		t.Errorf("refresh as a public app: status %d, want 401", status)
	}
	if status, out := v.tokenBasic(tokenPath, again, id, secret); status != 200 {
		t.Errorf("refresh: status %d, %v", status, out)
	}
}

func TestAppWithAKey(t *testing.T) {
	t.Parallel()
	v := credentials(t)
	bare := v.codeFor("lens-with-key")
	bare.Set("client_id", "lens-with-key")
	if status, out := v.ask(bare); status != 401 || out["error"] != "invalid_client" {
		t.Errorf("without an assertion: status %d, %v", status, out)
	}
	form := v.withAssertion(v.codeFor("lens-with-key"))
	if status, out := v.ask(form); status != 200 || out["id_token"] == nil {
		t.Fatalf("status %d, %v", status, out)
	}
	next := v.codeFor("lens-with-key")
	next.Set("client_assertion_type", assertionType)
	next.Set("client_assertion", form.Get("client_assertion"))
	if status, out := v.ask(next); status != 401 {
		t.Errorf("the same assertion again: status %d, %v", status, out)
	}
	other := v.withAssertion(v.codeFor("lens"))
	if status, out := v.ask(other); status != 400 || out["error"] != "invalid_grant" {
		t.Errorf("the code of another app: status %d, %v", status, out)
	}
	backend := v.withAssertion(url.Values{"grant_type": {"client_credentials"}, "scope": {"system/*.rs"}})
	if status, out := v.ask(backend); status != 400 || out["error"] != "invalid_scope" {
		t.Errorf("as a program: status %d, %v", status, out)
	}
}

func TestIntrospection(t *testing.T) {
	t.Parallel()
	v := credentials(t)
	given := v.redeem(v.code(v.asked(v.launch(LaunchContext{Intent: "review",
		Patient: v.chart.Patient, Encounter: v.chart.Encounter}), chartScopes)))
	token := v.token
	v.token = ""
	now := float64(v.clock.Now().Unix())
	want := map[string]any{"active": true, "client_id": "lens", "scope": given["scope"], "token_type": "Bearer",
		"exp": now + 3600, "iat": now, "iss": v.base, "sub": "rosa-delmar",
		"fhirUser": v.base + "/Practitioner/rosa-delmar", "patient": v.chart.Patient,
		"encounter": v.chart.Encounter, "need_patient_banner": false, "intent": "review"}
	about := url.Values{"token": {token}}
	_, got := v.tokenBasic(introspectPath, about, "lens:with secret", "open %2B sesame:+")
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("with a secret (-want +got):\n%s", d)
	}
	_, got = v.answered(v.post(introspectPath, v.withAssertion(url.Values{"token": {token}})))
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("with a key (-want +got):\n%s", d)
	}
	bearer := v.post(introspectPath, about)
	bearer.Header.Set("Authorization", "Bearer "+token)
	if _, got = v.answered(bearer); got["active"] != true {
		t.Errorf("with the token itself: %v", got)
	}
	for name, request := range map[string]*http.Request{
		"nobody":           v.post(introspectPath, about),
		"a public app":     v.post(introspectPath, url.Values{"token": {token}, "client_id": {"lens"}}),
		"a token made up":  withBearer(v.post(introspectPath, about), "made-up"),
		"a wrong password": withBasic(v.post(introspectPath, about), "lens%3Awith+secret", "no"),
	} {
		if status, _ := v.answered(request); status != 401 {
			t.Errorf("%s: status %d, want 401", name, status)
		}
	}
	v.clock.Advance(time.Hour)
	for _, token := range []string{token, "made-up"} {
		status, got := v.tokenBasic(introspectPath, url.Values{"token": {token}}, "lens:with secret", "open %2B sesame:+")
		if d := cmp.Diff(map[string]any{"active": false}, got); d != "" || status != 200 {
			t.Errorf("a token that is not good: status %d (-want +got):\n%s", status, d)
		}
	}
}

func withBearer(r *http.Request, token string) *http.Request {
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

func withBasic(r *http.Request, id, secret string) *http.Request {
	r.SetBasicAuth(id, secret)
	return r
}

// drip is a source of randomness that is none.
type drip struct{ n byte }

func (d *drip) Read(buf []byte) (int, error) {
	for i := range buf {
		d.n++
		buf[i] = d.n
	}
	return len(buf), nil
}

func TestHandlesComeFromRandom(t *testing.T) {
	t.Parallel()
	var got []string
	for range 2 {
		v := startApp(t, Config{Random: &drip{}})
		got = append(got, v.launch(LaunchContext{})+" "+v.code(v.asked(v.launch(LaunchContext{}), chartScopes)))
	}
	if got[0] != got[1] {
		t.Errorf("handles %q of equal servers", got)
	}
}

func TestLaunchRefuses(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{})
	if _, err := v.server.Launch(LaunchContext{User: "ghost"}); err == nil || !strings.Contains(err.Error(), "ghost") {
		t.Errorf("Launch by a ghost = %v", err)
	}
	still, err := NewServer(withApp(Config{Now: time.Now}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := still.Launch(LaunchContext{}); err == nil {
		t.Error("Launch before Start gave no error")
	}
}
