package fhirtest

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

func FuzzReadParameters(f *testing.F) {
	for _, seed := range []string{"", "{}", "[", `{"resourceType":"Parameters"}`,
		`{"resourceType":"Parameters","parameter":[{"name":"_type","valueString":"Patient"}]}`,
		`{"resourceType":"Parameters","parameter":[{"name":1,"valueString":{}},{"value":"x"}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		values, err := readParameters(bytes.NewReader(body))
		if (values == nil) == (err == nil) {
			t.Errorf("readParameters(%q) = %v, %v", body, values, err)
		}
	})
}

func FuzzGranted(f *testing.F) {
	f.Add("system/*.rs", "system/Patient.rs")
	f.Add("system/Patient.read system/.x system/*", "system/*.* user/x.rs")
	f.Fuzz(func(t *testing.T, asked, registered string) {
		have := strings.Fields(registered)
		for _, scope := range granted(strings.Fields(asked), have) {
			resource, rights, ok := system(scope)
			covered := false
			for _, h := range have {
				covered = covered || covers(h, resource, rights)
			}
			if !ok || !covered {
				t.Errorf("granted(%q, %q) gives %q", asked, registered, scope)
			}
		}
	})
}

func FuzzUserGranted(f *testing.F) {
	f.Add("launch openid patient/*.rs user/Patient.read", "patient/*.cruds", "patient/AdverseEvent.rs")
	f.Add("patient/Patient.rs?x=1 patient/.rs system/*.rs", "", "user/*.r launch")
	f.Fuzz(func(t *testing.T, asked, allowed, withheld string) {
		may, held := strings.Fields(allowed), strings.Fields(withheld)
		for _, scope := range userGranted(strings.Fields(asked), may, held, false) {
			level, resource, rights, ok := parseScope(scope)
			if !ok {
				if slices.Contains(held, scope) || !slices.Contains(identityScopes(), scope) {
					t.Errorf("userGranted(%q, %q, %q) gives %q", asked, allowed, withheld, scope)
				}
				continue
			}
			if level != "user" || strings.Contains(scope, "?") {
				t.Errorf("userGranted(%q, …) gives %q without a chart", asked, scope)
			}
			for _, h := range held {
				if coversAt(level, h, resource, rights) {
					t.Errorf("userGranted(…, %q) gives %q", withheld, scope)
				}
			}
		}
	})
}

func FuzzAuthorize(f *testing.F) {
	s, err := NewServer(Config{Population: population.New(population.Config{Patients: 1}),
		Apps: []App{{ClientID: "lens", RedirectURIs: []string{appRedirect}}}, Now: newClock().Now})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("client_id=lens&redirect_uri=https%3A%2F%2Flens.example.org%2Fcallback%3Fkeep%3D1&state=%0d%0aX:y")
	f.Add("client_id=lens&redirect_uri=https://evil.example.org")
	f.Add("%zz;&client_id")
	f.Fuzz(func(t *testing.T, query string) {
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, &http.Request{Method: http.MethodGet, Host: "ehr.example.org", Header: http.Header{},
			URL: &url.URL{Path: authorizePath, RawQuery: query}, Body: http.NoBody})
		to := w.Header().Get("Location")
		if to != "" && !strings.HasPrefix(to, "https://lens.example.org/callback?") {
			t.Errorf("authorize?%s redirects to %s", query, to)
		}
	})
}
