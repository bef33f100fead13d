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
	// imports hold the members that other engines decided on, by the id of the measure.
	imports map[string][]*roster
	// settled holds, by the id of a measure, what is the same for every period.
	settled *sync.Map
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
	return &Engine{snapshot: snapshot, definitions: definitions, settled: &sync.Map{}}
}

// Definitions lists the measures that the engine knows, imported ones last.
func (e *Engine) Definitions() []Definition { return e.definitions }

// Snapshot returns what the engine evaluates on.
func (e *Engine) Snapshot() *facts.Snapshot { return e.snapshot }

// asked is a question that can be answered: everything in it is known.
type asked struct {
	Question
	d     *Definition
	rates []GroupDefinition
	query query
	// roster holds the members of an imported measure; nil for one of our own.
	roster *roster
}

// ask looks up what a question names. Its errors are those of fault.go, wrapped.
func (e *Engine) ask(q Question) (*asked, error) {
	i := slices.IndexFunc(e.definitions, func(d Definition) bool { return d.ID == q.Measure })
	if i < 0 {
		return nil, fmt.Errorf("%w: %q", ErrUnknownMeasure, q.Measure)
	}
	a := &asked{Question: q, d: &e.definitions[i]}
	a.rates = a.d.Rates()
	by, err := stratifications(q.By, q.Policy)
	if err != nil {
		return nil, err
	}
	if err := q.Where.Check(q.Policy); err != nil {
		return nil, err
	}
	filter, err := q.Where.onStrata(q.Policy)
	if err != nil {
		return nil, err
	}
	a.query = query{d: a.d, rates: a.rates, by: by, filter: filter, bounds: q.Bounds,
		words: words{e.snapshot.Sites, q.Policy}, observes: map[Population]bool{}}
	for p := range a.d.Observe {
		a.query.observes[p] = true
	}
	if a.d.Imported {
		if a.roster, err = e.roster(q.Measure, q.Period); err != nil {
			return nil, err
		}
		a.query.observes = a.roster.observes
	}
	for g := range a.rates {
		has := func(p Population) bool { return a.rates[g].Populations[p] != "" }
		if a.roster != nil {
			has = func(p Population) bool { return a.roster.has[g][p] }
		}
		a.query.shown = append(a.query.shown, a.d.shown(has))
	}
	return a, nil
}

// plain says that the question is about all units.
func (a *asked) plain() bool { return len(a.Where) == 0 && a.People == nil }

// Evaluate counts a measure in a period, stratified by each of the given dimensions or crosses. It
// fails with ErrUnknownMeasure, ErrUnknownDimension, ErrUnknownFilter, ErrOverlapping or
// ErrNotImported, or because an expression does not run.
func (e *Engine) Evaluate(ctx context.Context, q Question) (Result, error) {
	a, err := e.ask(q)
	if err != nil {
		return Result{}, err
	}
	out, absent := e.outline(a, q.Period)
	if absent {
		// What was never loaded must not read as "it did not happen": there is nothing to count.
		return out, nil
	}
	results := []*Result{&out}
	if err := e.count(ctx, a, results); err != nil {
		return Result{}, fmt.Errorf("evaluate %s: %w", a.d.ID, err)
	}
	return out, nil
}

// outline is a result of which nothing is counted yet. absent says that nothing can be.
func (e *Engine) outline(a *asked, period Period) (out Result, absent bool) {
	d := a.d
	out = Result{
		Measure: d.ID, Version: d.Version, Title: d.Title, Snapshot: e.snapshot.Info.ID,
		DataAsOf: e.snapshot.Info.DataAsOf, Complete: true, Period: period, Policy: a.Policy,
		Filter: a.Where, Groups: make([]Group, 0, len(a.rates)),
	}
	absent = e.completeness(d, &out)
	for _, rate := range a.rates {
		out.Groups = append(out.Groups, Group{
			ID: rate.ID, Title: rate.Title, Scoring: d.Scoring, Improvement: rate.Improvement, Per: d.scale(),
			Aggregate: d.aggregated(),
			Cell:      Cell{Populations: map[Population]float64{}}, Strata: map[string][]Stratum{},
			NotBy: slices.Concat(d.NotBy, rate.NotBy),
		})
	}
	return out, absent
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
func (e *Engine) settle(ctx context.Context, a *asked) (*settled, error) {
	if have, ok := e.settled.Load(a.d.ID); ok {
		return have.(*settled), nil
	}
	s := &settled{undated: make([]int64, len(a.rates))}
	if a.d.Unit != PatientUnit {
		m := &membership{d: a.d, rates: a.rates, period: a.Period, narrow: true}
		// A fault here is either that of a wider need, or one that the evaluation meets as well.
		s.narrow = e.snapshot.Query(ctx, m.members().text+" LIMIT 0", nothing) == nil
		m.narrow = s.narrow
		all := query{d: a.d, rates: a.rates, source: m}
		if err := e.snapshot.Query(ctx, all.undated().text, scanCounts(s.undated)); err != nil {
			return nil, err
		}
	}
	e.settled.Store(a.d.ID, s)
	return s, nil
}

func nothing(*sql.Rows) error { return nil }

// source finds the members of a question, and counts those that no period holds.
func (e *Engine) source(ctx context.Context, a *asked) (source, []int64, error) {
	if a.roster != nil {
		return &rosterSource{roster: a.roster, d: a.d, question: &a.Question},
			make([]int64, len(a.rates)), nil
	}
	s, err := e.settle(ctx, a)
	if err != nil {
		return nil, nil, err
	}
	only, wide := a.onUnits(a.d.Unit)
	m := &membership{d: a.d, rates: a.rates, period: a.Period, narrow: s.narrow && !wide, only: only}
	if a.plain() || a.d.Unit == PatientUnit {
		return m, s.undated, nil
	}
	q := a.query
	q.source = m
	counts := make([]int64, len(a.rates))
	undated := q.undated()
	return m, counts, e.snapshot.Query(ctx, undated.text, scanCounts(counts), undated.args...)
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

// count fills the results, one or those of the months that they are about: from what is stored, else by
// running the query.
func (e *Engine) count(ctx context.Context, a *asked, results []*Result) error {
	if ok, err := e.stored(ctx, a, results); ok || err != nil {
		return err
	}
	q := a.query
	var undated []int64
	var err error
	if q.source, undated, err = e.source(ctx, a); err != nil {
		return err
	}
	r := newRollup(&q)
	s := q.statement()
	if err := e.snapshot.Query(ctx, s.text, r.row, s.args...); err != nil {
		return err
	}
	for _, result := range results {
		month := int64(0)
		if q.months {
			month = monthNumber(result.Period.Start)
		}
		r.fill(result.Groups, month)
		for g := range result.Groups {
			result.Groups[g].Undated = undated[g]
		}
	}
	if a.roster == nil {
		return nil
	}
	for _, result := range results {
		if err := e.lost(ctx, a.roster, result); err != nil {
			return err
		}
	}
	return nil
}
