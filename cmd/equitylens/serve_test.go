package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/auth/authtest"
	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/internal/worldtest"
	"github.com/equitylens/equitylens/measure/report/reporttest"
)

// serving is a running `equitylens serve`.
type serving struct {
	t      *testing.T
	url    string
	client *http.Client
	log    *worldtest.Log
	stop   context.CancelFunc
	ended  chan int
}

// serve starts the program and waits until it says where it listens.
func serve(t *testing.T, config string, client *http.Client) *serving {
	t.Helper()
	p, _, log := newProgram()
	ctx, stop := context.WithCancel(t.Context())
	s := &serving{t: t, client: client, log: log, stop: stop, ended: make(chan int, 1)}
	go func() {
		s.ended <- p.run(ctx, []string{"serve", "--config", config, "--listen",
			"127.0.0.1:0"})
	}()
	t.Cleanup(func() { stop() })
	await(t, func() bool {
		select {
		case code := <-s.ended:
			t.Fatalf("serve ended with %d: %s", code, log)
		default:
		}
		for line := range strings.Lines(log.String()) {
			var said struct{ Msg, URL string }
			if json.Unmarshal([]byte(line), &said) == nil && said.Msg == "listening" {
				s.url = said.URL
			}
		}
		return s.url != ""
	})
	return s
}

// end stops the program as a signal does.
func (s *serving) end() {
	s.t.Helper()
	s.stop()
	if code := <-s.ended; code != exitOK {
		s.t.Errorf("serve ended with %d: %s", code, s.log)
	}
}

// await waits for something that is bound to happen; the test's own deadline bounds it.
func await(t *testing.T, happened func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !happened() {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("it never happened")
		}
	}
}

// do sends a request and returns status and body.
func (s *serving) do(method, path, token, body string) (int, string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path,
		strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/fhir+json")
	}
	answer, err := s.client.Do(request)
	if err != nil {
		s.t.Errorf("%s %s: %v", method, path, err)
		return 0, ""
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Errorf("%s %s: %v", method, path, err)
	}
	return answer.StatusCode, string(text)
}

// token asks for one by private_key_jwt.
func (s *serving) token(id string, key jose.JSONWebKey, scope string) string {
	s.t.Helper()
	token, err := authtest.Token(s.t.Context(), s.client, authtest.Assertion{
		ClientID: id, Audience: s.url + "/oauth/token", Key: key,
	}, scope)
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

const evaluatePath = "/fhir/Measure/language-recorded/$evaluate-measure?periodStart=2025&periodEnd=2025&stratifier=race"

// clients registers one client with all scopes and one that may only read definitions.
func (s *site) clients(t *testing.T) (full, narrow jose.JSONWebKey) {
	t.Helper()
	full, fullFile := s.register(t, "full")
	narrow, narrowFile := s.register(t, "narrow")
	// Some tests ask as fast as they can, which is faster than a client may.
	s.add(t, fmt.Sprintf(`server:
  rate_limits: {per_client: 0}
  clients:
    - {id: full, jwks_file: %s, scopes: [system/Measure.rs, system/MeasureReport.rs, system/Library.rs,
       equitylens/unsuppressed, equitylens/patients, equitylens/import]}
    - {id: narrow, jwks_file: %s, scopes: [system/Measure.rs]}
`, fullFile, narrowFile))
	return full, narrow
}

// TestServeAnswersByScope asks the running program over HTTP for what may and what may not be had.
func TestServeAnswersByScope(t *testing.T) {
	t.Parallel()
	site := openSite(t, population.New(population.Config{Patients: 150, Seed: 2}), nil)
	fullKey, narrowKey := site.clients(t)
	must(t, "sync", "--config", site.config)
	s := serve(t, site.config, http.DefaultClient)
	full := s.token("full", fullKey, "system/Measure.rs system/MeasureReport.rs equitylens/unsuppressed")
	narrow := s.token("narrow", narrowKey, "system/Measure.rs")
	parameters := `{"resourceType":"Parameters","parameter":[{"name":"periodStart","valueDate":"2025-01-01"},
		{"name":"periodEnd","valueDate":"2025-12-31"}]}`
	cases := []struct {
		name, method, path, token, body string
		want                            int
	}{
		{"health needs no token", "GET", "/healthz", "", "", 200},
		{"readiness needs no token", "GET", "/readyz", "", "", 200},
		{"metadata needs no token", "GET", "/fhir/metadata", "", "", 200},
		{"SMART discovery needs no token", "GET", "/fhir/.well-known/smart-configuration", "", "", 200},
		{"our keys need no token", "GET", "/.well-known/jwks.json", "", "", 200},
		{"no token", "GET", evaluatePath, "", "", 401},
		{"a token of nobody", "GET", evaluatePath, "frob", "", 401},
		{"a token with too little scope", "GET", evaluatePath, narrow, "", 403},
		{"a definition within its scope", "GET", "/fhir/Measure/language-recorded", narrow, "", 200},
		{"the list of measures", "GET", "/fhir/Measure", full, "", 200},
		{"a report", "GET", evaluatePath, full, "", 200},
		{"a report by POST", "POST", "/fhir/Measure/length-of-stay/$evaluate-measure", full, parameters,
			200},
		{"no such measure", "GET", "/fhir/Measure/frob/$evaluate-measure?periodStart=2025&periodEnd=2025",
			full, "", 404},
		{"no such path", "GET", "/fhir/Frob", full, "", 404},
		{"no such dimension", "GET", evaluatePath + "&stratifier=zodiac", full, "", 400},
		{"a period that is none", "GET",
			"/fhir/Measure/language-recorded/$evaluate-measure?periodStart=x&periodEnd=y", full, "", 400},
	}
	for _, c := range cases {
		status, body := s.do(c.method, c.path, c.token, c.body)
		if status != c.want {
			t.Errorf("%s: %s %s = %d, want %d\n%s", c.name, c.method, c.path, status, c.want, body)
		}
		if !strings.HasPrefix(c.path, "/fhir/") || strings.Contains(c.path, ".well-known") {
			continue
		}
		resource, err := r4.Unmarshal([]byte(body))
		switch {
		case err != nil:
			t.Errorf("%s: the answer is not valid FHIR: %v\n%s", c.name, err, body)
		case c.want >= 400 && resource.GetOperationOutcome() == nil:
			t.Errorf("%s: the error is no OperationOutcome:\n%s", c.name, body)
		case c.want == 200 && strings.Contains(c.path, "$evaluate-measure"):
			if err := reporttest.Check(resource.GetMeasureReport()); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	}
	s.end()
}

// TestServeWithoutASnapshot says that there are no data, which is not a result of zero, until there
// are.
func TestServeWithoutASnapshot(t *testing.T) {
	t.Parallel()
	site := openSite(t, population.New(population.Config{Patients: 40, Seed: 2}), nil)
	key, _ := site.clients(t)
	s := serve(t, site.config, http.DefaultClient)
	token := s.token("full", key, "system/MeasureReport.rs system/Measure.rs equitylens/unsuppressed")
	if status, body := s.do("GET", "/readyz", "", ""); status != 503 ||
		!strings.Contains(body, "no-data") {
		t.Errorf("readyz = %d %s", status, body)
	}
	if status, body := s.do("GET", evaluatePath, token, ""); status != 503 ||
		!strings.Contains(body, "not a result of zero") {
		t.Errorf("evaluate = %d %s", status, body)
	}
	must(t, "sync", "--config", site.config)
	await(t, func() bool { status, _ := s.do("GET", "/readyz", "", ""); return status == 200 })
	if status, body := s.do("GET", evaluatePath, token, ""); status != 200 {
		t.Errorf("evaluate = %d %s", status, body)
	}
	s.end()
}

// TestNightlySyncDropsNoRequest lets the program sync by its own schedule while many ask. Each new
// snapshot is taken up, and no request fails.
func TestNightlySyncDropsNoRequest(t *testing.T) {
	t.Parallel()
	first := time.Date(2025, 6, 2, 0, 0, 0, 0, time.UTC)
	who := population.New(population.Config{Patients: 80, Seed: 2, AsOf: first})
	site := openSite(t, who, nil)
	site.add(t, "sync: {schedule: \"@every 1s\"}\n")
	key, _ := site.clients(t)
	s := serve(t, site.config, http.DefaultClient)
	token := s.token("full", key, "system/MeasureReport.rs system/Measure.rs equitylens/unsuppressed")
	await(t, func() bool { status, _ := s.do("GET", "/readyz", "", ""); return status == 200 })

	asking, stop := context.WithCancel(t.Context())
	var askers sync.WaitGroup
	var answers atomic.Int64
	for range 3 {
		askers.Go(func() {
			for asking.Err() == nil {
				if status, body := s.do("GET", evaluatePath, token, ""); status != 200 {
					t.Errorf("during a sync, evaluate = %d %s", status, body)
					return
				}
				answers.Add(1)
			}
		})
	}
	served := map[string]bool{}
	for days := 1; len(served) < 3; days++ {
		_, body := s.do("GET", "/readyz", "", "")
		var ready struct {
			Snapshot string `json:"snapshot"`
		}
		parse(t, body, &ready)
		if !served[ready.Snapshot] {
			served[ready.Snapshot] = true
			site.ehr.SetPopulation(who.Next(first.AddDate(0, 0, 5*len(served))))
			continue
		}
		await(t, func() bool {
			_, again := s.do("GET", "/readyz", "", "")
			var now struct {
				Snapshot string `json:"snapshot"`
			}
			parse(t, again, &now)
			return !served[now.Snapshot]
		})
	}
	stop()
	askers.Wait()
	if answers.Load() == 0 {
		t.Error("nobody was answered")
	}
	s.end()
	if !strings.Contains(s.log.String(), `"msg":"synced"`) {
		t.Error("the log does not tell of the sync")
	}
}

// TestServeTLS serves by a certificate and a key from files.
func TestServeTLS(t *testing.T) {
	t.Parallel()
	site := openSite(t, population.New(population.Config{Patients: 40, Seed: 2}), nil)
	key, path := site.register(t, "c")
	certFile, keyFile, roots := certificate(t, site.folder)
	site.add(t, fmt.Sprintf(`server:
  tls: {cert_file: %s, key_file: %s}
  clients: [{id: c, jwks_file: %s, scopes: [system/Measure.rs]}]
`, certFile, keyFile, path))
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots,
		MinVersion: tls.VersionTLS12}}}
	defer client.CloseIdleConnections()
	s := serve(t, site.config, client)
	if !strings.HasPrefix(s.url, "https://") {
		t.Fatalf("it serves at %s", s.url)
	}
	if status, _ := s.do("GET", "/healthz", "", ""); status != 200 {
		t.Errorf("healthz = %d", status)
	}
	token := s.token("c", key, "system/Measure.rs")
	if status, body := s.do("GET", "/fhir/Measure", token, ""); status != 200 {
		t.Errorf("Measure = %d %s", status, body)
	}
	s.end()
}

// certificate makes a key and a certificate for loopback.
func certificate(t *testing.T, folder string) (certFile, keyFile string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour),
		NotAfter:    time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	var cert bytes.Buffer
	for name, block := range map[string]*pem.Block{
		"tls.crt": {Type: "CERTIFICATE", Bytes: der}, "tls.key": {Type: "PRIVATE KEY", Bytes: private},
	} {
		text := pem.EncodeToMemory(block)
		if name == "tls.crt" {
			cert.Write(text)
		}
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(cert.Bytes())
	return filepath.Join(folder, "tls.crt"), filepath.Join(folder, "tls.key"), roots
}
