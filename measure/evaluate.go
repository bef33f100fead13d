package measure

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/equitylens/equitylens/store/facts"
)

// Engine evaluates measures on one snapshot. It may be used by many goroutines.
type Engine struct {
	snapshot    *facts.Snapshot
	definitions []Definition
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
func (e *Engine) Evaluate(ctx context.Context, id string, period Period, by []string) (Result, error) {
	i := slices.IndexFunc(e.definitions, func(d Definition) bool { return d.ID == id })
	if i < 0 {
		return Result{}, fmt.Errorf("%w: %q", ErrUnknownMeasure, id)
	}
	d := &e.definitions[i]
	var stratifiers []Stratifier
	for _, text := range by {
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
		DataAsOf: e.snapshot.Info.DataAsOf, Complete: true, Period: period,
	}
	absent := e.completeness(d, &out)
	out.Groups = make([]Group, 0, len(d.Groups))
	for _, rate := range d.Rates() {
		out.Groups = append(out.Groups, Group{
			ID: rate.ID, Title: rate.Title, Scoring: d.Scoring, Improvement: rate.Improvement, Per: d.scale(),
			Cell: Cell{Populations: map[Population]float64{}}, Strata: map[string][]Stratum{},
		})
	}
	if absent {
		// What was never loaded must not read as "it did not happen": there is nothing to count.
		return out, nil
	}
	q := &query{d: d, rates: d.Rates(), stratifiers: stratifiers, period: period}
	q.relation = e.relation(ctx, q)
	if err := e.count(ctx, q, out.Groups); err != nil {
		return Result{}, fmt.Errorf("evaluate %s: %w", id, err)
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

// relation is the table below the unit's view if every expression runs on it, which spares the join
// with the dimensions; else the view.
func (e *Engine) relation(ctx context.Context, q *query) string {
	if q.d.Unit == PatientUnit {
		return view(PatientUnit, q.period)
	}
	table := "unit." + string(q.d.Unit)
	text := "SELECT " + q.membership() + " FROM " + table + " LIMIT 0"
	if e.snapshot.Query(ctx, text, func(*sql.Rows) error { return nil }) == nil {
		return table
	}
	return view(q.d.Unit, q.period)
}

// count runs the query and fills the groups.
func (e *Engine) count(ctx context.Context, q *query, groups []Group) error {
	r := newRollup(q, e.snapshot.Sites)
	if err := e.snapshot.Query(ctx, q.text(), r.row); err != nil {
		return err
	}
	r.fill(groups)
	if q.d.Unit == PatientUnit {
		return nil
	}
	return e.snapshot.Query(ctx, q.undated(), func(rows *sql.Rows) error {
		cells := make([]any, len(groups))
		for g := range groups {
			cells[g] = &groups[g].Undated
		}
		return rows.Scan(cells...)
	})
}
