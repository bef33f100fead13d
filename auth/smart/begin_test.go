package smart

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/internal/dial"
	"github.com/equitylens/equitylens/internal/worldtest"
)

func TestLaunchAsksForACode(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("client-", 114)
	tests := []struct {
		name   string
		change func(*Tenant)
		iss    string
		want   url.Values
	}{
		{"with an identity", func(*Tenant) {}, "", url.Values{
			"client_id": {"equitylens"}, "scope": {"launch openid fhirUser offline_access patient/*.rs"},
		}},
		{"without one", func(t *Tenant) { t.Scopes, t.SignIn = []string{"user/Patient.read"}, false }, "", url.Values{
			"client_id": {"equitylens"}, "scope": {"launch user/Patient.read"},
		}},
		{"the audience is the iss of the launch", func(*Tenant) {}, "/", url.Values{
			"client_id": {"equitylens"}, "scope": {"launch openid fhirUser offline_access patient/*.rs"},
		}},
		{"a client id of 800 bytes", func(t *Tenant) { t.ClientID = long }, "", url.Values{
			"client_id": {long}, "scope": {"launch openid fhirUser offline_access patient/*.rs"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(cfg *Config, _ *ehr) { tt.change(&cfg.Tenants[0]) })
			begun, err := r.Launch(t.Context(), r.ehr.base()+tt.iss, "launch-1")
			if err != nil {
				t.Fatal(err)
			}
			got := params(t, begun)
			if at, _, _ := strings.Cut(begun.URL, "?"); at != r.ehr.URL+"/authorize" {
				t.Errorf("the browser goes to %s", at)
			}
			for _, name := range []string{"state", "code_challenge"} {
				if len(got.Get(name)) != 43 {
					t.Errorf("%s has %d characters, want 43 of 256 bits", name, len(got.Get(name)))
				}
				got.Del(name)
			}
			if openid := strings.Contains(got.Get("scope"), "openid"); (len(got.Get("nonce")) == 43) != openid {
				t.Errorf("nonce %q, openid %t", got.Get("nonce"), openid)
			}
			got.Del("nonce")
			tt.want["response_type"], tt.want["redirect_uri"] = []string{"code"}, []string{callback}
			tt.want["launch"], tt.want["aud"] = []string{"launch-1"}, []string{r.ehr.base() + tt.iss}
			tt.want["code_challenge_method"] = []string{"S256"}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("authorization request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSecretsOfAFlowDiffer(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	seen := map[string]bool{}
	for range 8 {
		begun := r.launch(t)
		p := params(t, begun)
		for _, secret := range []string{p.Get("state"), p.Get("nonce"), p.Get("code_challenge"), begun.Binding} {
			if seen[secret] {
				t.Fatal("a secret is there twice")
			}
			seen[secret] = true
		}
		if strings.Contains(begun.URL, begun.Binding) {
			t.Error("the binding travels in the URL")
		}
	}
}

func TestSignInAsksForThePersonAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	begun, err := r.SignIn(t.Context(), "mercy", "/account")
	if err != nil {
		t.Fatal(err)
	}
	got := params(t, begun)
	if got.Get("scope") != "openid fhirUser" || got.Has("launch") || got.Get("aud") != r.ehr.base() {
		t.Errorf("authorization request %v", got)
	}
	visit, err := r.Finish(t.Context(), r.ehr.authorize(t, begun), begun.Binding)
	if err != nil {
		t.Fatal(err)
	}
	if visit.Kind != KindSignIn || visit.Next != "/account" || visit.Identity.Subject != "u-1" ||
		visit.Identity.FHIRUser != "Practitioner/d-1" || !visit.Context.Patient.Empty() {
		t.Errorf("visit %+v", visit)
	}
}

func TestSignInNeedsAnIdentity(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.ehr.answer = members{"scope": "fhirUser", "id_token": nil}
	begun, err := r.SignIn(t.Context(), "mercy", "/")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Finish(t.Context(), r.ehr.authorize(t, begun), begun.Binding); !errors.Is(err, ErrIdentity) {
		t.Errorf("Finish = %v", err)
	}
}

func TestSignInNeedsATenantForIt(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *Config, _ *ehr) { cfg.Tenants[0].SignIn = false })
	for _, name := range []string{"", "mercy", "Mercy", "other"} {
		if _, err := r.SignIn(t.Context(), name, "/"); !errors.Is(err, ErrUnknownTenant) {
			t.Errorf("SignIn(%q) = %v", name, err)
		}
	}
}

func TestUnknownIssuerIsNeverAsked(t *testing.T) {
	t.Parallel()
	other := newEHR(t, &worldtest.Clock{})
	r := newRig(t, nil)
	base := r.ehr.base()
	host := strings.TrimPrefix(base, "https://")
	for _, iss := range []string{
		"", "/", other.base(), "https://127.0.0.1/fhir", "http://" + host, "HTTPS://" + host, base + "//",
		base + "/..", base + "?x", base + "#", base + "/r4", base + "%2f", strings.ToUpper(base),
		strings.Replace(base, "127.0.0.1", "localhost", 1), strings.Replace(base, "https://", "https://a@", 1),
		strings.Replace(base, "/fhir", ".evil.example/fhir", 1), strings.Replace(base, "/fhir", "@evil.example/fhir", 1),
		strings.TrimSuffix(base, "fhir"), " " + base, base + "\n", "https://10.0.0.1/fhir",
		"http://169.254.169.254/latest/meta-data", "https://[::1]/fhir", "file:///etc/passwd", "//" + host,
	} {
		if _, err := r.Launch(t.Context(), iss, "launch-1"); !errors.Is(err, ErrUnknownIssuer) {
			t.Errorf("Launch(%q) = %v", iss, err)
		}
	}
	if n := r.ehr.times("") + other.times(""); n != 0 {
		t.Errorf("%d requests were made for unknown issuers", n)
	}
}

func TestLaunchNeedsALaunch(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, launch := range []string{"", strings.Repeat("x", maxLaunch+1)} {
		if _, err := r.Launch(t.Context(), r.ehr.base(), launch); !errors.Is(err, ErrRequest) {
			t.Errorf("Launch with %d bytes = %v", len(launch), err)
		}
	}
	if r.ehr.times("") != 0 {
		t.Error("the EHR was asked")
	}
}

func TestNextStaysWithUs(t *testing.T) {
	t.Parallel()
	for _, next := range []string{
		"/", "/account", "/oauth/authorize?client_id=a&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&state=x",
		"/a/b/", "/a?next=//evil.example", "/a.b-c_d~e", "/?lang=es",
	} {
		if err := CheckNext(next); err != nil {
			t.Errorf("CheckNext(%q) = %v", next, err)
		}
	}
	r := newRig(t, nil)
	for _, next := range []string{
		"//", "//?x", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/%2f%2fevil.example",
		"/%2F/evil.example", "%2f%2fevil.example", "/%5cevil.example", "https:evil.example", "https://evil.example",
		"https:/evil.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "account",
		"../account", "/../account", "/./", "/a//b", "/a/..//evil.example", "/\t/evil.example", "/\n/evil.example",
		"\n//evil.example", " //evil.example", "/ /evil.example", "/\x00", "/é", "?next=/", "#x", "/a#x",
		"/a;b", "/@evil.example/..", "//@evil.example", "/%2e%2e/", "/" + strings.Repeat("a", maxNext),
	} {
		if _, err := r.SignIn(t.Context(), "mercy", next); !errors.Is(err, ErrRequest) {
			t.Errorf("SignIn with next %q = %v", next, err)
		}
	}
}

// FuzzNext resolves what is accepted as a browser would: it never leaves the origin.
func FuzzNext(f *testing.F) {
	for _, seed := range []string{"/", "//a", "/\\a", "/a?b=//c", "/%2f", "https:a", "/a/../b"} {
		f.Add(seed)
	}
	home, _ := url.Parse("https://equitylens.example/callback")
	f.Fuzz(func(t *testing.T, next string) {
		if CheckNext(next) != nil {
			return
		}
		// The WHATWG rules: backslashes are slashes, tabs and newlines are nothing.
		browser := strings.NewReplacer("\\", "/", "\t", "", "\n", "", "\r", "").Replace(next)
		u, err := home.Parse(browser)
		if err != nil || dial.Origin(u) != dial.Origin(home) || strings.HasPrefix(browser, "//") {
			t.Fatalf("CheckNext(%q) = nil, and it leads to %v, %v", next, u, err)
		}
	})
}
