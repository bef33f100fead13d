package dial

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// loopback is a client that follows hops redirects on loopback.
func loopback(hops int, cfg Config) *http.Client {
	cfg.Guard, cfg.Connect, cfg.Header = Guard{Loopback: true}, time.Minute, time.Minute
	return &http.Client{Transport: NewTransport(cfg), CheckRedirect: Home(hops)}
}

// TestGet says of each way in which an answer can fail what it is, and whether it may pass.
func TestGet(t *testing.T) {
	t.Parallel()
	var strayed atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strayed.Add(1) }))
	t.Cleanup(other.Close)
	to := func(where string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, where, http.StatusFound) }
	}
	say := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	mux := http.NewServeMux()
	for path, answer := range map[string]http.HandlerFunc{
		"/good": say("{}"), "/long": say(strings.Repeat("x", 11)), "/full": say(strings.Repeat("x", 10)),
		"/one": to("/good"), "/two": to("/one"), "/three": to("/two"), "/away": to(other.URL),
		"/user": func(w http.ResponseWriter, r *http.Request) { to("http://a@"+r.Host+"/good")(w, r) },
		"/gone": status(http.StatusNotFound), "/busy": status(http.StatusTooManyRequests),
		"/down": status(http.StatusBadGateway), "/none": status(http.StatusNoContent),
		"/cut": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		mux.HandleFunc(path, answer)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	tests := []struct {
		in      string
		want    error
		passing bool
	}{
		{"/good", nil, false}, {"/full", nil, false}, {"/one", nil, false}, {"/two", nil, false},
		{"/long", ErrTooLarge, false}, {"/three", ErrRedirect, false}, {"/away", ErrRedirect, false},
		{"/user", ErrRedirect, false}, {"/gone", StatusError(404), false}, {"/none", StatusError(204), false},
		{"/busy", StatusError(429), true}, {"/down", StatusError(502), true}, {"/cut", errBroken, true},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			t.Parallel()
			_, _, err := Get(t.Context(), loopback(2, Config{}), server.URL+tt.in, 10)
			if !errors.Is(err, tt.want) || err != nil && Passing(err) != tt.passing {
				t.Errorf("Get = %v, want %v, passing %t", err, tt.want, tt.passing)
			}
			if err != nil && strings.Contains(err.Error(), "127.0.0.1") {
				t.Errorf("%v holds an address", err)
			}
		})
	}
	t.Cleanup(func() {
		if strayed.Load() != 0 {
			t.Error("another origin was asked")
		}
	})
}

func TestFaultsOfConnections(t *testing.T) {
	t.Parallel()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	old := httptest.NewUnstartedServer(http.NotFoundHandler())
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11}
	old.StartTLS()
	t.Cleanup(old.Close)
	closed := httptest.NewServer(nil)
	closed.Close()
	roots := x509.NewCertPool()
	roots.AddCert(old.Certificate())
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	inside := &http.Client{Transport: NewTransport(Config{})}
	for _, tt := range []struct {
		name    string
		ctx     context.Context
		client  *http.Client
		at      string
		want    string
		passing bool
	}{
		{"nobody listens", t.Context(), loopback(0, Config{}), closed.URL, "connection failed", true},
		{"an address inside", t.Context(), inside, secure.URL, "network address is not allowed: loopback", false},
		{"an unknown certificate", t.Context(), loopback(0, Config{}), secure.URL,
			"verify the server's certificate", true},
		{"TLS 1.1", t.Context(), loopback(0, Config{RootCAs: roots}), old.URL, "connection broke off", true},
		{"given up", ended, loopback(0, Config{}), secure.URL, "context canceled", true},
		{"no URL", t.Context(), inside, "http://\x00", ErrURL.Error(), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := Get(tt.ctx, tt.client, tt.at, 10)
			if err == nil || err.Error() != tt.want || Passing(err) != tt.passing {
				t.Errorf("Get = %v, passing %t; want %s, %t", err, Passing(err), tt.want, tt.passing)
			}
		})
	}
	if err := Fault(t.Context(), fmt.Errorf("read: %w", syscall.ECONNRESET)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("Fault = %v", err)
	}
	if err := Fault(t.Context(), context.DeadlineExceeded); err.Error() != "timed out" {
		t.Errorf("Fault = %v", err)
	}
}

// TestProxyIsNotAsked holds that the surroundings of the process cannot lead requests past the guard.
func TestProxyIsNotAsked(t *testing.T) {
	t.Parallel()
	if NewTransport(Config{}).Proxy != nil {
		t.Error("a proxy is asked")
	}
}

// TestTokenStaysAtHome follows a redirect with a token to the same name at another port.
func TestTokenStaysAtHome(t *testing.T) {
	t.Parallel()
	var seen atomic.Value
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seen.Store(r.Header.Get("Authorization"))
	}))
	t.Cleanup(other.Close)
	home := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	t.Cleanup(home.Close)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, home.URL, strings.NewReader("a=b"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer secret")
	if _, _, _, err := Exchange(loopback(3, Config{}), request, 10); !errors.Is(err, ErrRedirect) || seen.Load() != nil {
		t.Errorf("Exchange = %v, the other server saw %v", err, seen.Load())
	}
}
