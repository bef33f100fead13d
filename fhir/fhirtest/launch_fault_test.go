package fhirtest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

func launchFaults() []faultTest {
	return []faultTest{
		{RedirectingDiscovery, withApp(Config{}), func(t *testing.T, c *caller) {
			status, header, _ := c.get("/.well-known/smart-configuration")
			to := header.Get("Location")
			if status != http.StatusFound || to == "" || strings.HasPrefix(to, c.origin+"/") ||
				!strings.HasSuffix(to, "/fhir/.well-known/smart-configuration") {
				t.Errorf("status %d, Location %s", status, to)
			}
		}},
		{DiscoveryWithoutS256, withApp(Config{}), func(t *testing.T, c *caller) {
			_, _, body := c.get("/.well-known/smart-configuration")
			if !strings.Contains(string(body), `"code_challenge_methods_supported":["plain"]`) {
				t.Errorf("smart-configuration = %s", body)
			}
		}},
		{KeysDown, withApp(Config{}), func(t *testing.T, c *caller) {
			inChart(t, c).visits(chartScopes)
			if status, _, _ := c.get(c.origin + keysPath); status != http.StatusServiceUnavailable {
				t.Errorf("JWKS: status %d", status)
			}
		}},
		{HugeKeys, withApp(Config{}), func(t *testing.T, c *caller) {
			v := inChart(t, c)
			v.identity(v.visits(chartScopes)["id_token"])
			if _, _, body := c.get(c.origin + keysPath); len(body) <= hugePadding {
				t.Errorf("JWKS has %d bytes", len(body))
			}
		}},
		{CodeTwice, withApp(Config{}), func(t *testing.T, c *caller) {
			v := inChart(t, c)
			code := v.code(v.asked(v.launch(LaunchContext{}), chartScopes))
			v.redeem(code)
			v.redeem(code)
			if status, _, _ := c.get("/Patient/" + v.chart.Patient); status != 200 {
				t.Errorf("read: status %d", status)
			}
		}},
		{RefusesRefresh, withApp(Config{}), func(t *testing.T, c *caller) {
			v := inChart(t, c)
			token, _ := v.visits(chartScopes)["refresh_token"].(string)
			if status, out := v.ask(renewal(token)); status != 400 || out["error"] != "invalid_grant" || token == "" {
				t.Errorf("refresh: status %d, %v", status, out)
			}
		}},
	}
}

func identityFaults() []faultTest {
	claims := func(t *testing.T, c *caller) map[string]any {
		t.Helper()
		v := inChart(t, c)
		_, claims := v.identity(v.visits(chartScopes)["id_token"])
		return claims
	}
	return []faultTest{
		{IDTokenWithoutKeyID, withApp(Config{}), func(t *testing.T, c *caller) {
			v := inChart(t, c)
			if header, _ := v.identity(v.visits(chartScopes)["id_token"]); header.KeyID != "" {
				t.Errorf("kid = %q", header.KeyID)
			}
		}},
		{RelativeFHIRUser, withApp(Config{}), func(t *testing.T, c *caller) {
			if got := claims(t, c)["fhirUser"]; got != "Practitioner/rosa-delmar" {
				t.Errorf("fhirUser = %v", got)
			}
		}},
		{WrongNonce, withApp(Config{}), func(t *testing.T, c *caller) {
			if got := claims(t, c)["nonce"]; got == "of-this-request" || got == nil {
				t.Errorf("nonce = %v", got)
			}
		}},
		{WrongIDTokenAudience, withApp(Config{}), func(t *testing.T, c *caller) {
			if got := claims(t, c)["aud"]; got == "lens" {
				t.Errorf("aud = %v", got)
			}
		}},
		{WrongIDTokenIssuer, withApp(Config{}), func(t *testing.T, c *caller) {
			if got := claims(t, c)["iss"]; got == c.base {
				t.Errorf("iss = %v", got)
			}
		}},
		{ExpiredIDToken, withApp(Config{}), func(t *testing.T, c *caller) {
			if got, _ := claims(t, c)["exp"].(float64); int64(got) != c.clock.Now().Add(-time.Hour).Unix() {
				t.Errorf("exp = %v", got)
			}
		}},
	}
}

func chartFaults() []faultTest {
	return []faultTest{
		{SlowAnswers, withApp(Config{Latency: time.Hour}), func(t *testing.T, c *caller) {
			patient := "/Patient/" + inChart(t, c).chart.Patient
			ctx, stop := context.WithCancel(t.Context())
			stop()
			w := httptest.NewRecorder()
			c.server.Handler().ServeHTTP(w, c.request(http.MethodGet, patient, nil).WithContext(ctx))
			if w.Body.Len() != 0 {
				t.Errorf("whoever had hung up got %s", w.Body)
			}
			prompt := start(t, withApp(Config{Latency: time.Nanosecond, Faults: []Fault{SlowAnswers}}))
			if status, _, _ := prompt.get(patient); status != 200 {
				t.Errorf("whoever waited got status %d", status)
			}
		}},
		{ForbidsAdverseEvent, withApp(Config{}), func(t *testing.T, c *caller) {
			v := inChart(t, c)
			out := v.visits(chartScopes)
			status, _, _ := c.get("/AdverseEvent?subject=Patient/" + v.chart.Patient)
			if status != 403 || out["scope"] != chartScopes {
				t.Errorf("status %d with %v", status, out["scope"])
			}
		}},
		{EventsByPatient, withApp(Config{}), func(t *testing.T, c *caller) {
			v := inChart(t, c)
			v.visits(chartScopes)
			bySubject, _, _ := c.get("/AdverseEvent?subject=Patient/" + v.chart.Patient)
			byPatient, _, _ := c.get("/AdverseEvent?patient=" + v.chart.Patient)
			if bySubject != 400 || byPatient != 200 {
				t.Errorf("by subject: status %d; by patient: status %d", bySubject, byPatient)
			}
		}},
		{StrangersResource, withApp(Config{}), func(t *testing.T, c *caller) {
			v := inChart(t, c)
			v.visits(chartScopes)
			for _, target := range []string{"/Encounter?_count=1&patient=", "/AdverseEvent?_count=1&subject=Patient/"} {
				_, _, body := c.get(target + v.chart.Patient)
				if strings.Contains(string(body), `"reference":"Patient/`+v.chart.Patient+`"`) ||
					!strings.Contains(string(body), population.CanaryPatientID) {
					t.Errorf("%s: first is %s", target, body)
				}
			}
		}},
		{InvalidResource, withApp(Config{}), func(t *testing.T, c *caller) {
			v := inChart(t, c)
			v.visits(chartScopes)
			list, _ := v.search("/Encounter?patient=" + v.chart.Patient)
			whole := v.server.population.Load().About(population.Encounter, v.chart.Patient)
			if len(list) != len(whole)+1 || !strings.Contains(string(list[0]), `"status":"no such status"`) {
				t.Errorf("%d resources, first is %s", len(list), list[0])
			}
		}},
		{Unsorted, withApp(Config{}), func(t *testing.T, c *caller) {
			v := inChart(t, c)
			v.visits(chartScopes)
			sorted, _ := v.search("/Encounter?_sort=-date&patient=" + v.chart.Patient)
			asIs, _ := v.search("/Encounter?patient=" + v.chart.Patient)
			one, _ := json.Marshal(sorted)
			two, _ := json.Marshal(asIs)
			if string(one) != string(two) || len(asIs) < 2 {
				t.Errorf("%d Encounters came in another order", len(asIs))
			}
		}},
	}
}
