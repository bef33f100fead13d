package reviewing_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/auth/session"
	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/internal/reviewing"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/internal/worldtest"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/page/pagetest"
	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/facts"
)

// today is when the tests look at the pages.
var today = time.Date(2026, 3, 10, 9, 30, 0, 0, time.UTC)

func day(text string) time.Time {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return at
}

// record is what a snapshot says of harm events, in memory.
type record struct {
	events []facts.Event
	alike  []facts.Alike
	sites  map[string]string
}

// EventHeads implements review.Events.
func (r *record) EventHeads(ctx context.Context, f facts.EventFilter) ([]facts.EventHead, error) {
	all, err := r.Events(ctx, f)
	heads := make([]facts.EventHead, len(all))
	for i := range all {
		heads[i] = all[i].EventHead
	}
	return heads, err
}

// Events implements review.Events, as far as reviews ask.
func (r *record) Events(_ context.Context, f facts.EventFilter) ([]facts.Event, error) {
	var out []facts.Event
	for _, e := range r.events {
		if f.Keys != nil && !slices.Contains(f.Keys, e.Key()) ||
			!f.From.IsZero() && e.Date.Before(f.From) && !(e.Date.IsZero() && f.Undated) {
			continue
		}
		out = append(out, e)
	}
	return out, nil
}

// Alike implements review.Events.
func (r *record) Alike(context.Context, facts.EventKey) ([]facts.Alike, error) { return r.alike, nil }

// SiteLabels implements review.Events.
func (r *record) SiteLabels() map[string]string { return r.sites }

// canaries are what must be in the trail and nowhere else.
const (
	canaryPatient   = "patient-canary-7781"
	canaryEncounter = "encounter-canary-7782"
	canaryEvent     = "event-canary-7783"
)

// sample are some events: an actual and severe one of a patient who needed an interpreter, a near miss,
// one of nobody who is here, and a handful more.
func sample() *record {
	groups := func(race, language, need string) map[string]string {
		return map[string]string{
			mapping.DimensionRace: race, mapping.DimensionEthnicity: "2186-5",
			mapping.DimensionRaceEthnicity: race, mapping.DimensionLanguage: language,
			mapping.DimensionLanguageGroup: "other", mapping.DimensionInterpreter: need,
			mapping.DimensionSex: "female", mapping.DimensionAgeBand: "65-74", mapping.DimensionSite: "site-a",
		}
	}
	head := func(id, actuality, date, category, severity string) facts.EventHead {
		h := facts.EventHead{
			Source: "ehr", ID: phi.New(id), Actuality: actuality, DateFrom: "AdverseEvent.date", Category: category,
			Severity: severity, Seriousness: "Serious", Outcome: "resolved", Recorded: "~missing", Site: "site-a",
		}
		if date != "" {
			h.Date = day(date)
		} else {
			h.DateFrom = ""
		}
		return h
	}
	all := []facts.Event{
		{
			EventHead: head(canaryEvent, mapping.Actual, "2026-01-22", "medication-mishap", "severe"),
			Patient:   phi.New(canaryPatient), Known: true, Encounter: phi.New(canaryEncounter), Linked: true,
			Class: "IMP", Start: day("2026-01-20"), End: day("2026-01-25"), Need: mapping.Yes,
			NeedFrom: "Patient.communication.extension", Use: mapping.NoneDocumented,
			Groups: groups("2054-5", "vi", mapping.Yes),
			From: map[string]string{
				mapping.DimensionRace: "Patient.extension(us-core-race)", mapping.DimensionLanguage: "Patient.communication",
			},
		},
		{
			EventHead: head("e-2", mapping.Potential, "2026-02-11", "wrong-patient", "mild"), Patient: phi.New("p-2"),
			Known: true, Need: "~unknown", Groups: groups("~asked-declined", "~missing", "~unknown"),
		},
		{EventHead: head("e-3", mapping.Actual, "", "~unmapped", "~missing"), Patient: phi.New("p-3")},
	}
	for i := range 5 {
		e := facts.Event{
			EventHead: head(fmt.Sprintf("e-%d", 4+i), mapping.Actual, fmt.Sprintf("2025-11-0%d", i+1), "wrong-dose", "moderate"),
			Patient:   phi.New(fmt.Sprintf("p-%d", 4+i)), Known: true, Need: mapping.No,
			Groups: groups("2106-3", "en", mapping.No),
		}
		e.Site = "site-b"
		all = append(all, e)
	}
	return &record{
		events: all, sites: map[string]string{"site-a": "Riverside Hospital", "site-b": "Lakeside Clinics"},
		alike: []facts.Alike{
			{Dimension: mapping.DimensionRaceEthnicity, Key: "2054-5", Events: 3, Answered: 2, Yes: 1},
			{Dimension: mapping.DimensionRaceEthnicity, Key: "2106-3", Events: 41, Answered: 12, Yes: 1},
			{Dimension: mapping.DimensionLanguageGroup, Key: "~missing", Events: 12, Answered: 2},
			{Dimension: mapping.DimensionRace, Key: "2106-3", Events: 44, Answered: 14, Yes: 2},
		},
	}
}

// idOf is the id of the review of an event of the sample.
func idOf(event string) string { return review.IDOf(review.Key{Source: "ehr", ID: phi.New(event)}) }

// trail is an audit trail that a test reads, and that breaks down on request.
type trail struct {
	mu     sync.Mutex
	events []string
	broken bool
}

// errTrail is the error of a trail that broke down.
var errTrail = errors.New("the disk of the trail is full")

// Note implements room.Auditor.
func (t *trail) Note(_ context.Context, event []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events = append(t.events, string(event))
	if t.broken {
		return errTrail
	}
	return nil
}

// Audit implements room.Auditor.
func (t *trail) Audit(ctx context.Context, event []byte) error { return t.Note(ctx, event) }

// last is the newest event.
func (t *trail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.events) == 0 {
		return ""
	}
	return t.events[len(t.events)-1]
}

// world is a desk with its events and its store, which several people use.
type world struct {
	*record
	desk    *review.Desk
	records *decisions.Database
	clock   *worldtest.Clock
	trail   *trail
	log     *worldtest.Log
	rule    review.Rule
	perPage int
	empty   bool
}

// hold is the Hold of the world.
func (w *world) hold(use func(review.Events) error) error {
	if w.empty {
		return measure.ErrNoSnapshot
	}
	return use(w.record)
}

func newWorld(t testing.TB, rule review.Rule) *world {
	t.Helper()
	w := &world{
		record: sample(), clock: worldtest.At(today), trail: &trail{}, log: &worldtest.Log{}, rule: rule,
	}
	var err error
	w.records, err = decisions.Open(t.Context(), decisions.Config{
		Path: filepath.Join(t.TempDir(), "decisions.db"), Now: w.clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.records.Close() })
	w.desk, err = review.New(review.Config{
		Records: w.records, Hold: w.hold, TwoPerson: rule, DueAfter: 30 * 24 * time.Hour, Now: w.clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// person is somebody at a browser.
type person struct {
	name  string
	roles []role.Role
}

// Signed implements room.Gate.
func (p person) Signed(w http.ResponseWriter, r *http.Request, show func(session.Session)) {
	if len(p.roles) == 0 {
		http.Redirect(w, r, "/signin", http.StatusSeeOther)
		return
	}
	show(session.Session{ID: "s-" + p.name, Person: session.Person{Subject: p.name, Name: p.name, Roles: p.roles}})
}

// Agent implements room.Gate.
func (person) Agent(_ *http.Request, p session.Person) audit.Agent {
	return audit.Agent{Client: "equitylens", Subject: "subject-" + p.Subject, Issuer: "https://ehr", Name: p.Name}
}

// browser is somebody who looks at the pages of a world.
type browser struct {
	*world
	t       testing.TB
	handler http.Handler
}

// written are the pages, which are made once: they are not changed by being used.
var written = sync.OnceValues(func() (*page.Pages, error) { return page.New(page.Config{}) })

// as is the browser of somebody; without a role it is that of a reviewer. The scopes are taken from what
// their roles may have.
func (w *world) as(t testing.TB, who person, less ...string) *browser {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(w.log, nil))
	pages, err := written()
	if err != nil {
		t.Fatal(err)
	}
	m, err := room.New(room.Config{
		Gate: who, Pages: pages, Audit: audit.Builder{Observer: "test", Now: w.clock.Now}, Auditor: w.trail,
		Now: w.clock.Now, Logger: logger,
		Scopes: func(roles ...role.Role) scope.Set {
			return slices.DeleteFunc(role.Scopes(roles...), func(s scope.Scope) bool {
				return slices.Contains(less, s.String())
			})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := reviewing.New(reviewing.Config{
		Room: m, Desk: w.desk, Hold: w.hold, TwoPerson: w.rule != review.OneReviewer, PerPage: cmp.Or(w.perPage, 25),
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/assets/", pages.Assets())
	mux.Handle("/", routed(p.Routes()))
	return &browser{world: w, t: t, handler: mux}
}

// reviewer is the browser of a reviewer.
func (w *world) reviewer(t testing.TB, name string, less ...string) *browser {
	t.Helper()
	return w.as(t, person{name, []role.Role{role.Reviewer}}, less...)
}

// place is one place of a template of the router.
var place = regexp.MustCompile(`\{(\w+):([^{}]*(?:\{[^}]*\}[^{}]*)*)\}`)

// routed leads to the handlers of routes as the server does.
func routed(routes []server.Page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, one := range routes {
			path := regexp.MustCompile("^" + place.ReplaceAllString(one.Path, "(?P<$1>$2)") + "$")
			found := path.FindStringSubmatch(r.URL.Path)
			if found == nil || one.Method != r.Method {
				continue
			}
			for i, name := range path.SubexpNames() {
				if name != "" {
					r.SetPathValue(name, found[i])
				}
			}
			one.Handler.ServeHTTP(w, r)
			return
		}
		http.NotFound(w, r)
	})
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// get asks for an address.
func (b *browser) get(address string) answer {
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, address, nil))
	return answer{w.Code, w.Header(), w.Body.String()}
}

// open reads a page that has to be there.
func (b *browser) open(address string) *pagetest.Leaf {
	b.t.Helper()
	got := b.get(address)
	if got.status != http.StatusOK {
		b.t.Fatalf("GET %s: status %d: %s\n%s", address, got.status, got.body, b.log)
	}
	return pagetest.LeafOf(b.t, got.body)
}

// post sends a form.
func (b *browser) post(address string, form url.Values) answer {
	r := httptest.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String()}
}

// must sends a form that has to be taken.
func (b *browser) must(id string, form url.Values) {
	b.t.Helper()
	got := b.post("/reviews/"+id, form)
	want := "/reviews/" + id + "?done=" + form.Get("task") + "#content"
	if got.status != http.StatusSeeOther || got.header.Get("Location") != want {
		b.t.Fatalf("the form came back: status %d to %q\n%s\n%s", got.status, got.header.Get("Location"),
			pagetest.LeafOf(b.t, got.body).Said(), b.log)
	}
}

// yes is a form that says so.
func yes(version int) url.Values {
	return url.Values{
		"task": {"answer"}, "version": {fmt.Sprint(version)}, "answer": {"yes"}, "factors": {"language-access"},
		"detection": {"reported"}, "evidence": {"The consent form was in English alone."},
	}
}

// no is a form that says so.
func no(version int) url.Values {
	return url.Values{
		"task": {"answer"}, "version": {fmt.Sprint(version)}, "answer": {"no"}, "detection": {"triggered"},
		"else": {"A pump failed."},
	}
}
