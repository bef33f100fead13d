package network_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/improvement/network"
)

// filled is a network of members of different sizes, of whom one hides two groups.
func filled(t testing.TB, members int) *world {
	t.Helper()
	w := newWorld(t, members)
	for i := range members {
		s := small(t, "m"+string(rune('1'+i)), int64(10*(i+1)))
		if i == 0 {
			hidden := masked(t)
			s.Reports = hidden.Reports
		}
		w.hand(t, s)
	}
	return w
}

func spanish(t testing.TB) network.Question {
	return network.Question{
		Period: year(t, "2025"), Measure: "interpreter-documented", Dimension: "language_group", Group: "spanish",
	}
}

func TestMembersStandBesideWhatTheyComeTo(t *testing.T) {
	t.Parallel()
	w := filled(t, 4)
	got, err := w.desk.Pooled(t.Context(), spanish(t), network.Viewer{Member: "m2"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Showing != 4 || !got.Enough || got.Denominator != 50*(10+20+30+40) || got.Numerator != 30*100 ||
		got.Score == nil || *got.Score != 0.6 {
		t.Errorf("Pooled = %+v", got)
	}
	own := 0
	for _, s := range got.Standings {
		if s.Own {
			own++
			if s.Name != "Hospital m2" || s.Denominator != 1000 {
				t.Errorf("own standing %+v", s)
			}
			continue
		}
		if s.Name != "" || s.Number < 1 || s.Number > 3 {
			t.Errorf("another member is shown as %+v", s)
		}
		if s.Limits95 == nil || s.Limits998 == nil || s.Outside != network.Inside {
			t.Errorf("a member at the pooled score is outside: %+v", s)
		}
	}
	if own != 1 || len(got.Standings) != 4 {
		t.Errorf("%d of %d standings are one's own", own, len(got.Standings))
	}
}

func TestHiddenCellsAreInNoSum(t *testing.T) {
	t.Parallel()
	w := filled(t, 4)
	q := spanish(t)
	q.Group = "chinese"
	got, err := w.desk.Pooled(t.Context(), q, network.Viewer{Coordinator: true})
	if err != nil {
		t.Fatal(err)
	}
	if got.Showing != 3 || got.Hidden != 1 || got.Denominator != 20*(20+30+40) {
		t.Errorf("Pooled = %+v", got)
	}
	if slices.ContainsFunc(got.Standings, func(s network.Standing) bool { return s.Name == "Hospital m1" }) {
		t.Error("a member that hides the figure has a standing")
	}
	if got.Gap == nil || got.Gap.Reference != "spanish" || got.Gap.Showing != 3 || got.Gap.Difference == nil {
		t.Errorf("gap %+v", got.Gap)
	}
}

// TestWhoTakesItselfAwayIsLeftWithWhatIsShown is the attack by subtraction: a member knows its own
// figures, takes them from every pooled one, and is left with what others show, of two at least.
func TestWhoTakesItselfAwayIsLeftWithWhatIsShown(t *testing.T) {
	t.Parallel()
	w := filled(t, 4)
	overview, err := w.desk.Overview(t.Context(), year(t, "2025"), network.Viewer{Member: "m2"}, network.Dimensions()...)
	if err != nil {
		t.Fatal(err)
	}
	attacked := 0
	for _, f := range overview.Figures {
		if !f.Enough {
			if f.Score != nil || f.Numerator != 0 || f.Denominator != 0 || f.Gap != nil && f.Gap.Difference != nil {
				t.Errorf("%s %s %s is pooled of %d members", f.Measure, f.Dimension, f.Group, f.Showing)
			}
			for _, s := range f.Standings {
				if !s.Own {
					t.Errorf("%s %s %s of %d members shows another one", f.Measure, f.Dimension, f.Group, f.Showing)
				}
			}
			continue
		}
		met, all, others := f.Numerator, f.Denominator, 0
		for _, s := range f.Standings {
			if s.Own {
				met, all = met-s.Numerator, all-s.Denominator
				continue
			}
			others++
			if s.Denominator < 11 || s.Numerator > 0 && s.Numerator < 11 {
				t.Errorf("a standing of %d of %d", s.Numerator, s.Denominator)
			}
		}
		attacked++
		if others < 2 || all < 22 || met > 0 && met < 11 {
			t.Errorf("%s %s %s: %d of %d are left, of %d members", f.Measure, f.Dimension, f.Group, met, all, others)
		}
	}
	if attacked < 10 {
		t.Errorf("%d figures were attacked", attacked)
	}
}

func TestNothingIsPooledOfTwo(t *testing.T) {
	t.Parallel()
	w := filled(t, 2)
	got, err := w.desk.Pooled(t.Context(), spanish(t), network.Viewer{Member: "m2"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Enough || got.Score != nil || got.Denominator != 0 || len(got.Standings) != 1 || !got.Standings[0].Own {
		t.Errorf("Pooled of two = %+v", got)
	}
	if all, err := w.desk.Pooled(t.Context(), spanish(t), network.Viewer{Coordinator: true}); err != nil ||
		len(all.Standings) != 2 || all.Score != nil {
		t.Errorf("the coordinator sees %+v (%v)", all, err)
	}
}

// order lists the sizes of the members that a viewer cannot name, in the order that it sees.
func order(t *testing.T, w *world, viewer string, q network.Question) []int64 {
	t.Helper()
	got, err := w.desk.Pooled(t.Context(), q, network.Viewer{Member: viewer})
	if err != nil {
		t.Fatal(err)
	}
	var sizes []int64
	for _, s := range got.Standings {
		if !s.Own {
			sizes = append(sizes, s.Denominator)
		}
	}
	return sizes
}

func TestNumbersTellNobody(t *testing.T) {
	t.Parallel()
	w := filled(t, 9)
	for i := range 9 {
		s := small(t, "m"+string(rune('1'+i)), int64(10*(i+1)))
		s.Period, s.Actions = year(t, "2024"), nil
		w.hand(t, s)
	}
	q := spanish(t)
	drop := func(sizes []int64, out ...int64) []int64 {
		return slices.DeleteFunc(slices.Clone(sizes), func(n int64) bool { return slices.Contains(out, n) })
	}
	first := order(t, w, "m2", q)
	if !cmp.Equal(first, order(t, w, "m2", q)) {
		t.Error("the order differs from one look to the next")
	}
	if cmp.Equal(drop(first, 1500), drop(order(t, w, "m3", q), 1000)) {
		t.Error("two members see the others in one order")
	}
	earlier := q
	earlier.Period = year(t, "2024")
	if cmp.Equal(first, order(t, w, "m2", earlier)) {
		t.Error("two periods have one order")
	}
	if slices.IsSorted(first) {
		t.Error("the order is that of the sizes")
	}
	whole := q
	whole.Dimension, whole.Group = "sex", "female"
	if a, b := first, order(t, w, "m2", whole); !slices.EqualFunc(a, b, func(x, y int64) bool { return x*6 == y*5 }) {
		t.Errorf("a number is not the same member in two figures: %v and %v", a, b)
	}
}

func TestAMemberFindsNobodysName(t *testing.T) {
	t.Parallel()
	w := filled(t, 5)
	got, err := w.desk.Overview(t.Context(), year(t, "2025"), network.Viewer{Member: "m2"}, network.UsualDimensions()...)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{"m1", "m3", "m4", "m5"} {
		if strings.Contains(string(text), other) {
			t.Errorf("what m2 sees names %s", other)
		}
	}
	if !strings.Contains(string(text), "Hospital m2") {
		t.Error("what m2 sees does not name it")
	}
	if _, err := w.desk.Overview(t.Context(), year(t, "2025"), network.Viewer{Member: "m9"}); !errors.Is(err, network.ErrNoMember) {
		t.Errorf("a stranger sees the network: %v", err)
	}
	if _, err := w.desk.Overview(t.Context(), year(t, "2025"), network.Viewer{}); !errors.Is(err, network.ErrNoMember) {
		t.Errorf("nobody sees the network: %v", err)
	}
}

func TestAdoptionAndDemonstrationAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 6)
	hand := func(i int, change func(s *network.Submission)) {
		s := small(t, "m"+string(rune('0'+i)), 10)
		change(&s)
		w.hand(t, s)
	}
	hand(1, func(*network.Submission) {})
	hand(2, func(s *network.Submission) { s.Adoption.Final = false })
	hand(3, func(s *network.Submission) { s.Adoption.Levels = levels(t, 1); s.Actions = nil })
	hand(4, func(s *network.Submission) { s.Adoption = nil; s.Actions[0].Demonstrated = false })
	hand(5, func(s *network.Submission) {
		domain := questionnaire(t).Domains[0]
		for _, item := range domain.Items[len(domain.Items)/2:] {
			delete(s.Adoption.Levels, item.ID)
		}
	})
	got, err := w.desk.Overview(t.Context(), year(t, "2025"), network.Viewer{Coordinator: true})
	if err != nil {
		t.Fatal(err)
	}
	type counts struct{ Members, HandedIn, Assessed, Adopted, Acting, Demonstrated, Actions int }
	want := counts{Members: 6, HandedIn: 5, Assessed: 3, Adopted: 1, Acting: 4, Demonstrated: 3, Actions: 3}
	is := counts{got.Members, got.HandedIn, got.Assessed, got.Adopted, got.Acting, got.Demonstrated, got.Actions}
	if diff := cmp.Diff(want, is); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if len(got.Standings) != 6 || got.Standings[5].HandedIn || !got.Standings[0].Adopted {
		t.Errorf("standings %+v", got.Standings)
	}
}

func TestQuestionsThatHaveNoAnswer(t *testing.T) {
	t.Parallel()
	w := filled(t, 3)
	for _, tt := range []struct {
		name   string
		change func(q *network.Question)
	}{
		{"no such measure", func(q *network.Question) { q.Measure = "nothing" }},
		{"a median", func(q *network.Question) { q.Measure = "length-of-stay" }},
		{"no such rate", func(q *network.Question) { q.Rate = "other" }},
		{"by site", func(q *network.Question) { q.Dimension, q.Group = "site", "main" }},
		{"no such group", func(q *network.Question) { q.Group = "latin" }},
		{"a dimension without a group", func(q *network.Question) { q.Group = "" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			q := spanish(t)
			tt.change(&q)
			if _, err := w.desk.Pooled(t.Context(), q, network.Viewer{Coordinator: true}); !errors.Is(err, network.ErrUnknown) {
				t.Errorf("Pooled = %v, want ErrUnknown", err)
			}
		})
	}
}
