package bench_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/auth"
	"github.com/equitylens/equitylens/auth/authtest"
	"github.com/equitylens/equitylens/auth/keys"
	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/internal/live"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/store/cache"
	"github.com/equitylens/equitylens/store/cache/cachetest"
	"github.com/equitylens/equitylens/store/trail"
)

const (
	servePatients = 20_000
	// perSecond requests are sent for as long as span, whether those before have been answered or
	// not: now to one, now to the other, so that what else the machine does meets both alike. A turn
	// is long enough for the trail to be synced in it.
	perSecond = 500
	span      = 6 * time.Second
	turns     = 3
)

// BenchmarkServe asks the real server for reports that are stored or kept, at 500 requests a second,
// and holds the 99th percentile of their times against that of /healthz under the same load. All that
// is in the way of an answer is: the token, and in the sealed store whether it was revoked; the
// limits; the audit trail on disk; the log; router and connection. Times count from when a request
// was due.
func BenchmarkServe(b *testing.B) {
	engine := evaluator(b)
	for name, home := range homes() {
		b.Run(name, func(b *testing.B) { benchmarkServe(b, startServer(b, engine, home(b))) })
	}
}

func benchmarkServe(b *testing.B, s *served) {
	reports := s.reports(b)
	for _, r := range reports {
		s.get(b, r) // The first request of each is what evaluates, and is not what is promised.
	}
	var health, report []time.Duration
	profile := filepath.Join(b.TempDir(), "cpu")
	for b.Loop() {
		for turn := range turns {
			health = append(health, s.load(b, []string{"/healthz"})...)
			if turn+1 < turns {
				report = append(report, s.load(b, reports)...)
				continue
			}
			profiled(b, profile, func() { report = append(report, s.load(b, reports)...) })
		}
	}
	reported, healthy := last(report), last(health)
	if s.trail.Head().N == 0 {
		b.Error("no access is in the audit trail")
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(reported.Microseconds()), "report-p99-µs")
	b.ReportMetric(float64(healthy.Microseconds()), "healthz-p99-µs")
	b.ReportMetric(float64(reported)/float64(healthy), "x-healthz")
	top := exec.CommandContext(b.Context(), "go", "tool", "pprof", "-top", "-cum", "-nodecount", "40",
		"-show", `equitylens|net/http|crypto/|compress/|encoding/json|log/slog|Syscall|gcBgMarkWorker`,
		os.Args[0], profile)
	text, err := top.Output()
	if err != nil {
		b.Fatal(err)
	}
	// The log of a benchmark is cut after a few lines.
	_, _ = fmt.Fprintf(os.Stdout, "\nWhere the time of reports goes, that of sending the load included:\n%s", text)
}

// profiled writes where the time of a call went.
func profiled(b *testing.B, path string, do func()) {
	f, err := os.Create(path) // #nosec G304 -- of this benchmark
	if err != nil {
		b.Fatal(err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		b.Fatal(err)
	}
	do()
	pprof.StopCPUProfile()
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
}

// bytesPath is a yardstick: what the connection alone takes for as many bytes.
const bytesPath = "/bytes"

// served is a running server, and by which headers it knows who asks.
type served struct {
	url    string
	header http.Header
	client *http.Client
	trail  *trail.Trail
	lobby  *lobby
	// plain is what the server sends at bytesPath, without any of its parts being asked.
	plain *atomic.Pointer[[]byte]
	// restart begins the server anew, so that no answer is kept in it. Sessions go on.
	restart func(*testing.B)
}

// evaluator serves what was loaded of a population.
func evaluator(b *testing.B) *live.Engine {
	b.Helper()
	definitions, err := measure.Load(catalog.Files())
	if err != nil {
		b.Fatal(err)
	}
	c := generated(b, population.Config{Patients: patients(b, servePatients)})
	dir, _ := loadWith(b, measure.Precomputation{Definitions: definitions}, c.all)
	engine, err := live.New(b.Context(), live.Config{Dir: dir, Definitions: definitions,
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = engine.Close() })
	return engine
}

// homes are the two homes of a cache, each opened anew.
func homes() map[string]func(b *testing.B) cache.Store {
	return map[string]func(b *testing.B) cache.Store{
		"memory": func(*testing.B) cache.Store { return cache.NewMemory(cache.MemoryConfig{}) },
		"redis":  func(b *testing.B) cache.Store { return cachetest.StartRedis(b).Open(b) },
	}
}

// sealed is a store as the program has it.
func sealed(b *testing.B, home cache.Store) cache.Store {
	b.Helper()
	key, err := cache.NewSealKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	ring, err := cache.NewKeyring(key)
	if err != nil {
		b.Fatal(err)
	}
	store, err := cache.Seal(home, cache.SealConfig{Keys: ring})
	if err != nil {
		b.Fatal(err)
	}
	return store
}

// startServer joins the parts as the program does.
func startServer(b *testing.B, engine *live.Engine, home cache.Store) *served {
	b.Helper()
	var handler atomic.Pointer[server.Server]
	var plain atomic.Pointer[[]byte]
	running := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == bytesPath {
			_, _ = w.Write(*plain.Load())
			return
		}
		handler.Load().ServeHTTP(w, r)
	}))
	b.Cleanup(running.Close)
	ours, err := keys.Open(filepath.Join(b.TempDir(), "keys.json"),
		keys.Config{Algorithms: []jose.SignatureAlgorithm{jose.ES384}})
	if err != nil {
		b.Fatal(err)
	}
	key, err := keys.Generate(jose.ES384)
	if err != nil {
		b.Fatal(err)
	}
	const id = "load"
	scopes := []string{"system/MeasureReport.rs", scope.Unsuppressed}
	store := sealed(b, home)
	oauth, err := auth.New(auth.Config{
		Issuer: running.URL, TokenURL: running.URL + "/oauth/token", Audience: running.URL + "/fhir", Keys: ours,
		Clients: []auth.Client{{ID: id, Scopes: scopes,
			JWKS: &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}}}},
		Store: store, TokenLifetime: time.Hour, AllowPrivateNetworks: true,
	})
	if err != nil {
		b.Fatal(err)
	}
	records, err := trail.Open(trail.Config{Dir: b.TempDir(), Key: []byte("of this benchmark")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = records.Close() })
	s := &served{url: running.URL, trail: records, plain: &plain, header: http.Header{"Accept-Encoding": {"gzip"}},
		client: &http.Client{Transport: &http.Transport{
			MaxIdleConnsPerHost: perSecond, DisableCompression: true}}}
	s.lobby = receive(b, engine, store, records, running.URL)
	s.restart = func(b *testing.B) {
		b.Helper()
		api, err := server.New(server.Config{
			Measures: engine, Snapshots: engine, Reports: engine, Authorizer: server.Bearer(oauth.Validator()),
			OAuth: server.OAuth{Token: oauth.Token(), Keys: oauth.JWKS(),
				SMART: oauth.SMARTConfiguration(server.Scopes()...)},
			Auditor: records, Trail: records, Limits: server.DefaultLimits(), Pages: s.lobby.routes(b),
			BaseURL: running.URL + "/fhir", Logger: slog.New(slog.NewJSONHandler(io.Discard, nil)),
		})
		if err != nil {
			b.Fatal(err)
		}
		handler.Store(api)
	}
	s.restart(b)
	token, err := authtest.Token(b.Context(), s.client, authtest.Assertion{
		ClientID: id, Audience: running.URL + "/oauth/token", Key: key,
	}, strings.Join(scopes, " "))
	if err != nil {
		b.Fatal(err)
	}
	s.header.Set("Authorization", "Bearer "+token)
	return s
}

// reports are a year of every measure by every dimension, as they are stored, and a cross of each,
// which is kept once it has been asked for.
func (s *served) reports(b *testing.B) []string {
	b.Helper()
	definitions, err := measure.Load(catalog.Files())
	if err != nil {
		b.Fatal(err)
	}
	var paths []string
	for _, d := range definitions {
		path := "/fhir/Measure/" + d.ID + "/$evaluate-measure?periodStart=2025-01-01&periodEnd=2025-12-31"
		paths = append(paths, path, path+"&stratifier=race*language_group")
	}
	return paths
}

// get asks once, and is done when the whole answer is here.
func (s *served) get(b *testing.B, path string) {
	answer, err := s.ask(b, path)
	if err != nil {
		b.Error(err)
		return
	}
	var body bytes.Buffer
	_, err = body.ReadFrom(answer.Body)
	_ = answer.Body.Close()
	if err != nil || answer.StatusCode != http.StatusOK {
		b.Error(fmt.Errorf("%s: %s, %w", path, answer.Status, err))
	}
}

// ask asks for a path.
func (s *served) ask(b *testing.B, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, s.url+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header = s.header.Clone()
	return s.client.Do(request)
}

// load asks for paths in turn and returns the times.
func (s *served) load(b *testing.B, paths []string) []time.Duration {
	rate := perSecondOf(b)
	n := rate * int(span/time.Second) / turns
	times := make([]time.Duration, n)
	var asked sync.WaitGroup
	start := time.Now()
	for i := range n {
		due := start.Add(time.Duration(i) * time.Second / time.Duration(rate))
		time.Sleep(time.Until(due))
		asked.Go(func() {
			s.get(b, paths[i%len(paths)])
			times[i] = time.Since(due)
		})
	}
	asked.Wait()
	return times
}

// perSecondOf is how many requests are sent in a second, which EQUITYLENS_BENCH_RATE overrides for a
// machine that does other things too: of one that is worn out all times are those of a queue.
func perSecondOf(b *testing.B) int {
	b.Helper()
	text := os.Getenv("EQUITYLENS_BENCH_RATE")
	if text == "" {
		return perSecond
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("EQUITYLENS_BENCH_RATE: %q is no number of requests", text)
	}
	return n
}

// last is the 99th percentile.
func last(times []time.Duration) time.Duration {
	slices.Sort(times)
	const percentile = 99
	return times[len(times)*percentile/100]
}
