package exchange

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/improvement/form"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/facts"
)

// searchEvents answers a search of harm events, those first that have waited longest.
func (e *Exchange) searchEvents(r *http.Request) (server.Answer, error) {
	q, err := server.ReadQuery(r, "AdverseEvent", names(eventParameters())...)
	if err != nil {
		return server.Answer{}, err
	}
	list, err := e.cfg.Reviews.Worklist(r.Context(), review.Filter{})
	if err != nil {
		return server.Answer{}, told(err)
	}
	found, total, next, err := page(q, list.Entries, entryID, func(one review.Entry) (bool, error) {
		if one.Withdrawn {
			return false, nil
		}
		return q.Matches(func(name, value string) (bool, error) { return eventHolds(&one, name, value) })
	})
	if err != nil {
		return server.Answer{}, err
	}
	entries, err := e.eventEntries(r, found)
	if err != nil {
		return server.Answer{}, told(err)
	}
	return e.bundle(q, entries, total, next)
}

func entryID(one review.Entry) string { return one.ID }

// eventEntries writes the events of a page, and notes whom they name. One that has gone since the
// list was made is left out.
func (e *Exchange) eventEntries(r *http.Request, found []review.Entry) ([]form.Entry, error) {
	if len(found) == 0 {
		return nil, nil
	}
	ctx, writer := r.Context(), e.writer(r.Context())
	keys := make([]facts.EventKey, len(found))
	var begun []string
	for i := range found {
		keys[i] = facts.EventKey(found[i].Key)
		if found[i].Version > 0 {
			begun = append(begun, found[i].ID)
		}
	}
	events, err := e.events(ctx, keys...)
	if err != nil {
		return nil, err
	}
	reviews, err := e.cfg.Reviews.Reviews(ctx, begun...)
	if err != nil {
		return nil, err
	}
	var entries []form.Entry
	var patients []phi.ID
	for i := range found {
		event, ok := events[keys[i]]
		if !ok {
			continue
		}
		standing := standingOf(reviews, &found[i])
		patients = append(patients, event.Patient)
		entries = append(entries, form.Entry{
			URL: e.address("AdverseEvent", found[i].ID), Resource: writer.AdverseEvent(&event, &standing),
		})
	}
	server.About(r, distinct(patients)...)
	return entries, nil
}

// standingOf is the review of an entry, which nobody need have begun.
func standingOf(begun map[string]review.Review, one *review.Entry) review.Review {
	if standing, ok := begun[one.ID]; ok {
		return standing
	}
	return review.Review{ID: one.ID, Key: one.Key, State: one.State, Needed: one.Needed}
}

// distinct are the ids without those that are empty or there twice, in their order.
func distinct(ids []phi.ID) []phi.ID {
	var out []phi.ID
	seen := map[phi.ID]bool{}
	for _, id := range ids {
		if !id.Empty() && !seen[id] {
			seen[id], out = true, append(out, id)
		}
	}
	return out
}

// events reads those of the live snapshot that are named.
func (e *Exchange) events(
	ctx context.Context, keys ...facts.EventKey,
) (found map[facts.EventKey]facts.Event, err error) {
	found = map[facts.EventKey]facts.Event{}
	err = e.cfg.Hold(func(events review.Events) error {
		all, err := events.Events(ctx, facts.EventFilter{Keys: keys})
		for _, one := range all {
			found[one.Key()] = one
		}
		return err
	})
	return found, err
}

// eventHolds compares one value of a search parameter with an event.
func eventHolds(one *review.Entry, name, value string) (bool, error) {
	of := code(value)
	switch name {
	case "_id":
		return value == one.ID, nil
	case "actuality":
		return of == one.Event.Actuality, nil
	case "category":
		return of == one.Event.Category, nil
	case "severity":
		return of == one.Event.Severity, nil
	case "review-state":
		return of == string(one.State), nil
	case "inequity":
		return of == answerOf(one), nil
	}
	return dayMatches(name, value, one.Event.Date)
}

// answerOf is the answer that an event is served with.
func answerOf(one *review.Entry) string {
	switch {
	case one.State == review.Settled:
		return string(one.Answer)
	case one.Recorded == "" || strings.HasPrefix(one.Recorded, "~"):
		return review.NotAsked().Code
	}
	return one.Recorded
}

// code is what stands behind the bar of a system.
func code(value string) string { return value[strings.LastIndexByte(value, '|')+1:] }

// dayMatches compares a day, or none, with a date of a search.
func dayMatches(name, value, day string) (bool, error) {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		// What has no date matches none, but a malformed one is told all the same.
		_, err := server.DateMatches(name, value, time.Time{}, time.Time{})
		return false, err
	}
	return server.DateMatches(name, value, at, at.AddDate(0, 0, 1))
}

// one reads a review and its event, and notes whom it names.
func (e *Exchange) one(r *http.Request, id string) (review.Review, facts.Event, error) {
	found, err := e.cfg.Reviews.Review(r.Context(), id)
	if err != nil {
		return review.Review{}, facts.Event{}, told(err)
	}
	key := facts.EventKey(found.Key)
	events, err := e.events(r.Context(), key)
	if err != nil {
		return review.Review{}, facts.Event{}, told(err)
	}
	event, ok := events[key]
	if !ok {
		return review.Review{}, facts.Event{}, gone()
	}
	server.About(r, distinct([]phi.ID{event.Patient})...)
	return found, event, nil
}

// readEvent answers with one event.
func (e *Exchange) readEvent(r *http.Request) (server.Answer, error) {
	found, event, err := e.one(r, r.PathValue("id"))
	if err != nil {
		return server.Answer{}, err
	}
	return e.eventAnswer(r.Context(), &found, &event), nil
}

func (e *Exchange) eventAnswer(
	ctx context.Context, found *review.Review, event *facts.Event,
) server.Answer {
	return server.Answer{
		Resource: e.writer(ctx).AdverseEvent(event, found), Version: found.Version, Versioned: true,
	}
}

// answerEvent takes the answer in an AdverseEvent as the opinion of the caller. Where two reviewers
// differ and the caller is neither of them, it settles what they differ about. An AdverseEvent that
// is what is served changes nothing.
func (e *Exchange) answerEvent(r *http.Request) (server.Answer, error) {
	version, err := server.IfMatch(r)
	if err != nil {
		return server.Answer{}, err
	}
	text, err := server.Body(r)
	if err != nil {
		return server.Answer{}, err
	}
	ctx, id := r.Context(), r.PathValue("id")
	found, event, err := e.one(r, id)
	if err != nil {
		return server.Answer{}, err
	}
	if found.Version != version {
		return server.Answer{}, stale()
	}
	served := e.writer(ctx).AdverseEvent(&event, &found)
	answer, unchanged, err := form.ReadAdverseEvent(text, served, form.FindingOf(&event, &found))
	if err != nil {
		return server.Answer{}, told(err)
	}
	if unchanged {
		return e.eventAnswer(ctx, &found, &event), nil
	}
	if answer.Evidence != "" || answer.Else != "" {
		if err := server.Demand(ctx, scope.Narrative); err != nil {
			return server.Answer{}, err
		}
	}
	after, err := e.decide(ctx, &found, answer)
	if err != nil {
		return server.Answer{}, told(err)
	}
	return e.eventAnswer(ctx, &after, &event), nil
}

// decide gives an answer to the review in which it belongs. Where two people review, a program speaks
// for neither: who answered once would answer a second time through it.
func (e *Exchange) decide(
	ctx context.Context, found *review.Review, answer form.Finding,
) (review.Review, error) {
	by := who(ctx)
	if found.Needed > 1 && !server.Caller(ctx).Person {
		return review.Review{}, server.Refuse(server.Refusal{Status: http.StatusForbidden,
			Text: "two people review this event, each by themselves, and a program is neither of them"})
	}
	if found.State == review.Disagreed && !found.AnsweredBy(by.Subject) {
		// Of an adjudication there is one text, and what else contributed is part of what it rests on.
		evidence := strings.TrimSpace(answer.Evidence + "\n\n" + answer.Else)
		return e.cfg.Reviews.Settle(ctx, found.ID, found.Version, review.Settlement{
			Answer: answer.Answer, Factors: answer.Factors, Detection: answer.Detection, Evidence: evidence,
			By: by,
		})
	}
	return e.cfg.Reviews.Answer(ctx, found.ID, found.Version, review.Opinion{
		Reviewer: by, Answer: answer.Answer, Factors: answer.Factors, Detection: answer.Detection,
		Evidence: answer.Evidence, Else: answer.Else,
	})
}

// eventHistory answers with every version of an event's review, the newest first. What is known of
// the event itself is that of the live snapshot in each.
func (e *Exchange) eventHistory(r *http.Request) (server.Answer, error) {
	ctx, id := r.Context(), r.PathValue("id")
	found, event, err := e.one(r, id)
	if err != nil {
		return server.Answer{}, err
	}
	versions, err := e.cfg.Reviews.History(ctx, id, who(ctx).Subject)
	if err != nil {
		return server.Answer{}, told(err)
	}
	first := review.Review{ID: id, Key: found.Key, State: review.Open, Needed: found.Needed}
	writer, url := e.writer(ctx), e.address("AdverseEvent", id)
	var past []form.Past
	for i := len(versions) - 1; i >= -1; i-- {
		version := &first
		if i >= 0 {
			version = &versions[i]
		}
		made := writer.AdverseEvent(&event, version)
		past = append(past, form.Past{
			Entry:   form.Entry{URL: url, Resource: made},
			Version: version.Version, At: form.Written(version),
		})
	}
	bundle, err := form.History("AdverseEvent/"+id, past, []form.Link{{Relation: "self",
		URL: url + "/_history"}})
	if err != nil {
		return server.Answer{}, err
	}
	return server.Answer{Resource: bundle}, nil
}

func stale() error {
	return told(decisions.ErrConflict)
}

// acceptEvent takes in an event of an incident system. Its Location is where it stands after the
// next sync of that source.
func (e *Exchange) acceptEvent(r *http.Request) (server.Answer, error) {
	text, err := server.Body(r)
	if err != nil {
		return server.Answer{}, err
	}
	accepted, err := e.cfg.Incidents.Accept(r.Context(), who(r.Context()).Subject, text)
	if err != nil {
		return server.Answer{}, told(err)
	}
	answer := server.Answer{
		Location: e.address("AdverseEvent", review.IDOf(accepted.Key)),
		Resource: form.Told("it was here already as it is"),
	}
	switch {
	case accepted.Created:
		answer.Status = http.StatusCreated
		answer.Resource = form.Told("it is kept, and in the worklist after the next sync of its source")
	case accepted.Changed:
		answer.Resource = form.Told("its new version is kept, and counts from the next sync of its source")
	}
	return answer, nil
}
