package measure

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/equitylens/equitylens/store/facts"
)

// Precomputation counts measures by every dimension before a snapshot is published, so that by day
// most questions are looked up.
//
// Of encounters, stays and events it counts each calendar month, which add up to any period of whole
// months. Patients do not add up, since one may be seen in two months, and are counted by months,
// quarters and years. The span is the calendar year of the data and the three before it; anything
// else is evaluated when it is asked for.
type Precomputation struct {
	Definitions []Definition
}

// yearsBefore is how many calendar years before that of the data are counted.
const yearsBefore = 3

// storedMeaning is part of every digest. It is counted up when the same definition comes to mean other
// figures, so that those of an earlier program are not taken for ours.
const storedMeaning = 1

// Results counts every measure on a snapshot. failed lists those whose expressions do not run; the
// others are there. Only a cause that none of them has is an error, such as the end of ctx.
func (p Precomputation) Results(
	ctx context.Context, snapshot *facts.Snapshot,
) (results []facts.Result, failed []string, err error) {
	span, ok := storedSpan(snapshot.Info.DataAsOf)
	if !ok {
		return nil, nil, nil
	}
	e := NewEngine(snapshot, p.Definitions)
	for i := range p.Definitions {
		d := &p.Definitions[i]
		if d.Imported || e.completeness(d, &Result{}) {
			continue
		}
		counted, err := e.precompute(ctx, d, span)
		if ctx.Err() != nil {
			return nil, nil, fmt.Errorf("compute measures: %w", context.Cause(ctx))
		}
		if err != nil {
			failed = append(failed, d.ID)
			continue
		}
		results = append(results, counted...)
	}
	return results, failed, nil
}

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

// steps are the lengths of the periods that are counted of a unit, in months.
func steps(u Unit) []int {
	if u == PatientUnit {
		const quarter = 3
		return []int{1, quarter, monthsPerYear}
	}
	return []int{1}
}

func (e *Engine) precompute(ctx context.Context, d *Definition, span Period) ([]facts.Result, error) {
	a, err := e.ask(Question{Measure: d.ID, Period: span, By: Dimensions()})
	if err != nil {
		return nil, err
	}
	digest, err := d.digest()
	if err != nil {
		return nil, err
	}
	var results []facts.Result
	for _, step := range steps(d.Unit) {
		r := facts.Result{Measure: d.ID, Digest: digest, Step: step,
			First: facts.MonthNumber(span.Start), Last: facts.MonthNumber(span.End)}
		if d.Unit != PatientUnit {
			err = e.precomputeUnits(ctx, a, &r)
		} else {
			err = e.precomputePatients(ctx, a, &r)
		}
		if err != nil {
			return nil, fmt.Errorf("compute %s: %w", d.ID, err)
		}
		results = append(results, r)
	}
	return results, nil
}

// precomputeUnits counts all months of the span in one pass.
func (e *Engine) precomputeUnits(ctx context.Context, a *asked, out *facts.Result) (err error) {
	q := a.query
	q.months = true
	if q.source, out.Undated, err = e.source(ctx, a); err != nil {
		return err
	}
	return e.gather(ctx, &q, func(r *rollup) {
		for month, s := range r.sheets {
			out.Cells = append(out.Cells, s.cells(&q, int(month))...)
		}
	})
}

// precomputePatients counts the patients of each period: in one pass over who was seen in which, if
// nobody else can be in the measure, and else one period after the other.
func (e *Engine) precomputePatients(ctx context.Context, a *asked, out *facts.Result) error {
	out.Undated = make([]int64, len(a.rates))
	m := membership{d: a.d, rates: a.rates, period: a.Period}
	unseen, err := e.anyUnseen(ctx, &m)
	if err != nil {
		return err
	}
	if !unseen {
		q := a.query
		q.months, q.source = true, &seenPatients{m, out.Step}
		return e.gather(ctx, &q, func(r *rollup) {
			for month, s := range r.sheets {
				out.Cells = append(out.Cells, s.cells(&q, int(month))...)
			}
		})
	}
	for start := a.Period.Start; start.Before(a.Period.End); start = start.AddDate(0, out.Step, 0) {
		part := m
		part.period = Period{Start: start, End: start.AddDate(0, out.Step, -1)}
		q := a.query
		q.source = &part
		err := e.gather(ctx, &q, func(r *rollup) {
			out.Cells = append(out.Cells, r.sheet(0).cells(&q, facts.MonthNumber(start))...)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// anyUnseen reports whether a patient may be in a measure in a period in which nobody saw them.
func (e *Engine) anyUnseen(ctx context.Context, m *membership) (found bool, err error) {
	var in []string
	for g, rate := range m.rates {
		in = append(in, fmt.Sprintf("i%d", g))
		if rate.Populations[NumeratorInitial] != "" {
			in = append(in, fmt.Sprintf("j%d", g))
		}
	}
	text := fmt.Sprintf("SELECT 1 FROM (SELECT %s FROM patients_unseen()) WHERE %s LIMIT 1",
		strings.Join(m.columns(), ",\n    "), strings.Join(in, " OR "))
	err = e.snapshot.Query(ctx, text, func(*sql.Rows) error { found = true; return nil })
	return found, err
}

// seenPatients is membership of whoever was seen, in each part of a period by itself. The parts are
// of so many months, and are counted under the first of them.
type seenPatients struct {
	membership
	step int
}

func (s *seenPatients) members() statement {
	return statement{text: fmt.Sprintf("SELECT stratum, no, patient_no, day,\n    %s\n  FROM patients(%s, %s, %d)",
		strings.Join(s.columns(), ",\n    "), dateLiteral(s.period.Start), dateLiteral(s.period.End), s.step)}
}

// gather runs a query and hands on what it gathered.
func (e *Engine) gather(ctx context.Context, q *query, use func(*rollup)) error {
	r := newRollup(q)
	s := q.statement()
	if err := e.snapshot.Query(ctx, s.text, r.row, s.args...); err != nil {
		return err
	}
	use(r)
	return nil
}

// cells writes out the tallies of one period.
func (s *sheet) cells(q *query, month int) []facts.ResultCell {
	var cells []facts.ResultCell
	add := func(dimension, key string, tallies []tally) {
		for rate := range tallies {
			t := &tallies[rate]
			if t.empty() {
				continue
			}
			c := facts.ResultCell{Month: month, Dimension: dimension, Key: key, Rate: rate, Counts: t.sums}
			for o, n := range t.values {
				if c.Values == nil {
					c.Values = map[float64]int64{}
				}
				c.Values[o.v] += n
			}
			cells = append(cells, c)
		}
	}
	add("", "", s.group)
	for i := range q.by {
		for key, tallies := range s.strata[i] {
			add(q.by[i].Stratifier.String(), key, tallies)
		}
	}
	return cells
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
