package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/evidence"
	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/config"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/facts"
)

// commandLine is who answers on the command line, where nobody has signed in.
const commandLine = "command-line"

func (p *program) readinessCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "readiness",
		Short: "Answer the readiness questionnaire, and see the plan that comes of it",
		Long: `Readiness is an institution's own answer to how far it has come: culture and leadership, data
collection, stratified analysis, action, community partnership, access to language and digital services.

Each item has four levels, from 0 (not begun) to 3 (routine), and each level says what a third person
could check. Items marked "data" are answered by the figures of the live snapshot; nobody can answer them
otherwise, only comment on them. What is unanswered is never 0, and there is no total.`,
		Args: cobra.NoArgs,
	}
	for _, sub := range []*cobra.Command{
		p.readinessShow(), p.readinessAnswer(), p.readinessPlan(), p.readinessFinal(), p.readinessReopen(),
	} {
		p.dataFlag(sub)
		c.AddCommand(sub)
	}
	return c
}

// readinessFlags are those of every command about an assessment.
type readinessFlags struct{ period, comment, why, name, language string }

func (f *readinessFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.period, "period", "", "`PERIOD`: a year, a quarter or a month, such as 2026 or 2026-Q1")
	_ = c.MarkFlagRequired("period")
}

func (f *readinessFlags) addLanguage(c *cobra.Command) {
	c.Flags().StringVar(&f.language, "lang", "en", "`LANGUAGE` of the items: "+strings.Join(measure.Languages(), ", "))
}

func (f *readinessFlags) addName(c *cobra.Command) {
	c.Flags().StringVar(&f.name, "name", "", "the `NAME` by which colleagues know you; it stays in the store")
}

func (f *readinessFlags) who() review.Reviewer {
	return review.Reviewer{Subject: commandLine, Name: f.name}
}

func (p *program) readinessShow() *cobra.Command {
	var flags readinessFlags
	c := &cobra.Command{
		Use: "show --period P", Short: "Show every item with its answer, by domain", Args: cobra.NoArgs,
		Example: `  equitylens readiness show --period 2026
  equitylens readiness show --period 2026 --json`,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.withReadiness(c.Context(), flags, func(d *readinessDesk) error { return d.show() })
		},
	}
	flags.add(c)
	flags.addLanguage(c)
	p.jsonFlag(c)
	return c
}

func (p *program) readinessAnswer() *cobra.Command {
	var flags readinessFlags
	c := &cobra.Command{
		Use:   "answer ITEM [LEVEL] --period P",
		Short: "Answer an item with a level of 0 to 3, or comment on it",
		Long: `Answer an item with a level of 0 to 3. An answer that is given again takes the place of the one
before, which stays in the history. Without LEVEL only the comment is written, which is all that items
from data take; with neither, what was said of the item is taken back.`,
		Example: `  equitylens readiness answer accountable-leader 2 --period 2026 --comment "named in May"
  equitylens readiness answer race-recorded --period 2026 --comment "one site has an old form"`,
		Args: cobra.RangeArgs(1, 2), //nolint:mnd // The item and its level.
		RunE: func(c *cobra.Command, args []string) error {
			reply := readiness.Reply{Item: args[0], Comment: flags.comment}
			if len(args) > 1 {
				level, err := readiness.ParseLevel(args[1])
				if err != nil {
					return exitError{err, exitUsage}
				}
				reply.Level = &level
			}
			return p.withReadiness(c.Context(), flags, func(d *readinessDesk) error {
				a, err := d.register.Reply(c.Context(), d.period, d.kept.Version, flags.who(), reply)
				return d.written("answered", a, err)
			})
		},
	}
	flags.add(c)
	flags.addName(c)
	c.Flags().StringVar(&flags.comment, "comment", "", "`TEXT` beside the answer; it names no patient")
	return c
}

func (p *program) readinessPlan() *cobra.Command {
	var flags readinessFlags
	c := &cobra.Command{
		Use:   "plan --period P",
		Short: "Print what to do next, the weakest items first",
		Long: `Print what to do next for every item below "established", the weakest first; among equals those
that the data answered come first. Each step can become an action.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.withReadiness(c.Context(), flags, func(d *readinessDesk) error { return d.plan() })
		},
	}
	flags.add(c)
	flags.addLanguage(c)
	p.jsonFlag(c)
	return c
}

func (p *program) readinessFinal() *cobra.Command {
	var flags readinessFlags
	c := &cobra.Command{
		Use:   "final --period P",
		Short: "Make an assessment final, with the figures of today",
		Long: `Make an assessment final. Every item that is people's must be answered; what the data answer is
taken from the live snapshot and kept, so that later data do not change what was said.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.withReadiness(c.Context(), flags, func(d *readinessDesk) error {
				a, err := d.register.Finish(c.Context(), d.period, d.kept.Version, flags.who(), d.data)
				return d.written("final", a, err)
			})
		},
	}
	flags.add(c)
	flags.addName(c)
	return c
}

func (p *program) readinessReopen() *cobra.Command {
	var flags readinessFlags
	c := &cobra.Command{
		Use: "reopen --period P --why TEXT", Short: "Make a final assessment a draft again", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.withReadiness(c.Context(), flags, func(d *readinessDesk) error {
				a, err := d.register.Reopen(c.Context(), d.period, d.kept.Version, flags.who(), flags.why)
				return d.written("a draft again", a, err)
			})
		},
	}
	flags.add(c)
	flags.addName(c)
	c.Flags().StringVar(&flags.why, "why", "", "`TEXT` that says why")
	_ = c.MarkFlagRequired("why")
	return c
}

// readinessDesk is what the commands about one assessment work with.
type readinessDesk struct {
	*program
	register *readiness.Register
	period   measure.Period
	language string
	data     readiness.Data
	// kept is the assessment as it was written, laid as the figures answer it.
	kept, laid readiness.Assessment
}

// withReadiness opens the store of decisions and the live snapshot. Without a snapshot the items from data
// say that there is none.
func (p *program) withReadiness(
	ctx context.Context, flags readinessFlags, use func(*readinessDesk) error,
) (err error) {
	d := &readinessDesk{program: p, language: flags.language}
	if d.period, err = measure.ParsePeriod(flags.period); err == nil {
		_, _, err = readiness.Name(d.period)
	}
	if err != nil {
		return exitError{err, exitUsage}
	}
	cfg, err := p.config()
	if err != nil {
		return err
	}
	store, err := p.decisions(ctx, &cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if d.register, err = readiness.New(readiness.Config{Records: store, Now: p.now}); err != nil {
		return err
	}
	if d.kept, err = d.register.Of(ctx, d.period); err != nil {
		return err
	}
	if d.data, err = p.readinessData(ctx, &cfg, store, d.period); err != nil {
		return err
	}
	d.laid = d.register.Questionnaire().Lay(d.kept, readiness.FiguresOf(d.data))
	return use(d)
}

// readinessData gathers what answers the items from data, of the live snapshot where there is one.
func (p *program) readinessData(
	ctx context.Context, cfg *config.Config, store decisions.Store, period measure.Period,
) (readiness.Data, error) {
	actions := p.actionRegister(store, nil)
	return gatherReadiness(ctx, actions, period, p.now(), func(use func(readable) error) (err error) {
		dir, err := p.dir(cfg)
		if err != nil {
			return err
		}
		if _, err := dir.Current(); errors.Is(err, facts.ErrNoSnapshot) {
			return measure.ErrNoSnapshot
		}
		engine, err := p.engine(ctx, cfg)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, engine.Snapshot().Close()) }()
		return use(readable{engine.Snapshot().Info, engine.Definitions(), engine.Evaluate})
	})
}

// readable is a snapshot that can be asked.
type readable struct {
	info        facts.Info
	definitions []measure.Definition
	ask         readiness.Ask
}

// gatherReadiness gathers what answers the items from data: the actions, and the figures of the snapshot
// that hold lends. That there is none, which is measure.ErrNoSnapshot, is an answer too.
func gatherReadiness(
	ctx context.Context, actions *action.Register, period measure.Period, now time.Time,
	hold func(use func(readable) error) error,
) (readiness.Data, error) {
	data := readiness.Data{Now: now}
	list, err := actions.List(ctx, action.Filter{})
	if err != nil {
		return data, err
	}
	data.Actions = evidence.Count(list, now)
	err = hold(func(r readable) error {
		data.Snapshot, data.DataAsOf = r.info.ID, r.info.DataAsOf
		return data.Ask(ctx, r.definitions, period, r.ask)
	})
	if errors.Is(err, measure.ErrNoSnapshot) {
		return data, nil
	}
	return data, err
}

// written says what became of an assessment.
func (d *readinessDesk) written(what string, a readiness.Assessment, err error) error {
	switch {
	case errors.Is(err, readiness.ErrItem):
		return exitError{fmt.Errorf("%w; equitylens readiness show --period %s lists the items", err,
			d.kept.Period), exitUsage}
	case errors.Is(err, readiness.ErrFromData):
		return exitError{fmt.Errorf("%w; leave the level out and say what there is to say in --comment", err),
			exitUsage}
	case errors.Is(err, readiness.ErrFinal):
		return fmt.Errorf("%w; equitylens readiness reopen --period %s", err, d.kept.Period)
	case err != nil:
		return err
	}
	d.print("%s is %s (version %d)\n", a.ID, what, a.Version)
	return nil
}

// readinessDocument is what `readiness show --json` prints: fields may be added, never changed.
type readinessDocument struct {
	ID            string                  `json:"id"`
	Period        string                  `json:"period"`
	Questionnaire string                  `json:"questionnaire"`
	State         readiness.State         `json:"state"`
	Version       int                     `json:"version"`
	Snapshot      string                  `json:"snapshot,omitempty"`
	DataAsOf      *time.Time              `json:"data_as_of,omitempty"`
	Domains       []readiness.DomainScore `json:"domains"`
	Answers       []readiness.Answer      `json:"answers"`
	Unanswered    []readiness.Open        `json:"unanswered"`
}

func (d *readinessDesk) show() error {
	q := d.register.Questionnaire()
	if d.json {
		out := readinessDocument{
			ID: d.laid.ID, Period: d.laid.Period, Questionnaire: d.laid.Questionnaire, State: d.laid.State,
			Version: d.laid.Version, Domains: q.Score(d.laid), Unanswered: q.Unanswered(d.laid),
			Snapshot: d.data.Snapshot, Answers: []readiness.Answer{},
		}
		asOf := d.data.DataAsOf
		if d.laid.State == readiness.Final {
			out.Snapshot, asOf = d.laid.Snapshot, d.laid.DataAsOf
		}
		if !asOf.IsZero() {
			out.DataAsOf = &asOf
		}
		for _, i := range q.Items() {
			if answer, ok := d.laid.Answers[i.ID]; ok {
				out.Answers = append(out.Answers, answer)
			}
		}
		return document(d.out, out)
	}
	d.print("%s, %s, version %d of questionnaire %s\n", d.laid.ID, d.laid.State, d.laid.Version, d.laid.Questionnaire)
	for n, s := range q.Score(d.laid) {
		domain := q.Domains[n]
		d.print("\n%s: lowest %s, median %s, %d of %d answered\n", domain.Title.In(d.language), d.level(s.Lowest),
			d.level(s.Median), s.Answered, s.Items)
		var rows [][]string
		for _, i := range domain.Items {
			rows = append(rows, d.row(i))
		}
		if err := table(d.out, []string{"ITEM", "LEVEL", "FROM", "WHAT IS ASKED", "WHAT STANDS"}, rows); err != nil {
			return err
		}
	}
	return nil
}

func (d *readinessDesk) row(i readiness.Item) []string {
	q, answer := d.register.Questionnaire(), d.laid.Answers[i.ID]
	from := "people"
	if i.FromData() {
		from = "data"
	}
	return []string{i.ID, d.level(answer.Level), from, i.Asks.In(d.language),
		q.Stands(i, answer, d.language)}
}

func (d *readinessDesk) level(l *readiness.Level) string {
	if l == nil {
		return "-"
	}
	return fmt.Sprint(int(*l))
}

// readinessPlan is what `readiness plan --json` prints: fields may be added, never changed.
type readinessPlan struct {
	ID         string           `json:"id"`
	State      readiness.State  `json:"state"`
	Version    int              `json:"version"`
	Steps      []readiness.Step `json:"steps"`
	Unanswered []readiness.Open `json:"unanswered"`
}

func (d *readinessDesk) plan() error {
	q := d.register.Questionnaire()
	out := readinessPlan{
		ID: d.laid.ID, State: d.laid.State, Version: d.laid.Version,
		Steps: q.Plan(d.laid, readiness.FiguresOf(d.data), d.language), Unanswered: q.Unanswered(d.laid),
	}
	if d.json {
		return document(d.out, out)
	}
	for n, s := range out.Steps {
		d.print("%d. %s (%s, %d)\n   now:  %s\n   next: %s\n   for:  %s\n", n+1, s.Title, s.Item, int(s.Level), s.Why,
			s.What, s.Owner)
	}
	if len(out.Steps) == 0 {
		d.print("no item that has an answer is below established\n")
	}
	var open []string
	for _, o := range out.Unanswered {
		open = append(open, o.Item)
	}
	if len(open) > 0 {
		d.print("\nunanswered, and so not in the plan: %s\n", strings.Join(open, ", "))
	}
	return nil
}
