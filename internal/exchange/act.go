package exchange

import (
	"context"
	"errors"
	"net/http"
	"reflect"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/form"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/store/decisions"
)

// addTask writes down a new action.
func (e *Exchange) addTask(r *http.Request) (server.Answer, error) {
	text, err := server.Body(r)
	if err != nil {
		return server.Answer{}, err
	}
	read, err := e.open().ReadActionTask(text, nil)
	if err != nil {
		return server.Answer{}, told(err)
	}
	if read.Result != nil {
		return server.Answer{}, unprocessable("Task.output", "a new action has no result yet")
	}
	made, err := e.cfg.Acts.Save(r.Context(), read, who(r.Context()))
	if err != nil {
		return server.Answer{}, told(err)
	}
	answer := e.actionAnswer(&made)
	answer.Status, answer.Location = http.StatusCreated, e.address("Task", made.ID)
	return answer, nil
}

// changeTask changes an action: its state, with its result where that closes it, or everything
// else. Both at once would be two versions of which the second can fail, so that it is refused.
func (e *Exchange) changeTask(r *http.Request) (server.Answer, error) {
	version, err := server.IfMatch(r)
	if err != nil {
		return server.Answer{}, err
	}
	text, err := server.Body(r)
	if err != nil {
		return server.Answer{}, err
	}
	ctx, id := r.Context(), r.PathValue("id")
	old, err := e.cfg.Actions.Get(ctx, id)
	if errors.Is(err, decisions.ErrNotFound) && seesReviews(ctx) && e.cfg.Reviews != nil {
		if _, err := e.cfg.Reviews.Review(ctx, id); err == nil {
			return server.Answer{}, reviewsByEvents()
		}
	}
	if err != nil {
		return server.Answer{}, told(err)
	}
	if old.Version != version {
		return server.Answer{}, stale()
	}
	read, err := e.open().ReadActionTask(text, &old)
	if err != nil {
		return server.Answer{}, told(err)
	}
	after, err := e.act(ctx, &old, &read)
	if err != nil {
		return server.Answer{}, told(err)
	}
	return e.actionAnswer(&after), nil
}

// act makes what was read of what stands.
func (e *Exchange) act(ctx context.Context, old, read *action.Action) (action.Action, error) {
	rest := *read
	rest.State, rest.Result = old.State, old.Result
	moved, changed := read.State != old.State, !alike(&rest, old)
	by := who(ctx)
	switch {
	case moved && changed:
		return action.Action{}, unprocessable("Task.status",
			"the status and anything else beside its output are changed one after the other")
	case changed:
		return e.cfg.Acts.Save(ctx, *read, by)
	case !moved && sameResult(read.Result, old.Result):
		return *old, nil
	case !moved:
		return action.Action{}, unprocessable("Task.output",
			"a result comes with the status completed or cancelled, and stays as it is")
	}
	switch read.State {
	case action.Completed, action.Cancelled:
		return e.end(ctx, old, read)
	case action.InProgress, action.Planned:
	}
	if read.Result != nil && !old.Closed() {
		return action.Action{}, unprocessable("Task.output", "an action that goes on has no result")
	}
	switch {
	case old.State == action.Planned && read.State == action.InProgress:
		return e.cfg.Acts.Start(ctx, old.ID, old.Version, by)
	case old.State == action.Completed && read.State == action.InProgress,
		old.State == action.Cancelled && read.State == action.Planned:
		return e.cfg.Acts.Reopen(ctx, old.ID, old.Version, by)
	}
	return action.Action{}, action.ErrState
}

// end closes an action with the result in the outputs.
func (e *Exchange) end(ctx context.Context, old, read *action.Action) (action.Action, error) {
	if read.Result == nil {
		return action.Action{}, unprocessable("Task.output",
			"nothing is closed without an outcome and a summary")
	}
	if (read.Result.Outcome == action.NotDone) != (read.State == action.Cancelled) {
		return action.Action{}, unprocessable("Task.status",
			"the outcome not-done goes with the status cancelled, and every other with completed")
	}
	result := *read.Result
	result.By = who(ctx)
	return e.cfg.Acts.Close(ctx, old.ID, old.Version, result)
}

// alike reports whether two actions are the same but for what the register sets.
func alike(a, b *action.Action) bool {
	x, y := *a, *b
	x.Finding.Reviews, y.Finding.Reviews = some(x.Finding.Reviews), some(y.Finding.Reviews)
	x.Aim.Groups, y.Aim.Groups = some(x.Aim.Groups), some(y.Aim.Groups)
	x.Aim.Sites, y.Aim.Sites = some(x.Aim.Sites), some(y.Aim.Sites)
	return reflect.DeepEqual(x, y)
}

// some is a list, nil where it is empty.
func some(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return list
}

func sameResult(a, b *action.Result) bool {
	return a == nil && b == nil || a != nil && b != nil &&
		a.Outcome == b.Outcome && a.Summary == b.Summary && a.Snapshot == b.Snapshot
}

func unprocessable(expression, text string) error {
	return server.Refuse(server.Refusal{
		Status: http.StatusUnprocessableEntity, Expression: expression, Text: text,
	})
}

func reviewsByEvents() error {
	return unprocessable("Task.code",
		"the Task of a review follows from its answers: write the AdverseEvent of the same id")
}

// searchGoals answers a search of what actions should move.
func (e *Exchange) searchGoals(r *http.Request) (server.Answer, error) {
	q, err := server.ReadQuery(r, "Goal", names(goalParameters())...)
	if err != nil {
		return server.Answer{}, err
	}
	list, err := e.cfg.Actions.List(r.Context(), action.Filter{})
	if err != nil {
		return server.Answer{}, told(err)
	}
	id := func(a action.Action) string { return a.ID }
	found, total, next, err := page(q, list, id, func(one action.Action) (bool, error) {
		return q.Matches(func(name, value string) (bool, error) { return goalHolds(&one, name, value) })
	})
	if err != nil {
		return server.Answer{}, err
	}
	var entries []form.Entry
	for i := range found {
		entries = append(entries, form.Entry{
			URL: e.address("Goal", found[i].ID), Resource: e.open().Goal(&found[i]),
		})
	}
	return e.bundle(q, entries, total, next)
}

func goalHolds(one *action.Action, name, value string) (bool, error) {
	switch name {
	case "_id":
		return value == one.ID, nil
	case "lifecycle-status":
		return code(value) == form.LifecycleStatus(one.State), nil
	case "measure":
		return code(value) == one.Aim.Measure, nil
	case "start-date":
		return dayMatches(name, value, one.Start)
	}
	return dayMatches(name, value, one.Due)
}

// readGoal answers with what one action should move.
func (e *Exchange) readGoal(r *http.Request) (server.Answer, error) {
	found, err := e.cfg.Actions.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return server.Answer{}, told(err)
	}
	return server.Answer{
		Resource: e.open().Goal(&found), Version: found.Version, Versioned: true, Modified: found.Changed,
	}, nil
}

// searchFlags answers a search of declared conditions.
func (e *Exchange) searchFlags(r *http.Request) (server.Answer, error) {
	q, err := server.ReadQuery(r, "Flag", names(flagParameters())...)
	if err != nil {
		return server.Answer{}, err
	}
	list, err := e.cfg.Actions.Conditions(r.Context())
	if err != nil {
		return server.Answer{}, told(err)
	}
	id := func(c action.Condition) string { return c.ID }
	found, total, next, err := page(q, list, id, func(one action.Condition) (bool, error) {
		return q.Matches(func(name, value string) (bool, error) { return e.flagHolds(&one, name, value) })
	})
	if err != nil {
		return server.Answer{}, err
	}
	var entries []form.Entry
	for i := range found {
		entries = append(entries, form.Entry{
			URL: e.address("Flag", found[i].ID), Resource: e.open().Flag(&found[i], e.cfg.Now()),
		})
	}
	return e.bundle(q, entries, total, next)
}

func (e *Exchange) flagHolds(one *action.Condition, name, value string) (bool, error) {
	switch name {
	case "_id":
		return value == one.ID, nil
	case "status":
		return code(value) == form.FlagStatus(one, e.cfg.Now()), nil
	case "site":
		return code(value) == one.Site, nil
	}
	return spanMatches(name, value, one.Start, one.End)
}

// readFlag answers with one declared condition, also one that was withdrawn.
func (e *Exchange) readFlag(r *http.Request) (server.Answer, error) {
	found, err := e.cfg.Actions.Condition(r.Context(), r.PathValue("id"))
	if err != nil {
		return server.Answer{}, told(err)
	}
	return server.Answer{
		Resource: e.open().Flag(&found, e.cfg.Now()), Version: found.Version, Versioned: true,
	}, nil
}
