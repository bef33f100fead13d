package fhirtest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"
)

// service is a CDS Hooks service that remembers what it was asked.
type service struct {
	*httptest.Server
	mu     sync.Mutex
	path   string
	bearer string
	body   map[string]any
	status int
	answer string
}

func startService(t *testing.T) *service {
	t.Helper()
	s := &service{status: http.StatusOK, answer: `{"cards":[{"uuid":"u-1","summary":"An interpreter is needed",
		"indicator":"warning","source":{"label":"EquityLens"},"detail":"None is <b>documented</b>."}]}`}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.path, s.bearer, s.body = r.URL.Path, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), nil
		_ = json.Unmarshal(text, &s.body)
		w.WriteHeader(s.status)
		_, _ = w.Write([]byte(s.answer))
	}))
	t.Cleanup(s.Close)
	return s
}

func TestCallHookAsAnEHR(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{})
	s := startService(t)
	got, err := v.server.CallHook(t.Context(), s.URL+"/cds-services/lens", HookRequest{Patient: v.chart.Patient,
		Encounter: v.chart.Encounter, User: "theo-marsh", WithPrefetch: true, WithAuthorization: true})
	if err != nil || got.Status != 200 || len(got.Cards) != 1 || got.Cards[0].Source.Label != "EquityLens" {
		t.Fatalf("CallHook() = %+v, %v", got, err)
	}
	authorization, _ := s.body["fhirAuthorization"].(map[string]any)
	v.token, _ = authorization["access_token"].(string)
	prefetch, _ := s.body["prefetch"].(map[string]any)
	patient, _ := prefetch["patient"].(map[string]any)
	encounter, _ := prefetch["encounter"].(map[string]any)
	if patient["id"] != v.chart.Patient || encounter["id"] != v.chart.Encounter {
		t.Errorf("prefetch = %v", prefetch)
	}
	delete(authorization, "access_token")
	delete(s.body, "prefetch")
	want := map[string]any{"hook": "patient-view", "hookInstance": got.Instance, "fhirServer": v.base,
		"context": map[string]any{"userId": "Practitioner/theo-marsh", "patientId": v.chart.Patient,
			"encounterId": v.chart.Encounter},
		"fhirAuthorization": map[string]any{"token_type": "Bearer", "expires_in": 300.0,
			"scope": "patient/Patient.rs patient/Encounter.rs", "subject": "cds-service",
			"patient": v.chart.Patient}}
	if d := cmp.Diff(want, s.body); d != "" {
		t.Errorf("request (-want +got):\n%s", d)
	}
	_, other := crowded(v)
	for target, want := range map[string]int{"/Patient/" + v.chart.Patient: 200,
		"/Encounter/" + v.chart.Encounter: 200, "/AdverseEvent": 403} {
		if status, _, _ := v.get(target); status != want {
			t.Errorf("%s with the service's token: status %d, want %d", target, status, want)
		}
	}
	if other.Patient != v.chart.Patient {
		if status, _, _ := v.get("/Patient/" + other.Patient); status != 404 {
			t.Errorf("another patient: status %d, want 404", status)
		}
	}
}

func TestHookTokenIsThatOfTheEHR(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{})
	s := startService(t)
	target := s.URL + "/cds-services/lens"
	var ids []string
	for range 2 {
		if _, err := v.server.CallHook(t.Context(), target, HookRequest{Patient: v.chart.Patient}); err != nil {
			t.Fatal(err)
		}
		token, err := jwt.ParseSigned(s.bearer, []jose.SignatureAlgorithm{jose.ES384})
		if err != nil {
			t.Fatal(err)
		}
		_, _, body := v.get(v.server.HookKeysURL())
		var keys jose.JSONWebKeySet
		if err := json.Unmarshal(body, &keys); err != nil {
			t.Fatal(err)
		}
		var claims jwt.Claims
		header := token.Headers[0]
		if err := token.Claims(keys.Key(header.KeyID)[0], &claims); err != nil {
			t.Fatal(err)
		}
		now := v.clock.Now()
		if claims.Issuer != v.server.HookIssuer() || claims.Issuer != v.origin || !claims.Audience.Contains(target) ||
			!claims.Expiry.Time().Equal(now.Add(hookLife)) || !claims.IssuedAt.Time().Equal(now) ||
			header.ExtraHeaders["jku"] != v.origin+hookKeysPath || header.ExtraHeaders["typ"] != "JWT" {
			t.Errorf("header %+v, claims %+v", header, claims)
		}
		ids = append(ids, claims.ID)
	}
	if ids[0] == ids[1] || len(ids[0]) != 36 {
		t.Errorf("jti = %q", ids)
	}
	token, err := v.server.HookToken(target, map[string]any{"jti": nil, "iss": "https://evil.example.org"},
		map[string]any{"jku": nil})
	if err != nil {
		t.Fatal(err)
	}
	changed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES384})
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := changed.UnsafeClaimsWithoutVerification(&claims); err != nil {
		t.Fatal(err)
	}
	if claims["iss"] != "https://evil.example.org" || claims["jti"] != nil || changed.Headers[0].ExtraHeaders["jku"] != nil {
		t.Errorf("claims %v, header %+v", claims, changed.Headers[0])
	}
}

func TestCallHookBare(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{})
	s := startService(t)
	_, err := v.server.CallHook(t.Context(), s.URL, HookRequest{Patient: v.chart.Patient,
		Body: map[string]any{"hook": "order-select", "context": nil}})
	if err != nil {
		t.Fatal(err)
	}
	delete(s.body, "hookInstance")
	if d := cmp.Diff(map[string]any{"hook": "order-select"}, s.body); d != "" {
		t.Errorf("request (-want +got):\n%s", d)
	}
	_, err = v.server.CallHook(t.Context(), s.URL, HookRequest{Patient: "nobody", WithPrefetch: true,
		Prefetch: map[string]string{"who": "Patient/{{context.patientId}}", "what": "Observation?code=1"}})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]any{"who": nil, "what": nil}, s.body["prefetch"]); d != "" {
		t.Errorf("prefetch of what is not there (-want +got):\n%s", d)
	}
	s.answer = "no JSON"
	if _, err := v.server.CallHook(t.Context(), s.URL, HookRequest{}); err == nil {
		t.Error("cards that are no JSON gave no error")
	}
	s.status = http.StatusPreconditionFailed
	if got, err := v.server.CallHook(t.Context(), s.URL, HookRequest{}); err != nil || got.Status != 412 {
		t.Errorf("CallHook() = %+v, %v, want status 412", got, err)
	}
	if _, err := v.server.CallHook(t.Context(), s.URL, HookRequest{User: "ghost"}); err == nil {
		t.Error("a ghost gave no error")
	}
	s.Close()
	if _, err := v.server.CallHook(t.Context(), s.URL, HookRequest{}); err == nil {
		t.Error("a service that is away gave no error")
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	got := plain("**Needed:** yes\n\nRecorded in:\n\n- `Patient.extension`\n- elsewhere\n")
	if want := "Needed: yes\nRecorded in:\n• Patient.extension\n• elsewhere"; got != want {
		t.Errorf("plain() = %q, want %q", got, want)
	}
}

func TestFeedback(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{})
	s := startService(t)
	s.answer = ""
	out, err := v.server.Feedback(t.Context(), s.URL+"/cds-services/lens", "u-1", "overridden", "interpreter-present")
	if err != nil || out.Status != 200 || s.path != "/cds-services/lens/feedback" {
		t.Fatalf("Feedback() = %+v, %v at %s", out, err, s.path)
	}
	want := map[string]any{"feedback": []any{map[string]any{"card": "u-1", "outcome": "overridden",
		"outcomeTimestamp": v.clock.Now().Format(time.RFC3339),
		"overrideReason":   map[string]any{"reason": map[string]any{"code": "interpreter-present"}}}}}
	if d := cmp.Diff(want, s.body); d != "" {
		t.Errorf("feedback (-want +got):\n%s", d)
	}
	if _, err := v.server.Feedback(t.Context(), s.URL, "u-1", "accepted", ""); err != nil {
		t.Fatal(err)
	}
	first, _ := s.body["feedback"].([]any)
	if said, _ := first[0].(map[string]any); said["acceptedSuggestions"] == nil || said["overrideReason"] != nil {
		t.Errorf("feedback = %v", said)
	}
}

func TestRotateKeys(t *testing.T) {
	t.Parallel()
	v := startApp(t, Config{})
	keys := func(at string) string {
		_, _, body := v.get(at)
		return string(body)
	}
	header, _ := v.identity(v.visits(chartScopes)["id_token"])
	identity, hooks := keys(v.origin+keysPath), keys(v.server.HookKeysURL())
	if identity != keys(v.origin+keysPath) || hooks != keys(v.server.HookKeysURL()) {
		t.Error("keys change by themselves")
	}
	v.server.RotateKeys()
	if identity == keys(v.origin+keysPath) || hooks == keys(v.server.HookKeysURL()) {
		t.Error("keys are still the old ones")
	}
	if next, _ := v.identity(v.visits(chartScopes)["id_token"]); next.KeyID == header.KeyID {
		t.Errorf("kid = %q before and after", next.KeyID)
	}
}
