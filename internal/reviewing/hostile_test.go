package reviewing_test

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/server/page/pagetest"
	"github.com/equitylens/equitylens/store/decisions"
)

// hostile are texts that would do something if a page took them for anything but text.
func hostile() []string {
	return []string{
		`<script>alert(1)</script>`, `<iframe src="https://evil.example"></iframe>`, `<img src=x onerror=alert(1)>`,
		`"><svg onload=alert(1)>`, `</textarea><script>alert(2)</script>`, "javascript:alert(3)", `{{.Secret}}`,
		"a\u202eb\u2066c", "=cmd|' /C calc'!A0", `%[1]s %d %v`, "</title><base href=//evil.example>",
	}
}

// TestHostileTextsAreText holds every page to what is in it: whatever is written in an answer, as the name
// of a reviewer or of a site stays text.
func TestHostileTextsAreText(t *testing.T) {
	t.Parallel()
	for _, evil := range hostile() {
		t.Run(evil, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, review.TwoForEachOne)
			w.sites["site-a"] = evil
			ann, ben, id := w.reviewer(t, "ann "+evil), w.reviewer(t, "ben"), idOf(canaryEvent)
			form := yes(0)
			form.Set("evidence", evil)
			form.Set("else", evil)
			ann.must(id, form)
			other := no(1)
			other.Set("evidence", evil)
			ben.must(id, other)
			for _, address := range append(addresses(), "/reviews?site=site-a&lang=es", "/reviews/"+id+"?lang=es") {
				page := ann.open(address)
				page.Sound()
				inert(t, page)
			}
			form = yes(0)
			form.Set("evidence", evil)
			form.Set("answer", "no")
			inert(t, pagetest.LeafOf(t, ben.post("/reviews/"+idOf("e-2"), form).body))
		})
	}
}

// inert holds a page to have nothing but what its template has.
func inert(t *testing.T, l *pagetest.Leaf) {
	t.Helper()
	for _, n := range l.All(func(*html.Node) bool { return true }) {
		switch n.DataAtom {
		case atom.Script, atom.Iframe, atom.Base, atom.Svg, atom.Object, atom.Embed:
			t.Errorf("there is a <%s>", n.Data)
		case atom.Img:
			if !strings.HasPrefix(pagetest.Attribute(n, "src"), "/assets/") {
				t.Errorf("there is a picture of %s", pagetest.Attribute(n, "src"))
			}
		default:
		}
		for _, a := range n.Attr {
			if (a.Key == "href" || a.Key == "action") && !strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "?") &&
				!strings.HasPrefix(a.Val, "#") {
				t.Errorf("<%s %s> leads to %s", n.Data, a.Key, a.Val)
			}
		}
	}
	l.Silent("\u202e", "\u2066", "%!", "EXTRA", "MISSING")
}

// TestNobodyIsNamed holds pages, addresses and logs to name no patient, visit or event: they are in the
// trail and in the store.
func TestNobodyIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, review.TwoForEachOne)
	ann, ben, id := w.reviewer(t, "ann"), w.reviewer(t, "ben"), idOf(canaryEvent)
	var out strings.Builder
	take := func(a answer) {
		out.WriteString(a.body)
		for name, values := range a.header {
			out.WriteString(name + strings.Join(values, "\n"))
		}
	}
	bad := yes(0)
	bad.Del("evidence")
	take(ann.post("/reviews/"+id, bad))
	take(ann.post("/reviews/"+id, yes(0)))
	take(ben.post("/reviews/"+id, no(0)))
	take(ben.post("/reviews/"+id, no(1)))
	for _, address := range append(addresses(), "/reviews/"+id+"?done=answer", "/reviews?after=zzz", "/reviews/"+strings.Repeat("0", 40)) {
		take(ann.get(address))
	}
	w.trail.broken = true
	take(ann.get("/reviews/" + id))
	if err := w.records.Close(); err != nil {
		t.Fatal(err)
	}
	w.trail.broken = false
	take(ann.get("/reviews/" + id))
	take(ann.get("/reviews"))
	all := out.String() + w.log.String()
	for _, canary := range []string{canaryPatient, canaryEncounter, canaryEvent} {
		if strings.Contains(all, canary) {
			t.Errorf("%s is in a page, in a header or in the log", canary)
		}
	}
	if !strings.Contains(strings.Join(w.trail.events, "\n"), canaryPatient) {
		t.Error("the trail does not name the patient")
	}
	for _, words := range []string{"The consent form", "A pump failed"} {
		if strings.Contains(w.log.String(), words) || strings.Contains(strings.Join(w.trail.events, "\n"), words) {
			t.Errorf("%q is in the log or in the trail", words)
		}
	}
}

// TestAStoreThatIsGone holds a page to say that it cannot be shown, and why to the log alone.
func TestAStoreThatIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, review.OneReviewer)
	var store decisions.Store = w.records
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	b := w.reviewer(t, "ann")
	for _, address := range []string{"/reviews", "/reviews/" + idOf(canaryEvent)} {
		if got := b.get(address); got.status < 500 || strings.Contains(got.body, "sql") {
			t.Errorf("GET %s: status %d: %s", address, got.status, got.body)
		}
	}
	if w.log.String() == "" {
		t.Error("the log does not say why")
	}
}
