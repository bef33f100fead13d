package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
)

// gapsFlags are those of the list of gaps.
type gapsFlags struct {
	askFlags
	reference string
	limit     int
}

func (p *program) gapsCommand() *cobra.Command {
	var flags gapsFlags
	c := &cobra.Command{
		Use:   "gaps --period P",
		Short: "List the largest gaps over all measures and dimensions",
		Long: `List the largest gaps over all measures and dimensions: where to look first.

A gap is how far a group is behind the reference of its dimension. Gaps are ranked by AT LEAST, the
number of units (visits, patients, events) that would surely have gone otherwise with the score of the
reference: the estimate by the cautious end of its 95 % interval. Q is the p-value after correction for
every comparison that was made; of the gaps with q up to 0.05 one in twenty is expected to be chance.

The reference is the best group that holds a tenth of the units, or --reference largest, overall, or the
code of a group. Groups of fewer than 30 are not compared. A sentence says each gap in words, and warns
where it turns round or fades within sites or age bands.

A gap says nothing of its cause.`,
		Example: `  equitylens gaps --period 2025
  equitylens gaps --period 2025 --by language --reference en --json
  equitylens gaps --period 2025-Q4 --where site=hillcrest`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.gaps(c.Context(), flags) },
	}
	flags.add(c)
	c.Flags().StringVar(&flags.reference, "reference", string(gap.Best),
		"`REFERENCE`: best, largest, overall, or the code of a group")
	c.Flags().IntVar(&flags.limit, "limit", 20, "`NUMBER` of gaps to print; 0 prints all")
	p.dataFlag(c)
	p.jsonFlag(c)
	return c
}

// gapsDocument is what `gaps --json` prints: fields may be added, never changed.
type gapsDocument struct {
	Snapshot string         `json:"snapshot"`
	DataAsOf time.Time      `json:"data_as_of"`
	Period   measure.Period `json:"period"`
	Filter   measure.Filter `json:"filter,omitempty"`
	Policy   string         `json:"race_policy,omitempty"`
	// Incomplete says which measures lack data, and why.
	Incomplete map[string][]string `json:"incomplete,omitempty"`
	Gaps       []gap.Gap           `json:"gaps"`
}

func (p *program) gaps(ctx context.Context, flags gapsFlags) error {
	asked, err := flags.question()
	if err != nil {
		return err
	}
	engine, err := p.liveEngine(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = engine.Snapshot().Close() }()
	asked.By = slices.Concat(asked.By, gap.CrossesFor(asked.By))
	results, err := everyMeasure(ctx, engine, asked)
	if err != nil {
		return usageOf(err)
	}
	found, err := gap.Of(results, gap.Options{Reference: gap.Reference(flags.reference)})
	if err != nil {
		return usageOf(err)
	}
	total := len(found)
	if flags.limit > 0 && total > flags.limit {
		found = found[:flags.limit]
	}
	info := engine.Snapshot().Info
	out := gapsDocument{
		Snapshot: info.ID, DataAsOf: info.DataAsOf, Period: asked.Period, Filter: asked.Where,
		Policy: string(asked.Policy), Incomplete: incompleteOf(results), Gaps: found,
	}
	if p.json {
		return document(p.out, out)
	}
	return p.printGaps(out, total)
}

// everyMeasure asks one question of every measure.
func everyMeasure(
	ctx context.Context, engine *measure.Engine, asked measure.Question,
) ([]measure.Result, error) {
	var results []measure.Result
	for _, d := range engine.Definitions() {
		asked.Measure = d.ID
		result, err := engine.Evaluate(ctx, asked)
		if err != nil {
			return nil, err
		}
		results = append(results, result)
	}
	return results, nil
}

func incompleteOf(results []measure.Result) map[string][]string {
	missing := map[string][]string{}
	for _, r := range results {
		if len(r.Incomplete) > 0 {
			missing[r.Measure] = r.Incomplete
		}
	}
	return missing
}

func (p *program) printGaps(out gapsDocument, total int) error {
	p.print("period %s, snapshot %s, data as of %s\n\n", out.Period, out.Snapshot,
		out.DataAsOf.Format("2006-01-02 15:04 MST"))
	var rows [][]string
	for _, g := range out.Gaps {
		rows = append(rows, []string{
			g.Measure, g.Rate, strings.ReplaceAll(g.Dimension, "_", " "), g.Group, g.Reference,
			fmt.Sprintf("%+.3g", g.Difference), optional("%.2f", g.Ratio),
			fmt.Sprintf("%.0f", g.Affected), fmt.Sprintf("%.0f", g.AtLeast), optional("%.2g", g.Q),
			g.Reliability,
		})
	}
	err := table(p.out, []string{"MEASURE", "RATE", "BY", "GROUP", "REFERENCE", "DIFFERENCE", "RATIO",
		"AFFECTED", "AT LEAST", "Q", "FIGURE IS"}, rows)
	if err != nil {
		return err
	}
	p.print("\n")
	for _, g := range out.Gaps {
		p.print("• %s\n", g.Sentence)
	}
	if total > len(out.Gaps) {
		p.print("\n%d more gaps; --limit 0 prints all.\n", total-len(out.Gaps))
	}
	for _, name := range sortedKeys(out.Incomplete) {
		p.print("INCOMPLETE: %s: %s\n", name, strings.Join(out.Incomplete[name], "; "))
	}
	return nil
}

// optional prints a number that may be absent.
func optional(format string, v *float64) string {
	if v == nil {
		return ""
	}
	return fmt.Sprintf(format, *v)
}
