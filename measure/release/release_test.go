package release_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/release"
)

// later is an engine on data in which a few more people came.
type later struct {
	*measure.Engine
	more float64
}

func (l later) Evaluate(ctx context.Context, asked measure.Question) (measure.Result, error) {
	r, err := l.Engine.Evaluate(ctx, asked)
	for i := range r.Groups {
		for p := range r.Groups[i].Populations {
			r.Groups[i].Populations[p] += l.more
		}
	}
	r.Snapshot = "another"
	return r, err
}

func telehealth(t testing.TB, by ...string) measure.Question {
	t.Helper()
	return measure.Question{Measure: "telehealth-share", Period: period(t, "2025"), By: by}
}

func TestAReleaseIsFrozen(t *testing.T) {
	t.Parallel()
	kept := entries(t)
	first, err := desk(t, kept, nil).Answer(t.Context(), shared(t, few()...), telehealth(t, "race"), release.Public)
	if err != nil {
		t.Fatal(err)
	}
	second, err := desk(t, kept, nil).Answer(t.Context(), later{shared(t, few()...), 3}, telehealth(t, "race"),
		release.Public)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("three people more can be told (-before +after):\n%s", diff)
	}
	if first.Snapshot == "another" || first.Audience != "public" {
		t.Errorf("the release says snapshot %q and audience %q", first.Snapshot, first.Audience)
	}
}

func TestTheFirstQuestionDoesNotMatter(t *testing.T) {
	t.Parallel()
	answer := func(questions ...measure.Question) measure.Result {
		d := desk(t, entries(t), nil)
		var last measure.Result
		for _, q := range questions {
			var err error
			if last, err = d.Answer(t.Context(), shared(t, few()...), q, release.Public); err != nil {
				t.Fatal(err)
			}
		}
		return last
	}
	other := telehealth(t, "site")
	asked := telehealth(t, "language")
	if diff := cmp.Diff(answer(asked), answer(other, asked)); diff != "" {
		t.Errorf("what was asked before changes the answer:\n%s", diff)
	}
}

func TestWhatIsNotPublic(t *testing.T) {
	t.Parallel()
	kept := entries(t)
	d := desk(t, kept, func(c *release.Config) { c.Cross = "race*language" })
	if _, err := d.Answer(t.Context(), shared(t, few()...), telehealth(t, "race"), release.Public); err != nil {
		t.Fatal(err)
	}
	quarters := desk(t, kept, func(c *release.Config) { c.Granularity = release.Quarter })
	change := func(f func(*measure.Question)) measure.Question {
		q := telehealth(t, "race")
		f(&q)
		return q
	}
	cases := []struct {
		name  string
		desk  *release.Desk
		asked measure.Question
		want  string
	}{
		{"a filter", d, change(func(q *measure.Question) { q.Where = measure.Filter{"sex": {"male"}} }),
			"filter"},
		{"chosen people", d, change(func(q *measure.Question) { q.People = []phi.ID{} }), "people"},
		{"bounds", d, change(func(q *measure.Question) { q.Bounds = true }), "bounds"},
		{"another cross", d, telehealth(t, "race*sex"), "released are"},
		{"a set of races", d, telehealth(t, "race_set"), "released are"},
		{"an overlapping policy", d, change(func(q *measure.Question) { q.Policy = mapping.PolicyAlone }),
			"policy"},
		{"a part of a year", d, change(func(q *measure.Question) { q.Period = period(t, "2025-Q1") }),
			"by the calendar year"},
		{"a shifted year", d, change(func(q *measure.Question) {
			q.Period = period(t, "2025-01-02/2026-01-01")
		}), "by the calendar year"},
		{"a year that is not over", d, change(func(q *measure.Question) { q.Period = period(t, "2026") }),
			"not over"},
		{"a quarter of a year that is released", quarters,
			change(func(q *measure.Question) { q.Period = period(t, "2025-Q2") }), "overlaps"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := c.desk.Answer(t.Context(), shared(t, few()...), c.asked, release.Public)
			if !errors.Is(err, release.ErrNotPublic) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Answer = %v, want ErrNotPublic that says %q", err, c.want)
			}
		})
	}
	for name, q := range map[string]measure.Question{
		"a measure": change(func(q *measure.Question) { q.Measure = "nosuch" }),
	} {
		if _, err := d.Answer(t.Context(), shared(t, few()...), q, release.Public); !errors.Is(err,
			measure.ErrUnknownMeasure) {
			t.Errorf("%s that does not exist: %v", name, err)
		}
	}
}

func TestHiddenFiguresAreAbsent(t *testing.T) {
	t.Parallel()
	d := desk(t, entries(t), func(c *release.Config) { c.Cross = "race*language" })
	r, err := d.Answer(t.Context(), shared(t, few()...), telehealth(t, "language*race"), release.Public)
	if err != nil {
		t.Fatal(err)
	}
	hidden := 0
	for _, s := range r.Groups[0].Strata["language*race"] {
		if s.Components[0].Dimension != "language" {
			t.Fatalf("the cross is in another order than was asked for: %+v", s.Components)
		}
		for p, v := range s.Populations {
			if v >= 1 && v <= 10 {
				t.Errorf("%+v shows %s %g", s.Components, p, v)
			}
		}
		_, n := s.Populations[measure.Numerator]
		_, whole := s.Populations[measure.Denominator]
		if (s.Score != nil || s.Interval != nil) && (!n || !whole) {
			t.Errorf("%+v hides a count and shows the score", s.Components)
		}
		if s.Suppressed {
			hidden++
			text, err := json.Marshal(s)
			if err != nil || !strings.Contains(string(text), `"suppressed":true`) {
				t.Errorf("a hidden cell is written as %s, %v", text, err)
			}
		}
	}
	if hidden == 0 {
		t.Error("nothing was hidden; the population is too large for this test")
	}
}

func TestNoStatisticGivesACount(t *testing.T) {
	t.Parallel()
	asked := telehealth(t, "sex")
	asked.Measure = "length-of-stay"
	inside, err := shared(t, few()...).Evaluate(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := inside.Groups[0].Statistics["share-above"]; !ok {
		t.Fatal("there is no share above the threshold; this is no test")
	}
	stays := func(c *release.Config) { c.Measures = []string{"length-of-stay"} }
	r, err := desk(t, entries(t), stays).Answer(t.Context(), shared(t, few()...), asked, release.Public)
	if err != nil {
		t.Fatal(err)
	}
	cells := []measure.Cell{r.Groups[0].Cell}
	for _, s := range r.Groups[0].Strata["sex"] {
		cells = append(cells, s.Cell)
	}
	for _, c := range cells {
		for name := range c.Statistics {
			if name != "p90" {
				t.Errorf("%s is shown; times the denominator it is a count", name)
			}
		}
	}
}

func TestARegulatorMissesNoCode(t *testing.T) {
	t.Parallel()
	d := desk(t, entries(t), nil)
	asked := measure.Question{
		Measure: "ed-stay-over-8h", Period: period(t, "2025"),
		By:    []string{"race", "ethnicity", "sex", "age_band", "interpreter_need"},
		Where: measure.Filter{"race": {"1002-5"}},
	}
	internal, err := d.Answer(t.Context(), shared(t, few()...), asked, release.Internal)
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.Answer(t.Context(), shared(t, few()...), asked, release.Regulator)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"race":             {"1002-5", "2028-9", "2054-5", "2076-8", "2106-3", "2131-1", "two-or-more"},
		"ethnicity":        {"2135-2", "2186-5"},
		"sex":              {"female", "male", "other"},
		"age_band":         mapping.AgeBands(),
		"interpreter_need": {"yes", "no"},
	}
	for by, codes := range want {
		has := map[string]measure.Stratum{}
		for _, s := range got.Groups[0].Strata[by] {
			has[s.Code] = s
		}
		for _, code := range codes {
			if _, ok := has[code]; !ok {
				t.Errorf("by %s, %s is missing", by, code)
			}
		}
		for _, s := range internal.Groups[0].Strata[by] {
			if diff := cmp.Diff(s.Cell, has[s.Code].Cell); s.Code != "" && diff != "" {
				t.Errorf("by %s, %s differs:\n%s", by, s.Code, diff)
			}
		}
	}
	if len(got.Groups[0].Strata["race"]) == len(internal.Groups[0].Strata["race"]) {
		t.Error("no code was missing before; this is no test")
	}
}

func TestAnUnknownAudienceIsNotAnswered(t *testing.T) {
	t.Parallel()
	_, err := desk(t, entries(t), nil).Answer(t.Context(), shared(t, few()...), telehealth(t, "race"), "everybody")
	if !errors.Is(err, release.ErrUnknownAudience) {
		t.Errorf("Answer = %v, want ErrUnknownAudience", err)
	}
}

// TestNoDifferenceOfMeasures: two measures that count some of the same encounters otherwise are not both
// released, whichever is preferred, and those that count the same in one way are.
func TestNoDifferenceOfMeasures(t *testing.T) {
	t.Parallel()
	for _, preferred := range []string{"telehealth-share", "ed-stay-over-8h", "length-of-stay"} {
		d := desk(t, entries(t), func(c *release.Config) { c.Measures = []string{preferred} })
		for _, id := range few() {
			asked := telehealth(t, "sex")
			asked.Measure = id
			_, err := d.Answer(t.Context(), shared(t, few()...), asked, release.Public)
			together := strings.HasPrefix(id, "ed-") && strings.HasPrefix(preferred, "ed-")
			if refused := errors.Is(err, release.ErrNotPublic); refused == (id == preferred || together) {
				t.Errorf("%s beside %s: %v", id, preferred, err)
			}
		}
	}
}
