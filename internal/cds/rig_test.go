package cds_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"

	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/internal/cds"
	"github.com/equitylens/equitylens/internal/worldtest"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/cache"
)

// The canaries: what may never get out but to the audit.
const (
	patientID = "canary-patient-7731"
	visitID   = "canary-visit-4402"
	userID    = "Practitioner/canary-user-1177"
	family    = "Canaryname"
	token     = "canary-token-9915"
)

const (
	issuer  = "https://ehr.example.org"
	baseURL = "https://equity.example.org"
	service = baseURL + "/cds-services/equitylens-interpreter"
)

func now() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

type object = map[string]any

// key is a signing key of an EHR, made once for each test that needs one.
func ecKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// rig is a service, the EHR that calls it, and what others hear of it.
type rig struct {
	service *cds.Service
	key     *ecdsa.PrivateKey
	ehr     *httptest.Server
	// answers are what the EHR gives by path; a path that is not there is 404.
	answers map[string]http.HandlerFunc
	log     *worldtest.Log

	mu       sync.Mutex
	asked    []string
	events   []cds.Event
	outcomes []cds.Outcome
	feedback []cds.Feedback
	broken   error
}

// Record implements cds.Recorder.
func (g *rig) Record(_ context.Context, f cds.Feedback) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.feedback = append(g.feedback, f)
	return g.broken
}

func newRig(t testing.TB, change func(*cds.Config)) *rig {
	t.Helper()
	g := &rig{key: ecKey(t, elliptic.P384()), answers: map[string]http.HandlerFunc{}, log: &worldtest.Log{}}
	g.ehr = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		g.asked = append(g.asked, r.URL.Path+" "+r.Header.Get("Authorization"))
		g.mu.Unlock()
		if answer, ok := g.answers[strings.TrimPrefix(r.URL.Path, "/fhir/")]; ok {
			answer(w, r)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(g.ehr.Close)
	mapper, err := mapping.New(mapping.Config{})
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewJSONHandler(g.log, nil))
	reader, err := bedside.New(bedside.Config{Mapper: mapper, Now: now, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(reader.Close)
	cfg := cds.Config{
		BaseURL: baseURL, Reader: reader, Recorder: g, Now: now, Logger: logger,
		Store: cache.NewMemory(cache.MemoryConfig{Now: now}),
		Tenants: []cds.Tenant{{
			Name: "general", Issuer: issuer, FHIRServer: g.ehr.URL + "/fhir", AllowLoopback: true,
			Keys:    &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: g.key.Public(), KeyID: "k1"}}},
			Origins: []string{"https://app.example.org"},
		}},
		Audit: func(_ context.Context, e cds.Event) error {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.events = append(g.events, e)
			return nil
		},
		Count: func(_ string, o cds.Outcome) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.outcomes = append(g.outcomes, o)
		},
		Patience: 5 * time.Second, // The machine of a test may be busy.
	}
	if change != nil {
		change(&cfg)
	}
	if g.service, err = cds.New(cfg); err != nil {
		t.Fatal(err)
	}
	return g
}

// said are good claims for the service; each has an id of its own.
func said() object {
	return object{"iss": issuer, "aud": service, "jti": uuid.NewString(),
		"iat": now().Unix(), "exp": now().Add(5 * time.Minute).Unix()}
}

// sign makes a JWT.
func sign(t testing.TB, alg jose.SignatureAlgorithm, key any, header map[jose.HeaderKey]any,
	claims object,
) string {
	t.Helper()
	options := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", "k1")
	for k, v := range header {
		options = options.WithHeader(k, v)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// jwt is a good JWT of the EHR, changed.
func (g *rig) jwt(t testing.TB, change object) string {
	t.Helper()
	claims := said()
	for k, v := range change {
		claims[k] = v
		if v == nil {
			delete(claims, k)
		}
	}
	return sign(t, jose.ES384, g.key, nil, claims)
}

// post calls the service with a JWT.
func (g *rig) post(t testing.TB, path, bearer string, body any, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	text, ok := body.(string)
	if !ok {
		encoded, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		text = string(encoded)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(text))
	r.Header.Set("Content-Type", "application/json")
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	g.service.Handler().ServeHTTP(w, r)
	return w
}

const (
	path         = "/cds-services/equitylens-interpreter"
	feedbackPath = path + "/feedback"
)

// call is the body of a call with both resources, or what change makes of it; nil takes a member
// away.
func call(change object) object {
	out := object{
		"hook": "patient-view", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
		"context":  object{"userId": userID, "patientId": patientID, "encounterId": visitID},
		"prefetch": object{"patient": patient(), "encounter": visit(nil)},
	}
	for k, v := range change {
		out[k] = v
		if v == nil {
			delete(out, k)
		}
	}
	return out
}

// authorized is a call with a token for the EHR instead of resources.
func (g *rig) authorized(change object) object {
	out := call(object{"prefetch": nil, "fhirServer": g.ehr.URL + "/fhir", "fhirAuthorization": object{
		"access_token": token, "token_type": "Bearer", "expires_in": 300, "subject": "client",
		"scope": "patient/Patient.read strange%scope patient/Encounter.read"}})
	for k, v := range change {
		out[k] = v
	}
	return out
}

func needs(yes bool) []object {
	code := "373067005"
	if yes {
		code = "373066001"
	}
	return []object{{"url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-interpreter-needed",
		"valueCoding": object{"system": "http://snomed.info/sct", "code": code}}}
}

// patient needs an interpreter for Spanish.
func patient() object {
	return object{
		"resourceType": "Patient", "id": patientID, "birthDate": "1951-07-09",
		"meta": object{"lastUpdated": "2026-01-02T03:04:05Z"}, "extension": needs(true),
		"name": []object{{"use": "official", "family": family}},
		"communication": []object{{"preferred": true, "language": object{"coding": []object{
			{"system": "urn:ietf:bcp:47", "code": "es"}}}}},
	}
}

// visit is the current encounter, which says nothing of interpreters.
func visit(change object) object {
	out := object{
		"resourceType": "Encounter", "id": visitID, "status": "in-progress",
		"class":   object{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
		"subject": object{"reference": "Patient/" + patientID, "display": family},
	}
	for k, v := range change {
		out[k] = v
	}
	return out
}

func document(body any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(body) }
}

// serves lets the EHR answer with the two resources.
func (g *rig) serves() {
	g.answers["Patient/"+patientID] = document(patient())
	g.answers["Encounter/"+visitID] = document(visit(nil))
}

// cards reads an answer.
func cards(t testing.TB, w *httptest.ResponseRecorder) []object {
	t.Helper()
	var answer struct {
		Cards []object `json:"cards"`
	}
	if w.Code != http.StatusOK || json.Unmarshal(w.Body.Bytes(), &answer) != nil || answer.Cards == nil {
		t.Fatalf("answer %d: %s", w.Code, w.Body)
	}
	return answer.Cards
}

func rsaKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (g *rig) heard() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return fmt.Sprint(g.outcomes, g.events)
}
