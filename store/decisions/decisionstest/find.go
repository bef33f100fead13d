package decisionstest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/store/decisions"
)

// termed is a change that is found by its terms.
func termed(id string, expect int, terms map[string]string) decisions.Change {
	c := Change(id, expect)
	c.Terms = terms
	return c
}

func findsByTerms(t *testing.T, s decisions.Store) {
	must(t, s,
		termed("a", 0, map[string]string{"state": "open", "site": "north"}),
		termed("b", 0, map[string]string{"state": "open", "site": ""}),
		termed("c", 0, map[string]string{"state": "settled", "site": "north"}),
		termed("d", 0, nil))
	must(t, s, termed("a", 1, map[string]string{"state": "settled", "due": "2026-03-01"}))
	other := termed("a", 0, map[string]string{"state": "open"})
	other.Kind = decisions.Action
	must(t, s, other)
	tests := []struct {
		name string
		in   map[string][]string
		want string
	}{
		{"no terms are everything", nil, "a2 b1 c1 d1"},
		{"the terms of older versions do not count", map[string][]string{"state": {"open"}}, "b1"},
		{"of several values one is enough", map[string][]string{"state": {"open", "settled", "x"}}, "a2 b1 c1"},
		{"every name has to match", map[string][]string{"state": {"settled"}, "site": {"north"}}, "c1"},
		{"a value may be empty", map[string][]string{"site": {""}}, "b1"},
		{"a name without values matches nothing", map[string][]string{"site": {}}, ""},
		{"a name that nothing has", map[string][]string{"owner": {"x"}}, ""},
		{"no pattern", map[string][]string{"site": {"n%", "nort_", "NORTH"}}, ""},
		{"no name could be so", map[string][]string{"\x00": {"x"}}, ""},
		{"no value could be so", map[string][]string{"site": {"\x00", "\xff"}}, ""},
		{"a value that could not be beside one that could", map[string][]string{"site": {"\x00", "north"}}, "c1"},
	}
	for _, test := range tests {
		got := found(t, s, decisions.Query{Kind: decisions.Review, Terms: test.in})
		if got != test.want {
			t.Errorf("%s: Find() = %q, want %q", test.name, got, test.want)
		}
	}
}

// found names what a query finds, with the versions.
func found(t *testing.T, s decisions.Store, q decisions.Query) string {
	t.Helper()
	documents, err := s.Find(t.Context(), q)
	if err != nil {
		t.Fatalf("Find(%+v): %v", q, err)
	}
	var names []string
	for _, d := range documents {
		names = append(names, fmt.Sprint(d.ID, d.Version))
		whole, err := s.Get(t.Context(), d.Kind, d.ID)
		if err != nil {
			t.Fatalf("Get(): %v", err)
		}
		if diff := cmp.Diff(whole, d); diff != "" {
			t.Errorf("Find() and Get() differ (-Get +Find):\n%s", diff)
		}
	}
	return strings.Join(names, " ")
}

func findsPages(t *testing.T, s decisions.Store) {
	// The order is that of bytes, in any locale.
	ids := []string{"-", ".", "0", "9", "A", "B", "Z", "a", "aa", "b", "z"}
	for i := range ids {
		must(t, s, termed(ids[len(ids)-1-i], 0, map[string]string{"x": "y"}))
		must(t, s, termed(ids[len(ids)-1-i], 1, map[string]string{"x": "y"}))
	}
	for _, terms := range []map[string][]string{nil, {"x": {"y"}}} {
		for limit := range 5 {
			q := decisions.Query{Kind: decisions.Review, Terms: terms, Limit: limit}
			var got []string
			for {
				page, err := s.Find(t.Context(), q)
				if err != nil {
					t.Fatalf("Find(%+v): %v", q, err)
				}
				for _, d := range page {
					got = append(got, d.ID)
				}
				if len(page) == 0 || limit == 0 {
					break
				}
				q.After = page[len(page)-1].ID
			}
			if d := cmp.Diff(ids, got); d != "" {
				t.Errorf("pages of %d (-want +got):\n%s", limit, d)
			}
		}
	}
}

func refuses(t *testing.T, s decisions.Store) {
	const canary = "canary-4711"
	tests := []struct {
		name string
		in   func(*decisions.Change)
		want string
	}{
		{"no kind", func(c *decisions.Change) { c.Kind = "" }, "no kind"},
		{"another kind", func(c *decisions.Change) { c.Kind = canary }, "no kind"},
		{"no id", func(c *decisions.Change) { c.ID = "" }, "its id"},
		{"an id that is too long", func(c *decisions.Change) { c.ID = strings.Repeat("a", 65) }, "its id"},
		{"an id with a slash", func(c *decisions.Change) { c.ID = canary + "/" }, "its id"},
		{"an id with a new line", func(c *decisions.Change) { c.ID = canary + "\n" }, "its id"},
		{"an id in other letters", func(c *decisions.Change) { c.ID = "ä" }, "its id"},
		{"a version below 0", func(c *decisions.Change) { c.Expect = -1 }, "below 0"},
		{"no author", func(c *decisions.Change) { c.By = "" }, "who wrote it"},
		{"an author of two lines", func(c *decisions.Change) { c.By = canary + "\n" }, "who wrote it"},
		{"a time before all years", func(c *decisions.Change) {
			c.At = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
		}, "its time"},
		{"a time after all years", func(c *decisions.Change) {
			c.At = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
		}, "its time"},
		{"no body", func(c *decisions.Change) { c.Body = nil }, "its body"},
		{"a body of half a JSON", func(c *decisions.Change) { c.Body = []byte(`{"a":"` + canary) }, "its body"},
		{"a body of two", func(c *decisions.Change) { c.Body = []byte(`{}{}`) }, "its body"},
		{"a body that is not UTF-8", func(c *decisions.Change) { c.Body = []byte("\"\xff\"") }, "its body"},
		{"a term without a name", func(c *decisions.Change) { c.Terms = map[string]string{"": "x"} }, "a term"},
		{"a term with a name of two words", func(c *decisions.Change) {
			c.Terms = map[string]string{"a " + canary: "x"}
		}, "a term"},
		{"a term that is a text", func(c *decisions.Change) {
			c.Terms = map[string]string{"a": canary + strings.Repeat("x", 256)}
		}, "term a"},
		{"a term with a NUL", func(c *decisions.Change) { c.Terms = map[string]string{"a": canary + "\x00"} }, "term a"},
		{"a term that is not UTF-8", func(c *decisions.Change) { c.Terms = map[string]string{"a": "\xff"} }, "term a"},
		{"too many terms", func(c *decisions.Change) {
			c.Terms = map[string]string{}
			for i := range 65 {
				c.Terms[fmt.Sprint("t", i)] = "x"
			}
		}, "terms"},
	}
	for _, test := range tests {
		c := Change("a", 0)
		test.in(&c)
		_, err := s.Write(t.Context(), c)
		if !errors.Is(err, decisions.ErrInvalid) || !strings.Contains(fmt.Sprint(err), test.want) {
			t.Errorf("%s: Write() = %v, want ErrInvalid with %q", test.name, err, test.want)
		}
		if strings.Contains(fmt.Sprint(err), canary) {
			t.Errorf("%s: Write() = %v, which repeats what it refuses", test.name, err)
		}
	}
	for name, q := range map[string]decisions.Query{
		"no kind":          {},
		"another kind":     {Kind: canary},
		"a limit below 0":  {Kind: decisions.Review, Limit: -1},
		"after what is no": {Kind: decisions.Review, After: "\x00"},
		"too many values":  {Kind: decisions.Review, Terms: map[string][]string{"a": make([]string, 1001)}},
	} {
		if _, err := s.Find(t.Context(), q); !errors.Is(err, decisions.ErrInvalid) {
			t.Errorf("%s: Find() = %v, want ErrInvalid", name, err)
		}
	}
	if got := found(t, s, decisions.Query{Kind: decisions.Review}); got != "" {
		t.Errorf("what was refused is there: %s", got)
	}
}
