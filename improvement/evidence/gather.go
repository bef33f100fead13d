package evidence

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/effect"
	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/facts"
)

// Engine answers questions of the live snapshot; measure.Engine is one.
type Engine interface {
	Definitions() []measure.Definition
	Evaluate(ctx context.Context, asked measure.Question) (measure.Result, error)
	Months(ctx context.Context, asked measure.Question) ([]measure.Result, error)
}

// Desk answers for an audience; release.Desk is one.
type Desk interface {
	Answer(
		ctx context.Context, engine release.Engine, asked measure.Question, audience release.Audience,
	) (measure.Result, error)
}

// Assessments keeps the assessments; readiness.Register is one.
type Assessments interface {
	List(ctx context.Context) ([]readiness.Assessment, error)
	Before(ctx context.Context, a readiness.Assessment) (readiness.Assessment, error)
	Questionnaire() *readiness.Questionnaire
}

// Actions keeps what is done; action.Register is one.
type Actions interface {
	List(ctx context.Context, f action.Filter) ([]action.Action, error)
	Conditions(ctx context.Context) ([]action.Condition, error)
}

// ReviewFigures counts reviews; review.Desk is one.
type ReviewFigures interface {
	Tally(ctx context.Context, f review.Filter) (review.Tally, error)
	Agreement(ctx context.Context, f review.Filter) (review.Agreement, error)
}

// Sources are where a Material comes from.
type Sources struct {
	Engine Engine
	Desk   Desk
	// Info is of the snapshot of Engine.
	Info facts.Info
	// Quality reads how good the data of the snapshot are.
	Quality     func(ctx context.Context) (facts.Quality, error)
	Assessments Assessments
	Actions     Actions
	Reviews     ReviewFigures
	Now         func() time.Time
	// Progress, if it is not nil, is told what comes next, in English.
	Progress func(step string)
}

// Gather asks for everything that a pack of a period needs. What the audience may not have is not asked
// for. It fails with release.ErrNotPublic where nothing of the period is public.
func Gather(
	ctx context.Context, s Sources, period measure.Period, audience release.Audience,
) (Material, error) {
	m := Material{
		Period: period, Audience: audience, Made: s.Now().UTC().Truncate(time.Second), Info: s.Info,
		Definitions: s.Engine.Definitions(), Questionnaire: s.Assessments.Questionnaire(),
	}
	if err := s.results(ctx, &m); err != nil {
		return Material{}, fmt.Errorf("evidence: evaluate measures: %w", err)
	}
	all, err := s.acts(ctx, &m)
	if err != nil {
		return Material{}, fmt.Errorf("evidence: gather actions: %w", err)
	}
	if err := s.assessment(ctx, &m, Count(all, m.Made)); err != nil {
		return Material{}, fmt.Errorf("evidence: gather the assessment: %w", err)
	}
	if audience == release.Public {
		return m.public(), nil
	}
	s.step("how good the data are")
	quality, err := s.Quality(ctx)
	switch {
	case errors.Is(err, facts.ErrSchema):
		m.QualityMissing = true
	case err != nil:
		return Material{}, fmt.Errorf("evidence: %w", err)
	}
	m.Completeness = quality.Completeness
	s.step("reviews")
	asked := review.Filter{From: period.Start, To: period.End}
	m.Reviews = &Reviews{}
	if m.Reviews.Tally, err = s.Reviews.Tally(ctx, asked); err != nil {
		return Material{}, fmt.Errorf("evidence: count reviews: %w", err)
	}
	if m.Reviews.Agreement, err = s.Reviews.Agreement(ctx, asked); err != nil {
		return Material{}, fmt.Errorf("evidence: measure agreement: %w", err)
	}
	return m, nil
}

func (s Sources) step(text string) {
	if s.Progress != nil {
		s.Progress(text)
	}
}

func (s Sources) results(ctx context.Context, m *Material) error {
	var withheld error
	for _, d := range m.Definitions {
		s.step("measure " + d.ID)
		result, err := s.Desk.Answer(ctx, s.Engine, measure.Question{
			Measure: d.ID, Period: m.Period, By: measure.Dimensions(),
		}, m.Audience)
		switch {
		case errors.Is(err, release.ErrNotPublic), errors.Is(err, measure.ErrNotImported):
			withheld = errors.Join(withheld, err)
			m.Withheld = append(m.Withheld, d.ID)
			continue
		case err != nil:
			return err
		}
		m.Results = append(m.Results, result)
	}
	if len(m.Results) == 0 && withheld != nil {
		return withheld
	}
	if m.Audience == release.Public && len(m.Results) > 0 {
		// A release is of the snapshot that it was made of, which may be an earlier one.
		m.Info = facts.Info{ID: m.Results[0].Snapshot, DataAsOf: m.Results[0].DataAsOf}
	}
	return nil
}

// acts gathers the actions and what the figures show of each, and returns all that there are. The effect
// of an action is looked at up to the end of the data and not of the period: it is what is known on the
// day.
func (s Sources) acts(ctx context.Context, m *Material) ([]action.Action, error) {
	all, err := s.Actions.List(ctx, action.Filter{})
	if err != nil {
		return nil, err
	}
	if m.Conditions, err = s.Actions.Conditions(ctx); err != nil {
		return nil, err
	}
	for _, a := range all {
		if a.Closed() && a.Result != nil && a.Result.At.Before(m.Period.Start) {
			continue
		}
		act := Act{Action: a}
		if a.State != action.Planned && a.State != action.Cancelled {
			s.step("effect of action " + a.ID)
			found, err := effect.Of(ctx, s.Engine, a, 0, s.Info.DataAsOf, effect.Options{
				Others: all, Conditions: m.Conditions,
			})
			switch {
			case err == nil:
				act.Effect = &found
			case !effect.NoFigures(err): // One that has none is no fault of the pack.
				return nil, err
			}
		}
		m.Acts = append(m.Acts, act)
	}
	return all, nil
}

// assessment takes the latest assessment that is not after the period.
func (s Sources) assessment(ctx context.Context, m *Material, acts *readiness.Actions) error {
	s.step("readiness")
	list, err := s.Assessments.List(ctx)
	if err != nil {
		return err
	}
	for i := range list {
		p, err := measure.ParsePeriod(list[i].Period)
		if err == nil && !p.Start.After(m.Period.End) {
			m.Assessment = &list[i]
		}
	}
	if m.Assessment == nil {
		return nil
	}
	before, err := s.Assessments.Before(ctx, *m.Assessment)
	switch {
	case err == nil:
		m.Before = &before
	case !errors.Is(err, decisions.ErrNotFound):
		return err
	}
	if m.Audience == release.Internal {
		laid := m.Questionnaire.Lay(*m.Assessment, readiness.FiguresOf(readiness.Data{
			Snapshot: s.Info.ID, DataAsOf: s.Info.DataAsOf, Now: m.Made, Results: m.Results,
			Actions: acts,
		}))
		m.Assessment = &laid
	}
	return nil
}

// Count counts actions on a day, for readiness.FiguresOf.
func Count(list []action.Action, day time.Time) *readiness.Actions {
	var c readiness.Actions
	today := day.UTC().Format(time.DateOnly)
	for i := range list {
		a := &list[i]
		switch a.State {
		case action.Planned, action.InProgress:
			c.Open++
			if a.Due != "" && a.Due < today {
				c.Overdue++
			}
			if a.State == action.InProgress {
				c.Begun++
			}
		case action.Completed:
			c.Begun++
			if a.Result != nil {
				c.Closed++
			}
		case action.Cancelled:
		}
	}
	return &c
}
