package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
)

// compareFlags are those of one comparison.
type compareFlags struct {
	askFlags
	rate      string
	reference string
	standard  string
}

func (p *program) compareCommand() *cobra.Command {
	var flags compareFlags
	c := &cobra.Command{
		Use:   "compare MEASURE --period P --by DIMENSION",
		Short: "Compare the groups of one dimension: gaps, age standardisation, tests, summary measures",
		Long: `Compare the groups of one dimension in one measure.

The score is crude. AGE-STANDARDISED is what it would be if every group had the ages of the same
people: those of everybody in the measure (--standard own), or of the United States in 2000
(--standard us2000), which published figures use. O/E is how many events a group has for each
that people of its ages have in the measure as a whole: compare it with 1, not with that of
another group. What rests on fewer than 20 events is marked with †.

DIFFERENCE and RATIO are to the reference: the best group that holds a tenth of the units, or
--reference largest, overall, or the code of a group. Q is the p-value after correction for
every test of the comparison. FIGURE IS what the presentation standards of the National Center
for Health Statistics make of the crude score: an unreliable one is not to be published nor
ranked.

The test of all groups comes first: where it finds nothing, be slow to look among the pairs. The
summary measures are those of WHO's Health Equity Assessment Toolkit. Whatever is not given has
its reason. docs/statistics.md says how each figure is made, and why so.

Nothing here says what causes a gap.`,
		Example: `  equitylens compare readmission-30-day --period 2025 --by race
  equitylens compare harm-per-1000-days --period 2025 --by language --reference en --standard us2000
  equitylens compare length-of-stay --period 2025-Q4 --by interpreter_need --json`,
		Args: oneMeasure,
		RunE: func(c *cobra.Command, args []string) error {
			return p.compare(c.Context(), args[0], flags)
		},
	}
	flags.add(c)
	_ = c.MarkFlagRequired("by")
	rateFlag(c, &flags.rate)
	c.Flags().StringVar(&flags.reference, "reference", string(gap.Best),
		"`REFERENCE`: best, largest, overall, or the code of a group")
	c.Flags().StringVar(&flags.standard, "standard", string(gap.Own),
		"`POPULATION` whose ages are taken for everybody: own or us2000")
	p.dataFlag(c)
	p.jsonFlag(c)
	return c
}

func rateFlag(c *cobra.Command, rate *string) {
	c.Flags().StringVar(rate, "rate", "",
		"`ID` of the rate, of a measure that has several (default: the first)")
}

// oneMeasure asks for the name of one measure.
func oneMeasure(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return exitError{errors.New("name one measure; equitylens measures lists them"), exitUsage}
	}
	return nil
}

// oneDimension is what --by asks for.
func oneDimension(by []string) (string, error) {
	if len(by) != 1 {
		return "", exitError{fmt.Errorf("--by %s: name one dimension", strings.Join(by, ",")), exitUsage}
	}
	return by[0], nil
}

func (p *program) compare(ctx context.Context, id string, flags compareFlags) error {
	asked, err := flags.question()
	if err != nil {
		return err
	}
	dimension, err := oneDimension(flags.by)
	if err != nil {
		return err
	}
	engine, err := p.liveEngine(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = engine.Snapshot().Close() }()
	asked.Measure = id
	asked.By = append([]string{dimension}, layersFor(dimension)...)
	result, err := engine.Evaluate(ctx, asked)
	if err != nil {
		return usageOf(err)
	}
	found, err := gap.Compare(result, flags.rate, dimension, gap.Options{
		Reference: gap.Reference(flags.reference), Standard: gap.Standard(flags.standard),
	})
	if err != nil {
		return usageOf(err)
	}
	if p.json {
		return document(p.out, found)
	}
	return p.printComparison(found)
}

// layersFor are the crosses that a comparison needs; three dimensions are the most that a cross
// has.
func layersFor(dimension string) []string {
	parts := strings.Split(dimension, "*")
	var crosses []string
	for _, layer := range gap.LayerDimensions() {
		within := false
		for _, part := range parts {
			within = within || part == layer
		}
		if !within && (len(parts) == 1 || len(parts) == 2 && layer == mapping.DimensionAgeBand) {
			crosses = append(crosses, dimension+"*"+layer)
		}
	}
	return crosses
}

func (p *program) printComparison(out gap.Comparison) error {
	p.print("%s %s, %s: %s\n", out.Measure, out.Version, out.Rate, out.RateTitle)
	p.print("period %s, snapshot %s, data as of %s\n", out.Period, out.Snapshot,
		out.DataAsOf.Format("2006-01-02 15:04 MST"))
	for _, missing := range out.Incomplete {
		p.print("INCOMPLETE: %s\n", missing)
	}
	if out.Reference != nil {
		p.print("compared with %s (%s), ages of %s\n", out.Reference.Label, out.Reference.Rule,
			standardOf(out))
	}
	p.print("\n")
	if err := p.printGroups(out); err != nil {
		return err
	}
	p.printTests(out)
	if err := p.printSummary(out); err != nil {
		return err
	}
	p.print("\n")
	for _, sentence := range out.Sentences {
		p.print("• %s\n", sentence)
	}
	return nil
}

func standardOf(out gap.Comparison) string {
	if out.Standard == nil {
		return "each group its own"
	}
	return string(out.Standard.Name)
}

// groupOf is as much of a measure's group as printing a score needs.
func groupOf(scoring measure.Scoring, per float64) measure.Group {
	return measure.Group{Scoring: scoring, Per: per}
}

func (p *program) printGroups(out gap.Comparison) error {
	g := groupOf(out.Scoring, out.Per)
	var rows [][]string
	for _, c := range append([]gap.Compared{out.All}, out.Groups...) {
		row := []string{c.Label, fmt.Sprintf("%g", c.N), optional("%g", c.Events), scoreText(g, c.Score),
			spanText(g, c.Interval), "", "", "", "", "", "", "", c.Reliability}
		if c.Suppressed {
			row[1] = "hidden"
		}
		if d := c.Direct; d != nil {
			row[5], row[6] = scoreText(g, &d.Score)+mark(d.Reliability), spanText(g, &d.Interval)
		}
		if o := c.Indirect; o != nil {
			row[7] = fmt.Sprintf("%.2f", o.Ratio) + mark(o.Reliability)
			row[8] = fmt.Sprintf("%.2f to %.2f", o.Interval[0], o.Interval[1])
		}
		if one := c.Gap; one != nil {
			row[9], row[10], row[11] = pointText(g, one.Difference), optional("%.2f", one.Ratio),
				optional("%.2g", one.Q)
		} else if c.GapRefused != nil && c.GapRefused.Reason == gap.IsReference {
			row[9] = "reference"
		}
		rows = append(rows, row)
	}
	return table(p.out, []string{"GROUP", "N", "EVENTS", scoreHeader(g), "95 % INTERVAL",
		"AGE-STANDARDISED", "95 % INTERVAL", "O/E", "95 % INTERVAL", "DIFFERENCE", "RATIO", "Q",
		"FIGURE IS"}, rows)
}

// mark is put behind a standardised figure that rests on few events.
func mark(reliability string) string {
	if reliability == "reliable" {
		return ""
	}
	return " †"
}

func scoreText(g measure.Group, v *float64) string {
	if v == nil {
		return ""
	}
	return shown(g, *v)
}

func spanText(g measure.Group, v *[2]float64) string {
	if v == nil {
		return ""
	}
	return shown(g, v[0]) + " to " + shown(g, v[1])
}

// pointText prints a difference of scores; of shares in percentage points.
func pointText(g measure.Group, v float64) string {
	switch g.Scoring {
	case measure.Proportion:
		return fmt.Sprintf("%+.1f pts", 100*v)
	case measure.Ratio:
		return fmt.Sprintf("%+.2f", v)
	case measure.ContinuousVariable, measure.Cohort:
	}
	return fmt.Sprintf("%+g", v)
}

// printTests prints the tests of all groups, and what was refused of the rest.
func (p *program) printTests(out gap.Comparison) {
	p.print("\n")
	for _, t := range []*gap.Test{out.Test, out.Trend} {
		if t == nil {
			continue
		}
		what := "all groups alike?"
		if t == out.Trend {
			what = "a trend over ages?"
		}
		p.print("%s %s", what, t.Method)
		if t.Statistic != nil {
			p.print(" %.2f", *t.Statistic)
		}
		if t.DF > 0 {
			p.print(", %d degrees of freedom", t.DF)
		}
		p.print(", p %.2g, q %.2g, %d groups", t.P, *t.Q, t.Groups)
		if t.CramersV != nil {
			p.print(", Cramér's V %.2f", *t.CramersV)
		}
		if t.Rough {
			p.print(" (rough: an expected count is %.1f)", *t.SmallestExpected)
		}
		p.print("\n")
	}
	for _, r := range []struct {
		what string
		why  *gap.Refused
	}{{"gaps", out.GapsRefused}, {"age standardisation", out.StandardRefused},
		{"test", out.TestRefused}, {"summary measures", out.SummaryRefused}} {
		if r.why != nil {
			p.print("no %s: %s\n", r.what, r.why.Says)
		}
	}
	for _, c := range out.Groups {
		for _, r := range []struct {
			what string
			why  *gap.Refused
		}{{"age-standardised score", c.DirectRefused}, {"O/E", c.IndirectRefused}} {
			if r.why != nil {
				p.print("no %s of %s: %s\n", r.what, c.Label, r.why.Says)
			}
		}
	}
}

// printSummary prints each summary measure in the form to show, and why others are not given.
func (p *program) printSummary(out gap.Comparison) error {
	if out.Summary == nil {
		return nil
	}
	p.print("\n")
	var rows [][]string
	for _, m := range out.Summary.Measures {
		if !m.Recommended {
			continue
		}
		interval := ""
		if m.Interval != nil {
			interval = fmt.Sprintf("%.4g to %.4g", m.Interval[0], m.Interval[1])
		}
		note := ""
		if m.Truncated {
			note = "set to 0: the reference does worse than the mean"
		}
		rows = append(rows, []string{m.Measure, m.Title, fmt.Sprintf("%.4g", m.Estimate), interval,
			fmt.Sprintf("%g", m.Null), m.Variant, note})
	}
	err := table(p.out, []string{"SUMMARY", "", "ESTIMATE", "95 % INTERVAL", "IF EQUAL", "FORM", ""},
		rows)
	if err != nil {
		return err
	}
	var order []string
	of := map[string][]string{}
	for _, r := range out.Summary.Refusals {
		if of[r.Says] == nil {
			order = append(order, r.Says)
		}
		name := r.Measure
		if r.Variant != "" {
			name += " (" + r.Variant + ")"
		}
		of[r.Says] = append(of[r.Says], name)
	}
	for _, says := range order {
		p.print("no %s: %s\n", strings.Join(of[says], ", "), says)
	}
	if len(out.Summary.LeftOut) > 0 {
		p.print("left out, fewer than 30: %s\n", strings.Join(out.Summary.LeftOut, ", "))
	}
	return nil
}
