package action

import (
	"context"
	"time"
)

// Reason is why an action asks for attention.
type Reason string

// The reasons, the most pressing first.
const (
	// Late: it is open after its due day.
	Late Reason = "overdue"
	// NotStarted: the day from which it should show has passed, and it is still planned.
	NotStarted Reason = "not-started"
	// Soon: it is due within 14 days.
	Soon Reason = "due-soon"
	// Unseen: it runs, and nobody has looked at its figures or changed it for 90 days.
	Unseen Reason = "unseen"
)

// Reasons lists the reasons.
func Reasons() []Reason { return []Reason{Late, NotStarted, Soon, Unseen} }

const (
	soonDays   = 14
	unseenDays = 90
)

// Reminder is an open action that asks for attention, and why.
type Reminder struct {
	Action  Action
	Reasons []Reason
}

// Reminders returns the open actions that ask for attention on a day, in the order of List.
func (r *Register) Reminders(ctx context.Context, day time.Time) ([]Reminder, error) {
	open, err := r.List(ctx, Filter{States: []State{Planned, InProgress}})
	if err != nil {
		return nil, err
	}
	out := []Reminder{}
	for i := range open {
		if reasons := open[i].Reasons(day); len(reasons) > 0 {
			out = append(out, Reminder{Action: open[i], Reasons: reasons})
		}
	}
	return out, nil
}

// Reasons says why an action asks for attention on a day: none once it is closed.
func (a *Action) Reasons(day time.Time) []Reason {
	if a.Closed() {
		return nil
	}
	var out []Reason
	today := dayOf(day)
	if a.overdue(today) {
		out = append(out, Late)
	}
	if a.State == Planned && a.Start < today {
		out = append(out, NotStarted)
	}
	if a.Due >= today && a.Due <= dayOf(day.AddDate(0, 0, soonDays)) {
		out = append(out, Soon)
	}
	seen := a.Changed
	if a.Looked != nil && a.Looked.After(seen) {
		seen = *a.Looked
	}
	if a.State == InProgress && dayOf(seen) < dayOf(day.AddDate(0, 0, -unseenDays)) {
		out = append(out, Unseen)
	}
	return out
}
