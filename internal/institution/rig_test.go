package institution_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/auth/session"
	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/internal/institution"
	"github.com/equitylens/equitylens/internal/live"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/internal/worldtest"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/page/pagetest"
	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/facts"
)

// TestMain gives the tests a folder that is gone with them, for what they share.
func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	folder, err := os.MkdirTemp("", "institution")
	if err == nil {
		err = os.Setenv("TMPDIR", folder)
	}
	if err != nil {
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }()
	return m.Run()
}

// today is when the tests look at the pages.
var today = time.Date(2026, 3, 10, 9, 30, 0, 0, time.UTC)

// hospital is a made-up population of 2024 and 2025. It is loaded once; nobody changes it.
var hospital = sync.OnceValues(func() (*live.Engine, error) {
	ctx := context.Background()
	files, err := os.MkdirTemp("", "files")
	if err != nil {
		return nil, err
	}
	who := population.New(population.Config{Patients: 300, Seed: 3, EncountersPerPatient: 4})
	if err := who.WriteNDJSON(ctx, files, 1, false); err != nil {
		return nil, err
	}
	mapper, err := mapping.New(mapping.Config{})
	if err != nil {
		return nil, err
	}
	return served(func(ctx context.Context, dir *facts.Dir) error {
		_, err := ingest.Sync(ctx, ingest.Config{Dir: dir, Mapper: mapper, MaxShrink: 1, MaxRefused: 1},
			ingest.Folder{Path: files})
		return err
	})
})

// shipped are the measures, read once for all tests.
var shipped = sync.OnceValues(func() ([]measure.Definition, error) { return measure.Load(catalog.Files()) })

// served fills a new data directory and serves it.
func served(fill func(context.Context, *facts.Dir) error) (*live.Engine, error) {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "data")
	if err != nil {
		return nil, err
	}
	dir, err := facts.Open(folder, worldtest.At(today).Now)
	if err != nil {
		return nil, err
	}
	if err := fill(ctx, dir); err != nil {
		return nil, err
	}
	list, err := shipped()
	if err != nil {
		return nil, err
	}
	return live.New(ctx, live.Config{Dir: dir, Definitions: list, Logger: slog.New(slog.DiscardHandler)})
}

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

// world is the register of assessments over a snapshot, and perhaps a network.
type world struct {
	register *readiness.Register
	records  *decisions.Database
	clock    *worldtest.Clock
	trail    *trail
	log      *worldtest.Log
	// empty says that no snapshot is live.
	empty bool
	// coordinated and fetched are those of the Config.
	coordinated, fetched institution.Overview
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{clock: worldtest.At(today), trail: &trail{}, log: &worldtest.Log{}}
	var err error
	w.records, err = decisions.Open(t.Context(), decisions.Config{
		Path: filepath.Join(t.TempDir(), "decisions.db"), Now: w.clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.records.Close() })
	if w.register, err = readiness.New(readiness.Config{Records: w.records, Now: w.clock.Now}); err != nil {
		t.Fatal(err)
	}
	return w
}

// figures is what the data of the hospital answer.
func (w *world) figures(ctx context.Context, period measure.Period) (readiness.Data, error) {
	data := readiness.Data{Now: w.clock.Now(), Actions: &readiness.Actions{Begun: 2, Open: 2, Overdue: 1}}
	if w.empty {
		return data, nil
	}
	engine, err := hospital()
	if err != nil {
		return data, err
	}
	return data, engine.Hold(func(v *live.View) error {
		info := v.Facts().Info
		data.Snapshot, data.DataAsOf = info.ID, info.DataAsOf
		for _, d := range v.Definitions() {
			result, err := v.Answer(ctx, measure.Question{Measure: d.ID, Period: period, By: readiness.Dimensions()},
				release.Internal)
			if errors.Is(err, measure.ErrNotImported) {
				continue
			}
			if err != nil {
				return err
			}
			data.Results = append(data.Results, result)
		}
		return nil
	})
}

// asOf is the moment of the data.
func (w *world) asOf() time.Time {
	if w.empty {
		return time.Time{}
	}
	return time.Date(2025, 12, 20, 0, 0, 0, 0, time.UTC)
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

// as is the browser of somebody.
func (w *world) as(t testing.TB, who person) *browser {
	t.Helper()
	pages, err := written()
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(w.log, nil))
	m, err := room.New(room.Config{
		Gate: who, Pages: pages, Audit: audit.Builder{Observer: "test", Now: w.clock.Now}, Auditor: w.trail,
		Network: w.coordinated != nil || w.fetched != nil, Now: w.clock.Now, Logger: logger, Faults: institution.Faults(),
	})
	if err != nil {
		t.Fatal(err)
	}
	list, err := shipped()
	if err != nil {
		t.Fatal(err)
	}
	p, err := institution.New(institution.Config{
		Room: m, Register: w.register, Figures: w.figures, AsOf: w.asOf, Definitions: list,
		Coordinated: w.coordinated, Fetched: w.fetched, Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/assets/", pages.Assets())
	mux.Handle("/", routed(p.Routes()))
	return &browser{world: w, t: t, handler: mux}
}

// analyst is the browser of somebody who keeps the assessment.
func (w *world) analyst(t testing.TB, name string) *browser {
	t.Helper()
	return w.as(t, person{name, []role.Role{role.Analyst}})
}

// place is one place of a template of the router.
var place = regexp.MustCompile(`\{(\w+):([^{}]*(?:\{[^}]*\}[^{}]*)*)\}`)

// routed leads to the handlers of routes as the server does: the first that fits answers.
func routed(routes []server.Page) http.Handler {
	type target struct {
		path *regexp.Regexp
		page server.Page
	}
	var all []target
	for _, r := range routes {
		all = append(all, target{regexp.MustCompile("^" + place.ReplaceAllString(r.Path, "(?P<$1>$2)") + "$"), r})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, one := range all {
			found := one.path.FindStringSubmatch(r.URL.Path)
			if found == nil || one.page.Method != r.Method {
				continue
			}
			for i, name := range one.path.SubexpNames() {
				if name != "" {
					r.SetPathValue(name, found[i])
				}
			}
			one.page.Handler.ServeHTTP(w, r)
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
		b.t.Fatalf("GET %s: status %d: %s\n%s", address, got.status, pagetest.LeafOf(b.t, got.body).Said(), b.log)
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

// must sends a form that has to be taken, and opens where it leads.
func (b *browser) must(address string, form url.Values) *pagetest.Leaf {
	b.t.Helper()
	got := b.post(address, form)
	if got.status != http.StatusSeeOther {
		b.t.Fatalf("POST %s: status %d\n%s\n%s", address, got.status, pagetest.LeafOf(b.t, got.body).Said(), b.log)
	}
	to, _, _ := strings.Cut(got.header.Get("Location"), "#")
	return b.open(to)
}

// shippedQuestions is the questionnaire, read once for all tests.
var shippedQuestions = sync.OnceValues(readiness.Shipped)

// answering is a form that answers all items of a domain alike; level is a code.
func answering(t testing.TB, version int, domain, level string, more ...string) url.Values {
	t.Helper()
	q, err := shippedQuestions()
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"task": {"answer"}, "version": {fmt.Sprint(version)}, "domain": {domain}}
	for _, d := range q.Domains {
		for _, i := range d.Items {
			if d.ID == domain && !i.FromData() {
				form.Set("level-"+i.ID, level)
			}
		}
	}
	for i := 0; i+1 < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form
}

// all answers every domain, and returns the version that comes of it.
func (b *browser) all(address, level string) (version int) {
	b.t.Helper()
	q, err := shippedQuestions()
	if err != nil {
		b.t.Fatal(err)
	}
	for _, d := range q.Domains {
		b.must(address, answering(b.t, version, d.ID, level))
		version++
	}
	return version
}
