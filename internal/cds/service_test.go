package cds_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/internal/cds"
	"github.com/equitylens/equitylens/internal/phi"
)

func TestCard(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, language, summary, says, open, reason string
	}{
		{"English by default", "", "Interpreter needed (Spanish); none is documented for this visit",
			"**Preferred language:** Spanish", "Language and equity page of this chart",
			"An interpreter is present but not documented yet"},
		{"Spanish where it is asked for", "es-MX,es;q=0.9,en;q=0.8",
			"Se necesita intérprete (español); no consta ninguno en esta visita",
			"**Idioma preferido:** español", "Página de idioma y equidad de esta historia clínica",
			"Hay un intérprete presente, aún sin documentar"},
		{"English where neither is", "fr", "Interpreter needed (Spanish); none is documented for this visit",
			"**Interpreter documented for this visit:** none", "Language and equity page of this chart",
			"An interpreter is present but not documented yet"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, nil)
			got := cards(t, g.post(t, path, g.jwt(t, nil), call(nil), "Accept-Language", c.language))
			if len(got) != 1 {
				t.Fatalf("%d cards, want 1", len(got))
			}
			card := got[0]
			if card["summary"] != c.summary || utf8.RuneCountInString(c.summary) >= 140 {
				t.Errorf("summary = %v, want %q", card["summary"], c.summary)
			}
			if detail, _ := card["detail"].(string); !strings.Contains(detail, c.says) ||
				!strings.Contains(detail, "`Patient.extension(us-core-interpreter-needed)`") ||
				!strings.Contains(detail, "2026-01-02") {
				t.Errorf("detail = %q", detail)
			}
			want := []any{map[string]any{"label": c.open, "url": baseURL + "/launch", "type": "smart"}}
			if diff := cmp.Diff(want, card["links"]); diff != "" {
				t.Errorf("links (-want +got):\n%s", diff)
			}
			source := map[string]any{"label": "EquityLens", "url": baseURL}
			if diff := cmp.Diff(source, card["source"]); diff != "" || card["indicator"] != "warning" {
				t.Errorf("indicator %v, source (-want +got):\n%s", card["indicator"], diff)
			}
			reasons, _ := card["overrideReasons"].([]any)
			if len(reasons) != len(cds.Reasons()) {
				t.Fatalf("reasons = %v", reasons)
			}
			for i, code := range cds.Reasons() {
				r, _ := reasons[i].(map[string]any)
				if r["code"] != code || r["system"] != cds.ReasonSystem || r["display"] == "" ||
					i == 0 && r["display"] != c.reason {
					t.Errorf("reason %d = %v", i, r)
				}
			}
			if id, _ := card["uuid"].(string); len(id) != 36 {
				t.Errorf("uuid = %q", id)
			}
		})
	}
}

func TestWhenThereIsACard(t *testing.T) {
	t.Parallel()
	silent := patient()
	delete(silent, "extension")
	translator := []object{{"type": []object{{"coding": []object{{
		"system": "http://terminology.hl7.org/CodeSystem/participant-type", "code": "translator"}}}}}}
	tests := []struct {
		name    string
		patient object
		visit   object
		want    cds.Outcome
	}{
		{"the patient needs one", patient(), visit(nil), cds.Advised},
		{"the encounter says so", silent, visit(object{"extension": needs(true)}), cds.Advised},
		{"the encounter says no", patient(), visit(object{"extension": needs(false)}), cds.Silent},
		{"nobody says so", silent, visit(nil), cds.Silent},
		{"one is documented", patient(), visit(object{"participant": translator}), cds.Silent},
		{"the encounter is planned", patient(), visit(object{"status": "planned"}), cds.Advised},
		{"the encounter is cancelled", patient(), visit(object{"status": "cancelled"}), cds.Silent},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, live := range []bool{false, true} {
				g := newRig(t, nil)
				g.answers["Patient/"+patientID] = document(tt.patient)
				g.answers["Encounter/"+visitID] = document(tt.visit)
				body := call(object{"prefetch": object{"patient": tt.patient, "encounter": tt.visit}})
				if live {
					body = g.authorized(nil)
				}
				got := cards(t, g.post(t, path, g.jwt(t, nil), body))
				if (len(got) == 1) != (tt.want == cds.Advised) {
					t.Errorf("live %v: %d cards, want outcome %s", live, len(got), tt.want)
				}
				want := []cds.Event{{At: now(), Tenant: "general", User: phi.New(userID),
					Patient: phi.New(patientID), Encounter: phi.New(visitID), Prefetched: !live,
					Outcome: tt.want}}
				if diff := cmp.Diff(want, g.events, sameID()); diff != "" {
					t.Errorf("live %v: events (-want +got):\n%s", live, diff)
				}
				if diff := cmp.Diff([]cds.Outcome{tt.want}, g.outcomes); diff != "" {
					t.Errorf("live %v: outcomes (-want +got):\n%s", live, diff)
				}
				asked := 0
				if live {
					asked = 2
				}
				if len(g.asked) != asked {
					t.Errorf("live %v: the EHR was asked %v", live, g.asked)
				}
			}
		})
	}
}

func sameID() cmp.Option { return cmp.Comparer(func(a, b phi.ID) bool { return a == b }) }

func TestWhereTheDataComesFrom(t *testing.T) {
	t.Parallel()
	other := visit(object{"subject": object{"reference": "Patient/somebody-else"}})
	elsewhere := patient()
	elsewhere["id"] = "somebody-else"
	prefetch := func(patient, encounter any) object {
		return object{"patient": patient, "encounter": encounter}
	}
	outcome := object{"resourceType": "OperationOutcome"}
	tests := []struct {
		name string
		in   func(g *rig) object
		// status and outcome without an EHR to ask, and with one.
		status  int
		outcome cds.Outcome
		asked   int
	}{
		{"nothing", func(*rig) object { return call(object{"prefetch": nil}) }, 412, cds.Unread, 0},
		{"half a prefetch", func(*rig) object {
			return call(object{"prefetch": prefetch(patient(), nil)})
		}, 412, cds.Unread, 0},
		{"a prefetch that went wrong", func(*rig) object {
			return call(object{"prefetch": prefetch(outcome, outcome)})
		}, 412, cds.Unread, 0},
		{"a prefetch about somebody else", func(*rig) object {
			return call(object{"prefetch": prefetch(elsewhere, visit(nil))})
		}, 412, cds.Unread, 0},
		{"an encounter of somebody else", func(*rig) object {
			return call(object{"prefetch": prefetch(patient(), other)})
		}, 412, cds.Unread, 0},
		{"a prefetch that is not R4", func(*rig) object {
			return call(object{"prefetch": prefetch(patient(), visit(object{"status": "odd"}))})
		}, 412, cds.Unread, 0},
		{"half a prefetch and a token", func(g *rig) object {
			return g.authorized(object{"prefetch": prefetch(patient(), nil)})
		}, 200, cds.Advised, 2},
		{"a prefetch about somebody else, and a token", func(g *rig) object {
			return g.authorized(object{"prefetch": prefetch(elsewhere, other)})
		}, 200, cds.Advised, 2},
		{"a whole prefetch and a token", func(g *rig) object {
			return g.authorized(object{"prefetch": prefetch(patient(), visit(nil))})
		}, 200, cds.Advised, 0},
		{"a token without scopes", func(g *rig) object {
			return g.authorized(object{"fhirAuthorization": object{"access_token": token,
				"token_type": "bearer", "scope": "openid"}})
		}, 412, cds.Unread, 0},
		{"a token, and a slash behind the server", func(g *rig) object {
			return g.authorized(object{"fhirServer": g.ehr.URL + "/fhir/"})
		}, 200, cds.Advised, 2},
		{"no encounter", func(g *rig) object {
			return g.authorized(object{"context": object{"userId": userID, "patientId": patientID}})
		}, 200, cds.NoEncounter, 0},
		{"another server", func(g *rig) object {
			return g.authorized(object{"fhirServer": "https://evil.example.org/fhir"})
		}, 403, cds.Refused, 0},
		{"the registered server as a prefix", func(g *rig) object {
			return g.authorized(object{"fhirServer": g.ehr.URL + "/fhir.evil.example.org"})
		}, 403, cds.Refused, 0},
		{"another server beside a whole prefetch", func(*rig) object {
			return call(object{"fhirServer": "https://evil.example.org/fhir"})
		}, 403, cds.Refused, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, nil)
			g.serves()
			w := g.post(t, path, g.jwt(t, nil), tt.in(g))
			if w.Code != tt.status || len(g.asked) != tt.asked {
				t.Errorf("status %d after %d requests, want %d after %d: %s", w.Code, len(g.asked),
					tt.status, tt.asked, w.Body)
			}
			if diff := cmp.Diff([]cds.Outcome{tt.outcome}, g.outcomes); diff != "" {
				t.Errorf("outcomes (-want +got):\n%s", diff)
			}
			for _, asked := range g.asked {
				if !strings.HasSuffix(asked, " Bearer "+token) {
					t.Errorf("the EHR was asked %s", asked)
				}
			}
			audited := tt.outcome == cds.Advised || tt.outcome == cds.Unread
			if (len(g.events) == 1) != audited {
				t.Errorf("%d events, audited should be %v", len(g.events), audited)
			}
		})
	}
}

func TestEHRThatIsSlowOrDownGetsNoCard(t *testing.T) {
	t.Parallel()
	released := make(chan struct{})
	t.Cleanup(func() { close(released) })
	for name, worsen := range map[string]func(*rig){
		"slow": func(g *rig) {
			g.answers["Patient/"+patientID] = func(_ http.ResponseWriter, r *http.Request) {
				select {
				case <-released:
				case <-r.Context().Done():
				}
			}
		},
		"down": func(g *rig) { g.ehr.Close() },
		"broken": func(g *rig) {
			g.answers["Encounter/"+visitID] = func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusInternalServerError)
			}
		},
	} {
		g := newRig(t, func(c *cds.Config) { c.Patience = 200 * time.Millisecond })
		g.serves()
		worsen(g)
		if got := cards(t, g.post(t, path, g.jwt(t, nil), g.authorized(nil))); len(got) != 0 {
			t.Errorf("%s: %d cards", name, len(got))
		}
		if diff := cmp.Diff([]cds.Outcome{cds.Late}, g.outcomes); diff != "" || len(g.events) != 1 {
			t.Errorf("%s: %d events, outcomes (-want +got):\n%s", name, len(g.events), diff)
		}
		if !strings.Contains(g.log.String(), `"outcome":"late"`) {
			t.Errorf("%s: the log does not tell: %s", name, g.log)
		}
	}
}

func TestMalformedCalls(t *testing.T) {
	t.Parallel()
	context := func(user, patient, encounter any) object {
		return object{"context": object{"userId": user, "patientId": patient, "encounterId": encounter}}
	}
	tests := []struct {
		name   string
		in     any
		status int
	}{
		{"no JSON", "{", 400},
		{"null", "null", 400},
		{"a list", "[]", 400},
		{"a name twice", `{"hook":"patient-view","hook":"patient-view"}`, 400},
		{"another hook", call(object{"hook": "order-select"}), 400},
		{"no hookInstance", call(object{"hookInstance": nil}), 400},
		{"a hookInstance in braces", call(object{"hookInstance": "{d1577c69-dfbe-44ad-ba6d-3e05e953b2ea}"}), 400},
		{"no context", call(object{"context": nil}), 400},
		{"no patient", call(context(userID, nil, visitID)), 400},
		{"a patient that is a path", call(context(userID, "../x", visitID)), 400},
		{"an encounter that is a query", call(context(userID, patientID, "x?y")), 400},
		{"no user", call(context(nil, patientID, visitID)), 400},
		{"a user of no kind", call(context("Device/1", patientID, visitID)), 400},
		{"a token without a server", call(object{"fhirAuthorization": object{
			"access_token": token, "token_type": "Bearer"}}), 400},
		{"a token of another type", call(object{"fhirServer": "x", "fhirAuthorization": object{
			"access_token": token, "token_type": "mac"}}), 400},
		{"a token with a line break", call(object{"fhirServer": "x", "fhirAuthorization": object{
			"access_token": "a\r\nb", "token_type": "Bearer"}}), 400},
		{"a token for another patient", call(object{"fhirServer": "x", "fhirAuthorization": object{
			"access_token": token, "token_type": "Bearer", "patient": "other"}}), 400},
		{"five megabytes", `{"x":"` + strings.Repeat("x", 5<<20) + `"}`, 413},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, nil)
			w := g.post(t, path, g.jwt(t, nil), tt.in)
			if w.Code != tt.status || len(g.events)+len(g.asked) != 0 {
				t.Errorf("status %d, %s; want %d and nothing read", w.Code, g.heard(), tt.status)
			}
		})
	}
	g := newRig(t, nil)
	if w := g.post(t, path, g.jwt(t, nil), call(nil), "Content-Type", "text/plain"); w.Code != 415 {
		t.Errorf("text/plain: status %d, want 415", w.Code)
	}
	if w := g.post(t, "/cds-services/other", g.jwt(t, nil), call(nil)); w.Code != 404 {
		t.Errorf("another service: status %d, want 404", w.Code)
	}
}

// TestNobodyIsNamed looks for the people of a call in all that is not the audit.
func TestNobodyIsNamed(t *testing.T) {
	t.Parallel()
	wrote := 0
	look := func(text string) {
		wrote += len(text)
		for _, canary := range []string{patientID, visitID, userID, family, token, "canary", "1951-07"} {
			if strings.Contains(text, canary) {
				t.Errorf("%q gets out in %s", canary, text)
			}
		}
	}
	bodies := []func(g *rig) any{
		func(*rig) any { return call(nil) },
		func(g *rig) any { return g.authorized(nil) },
		func(g *rig) any { g.answers = nil; return g.authorized(nil) },
		func(g *rig) any { g.ehr.Close(); return g.authorized(nil) },
		func(g *rig) any { return g.authorized(object{"fhirServer": "https://" + patientID + "/fhir"}) },
		func(*rig) any { return call(object{"hook": family}) },
		func(*rig) any { return call(object{"prefetch": object{"patient": family}}) },
		func(*rig) any { return fmt.Sprintf(`{"hook":"%s`, patientID) },
		func(*rig) any { return call(object{"context": object{"patientId": patientID + "/"}}) },
	}
	for _, body := range bodies {
		g := newRig(t, nil)
		g.serves()
		in := body(g)
		look(g.post(t, path, g.jwt(t, nil), in).Body.String())
		look(g.post(t, path, g.jwt(t, object{"iss": family, "tenant": patientID}), in).Body.String())
		look(g.post(t, feedbackPath, g.jwt(t, object{"aud": patientID}), in).Body.String())
		look(g.log.String())
		look(g.heard())
	}
	if wrote < 5000 {
		t.Errorf("only %d bytes were looked at", wrote)
	}
}

func BenchmarkService(b *testing.B) {
	for _, live := range []bool{false, true} {
		name := "prefetch"
		if live {
			name = "ehr on loopback"
		}
		b.Run(name, func(b *testing.B) {
			g := newRig(b, nil)
			g.serves()
			body := call(nil)
			if live {
				body = g.authorized(nil)
			}
			tokens := make([]string, 0, 4096)
			for b.Loop() {
				if len(tokens) == 0 {
					b.StopTimer()
					for range cap(tokens) / 16 {
						tokens = append(tokens, g.jwt(b, nil))
					}
					b.StartTimer()
				}
				last := len(tokens) - 1
				w := g.post(b, path, tokens[last], body)
				tokens = tokens[:last]
				if len(cards(b, w)) != 1 {
					b.Fatal("no card")
				}
			}
		})
	}
}

// TestACallThatCannotBeWrittenDownGetsNoCard: a card tells of a patient.
func TestACallThatCannotBeWrittenDownGetsNoCard(t *testing.T) {
	t.Parallel()
	g := newRig(t, func(c *cds.Config) {
		c.Audit = func(context.Context, cds.Event) error { return errors.New("the disk is full") }
	})
	got := g.post(t, path, g.jwt(t, nil), call(nil))
	if got.Code != http.StatusServiceUnavailable || strings.Contains(got.Body.String(), "summary") {
		t.Errorf("%d %s, want 503 and no card", got.Code, got.Body)
	}
}
