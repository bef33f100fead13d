package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/effect"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
)

func (p *program) actionsEffect() *cobra.Command {
	var before int
	c := &cobra.Command{
		Use:   "effect ID",
		Short: "Hold the figures before an action against those after it",
		Long: `Hold the whole months before an action against those after it: the groups that should move, the gap to
their reference, and everybody else in the dimension, whom it was not meant for. The verdict is one of

  too-early                   fewer than 3 whole months, or 30 who are counted, on a side
  no-change-shown             chance alone can make the change; no proof that there was none
  smaller                     the gap shrank by more than chance, and by more than others moved
  larger                      it grew by more than chance
  shrank-but-comparison-too   others, whom it was not meant for, moved as well
  mixed                       difference and ratio disagree, or the gap turned round and is wider

demonstrated is stricter, and what a network counts: docs/actions.md lists what it asks. Nothing here
shows why a figure moved.`,
		Example: `  equitylens actions effect 5b0c2f5e8a1d4c3b9e7f6a21
  equitylens actions effect 5b0c2f5e8a1d4c3b9e7f6a21 --months 12 --json`,
		Args: oneID,
		RunE: func(c *cobra.Command, args []string) error {
			return p.effect(c.Context(), args[0], before)
		},
	}
	c.Flags().IntVar(&before, "months", 0, "`NUMBER` of whole months before it that are looked at (default: 24)")
	p.dataFlag(c)
	p.jsonFlag(c)
	return c
}

func (p *program) effect(ctx context.Context, id string, before int) error {
	return p.withRegister(ctx, func(r *action.Register, _ []measure.Definition) error {
		a, err := r.Get(ctx, id)
		if err != nil {
			return err
		}
		var o effect.Options
		if o.Others, err = r.List(ctx, action.Filter{Measure: a.Aim.Measure}); err != nil {
			return err
		}
		if o.Conditions, err = r.Conditions(ctx); err != nil {
			return err
		}
		found, err := p.evaluateEffect(ctx, a, before, o)
		if err != nil {
			return err
		}
		if p.json {
			return document(p.out, found)
		}
		return p.printEffect(found)
	})
}

func (p *program) evaluateEffect(
	ctx context.Context, a action.Action, before int, o effect.Options,
) (effect.Effect, error) {
	engine, err := p.liveEngine(ctx)
	if err != nil {
		return effect.Effect{}, err
	}
	defer func() { _ = engine.Snapshot().Close() }()
	return effect.Of(ctx, engine, a, before, engine.Snapshot().Info.DataAsOf, o)
}

func (p *program) printEffect(e effect.Effect) error {
	g := groupOf(e.Scoring, e.Per)
	p.print("%s %s, %s: %s\n", e.Measure, e.Version, e.Rate, e.Title)
	p.print("action of %s, snapshot %s, data as of %s\n", e.Start, e.Snapshot,
		e.DataAsOf.Format("2006-01-02 15:04 MST"))
	p.print("before %s to %s (%d whole months), after %s to %s (%d)\n\n", e.Before.From, e.Before.To,
		e.Before.Months, e.After.From, e.After.To, e.After.Months)
	var rows [][]string
	add := func(role string, m effect.Moved, against *effect.Against) {
		row := []string{role, m.Label, scoreText(g, m.Before.Score), scoreText(g, m.After.Score), "", "",
			optional("%.2g", m.P), "", ""}
		row[4], row[5] = estimateText(g, m.Change)
		if against != nil {
			row[7], row[8] = estimateText(g, &against.Change)
		}
		rows = append(rows, row)
	}
	add("should move", e.Target, nil)
	if len(e.Groups) > 1 {
		for _, one := range e.Groups {
			add("of these", one, nil)
		}
	}
	if e.Gap != nil {
		add("reference", e.Gap.Other, e.Gap)
	}
	if e.Comparison != nil {
		add("comparison", e.Comparison.Other, e.Comparison)
	}
	if err := table(p.out, []string{"ROLE", "GROUP", "BEFORE", "AFTER", "CHANGE", "95 % INTERVAL", "P",
		"CHANGE OF THE GAP TO IT", "95 % INTERVAL"}, rows); err != nil {
		return err
	}
	p.print("\nverdict: %s\n", e.Verdict)
	p.printDemonstrated(e)
	p.print("\n• %s\n", e.Sentence)
	p.printSignals(e)
	for _, c := range e.Cautions {
		p.print("caution: %s\n", c)
	}
	for _, other := range e.Overlaps {
		p.print("another action on it: %s from %s, %s\n", other.ID, other.Start, other.Name)
	}
	for _, c := range e.Conditions {
		p.print("a condition held: %s from %s, %s\n", c.ID, c.Start, c.Name)
	}
	return nil
}

func (p *program) printDemonstrated(e effect.Effect) {
	if e.Demonstrated {
		p.print("demonstrated: yes\n")
		return
	}
	p.print("demonstrated: no; it lacks")
	for i, r := range e.Missing {
		separator := ","
		if i == 0 {
			separator = ""
		}
		p.print("%s %s", separator, r)
	}
	p.print("\n")
}

// printSignals prints the signals of the groups on the chart whose limits are from before the action.
func (p *program) printSignals(e effect.Effect) {
	for _, s := range e.Trend.Series {
		if s.Code != e.Target.Code || s.Code == "" {
			continue
		}
		counts := map[string]int{}
		for _, signal := range s.Signals {
			counts[signalText(signal)]++
		}
		for _, text := range sortedKeys(counts) {
			p.print("signal on the %s chart of %s, %d times: %s\n", s.Chart, s.Label, counts[text], text)
		}
	}
}

// signalText says a pattern and on which side it is.
func signalText(s gap.Signal) string {
	if s.Side == "" {
		return s.Says
	}
	return fmt.Sprintf("%s (%s)", s.Says, s.Side)
}
