package decisionstest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/store/decisions"
)

// Now is the clock of the stores under test. It is finer than what they keep and not in UTC.
func Now() time.Time {
	return time.Date(2026, 3, 1, 2, 0, 0, 123456789, time.FixedZone("", 3600))
}

// at is what they make of it.
func at() time.Time { return Now().UTC().Truncate(time.Microsecond) }

// Open opens an empty store whose clock is Now. It may be called twice for one test: two stores then.
type Open func(testing.TB) decisions.Store

// Run holds a store against its contract.
func Run(t *testing.T, open Open) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, decisions.Store){
		"what is written is read back to the byte":      readsBack,
		"every version is kept":                         keepsVersions,
		"nobody overwrites what they have not read":     refusesConflicts,
		"all changes are written or none":               writesAllOrNone,
		"what is not there is not found":                findsNothing,
		"documents are found by their newest terms":     findsByTerms,
		"pages follow one another":                      findsPages,
		"what cannot be kept is refused by name":        refuses,
		"who has gone away writes nothing":              stopsWhenTold,
		"one of many who expect the same version wins":  letsOneWin,
		"change sets that cross do not block for ever":  crosses,
		"who reads meanwhile sees sets whole or not":    readsWholeSets,
		"it does as its twin in memory does, every way": doesAsItsTwin,
		"any text is kept or refused":                   takesAnything,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// Change is a change of a review, for tests that care for nothing but its place.
func Change(id string, expect int) decisions.Change {
	return decisions.Change{Expect: expect, Document: decisions.Document{
		Kind: decisions.Review, ID: id, By: "tester",
		Body: []byte(`{"version": ` + strconv.Itoa(expect+1) + `}`),
	}}
}

// must writes and returns what stands.
func must(t testing.TB, s decisions.Store, changes ...decisions.Change) []decisions.Document {
	t.Helper()
	written, err := s.Write(t.Context(), changes...)
	if err != nil {
		t.Fatalf("Write(): %v", err)
	}
	return written
}

func readsBack(t *testing.T, s decisions.Store) {
	for i, body := range []string{
		`{}`, `null`, `"<script>&\u0000\u2028"`, "{\n\t\"a\" :  1e400 , \"a\":[ ] }\n", `"ñ 中 🧑🏽‍⚕️"`,
		`"` + strings.Repeat("long ", 1<<13) + `"`,
	} {
		want := decisions.Document{
			Kind: decisions.Kinds()[i%len(decisions.Kinds())], ID: fmt.Sprintf("A-.%d", i), Version: 1,
			At: time.Date(1+i*1999, 12, 31, 23, 59, 59, 999999000, time.UTC), By: "päseudonym",
			Terms: map[string]string{"a": "", "b.c-d_E": "ñ <&> 'quoted' \"twice\" %_\\"}, Body: []byte(body),
		}
		written := must(t, s, decisions.Change{Document: want})
		if d := cmp.Diff([]decisions.Document{want}, written); d != "" {
			t.Errorf("Write() (-want +got):\n%s", d)
		}
		got, err := s.Get(t.Context(), want.Kind, want.ID)
		if err != nil {
			t.Fatalf("Get(): %v", err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("Get() (-want +got):\n%s", d)
		}
	}
	got := must(t, s, Change("stamped", 0))[0].At
	if !got.Equal(at()) || got.Location() != time.UTC {
		t.Errorf("a document without a time has %v, want %v", got, at())
	}
}

func keepsVersions(t *testing.T, s decisions.Store) {
	var want []decisions.Document
	for i := range 5 {
		c := Change("a", i)
		c.Version = 99 // Not looked at.
		c.By = "author " + strconv.Itoa(i)
		want = append(want, must(t, s, c)...)
		if want[i].Version != i+1 {
			t.Errorf("Write() made version %d of what should be %d", want[i].Version, i+1)
		}
	}
	got, err := s.History(t.Context(), decisions.Review, "a")
	if err != nil {
		t.Fatalf("History(): %v", err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("History() (-want +got):\n%s", d)
	}
}

func refusesConflicts(t *testing.T, s decisions.Store) {
	must(t, s, Change("a", 0))
	must(t, s, Change("a", 1))
	for _, expect := range []int{0, 1, 3, 99} {
		if _, err := s.Write(t.Context(), Change("a", expect)); !errors.Is(err, decisions.ErrConflict) {
			t.Errorf("Write(expect %d) = %v, want ErrConflict", expect, err)
		}
	}
	if _, err := s.Write(t.Context(), Change("new", 1)); !errors.Is(err, decisions.ErrConflict) {
		t.Errorf("Write(what is not there) = %v, want ErrConflict", err)
	}
	must(t, s, Change("a", 2))
}

func writesAllOrNone(t *testing.T, s decisions.Store) {
	must(t, s, Change("b", 0))
	bad := Change("c", 0)
	bad.Body = []byte(`{`)
	for name, set := range map[string][]decisions.Change{
		"the last is a conflict":  {Change("a", 0), Change("c", 0), Change("b", 0)},
		"the first is a conflict": {Change("b", 0), Change("a", 0)},
		"one is invalid":          {Change("a", 0), bad},
		"one document twice":      {Change("a", 0), Change("a", 0)},
	} {
		if _, err := s.Write(t.Context(), set...); err == nil {
			t.Errorf("%s: Write() succeeds", name)
		}
		if _, err := s.Get(t.Context(), decisions.Review, "a"); !errors.Is(err, decisions.ErrNotFound) {
			t.Errorf("%s: Get() = %v, want ErrNotFound", name, err)
		}
	}
	if written := must(t, s); written != nil {
		t.Errorf("Write() of nothing = %v", written)
	}
	written := must(t, s, Change("z", 0), Change("a", 0), Change("z", 1), Change("b", 1))
	var got []string
	for _, d := range written {
		got = append(got, d.ID+strconv.Itoa(d.Version))
	}
	if d := cmp.Diff([]string{"z1", "a1", "z2", "b2"}, got); d != "" {
		t.Errorf("Write() (-want +got):\n%s", d)
	}
}

func findsNothing(t *testing.T, s decisions.Store) {
	must(t, s, Change("a", 0))
	for _, k := range []struct {
		kind decisions.Kind
		id   string
	}{
		{decisions.Review, "b"}, {decisions.Action, "a"}, {decisions.Review, "A"}, {decisions.Review, ""},
		{"", "a"}, {"other", "a"}, {decisions.Review, "a\x00"}, {decisions.Review, "\xff"},
		{decisions.Review, "' or 1=1 --"}, {decisions.Review, strings.Repeat("a", 65)},
	} {
		if _, err := s.Get(t.Context(), k.kind, k.id); !errors.Is(err, decisions.ErrNotFound) {
			t.Errorf("Get(%q, %q) = %v, want ErrNotFound", k.kind, k.id, err)
		}
		if _, err := s.History(t.Context(), k.kind, k.id); !errors.Is(err, decisions.ErrNotFound) {
			t.Errorf("History(%q, %q) = %v, want ErrNotFound", k.kind, k.id, err)
		}
	}
}

func stopsWhenTold(t *testing.T, s decisions.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Write(ctx, Change("a", 0)); !errors.Is(err, context.Canceled) {
		t.Errorf("Write() = %v, want context.Canceled", err)
	}
	if _, err := s.Get(ctx, decisions.Review, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("Get() = %v, want context.Canceled", err)
	}
	if _, err := s.Get(t.Context(), decisions.Review, "a"); !errors.Is(err, decisions.ErrNotFound) {
		t.Errorf("Get() = %v, want ErrNotFound", err)
	}
	must(t, s, Change("a", 0))
}

// atOnce runs a function by as many goroutines at once.
func atOnce(many int, do func(i int)) {
	var group sync.WaitGroup
	gate := make(chan struct{})
	for i := range many {
		group.Go(func() {
			<-gate
			do(i)
		})
	}
	close(gate)
	group.Wait()
}
