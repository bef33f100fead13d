package exchange_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/exchange"
	"github.com/equitylens/equitylens/internal/incident"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/internal/worldtest"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/facts"
)

const base = "https://quality.example.org/fhir"

// snapshot is what is live: events that a test names.
type snapshot struct {
	mu     sync.Mutex
	events []facts.Event
	fails  error
}

func (s *snapshot) hold(use func(review.Events) error) error { return use(s) }

func (s *snapshot) Events(_ context.Context, f facts.EventFilter) (out []facts.Event, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if f.Keys == nil || slices.Contains(f.Keys, e.Key()) {
			out = append(out, e)
		}
	}
	return out, s.fails
}

func (s *snapshot) EventHeads(ctx context.Context, f facts.EventFilter) ([]facts.EventHead, error) {
	events, err := s.Events(ctx, f)
	heads := make([]facts.EventHead, len(events))
	for i := range events {
		heads[i] = events[i].EventHead
	}
	return heads, err
}

func (*snapshot) Alike(context.Context, facts.EventKey) ([]facts.Alike, error) { return nil, nil }
func (*snapshot) SiteLabels() map[string]string                                { return nil }

func clock() time.Time { return time.Date(2026, 6, 15, 14, 30, 0, 0, time.UTC) }

func at(text string) time.Time {
	moment, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return moment
}

// event is one of a patient of the same number.
func event(number, date, severity string) facts.Event {
	return facts.Event{
		EventHead: facts.EventHead{
			Source: "ehr", ID: phi.New("event-canary-" + number), Actuality: "actual", Category: "wrong-dose",
			Severity: severity, Seriousness: "~missing", Outcome: "resolved", Recorded: "~missing", Site: "H1",
			Date: at(date), DateFrom: "AdverseEvent.date",
		},
		Patient: phi.New("patient-canary-" + number), Known: true,
		Encounter: phi.New("encounter-canary-" + number), Linked: true,
	}
}

func idOf(number string) string {
	return review.IDOf(review.Key{Source: "ehr", ID: phi.New("event-canary-" + number)})
}

// authorizer takes a name, an @ and scopes with commas between for the token of a program; of a
// person it takes a name, a + and a role.
type authorizer struct{}

func (authorizer) Authorize(r *http.Request, need string) (server.Principal, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return server.Principal{}, server.ErrNoToken
	}
	var p server.Principal
	if person, job, ok := strings.Cut(token, "+"); ok {
		p = server.Principal{
			Client: "app", Subject: person, Person: true, Roles: []string{job}, Scopes: role.Scopes(role.Role(job)),
		}
	} else {
		client, scopes, _ := strings.Cut(token, "@")
		set, err := scope.ParseSet(strings.ReplaceAll(scopes, ",", " "))
		if err != nil {
			return server.Principal{}, server.ErrBadToken
		}
		p = server.Principal{Client: client, Subject: client, Scopes: set}
	}
	if !p.Covers(need) {
		return p, server.ErrScope
	}
	return p, nil
}

type trail struct {
	mu     sync.Mutex
	events []string
}

func (t *trail) Audit(_ context.Context, event []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events = append(t.events, string(event))
	return nil
}

func (t *trail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.events) == 0 {
		return ""
	}
	return t.events[len(t.events)-1]
}

type measures struct{}

func (measures) Definitions() []measure.Definition { return nil }
func (measures) Evaluate(context.Context, measure.Question) (measure.Result, error) {
	return measure.Result{}, measure.ErrNoSnapshot
}

type current struct{}

func (current) Current() (server.Snapshot, bool) { return server.Snapshot{ID: "s"}, true }

// intake takes any event in whose identifier has a value, as internal/incident would.
type intake struct {
	mu   sync.Mutex
	seen map[string]string
}

func (i *intake) Accept(_ context.Context, _ string, text []byte) (exchange.Accepted, error) {
	var in struct{ Identifier struct{ Value string } }
	if err := json.Unmarshal(text, &in); err != nil || in.Identifier.Value == "" {
		return exchange.Accepted{}, &incident.ElementError{Element: "AdverseEvent.identifier.value", Reason: "is missing"}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	before, known := i.seen[in.Identifier.Value]
	i.seen[in.Identifier.Value] = string(text)
	key := review.Key{Source: "incidents", ID: phi.New(in.Identifier.Value)}
	return exchange.Accepted{Key: key, Created: !known, Changed: known && before != string(text)}, nil
}

// rig is a server with an Exchange over real services on a real store.
type rig struct {
	*server.Server
	snapshot *snapshot
	trail    *trail
	log      *worldtest.Log
	actions  *action.Register
}

type options struct {
	rule   review.Rule
	change func(*exchange.Config)
}

func newRig(t testing.TB, o options) *rig {
	t.Helper()
	store, err := decisions.Open(t.Context(), decisions.Config{
		Path: filepath.Join(t.TempDir(), "decisions.db"), Now: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	f := &rig{snapshot: &snapshot{events: []facts.Event{
		event("1", "2026-02-01", "severe"), event("2", "2026-03-01", "mild"), event("3", "2026-04-01", "~missing"),
	}}, trail: &trail{}, log: &worldtest.Log{}}
	f.snapshot.events[2].Actuality, f.snapshot.events[2].Recorded = "potential", "no"
	desk, err := review.New(review.Config{
		Records: store, Hold: f.snapshot.hold, TwoPerson: o.rule, DueAfter: 30 * 24 * time.Hour, Now: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	f.actions = action.New(action.Config{
		Records: store, Now: clock, Random: rand.Reader, CheckAim: func(action.Aim) error { return nil },
	})
	assessments, err := readiness.New(readiness.Config{Records: store, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	cfg := exchange.Config{
		Reviews: desk, Hold: f.snapshot.hold, Actions: f.actions, Acts: f.actions, Assessments: assessments,
		Figures: func(context.Context, measure.Period) (readiness.Data, error) {
			return readiness.Data{Snapshot: "s", DataAsOf: clock(), Now: clock()}, nil
		},
		Incidents: &intake{seen: map[string]string{}}, BaseURL: base, Organization: "Example Health", Now: clock,
	}
	if o.change != nil {
		o.change(&cfg)
	}
	made, err := exchange.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	said := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	f.Server, err = server.New(server.Config{
		Measures: measures{}, Snapshots: current{}, Authorizer: authorizer{}, Auditor: f.trail,
		OAuth:   server.OAuth{Token: said, Keys: said, SMART: said},
		BaseURL: base, Now: clock, Resources: made.Resources(),
		Logger: slog.New(slog.NewJSONHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

// Tokens of people by their roles.
const (
	reviewer = "ana+equity-reviewer"
	second   = "ben+equity-reviewer"
	third    = "cy+equity-reviewer"
	analyst  = "dee+quality-analyst"
)

// call sends one request; body may be empty, tag is the If-Match.
func (f *rig) call(method, path, token, body, tag string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/fhir/"+path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/fhir+json")
	}
	if tag != "" {
		r.Header.Set("If-Match", tag)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w
}

// get reads, and demands that it is there.
func (f *rig) get(t testing.TB, path, token string) *httptest.ResponseRecorder {
	t.Helper()
	w := f.call(http.MethodGet, path, token, "", "")
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s = %d: %s", path, w.Code, w.Body)
	}
	if _, err := r4.Unmarshal(w.Body.Bytes()); err != nil {
		t.Fatalf("GET %s is no resource: %s", path, w.Body)
	}
	return w
}

// ids are those of the entries of a search, each of which has its address; total is what it says.
func ids(t testing.TB, w *httptest.ResponseRecorder) (found []string, total int, next string) {
	t.Helper()
	var bundle struct {
		Total *int
		Link  []struct{ Relation, URL string }
		Entry []struct {
			FullURL  string
			Resource struct{ ResourceType, ID string }
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &bundle); err != nil {
		t.Fatal(err)
	}
	for _, entry := range bundle.Entry {
		if entry.FullURL != base+"/"+entry.Resource.ResourceType+"/"+entry.Resource.ID {
			t.Errorf("the address of %s is %s", entry.Resource.ID, entry.FullURL)
		}
		found = append(found, entry.Resource.ID)
	}
	for _, link := range bundle.Link {
		if link.Relation == "next" {
			next = strings.TrimPrefix(link.URL, base+"/")
		}
	}
	total = -1
	if bundle.Total != nil {
		total = *bundle.Total
	}
	return found, total, next
}

// refused is the first expression and text of an OperationOutcome.
func refused(t testing.TB, w *httptest.ResponseRecorder) (expression, text string) {
	t.Helper()
	resource, err := r4.Unmarshal(w.Body.Bytes())
	if err != nil || resource.GetOperationOutcome() == nil {
		t.Fatalf("%d is not an OperationOutcome: %s", w.Code, w.Body)
	}
	issue := resource.GetOperationOutcome().GetIssue()[0]
	if len(issue.GetExpression()) > 0 {
		expression = issue.GetExpression()[0].GetValue()
	}
	return expression, issue.GetDetails().GetText().GetValue()
}

// answered is an AdverseEvent as it was served, with another answer in the place of the one it has.
func answered(t testing.TB, served string, answer string, more ...string) string {
	t.Helper()
	var in map[string]any
	if err := json.Unmarshal([]byte(served), &in); err != nil {
		t.Fatal(err)
	}
	const factor = "http://hl7.org/fhir/5.0/StructureDefinition/extension-AdverseEvent.contributingFactor"
	coded := func(system, code string) map[string]any {
		return map[string]any{"coding": []any{map[string]any{"system": system, "code": code}}}
	}
	item := func(value map[string]any, parts ...any) map[string]any {
		return map[string]any{"url": factor, "extension": append([]any{
			map[string]any{"url": "item", "valueCodeableConcept": value},
		}, parts...)}
	}
	var parts []any
	var all []any
	for _, one := range more {
		kind, value, _ := strings.Cut(one, "=")
		switch kind {
		case "evidence":
			parts = append(parts, map[string]any{
				"url": "https://equitylens.org/fhir/StructureDefinition/evidence", "valueString": value,
			})
		case "else":
			all = append(all, item(map[string]any{"text": value}))
		case "factor":
			all = append(all, item(coded(review.SystemFactor, value)))
		case "detection":
			all = append(all, map[string]any{
				"url":                  "https://equitylens.org/fhir/StructureDefinition/event-detection",
				"valueCodeableConcept": coded(review.SystemDetection, value),
			})
		}
	}
	in["extension"] = append([]any{item(coded(review.SystemAnswer, answer), parts...)}, all...)
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
