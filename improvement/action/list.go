package action

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/store/decisions"
)

// The terms by which an action is found.
const (
	termState   = "state"
	termOwner   = "owner"
	termMeasure = "measure"
	termDue     = "due"
	termCause   = "cause"
)

// terms are what an action is found by. An owner is a role, and no person.
func (a *Action) terms() map[string]string {
	return map[string]string{termState: string(a.State), termOwner: a.Owner,
		termMeasure: a.Aim.Measure, termDue: a.Due, termCause: string(a.Cause)}
}

// Filter keeps some actions. Empty fields keep all.
type Filter struct {
	States  []State
	Owner   string
	Measure string
	Cause   review.Factor
	// OverdueOn keeps those that are overdue on a day.
	OverdueOn time.Time
}

// query is what the store can search for.
func (f Filter) query() decisions.Query {
	q := decisions.Query{Kind: decisions.Action, Terms: map[string][]string{}}
	for _, s := range f.States {
		q.Terms[termState] = append(q.Terms[termState], string(s))
	}
	for term, value := range map[string]string{
		termOwner: f.Owner, termMeasure: f.Measure, termCause: string(f.Cause),
	} {
		if value != "" {
			q.Terms[term] = []string{value}
		}
	}
	return q
}

// List returns the actions that a filter keeps, those that are due first at the front; of one day in
// the order of their ids.
func (r *Register) List(ctx context.Context, f Filter) ([]Action, error) {
	docs, err := r.c.Records.Find(ctx, f.query())
	if err != nil {
		return nil, fmt.Errorf("list actions: %w", err)
	}
	out := make([]Action, 0, len(docs))
	for _, doc := range docs {
		a, err := readAction(doc)
		if err != nil {
			return nil, err
		}
		if f.OverdueOn.IsZero() || a.overdue(dayOf(f.OverdueOn)) {
			out = append(out, a)
		}
	}
	slices.SortStableFunc(out, func(a, b Action) int { return strings.Compare(a.Due, b.Due) })
	return out, nil
}

// Overdue returns what should be closed by a day and is not.
func (r *Register) Overdue(ctx context.Context, day time.Time) ([]Action, error) {
	return r.List(ctx, Filter{OverdueOn: day})
}

// overdue reports whether an action is open after its due day.
func (a *Action) overdue(day string) bool { return !a.Closed() && a.Due < day }

// dayOf is a day as actions write it, so that days compare as texts.
func dayOf(t time.Time) string { return t.Format(time.DateOnly) }
