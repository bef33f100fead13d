package gap

import (
	"math"
	"slices"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/stat"
)

// The tests of all groups, besides those of stat.
const (
	ChiSquareTest stat.Method = "chi-squared"
	TrendTest     stat.Method = "cochran-armitage"
)

// smallExpected is the expected count below which χ² is rough.
const smallExpected = 5

// test tests all groups that are known and have anybody, small ones included: the exact test is for
// them.
func (out *Comparison) test(g measure.Group, strata []measure.Stratum) {
	switch {
	case g.Scoring == measure.Cohort:
		out.TestRefused = refuse(NoScore)
	case out.Overlapping:
		out.TestRefused = refuse(Overlaps)
	case slices.Contains(g.NotBy, out.Dimension):
		out.TestRefused = refuse(AboutIt)
	case anyHidden(strata):
		out.TestRefused = refuse(Hidden)
	}
	if out.TestRefused != nil {
		return
	}
	var at []int
	for i, s := range strata {
		if known(s) && s.Score != nil {
			at = append(at, i)
		}
	}
	if len(at) < 2 {
		out.TestRefused = refuse(OneGroup)
		return
	}
	if g.Scoring == measure.ContinuousVariable {
		out.testRanks(strata, at)
		return
	}
	out.testTable(g, strata, at)
	if out.Dimension == mapping.DimensionAgeBand && g.Scoring == measure.Proportion {
		out.testTrend(g, strata, at)
	}
}

func (out *Comparison) testRanks(strata []measure.Stratum, at []int) {
	var values [][]measure.ValueCount
	for _, i := range at {
		if len(strata[i].Values) == 0 {
			out.TestRefused = refuse(NoValues)
			return
		}
		values = append(values, strata[i].Values)
	}
	found, ok := kruskal(values)
	if !ok {
		out.TestRefused = refuse(NoVariation)
		return
	}
	out.Test = &Test{Method: RankTest, Statistic: &found.H, DF: found.DF, P: found.P, Groups: len(at)}
}

// instants is into how many parts of equal length the exposure is cut for each event, so that
// nearly all of them are without one: a rate is the proportion of instants with an event, and
// Pearson's χ² of their table is that of Poisson counts, but for a part in so many.
const instants = 1e10

// testTable makes the test of a table of groups, with and without the event.
func (out *Comparison) testTable(g measure.Group, strata []measure.Stratum, at []int) {
	var all stat.Count
	for _, i := range at {
		n := countOf(g, strata[i].Cell)
		if !whole(n.Events) {
			out.TestRefused = refuse(NotACount)
			return
		}
		all.Events, all.Of = all.Events+n.Events, all.Of+n.Of
	}
	cut := 1.0
	if g.Scoring == measure.Ratio {
		cut = instants * all.Events / all.Of
	}
	table := make([][]float64, 0, len(at))
	for _, i := range at {
		n := countOf(g, strata[i].Cell)
		without := n.Of - n.Events
		if g.Scoring == measure.Ratio {
			without = cut * n.Of
		}
		table = append(table, []float64{n.Events, without})
	}
	found, ok := stat.ChiSquareTest(table)
	if !ok {
		out.TestRefused = refuse(NoVariation)
		return
	}
	out.Test = &Test{Method: ChiSquareTest, Statistic: &found.Statistic, DF: found.DF, P: found.P,
		Groups: len(at), SmallestExpected: &found.Smallest, Rough: found.Smallest < smallExpected}
	if g.Scoring == measure.Proportion {
		out.Test.CramersV = &found.CramersV
	}
	for n, i := range at {
		out.Groups[i].Residual = &found.Residuals[n][0]
	}
	if !out.Test.Rough || g.Scoring == measure.Ratio {
		return
	}
	if p, ok := stat.FisherTable(table); ok {
		out.Test = &Test{Method: stat.FisherTest, P: p, Groups: len(at), CramersV: &found.CramersV,
			SmallestExpected: &found.Smallest}
	}
}

// testTrend scores the bands by their place, one apart.
func (out *Comparison) testTrend(g measure.Group, strata []measure.Stratum, at []int) {
	var x, n, scores []float64
	for _, i := range at {
		c := countOf(g, strata[i].Cell)
		x, n = append(x, c.Events), append(n, c.Of)
		scores = append(scores, float64(slices.Index(mapping.AgeBands(), strata[i].Code)))
	}
	if found, ok := stat.TrendTest(x, n, scores); ok {
		out.Trend = &Test{Method: TrendTest, Statistic: &found.Z, P: found.P, Groups: len(at)}
	}
}

// whole reports whether a number is a count: observations that are added up need not be.
func whole(v float64) bool { return v >= 0 && v == math.Trunc(v) }
