package measure

import (
	"cmp"
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

// boundContinuous adds the largest values as long as the next one is above the score, and the smallest
// as long as the next one is below it. That is sharp for a quantile and for a mean, which a value above
// them never lowers.
func (d *Definition) boundContinuous(own, pool *tally) (bounds *[2]float64, all *float64) {
	var both tally
	both.add(own)
	both.add(pool)
	score, ok := d.aggregate(histogramOf(both.values))
	if !ok {
		return nil, nil
	}
	values := histogramOf(pool.values).values
	least := d.extreme(own, pool, values, -1)
	slices.Reverse(values)
	greatest := d.extreme(own, pool, values, 1)
	return &[2]float64{least, greatest}, &score
}

// extreme finds how many of the values, in the order in which they are to be added, make the score
// least or greatest, as sign says.
func (d *Definition) extreme(own, pool *tally, values []float64, sign float64) float64 {
	with := func(k int) (float64, bool) {
		var t tally
		t.add(own)
		for _, v := range values[:k] {
			o := observation{v: v}
			t.observe(o, pool.values[o])
		}
		return d.aggregate(histogramOf(t.values))
	}
	first := 0
	if _, ok := with(0); !ok {
		first = 1 // A score needs a unit.
	}
	// Whether the next value still moves the score is first true and then false.
	added := first + sort.Search(len(values)-first, func(i int) bool {
		score, _ := with(first + i)
		return sign*d.pull(values[first+i], score) <= 0
	})
	if first == 1 && added == 1 && sign*d.pull(values[0], values[0]) <= 0 {
		// One unit is needed, and a second one of that value would move the score the other way.
		score, _ := d.aggregate(histogram{values[:1], []int64{1}})
		return score
	}
	score, _ := with(added)
	return score
}

// pull says which way a value moves the score when it is added.
func (d *Definition) pull(value, score float64) float64 {
	switch d.Aggregate {
	case Sum:
		return value
	case Count:
		return 1
	case Mean, Median, Percentile90:
	}
	return value - score
}
