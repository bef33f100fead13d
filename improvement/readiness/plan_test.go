package readiness_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/improvement/readiness"
)

func at(l readiness.Level) *readiness.Level { return &l }

// assessed draws an assessment in which any item may be unanswered, and figures of which any may be
// missing.
func assessed(t *rapid.T, q *readiness.Questionnaire) (readiness.Assessment, readiness.Figures) {
	a := readiness.Assessment{
		Questionnaire: q.Version, State: readiness.Draft, Answers: map[string]readiness.Answer{},
	}
	figures := readiness.Figures{}
	for _, i := range q.Items() {
		if i.Rule != nil {
			if rapid.Bool().Draw(t, "measured") {
				figures[i.Rule.Figure] = readiness.Figure{Value: rapid.Float64Range(0, 800).Draw(t, "value")}
				if i.Rule.Unit == readiness.Share {
					figures[i.Rule.Figure] = readiness.Figure{Value: rapid.Float64Range(0, 1).Draw(t, "share")}
				}
			}
			continue
		}
		if level := rapid.IntRange(-1, 3).Draw(t, "level"); level >= 0 {
			a.Answers[i.ID] = readiness.Answer{Item: i.ID, Level: at(readiness.Level(level))}
		}
	}
	return a, figures
}

// The plan holds every item below established once, in the order that it promises, and the rest are either
// at that level or unanswered: nobody falls through.
func TestPlanHoldsEveryWeakItemOnce(t *testing.T) {
	t.Parallel()
	q := shipped(t)
	rapid.Check(t, func(t *rapid.T) {
		a, figures := assessed(t, q)
		laid := q.Lay(a, figures)
		got := map[string]int{}
		steps := q.Plan(a, figures, rapid.SampledFrom([]string{"en", "es"}).Draw(t, "language"))
		for n, s := range steps {
			got[s.Item]++
			if s.Title == "" || s.What == "" || s.Why == "" || s.Evidence == "" || s.Owner == "" || s.Cause == "" {
				t.Fatalf("the step of %s does not say all: %+v", s.Item, s)
			}
			if n == 0 {
				continue
			}
			before := steps[n-1]
			if before.Level > s.Level || before.Level == s.Level && before.Figure == nil && s.Figure != nil {
				t.Fatalf("%s comes before %s", before.Item, s.Item)
			}
		}
		open := map[string]bool{}
		for _, o := range q.Unanswered(laid) {
			open[o.Item] = true
		}
		for _, i := range q.Items() {
			level := laid.Answers[i.ID].Level
			want := 0
			if level != nil && *level < readiness.Established {
				want = 1
			}
			if got[i.ID] != want || open[i.ID] != (level == nil) {
				t.Fatalf("%s at %v: %d steps, unanswered %v", i.ID, level, got[i.ID], open[i.ID])
			}
		}
	})
}

// naiveScore scores one domain the slow way.
func naiveScore(levels []int) (lowest, median int) {
	slices.Sort(levels)
	return levels[0], levels[(len(levels)-1)/2]
}

func TestScoreLeavesOutWhatIsUnanswered(t *testing.T) {
	t.Parallel()
	q := shipped(t)
	rapid.Check(t, func(t *rapid.T) {
		a, figures := assessed(t, q)
		a = q.Lay(a, figures)
		for n, s := range q.Score(a) {
			var levels []int
			for _, i := range q.Domains[n].Items {
				if level := a.Answers[i.ID].Level; level != nil {
					levels = append(levels, int(*level))
				}
			}
			if s.Items != len(q.Domains[n].Items) || s.Answered != len(levels) {
				t.Fatalf("%s: %d of %d answered, want %d", s.Domain, s.Answered, s.Items, len(levels))
			}
			if len(levels) == 0 {
				if s.Lowest != nil || s.Median != nil || s.Weakest != nil {
					t.Fatalf("%s has a score without an answer: %+v", s.Domain, s)
				}
				continue
			}
			lowest, median := naiveScore(levels)
			if int(*s.Lowest) != lowest || int(*s.Median) != median || len(s.Weakest) == 0 {
				t.Fatalf("%s: lowest %d, median %d, want %d and %d", s.Domain, *s.Lowest, *s.Median, lowest, median)
			}
		}
	})
}

func TestPlanPutsTheDataFirstAmongEquals(t *testing.T) {
	t.Parallel()
	q := shipped(t)
	a := readiness.Assessment{State: readiness.Draft, Answers: map[string]readiness.Answer{
		"accountable-leader": {Item: "accountable-leader", Level: at(readiness.NotBegun)},
		"committee-looks":    {Item: "committee-looks", Level: at(readiness.Begun)},
		"means-set-aside":    {Item: "means-set-aside", Level: at(readiness.Routine)},
	}}
	steps := q.Plan(a, readiness.Figures{
		readiness.RaceRecorded:  {Value: 0.7},
		readiness.InequityAsked: {Value: 0.1, Of: 20},
		readiness.DataAge:       {Value: 3},
	}, "en")
	var got []string
	for _, s := range steps {
		got = append(got, s.Item)
	}
	want := []string{"inequity-asked", "accountable-leader", "race-recorded", "committee-looks"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Plan() (-want +got):\n%s", diff)
	}
	why := "Harm events of which it was asked: 10% (below 25%)."
	if steps[0].Why != why {
		t.Errorf("Why = %q, want %q", steps[0].Why, why)
	}
	if diff := cmp.Diff(&readiness.Aim{Measure: "inequity-factor-captured", Rate: "main", Dimension: "site"},
		steps[0].Aim); diff != "" {
		t.Errorf("Aim (-want +got):\n%s", diff)
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	q := shipped(t)
	of := func(version string, levels map[string]*readiness.Level) readiness.Assessment {
		a := readiness.Assessment{Questionnaire: version, Answers: map[string]readiness.Answer{}}
		for id, l := range levels {
			a.Answers[id] = readiness.Answer{Item: id, Level: l}
		}
		return a
	}
	before := of("1.0.0", map[string]*readiness.Level{
		"accountable-leader": at(1), "committee-looks": at(2), "people-taught": at(2), "means-set-aside": at(0),
	})
	now := of("1.4.2", map[string]*readiness.Level{
		"accountable-leader": at(3), "committee-looks": at(1), "people-taught": at(2), "question-in-policy": at(0),
	})
	changes, ok := q.Compare(before, now)
	if !ok {
		t.Fatal("Compare() is not ok")
	}
	got := map[string]readiness.Kind{}
	for _, c := range changes {
		if c.Domain == "culture" {
			got[c.Item] = c.Kind
		} else if c.Kind != readiness.Neither {
			t.Errorf("%s is %s", c.Item, c.Kind)
		}
	}
	want := map[string]readiness.Kind{
		"accountable-leader": readiness.Rose, "committee-looks": readiness.Fell, "people-taught": readiness.Same,
		"means-set-aside": readiness.Lost, "question-in-policy": readiness.Gained,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Compare() (-want +got):\n%s", diff)
	}
	now.Questionnaire = "2.0.0"
	if _, ok := q.Compare(before, now); ok {
		t.Error("answers to another questionnaire are compared")
	}
}
