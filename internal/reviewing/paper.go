package reviewing

import (
	"slices"
	"strconv"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/server/page"
)

// The fields of a form, beside those that review names.
const (
	fieldTask    = "task"
	fieldVersion = "version"
)

// The tasks that a form asks for. Each is also the id of its section.
const (
	taskAnswer = "answer"
	taskSettle = "settle"
	taskReopen = "reopen"
)

// deeds are what a form may have done, as an address says it.
func deeds() []string { return []string{taskAnswer, taskSettle, taskReopen} }

// filled is what a reader sent: one for all tasks, each of which has some of the fields.
type filled struct {
	task    string
	version int
	review.Opinion
	reason string
}

// read reads a form. What is wrong with it is in the form; an error means that it is none of ours.
func read(v *room.Visit) (filled, *room.Form, error) {
	form, err := v.Form(fieldTask, fieldVersion, review.FieldAnswer, review.FieldFactors, review.FieldDetection,
		review.FieldEvidence, review.FieldElse, review.FieldReason)
	if err != nil {
		return filled{}, nil, err
	}
	var out filled
	if out.version, err = form.Version(fieldVersion); err != nil {
		return filled{}, nil, err
	}
	if out.task = form.Choice(fieldTask, deeds(), true); out.task == "" {
		return filled{}, nil, &room.InputError{Field: fieldTask, Why: "want answer, settle or reopen"}
	}
	out.Reviewer = v.Who()
	out.Answer = review.Answer(form.Choice(review.FieldAnswer, codes(review.Answers()), false))
	for _, code := range form.Choices(review.FieldFactors, codes(review.Factors())) {
		out.Factors = append(out.Factors, review.Factor(code))
	}
	out.Detection = review.Detection(form.Choice(review.FieldDetection, codes(review.Detections()), false))
	out.Evidence = form.Text(review.FieldEvidence, review.MaxText, false)
	out.Else = form.Text(review.FieldElse, review.MaxText, false)
	out.reason = form.Text(review.FieldReason, review.MaxText, false)
	return out, form, nil
}

// texts are the free texts of a form.
func (f *filled) texts() []string { return []string{f.Evidence, f.Else, f.reason} }

// papers are the forms that the reader may fill in; sent is what they sent before, if anything.
func (c *caseView) papers(sent *filled) {
	r := &c.Review
	mine := r.AnsweredBy(c.reader)
	last := c.last()
	// A form that was sent is shown with what was sent.
	value := func(task string, other filled) filled {
		if sent != nil && sent.task == task {
			return *sent
		}
		return other
	}
	switch r.State {
	case review.Open, review.Waiting:
		paper := c.answering(value(taskAnswer, last))
		if mine {
			paper.Title, paper.Folded = c.Say("review.paper.change"), sent == nil
		}
		c.out.Papers = append(c.out.Papers, paper)
	case review.Disagreed:
		if mine {
			paper := c.answering(value(taskAnswer, last))
			paper.Title = c.Say("review.paper.change")
			paper.Says = append([]string{c.Say("review.paper.differ")}, paper.Says...)
			c.out.Papers = append(c.out.Papers, paper)
			return
		}
		c.out.Papers = append(c.out.Papers, c.settling(value(taskSettle, filled{})))
	case review.Settled:
		if c.narrative {
			c.out.Papers = append(c.out.Papers, c.reopening(value(taskReopen, filled{}), sent == nil))
		}
	}
}

// last is the opinion of the reader that counts now, if there is one.
func (c *caseView) last() filled {
	for _, o := range c.Review.Standing() {
		if o.Reviewer.Subject == c.reader {
			return filled{Opinion: o}
		}
	}
	return filled{}
}

// paper is what all forms have in common. A page that comes back stands at what is wrong with it.
func (c *caseView) paper(task string) page.Paper {
	return page.Paper{
		ID: task, Title: c.Label("review.paper", task), Action: c.visit.To(c.address(), nil) + "#" + task + "-wrong",
		Hidden: []page.Term{
			{Name: fieldTask, Value: task}, {Name: fieldVersion, Value: strconv.Itoa(c.Review.Version)},
		},
		Submit: c.Label("review.submit", task),
	}
}

// answering is the form of an opinion.
func (c *caseView) answering(with filled) page.Paper {
	out := c.paper(taskAnswer)
	out.Says = []string{c.Say("review.question")}
	out.Asks = c.asks(with)
	if c.narrative {
		out.Asks = append(out.Asks, page.Ask{
			Kind: page.AskArea, Name: review.FieldElse, Label: c.Say("review.else"), Help: c.Say("review.else.help"),
			Value: with.Else,
		})
	} else {
		out.Says = append(out.Says, c.Say("review.paper.silent"))
	}
	return out
}

// settling is the form of an adjudication.
func (c *caseView) settling(with filled) page.Paper {
	out := c.paper(taskSettle)
	out.Says = []string{c.Say("review.paper.third")}
	out.Asks = c.asks(with)
	if !c.narrative {
		out.Says = append(out.Says, c.Say("review.paper.silent"))
	}
	return out
}

// reopening is the form by which a settlement is taken back.
func (c *caseView) reopening(with filled, folded bool) page.Paper {
	out := c.paper(taskReopen)
	out.Folded, out.Says = folded, []string{c.Say("review.paper.anew")}
	out.Asks = []page.Ask{{
		Kind: page.AskArea, Name: review.FieldReason, Label: c.Say("review.reason"), Value: with.reason, Needed: true,
		Help: c.Say("review.text.help"),
	}}
	return out
}

// asks are the questions of an opinion and of an adjudication.
func (c *caseView) asks(with filled) []page.Ask {
	out := []page.Ask{
		{
			Kind: page.AskOne, Name: review.FieldAnswer, Label: c.Say("review.ask"), Needed: true,
			Options: c.offers(review.Answers(), func(code string) bool { return code == string(with.Answer) }),
		},
		{
			Kind: page.AskMany, Name: review.FieldFactors, Label: c.Say("review.ask.factors"),
			Help: c.Say("review.ask.factors.help"), Depends: true,
			Options: c.offers(review.Factors(), func(code string) bool {
				return slices.Contains(with.Factors, review.Factor(code))
			}),
		},
		{
			Kind: page.AskOne, Name: review.FieldDetection, Label: c.Say("review.ask.detection"), Needed: true,
			Help:    c.Say("review.ask.detection.help"),
			Options: c.offers(review.Detections(), func(code string) bool { return code == string(with.Detection) }),
		},
	}
	if c.narrative {
		out = append(out, page.Ask{
			Kind: page.AskArea, Name: review.FieldEvidence, Label: c.Say("review.evidence"),
			Help: c.Say("review.evidence.help"), Value: with.Evidence, Depends: true,
		})
	}
	return out
}

// offers are the codes of a table, each with what it means.
func (c *caseView) offers(table []review.Concept, chosen func(code string) bool) []page.Offer {
	out := make([]page.Offer, len(table))
	for i, one := range table {
		out[i] = page.Offer{
			Value: one.Code, Label: c.in(one.Display), Says: c.in(one.Definition), Example: c.in(one.Example),
			Chosen: chosen(one.Code),
		}
	}
	return out
}
