package dashboard_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html/atom"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/auth/session"
	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/internal/dashboard"
	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/internal/worldtest"
	"github.com/equitylens/equitylens/measure/report"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/server/page"
)

// night is a sync that a test moves on.
type night struct {
	mu      sync.Mutex
	status  ingest.Status
	fault   error
	started int
	told    chan ingest.Status
	life    context.Context
}

func newNight(life context.Context) *night {
	return &night{told: make(chan ingest.Status), life: life}
}

// Start implements dashboard.Syncer.
func (n *night) Start(context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fault == nil {
		n.started++
		n.status = ingest.Status{Running: true, Started: time.Date(2026, 2, 1, 3, 0, 0, 0, time.UTC)}
	}
	return n.fault
}

// Current implements dashboard.Syncer.
func (n *night) Current(context.Context) ingest.Status {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.status.Clone()
}

// Watch implements dashboard.Syncer.
func (n *night) Watch(ctx context.Context) <-chan ingest.Status {
	out := make(chan ingest.Status)
	go func() {
		defer close(out)
		for {
			select {
			case s := <-n.told:
				select {
				case out <- s:
				case <-ctx.Done():
					return
				}
			case <-ctx.Done():
				return
			case <-n.life.Done():
				return
			}
		}
	}()
	return out
}

func (n *night) set(s ingest.Status) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.status = s
}

// ward is a dashboard with a sync and its runs.
type ward struct {
	*rig
	night *night
	runs  []ingest.RunRecord
	// roles are what the person has; changing them is what an administrator does.
	people *changing
	config dashboard.Config
}

// changing is a gate whose person may lose what they had.
type changing struct {
	mu sync.Mutex
	people
}

// Signed implements dashboard.Gate.
func (c *changing) Signed(w http.ResponseWriter, r *http.Request, show func(session.Session)) {
	c.mu.Lock()
	now := c.people
	c.mu.Unlock()
	now.Signed(w, r, show)
}

func (c *changing) is(roles ...role.Role) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.roles = roles
}

// refusedLines is what a run of the tests refused.
var refusedLines = ingest.Quarantined{
	Lines: 3, Reasons: []ingest.RefusedFor{{Reason: fhir.NotJSON, Count: 2},
		{Reason: fhir.BadID, Element: "Patient.id", Count: 1}},
	First: []ingest.Place{{File: "Patient.000.ndjson", Line: 41, Offset: 90233, Length: 9, Reason: fhir.NotJSON}},
}

func openWard(t testing.TB, of func() (*world, error), change func(*dashboard.Config), roles ...role.Role) *ward {
	t.Helper()
	w, err := of()
	if err != nil {
		t.Fatal(err)
	}
	life, end := context.WithCancel(context.WithoutCancel(t.Context()))
	t.Cleanup(end)
	started := time.Date(2026, 2, 1, 2, 0, 0, 0, time.UTC)
	out := &ward{rig: &rig{world: w, notes: &notes{}, log: &worldtest.Log{}}, night: newNight(life),
		people: &changing{people: people{roles}}}
	out.runs = []ingest.RunRecord{
		{ID: "b", Source: "lab", Started: started.Add(time.Hour), Ended: started.Add(time.Hour + 75*time.Second),
			Outcome: ingest.Refused, Failure: "too many lines were refused", Report: ingest.Report{
				Types: map[string]ingest.TypeReport{"Patient": {Read: 1234, Refused: 3}}}},
		{ID: "a", Source: "ehr", Started: started, Ended: started.Add(2*time.Hour + 5*time.Minute),
			Outcome: ingest.Published, Report: ingest.Report{Snapshot: "20260201"}},
	}
	logger := slog.New(slog.NewTextHandler(out.log, nil))
	pages, err := page.New(page.Config{Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	now := worldtest.At(w.asOf.Add(time.Hour)).Now
	reports, err := report.New(report.Config{Version: "1.2.3", Now: now})
	if err != nil {
		t.Fatal(err)
	}
	out.config = dashboard.Config{
		Hold: w.hold, Gate: out.people, Pages: pages, Reports: reports,
		Audit: audit.Builder{Observer: "test", Now: now}, Auditor: out.notes, Software: "1.2.3", Now: now,
		Logger: logger, Syncer: out.night,
		Runs: func(limit int) ([]ingest.RunRecord, error) { return out.runs[:min(limit, len(out.runs))], nil },
		Quarantine: func(id string) (ingest.Quarantined, error) {
			if id == "b" {
				return refusedLines, nil
			}
			return ingest.Quarantined{}, ingest.ErrNoQuarantine
		},
	}
	if change != nil {
		change(&out.config)
	}
	d, err := dashboard.New(out.config)
	if err != nil {
		t.Fatal(err)
	}
	out.handler = routed(d.Routes())
	return out
}

// post sends the button.
func (w *ward) post(address string) answer {
	out := httptest.NewRecorder()
	w.handler.ServeHTTP(out, httptest.NewRequest(http.MethodPost, address, nil))
	return answer{out.Code, out.Header(), out.Body.String()}
}

func TestRunsAreToldWithWhatTheyRefused(t *testing.T) {
	t.Parallel()
	w := openWard(t, oddPeople, nil, role.Engineer)
	leaf := w.open(t, "/quality?run=b")
	leaf.sound()
	leaf.resolves(w.rig)
	list := rows(leaf.part("runs"))
	for i, want := range [][]string{
		{"February 1, 2026, 3:00 AM UTC", "1 min 15 s", "lab", "refused: not fit to be published too many lines were refused", ""},
		{"February 1, 2026, 2:00 AM UTC", "2 h 5 min", "ehr", "published: new data are live", "20260201"},
	} {
		if strings.Join(list[i], "|") != strings.Join(want, "|") {
			t.Errorf("run %d is %q, want %q", i, list[i], want)
		}
	}
	one := said(leaf.part("one"))
	for _, says := range []string{
		"3 lines could not be read", "no JSON 2", "an id that is none of FHIR Patient.id 1",
		"Patient.000.ndjson 41 90,233 no JSON", "1,234", "too many lines were refused",
	} {
		if !strings.Contains(one, says) {
			t.Errorf("the run in detail lacks %q: %s", says, one)
		}
	}
	if other := said(w.open(t, "/quality?run=a").part("one")); !strings.Contains(other, "no longer kept") {
		t.Errorf("of lines that are gone it says: %s", other)
	}
	if got := w.get("/quality?run=c"); got.status != http.StatusBadRequest {
		t.Errorf("a run that is not remembered: status %d", got.status)
	}
}

// TestNoPageOfTheSyncIsStale asks again after each thing that can change.
func TestNoPageOfTheSyncIsStale(t *testing.T) {
	t.Parallel()
	w := openWard(t, oddPeople, nil, role.Engineer)
	says := func(want string) {
		t.Helper()
		if text := w.open(t, "/quality").text(); !strings.Contains(text, want) {
			t.Errorf("the page lacks %q: %s", want, text)
		}
	}
	says("No sync has run")
	w.night.set(ingest.Status{Running: true, Source: "ehr", Progress: &ingest.Progress{
		Phase: "fetch", Step: ingest.Waiting, Files: 3, Total: 10, Lines: 4321}})
	says("Step 1 of 5: getting the data, waiting for the export (ehr). ")
	says("File 3 of 10 · 4,321 lines read")
	leaf := w.open(t, "/quality")
	meter := all(leaf.part("run"), atom.Progress)[0]
	if attribute(meter, "value") != "30" || attribute(meter, "max") != "500" || has(meter, "hidden") {
		t.Errorf("the bar is %v", meter.Attr)
	}
	w.night.set(ingest.Status{
		Started: w.asOf, Ended: w.asOf, Failure: "another server is syncing",
		Sources: []ingest.Share{{Source: "lab", Outcome: ingest.Failed, Failure: "status 502"}},
	})
	says("did not go well")
	says("another server is syncing")
	says("status 502")
	w.runs = append([]ingest.RunRecord{{ID: "z", Source: "new", Started: w.asOf, Ended: w.asOf,
		Outcome: ingest.Unchanged}}, w.runs...)
	says("nothing had changed")
}

func TestTheButton(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		roles  []role.Role
		fault  error
		status int
		leads  string
		starts int
	}{
		{"an engineer starts a sync", []role.Role{role.Engineer}, nil, http.StatusSeeOther, "/quality?lang=es#run", 1},
		{"one that is under way is left alone", []role.Role{role.Engineer}, server.ErrRunning, http.StatusSeeOther,
			"/quality?lang=es&start=running#run", 0},
		{"one that does not begin says where to look, and not why", []role.Role{role.Engineer}, errors.New("the program is not serving"),
			http.StatusServiceUnavailable, "", 0},
		{"an analyst may not", []role.Role{role.Analyst}, nil, http.StatusForbidden, "", 0},
		{"nobody is sent to sign in", nil, nil, http.StatusSeeOther, "/session/start", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := openWard(t, oddPeople, nil, test.roles...)
			w.night.fault = test.fault
			got := w.post("/quality/sync?lang=es")
			if got.status != test.status || got.header.Get("Location") != test.leads || w.night.started != test.starts {
				t.Errorf("status %d to %q, %d started", got.status, got.header.Get("Location"), w.night.started)
			}
			noted := len(w.notes.events) == 1 && strings.Contains(w.notes.events[0], "sync started")
			if want := len(test.roles) > 0; noted != want { // Refusals are there too.
				t.Errorf("the trail holds %q", w.notes.events)
			}
			broken := test.status == http.StatusServiceUnavailable
			if broken && (strings.Contains(got.body, test.fault.Error()) || !strings.Contains(got.body, "the log says why")) {
				t.Errorf("why it does not begin is for the log: %s", got.body)
			}
			if got := w.get("/quality/sync"); got.status == http.StatusOK {
				t.Errorf("a GET is answered with %d", got.status)
			}
		})
	}
	w := openWard(t, oddPeople, nil, role.Analyst)
	leaf := w.open(t, "/quality?start=running")
	if len(all(leaf.part("run"), atom.Button)) > 0 || !strings.Contains(leaf.text(), "was not started") {
		t.Errorf("an analyst is shown: %s", said(leaf.part("run")))
	}
	broken := openWard(t, oddPeople, nil, role.Engineer)
	broken.notes.broken = errors.New("no disk")
	if got := broken.post("/quality/sync"); got.status != http.StatusInternalServerError {
		t.Errorf("without a trail: status %d", got.status)
	}
}
