package review_test

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/facts"
)

// busy is a desk in the middle of its work: a is disagreed about, b waits, c is settled and withdrawn, d
// is settled, nobody has begun e, f, g (a near miss without a date) and h (before the first day).
func busy(t testing.TB) (*review.Desk, *snapshot) {
	t.Helper()
	s := &snapshot{events: []facts.Event{
		event("a", "2026-03-01"),
		event("b", "2026-05-30", func(e *facts.Event) { e.Detected = day("2026-06-02") }),
		event("c", "2026-03-03", func(e *facts.Event) { e.Site = "H2" }),
		event("d", "2026-03-04", func(e *facts.Event) { e.Severity = "mild" }),
		event("e", "2026-03-05", func(e *facts.Event) { e.Category, e.Recorded = "device", "yes" }),
		event("f", "2026-05-16"),
		event("g", "", func(e *facts.Event) { e.Actuality = mapping.Potential }),
		event("h", "2025-12-31"),
	}}
	desk := open(t, s, review.Config{
		TwoPerson: review.TwoIfSevere, Since: day("2026-01-01"), DueAfter: 30 * 24 * time.Hour,
	})
	for _, given := range []struct {
		id      string
		version int
		opinion review.Opinion
	}{
		{"a", 0, by("ana", review.Yes, review.Data)}, {"a", 1, by("bo", review.No)},
		{"b", 0, by("ana", review.No)},
		{"c", 0, by("ana", review.No)}, {"c", 1, by("bo", review.No)},
		{"d", 0, by("ana", review.Yes, review.Data)},
	} {
		if _, err := desk.Answer(t.Context(), idOf(given.id), given.version, given.opinion); err != nil {
			t.Fatal(err)
		}
	}
	s.events = slices.DeleteFunc(s.events, func(e facts.Event) bool { return e.ID == phi.New("c") })
	return desk, s
}

// names reads ids of reviews back.
func names(entries []review.Entry) string {
	var out []string
	for _, e := range entries {
		for name := 'a'; name <= 'z'; name++ {
			if idOf(string(name)) == e.ID {
				out = append(out, string(name))
			}
		}
	}
	return strings.Join(out, " ")
}

func TestWorklist(t *testing.T) {
	t.Parallel()
	desk, _ := busy(t)
	for _, tt := range []struct {
		name string
		in   review.Filter
		want string
	}{
		{"all, those first that have waited longest", review.Filter{}, "g a c d e f b"},
		{"by state", review.Filter{States: []review.State{review.Open}}, "g e f"},
		{"by several states", review.Filter{States: []review.State{review.Waiting, review.Disagreed}}, "a b"},
		{"from a day on, by when it happened", review.Filter{From: day("2026-05-16")}, "f b"},
		{"to a day", review.Filter{To: day("2026-03-03")}, "a c"},
		{"by site, of what is withdrawn too", review.Filter{Sites: []string{"H2"}}, "c"},
		{"by category", review.Filter{Categories: []string{"device", "fall"}}, "e"},
		{"by severity", review.Filter{Severities: []string{"mild"}}, "d"},
		{"near misses", review.Filter{Actuality: mapping.Potential}, "g"},
		{"by detection, of settled ones", review.Filter{Detection: review.Reported}, "c d"},
		{"by answer", review.Filter{Answer: review.Yes}, "d"},
		{"nothing of the kind", review.Filter{Answer: review.Undetermined}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			list, err := desk.Worklist(t.Context(), tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if got := names(list.Entries); got != tt.want || list.Total != len(list.Entries) || list.Next != "" {
				t.Errorf("Worklist(%+v) = %s (%d, next %q), want %s", tt.in, got, list.Total, list.Next, tt.want)
			}
		})
	}
}

func TestWorklistEntries(t *testing.T) {
	t.Parallel()
	desk, _ := busy(t)
	list, err := desk.Worklist(t.Context(), review.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	of := func(id, date, due string, overdue bool, change func(*review.Entry)) review.Entry {
		e := review.Entry{
			ID: idOf(id), Key: review.Key{Source: "ehr", ID: phi.New(id)}, Recorded: "~missing",
			Event: review.Particulars{
				Date: date, Actuality: "actual", Category: "wrong-dose", Severity: "severe", Outcome: "resolved",
				Site: "H1",
			},
			State: review.Open, Needed: 2, Overdue: overdue,
		}
		if due != "" {
			e.Due = day(due)
		}
		change(&e)
		return e
	}
	want := []review.Entry{
		of("g", "", "", false, func(e *review.Entry) { e.Event.Actuality = "potential" }),
		of("a", "2026-03-01", "2026-03-31", true, func(e *review.Entry) {
			e.State, e.Version = review.Disagreed, 2
		}),
		of("c", "2026-03-03", "", false, func(e *review.Entry) {
			e.State, e.Version, e.Answer, e.Detection = review.Settled, 2, review.No, review.Reported
			e.Withdrawn, e.Recorded, e.Event.Site = true, "", "H2"
		}),
		of("d", "2026-03-04", "", false, func(e *review.Entry) {
			e.State, e.Version, e.Answer, e.Detection = review.Settled, 1, review.Yes, review.Reported
			e.Needed, e.Event.Severity = 1, "mild"
		}),
		of("e", "2026-03-05", "2026-04-04", true, func(e *review.Entry) {
			e.Event.Category, e.Recorded = "device", "yes"
		}),
		// It is due on the day on which the test plays, and late on the next.
		of("f", "2026-05-16", "2026-06-15", false, func(*review.Entry) {}),
		of("b", "2026-05-30", "2026-07-02", false, func(e *review.Entry) {
			e.State, e.Version, e.Event.Known = review.Waiting, 1, "2026-06-02"
		}),
	}
	if d := gocmp.Diff(want, list.Entries, ids()); d != "" {
		t.Errorf("entries (-want +got):\n%s", d)
	}
	states := map[review.State]int{review.Open: 3, review.Waiting: 1, review.Disagreed: 1, review.Settled: 2}
	if d := gocmp.Diff(states, list.States); d != "" || list.Overdue != 2 {
		t.Errorf("%d are late, want 2; by state (-want +got):\n%s", list.Overdue, d)
	}
	sites := map[string]string{"H1": "Hillcrest", "H2": "Harbor"}
	if d := gocmp.Diff(sites, list.Sites); d != "" {
		t.Errorf("sites (-want +got):\n%s", d)
	}
}

func TestAPageThatIsOutOfDate(t *testing.T) {
	t.Parallel()
	desk, s := busy(t)
	list, err := desk.Worklist(t.Context(), review.Filter{States: []review.State{review.Open}, Limit: 2})
	if err != nil || names(list.Entries) != "g e" || list.Next == "" || list.Total != 3 {
		t.Fatalf("the first page is %s, next %q, %v", names(list.Entries), list.Next, err)
	}
	// What was answered meanwhile does not move the next page.
	for i, who := range []string{"ana", "bo"} {
		if _, err := desk.Answer(t.Context(), idOf("e"), i, by(who, review.No)); err != nil {
			t.Fatal(err)
		}
	}
	next, err := desk.Worklist(t.Context(), review.Filter{
		States: []review.State{review.Open}, Limit: 2, After: list.Next,
	})
	if err != nil || names(next.Entries) != "f" || next.Next != "" || next.Total != 2 {
		t.Errorf("the next page is %s, next %q, %v", names(next.Entries), next.Next, err)
	}
	// An event that is gone and that nobody reviewed has no place any more.
	s.events = slices.DeleteFunc(s.events, func(e facts.Event) bool { return e.ID == phi.New("g") })
	_, err = desk.Worklist(t.Context(), review.Filter{After: idOf("g")})
	if !errors.Is(err, review.ErrCursor) {
		t.Errorf("after an event that is gone: %v, want ErrCursor", err)
	}
}

// TestPagesAddUpToTheList cuts lists of made-up events into pages.
func TestPagesAddUpToTheList(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := &snapshot{}
		for i := range rapid.IntRange(0, 12).Draw(t, "events") {
			date := rapid.SampledFrom([]string{"", "2026-01-01", "2026-01-02", "2026-02-01"}).Draw(t, "date")
			s.events = append(s.events, event(fmt.Sprint(i), date, func(e *facts.Event) {
				e.Site = rapid.SampledFrom([]string{"H1", "H2"}).Draw(t, "site")
			}))
		}
		desk, err := review.New(review.Config{Records: newShelf(), Hold: s.hold, Now: clock})
		if err != nil {
			t.Fatal(err)
		}
		for i := range s.events {
			if rapid.Bool().Draw(t, "answered") {
				if _, err := desk.Answer(t.Context(), idOf(fmt.Sprint(i)), 0, by("ana", review.No)); err != nil {
					t.Fatal(err)
				}
			}
		}
		f := review.Filter{Sites: []string{"H1"}, States: []review.State{review.Open}}
		whole, err := desk.Worklist(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.IsSortedFunc(whole.Entries, func(a, b review.Entry) int {
			return cmp.Or(strings.Compare(a.Event.Date, b.Event.Date), strings.Compare(a.ID, b.ID))
		}) {
			t.Fatalf("%v is not in order", whole.Entries)
		}
		f.Limit = rapid.IntRange(1, 4).Draw(t, "limit")
		var pages []review.Entry
		for {
			page, err := desk.Worklist(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			if page.Total != whole.Total || len(page.Entries) > f.Limit {
				t.Fatalf("a page of %d has %d of %d, want %d in all", f.Limit, len(page.Entries), page.Total, whole.Total)
			}
			if pages = append(pages, page.Entries...); page.Next == "" {
				break
			}
			f.After = page.Next
		}
		if d := gocmp.Diff(whole.Entries, pages, ids()); d != "" {
			t.Fatalf("pages (-list +pages):\n%s", d)
		}
	})
}

func TestCase(t *testing.T) {
	t.Parallel()
	desk, s := busy(t)
	s.alike = []facts.Alike{{Dimension: "language", Key: "es", Events: 9, Answered: 4, Yes: 3}}
	s.events[0].From = map[string]string{"language": "Patient.communication"}
	got, err := desk.Case(t.Context(), idOf("a"), "cy")
	if err != nil {
		t.Fatal(err)
	}
	r, err := desk.Review(t.Context(), idOf("a"))
	if err != nil {
		t.Fatal(err)
	}
	want := review.Case{
		Review: r, Event: s.events[0],
		Fields: []review.Field{
			{Dimension: "race_ethnicity", Key: "2135-2"},
			{Dimension: "language", Key: "es", From: "Patient.communication"},
			{Dimension: "interpreter_need", Key: "yes"}, {Dimension: "sex", Key: "female"},
			{Dimension: "site", Key: "H1"},
		},
		Interpreter: review.Interpreter{Need: "yes", Use: "none-documented", Met: review.NotMet},
		Similar:     s.alike, Sites: s.SiteLabels(), Due: day("2026-03-31"), Overdue: true,
	}
	if d := gocmp.Diff(want, got, ids()); d != "" {
		t.Errorf("case (-want +got):\n%s", d)
	}
	gone, err := desk.Case(t.Context(), idOf("c"), "ana")
	if err != nil || !gone.Withdrawn || gone.Review.State != review.Settled || len(gone.Fields) > 0 ||
		gone.Review.Seen.Date != "2026-03-03" || !gone.Due.IsZero() {
		t.Errorf("an event that is gone: %+v, %v; want its review", gone, err)
	}
}

func TestNeedAgainstUse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		linked bool
		need   string
		use    mapping.InterpreterUse
		want   review.Met
	}{
		{"an interpreter came", true, "yes", mapping.Documented, review.MetByInterpreter},
		{"one was arranged", true, "yes", mapping.Arranged, review.MetArranged},
		{"a relative interpreted", true, "yes", mapping.AdHoc, review.MetAdHoc},
		{"nobody did", true, "yes", mapping.NoneDocumented, review.NotMet},
		{"none was needed", true, "no", mapping.Documented, review.NoNeed},
		{"nobody asked", true, "~missing", mapping.NoneDocumented, review.NeedUnknown},
		{"no encounter", false, "yes", "", review.NoEncounter},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &snapshot{events: []facts.Event{event("v", "", func(e *facts.Event) {
				e.Linked, e.Need, e.Use = tt.linked, tt.need, tt.use
			})}}
			c, err := open(t, s, review.Config{}).Case(t.Context(), idOf("v"), "ana")
			want := review.Interpreter{Need: tt.need, Use: tt.use, Met: tt.want}
			if err != nil || c.Interpreter != want {
				t.Errorf("%+v, %v; want %+v", c.Interpreter, err, want)
			}
		})
	}
}

// A survey is what the list, the tally and the agreement are by themselves.
func TestASurveyIsItsParts(t *testing.T) {
	t.Parallel()
	desk, _ := busy(t)
	for name, f := range map[string]review.Filter{
		"everything": {}, "a page": {Limit: 2}, "a state": {States: []review.State{review.Settled}},
		"an answer": {Answer: review.Yes}, "nothing": {To: day("1990-01-01")},
	} {
		list, err := desk.Worklist(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		tally, err := desk.Tally(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		agreement, err := desk.Agreement(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		got, err := desk.Survey(t.Context(), f)
		want := review.Survey{List: list, Tally: tally, Agreement: agreement}
		if d := gocmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateComparable(phi.ID{})); d != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, d)
		}
	}
	if _, err := desk.Survey(t.Context(), review.Filter{After: "gone"}); !errors.Is(err, review.ErrCursor) {
		t.Errorf("a survey from a place that is gone: %v", err)
	}
}

// Several reviews at once are what each is by itself; of one that nobody has begun there is none.
func TestReviewsAreWhatEachIs(t *testing.T) {
	t.Parallel()
	desk, _ := busy(t)
	list, err := desk.Worklist(t.Context(), review.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	ids, want := []string{"no such id"}, map[string]review.Review{}
	for _, e := range list.Entries {
		ids = append(ids, e.ID)
		if e.Version > 0 {
			if want[e.ID], err = desk.Review(t.Context(), e.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	got, err := desk.Reviews(t.Context(), ids...)
	if d := gocmp.Diff(want, got, cmpopts.EquateComparable(phi.ID{})); d != "" || err != nil || len(want) == 0 {
		t.Errorf("Reviews: %v (-want +got):\n%s", err, d)
	}
}
