package measure

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strings"
)

// bound says what the score of a stratum would be if units whose group is not known belonged to it.
// Those are the units that could: each of their values is that of the stratum, or is not known. The
// bounds are sharp, which is to say that some choice of those units reaches each of them; a unit is
// not asked how likely it is to belong. Horowitz JL, Manski CF, J Am Stat Assoc 2000;95:77.
func (r *rollup) bound(s *Stratum, own *tally, keys []string, open []openStratum, g int) {
	if hasState(keys) {
		return
	}
	var pool tally
	for _, o := range open {
		if couldBe(o.keys, keys) {
			pool.add(&o.tallies[g])
		}
	}
	switch r.q.d.Scoring {
	case Proportion:
		s.Bounds, s.IfUnknown = boundProportion(own, &pool)
	case Ratio:
		var all tally
		all.add(own)
		all.add(&pool)
		var c Cell
		r.q.d.quotient(&c, all.numerator(), all.effective())
		s.IfUnknown = c.Score
		if names, _ := r.q.values(); len(names) > 0 {
			s.Bounds = boundRatio(own, &pool, r.q.d.scale())
		}
	case ContinuousVariable:
		s.Bounds, s.IfUnknown = r.q.d.boundContinuous(own, &pool)
	case Cohort:
	}
}

// openStratum is one of which a value is not known.
type openStratum struct {
	keys    []string
	tallies []tally
}

func openStrata(strata map[string][]tally) []openStratum {
	var open []openStratum
	for joined, tallies := range strata {
		if keys := strings.Split(joined, keySeparator); hasState(keys) {
			open = append(open, openStratum{keys, tallies})
		}
	}
	return open
}

func isState(key string) bool { return strings.HasPrefix(key, "~") }

func hasState(keys []string) bool { return slices.ContainsFunc(keys, isState) }

// couldBe says that the units of an open stratum may belong to another: what is known of them agrees.
func couldBe(have, want []string) bool {
	for i := range have {
		if !isState(have[i]) && have[i] != want[i] {
			return false
		}
	}
	return true
}

// boundProportion adds those who count above the line alone, and those who do not alone.
func boundProportion(own, pool *tally) (bounds *[2]float64, all *float64) {
	n, d, above, below := own.numerator(), own.effective(), pool.numerator(), pool.effective()
	if d+below <= 0 {
		return nil, nil
	}
	// Where nobody is left to add on one side, the other side is all that there is.
	least, greatest := 1.0, 0.0
	if without := d + below - above; without > 0 {
		least = n / without
	}
	if with := d + above; with > 0 {
		greatest = (n + above) / with
	}
	score := (n + above) / (d + below)
	return &[2]float64{least, greatest}, &score
}

// boundRatio adds units in the order of what they observe for each other, as long as that moves the
// quotient: the maximum of a linear-fractional function over subsets. What is negative has no such
// order.
func boundRatio(own, pool *tally, per float64) *[2]float64 {
	n, d := own.numerator(), own.effective()
	if d <= 0 || n < 0 {
		return nil
	}
	items := make([]observation, 0, len(pool.values))
	for o := range pool.values {
		if o.v < 0 || o.w < 0 {
			return nil
		}
		if o.v != 0 || o.w != 0 {
			items = append(items, o)
		}
	}
	// A unit of nothing below the line comes before all others.
	slices.SortFunc(items, func(a, b observation) int { return cmp.Compare(b.w*a.v, a.w*b.v) })
	least, greatest := [2]float64{n, d}, [2]float64{n, d}
	for _, o := range items {
		if o.w*greatest[1] <= greatest[0]*o.v {
			break
		}
		k := float64(pool.values[o])
		greatest[0], greatest[1] = greatest[0]+k*o.w, greatest[1]+k*o.v
	}
	for _, o := range slices.Backward(items) {
		if o.w*least[1] >= least[0]*o.v {
			break
		}
		k := float64(pool.values[o])
		least[0], least[1] = least[0]+k*o.w, least[1]+k*o.v
	}
	return &[2]float64{per * least[0] / least[1], per * greatest[0] / greatest[1]}
}

// boundContinuous adds units in the order of their values. Of so and so many units, the largest make
// every order statistic largest, so that only how many are added is to be found.
func (d *Definition) boundContinuous(own, pool *tally) (bounds *[2]float64, all *float64) {
	var both tally
	both.add(own)
	both.add(pool)
	score, ok := d.aggregate(histogramOf(both.values))
	if !ok {
		return nil, nil
	}
	g := &growth{d: d, own: own, pool: pool, values: histogramOf(pool.values).values, sign: -1}
	least := g.extreme()
	slices.Reverse(g.values)
	g.sign = 1
	return &[2]float64{least, g.extreme()}, &score
}

// growth adds units of a pool to those of a stratum: values in the order in which they are added,
// ascending for the least score and descending for the greatest, which is sign -1 and 1.
type growth struct {
	d         *Definition
	own, pool *tally
	values    []float64
	sign      float64
}

// with is the histogram after all units of the first k values.
func (g *growth) with(k int) map[observation]int64 {
	var t tally
	t.add(g.own)
	for _, v := range g.values[:k] {
		o := observation{v: v}
		t.observe(o, g.pool.values[o])
	}
	if t.values == nil {
		t.values = map[observation]int64{}
	}
	return t.values
}

func (g *growth) extreme() float64 {
	first := 0
	if len(g.own.values) == 0 {
		first = 1 // A score needs a unit, and any number of one value score alike but for these two.
	}
	switch g.d.Aggregate {
	case Sum, Count:
		return g.additive(first)
	case Median, Mean, Percentile90:
	}
	// A value that is not within the neighbours of a quantile never moves it away from itself; whether
	// the next one is still beyond them is first true and then false.
	added := first + sort.Search(len(g.values)-first, func(i int) bool {
		lo, hi := g.d.neighbours(histogramOf(g.with(first + i)))
		return !g.beyond(g.values[first+i], lo, hi)
	})
	// Within them interpolation may go either way, unit by unit, until the next is on their other side.
	current := g.with(added)
	best, _ := g.d.aggregate(histogramOf(current))
	for _, v := range g.values[added:] {
		for range g.pool.values[observation{v: v}] {
			lo, hi := g.d.neighbours(histogramOf(current))
			if g.sign > 0 && v <= lo || g.sign < 0 && v >= hi {
				return best
			}
			current[observation{v: v}]++
			if score, _ := g.d.aggregate(histogramOf(current)); g.sign*(score-best) > 0 {
				best = score
			}
		}
	}
	return best
}

func (g *growth) beyond(v, lo, hi float64) bool {
	if g.sign > 0 {
		return v >= hi
	}
	return v <= lo
}

// additive adds every unit that moves a sum the right way, and at least so many units.
func (g *growth) additive(least int) float64 {
	score, _ := g.d.aggregate(histogramOf(g.own.values))
	each := func(v float64) float64 {
		if g.d.Aggregate == Count {
			return 1
		}
		return v
	}
	for i, v := range g.values {
		switch {
		case g.sign*each(v) > 0:
			score += each(v) * float64(g.pool.values[observation{v: v}])
		case i < least:
			score += each(v)
		}
	}
	return score
}

// neighbours are the order statistics between which a quantile lies, or a mean twice.
func (d *Definition) neighbours(h histogram) (lo, hi float64) {
	p := 0.5
	switch d.Aggregate {
	case Mean:
		mean, _ := d.aggregate(h)
		return mean, mean
	case Percentile90:
		p = p90
	case Median, Sum, Count:
	}
	total := int64(0)
	for _, n := range h.counts {
		total += n
	}
	below := int64(math.Floor(float64(total-1) * p))
	at := func(rank int64) float64 {
		for i, n := range h.counts {
			if rank -= n; rank < 0 {
				return h.values[i]
			}
		}
		return h.values[len(h.values)-1]
	}
	return at(below), at(below + 1)
}
