package smart

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/fhir/fhirtest"
	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/internal/worldtest"
)

// hospital is a client of the fake EHR, whose authorization server is as strict as conformance kits.
type hospital struct {
	*Client
	ehr  *fhirtest.Server
	base string
}

// newHospital starts a fake EHR with faults and one app that identifies itself by way.
func newHospital(t *testing.T, way ClientAuth, faults ...fhirtest.Fault) *hospital {
	t.Helper()
	c := worldtest.At(time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC))
	set := keySet(t, jose.ES384)
	public := set.Public()
	app := fhirtest.App{ClientID: "lens", RedirectURIs: []string{callback}, Auth: string(way)}
	tenant := Tenant{
		Name: "mercy", ClientID: "lens", ClientAuth: way, Launch: true, SignIn: true, AllowLoopback: true,
		Scopes: strings.Fields("openid fhirUser online_access patient/Patient.rs patient/Encounter.rs"),
	}
	switch way {
	case SecretBasic:
		app.Secret, tenant.Secret = "s:e%c r+t", "s:e%c r+t"
	case PrivateKeyJWT:
		app.Keys = &public
	case Public:
	}
	h := &hospital{}
	var err error
	h.ehr, err = fhirtest.NewServer(fhirtest.Config{
		Population: population.New(population.Config{Patients: 60, Seed: 3}), Now: c.Now, Faults: faults,
		Apps: []fhirtest.App{app}, AppLaunchURL: "https://equitylens.example/launch", SignInAs: "wen-adeyemi",
	})
	if err != nil {
		t.Fatal(err)
	}
	if h.base, err = h.ehr.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.ehr.Close() })
	tenant.Issuer = h.base
	h.Client, err = New(Config{
		Tenants: []Tenant{tenant}, Store: sealed(t, c), Keys: set, RedirectURI: callback, Now: c.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

// browse sends the browser to the EHR and returns what it comes back with.
func (h *hospital) browse(t *testing.T, begun Begun) url.Values {
	t.Helper()
	browser := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, begun.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := browser.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	back, err := answer.Location()
	if err != nil || !strings.HasPrefix(back.String(), callback+"?") {
		t.Fatalf("authorize: %v, %s", err, text)
	}
	return back.Query()
}

// visit opens the app in a chart.
func (h *hospital) visit(t *testing.T) (Visit, error) {
	t.Helper()
	opened, err := h.ehr.Launch(fhirtest.LaunchContext{
		Patient: "p-1", Encounter: "e-1", User: "theo-marsh", Intent: "review",
	})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(opened)
	if err != nil {
		t.Fatal(err)
	}
	begun, err := h.Launch(t.Context(), u.Query().Get("iss"), u.Query().Get("launch"))
	if err != nil {
		return Visit{}, err
	}
	return h.Finish(t.Context(), h.browse(t, begun), begun.Binding)
}

// reads reports the status of a request for the patient with a token.
func (h *hospital) reads(ctx context.Context, t *testing.T, token Token) int {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, token.Base+"/Patient?_id=p-1", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token.Access)
	answer, err := (&http.Client{}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

func TestLaunchAtTheFakeEHR(t *testing.T) {
	t.Parallel()
	for _, way := range []ClientAuth{Public, SecretBasic, PrivateKeyJWT} {
		t.Run(string(way), func(t *testing.T) {
			t.Parallel()
			h := newHospital(t, way)
			v, err := h.visit(t)
			if err != nil {
				t.Fatal(err)
			}
			if v.Context.Patient.Reveal() != "p-1" || v.Context.Encounter.Reveal() != "e-1" ||
				v.Context.NeedPatientBanner || v.Context.Intent != "review" || v.Context.Tenant == "" ||
				v.Identity.Subject != "theo-marsh" || v.Identity.FHIRUser != "Practitioner/theo-marsh" {
				t.Error("the visit is not that of the launch")
			}
			if status := h.reads(t.Context(), t, v.Token); status != http.StatusOK {
				t.Errorf("status %d with the token", status)
			}
			next, err := h.Refresh(t.Context(), "mercy", v.Token)
			if err != nil || next.Refresh == v.Token.Refresh {
				t.Fatalf("Refresh = %v", err)
			}
			if status := h.reads(t.Context(), t, next); status != http.StatusOK {
				t.Errorf("status %d with the next token", status)
			}
			begun, err := h.SignIn(t.Context(), "mercy", "/account")
			if err != nil {
				t.Fatal(err)
			}
			v, err = h.Finish(t.Context(), h.browse(t, begun), begun.Binding)
			if err != nil || v.Next != "/account" || v.Identity.Subject != "wen-adeyemi" ||
				v.Identity.Claims["groups"] == nil {
				t.Errorf("sign-in: %v", err)
			}
		})
	}
}

func TestFaultsOfTheFakeEHR(t *testing.T) {
	t.Parallel()
	for fault, want := range map[fhirtest.Fault]error{
		fhirtest.NoTokenType:          nil,
		fhirtest.CodeTwice:            nil,
		fhirtest.IDTokenWithoutKeyID:  nil,
		fhirtest.RelativeFHIRUser:     nil,
		fhirtest.WrongNonce:           ErrIdentity,
		fhirtest.WrongIDTokenAudience: ErrIdentity,
		fhirtest.WrongIDTokenIssuer:   ErrIdentity,
		fhirtest.ExpiredIDToken:       ErrIdentity,
		fhirtest.HugeKeys:             ErrIdentity,
		fhirtest.KeysDown:             ErrUnavailable,
		fhirtest.RedirectingDiscovery: ErrDiscovery,
		fhirtest.DiscoveryWithoutS256: ErrDiscovery,
	} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			h := newHospital(t, Public, fault)
			v, err := h.visit(t)
			if !errors.Is(err, want) {
				t.Fatalf("visit = %v, want %v", err, want)
			}
			if want == nil && v.Identity.FHIRUser != "Practitioner/theo-marsh" {
				t.Errorf("fhirUser %q", v.Identity.FHIRUser)
			}
		})
	}
	t.Run("refuses-refresh", func(t *testing.T) {
		t.Parallel()
		h := newHospital(t, Public, fhirtest.RefusesRefresh)
		v, err := h.visit(t)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Refresh(t.Context(), "mercy", v.Token); !errors.Is(err, ErrDenied) {
			t.Errorf("Refresh = %v", err)
		}
	})
}
