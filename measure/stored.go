package measure

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/equitylens/equitylens/store/facts"
)

// storedMeaning is part of every digest. It is counted up when the same definition comes to mean other
// figures, so that those of an earlier program are not taken for ours.
const storedMeaning = 1

// storedSpan is the years that are counted of data of a moment.
func storedSpan(asOf time.Time) (Period, bool) {
	if asOf.IsZero() {
		return Period{}, false
	}
	return Period{
		Start: time.Date(asOf.Year()-yearsBefore, 1, 1, 0, 0, 0, 0, time.UTC),
		End:   time.Date(asOf.Year(), 12, 31, 0, 0, 0, 0, time.UTC),
	}, true
}

// digest tells this definition from every other one. It fails for one that holds a number that is
// none.
func (d *Definition) digest() (string, error) {
	text, err := json.Marshal(d)
	if err != nil {
		return "", fmt.Errorf("digest the definition of %s: %w", d.ID, err)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d\n%s", storedMeaning, text))
	return hex.EncodeToString(sum[:]), nil
}

// storedPeriod is the months of a period, if figures of that unit may be stored of it: the numbers of
// the first and the last month, and the length of the periods to add up.
func storedPeriod(u Unit, p Period) (first, last, step int, ok bool) {
	if p.Start.Day() != 1 || p.End.AddDate(0, 0, 1).Day() != 1 || p.End.Before(p.Start) {
		return 0, 0, 0, false
	}
	first, last, step = facts.MonthNumber(p.Start), facts.MonthNumber(p.End), 1
	if u == PatientUnit {
		step = last - first + 1
		return first, first, step, slices.Contains(steps(u), step) && first%step == 0
	}
	return first, last, step, true
}

// storable says that figures by single dimensions are all that a question needs.
func (a *asked) storable() bool {
	if a.roster != nil || !a.plain() || a.Bounds && a.d.Scoring == Ratio {
		return false
	}
	for i := range a.query.by {
		by := &a.query.by[i]
		if len(by.axes) != 1 || by.overlapping() || by.axes[0].dimension != by.axes[0].columns[0] ||
			!slices.Contains(Dimensions(), by.axes[0].dimension) {
			return false
		}
	}
	return true
}

// Stored answers a question from the figures that were counted before the snapshot was published. ok
// is false where they do not hold the whole answer; Evaluate gives the same, and counts what they lack.
func (e *Engine) Stored(ctx context.Context, q Question) (out Result, ok bool, err error) {
	a, err := e.ask(q)
	if err != nil {
		return Result{}, false, err
	}
	out, absent := e.outline(a, q.Period)
	if absent {
		return Result{}, false, nil
	}
	ok, err = e.stored(ctx, a, []*Result{&out})
	return out, ok, err
}

// stored fills results from the figures that were counted before the snapshot was published. It is
// false, and nothing is filled, unless all of them are there.
func (e *Engine) stored(ctx context.Context, a *asked, results []*Result) (bool, error) {
	if !a.storable() {
		return false, nil
	}
	// owner names the result that the periods starting in a month belong to.
	owner := map[int]int{}
	least, greatest, length := 0, 0, 0
	for i, result := range results {
		first, last, step, ok := storedPeriod(a.d.Unit, result.Period)
		if !ok || i > 0 && step != length {
			return false, nil
		}
		if i == 0 {
			least, greatest, length = first, last, step
		}
		least, greatest = min(least, first), max(greatest, last)
		for month := first; month <= last; month += step {
			owner[month] = i
		}
	}
	var dimensions []string
	for i := range a.query.by {
		dimensions = append(dimensions, a.query.by[i].String())
	}
	digest, err := a.d.digest()
	if err != nil {
		return false, err
	}
	have, ok, err := e.snapshot.Result(ctx, a.d.ID, digest, length, least, greatest, dimensions)
	if err != nil || !ok || len(have.Undated) != len(a.rates) {
		return false, err
	}
	r := newRollup(&a.query)
	for i := range have.Cells {
		c := &have.Cells[i]
		if n, ok := owner[c.Month]; ok {
			r.take(r.sheet(int64(n)), c)
		}
	}
	for i, result := range results {
		r.fill(result.Groups, int64(i))
		for g := range result.Groups {
			result.Groups[g].Undated = have.Undated[g]
		}
	}
	return true, nil
}

// take adds a stored cell to a sheet.
func (r *rollup) take(s *sheet, c *facts.ResultCell) {
	t := tally{sums: c.Counts}
	for value, units := range c.Values {
		t.observe(observation{v: value}, units)
	}
	if c.Dimension == "" {
		s.group[c.Rate].add(&t)
		return
	}
	i := slices.IndexFunc(r.q.by, func(by stratification) bool { return by.String() == c.Dimension })
	tallies := s.strata[i][c.Key]
	if tallies == nil {
		tallies = make([]tally, len(r.q.rates))
		s.strata[i][c.Key] = tallies
	}
	tallies[c.Rate].add(&t)
}

// StoredPeriod is a month, a quarter or a year of which a measure is stored by every dimension.
type StoredPeriod struct {
	Measure string
	Period  Period
	// Complete is that of its Result.
	Complete bool
}

// StoredPeriods lists what Stored answers by all dimensions at once, by measure and then by period:
// from the first month in which the measure has anybody to the period that holds the end of the data.
func (e *Engine) StoredPeriods(ctx context.Context) ([]StoredPeriod, error) {
	var out []StoredPeriod
	for i := range e.definitions {
		d := &e.definitions[i]
		var of Result
		if d.Imported || e.completeness(d, &of) {
			continue
		}
		digest, err := d.digest()
		if err != nil {
			return nil, err
		}
		first, last, ok, err := e.snapshot.ResultSpan(ctx, d.ID, digest)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		last = min(last, facts.MonthNumber(e.snapshot.Info.DataAsOf))
		for month := first; month <= last; month++ {
			for _, step := range []int{monthsPerYear, 3, 1} {
				// A period is listed at its first month, or at the first month that is counted.
				if month%step != 0 && month != first {
					continue
				}
				start := month - month%step
				day := time.Date(start/monthsPerYear, time.Month(start%monthsPerYear+1), 1, 0, 0, 0, 0, time.UTC)
				out = append(out, StoredPeriod{d.ID, Period{day, day.AddDate(0, step, -1)}, of.Complete})
			}
		}
	}
	return out, nil
}
