package spc

import (
	"fmt"
	"time"
)

// day is the unit of T.
const day = 24 * time.Hour

// Intervals turns the times of events, in their order, into the points of a T chart: the days
// between each event and the one before. Times of day should be known: two events of one date are 0
// days apart, and many such ties are an artefact that widens the limits. The time since the last
// event is not over and is no point.
func Intervals(events []time.Time) ([]Subgroup, error) {
	var gaps []Subgroup
	for i := 1; i < len(events); i++ {
		gap := events[i].Sub(events[i-1])
		if gap < 0 {
			return nil, fmt.Errorf("%w: event %d precedes the one before it", ErrInput, i)
		}
		gaps = append(gaps, Subgroup{Count: gap.Hours() / day.Hours(), Size: 1})
	}
	return gaps, nil
}

// Opportunities turns the serial numbers of the opportunities that ended in an event, in their
// order, into the points of a G chart: how many opportunities without event lie between each event
// and the one before. Neighbours have 0 between them.
func Opportunities(events []int64) ([]Subgroup, error) {
	var gaps []Subgroup
	for i := 1; i < len(events); i++ {
		gap := events[i] - events[i-1]
		if gap < 1 {
			return nil, fmt.Errorf("%w: event %d does not follow the one before it", ErrInput, i)
		}
		gaps = append(gaps, Subgroup{Count: float64(gap - 1), Size: 1})
	}
	return gaps, nil
}
