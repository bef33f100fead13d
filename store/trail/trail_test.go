package trail_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/store/trail"
)

// event is an AuditEvent as far as a search looks at it.
func event(id, recorded, patient, agent string) []byte {
	return fmt.Appendf(nil, `{"resourceType":"AuditEvent","id":%q,"type":{"code":"rest"},`+
		`"subtype":[{"code":"read"}],"action":"R","recorded":%q,"outcome":"0",`+
		`"agent":[{"who":{"identifier":{"system":"https://ehr.example.org","value":%q}}}],`+
		`"entity":[{"what":{"reference":"Patient/%s"}}]}`, id, recorded, agent, patient)
}

// numbered is the event of a number; its patient is one of three and its agent one of two.
func numbered(n int) []byte {
	at := time.Date(2026, 11, 1, 0, 0, n, 0, time.UTC).Format(time.RFC3339)
	return event(fmt.Sprintf("e%d", n), at, fmt.Sprintf("p%d", n%3), fmt.Sprintf("a%d", n%2))
}

func november() time.Time { return time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC) }

func open(t testing.TB, cfg trail.Config) *trail.Trail {
	t.Helper()
	if cfg.Now == nil {
		cfg.Now = november
	}
	all, err := trail.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = all.Close() })
	return all
}

// filled is the folder of a trail of the events 1 to n, in files of about three.
func filled(t testing.TB, n int, key []byte) string {
	t.Helper()
	dir := t.TempDir()
	all := open(t, trail.Config{Dir: dir, Key: key, MaxFile: 1000})
	for i := 1; i <= n; i++ {
		if err := all.Audit(t.Context(), numbered(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := all.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// ids lists the events of a query over all its pages.
func ids(t testing.TB, all *trail.Trail, q trail.Query) []string {
	t.Helper()
	var out []string
	for {
		page, err := all.Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range page.Events {
			var e struct{ ID string }
			if err := json.Unmarshal(text, &e); err != nil {
				t.Fatal(err)
			}
			out = append(out, e.ID)
		}
		if page.Next == "" {
			return out
		}
		q.Cursor = page.Next
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	all := open(t, trail.Config{Dir: filled(t, 10, nil)})
	second := func(n int) time.Time { return november().Add(time.Duration(n) * time.Second) }
	tests := []struct {
		name string
		in   trail.Query
		want string
	}{
		{"everything, the last first", trail.Query{}, "e10 e9 e8 e7 e6 e5 e4 e3 e2 e1"},
		{"in pages of three", trail.Query{Count: 3}, "e10 e9 e8 e7 e6 e5 e4 e3 e2 e1"},
		{"in pages of one", trail.Query{Count: 1, Agent: "a1"}, "e9 e7 e5 e3 e1"},
		{"about a patient", trail.Query{Patient: phi.New("p1")}, "e10 e7 e4 e1"},
		{"about a patient whose id only begins alike", trail.Query{Patient: phi.New("p")}, ""},
		{"by a program", trail.Query{Agent: "a0"}, "e10 e8 e6 e4 e2"},
		{"by a person of an issuer", trail.Query{Agent: "https://ehr.example.org|a0"},
			"e10 e8 e6 e4 e2"},
		{"by nobody", trail.Query{Agent: "a2"}, ""},
		{"from a moment on", trail.Query{From: second(8)}, "e10 e9 e8"},
		{"before a moment", trail.Query{To: second(3)}, "e2 e1"},
		{"between two moments, about a patient",
			trail.Query{From: second(2), To: second(8), Patient: phi.New("p1")}, "e7 e4"},
		{"of a type", trail.Query{Type: "rest", Count: 100}, "e10 e9 e8 e7 e6 e5 e4 e3 e2 e1"},
		{"of another type", trail.Query{Type: "110114"}, ""},
		{"of a subtype and an action", trail.Query{Subtype: "read", Action: "R", ID: "e5"}, "e5"},
		{"of another subtype", trail.Query{Subtype: "vread"}, ""},
		{"that failed", trail.Query{Outcome: "8"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(ids(t, all, tt.in), " "); got != tt.want {
				t.Errorf("Search(%s) = %q, want %q", tt.name, got, tt.want)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	all := open(t, trail.Config{Dir: filled(t, 5, nil)})
	got, err := all.Load(t.Context(), "e2")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(numbered(2)), string(got)); diff != "" {
		t.Errorf("Load(e2) (-want +got):\n%s", diff)
	}
	if _, err := all.Load(t.Context(), "e6"); !errors.Is(err, trail.ErrNoEvent) {
		t.Errorf("Load(e6) = %v, want ErrNoEvent", err)
	}
}

func TestCursorsOfNobodyAreRefused(t *testing.T) {
	t.Parallel()
	all := open(t, trail.Config{Dir: filled(t, 2, nil)})
	for _, text := range []string{"x", "1", "1.", "0.5", "-1.5", "1.-5", "1.5.6", "01.5", "1.+5"} {
		if _, err := all.Search(t.Context(), trail.Query{Cursor: text}); !errors.Is(err, trail.ErrCursor) {
			t.Errorf("Search(cursor %q) = %v, want ErrCursor", text, err)
		}
	}
}

// TestAPageStaysWhileEventsAreAppended: a cursor is a place, not a number of events.
func TestAPageStaysWhileEventsAreAppended(t *testing.T) {
	t.Parallel()
	all := open(t, trail.Config{Dir: filled(t, 4, nil)})
	first, err := all.Search(t.Context(), trail.Query{Count: 2})
	if err != nil {
		t.Fatal(err)
	}
	for n := 5; n < 9; n++ {
		if err := all.Note(t.Context(), numbered(n)); err != nil {
			t.Fatal(err)
		}
	}
	if got := ids(t, all, trail.Query{Cursor: first.Next}); !slices.Equal(got, []string{"e2", "e1"}) {
		t.Errorf("the second page is %v", got)
	}
}

func TestWhatIsNoEventIsRefused(t *testing.T) {
	t.Parallel()
	all := open(t, trail.Config{Dir: t.TempDir()})
	for name, text := range map[string]string{
		"nothing": "", "a number": "7", "two lines": "{\"a\":\n1}", "half an object": `{"a":1`,
		"two objects": "{} {}", "a carriage return": "{\"a\":\r1}",
		"a very long one": `{"a":"` + strings.Repeat("x", 5<<20) + `"}`,
	} {
		if err := all.Audit(t.Context(), []byte(text)); !errors.Is(err, trail.ErrEvent) {
			t.Errorf("Audit(%s) = %v, want ErrEvent", name, err)
		}
	}
	if head := all.Head(); head.N != 0 {
		t.Errorf("%d events are in the trail", head.N)
	}
}

// TestManyWritersMakeOneChain: several goroutines of two trails on one folder, as a server and the
// command line beside it.
func TestManyWritersMakeOneChain(t *testing.T) {
	t.Parallel()
	const writers, each = 16, 25
	dir := t.TempDir()
	trails := []*trail.Trail{
		open(t, trail.Config{Dir: dir, MaxFile: 20_000}), open(t, trail.Config{Dir: dir, MaxFile: 20_000}),
	}
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for n := range each {
				keep := trails[w%2].Audit
				if n%3 == 0 {
					keep = trails[w%2].Note
				}
				if err := keep(context.Background(), numbered(w*each+n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		for range 20 {
			if page, err := trails[0].Search(context.Background(), trail.Query{}); err != nil ||
				page.Damaged > 0 {
				t.Errorf("a search beside the writers = %d damaged, %v", page.Damaged, err)
			}
		}
	}()
	group.Wait()
	<-reading
	report, err := trails[0].Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if report.Head.N != writers*each || report.Files < 2 || report.Torn != 0 {
		t.Errorf("Verify() = %+v, want %d events in several files", report, writers*each)
	}
	got := ids(t, trails[1], trail.Query{Count: 7})
	slices.Sort(got)
	if len(slices.Compact(got)) != writers*each {
		t.Errorf("%d different events are found, want %d", len(slices.Compact(got)), writers*each)
	}
}

func TestAMonthBeginsWithANewFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := november()
	all := open(t, trail.Config{Dir: dir, Now: func() time.Time { return now }})
	for range 3 {
		at := now.Format(time.RFC3339)
		for range 2 {
			if err := all.Audit(t.Context(), event("e", at, "p", "a")); err != nil {
				t.Fatal(err)
			}
		}
		now = now.AddDate(0, 1, 0)
	}
	// Another process goes on in the file of its month.
	again := open(t, trail.Config{Dir: dir, Now: func() time.Time { return now.AddDate(0, -1, 0) }})
	if err := again.Audit(t.Context(), event("e", "2027-01-02T00:00:00Z", "p", "a")); err != nil {
		t.Fatal(err)
	}
	report, err := all.Verify(t.Context())
	if err != nil || report.Files != 3 || report.Head.N != 7 {
		t.Errorf("Verify() = %+v, %v, want 7 events in 3 files", report, err)
	}
}

func TestFilesAreForTheOwnerAlone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "trail")
	all := open(t, trail.Config{Dir: dir})
	if err := all.Audit(t.Context(), numbered(1)); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is %v", filepath.Base(path), info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNothingIsAppendedAfterClose(t *testing.T) {
	t.Parallel()
	all := open(t, trail.Config{Dir: t.TempDir()})
	if err := all.Note(t.Context(), numbered(1)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(all.Close(), all.Close()); err != nil {
		t.Fatal(err)
	}
	if err := all.Audit(t.Context(), numbered(2)); err == nil {
		t.Error("a closed trail takes an event")
	}
}

// BenchmarkAppend prints what an event costs that is on disk when it returns, alone and in company,
// and what one that is written costs.
func BenchmarkAppend(b *testing.B) {
	for _, bench := range []struct {
		name     string
		parallel int
		note     bool
	}{{"audit alone", 0, false}, {"audit in company of 64", 32, false}, {"note", 0, true}} {
		b.Run(bench.name, func(b *testing.B) {
			all := open(b, trail.Config{Dir: b.TempDir()})
			keep := all.Audit
			if bench.note {
				keep = all.Note
			}
			text := numbered(1)
			if bench.parallel == 0 {
				for b.Loop() {
					if err := keep(b.Context(), text); err != nil {
						b.Fatal(err)
					}
				}
				return
			}
			b.SetParallelism(bench.parallel)
			b.RunParallel(func(loop *testing.PB) {
				for loop.Next() {
					if err := keep(b.Context(), text); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
