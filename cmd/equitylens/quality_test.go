package main

import (
	"bufio"
	"context"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// caller is somebody with a browser that runs no script.
type caller struct {
	t      *testing.T
	client *http.Client
	d      demonstration
}

// signIn signs one of the fake EHR's staff in at a demonstration.
func signIn(t *testing.T, d demonstration, who string) caller {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := caller{t, &http.Client{Jar: jar}, d}
	_, form := v.send(http.MethodGet, d.url+"/account", nil)
	action := regexp.MustCompile(`action="([^"]*/sign-in)"`).FindStringSubmatch(form)
	handle := regexp.MustCompile(`name="handle" value="([^"]*)"`).FindStringSubmatch(form)
	if action == nil || handle == nil {
		t.Fatalf("the EHR does not ask who comes:\n%s", form)
	}
	_, account := v.send(http.MethodPost, html.UnescapeString(action[1]), url.Values{
		"handle": {handle[1]}, "user": {who},
	})
	if !strings.Contains(account, `action="/signout"`) {
		t.Fatalf("nobody is signed in:\n%s", account)
	}
	return v
}

// send sends a request as a form of our own does, and returns status and body.
func (v caller) send(method, address string, form url.Values) (int, string) {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if method == http.MethodPost && strings.HasPrefix(address, v.d.url) {
		r.Header.Set("Origin", v.d.url)
	}
	got, err := v.client.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return got.StatusCode, string(text)
}

// heard is one event of the sync.
type heard struct {
	Key, Says, Detail string
	Value, Max        int
	Running           bool
}

// listen opens the stream of events; said is closed with it.
func (v caller) listen(ctx context.Context) (said chan heard) {
	v.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.d.url+"/quality/events", nil)
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "gzip, br")
	got, err := v.client.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	if got.StatusCode != http.StatusOK || got.Header.Get("Content-Encoding") != "" {
		v.t.Fatalf("status %d, %v", got.StatusCode, got.Header)
	}
	said = make(chan heard)
	go func() {
		defer close(said)
		defer func() { _ = got.Body.Close() }()
		for lines := bufio.NewScanner(got.Body); lines.Scan(); {
			var h heard
			if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok && json.Unmarshal([]byte(text), &h) == nil {
				said <- h
			}
		}
	}()
	return said
}

// TestASyncIsStartedAndWatchedFromThePage signs in as the engineer of the demonstration, presses the
// button, hears of every phase, finds the run on the page, and ends the program with a stream open.
func TestASyncIsStartedAndWatchedFromThePage(t *testing.T) {
	t.Parallel()
	d := demonstrate(t)
	v := signIn(t, d, "mika-tan")
	if status, before := v.send(http.MethodGet, d.url+"/quality", nil); status != http.StatusOK ||
		strings.Count(before, "run=20") != 1 || !strings.Contains(before, `action="/quality/sync"`) {
		t.Fatalf("status %d, want one run and a button:\n%s", status, before)
	}
	said := v.listen(t.Context())
	if first := <-said; first.Key != "never" {
		t.Errorf("before the sync: %+v", first)
	}
	if status, page := v.send(http.MethodPost, d.url+"/quality/sync", url.Values{}); status != http.StatusOK ||
		!strings.Contains(page, `id="run"`) {
		t.Fatalf("the button: status %d:\n%s", status, page)
	}
	var phases []string
	var last heard
	for h := range said {
		if last = h; h.Key == "ended" || h.Key == "failed" {
			break
		}
		if _, rest, ok := strings.Cut(h.Key, "/"); ok {
			phase, _, _ := strings.Cut(rest, "/")
			if !slices.Contains(phases, phase) {
				phases = append(phases, phase)
			}
		}
	}
	if want := "demo: published: nothing had changed"; last.Detail != want || last.Running {
		t.Errorf("at the end: %+v, want %q", last, want)
	}
	if len(phases) < 3 || phases[0] != "fetch" || !slices.Contains(phases, "load") {
		t.Errorf("the phases are %v", phases)
	}
	status, after := v.send(http.MethodGet, d.url+"/quality", nil)
	if status != http.StatusOK || strings.Count(after, "run=20") != 2 || !strings.Contains(after, "nothing had changed") {
		t.Errorf("status %d, want two runs:\n%s", status, after)
	}
	barren(t, "the page about the data", after)
	d.stop()
	code := <-d.ended // Were the stream waited for, it would be cut off and told as a fault.
	d.ended <- code
	for range said {
	}
	if code != exitOK {
		t.Errorf("with a stream open the program ended with %d: %s", code, d.log)
	}
}

// TestTheButtonIsForThoseWhoMay sends it as an analyst, from another site, and as nobody.
func TestTheButtonIsForThoseWhoMay(t *testing.T) {
	t.Parallel()
	d := demonstrate(t)
	v := signIn(t, d, "wen-adeyemi")
	if status, page := v.send(http.MethodGet, d.url+"/quality", nil); status != http.StatusOK ||
		strings.Contains(page, `action="/quality/sync"`) || !strings.Contains(page, `data-events="/quality/events"`) {
		t.Errorf("an analyst: status %d:\n%s", status, page)
	}
	if status, _ := v.send(http.MethodPost, d.url+"/quality/sync", url.Values{}); status != http.StatusForbidden {
		t.Errorf("an analyst presses a button that is not there: status %d", status)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.url+"/quality/sync", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", "https://elsewhere.example")
	got, err := signIn(t, d, "mika-tan").client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = got.Body.Close()
	if got.StatusCode != http.StatusForbidden {
		t.Errorf("from another site: status %d", got.StatusCode)
	}
}
