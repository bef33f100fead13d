package exchange

import (
	"errors"
	"net/http"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/form"
	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/incident"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/store/decisions"
)

// refusals is the table from what a service says to what a caller is told. The first row whose
// error is in the chain counts.
func refusals() []struct {
	is     error
	status int
	text   string
} {
	const (
		missing, stale = http.StatusNotFound, http.StatusPreconditionFailed
		conflict, bad  = http.StatusConflict, http.StatusUnprocessableEntity
	)
	return []struct {
		is     error
		status int
		text   string
	}{
		{review.ErrUnknown, missing, "there is no such harm event here"},
		{decisions.ErrNotFound, missing, "there is no such resource here"},
		{decisions.ErrConflict, stale,
			"somebody else has changed it in the meantime; read it again, and send the change once more"},
		{review.ErrSettled, conflict,
			"the review is settled; it is opened again, with a reason, before another answer is taken"},
		{review.ErrTwoAnswered, conflict,
			"two reviewers have answered; a third person settles what they differ about"},
		{review.ErrParty, conflict,
			"neither of the two who differ can settle it; each may change their own answer"},
		{review.ErrFull, conflict,
			"the review holds as many answers as one can hold; none is changed any more"},
		{review.ErrNotDisagreed, conflict, "there are no two answers that differ"},
		{review.ErrCursor, http.StatusBadRequest, "the list has changed; begin with its first page"},
		{action.ErrClosed, conflict, "the action is closed; open it again before it is changed"},
		{action.ErrState, conflict, "the action is not in a state from which it gets there"},
		{readiness.ErrFinal, conflict, "the assessment is final"},
		{readiness.ErrUnanswered, conflict, "not every item that people answer is answered"},
		{readiness.ErrPeriod, missing,
			"there is no such assessment: readiness- and a year, quarter or month"},
		{readiness.ErrFromData, bad, "the data answer an item that is answered otherwise here"},
		{readiness.ErrItem, bad, "the questionnaire has no such item"},
		{readiness.ErrLevel, bad, "a level is none of those there are"},
		{readiness.ErrText, bad, "a comment is too long, or holds what cannot be shown"},
	}
}

// told turns what a service says into what the caller is told; an error that is ours stays as it
// is.
func told(err error) error {
	if err == nil {
		return nil
	}
	var sent *form.InvalidError
	var answer *review.InvalidError
	var act *action.InvalidError
	var element *incident.ElementError
	switch {
	case errors.As(err, &sent):
		return sentRefusal(sent)
	case errors.As(err, &answer):
		return answerRefusal(answer)
	case errors.As(err, &act):
		return actionRefusal(act)
	case errors.As(err, &element):
		return server.Refuse(server.Refusal{
			Status: http.StatusUnprocessableEntity, Expression: element.Element, Text: element.Reason,
		})
	}
	for _, row := range refusals() {
		if errors.Is(err, row.is) {
			return server.Refuse(server.Refusal{Status: row.status, Text: row.text})
		}
	}
	return err
}

// all makes one refusal of several.
func all(status int, list []server.Refusal) error {
	if len(list) == 0 {
		list = []server.Refusal{{Text: "it cannot be taken"}}
	}
	first := list[0]
	first.Status, first.More = status, list[1:]
	return server.Refuse(first)
}

func sentRefusal(e *form.InvalidError) error {
	status := http.StatusUnprocessableEntity
	if e.Unreadable {
		status = http.StatusBadRequest
	}
	list := make([]server.Refusal, len(e.Faults))
	for i, f := range e.Faults {
		list[i] = server.Refusal{Expression: f.Path, Text: f.Text}
	}
	return all(status, list)
}

// answerRefusal says what is wrong with an answer, at the places where an AdverseEvent holds it.
func answerRefusal(e *review.InvalidError) error {
	const factor = "AdverseEvent.extension('" + form.ContributingFactor + "')"
	places := map[string]string{
		review.FieldAnswer: factor, review.FieldFactors: factor, review.FieldElse: factor,
		review.FieldEvidence:  factor + ".extension('" + form.EvidenceExtension + "')",
		review.FieldDetection: "AdverseEvent.extension('" + form.DetectionExtension + "')",
	}
	texts := map[review.Problem]string{
		review.Required: "is missing", review.UnknownCode: "is none of the codes of its value set",
		review.Twice: "is there twice", review.OnlyWithYes: "are there only where the answer is yes",
		review.TooLong: "is too long", review.NotText: "is no text",
	}
	list := make([]server.Refusal, len(e.Faults))
	for i, f := range e.Faults {
		list[i] = server.Refusal{Expression: places[f.Field], Text: f.Field + " " + texts[f.Problem]}
	}
	return all(http.StatusUnprocessableEntity, list)
}

// actionRefusal says what is wrong with an action, at the places where a Task holds it.
func actionRefusal(e *action.InvalidError) error {
	places := map[string]string{
		"title": "Task.description", "what": "Task.note", "cause": "Task.reasonCode",
		"owner": "Task.owner.display", "start": "Task.executionPeriod.start",
		"due": "Task.restriction.period.end", "state": "Task.status", "result": "Task.output",
		"result.outcome": "Task.output", "result.summary": "Task.output",
	}
	list := make([]server.Refusal, len(e.Faults))
	for i, f := range e.Faults {
		at, known := places[f.Field]
		if !known {
			at = "Task.input"
		}
		list[i] = server.Refusal{Expression: at, Text: f.String()}
	}
	return all(http.StatusUnprocessableEntity, list)
}

// gone is the answer about an event that its source has withdrawn. Its review is kept.
func gone() error {
	return server.Refuse(server.Refusal{
		Status: http.StatusGone,
		Text:   "the source of this event has withdrawn it; the Task of its review is still here",
	})
}

func noneOf(kind string) error {
	return server.Refuse(server.Refusal{Status: http.StatusNotFound,
		Text: "there is no such " + kind + " here"})
}
