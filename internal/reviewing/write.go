package reviewing

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/store/decisions"
)

// write does what a form of the page of a review asks for. What cannot be written comes back on the page
// as it was sent.
func (p *Pages) write(v *room.Visit) (room.Show, error) {
	if _, err := v.Query(paramDone); err != nil {
		return nil, err
	}
	id := v.Path(idName)
	deed := room.Deed{Code: "review", Display: "review of a harm event", Resource: "AdverseEvent/" + id}
	v.Did(deed)
	c, err := p.look(v)
	if err != nil {
		return nil, err
	}
	sent, form, err := read(v)
	if err != nil {
		return nil, err
	}
	deed.Code, deed.Display = "review-"+sent.task, "review of a harm event: "+sent.task
	v.Did(deed)
	if !c.narrative && strings.Join(sent.texts(), "") != "" || sent.task == taskReopen && !c.narrative {
		return nil, room.ErrForbidden
	}
	if !form.Faulty() {
		done, err := p.decide(v, id, &sent)
		if err == nil {
			deed.Version = done.Version
			v.Did(deed)
			return room.See(v.To(c.address(), url.Values{paramDone: {sent.task}}) + "#content"), nil
		}
		if shown, again := p.overtaken(v, &sent, err); shown != nil || again != nil {
			return shown, again
		}
		if err := invalid(form, err); err != nil {
			return nil, err
		}
	}
	v.Refused("the form is not complete")
	c.papers(&sent)
	if !c.holds(sent.task) {
		c.keep(&sent)
	}
	c.mark(form)
	return c.shown(p, http.StatusUnprocessableEntity), nil
}

// decide asks the desk for what a form asks for.
func (p *Pages) decide(v *room.Visit, id string, sent *filled) (review.Review, error) {
	ctx, who := v.Context(), v.Who()
	switch sent.task {
	case taskSettle:
		return p.cfg.Desk.Settle(ctx, id, sent.version, review.Settlement{
			Answer: sent.Answer, Factors: sent.Factors, Detection: sent.Detection, By: who, Evidence: sent.Evidence,
		})
	case taskReopen:
		return p.cfg.Desk.Reopen(ctx, id, sent.version, who, sent.reason)
	}
	return p.cfg.Desk.Answer(ctx, id, sent.version, sent.Opinion)
}

// invalid adds to a form what the desk says is wrong with it; another error is returned.
func invalid(form *room.Form, err error) error {
	var wrong *review.InvalidError
	if !errors.As(err, &wrong) {
		return fmt.Errorf("write a review: %w", err)
	}
	for _, f := range wrong.Faults {
		form.Fault(f.Field, "review.fault."+string(f.Problem))
	}
	return nil
}

// overtakings is what may have become of a review since the page was read on which a form stood, with
// the key of the sentence that says so.
func overtakings() []struct {
	is  error
	key string
} {
	return []struct {
		is  error
		key string
	}{
		{decisions.ErrConflict, "review.overtaken.changed"},
		{review.ErrSettled, "review.overtaken.settled"},
		{review.ErrTwoAnswered, "review.overtaken.two"},
		{review.ErrNotDisagreed, "review.overtaken.agreed"},
		{review.ErrParty, "review.overtaken.party"},
		{review.ErrNotSettled, "review.overtaken.open"},
		{review.ErrFull, "review.overtaken.full"},
	}
}

// overtaken is the page as it is now, with what the reader sent: in the form where there still is one,
// so that they can look and send it again, else apart. It is nil for another error.
func (p *Pages) overtaken(v *room.Visit, sent *filled, cause error) (room.Show, error) {
	for _, o := range overtakings() {
		if !errors.Is(cause, o.is) {
			continue
		}
		now, err := p.look(v)
		if err != nil {
			return nil, err
		}
		v.Refused("somebody else was faster")
		now.papers(sent)
		key := o.key
		if now.Withheld && errors.Is(cause, decisions.ErrConflict) {
			key = "review.overtaken.unseen"
		}
		said := []page.Notice{{Tone: "act", Text: now.Say(key)}}
		if now.holds(sent.task) {
			said = append(said, page.Notice{Tone: "check", Text: now.Say("review.overtaken.form")})
		} else {
			now.keep(sent)
		}
		now.out.Notices = append(said, now.out.Notices...)
		return now.shown(p, http.StatusConflict), nil
	}
	return nil, nil
}

// holds reports whether the page has a form of a task.
func (c *caseView) holds(task string) bool {
	for _, paper := range c.out.Papers {
		if paper.ID == task {
			return true
		}
	}
	return false
}

// keep shows what could not be written, so that it can be copied.
func (c *caseView) keep(sent *filled) {
	add := func(key, text string) {
		if text != "" {
			c.out.Kept = append(c.out.Kept, page.Term{Name: c.Say(key), Value: text})
		}
	}
	if sent.Answer != "" {
		add("review.ask", c.chosen(sent.Answer, sent.Factors))
	}
	add("review.evidence", sent.Evidence)
	add("review.else", sent.Else)
	add("review.reason", sent.reason)
}

// mark writes down what is wrong with the form that was sent. Who may not write evidence is told that a
// yes needs some.
func (c *caseView) mark(form *room.Form) {
	faults := form.Faults(c.Words)
	for i := range c.out.Papers {
		c.out.Papers[i].Mark(c.Say("form.faults", len(faults)), faults)
	}
	if !c.narrative && page.FaultOf(faults, review.FieldEvidence) != "" {
		c.out.Notices = append(c.out.Notices, page.Notice{Tone: "act", Text: c.Say("review.fault.silent")})
	}
}
