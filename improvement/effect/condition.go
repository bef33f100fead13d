package effect

import (
	"fmt"
	"slices"
	"time"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/measure"
)

// piece is some days of a period that are inside of conditions, at some sites; nil sites are all.
type piece struct {
	period measure.Period
	sites  []string
}

// span is a condition cut to a period.
type span struct {
	measure.Period
	site string
}

// spansOf cuts the conditions to a period. Those that were withdrawn, and those that hold on no day of
// it, are left out.
func spansOf(period measure.Period, conditions []action.Condition) ([]span, []Named, error) {
	var spans []span
	named := []Named{}
	for _, c := range conditions {
		if c.Withdrawn {
			continue
		}
		s := span{Period: period, site: c.Site}
		start, err := time.Parse(time.DateOnly, c.Start)
		if err != nil {
			return nil, nil, fmt.Errorf("start of condition %s: %w", c.ID, err)
		}
		if start.After(s.Start) {
			s.Start = start
		}
		if c.End != "" {
			end, err := time.Parse(time.DateOnly, c.End)
			if err != nil {
				return nil, nil, fmt.Errorf("end of condition %s: %w", c.ID, err)
			}
			if end.Before(s.End) {
				s.End = end
			}
		}
		if s.End.Before(s.Start) {
			continue
		}
		spans = append(spans, s)
		named = append(named, Named{ID: c.ID, Name: c.Name, Start: c.Start, End: c.End})
	}
	return spans, named, nil
}

// piecesOf cuts spans at every day on which one begins or has ended, so that no day at a site is in two
// pieces. Of sites, only those that are asked for are kept; none asked for is all.
func piecesOf(spans []span, asked []string) []piece {
	var cuts []time.Time
	for _, s := range spans {
		cuts = append(cuts, s.Start, s.End.AddDate(0, 0, 1))
	}
	slices.SortFunc(cuts, time.Time.Compare)
	cuts = slices.CompactFunc(cuts, time.Time.Equal)
	var out []piece
	for i := 0; i+1 < len(cuts); i++ {
		p := piece{period: measure.Period{Start: cuts[i], End: cuts[i+1].AddDate(0, 0, -1)}}
		held, everywhere := holding(spans, p.period)
		switch {
		case everywhere:
		case len(asked) > 0:
			held = slices.DeleteFunc(held, func(s string) bool { return !slices.Contains(asked, s) })
			fallthrough
		default:
			if p.sites = held; len(held) == 0 {
				continue
			}
		}
		if last := len(out) - 1; last >= 0 && slices.Equal(out[last].sites, p.sites) &&
			out[last].period.End.AddDate(0, 0, 1).Equal(p.period.Start) {
			out[last].period.End = p.period.End
			continue
		}
		out = append(out, p)
	}
	return out
}

// holding lists the sites of which a condition holds over a piece, in order; everywhere says that one
// holds at all of them.
func holding(spans []span, p measure.Period) (sites []string, everywhere bool) {
	for _, s := range spans {
		if s.Start.After(p.Start) || s.End.Before(p.End) {
			continue
		}
		if s.site == "" {
			return nil, true
		}
		sites = append(sites, s.site)
	}
	slices.Sort(sites)
	return slices.Compact(sites), false
}

// daysOf is how many days a period has.
func daysOf(p measure.Period) int {
	const day = 24 * time.Hour
	return int(p.End.Sub(p.Start)/day) + 1
}
