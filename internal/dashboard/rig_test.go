package dashboard_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
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
	"github.com/equitylens/equitylens/internal/dashboard"
	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/internal/live"
	"github.com/equitylens/equitylens/internal/worldtest"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/measure/report"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/store/facts"
	"github.com/equitylens/equitylens/store/ledger"
)

// TestMain gives the tests a folder that is gone with them, for what they share.
func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	folder, err := os.MkdirTemp("", "dashboard")
	if err == nil {
		err = os.Setenv("TMPDIR", folder)
	}
	if err != nil {
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }()
	return m.Run()
}

// world is a data directory that is served. Nobody changes it.
type world struct {
	live *live.Engine
	// asOf is the moment of the data.
	asOf time.Time
}

// hold is the Config.Hold of the world.
func (w *world) hold(use func(dashboard.Snapshot) error) error {
	return w.live.Hold(func(v *live.View) error { return use(v) })
}

// madeUp is a made-up population of 2024 and 2025 with all shipped measures: its second snapshot is
// live, the first is that of a month before. The measures are counted beforehand, as a sync does it.
var madeUp = sync.OnceValues(func() (*world, error) {
	people := population.New(population.Config{
		Patients: 1000, Seed: 5, EncountersPerPatient: 8, AsOf: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	})
	later := people.Next(time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC))
	text, err := population.ConceptMap()
	if err != nil {
		return nil, err
	}
	local, err := mapping.ParseConceptMap("site", bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	mapper, err := mapping.New(mapping.Config{ConceptMaps: []mapping.ConceptMap{local}})
	if err != nil {
		return nil, err
	}
	return newWorld(later.AsOf(), func(ctx context.Context, dir *facts.Dir, list []measure.Definition) error {
		for _, of := range []*population.Population{people, later} {
			files, err := os.MkdirTemp("", "files")
			if err != nil {
				return err
			}
			if err := of.WriteNDJSON(ctx, files, 1, false); err != nil {
				return err
			}
			_, err = ingest.Sync(ctx, ingest.Config{
				Dir: dir, Mapper: mapper, MaxShrink: 1, MaxRefused: 1,
				Results: measure.Precomputation{Definitions: list},
			}, dated{Folder: ingest.Folder{Path: files}, at: of.AsOf()})
			if err != nil {
				return err
			}
		}
		return nil
	})
})

// dated is a folder of files that say of when they are.
type dated struct {
	ingest.Folder
	at time.Time
}

// Fetch implements ingest.Source.
func (d dated) Fetch(
	ctx context.Context, folder string, loaded map[string]facts.Load, progress func(ingest.Progress),
) (ingest.Delivery, error) {
	all, err := d.Folder.Fetch(ctx, folder, loaded, progress)
	for i := range all.Loads {
		all.Loads[i].TransactionTime = d.at
	}
	return all, err
}

// newWorld fills a new data directory and serves it.
func newWorld(
	asOf time.Time, fill func(context.Context, *facts.Dir, []measure.Definition) error,
) (*world, error) {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "data")
	if err != nil {
		return nil, err
	}
	dir, err := facts.Open(folder, worldtest.At(asOf).Now)
	if err != nil {
		return nil, err
	}
	list, err := measure.Load(catalog.Files())
	if err != nil {
		return nil, err
	}
	if err := fill(ctx, dir, list); err != nil {
		return nil, err
	}
	kept, err := ledger.Open(filepath.Join(folder, "releases"))
	if err != nil {
		return nil, err
	}
	desk, err := release.New(release.Config{Ledger: kept, Now: worldtest.At(asOf).Now})
	if err != nil {
		return nil, err
	}
	engine, err := live.New(ctx, live.Config{
		Dir: dir, Definitions: list, Desk: desk, Logger: slog.New(slog.DiscardHandler),
	})
	return &world{live: engine, asOf: asOf}, err
}

// people lets everybody in who has roles; the others are sent to sign in.
type people struct{ roles []role.Role }

// Signed implements dashboard.Gate.
func (p people) Signed(w http.ResponseWriter, r *http.Request, show func(session.Session)) {
	if len(p.roles) == 0 {
		http.Redirect(w, r, "/session/start", http.StatusSeeOther)
		return
	}
	show(session.Session{ID: "s", Person: session.Person{Tenant: "test", Subject: "u", Roles: p.roles}})
}

// Home implements dashboard.Gate.
func (p people) Home(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("home")) }

// Agent implements dashboard.Gate.
func (p people) Agent(*http.Request, session.Person) audit.Agent { return audit.Agent{Name: "u"} }

// notes is an audit trail that a test reads, and that breaks down on request.
type notes struct {
	mu     sync.Mutex
	events []string
	broken error
}

// Note implements dashboard.Auditor.
func (n *notes) Note(_ context.Context, event []byte) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.events = append(n.events, string(event))
	return n.broken
}

// Audit implements dashboard.Auditor.
func (n *notes) Audit(ctx context.Context, event []byte) error { return n.Note(ctx, event) }

// rig is a dashboard of a world, as somebody sees it.
type rig struct {
	*world
	handler http.Handler
	notes   *notes
	log     *worldtest.Log
}

// newRig is a dashboard that shows a world to somebody with the given roles, or to an analyst. Each has
// answers of its own; the world is shared.
func newRig(t testing.TB, of func() (*world, error), roles ...role.Role) *rig {
	t.Helper()
	if len(roles) == 0 {
		roles = []role.Role{role.Analyst}
	}
	return rigOf(t, of, roles...)
}

// rigOf is newRig where nobody may have signed in.
func rigOf(t testing.TB, of func() (*world, error), roles ...role.Role) *rig {
	t.Helper()
	w, err := of()
	if err != nil {
		t.Fatal(err)
	}
	out := &rig{world: w, notes: &notes{}, log: &worldtest.Log{}}
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
	d, err := dashboard.New(dashboard.Config{
		Hold: w.hold, Gate: people{roles}, Pages: pages, Reports: reports,
		Audit: audit.Builder{Observer: "test", Now: now}, Auditor: out.notes,
		Software: "1.2.3", Now: now, Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	out.handler = routed(d.Routes())
	return out
}

// place is one place of a template of the router.
var place = regexp.MustCompile(`\{(\w+):([^{}]*(?:\{[^}]*\}[^{}]*)*)\}`)

// routed leads to the handlers of routes as the server does.
func routed(routes []server.Page) http.Handler {
	type target struct {
		path *regexp.Regexp
		page server.Page
	}
	var all []target
	for _, r := range routes {
		all = append(all, target{
			regexp.MustCompile("^" + place.ReplaceAllString(r.Path, "(?P<$1>$2)") + "$"), r,
		})
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

// get asks for an address, as a browser does. Headers are "Name: value".
func (r *rig) get(address string, headers ...string) answer {
	request := httptest.NewRequest(http.MethodGet, address, nil)
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		request.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, request)
	return answer{w.Code, w.Header(), w.Body.String()}
}

// open reads the page of an address, which has to be there.
func (r *rig) open(t testing.TB, address string, headers ...string) *leaf {
	t.Helper()
	got := r.get(address, headers...)
	if got.status != http.StatusOK {
		t.Fatalf("GET %s: status %d: %s%s", address, got.status, said(tree(t, got.body)), r.log)
	}
	return &leaf{t: t, address: address, body: got.body, root: tree(t, got.body)}
}

// ask evaluates a question as the page does, for a twin.
func (r *rig) ask(t testing.TB, asked measure.Question, audience release.Audience) measure.Result {
	t.Helper()
	var out measure.Result
	err := r.hold(func(s dashboard.Snapshot) (err error) {
		out, err = s.Answer(t.Context(), asked, audience)
		return err
	})
	if err != nil {
		t.Fatal(fmt.Errorf("evaluate %s: %w", asked.Measure, err))
	}
	return out
}

// period reads a period that is right by construction.
func period(t testing.TB, text string) measure.Period {
	t.Helper()
	p, err := measure.ParsePeriod(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
