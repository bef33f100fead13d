package dashboard_test

import (
	"context"
	"html"
	"net/http"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/internal/dashboard"
	"github.com/equitylens/equitylens/internal/worldtest"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/measure/report"
	"github.com/equitylens/equitylens/server/page"
)

// tallied is a snapshot that tallies what it is asked.
type tallied struct {
	dashboard.Snapshot
	asked *atomic.Int64
}

// Answer implements dashboard.Snapshot.
func (s tallied) Answer(
	ctx context.Context, asked measure.Question, audience release.Audience,
) (measure.Result, error) {
	s.asked.Add(1)
	return s.Snapshot.Answer(ctx, asked, audience)
}

// Months implements dashboard.Snapshot.
func (s tallied) Months(ctx context.Context, asked measure.Question) ([]measure.Result, error) {
	s.asked.Add(1)
	return s.Snapshot.Months(ctx, asked)
}

// newTally is a dashboard of the made-up world for an analyst, and how many questions its pages ask.
func newTally(t *testing.T) (*dashboard.Dashboard, *rig, *atomic.Int64) {
	t.Helper()
	r, asked := newRig(t, madeUp), &atomic.Int64{}
	pages, err := page.New(page.Config{})
	if err != nil {
		t.Fatal(err)
	}
	now := worldtest.At(r.asOf.Add(time.Hour)).Now
	reports, err := report.New(report.Config{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	d, err := dashboard.New(dashboard.Config{
		Hold: func(use func(dashboard.Snapshot) error) error {
			return r.hold(func(s dashboard.Snapshot) error { return use(tallied{s, asked}) })
		},
		Gate: people{[]role.Role{role.Analyst}}, Pages: pages, Reports: reports, Auditor: r.notes,
		Audit: audit.Builder{Observer: "test", Now: now}, Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	r.handler = routed(d.Routes())
	return d, r, asked
}

// TestARushAsksOnce: however many open a page at once, what it asks is asked once.
func TestARushAsksOnce(t *testing.T) {
	t.Parallel()
	const page = "/compare?measure=telehealth-share&by=language_group"
	_, alone, one := newTally(t)
	if got := alone.get(page); got.status != http.StatusOK {
		t.Fatalf("status %d", got.status)
	}
	_, r, many := newTally(t)
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
	if many.Load() != one.Load() || one.Load() == 0 {
		t.Errorf("%d readers asked %d questions, one asks %d", readers, many.Load(), one.Load())
	}
	if len(r.notes.events) != readers {
		t.Errorf("%d looks are in the trail, want %d", len(r.notes.events), readers)
	}
}

// TestWhatTheFirstPageLeadsToIsWarm: the pages of the gaps that it lists, in each language.
func TestWhatTheFirstPageLeadsToIsWarm(t *testing.T) {
	t.Parallel()
	d, r, n := newTally(t)
	if err := d.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	made := n.Load()
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
			if asked := n.Load() - made; asked > 0 {
				t.Fatalf("%s asked %d questions in %s", at[1], asked, lang)
			}
		}
	}
}

// toNext is a link that leads from a gap to where it is looked into.
var toNext = regexp.MustCompile(`class="button" href="([^"]+)"`)
