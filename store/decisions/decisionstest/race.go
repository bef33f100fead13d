package decisionstest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/store/decisions"
)

// racers is how many write at once.
const racers = 8

// letsOneWin lets all write upon the same version, round after round.
func letsOneWin(t *testing.T, s decisions.Store) {
	const rounds = 10
	for round := range rounds {
		var won atomic.Int32
		atOnce(racers, func(int) {
			_, err := s.Write(t.Context(), Change("a", round))
			switch {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, decisions.ErrConflict):
				t.Errorf("Write() = %v, want ErrConflict", err)
			}
		})
		if got := won.Load(); got != 1 {
			t.Fatalf("round %d: %d of %d have written version %d", round, got, racers, round+1)
		}
	}
	history, err := s.History(t.Context(), decisions.Review, "a")
	if err != nil || len(history) != rounds {
		t.Errorf("History() = %d versions, %v; want %d", len(history), err, rounds)
	}
}

// crosses lets all change the same documents, each in an order of its own, until everybody has had
// their way.
func crosses(t *testing.T, s decisions.Store) {
	const each, documents = 5, 4
	var acknowledged atomic.Int32
	atOnce(racers, func(i int) {
		for range each {
			for {
				var set []decisions.Change
				for j := range documents {
					id := strconv.Itoa((i + j) % documents)
					set = append(set, Change(id, newestOf(t, s, id)))
				}
				_, err := s.Write(t.Context(), set...)
				if err == nil {
					acknowledged.Add(1)
					break
				}
				if !errors.Is(err, decisions.ErrConflict) {
					t.Errorf("Write() = %v, want ErrConflict", err)
					return
				}
			}
		}
	})
	for j := range documents {
		if got := newestOf(t, s, strconv.Itoa(j)); got != int(acknowledged.Load()) || got != racers*each {
			t.Errorf("document %d has %d versions of %d acknowledged, want %d", j, got, acknowledged.Load(), racers*each)
		}
	}
}

func newestOf(t testing.TB, s decisions.Store, id string) int {
	document, err := s.Get(t.Context(), decisions.Review, id)
	if err != nil && !errors.Is(err, decisions.ErrNotFound) {
		t.Errorf("Get(): %v", err)
	}
	return document.Version
}

// readsWholeSets lets one write pairs while others read them.
func readsWholeSets(t *testing.T, s decisions.Store) {
	const sets = 20
	var group sync.WaitGroup
	stop := make(chan struct{})
	for range 3 {
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				pair, err := s.Find(t.Context(), decisions.Query{Kind: decisions.Review})
				if err != nil {
					t.Errorf("Find(): %v", err)
					return
				}
				if len(pair) == 1 || len(pair) == 2 && pair[0].Version != pair[1].Version {
					t.Errorf("Find() sees half a change set: %v", pair)
				}
			}
		})
	}
	for i := range sets {
		must(t, s, Change("a", i), Change("b", i))
	}
	close(stop)
	group.Wait()
}

// doesAsItsTwin writes and reads at random, first in turn and then at once. Every check has documents of
// its own in the one store.
func doesAsItsTwin(t *testing.T, s decisions.Store) {
	var checks atomic.Int64
	rapid.Check(t, func(r *rapid.T) {
		run := strconv.FormatInt(checks.Add(1), 10)
		twin := NewTwin(at())
		for range rapid.IntRange(1, 4).Draw(r, "steps") {
			set := rapid.SliceOfN(changes(run, twin), 1, 3).Draw(r, "set")
			got, err := s.Write(t.Context(), set...)
			want, expected := twin.Write(t.Context(), set...)
			if !errors.Is(err, expected) || differ(want, got) != "" {
				r.Fatalf("Write(%v) = %v, want %v %s", set, err, expected, differ(want, got))
			}
		}
		race(t, r, s, twin, run)
		compare(t, r, s, twin, run)
	})
}

func differ(want, got []decisions.Document) string { return cmp.Diff(want, got) }

// changes draws a change that mostly expects what is there.
func changes(run string, twin *Twin) *rapid.Generator[decisions.Change] {
	return rapid.Custom(func(r *rapid.T) decisions.Change {
		c := decisions.Change{Document: decisions.Document{
			Kind: rapid.SampledFrom(decisions.Kinds()[:2]).Draw(r, "kind"),
			ID:   run + "-" + rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "id"),
			By:   rapid.StringMatching(`[a-zé]{1,9}`).Draw(r, "by"),
			Body: fmt.Appendf(nil, `{"n": %d}`, rapid.Int().Draw(r, "n")),
		}}
		c.Terms = map[string]string{"run": run}
		for _, name := range rapid.SliceOfN(rapid.SampledFrom([]string{"x", "y"}), 0, 2).Draw(r, "names") {
			c.Terms[name] = rapid.SampledFrom([]string{"1", "2"}).Draw(r, "value")
		}
		history, err := twin.History(r.Context(), c.Kind, c.ID)
		if err == nil {
			c.Expect = len(history)
		}
		if rapid.IntRange(0, 5).Draw(r, "stale") == 0 {
			c.Expect = rapid.IntRange(0, 3).Draw(r, "expect")
		}
		return c
	})
}

// race writes changes at once. In whatever order they came, those that were acknowledged are all of other
// versions, without a hole, and whoever expected what was there has lost to somebody.
func race(t *testing.T, r *rapid.T, s decisions.Store, twin *Twin, run string) {
	sets := rapid.SliceOfN(changes(run, twin), 2, 4).Draw(r, "at once")
	results := make([]error, len(sets))
	before := make([]int, len(sets))
	for i, c := range sets {
		document, _ := twin.Get(t.Context(), c.Kind, c.ID) // Version 0 if there is none.
		before[i] = document.Version
	}
	atOnce(len(sets), func(i int) { _, results[i] = s.Write(t.Context(), sets[i]) })
	won := map[string][]int{}
	for i, err := range results {
		if err == nil {
			k := string(sets[i].Kind) + sets[i].ID
			won[k] = append(won[k], i)
		} else if !errors.Is(err, decisions.ErrConflict) {
			r.Fatalf("Write() = %v, want ErrConflict", err)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(won)) {
		slices.SortFunc(won[k], func(a, b int) int { return sets[a].Expect - sets[b].Expect })
		for _, i := range won[k] {
			if _, err := twin.Write(t.Context(), sets[i]); err != nil {
				r.Fatalf("two have written version %d of one document", sets[i].Expect+1)
			}
		}
	}
	for i, err := range results {
		document, _ := twin.Get(t.Context(), sets[i].Kind, sets[i].ID) // As above.
		if err != nil && sets[i].Expect == before[i] && document.Version == before[i] {
			r.Fatalf("nobody has written version %d, and this one was refused: %v", sets[i].Expect+1, err)
		}
	}
}

// compare reads everything from both.
func compare(t *testing.T, r *rapid.T, s, twin decisions.Store, run string) {
	for _, kind := range decisions.Kinds()[:2] {
		for _, terms := range []map[string][]string{
			{"run": {run}}, {"run": {run}, "x": {"1"}}, {"run": {run}, "x": {"1", "2"}, "y": {"2"}},
		} {
			q := decisions.Query{Kind: kind, Terms: terms, Limit: rapid.IntRange(0, 2).Draw(r, "limit")}
			want, _ := twin.Find(t.Context(), q) // It has no errors.
			got, err := s.Find(t.Context(), q)
			if err != nil || differ(want, got) != "" {
				r.Fatalf("Find(%v): %v %s", q, err, differ(want, got))
			}
		}
		for _, id := range []string{run + "-a", run + "-b", run + "-c"} {
			want, expected := twin.History(t.Context(), kind, id)
			got, err := s.History(t.Context(), kind, id)
			if !errors.Is(err, expected) || differ(want, got) != "" {
				r.Fatalf("History(%s): %v, want %v %s", kind, err, expected, differ(want, got))
			}
		}
	}
}
