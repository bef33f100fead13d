package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// told is an answer of the API.
type told struct {
	status int
	etag   string
	body   string
}

// tell sends a resource on the version that was read; an empty one names none.
func (s *serving) tell(method, path, token, body, version string) told {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.url+"/fhir/"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		request.Header.Set("Content-Type", "application/fhir+json")
	}
	if version != "" {
		request.Header.Set("If-Match", version)
	}
	answer, err := s.client.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return told{answer.StatusCode, answer.Header.Get("ETag"), string(text)}
}

// ends stops the demonstration, so that another program can serve its data.
func (c *course) ends(t *testing.T) {
	t.Helper()
	c.demo.stop()
	code := <-c.demo.ended
	c.demo.ended <- code
	if code != exitOK {
		t.Errorf("the demonstration ended with %d: %s", code, c.demo.log)
	}
}

// speaksFHIR does by tokens of programs what people did on pages.
func (c *course) speaksFHIR(t *testing.T) {
	_, metrics := (&serving{t: t, url: c.demo.url, client: http.DefaultClient}).do(http.MethodGet, "/metrics", "", "")
	hides(t, "the metrics of the demonstration", metrics, typed()...)
	c.ends(t)
	here := &site{folder: t.TempDir()}
	key, file := here.register(t, "department")
	here.write(t, fmt.Sprintf(`data: %s
reviews: {two_person: severe, since: "2025-01-01"}
log: {level: debug, format: json}
server:
  rate_limits: {per_client: 0}
  clients:
    - id: department
      jwks_file: %s
      scopes: [equitylens/review, equitylens/narrative, equitylens/improve, system/AuditEvent.rs]
`, c.data, file))
	s := serve(t, here.config, http.DefaultClient)
	all := s.token("department", key, "equitylens/review equitylens/narrative equitylens/improve system/AuditEvent.rs")
	silent := s.token("department", key, "equitylens/review equitylens/improve")
	acts := s.token("department", key, "equitylens/improve")
	c.readsEvents(t, s, all, silent, acts)
	c.answersByProgram(t, s, all)
	c.readsActions(t, s, all, acts)
	c.readsTrail(t, s, all)
	_, metrics = s.do(http.MethodGet, "/metrics", "", "")
	s.end()
	hides(t, "the metrics", metrics, typed()...)
	hides(t, "the log of serve", s.log.String(), typed()...)
	barren(t, "the log of serve", s.log.String())
}

// readsEvents searches and reads what is settled, by scope.
func (c *course) readsEvents(t *testing.T, s *serving, all, silent, acts string) {
	t.Helper()
	const settled = "AdverseEvent?review-state=settled&_count=200"
	found := s.tell(http.MethodGet, settled, all, "", "")
	if ids := idsOf(t, found.body); len(ids) != 3 || !slices.Contains(ids, c.event) {
		t.Errorf("settled are %v, want 3 and %s", ids, c.event)
	}
	valid(t, settled, []byte(found.body))
	for _, one := range []struct {
		name, token string
		status      int
		says, hides []string
	}{
		{"with the narrative", all, http.StatusOK, []string{"Osierbrook", "language-access", `"yes"`}, nil},
		{"without", silent, http.StatusOK, []string{"language-access", "masked"}, typed()},
		{"of actions alone", acts, http.StatusForbidden, nil, append(typed(), "language-access")},
	} {
		got := s.tell(http.MethodGet, "AdverseEvent/"+c.event, one.token, "", "")
		if got.status != one.status {
			t.Errorf("a token %s gets %d, want %d", one.name, got.status, one.status)
		}
		for _, word := range one.says {
			if !strings.Contains(got.body, word) {
				t.Errorf("a token %s gets no %q:\n%s", one.name, word, got.body)
			}
		}
		hides(t, "a token "+one.name, got.body, one.hides...)
	}
}

// answersByProgram hands in an answer on the version that was read, and on no other.
func (c *course) answersByProgram(t *testing.T, s *serving, token string) {
	t.Helper()
	path := "AdverseEvent/" + c.unasked["moderate"][0]
	read := s.tell(http.MethodGet, path, token, "", "")
	var event map[string]any
	parse(t, read.body, &event)
	part := func(url, kind string, value any) map[string]any { return map[string]any{"url": url, kind: value} }
	coded := func(system, code string) map[string]any {
		return map[string]any{"coding": []any{map[string]any{"system": ours + "CodeSystem/" + system, "code": code}}}
	}
	const factor = "http://hl7.org/fhir/5.0/StructureDefinition/extension-AdverseEvent.contributingFactor"
	event["extension"] = []any{
		part(factor, "extension", []any{
			part("item", "valueCodeableConcept", coded("inequity-contribution", "yes")),
			part(ours+"StructureDefinition/evidence", "valueString", programWords),
		}),
		part(factor, "extension", []any{part("item", "valueCodeableConcept", coded("inequity-factor", "bias"))}),
		part(ours+"StructureDefinition/event-detection", "valueCodeableConcept", coded("event-detection", "triggered")),
	}
	text, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	for _, try := range []struct {
		version string
		want    int
	}{
		{"", http.StatusPreconditionRequired}, {`W/"7"`, http.StatusPreconditionFailed}, {read.etag, http.StatusOK},
		{read.etag, http.StatusPreconditionFailed},
	} {
		if got := s.tell(http.MethodPut, path, token, string(text), try.version); got.status != try.want {
			t.Errorf("PUT with If-Match %s = %d, want %d: %s", try.version, got.status, try.want, got.body)
		}
	}
	now := s.tell(http.MethodGet, path, token, "", "")
	if !strings.Contains(now.body, programWords) || now.etag == read.etag {
		t.Errorf("after the answer the event %s is %s", now.etag, now.body)
	}
	valid(t, path, []byte(now.body))
}

// ours begins the addresses of our own definitions.
const ours = "https://equitylens.org/fhir/"

// readsActions finds the actions of the course as Tasks and Goals, and changes one.
func (c *course) readsActions(t *testing.T, s *serving, all, acts string) {
	t.Helper()
	found := s.tell(http.MethodGet, "Task?code=equity-action", acts, "", "")
	ids := idsOf(t, found.body)
	if slices.Sort(ids); len(ids) != 2 || !slices.Contains(ids, c.action) || !slices.Contains(ids, c.improved) {
		t.Errorf("the actions are %v, want %s and %s", ids, c.action, c.improved)
	}
	valid(t, "the tasks of actions", []byte(found.body))
	if got := s.tell(http.MethodGet, "Task/"+c.event, acts, "", ""); got.status != http.StatusNotFound {
		t.Errorf("the task of a review is %d to a token of actions alone", got.status)
	}
	if got := s.tell(http.MethodGet, "Task/"+c.event, all, "", ""); got.status != http.StatusOK ||
		!strings.Contains(got.body, `"completed"`) || strings.Contains(got.body, "Quillfeather") {
		t.Errorf("the task of the review is %d: %s", got.status, got.body)
	}
	goal := s.tell(http.MethodGet, "Goal/"+c.improved, acts, "", "")
	if goal.status != http.StatusOK || !strings.Contains(goal.body, "improving") {
		t.Errorf("the goal of what was closed is %d: %s", goal.status, goal.body)
	}
	task := s.tell(http.MethodGet, "Task/"+c.action, acts, "", "")
	var changed map[string]any
	parse(t, task.body, &changed)
	changed["owner"] = map[string]any{"display": "Patient services, nights"}
	text, err := json.Marshal(changed)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{http.StatusOK, http.StatusPreconditionFailed} {
		if got := s.tell(http.MethodPut, "Task/"+c.action, acts, string(text), task.etag); got.status != want {
			t.Errorf("PUT Task = %d, want %d: %s", got.status, want, got.body)
		}
	}
}

// readsTrail finds the looks and the decisions with the patient whom they were about.
func (c *course) readsTrail(t *testing.T, s *serving, token string) {
	t.Helper()
	var event struct{ Subject struct{ Reference string } }
	parse(t, s.tell(http.MethodGet, "AdverseEvent/"+c.event, token, "", "").body, &event)
	patient := event.Subject.Reference[strings.LastIndex(event.Subject.Reference, "Patient/"):]
	trail := s.tell(http.MethodGet, "AuditEvent?_count=200&patient="+patient, token, "", "")
	if trail.status != http.StatusOK {
		t.Fatalf("the audit trail is %d: %s", trail.status, trail.body)
	}
	var b struct {
		Entry []struct {
			Resource struct {
				Action  string
				Subtype []struct{ Code string }
				Agent   []struct {
					Name      string
					Requestor bool
				}
			}
		}
	}
	parse(t, trail.body, &b)
	looks, decisions := 0, 0
	for _, e := range b.Entry {
		for _, subtype := range e.Resource.Subtype {
			switch {
			case subtype.Code == "review-answer":
				decisions++
			case e.Resource.Action == "R" || e.Resource.Action == "E":
				looks++
			}
		}
	}
	// Two answers, and one that came to a page that was too old.
	if decisions < 3 || looks < 3 {
		t.Errorf("the trail holds %d looks and %d decisions about the patient:\n%s", looks, decisions, trail.body)
	}
	hides(t, "the audit trail", trail.body, typed()...)
	if got := s.tell(http.MethodGet, "AuditEvent?_count=200", token, "", ""); got.status != http.StatusOK {
		t.Errorf("the whole trail is %d", got.status)
	} else {
		hides(t, "the audit trail", got.body, typed()...)
	}
}
