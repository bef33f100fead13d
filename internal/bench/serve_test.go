package bench_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"

	"github.com/equitylens/equitylens/auth"
	"github.com/equitylens/equitylens/auth/keys"
	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/internal/live"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/store/cache"
)

const (
	servePatients = 20_000
	// perSecond requests are sent for as long as span, whether those before have been answered or not.
	perSecond = 500
	span      = 6 * time.Second
)

// BenchmarkServe asks the real server, token, router, marshalling and compression included, for
// reports that are stored or kept, at 500 requests a second, and holds the 99th percentile of their
// times against that of /healthz under the same load. Times count from when a request was due.
func BenchmarkServe(b *testing.B) {
	s := startServer(b)
	reports := s.reports(b)
	for _, r := range reports {
		s.get(b, r) // The first request of each is what evaluates, and is not what is promised.
	}
	var reported, healthy time.Duration
	profile := filepath.Join(b.TempDir(), "cpu")
	for b.Loop() {
		health := s.load(b, []string{"/healthz"})
		f, err := os.Create(profile) // #nosec G304 -- of this benchmark
		if err != nil {
			b.Fatal(err)
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			b.Fatal(err)
		}
		report := s.load(b, reports)
		pprof.StopCPUProfile()
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
		if ratio := float64(report) / float64(health); reported == 0 || ratio < float64(reported)/float64(healthy) {
			reported, healthy = report, health
		}
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

// served is a running server and a token for it.
type served struct {
	url, token string
	client     *http.Client
}

func startServer(b *testing.B) *served {
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
	handler := http.NewServeMux()
	running := httptest.NewServer(handler)
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
	oauth, err := auth.New(auth.Config{
		Issuer: running.URL, TokenURL: running.URL + "/oauth/token", Audience: running.URL + "/fhir", Keys: ours,
		Clients: []auth.Client{{ID: id, Scopes: scopes,
			JWKS: &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}}}},
		Store: cache.NewMemory(cache.MemoryConfig{}), TokenLifetime: time.Hour, AllowPrivateNetworks: true,
	})
	if err != nil {
		b.Fatal(err)
	}
	api, err := server.New(server.Config{
		Measures: engine, Snapshots: engine, Reports: engine, Authorizer: server.Bearer(oauth.Validator()),
		OAuth: server.OAuth{Token: oauth.Token(), Keys: oauth.JWKS(),
			SMART: oauth.SMARTConfiguration(server.Scopes()...)},
		BaseURL: running.URL + "/fhir", Logger: slog.New(slog.NewJSONHandler(io.Discard, nil)),
	})
	if err != nil {
		b.Fatal(err)
	}
	handler.Handle("/", api)
	s := &served{url: running.URL, client: &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: perSecond, DisableCompression: true}}}
	s.token = s.authorise(b, id, key, scopes)
	return s
}

// authorise asks for a token as SMART Backend Services does.
func (s *served) authorise(b *testing.B, id string, key jose.JSONWebKey, scopes []string) string {
	b.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES384, Key: key},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		b.Fatal(err)
	}
	assertion, err := jwt.Signed(signer).Claims(map[string]any{"iss": id, "sub": id, "aud": s.url + "/oauth/token",
		"exp": time.Now().Add(time.Minute).Unix(), "jti": uuid.NewString()}).Serialize()
	if err != nil {
		b.Fatal(err)
	}
	answer, err := s.client.PostForm(s.url+"/oauth/token", url.Values{
		"grant_type": {"client_credentials"}, "scope": {strings.Join(scopes, " ")}, "client_assertion": {assertion},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&token); err != nil || token.AccessToken == "" {
		b.Fatalf("no token: %s, %v", answer.Status, err)
	}
	return token.AccessToken
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
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, s.url+path, http.NoBody)
	if err != nil {
		b.Error(err)
		return
	}
	request.Header.Set("Authorization", "Bearer "+s.token)
	request.Header.Set("Accept-Encoding", "gzip")
	answer, err := s.client.Do(request)
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

// load asks for paths in turn and returns the 99th percentile of the times.
func (s *served) load(b *testing.B, paths []string) time.Duration {
	const n = int(perSecond * span / time.Second)
	times := make([]time.Duration, n)
	var asked sync.WaitGroup
	start := time.Now()
	for i := range n {
		due := start.Add(time.Duration(i) * time.Second / perSecond)
		time.Sleep(time.Until(due))
		asked.Go(func() {
			s.get(b, paths[i%len(paths)])
			times[i] = time.Since(due)
		})
	}
	asked.Wait()
	slices.Sort(times)
	const percentile = 99
	return times[n*percentile/100]
}
