package readiness

import (
	"cmp"
	"slices"
	"strings"
)

// Step is one thing to do next. Its fields are those from which an action can be drafted.
type Step struct {
	Item   string `json:"item"`
	Domain string `json:"domain"`
	Level  Level  `json:"level"`
	// Figure is what answered an item from data; absent where people did.
	Figure *Figure `json:"figure,omitempty"`
	// Title is what is asked, What is what to do next, Why what stands now, and Evidence what would
	// show that it was done. Owner is a role.
	Title    string `json:"title"`
	What     string `json:"what"`
	Why      string `json:"why"`
	Evidence string `json:"evidence"`
	Owner    string `json:"owner"`
	// Cause is the code of a root cause, and Aim the figure to move, where there is one.
	Cause string `json:"cause"`
	Aim   *Aim   `json:"aim,omitempty"`
}

// planned is the level that a plan leads to: what is below has a step.
const planned = Established

// Plan is the steps of an assessment that figures answer.
func (q *Questionnaire) Plan(a Assessment, figures Figures, language string) []Step {
	return q.Steps(q.Lay(a, figures), language)
}

// Steps lists what to do next for every item below Established, the weakest first. Among equals those
// that the data answered come first, because nobody can argue with them, and then the order of the
// questionnaire. An item without a level is none of them: see Unanswered. The assessment is final, or
// was laid.
func (q *Questionnaire) Steps(a Assessment, language string) []Step {
	var steps []Step
	for _, d := range q.Domains {
		for _, i := range d.Items {
			answer := a.Answers[i.ID]
			if answer.Level == nil || *answer.Level >= planned {
				continue
			}
			steps = append(steps, q.step(d, i, answer, language))
		}
	}
	slices.SortStableFunc(steps, func(x, y Step) int {
		return cmp.Or(cmp.Compare(x.Level, y.Level), cmp.Compare(order(x), order(y)))
	})
	return steps
}

// order puts what the data answered before what people did.
func order(s Step) int {
	if s.Figure != nil {
		return 0
	}
	return 1
}

func (q *Questionnaire) step(d Domain, i Item, answer Answer, language string) Step {
	return Step{
		Item: i.ID, Domain: d.ID, Level: *answer.Level, Figure: answer.Figure,
		Title: i.Asks.In(language), What: i.Steps[*answer.Level].Next.In(language),
		Why: q.Stands(i, answer, language), Evidence: i.Evidence.In(language),
		Owner: i.Owner.In(language), Cause: string(i.Cause), Aim: i.Aim,
	}
}

// Kind is what became of an item since the period before.
type Kind string

// The kinds.
const (
	Rose Kind = "rose"
	Fell Kind = "fell"
	Same Kind = "same"
	// Gained has a level now and had none; Lost had one.
	Gained Kind = "gained"
	Lost   Kind = "lost"
	// Neither has a level in both.
	Neither Kind = "neither"
)

// Change is an item in two periods.
type Change struct {
	Item   string `json:"item"`
	Domain string `json:"domain"`
	Before *Level `json:"before,omitempty"`
	Now    *Level `json:"now,omitempty"`
	Kind   Kind   `json:"kind"`
}

// Compare holds an assessment against that of the period before, item by item. ok is false where the two
// answered questionnaires whose answers cannot be compared.
func (q *Questionnaire) Compare(before, now Assessment) (changes []Change, ok bool) {
	if major(before.Questionnaire) != major(now.Questionnaire) {
		return nil, false
	}
	for _, d := range q.Domains {
		for _, i := range d.Items {
			c := Change{
				Item: i.ID, Domain: d.ID, Before: before.Answers[i.ID].Level, Now: now.Answers[i.ID].Level,
			}
			switch {
			case c.Before == nil && c.Now == nil:
				c.Kind = Neither
			case c.Before == nil:
				c.Kind = Gained
			case c.Now == nil:
				c.Kind = Lost
			case *c.Now > *c.Before:
				c.Kind = Rose
			case *c.Now < *c.Before:
				c.Kind = Fell
			default:
				c.Kind = Same
			}
			changes = append(changes, c)
		}
	}
	return changes, true
}

func major(version string) string {
	first, _, _ := strings.Cut(version, ".")
	return first
}
