package evidence

import (
	"time"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/effect"
	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server/words"
	"github.com/equitylens/equitylens/store/facts"
)

// Material is everything that a pack is made of.
type Material struct {
	Period   measure.Period
	Audience release.Audience
	// Made is when the pack is made.
	Made time.Time
	// Info is of the snapshot of the results. In a public pack it is that of which the release was made,
	// of which the id and the moment of the data alone are known.
	Info        facts.Info
	Definitions []measure.Definition
	// Results hold every measure by every dimension, for the audience.
	Results []measure.Result
	// Withheld are the ids of measures that the audience may not have.
	Withheld []string
	// Completeness counts of everybody in the snapshot how much is known. QualityMissing says that it
	// could not be read.
	Completeness   []facts.Completeness
	QualityMissing bool

	Questionnaire *readiness.Questionnaire
	// Assessment is the latest that is not after the period, answered by the data; absent where there is
	// none. Before is that of the period before it.
	Assessment, Before *readiness.Assessment

	// Acts are the actions that are open, or were closed in the period or after it.
	Acts       []Act
	Conditions []action.Condition
	// Reviews are absent where nothing could be read of them.
	Reviews *Reviews
}

// Act is an action with what the figures show of it. Effect is absent where the action has not begun, or
// where the figures are not there.
type Act struct {
	action.Action
	Effect *effect.Effect
}

// Reviews are the figures of the reviews of the events of the period.
type Reviews struct {
	Tally     review.Tally
	Agreement review.Agreement
}

// Options say how a pack is written.
type Options struct {
	// Words are in its language.
	Words *words.Words
	// Organization is whose pack it is; empty leaves it out.
	Organization string
	// Canonical is the base of the canonical URLs of measures; empty is the default of measure/report.
	Canonical string
	// Software is the version of the program.
	Software string
}

// public is what the public may have of a material: answers and states, what was released, and nothing
// that anybody typed. It is applied to every public pack, wherever its material comes from.
func (m Material) public() Material {
	m.Completeness, m.QualityMissing, m.Conditions, m.Reviews = nil, false, nil, nil
	m.Info = facts.Info{ID: m.Info.ID, DataAsOf: m.Info.DataAsOf}
	m.Assessment, m.Before = publicAssessment(m.Assessment), publicAssessment(m.Before)
	acts := make([]Act, 0, len(m.Acts))
	for _, a := range m.Acts {
		acts = append(acts, publicAct(a))
	}
	m.Acts = acts
	return m
}

// publicAssessment keeps the levels of a final one. A draft is nothing that an institution stands for.
func publicAssessment(a *readiness.Assessment) *readiness.Assessment {
	if a == nil || a.State != readiness.Final {
		return nil
	}
	kept := readiness.Assessment{
		ID: a.ID, Period: a.Period, Questionnaire: a.Questionnaire, State: a.State, Version: a.Version,
		Snapshot: a.Snapshot, DataAsOf: a.DataAsOf, At: a.At, Answers: map[string]readiness.Answer{},
	}
	for id, answer := range a.Answers {
		one := readiness.Answer{Item: id, Level: answer.Level}
		if answer.Figure != nil && answer.Figure.Missing != "" {
			one.Figure = &readiness.Figure{Missing: answer.Figure.Missing}
		}
		kept.Answers[id] = one
	}
	return &kept
}

// publicAct keeps which figure an action is about, where it stands, and the verdict. The figures of an
// effect are in no release.
func publicAct(a Act) Act {
	kept := Act{Action: action.Action{
		ID: a.ID, Cause: a.Cause, Aim: a.Aim, Start: a.Start, Due: a.Due, State: a.State,
	}}
	kept.Aim.Target = nil
	if a.Result != nil {
		kept.Result = &action.Result{Outcome: a.Result.Outcome, At: a.Result.At}
	}
	if a.Effect != nil {
		kept.Effect = &effect.Effect{
			Action: a.ID, Aim: kept.Aim, Start: a.Effect.Start, Verdict: a.Effect.Verdict,
			Demonstrated: a.Effect.Demonstrated, Missing: a.Effect.Missing,
		}
	}
	return kept
}
