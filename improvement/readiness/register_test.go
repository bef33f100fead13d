package readiness_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/store/decisions"
)

var (
	ana   = review.Reviewer{Subject: "ana", Name: "Ana"}
	boris = review.Reviewer{Subject: "boris"}
)

func register(t *testing.T) *readiness.Register {
	t.Helper()
	store, err := decisions.Open(t.Context(), decisions.Config{Path: filepath.Join(t.TempDir(), "decisions.db")})
	if err != nil {
		t.Fatalf("Open() = %v", err)
	}
	t.Cleanup(func() { _ = store.Close() })
	r, err := readiness.New(readiness.Config{Records: store, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatalf("New() = %v", err)
	}
	return r
}

func period(t testing.TB, name string) measure.Period {
	t.Helper()
	p, err := measure.ParsePeriod(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestName(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, in, want string }{
		{"a year", "2026", "2026"},
		{"a quarter", "2026-Q3", "2026-Q3"},
		{"a month", "2026-02", "2026-02"},
		{"a leap February", "2028-02", "2028-02"},
		{"a year by its days", "2026-01-01/2026-12-31", "2026"},
		{"two months", "2026-01-01/2026-02-28", ""},
		{"three months across quarters", "2026-02-01/2026-04-30", ""},
		{"a part of a month", "2026-01-02/2026-01-31", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			name, id, err := readiness.Name(period(t, c.in))
			switch {
			case c.want == "" && !errors.Is(err, readiness.ErrPeriod):
				t.Errorf("Name(%s) = %q, %v", c.in, name, err)
			case c.want != "" && (name != c.want || id != "readiness-"+c.want || err != nil):
				t.Errorf("Name(%s) = %q, %q, %v", c.in, name, id, err)
			}
		})
	}
}

func TestARegisterKeepsAnswersAndTheirHistory(t *testing.T) {
	t.Parallel()
	r, year := register(t), period(t, "2026")
	empty, err := r.Of(t.Context(), year)
	if err != nil || empty.Version != 0 || empty.State != readiness.Draft || len(empty.Answers) != 0 {
		t.Fatalf("Of() = %+v, %v", empty, err)
	}
	first, err := r.Reply(t.Context(), year, 0, ana,
		readiness.Reply{Item: "accountable-leader", Level: at(2), Comment: "named in May"},
		readiness.Reply{Item: "race-recorded", Comment: "one site has an old form"})
	if err != nil {
		t.Fatalf("Reply() = %v", err)
	}
	second, err := r.Reply(t.Context(), year, first.Version, boris,
		readiness.Reply{Item: "accountable-leader"}, readiness.Reply{Item: "partners", Level: at(0)})
	if err != nil {
		t.Fatalf("Reply() = %v", err)
	}
	want := map[string]readiness.Answer{
		"race-recorded": {Item: "race-recorded", Comment: "one site has an old form", By: ana, At: now},
		"partners":      {Item: "partners", Level: at(0), By: boris, At: now},
	}
	if diff := cmp.Diff(want, second.Answers); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	history, err := r.History(t.Context(), "readiness-2026")
	if err != nil || len(history) != 2 {
		t.Fatalf("History() = %d versions, %v", len(history), err)
	}
	if diff := cmp.Diff(first, history[0]); diff != "" {
		t.Errorf("the first version (-written +kept):\n%s", diff)
	}
	if history[1].By != boris {
		t.Errorf("the second is by %+v", history[1].By)
	}
}

func TestAReplyIsRefused(t *testing.T) {
	t.Parallel()
	r, year := register(t), period(t, "2026")
	cases := []struct {
		name string
		in   readiness.Reply
		want error
	}{
		{"an item that is none", readiness.Reply{Item: "nobody", Level: at(1)}, readiness.ErrItem},
		{"a level for what the data answer", readiness.Reply{Item: "race-recorded", Level: at(3)}, readiness.ErrFromData},
		{"a level that is none", readiness.Reply{Item: "partners", Level: at(4)}, readiness.ErrLevel},
		{"a level below all", readiness.Reply{Item: "partners", Level: at(-1)}, readiness.ErrLevel},
		{
			"a comment that is too long",
			readiness.Reply{Item: "partners", Level: at(1), Comment: strings.Repeat("a", 8<<10+1)}, readiness.ErrText,
		},
		{"text that turns around", readiness.Reply{Item: "partners", Comment: "a\u202eb"}, readiness.ErrText},
		{"a control character", readiness.Reply{Item: "partners", Comment: "a\x00b"}, readiness.ErrText},
		{"bytes that are no text", readiness.Reply{Item: "partners", Comment: "a\xff"}, readiness.ErrText},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := r.Reply(t.Context(), year, 0, ana, readiness.Reply{Item: "community-voice", Level: at(1)}, c.in)
			if !errors.Is(err, c.want) {
				t.Errorf("Reply() = %v, want %v", err, c.want)
			}
			if c.in.Comment != "" && strings.Contains(err.Error(), c.in.Comment) {
				t.Errorf("the error repeats what was typed: %v", err)
			}
			if a, err := r.Of(t.Context(), year); err != nil || a.Version != 0 {
				t.Errorf("something was written: %+v, %v", a, err)
			}
		})
	}
}

// answered answers everything that is people's.
func answered(t *testing.T, r *readiness.Register, p measure.Period, level readiness.Level) readiness.Assessment {
	t.Helper()
	var replies []readiness.Reply
	for _, i := range r.Questionnaire().Items() {
		if !i.FromData() {
			replies = append(replies, readiness.Reply{Item: i.ID, Level: at(level)})
		}
	}
	a, err := r.Reply(t.Context(), p, 0, ana, replies...)
	if err != nil {
		t.Fatalf("Reply() = %v", err)
	}
	return a
}

func TestFinishKeepsTheFiguresOfTheDay(t *testing.T) {
	t.Parallel()
	r, year := register(t), period(t, "2025")
	data := readiness.Data{
		Snapshot: "20260301-1", DataAsOf: now.Add(-time.Hour), Now: now, Actions: &readiness.Actions{},
		Results: []measure.Result{scored("real-completeness", "race", 0.7)},
	}
	partly, err := r.Reply(t.Context(), year, 0, ana, readiness.Reply{Item: "partners", Level: at(1)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Finish(t.Context(), year, partly.Version, ana, data)
	if !errors.Is(err, readiness.ErrUnanswered) || !strings.Contains(err.Error(), "accountable-leader") {
		t.Fatalf("Finish() of a half = %v", err)
	}
	q := period(t, "2025-Q4")
	a := answered(t, r, q, readiness.Established)
	final, err := r.Finish(t.Context(), q, a.Version, boris, data)
	if err != nil {
		t.Fatalf("Finish() = %v", err)
	}
	race := final.Answers["race-recorded"]
	if race.Level == nil || *race.Level != readiness.Begun || race.Figure.Value != 0.7 {
		t.Errorf("race-recorded = %+v", race)
	}
	if ethnicity := final.Answers["ethnicity-recorded"]; ethnicity.Level != nil ||
		ethnicity.Figure.Missing != readiness.NoMeasure {
		t.Errorf("ethnicity-recorded = %+v", ethnicity)
	}
	if final.State != readiness.Final || final.Snapshot != data.Snapshot || !final.DataAsOf.Equal(data.DataAsOf) {
		t.Errorf("final = %+v", final)
	}
	later := r.Questionnaire().Lay(final, readiness.Figures{readiness.RaceRecorded: {Value: 1}})
	if diff := cmp.Diff(final, later); diff != "" {
		t.Errorf("later figures changed a final assessment (-final +later):\n%s", diff)
	}
	if _, err := r.Reply(t.Context(), q, final.Version, ana, readiness.Reply{Item: "partners", Level: at(3)}); !errors.Is(err, readiness.ErrFinal) {
		t.Errorf("Reply() to a final one = %v", err)
	}
	if _, err := r.Reopen(t.Context(), q, final.Version, ana, " "); !errors.Is(err, readiness.ErrText) {
		t.Errorf("Reopen() without a reason = %v", err)
	}
	again, err := r.Reopen(t.Context(), q, final.Version, ana, "the policy was never approved")
	if err != nil {
		t.Fatalf("Reopen() = %v", err)
	}
	if again.State != readiness.Draft || again.Snapshot != "" || again.Answers["race-recorded"].Figure != nil ||
		*again.Answers["partners"].Level != readiness.Established {
		t.Errorf("reopened = %+v", again)
	}
	if _, err := r.Reopen(t.Context(), q, again.Version, ana, "once more"); !errors.Is(err, readiness.ErrNotFinal) {
		t.Errorf("Reopen() of a draft = %v", err)
	}
}

// Of those who read one version and write at once, one wins, and what the others typed is theirs still.
func TestTwoWhoWriteAtOnceDoNotOverwriteEachOther(t *testing.T) {
	t.Parallel()
	r, year := register(t), period(t, "2026")
	const writers = 8
	errs := make([]error, writers)
	var group sync.WaitGroup
	for n := range writers {
		group.Go(func() {
			_, errs[n] = r.Reply(context.WithoutCancel(t.Context()), year, 0, ana,
				readiness.Reply{Item: "partners", Level: at(readiness.Level(n % 4))})
		})
	}
	group.Wait()
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, decisions.ErrConflict):
			t.Errorf("Reply() = %v", err)
		}
	}
	a, err := r.Of(t.Context(), year)
	if err != nil || won != 1 || a.Version != 1 {
		t.Errorf("%d won, version %d, %v", won, a.Version, err)
	}
}

func TestPeriodsAreListedInTheirOrder(t *testing.T) {
	t.Parallel()
	r := register(t)
	for _, name := range []string{"2026-02", "2026-Q1", "2025", "2026-01", "2025-Q4", "2026"} {
		if _, err := r.Reply(t.Context(), period(t, name), 0, ana, readiness.Reply{Item: "partners", Level: at(1)}); err != nil {
			t.Fatal(err)
		}
	}
	list, err := r.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range list {
		got = append(got, a.Period)
	}
	want := []string{"2025", "2025-Q4", "2026", "2026-Q1", "2026-01", "2026-02"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("List() (-want +got):\n%s", diff)
	}
	befores := map[string]string{"2026": "2025", "2026-Q1": "2025-Q4", "2026-02": "2026-01"}
	for _, a := range list {
		before, err := r.Before(t.Context(), a)
		want := befores[a.Period]
		if want == "" && !errors.Is(err, decisions.ErrNotFound) || want != "" && (err != nil || before.Period != want) {
			t.Errorf("Before(%s) = %s, %v, want %q", a.Period, before.Period, err, want)
		}
	}
}

// A register does what a map does: whatever is written in whatever order, the last reply to an item
// stands, and each version is what stood then.
func TestARegisterIsAMap(t *testing.T) {
	t.Parallel()
	r := register(t)
	items := []string{"partners", "community-voice", "race-recorded", "digital-help"}
	year := 2000
	rapid.Check(t, func(rt *rapid.T) {
		year++
		p := measure.Period{
			Start: time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC), End: time.Date(year, 12, 31, 0, 0, 0, 0, time.UTC),
		}
		naive := map[string]readiness.Reply{}
		version := 0
		for range rapid.IntRange(1, 6).Draw(rt, "writes") {
			reply := readiness.Reply{
				Item: rapid.SampledFrom(items).Draw(rt, "item"), Comment: rapid.StringMatching(`[a-zñ\n]{0,8}`).Draw(rt, "comment"),
			}
			if reply.Item != "race-recorded" && rapid.Bool().Draw(rt, "answered") {
				reply.Level = at(readiness.Level(rapid.IntRange(0, 3).Draw(rt, "level")))
			}
			a, err := r.Reply(t.Context(), p, version, ana, reply)
			if err != nil {
				rt.Fatalf("Reply(%+v) = %v", reply, err)
			}
			version++
			naive[reply.Item] = reply
			if reply.Level == nil && reply.Comment == "" {
				delete(naive, reply.Item)
			}
			if a.Version != version || len(a.Answers) != len(naive) {
				rt.Fatalf("version %d with %d answers, want %d with %d", a.Version, len(a.Answers), version, len(naive))
			}
			for id, want := range naive {
				got := a.Answers[id]
				if diff := cmp.Diff(want, readiness.Reply{Item: got.Item, Level: got.Level, Comment: got.Comment}); diff != "" {
					rt.Fatalf("%s (-want +got):\n%s", id, diff)
				}
			}
		}
	})
}
