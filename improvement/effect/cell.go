package effect

import (
	"math"
	"slices"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/stat"
)

// add adds up cells of one rate and scores the sum as measure does. Counts below 0 take away.
func add(g *measure.Group, cells []measure.Cell) measure.Cell {
	out := measure.Cell{Populations: map[measure.Population]float64{}}
	count := map[float64]int64{}
	for _, c := range cells {
		for p, n := range c.Populations {
			out.Populations[p] += n
		}
		for _, v := range c.Values {
			count[v.Value] += v.Count
		}
	}
	for v, n := range count {
		if n == 0 {
			continue
		}
		out.Values = append(out.Values, measure.ValueCount{Value: v, Count: n})
	}
	slices.SortFunc(out.Values, func(a, b measure.ValueCount) int {
		if a.Value < b.Value {
			return -1
		}
		return 1 // Values are there once.
	})
	if g.Scoring == measure.ContinuousVariable {
		out.Score, out.Interval = median(out.Values)
		return out
	}
	n := countOf(g, out)
	if n.Of <= 0 {
		return out
	}
	score := per(g) * n.Value()
	out.Score = &score
	if !whole(n.Events) {
		return out
	}
	lo, hi := stat.Wilson(n.Events, n.Of)
	if g.Scoring == measure.Ratio {
		lo, hi = stat.Garwood(n.Events, n.Of)
	}
	out.Interval = &[2]float64{per(g) * lo, per(g) * hi}
	return out
}

// median is that of values, with its interval by order statistics.
func median(values []measure.ValueCount) (*float64, *[2]float64) {
	v, n := make([]float64, len(values)), make([]int64, len(values))
	for i, one := range values {
		v[i], n[i] = one.Value, one.Count
	}
	middle, ok := stat.QuantileCounts(v, n, 0.5)
	if !ok {
		return nil, nil
	}
	if lo, hi, ok := stat.MedianIntervalCounts(v, n); ok {
		return &middle, &[2]float64{lo, hi}
	}
	return &middle, nil
}

// countOf is what a score is made of: events after exclusions, in units after exclusions and
// exceptions. Of a median only the units are meant.
func countOf(g *measure.Group, c measure.Cell) stat.Count {
	p := c.Populations
	if g.Scoring == measure.ContinuousVariable {
		return stat.Count{Of: p[measure.MeasurePopulation] - p[measure.MeasureExclusion]}
	}
	return stat.Count{
		Events: p[measure.Numerator] - p[measure.NumeratorExclusion],
		Of:     p[measure.Denominator] - p[measure.DenominatorExclusion] - p[measure.DenominatorException],
	}
}

// per is the scale of a score.
func per(g *measure.Group) float64 {
	if g.Scoring == measure.Ratio && g.Per > 0 {
		return g.Per
	}
	return 1
}

// whole reports whether a number is a count.
func whole(v float64) bool { return v >= 0 && v == math.Trunc(v) }

// side is what is shown of a cell.
func side(g *measure.Group, c measure.Cell) Side {
	n := countOf(g, c)
	out := Side{Score: c.Score, Interval: c.Interval, N: n.Of}
	if g.Scoring != measure.ContinuousVariable {
		out.Events = &n.Events
	}
	return out
}
