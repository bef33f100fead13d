package server_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/report/reporttest"
	"github.com/equitylens/equitylens/server"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// held makes the evaluation wait until it is released or its request is given up.
func held(f *fixture) (entered <-chan struct{}, release chan<- struct{}) {
	in, out := make(chan struct{}), make(chan struct{})
	f.measures.answer = func(ctx context.Context, _ string) (measure.Result, error) {
		close(in)
		select {
		case <-out:
			return reporttest.Results()[0], nil
		case <-ctx.Done():
			return measure.Result{}, ctx.Err()
		}
	}
	return in, out
}

func ask(ctx context.Context, client *http.Client, url string) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer "+reportScope)
	answer, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

// TestRunLetsRequestsEnd is row 31 of the faults: a request in flight when the signal comes is
// answered, and nothing is left behind.
func TestRunLetsRequestsEnd(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	f := newFixture(t)
	entered, release := held(f)
	l := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- f.Run(ctx, server.RunConfig{Listener: l}) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	type answer struct {
		status int
		err    error
	}
	answered := make(chan answer, 1)
	go func() {
		status, err := ask(t.Context(), client,
			"http://"+l.Addr().String()+evaluateED+"?periodStart=2018&periodEnd=2018")
		answered <- answer{status, err}
	}()
	<-entered
	cancel()
	select {
	case err := <-ran:
		t.Fatalf("Run ended before the request: %v", err)
	default:
	}
	close(release)
	if got := <-answered; got.err != nil || got.status != http.StatusOK {
		t.Errorf("the request in flight = %d, %v", got.status, got.err)
	}
	if err := <-ran; err != nil {
		t.Errorf("Run = %v", err)
	}
	if w := f.get("/readyz", ""); w.Code != http.StatusServiceUnavailable {
		t.Errorf("/readyz after the end = %d", w.Code)
	}
	if status, err := ask(t.Context(), client, "http://"+l.Addr().String()+"/healthz"); err == nil {
		t.Errorf("a request after the end = %d", status)
	}
}

func TestRunCutsOffWhatDoesNotEnd(t *testing.T) {
	f := newFixture(t)
	entered, _ := held(f)
	l := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- f.Run(ctx, server.RunConfig{Listener: l, Grace: time.Nanosecond}) }()
	broken := make(chan error, 1)
	go func() {
		_, err := ask(t.Context(), &http.Client{},
			"http://"+l.Addr().String()+evaluateED+"?periodStart=2018&periodEnd=2018")
		broken <- err
	}()
	<-entered
	cancel()
	if err := <-ran; err == nil {
		t.Error("Run does not say that a request was cut off")
	}
	if err := <-broken; err == nil {
		t.Error("the request that was cut off has an answer")
	}
}

// TestRunServesTLS is row A3 of the conformance checklist: TLS 1.2 or newer.
func TestRunServesTLS(t *testing.T) {
	t.Parallel()
	// The certificate of httptest, as files.
	donor := httptest.NewTLSServer(http.NotFoundHandler())
	defer donor.Close()
	key, err := x509.MarshalPKCS8PrivateKey(donor.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	cfg := server.RunConfig{
		Listener: listen(t),
		CertFile: filepath.Join(t.TempDir(), "cert.pem"),
		KeyFile:  filepath.Join(t.TempDir(), "key.pem"),
	}
	write := func(path, kind string, bytes []byte) {
		text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes})
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(cfg.CertFile, "CERTIFICATE", donor.Certificate().Raw)
	write(cfg.KeyFile, "PRIVATE KEY", key)
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- newFixture(t).Run(ctx, cfg) }()

	roots := x509.NewCertPool()
	roots.AddCert(donor.Certificate())
	client := func(version uint16) *http.Client {
		limits := &tls.Config{RootCAs: roots, MinVersion: version, MaxVersion: version}
		return &http.Client{Transport: &http.Transport{
			DisableKeepAlives: true, TLSClientConfig: limits,
		}}
	}
	url := "https://" + cfg.Listener.Addr().String() + "/healthz"
	for version, served := range map[uint16]bool{
		tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true,
	} {
		status, err := ask(t.Context(), client(version), url)
		if (err == nil && status == http.StatusOK) != served {
			t.Errorf("%s = %d, %v", tls.VersionName(version), status, err)
		}
	}
	cancel()
	if err := <-ran; err != nil {
		t.Errorf("Run = %v", err)
	}
}

func TestRunSaysWhyItCannotServe(t *testing.T) {
	t.Parallel()
	l := listen(t)
	cfg := server.RunConfig{Listener: l, CertFile: "none.pem", KeyFile: "none.pem"}
	if err := newFixture(t).Run(t.Context(), cfg); err == nil {
		t.Error("Run without its certificate succeeds")
	}
	if _, err := l.Accept(); err == nil {
		t.Error("the listener is still open")
	}
}
