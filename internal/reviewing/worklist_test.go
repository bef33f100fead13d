package reviewing_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/server/page/pagetest"
)

// listed are the ids of the rows of the list.
func listed(l *pagetest.Leaf) []string {
	var out []string
	for _, tr := range l.All(pagetest.Tag(atom.Tr)) {
		for a := range tr.Descendants() {
			if id, ok := strings.CutPrefix(pagetest.Attribute(a, "href"), "/reviews/"); ok && a.DataAtom == atom.A {
				id, _, _ = strings.Cut(id, "?")
				out = append(out, id)
			}
		}
	}
	return out
}

func TestWorklist(t *testing.T) {
	t.Parallel()
	w := newWorld(t, review.OneReviewer)
	b := w.reviewer(t, "ann")
	b.must(idOf("e-2"), no(0))
	page := b.open("/reviews")
	page.Sound()
	page.Says("Asked about and settled: 1 of 8 harm events in this list (12%).", "Near miss",
		"Black or African American · Vietnamese · 65 to 74 years", "None documented", "overdue", "Patient not here",
		"Ways of detection stand side by side and are never added", "Open", "Settled")
	page.Silent("Cohen")
	event := w.trail.last()
	for _, want := range []string{"Patient/" + canaryPatient, "Patient/p-2", "Patient/p-4"} {
		if !strings.Contains(event, want) {
			t.Errorf("the trail does not name %s", want)
		}
	}
	if rows := listed(page); len(rows) != 8 {
		t.Errorf("%d rows", len(rows))
	}
}

// TestTheListIsFiltered holds every filter to what it says, event by event.
func TestTheListIsFiltered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, review.OneReviewer)
	b := w.reviewer(t, "ann")
	b.must(idOf("e-2"), no(0))
	b.must(idOf("e-5"), yes(0))
	settled := map[string]string{"e-2": "no", "e-5": "yes"}
	way := map[string]string{"e-2": "triggered", "e-5": "reported"}
	for _, test := range []struct {
		query string
		keep  func(i int) bool
	}{
		{"", func(int) bool { return true }},
		{"state=open", func(i int) bool { return settled[w.events[i].ID.Reveal()] == "" }},
		{"state=settled", func(i int) bool { return settled[w.events[i].ID.Reveal()] != "" }},
		{"state=waiting", func(int) bool { return false }},
		{"actuality=potential", func(i int) bool { return w.events[i].Actuality == mapping.Potential }},
		{"category=wrong-dose", func(i int) bool { return w.events[i].Category == "wrong-dose" }},
		{"category=~unmapped", func(i int) bool { return w.events[i].Category == "~unmapped" }},
		{"severity=severe", func(i int) bool { return w.events[i].Severity == "severe" }},
		{"site=site-b", func(i int) bool { return w.events[i].Site == "site-b" }},
		{"site=nowhere", func(int) bool { return false }},
		{"from=2026-01-22", func(i int) bool { return !w.events[i].Date.Before(day("2026-01-22")) }},
		{"to=2025-11-02", func(i int) bool { return !w.events[i].Date.IsZero() && !w.events[i].Date.After(day("2025-11-02")) }},
		{"answer=yes", func(i int) bool { return settled[w.events[i].ID.Reveal()] == "yes" }},
		{"detection=triggered", func(i int) bool { return way[w.events[i].ID.Reveal()] == "triggered" }},
		{"state=open&site=site-b&actuality=actual", func(i int) bool {
			return w.events[i].Site == "site-b" && settled[w.events[i].ID.Reveal()] == ""
		}},
	} {
		t.Run(test.query, func(t *testing.T) {
			var want []string
			for i := range w.events {
				if test.keep(i) {
					want = append(want, idOf(w.events[i].ID.Reveal()))
				}
			}
			page := b.open("/reviews?" + test.query)
			got := listed(page)
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the list (-want +got):\n%s", diff)
			}
			if len(want) == 0 {
				page.Says("There is no event to which this applies.")
			}
		})
	}
}

func TestTheFormKeepsWhatWasChosen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, review.OneReviewer)
	page := w.reviewer(t, "ann").open("/reviews?state=open&severity=severe&from=2026-01-01&lang=es")
	page.Sound()
	if got := pagetest.Attribute(page.ID("choice-from"), "value"); got != "2026-01-01" {
		t.Errorf("the form says from %q", got)
	}
	chosen := page.All(func(n *html.Node) bool {
		return n.DataAtom == atom.Option && slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "selected" })
	})
	var values []string
	for _, n := range chosen {
		values = append(values, pagetest.Attribute(n, "value"))
	}
	if want := []string{"", "severe", "", "", "", ""}; !slices.Equal(values, want) {
		t.Errorf("the form has chosen %q, want %q", values, want)
	}
	hidden := map[string]string{}
	for _, n := range page.All(func(n *html.Node) bool { return pagetest.Attribute(n, "type") == "hidden" }) {
		hidden[pagetest.Attribute(n, "name")] = pagetest.Attribute(n, "value")
	}
	if diff := cmp.Diff(map[string]string{"state": "open", "lang": "es"}, hidden); diff != "" {
		t.Errorf("the form keeps (-want +got):\n%s", diff)
	}
	for _, a := range page.All(pagetest.Tag(atom.A)) {
		href := pagetest.Attribute(a, "href")
		if strings.HasPrefix(href, "/reviews") && !strings.Contains(href, "lang=es") {
			t.Errorf("a link loses the language: %s", href)
		}
	}
}

func TestAnAddressThatMeansNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, review.OneReviewer)
	b := w.reviewer(t, "ann")
	for _, address := range []string{
		"/reviews?state=nice", "/reviews?actuality=x", "/reviews?category=x", "/reviews?severity=~nothing",
		"/reviews?from=today", "/reviews?to=2026-02-30", "/reviews?after=x", "/reviews?patient=7",
		"/reviews?state=open&state=settled", "/reviews?detection=all", "/reviews?answer=not-asked",
		"/reviews?site=" + url.QueryEscape("a\x00b"), "/reviews/clusters?least=0", "/reviews/clusters?least=many",
		"/reviews/clusters?state=open", "/reviews/codes?q=1", "/reviews/" + idOf("e-2") + "?patient=7",
	} {
		if got := b.get(address); got.status != http.StatusBadRequest {
			t.Errorf("GET %s: status %d", address, got.status)
		}
	}
}

func TestPagesOfTheList(t *testing.T) {
	t.Parallel()
	w := newWorld(t, review.OneReviewer)
	w.perPage = 3
	b := w.reviewer(t, "ann")
	var all []string
	address := "/reviews?lang=en"
	for pages := 1; address != ""; pages++ {
		page := b.open(address)
		page.Sound()
		all = append(all, listed(page)...)
		next := page.All(func(n *html.Node) bool { return pagetest.Attribute(n, "rel") == "next" })
		address = ""
		if len(next) == 1 {
			address = pagetest.Attribute(next[0], "href")
		}
		if pages > 3 {
			t.Fatal("the list does not end")
		}
	}
	want := make([]string, len(w.events))
	for i := range w.events {
		want[i] = idOf(w.events[i].ID.Reveal())
	}
	got := slices.Clone(all)
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("all pages (-want +got):\n%s", diff)
	}
	b.open("/reviews?after=" + strings.Repeat("0", 40)).Says("The list has changed since its last page was opened.")
}

func TestWaysOfDetectionAreNeverAdded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, review.OneReviewer)
	b := w.reviewer(t, "ann")
	b.must(idOf("e-4"), yes(0))
	b.must(idOf("e-5"), yes(0))
	b.must(idOf("e-6"), no(0))
	page := b.open("/reviews")
	var rows []string
	table := page.ID("detection")
	for tr := range table.Descendants() {
		if tr.DataAtom == atom.Tr {
			rows = append(rows, pagetest.Text(tr))
		}
	}
	want := []string{
		"Came to be known Settled reviews Yes No Undetermined Factors",
		"Reported 2 2 0 0 Language access 2", "Triggered 1 0 1 0 –", "Found in review 0 0 0 0 –",
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("the table (-want +got):\n%s", diff)
	}
}

func TestAgreement(t *testing.T) {
	t.Parallel()
	w := newWorld(t, review.TwoForEachOne)
	ann, ben := w.reviewer(t, "ann"), w.reviewer(t, "ben")
	ann.open("/reviews").Says("No event has been answered by two reviewers yet.")
	for i, event := range []string{"e-4", "e-5", "e-6", "e-7"} {
		ann.must(idOf(event), yes(0))
		if i < 3 {
			ben.must(idOf(event), yes(1))
		} else {
			ben.must(idOf(event), no(1))
		}
	}
	page := ann.open("/reviews")
	page.Sound()
	// Both say yes of three, and differ on one: observed 3/4, expected 1 × 3/4, so that κ is 0.
	page.Says("4 events were answered by two reviewers", "they agreed on 75%", "Cohen’s κ is 0.00", "too few")
	if got := pagetest.Text(page.ID("agreement")); !strings.Contains(got, "Yes 3 1 0") {
		t.Errorf("the table of both is %s", got)
	}
}

func TestClusters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, review.OneReviewer)
	b := w.reviewer(t, "ann")
	b.open("/reviews/clusters").Says("No reviewed events of one group have a factor in common.")
	b.must(idOf("e-4"), yes(0))
	b.must(idOf("e-5"), yes(0))
	b.must(idOf("e-6"), no(0))
	page := b.open("/reviews/clusters")
	page.Sound()
	page.Says("Language access — Site: Riverside Hospital", "2 events, of 3 of this group with an answer.",
		"From November 1, 2025 to November 2, 2025.", "A cluster is no rate")
	act := page.All(func(n *html.Node) bool { return strings.HasPrefix(pagetest.Attribute(n, "href"), "/actions/new") })
	if len(act) == 0 {
		t.Fatal("no cluster leads to an action")
	}
	address, err := url.Parse(pagetest.Attribute(act[0], "href"))
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{"cause": {"language-access"}, "review": {idOf("e-4"), idOf("e-5")}}
	if diff := cmp.Diff(want, address.Query()); diff != "" {
		t.Errorf("the action is about (-want +got):\n%s", diff)
	}
	b.open("/reviews/clusters?least=3").Says("No reviewed events of one group have a factor in common.")
}

func TestCodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, review.OneReviewer)
	b := w.reviewer(t, "ann")
	english, spanish := b.open("/reviews/codes"), b.open("/reviews/codes?lang=es")
	english.Sound()
	spanish.Sound()
	for _, table := range [][]review.Concept{review.Answers(), review.Factors(), review.Detections()} {
		for _, c := range table {
			english.Says(c.Code, c.Display.English, c.Definition.English, c.Example.English)
			spanish.Says(c.Code, c.Display.Spanish, c.Definition.Spanish, c.Example.Spanish)
		}
	}
	english.Says(review.SystemAnswer, review.SystemFactor, review.SystemDetection, "Not asked")
}
