package dashboard_test

import (
	"html"
	"net/http"
	"regexp"
	"sync"
	"testing"
)

// TestARushAsksOnce: however many open a page at once, what it asks is asked once.
func TestARushAsksOnce(t *testing.T) {
	t.Parallel()
	const page = "/compare?measure=telehealth-share&by=language_group"
	_, alone, one := newWatch(t)
	if got := alone.get(page); got.status != http.StatusOK {
		t.Fatalf("status %d", got.status)
	}
	_, r, many := newWatch(t)
	const readers = 50
	answers := make([]answer, readers)
	var all sync.WaitGroup
	for i := range readers {
		all.Go(func() { answers[i] = r.get(page) })
	}
	all.Wait()
	for i, got := range answers {
		if got.status != http.StatusOK || got.body != answers[0].body {
			t.Errorf("reader %d: status %d", i, got.status)
		}
	}
	if many.inside.Load() != one.inside.Load() || one.inside.Load() == 0 {
		t.Errorf("%d readers asked %d questions, one asks %d", readers, many.inside.Load(), one.inside.Load())
	}
	if len(r.notes.events) != readers {
		t.Errorf("%d looks are in the trail, want %d", len(r.notes.events), readers)
	}
}

// TestWhatTheFirstPageLeadsToIsWarm: the pages of the gaps that it lists, in each language.
func TestWhatTheFirstPageLeadsToIsWarm(t *testing.T) {
	t.Parallel()
	d, r, n := newWatch(t)
	if err := d.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	made := n.inside.Load()
	for _, lang := range []string{"en", "es"} {
		wish := "Accept-Language: " + lang
		next := toNext.FindAllStringSubmatch(r.get("/", wish).body, -1)
		if len(next) == 0 {
			t.Errorf("the first page leads nowhere in %s", lang)
		}
		for _, at := range append(next, []string{"", "/measures?audience=internal"}) {
			if got := r.get(html.UnescapeString(at[1]), wish); got.status != http.StatusOK {
				t.Errorf("%s: status %d", at[1], got.status)
			}
			if asked := n.inside.Load() - made; asked > 0 {
				t.Fatalf("%s asked %d questions in %s", at[1], asked, lang)
			}
		}
	}
}

// toNext is a link that leads from a gap to where it is looked into.
var toNext = regexp.MustCompile(`class="button" href="([^"]+)"`)
