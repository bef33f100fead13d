package exchange

import (
	"context"
	"net/http"
	"strings"

	"github.com/equitylens/equitylens/improvement/form"
	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server"
)

// searchResponses answers a search of assessments. Of one that nobody has begun nothing is found.
func (e *Exchange) searchResponses(r *http.Request) (server.Answer, error) {
	q, err := server.ReadQuery(r, "QuestionnaireResponse", names(responseParameters())...)
	if err != nil {
		return server.Answer{}, err
	}
	list, err := e.cfg.Assessments.List(r.Context())
	if err != nil {
		return server.Answer{}, told(err)
	}
	id := func(a readiness.Assessment) string { return a.ID }
	found, total, next, err := page(q, list, id, func(one readiness.Assessment) (bool, error) {
		return q.Matches(func(name, value string) (bool, error) {
			return responseHolds(&one, name, value)
		})
	})
	if err != nil {
		return server.Answer{}, err
	}
	var entries []form.Entry
	for i := range found {
		p, err := measure.ParsePeriod(found[i].Period)
		if err != nil {
			return server.Answer{}, err
		}
		laid, err := e.laid(r.Context(), p, found[i])
		if err != nil {
			return server.Answer{}, told(err)
		}
		entries = append(entries, form.Entry{
			URL:      e.address("QuestionnaireResponse", laid.ID),
			Resource: e.open().QuestionnaireResponse(e.cfg.Assessments.Questionnaire(), &laid),
		})
	}
	return e.bundle(q, entries, total, next)
}

func responseHolds(one *readiness.Assessment, name, value string) (bool, error) {
	switch name {
	case "_id":
		return value == one.ID, nil
	case "identifier":
		return code(value) == one.Period, nil
	case "status":
		return code(value) == form.ResponseStatus(one), nil
	case "questionnaire":
		canonical, version, _ := strings.Cut(value, "|")
		known := canonical == form.QuestionnaireURL || canonical == "Questionnaire/"+form.QuestionnaireID
		return known && (version == "" || version == one.Questionnaire), nil
	}
	return dayMatches(name, value, one.At.UTC().Format("2006-01-02"))
}

// laid lays the figures of the day over a draft, where they are known.
func (e *Exchange) laid(
	ctx context.Context, p measure.Period, a readiness.Assessment,
) (readiness.Assessment, error) {
	if e.cfg.Figures == nil || a.State == readiness.Final {
		return a, nil
	}
	data, err := e.cfg.Figures(ctx, p)
	if err != nil {
		return readiness.Assessment{}, err
	}
	return e.cfg.Assessments.Questionnaire().Lay(a, readiness.FiguresOf(data)), nil
}

// assessment reads the assessment of an id: readiness- and a period. Of a period that nobody has
// answered for it is an empty draft, version 0.
func (e *Exchange) assessment(
	ctx context.Context, id string,
) (p measure.Period, a readiness.Assessment, err error) {
	name, ours := strings.CutPrefix(id, "readiness-")
	p, err = measure.ParsePeriod(name)
	if !ours || err != nil {
		return p, a, noneOf("QuestionnaireResponse")
	}
	if _, full, err := readiness.Name(p); err != nil || full != id {
		return p, a, noneOf("QuestionnaireResponse")
	}
	if a, err = e.cfg.Assessments.Of(ctx, p); err != nil {
		return p, a, told(err)
	}
	a, err = e.laid(ctx, p, a)
	return p, a, told(err)
}

// readResponse answers with the assessment of one period.
func (e *Exchange) readResponse(r *http.Request) (server.Answer, error) {
	_, found, err := e.assessment(r.Context(), r.PathValue("id"))
	if err != nil {
		return server.Answer{}, err
	}
	return e.responseAnswer(&found), nil
}

func (e *Exchange) responseAnswer(a *readiness.Assessment) server.Answer {
	return server.Answer{
		Resource: e.open().QuestionnaireResponse(e.cfg.Assessments.Questionnaire(), a),
		Version:  a.Version, Versioned: true, Modified: a.At,
	}
}

// changeResponse takes what is answered otherwise than it stands, or makes a draft final that is
// sent as it stands.
func (e *Exchange) changeResponse(r *http.Request) (server.Answer, error) {
	version, err := server.IfMatch(r)
	if err != nil {
		return server.Answer{}, err
	}
	text, err := server.Body(r)
	if err != nil {
		return server.Answer{}, err
	}
	ctx := r.Context()
	p, stands, err := e.assessment(ctx, r.PathValue("id"))
	if err != nil {
		return server.Answer{}, err
	}
	if stands.Version != version {
		return server.Answer{}, stale()
	}
	replies, err := form.ReadQuestionnaireResponse(text, e.cfg.Assessments.Questionnaire(), &stands)
	if err != nil {
		return server.Answer{}, told(err)
	}
	after, err := e.answered(ctx, p, &stands, replies)
	if err != nil {
		return server.Answer{}, told(err)
	}
	if after, err = e.laid(ctx, p, after); err != nil {
		return server.Answer{}, told(err)
	}
	return e.responseAnswer(&after), nil
}

func (e *Exchange) answered(
	ctx context.Context, p measure.Period, stands *readiness.Assessment, replies form.Replies,
) (readiness.Assessment, error) {
	by := who(ctx)
	switch {
	case replies.Finish && len(replies.Changed) > 0:
		return readiness.Assessment{}, unprocessable("QuestionnaireResponse.status",
			"answers are changed first, and the assessment finished after that")
	case replies.Finish && e.cfg.Figures == nil:
		return readiness.Assessment{}, server.Refuse(server.Refusal{
			Status: http.StatusNotImplemented, Expression: "QuestionnaireResponse.status",
			Text: "no figures are known here, without which no assessment becomes final",
		})
	case replies.Finish:
		data, err := e.cfg.Figures(ctx, p)
		if err != nil {
			return readiness.Assessment{}, err
		}
		return e.cfg.Assessments.Finish(ctx, p, stands.Version, by, data)
	case len(replies.Changed) == 0:
		return *stands, nil
	}
	return e.cfg.Assessments.Reply(ctx, p, stands.Version, by, replies.Changed...)
}
