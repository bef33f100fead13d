package dashboard

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/equitylens/equitylens/measure"
)

// The lengths of calendar periods, in months.
const (
	monthsInQuarter = 3
	monthsInYear    = 12
)

// span is the time of which a snapshot has figures: from the first day of the month in which anybody is
// counted first to the moment of the data.
type span struct{ first, asOf time.Time }

// calendar remembers the span of the snapshot that was asked last. It is safe for concurrent use.
type calendar struct {
	mu   sync.Mutex
	id   string
	span span
}

// of is the span of a snapshot.
func (c *calendar) of(ctx context.Context, s Snapshot) (span, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.id == s.ID() {
		return c.span, nil
	}
	found, err := spanOf(ctx, s)
	if err == nil {
		c.id, c.span = s.ID(), found
	}
	return found, err
}

// span is that of the snapshot that is held.
func (v *visit) span(ctx context.Context) (span, error) {
	if v.calendar == nil {
		return spanOf(ctx, v.snapshot)
	}
	return v.calendar.of(ctx, v.snapshot)
}

// spanOf asks the figures that are stored. Where none are, it is the year of the data and the one before.
func spanOf(ctx context.Context, s Snapshot) (span, error) {
	out := span{asOf: s.Facts().Info.DataAsOf.UTC()}
	stored, err := measure.NewEngine(s.Facts(), s.Definitions()).StoredPeriods(ctx)
	if err != nil {
		return out, fmt.Errorf("list the periods: %w", err)
	}
	for _, p := range stored {
		if months(p.Period) == 1 && (out.first.IsZero() || p.Period.Start.Before(out.first)) {
			out.first = p.Period.Start
		}
	}
	if out.first.IsZero() || out.first.After(out.asOf) {
		out.first = time.Date(out.asOf.Year()-1, time.January, 1, 0, 0, 0, 0, time.UTC)
	}
	return out, nil
}

// months is how many whole calendar months a period is, or 0.
func months(p measure.Period) int {
	after := p.End.AddDate(0, 0, 1)
	if p.Start.Day() != 1 || after.Day() != 1 {
		return 0
	}
	return monthsInYear*(after.Year()-p.Start.Year()) + int(after.Month()) - int(p.Start.Month())
}

// over reports whether the data reach to the end of a period.
func (s span) over(p measure.Period) bool { return !p.End.AddDate(0, 0, 1).After(s.asOf) }

// periods lists the calendar periods of a length that hold any of the time, the last first.
func (s span) periods(length int) []measure.Period {
	var out []measure.Period
	month := time.Month((int(s.first.Month())-1)/length*length + 1)
	for at := time.Date(s.first.Year(), month, 1, 0, 0, 0, 0, time.UTC); !at.After(s.asOf); {
		next := at.AddDate(0, length, 0)
		out = append(out, measure.Period{Start: at, End: next.AddDate(0, 0, -1)})
		at = next
	}
	slices.Reverse(out)
	return out
}

// usual is the period that is shown where none is asked for: the last calendar year that is over in the
// data, or else the one that is not.
func (s span) usual() measure.Period {
	years := s.periods(monthsInYear)
	for _, p := range years {
		if s.over(p) {
			return p
		}
	}
	return years[0]
}

// periodName writes a period as an address has it, which measure.ParsePeriod reads.
func periodName(p measure.Period) string {
	switch n := months(p); {
	case n == 1:
		return p.Start.Format("2006-01")
	case n == monthsInQuarter && (int(p.Start.Month())-1)%monthsInQuarter == 0:
		return fmt.Sprintf("%d-Q%d", p.Start.Year(), (int(p.Start.Month())-1)/monthsInQuarter+1)
	case n == monthsInYear && p.Start.Month() == time.January:
		return p.Start.Format("2006")
	}
	return p.String()
}

// settlePeriod is the period that the address asks for, or else the usual one, which from then on the
// addresses of the page name.
func (v *visit) settlePeriod(s span) measure.Period {
	p, err := measure.ParsePeriod(v.Period)
	if err != nil { // It has been read before, so it is empty.
		p = s.usual()
	}
	v.Period = periodName(p)
	return p
}
