package cds_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/internal/cds"
)

const cardID = "f6b95768-b1c8-40dc-8385-bf3504b82ffb"

// item is feedback on one card, changed.
func item(change object) object {
	out := object{"card": cardID, "outcome": "overridden", "outcomeTimestamp": "2026-03-01T06:59:30-05:00",
		"overrideReason": object{"reason": object{"code": cds.ReasonDeclined, "system": cds.ReasonSystem},
			"userComment": "She said no, " + family}}
	for k, v := range change {
		out[k] = v
		if v == nil {
			delete(out, k)
		}
	}
	return out
}

func reasoned(code, system string) object {
	return object{"overrideReason": object{"reason": object{"code": code, "system": system}}}
}

func TestFeedback(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 11, 59, 30, 0, time.UTC)
	taken := func(outcome, reason string) []cds.Feedback {
		return []cds.Feedback{{Tenant: "general", Card: cardID, Outcome: outcome, Reason: reason, At: at,
			Received: now()}}
	}
	many := make([]object, 101)
	for i := range many {
		many[i] = item(nil)
	}
	tests := []struct {
		name string
		in   any
		want []cds.Feedback
	}{
		{"overridden", []object{item(nil)}, taken("overridden", cds.ReasonDeclined)},
		{"accepted", []object{item(object{"outcome": "accepted", "overrideReason": nil,
			"acceptedSuggestions": []object{{"id": "x"}}})}, taken("accepted", "")},
		{"without a reason", []object{item(object{"overrideReason": nil})}, taken("overridden", "")},
		{"a reason without a system", []object{item(reasoned(cds.ReasonFluent, ""))},
			taken("overridden", cds.ReasonFluent)},
		{"a reason of another system", []object{item(reasoned(cds.ReasonDeclined, "http://other"))},
			taken("overridden", cds.ReasonOther)},
		{"a reason that is a name", []object{item(reasoned(family, cds.ReasonSystem))},
			taken("overridden", cds.ReasonOther)},
		{"a reason beside an acceptance", []object{item(object{"outcome": "accepted"})},
			taken("accepted", "")},
		{"several", []object{item(nil), item(object{"outcome": "accepted"})},
			append(taken("overridden", cds.ReasonDeclined), taken("accepted", "")...)},

		{"none", []object{}, nil},
		{"too many", many, nil},
		{"no list", "x", nil},
		{"a card that is no UUID", []object{item(object{"card": family})}, nil},
		{"another outcome", []object{item(object{"outcome": "ignored"})}, nil},
		{"no time", []object{item(object{"outcomeTimestamp": nil})}, nil},
		{"a day", []object{item(object{"outcomeTimestamp": "2026-03-01"})}, nil},
		{"next week", []object{item(object{"outcomeTimestamp": "2026-03-08T00:00:00Z"})}, nil},
		{"one bad among good", []object{item(nil), item(object{"card": "x"})}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, nil)
			bearer := g.jwt(t, object{"aud": service + "/feedback"})
			w := g.post(t, feedbackPath, bearer, object{"feedback": tt.in})
			want := http.StatusOK
			if tt.want == nil {
				want = http.StatusBadRequest
			}
			if w.Code != want {
				t.Errorf("status %d, want %d: %s", w.Code, want, w.Body)
			}
			if diff := cmp.Diff(tt.want, g.feedback); diff != "" {
				t.Errorf("recorded (-want +got):\n%s", diff)
			}
			if strings.Contains(g.log.String(), family) {
				t.Errorf("the log names somebody: %s", g.log)
			}
		})
	}
}

func TestFeedbackIsForCallersToo(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	body := object{"feedback": []object{item(nil)}}
	for name, c := range map[string]struct {
		bearer string
		path   string
		want   int
	}{
		"without a JWT":              {"", feedbackPath, 401},
		"with one for the service":   {g.jwt(t, nil), feedbackPath, 200},
		"with one for another place": {g.jwt(t, object{"aud": baseURL}), feedbackPath, 401},
		"on another service":         {g.jwt(t, nil), "/cds-services/other/feedback", 404},
	} {
		if w := g.post(t, c.path, c.bearer, body); w.Code != c.want {
			t.Errorf("%s: status %d, want %d", name, w.Code, c.want)
		}
	}
	large := object{"feedback": []object{item(nil)}, "x": strings.Repeat("x", 300<<10)}
	if w := g.post(t, feedbackPath, g.jwt(t, nil), large); w.Code != 413 {
		t.Errorf("a large body: status %d, want 413", w.Code)
	}
}

func TestFeedbackThatIsNotSafeIsNotTaken(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	g.broken = errors.New("disk full")
	w := g.post(t, feedbackPath, g.jwt(t, nil), object{"feedback": []object{item(nil)}})
	if w.Code != 503 || strings.Contains(w.Body.String(), "disk") || !strings.Contains(g.log.String(), "disk") {
		t.Errorf("status %d: %s; log: %s", w.Code, w.Body, g.log)
	}
}

func TestFileRecorder(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "feedback.ndjson")
	const torn = `{"tenant":"general","card":"f6b9`
	if err := os.WriteFile(name, []byte(torn), 0o600); err != nil {
		t.Fatal(err)
	}
	one := cds.Feedback{Tenant: "general", Card: cardID, Outcome: cds.Accepted, At: now(), Received: now()}
	var all sync.WaitGroup
	for range 2 { // Two servers share the file.
		r, err := cds.OpenFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Record(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			if err := r.Record(t.Context(), one); !errors.Is(err, os.ErrClosed) {
				t.Errorf("Record after Close = %v", err)
			}
		})
		for range 24 {
			all.Go(func() {
				if err := r.Record(t.Context(), one); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(lines) != 51 || lines[0] != torn {
		t.Fatalf("%d lines, the first %q; want 51 and the torn one", len(lines), lines[0])
	}
	for i, line := range lines[1:] {
		var got cds.Feedback
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("line %d: %v", i+2, err)
		}
		if diff := cmp.Diff(one, got); diff != "" {
			t.Errorf("line %d (-want +got):\n%s", i+2, diff)
		}
	}
	fresh := filepath.Join(t.TempDir(), "new.ndjson")
	r, err := cds.OpenFile(fresh)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	info, err := os.Stat(fresh)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("a new file has mode %v, %v", info.Mode(), err)
	}
	if _, err := cds.OpenFile(t.TempDir()); err == nil {
		t.Error("a folder is taken for a file")
	}
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	get := func(method, path, origin string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
		r.Header.Set("Origin", origin)
		w := httptest.NewRecorder()
		g.service.Handler().ServeHTTP(w, r)
		return w
	}
	w := get(http.MethodGet, "/cds-services", "https://app.example.org")
	var doc struct {
		Services []map[string]any `json:"services"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || len(doc.Services) != 1 {
		t.Fatalf("discovery: %v: %s", err, w.Body)
	}
	got := doc.Services[0]
	want := map[string]any{"patient": "Patient/{{context.patientId}}",
		"encounter": "Encounter/{{context.encounterId}}"}
	if diff := cmp.Diff(want, got["prefetch"]); diff != "" || got["hook"] != "patient-view" ||
		got["id"] != cds.ServiceID || got["description"] == "" {
		t.Errorf("service = %v, prefetch (-want +got):\n%s", got, diff)
	}
	for _, c := range []struct {
		name, method, path, origin, allowed string
		status                              int
	}{
		{"a registered origin", "GET", "/cds-services", "https://app.example.org", "https://app.example.org", 200},
		{"another origin", "GET", "/cds-services", "https://evil.example.org", "", 200},
		{"an origin that starts alike", "GET", "/cds-services", "https://app.example.org.evil", "", 200},
		{"null", "GET", "/cds-services", "null", "", 200},
		{"a preflight", "OPTIONS", path, "https://app.example.org", "https://app.example.org", 204},
		{"a preflight for feedback", "OPTIONS", feedbackPath, "https://app.example.org", "https://app.example.org", 204},
		{"a preflight of another", "OPTIONS", path, "https://evil.example.org", "", 204},
		{"another method", "GET", path, "https://app.example.org", "https://app.example.org", 405},
		{"another method of discovery", "POST", "/cds-services", "", "", 405},
	} {
		w := get(c.method, c.path, c.origin)
		allowed := w.Header().Get("Access-Control-Allow-Origin")
		if w.Code != c.status || allowed != c.allowed || w.Header().Get("Vary") != "Origin" {
			t.Errorf("%s: status %d for %q, want %d for %q", c.name, w.Code, allowed, c.status, c.allowed)
		}
		headers := w.Header().Get("Access-Control-Allow-Headers")
		if strings.Contains(headers, "Authorization") != (c.status == 204 && c.allowed != "") {
			t.Errorf("%s: headers %q are allowed", c.name, headers)
		}
		if w.Header().Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: credentials are allowed", c.name)
		}
	}
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*cds.Config){
		"no reader":           func(c *cds.Config) { c.Reader = nil },
		"a relative base":     func(c *cds.Config) { c.BaseURL = "/x" },
		"no issuer":           func(c *cds.Config) { c.Tenants[0].Issuer = "" },
		"no keys":             func(c *cds.Config) { c.Tenants[0].Keys = nil },
		"keys by FTP":         func(c *cds.Config) { c.Tenants[0].JWKSURI = "ftp://x/y" },
		"keys on plain http":  func(c *cds.Config) { c.Tenants[0].JWKSURI = "http://ehr.example.org/jwks" },
		"plain http":          func(c *cds.Config) { c.Tenants[0].FHIRServer = "http://ehr.example.org/fhir" },
		"no FHIR server":      func(c *cds.Config) { c.Tenants[0].FHIRServer = "" },
		"an origin with path": func(c *cds.Config) { c.Tenants[0].Origins = []string{"https://x/y"} },
		"an issuer twice":     func(c *cds.Config) { c.Tenants = append(c.Tenants, c.Tenants[0]) },
	} {
		good := true
		newRig(t, func(c *cds.Config) {
			broken := *c
			broken.Tenants = append([]cds.Tenant{}, c.Tenants...)
			change(&broken)
			_, err := cds.New(broken)
			good = err == nil
		})
		if good {
			t.Errorf("%s: New accepts it", name)
		}
	}
}
