package review_test

import (
	"fmt"
	"math"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/measure/stat"
	"github.com/equitylens/equitylens/store/facts"
)

func TestTallyKeepsDetectionsApart(t *testing.T) {
	t.Parallel()
	s := &snapshot{}
	desk := open(t, s, review.Config{})
	for i, o := range []struct {
		answer    review.Answer
		detection review.Detection
		factors   []review.Factor
	}{
		{review.Yes, review.Reported, []review.Factor{review.Data, review.Bias}},
		{review.Yes, review.Reported, []review.Factor{review.Data}},
		{review.No, review.Reported, nil},
		{review.Yes, review.Triggered, []review.Factor{review.Data}},
		{review.Undetermined, review.Triggered, nil},
	} {
		id := fmt.Sprint(i)
		s.events = append(s.events, event(id, "2026-03-01"))
		given := by("ana", o.answer, o.factors...)
		given.Detection = o.detection
		if _, err := desk.Answer(t.Context(), idOf(id), 0, given); err != nil {
			t.Fatal(err)
		}
	}
	recorded := func(e *facts.Event) { e.Recorded = "no" }
	s.events = append(s.events[1:], event("open", "2026-03-02"), event("later", "2026-04-01", recorded),
		event("recorded", "2026-03-03", recorded), event("unasked", "2026-03-03", func(e *facts.Event) { e.Recorded = "not-asked" }))
	recorded(&s.events[0]) // It is settled, so that what came with it counts no more.
	got, err := desk.Tally(t.Context(), review.Filter{To: day("2026-03-31")})
	want := review.Tally{Events: 8, Settled: 5, Withdrawn: 1, Recorded: 1, Ways: []review.Way{
		{
			Detection: review.Reported, Events: 3, Answers: map[review.Answer]int{review.Yes: 2, review.No: 1},
			Factors: map[review.Factor]int{review.Data: 2, review.Bias: 1},
		},
		{
			Detection: review.Triggered, Events: 2, Answers: map[review.Answer]int{review.Yes: 1, review.Undetermined: 1},
			Factors: map[review.Factor]int{review.Data: 1},
		},
		{
			Detection: review.FoundInReview, Answers: map[review.Answer]int{}, Factors: map[review.Factor]int{},
		},
	}}
	if d := gocmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("tally: %v (-want +got):\n%s", err, d)
	}
}

func TestAgreementIsOfFirstOpinions(t *testing.T) {
	t.Parallel()
	s := &snapshot{}
	desk := open(t, s, review.Config{TwoPerson: review.TwoIfSevere})
	yes, no, open := by("ana", review.Yes, review.Data), by("ana", review.No), by("ana", review.Undetermined)
	// Each list is what is answered, in turn by two reviewers unless it says who.
	for i, given := range [][]review.Opinion{
		{yes, by("bo", review.Yes, review.Data)},
		{yes, by("bo", review.No), no},           // They came to agree, and did not at first.
		{no, yes, by("bo", review.No)},           // She changed her mind before he answered.
		{by("bo", review.No), no},                // Whoever is first.
		{open, by("bo", review.Undetermined)},    //
		{no},                                     // Nobody else has answered.
		{yes, by("cy", review.Yes, review.Bias)}, // One answer, though other factors.
		{no, by("cy", review.Undetermined)},      //
	} {
		id := fmt.Sprint(i)
		s.events = append(s.events, event(id, "2026-03-01"))
		for version, o := range given {
			if _, err := desk.Answer(t.Context(), idOf(id), version, o); err != nil {
				t.Fatal(err)
			}
		}
	}
	// What is answered after a review was opened again is not counted, nor what one reviewer settles.
	for version, answer := range []review.Opinion{yes, by("bo", review.Yes, review.Data)} {
		if version == 0 {
			if _, err := desk.Reopen(t.Context(), idOf("4"), 2, yes.Reviewer, "a witness"); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := desk.Answer(t.Context(), idOf("4"), 3+version, answer); err != nil {
			t.Fatal(err)
		}
	}
	s.events = append(s.events, event("mild", "2026-03-01", func(e *facts.Event) { e.Severity = "mild" }))
	if _, err := desk.Answer(t.Context(), idOf("mild"), 0, yes); err != nil {
		t.Fatal(err)
	}
	// It is known to be severe only when it is opened again; then two answer who know what she said.
	if _, err := desk.Reopen(t.Context(), idOf("mild"), 1, yes.Reviewer, "a witness"); err != nil {
		t.Fatal(err)
	}
	s.events[len(s.events)-1].Severity = "severe"
	for i, who := range []string{"bo", "cy"} {
		if r, err := desk.Answer(t.Context(), idOf("mild"), 2+i, by(who, review.No)); err != nil || r.Needed != 2 {
			t.Fatalf("the review needs %d, %v; want 2", r.Needed, err)
		}
	}
	got, err := desk.Agreement(t.Context(), review.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	// In the order yes, no, undetermined.
	table := [][]float64{{2, 1, 0}, {0, 2, 1}, {0, 0, 1}}
	if d := gocmp.Diff(table, got.Table); d != "" || !got.Exists {
		t.Errorf("κ exists: %v; table (-want +got):\n%s", got.Exists, d)
	}
	// Observed 5/7, expected (3·2 + 3·3 + 1·2)/49.
	const observed, expected = 5. / 7, 17. / 49
	if m := got.Measured; m.N != 7 || math.Abs(m.Observed-observed) > 1e-12 ||
		math.Abs(m.Kappa.Value-(observed-expected)/(1-expected)) > 1e-12 {
		t.Errorf("measured %+v, want κ of %v over %v", m, observed, expected)
	}
	none, err := desk.Agreement(t.Context(), review.Filter{From: day("2026-03-02")})
	if err != nil || none.Exists {
		t.Errorf("the agreement of none is %+v, %v", none, err)
	}
	if d := gocmp.Diff(stat.Agreement{}, none.Measured, cmpopts.IgnoreFields(stat.Agreement{}, "Prevalence", "Bias")); d != "" {
		t.Errorf("the agreement of none (-want +got):\n%s", d)
	}
}

func TestClusters(t *testing.T) {
	t.Parallel()
	s := &snapshot{}
	desk := open(t, s, review.Config{})
	settle := func(id, date, site, language string, o review.Opinion) {
		t.Helper()
		s.events = append(s.events, event(id, date, func(e *facts.Event) {
			e.Groups = map[string]string{"site": site, "language": language}
		}))
		if _, err := desk.Answer(t.Context(), idOf(id), 0, o); err != nil {
			t.Fatal(err)
		}
	}
	yes := by("ana", review.Yes, review.LanguageAccess)
	triggered := yes
	triggered.Detection = review.Triggered
	settle("a", "2026-03-01", "H1", "es", yes)
	settle("b", "2026-02-01", "H2", "es", triggered)
	settle("c", "", "H1", "es", by("ana", review.Yes, review.Data, review.LanguageAccess))
	settle("d", "2026-04-01", "H1", "en", yes)
	settle("e", "2026-04-02", "H1", "es", by("ana", review.No))
	settle("gone", "2026-04-03", "H1", "es", yes)
	s.events = s.events[:5]
	s.events = append(s.events, event("open", "2026-03-01"))
	list := func(names ...string) (out []string) {
		for _, name := range names {
			out = append(out, idOf(name))
		}
		return out
	}
	got, err := desk.Clusters(t.Context(), review.Filter{}, 3)
	want := []review.Cluster{
		{
			Factor: review.LanguageAccess, Dimension: "site", Key: "H1", Reviews: list("c", "a", "d"),
			Ways: map[review.Detection]int{review.Reported: 3}, Of: 4, First: "2026-03-01", Last: "2026-04-01",
		},
		{
			Factor: review.LanguageAccess, Dimension: "language", Key: "es", Reviews: list("c", "b", "a"),
			Ways: map[review.Detection]int{review.Reported: 2, review.Triggered: 1}, Of: 4,
			First: "2026-02-01", Last: "2026-03-01",
		},
	}
	if d := gocmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("clusters: %v (-want +got):\n%s", err, d)
	}
	if all, err := desk.Clusters(t.Context(), review.Filter{}, 0); err != nil || len(all) != 6 {
		t.Errorf("of one event and more there are %d clusters, %v; want 6", len(all), err)
	}
	if none, err := desk.Clusters(t.Context(), review.Filter{From: day("2026-05-01")}, 1); err != nil || len(none) > 0 {
		t.Errorf("of nothing there are clusters %v, %v", none, err)
	}
}

// TestAnswersAreThoseOfSettledReviews holds what the sync is told against the reviews one by one.
func TestAnswersAreThoseOfSettledReviews(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, shelf := &snapshot{}, newShelf()
		desk, err := review.New(review.Config{Records: shelf, Hold: s.hold, Now: clock, TwoPerson: review.TwoIfSevere})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]review.SettledAnswer{}
		for i := range rapid.IntRange(0, 8).Draw(t, "events") {
			id := fmt.Sprint(i)
			s.events = append(s.events, event(id, "2026-03-01", func(e *facts.Event) {
				e.Severity = rapid.SampledFrom([]string{"mild", "severe"}).Draw(t, "severity")
			}))
			if rapid.Bool().Draw(t, "nobody answers") {
				continue
			}
			o := by("ana", review.Yes, review.Data)
			r, err := desk.Answer(t.Context(), idOf(id), 0, o)
			if err != nil {
				t.Fatal(err)
			}
			if r.State != review.Settled {
				continue
			}
			if rapid.Bool().Draw(t, "opened again") {
				if _, err := desk.Reopen(t.Context(), idOf(id), 1, o.Reviewer, "a witness"); err != nil {
					t.Fatal(err)
				}
				continue
			}
			want[r.ID] = review.SettledAnswer{
				Key: review.Key{Source: "ehr", ID: phi.New(id)}, Review: r.ID, Answer: review.Yes,
				Factors: o.Factors, Detection: review.Reported, At: r.Settlement.At,
			}
		}
		answers, err := desk.Answers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]review.SettledAnswer{}
		for _, a := range answers {
			got[a.Review] = a
		}
		if d := gocmp.Diff(want, got, ids()); d != "" || len(answers) != len(want) {
			t.Fatalf("answers (-want +got):\n%s", d)
		}
	})
}
