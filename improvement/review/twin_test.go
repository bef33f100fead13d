package review_test

import (
	"errors"
	"fmt"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/facts"
)

// twin is a review as a list of what was done, from which everything is worked out anew.
type twin struct {
	needed  int
	log     []string // who=answer, in this round
	settled string
	version int
}

// last returns what each has said last, in the order in which they began.
func (w *twin) last() (who []string, said map[string]string) {
	said = map[string]string{}
	for _, line := range w.log {
		name, answer := line[:1], line[2:]
		if said[name] == "" {
			who = append(who, name)
		}
		said[name] = answer
	}
	return who, said
}

func (w *twin) state() review.State {
	who, _ := w.last()
	switch {
	case w.settled != "":
		return review.Settled
	case len(who) == 0:
		return review.Open
	case len(who) < w.needed:
		return review.Waiting
	}
	return review.Disagreed
}

func (w *twin) answer(name, answer string) error {
	who, said := w.last()
	if w.settled != "" {
		return review.ErrSettled
	}
	if len(who) == w.needed && said[name] == "" {
		return review.ErrTwoAnswered
	}
	w.log = append(w.log, name+"="+answer)
	w.version++
	who, said = w.last()
	if len(who) == w.needed && said[who[0]] == said[who[len(who)-1]] {
		w.settled = answer
	}
	return nil
}

func (w *twin) settle(name, answer string) error {
	_, said := w.last()
	switch {
	case w.settled != "":
		return review.ErrSettled
	case w.state() != review.Disagreed:
		return review.ErrNotDisagreed
	case said[name] != "":
		return review.ErrParty
	}
	w.settled = answer
	w.version++
	return nil
}

func (w *twin) reopen() error {
	if w.settled == "" {
		return review.ErrNotSettled
	}
	w.settled, w.log = "", nil
	w.version++
	return nil
}

// sees says how many opinions of this round somebody may see.
func (w *twin) sees(name string) int {
	n := 0
	for _, line := range w.log {
		if w.state() != review.Waiting || line[:1] == name {
			n++
		}
	}
	return n
}

// TestReviewIsWhatItsTwinIs does at random what people do, to a review and to its twin.
func TestReviewIsWhatItsTwinIs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rule := rapid.SampledFrom([]review.Rule{review.OneReviewer, review.TwoForEachOne}).Draw(t, "rule")
		w := &twin{needed: 1}
		if rule == review.TwoForEachOne {
			w.needed = 2
		}
		s := &snapshot{events: []facts.Event{event("v", "2026-06-01")}}
		shelf := newShelf()
		desk, err := review.New(review.Config{Records: shelf, Hold: s.hold, TwoPerson: rule, Now: clock})
		if err != nil {
			t.Fatal(err)
		}
		people := rapid.SampledFrom([]string{"a", "b", "c"})
		answer := rapid.SampledFrom([]review.Answer{review.No, review.Undetermined})
		opinions := 0
		for i := range rapid.IntRange(1, 20).Draw(t, "steps") {
			who, said := people.Draw(t, "who"), answer.Draw(t, "answer")
			stale := rapid.IntRange(0, 9).Draw(t, "stale") == 0
			version, id := w.version, idOf("v")
			if stale {
				version += rapid.SampledFrom([]int{-1, 1}).Draw(t, "off by")
			}
			var got, want error
			switch rapid.SampledFrom([]string{"answer", "answer", "answer", "settle", "reopen"}).Draw(t, "do") {
			case "answer":
				_, got = desk.Answer(t.Context(), id, version, by(who, said))
				if !stale {
					want = w.answer(who, string(said))
				}
				if got == nil {
					opinions++
				}
			case "settle":
				_, got = desk.Settle(t.Context(), id, version, verdict(who, said))
				if !stale {
					want = w.settle(who, string(said))
				}
			case "reopen":
				_, got = desk.Reopen(t.Context(), id, version, review.Reviewer{Subject: who}, "a reason")
				if !stale {
					want = w.reopen()
				}
			}
			if stale {
				want = decisions.ErrConflict
			}
			if !errors.Is(got, want) || want == nil && got != nil {
				t.Fatalf("step %d: %v, want %v", i, got, want)
			}
			agree(t, desk, w, opinions)
		}
		if history, err := desk.History(t.Context(), idOf("v"), "z"); err != nil || len(history) != w.version {
			t.Fatalf("the history has %d versions, %v; want %d", len(history), err, w.version)
		}
	})
}

// agree holds the review against its twin, and what each may see of it.
func agree(t *rapid.T, desk *review.Desk, w *twin, opinions int) {
	r, err := desk.Review(t.Context(), idOf("v"))
	if err != nil {
		t.Fatal(err)
	}
	who, said := w.last()
	var want []string
	for _, name := range who {
		want = append(want, name+"="+said[name])
	}
	var got []string
	for _, o := range r.Standing() {
		got = append(got, o.Reviewer.Subject+"="+string(o.Answer))
	}
	settled := ""
	if r.Settlement != nil {
		settled = string(r.Settlement.Answer)
	}
	if d := gocmp.Diff(want, got); d != "" || r.State != w.state() || settled != w.settled ||
		r.Version != w.version || len(r.Opinions) != opinions {
		t.Fatalf("%s, settled %q, version %d, %d opinions; its twin %+v, %d opinions (-want +got):\n%s",
			r.State, settled, r.Version, len(r.Opinions), w, opinions, d)
	}
	before := len(r.Opinions) - len(w.log)
	for _, name := range []string{"a", "b", "c", "d"} {
		c, err := desk.Case(t.Context(), idOf("v"), name)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(c.Review.Opinions) - before; n != w.sees(name) || c.Withheld != (n < len(w.log)) {
			t.Fatalf("%s sees %d opinions of %+v, want %d; withheld: %v", name, n, w, w.sees(name), c.Withheld)
		}
		history, err := desk.History(t.Context(), idOf("v"), name)
		if err != nil {
			t.Fatal(err)
		}
		for _, version := range history {
			if len(version.Opinions)-before > w.sees(name) {
				t.Fatal(fmt.Sprint(name, " sees in an old version what the newest withholds"))
			}
		}
	}
}
