package script

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/equitylens/equitylens/measure"
)

// Runner runs scripts.
type Runner struct {
	// Definitions are the measures that a script can ask about: those that ship and the site's own.
	Definitions []measure.Definition
	// Now stamps the snapshots. No figure depends on it.
	Now func() time.Time
	// Folder is where cohorts are stored while they are asked about; "" is the folder of the system
	// for what is temporary.
	Folder string
}

// Failure is a question whose answer is not the expected one.
type Failure struct {
	Script string
	Line   int
	// Eval is the line of the question.
	Eval string
	// Differences holds what differs, a line of text each: what was expected after "-", with the
	// number of its line, what came after "+".
	Differences []string
}

// String is the report of the failure.
func (f Failure) String() string {
	const indent = "\n    "
	return fmt.Sprintf("%s:%d: %s", f.Script, f.Line, f.Eval) + indent +
		strings.Join(f.Differences, indent)
}

// Run asks every question of a script and returns those that were not answered as expected. An
// error says that the script could not be run at all.
func (r Runner) Run(ctx context.Context, s *Script) (failures []Failure, err error) {
	var in *cohort
	var at *stored
	var engine *measure.Engine
	defer func() { err = errors.Join(err, at.close()) }()
	for _, e := range s.evals {
		if e.cohort != in {
			if err := at.close(); err != nil {
				return failures, err
			}
			if at, err = store(ctx, e.cohort, r.Folder, r.Now); err != nil {
				at = nil
				return failures, fmt.Errorf("%s:%d: %w", s.Name, e.cohort.line, err)
			}
			in, engine = e.cohort, measure.NewEngine(at.Snapshot, r.Definitions)
		}
		if differences := r.ask(ctx, engine, e); len(differences) > 0 {
			failures = append(failures, Failure{s.Name, e.line, e.text, differences})
		}
		if err := ctx.Err(); err != nil {
			return failures, err
		}
	}
	return failures, nil
}

// close is Close where there may be nothing to close.
func (s *stored) close() error {
	if s == nil {
		return nil
	}
	return s.Close()
}

// ask puts one question and returns how its answer differs.
func (r Runner) ask(ctx context.Context, engine *measure.Engine, e *eval) []string {
	result, err := engine.Evaluate(ctx, e.question)
	var group measure.Group
	if err == nil {
		group, err = rateOf(result, e.rate)
	}
	switch {
	case e.refusal != "" && err == nil:
		return []string{fmt.Sprintf("- it fails with %q", e.refusal), "+ it was answered"}
	case e.refusal != "" && !strings.Contains(err.Error(), e.refusal):
		return []string{fmt.Sprintf("- it fails with %q", e.refusal),
			fmt.Sprintf("+ it fails with %q", err)}
	case e.refusal != "":
		return nil
	case err != nil:
		return []string{fmt.Sprintf("+ it fails with %q", err)}
	}
	c := &comparison{eval: e, result: result, group: group, named: map[int]int{}}
	c.compare()
	return c.differences
}

// rateOf finds the group that the rows are about.
func rateOf(result measure.Result, rate string) (measure.Group, error) {
	var ids []string
	for _, g := range result.Groups {
		if g.ID == rate || rate == "" && len(result.Groups) == 1 {
			return g, nil
		}
		ids = append(ids, result.Measure+"/"+g.ID)
	}
	if rate != "" {
		return measure.Group{}, fmt.Errorf("%s has no rate %s; write one of %s", result.Measure, rate,
			choices(ids))
	}
	return measure.Group{}, fmt.Errorf("%s has several rates; write one of %s", result.Measure,
		choices(ids))
}
