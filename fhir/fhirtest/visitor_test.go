package fhirtest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

const (
	appLaunch   = "https://lens.example.org/launch"
	appRedirect = "https://lens.example.org/callback?keep=1"
	verifier    = "a-verifier-of-at-least-forty-three-characters-long"
	chartScopes = "launch openid fhirUser patient/Patient.rs patient/Encounter.read " +
		"patient/AdverseEvent.rs online_access"
	staffScopes = "openid fhirUser profile offline_access user/*.rs"
)

// challengeOf is the S256 challenge of a verifier.
func challengeOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// withApp completes a configuration with one public app.
func withApp(c Config) Config {
	if c.Population == nil {
		c.Population = population.New(population.Config{Patients: 500, Seed: 3})
	}
	if c.Apps == nil {
		c.Apps = []App{{ClientID: "lens", RedirectURIs: []string{appRedirect}}}
	}
	c.AppLaunchURL = appLaunch
	return c
}

// visitor is an app and the browser that it is used in.
type visitor struct {
	*caller
	chart Situation
}

func startApp(t *testing.T, c Config) *visitor {
	t.Helper()
	return inChart(t, startWithoutToken(t, withApp(c)))
}

// inChart is the app of one caller, in the first chart.
func inChart(t *testing.T, c *caller) *visitor {
	t.Helper()
	list := c.server.Situations()
	if len(list) < 2 {
		t.Fatalf("%d situations", len(list))
	}
	return &visitor{caller: c, chart: list[0]}
}

// launch makes an EHR launch and returns its handle.
func (v *visitor) launch(c LaunchContext) string {
	v.t.Helper()
	if c.Patient == "" {
		c.Patient, c.Encounter = v.chart.Patient, v.chart.Encounter
	}
	text, err := v.server.Launch(c)
	if err != nil {
		v.t.Fatal(err)
	}
	u, err := url.Parse(text)
	if err != nil {
		v.t.Fatal(err)
	}
	if !strings.HasPrefix(text, appLaunch+"?") || u.Query().Get("iss") != v.base {
		v.t.Fatalf("Launch() = %s", text)
	}
	return u.Query().Get("launch")
}

// asked is a good authorization request; launch "" is one outside a chart.
func (v *visitor) asked(launch, scope string) url.Values {
	q := url.Values{"response_type": {"code"}, "client_id": {"lens"}, "redirect_uri": {appRedirect},
		"scope": {scope}, "state": {"of-this-browser"}, "aud": {v.base}, "nonce": {"of-this-request"},
		"code_challenge": {challengeOf(verifier)}, "code_challenge_method": {"S256"}}
	if launch != "" {
		q.Set("launch", launch)
	}
	return q
}

// authorize asks by GET and returns the status, the page, and what came back at the redirect URI.
func (v *visitor) authorize(q url.Values) (int, string, url.Values) {
	v.t.Helper()
	request, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet,
		v.origin+authorizePath+"?"+q.Encode(), nil)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.came(request)
}

func (v *visitor) came(request *http.Request) (int, string, url.Values) {
	v.t.Helper()
	status, header, body := v.send(request)
	back := header.Get("Location")
	if back == "" {
		return status, string(body), nil
	}
	u, err := url.Parse(back)
	if err != nil || !strings.HasPrefix(back, "https://lens.example.org/callback?") ||
		u.Query().Get("keep") != "1" {
		v.t.Fatalf("Location: %s, %v", back, err)
	}
	return status, string(body), u.Query()
}

// code gets an authorization code.
func (v *visitor) code(q url.Values) string {
	v.t.Helper()
	status, body, back := v.authorize(q)
	if status != http.StatusSeeOther || back.Get("code") == "" || back.Get("state") != q.Get("state") ||
		back.Get("iss") != v.base {
		v.t.Fatalf("authorize: status %d, back %v, %s", status, back, body)
	}
	return back.Get("code")
}

func exchange(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "client_id": {"lens"},
		"redirect_uri": {appRedirect}, "code_verifier": {verifier}}
}

func renewal(token string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {"lens"}}
}

// visits goes through a whole launch from the first chart, and keeps the token.
func (v *visitor) visits(scope string) map[string]any {
	v.t.Helper()
	return v.redeem(v.code(v.asked(v.launch(LaunchContext{}), scope)))
}

// signs goes through a whole sign-in outside a chart, and keeps the token.
func (v *visitor) signs(scope string) map[string]any {
	v.t.Helper()
	return v.redeem(v.code(v.asked("", scope)))
}

func (v *visitor) redeem(code string) map[string]any {
	v.t.Helper()
	status, out := v.ask(exchange(code))
	if status != http.StatusOK {
		v.t.Fatalf("token: status %d, %v", status, out)
	}
	v.token, _ = out["access_token"].(string)
	return out
}

// identity verifies an id_token with the published key and returns its header and claims.
func (v *visitor) identity(token any) (jose.Header, map[string]any) {
	v.t.Helper()
	text, _ := token.(string)
	signed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		v.t.Fatalf("id_token %q: %v", text, err)
	}
	_, _, body := v.get(v.origin + keysPath)
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal(body, &keys); err != nil || len(keys.Keys) != 1 || !keys.Keys[0].IsPublic() {
		v.t.Fatalf("JWKS %s: %v", body, err)
	}
	claims, err := signed.Verify(keys.Keys[0])
	if err != nil {
		v.t.Fatalf("verify the id_token: %v", err)
	}
	var out map[string]any
	if err := json.Unmarshal(claims, &out); err != nil {
		v.t.Fatal(err)
	}
	return signed.Signatures[0].Header, out
}

// found is a searchset as far as these tests read it.
type found struct {
	Total int
	Link  []struct{ Relation, URL string }
	Entry []struct{ Resource json.RawMessage }
}

// search reads all pages of a search.
func (v *visitor) search(target string) (resources []json.RawMessage, pages int) {
	v.t.Helper()
	for target != "" {
		status, _, body := v.get(target)
		var b found
		if err := json.Unmarshal(body, &b); err != nil || status != http.StatusOK {
			v.t.Fatalf("search %s: status %d, %s", target, status, body)
		}
		pages++
		for _, e := range b.Entry {
			resources = append(resources, e.Resource)
		}
		target = ""
		for _, l := range b.Link {
			if l.Relation == "next" {
				target = l.URL
			}
		}
	}
	return resources, pages
}

// post makes a POST of a form, outside the API.
func (v *visitor) post(path string, form url.Values) *http.Request {
	v.t.Helper()
	var body io.Reader = strings.NewReader(form.Encode())
	request, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, v.origin+path, body)
	if err != nil {
		v.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return request
}
