package release

import (
	"fmt"
	"time"

	"github.com/equitylens/equitylens/measure"
)

// Granularity is the length of the periods of which figures are released.
type Granularity string

// The granularities.
const (
	Year    Granularity = "year"
	Quarter Granularity = "quarter"
	Month   Granularity = "month"
)

func (g Granularity) check() error {
	switch g {
	case Year, Quarter, Month:
		return nil
	}
	return fmt.Errorf("periods to release: %q is none of year, quarter, month", string(g))
}

// months is the length.
func (g Granularity) months() int {
	switch g {
	case Quarter:
		return 3
	case Month:
		return 1
	case Year:
	}
	return 12
}

// name is the entry of a period in the ledger, in the form that measure.ParsePeriod reads. It is not ok
// for a period of another length, or that does not start where one of its length does.
func (g Granularity) name(p measure.Period) (name string, ok bool) {
	start, n := p.Start, g.months()
	if start.Day() != 1 || (int(start.Month())-1)%n != 0 || !p.End.Equal(start.AddDate(0, n, -1)) {
		return "", false
	}
	switch g {
	case Quarter:
		return fmt.Sprintf("%04d-Q%d", start.Year(), (int(start.Month())-1)/n+1), true
	case Month:
		return start.Format("2006-01"), true
	case Year:
	}
	return start.Format("2006"), true
}

// overlap reports whether two periods have a day in common.
func overlap(a, b measure.Period) bool {
	return !a.End.Before(b.Start) && !b.End.Before(a.Start)
}

// ended reports whether the data reach beyond the last day of a period.
func ended(p measure.Period, dataAsOf time.Time) bool {
	return dataAsOf.After(p.End.AddDate(0, 0, 1))
}
