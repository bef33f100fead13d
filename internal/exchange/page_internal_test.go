package exchange

import (
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/server"
)

// Page after page holds what matches, once and in order, also when what ended a page has ceased to
// match before the next one is read.
func TestPagesOfAList(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		every := make([]int, rapid.IntRange(0, 30).Draw(t, "length"))
		matching := make([]bool, len(every))
		var want []int
		for i := range every {
			every[i], matching[i] = i, rapid.Bool().Draw(t, "matches")
			if matching[i] {
				want = append(want, i)
			}
		}
		q := server.Query{Count: rapid.IntRange(1, 9).Draw(t, "count")}
		fades := rapid.Bool().Draw(t, "what ended a page ceases to match")
		var got []int
		for {
			entries, total, next, err := page(q, every, strconv.Itoa, func(i int) (bool, error) { return matching[i], nil })
			if err != nil {
				t.Fatal(err)
			}
			if have := len(slices.DeleteFunc(slices.Clone(matching), func(b bool) bool { return !b })); total != have {
				t.Fatalf("the total is %d of %d", total, have)
			}
			got = append(got, entries...)
			if next == "" {
				break
			}
			if fades {
				matching[entries[len(entries)-1]] = false
			}
			q.Cursor = next
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("pages (-want +got):\n%s", diff)
		}
	})
	if _, _, _, err := page(server.Query{Count: 1, Cursor: "9"}, []int{1}, strconv.Itoa,
		func(int) (bool, error) { return true, nil }); err == nil {
		t.Error("a cursor of nothing was taken")
	}
}
