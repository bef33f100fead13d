package export

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
)

// Row is one row of the table. Its tags are the names and the order of the columns of every format;
// columns may be added at the end, never changed. Numbers that may be absent are pointers.
type Row struct {
	Measure     string    `parquet:"measure,dict"`
	Version     string    `parquet:"version,dict"`
	Snapshot    string    `parquet:"snapshot,dict"`
	DataAsOf    time.Time `parquet:"data_as_of,timestamp(microsecond)"`
	Complete    bool      `parquet:"complete"`
	PeriodStart string    `parquet:"period_start,dict"`
	PeriodEnd   string    `parquet:"period_end,dict"`
	Group       string    `parquet:"group,dict"`
	Scoring     string    `parquet:"scoring,dict"`
	Improvement string    `parquet:"improvement,dict"`
	// Dimension is empty for the group itself. The next four are joined by * for a cross.
	Dimension string `parquet:"dimension,dict"`
	Code      string `parquet:"code,dict"`
	System    string `parquet:"system,dict"`
	Label     string `parquet:"label,dict"`
	State     string `parquet:"state,dict"`
	// Denominator and DenominatorExclusion are the measure population and its exclusion for a continuous
	// variable.
	InitialPopulation    *float64 `parquet:"initial_population,optional"`
	Denominator          *float64 `parquet:"denominator,optional"`
	DenominatorExclusion *float64 `parquet:"denominator_exclusion,optional"`
	Numerator            *float64 `parquet:"numerator,optional"`
	Score                *float64 `parquet:"score,optional"`
	IntervalLow          *float64 `parquet:"interval_low,optional"`
	IntervalHigh         *float64 `parquet:"interval_high,optional"`

	DenominatorException *float64 `parquet:"denominator_exception,optional"`
	NumeratorExclusion   *float64 `parquet:"numerator_exclusion,optional"`
	// Per is the scale of the score: 1000 for a rate per 1,000.
	Per   float64  `parquet:"per"`
	Share *float64 `parquet:"share,optional"`
	// BoundLow, BoundHigh and IfUnknown are what the unknown could make of the score.
	BoundLow  *float64 `parquet:"bound_low,optional"`
	BoundHigh *float64 `parquet:"bound_high,optional"`
	IfUnknown *float64 `parquet:"if_unknown,optional"`
	Mean      *float64 `parquet:"mean,optional"`
	P90       *float64 `parquet:"p90,optional"`
	// Suppressed says that figures of this row are hidden.
	Suppressed bool `parquet:"suppressed"`
	// Overlapping says that the strata of this dimension overlap.
	Overlapping bool   `parquet:"overlapping"`
	Audience    string `parquet:"audience,dict"`
	RacePolicy  string `parquet:"race_policy,dict"`
	// Filter is what was kept, as dimension=value,value; in the order of the dimensions.
	Filter string `parquet:"filter,dict"`
	// ReferenceRule and Reference are what this row is compared with in the columns that follow.
	ReferenceRule  string   `parquet:"reference_rule,dict"`
	Reference      string   `parquet:"reference,dict"`
	Difference     *float64 `parquet:"difference,optional"`
	DifferenceLow  *float64 `parquet:"difference_low,optional"`
	DifferenceHigh *float64 `parquet:"difference_high,optional"`
	Ratio          *float64 `parquet:"ratio,optional"`
	RatioLow       *float64 `parquet:"ratio_low,optional"`
	RatioHigh      *float64 `parquet:"ratio_high,optional"`
	P              *float64 `parquet:"p,optional"`
	Q              *float64 `parquet:"q,optional"`
	Reliability    string   `parquet:"reliability,dict"`
	Software       string   `parquet:"software,dict"`
}

// Table is what a file holds.
type Table struct {
	Results []measure.Result
	// Gaps are those of the results, where they were compared; each is put into the row of its stratum.
	Gaps []gap.Gap
	// Software is the version of the program.
	Software string
}

// day is how a date is written.
const day = time.DateOnly

// Rows lists the rows: of each result each group, and after it its strata by dimension.
func (t Table) Rows() []Row {
	gaps := map[[4]string]gap.Gap{}
	for _, g := range t.Gaps {
		gaps[[4]string{g.Measure, g.Rate, g.Dimension, g.Code}] = g
	}
	var rows []Row
	for _, r := range t.Results {
		for _, g := range r.Groups {
			row := t.row(r, g)
			row.Label = "all"
			row.cell(g, g.Cell)
			rows = append(rows, row)
			for _, dimension := range slices.Sorted(maps.Keys(g.Strata)) {
				for _, s := range g.Strata[dimension] {
					row := t.row(r, g)
					row.stratum(g, dimension, s)
					if found, ok := gaps[[4]string{r.Measure, g.ID, dimension, row.Code}]; ok {
						row.gap(found)
					}
					rows = append(rows, row)
				}
			}
		}
	}
	return rows
}

// row holds what all rows of a group share.
func (t Table) row(r measure.Result, g measure.Group) Row {
	return Row{
		Measure: r.Measure, Version: r.Version, Snapshot: r.Snapshot, DataAsOf: r.DataAsOf.UTC(),
		Complete: r.Complete, PeriodStart: r.Period.Start.Format(day),
		PeriodEnd: r.Period.End.Format(day), Group: g.ID, Scoring: string(g.Scoring),
		Improvement: string(g.Improvement), Per: max(g.Per, 1), Audience: audience(r.Audience),
		RacePolicy: string(r.Policy), Filter: filter(r.Filter), Software: t.Software,
	}
}

// audience is written out, because a row may be all that is left of a file.
func audience(name string) string {
	if name == "" {
		return "internal"
	}
	return name
}

func filter(f measure.Filter) string {
	var parts []string
	for _, dimension := range slices.Sorted(maps.Keys(f)) {
		parts = append(parts, dimension+"="+strings.Join(f[dimension], ","))
	}
	return strings.Join(parts, "; ")
}

func (row *Row) stratum(g measure.Group, dimension string, s measure.Stratum) {
	codings := []measure.Coding{s.Coding}
	if len(s.Components) > 0 {
		codings = codings[:0]
		for _, c := range s.Components {
			codings = append(codings, c.Coding)
		}
	}
	join := func(part func(measure.Coding) string) string {
		parts := make([]string, len(codings))
		for i, c := range codings {
			parts[i] = part(c)
		}
		return strings.Join(parts, "*")
	}
	row.Dimension = dimension
	row.Code = join(func(c measure.Coding) string { return c.Code })
	row.System = join(func(c measure.Coding) string { return c.System })
	row.Label = join(func(c measure.Coding) string { return c.Label })
	row.State = join(func(c measure.Coding) string { return c.State })
	row.Overlapping = slices.Contains(g.Overlapping, dimension)
	row.Share, row.IfUnknown = s.Share, s.IfUnknown
	if s.Bounds != nil {
		row.BoundLow, row.BoundHigh = &s.Bounds[0], &s.Bounds[1]
	}
	row.cell(g, s.Cell)
}

func (row *Row) cell(g measure.Group, c measure.Cell) {
	counted, excluded := measure.Denominator, measure.DenominatorExclusion
	if g.Scoring == measure.ContinuousVariable {
		counted, excluded = measure.MeasurePopulation, measure.MeasureExclusion
	}
	for population, to := range map[measure.Population]**float64{
		measure.InitialPopulation: &row.InitialPopulation, counted: &row.Denominator,
		excluded: &row.DenominatorExclusion, measure.Numerator: &row.Numerator,
		measure.DenominatorException: &row.DenominatorException,
		measure.NumeratorExclusion:   &row.NumeratorExclusion,
	} {
		if size, ok := c.Populations[population]; ok {
			*to = &size
		}
	}
	row.Score, row.Suppressed = c.Score, c.Suppressed
	if c.Interval != nil {
		row.IntervalLow, row.IntervalHigh = &c.Interval[0], &c.Interval[1]
	}
	if mean, ok := c.Statistics["mean"]; ok {
		row.Mean = &mean
	}
	if p90, ok := c.Statistics["p90"]; ok {
		row.P90 = &p90
	}
}

func (row *Row) gap(g gap.Gap) {
	row.ReferenceRule, row.Reference = string(g.Rule), g.Reference
	row.Difference, row.Ratio, row.P, row.Q = &g.Difference, g.Ratio, g.P, g.Q
	if g.Interval != nil {
		row.DifferenceLow, row.DifferenceHigh = &g.Interval[0], &g.Interval[1]
	}
	if g.RatioInterval != nil {
		row.RatioLow, row.RatioHigh = &g.RatioInterval[0], &g.RatioInterval[1]
	}
	row.Reliability = g.Reliability
}
