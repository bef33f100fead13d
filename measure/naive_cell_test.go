package measure_test

import (
	order "cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/stat"
	"github.com/equitylens/equitylens/store/facts"
)

// stratified compares every stratum with its share and its bounds, and adds those that are exclusive
// up to the group.
func stratified(t *testing.T, name string, d *measure.Definition, g measure.Group, by string,
	in []row, q measure.Question) {
	t.Helper()
	dimensions := strings.Split(by, "*")
	parts := map[string][]row{}
	var all float64
	for _, r := range in {
		if !r.in[measure.InitialPopulation] && !r.in[measure.NumeratorInitial] {
			continue
		}
		all += bit(r.in[measure.InitialPopulation])
		for _, key := range r.strata(dimensions, q.Policy) {
			parts[key] = append(parts[key], r)
		}
	}
	got := map[string]bool{}
	sum := map[measure.Population]float64{}
	for _, s := range g.Strata[by] {
		key := stratumKey(s, dimensions)
		if got[key] {
			t.Errorf("%s: stratum %q is there twice", name, key)
		}
		got[key] = true
		same(t, name+" = "+key, s.Cell, naiveCell(d, g.ID, parts[key]))
		compareShare(t, name+" = "+key, s, parts[key], all)
		if q.Bounds {
			compareBounds(t, name+" = "+key, d, g.ID, s, key, parts)
		}
		for p, n := range s.Populations {
			sum[p] += n
		}
	}
	want := map[string]bool{}
	for key := range parts {
		want[key] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: strata (-want +got):\n%s", name, diff)
	}
	overlapping := overlaps(dimensions, q.Policy)
	if slices.Contains(g.Overlapping, by) != overlapping {
		t.Errorf("%s: overlapping are %q, want %t", name, g.Overlapping, overlapping)
	}
	for p, n := range g.Populations {
		if math.Abs(sum[p]-n) > 1e-6 && !overlapping || overlapping && sum[p] < n {
			t.Errorf("%s: the strata add up to %s = %g, the group has %g", name, p, sum[p], n)
		}
	}
}

func compareShare(t *testing.T, name string, s measure.Stratum, rows []row, all float64) {
	t.Helper()
	initial := 0.0
	for _, r := range rows {
		initial += bit(r.in[measure.InitialPopulation])
	}
	if all == 0 && s.Share == nil {
		return
	}
	if s.Share == nil || math.Abs(*s.Share-initial/all) > 1e-12 {
		t.Errorf("%s: share %v, want %g of %g", name, s.Share, initial, all)
	}
}

// stratumKey is what the naive evaluation calls a stratum.
func stratumKey(s measure.Stratum, dimensions []string) string {
	key := func(c measure.Coding) string {
		return facts.Key(mapping.Value{State: mapping.State(c.State), Code: c.Code})
	}
	if len(dimensions) == 1 {
		return key(s.Coding)
	}
	var keys []string
	for i, c := range s.Components {
		if c.Dimension != dimensions[i] {
			return "components in another order"
		}
		keys = append(keys, key(c.Coding))
	}
	return strings.Join(keys, " ")
}

// defined says that a rate has an expression for a population.
func defined(d *measure.Definition, rate string, p measure.Population) bool {
	for _, g := range d.Rates() {
		if g.ID == rate {
			return g.Populations[p] != ""
		}
	}
	return false
}

// populations lists what a cell shows.
func populations(d *measure.Definition, rate string) []measure.Population {
	var out []measure.Population
	switch d.Scoring {
	case measure.Proportion, measure.Ratio:
		out = []measure.Population{measure.InitialPopulation, measure.Denominator,
			measure.DenominatorExclusion, measure.Numerator}
		for _, p := range []measure.Population{measure.NumeratorInitial, measure.DenominatorException,
			measure.NumeratorExclusion} {
			if defined(d, rate, p) {
				out = append(out, p)
			}
		}
	case measure.ContinuousVariable:
		out = []measure.Population{measure.InitialPopulation, measure.MeasurePopulation,
			measure.MeasureExclusion}
	case measure.Cohort:
		out = []measure.Population{measure.InitialPopulation}
	}
	return out
}

// weight is what a row adds to a population that it is in.
func weight(d *measure.Definition, p measure.Population, r row) float64 {
	observed := r.v
	of := measure.Denominator
	switch p {
	case measure.Numerator, measure.NumeratorExclusion:
		of, observed = measure.Numerator, r.w
	case measure.Denominator, measure.DenominatorExclusion:
	default:
		return 1
	}
	switch {
	case d.Scoring != measure.Ratio || d.Observe[of] == "":
		return 1
	case observed == nil:
		return 0
	}
	return *observed
}

// naiveScore is the score of a rate and what stands above and below its line.
func naiveScore(d *measure.Definition, rows []row) (score *float64, above, below float64) {
	if d.Scoring == measure.ContinuousVariable {
		return naiveAggregate(d, observations(rows)), 0, 0
	}
	if d.Scoring == measure.Cohort {
		return nil, 0, 0
	}
	sign := map[measure.Population]float64{measure.Numerator: 1, measure.NumeratorExclusion: -1}
	under := map[measure.Population]float64{measure.Denominator: 1, measure.DenominatorExclusion: -1,
		measure.DenominatorException: -1}
	for _, r := range rows {
		for p := range r.in {
			if r.in[p] {
				above += sign[p] * weight(d, p, r)
				below += under[p] * weight(d, p, r)
			}
		}
	}
	if below <= 0 {
		return nil, above, below
	}
	per := 1.0
	if d.Per != 0 {
		per = d.Per
	}
	s := per * above / below
	return &s, above, below
}

// observations are the values that are measured.
func observations(rows []row) []float64 {
	var values []float64
	for _, r := range rows {
		if r.in[measure.MeasurePopulation] && !r.in[measure.MeasureExclusion] {
			values = append(values, *r.v)
		}
	}
	slices.Sort(values)
	return values
}

func naiveAggregate(d *measure.Definition, values []float64) *float64 {
	if len(values) == 0 {
		return nil
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	n := float64(len(values))
	var score float64
	switch d.Aggregate {
	case measure.Mean:
		score = sum / n
	case measure.Percentile90:
		score, _ = stat.Quantile(values, 0.9)
	case measure.Sum:
		score = sum
	case measure.Count:
		score = n
	case measure.Median, "":
		score, _ = stat.Quantile(values, 0.5)
	}
	return &score
}

// naiveCell scores rows by the book.
func naiveCell(d *measure.Definition, rate string, rows []row) measure.Cell {
	c := measure.Cell{Populations: map[measure.Population]float64{}}
	for _, p := range populations(d, rate) {
		c.Populations[p] = 0
		for _, r := range rows {
			if r.in[p] {
				c.Populations[p] += weight(d, p, r)
			}
		}
	}
	var above, below float64
	c.Score, above, below = naiveScore(d, rows)
	if c.Score == nil {
		return c
	}
	switch d.Scoring {
	case measure.Proportion:
		interval := wilson(above, below)
		c.Interval = &interval
	case measure.Ratio:
		if above == math.Trunc(above) && above >= 0 {
			lo, hi := stat.Garwood(above, below)
			per := max(d.Per, 1)
			c.Interval = &[2]float64{per * lo, per * hi}
		}
	case measure.ContinuousVariable:
		c.Interval, c.Statistics = naiveStatistics(d, observations(rows))
		c.Values = naiveValues(observations(rows))
	case measure.Cohort:
	}
	return c
}

// naiveValues counts every value, those that occur twice once.
func naiveValues(sorted []float64) []measure.ValueCount {
	var out []measure.ValueCount
	for i, v := range sorted {
		if i > 0 && v == sorted[i-1] {
			out[len(out)-1].Count++
			continue
		}
		out = append(out, measure.ValueCount{Value: v, Count: 1})
	}
	return out
}

func naiveStatistics(d *measure.Definition, values []float64) (*[2]float64, map[string]float64) {
	median, _ := stat.Quantile(values, 0.5)
	high, _ := stat.Quantile(values, 0.9)
	sum, product, above := 0.0, 0.0, 0.0
	for _, v := range values {
		sum += v
		product += math.Log(v + 1)
		above += bit(d.Above != nil && v > *d.Above)
	}
	n := float64(len(values))
	out := map[string]float64{"mean": sum / n, "p90": high}
	if len(values) > 0 && values[0] >= -1 {
		out["geometric-mean"] = math.Exp(product/n) - 1
	}
	if d.Above != nil {
		out["share-above"] = above / n
	}
	if d.Aggregate != "" && d.Aggregate != measure.Median {
		out["median"] = median
		return nil, out
	}
	if lo, hi, ok := stat.MedianInterval(values); ok {
		return &[2]float64{lo, hi}, out
	}
	return nil, out
}

// compareBounds tries, of those who might belong to a stratum, the first k in the order of what they
// add to the score, for every k: some k is best whatever the score, and some is worst.
func compareBounds(t *testing.T, name string, d *measure.Definition, rate string, s measure.Stratum,
	key string, parts map[string][]row) {
	t.Helper()
	if strings.Contains(key, "~") || d.Scoring == measure.Cohort {
		if s.Bounds != nil || s.IfUnknown != nil {
			t.Errorf("%s: bounds of a state or a cohort: %v", name, s.Bounds)
		}
		return
	}
	own := parts[key]
	var pool []row
	for other, rows := range parts {
		if mightBe(strings.Split(other, " "), strings.Split(key, " ")) {
			pool = append(pool, rows...)
		}
	}
	all, _, _ := naiveScore(d, slices.Concat(own, pool))
	if diff := cmp.Diff(all, s.IfUnknown, digits); diff != "" {
		t.Errorf("%s: if all unknown belonged (-want +got):\n%s", name, diff)
	}
	if _, _, below := naiveScore(d, own); d.Scoring == measure.Ratio && (len(d.Groups) > 1 || below <= 0) {
		if s.Bounds != nil {
			t.Errorf("%s: bounds of a ratio of several rates, or of nothing: %v", name, s.Bounds)
		}
		return
	}
	want := prefixes(d, own, pool)
	if diff := cmp.Diff(want, s.Bounds, digits); diff != "" {
		t.Errorf("%s: bounds (-want +got):\n%s", name, diff)
	}
}

func mightBe(have, want []string) bool {
	open := false
	for i := range have {
		state := strings.HasPrefix(have[i], "~")
		if !state && have[i] != want[i] {
			return false
		}
		open = open || state
	}
	return open
}

// prefixes finds the least and the greatest score of own and the first k of pool, in order and
// backwards.
func prefixes(d *measure.Definition, own, pool []row) *[2]float64 {
	merit := func(r row) float64 {
		score, above, below := naiveScore(d, []row{r})
		switch {
		case d.Scoring == measure.ContinuousVariable && score == nil:
			return math.NaN()
		case d.Scoring == measure.ContinuousVariable:
			return *r.v
		case above == 0 && below == 0:
			return math.NaN()
		}
		return above / below
	}
	pool = slices.DeleteFunc(slices.Clone(pool), func(r row) bool { return math.IsNaN(merit(r)) })
	slices.SortFunc(pool, func(a, b row) int { return order.Compare(merit(a), merit(b)) })
	var bounds *[2]float64
	for range 2 {
		for k := range len(pool) + 1 {
			if d.Aggregate != measure.Percentile90 && k > 1 && k < len(pool) && merit(pool[k-1]) == merit(pool[k]) {
				continue // Of equals, all or none but one.
			}
			score, _, _ := naiveScore(d, slices.Concat(own, pool[:k]))
			if score == nil {
				continue
			}
			if bounds == nil {
				bounds = &[2]float64{*score, *score}
			}
			bounds[0], bounds[1] = min(bounds[0], *score), max(bounds[1], *score)
		}
		slices.Reverse(pool)
	}
	return bounds
}

// strata are the keys of a row under a policy: one, or more where groups overlap.
func (r row) strata(dimensions []string, policy mapping.Policy) []string {
	out := [][]string{nil}
	for _, dimension := range dimensions {
		var next [][]string
		for _, before := range out {
			for _, key := range r.under(dimension, policy) {
				next = append(next, append(slices.Clone(before), key))
			}
		}
		out = next
	}
	keys := make([]string, len(out))
	for i, k := range out {
		keys[i] = strings.Join(k, " ")
	}
	return keys
}

func overlaps(dimensions []string, policy mapping.Policy) bool {
	return (policy == mapping.PolicyAlone || policy == mapping.PolicySPD15) &&
		(slices.Contains(dimensions, "race") || slices.Contains(dimensions, "race_ethnicity"))
}

// under are the groups of a row in one dimension, by the policies of the mapping.
func (r row) under(dimension string, policy mapping.Policy) []string {
	keys := func(values []mapping.Value) []string {
		var out []string
		for _, v := range values {
			out = append(out, facts.Key(v))
		}
		return out
	}
	set := func(codes []string, state mapping.Value) string {
		if codes == nil {
			return facts.Key(state)
		}
		return strings.Join(codes, "+")
	}
	categories := mapping.SPD15Of2024(r.who)
	switch {
	case dimension == "race_set":
		return []string{set(r.who.Races.List(), r.who.Race)}
	case dimension == "spd15_set":
		return []string{set(r.who.SPD15.List(), categories[0])}
	case policy == mapping.PolicySPD15 && (dimension == "race" || dimension == "race_ethnicity"):
		return keys(categories)
	case policy == mapping.PolicyAlone && dimension == "race_ethnicity":
		return keys(mapping.AloneOrInCombination(r.who))
	case policy == mapping.PolicyAlone && dimension == "race":
		if races := r.who.Races.List(); races != nil {
			return races
		}
		return []string{facts.Key(r.who.Race)}
	}
	return []string{r.groups[dimension]}
}

// kept are the rows that a question is about.
func (w *world) kept(rows []row, q measure.Question) []row {
	people := map[*mapping.Patient]bool{}
	for _, id := range q.People {
		if who := w.owner(id.Reveal()); who != nil {
			people[who] = true
		}
	}
	var out []row
	for _, r := range rows {
		keep := q.People == nil || people[r.who]
		for _, key := range slices.Sorted(maps.Keys(q.Where)) {
			values := []string{r.practitioner.Reveal()}
			if key != measure.FilterPractitioner {
				values = r.under(key, q.Policy)
			}
			listed := func(v string) bool { return slices.Contains(q.Where[key], v) }
			keep = keep && slices.ContainsFunc(values, listed)
		}
		if keep {
			out = append(out, r)
		}
	}
	return out
}

// naiveMonths cuts a period into calendar months.
func naiveMonths(p measure.Period) []measure.Period {
	var out []measure.Period
	for day := p.Start; !day.After(p.End); day = day.AddDate(0, 0, 1) {
		if n := len(out); n > 0 && out[n-1].End.Month() == day.Month() {
			out[n-1].End = day
			continue
		}
		out = append(out, measure.Period{Start: day, End: day})
	}
	return out
}

// describe is a question in words, for a failure.
func describe(q measure.Question) string {
	return fmt.Sprintf("%s %s by %s, %q, where %v, %d people", q.Measure, q.Period, q.By, q.Policy, q.Where,
		len(q.People))
}
