package client

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// headers keeps the Authorization and Referer of every request that a server got.
type headers struct {
	mu   sync.Mutex
	seen []string
}

// note keeps one request.
func (h *headers) note(r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seen = append(h.seen, r.Header.Get("Authorization")+"|"+r.Header.Get("Referer"))
}

// all returns what was kept, on one line.
func (h *headers) all() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.seen, " ")
}

// TestTokenDoesNotFollowARedirect sends a file request to another port, to another host name on the
// same port, and home again by way of another origin.
func TestTokenDoesNotFollowARedirect(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		// to returns the first Location, given the two servers.
		to func(home, other string) string
		// home and other are the Authorization headers that each server sees.
		home, other string
	}{
		{"same origin keeps it", func(home, _ string) string { return home + "/fhir/end" },
			"Bearer secret-token-1| Bearer secret-token-1|", ""},
		{"another port", func(_, other string) string { return other + "/end" },
			"Bearer secret-token-1|", "|"},
		{"another name of the same host", func(home, _ string) string {
			return strings.Replace(home, "127.0.0.1", "localhost", 1) + "/fhir/end"
		}, "Bearer secret-token-1| |", ""},
		{"away and home again", func(_, other string) string { return other + "/back" },
			"Bearer secret-token-1| |", "|"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := newEHR(t)
			var home, other headers
			elsewhere := serve(t, func(w http.ResponseWriter, r *http.Request) {
				other.note(r)
				if r.URL.Path == "/back" {
					http.Redirect(w, r, e.URL+"/fhir/end", http.StatusTemporaryRedirect)
				}
			})
			e.mux.HandleFunc("GET /fhir/file", func(w http.ResponseWriter, r *http.Request) {
				home.note(r)
				http.Redirect(w, r, tt.to(e.URL, elsewhere.URL), http.StatusTemporaryRedirect)
			})
			e.mux.HandleFunc("GET /fhir/end", func(_ http.ResponseWriter, r *http.Request) { home.note(r) })
			c := e.client(t)
			answer, err := c.Do(t.Context(), Request{Op: "get file", URL: c.URL("file"), Elsewhere: true})
			if err != nil {
				t.Fatal(err)
			}
			discard(answer)
			if home.all() != tt.home || other.all() != tt.other {
				t.Errorf("home saw %q, want %q; the other saw %q, want %q", home.all(), tt.home, other.all(), tt.other)
			}
		})
	}
}

// TestNoKindOfRedirectTakesTheTokenAlong is row B16 of the conformance checklist.
func TestNoKindOfRedirectTakesTheTokenAlong(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			e := newEHR(t)
			var seen headers
			elsewhere := serve(t, func(_ http.ResponseWriter, r *http.Request) { seen.note(r) })
			e.mux.HandleFunc("GET /fhir/file", func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, elsewhere.URL, status)
			})
			c := e.client(t)
			answer, err := c.Do(t.Context(), Request{Op: "get file", URL: c.URL("file"), Elsewhere: true})
			if err != nil {
				t.Fatal(err)
			}
			discard(answer)
			if seen.all() != "|" {
				t.Errorf("the other origin saw %q, want one request without a token", seen.all())
			}
		})
	}
}

// TestTokenGoesToTrustedOriginsOnly asks for a URL of another origin outright.
func TestTokenGoesToTrustedOriginsOnly(t *testing.T) {
	t.Parallel()
	e := newEHR(t)
	var seen headers
	other := serve(t, func(_ http.ResponseWriter, r *http.Request) { seen.note(r) })
	request := func(c *Client, elsewhere bool) error {
		u := c.Base()
		u.Host = strings.TrimPrefix(other.URL, "http://")
		answer, err := c.Do(t.Context(), Request{Op: "get file", URL: u, Elsewhere: elsewhere})
		if err == nil {
			discard(answer)
		}
		return err
	}
	if err := request(e.client(t), false); !errors.Is(err, ErrOrigin) || seen.all() != "" {
		t.Errorf("Do = %v, other origin saw %q; want ErrOrigin and nothing", err, seen.all())
	}
	if err := request(e.client(t), true); err != nil || seen.all() != "|" {
		t.Errorf("Do = %v, other origin saw %q; want no token", err, seen.all())
	}
	cfg := e.config()
	cfg.TrustedOrigins = []string{other.URL}
	if err := request(mustNew(t, cfg), false); err != nil || !strings.HasSuffix(seen.all(), "Bearer secret-token-1|") {
		t.Errorf("Do = %v, trusted origin saw %q; want the token", err, seen.all())
	}
}

// TestRedirectsThatAreRefused lists the ways in which a redirect may not lead.
func TestRedirectsThatAreRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		method    string
		to        string // PLAIN is a server without TLS, HERE the server itself
		elsewhere bool
		want      error
	}{
		{"from https to http", "GET", "PLAIN/x", true, ErrRedirect},
		{"to a private address", "GET", "https://10.1.2.3/x", true, ErrAddress},
		{"to the metadata service", "GET", "https://169.254.169.254/latest/meta-data", true, ErrAddress},
		{"to a mapped private address", "GET", "https://[::ffff:192.168.0.1]/x", true, ErrAddress},
		{"without end", "GET", "HERE/fhir/file", true, ErrRedirect},
		{"to another origin for a document", "GET", "https://127.0.0.2/x", false, ErrOrigin},
		{"of a POST", "POST", "HERE/fhir/end", true, ErrRedirect},
		{"of a DELETE", "DELETE", "HERE/fhir/end", true, ErrRedirect},
		{"to another scheme", "GET", "ftp://127.0.0.1/x", true, ErrRedirect},
		{"with a user", "GET", "https://a:b@127.0.0.1/x", true, ErrURL},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var plain headers
			unsafe := serve(t, func(_ http.ResponseWriter, r *http.Request) { plain.note(r) })
			var server *httptest.Server
			hops := 0
			server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/fhir/file" {
					hops++
					to := strings.NewReplacer("PLAIN", unsafe.URL, "HERE", server.URL).Replace(tt.to)
					http.Redirect(w, r, to, http.StatusTemporaryRedirect)
				}
			}))
			t.Cleanup(server.Close)
			c := tlsClient(t, server, true)
			_, err := c.Do(t.Context(), Request{
				Op: "get file", Method: tt.method, URL: c.URL("file"), Elsewhere: tt.elsewhere,
			})
			if !errors.Is(err, tt.want) {
				t.Errorf("Do = %v, want %v", err, tt.want)
			}
			if plain.all() != "" || hops > maxRedirects+1 {
				t.Errorf("the plain server saw %q; %d hops", plain.all(), hops)
			}
		})
	}
}

// tlsClient returns a client that knows the server's certificate.
func tlsClient(t *testing.T, server *httptest.Server, loopback bool) *Client {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	clock := newClock()
	return mustNew(t, Config{
		BaseURL: server.URL + "/fhir", AllowLoopback: loopback, RootCAs: roots,
		Now: clock.Now, Sleep: clock.Sleep, Random: zeros{},
	})
}

// TestLoopbackNeedsPermission reaches a TLS server on loopback only if that is allowed, and plain
// http not even by name.
func TestLoopbackNeedsPermission(t *testing.T) {
	t.Parallel()
	requests := 0
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests++ }))
	t.Cleanup(server.Close)
	if _, err := get(t.Context(), tlsClient(t, server, false), "x"); !errors.Is(err, ErrAddress) || requests != 0 {
		t.Errorf("get = %v after %d requests, want ErrAddress after none", err, requests)
	}
	if _, err := get(t.Context(), tlsClient(t, server, true), "x"); err != nil || requests != 1 {
		t.Errorf("get = %v after %d requests, want success", err, requests)
	}
	for _, base := range []string{"http://127.0.0.1:1/fhir", "http://ehr.example.org", "http://localhost.ehr.org"} {
		_, err := New(Config{BaseURL: base, Now: time.Now, AllowLoopback: !strings.Contains(base, "127")})
		if !errors.Is(err, ErrURL) {
			t.Errorf("New(%s) = %v, want ErrURL", base, err)
		}
	}
}

// TestCertificateIsVerified refuses a server that nobody vouches for, at once.
func TestCertificateIsVerified(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = quiet()
	server.StartTLS()
	t.Cleanup(server.Close)
	clock := newClock()
	c := mustNew(t, Config{BaseURL: server.URL, AllowLoopback: true, Now: clock.Now, Sleep: clock.Sleep})
	_, err := get(t.Context(), c, "x")
	if err == nil || !strings.Contains(err.Error(), "certificate") || len(clock.waits()) != 0 {
		t.Errorf("get = %v after %d waits, want a certificate fault at once", err, len(clock.waits()))
	}
}

// TestErrorsHoldNoURLAndNoDiagnostics looks for canaries in every error and in the log.
func TestErrorsHoldNoURLAndNoDiagnostics(t *testing.T) {
	t.Parallel()
	const canary = "CANARY"
	outcome := `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"not-found",` +
		`"diagnostics":"no CANARY here","details":{"text":"CANARY"}},{"severity":"CANARY","code":"CANARY"}]}`
	answers := map[string]http.HandlerFunc{
		"an outcome": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, outcome)
		},
		"an outcome that passes": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, outcome)
		},
		"a page": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "<html>CANARY")
		},
		"a bad Location": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://[CANARY")
			w.WriteHeader(http.StatusFound)
		},
		"a Location elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://127.0.0.3/CANARY", http.StatusFound)
		},
		"a broken connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"no HTTP at all": func(w http.ResponseWriter, _ *http.Request) {
			conn, buf, err := w.(http.Hijacker).Hijack()
			if err == nil {
				fmt.Fprint(buf, "CANARY CANARY CANARY\r\n\r\n")
				_ = errors.Join(buf.Flush(), conn.Close())
			}
		},
		"no JSON": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"CANARY`) },
	}
	for name, handler := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEHR(t)
			e.mux.HandleFunc("/fhir/", handler)
			c := e.client(t)
			var out struct{}
			_, err := c.ReadJSON(t.Context(), Request{Op: "read thing", URL: c.URL("Patient", canary)}, 1<<20, &out)
			if err == nil {
				t.Fatal("no error")
			}
			if text := fmt.Sprintf("%v %+v %s", err, err, e.log); strings.Contains(text, canary) {
				t.Errorf("canary in %s", text)
			}
		})
	}
}
