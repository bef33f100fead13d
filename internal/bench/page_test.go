package bench_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/klauspost/compress/gzip"

	"github.com/equitylens/equitylens/auth/grant"
	"github.com/equitylens/equitylens/auth/keys"
	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/auth/session"
	"github.com/equitylens/equitylens/auth/smart"
	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/internal/dashboard"
	"github.com/equitylens/equitylens/internal/live"
	"github.com/equitylens/equitylens/internal/visit"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
	"github.com/equitylens/equitylens/measure/report"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/store/cache"
	"github.com/equitylens/equitylens/store/trail"
)

// shown are the pages that are held against /healthz, as somebody opens them.
var shown = []struct{ name, path string }{
	{"overview", "/"},
	{"measure", "/measures/interpreter-documented?by=language"},
	{"compare", "/compare?measure=interpreter-documented&by=language_group"},
	{"quality", "/quality"},
	{"definitions", "/measures"},
}

// BenchmarkPages asks the real server for pages of the dashboard as somebody who has signed in, at 500
// requests a second, and holds the median and the 99th percentile of their times against those of /healthz
// under the same load. Each page has been asked for once before: it is kept as it was written. kB is what
// it weighs compressed, with the style sheet. A page is some thousand times as long as what /healthz says:
// x-bytes holds its 99th percentile against that of a bare handler that sends as many bytes.
func BenchmarkPages(b *testing.B) {
	engine := evaluator(b)
	for name, home := range homes() {
		b.Run(name, func(b *testing.B) {
			s := startServer(b, engine, home(b))
			s.signIn(b)
			for _, one := range shown {
				b.Run(one.name, func(b *testing.B) { benchmarkPage(b, s, one.path) })
			}
		})
	}
}

func benchmarkPage(b *testing.B, s *served, path string) {
	weight := s.weigh(b, path)
	packed, _ := s.read(b, path)
	s.plain.Store(&packed)
	var health, paged, sent []time.Duration
	for b.Loop() {
		for range turns {
			health = append(health, s.load(b, []string{"/healthz"})...)
			paged = append(paged, s.load(b, []string{path})...)
			sent = append(sent, s.load(b, []string{bytesPath})...)
		}
	}
	b.ReportMetric(0, "ns/op")
	compareTimes(b, paged, health)
	b.ReportMetric(float64(last(paged))/float64(last(sent)), "p99-x-bytes")
	b.ReportMetric(float64(median(paged))/float64(median(sent)), "p50-x-bytes")
	b.ReportMetric(weight, "kB")
}

// compareTimes prints percentiles of two loads, and how many times the second the first is.
func compareTimes(b *testing.B, times, health []time.Duration) {
	b.ReportMetric(float64(last(times).Microseconds()), "page-p99-µs")
	b.ReportMetric(float64(last(health).Microseconds()), "healthz-p99-µs")
	b.ReportMetric(float64(median(times).Microseconds()), "page-p50-µs")
	b.ReportMetric(float64(median(health).Microseconds()), "healthz-p50-µs")
	b.ReportMetric(float64(last(times))/float64(last(health)), "p99-x-healthz")
	b.ReportMetric(float64(median(times))/float64(median(health)), "p50-x-healthz")
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

// BenchmarkFirstPages asks for pages that nobody has asked for since the snapshot was published, each
// once, one after the other, and for /healthz in between: what whoever comes first waits for. The results
// behind them are stored, but for what no nightly run counts, such as crosses; counting, drawing, writing
// and compressing a page are in the time.
func BenchmarkFirstPages(b *testing.B) {
	engine := evaluator(b)
	for _, kind := range []string{"overview", "measure", "compare", "quality", "definitions"} {
		b.Run(kind, func(b *testing.B) {
			s := startServer(b, engine, cache.NewMemory(cache.MemoryConfig{}))
			s.signIn(b)
			var health, paged []time.Duration
			var weights []float64
			for b.Loop() {
				s.restart(b) // Nothing is kept.
				for _, path := range firstPages(b, kind) {
					for range 3 {
						health = append(health, s.timed(b, "/healthz"))
					}
					paged = append(paged, s.timed(b, path))
					weights = append(weights, s.weigh(b, path))
				}
			}
			b.ReportMetric(0, "ns/op")
			compareTimes(b, paged, health)
			b.ReportMetric(slices.Max(weights), "most-kB")
		})
	}
}

func (s *served) timed(b *testing.B, path string) time.Duration {
	start := time.Now()
	s.get(b, path)
	return time.Since(start)
}

// firstPages are the addresses of a page that people come to by what they can choose on it.
func firstPages(b *testing.B, kind string) []string {
	definitions, err := measure.Load(catalog.Files())
	if err != nil {
		b.Fatal(err)
	}
	var paths []string
	add := func(path string, pairs ...string) {
		q := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			q.Set(pairs[i], pairs[i+1])
		}
		paths = append(paths, path+"?"+q.Encode())
	}
	languages := []string{"en", "es"}
	for _, lang := range languages {
		switch kind {
		case "overview":
			for _, period := range []string{"2024", "2025", "2025-Q4"} {
				for _, by := range measure.Dimensions() {
					add("/", "period", period, "by", by, "lang", lang)
				}
			}
		case "measure":
			for _, d := range definitions {
				for _, by := range measure.Dimensions() {
					add("/measures/"+d.ID, "period", "2025", "by", by, "lang", lang)
				}
			}
		case "compare":
			for _, d := range definitions {
				for _, of := range []string{"groups", "sites", "periods"} {
					add("/compare", "measure", d.ID, "kind", of, "lang", lang)
				}
			}
		case "quality":
			add("/quality", "lang", lang)
		case "definitions":
			add("/measures", "lang", lang)
		}
	}
	return paths
}

// styled finds the style sheet of a page.
var styled = regexp.MustCompile(`href="(/assets/[^"]+\.css)"`)

// weigh is how many kilobytes of 1000 a page weighs with its style sheet, compressed as both go out.
func (s *served) weigh(b *testing.B, path string) float64 {
	b.Helper()
	packed, plain := s.read(b, path)
	found := styled.FindSubmatch(plain)
	if found == nil {
		b.Fatalf("%s has no style sheet", path)
	}
	style, _ := s.read(b, string(found[1]))
	return float64(len(packed)+len(style)) / 1000
}

// read asks for a path and returns what came, as it came and unpacked.
func (s *served) read(b *testing.B, path string) (packed, plain []byte) {
	b.Helper()
	answer, err := s.ask(b, path)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	packed, err = io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		b.Fatalf("%s: %s, %v", path, answer.Status, err)
	}
	if answer.Header.Get("Content-Encoding") != "gzip" {
		return packed, packed
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		b.Fatal(err)
	}
	if plain, err = io.ReadAll(z); err != nil {
		b.Fatal(err)
	}
	return packed, plain
}

// lobby is what receives people.
type lobby struct {
	desk     *visit.Desk
	sessions *session.Manager
	pages    *page.Pages
	reports  *report.Builder
	events   audit.Builder
	records  *trail.Trail
	engine   *live.Engine
}

// receive joins what receives people, as the program does.
func receive(b *testing.B, engine *live.Engine, store cache.Store, records *trail.Trail, at string) *lobby {
	b.Helper()
	l := &lobby{engine: engine, records: records, events: audit.Builder{Observer: "EquityLens", Address: at}}
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	ours, err := keys.Open(b.TempDir()+"/client.json", keys.Config{Algorithms: []jose.SignatureAlgorithm{jose.ES384}})
	must(err)
	app, err := smart.New(smart.Config{Store: store, Keys: ours, RedirectURI: at + visit.CallbackPath})
	must(err)
	b.Cleanup(app.Close)
	mapper, err := mapping.New(mapping.Config{})
	must(err)
	charts, err := bedside.New(bedside.Config{Mapper: mapper, Store: store, Now: time.Now})
	must(err)
	b.Cleanup(charts.Close)
	l.sessions, err = session.New(session.Config{Store: store, Insecure: true})
	must(err)
	l.pages, err = page.New(page.Config{})
	must(err)
	l.reports, err = report.New(report.Config{Version: "bench", Now: time.Now})
	must(err)
	l.desk, err = visit.New(visit.Config{
		SMART: app, Sessions: l.sessions, Charts: charts, Pages: l.pages, Audit: l.events, Auditor: records,
		Bars: grant.New(grant.Config{Store: store, Now: time.Now}), API: at + "/fhir",
	})
	must(err)
	return l
}

// routes are those of people, with a dashboard that has kept nothing yet.
func (l *lobby) routes(b *testing.B) []server.Page {
	b.Helper()
	board, err := dashboard.New(dashboard.Config{
		Hold: func(use func(dashboard.Snapshot) error) error {
			return l.engine.Hold(func(v *live.View) error { return use(v) })
		},
		Gate: l.desk, Pages: l.pages, Reports: l.reports, Audit: l.events, Auditor: l.records,
		Software: "bench", Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		b.Fatal(err)
	}
	return append(l.desk.Routes(), board.Routes()...)
}

// signIn begins a session of an analyst, whose cookie goes with every request from now on.
func (s *served) signIn(b *testing.B) {
	b.Helper()
	w := httptest.NewRecorder()
	_, err := s.lobby.sessions.Start(b.Context(), w, session.Session{Person: session.Person{
		Tenant: "bench", Issuer: "https://ehr.example", Subject: "wen", Name: "Wen Adeyemi",
		Roles: []role.Role{role.Analyst}, SignedIn: time.Now(),
	}}, false)
	if err != nil {
		b.Fatal(err)
	}
	var cookies []string
	for _, c := range w.Result().Cookies() {
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	s.header.Del("Authorization")
	s.header.Set("Cookie", strings.Join(cookies, "; "))
	s.header.Set("Accept-Language", "en")
	if _, plain := s.read(b, visit.AccountPath); !bytes.Contains(plain, []byte("Wen Adeyemi")) {
		b.Fatal(fmt.Errorf("nobody has signed in: %s", plain))
	}
}
