package measure

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

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
	// Steps lists the lengths in months of the periods by which patients are counted. Nil is all of them:
	// months, quarters and years.
	Steps []int
}

// yearsBefore is how many calendar years before that of the data are counted.
const yearsBefore = 3

// steps are the lengths of the periods that are counted of a unit, in months.
func steps(u Unit) []int {
	if u == PatientUnit {
		const quarter = 3
		return []int{1, quarter, monthsPerYear}
	}
	return []int{1}
}

// Results counts every measure on a snapshot. failed lists those whose expressions do not run; the
// others are there. Only a cause that none of them has is an error, such as the end of ctx.
func (p Precomputation) Results(
	ctx context.Context, snapshot *facts.Snapshot,
) (results []facts.Result, failed []string, err error) {
	span, ok := storedSpan(snapshot.Info.DataAsOf)
	if !ok {
		return nil, nil, nil
	}
	w := precomputing{engine: NewEngine(snapshot, p.Definitions), failed: map[string]bool{},
		byPeriod: map[string]bool{}}
	for _, of := range w.passes(ctx, span) {
		for _, step := range steps(of[0].d.Unit) {
			if p.Steps != nil && of[0].d.Unit == PatientUnit && !slices.Contains(p.Steps, step) {
				continue
			}
			if err := w.pass(ctx, of, step); err != nil {
				return nil, nil, fmt.Errorf("compute measures: %w", err)
			}
		}
	}
	for id := range w.failed {
		failed = append(failed, id)
	}
	slices.Sort(failed)
	return slices.DeleteFunc(w.results, func(r facts.Result) bool { return w.failed[r.Measure] }), failed, nil
}

// precomputing is a Precomputation under way.
type precomputing struct {
	engine  *Engine
	results []facts.Result
	failed  map[string]bool
	// byPeriod names the measures that are evaluated one period after the other.
	byPeriod map[string]bool
}

// passes groups the measures that one reading of the units can count: those of a unit that are dated
// alike and count nothing but members. A measure that observes numbers is read by itself.
func (w *precomputing) passes(ctx context.Context, span Period) [][]*asked {
	type kind struct {
		unit    Unit
		datedBy string
		alone   string
	}
	var order []kind
	of := map[kind][]*asked{}
	for i := range w.engine.definitions {
		d := &w.engine.definitions[i]
		if d.Imported || w.engine.completeness(d, &Result{}) {
			continue
		}
		a, err := w.engine.ask(Question{Measure: d.ID, Period: span, By: Dimensions()})
		countable := false
		if err == nil {
			countable, err = w.countable(ctx, a)
		}
		if err != nil {
			w.failed[d.ID] = true
			continue
		}
		w.byPeriod[d.ID] = !countable
		k := kind{d.Unit, d.DatedBy, d.ID}
		if countable && len(d.Observe) == 0 {
			k.alone = ""
		}
		if of[k] == nil {
			order = append(order, k)
		}
		of[k] = append(of[k], a)
	}
	var passes [][]*asked
	for _, k := range order {
		if k.alone == "" {
			passes = append(passes, packed(of[k])...)
		} else {
			passes = append(passes, of[k])
		}
	}
	return passes
}

// countable says that the bits of a measure are enough to count it: they fit into one number, and
// nobody belongs to it in a period who has no row there.
func (w *precomputing) countable(ctx context.Context, a *asked) (bool, error) {
	if a.bits() > maxBits {
		return false, nil
	}
	if a.d.Unit != PatientUnit {
		return true, nil
	}
	unseen, err := w.engine.anyUnseen(ctx, &membership{d: a.d, rates: a.rates})
	return !unseen, err
}

// pass counts measures in one reading. If that fails, each is counted by itself, so that the others
// are there; the end of ctx is the one error that ends everything.
func (w *precomputing) pass(ctx context.Context, of []*asked, step int) error {
	results, err := w.count(ctx, of, step)
	if err == nil {
		w.results = append(w.results, results...)
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if len(of) == 1 {
		w.failed[of[0].d.ID] = true
		return nil
	}
	for i := range of {
		if err := w.pass(ctx, of[i:i+1], step); err != nil {
			return err
		}
	}
	return nil
}

// count counts the periods of one length of the measures of a pass.
func (w *precomputing) count(ctx context.Context, of []*asked, step int) ([]facts.Result, error) {
	results := make([]facts.Result, len(of))
	for k, a := range of {
		digest, err := a.d.digest()
		if err != nil {
			return nil, err
		}
		results[k] = facts.Result{Measure: a.d.ID, Digest: digest, Step: step,
			First: facts.MonthNumber(a.Period.Start), Last: facts.MonthNumber(a.Period.End)}
	}
	if w.byPeriod[of[0].d.ID] {
		return results, w.engine.countPeriods(ctx, of[0], &results[0])
	}
	return results, w.engine.countTogether(ctx, of, results)
}

// countPeriods evaluates one period after the other.
func (e *Engine) countPeriods(ctx context.Context, a *asked, out *facts.Result) error {
	for start := a.Period.Start; start.Before(a.Period.End); start = start.AddDate(0, out.Step, 0) {
		part := *a
		part.Period = Period{Start: start, End: start.AddDate(0, out.Step, -1)}
		var err error
		if part.query.source, out.Undated, err = e.source(ctx, &part); err != nil {
			return err
		}
		r := newRollup(&part.query)
		s := part.query.statement()
		if err := e.snapshot.Query(ctx, s.text, r.row, s.args...); err != nil {
			return err
		}
		out.Cells = append(out.Cells, r.sheet(0).cells(&part.query, facts.MonthNumber(start))...)
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
			add(q.by[i].String(), key, tallies)
		}
	}
	return cells
}
