package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/effect"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/store/decisions"
)

func (p *program) actionsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "actions",
		Short: "Write down what is done about a finding, and see whether the gap is smaller since",
		Long: `An action says who does what until when about a finding, and which figure of which groups it should
move. It is planned, then in progress, and ends with a result; nothing ends without one.

  equitylens actions add ...     write one down
  equitylens actions start ID    it has begun
  equitylens actions effect ID   before and after, against those whom it was not meant for
  equitylens actions close ID    with what came of it

docs/actions.md goes through one from the finding to the figures. What people write may name patients:
it is printed here, and is in no log and no submission.`,
		Args: cobra.NoArgs,
	}
	c.AddCommand(p.actionsList(), p.actionsShow(), p.actionsAdd(), p.actionsStart(), p.actionsClose(),
		p.actionsReopen(), p.actionsEffect())
	return c
}

// console is who decides at the command line.
func console(name string) review.Reviewer {
	return review.Reviewer{Subject: "command-line", Name: name}
}

// withRegister opens the register of actions and conditions. Definitions are those that aims may name.
func (p *program) withRegister(
	ctx context.Context, use func(*action.Register, []measure.Definition) error,
) error {
	cfg, err := p.config()
	if err != nil {
		return err
	}
	list, err := definitions(&cfg)
	if err != nil {
		return err
	}
	store, err := p.decisions(ctx, &cfg)
	if err != nil {
		return err
	}
	err = use(p.actionRegister(store, list), list)
	return errors.Join(usageOfDecision(err), store.Close())
}

// actionRegister is the register of actions, whose aims are held against some definitions.
func (p *program) actionRegister(
	store decisions.Store, definitions []measure.Definition,
) *action.Register {
	return action.New(action.Config{
		Records: store, Now: p.now, Random: rand.Reader, CheckAim: effect.AimCheck(definitions),
	})
}

// usageOfDecision gives what was refused for what was asked the exit code of a wrong command line.
func usageOfDecision(err error) error {
	var invalid *action.InvalidError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &invalid), errors.Is(err, action.ErrClosed), errors.Is(err, action.ErrState),
		errors.Is(err, decisions.ErrNotFound), errors.Is(err, effect.ErrUnsplit),
		errors.Is(err, effect.ErrNoCondition), errors.Is(err, effect.ErrQuestion):
		return exitError{err, exitUsage}
	}
	return usageOf(err)
}

// oneID asks for the id of one action or condition.
func oneID(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return exitError{errors.New("name one by its ID; list shows them"), exitUsage}
	}
	return nil
}

// actionDocument is an action as JSON: fields may be added, never changed.
type actionDocument struct {
	action.Action
	Version int             `json:"version"`
	Changed time.Time       `json:"changed"`
	Reasons []action.Reason `json:"reminders,omitempty"`
	By      string          `json:"by,omitempty"`
}

func documentOf(a action.Action, day time.Time) actionDocument {
	return actionDocument{Action: a, Version: a.Version, Changed: a.Changed, Reasons: a.Reasons(day)}
}

// listFlags are those of a list of actions.
type listFlags struct {
	states                []string
	owner, measure, cause string
	overdue, reminders    bool
}

func (p *program) actionsList() *cobra.Command {
	var flags listFlags
	c := &cobra.Command{
		Use:   "list",
		Short: "List actions, those that are due first at the front",
		Long: `List actions, those that are due first at the front. The last column says what asks for attention:
overdue; not-started, though the day from which it should show has passed; due-soon, within 14 days;
unseen, for 90 days in which nobody looked at its figures or changed it.`,
		Example: `  equitylens actions list --state planned,in-progress
  equitylens actions list --overdue
  equitylens actions list --measure interpreter-documented --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.listActions(c.Context(), flags) },
	}
	c.Flags().StringSliceVar(&flags.states, "state", nil, "`STATES`: planned, in-progress, completed, cancelled")
	c.Flags().StringVar(&flags.owner, "owner", "", "`OWNER`: a role or a department")
	c.Flags().StringVar(&flags.measure, "measure", "", "`ID` of the measure that should move")
	c.Flags().StringVar(&flags.cause, "cause", "", "`CAUSE`; equitylens reviews codes lists the factors")
	c.Flags().BoolVar(&flags.overdue, "overdue", false, "only what should be closed by today and is not")
	c.Flags().BoolVar(&flags.reminders, "reminders", false, "only what asks for attention today")
	p.dataFlag(c)
	p.jsonFlag(c)
	return c
}

func (p *program) listActions(ctx context.Context, flags listFlags) error {
	f := action.Filter{Owner: flags.owner, Measure: flags.measure, Cause: review.Factor(flags.cause)}
	for _, s := range flags.states {
		f.States = append(f.States, action.State(s))
	}
	today := p.now()
	if flags.overdue {
		f.OverdueOn = today
	}
	return p.withRegister(ctx, func(r *action.Register, _ []measure.Definition) error {
		all, err := r.List(ctx, f)
		if err != nil {
			return err
		}
		out := []actionDocument{}
		for _, a := range all {
			if one := documentOf(a, today); !flags.reminders || len(one.Reasons) > 0 {
				out = append(out, one)
			}
		}
		if p.json {
			return document(p.out, out)
		}
		var rows [][]string
		for _, a := range out {
			rows = append(rows, []string{a.ID, string(a.State), a.Due, a.Owner, a.Aim.Measure,
				strings.Join(a.Aim.Groups, ","), a.Title, reasonWords(a.Reasons)})
		}
		return table(p.out, []string{"ID", "STATE", "DUE", "OWNER", "MEASURE", "GROUPS", "TITLE", "ATTENTION"}, rows)
	})
}

func reasonWords(reasons []action.Reason) string {
	texts := make([]string, len(reasons))
	for i, r := range reasons {
		texts[i] = string(r)
	}
	return strings.Join(texts, ", ")
}

func (p *program) actionsShow() *cobra.Command {
	c := &cobra.Command{
		Use:   "show ID",
		Short: "Show one action and all its versions",
		Args:  oneID,
		RunE: func(c *cobra.Command, args []string) error {
			return p.withRegister(c.Context(), func(r *action.Register, _ []measure.Definition) error {
				history, err := r.History(c.Context(), args[0])
				if err != nil {
					return err
				}
				return p.printAction(history)
			})
		},
	}
	p.dataFlag(c)
	p.jsonFlag(c)
	return c
}

// shownAction is what `actions show --json` prints: fields may be added, never changed.
type shownAction struct {
	Action  actionDocument   `json:"action"`
	History []actionDocument `json:"history"`
}

func (p *program) printAction(history []action.Version) error {
	today := p.now()
	out := shownAction{History: []actionDocument{}}
	for _, v := range history {
		one := documentOf(v.Action, today)
		one.By = v.By
		out.History = append(out.History, one)
	}
	last := out.History[len(out.History)-1]
	out.Action = last
	if p.json {
		return document(p.out, out)
	}
	aim := last.Aim
	p.print("%s\n\n", last.Title)
	if last.What != "" {
		p.print("%s\n\n", last.What)
	}
	rows := [][]string{
		{"state", string(last.State)}, {"attention", reasonWords(last.Reasons)}, {"owner", last.Owner},
		{"cause", string(last.Cause)}, {"finding", strings.TrimSpace(string(last.Finding.Kind) + " " + last.Finding.Period)},
		{"measure", strings.TrimSpace(aim.Measure + " " + aim.Rate)},
		{"groups", aim.Dimension + " " + strings.Join(aim.Groups, ", ")}, {"against", aim.Reference},
		{"sites", strings.Join(aim.Sites, ", ")}, {"target", optional("%g", aim.Target)},
		{"start", last.Start}, {"due", last.Due},
	}
	if res := last.Result; res != nil {
		rows = append(rows, []string{"result", string(res.Outcome) + ": " + res.Summary})
	}
	for _, row := range rows {
		if row[1] != "" {
			p.print("%-10s %s\n", row[0], row[1])
		}
	}
	p.print("\n")
	rows = nil
	for _, v := range out.History {
		rows = append(rows, []string{fmt.Sprint(v.Version), v.Changed.Format("2006-01-02 15:04"), v.By, string(v.State),
			v.Title})
	}
	return table(p.out, []string{"VERSION", "WRITTEN", "BY", "STATE", "TITLE"}, rows)
}
