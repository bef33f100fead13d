package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/measure"
)

// actionFlags are those of a new action.
type actionFlags struct {
	action.Action
	cause, finding string
	target         float64
	by             string
}

func (p *program) actionsAdd() *cobra.Command {
	var flags actionFlags
	c := &cobra.Command{
		Use:   "add",
		Short: "Write an action down",
		Long: `Write an action down: what is done about which finding, by whom and until when, and which figure of
which groups it should move. Choose the figure, the groups and the start before the figures are seen.

--found-in is the period of the figures by which the groups were picked. Who is picked for being far
behind tends to come back without any action, so that an effect counts as demonstrated only if it is
there without those months as well; keep it to what you looked at.`,
		Example: `  equitylens actions add --title "Interpreters by telephone at triage" \
      --cause language-access --owner "Language services" \
      --measure interpreter-documented --by language_group --group other --reference spanish \
      --found-in 2024 --start 2025-01-01 --due 2025-12-31 --target 0.6`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if c.Flags().Changed("target") {
				flags.Aim.Target = &flags.target
			}
			return p.addAction(c.Context(), flags)
		},
	}
	f, a := c.Flags(), &flags.Action
	f.StringVar(&a.Title, "title", "", "`WORDS`: what it is called")
	f.StringVar(&a.What, "what", "", "`TEXT`: what is to be done")
	f.StringVar(&flags.cause, "cause", "", "`CAUSE` that it addresses; equitylens reviews codes lists the factors")
	f.StringVar(&a.Owner, "owner", "", "`OWNER`: a role or a department, not a person")
	f.StringVar(&a.Aim.Measure, "measure", "", "`ID` of the measure that should move")
	rateFlag(c, &a.Aim.Rate)
	f.StringVar(&a.Aim.Dimension, "by", "", "`DIMENSION` of the groups")
	f.StringSliceVar(&a.Aim.Groups, "group", nil, "`CODES` of the groups that should move")
	f.StringVar(&a.Aim.Reference, "reference", "", "`REFERENCE`: best (default), largest, overall, or the code of a group")
	f.StringSliceVar(&a.Aim.Sites, "site", nil, "`CODES` of sites, if it is not for all")
	f.Float64Var(&flags.target, "target", 0, "`SCORE` that is aimed at, a share as 0 to 1")
	f.StringVar(&flags.finding, "finding", string(action.Gap), "`KIND` of the finding: gap, stratum or cluster")
	f.StringVar(&a.Finding.Period, "found-in", "", "`PERIOD` of the figures by which the groups were picked")
	f.StringSliceVar(&a.Finding.Reviews, "review", nil, "`IDS` of the reviews of a cluster")
	f.StringVar(&a.Start, "start", "", "`DAY` from which it should show, such as 2025-01-01")
	f.StringVar(&a.Due, "due", "", "`DAY` by which it should be done")
	nameFlag(c, &flags.by)
	p.dataFlag(c)
	p.jsonFlag(c)
	return c
}

// nameFlag asks how colleagues know who decides.
func nameFlag(c *cobra.Command, name *string) {
	c.Flags().StringVar(name, "name", "", "`NAME` by which colleagues know you")
}

func (p *program) addAction(ctx context.Context, flags actionFlags) error {
	a := flags.Action
	a.Cause, a.Finding.Kind = review.Factor(flags.cause), action.FindingKind(flags.finding)
	return p.withRegister(ctx, func(r *action.Register, _ []measure.Definition) error {
		saved, err := r.Save(ctx, a, console(flags.by))
		return p.wrote(saved, "planned", err)
	})
}

// wrote says what became of an action.
func (p *program) wrote(a action.Action, what string, err error) error {
	switch {
	case err != nil:
		return err
	case p.json:
		return document(p.out, documentOf(a, p.now()))
	}
	p.print("action %s is %s (version %d)\n", a.ID, what, a.Version)
	return nil
}

// stepFlags are those of a step of an action.
type stepFlags struct {
	version int
	name    string
	result  action.Result
	outcome string
}

// step is a command that changes the state of one action.
func (p *program) step(
	c *cobra.Command, flags *stepFlags,
	change func(ctx context.Context, r *action.Register, id string, version int) (action.Action, error),
) *cobra.Command {
	c.Args = oneID
	c.RunE = func(c *cobra.Command, args []string) error {
		ctx := c.Context()
		return p.withRegister(ctx, func(r *action.Register, _ []measure.Definition) error {
			version := flags.version
			if version == 0 {
				a, err := r.Get(ctx, args[0])
				if err != nil {
					return err
				}
				version = a.Version
			}
			a, err := change(ctx, r, args[0], version)
			return p.wrote(a, string(a.State), err)
		})
	}
	c.Flags().IntVar(&flags.version, "version", 0,
		"`NUMBER` of the version that you have seen; if it is another one by now nothing changes (default: any)")
	nameFlag(c, &flags.name)
	p.dataFlag(c)
	p.jsonFlag(c)
	return c
}

func (p *program) actionsStart() *cobra.Command {
	var flags stepFlags
	return p.step(&cobra.Command{Use: "start ID", Short: "Say that a planned action has begun"}, &flags,
		func(ctx context.Context, r *action.Register, id string, version int) (action.Action, error) {
			return r.Start(ctx, id, version, console(flags.name))
		})
}

func (p *program) actionsReopen() *cobra.Command {
	var flags stepFlags
	return p.step(&cobra.Command{Use: "reopen ID",
		Short: "Open a closed action again; its result stays in its history"}, &flags,
		func(ctx context.Context, r *action.Register, id string, version int) (action.Action, error) {
			return r.Reopen(ctx, id, version, console(flags.name))
		})
}

func (p *program) actionsClose() *cobra.Command {
	var flags stepFlags
	c := p.step(&cobra.Command{
		Use:   "close ID --outcome OUTCOME --summary TEXT",
		Short: "End an action with what came of it",
		Long: `End an action with what came of it, in the eyes of who closes it: reduced, no-change, widened,
undetermined; or not-done, of one that was given up, which is the only end of one that never started.
What the figures say stands beside it and does not change by it; equitylens actions effect shows it.`,
		Example: `  equitylens actions close 5b0c2f5e8a1d4c3b9e7f6a21 --outcome reduced \
      --summary "Interpreters are documented at every triage since May."`,
	}, &flags, func(ctx context.Context, r *action.Register, id string, version int) (action.Action, error) {
		res := flags.result
		res.Outcome, res.By = action.Outcome(flags.outcome), console(flags.name)
		return r.Close(ctx, id, version, res)
	})
	c.Flags().StringVar(&flags.outcome, "outcome", "",
		"`OUTCOME`: reduced, no-change, widened, undetermined or not-done")
	c.Flags().StringVar(&flags.result.Summary, "summary", "", "`TEXT`: what came of it")
	c.Flags().StringVar(&flags.result.Snapshot, "snapshot", "", "`ID` of the snapshot whose figures you looked at")
	return c
}
