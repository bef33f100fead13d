package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/config"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/store/facts"
)

func (p *program) reviewsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "reviews",
		Short: "List the equity reviews of harm events, and how well reviewers agree",
		Long: `Of every harm event, and every near miss, it is asked whether inequity was a contributing factor.

Events are reviewed on the pages that equitylens serve shows. Here is what waits, and how well two
reviewers agree who do not know of each other. Nothing that is printed names a patient, an encounter or
an event: a review has an id of its own.`,
		Args: cobra.NoArgs,
	}
	c.AddCommand(p.reviewsListCommand(), p.reviewsAgreementCommand(), p.reviewsCodesCommand())
	return c
}

// reviewFlags say which reviews are meant.
type reviewFlags struct {
	states                               []string
	period, actuality, answer, detection string
	sites, categories, severities        []string
	limit                                int
	after                                string
}

func (f *reviewFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.period, "period", "", "`PERIOD` in which the events happened, such as 2026 or 2026-Q1")
	flags.StringSliceVar(&f.sites, "site", nil, "`CODE` of a site, or ~missing")
	flags.StringSliceVar(&f.categories, "category", nil, "`CODE` of a category, or ~missing")
	flags.StringSliceVar(&f.severities, "severity", nil, "mild, moderate, severe or ~missing")
	flags.StringVar(&f.actuality, "actuality", "", "actual or potential, which is a near miss")
}

func (f *reviewFlags) filter() (review.Filter, error) {
	out := review.Filter{
		Sites: f.sites, Categories: f.categories, Severities: f.severities, Actuality: f.actuality,
		Detection: review.Detection(f.detection), Answer: review.Answer(f.answer),
		After: f.after, Limit: f.limit,
	}
	if f.period != "" {
		period, err := measure.ParsePeriod(f.period)
		if err != nil {
			return out, exitError{err, exitUsage}
		}
		out.From, out.To = period.Start, period.End
	}
	var states []string
	for _, s := range review.States() {
		states = append(states, string(s))
	}
	for _, s := range f.states {
		out.States = append(out.States, review.State(s))
	}
	for _, given := range []struct {
		flag    string
		values  []string
		allowed []string
	}{
		{"state", f.states, states},
		{"actuality", []string{f.actuality}, []string{"", "actual", "potential"}},
		{"answer", []string{f.answer}, append(codesOf(review.Answers()), "")},
		{"detection", []string{f.detection}, append(codesOf(review.Detections()), "")},
	} {
		for _, v := range given.values {
			if !slices.Contains(given.allowed, v) {
				known := slices.DeleteFunc(given.allowed, func(s string) bool { return s == "" })
				return out, exitError{
					fmt.Errorf("--%s %s is none of %s", given.flag, v, strings.Join(known, ", ")), exitUsage,
				}
			}
		}
	}
	return out, nil
}

func codesOf(list []review.Concept) []string {
	codes := make([]string, len(list))
	for i, c := range list {
		codes[i] = c.Code
	}
	return codes
}

func (p *program) reviewsListCommand() *cobra.Command {
	var flags reviewFlags
	c := &cobra.Command{
		Use:   "list",
		Short: "List the reviews, those first that have waited longest",
		Example: `  equitylens reviews list --state open,disagreed
  equitylens reviews list --period 2026-Q1 --answer yes --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.reviewsList(c.Context(), flags) },
	}
	flags.add(c)
	c.Flags().StringSliceVar(&flags.states, "state", nil, "open, waiting, disagreed or settled")
	c.Flags().StringVar(&flags.answer, "answer", "", "`ANSWER` of a settled review: yes, no or undetermined")
	c.Flags().StringVar(&flags.detection, "detection", "", "reported, triggered or review, of a settled one")
	c.Flags().IntVar(&flags.limit, "limit", 50, "`NUMBER` of reviews to print; 0 prints all")
	c.Flags().StringVar(&flags.after, "after", "", "the `ID` of the last review of the page before")
	p.dataFlag(c)
	p.jsonFlag(c)
	return c
}

// reviewList is what `reviews list --json` prints: fields may be added, never changed.
type reviewList struct {
	Total   int                  `json:"total"`
	Overdue int                  `json:"overdue"`
	States  map[review.State]int `json:"states"`
	Next    string               `json:"next,omitempty"`
	Reviews []reviewRow          `json:"reviews"`
}

// reviewRow is a review of it. It names no event.
type reviewRow struct {
	ID        string           `json:"id"`
	State     review.State     `json:"state"`
	Version   int              `json:"version"`
	Reviewers int              `json:"reviewers"`
	Date      string           `json:"date,omitempty"`
	Actuality string           `json:"actuality,omitempty"`
	Category  string           `json:"category"`
	Severity  string           `json:"severity"`
	Outcome   string           `json:"outcome"`
	Site      string           `json:"site"`
	SiteName  string           `json:"site_name,omitempty"`
	Withdrawn bool             `json:"withdrawn"`
	Due       string           `json:"due,omitempty"`
	Overdue   bool             `json:"overdue"`
	Answer    review.Answer    `json:"answer,omitempty"`
	Detection review.Detection `json:"detection,omitempty"`
}

func (p *program) reviewsList(ctx context.Context, flags reviewFlags) error {
	filter, err := flags.filter()
	if err != nil {
		return err
	}
	var list review.List
	err = p.withReviews(ctx, func(d *review.Desk) error {
		list, err = d.Worklist(ctx, filter)
		return err
	})
	if errors.Is(err, review.ErrCursor) {
		return exitError{fmt.Errorf("--after: %w; leave it out", err), exitUsage}
	}
	if err != nil {
		return err
	}
	out := reviewList{Total: list.Total, Overdue: list.Overdue, States: list.States, Next: list.Next,
		Reviews: make([]reviewRow, len(list.Entries))}
	for i := range list.Entries {
		out.Reviews[i] = rowOf(&list.Entries[i], list.Sites)
	}
	if p.json {
		return document(p.out, out)
	}
	return p.printReviews(&out)
}

func rowOf(e *review.Entry, sites map[string]string) reviewRow {
	row := reviewRow{
		ID: e.ID, State: e.State, Version: e.Version, Reviewers: e.Needed, Date: e.Event.Date,
		Actuality: e.Event.Actuality, Category: e.Event.Category, Severity: e.Event.Severity,
		Outcome: e.Event.Outcome, Site: e.Event.Site, SiteName: sites[e.Event.Site], Withdrawn: e.Withdrawn,
		Overdue: e.Overdue, Answer: e.Answer, Detection: e.Detection,
	}
	if !e.Due.IsZero() {
		row.Due = e.Due.Format(time.DateOnly)
	}
	return row
}

func (p *program) printReviews(out *reviewList) error {
	for _, s := range review.States() {
		p.print("%s %d  ", s, out.States[s])
	}
	p.print("overdue %d\n\n", out.Overdue)
	rows := make([][]string, len(out.Reviews))
	for i := range out.Reviews {
		r := &out.Reviews[i]
		state, due, site := string(r.State), r.Due, r.SiteName
		if r.Withdrawn {
			state += ", event withdrawn"
		}
		if r.Overdue {
			due += " (late)"
		}
		if site == "" {
			site = r.Site
		}
		rows[i] = []string{r.ID, state, r.Date, r.Actuality, r.Category, r.Severity, site, due, string(r.Answer)}
	}
	err := table(p.out, []string{"REVIEW", "STATE", "HAPPENED", "ACTUALITY", "CATEGORY", "SEVERITY", "SITE", "DUE",
		"ANSWER"}, rows)
	if err == nil && out.Next != "" {
		p.print("\n%d in all; the next page: --after %s\n", out.Total, out.Next)
	}
	return err
}

func (p *program) reviewsAgreementCommand() *cobra.Command {
	var flags reviewFlags
	c := &cobra.Command{
		Use:   "agreement",
		Short: "Say how well two reviewers agree who do not know of each other",
		Long: `Say how well two reviewers agree, by the first opinions of both on the events that two review, before
either knew what the other had answered.

Cohen's κ is 1 where they always agree and 0 where they agree as often as chance would have it. It is low
where one answer is rare, even if they mostly agree: read it beside the share on which they agree, and
beside how often each answer was given. Its interval is that of Fleiss, Cohen and Everitt.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.reviewsAgreement(c.Context(), flags) },
	}
	flags.add(c)
	p.dataFlag(c)
	p.jsonFlag(c)
	return c
}

// agreementDocument is what `reviews agreement --json` prints: fields may be added, never changed.
type agreementDocument struct {
	Reviews  float64     `json:"reviews"`
	Observed *float64    `json:"observed,omitempty"`
	Expected *float64    `json:"expected,omitempty"`
	Kappa    *float64    `json:"kappa,omitempty"`
	Interval *[2]float64 `json:"interval,omitempty"`
	// Answers are in the order of the rows and columns of Table: the first of two reviewers, the second.
	Answers []answerShare `json:"answers"`
	Table   [][]float64   `json:"table"`
}

// answerShare is how often an answer was given.
type answerShare struct {
	Answer     string  `json:"answer"`
	Prevalence float64 `json:"prevalence"`
	Bias       float64 `json:"bias"`
}

func (p *program) reviewsAgreement(ctx context.Context, flags reviewFlags) error {
	filter, err := flags.filter()
	if err != nil {
		return err
	}
	var a review.Agreement
	err = p.withReviews(ctx, func(d *review.Desk) error {
		a, err = d.Agreement(ctx, filter)
		return err
	})
	if err != nil {
		return err
	}
	out := agreementDocument{Reviews: a.Measured.N, Table: a.Table}
	if a.Measured.N > 0 {
		out.Observed, out.Expected = &a.Measured.Observed, &a.Measured.Expected
	}
	if k := a.Measured.Kappa; a.Exists {
		out.Kappa, out.Interval = &k.Value, &[2]float64{k.Lo, k.Hi}
	}
	for i, code := range codesOf(review.Answers()) {
		out.Answers = append(out.Answers, answerShare{code, a.Measured.Prevalence[i], a.Measured.Bias[i]})
	}
	if p.json {
		return document(p.out, out)
	}
	return p.printAgreement(&out)
}

func (p *program) printAgreement(out *agreementDocument) error {
	if out.Observed == nil {
		p.print("No event was reviewed by two yet.\n")
		return nil
	}
	p.print("%.0f events were reviewed by two who did not know of each other.\n", out.Reviews)
	p.print("They agree on %.1f %%; by chance it would be %.1f %%.\n", 100**out.Observed, 100**out.Expected)
	if out.Kappa != nil {
		p.print("Cohen's κ is %.2f (95 %% interval %.2f to %.2f).\n", *out.Kappa, out.Interval[0], out.Interval[1])
	} else {
		p.print("There is no κ: all answers are the same one.\n")
	}
	p.print("\n")
	header := []string{"FIRST \\ SECOND"}
	rows := make([][]string, len(out.Answers))
	for i, a := range out.Answers {
		header = append(header, strings.ToUpper(a.Answer))
		rows[i] = []string{a.Answer}
		for _, n := range out.Table[i] {
			rows[i] = append(rows[i], fmt.Sprintf("%.0f", n))
		}
		rows[i] = append(rows[i], fmt.Sprintf("%.1f %%", 100*a.Prevalence))
	}
	return table(p.out, append(header, "SHARE OF ALL"), rows)
}

func (p *program) reviewsCodesCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "codes",
		Short: "List the codes of the answers, with what they mean",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return p.reviewsCodes() },
	}
	p.jsonFlag(c)
	return c
}

// codeDocument is a code as `reviews codes --json` prints it: fields may be added, never changed.
type codeDocument struct {
	System     string            `json:"system"`
	Code       string            `json:"code"`
	Display    map[string]string `json:"display"`
	Definition map[string]string `json:"definition"`
	Example    map[string]string `json:"example"`
}

func (p *program) reviewsCodes() error {
	var documents []codeDocument
	var rows [][]string
	in := func(w review.Words) map[string]string { return map[string]string{"en": w.English, "es": w.Spanish} }
	for _, system := range []struct {
		name     string
		url      string
		concepts []review.Concept
	}{
		{"answer", review.SystemAnswer, append(review.Answers(), review.NotAsked())},
		{"factor", review.SystemFactor, review.Factors()},
		{"detection", review.SystemDetection, review.Detections()},
	} {
		for _, c := range system.concepts {
			documents = append(documents, codeDocument{
				System: system.url, Code: c.Code, Display: in(c.Display), Definition: in(c.Definition),
				Example: in(c.Example),
			})
			rows = append(rows, []string{system.name, c.Code, c.Display.English, c.Definition.English})
		}
	}
	if p.json {
		return document(p.out, documents)
	}
	return table(p.out, []string{"WHAT", "CODE", "NAME", "MEANS"}, rows)
}

// withReviews opens the store of decisions and the live snapshot for the desk of reviews.
func (p *program) withReviews(ctx context.Context, use func(*review.Desk) error) (err error) {
	cfg, err := p.config()
	if err != nil {
		return err
	}
	snapshot, err := p.liveFacts(ctx, &cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, snapshot.Close()) }()
	store, err := p.decisions(ctx, &cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	desk, err := review.New(reviewConfig(&cfg, review.Config{
		Records: store, Now: p.now, Hold: func(use func(review.Events) error) error { return use(snapshot) },
	}))
	if err != nil {
		return err
	}
	return use(desk)
}

// reviewConfig fills in what the configuration says of reviews. It was validated.
func reviewConfig(cfg *config.Config, c review.Config) review.Config {
	c.TwoPerson, c.DueAfter = review.Rule(cfg.Reviews.TwoPerson), cfg.Reviews.DueAfter.Duration
	c.Since, _ = time.Parse(time.DateOnly, cfg.Reviews.Since)
	return c
}

// liveFacts opens the live snapshot.
func (p *program) liveFacts(ctx context.Context, cfg *config.Config) (*facts.Snapshot, error) {
	dir, err := p.dir(cfg)
	if err != nil {
		return nil, err
	}
	id, err := dir.Current()
	if errors.Is(err, facts.ErrNoSnapshot) {
		return nil, fmt.Errorf("%s holds no live snapshot; equitylens sync makes one", cfg.Data)
	}
	if err != nil {
		return nil, err
	}
	return dir.Snapshot(ctx, id)
}
