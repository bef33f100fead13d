package dashboard_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html/atom"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/internal/dashboard"
	"github.com/equitylens/equitylens/internal/ingest"
)

// stream reads the events of an open answer.
type stream struct {
	t    testing.TB
	body io.ReadCloser
	in   *bufio.Scanner
}

func (w *ward) listen(t testing.TB, url string) *stream {
	t.Helper()
	got, err := ask(t, url)
	if err != nil {
		t.Fatal(err)
	}
	if got.StatusCode != http.StatusOK || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/event-stream") {
		t.Fatalf("status %d, %v", got.StatusCode, got.Header)
	}
	t.Cleanup(func() { _ = got.Body.Close() })
	return &stream{t, got.Body, bufio.NewScanner(got.Body)}
}

func ask(t testing.TB, url string) (*http.Response, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return http.DefaultTransport.RoundTrip(r)
}

// next is the next event and what it holds; a comment is an event ":"; "" is the end.
func (s *stream) next() (name, data string) {
	for s.in.Scan() {
		line := s.in.Text()
		switch {
		case strings.HasPrefix(line, ":"):
			return ":", ""
		case strings.HasPrefix(line, "event: "):
			name = line[len("event: "):]
		case strings.HasPrefix(line, "data: "):
			return name, line[len("data: "):]
		}
	}
	return "", ""
}

// status reads up to the next status.
func (s *stream) status() (m struct {
	Key, Says, Detail string
	Value, Max        int
	Running           bool
}) {
	s.t.Helper()
	for {
		name, data := s.next()
		switch name {
		case "":
			s.t.Fatal("the stream ended")
		case "status":
			if err := json.Unmarshal([]byte(data), &m); err != nil {
				s.t.Fatal(err)
			}
			return m
		}
	}
}

// slow is a server whose answers have to end within less than the tests take.
func slow(t testing.TB, handler http.Handler) string {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.Config.ReadTimeout, s.Config.WriteTimeout = 60*time.Millisecond, 60*time.Millisecond
	s.Start()
	t.Cleanup(s.Close)
	return s.URL
}

func beating(every time.Duration) func(*dashboard.Config) {
	return func(c *dashboard.Config) { c.Heartbeat = every }
}

// TestASyncIsHeardOfAsItGoes listens longer than the deadlines of the server, and to the end of the program.
func TestASyncIsHeardOfAsItGoes(t *testing.T) {
	t.Parallel()
	w := openWard(t, oddPeople, beating(30*time.Millisecond), role.Engineer)
	life, end := context.WithCancel(t.Context())
	defer end()
	w.night.life = life
	s := w.listen(t, slow(t, w.handler)+"/quality/events?lang=es")
	w.night.told <- ingest.Status{Running: true, Source: "ehr", Progress: &ingest.Progress{
		Phase: "load", Files: 1, Total: 4, Lines: 1000, Note: "patient Esperanza"}}
	got := s.status()
	if got.Says != "Hay una sincronización en curso. Paso 2 de 5: leer los archivos (ehr)." || got.Value != 125 ||
		got.Max != 500 || got.Detail != "Archivo 1 de 4 · 1,000 líneas leídas" || !got.Running {
		t.Errorf("heard: %+v", got)
	}
	first := got.Key
	for range 6 { // Longer than the server waits.
		for name, _ := s.next(); name != ":"; name, _ = s.next() {
			if name == "" {
				t.Fatal("the stream ended with the deadline of the server")
			}
		}
	}
	w.night.told <- ingest.Status{Running: true, Source: "ehr", Progress: &ingest.Progress{
		Phase: "load", Files: 2, Total: 4, Lines: 2000}}
	if got := s.status(); got.Key != first || got.Value != 150 {
		t.Errorf("within a phase the key changes, or nothing does: %+v", got)
	}
	w.night.told <- ingest.Status{Started: w.asOf, Ended: w.asOf,
		Sources: []ingest.Share{{Source: "ehr", Outcome: ingest.Published}}}
	if got := s.status(); got.Running || got.Key == first || !strings.Contains(got.Detail, "publicada") {
		t.Errorf("at the end, heard: %+v", got)
	}
	end()
	for name, _ := s.next(); name != ""; name, _ = s.next() {
		if name != ":" {
			t.Errorf("after the end of the program: %s", name)
		}
	}
	if len(w.notes.events) != 1 {
		t.Errorf("the trail holds %d events of one stream", len(w.notes.events))
	}
}

// TestAStreamEndsWithTheRightToIt takes the role away while somebody listens.
func TestAStreamEndsWithTheRightToIt(t *testing.T) {
	t.Parallel()
	w := openWard(t, oddPeople, beating(10*time.Millisecond), role.Engineer)
	s := w.listen(t, slow(t, w.handler)+"/quality/events")
	if name, _ := s.next(); name != ":" {
		t.Fatalf("heard %q, want a heartbeat", name)
	}
	w.people.is(role.Clinician)
	for name, _ := s.next(); name != ""; name, _ = s.next() {
		if name != ":" {
			t.Errorf("heard %s", name)
		}
	}
}

// TestAStreamHasAnEnd lets the life of two streams pass: of one while nothing goes on, which is told, and
// of one during a sync, which the browser opens again.
func TestAStreamHasAnEnd(t *testing.T) {
	t.Parallel()
	for _, running := range []bool{false, true} {
		w := openWard(t, oddPeople, func(c *dashboard.Config) { c.WatchFor = 500 * time.Millisecond }, role.Analyst)
		s := w.listen(t, slow(t, w.handler)+"/quality/events")
		w.night.told <- ingest.Status{Running: running, Started: w.asOf}
		if s.status().Running != running {
			t.Error("another status than was told")
		}
		want := "end"
		if running {
			want = ""
		}
		if name, _ := s.next(); name != want {
			t.Errorf("while a sync runs is %v: the last is %q, want %q", running, name, want)
		}
	}
}

// TestStreamsAreBounded opens more than one session may have, and one more when one is closed.
func TestStreamsAreBounded(t *testing.T) {
	t.Parallel()
	w := openWard(t, oddPeople, beating(10*time.Millisecond), role.Engineer)
	url := slow(t, w.handler) + "/quality/events"
	var open []*stream
	for range 4 {
		open = append(open, w.listen(t, url))
	}
	got, err := ask(t, url)
	if err != nil {
		t.Fatal(err)
	}
	_ = got.Body.Close()
	if got.StatusCode != http.StatusTooManyRequests || got.Header.Get("Retry-After") == "" {
		t.Errorf("the fifth: status %d", got.StatusCode)
	}
	_ = open[0].body.Close()
	for {
		got, err := ask(t, url)
		if err != nil {
			t.Fatal(err)
		}
		_ = got.Body.Close()
		if got.StatusCode == http.StatusOK {
			break
		}
	}
}

func TestEventsAreForThoseInside(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		roles []role.Role
		want  int
	}{
		{"a clinician is refused", []role.Role{role.Clinician}, http.StatusForbidden},
		{"an administrator is refused", []role.Role{role.Administrator}, http.StatusForbidden},
		{"nobody is sent to sign in", nil, http.StatusSeeOther},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := openWard(t, oddPeople, nil, test.roles...).get("/quality/events"); got.status != test.want {
				t.Errorf("status %d, want %d", got.status, test.want)
			}
		})
	}
	without := openWard(t, oddPeople, func(c *dashboard.Config) { c.Syncer = nil }, role.Engineer)
	if got := without.get("/quality/events"); got.status != http.StatusNotFound {
		t.Errorf("without a sync: status %d", got.status)
	}
	if leaf := without.open(t, "/quality"); leaf.id("run") != nil || len(all(leaf.root, atom.Script)) > 0 {
		t.Error("without a sync the page shows one, or has a script")
	}
}

// TestThePolicyLetsOneScriptRun holds the page to its policy, and others to theirs.
func TestThePolicyLetsOneScriptRun(t *testing.T) {
	t.Parallel()
	w := openWard(t, oddPeople, nil, role.Analyst)
	for address, want := range map[string]bool{"/quality": true, "/measures": false, "/quality?audience=public": false} {
		got := w.get(address).header.Get("Content-Security-Policy")
		if strings.Contains(got, "script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'") != want ||
			strings.Contains(got, "unsafe") {
			t.Errorf("%s: %s", address, got)
		}
	}
}
