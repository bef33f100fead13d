package acting_test

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/equitylens/equitylens/server/page/pagetest"
)

// filesOf are the files that a page leads to.
func filesOf(l *pagetest.Leaf) []string {
	var out []string
	for _, a := range l.All(pagetest.Tag(atom.A)) {
		if slices.ContainsFunc(a.Attr, func(one html.Attribute) bool { return one.Key == "download" }) {
			out = append(out, pagetest.Attribute(a, "href"))
		}
	}
	return out
}

func TestDidItHelp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.analyst(t, "ann")
	one := b.began(nil)
	b.must("/actions/conditions", crisis("Crisis standards of care"))
	page := b.open(one + "/effect")
	page.Sound()
	page.Says("What the figures show", "After the action began the gap is smaller", "This does not show that the action is why.",
		"before January 1, 2025", "Spanish", "Other language", "Data as of")
	if got := len(page.All(pagetest.Tag(atom.Svg))); got < 6 {
		t.Errorf("%d pictures, of which each is there in two widths", got)
	}
	for _, causal := range []string{"because of the action", "thanks to", "caused", "due to the action"} {
		if strings.Contains(page.Said(), causal) {
			t.Errorf("the page says %q", causal)
		}
	}
	printed := b.open(one + "/effect?view=print")
	printed.Sound()
	if n := len(filesOf(printed)); n > 1 {
		t.Errorf("the print leads to %d files", n)
	}
	files := filesOf(page)
	if len(files) < 5 {
		t.Fatalf("the page leads to %q", files)
	}
	for _, address := range files {
		got := b.get(address)
		if got.status != http.StatusOK || got.header.Get("Cache-Control") != "no-store" ||
			!strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment") || got.body == "" {
			t.Errorf("GET %s: status %d, %v", address, got.status, got.header)
		}
		switch {
		case strings.HasSuffix(address, ".svg"):
			if err := xml.NewDecoder(strings.NewReader(got.body)).Decode(new(struct{ XMLName xml.Name })); err != nil {
				t.Errorf("GET %s: %v", address, err)
			}
		case strings.HasSuffix(address, ".csv"):
			rows, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
			if err != nil || len(rows) < 2 || !slices.Contains(rows[0], "snapshot") {
				t.Errorf("GET %s: %d rows, %v", address, len(rows), err)
			}
		}
		if strings.Contains(got.body, "Interpreters at triage") || strings.Contains(got.body, "Ask each patient") {
			t.Errorf("GET %s holds free text", address)
		}
	}
}

func TestWhatHasNoMonthsIsToldWithoutFigures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.analyst(t, "ann")
	late := b.began(url.Values{"start": {"2026-02-20"}, "due": {"2026-12-31"}})
	page := b.open(late + "/effect")
	page.Sound()
	page.Says("It is too early to say what changed after the action of February 20, 2026")
	never := b.began(url.Values{"start": {"2031-01-01"}, "due": {"2031-12-31"}})
	page = b.open(never + "/effect")
	page.Sound()
	if said := page.Said(); !strings.Contains(said, "too early") && !strings.Contains(said, "no months of figures") {
		t.Errorf("the page says %s", said)
	}
}

func TestInsideAndOutside(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.analyst(t, "ann")
	b.must("/actions/conditions", crisis("Crisis standards of care"))
	page := b.open(compared + "&period=2025")
	page.Sound()
	page.Says("Crisis standards of care", "March 1, 2025", "Inside and outside", "Spanish")
	if n := len(page.All(pagetest.Tag(atom.Svg))); n == 0 {
		t.Error("there is no picture")
	}
	if got := pagetest.Attribute(page.ID("choice-period"), "value"); got != "2025" {
		t.Errorf("the form holds the period %q", got)
	}
	// No day of 2024 was inside.
	b.open(compared + "&period=2024").Says("This measure cannot be divided by days, or no day of the period is inside, or none is outside.")
}

// hostile are texts that would do something if a page or a program took them for anything but text.
func hostile() []string {
	return []string{
		`<script>alert(1)</script>`, `<iframe src="https://evil.example"></iframe>`, `<img src=x onerror=alert(1)>`,
		`"><svg onload=alert(1)>`, `</textarea><script>alert(2)</script>`, "javascript:alert(3)", `{{.Secret}}`,
		"=cmd|' /C calc'!A0", "+1+cmd", "@SUM(A1)", `%[1]s %d %v`, "</title><base href=//evil.example>",
	}
}

// TestHostileTextsAreText holds every page to what is in it: whatever is written in an action, a result or
// a condition, or as somebody's name, stays text.
func TestHostileTextsAreText(t *testing.T) {
	t.Parallel()
	for i, evil := range hostile() {
		if raceDetector && i%3 != 0 {
			continue // It takes ten times as long, and nothing goes on at once here.
		}
		t.Run(evil, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			b := w.analyst(t, "ann "+evil)
			one := b.began(url.Values{"title": {evil}, "what": {evil}, "owner": {evil}})
			b.must("/actions/conditions", crisis(evil))
			b.must(one, step("start", 1))
			for _, address := range append(addresses(one), one+"?lang=es", one+"/effect?lang=es") {
				if strings.Contains(address, "/files/") {
					continue
				}
				page := b.open(address)
				page.Sound()
				inert(t, page)
			}
			inert(t, pagetest.LeafOf(t, b.post(one, step("close", 2, "summary", evil)).body))
			b.must(one, step("close", 2, "outcome", "undetermined", "summary", evil))
			inert(t, b.open(one))
			inert(t, b.open("/actions"))
			for _, address := range filesOf(b.open(one + "/effect")) {
				if got := b.get(address); strings.Contains(got.body, evil) {
					t.Errorf("GET %s holds free text", address)
				}
			}
			if said := w.log.String() + strings.Join(w.trail.events, ""); strings.Contains(said, evil) && !strings.Contains("ann "+evil, evil) {
				t.Error("the log or the trail hold free text")
			}
		})
	}
}

// TestDirectionsOfWritingAreNotTurned holds signs that nobody sees to be gone when a text is written down.
func TestDirectionsOfWritingAreNotTurned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.analyst(t, "ann")
	one := b.began(url.Values{"title": {"a\u202eb\u2066c\x00"}, "what": {"a\u202eb"}})
	page := b.open(one)
	page.Silent("\u202e", "\u2066", "\x00")
	page.Says("abc")
}

// inert holds a page to have nothing but what its template and its pictures have.
func inert(t *testing.T, l *pagetest.Leaf) {
	t.Helper()
	for _, n := range l.All(func(*html.Node) bool { return true }) {
		switch n.DataAtom {
		case atom.Script, atom.Iframe, atom.Base, atom.Object, atom.Embed:
			t.Errorf("there is a <%s>", n.Data)
		case atom.Img:
			if !strings.HasPrefix(pagetest.Attribute(n, "src"), "/assets/") {
				t.Errorf("there is a picture of %s", pagetest.Attribute(n, "src"))
			}
		default:
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") {
				t.Errorf("<%s %s>", n.Data, a.Key)
			}
			if (a.Key == "href" || a.Key == "action") && !strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "?") &&
				!strings.HasPrefix(a.Val, "#") {
				t.Errorf("<%s %s> leads to %s", n.Data, a.Key, a.Val)
			}
		}
	}
	l.Silent("%!", "EXTRA", "MISSING")
}

// TestFreeTextIsInNoLogAndInNoTrail holds what people write to be in the store and on pages alone.
func TestFreeTextIsInNoLogAndInNoTrail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.analyst(t, "ann")
	const canary = "canary-7791"
	one := b.began(url.Values{"title": {canary}, "what": {canary}, "owner": {canary}})
	b.post(one+"/edit", anAction(url.Values{"version": {"1"}, "title": {canary}, "due": {canary}}))
	b.must("/actions/conditions", crisis(canary))
	b.must(one, step("start", 1))
	b.post(one, step("close", 1, "outcome", "reduced", "summary", canary))
	for _, address := range addresses(one) {
		got := b.get(address)
		for name, values := range got.header {
			if strings.Contains(strings.Join(values, ""), canary) {
				t.Errorf("GET %s: the header %s holds free text", address, name)
			}
		}
	}
	if err := w.records.Close(); err != nil {
		t.Fatal(err)
	}
	if got := b.post(one, step("close", 2, "outcome", "reduced", "summary", canary)); got.status < http.StatusInternalServerError ||
		bytes.Contains([]byte(got.body), []byte("sql")) {
		t.Errorf("without a store: status %d", got.status)
	}
	if w.log.String() == "" {
		t.Error("the log does not say why")
	}
	if strings.Contains(w.log.String(), canary) || strings.Contains(strings.Join(w.trail.events, ""), canary) {
		t.Error("the log or the trail hold free text")
	}
}
