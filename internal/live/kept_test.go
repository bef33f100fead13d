package live

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
)

// counting answers with as many strata as the length of the id of the measure, and counts how often.
type counting struct {
	mu    sync.Mutex
	asked []string
	holds atomic.Int64
}

func (c *counting) evaluate(_ context.Context, q measure.Question) (measure.Result, error) {
	c.holds.Add(-1)
	c.mu.Lock()
	c.asked = append(c.asked, q.Measure)
	c.mu.Unlock()
	score, least := 0.5, [2]float64{0, 1}
	s := measure.Stratum{Components: []measure.Component{{Dimension: "race"}}, Share: &score, Bounds: &least,
		Cell: measure.Cell{Populations: map[measure.Population]float64{measure.Numerator: 1}, Score: &score}}
	strata := slices.Repeat([]measure.Stratum{s}, len(q.Measure))
	return measure.Result{Measure: q.Measure, Filter: q.Where, Groups: []measure.Group{{
		Cell:   measure.Cell{Statistics: map[string]float64{"mean": 1}, Interval: &least},
		Strata: map[string][]measure.Stratum{"race": strata},
	}}}, nil
}

func (c *counting) kept(limit int) *kept {
	return newKept(c.evaluate, func() { c.holds.Add(1) }, limit)
}

func ask(t *testing.T, k *kept, q measure.Question) measure.Result {
	t.Helper()
	r, err := k.ask(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEqualQuestionsAreEvaluatedOnce(t *testing.T) {
	t.Parallel()
	q := measure.Question{Measure: "m", By: []string{"race", "sex"},
		Where: measure.Filter{"race": {"a", "b"}, "sex": {"male"}}}
	reordered := q
	reordered.Where = measure.Filter{"sex": {"male"}, "race": {"b", "a", "b"}}
	tests := []struct {
		name   string
		change func(*measure.Question)
	}{
		{"measure", func(q *measure.Question) { q.Measure = "n" }},
		{"period", func(q *measure.Question) { q.Period.End = q.Period.End.AddDate(0, 0, 1) }},
		{"dimensions", func(q *measure.Question) { q.By = []string{"race"} }},
		{"policy", func(q *measure.Question) { q.Policy = mapping.PolicyAlone }},
		{"filter", func(q *measure.Question) { q.Where = measure.Filter{"race": {"a"}} }},
		{"bounds", func(q *measure.Question) { q.Bounds = true }},
	}
	var c counting
	k := c.kept(1000)
	for range 3 {
		ask(t, k, q)
		ask(t, k, reordered)
	}
	if len(c.asked) != 1 {
		t.Fatalf("evaluated %d times, want once", len(c.asked))
	}
	for i, tt := range tests {
		other := q
		tt.change(&other)
		ask(t, k, other)
		if len(c.asked) != i+2 {
			t.Errorf("another %s was answered from what is kept", tt.name)
		}
	}
	q.People = []phi.ID{phi.New("a")}
	before := len(c.asked)
	for range 2 {
		ask(t, k, q)
	}
	if len(c.asked) != before+2 {
		t.Error("an answer about single people was kept")
	}
	if n := c.holds.Load(); n != 0 {
		t.Errorf("%d evaluations still hold the snapshot", n)
	}
}

func TestWhoChangesAnAnswerChangesItForNobodyElse(t *testing.T) {
	t.Parallel()
	var c counting
	k := c.kept(1000)
	q := measure.Question{Measure: "m", Where: measure.Filter{"race": {"a"}}}
	want := ask(t, k, q)
	got := ask(t, k, q)
	g := &got.Groups[0]
	got.Filter["race"][0] = "x"
	g.Statistics["mean"], g.Interval[0] = 9, 9
	s := &g.Strata["race"][0]
	s.Suppressed, s.Components[0].Dimension = true, "x"
	s.Populations[measure.Numerator], *s.Score, *s.Share, s.Bounds[1] = 9, 9, 9, 9
	g.Strata["sex"] = nil
	if d := cmp.Diff(want, ask(t, k, q)); d != "" {
		t.Errorf("the next answer (-before +after):\n%s", d)
	}
}

func TestTheOldestAnswersGo(t *testing.T) {
	t.Parallel()
	var c counting
	k := c.kept(12) // Each is of its strata, the group and the whole.
	question := func(name string) measure.Question { return measure.Question{Measure: name} }
	for _, name := range []string{"aa", "bb", "cc", "aa", "dd", "aa", "cc", "bb"} {
		ask(t, k, question(name))
	}
	want := []string{"aa", "bb", "cc", "dd", "bb"}
	if d := cmp.Diff(want, c.asked); d != "" {
		t.Errorf("evaluated (-want +got):\n%s", d)
	}
	for range 2 {
		ask(t, k, question("larger than everything that may be kept"))
	}
	ask(t, k, question("bb"))
	if len(c.asked) != len(want)+2 {
		t.Errorf("an answer that is too large was kept, or drove out others: %v", c.asked)
	}
	if k.cells > k.limit || len(k.answers) != k.order.Len() {
		t.Errorf("%d cells of %d are kept, %d answers and %d in order", k.cells, k.limit, len(k.answers),
			k.order.Len())
	}
}

// TestManyAskAtOnce lets the first of them leave, and then all.
func TestManyAskAtOnce(t *testing.T) {
	t.Parallel()
	started, finish, ended := make(chan struct{}, 2), make(chan struct{}), make(chan error, 2)
	k := newKept(func(ctx context.Context, _ measure.Question) (measure.Result, error) {
		started <- struct{}{}
		select {
		case <-finish:
			return measure.Result{Measure: "m"}, nil
		case <-ctx.Done():
			ended <- context.Cause(ctx)
			return measure.Result{}, context.Cause(ctx)
		}
	}, func() {}, 10)
	first, leave := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		_, err := k.ask(first, measure.Question{})
		gone <- err
	}()
	<-started
	var others sync.WaitGroup
	for range 8 {
		others.Go(func() {
			if r, err := k.ask(t.Context(), measure.Question{}); err != nil || r.Measure != "m" {
				t.Errorf("who stays gets %v, %v", r, err)
			}
		})
	}
	for waiting := 0; waiting < 9; {
		k.mu.Lock()
		waiting = k.flights[mustKey(t, measure.Question{})].waiting
		k.mu.Unlock()
	}
	leave()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("who leaves gets %v", err)
	}
	close(finish)
	others.Wait()

	finish = make(chan struct{})
	alone, leave := context.WithCancel(t.Context())
	go func() {
		_, err := k.ask(alone, measure.Question{Measure: "other"})
		gone <- err
	}()
	<-started
	leave()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("an evaluation for nobody ended with %v", err)
	}
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("who leaves gets %v", err)
	}
}

func mustKey(t *testing.T, q measure.Question) string {
	t.Helper()
	key, err := keyOf(q)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestAFaultIsNotKept(t *testing.T) {
	t.Parallel()
	fault := errors.New("no such column")
	var nothing []int
	calls := 0
	k := newKept(func(context.Context, measure.Question) (measure.Result, error) {
		if calls++; calls == 1 {
			return measure.Result{}, fault
		}
		if calls == 2 {
			panic("patient 17")
		}
		if calls == 3 {
			return measure.Result{Snapshot: string(rune(nothing[calls]))}, nil
		}
		return measure.Result{}, nil
	}, func() {}, 10)
	for _, want := range []error{fault, errBroken, errBroken, nil} {
		if _, err := k.ask(t.Context(), measure.Question{}); !errors.Is(err, want) {
			t.Errorf("ask = %v, want %v", err, want)
		} else if calls == 2 && errors.Is(err, errBroken) && err.Error() != errBroken.Error() {
			t.Errorf("what a panic said is passed on: %v", err)
		}
	}
}
