package bedside_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/internal/worldtest"
	"github.com/equitylens/equitylens/mapping"
)

// The canaries: what may never get out but through a View.
const (
	patientID = "canary-patient-7731"
	visitID   = "canary-visit-4402"
	family    = "Canaryname"
	token     = "canary-token-9915"
)

// everything are scopes for all that a view needs.
const everything = "launch openid patient/Patient.r patient/Encounter.rs patient/AdverseEvent.s"

// now is the clock of the tests.
func now() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

type object = map[string]any

// ehr is an EHR with one chart, whose answers a test can change by path.
type ehr struct {
	*httptest.Server

	patient    object
	encounters []object
	events     []object
	// instead answers a path below /fhir in another way.
	instead map[string]http.HandlerFunc

	mu    sync.Mutex
	asked []string
}

func newEHR(t *testing.T) *ehr {
	t.Helper()
	e := &ehr{instead: map[string]http.HandlerFunc{}, patient: patient()}
	e.Server = httptest.NewServer(http.HandlerFunc(e.serve))
	t.Cleanup(e.Close)
	return e
}

func (e *ehr) serve(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	e.asked = append(e.asked, r.URL.Path+"?"+r.URL.RawQuery)
	e.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/fhir/")
	if r.Header.Get("Authorization") != "Bearer "+token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if other, ok := e.instead[path]; ok {
		other(w, r)
		return
	}
	switch kind, id, one := strings.Cut(path, "/"); {
	case one && kind == "Patient" && e.patient != nil:
		send(w, e.patient)
	case one && kind == "Encounter":
		for _, have := range e.encounters {
			if have["id"] == id {
				send(w, have)
				return
			}
		}
		w.WriteHeader(http.StatusNotFound)
	case kind == "Encounter":
		send(w, searchset(e.encounters, ""))
	case kind == "AdverseEvent":
		send(w, searchset(e.events, ""))
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// requests are the paths and queries that were asked for.
func (e *ehr) requests() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string{}, e.asked...)
}

func send(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/fhir+json")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ") // Many EHRs do.
	_ = encoder.Encode(body)
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func document(body any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { send(w, body) }
}

func searchset(resources []object, next string) object {
	entries := []object{}
	for _, r := range resources {
		entries = append(entries, object{"resource": r, "search": object{"mode": "match"}})
	}
	b := object{"resourceType": "Bundle", "type": "searchset", "entry": entries}
	if next != "" {
		b["link"] = []object{{"relation": "next", "url": next}}
	}
	return b
}

func outcome(code string) object {
	return object{"resourceType": "OperationOutcome", "issue": []object{
		{"severity": "warning", "code": code, "diagnostics": "about " + patientID}}}
}

// needed is a statement of the need for an interpreter.
func needed(answer string) object {
	codes := map[string]string{"yes": "373066001", "no": "373067005"}
	if code, ok := codes[answer]; ok {
		return object{"url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-interpreter-needed",
			"valueCoding": object{"system": "http://snomed.info/sct", "code": code}}
	}
	return object{"url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-interpreter-needed",
		"valueCoding": object{"system": "http://terminology.hl7.org/CodeSystem/v3-NullFlavor",
			"code": answer}}
}

func speaks(code string, preferred bool) object {
	return object{"preferred": preferred, "language": object{"coding": []object{
		{"system": "urn:ietf:bcp:47", "code": code}}}}
}

// patient speaks Spanish rather than English, and says nothing of interpreters.
func patient() object {
	return object{
		"resourceType": "Patient", "id": patientID, "birthDate": "1951-07-09", "gender": "female",
		"meta":          object{"lastUpdated": "2026-01-02T03:04:05Z"},
		"name":          []object{{"use": "official", "family": family, "given": []string{"Ana", "B"}}},
		"communication": []object{speaks("es-MX", true), speaks("en", false)},
	}
}

// visit is an encounter of the patient.
func visit(id, start string, more object) object {
	out := object{
		"resourceType": "Encounter", "id": id, "status": "finished",
		"meta":    object{"lastUpdated": "2026-02-03T04:05:06Z"},
		"class":   object{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
		"subject": object{"reference": "Patient/" + patientID, "display": family},
		"period":  object{"start": start},
	}
	for k, v := range more {
		out[k] = v
	}
	return out
}

// harmed is an event of the patient.
func harmed(id, date string, more object) object {
	out := object{
		"resourceType": "AdverseEvent", "id": id, "actuality": "actual",
		"subject": object{"reference": "Patient/" + patientID},
	}
	if date != "" {
		out["date"] = date
	}
	for k, v := range more {
		out[k] = v
	}
	return out
}

// translated is the participant of a documented interpreter.
func translated() []object {
	return []object{{"type": []object{{"coding": []object{{
		"system": "http://terminology.hl7.org/CodeSystem/participant-type", "code": "translator"}}}}}}
}

// reader makes a Reader; what it logs goes to the returned buffer.
func reader(t *testing.T, change func(*bedside.Config)) (*bedside.Reader, *worldtest.Log) {
	t.Helper()
	mapper, err := mapping.New(mapping.Config{})
	if err != nil {
		t.Fatal(err)
	}
	log := &worldtest.Log{}
	cfg := bedside.Config{Mapper: mapper, Now: now, Logger: slog.New(slog.NewJSONHandler(log, nil)),
		Patience: time.Minute} // The machine of a test may be busy.
	if change != nil {
		change(&cfg)
	}
	r, err := bedside.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r, log
}

// access is a token of the EHR for everything.
func (e *ehr) access(t *testing.T) bedside.Access {
	t.Helper()
	scopes, err := scope.ParseSet(everything)
	if err != nil {
		t.Fatal(err)
	}
	return bedside.Access{Tenant: "general", BaseURL: e.URL + "/fhir", Token: token, Scopes: scopes,
		Patient: phi.New(patientID), AllowLoopback: true}
}

// day writes a day counted from the clock of the tests.
func day(back int) string { return now().AddDate(0, 0, -back).Format("2006-01-02") }

// many makes n encounters, the newest first.
func many(n int) (out []object) {
	for i := range n {
		out = append(out, visit(fmt.Sprintf("e%d", i), day(i), nil))
	}
	return out
}
