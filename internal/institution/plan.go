package institution

import (
	"net/url"

	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/server/page"
)

// plan is what to do next, each step with its reason and where it becomes an action.
func (a *assessing) plan() {
	steps := a.q.Steps(a.Assessment, a.language())
	if len(steps) == 0 {
		a.out.NoSteps = a.Say("readiness.plan.none")
		return
	}
	for _, s := range steps {
		a.out.Steps = append(a.out.Steps, page.Step{
			What: s.What, Asks: s.Title, Level: a.q.Name(s.Level, a.language()), Now: s.Why, Shows: s.Evidence,
			Owner: s.Owner,
			Act: page.Link{
				Text: a.Say("readiness.step.act"), URL: a.visit.To(page.ActionsPath+"/new", drafted(s)),
			},
			Name: a.Say("readiness.step.act.of", s.What),
		})
	}
}

// drafted are the parameters by which a step comes to where an action begins.
func drafted(s readiness.Step) url.Values {
	q := url.Values{"cause": {s.Cause}}
	if s.Aim != nil {
		q.Set("measure", s.Aim.Measure)
		q.Set("rate", s.Aim.Rate)
		q.Set("by", s.Aim.Dimension)
	}
	return q
}
