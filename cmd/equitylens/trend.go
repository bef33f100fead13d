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
	"github.com/equitylens/equitylens/measure/stat/spc"
)

// trendFlags are those of one trend.
type trendFlags struct {
	askFlags
	rate      string
	reference string
	chart     string
	rules     []string
	since     string
}

// autoChart lets the figures say which chart fits.
const autoChart = "auto"

// charts are those that can be drawn of months.
func charts() []string {
	return []string{autoChart, string(spc.P), string(spc.U), string(spc.PPrime), string(spc.UPrime),
		string(spc.Run)}
}

// ruleSets are the sets of rules by name.
func ruleSets() map[string][]spc.Rule {
	return map[string][]spc.Rule{"shewhart": spc.Shewhart(), "ihi": spc.IHI(), "anhoej": spc.Anhoej()}
}

func (p *program) trendCommand() *cobra.Command {
	var flags trendFlags
	c := &cobra.Command{
		Use:   "trend MEASURE --period P --by DIMENSION",
		Short: "Follow the groups of one dimension by month: control charts, gaps, before and after",
		Long: `Follow the groups of one dimension month by month.

Each group has a control chart: a centre line and, where there are enough months and events,
limits within which chance keeps it. A month marked with * is part of a signal: a pattern that
chance seldom makes, which asks for an explanation. All else is ordinary variation: do not
explain it. A month marked with ~ is not over in the data and sets no limits. --chart auto takes
what fits each group: p of shares, u of rates, p-prime and u-prime where months vary more than
chance, run where there are few months or events. --rules are shewhart for charts with limits
and anhoej for run charts unless you name others; each more set means more false alarms.

The gap to the reference is followed by its difference and by its ratio. The two can disagree:
when both scores fall, the difference may narrow while the ratio widens. Then neither may be
told alone.

--since is the day of an action. Limits then come from the months before it alone, and the
months before and after are tested against each other, group by group and against the reference.
That says whether the figures changed, never why.`,
		Example: `  equitylens trend readmission-30-day --period 2023-01-01/2025-12-31 --by race
  equitylens trend harm-per-1000-days --period 2024-01-01/2025-12-31 --by language \
      --since 2025-03-01
  equitylens trend length-of-stay --period 2025 --by interpreter_need --rules ihi --json`,
		Args: oneMeasure,
		RunE: func(c *cobra.Command, args []string) error {
			return p.trend(c.Context(), args[0], flags)
		},
	}
	flags.add(c)
	_ = c.MarkFlagRequired("by")
	rateFlag(c, &flags.rate)
	c.Flags().StringVar(&flags.reference, "reference", string(gap.Best),
		"`REFERENCE`: best, largest, overall, or the code of a group")
	c.Flags().StringVar(&flags.chart, "chart", autoChart, "`CHART`: "+strings.Join(charts(), ", "))
	c.Flags().StringSliceVar(&flags.rules, "rules", nil,
		"`SETS` of rules, separated by commas: "+strings.Join(sortedKeys(ruleSets()), ", "))
	c.Flags().StringVar(&flags.since, "since", "", "`DAY` of an action, such as 2025-03-01")
	p.dataFlag(c)
	p.jsonFlag(c)
	return c
}

// options are what the flags ask of the trend.
func (f *trendFlags) options() (gap.Options, error) {
	o := gap.Options{Reference: gap.Reference(f.reference)}
	if !slices.Contains(charts(), f.chart) {
		return o, exitError{fmt.Errorf("--chart %q is none of %s", f.chart, strings.Join(charts(), ", ")),
			exitUsage}
	}
	if f.chart != autoChart {
		o.Chart = spc.Kind(f.chart)
	}
	sets := ruleSets()
	for _, name := range f.rules {
		rules, ok := sets[name]
		if !ok {
			return o, exitError{fmt.Errorf("--rules %q is none of %s", name,
				strings.Join(sortedKeys(sets), ", ")), exitUsage}
		}
		o.Rules = append(o.Rules, rules...)
	}
	if f.since != "" {
		var err error
		if o.Since, err = time.Parse(time.DateOnly, f.since); err != nil {
			return o, exitError{fmt.Errorf("--since %q is no day such as 2025-03-01", f.since), exitUsage}
		}
	}
	return o, nil
}

func (p *program) trend(ctx context.Context, id string, flags trendFlags) error {
	asked, err := flags.question()
	if err != nil {
		return err
	}
	dimension, err := oneDimension(flags.by)
	if err != nil {
		return err
	}
	options, err := flags.options()
	if err != nil {
		return err
	}
	engine, err := p.liveEngine(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = engine.Snapshot().Close() }()
	asked.Measure = id
	months, err := engine.Months(ctx, asked)
	if err != nil {
		return usageOf(err)
	}
	found, err := gap.Trend(months, flags.rate, dimension, options)
	if err != nil {
		return usageOf(err)
	}
	if p.json {
		return document(p.out, found)
	}
	return p.printTrend(found)
}

func (p *program) printTrend(out gap.TrendReport) error {
	g := groupOf(out.Scoring, out.Per)
	p.print("%s %s, %s: %s\n", out.Measure, out.Version, out.Rate, out.RateTitle)
	p.print("period %s, snapshot %s, data as of %s\n", out.Period, out.Snapshot,
		out.DataAsOf.Format("2006-01-02 15:04 MST"))
	for _, missing := range out.Incomplete {
		p.print("INCOMPLETE: %s\n", missing)
	}
	p.print("\n")
	if err := p.printMonths(out, g); err != nil {
		return err
	}
	p.print("\n")
	if err := p.printCharts(out, g); err != nil {
		return err
	}
	p.print("\n")
	if err := p.printGapTrends(out, g); err != nil {
		return err
	}
	if err := p.printChanges(out, g); err != nil {
		return err
	}
	p.print("\n")
	for _, sentence := range out.Sentences {
		p.print("• %s\n", sentence)
	}
	return nil
}

// printMonths prints a row a month and a column a group, with a star on what is part of a signal
// of some months, and a ~ on months that the data do not fill.
func (p *program) printMonths(out gap.TrendReport, g measure.Group) error {
	header := []string{"MONTH"}
	marked := make([]map[string]bool, len(out.Series))
	for i, s := range out.Series {
		header = append(header, strings.ToUpper(s.Label))
		marked[i] = map[string]bool{}
		for _, signal := range s.Signals {
			for _, month := range signal.Months {
				marked[i][month] = marked[i][month] || signal.Side != ""
			}
		}
	}
	var rows [][]string
	for m, month := range out.Months {
		name := month.Name()
		row := []string{name}
		if month.Partial {
			row[0] += " ~"
		}
		for i, s := range out.Series {
			text := scoreText(g, s.Points[m].Value)
			if marked[i][name] {
				text += " *"
			}
			row = append(row, text)
		}
		rows = append(rows, row)
	}
	return table(p.out, header, rows)
}

// printCharts prints a row a chart, with the limits of its last month.
func (p *program) printCharts(out gap.TrendReport, g measure.Group) error {
	var rows [][]string
	for _, s := range out.Series {
		if s.Refused != nil {
			rows = append(rows, []string{s.Label, "none", "", "", ""})
			continue
		}
		limits := ""
		centre := (*float64)(nil)
		for _, point := range s.Points {
			if point.Lower != nil {
				limits = spanText(g, &[2]float64{*point.Lower, *point.Upper})
			}
			if point.Centre != nil {
				centre = point.Centre
			}
		}
		signals := fmt.Sprint(len(s.Signals))
		if s.SignalsRefused != nil {
			signals = ""
		}
		rows = append(rows, []string{s.Label, string(s.Chart), scoreText(g, centre), limits, signals})
	}
	header := []string{"GROUP", "CHART", "CENTRE", "LAST LIMITS", "SIGNALS"}
	if err := table(p.out, header, rows); err != nil {
		return err
	}
	p.printReasons(out)
	return nil
}

// printReasons says once why which chart, and whose signals were not looked for.
func (p *program) printReasons(out gap.TrendReport) {
	var order []string
	of := map[string][]string{}
	add := func(text, label string) {
		if text == "" {
			return
		}
		if of[text] == nil {
			order = append(order, text)
		}
		of[text] = append(of[text], label)
	}
	for _, s := range out.Series {
		why := s.Why
		if s.Chart != "" {
			why = string(s.Chart) + ": " + why
		}
		add(why, s.Label)
		for _, refused := range []*gap.Refused{s.Refused, s.SignalsRefused} {
			if refused != nil {
				add("no signals: "+refused.Says, s.Label)
			}
		}
	}
	for _, text := range order {
		p.print("%s (%s)\n", text, strings.Join(of[text], ", "))
	}
}

func (p *program) printGapTrends(out gap.TrendReport, g measure.Group) error {
	if out.GapsRefused != nil {
		p.print("no gaps: %s\n", out.GapsRefused.Says)
		return nil
	}
	var rows [][]string
	for _, one := range out.Gaps {
		if one.Refused != nil {
			rows = append(rows, []string{one.Group, "", "", "", "", "", "", one.Refused.Says})
			continue
		}
		sure := "chance alone can make this"
		switch {
		case one.Clear:
			sure = "clear of chance"
		case one.Change.Interval == nil:
			sure = "not tested"
		}
		if one.Disagree {
			sure += "; THE TWO DISAGREE"
		}
		rows = append(rows, []string{one.Group, pointText(g, one.Earlier.Difference),
			pointText(g, one.Later.Difference), string(one.ByDifference),
			optional("%.2f", one.Earlier.Ratio), optional("%.2f", one.Later.Ratio),
			string(one.ByRatio), sure})
	}
	p.print("gaps to %s (%s)\n", out.Reference.Label, out.Reference.Rule)
	return table(p.out, []string{"GROUP", "EARLIER", "LATER", "DIFFERENCE", "EARLIER", "LATER",
		"RATIO", "CHANGE OF THE DIFFERENCE"}, rows)
}

// printChanges prints the test of an action.
func (p *program) printChanges(out gap.TrendReport, g measure.Group) error {
	c := out.Changes
	if c == nil {
		return nil
	}
	p.print("\n")
	if c.Refused != nil {
		p.print("nothing to compare before and after %s: %s\n", c.Date, c.Refused.Says)
		return nil
	}
	p.print("before (%s) and after (%s) %s\n", c.Before, c.After, c.Date)
	var rows [][]string
	for _, one := range append([]gap.GroupChange{*c.All}, c.Groups...) {
		row := []string{one.Label, scoreText(g, one.Before), scoreText(g, one.After), "", "",
			optional("%.2g", one.Q), "", ""}
		row[3], row[4] = estimateText(g, one.Change)
		row[6], row[7] = estimateText(g, one.Compared)
		if one.Refused != nil {
			row[7] = one.Refused.Says
		}
		rows = append(rows, row)
	}
	return table(p.out, []string{"GROUP", "BEFORE", "AFTER", "CHANGE", "95 % INTERVAL", "Q",
		"LESS THAT OF THE REFERENCE", "95 % INTERVAL"}, rows)
}

func estimateText(g measure.Group, e *gap.Estimate) (value, interval string) {
	if e == nil {
		return "", ""
	}
	if e.Interval != nil {
		interval = pointText(g, e.Interval[0]) + " to " + pointText(g, e.Interval[1])
	}
	return pointText(g, e.Value), interval
}
