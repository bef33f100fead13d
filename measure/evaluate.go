package measure

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"

	"github.com/equitylens/equitylens/store/facts"
)

// Engine evaluates measures on one snapshot. It may be used by many goroutines.
type Engine struct {
	snapshot    *facts.Snapshot
	definitions []Definition
	// settled holds, by the id of a measure, what is the same for every period.
	settled sync.Map
}

// settled is what a snapshot says of a measure once and for all.
type settled struct {
	// narrow says that every expression runs on the table below the unit's view.
	narrow bool
	// undated counts the units of each rate that no period holds.
	undated []int64
}

// NewEngine evaluates definitions on a snapshot.
func NewEngine(snapshot *facts.Snapshot, definitions []Definition) *Engine {
	return &Engine{snapshot: snapshot, definitions: definitions}
}

// Definitions lists the measures that the engine knows.
func (e *Engine) Definitions() []Definition { return e.definitions }

// Snapshot returns what the engine evaluates on.
func (e *Engine) Snapshot() *facts.Snapshot { return e.snapshot }

// Evaluate counts a measure in a period, stratified by each of the given dimensions or crosses. It
// fails with ErrUnknownMeasure or ErrUnknownDimension, or because an expression does not run.
func (e *Engine) Evaluate(ctx context.Context, asked Question) (Result, error) {
	i := slices.IndexFunc(e.definitions, func(d Definition) bool { return d.ID == asked.Measure })
	if i < 0 {
		return Result{}, fmt.Errorf("%w: %q", ErrUnknownMeasure, asked.Measure)
	}
	d := &e.definitions[i]
	var stratifiers []Stratifier
	for _, text := range asked.By {
		s, err := ParseStratifier(text)
		if err != nil {
			return Result{}, err
		}
		if !slices.ContainsFunc(stratifiers, func(have Stratifier) bool { return slices.Equal(have, s) }) {
			stratifiers = append(stratifiers, s)
		}
	}
	out := Result{
		Measure: d.ID, Version: d.Version, Title: d.Title, Snapshot: e.snapshot.Info.ID,
		DataAsOf: e.snapshot.Info.DataAsOf, Complete: true, Period: asked.Period,
	}
	absent := e.completeness(d, &out)
	out.Groups = make([]Group, 0, len(d.Groups))
	for _, rate := range d.Rates() {
		out.Groups = append(out.Groups, Group{
			ID: rate.ID, Title: rate.Title, Scoring: d.Scoring, Improvement: rate.Improvement, Per: d.scale(),
			Cell: Cell{Populations: map[Population]float64{}}, Strata: map[string][]Stratum{},
			NotBy: slices.Concat(d.NotBy, rate.NotBy),
		})
	}
	if absent {
		// What was never loaded must not read as "it did not happen": there is nothing to count.
		return out, nil
	}
	q := &query{d: d, rates: d.Rates(), stratifiers: stratifiers, period: asked.Period}
	if err := e.count(ctx, q, out.Groups); err != nil {
		return Result{}, fmt.Errorf("evaluate %s: %w", d.ID, err)
	}
	return out, nil
}

// completeness notes what the snapshot lacks, and reports whether a needed type was never loaded.
func (e *Engine) completeness(d *Definition, out *Result) (absent bool) {
	for _, name := range d.Needs {
		present, complete, reason := e.snapshot.Holds(name)
		switch {
		case !present:
			absent = true
			out.Incomplete = append(out.Incomplete, name+": no source has loaded it")
		case !complete:
			out.Incomplete = append(out.Incomplete, name+": "+reason)
		}
	}
	out.Complete = len(out.Incomplete) == 0
	return absent
}

// settle finds what is the same for every period, once.
func (e *Engine) settle(ctx context.Context, q *query) (*settled, error) {
	if have, ok := e.settled.Load(q.d.ID); ok {
		return have.(*settled), nil
	}
	s := &settled{undated: make([]int64, len(q.rates))}
	if q.d.Unit != PatientUnit {
		q.relation = "unit." + string(q.d.Unit)
		text := "SELECT " + q.membership() + " FROM " + q.relation + " LIMIT 0"
		// A fault here is either that of a wider need, or one that the evaluation meets as well.
		s.narrow = e.snapshot.Query(ctx, text, func(*sql.Rows) error { return nil }) == nil
		q.relation = q.from(s.narrow)
		if err := e.snapshot.Query(ctx, q.undated(), scanCounts(s.undated)); err != nil {
			return nil, err
		}
	}
	e.settled.Store(q.d.ID, s)
	return s, nil
}

// scanCounts reads a row of counts.
func scanCounts(counts []int64) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		cells := make([]any, len(counts))
		for i := range counts {
			cells[i] = &counts[i]
		}
		return rows.Scan(cells...)
	}
}

// count runs the query and fills the groups.
func (e *Engine) count(ctx context.Context, q *query, groups []Group) error {
	s, err := e.settle(ctx, q)
	if err != nil {
		return err
	}
	q.relation = q.from(s.narrow)
	r := newRollup(q, e.snapshot.Sites)
	if err := e.snapshot.Query(ctx, q.text(), r.row); err != nil {
		return err
	}
	r.fill(groups)
	for g := range groups {
		groups[g].Undated = s.undated[g]
	}
	return nil
}
