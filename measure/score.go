package measure

import (
	"cmp"
	"math"
	"slices"

	"github.com/equitylens/equitylens/measure/stat"
)

// tally is what was counted of one cell: its populations, and what a continuous variable observed.
type tally struct {
	initial, measured, excluded, numerator float64
	values                                 map[float64]int64
}

func (t *tally) add(initial, measured, excluded, numerator float64) {
	t.initial += initial
	t.measured += measured
	t.excluded += excluded
	t.numerator += numerator
}

// cell scores a tally. A denominator of nothing has no score.
func (d *Definition) cell(t *tally) Cell {
	if d.Scoring == ContinuousVariable {
		return d.continuousCell(t)
	}
	c := Cell{Populations: map[Population]float64{
		InitialPopulation: t.initial, Denominator: t.measured,
		DenominatorExclusion: t.excluded, Numerator: t.numerator,
	}}
	effective := t.measured - t.excluded
	if effective <= 0 {
		return c
	}
	score := t.numerator / effective
	var interval [2]float64
	if d.Scoring == Ratio {
		interval[0], interval[1] = stat.Garwood(t.numerator, effective)
	} else {
		interval[0], interval[1] = stat.Wilson(t.numerator, effective)
	}
	per := d.scale()
	score, interval[0], interval[1] = per*score, per*interval[0], per*interval[1]
	c.Score, c.Interval = &score, &interval
	return c
}

// p90 is the upper percentile that is reported of a continuous variable.
const p90 = 0.9

// continuousCell scores by the median. The geometric mean is of the value + 1, less 1, so that a
// stay of no days counts.
func (d *Definition) continuousCell(t *tally) Cell {
	c := Cell{Populations: map[Population]float64{
		InitialPopulation: t.initial, MeasurePopulation: t.measured, MeasureExclusion: t.excluded,
	}}
	values := make([]float64, 0, len(t.values))
	for v := range t.values {
		values = append(values, v)
	}
	slices.SortFunc(values, cmp.Compare[float64])
	counts := make([]int64, len(values))
	var n, sum, logs, above float64
	for i, v := range values {
		counts[i] = t.values[v]
		k := float64(counts[i])
		n += k
		sum += k * v
		logs += k * math.Log1p(v)
		if d.Above != nil && v > *d.Above {
			above += k
		}
	}
	if n == 0 {
		return c
	}
	if median, ok := stat.QuantileCounts(values, counts, 0.5); ok {
		c.Score = &median
	}
	if lo, hi, ok := stat.MedianIntervalCounts(values, counts); ok {
		c.Interval = &[2]float64{lo, hi}
	}
	c.Statistics = map[string]float64{"mean": sum / n, "geometric-mean": math.Expm1(logs / n)}
	if q, ok := stat.QuantileCounts(values, counts, p90); ok {
		c.Statistics["p90"] = q
	}
	if d.Above != nil {
		c.Statistics["share-above"] = above / n
	}
	return c
}
