package dashboard_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/auth/session"
	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/internal/dashboard"
	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/internal/worldtest"
	"github.com/equitylens/equitylens/measure/report"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/server/page"
)

// attacked is newRig with a configuration that a test has changed.
func attacked(
	t testing.TB, of func() (*world, error), change func(*dashboard.Config), roles ...role.Role,
) *rig {
	t.Helper()
	w, err := of()
	if err != nil {
		t.Fatal(err)
	}
	if len(roles) == 0 {
		roles = []role.Role{role.Analyst}
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
	cfg := dashboard.Config{
		Hold: w.hold, Gate: people{roles}, Pages: pages, Reports: reports,
		Audit: audit.Builder{Observer: "test", Now: now}, Auditor: out.notes,
		Software: "1.2.3", Now: now, Logger: logger,
	}
	change(&cfg)
	d, err := dashboard.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	out.handler = routed(d.Routes())
	return out
}

// syncing is a sync that tells what it was given, and then ends, or goes on without a word.
type syncing struct {
	told    []ingest.Status
	goesOn  bool
	started atomic.Int64
	fails   error
}

// Start implements dashboard.Syncer.
func (s *syncing) Start(context.Context) error {
	s.started.Add(1)
	return s.fails
}

// Current implements dashboard.Syncer.
func (s *syncing) Current(context.Context) ingest.Status {
	if len(s.told) == 0 {
		return ingest.Status{}
	}
	return s.told[len(s.told)-1]
}

// Watch implements dashboard.Syncer.
func (s *syncing) Watch(ctx context.Context) <-chan ingest.Status {
	out := make(chan ingest.Status, len(s.told))
	for _, one := range s.told {
		out <- one
	}
	if s.goesOn {
		context.AfterFunc(ctx, func() { close(out) })
	} else {
		close(out)
	}
	return out
}

// send is get by another method.
func (r *rig) send(method, address string) answer {
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, httptest.NewRequest(method, address, http.NoBody))
	return answer{w.Code, w.Header(), w.Body.String()}
}

// doors are the routes of the dashboard, one address of each.
func doors() []string {
	return []string{
		"GET /", "GET /files/overview.csv?period=2025", "GET /measures", "GET /measures/files/figures.csv",
		"GET /measures/ed-stay-over-8h?period=2025", "GET /measures/ed-stay-over-8h/files/groups.svg?period=2025",
		"GET /compare?period=2025", "GET /compare/files/pair.csv?period=2025&measure=ed-stay-over-8h",
		"GET /quality", "GET /quality/files/completeness.csv", "GET /quality/events", "POST /quality/sync",
	}
}

// TestWhatEachRoleIsAnswered is the table of who gets what from every route, and of what the trail then
// holds: one event for each, refused or not.
func TestWhatEachRoleIsAnswered(t *testing.T) {
	t.Parallel()
	const (
		ok, gone, no, none = http.StatusOK, http.StatusSeeOther, http.StatusForbidden, http.StatusNotFound
	)
	figures := []int{ok, ok, ok, none, ok, ok, ok, ok, ok, ok, ok, no}
	nothing := []int{ok, no, no, no, no, no, no, no, no, no, no, no}
	for _, c := range []struct {
		name  string
		roles []role.Role
		want  []int
	}{
		{"nobody", nil, []int{gone, gone, gone, gone, gone, gone, gone, gone, gone, gone, gone, gone}},
		{"an analyst", []role.Role{role.Analyst}, figures},
		{"a reviewer", []role.Role{role.Reviewer}, figures},
		{"a clinician", []role.Role{role.Clinician}, nothing},
		{"an administrator", []role.Role{role.Administrator}, nothing},
		{"an engineer", []role.Role{role.Engineer}, []int{gone, no, no, no, no, no, no, no, ok, ok, ok, gone}},
		{"an engineer who is an analyst", []role.Role{role.Engineer, role.Analyst},
			[]int{ok, ok, ok, none, ok, ok, ok, ok, ok, ok, ok, gone}},
		{"a role that there is not", []role.Role{"root"}, nothing},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := attacked(t, firstTwin, func(cfg *dashboard.Config) {
				cfg.Gate, cfg.Syncer = people{c.roles}, &syncing{}
			})
			for i, door := range doors() {
				method, address, _ := strings.Cut(door, " ")
				r.notes.events = nil
				got := r.send(method, address)
				if got.status != c.want[i] {
					t.Errorf("%s: status %d, want %d", door, got.status, c.want[i])
				}
				home := got.body == "home" || got.status == gone && i == 0 // Or sent on from there.
				if want := c.roles != nil && !home; want != (len(r.notes.events) == 1) || len(r.notes.events) > 1 {
					t.Errorf("%s: %d events in the trail", door, len(r.notes.events))
				}
				for _, text := range r.notes.events {
					trailed(t, door, text, got.status)
				}
			}
		})
	}
}

// trailed checks that an event of the trail says how a request ended.
func trailed(t *testing.T, door, text string, status int) {
	t.Helper()
	m, err := r4.Unmarshal([]byte(text))
	if err != nil {
		t.Errorf("%s: the event is no FHIR: %v", door, err)
		return
	}
	outcome := m.GetAuditEvent().GetOutcome().GetValue().String()
	if good := status < http.StatusBadRequest; good != (outcome == "SUCCESS") {
		t.Errorf("%s: status %d is in the trail as %s", door, status, outcome)
	}
}

// TestNothingIsServedWithoutATrail breaks the trail down: no page, file or stream comes without it.
func TestNothingIsServedWithoutATrail(t *testing.T) {
	t.Parallel()
	s := &syncing{told: []ingest.Status{{Running: true, Source: "the source"}}}
	r := attacked(t, firstTwin, func(c *dashboard.Config) { c.Syncer = s }, role.Analyst, role.Engineer)
	for _, door := range append(doors(), "GET /nothing-of=it", "GET /compare?by=x") {
		method, address, _ := strings.Cut(door, " ")
		if address == "/nothing-of=it" {
			continue
		}
		r.notes.broken = nil
		before := r.send(method, address) // It is kept now.
		r.notes.broken = errors.New("the disk is full")
		got := r.send(method, address)
		if got.status != http.StatusInternalServerError || strings.Contains(got.body, "the disk is full") {
			t.Errorf("%s: status %d without a trail, %d with one", door, got.status, before.status)
		}
		if strings.Contains(got.body, "<svg") || strings.Contains(got.body, "the source") {
			t.Errorf("%s: it shows something", door)
		}
	}
}

// departing is a Gate whose sessions end after they were asked for once.
type departing struct {
	people
	asked atomic.Int64
}

// Signed implements dashboard.Gate.
func (d *departing) Signed(w http.ResponseWriter, r *http.Request, show func(session.Session)) {
	if d.asked.Add(1) > 1 {
		http.Redirect(w, r, "/session/start", http.StatusSeeOther)
		return
	}
	d.people.Signed(w, r, show)
}

// TestAStreamEndsWithItsSession ends the session behind an open stream.
func TestAStreamEndsWithItsSession(t *testing.T) {
	t.Parallel()
	gate := &departing{people: people{[]role.Role{role.Engineer}}}
	r := attacked(t, firstTwin, func(c *dashboard.Config) {
		c.Gate, c.Heartbeat, c.WatchFor = gate, time.Millisecond, time.Hour
		c.Syncer = &syncing{told: []ingest.Status{{Running: true, Source: "ehr"}}, goesOn: true}
	})
	got := r.get("/quality/events") // It returns, or the test does not end.
	if gate.asked.Load() < 2 || strings.Count(got.body, "event: status") > 1 {
		t.Errorf("the session was asked for %d times, and heard %q", gate.asked.Load(), got.body)
	}
	if got = r.get("/quality"); got.status != http.StatusSeeOther {
		t.Errorf("status %d after the session", got.status)
	}
}

// TestTooManyStreamsAreRefused opens as many as one session may, and one more.
func TestTooManyStreamsAreRefused(t *testing.T) {
	t.Parallel()
	r := attacked(t, firstTwin, func(c *dashboard.Config) {
		c.WatchFor = time.Hour
		c.Syncer = &syncing{told: []ingest.Status{{Running: true}}, goesOn: true}
	}, role.Engineer)
	ctx, end := context.WithCancel(t.Context())
	begun, done := make(chan struct{}, 16), sync.WaitGroup{}
	const most = 4
	for range most {
		done.Go(func() {
			request := httptest.NewRequestWithContext(ctx, http.MethodGet, "/quality/events", http.NoBody)
			r.handler.ServeHTTP(&telling{ResponseRecorder: httptest.NewRecorder(), begun: begun}, request)
		})
		<-begun
	}
	if got := r.get("/quality/events"); got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") == "" {
		t.Errorf("status %d for one stream too many", got.status)
	}
	end()
	done.Wait()
	if n := len(r.notes.events); n != most+1 {
		t.Errorf("%d events in the trail, want %d", n, most+1)
	}
}

// telling tells when an answer begins.
type telling struct {
	*httptest.ResponseRecorder
	begun chan<- struct{}
}

// WriteHeader implements http.ResponseWriter.
func (w *telling) WriteHeader(status int) {
	w.ResponseRecorder.WriteHeader(status)
	w.begun <- struct{}{}
}

// TestASyncThatDoesNotBeginTellsNothingFromInside presses the button where it does not work.
func TestASyncThatDoesNotBeginTellsNothingFromInside(t *testing.T) {
	t.Parallel()
	s := &syncing{fails: errors.New("open /var/lib/secret: dial 10.0.0.7: refused <script>")}
	r := attacked(t, firstTwin, func(c *dashboard.Config) { c.Syncer = s }, role.Engineer)
	got := r.send(http.MethodPost, "/quality/sync?lang=es%0d%0aX:1&next=//evil.example")
	if got.status != http.StatusServiceUnavailable || strings.Contains(got.body, "<script>") ||
		strings.Contains(got.body, "10.0.0.7") || strings.Contains(got.body, "/var/lib") {
		t.Errorf("status %d: %s", got.status, said(tree(t, got.body)))
	}
	if !strings.Contains(r.log.String(), "10.0.0.7") {
		t.Error("the log does not say why")
	}
	s.fails = server.ErrRunning
	got = r.send(http.MethodPost, "/quality/sync?lang=es%0d%0aX:1&next=//evil.example")
	to, err := url.Parse(got.header.Get("Location"))
	if err != nil || to.Host != "" || to.Path != "/quality" || strings.ContainsAny(got.header.Get("Location"), "\r\n") {
		t.Errorf("it leads to %q", got.header.Get("Location"))
	}
}

// TestWhereABrowserComesFromChangesNothing asks for one page under many names of the host, and in many
// ways: what is kept for others must depend on none of them.
func TestWhereABrowserComesFromChangesNothing(t *testing.T) {
	t.Parallel()
	const address = "/measures/ed-stay-over-8h?by=language&period=2025"
	r := newRig(t, firstTwin)
	want := newRig(t, firstTwin).get(address)
	for _, header := range []string{
		"X-Forwarded-Host: evil.example", "X-Forwarded-Proto: javascript", "Forwarded: host=evil.example",
		"X-Original-URL: /quality", "X-Rewrite-URL: /quality", "Origin: https://evil.example",
		"Referer: https://evil.example/", "Range: bytes=0-9", "If-None-Match: *", "Accept: application/json",
		"Cookie: audience=internal", "X-HTTP-Method-Override: POST", "Accept-Language: xx, *;q=0.1",
		"If-Modified-Since: Tue, 01 Jan 2030 00:00:00 GMT", "Accept-Encoding: identity;q=0, gzip;q=0",
	} {
		got := r.get(address, header)
		if got.status != http.StatusOK || got.header.Get("Content-Encoding") == "" && got.body != want.body {
			t.Errorf("%s: status %d, and another page", header, got.status)
		}
		if strings.Contains(got.body, "evil.example") {
			t.Errorf("%s: it is in the page", header)
		}
	}
	request := httptest.NewRequest(http.MethodGet, address, http.NoBody)
	request.Host = "evil.example"
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, request)
	if w.Body.String() != want.body {
		t.Error("the host is in the page")
	}
	if got := want.header.Get("Cache-Control"); !strings.Contains(got, "no-store") {
		t.Errorf("Cache-Control is %q: others may keep the page", got)
	}
}

// TestRoutesBelongToSessions reads the table of routes: nothing is public, and one route changes something.
func TestRoutesBelongToSessions(t *testing.T) {
	t.Parallel()
	w, err := firstTwin()
	if err != nil {
		t.Fatal(err)
	}
	pages, err := page.New(page.Config{})
	if err != nil {
		t.Fatal(err)
	}
	reports, err := report.New(report.Config{Version: "1", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	d, err := dashboard.New(dashboard.Config{
		Hold: w.hold, Gate: people{}, Pages: pages, Reports: reports, Auditor: &notes{},
	})
	if err != nil {
		t.Fatal(err)
	}
	var changing []string
	for _, r := range d.Routes() {
		if r.Public != "" || r.Session == "" {
			t.Errorf("%s %s is public", r.Method, r.Path)
		}
		if r.Method != http.MethodGet {
			changing = append(changing, r.Method+" "+r.Path)
		}
	}
	if !slices.Equal(changing, []string{"POST /quality/sync"}) {
		t.Errorf("these change something: %q", changing)
	}
}

// TestNoPageOfADashboardNamesAnybody looks for the names, numbers and ids of the made-up population in
// pages, files, the stream and the log.
func TestNoPageOfADashboardNamesAnybody(t *testing.T) {
	t.Parallel()
	s := &syncing{told: []ingest.Status{{Running: true, Source: "demo"}}}
	r := attacked(t, madeUp, func(c *dashboard.Config) { c.Syncer = s }, role.Analyst, role.Engineer)
	bytes := 0
	look := func(what, text string) {
		bytes += len(text)
		for _, name := range population.Canaries() {
			if at := strings.Index(text, name); at >= 0 {
				t.Errorf("%s holds %q: …%q…", what, name, text[max(0, at-60):min(len(text), at+60)])
			}
		}
	}
	files := map[string]bool{}
	for _, address := range []string{
		"/", "/quality", "/measures", "/measures/harm-per-1000-days?period=2025&by=language",
		"/measures/readmission-30-day?period=2025&by=race_ethnicity&with=site", "/compare?period=2025",
		"/measures/length-of-stay?period=2025&view=print&lang=es", "/?audience=public&period=2025",
	} {
		l := r.open(t, address)
		look(address, l.body)
		for _, file := range l.filesOf() {
			if path, _, _ := strings.Cut(file, "?"); !files[path] && ending(file) != "png" {
				files[path] = true
				look(file, reads(t, file, r.get(file)))
			}
		}
	}
	for _, name := range population.Canaries()[:min(20, len(population.Canaries()))] {
		for _, path := range []string{"/measures/x", "/compare", "/quality/files/x.csv"} {
			got := r.get(path + "?where.practitioner=" + url.QueryEscape(name))
			look(path, strings.ReplaceAll(got.body, url.QueryEscape(name), ""))
		}
	}
	look("the stream", r.get("/quality/events").body)
	look("the log", r.log.String())
	t.Logf("%d bytes, %d files", bytes, len(files))
}

// FuzzAddress asks for whatever there may be in an address.
func FuzzAddress(f *testing.F) {
	paths := []string{
		"/", "/measures", "/measures/ed-stay-over-8h", "/measures/vendor", "/compare", "/quality",
		"/measures/length-of-stay/files/figures.csv", "/compare/files/pair.svg", "/quality/files/unmapped.json",
		"/files/overview.csv", "/measures/nothing",
	}
	all := "by=language&group=zh&reference=es&with=site&policy=spd15_2024&where.site=S1&where.site=S2&lang=es"
	many := strings.Repeat("where.site=S1&", 10000)
	for i, q := range []string{
		"", all, "period=1700-01-01/2300-12-31", "period=0001", "period=9999", "period=2025-13", "period=2030",
		"period=2025-01-01/2024-01-01", "span=%201999%20", "span=0001-01-01/9999-12-31", "by=race*sex*site*language",
		"by=language&with=race*sex*site", "by=" + strings.Repeat("race*", 500), many, "a=%zz", "%zz=1", "a;b=1", "&&&=",
		"period=%00", "group=%ff%fe", "where.=1", "where.practitioner=a/b", "where.site=~missing", "where.age_band=x",
		"audience=internal&audience=public", "AUDIENCE=internal", "audience=regulator", "audience=public",
		"audience=public&by=language&with=site&where.language=zh", "lang=" + strings.Repeat("x", 9000), "lang=../../x",
		"kind=periods&a=2024&b=2025", "kind=periods&a=1700-01-01/2300-12-31&b=0001", "kind=sites&a=S1&b=S1", "kind=periods&a=2025-02&b=2025-02",
		"measure=ed-stay-over-8h:main", "measure=:", "measure=length-of-stay&rate=x", "reference=overall&by=site",
		"policy=ncqa_separate&by=race_ethnicity", "policy=alone_or_in_combination&by=race", "view=print&view=print",
		"run=../../etc/passwd", "source=x&site=y", "field=race&run=1&start=running", "of=race&by=sex&group=female",
		"kind=periods&by=race&policy=alone_or_in_combination", "kind=sites&policy=spd15_2024", "by=site&with=site",
	} {
		for p := range paths {
			if (i+p)%3 == 0 || p == 2 || p == 4 {
				f.Add(uint8(p), q) // #nosec G115 -- eleven
			}
		}
	}
	r := newRig(f, planted)
	f.Fuzz(func(t *testing.T, path uint8, query string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, paths[int(path)%len(paths)], http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.URL.RawQuery = query
		w := httptest.NewRecorder()
		r.handler.ServeHTTP(w, request)
		switch w.Code {
		case http.StatusOK, http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound:
		default:
			t.Errorf("%s?%.300q: status %d: %s", request.URL.Path, query, w.Code, r.log)
		}
		const most = 2 << 20
		if n := w.Body.Len(); n > most {
			t.Errorf("%s?%.300q: %d bytes", request.URL.Path, query, n)
		}
	})
}
