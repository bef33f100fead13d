package review_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/facts"
)

// TestOneReviewer goes through a review on a real store.
func TestOneReviewer(t *testing.T) {
	t.Parallel()
	desk := open(t, &snapshot{events: []facts.Event{event("v", "2026-06-01")}}, review.Config{Records: database(t)})
	id := idOf("v")
	seen := review.Particulars{
		Date: "2026-06-01", Actuality: "actual", Category: "wrong-dose", Severity: "severe", Outcome: "resolved",
		Site: "H1",
	}
	key := review.Key{Source: "ehr", ID: phi.New("v")}
	got, err := desk.Review(t.Context(), id)
	want := review.Review{ID: id, Key: key, Needed: 1, State: review.Open, Seen: seen}
	if d := gocmp.Diff(want, got, ids()); d != "" || err != nil {
		t.Fatalf("a review that nobody began: %v (-want +got):\n%s", err, d)
	}
	o := by("ana", review.Yes, review.Data, review.LanguageAccess)
	if got, err = desk.Answer(t.Context(), id, 0, o); err != nil {
		t.Fatal(err)
	}
	at := clock().Truncate(time.Microsecond)
	o.At, o.Factors = at, []review.Factor{review.LanguageAccess, review.Data}
	want.State, want.Version, want.Opinions = review.Settled, 1, []review.Opinion{o}
	want.Settlement = &review.Settlement{
		Answer: review.Yes, Factors: o.Factors, Detection: review.Reported, At: at, How: review.Single, By: o.Reviewer,
	}
	if d := gocmp.Diff(want, got, ids()); d != "" {
		t.Errorf("after the answer (-want +got):\n%s", d)
	}
	if got, err = desk.Reopen(t.Context(), id, 1, review.Reviewer{Subject: "bo"}, "a witness came"); err != nil {
		t.Fatal(err)
	}
	want.Reopenings = []review.Reopening{{
		By: review.Reviewer{Subject: "bo"}, At: at, Reason: "a witness came", Before: *want.Settlement, Opinions: 1,
	}}
	want.State, want.Version, want.Settlement = review.Open, 2, nil
	if d := gocmp.Diff(want, got, ids()); d != "" {
		t.Errorf("after it was opened again (-want +got):\n%s", d)
	}
	history, err := desk.History(t.Context(), id, "cy")
	if err != nil || len(history) != 2 || history[0].State != review.Settled {
		t.Errorf("History() = %+v, %v; want both versions", history, err)
	}
	stored, err := desk.Review(t.Context(), id)
	if d := gocmp.Diff(want, stored, ids()); d != "" || err != nil {
		t.Errorf("as stored: %v (-want +got):\n%s", err, d)
	}
}

// step is something that is done to a review, and what comes of it.
type step struct {
	do   func(ctx context.Context, d *review.Desk, version int) (review.Review, error)
	err  error
	want string
}

func answers(o review.Opinion) func(context.Context, *review.Desk, int) (review.Review, error) {
	return func(ctx context.Context, d *review.Desk, version int) (review.Review, error) {
		return d.Answer(ctx, idOf("v"), version, o)
	}
}

func settles(s review.Settlement) func(context.Context, *review.Desk, int) (review.Review, error) {
	return func(ctx context.Context, d *review.Desk, version int) (review.Review, error) {
		return d.Settle(ctx, idOf("v"), version, s)
	}
}

func reopens(subject string) func(context.Context, *review.Desk, int) (review.Review, error) {
	return func(ctx context.Context, d *review.Desk, version int) (review.Review, error) {
		return d.Reopen(ctx, idOf("v"), version, review.Reviewer{Subject: subject}, "why not")
	}
}

// stands writes down where a review stands.
func stands(r review.Review) string {
	text := string(r.State)
	for _, o := range r.Standing() {
		text += " " + o.Reviewer.Subject + "=" + string(o.Answer)
	}
	if s := r.Settlement; s != nil {
		text += fmt.Sprint(" ", s.How, " by ", s.By.Subject, ": ", s.Answer)
	}
	return text
}

func TestReviewsOfTwo(t *testing.T) {
	t.Parallel()
	yes, no := by("ana", review.Yes, review.Data), by("ana", review.No)
	other := by("bo", review.Yes, review.Bias)
	found := by("bo", review.No)
	found.Detection = review.FoundInReview
	for _, tt := range []struct {
		name  string
		steps []step
	}{
		{"they agree", []step{
			{answers(no), nil, "waiting ana=no"},
			{answers(by("bo", review.No)), nil, "settled ana=no bo=no agreed by bo: no"},
			{answers(by("cy", review.No)), review.ErrSettled, "settled ana=no bo=no agreed by bo: no"},
			{answers(yes), review.ErrSettled, "settled ana=no bo=no agreed by bo: no"},
		}},
		{"the same person twice is one", []step{
			{answers(no), nil, "waiting ana=no"},
			{answers(no), nil, "waiting ana=no"},
			{answers(yes), nil, "waiting ana=yes"},
		}},
		{"a third settles", []step{
			{settles(verdict("cy", review.No)), review.ErrNotDisagreed, "open"},
			{answers(yes), nil, "waiting ana=yes"},
			{settles(verdict("cy", review.No)), review.ErrNotDisagreed, "waiting ana=yes"},
			{answers(by("bo", review.No)), nil, "disagreed ana=yes bo=no"},
			{answers(by("cy", review.No)), review.ErrTwoAnswered, "disagreed ana=yes bo=no"},
			{settles(verdict("ana", review.Yes, review.Data)), review.ErrParty, "disagreed ana=yes bo=no"},
			{settles(verdict("bo", review.No)), review.ErrParty, "disagreed ana=yes bo=no"},
			{settles(verdict("cy", review.Undetermined)), nil,
				"settled ana=yes bo=no adjudicated by cy: undetermined"},
			{settles(verdict("di", review.No)), review.ErrSettled,
				"settled ana=yes bo=no adjudicated by cy: undetermined"},
		}},
		{"both come to agree", []step{
			{answers(yes), nil, "waiting ana=yes"},
			{answers(by("bo", review.No)), nil, "disagreed ana=yes bo=no"},
			{answers(no), nil, "settled ana=no bo=no agreed by ana: no"},
		}},
		{"one answer with other factors differs", []step{
			{answers(yes), nil, "waiting ana=yes"},
			{answers(other), nil, "disagreed ana=yes bo=yes"},
		}},
		{"one answer with another detection differs", []step{
			{answers(no), nil, "waiting ana=no"},
			{answers(found), nil, "disagreed ana=no bo=no"},
		}},
		{"who opened it again may answer like anybody", []step{
			{reopens("ana"), review.ErrNotSettled, "open"},
			{answers(no), nil, "waiting ana=no"},
			{answers(by("bo", review.No)), nil, "settled ana=no bo=no agreed by bo: no"},
			{reopens("ana"), nil, "open"},
			{answers(by("cy", review.Undetermined)), nil, "waiting cy=undetermined"},
			{answers(yes), nil, "disagreed cy=undetermined ana=yes"},
			{settles(verdict("bo", review.No)), nil, "settled cy=undetermined ana=yes adjudicated by bo: no"},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &snapshot{events: []facts.Event{event("v", "2026-06-01")}}
			desk := open(t, s, review.Config{TwoPerson: review.TwoForEachOne})
			version := 0
			for i, step := range tt.steps {
				_, err := step.do(t.Context(), desk, version)
				if !errors.Is(err, step.err) || step.err == nil && err != nil {
					t.Fatalf("step %d: %v, want %v", i, err, step.err)
				}
				r, err := desk.Review(t.Context(), idOf("v"))
				if got := stands(r); err != nil || got != step.want {
					t.Fatalf("step %d: the review is %s, %v; want %s", i, got, err, step.want)
				}
				if step.err == nil {
					version++
				}
				if r.Version != version {
					t.Fatalf("step %d: the version is %d, want %d", i, r.Version, version)
				}
			}
		})
	}
}

func TestRuleSaysHowManyAreNeeded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name              string
		rule              review.Rule
		severity, outcome string
		want              int
	}{
		{"no rule is one reviewer", "", "severe", "fatal", 1},
		{"one reviewer", review.OneReviewer, "severe", "fatal", 1},
		{"two for a severe one", review.TwoIfSevere, "severe", "resolved", 2},
		{"two for a fatal one", review.TwoIfSevere, "~missing", "fatal", 2},
		{"one for a moderate one", review.TwoIfSevere, "moderate", "ongoing", 1},
		{"one where nobody knows", review.TwoIfSevere, "~missing", "~unknown", 1},
		{"two for each one", review.TwoForEachOne, "mild", "resolved", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &snapshot{events: []facts.Event{event("v", "2026-06-01", func(e *facts.Event) {
				e.Severity, e.Outcome = tt.severity, tt.outcome
			})}}
			desk := open(t, s, review.Config{TwoPerson: tt.rule})
			r, err := desk.Answer(t.Context(), idOf("v"), 0, by("ana", review.No))
			if err != nil || r.Needed != tt.want || (r.State == review.Settled) != (tt.want == 1) {
				t.Errorf("needed %d, %s, %v; want %d", r.Needed, r.State, err, tt.want)
			}
			// What becomes of the event afterwards does not change a round that has begun.
			s.events[0].Severity = "severe"
			if r, err = desk.Review(t.Context(), idOf("v")); err != nil || r.Needed != tt.want {
				t.Errorf("afterwards %d, %v; want %d", r.Needed, err, tt.want)
			}
		})
	}
}

// TestTwoAtTheSameMoment lets many reviewers answer at once, each as if they were the first.
func TestTwoAtTheSameMoment(t *testing.T) {
	t.Parallel()
	const reviewers = 8
	store := database(t)
	s := &snapshot{events: []facts.Event{event("v", "2026-06-01")}}
	desk := open(t, s, review.Config{Records: store, TwoPerson: review.TwoForEachOne})
	errs := make([]error, reviewers)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			_, errs[i] = desk.Answer(t.Context(), idOf("v"), 0, by(fmt.Sprint("reviewer", i), review.No))
		})
	}
	all.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, decisions.ErrConflict) {
			t.Errorf("a loser got %v, want ErrConflict", err)
		}
	}
	r, err := desk.Review(t.Context(), idOf("v"))
	if won != 1 || err != nil || r.Version != 1 || len(r.Opinions) != 1 {
		t.Errorf("%d won, and the review is %+v, %v; want one opinion of one", won, r, err)
	}
}

func TestUnknownEvents(t *testing.T) {
	t.Parallel()
	desk := open(t, &snapshot{}, review.Config{})
	if _, err := desk.Answer(t.Context(), idOf("v"), 0, by("ana", review.No)); !errors.Is(err, review.ErrUnknown) {
		t.Errorf("Answer() = %v, want ErrUnknown", err)
	}
	if _, err := desk.Case(t.Context(), idOf("v"), "ana"); !errors.Is(err, review.ErrUnknown) {
		t.Errorf("Case() = %v, want ErrUnknown", err)
	}
	if h, err := desk.History(t.Context(), idOf("v"), "ana"); len(h) > 0 || err != nil {
		t.Errorf("History() = %v, %v; want none", h, err)
	}
}

func TestNewWantsAllItNeeds(t *testing.T) {
	t.Parallel()
	hold := (&snapshot{}).hold
	for name, cfg := range map[string]review.Config{
		"no records": {Hold: hold, Now: clock},
		"no events":  {Records: newShelf(), Now: clock},
		"no clock":   {Records: newShelf(), Hold: hold},
		"no rule":    {Records: newShelf(), Hold: hold, Now: clock, TwoPerson: "three"},
	} {
		if _, err := review.New(cfg); err == nil {
			t.Errorf("%s: a desk was made", name)
		}
	}
}

// Who changes their mind without end, or opens a review again and again, comes to one.
func TestAReviewIsFull(t *testing.T) {
	t.Parallel()
	for _, rule := range []review.Rule{review.OneReviewer, review.TwoForEachOne} {
		t.Run("reviewers: "+string(rule), func(t *testing.T) {
			t.Parallel()
			s := &snapshot{events: []facts.Event{event("v", "2026-06-01")}}
			desk := open(t, s, review.Config{TwoPerson: rule})
			id, version := idOf("v"), 0
			who := review.Reviewer{Subject: "ana"}
			var err error
			for err == nil {
				if _, err = desk.Answer(t.Context(), id, version, by("ana", review.No)); err == nil {
					version++
				} else if errors.Is(err, review.ErrSettled) {
					if _, err = desk.Reopen(t.Context(), id, version, who, "once more"); err == nil {
						version++
					}
				}
				if version > 10*review.MaxOpinions {
					t.Fatal("there is no end to it")
				}
			}
			if !errors.Is(err, review.ErrFull) {
				t.Fatalf("it ends with %v", err)
			}
			got, err := desk.Review(t.Context(), id)
			if err != nil || len(got.Opinions) != review.MaxOpinions {
				t.Fatalf("it holds %d opinions, %v", len(got.Opinions), err)
			}
			if rule == review.OneReviewer {
				return
			}
			if _, err := desk.Answer(t.Context(), id, version, by("ben", review.Yes, review.Bias)); err != nil {
				t.Fatalf("the second reviewer of a full review: %v", err)
			}
			third := review.Settlement{Answer: review.No, Detection: review.Reported, Evidence: "as both say", By: review.Reviewer{Subject: "cleo"}}
			if got, err := desk.Settle(t.Context(), id, version+1, third); err != nil || got.State != review.Settled {
				t.Errorf("a third person settles it: %v, %s", err, got.State)
			}
		})
	}
}
