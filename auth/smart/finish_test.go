package smart

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/internal/worldtest"
	"github.com/equitylens/equitylens/store/cache"
)

func TestLaunchEndsInAVisit(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.ehr.answer = members{
		"need_patient_banner": true, "intent": "reconcile", "smart_style_url": "https://style.example/v1.json",
		"tenant": "north", "unknown": members{"a": 1},
		"fhirContext": []any{
			members{"reference": "ImagingStudy/i-1"}, members{"canonical": "https://x.example/q", "type": "Questionnaire"},
			members{"reference": "https://elsewhere.example/Patient/1"}, "text", members{},
		},
	}
	visit, err := r.visit(t)
	if err != nil {
		t.Fatal(err)
	}
	if visit.Tenant != "mercy" || visit.Kind != KindLaunch || visit.Next != "" {
		t.Errorf("visit of %s, kind %s, next %q", visit.Tenant, visit.Kind, visit.Next)
	}
	c := visit.Context
	if c.Patient.Reveal() != "p-1" || c.Encounter.Reveal() != "e-1" || !c.NeedPatientBanner ||
		c.Intent != "reconcile" || c.StyleURL != "https://style.example/v1.json" || c.Tenant != "north" {
		t.Error("the context is not that of the answer")
	}
	if len(c.FHIR) != 2 || c.FHIR[0].Reference.Reveal() != "ImagingStudy/i-1" || c.FHIR[0].Type != "ImagingStudy" ||
		c.FHIR[1].Canonical != "https://x.example/q" {
		t.Errorf("fhirContext has %d entries", len(c.FHIR))
	}
	tok := visit.Token
	if tok.Access != "access-1" || tok.Refresh != "refresh-1" || tok.Base != r.ehr.base() ||
		!tok.Expires.Equal(r.clock.Now().Add(time.Hour)) ||
		tok.Scopes.String() != "launch openid fhirUser offline_access patient/*.rs" {
		t.Error("the token is not that of the answer")
	}
	who := visit.Identity
	if who.Issuer != r.ehr.base() || who.Subject != "u-1" || who.Name != "Ada Sample" ||
		who.FHIRUser != "Practitioner/d-1" || who.Claims["sub"] != "u-1" {
		t.Error("the identity is not that of the id_token")
	}
	form, _ := r.ehr.form(0)
	if form.Get("grant_type") != "authorization_code" || form.Get("redirect_uri") != callback {
		t.Errorf("token request of grant %s", form.Get("grant_type"))
	}
}

func TestWeAreTheClientThatIsRegistered(t *testing.T) {
	t.Parallel()
	set := keySet(t, jose.ES384, jose.RS384)
	for _, tt := range []struct {
		name   string
		change func(*Tenant)
		auth   string
		alg    jose.SignatureAlgorithm
	}{
		{"public", func(*Tenant) {}, "", ""},
		// The header is that of RFC 6749 section 2.3.1 over both halves, form-encoded.
		{"by secret", func(c *Tenant) {
			c.ClientAuth, c.ClientID, c.Secret = SecretBasic, "equity lens", "a:b%c+d"
		}, "Basic ZXF1aXR5K2xlbnM6YSUzQWIlMjVjJTJCZA==", ""},
		{"by key", func(c *Tenant) { c.ClientAuth = PrivateKeyJWT }, "", jose.ES384},
		{"by RSA key", func(c *Tenant) { c.ClientAuth, c.Algorithm = PrivateKeyJWT, jose.RS384 }, "", jose.RS384},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(cfg *Config, _ *ehr) {
				cfg.Keys = set
				tt.change(&cfg.Tenants[0])
			})
			seen := map[string]bool{}
			for range 2 {
				if _, err := r.visit(t); err != nil {
					t.Fatal(err)
				}
				form, auth := r.ehr.form(0)
				if auth != tt.auth {
					t.Errorf("Authorization %q, want %q", auth, tt.auth)
				}
				if public := tt.auth == "" && tt.alg == ""; (form.Get("client_id") != "") != public {
					t.Errorf("client_id %q", form.Get("client_id"))
				}
				if form.Has("client_secret") || form.Has("client_assertion") != (tt.alg != "") {
					t.Error("the form identifies us in another way")
				}
				if tt.alg == "" {
					continue
				}
				if kind := form.Get("client_assertion_type"); kind != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
					t.Errorf("client_assertion_type %q", kind)
				}
				id := checkAssertion(t, r, set.Public(), form.Get("client_assertion"), tt.alg)
				if seen[id] {
					t.Error("a jti is used twice")
				}
				seen[id] = true
			}
		})
	}
}

// checkAssertion verifies an assertion as an EHR does and returns its jti.
func checkAssertion(
	t *testing.T, r *rig, public jose.JSONWebKeySet, text string, alg jose.SignatureAlgorithm,
) string {
	t.Helper()
	token, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{alg})
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Audience string `json:"aud"`
		Expiry   int64  `json:"exp"`
		ID       string `json:"jti"`
	}
	key := public.Key(token.Headers[0].KeyID)
	if len(key) != 1 || token.Claims(key[0].Key, &claims) != nil {
		t.Fatal("no key of ours verifies the assertion")
	}
	life := time.Unix(claims.Expiry, 0).Sub(r.clock.Now())
	if claims.Issuer != "equitylens" || claims.Subject != "equitylens" ||
		claims.Audience != r.ehr.URL+"/token" || life <= 0 || life > 5*time.Minute || claims.ID == "" ||
		token.Headers[0].ExtraHeaders["typ"] != "JWT" {
		t.Errorf("assertion %+v, typ %v, life %s", claims, token.Headers[0].ExtraHeaders["typ"], life)
	}
	return claims.ID
}

func TestFlowBelongsToItsBrowser(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	mine, theirs := r.launch(t), r.launch(t)
	back := r.ehr.authorize(t, mine)
	refuse := func(name string, query url.Values, binding string) {
		t.Helper()
		if _, err := r.Finish(t.Context(), query, binding); !errors.Is(err, ErrState) {
			t.Errorf("%s: Finish = %v", name, err)
		}
	}
	refuse("no state", url.Values{"code": back["code"]}, mine.Binding)
	refuse("an empty state", url.Values{"code": back["code"], "state": {""}}, mine.Binding)
	refuse("two states", url.Values{"code": back["code"], "state": {mine.State, theirs.State}}, mine.Binding)
	refuse("an unknown state", url.Values{"code": back["code"], "state": {"x"}}, mine.Binding)
	refuse("no binding", back, "")
	refuse("the binding of another browser", back, theirs.Binding)
	refuse("the state of another browser", url.Values{"code": back["code"], "state": {theirs.State}}, mine.Binding)
	refuse("state for binding", back, mine.State)
	if r.ehr.times("/token") != 0 {
		t.Fatal("a code was sent for a flow that was refused")
	}
	// None of that has used the flow up, and the code goes out with the verifier of this very flow,
	// which the EHR compares.
	if _, err := r.Finish(t.Context(), back, mine.Binding); err != nil {
		t.Fatalf("the right browser: %v", err)
	}
	refuse("a second time", back, mine.Binding) // Though the EHR takes a code twice.
	if _, err := r.Finish(t.Context(), r.ehr.authorize(t, theirs), theirs.Binding); err != nil {
		t.Errorf("the other browser: %v", err)
	}
	if n := r.ehr.times("/token"); n != 2 {
		t.Errorf("%d token requests, want one for each browser", n)
	}
}

func TestFlowEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	begun := r.launch(t)
	r.clock.Advance(FlowLife)
	if _, err := r.Finish(t.Context(), r.ehr.authorize(t, begun), begun.Binding); !errors.Is(err, ErrState) {
		t.Errorf("Finish after %s = %v", FlowLife, err)
	}
}

func TestFlowEndsOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	begun := r.launch(t)
	back := r.ehr.authorize(t, begun)
	var won atomic.Int64
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if _, err := r.Finish(t.Context(), back, begun.Binding); err == nil {
				won.Add(1)
			} else if !errors.Is(err, ErrState) {
				t.Errorf("Finish = %v", err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 || r.ehr.times("/token") != 1 {
		t.Errorf("%d of 100 came through with %d token requests, want one", won.Load(), r.ehr.times("/token"))
	}
}

func TestCodeGoesToTheServerThatWasAsked(t *testing.T) {
	t.Parallel()
	var second *ehr
	r := newRig(t, func(cfg *Config, first *ehr) {
		second = newEHR(t, first.clock)
		other := second.tenant("north")
		cfg.Tenants = append(cfg.Tenants, other)
	})
	one := r.launch(t)
	two, err := r.Launch(t.Context(), second.base(), "launch-2")
	if err != nil {
		t.Fatal(err)
	}
	backTwo := second.authorize(t, two)
	visit, err := r.Finish(t.Context(), backTwo, two.Binding)
	if err != nil || visit.Tenant != "north" || visit.Token.Base != second.base() {
		t.Errorf("visit of %q: %v", visit.Tenant, err)
	}
	// The second server hands the browser its own code under the state of the first flow.
	mixed := url.Values{"state": {one.State}, "code": backTwo["code"]}
	if _, err := r.Finish(t.Context(), mixed, one.Binding); !errors.Is(err, ErrDenied) {
		t.Errorf("mixed up: %v", err)
	}
	if r.ehr.times("/token") != 1 || second.times("/token") != 1 {
		t.Error("a code went to another server than the one that was asked")
	}
}

func TestServerSaysNo(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		config members
		query  url.Values
		want   error
		code   string
	}{
		{"access denied", nil, url.Values{"error": {"access_denied"}, "error_description": {"Jane Roe"}},
			ErrDenied, "access_denied"},
		{"words for a code", nil, url.Values{"error": {"<b>Jane Roe</b>"}}, ErrDenied, "other"},
		{"error and code", nil, url.Values{"error": {"server_error"}, "code": {"c"}}, ErrDenied, "server_error"},
		{"an empty error", nil, url.Values{"error": {""}, "code": {"c"}}, ErrDenied, "other"},
		{"neither", nil, url.Values{}, ErrAnswer, ""},
		{"two codes", nil, url.Values{"code": {"a", "b"}}, ErrAnswer, ""},
		{"iss of another", nil, url.Values{"code": {"c"}, "iss": {"https://evil.example"}}, ErrAnswer, ""},
		{"error with iss of another", nil,
			url.Values{"error": {"access_denied"}, "iss": {"https://evil.example"}}, ErrAnswer, ""},
		{"iss promised and missing", members{"authorization_response_iss_parameter_supported": true},
			url.Values{"code": {"c"}}, ErrAnswer, ""},
		{"code unknown to the server", nil, url.Values{"code": {"c"}}, ErrDenied, "invalid_grant"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.ehr.config = tt.config
			begun := r.launch(t)
			tt.query.Set("state", begun.State)
			_, err := r.Finish(t.Context(), tt.query, begun.Binding)
			var denied *DeniedError
			if !errors.Is(err, tt.want) || errors.As(err, &denied) && denied.Code != tt.code {
				t.Errorf("Finish = %v, want %v %s", err, tt.want, tt.code)
			}
			if text := err.Error() + r.log.String(); strings.Contains(text, "Jane") || strings.Contains(text, "secret") {
				t.Errorf("the server's words are repeated: %s", text)
			}
		})
	}
}

func TestIssOfTheServerIsTaken(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.ehr.config = members{"authorization_response_iss_parameter_supported": true}
	begun := r.launch(t)
	back := r.ehr.authorize(t, begun)
	back.Set("iss", r.ehr.base())
	if _, err := r.Finish(t.Context(), back, begun.Binding); err != nil {
		t.Error(err)
	}
}

func TestTokenRequestFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	other := newEHR(t, &worldtest.Clock{})
	for name, to := range map[string]string{"elsewhere": other.URL + "/token", "at home": "/token2"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.ehr.token = func(w http.ResponseWriter, q *http.Request) {
				http.Redirect(w, q, to, http.StatusTemporaryRedirect)
			}
			if _, err := r.visit(t); !errors.Is(err, ErrAnswer) || strings.Contains(err.Error(), "127.0.0.1") {
				t.Errorf("Finish = %v", err)
			}
			if other.times("") != 0 || r.ehr.times("/token2") != 0 {
				t.Error("the code followed a redirect")
			}
		})
	}
}

func TestServerIsDown(t *testing.T) {
	t.Parallel()
	for _, status := range []int{429, 500, 502, 503} {
		r := newRig(t, nil)
		r.ehr.token = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
		if _, err := r.visit(t); !errors.Is(err, ErrUnavailable) {
			t.Errorf("status %d: %v", status, err)
		}
	}
	r := newRig(t, nil)
	begun := r.launch(t)
	back := r.ehr.authorize(t, begun)
	r.ehr.Close()
	if _, err := r.Finish(t.Context(), back, begun.Binding); !errors.Is(err, ErrUnavailable) {
		t.Errorf("closed: %v", err)
	}
}

// downStore is a store that cannot be reached.
type downStore struct{ cache.Store }

func (downStore) Set(context.Context, string, []byte, time.Duration) error {
	return cache.ErrUnavailable
}

func (downStore) Take(context.Context, string) ([]byte, error) { return nil, cache.ErrUnavailable }

func (downStore) SetIfAbsent(context.Context, string, []byte, time.Duration) (bool, error) {
	return false, cache.ErrUnavailable
}

func TestStoreIsDown(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *Config, _ *ehr) { cfg.Store = downStore{cfg.Store} })
	_, launched := r.Launch(t.Context(), r.ehr.base(), "launch-1")
	_, finished := r.Finish(t.Context(), url.Values{"state": {"s"}, "code": {"c"}}, "b")
	_, refreshed := r.Refresh(t.Context(), "mercy", Token{Refresh: "r"})
	for _, err := range []error{launched, finished, refreshed} {
		if !errors.Is(err, ErrUnavailable) || !errors.Is(err, cache.ErrUnavailable) {
			t.Errorf("error %v", err)
		}
	}
	if r.ehr.times("/token") != 0 {
		t.Error("a token request was made though nothing could be kept")
	}
}

func TestOpenIDProvider(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *Config, _ *ehr) {
		c := &cfg.Tenants[0]
		c.OIDC, c.Launch, c.Scopes = true, false, []string{"openid", "profile"}
	})
	r.ehr.claims = members{"fhirUser": "https://else.example/Practitioner/1", "groups": []string{"quality"}}
	begun, err := r.SignIn(t.Context(), "mercy", "")
	if err != nil {
		t.Fatal(err)
	}
	if got := params(t, begun); got.Has("aud") || got.Get("scope") != "openid profile" {
		t.Errorf("authorization request %v", got)
	}
	visit, err := r.Finish(t.Context(), r.ehr.authorize(t, begun), begun.Binding)
	if err != nil {
		t.Fatal(err)
	}
	if visit.Next != "/" || visit.Token.Base != "" || visit.Identity.FHIRUser != "" {
		t.Errorf("visit %+v", visit)
	}
	if diff := cmp.Diff([]any{"quality"}, visit.Identity.Claims["groups"]); diff != "" {
		t.Error(diff)
	}
	if r.ehr.times("smart-configuration") != 0 {
		t.Error("a provider was asked for SMART")
	}
	r.ehr.change(func(e *ehr) { e.openid = members{"issuer": r.ehr.base() + "/"} })
	r.clock.Advance(2 * time.Hour)
	if _, err := r.SignIn(t.Context(), "mercy", ""); !errors.Is(err, ErrDiscovery) {
		t.Errorf("issuer with another slash: %v", err)
	}
}
