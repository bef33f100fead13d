package measure

import (
	"cmp"
	"math"
	"slices"

	"github.com/equitylens/equitylens/measure/stat"
)

// observation is what one unit observes: v for the denominator or the measure population, w for the
// numerator of a ratio.
type observation struct{ v, w float64 }

// tally is what was counted of one cell: its populations, and how often each observation was made.
type tally struct {
	sums   [slots]float64
	values map[observation]int64
}

func (t *tally) observe(o observation, units int64) {
	if units == 0 {
		return
	}
	if t.values == nil {
		t.values = map[observation]int64{}
	}
	t.values[o] += units
}

// add adds all of another tally.
func (t *tally) add(other *tally) {
	for i, n := range other.sums {
		t.sums[i] += n
	}
	for o, n := range other.values {
		t.observe(o, n)
	}
}

// empty says that nobody is in an initial population.
func (t *tally) empty() bool { return t.sums[inInitial] == 0 && t.sums[inNumeratorInitial] == 0 }

// numerator is what counts above the line, effective what counts below it.
func (t *tally) numerator() float64 { return t.sums[inNumerator] - t.sums[inNumeratorExcluded] }

func (t *tally) effective() float64 {
	return t.sums[inMeasured] - t.sums[inExcluded] - t.sums[inExcepted]
}

// cell scores a tally. A denominator of nothing has no score.
func (d *Definition) cell(shown []Population, t *tally) Cell {
	c := Cell{Populations: make(map[Population]float64, len(shown))}
	for _, p := range shown {
		c.Populations[p] = t.sums[slotOf(p)]
	}
	switch d.Scoring {
	case Proportion, Ratio:
		d.quotient(&c, t.numerator(), t.effective())
	case ContinuousVariable:
		d.continuous(&c, t)
	case Cohort:
	}
	return c
}

func (d *Definition) quotient(c *Cell, numerator, effective float64) {
	if effective <= 0 {
		return
	}
	per := d.scale()
	score := per * (numerator / effective)
	c.Score = &score
	var lo, hi float64
	switch {
	case d.Scoring == Proportion:
		lo, hi = stat.Wilson(numerator, effective)
	case numerator < 0 || numerator != math.Trunc(numerator):
		return // Poisson's law is about counts.
	default:
		lo, hi = stat.Garwood(numerator, effective)
	}
	c.Interval = &[2]float64{per * lo, per * hi}
}

// histogram holds observed values in ascending order, and how often each was observed.
type histogram struct {
	values []float64
	counts []int64
}

func histogramOf(observed map[observation]int64) histogram {
	var h histogram
	for o := range observed {
		h.values = append(h.values, o.v)
	}
	slices.SortFunc(h.values, cmp.Compare[float64])
	for _, v := range h.values {
		h.counts = append(h.counts, observed[observation{v: v}])
	}
	return h
}

// p90 is the upper percentile that is reported of a continuous variable.
const p90 = 0.9

// aggregate makes the score of a histogram; ok is false where it is empty.
func (d *Definition) aggregate(h histogram) (score float64, ok bool) {
	if len(h.values) == 0 {
		return 0, false
	}
	n, sum := 0.0, 0.0
	for i, v := range h.values {
		n += float64(h.counts[i])
		sum += float64(h.counts[i]) * v
	}
	switch d.Aggregate {
	case Mean:
		return sum / n, true
	case Percentile90:
		return stat.QuantileCounts(h.values, h.counts, p90)
	case Sum:
		return sum, true
	case Count:
		return n, true
	case Median:
	}
	return stat.QuantileCounts(h.values, h.counts, 0.5)
}

// continuous scores by the aggregate of the definition. Only a median has an interval, because that
// asks nothing of how the values are spread. The geometric mean is of the value + 1, less 1, so that
// a stay of no days counts.
func (d *Definition) continuous(c *Cell, t *tally) {
	h := histogramOf(t.values)
	score, ok := d.aggregate(h)
	if !ok {
		return
	}
	c.Score = &score
	c.Statistics = map[string]float64{}
	c.Values = make([]ValueCount, 0, len(h.values))
	median := d.Aggregate == "" || d.Aggregate == Median
	if lo, hi, ok := stat.MedianIntervalCounts(h.values, h.counts); ok && median {
		c.Interval = &[2]float64{lo, hi}
	}
	var n, sum, logs, above float64
	for i, v := range h.values {
		k := float64(h.counts[i])
		c.Values = append(c.Values, ValueCount{v, h.counts[i]})
		n += k
		sum += k * v
		logs += k * math.Log1p(v)
		if d.Above != nil && v > *d.Above {
			above += k
		}
	}
	c.Statistics["mean"] = sum / n
	if g := math.Expm1(logs / n); !math.IsNaN(g) && !math.IsInf(g, 0) {
		c.Statistics["geometric-mean"] = g
	}
	if q, ok := stat.QuantileCounts(h.values, h.counts, p90); ok {
		c.Statistics["p90"] = q
	}
	if q, ok := stat.QuantileCounts(h.values, h.counts, 0.5); ok && !median {
		c.Statistics["median"] = q
	}
	if d.Above != nil {
		c.Statistics["share-above"] = above / n
	}
}
