package action_test

import (
	"crypto/rand"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/decisions/decisionstest"
)

// errUnknown is what the measures of these tests say of an aim that they do not know.
var errUnknown = errors.New("there is no such measure")

func checkAim(a action.Aim) error {
	if a.Measure != "readmission-30-day" {
		return errUnknown
	}
	return nil
}

// clock is a time that tests move.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func newClock() *clock { return &clock{time.Date(2026, 3, 15, 9, 30, 0, 123456789, time.UTC)} }

func register(records action.Records, c *clock) *action.Register {
	return action.New(action.Config{Records: records, Now: c.Now, Random: rand.Reader, CheckAim: checkAim})
}

func analyst() review.Reviewer { return review.Reviewer{Subject: "p-1", Name: "Quality office"} }

// valid is an action that can be saved.
func valid() action.Action {
	return action.Action{
		Title: "Interpreters on the phone at discharge", What: "Every discharge talk\nwith one.",
		Cause: review.LanguageAccess, Owner: "Language services",
		Finding: action.Finding{Kind: action.Gap, Snapshot: "20260301T000000Z-1", Period: "2025"},
		Aim: action.Aim{Measure: "readmission-30-day", Dimension: "language", Groups: []string{"es"},
			Reference: "en"},
		Start: "2026-03-01", Due: "2026-06-30",
	}
}

func result(outcome action.Outcome) action.Result {
	return action.Result{Outcome: outcome, Summary: "As the figures say.", By: analyst()}
}

// store opens a real one.
func store(t *testing.T) *decisions.Database {
	t.Helper()
	db, err := decisions.Open(t.Context(), decisions.Config{Path: filepath.Join(t.TempDir(), "d.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestActionIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	c := newClock()
	r := register(store(t), c)
	ctx := t.Context()
	goal := 0.12
	in := valid()
	in.Aim.Target, in.Aim.Sites, in.Aim.Rate = &goal, []string{"org-1", "org-2"}, "main"
	saved, err := r.Save(ctx, in, analyst())
	if err != nil {
		t.Fatal(err)
	}
	want := in
	want.ID, want.State, want.Version, want.Created = saved.ID, action.Planned, 1, c.now.Truncate(time.Microsecond)
	want.Changed = want.Created
	if diff := cmp.Diff(want, saved); diff != "" {
		t.Errorf("saved action (-want +got):\n%s", diff)
	}
	read, err := r.Get(ctx, saved.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, read); diff != "" {
		t.Errorf("read action (-want +got):\n%s", diff)
	}
}

func TestLifeOfAnAction(t *testing.T) {
	t.Parallel()
	c := newClock()
	r := register(store(t), c)
	ctx := t.Context()
	a, err := r.Save(ctx, valid(), analyst())
	if err != nil {
		t.Fatal(err)
	}
	if a, err = r.Start(ctx, a.ID, a.Version, analyst()); err != nil || a.State != action.InProgress {
		t.Fatalf("Start = %s, %v", a.State, err)
	}
	c.now = c.now.AddDate(0, 2, 0)
	if a, err = r.Look(ctx, a.ID, a.Version, analyst()); err != nil || a.Looked == nil || !a.Looked.Equal(a.Changed) {
		t.Fatalf("Look = %v, %v", a.Looked, err)
	}
	a.Due = "2026-09-30"
	looked := *a.Looked
	if a, err = r.Save(ctx, a, analyst()); err != nil || a.Due != "2026-09-30" || !a.Looked.Equal(looked) {
		t.Fatalf("Save = due %s, looked %v, %v", a.Due, a.Looked, err)
	}
	if a, err = r.Close(ctx, a.ID, a.Version, result(action.Reduced)); err != nil || a.State != action.Completed ||
		!a.Result.At.Equal(c.now.Truncate(time.Microsecond)) {
		t.Fatalf("Close = %s, %+v, %v", a.State, a.Result, err)
	}
	if _, err := r.Save(ctx, a, analyst()); !errors.Is(err, action.ErrClosed) {
		t.Errorf("Save of a closed action = %v, want ErrClosed", err)
	}
	if a, err = r.Reopen(ctx, a.ID, a.Version, analyst()); err != nil || a.State != action.InProgress || a.Result != nil {
		t.Fatalf("Reopen = %s, %v, %v", a.State, a.Result, err)
	}
	history, err := r.History(ctx, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	var states []action.State
	results := 0
	for i, v := range history {
		states = append(states, v.State)
		if v.Result != nil {
			results++
		}
		if v.Version != i+1 || v.By != "p-1" || v.At.IsZero() {
			t.Errorf("version %d is %d, by %q at %v", i+1, v.Version, v.By, v.At)
		}
	}
	want := []action.State{action.Planned, action.InProgress, action.InProgress, action.InProgress,
		action.Completed, action.InProgress}
	if diff := cmp.Diff(want, states); diff != "" || results != 1 {
		t.Errorf("history (-want +got), %d results:\n%s", results, diff)
	}
}

// TestNothingClosesWithoutAResult tries every outcome in every state.
func TestNothingClosesWithoutAResult(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		started bool
		outcome action.Outcome
		want    action.State // Empty: it is refused.
	}{
		{"no outcome of a planned one", false, "", ""},
		{"no outcome of a running one", true, "", ""},
		{"an outcome that does not exist", true, "splendid", ""},
		{"a planned one cannot have helped", false, action.Reduced, ""},
		{"a planned one cannot be undetermined", false, action.Undetermined, ""},
		{"a planned one is given up", false, action.NotDone, action.Cancelled},
		{"a running one is given up", true, action.NotDone, action.Cancelled},
		{"a running one helped", true, action.Reduced, action.Completed},
		{"a running one changed nothing", true, action.NoChange, action.Completed},
		{"a running one made it worse", true, action.Widened, action.Completed},
		{"a running one is undetermined", true, action.Undetermined, action.Completed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			r := register(decisionstest.NewTwin(time.Time{}), newClock())
			a, err := r.Save(ctx, valid(), analyst())
			if err == nil && tt.started {
				a, err = r.Start(ctx, a.ID, a.Version, analyst())
			}
			if err != nil {
				t.Fatal(err)
			}
			closed, err := r.Close(ctx, a.ID, a.Version, result(tt.outcome))
			if (err == nil) != (tt.want != "") || closed.State != tt.want {
				t.Errorf("Close(%q) = %q, %v; want %q", tt.outcome, closed.State, err, tt.want)
			}
			now, err := r.Get(ctx, a.ID)
			if err != nil {
				t.Fatal(err)
			}
			if now.Closed() != (tt.want != "") || now.Closed() != (now.Result != nil) {
				t.Errorf("it is %s with result %v", now.State, now.Result)
			}
		})
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	fault := func(field string, wrong action.Wrong) action.Fault {
		return action.Fault{Field: field, Wrong: wrong}
	}
	long := func(field string, most int) action.Fault {
		return action.Fault{Field: field, Wrong: action.TooLong, Most: most}
	}
	tests := []struct {
		name string
		in   func(*action.Action)
		want []action.Fault
	}{
		{"no title", func(a *action.Action) { a.Title = " \t" }, []action.Fault{fault("title", action.Absent)}},
		{"a title of two lines", func(a *action.Action) { a.Title = "a\nb" },
			[]action.Fault{fault("title", action.Unprintable)}},
		{"a title that turns round", func(a *action.Action) { a.Title = "a\u202eb" },
			[]action.Fault{fault("title", action.Unprintable)}},
		{"an isolate in what is to be done", func(a *action.Action) { a.What = "a\u2066b" },
			[]action.Fault{fault("what", action.Unprintable)}},
		{"a byte that is no text", func(a *action.Action) { a.What = "a\xffb" },
			[]action.Fault{fault("what", action.Unprintable)}},
		{"a NUL", func(a *action.Action) { a.Owner = "a\x00b" },
			[]action.Fault{fault("owner", action.Unprintable)}},
		{"a title that is too long", func(a *action.Action) { a.Title = strings.Repeat("é", action.MostTitle+1) },
			[]action.Fault{long("title", action.MostTitle)}},
		{"a text that is too long", func(a *action.Action) { a.What = strings.Repeat("x", action.MostText+1) },
			[]action.Fault{long("what", action.MostText)}},
		{"no owner and no cause", func(a *action.Action) { a.Owner, a.Cause = "", "" },
			[]action.Fault{fault("owner", action.Absent), fault("cause", action.NotOne)}},
		{"days that are none", func(a *action.Action) { a.Start, a.Due = "2026-02-30", "soon" },
			[]action.Fault{fault("start", action.NoDay), fault("due", action.NoDay)}},
		{"due before the start", func(a *action.Action) { a.Due = "2026-02-28" },
			[]action.Fault{fault("due", action.BeforeStart)}},
		{"a finding of no kind", func(a *action.Action) { a.Finding = action.Finding{} },
			[]action.Fault{fault("finding.kind", action.NotOne)}},
		{"a cluster without reviews", func(a *action.Action) { a.Finding = action.Finding{Kind: action.Cluster} },
			[]action.Fault{fault("finding.reviews", action.Absent)}},
		{"a gap with reviews", func(a *action.Action) { a.Finding.Reviews = []string{"r-1"} },
			[]action.Fault{fault("finding.reviews", action.NotAllowed)}},
		{"a review that is no id", func(a *action.Action) {
			a.Finding = action.Finding{Kind: action.Cluster, Reviews: []string{"../x"}}
		}, []action.Fault{fault("finding.reviews", action.NotOne)}},
		{"no groups", func(a *action.Action) { a.Aim.Groups = nil },
			[]action.Fault{fault("aim.groups", action.Absent)}},
		{"a group twice", func(a *action.Action) { a.Aim.Groups = []string{"es", "es"} },
			[]action.Fault{fault("aim.groups", action.Twice)}},
		{"a reference that should move", func(a *action.Action) { a.Aim.Reference = "es" },
			[]action.Fault{fault("aim.reference", action.Twice)}},
		{"a target that is no number", func(a *action.Action) { v := math.NaN(); a.Aim.Target = &v },
			[]action.Fault{fault("aim.target", action.NotOne)}},
		{"a measure that does not exist", func(a *action.Action) { a.Aim.Measure = "happiness" },
			[]action.Fault{{Field: "aim", Wrong: action.NotThere, Says: errUnknown.Error()}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := valid()
			tt.in(&a)
			_, err := register(decisionstest.NewTwin(time.Time{}), newClock()).Save(t.Context(), a, analyst())
			var invalid *action.InvalidError
			if !errors.As(err, &invalid) {
				t.Fatalf("Save = %v, want *InvalidError", err)
			}
			if diff := cmp.Diff(tt.want, invalid.Faults); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

func TestErrorsHoldNothingThatWasWritten(t *testing.T) {
	t.Parallel()
	const canary = "canary-4417"
	a := valid()
	a.Title, a.What, a.Owner, a.Start, a.Due = canary+"\n", canary+"\x00", canary+"\u202e", canary, canary
	a.Finding = action.Finding{Kind: canary, Snapshot: canary + "/", Period: canary, Reviews: []string{canary + "/"}}
	a.Cause, a.Aim.Sites = canary, []string{canary + "/"}
	_, err := register(decisionstest.NewTwin(time.Time{}), newClock()).Save(t.Context(), a, analyst())
	if err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("Save = %v", err)
	}
}

func TestWhoCameSecondDoesNotOverwrite(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	r := register(store(t), newClock())
	a, err := r.Save(ctx, valid(), analyst())
	if err != nil {
		t.Fatal(err)
	}
	first, second := a, a
	first.Title, second.Title = "First", "Second"
	if _, err := r.Save(ctx, first, analyst()); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func() error{
		"save":   func() error { _, err := r.Save(ctx, second, analyst()); return err },
		"start":  func() error { _, err := r.Start(ctx, a.ID, a.Version, analyst()); return err },
		"close":  func() error { _, err := r.Close(ctx, a.ID, a.Version, result(action.NotDone)); return err },
		"reopen": func() error { _, err := r.Reopen(ctx, a.ID, a.Version, analyst()); return err },
		"look":   func() error { _, err := r.Look(ctx, a.ID, a.Version, analyst()); return err },
	} {
		if err := change(); !errors.Is(err, decisions.ErrConflict) {
			t.Errorf("%s on an old version = %v, want ErrConflict", name, err)
		}
	}
	if now, err := r.Get(ctx, a.ID); err != nil || now.Title != "First" {
		t.Errorf("Get = %q, %v", now.Title, err)
	}
	if _, err := r.Get(ctx, "none"); !errors.Is(err, decisions.ErrNotFound) {
		t.Errorf("Get of none = %v, want ErrNotFound", err)
	}
}

func TestActionsAreFound(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	r := register(store(t), newClock())
	save := func(title, owner, due string, cause review.Factor, begin bool) {
		t.Helper()
		a := valid()
		a.Title, a.Owner, a.Due, a.Cause = title, owner, due, cause
		saved, err := r.Save(ctx, a, analyst())
		if err == nil && begin {
			_, err = r.Start(ctx, saved.ID, saved.Version, analyst())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	save("one", "Ward 4", "2026-07-01", review.LanguageAccess, true)
	save("two", "Ward 4", "2026-04-01", review.Bias, false)
	save("three", "Language services", "2026-05-01", review.LanguageAccess, false)
	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	tests := []struct {
		name string
		in   action.Filter
		want []string
	}{
		{"all, by their due day", action.Filter{}, []string{"two", "three", "one"}},
		{"of an owner", action.Filter{Owner: "Ward 4"}, []string{"two", "one"}},
		{"of a cause", action.Filter{Cause: review.LanguageAccess}, []string{"three", "one"}},
		{"of a state", action.Filter{States: []action.State{action.InProgress}}, []string{"one"}},
		{"of two states", action.Filter{States: []action.State{action.InProgress, action.Planned}},
			[]string{"two", "three", "one"}},
		{"of a measure", action.Filter{Measure: "readmission-30-day", Owner: "Language services"},
			[]string{"three"}},
		{"of another measure", action.Filter{Measure: "length-of-stay"}, nil},
		{"overdue", action.Filter{OverdueOn: day("2026-05-02")}, []string{"two", "three"}},
		{"not overdue on the day itself", action.Filter{OverdueOn: day("2026-04-01")}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			found, err := r.List(t.Context(), tt.in)
			if err != nil {
				t.Fatal(err)
			}
			var titles []string
			for _, a := range found {
				titles = append(titles, a.Title)
			}
			if diff := cmp.Diff(tt.want, titles, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("List(%+v) (-want +got):\n%s", tt.in, diff)
			}
		})
	}
}

func TestReminders(t *testing.T) {
	t.Parallel()
	written := time.Date(2026, 3, 15, 9, 0, 0, 0, time.UTC)
	look := time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)
	tests := []struct {
		name  string
		in    action.Action
		day   string
		wants []action.Reason
	}{
		{"planned and far away", action.Action{State: action.Planned, Start: "2026-04-01", Due: "2026-09-01"},
			"2026-04-01", nil},
		{"planned, and its day has passed", action.Action{State: action.Planned, Start: "2026-04-01",
			Due: "2026-09-01"}, "2026-04-02", []action.Reason{action.NotStarted}},
		{"due in 14 days", action.Action{State: action.InProgress, Start: "2026-03-01", Due: "2026-04-15"},
			"2026-04-01", []action.Reason{action.Soon}},
		{"due in 15 days", action.Action{State: action.InProgress, Start: "2026-03-01", Due: "2026-04-16"},
			"2026-04-01", nil},
		{"due today", action.Action{State: action.InProgress, Start: "2026-03-01", Due: "2026-04-01"},
			"2026-04-01", []action.Reason{action.Soon}},
		{"due yesterday", action.Action{State: action.InProgress, Start: "2026-03-01", Due: "2026-03-31"},
			"2026-04-01", []action.Reason{action.Late}},
		{"late and never begun", action.Action{State: action.Planned, Start: "2026-03-01", Due: "2026-03-31"},
			"2026-04-01", []action.Reason{action.Late, action.NotStarted}},
		{"90 days without a look", action.Action{State: action.InProgress, Start: "2026-03-01",
			Due: "2027-01-01"}, "2026-06-13", nil},
		{"91 days without a look", action.Action{State: action.InProgress, Start: "2026-03-01",
			Due: "2027-01-01"}, "2026-06-14", []action.Reason{action.Unseen}},
		{"looked at since", action.Action{State: action.InProgress, Start: "2026-03-01", Due: "2027-01-01",
			Looked: &look}, "2026-06-14", nil},
		{"closed", action.Action{State: action.Completed, Start: "2026-03-01", Due: "2026-03-31"},
			"2026-04-01", nil},
		{"given up", action.Action{State: action.Cancelled, Start: "2026-03-01", Due: "2026-03-31"},
			"2026-04-01", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.in.Changed = written
			day, err := time.Parse(time.DateOnly, tt.day)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.wants, tt.in.Reasons(day)); diff != "" {
				t.Errorf("Reasons(%s) (-want +got):\n%s", tt.day, diff)
			}
		})
	}
}
