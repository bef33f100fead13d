package fhirtest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

func gunzip(t *testing.T, body []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// faultTest shows what one fault does. Faults() without a row here fail TestEveryFaultIsShown.
type faultTest struct {
	fault  Fault
	config Config
	show   func(t *testing.T, c *caller)
}

func faultTests() []faultTest {
	return slices.Concat(conversationFaults(), manifestFaults(), fileFaults(), lineFaults(),
		launchFaults(), identityFaults(), chartFaults())
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range faultTests() {
		t.Run(string(tt.fault), func(t *testing.T) {
			t.Parallel()
			tt.config.Faults = []Fault{tt.fault}
			tt.show(t, start(t, tt.config))
		})
	}
}

func TestEveryFaultIsShown(t *testing.T) {
	t.Parallel()
	shown := map[Fault]bool{}
	for _, tt := range faultTests() {
		shown[tt.fault] = true
	}
	for _, f := range Faults() {
		if !shown[f] {
			t.Errorf("no test shows %s", f)
		}
		if got, err := ParseFault(string(f)); got != f || err != nil {
			t.Errorf("ParseFault(%q) = %q, %v", f, got, err)
		}
	}
	if _, err := ParseFault("earthquake"); err == nil {
		t.Error("ParseFault(earthquake) gave no error")
	}
}

func (c *caller) retryAfter() string {
	c.t.Helper()
	status, header, _ := c.get(c.kickOff("/$export"))
	if status != http.StatusAccepted {
		c.t.Fatalf("first poll: status %d", status)
	}
	return header.Get("Retry-After")
}

func conversationFaults() []faultTest {
	return []faultTest{
		{RetryAfterDate, Config{}, func(t *testing.T, c *caller) {
			at, err := http.ParseTime(c.retryAfter())
			if err != nil || at.Sub(c.clock.Now()) != time.Second {
				t.Errorf("Retry-After = %v, %v", at, err)
			}
		}},
		{RetryAfterEpoch, Config{}, func(t *testing.T, c *caller) {
			if got, want := c.retryAfter(), strconv.FormatInt(c.clock.Now().Unix()+1, 10); got != want {
				t.Errorf("Retry-After = %s, want %s", got, want)
			}
		}},
		{RetryAfterHours, Config{}, func(t *testing.T, c *caller) {
			if got := c.retryAfter(); got != "18000" {
				t.Errorf("Retry-After = %s", got)
			}
		}},
		{RateLimit, Config{}, func(t *testing.T, c *caller) {
			first, header, _ := c.get("/Patient?_count=1")
			second, _, _ := c.get("/Patient?_count=1")
			if first != 429 || header.Get("Retry-After") != "1" || second != 200 {
				t.Errorf("status %d, then %d", first, second)
			}
		}},
		{OneJob, Config{}, func(t *testing.T, c *caller) {
			status := c.kickOff("/$export")
			again := c.request("GET", "/$export", nil)
			again.Header.Set("Prefer", "respond-async")
			if code, header, _ := c.send(again); code != 429 || header.Get("Retry-After") == "" {
				t.Errorf("second kick-off: status %d", code)
			}
			c.send(c.request("DELETE", status, nil))
			c.kickOff("/$export")
		}},
		{Transient500, Config{}, func(t *testing.T, c *caller) {
			status := c.kickOff("/$export")
			if code, _, body := c.get(status); code != 500 || !strings.Contains(string(body), "transient") {
				t.Errorf("first poll: status %d, %s", code, body)
			}
			file := c.finish(status).Output[0].URL
			first, _, _ := c.get(file)
			second, _, _ := c.get(file)
			if first != 500 || second != 200 {
				t.Errorf("file: status %d, then %d", first, second)
			}
		}},
		{Job404, Config{Polls: 3}, func(t *testing.T, c *caller) {
			status := c.kickOff("/$export")
			first, _, _ := c.get(status)
			second, _, _ := c.get(status)
			if first != 202 || second != 404 {
				t.Errorf("status %d, then %d", first, second)
			}
			c.export("/$export")
		}},
		{Delete405, Config{}, func(t *testing.T, c *caller) {
			if code, _, _ := c.send(c.request("DELETE", c.kickOff("/$export"), nil)); code != 405 {
				t.Errorf("DELETE: status %d", code)
			}
		}},
		{ShortToken, Config{}, func(t *testing.T, c *caller) {
			c.clock.Advance(time.Second)
			first, _, _ := c.get("/Patient")
			c.clock.Advance(time.Second)
			second, _, _ := c.get("/Patient")
			if first != 200 || second != 401 {
				t.Errorf("status %d, then %d", first, second)
			}
		}},
		{NoTokenType, Config{}, func(t *testing.T, c *caller) {
			if out := c.login("system/*.rs"); out["token_type"] != nil || c.token == "" {
				t.Errorf("token response = %v", out)
			}
		}},
		{ClockSkew, Config{}, func(t *testing.T, c *caller) {
			_, header, _ := c.get("/metadata")
			at, err := http.ParseTime(header.Get("Date"))
			if err != nil || at.Sub(c.clock.Now()) != skew {
				t.Errorf("Date = %v, %v", at, err)
			}
			if m := c.export("/$export"); m.TransactionTime != "2026-02-01T07:10:00Z" {
				t.Errorf("transactionTime = %s", m.TransactionTime)
			}
		}},
		{NoAdverseEvent, Config{BulkAdverseEvents: true}, func(t *testing.T, c *caller) {
			status, _, _ := c.get("/AdverseEvent")
			if status != 404 || slices.Contains(c.searchable(), "AdverseEvent") {
				t.Errorf("search: status %d", status)
			}
			if m := c.export("/$export"); len(m.of("AdverseEvent")) != 0 {
				t.Errorf("output = %+v", m.Output)
			}
		}},
	}
}

func manifestFaults() []faultTest {
	return []faultTest{
		{TokenNeededAnyway, Config{}, func(t *testing.T, c *caller) {
			m := c.export("/$export")
			c.token = ""
			if status, _, _ := c.get(m.Output[0].URL); status != 401 || m.RequiresAccessToken {
				t.Errorf("status %d, requiresAccessToken %v", status, m.RequiresAccessToken)
			}
		}},
		{NoErrorKey, Config{}, func(t *testing.T, c *caller) {
			if _, ok := c.export("/$export").raw["error"]; ok {
				t.Error("error is there")
			}
		}},
		{RelativeURLs, Config{}, func(t *testing.T, c *caller) {
			status := c.kickOff("/$export")
			m := c.finish(status)
			for _, u := range []string{status, m.Request, m.Output[0].URL} {
				if !strings.HasPrefix(u, "/fhir/") {
					t.Errorf("URL %s is not relative", u)
				}
			}
			if code, _, _ := c.get(m.Output[0].URL); code != 200 {
				t.Errorf("file: status %d", code)
			}
		}},
		{RedirectFiles, Config{}, showRedirect},
		{RedirectHTTP, Config{TLS: true}, showRedirect},
		{PartialExport, Config{}, func(t *testing.T, c *caller) {
			m := c.export("/$export")
			if len(m.of("Encounter")) != 1 || len(m.of("Patient")) != 2 || len(m.Error) != 1 {
				t.Fatalf("manifest = %+v", m)
			}
			if _, _, body := c.get(m.Error[0].URL); !strings.Contains(string(body), `"severity":"error"`) {
				t.Errorf("error file = %s", body)
			}
		}},
		{IgnoresType, Config{}, func(t *testing.T, c *caller) {
			if m := c.export("/$export?_type=Patient"); len(m.of("Encounter")) == 0 ||
				len(m.of("Organization")) == 0 {
				t.Errorf("output = %+v", m.Output)
			}
		}},
		{CountMismatch, Config{}, func(t *testing.T, c *caller) {
			f := c.export("/$export").of("Encounter")[0]
			if _, _, body := c.get(f.URL); len(lines(body))+wrongCount != f.Count {
				t.Errorf("%d lines, the manifest says %d", len(lines(body)), f.Count)
			}
		}},
		{ManyTinyFiles, Config{TinyFiles: 40}, func(t *testing.T, c *caller) {
			m := c.export("/$export")
			if len(m.of("Patient")) != 40 || len(m.of("Encounter")) != 40 {
				t.Fatalf("%d files", len(m.Output))
			}
			n := 0
			for _, f := range m.of("Patient") {
				_, _, body := c.get(f.URL)
				n += len(lines(body))
			}
			p := c.server.population.Load()
			if want := p.Count(t.Context(), population.Query{Type: population.Patient}); n != want {
				t.Errorf("%d patients in all, want %d", n, want)
			}
		}},
	}
}

// showRedirect follows the redirect by hand: without the token it gives the file, with it it is
// refused and counted.
func showRedirect(t *testing.T, c *caller) {
	m := c.export("/$export?_type=Organization")
	status, header, _ := c.get(m.Output[0].URL)
	to := header.Get("Location")
	if status != 307 || !strings.HasPrefix(to, "http") || strings.HasPrefix(to, c.origin) {
		t.Fatalf("status %d, Location %q", status, to)
	}
	if c.server.config.TLS && !strings.HasPrefix(to, "http://") {
		t.Errorf("Location %q is not plain http", to)
	}
	leaking, _, _ := c.get(to)
	c.token = ""
	clean, _, body := c.get(to)
	if leaking != 400 || clean != 200 || len(lines(body)) != 5 || c.server.LeakedTokens() != 1 {
		t.Errorf("with the token %d, without %d, %d lines, %d leaked", leaking, clean, len(lines(body)),
			c.server.LeakedTokens())
	}
}

func fileFaults() []faultTest {
	return []faultTest{
		{ExpiredFile, Config{}, func(t *testing.T, c *caller) {
			first, _, _ := c.get(c.export("/$export").Output[0].URL)
			second, _, _ := c.get(c.export("/$export").Output[0].URL)
			if first != 410 || second != 200 {
				t.Errorf("status %d, then %d", first, second)
			}
		}},
		{ResetMidFile, Config{}, func(t *testing.T, c *caller) {
			f := c.export("/$export").of("Encounter")[0]
			_, _, part, err := c.try(c.request("GET", f.URL, nil))
			if !errors.Is(err, io.ErrUnexpectedEOF) || len(part) == 0 {
				t.Errorf("%d bytes, %v; want an unexpected end after some", len(part), err)
			}
			_, _, whole := c.get(f.URL)
			if len(lines(whole)) != f.Count || !bytes.HasPrefix(whole, part) ||
				json.Valid(part[bytes.LastIndexByte(part, '\n')+1:]) {
				t.Errorf("%d lines the second time, want %d", len(lines(whole)), f.Count)
			}
		}},
		{TruncatedLastLine, Config{}, func(t *testing.T, c *caller) {
			_, body := c.encounters()
			all := lines(body)
			if last := all[len(all)-1]; json.Valid([]byte(last)) || body[len(body)-1] == '\n' {
				t.Errorf("last line = %s", last)
			}
		}},
		{BOMCRLFBlankLines, Config{}, func(t *testing.T, c *caller) {
			f, body := c.encounters()
			if !bytes.HasPrefix(body, []byte("\xef\xbb\xbf{")) || !bytes.Contains(body,
				[]byte("}\r\n\r\n{")) {
				t.Errorf("body starts with %q", body[:20])
			}
			if len(lines(body)) != f.Count {
				t.Errorf("%d lines, want %d", len(lines(body)), f.Count)
			}
		}},
		{TwoObjectsPerLine, Config{}, func(t *testing.T, c *caller) {
			f, body := c.encounters()
			if n := len(lines(body)); n != f.Count-f.Count/everyJoin && n != f.Count-f.Count/everyJoin+1 {
				t.Errorf("%d lines of %d resources", n, f.Count)
			}
			if strings.Count(string(body), `{"resourceType"`) != f.Count {
				t.Error("a resource is lost")
			}
		}},
		{Duplicates, Config{}, func(t *testing.T, c *caller) {
			f, body := c.encounters()
			all := lines(body)
			if len(all) != f.Count || all[4] != all[5] || all[3] == all[4] {
				t.Errorf("%d lines, want %d", len(all), f.Count)
			}
		}},
		{OutOfOrder, Config{}, func(t *testing.T, c *caller) {
			_, body := c.encounters()
			p := c.server.population.Load()
			var forward []string
			for line := range p.Lines(t.Context(), population.Query{Type: population.Encounter, Parts: 2}) {
				forward = append(forward, string(line))
			}
			got := lines(body)
			if slices.Equal(got, forward) {
				t.Error("the order is the usual one")
			}
			slices.Sort(got)
			slices.Sort(forward)
			if !slices.Equal(got, forward) {
				t.Error("the lines are not the usual ones")
			}
		}},
		{WrongContentEncoding, Config{}, func(t *testing.T, c *caller) {
			_, header, body := c.get(c.export("/$export").Output[0].URL)
			if header.Get("Content-Encoding") != "gzip" || body[0] != '{' {
				t.Errorf("%v, body starts with %q", header, body[:1])
			}
		}},
		{NestedGzip, Config{}, func(t *testing.T, c *caller) {
			f, body := c.encounters()
			if n := len(lines(gunzip(t, gunzip(t, body)))); n != f.Count {
				t.Errorf("%d lines, want %d", n, f.Count)
			}
		}},
		{GzipBomb, Config{Bomb: 64 << 20}, func(t *testing.T, c *caller) {
			_, body := c.encounters()
			if len(body) > 1<<20 || len(gunzip(t, body)) != 64<<20 {
				t.Errorf("%d bytes", len(body))
			}
		}},
	}
}

// encounters gives the first Encounter file of a fresh export.
func (c *caller) encounters() (manifestFile, []byte) {
	c.t.Helper()
	f := c.export("/$export?_type=Encounter").Output[0]
	_, _, body := c.get(f.URL)
	return f, body
}

// badOnes gives the lines with an id that begins with bad, and checks that the rest is whole.
func (c *caller) badOnes() []string {
	c.t.Helper()
	f, body := c.encounters()
	var bad []string
	for _, line := range lines(body) {
		if strings.HasPrefix(line, encounterHead) {
			bad = append(bad, line)
		} else if !json.Valid([]byte(line)) {
			c.t.Errorf("a line that should be good is not: %.80s", line)
		}
	}
	if n := len(lines(body)); n != f.Count {
		c.t.Errorf("%d lines, the manifest says %d", n, f.Count)
	}
	return bad
}

func lineFaults() []faultTest {
	expect := func(valid bool, lengths int, contains ...string) func(*testing.T, *caller) {
		return func(t *testing.T, c *caller) {
			bad := c.badOnes()
			if len(bad) != len(contains) {
				t.Fatalf("%d bad lines, want %d", len(bad), len(contains))
			}
			for i, line := range bad {
				if json.Valid([]byte(line)) != valid || len(line) < lengths || !strings.Contains(line,
					contains[i]) {
					t.Errorf("bad line %d of %d bytes: %.120s", i, len(line), line)
				}
			}
		}
	}
	return []faultTest{
		{BadLine, Config{}, expect(false, 1, "finished,]")},
		{HugeLine, Config{HugeLine: 5 << 20}, expect(true, 5<<20, "xxxx")},
		{DeepJSON, Config{}, expect(false, 2*depth, "[[[[")},
		{DuplicateKeys, Config{}, expect(true, 1, `"status":"cancelled","status":"finished"`)},
		{OddText, Config{}, expect(true, 1, `\ud800`, `\u0000`, "\xff", "1e999999")},
		{WrongVersion, Config{}, expect(true, 1, "actualPeriod", `"patient"`)},
	}
}

func TestNewServerRefusesNonsense(t *testing.T) {
	t.Parallel()
	good := Config{Population: population.New(population.Config{Patients: 1}), Now: time.Now}
	if _, err := NewServer(good); err != nil {
		t.Fatalf("NewServer of a good configuration = %v", err)
	}
	tests := []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"no population", func(c *Config) { c.Population = nil }, "population is missing"},
		{"no clock", func(c *Config) { c.Now = nil }, "now is missing"},
		{"an unknown fault", func(c *Config) { c.Faults = []Fault{"earthquake"} }, "earthquake"},
		{"a client without keys", func(c *Config) { c.Clients = []Client{{ID: "x"}} }, `client "x"`},
		{"a manifest of the future", func(c *Config) { c.ManifestVersion = 5 }, "manifest version 5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := good
			tt.change(&c)
			if _, err := NewServer(c); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("NewServer() = %v, want %q", err, tt.want)
			}
		})
	}
}
