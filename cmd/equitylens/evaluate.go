package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/internal/config"
	"github.com/equitylens/equitylens/internal/imports"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/export"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/measure/report"
	"github.com/equitylens/equitylens/store/ledger"
)

// evaluateFlags are those of one evaluation.
type evaluateFlags struct {
	askFlags
	format    string
	audience  string
	reference string
	bounds    bool
	out       string
}

// formats lists how results are written. The last two are not for a terminal.
func formats() []string { return []string{"table", "json", "csv", "fhir", "xlsx", "parquet"} }

func (p *program) evaluateCommand() *cobra.Command {
	var flags evaluateFlags
	c := &cobra.Command{
		Use:   "evaluate MEASURE|all --period P",
		Short: "Evaluate a measure on the live snapshot, stratified",
		Long: `Evaluate a measure, or all, on the live snapshot.

A period is a year, a quarter, a month or two days, both inclusive: 2018, 2018-Q1, 2018-03,
2018-01-01/2018-06-30. A unit belongs to it by the calendar date that its own dateTime carries.

Dimensions: ` + strings.Join(measure.Dimensions(), ", ") + `; a*b and a*b*c cross them.
Race policies: ` + strings.Join(policies(), ", ") + `. The last two make
groups that overlap, and the answer says so.

An audience decides what is shown. internal sees everything. regulator sees the same with every required
code, also where nobody is counted. public sees the release of a calendar period, in which small counts
are hidden so that they cannot be derived; it is made at first use and never changed, so it cannot be
filtered, and what it holds is fixed by disclosure: in the configuration.`,
		Example: `  equitylens evaluate readmission-30-day --period 2025 --by race,language
  equitylens evaluate telehealth-share --period 2025 --by race*language*sex --where site=hillcrest
  equitylens evaluate all --period 2025 --reference largest --format xlsx --out figures.xlsx
  equitylens evaluate all --period 2025 --audience public --format csv
  equitylens evaluate all --period 2025-Q4 --format fhir > reports.json`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return exitError{errors.New("name one measure, or all; equitylens measures lists them"), exitUsage}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return p.evaluate(c.Context(), args[0], flags) },
	}
	flags.add(c)
	c.Flags().StringVar(&flags.format, "format", "table", strings.Join(formats(), ", "))
	c.Flags().StringVar(&flags.audience, "audience", string(release.Internal), "internal, regulator or public")
	c.Flags().StringVar(&flags.reference, "reference", "",
		"compare with `REFERENCE`: best, largest, overall, or the code of a group")
	c.Flags().BoolVar(&flags.bounds, "bounds", false,
		"also what the score of each group would be if those of unknown group belonged to it")
	c.Flags().StringVar(&flags.out, "out", "", "write to `FILE` instead of standard output")
	p.dataFlag(c)
	return c
}

// answers is what an evaluation came to.
type answers struct {
	results []measure.Result
	gaps    []gap.Gap
	// all says that every measure was asked for, so that a list is printed.
	all bool
}

func (p *program) evaluate(ctx context.Context, id string, flags evaluateFlags) error {
	if !slices.Contains(formats(), flags.format) {
		return exitError{fmt.Errorf("--format %q is none of %s", flags.format,
			strings.Join(formats(), ", ")), exitUsage}
	}
	if !slices.Contains(release.Audiences(), release.Audience(flags.audience)) {
		return exitError{fmt.Errorf("--audience %q is none of internal, regulator, public",
			flags.audience), exitUsage}
	}
	asked, err := flags.question()
	if err != nil {
		return err
	}
	asked.Bounds = flags.bounds
	cfg, err := p.config()
	if err != nil {
		return err
	}
	engine, err := p.engine(ctx, &cfg)
	if err != nil {
		return err
	}
	defer func() { _ = engine.Snapshot().Close() }()
	desk, err := p.desk(&cfg)
	if err != nil {
		return err
	}
	out := answers{all: id == "all"}
	out.results, err = p.answer(ctx, desk, engine, asked, id, release.Audience(flags.audience))
	if err != nil {
		return usageOf(err)
	}
	if flags.reference != "" {
		out.gaps, err = gap.Of(out.results,
			gap.Options{Reference: gap.Reference(flags.reference), Even: true})
		if err != nil {
			return usageOf(err)
		}
	}
	return p.write(out, flags.format, flags.out)
}

// answer asks one measure, or all. What the public may not see of all is said and left out.
func (p *program) answer(
	ctx context.Context, desk *release.Desk, engine *measure.Engine, asked measure.Question, id string,
	audience release.Audience,
) ([]measure.Result, error) {
	ids := []string{id}
	if id == "all" {
		ids = ids[:0]
		for _, d := range engine.Definitions() {
			ids = append(ids, d.ID)
		}
	}
	results := make([]measure.Result, 0, len(ids))
	var withheld error
	for _, id := range ids {
		asked.Measure = id
		result, err := desk.Answer(ctx, engine, asked, audience)
		if errors.Is(err, release.ErrNotPublic) && len(ids) > 1 {
			withheld = errors.Join(withheld, err)
			continue
		}
		if err != nil {
			return nil, err
		}
		results = append(results, result)
	}
	if len(results) == 0 {
		return nil, withheld
	}
	if withheld != nil {
		p.note("%v", withheld)
	}
	return results, nil
}

// desk answers for an audience, with the releases of the data directory.
func (p *program) desk(cfg *config.Config) (*release.Desk, error) {
	kept, err := ledger.Open(filepath.Join(cfg.Data, "releases"))
	if err != nil {
		return nil, err
	}
	return release.New(release.Config{
		Ledger: kept, Granularity: cfg.Disclosure.Periods, Cross: cfg.Disclosure.Cross,
		Policies: cfg.Disclosure.Policies, Measures: cfg.Disclosure.Measures, Software: p.version, Now: p.now,
	})
}

// write prints answers, to a file if one is named.
func (p *program) write(out answers, format, path string) (err error) {
	to := p.out
	if path != "" {
		file, err := os.Create(path) // #nosec G304 -- the operator names the file
		if err != nil {
			return fmt.Errorf("write figures: %w", err)
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		to = file
	} else if file, ok := p.out.(*os.File); ok && isatty.IsTerminal(file.Fd()) &&
		(format == "xlsx" || format == "parquet") {
		return exitError{fmt.Errorf("--format %s is not for a terminal; name a file with --out", format), exitUsage}
	}
	table := export.Table{Results: out.results, Gaps: out.gaps, Software: p.version}
	switch format {
	case "json":
		return out.document(to)
	case "csv":
		return table.WriteCSV(to)
	case "xlsx":
		return table.WriteXLSX(to)
	case "parquet":
		return table.WriteParquet(to)
	case "fhir":
		return p.resultBundle(to, out)
	}
	return out.tables(to)
}

// liveEngine evaluates on the live snapshot of the configured data directory.
func (p *program) liveEngine(ctx context.Context) (*measure.Engine, error) {
	cfg, err := p.config()
	if err != nil {
		return nil, err
	}
	return p.engine(ctx, &cfg)
}

// engine evaluates on the live snapshot.
func (p *program) engine(ctx context.Context, cfg *config.Config) (*measure.Engine, error) {
	list, err := definitions(cfg)
	if err != nil {
		return nil, err
	}
	snapshot, err := p.liveFacts(ctx, cfg)
	if err != nil {
		return nil, err
	}
	dir, err := p.dir(cfg)
	if err != nil {
		return nil, errors.Join(err, snapshot.Close())
	}
	imported, err := imports.Load(dir)
	if err != nil {
		return nil, errors.Join(err, snapshot.Close())
	}
	return measure.NewEngine(snapshot, list).WithImports(imported), nil
}

// answered is a result as `evaluate --format json` prints it, with its gaps where it was compared.
type answered struct {
	measure.Result
	Gaps []gap.Gap `json:"gaps,omitempty"`
}

// document prints a result, or an array of all.
func (a answers) document(out io.Writer) error {
	list := make([]answered, len(a.results))
	for i, r := range a.results {
		list[i].Result = r
		for _, g := range a.gaps {
			if g.Measure == r.Measure {
				list[i].Gaps = append(list[i].Gaps, g)
			}
		}
	}
	if a.all {
		return document(out, list)
	}
	return document(out, list[0])
}

func (p *program) resultBundle(out io.Writer, a answers) error {
	builder, err := report.New(report.Config{Version: p.version, Now: p.now})
	if err != nil {
		return err
	}
	var resource proto.Message = builder.Bundle(a.results)
	if !a.all {
		resource = builder.MeasureReport(a.results[0])
	}
	text, err := r4.MarshalIndent(resource)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n", text)
	return err
}

// tables prints a table a rate and dimension.
func (a answers) tables(out io.Writer) error {
	for _, r := range a.results {
		say := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format, args...) }
		say("%s %s: %s\n", r.Measure, r.Version, r.Title)
		say("period %s, snapshot %s, data as of %s\n", r.Period, r.Snapshot,
			r.DataAsOf.Format("2006-01-02 15:04 MST"))
		for _, line := range conditions(r) {
			say("%s\n", line)
		}
		for _, g := range r.Groups {
			say("\n%s — %s\n", g.ID, g.Title)
			if err := a.table(out, r, g); err != nil {
				return err
			}
			if len(g.Overlapping) > 0 {
				say("the groups by %s overlap: a person may be in several, and they are not compared\n", strings.Join(g.Overlapping, ", "))
			}
			if g.Undated > 0 {
				say("%d more have no date that would place them in a period\n", g.Undated)
			}
		}
		say("\n")
	}
	for _, g := range a.gaps {
		if _, err := fmt.Fprintf(out, "• %s\n", g.Sentence); err != nil {
			return err
		}
	}
	return nil
}

// conditions says what holds of all figures of a result.
func conditions(r measure.Result) []string {
	var lines []string
	if r.Audience != "" {
		lines = append(lines, "audience "+r.Audience)
	}
	if r.Policy != "" {
		lines = append(lines, "race policy "+string(r.Policy))
	}
	for _, name := range sortedKeys(r.Filter) {
		lines = append(lines, "only "+name+" "+strings.Join(r.Filter[name], ", "))
	}
	for _, missing := range r.Incomplete {
		lines = append(lines, "INCOMPLETE: "+missing)
	}
	return lines
}

// table prints the strata of a rate. Columns that nothing fills are left out.
func (a answers) table(out io.Writer, r measure.Result, g measure.Group) error {
	header := []string{"BY", "GROUP", "SHARE OF ALL", "DENOMINATOR", "EXCLUDED", "NUMERATOR", scoreHeader(g),
		"95 % INTERVAL", "IF UNKNOWN", "DIFFERENCE", "RATIO"}
	rows := [][]string{append([]string{"all", "", ""}, append(cellColumns(g, g.Cell), "", "", "")...)}
	for _, name := range sortedKeys(g.Strata) {
		for _, s := range g.Strata[name] {
			row := append([]string{name, stratumLabel(s), percent(s.Share)}, cellColumns(g, s.Cell)...)
			row = append(row, boundsOf(g, s))
			rows = append(rows, append(row, a.compared(r, g, name, s)...))
		}
	}
	header, rows = filled(header, rows)
	return table(out, header, rows)
}

// filled leaves out the columns that are empty in every row.
func filled(header []string, rows [][]string) (kept []string, all [][]string) {
	all = make([][]string, len(rows))
	for i, name := range header {
		if !slices.ContainsFunc(rows, func(row []string) bool { return row[i] != "" }) {
			continue
		}
		kept = append(kept, name)
		for j, row := range rows {
			all[j] = append(all[j], row[i])
		}
	}
	return kept, all
}

func percent(share *float64) string {
	if share == nil {
		return ""
	}
	return fmt.Sprintf("%.1f %%", 100**share)
}

// boundsOf prints the score if all whose group is unknown were in the stratum, and what it could be at
// least and at most.
func boundsOf(g measure.Group, s measure.Stratum) string {
	if s.Bounds == nil || s.IfUnknown == nil {
		return ""
	}
	return fmt.Sprintf("%s (%s to %s)", shown(g, *s.IfUnknown), shown(g, s.Bounds[0]), shown(g, s.Bounds[1]))
}

func (a answers) compared(
	r measure.Result, g measure.Group, dimension string, s measure.Stratum,
) []string {
	for _, found := range a.gaps {
		if found.Measure == r.Measure && found.Rate == g.ID && found.Dimension == dimension && found.Code == s.Code &&
			s.Code != "" {
			return []string{fmt.Sprintf("%+.3g", found.Difference), optional("%.2f", found.Ratio)}
		}
	}
	return []string{"", ""}
}

func scoreHeader(g measure.Group) string {
	switch g.Scoring {
	case measure.Ratio:
		return fmt.Sprintf("PER %g", g.Per)
	case measure.ContinuousVariable:
		return strings.ToUpper(string(g.Aggregate))
	case measure.Proportion, measure.Cohort:
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
		if c.Suppressed && slices.Contains([]measure.Population{counted, measure.Numerator}, p) {
			return "hidden"
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
	case measure.ContinuousVariable, measure.Cohort:
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
