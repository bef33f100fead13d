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
)

func TestTokenForAGoodAssertion(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	answer := r.ask(t, sign(t, r.assertion()), reports)
	if answer.Status != http.StatusOK {
		t.Fatalf("answer = %d %v", answer.Status, answer.Body)
	}
	notStored(t, answer.Header)
	if got := answer.Header.Get("Content-Type"); !strings.HasPrefix(got, "application/json") {
		t.Errorf("Content-Type = %q", got)
	}
	token := answer.Text("access_token")
	delete(answer.Body, "access_token")
	want := map[string]any{"token_type": "Bearer", "expires_in": 300.0, "scope": reports}
	if diff := cmp.Diff(want, answer.Body); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	p, err := r.Validator().Validate(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if p.ClientID != "nightly" || p.Subject != "nightly" || p.Scopes.String() != reports ||
		!p.Expires.Equal(r.clock.Now().Add(5*time.Minute)) || p.TokenID == "" {
		t.Errorf("principal = %+v", p)
	}
}

// TestB14UnknownGrantTypeIsUnsupported is also checklist A.7: a bad grant_type is exactly 400.
func TestB14UnknownGrantTypeIsUnsupported(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, grantType := range []string{
		"not_a_grant_type", "authorization_code", "refresh_token", "password",
		"urn:ietf:params:oauth:grant-type:jwt-bearer", "client_credentials password",
	} {
		for name, form := range map[string]url.Values{
			"with a good assertion": authtest.Form(sign(t, r.assertion()), reports),
			"without an assertion":  {},
		} {
			t.Run(grantType+" "+name, func(t *testing.T) {
				t.Parallel()
				form.Set("grant_type", grantType)
				refused(t, post(t, r, form), http.StatusBadRequest, "unsupported_grant_type")
			})
		}
	}
}

func post(t *testing.T, r *rig, form url.Values) authtest.Answer {
	t.Helper()
	answer, err := authtest.Post(t.Context(), http.DefaultClient, r.url, form)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestMalformedRequests(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	good := func() url.Values { return authtest.Form(sign(t, r.assertion()), reports) }
	const formType = "application/x-www-form-urlencoded"
	for _, c := range []struct {
		name   string
		method string
		target string
		kind   string
		body   string
		status int
	}{
		{"by GET", "GET", "/", formType, "", http.StatusMethodNotAllowed},
		{"by PUT", "PUT", "/", formType, good().Encode(), http.StatusMethodNotAllowed},
		{"as JSON", "POST", "/", "application/json", `{}`, http.StatusBadRequest},
		{"as multipart", "POST", "/", "multipart/form-data; boundary=x", "", http.StatusBadRequest},
		{"of no type", "POST", "/", "", good().Encode(), http.StatusBadRequest},
		{"with nothing in it", "POST", "/", formType, "", http.StatusBadRequest},
		{"in the URL", "POST", "/?" + good().Encode(), formType, good().Encode(), http.StatusBadRequest},
		{"with a bad escape", "POST", "/", formType, "grant_type=%zz", http.StatusBadRequest},
		{"with a parameter twice", "POST", "/", formType, good().Encode() + "&scope=openid",
			http.StatusBadRequest},
		{"too large", "POST", "/", formType, "grant_type=client_credentials&x=" +
			strings.Repeat("x", 64<<10), http.StatusRequestEntityTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			request := httptest.NewRequestWithContext(t.Context(), c.method, c.target,
				strings.NewReader(c.body))
			request.Header.Set("Content-Type", c.kind)
			rec := httptest.NewRecorder()
			r.Token().ServeHTTP(rec, request)
			if rec.Code != c.status || !strings.Contains(rec.Body.String(), "invalid_request") {
				t.Errorf("answer = %d %s, want %d invalid_request", rec.Code, rec.Body, c.status)
			}
			notStored(t, rec.Header())
		})
	}
}

func TestScopesAreNarrowed(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, c := range []struct{ name, asked, want string }{
		{"all of it", "system/Measure.rs " + reports, "system/Measure.rs " + reports},
		{"the allowed types", "system/*.rs", "system/Measure.rs " + reports},
		{"the allowed actions", "system/MeasureReport.cruds", reports},
		{"the allowed scopes", "system/Patient.rs openid " + reports, reports},
		{"what is spelt right", "system/Measure.sr " + reports, reports},
		{"version 1", "system/MeasureReport.read", "system/MeasureReport.read"},
		{"search parameters", reports + "?measure=x", reports + "?measure=x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			answer := r.ask(t, sign(t, r.assertion()), c.asked)
			if answer.Status != http.StatusOK || answer.Text("scope") != c.want {
				t.Fatalf("answer = %d %v, want scope %q", answer.Status, answer.Body, c.want)
			}
			p, err := r.Validator().Validate(t.Context(), answer.Text("access_token"))
			if err != nil || p.Scopes.String() != c.want {
				t.Errorf("token is for %q, %v, want %q", p.Scopes, err, c.want)
			}
		})
	}
	for _, c := range []struct{ name, asked string }{
		{"nothing", ""},
		{"nothing that is allowed", "system/Patient.rs user/Measure.rs"},
		{"nothing but nonsense", "system/Measure.sr"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			answer := r.ask(t, sign(t, r.assertion()), c.asked)
			refused(t, answer, http.StatusBadRequest, "invalid_scope")
		})
	}
}

func TestScopesOfPeopleAreNotGrantedToPrograms(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *auth.Config, _ *rig) {
		cfg.Clients[0].Scopes = []string{"user/*.cruds", "patient/*.rs", "system/Measure.r"}
	})
	answer := r.ask(t, sign(t, r.assertion()), "user/Patient.rs patient/Patient.rs system/Measure.r")
	if answer.Text("scope") != "system/Measure.r" {
		t.Errorf("answer = %d %v, want scope system/Measure.r", answer.Status, answer.Body)
	}
}

func TestAudienceIsOurs(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, name := range []string{"aud", "resource", "audience"} {
		for target, status := range map[string]int{
			audience:               http.StatusOK,
			"https://evil.example": http.StatusBadRequest,
			audience + "/../other": http.StatusBadRequest,
			audience + "/Measure":  http.StatusBadRequest,
		} {
			t.Run(name+" "+target, func(t *testing.T) {
				t.Parallel()
				form := authtest.Form(sign(t, r.assertion()), reports)
				form.Set(name, target)
				answer := post(t, r, form)
				if status == http.StatusOK {
					if answer.Status != status {
						t.Errorf("answer = %d %v", answer.Status, answer.Body)
					}
					return
				}
				refused(t, answer, status, "invalid_target")
			})
		}
	}
}

// TestB19RefusalsTellNothingInside asks wrongly in many ways: an answer has an error and a
// description of ours, and neither answer nor log has a part of an assertion or a token.
func TestB19RefusalsTellNothingInside(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	var secrets []string
	for name, a := range badAssertions(t, r) {
		text := sign(t, a)
		secrets = append(secrets, strings.Split(text, ".")...)
		answer := r.ask(t, text, reports)
		for member := range answer.Body {
			if member != "error" && member != "error_description" {
				t.Errorf("%s: the answer has the member %q", name, member)
			}
		}
		for _, word := range []string{"fosite", "hint", "debug", "go-jose", "stack"} {
			if strings.Contains(answer.Text("error_description"), word) {
				t.Errorf("%s: description %q", name, answer.Text("error_description"))
			}
		}
	}
	good := sign(t, r.assertion())
	token := r.ask(t, good, reports).Text("access_token")
	_, err := r.Validator().Validate(t.Context(), token+"x")
	secrets = append(append(secrets, strings.Split(good, ".")...), strings.Split(token, ".")...)
	for _, secret := range secrets {
		// A header is the same for all and no secret.
		if strings.HasPrefix(secret, "eyJhbGci") {
			continue
		}
		if strings.Contains(r.log.String(), secret) || strings.Contains(err.Error(), secret) {
			t.Errorf("a log or an error holds a part of an assertion or a token")
		}
	}
	if !strings.Contains(r.log.String(), `"msg":"token issued","client":"nightly"`) {
		t.Errorf("log = %s, want a line for the token", r.log)
	}
}

func TestConfigurationIsChecked(t *testing.T) {
	t.Parallel()
	_, err := auth.New(auth.Config{
		Issuer: "equitylens.example",
		Clients: []auth.Client{
			{ID: "a", Scopes: []string{"system/measure.rs"}},
			{ID: "b", JWKSURI: "http://client.example/jwks", Scopes: []string{reports}},
			{ID: "c", JWKSURI: "https://client.example/jwks", Algorithms: []string{"HS256", "none"}},
		},
		TokenLifetime: time.Millisecond,
	})
	if err == nil {
		t.Fatal("New = nil, want the faults")
	}
	for _, fault := range []string{
		"issuer is not", "no audience", "keys and store", "below a second",
		`scope "system/measure.rs"`, "want either keys", "not an absolute https", "no scope",
		`algorithm "HS256"`, `algorithm "none"`,
	} {
		if !strings.Contains(err.Error(), fault) {
			t.Errorf("New = %v, want it to tell %q", err, fault)
		}
	}
}

func TestSMARTConfiguration(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	rec := httptest.NewRecorder()
	r.SMARTConfiguration("system/Measure.rs", reports).ServeHTTP(rec,
		httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	want := `{"token_endpoint":"https://equitylens.example/oauth/token",` +
		`"token_endpoint_auth_methods_supported":["private_key_jwt"],` +
		`"token_endpoint_auth_signing_alg_values_supported":["RS384","ES384"],` +
		`"grant_types_supported":["client_credentials"],` +
		`"scopes_supported":["system/Measure.rs","system/MeasureReport.rs"],` +
		`"introspection_endpoint":"https://equitylens.example/oauth/introspect",` +
		`"revocation_endpoint":"https://equitylens.example/oauth/revoke",` +
		`"code_challenge_methods_supported":["S256"],` +
		`"capabilities":["client-confidential-asymmetric","permission-v1","permission-v2"]}`
	if diff := cmp.Diff(want, rec.Body.String()); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
	if rec.Header().Get("Content-Type") != "application/json" ||
		rec.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("header = %v", rec.Header())
	}
}
