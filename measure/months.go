package measure

import (
	"context"
	"fmt"
	"time"
)

const monthsPerYear = 12

// monthNumber counts months: 12 times the year and those before.
func monthNumber(day time.Time) int64 {
	return int64(day.Year())*monthsPerYear + int64(day.Month()) - 1
}

// monthsOf cuts a period at the ends of calendar months. The first and the last may be parts of one.
func monthsOf(p Period) []Period {
	var out []Period
	for start := p.Start; !start.After(p.End); {
		next := time.Date(start.Year(), start.Month()+1, 1, 0, 0, 0, 0, time.UTC)
		end := next.AddDate(0, 0, -1)
		if end.After(p.End) {
			end = p.End
		}
		out = append(out, Period{Start: start, End: end})
		start = next
	}
	return out
}

// Months evaluates each calendar month of a period by itself, in order; where the period starts or
// ends within a month, that part of it. It fails as Evaluate does. Units are read once, however many
// months there are; patients once a month, because who they are depends on it.
func (e *Engine) Months(ctx context.Context, q Question) ([]Result, error) {
	a, err := e.ask(q)
	if err != nil {
		return nil, err
	}
	if a.roster != nil {
		return nil, fmt.Errorf("%w: %s is known for %s as a whole, not by month", ErrNotImported, a.d.ID,
			q.Period)
	}
	periods := monthsOf(q.Period)
	out := make([]Result, len(periods))
	pointers := make([]*Result, len(periods))
	absent := false
	for i, p := range periods {
		out[i], absent = e.outline(a, p)
		pointers[i] = &out[i]
	}
	if absent {
		return out, nil
	}
	if a.d.Unit == PatientUnit {
		for i, p := range periods {
			a.Period = p
			if err := e.count(ctx, a, pointers[i:i+1]); err != nil {
				return nil, fmt.Errorf("evaluate %s by month: %w", a.d.ID, err)
			}
		}
		return out, nil
	}
	a.query.months = true
	if err := e.count(ctx, a, pointers); err != nil {
		return nil, fmt.Errorf("evaluate %s by month: %w", a.d.ID, err)
	}
	return out, nil
}
