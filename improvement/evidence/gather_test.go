package evidence_test

import (
	"context"
	"crypto/rand"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/evidence"
	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/facts"
)

// house is an institution: its records are real, its figures made up.
type house struct {
	t           *testing.T
	definitions []measure.Definition
	// private are measures that the public may not have; months is what the engine says of months.
	private []string
	months  error
	// asked are the questions, and read what else was read.
	asked []measure.Question
	read  []string
}

func (h *house) Definitions() []measure.Definition { return h.definitions }

func (h *house) Evaluate(_ context.Context, q measure.Question) (measure.Result, error) {
	i := slices.IndexFunc(h.definitions, func(d measure.Definition) bool { return d.ID == q.Measure })
	return resultOf(h.t, h.definitions[i], "North"), nil
}

func (h *house) Months(context.Context, measure.Question) ([]measure.Result, error) {
	h.read = append(h.read, "months")
	return nil, h.months
}

func (h *house) Answer(
	ctx context.Context, e release.Engine, q measure.Question, audience release.Audience,
) (measure.Result, error) {
	h.asked = append(h.asked, q)
	if audience == release.Public && slices.Contains(h.private, q.Measure) {
		return measure.Result{}, release.ErrNotPublic
	}
	r, err := e.Evaluate(ctx, q)
	if audience == release.Public {
		r.Snapshot = "released-snapshot"
	}
	return r, err
}

func (h *house) Tally(_ context.Context, f review.Filter) (review.Tally, error) {
	h.read = append(h.read, "reviews of "+f.From.Format(time.DateOnly)+" to "+f.To.Format(time.DateOnly))
	return review.Tally{Events: 5}, nil
}

func (h *house) Agreement(context.Context, review.Filter) (review.Agreement, error) {
	return review.Agreement{}, nil
}

// sources are those of a house whose records hold two actions and the assessments of two years.
func (h *house) sources(ids ...string) evidence.Sources {
	h.t.Helper()
	for _, d := range definitions(h.t) {
		if slices.Contains(ids, d.ID) {
			h.definitions = append(h.definitions, d)
		}
	}
	store, err := decisions.Open(h.t.Context(), decisions.Config{Path: filepath.Join(h.t.TempDir(), "d.db")})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = store.Close() })
	clock := func() time.Time { return made }
	actions := action.New(action.Config{
		Records: store, Now: clock, Random: rand.Reader, CheckAim: func(action.Aim) error { return nil },
	})
	assessments, err := readiness.New(readiness.Config{
		Records: store, Questionnaire: questionnaire(h.t), Now: clock,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.fill(actions, assessments)
	return evidence.Sources{
		Engine: h, Desk: h, Reviews: h, Actions: actions, Assessments: assessments, Now: clock,
		Info: facts.Info{ID: "live", DataAsOf: made.Add(-time.Hour)},
		Quality: func(context.Context) (facts.Quality, error) {
			h.read = append(h.read, "quality")
			return facts.Quality{Completeness: []facts.Completeness{{Field: "race", State: "known", People: 3}}}, nil
		},
	}
}

func (h *house) fill(actions *action.Register, assessments *readiness.Register) {
	h.t.Helper()
	who := review.Reviewer{Subject: "p1"}
	for _, state := range []action.State{action.Planned, action.InProgress} {
		_, err := actions.Save(h.t.Context(), action.Action{
			Title: string(state), What: "More interpreters.", Cause: review.LanguageAccess, Owner: "Quality",
			Finding: action.Finding{Kind: action.Stratum, Snapshot: "s", Period: "2025"},
			Aim: action.Aim{
				Measure: "telehealth-share", Dimension: "language_group", Groups: []string{"spanish"},
			},
			Start: "2025-03-01", Due: "2026-01-31", State: state,
		}, who)
		if err != nil {
			h.t.Fatal(err)
		}
	}
	level := readiness.Begun
	for _, name := range []string{"2024", "2025", "2027"} {
		_, err := assessments.Reply(h.t.Context(), year(h.t, name), 0, who,
			readiness.Reply{Item: "partners", Level: &level})
		if err != nil {
			h.t.Fatal(err)
		}
	}
}

func TestGatherAsksForEverythingInside(t *testing.T) {
	t.Parallel()
	h := &house{t: t}
	m, err := evidence.Gather(t.Context(), h.sources("telehealth-share", "real-completeness"), year(t, "2025"),
		release.Internal)
	if err != nil {
		t.Fatalf("Gather() = %v", err)
	}
	if len(m.Results) != 2 || len(m.Acts) != 2 || m.Reviews.Tally.Events != 5 || len(m.Completeness) != 1 {
		t.Errorf("material = %d results, %d actions, %+v, %v", len(m.Results), len(m.Acts), m.Reviews, m.Completeness)
	}
	for _, q := range h.asked {
		if diff := cmp.Diff(measure.Dimensions(), q.By); diff != "" {
			t.Errorf("%s is asked by (-want +got):\n%s", q.Measure, diff)
		}
	}
	want := []string{"months", "quality", "reviews of 2025-01-01 to 2025-12-31"}
	if diff := cmp.Diff(want, h.read); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	if m.Assessment == nil || m.Assessment.Period != "2025" || m.Before == nil || m.Before.Period != "2024" {
		t.Errorf("assessments = %+v and %+v", m.Assessment, m.Before)
	}
	overdue := m.Assessment.Answers["actions-on-time"]
	if overdue.Figure == nil || overdue.Figure.Value != 1 || overdue.Figure.Of != 2 {
		t.Errorf("actions-on-time = %+v", overdue.Figure)
	}
	if race := m.Assessment.Answers["race-recorded"]; race.Level == nil {
		t.Errorf("race-recorded = %+v", race)
	}
}

func TestGatherForThePublicReadsNoSmallNumbers(t *testing.T) {
	t.Parallel()
	h := &house{t: t, private: []string{"real-completeness"}}
	m, err := evidence.Gather(t.Context(), h.sources("telehealth-share", "real-completeness"), year(t, "2025"),
		release.Public)
	if err != nil {
		t.Fatalf("Gather() = %v", err)
	}
	if diff := cmp.Diff([]string{"real-completeness"}, m.Withheld); diff != "" {
		t.Errorf("withheld (-want +got):\n%s", diff)
	}
	if slices.Contains(h.read, "quality") || slices.ContainsFunc(h.read, func(s string) bool {
		return strings.HasPrefix(s, "reviews")
	}) {
		t.Errorf("read = %q", h.read)
	}
	if m.Info.ID != "released-snapshot" || m.Assessment != nil || m.Acts[0].Title != "" || m.Acts[0].Owner != "" {
		t.Errorf("material = %+v, %+v, %+v", m.Info, m.Assessment, m.Acts[0])
	}
}

func TestGatherSaysWhatIsNotPublic(t *testing.T) {
	t.Parallel()
	h := &house{t: t, private: []string{"telehealth-share"}}
	_, err := evidence.Gather(t.Context(), h.sources("telehealth-share"), year(t, "2025"), release.Public)
	if !errors.Is(err, release.ErrNotPublic) {
		t.Errorf("Gather() = %v", err)
	}
}

func TestAnActionWhoseFigureIsGoneHasNoEffect(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	for _, c := range []struct {
		name    string
		in, out error
	}{
		{"its measure is gone", measure.ErrUnknownMeasure, nil},
		{"its dimension is gone", measure.ErrUnknownDimension, nil},
		{"there are no months", nil, nil},
		{"anything else is an error", broken, broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := &house{t: t, months: c.in}
			m, err := evidence.Gather(t.Context(), h.sources("real-completeness"), year(t, "2025"), release.Internal)
			if !errors.Is(err, c.out) {
				t.Fatalf("Gather() = %v, want %v", err, c.out)
			}
			for _, a := range m.Acts {
				if a.Effect != nil {
					t.Errorf("%s has an effect", a.Title)
				}
			}
		})
	}
}

func TestASnapshotOfAnEarlierProgramIsNamed(t *testing.T) {
	t.Parallel()
	h := &house{t: t}
	s := h.sources("telehealth-share")
	s.Quality = func(context.Context) (facts.Quality, error) { return facts.Quality{}, facts.ErrSchema }
	m, err := evidence.Gather(t.Context(), s, year(t, "2025"), release.Internal)
	if err != nil || !m.QualityMissing {
		t.Errorf("Gather() = %v, %v", m.QualityMissing, err)
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	list := []action.Action{
		{State: action.Planned, Due: "2026-03-01"}, {State: action.Planned, Due: "2026-03-02"},
		{State: action.InProgress, Due: "2026-02-01"}, {State: action.Cancelled, Due: "2025-01-01"},
		{State: action.Completed, Due: "2025-01-01", Result: &action.Result{}},
	}
	want := &readiness.Actions{Begun: 2, Open: 3, Overdue: 2, Closed: 1}
	if diff := cmp.Diff(want, evidence.Count(list, made)); diff != "" {
		t.Errorf("Count() (-want +got):\n%s", diff)
	}
}
