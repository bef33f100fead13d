package action_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/decisions/decisionstest"
)

// naive is what an action should be after the deeds that were done to it, written down in the simplest
// way.
type naive struct {
	state     action.State
	title     string
	due       string
	hasResult bool
	version   int
}

// deed does one thing to both, and returns whether the naive one allows it.
func (n *naive) deed(what string, version int, outcome action.Outcome, due string) bool {
	closed := n.state == action.Completed || n.state == action.Cancelled
	ok := version == n.version
	switch what {
	case "save":
		ok = ok && !closed && due >= "2026-03-01"
	case "start":
		ok = ok && n.state == action.Planned
	case "close":
		ok = ok && !closed && slices.Contains(action.Outcomes(), outcome) &&
			(n.state == action.InProgress || outcome == action.NotDone)
	case "reopen":
		ok = ok && closed
	}
	if !ok {
		return false
	}
	n.version++
	switch {
	case what == "save":
		n.title, n.due = "changed at "+fmt.Sprint(version), due
	case what == "start":
		n.state = action.InProgress
	case what == "close" && outcome == action.NotDone:
		n.state, n.hasResult = action.Cancelled, true
	case what == "close":
		n.state, n.hasResult = action.Completed, true
	case what == "reopen" && n.state == action.Completed:
		n.state, n.hasResult = action.InProgress, false
	case what == "reopen":
		n.state, n.hasResult = action.Planned, false
	}
	return true
}

func TestRegisterAgreesWithANaiveOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ctx := t.Context()
		c := newClock()
		r := register(decisionstest.NewTwin(time.Time{}), c)
		models := map[string]*naive{}
		var ids []string
		for range rapid.IntRange(1, 25).Draw(t, "deeds") {
			c.now = c.now.Add(time.Hour)
			if len(ids) == 0 || rapid.IntRange(0, 4).Draw(t, "another") == 0 {
				a, err := r.Save(ctx, valid(), analyst())
				if err != nil {
					t.Fatal(err)
				}
				ids = append(ids, a.ID)
				models[a.ID] = &naive{action.Planned, a.Title, a.Due, false, 1}
				continue
			}
			id := rapid.SampledFrom(ids).Draw(t, "action")
			model := models[id]
			version := model.version - rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(t, "behind")
			what := rapid.SampledFrom([]string{"save", "start", "close", "reopen"}).Draw(t, "deed")
			outcome := rapid.SampledFrom(append(action.Outcomes(), "")).Draw(t, "outcome")
			due := rapid.SampledFrom([]string{"2026-02-01", "2026-03-01", "2026-12-31"}).Draw(t, "due")
			var err error
			switch what {
			case "save":
				a := valid()
				a.ID, a.Version, a.Due, a.Title = id, version, due, "changed at "+fmt.Sprint(version)
				_, err = r.Save(ctx, a, analyst())
			case "start":
				_, err = r.Start(ctx, id, version, analyst())
			case "close":
				_, err = r.Close(ctx, id, version, result(outcome))
			case "reopen":
				_, err = r.Reopen(ctx, id, version, analyst())
			}
			stale := version != model.version
			if want := model.deed(what, version, outcome, due); want != (err == nil) {
				t.Fatalf("%s: %v; the naive one says %v", what, err, want)
			}
			if stale != errors.Is(err, decisions.ErrConflict) {
				t.Fatalf("%s of version %d of %d: %v", what, version, model.version, err)
			}
		}
		compare(t, r, models)
	})
}

// compare holds every action, its history and the list against the naive ones.
func compare(t *rapid.T, r *action.Register, models map[string]*naive) {
	ctx := t.Context()
	for id, model := range models {
		a, err := r.Get(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		got := naive{a.State, a.Title, a.Due, a.Result != nil, a.Version}
		if got != *model {
			t.Fatalf("it is %+v, the naive one %+v", got, *model)
		}
		history, err := r.History(ctx, id)
		if err != nil || len(history) != model.version {
			t.Fatalf("%d versions, %v; want %d", len(history), err, model.version)
		}
		for _, v := range history {
			if v.Closed() != (v.Result != nil) {
				t.Fatalf("version %d is %s with result %v", v.Version, v.State, v.Result)
			}
		}
	}
	day := rapid.SampledFrom([]string{"2026-03-01", "2026-03-02", "2026-07-01", "2027-01-01"}).Draw(t, "day")
	today, _ := time.Parse(time.DateOnly, day)
	late, err := r.Overdue(ctx, today)
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, a := range late {
		got = append(got, a.ID)
	}
	for id, m := range models {
		if (m.state == action.Planned || m.state == action.InProgress) && m.due < day {
			want = append(want, id)
		}
	}
	slices.Sort(want)
	slices.SortStableFunc(want, func(a, b string) int { return strings.Compare(models[a].due, models[b].due) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("overdue on %s (-want +got):\n%s", day, diff)
	}
}
