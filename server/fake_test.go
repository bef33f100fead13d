package server_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/internal/worldtest"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/report/reporttest"
	"github.com/equitylens/equitylens/server"
)

// question is what the fake was asked last.
type question struct {
	ID         string
	Period     string
	Dimensions []string
}

// whole is all of the last question.
func (f *fakeMeasures) whole() measure.Question {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.question
}

// times is how often it was asked.
func (f *fakeMeasures) times() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count
}

// fakeMeasures answers with the results of reporttest, or with what answer says.
type fakeMeasures struct {
	answer func(ctx context.Context, id string) (measure.Result, error)

	mu       sync.Mutex
	last     question
	question measure.Question
	count    int
}

func (f *fakeMeasures) Definitions() []measure.Definition { return definitions() }

// definitions are made once, because a benchmark asks for them again and again.
var definitions = sync.OnceValue(func() []measure.Definition {
	var all []measure.Definition
	for _, result := range reporttest.Results() {
		all = append(all, measure.Definition{
			ID: result.Measure, Version: result.Version, Title: result.Title, Unit: measure.EncounterUnit,
			Scoring: result.Groups[0].Scoring, Improvement: result.Groups[0].Improvement,
			Populations: expressions(result.Groups[0].Scoring),
		})
	}
	return all
})

// expressions are those of a measure of the scoring.
func expressions(scoring measure.Scoring) map[measure.Population]string {
	if scoring == measure.ContinuousVariable {
		return map[measure.Population]string{
			measure.InitialPopulation: "status = 'finished'", measure.MeasurePopulation: "true",
		}
	}
	return map[measure.Population]string{
		measure.InitialPopulation: "status = 'finished'", measure.Denominator: "true",
		measure.Numerator: "disposition = 'lwbs'",
	}
}

func (f *fakeMeasures) Evaluate(
	ctx context.Context, asked measure.Question,
) (measure.Result, error) {
	id, period, dimensions := asked.Measure, asked.Period, asked.By
	f.mu.Lock()
	f.last = question{ID: id, Period: period.String(), Dimensions: dimensions}
	f.question, f.count = asked, f.count+1
	f.mu.Unlock()
	if f.answer != nil {
		return f.answer(ctx, id)
	}
	for _, d := range dimensions {
		for _, part := range strings.Split(d, "*") {
			if !slices.Contains(measure.Dimensions(), part) {
				return measure.Result{}, fmt.Errorf("dimension %q: %w", part, measure.ErrUnknownDimension)
			}
		}
	}
	for _, result := range reporttest.Results() {
		if result.Measure == id {
			return result, nil
		}
	}
	return measure.Result{}, measure.ErrUnknownMeasure
}

func (f *fakeMeasures) asked() question {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

type fakeSnapshots struct {
	snapshot server.Snapshot
	absent   bool
}

func (f fakeSnapshots) Current() (server.Snapshot, bool) { return f.snapshot, !f.absent }

// fakeAuthorizer takes a list of scopes, with commas between, for a token. Before it and an @ may
// stand whose it is: a program, or a program, a plus and a person.
type fakeAuthorizer struct{}

func (fakeAuthorizer) Authorize(r *http.Request, need string) (server.Principal, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return server.Principal{}, server.ErrNoToken
	}
	client := "quality-department"
	if name, rest, ok := strings.Cut(token, "@"); ok {
		client, token = name, rest
	}
	scopes, err := scope.ParseSet(strings.ReplaceAll(token, ",", " "))
	if err != nil || !strings.Contains(token, "/") {
		return server.Principal{}, server.ErrBadToken
	}
	p := server.Principal{Client: client, Subject: client, Token: "token-1", Scopes: scopes}
	if program, person, ok := strings.Cut(client, "+"); ok {
		p.Client, p.Subject, p.Person, p.Roles = program, person, true, []string{"quality-analyst"}
	}
	if !p.Covers(need) {
		return p, server.ErrScope
	}
	return p, nil
}

// fakeReleases hides nothing, but says for whom the figures are; a question about some people only,
// or about a cross, is not public.
type fakeReleases struct{ measures *fakeMeasures }

func (f fakeReleases) Release(
	ctx context.Context, asked measure.Question, audience string,
) (measure.Result, error) {
	cross := slices.ContainsFunc(asked.By, func(d string) bool { return strings.Contains(d, "*") })
	if audience == "public" && (asked.People != nil || asked.Where != nil || cross) {
		return measure.Result{}, fmt.Errorf("release: %w", server.ErrNotPublic)
	}
	result, err := f.measures.Evaluate(ctx, asked)
	result.Audience = audience
	return result, err
}

// fakePeople are the patients p1 to p4, and the group g of the first two.
type fakePeople struct{}

func (fakePeople) Patient(_ context.Context, id phi.ID) (bool, error) {
	return slices.Contains([]string{"p1", "p2", "p3", "p4"}, id.Reveal()), nil
}

func (fakePeople) Group(_ context.Context, id string) ([]phi.ID, error) {
	switch id {
	case "g":
		return []phi.ID{phi.New("p1"), phi.New("p2")}, nil
	case "empty":
		return nil, nil
	case "merged":
		return []phi.ID{phi.New("p4"), phi.New("p2"), phi.New("p3")}, nil
	}
	return nil, fmt.Errorf("group: %w", server.ErrUnknownGroup)
}

// fakeReports are the years 2017 and 2018 of two measures, and for the inside the months of 2018 of
// one of them too.
type fakeReports struct{}

func (fakeReports) Stored(_ context.Context, audience string) ([]server.Stored, error) {
	year := func(id string, year int) server.Stored {
		start := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		return server.Stored{
			Measure: id, Period: measure.Period{Start: start, End: start.AddDate(1, 0, -1)},
			Date: time.Date(2019, 1, 2, 3, 4, 5, 0, time.UTC), Complete: id != "reporting-ratio",
		}
	}
	all := []server.Stored{
		year("length-of-stay", 2017), year("length-of-stay", 2018), year("reporting-ratio", 2018),
	}
	for month := time.January; month <= time.December && audience == "internal"; month++ {
		one := year("length-of-stay", 2018)
		one.Period.Start = time.Date(2018, month, 1, 0, 0, 0, 0, time.UTC)
		one.Period.End = one.Period.Start.AddDate(0, 1, -1)
		all = append(all, one)
	}
	return all, nil
}

// fakeJobs is a store that several servers can share. It does not forget; what it was told of the
// life of a value is noted.
type fakeJobs struct {
	mu     sync.Mutex
	values map[string][]byte
	lives  map[string]time.Duration
	broken error
}

func newFakeJobs() *fakeJobs {
	return &fakeJobs{values: map[string][]byte{}, lives: map[string]time.Duration{}}
}

func (f *fakeJobs) Load(_ context.Context, key string) ([]byte, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	value, ok := f.values[key]
	return slices.Clone(value), ok, f.broken
}

func (f *fakeJobs) Set(_ context.Context, key string, value []byte, life time.Duration) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.values[key], f.lives[key] = slices.Clone(value), life
	return f.broken
}

func (f *fakeJobs) SetIfAbsent(
	ctx context.Context, key string, value []byte, life time.Duration,
) (bool, error) {
	f.mu.Lock()
	_, ok := f.values[key]
	f.mu.Unlock()
	if ok {
		return false, f.broken
	}
	return true, f.Set(ctx, key, value, life)
}

func (f *fakeJobs) Delete(_ context.Context, key string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.values, key)
	return f.broken
}

// keys lists what is kept, in order.
func (f *fakeJobs) keys() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.values))
}

// Members are two encounters of p1, of which one is in the numerator, and one of p2, in every
// measure. Of p4, whose record was merged into p1's, they are those of p1.
func (f *fakeMeasures) Members(
	_ context.Context, asked measure.Question, yield func(measure.Member) error,
) error {
	f.mu.Lock()
	f.question, f.count = asked, f.count+1
	f.mu.Unlock()
	unit := func(patient, id string, in ...measure.Population) measure.Member {
		return measure.Member{
			Patient: phi.New(patient), Unit: phi.New(id), UnitType: "Encounter", Day: asked.Period.Start,
			Rates: []measure.MemberRate{{ID: "main", In: in}},
		}
	}
	for _, m := range []measure.Member{
		unit("p1", "e1", measure.InitialPopulation, measure.Denominator, measure.Numerator),
		unit("p1", "e2", measure.InitialPopulation, measure.Denominator),
		unit("p2", "e3", measure.InitialPopulation, measure.Denominator),
	} {
		merged := m.Patient == phi.New("p1") && slices.Contains(asked.People, phi.New("p4"))
		if asked.People != nil && !slices.Contains(asked.People, m.Patient) && !merged {
			continue
		}
		if err := yield(m); err != nil {
			return err
		}
	}
	return nil
}

// fakeImporter keeps what is imported, or fails.
type fakeImporter struct {
	mu     sync.Mutex
	taken  []measure.Import
	broken error
}

func (f *fakeImporter) Import(_ context.Context, imports []measure.Import) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken == nil {
		f.taken = append(f.taken, imports...)
	}
	return f.broken
}

// fakeTrail keeps what is audited, or fails.
type fakeTrail struct {
	mu     sync.Mutex
	events []string
	broken error
}

func (f *fakeTrail) Audit(_ context.Context, event []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = append(f.events, string(event))
	return f.broken
}

func (f *fakeTrail) all() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.events)
}

// named are those that say how many patients were named or counted.
func (f *fakeTrail) named() []string {
	return slices.DeleteFunc(f.all(), func(event string) bool {
		return !strings.Contains(event, `"type":"patients"`)
	})
}

func said(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, text)
	})
}

// fixture is a server over fakes, and everything that it emits.
type fixture struct {
	*server.Server
	measures *fakeMeasures
	trail    *fakeTrail
	jobs     *fakeJobs
	importer *fakeImporter
	ender    *fakeEnder
	log      *worldtest.Log
}

func now() time.Time { return time.Date(2019, 1, 3, 0, 0, 0, 0, time.UTC) }

func newFixture(t testing.TB, change ...func(*server.Config)) *fixture {
	t.Helper()
	f := &fixture{
		measures: &fakeMeasures{}, trail: &fakeTrail{}, jobs: newFakeJobs(), importer: &fakeImporter{},
		log: &worldtest.Log{}, ender: &fakeEnder{},
	}
	cfg := server.Config{
		Measures: f.measures,
		Snapshots: fakeSnapshots{snapshot: server.Snapshot{
			ID: "20190102T030405Z-1f2e", DataAsOf: time.Date(2019, 1, 2, 3, 4, 5, 0, time.UTC),
		}},
		Authorizer: fakeAuthorizer{},
		Releases:   fakeReleases{f.measures},
		Patients:   fakePeople{},
		Groups:     fakePeople{},
		Auditor:    f.trail,
		Reports:    fakeReports{},
		Jobs:       f.jobs,
		Members:    f.measures,
		Importer:   f.importer,
		Trail:      fakeReader{},
		Syncer:     &fakeSyncer{},
		Ender:      f.ender,
		OAuth: server.OAuth{
			Token: said("token"), Keys: said("keys"), SMART: said("smart"), Authorize: said("authorize"),
			PAR: said("par"), Introspect: said("introspect"), Revoke: said("revoke"),
			Metadata: said("metadata"), OpenID: said("openid"),
		},
		CDS: server.CDS{Discovery: said("services"), Service: said("cards"), Feedback: said("thanks")},
		Pages: []server.Page{
			{Method: http.MethodGet, Path: "/", Public: "it says who we are", Handler: said("home")},
			{Method: http.MethodGet, Path: "/launch", Public: "an EHR sends people here",
				Handler: said("launched")},
			{Method: http.MethodGet, Path: "/chart/{handle}", Session: "the chart must be open in it",
				Handler: http.HandlerFunc(chart)},
			{Method: http.MethodPost, Path: "/signout", Session: "it ends", Handler: said("signed out")},
		},
		BaseURL:      "https://quality.example.org/fhir",
		Organization: "Example Health",
		Version:      "0.1.0",
		Registry:     prometheus.NewRegistry(),
		Logger:       slog.New(slog.NewJSONHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:          now,
		RequestID:    func() string { return "00000000-0000-4000-8000-000000000001" },
	}
	for _, c := range change {
		c(&cfg)
	}
	s, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	f.Server = s
	return f
}

const (
	measureScope = "system/Measure.rs"
	trailScope   = "system/AuditEvent.rs"
	// reportScope alone is answered with the public release.
	reportScope   = "system/MeasureReport.rs"
	internalScope = reportScope + ",equitylens/unsuppressed"
	patientsScope = internalScope + ",equitylens/patients"
)

// call sends one request straight to the handler. A header is "Name: value".
func (f *fixture) call(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w
}

// get asks with a token for scope; "" is no token.
func (f *fixture) get(target, scope string) *httptest.ResponseRecorder {
	if scope == "" {
		return f.call(http.MethodGet, target, "")
	}
	return f.call(http.MethodGet, target, "", "Authorization: Bearer "+scope)
}
