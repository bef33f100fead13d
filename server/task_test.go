package server_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/report/reporttest"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/store/trail"
)

func TestAKeptAnswerIsGivenAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	first := f.get(edOf2018, internalScope)
	again := f.get(edOf2018, internalScope)
	if diff := cmp.Diff(first.Body.String(), again.Body.String()); diff != "" {
		t.Errorf("the answers differ:\n%s", diff)
	}
	tag := first.Header().Get("ETag")
	if !strings.HasPrefix(tag, `W/"`) || again.Header().Get("ETag") != tag {
		t.Errorf("the tags are %q and %q", tag, again.Header().Get("ETag"))
	}
	if got := first.Header().Get("Cache-Control"); got != "private, no-cache" {
		t.Errorf("Cache-Control is %q", got)
	}
	if f.measures.times() != 1 {
		t.Errorf("%d evaluations, want 1", f.measures.times())
	}
	for name, other := range map[string]string{
		"another period":     evaluateED + "?periodStart=2017&periodEnd=2018",
		"another stratifier": edOf2018 + "&stratifier=race",
		"another measure":    strings.Replace(edOf2018, "ed-left-without-being-seen", "length-of-stay", 1),
		"with bounds":        edOf2018 + "&bounds=true",
		"with a policy":      edOf2018 + "&racePolicy=omb1997_exclusive",
		"with a filter":      edOf2018 + "&filter=sex:female",
		"with a reference":   edOf2018 + "&reference=overall",
	} {
		if w := f.get(other, internalScope); w.Header().Get("ETag") == tag || w.Code != http.StatusOK {
			t.Errorf("%s = %d with the tag of the first", name, w.Code)
		}
	}
}

func TestWhatTheCallerHasIsNotSentAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	tag := f.get(edOf2018, internalScope).Header().Get("ETag")
	for _, tt := range []struct {
		name, header string
		want         int
	}{
		{"the tag", "If-None-Match: " + tag, 304},
		{"the tag, taken for a strong one", "If-None-Match: " + strings.TrimPrefix(tag, "W/"), 304},
		{"among others", `If-None-Match: "x", ` + tag, 304},
		{"any", "If-None-Match: *", 304},
		{"another", `If-None-Match: W/"x"`, 200},
	} {
		w := f.call(http.MethodGet, edOf2018, "", "Authorization: Bearer "+internalScope, tt.header)
		if w.Code != tt.want || w.Header().Get("ETag") != tag || w.Code == 304 && w.Body.Len() > 0 {
			t.Errorf("%s = %d %s of %d bytes", tt.name, w.Code, w.Header().Get("ETag"), w.Body.Len())
		}
	}
	w := f.call(http.MethodGet, edOf2018, "", "Authorization: Bearer "+reportScope,
		"If-None-Match: "+tag)
	if w.Code != http.StatusOK {
		t.Errorf("the tag of another audience = %d", w.Code)
	}
	if w := f.call(http.MethodGet, edOf2018, "", "If-None-Match: "+tag); w.Code != 401 {
		t.Errorf("the tag without a token = %d", w.Code)
	}
}

// moving is a snapshot that is replaced.
type moving struct{ id atomic.Int64 }

func (m *moving) Current() (server.Snapshot, bool) {
	return server.Snapshot{ID: fmt.Sprint("s", m.id.Load())}, true
}

func TestANewSnapshotIsANewAnswer(t *testing.T) {
	t.Parallel()
	m := &moving{}
	f := newFixture(t, func(c *server.Config) { c.Snapshots = m })
	before := f.get(edOf2018, internalScope).Header().Get("ETag")
	m.id.Add(1)
	w := f.call(http.MethodGet, edOf2018, "", "Authorization: Bearer "+internalScope,
		"If-None-Match: "+before)
	if w.Code != http.StatusOK || w.Header().Get("ETag") == before || f.measures.times() != 2 {
		t.Errorf("%d %s after %d evaluations", w.Code, w.Header().Get("ETag"), f.measures.times())
	}
}

// TestAnAnswerBetweenTwoSnapshotsIsNotKept: nobody knows of which it is.
func TestAnAnswerBetweenTwoSnapshotsIsNotKept(t *testing.T) {
	t.Parallel()
	m := &moving{}
	f := newFixture(t, func(c *server.Config) { c.Snapshots = m })
	f.measures.answer = func(context.Context, string) (measure.Result, error) {
		if f.measures.times() == 1 {
			m.id.Add(1)
		}
		return reporttest.Results()[0], nil
	}
	if w := f.get(edOf2018, internalScope); w.Code != 200 || w.Header().Get("ETag") != "" {
		t.Errorf("%d with the tag %q", w.Code, w.Header().Get("ETag"))
	}
	f.get(edOf2018, internalScope)
	if f.measures.times() != 2 {
		t.Errorf("%d evaluations, want 2", f.measures.times())
	}
}

// TestWhatIsKeptIsBounded asks more than there is room for: the first question is forgotten.
func TestWhatIsKeptIsBounded(t *testing.T) {
	t.Parallel()
	size := newFixture(t).get(edOf2018, internalScope).Body.Len()
	f := newFixture(t, func(c *server.Config) { c.MaxKept = 6 * size })
	for year := 2000; year < 2012; year++ {
		f.get(fmt.Sprintf("%s?periodStart=%d&periodEnd=%d", evaluateED, year, year), internalScope)
	}
	last := f.measures.times()
	f.get(evaluateED+"?periodStart=2011&periodEnd=2011", internalScope)
	if f.measures.times() != last {
		t.Error("the last answer was forgotten")
	}
	f.get(evaluateED+"?periodStart=2000&periodEnd=2000", internalScope)
	if f.measures.times() == last {
		t.Error("the first answer is kept beyond the bound")
	}
}

// BenchmarkAKeptAnswer is what a kept answer costs from the router on; the token and the connection
// come on top.
func BenchmarkAKeptAnswer(b *testing.B) {
	f := newFixture(b)
	for b.Loop() {
		w := f.call(http.MethodGet, edOf2018, "", "Authorization: Bearer "+internalScope,
			"Accept-Encoding: gzip")
		if w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}

// BenchmarkAKeptAnswerOnDisk is the same with a real audit trail.
func BenchmarkAKeptAnswerOnDisk(b *testing.B) {
	kept, err := trail.Open(trail.Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = kept.Close() }()
	f := newFixture(b, func(c *server.Config) { c.Auditor, c.Now = kept, nil })
	for b.Loop() {
		w := f.call(http.MethodGet, edOf2018, "", "Authorization: Bearer "+internalScope,
			"Accept-Encoding: gzip")
		if w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}

func BenchmarkHealth(b *testing.B) {
	f := newFixture(b)
	for b.Loop() {
		if w := f.get("/healthz", ""); w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}
