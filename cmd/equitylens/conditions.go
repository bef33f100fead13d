package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/effect"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
)

func (p *program) conditionsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "conditions",
		Short: "Declare conditions such as crisis standards of care, and hold figures inside against outside",
		Long: `A condition is an interval of days, at one site or all, in which care was given under a named
circumstance: crisis standards of care, a downtime of the telephone interpreters. The institution
declares it; figures do not show it by themselves.`,
		Args: cobra.NoArgs,
	}
	c.AddCommand(p.conditionsList(), p.conditionsAdd(), p.conditionsEnd(), p.conditionsWithdraw(),
		p.conditionsCompare())
	return c
}

// conditionDocument is a condition as JSON: fields may be added, never changed.
type conditionDocument struct {
	action.Condition
	Version int `json:"version"`
}

func (p *program) conditionsList() *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "List the conditions that were declared",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.withRegister(c.Context(), func(r *action.Register, _ []measure.Definition) error {
				all, err := r.Conditions(c.Context())
				if err != nil {
					return err
				}
				return p.printConditions(all)
			})
		},
	}
	p.dataFlag(c)
	p.jsonFlag(c)
	return c
}

func (p *program) printConditions(all []action.Condition) error {
	out := []conditionDocument{}
	var rows [][]string
	for _, c := range all {
		out = append(out, conditionDocument{c, c.Version})
		site, end := "all", "goes on"
		if c.Site != "" {
			site = c.Site
		}
		if c.End != "" {
			end = c.End
		}
		rows = append(rows, []string{c.ID, c.Start, end, site, c.Name})
	}
	if p.json {
		return document(p.out, out)
	}
	return table(p.out, []string{"ID", "FIRST DAY", "LAST DAY", "SITE", "NAME"}, rows)
}

func (p *program) conditionsAdd() *cobra.Command {
	var declared action.Condition
	var name string
	c := &cobra.Command{
		Use:   "add --title NAME --start DAY",
		Short: "Declare a condition",
		Example: `  equitylens conditions add --title "Crisis standards of care" --start 2025-01-06 --end 2025-02-02
  equitylens conditions add --title "No telephone interpreters" --start 2025-11-20 --site org-riverside`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.withRegister(c.Context(), func(r *action.Register, _ []measure.Definition) error {
				saved, err := r.SaveCondition(c.Context(), declared, console(name))
				return p.declared(saved, "declared", err)
			})
		},
	}
	c.Flags().StringVar(&declared.Name, "title", "", "`NAME` of the condition")
	c.Flags().StringVar(&declared.Start, "start", "", "`DAY`, its first")
	c.Flags().StringVar(&declared.End, "end", "", "`DAY`, its last (default: it goes on)")
	c.Flags().StringVar(&declared.Site, "site", "", "`CODE` of the site (default: all)")
	nameFlag(c, &name)
	p.dataFlag(c)
	p.jsonFlag(c)
	return c
}

// declared says what became of a condition.
func (p *program) declared(c action.Condition, what string, err error) error {
	switch {
	case err != nil:
		return err
	case p.json:
		return document(p.out, conditionDocument{c, c.Version})
	}
	p.print("condition %s is %s (version %d)\n", c.ID, what, c.Version)
	return nil
}

// changeCondition is a command that makes the next version of a condition.
func (p *program) changeCondition(
	c *cobra.Command, what string,
	change func(ctx context.Context, r *action.Register, id string, version int) (action.Condition, error),
) *cobra.Command {
	c.Args = oneID
	c.RunE = func(c *cobra.Command, args []string) error {
		ctx := c.Context()
		return p.withRegister(ctx, func(r *action.Register, _ []measure.Definition) error {
			now, err := r.Condition(ctx, args[0])
			if err != nil {
				return err
			}
			saved, err := change(ctx, r, args[0], now.Version)
			return p.declared(saved, what, err)
		})
	}
	p.dataFlag(c)
	p.jsonFlag(c)
	return c
}

func (p *program) conditionsEnd() *cobra.Command {
	var last, name string
	c := p.changeCondition(&cobra.Command{Use: "end ID --last DAY", Short: "Say which day was its last"}, "ended",
		func(ctx context.Context, r *action.Register, id string, version int) (action.Condition, error) {
			return r.EndCondition(ctx, id, version, last, console(name))
		})
	c.Flags().StringVar(&last, "last", "", "`DAY`, its last")
	_ = c.MarkFlagRequired("last")
	nameFlag(c, &name)
	return c
}

func (p *program) conditionsWithdraw() *cobra.Command {
	var name string
	c := p.changeCondition(&cobra.Command{Use: "withdraw ID",
		Short: "Take back what was declared by mistake; it stays in the history"}, "withdrawn",
		func(ctx context.Context, r *action.Register, id string, version int) (action.Condition, error) {
			return r.WithdrawCondition(ctx, id, version, console(name))
		})
	nameFlag(c, &name)
	return c
}

// besideFlags are those of a comparison of inside with outside.
type besideFlags struct {
	askFlags
	rate, reference string
	conditions      []string
}

func (p *program) conditionsCompare() *cobra.Command {
	var flags besideFlags
	c := &cobra.Command{
		Use:   "compare (MEASURE | all) --period P --by DIMENSION",
		Short: "Hold a measure, or every one, inside of conditions against outside of them",
		Long: `Hold a measure inside of conditions against outside of them, group by group, and the gap to the
reference inside against the gap outside; with "all" every measure, the first rate of each. What is counted is placed by the day by which the measure
dates it, and by its site: everything is inside or outside. Measures of patients count over the whole
period and cannot be divided so. Nothing here shows why the two differ.`,
		Example: `  equitylens conditions compare ed-stay-over-8h --period 2025 --by ethnicity
  equitylens conditions compare all --period 2025 --by language_group --json
  equitylens conditions compare length-of-stay --period 2025 --by language_group --condition 5b0c2f5e`,
		Args: oneMeasure,
		RunE: func(c *cobra.Command, args []string) error {
			return p.compareConditions(c.Context(), args[0], flags)
		},
	}
	flags.add(c)
	_ = c.MarkFlagRequired("by")
	rateFlag(c, &flags.rate)
	c.Flags().StringVar(&flags.reference, "reference", string(gap.Best),
		"`REFERENCE`: best, largest, overall, or the code of a group")
	c.Flags().StringSliceVar(&flags.conditions, "condition", nil, "`IDS` of conditions (default: all)")
	p.dataFlag(c)
	p.jsonFlag(c)
	return c
}

func (p *program) compareConditions(ctx context.Context, id string, flags besideFlags) error {
	asked, err := flags.question()
	if err != nil {
		return err
	}
	if _, err := oneDimension(flags.by); err != nil {
		return err
	}
	asked.Measure = id
	return p.withRegister(ctx, func(r *action.Register, list []measure.Definition) error {
		conditions, err := r.Conditions(ctx)
		if err != nil {
			return err
		}
		if conditions, err = named(conditions, flags.conditions); err != nil {
			return err
		}
		engine, err := p.liveEngine(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = engine.Snapshot().Close() }()
		split := effect.Split{
			Question: asked, Rate: flags.rate, Reference: gap.Reference(flags.reference), Conditions: conditions,
		}
		if id == "all" {
			return p.compareEvery(ctx, engine, list, split)
		}
		i := slices.IndexFunc(list, func(d measure.Definition) bool { return d.ID == id })
		if i < 0 {
			return exitError{fmt.Errorf("there is no measure %q; equitylens measures lists them", id), exitUsage}
		}
		split.Definition = list[i]
		found, err := effect.InsideOutside(ctx, engine.Evaluate, split)
		if err != nil {
			return err
		}
		if p.json {
			return document(p.out, found)
		}
		return p.printBeside(found)
	})
}

// compareEvery holds every measure inside against outside. Those that cannot be divided by day are named on
// standard error.
func (p *program) compareEvery(
	ctx context.Context, engine *measure.Engine, list []measure.Definition, split effect.Split,
) error {
	all := []effect.Comparison{}
	for i := range list {
		split.Definition, split.Question.Measure = list[i], list[i].ID
		found, err := effect.InsideOutside(ctx, engine.Evaluate, split)
		if errors.Is(err, effect.ErrUnsplit) {
			_, _ = fmt.Fprintf(p.err, "left out: %s: %v\n", list[i].ID, err)
			continue
		}
		if err != nil {
			return err
		}
		all = append(all, found)
	}
	if p.json {
		return document(p.out, all)
	}
	for i := range all {
		if i > 0 {
			p.print("\n")
		}
		if err := p.printBeside(all[i]); err != nil {
			return err
		}
	}
	return nil
}

// named keeps the conditions of some ids; no ids keep all.
func named(all []action.Condition, ids []string) ([]action.Condition, error) {
	if len(ids) == 0 {
		return all, nil
	}
	var out []action.Condition
	for _, id := range ids {
		i := slices.IndexFunc(all, func(c action.Condition) bool { return c.ID == id })
		if i < 0 {
			return nil, exitError{errors.New("--condition: there is no such condition; " +
				"equitylens conditions list shows them"), exitUsage}
		}
		out = append(out, all[i])
	}
	return out, nil
}

func (p *program) printBeside(c effect.Comparison) error {
	g := groupOf(c.Scoring, c.Per)
	p.print("%s %s, %s: %s\n", c.Measure, c.Version, c.Rate, c.Title)
	p.print("period %s, snapshot %s, data as of %s\n", c.Period, c.Snapshot,
		c.DataAsOf.Format("2006-01-02 15:04 MST"))
	names := make([]string, len(c.Conditions))
	for i, one := range c.Conditions {
		names[i] = one.Name
	}
	p.print("inside %d days, outside %d: %s\n", c.DaysInside, c.DaysOutside, strings.Join(names, "; "))
	for _, missing := range c.Incomplete {
		p.print("INCOMPLETE: %s\n", missing)
	}
	p.print("\n")
	var rows [][]string
	for _, b := range append([]effect.Beside{c.All}, c.Groups...) {
		row := []string{b.Label, fmt.Sprintf("%g", b.Inside.N), scoreText(g, b.Inside.Score),
			fmt.Sprintf("%g", b.Outside.N), scoreText(g, b.Outside.Score), "", "", optional("%.2g", b.Q), "", ""}
		row[5], row[6] = estimateText(g, b.Difference)
		row[8], row[9] = estimateText(g, b.GapChange)
		rows = append(rows, row)
	}
	if err := table(p.out, []string{"GROUP", "N INSIDE", "INSIDE", "N OUTSIDE", "OUTSIDE", "DIFFERENCE",
		"95 % INTERVAL", "Q", "GAP INSIDE LESS OUTSIDE", "95 % INTERVAL"}, rows); err != nil {
		return err
	}
	switch {
	case c.Reference != nil:
		p.print("gaps are to %s (%s)\n", c.Reference.Label, c.Reference.Rule)
	case c.GapsRefused != nil:
		p.print("no gaps: %s\n", c.GapsRefused.Says)
	}
	p.print("\n")
	for _, sentence := range c.Sentences {
		p.print("• %s\n", sentence)
	}
	return nil
}
