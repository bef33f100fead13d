package dashboard_test

import (
	"context"
	"net/http"
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

// snapshot is what a page asks.
type snapshot = dashboard.Snapshot

// counted counts what a page asks of a snapshot, by how much it tells.
type counted struct{ released, inside *atomic.Int64 }

// watched is a snapshot whose questions are counted.
type watched struct {
	snapshot
	counted
}

// Answer implements dashboard.Snapshot.
func (w watched) Answer(
	ctx context.Context, asked measure.Question, audience release.Audience,
) (measure.Result, error) {
	if audience == release.Public {
		w.released.Add(1)
	} else {
		w.inside.Add(1)
	}
	return w.snapshot.Answer(ctx, asked, audience)
}

// Months implements dashboard.Snapshot.
func (w watched) Months(ctx context.Context, asked measure.Question) ([]measure.Result, error) {
	w.inside.Add(1)
	return w.snapshot.Months(ctx, asked)
}

// Earlier implements dashboard.Snapshot.
func (w watched) Earlier(ctx context.Context, use func(*measure.Engine) error) error {
	w.inside.Add(1)
	return w.snapshot.Earlier(ctx, use)
}

// newWatch is a dashboard of the made-up world whose questions are counted.
func newWatch(t *testing.T) (*dashboard.Dashboard, *rig, counted) {
	t.Helper()
	r := newRig(t, madeUp)
	n := counted{&atomic.Int64{}, &atomic.Int64{}}
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
			return r.hold(func(s snapshot) error { return use(watched{s, n}) })
		},
		Gate: people{[]role.Role{role.Analyst}}, Pages: pages, Reports: reports, Auditor: r.notes,
		Audit: audit.Builder{Observer: "test", Now: now}, Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	r.handler = routed(d.Routes())
	return d, r, n
}

func TestAWarmPageAsksNothing(t *testing.T) {
	t.Parallel()
	d, r, n := newWatch(t)
	if err := d.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n.released.Load() > 0 {
		t.Error("a release was made that nobody asked for")
	}
	made := n.inside.Load()
	if made == 0 || len(r.notes.events) > 0 {
		t.Errorf("%d questions were asked, and %d looks are in the trail", made, len(r.notes.events))
	}
	for _, lang := range []string{"en", "es"} {
		if got := r.get("/", "Accept-Language: "+lang); got.status != http.StatusOK {
			t.Errorf("status %d in %s", got.status, lang)
		}
	}
	if asked := n.inside.Load() - made; asked > 0 {
		t.Errorf("the warm pages asked %d questions", asked)
	}
	if r.get("/?by=sex"); n.inside.Load() == made {
		t.Error("another page asked nothing")
	}
}

func TestThePublicPageAsksForReleasesAlone(t *testing.T) {
	t.Parallel()
	_, r, n := newWatch(t)
	for _, address := range []string{
		"/?audience=public", "/?audience=public&by=site", "/?audience=public&period=2024",
		"/?audience=public&policy=spd15_2024", "/?audience=public&reference=overall",
	} {
		if got := r.get(address); got.status != http.StatusOK {
			t.Errorf("%s: status %d", address, got.status)
		}
	}
	if n.inside.Load() > 0 || n.released.Load() == 0 {
		t.Errorf("%d questions were for those inside, %d for the public", n.inside.Load(), n.released.Load())
	}
}
