package exchange

import (
	"context"
	"errors"
	"net/http"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/form"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/store/decisions"
)

// task is what a search of Tasks finds: a review or an action.
type task struct {
	review *review.Entry
	action *action.Action
}

func (t task) id() string {
	if t.review != nil {
		return t.review.ID
	}
	return t.action.ID
}

// seesReviews reports whether the caller may know of reviews.
func seesReviews(ctx context.Context) bool { return server.Caller(ctx).Covers(scope.Review) }

// searchTasks answers a search of reviews, as far as the caller may know of them, and of actions
// after them, those first that are due first.
func (e *Exchange) searchTasks(r *http.Request) (server.Answer, error) {
	q, err := server.ReadQuery(r, "Task", names(taskParameters())...)
	if err != nil {
		return server.Answer{}, err
	}
	every, err := e.tasks(r.Context())
	if err != nil {
		return server.Answer{}, told(err)
	}
	found, total, next, err := page(q, every, task.id, func(one task) (bool, error) {
		return q.Matches(func(name, value string) (bool, error) { return e.taskHolds(one, name, value) })
	})
	if err != nil {
		return server.Answer{}, err
	}
	entries, err := e.taskEntries(r.Context(), found)
	if err != nil {
		return server.Answer{}, told(err)
	}
	return e.bundle(q, entries, total, next)
}

// tasks lists all that the caller may know of.
func (e *Exchange) tasks(ctx context.Context) ([]task, error) {
	var every []task
	if e.cfg.Reviews != nil && seesReviews(ctx) {
		list, err := e.cfg.Reviews.Worklist(ctx, review.Filter{})
		if err != nil {
			return nil, err
		}
		for i := range list.Entries {
			every = append(every, task{review: &list.Entries[i]})
		}
	}
	if e.cfg.Actions != nil {
		list, err := e.cfg.Actions.List(ctx, action.Filter{})
		if err != nil {
			return nil, err
		}
		for i := range list {
			every = append(every, task{action: &list[i]})
		}
	}
	return every, nil
}

// taskEntries writes the Tasks of a page.
func (e *Exchange) taskEntries(ctx context.Context, found []task) ([]form.Entry, error) {
	var begun []string
	for _, one := range found {
		if one.review != nil && one.review.Version > 0 {
			begun = append(begun, one.review.ID)
		}
	}
	var reviews map[string]review.Review
	if len(begun) > 0 {
		var err error
		if reviews, err = e.cfg.Reviews.Reviews(ctx, begun...); err != nil {
			return nil, err
		}
	}
	var entries []form.Entry
	for _, one := range found {
		entry := form.Entry{URL: e.address("Task", one.id())}
		if one.action != nil {
			entry.Resource = e.open().ActionTask(one.action)
		} else {
			standing := standingOf(reviews, one.review)
			entry.Resource = e.writer(ctx).ReviewTask(&standing, one.review.Due)
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

// taskHolds compares one value of a search parameter with a Task.
func (e *Exchange) taskHolds(one task, name, value string) (bool, error) {
	switch name {
	case "_id":
		return value == one.id(), nil
	case "period":
		start := ""
		if one.action != nil {
			start = one.action.Start
		}
		return sinceMatches(name, value, start)
	case "due":
		return dayMatches(name, value, one.due())
	}
	if one.review != nil {
		return e.reviewHolds(one.review, name, value), nil
	}
	switch name {
	case "code":
		return code(value) == form.ActionTask, nil
	case "status":
		return code(value) == form.ActionStatus(one.action.State), nil
	case "focus":
		return e.local(value, "Goal") == one.action.ID, nil
	case "owner-role":
		return value == one.action.Owner, nil
	}
	return false, nil // An action has no business-status.
}

func (e *Exchange) reviewHolds(one *review.Entry, name, value string) bool {
	switch name {
	case "code":
		return code(value) == form.ReviewTask
	case "status":
		return code(value) == form.TaskStatus(one.State)
	case "business-status":
		return code(value) == string(one.State)
	case "focus":
		return e.local(value, "AdverseEvent") == one.ID
	}
	return false // A review has no owner.
}

// due is the day by which it should be done; empty for never.
func (t task) due() string {
	switch {
	case t.action != nil:
		return t.action.Due
	case t.review.Due.IsZero():
		return ""
	}
	return t.review.Due.Format(time.DateOnly)
}

// sinceMatches compares what goes on from a day, without an end, with a date of a search.
func sinceMatches(name, value, start string) (bool, error) {
	at, err := time.Parse(time.DateOnly, start)
	if err != nil {
		return dayMatches(name, value, "")
	}
	return server.DateMatches(name, value, at, time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC))
}

// readTask answers with the Task of an action or, to whom may know of it, of a review.
func (e *Exchange) readTask(r *http.Request) (server.Answer, error) {
	ctx, id := r.Context(), r.PathValue("id")
	if e.cfg.Actions != nil {
		found, err := e.cfg.Actions.Get(ctx, id)
		if err == nil {
			return e.actionAnswer(&found), nil
		}
		if !errors.Is(err, decisions.ErrNotFound) {
			return server.Answer{}, told(err)
		}
	}
	if e.cfg.Reviews == nil || !seesReviews(ctx) {
		return server.Answer{}, noneOf("Task")
	}
	found, err := e.cfg.Reviews.Review(ctx, id)
	if err != nil {
		return server.Answer{}, told(err)
	}
	due, err := e.due(ctx, id)
	if err != nil {
		return server.Answer{}, told(err)
	}
	return server.Answer{
		Resource: e.writer(ctx).ReviewTask(&found, due), Version: found.Version, Versioned: true,
	}, nil
}

// due is when a review should be settled, which the worklist knows.
func (e *Exchange) due(ctx context.Context, id string) (time.Time, error) {
	list, err := e.cfg.Reviews.Worklist(ctx, review.Filter{})
	if err != nil {
		return time.Time{}, err
	}
	for i := range list.Entries {
		if list.Entries[i].ID == id {
			return list.Entries[i].Due, nil
		}
	}
	return time.Time{}, nil
}

func (e *Exchange) actionAnswer(a *action.Action) server.Answer {
	return server.Answer{
		Resource: e.open().ActionTask(a), Version: a.Version, Versioned: true, Modified: a.Changed,
	}
}

// taskHistory answers with every version of a Task, the newest first.
func (e *Exchange) taskHistory(r *http.Request) (server.Answer, error) {
	ctx, id := r.Context(), r.PathValue("id")
	url := e.address("Task", id)
	var past []form.Past
	add := func(version int, at time.Time, made proto.Message) {
		past = append(past, form.Past{Entry: form.Entry{URL: url, Resource: made}, Version: version,
			At: at})
	}
	if e.cfg.Actions != nil {
		versions, err := e.cfg.Actions.History(ctx, id)
		if err != nil && !errors.Is(err, decisions.ErrNotFound) {
			return server.Answer{}, told(err)
		}
		for i := len(versions) - 1; i >= 0; i-- {
			add(versions[i].Version, versions[i].At, e.open().ActionTask(&versions[i].Action))
		}
	}
	if past == nil && e.cfg.Reviews != nil && seesReviews(ctx) {
		versions, err := e.cfg.Reviews.History(ctx, id, who(ctx).Subject)
		if err != nil {
			return server.Answer{}, told(err)
		}
		for i := len(versions) - 1; i >= 0; i-- {
			one := &versions[i]
			add(one.Version, form.Written(one), e.writer(ctx).ReviewTask(one, time.Time{}))
		}
	}
	if past == nil {
		return server.Answer{}, noneOf("Task")
	}
	bundle, err := form.History("Task/"+id, past, []form.Link{{Relation: "self",
		URL: url + "/_history"}})
	if err != nil {
		return server.Answer{}, err
	}
	return server.Answer{Resource: bundle}, nil
}
