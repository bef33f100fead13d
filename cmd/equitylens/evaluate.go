package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/internal/config"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/report"
	"github.com/equitylens/equitylens/store/facts"
)

// evaluateFlags are those of one evaluation.
type evaluateFlags struct {
	period string
	by     []string
	format string
}

func (p *program) evaluateCommand() *cobra.Command {
	var flags evaluateFlags
	c := &cobra.Command{
		Use:   "evaluate MEASURE|all --period P",
		Short: "Evaluate a measure on the live snapshot, stratified",
		Long: `Evaluate a measure, or all, on the live snapshot.

A period is a year, a quarter, a month or two days, both inclusive: 2018, 2018-Q1, 2018-03,
2018-01-01/2018-06-30. A unit belongs to it by the calendar date that its own dateTime carries.

Dimensions: ` + strings.Join(measure.Dimensions(), ", ") + `; a*b crosses two.`,
		Example: `  equitylens evaluate readmission-30-day --period 2025 --by race,language
  equitylens evaluate all --period 2025-Q4 --format fhir > reports.json`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return exitError{errors.New("name one measure, or all; equitylens measures lists them"), exitUsage}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return p.evaluate(c.Context(), args[0], flags) },
	}
	c.Flags().StringVar(&flags.period, "period", "", "`PERIOD` such as 2018, 2018-Q1, 2018-03 or 2018-01-01/2018-06-30")
	c.Flags().StringSliceVar(&flags.by, "by", nil, "`DIMENSIONS` to stratify by, separated by commas (default: all nine)")
	c.Flags().StringVar(&flags.format, "format", "table", "table, json, csv or fhir")
	_ = c.MarkFlagRequired("period")
	p.dataFlag(c)
	return c
}

func (p *program) evaluate(ctx context.Context, id string, flags evaluateFlags) error {
	formats := map[string]func([]measure.Result, bool) error{
		"table": p.resultTables, "json": p.resultDocuments, "csv": p.resultRows, "fhir": p.resultBundle,
	}
	printer, ok := formats[flags.format]
	if !ok {
		return exitError{fmt.Errorf("--format %q is none of table, json, csv, fhir", flags.format), exitUsage}
	}
	period, err := measure.ParsePeriod(flags.period)
	if err != nil {
		return exitError{err, exitUsage}
	}
	if len(flags.by) == 0 {
		flags.by = measure.Dimensions()
	}
	cfg, err := p.config()
	if err != nil {
		return err
	}
	engine, err := p.engine(ctx, &cfg)
	if err != nil {
		return err
	}
	defer func() { _ = engine.Snapshot().Close() }()
	ids := []string{id}
	if id == "all" {
		ids = ids[:0]
		for _, d := range engine.Definitions() {
			ids = append(ids, d.ID)
		}
	}
	results := make([]measure.Result, 0, len(ids))
	for _, id := range ids {
		result, err := engine.Evaluate(ctx, measure.Question{Measure: id, Period: period, By: flags.by})
		if errors.Is(err, measure.ErrUnknownMeasure) || errors.Is(err, measure.ErrUnknownDimension) {
			return exitError{err, exitUsage}
		}
		if err != nil {
			return err
		}
		results = append(results, result)
	}
	return printer(results, id == "all")
}

// engine evaluates on the live snapshot.
func (p *program) engine(ctx context.Context, cfg *config.Config) (*measure.Engine, error) {
	list, err := definitions(cfg)
	if err != nil {
		return nil, err
	}
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
	snapshot, err := dir.Snapshot(ctx, id)
	if err != nil {
		return nil, err
	}
	return measure.NewEngine(snapshot, list), nil
}

// resultDocuments prints a result, or an array of all.
func (p *program) resultDocuments(results []measure.Result, all bool) error {
	if all {
		return document(p.out, results)
	}
	return document(p.out, results[0])
}

func (p *program) resultBundle(results []measure.Result, all bool) error {
	builder, err := report.New(report.Config{Version: p.version, Now: p.now})
	if err != nil {
		return err
	}
	if !all {
		text, err := r4.MarshalIndent(builder.MeasureReport(results[0]))
		p.print("%s\n", text)
		return err
	}
	text, err := r4.MarshalIndent(builder.Bundle(results))
	p.print("%s\n", text)
	return err
}

// resultTables prints a table a rate and dimension.
func (p *program) resultTables(results []measure.Result, _ bool) error {
	for _, r := range results {
		p.print("%s %s: %s\n", r.Measure, r.Version, r.Title)
		p.print("period %s, snapshot %s, data as of %s\n", r.Period, r.Snapshot, r.DataAsOf.Format("2006-01-02 15:04 MST"))
		for _, missing := range r.Incomplete {
			p.print("INCOMPLETE: %s\n", missing)
		}
		for _, g := range r.Groups {
			p.print("\n%s — %s\n", g.ID, g.Title)
			rows := [][]string{append([]string{"all", ""}, cellColumns(g, g.Cell)...)}
			for _, name := range sortedKeys(g.Strata) {
				for _, s := range g.Strata[name] {
					rows = append(rows, append([]string{name, stratumLabel(s)}, cellColumns(g, s.Cell)...))
				}
			}
			if err := table(p.out, []string{"BY", "GROUP", "DENOMINATOR", "EXCLUDED", "NUMERATOR", scoreHeader(g), "95 % INTERVAL"}, rows); err != nil {
				return err
			}
			if g.Undated > 0 {
				p.print("%d more have no date that would place them in a period\n", g.Undated)
			}
		}
		p.print("\n")
	}
	return nil
}

func scoreHeader(g measure.Group) string {
	switch g.Scoring {
	case measure.Ratio:
		return fmt.Sprintf("PER %g", g.Per)
	case measure.ContinuousVariable:
		return "MEDIAN"
	case measure.Proportion:
	}
	return "SHARE"
}

// denominators of the two kinds of scoring.
func denominatorOf(g measure.Group) (counted, excluded measure.Population) {
	if g.Scoring == measure.ContinuousVariable {
		return measure.MeasurePopulation, measure.MeasureExclusion
	}
	return measure.Denominator, measure.DenominatorExclusion
}

func cellColumns(g measure.Group, c measure.Cell) []string {
	counted, excluded := denominatorOf(g)
	number := func(p measure.Population) string {
		if v, ok := c.Populations[p]; ok {
			return fmt.Sprint(v)
		}
		return ""
	}
	score, interval := "", ""
	if c.Score != nil {
		score = shown(g, *c.Score)
	}
	if c.Interval != nil {
		interval = shown(g, c.Interval[0]) + " to " + shown(g, c.Interval[1])
	}
	return []string{number(counted), number(excluded), number(measure.Numerator), score, interval}
}

// shown prints a score for people: a proportion in percent.
func shown(g measure.Group, v float64) string {
	switch g.Scoring {
	case measure.Proportion:
		return fmt.Sprintf("%.1f %%", 100*v)
	case measure.Ratio:
		return fmt.Sprintf("%.2f", v)
	case measure.ContinuousVariable:
	}
	return fmt.Sprintf("%g", v)
}

func stratumLabel(s measure.Stratum) string {
	if len(s.Components) == 0 {
		return s.Label
	}
	labels := make([]string, len(s.Components))
	for i, c := range s.Components {
		labels[i] = c.Label
	}
	return strings.Join(labels, " × ")
}

// resultRows prints a row a stratum, with the provenance on every row.
func (p *program) resultRows(results []measure.Result, _ bool) error {
	w := csv.NewWriter(p.out)
	rows := [][]string{{
		"measure", "version", "snapshot", "data_as_of", "complete", "period_start", "period_end", "group",
		"scoring", "improvement", "dimension", "code", "system", "label", "state", "initial_population",
		"denominator", "denominator_exclusion", "numerator", "score", "interval_low", "interval_high",
	}}
	for _, r := range results {
		for _, g := range r.Groups {
			rows = append(rows, csvRow(r, g, "", []measure.Coding{{Label: "all"}}, g.Cell))
			for _, name := range sortedKeys(g.Strata) {
				for _, s := range g.Strata[name] {
					rows = append(rows, csvRow(r, g, name, codings(s), s.Cell))
				}
			}
		}
	}
	if err := w.WriteAll(rows); err != nil {
		return fmt.Errorf("write csv: %w", err)
	}
	return nil
}

func codings(s measure.Stratum) []measure.Coding {
	if len(s.Components) == 0 {
		return []measure.Coding{s.Coding}
	}
	var list []measure.Coding
	for _, c := range s.Components {
		list = append(list, c.Coding)
	}
	return list
}

func csvRow(r measure.Result, g measure.Group, dimension string, of []measure.Coding, c measure.Cell) []string {
	join := func(part func(measure.Coding) string) string {
		var parts []string
		for _, coding := range of {
			parts = append(parts, part(coding))
		}
		return inert(strings.Join(parts, "*"))
	}
	counted, excluded := denominatorOf(g)
	row := []string{
		r.Measure, r.Version, r.Snapshot, r.DataAsOf.Format("2006-01-02T15:04:05Z07:00"), fmt.Sprint(r.Complete),
		r.Period.Start.Format("2006-01-02"), r.Period.End.Format("2006-01-02"), g.ID, string(g.Scoring),
		string(g.Improvement), dimension,
		join(func(c measure.Coding) string { return c.Code }), join(func(c measure.Coding) string { return c.System }),
		join(func(c measure.Coding) string { return c.Label }), join(func(c measure.Coding) string { return c.State }),
	}
	for _, population := range []measure.Population{measure.InitialPopulation, counted, excluded, measure.Numerator} {
		text := ""
		if v, ok := c.Populations[population]; ok {
			text = fmt.Sprint(v)
		}
		row = append(row, text)
	}
	score, low, high := "", "", ""
	if c.Score != nil {
		score = fmt.Sprint(*c.Score)
	}
	if c.Interval != nil {
		low, high = fmt.Sprint(c.Interval[0]), fmt.Sprint(c.Interval[1])
	}
	return append(row, score, low, high)
}

// inert keeps a spreadsheet from running what a label of the data says:
// https://owasp.org/www-community/attacks/CSV_Injection
func inert(text string) string {
	if text != "" && slices.Contains([]byte("=+-@\t\r"), text[0]) {
		return "'" + text
	}
	return text
}
