package release

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/disclose"
)

// made is a measure on its way into a release: its results without a policy and under each that is
// released, and the numbers of its rates.
type made struct {
	definition measure.Definition
	results    []measure.Result
	rates      []counts
	// released is what of results is left.
	released []measure.Result
}

// make computes every measure, hides what has to be hidden over all of them together, because two
// measures may count the same people, and keeps what is left.
func (d *Desk) make(ctx context.Context, engine Engine, period measure.Period) (*Release, error) {
	out := &Release{
		Period: period, Created: d.cfg.Now().UTC(), Software: d.cfg.Software, Cross: d.cfg.Cross,
		Withheld: map[string]string{},
	}
	var all []made
	for _, definition := range engine.Definitions() {
		m := made{definition: definition}
		var err error
		if m.results, err = d.figures(ctx, engine, definition.ID, period); err != nil {
			return nil, err
		}
		plain := m.results[0]
		if !ended(period, plain.DataAsOf) {
			return nil, fmt.Errorf("%w: the data reach to %s, and %s is not over by then", ErrNotPublic,
				plain.DataAsOf.Format("2006-01-02"), period)
		}
		out.Snapshot, out.DataAsOf = plain.Snapshot, plain.DataAsOf
		if g := definition.Aggregate; g == measure.Mean || g == measure.Sum {
			out.Withheld[definition.ID] = errDisguise.Error()
			continue
		}
		if !plain.Complete {
			out.Withheld[definition.ID] = "its data are incomplete: " + strings.Join(plain.Incomplete, "; ")
			continue
		}
		for i, rate := range definition.Rates() {
			of := countsOf(&definition, rate)
			if err := of.judge(plain.Groups[i].Cell); err != nil {
				out.Withheld[definition.ID] = err.Error()
			}
			m.rates = append(m.rates, of)
		}
		if out.Withheld[definition.ID] == "" {
			all = append(all, m)
		}
	}
	for _, cluster := range d.apart(clusters(discreet(all, out.Withheld)), out.Withheld) {
		results, err := d.protect(cluster)
		if err != nil {
			for _, m := range cluster {
				out.Withheld[m.definition.ID] = err.Error()
			}
			continue
		}
		out.Results = append(out.Results, results...)
	}
	return out, nil
}

// figures evaluates a measure without a policy, and under each that is released.
func (d *Desk) figures(
	ctx context.Context, engine Engine, id string, period measure.Period,
) ([]measure.Result, error) {
	var all []measure.Result
	for _, policy := range slices.Concat([]mapping.Policy{""}, d.cfg.Policies) {
		asked := measure.Question{Measure: id, Period: period, Policy: policy}
		for _, b := range d.blocks() {
			asked.By = append(asked.By, b.asks(policy)...)
		}
		result, err := engine.Evaluate(ctx, asked)
		if err != nil {
			return nil, err
		}
		all = append(all, result)
	}
	return all, nil
}

var (
	// errNotWhole says that a sum of observations cannot be protected as a count.
	errNotWhole = errors.New("it adds up observations that are not whole numbers")
	// errContradiction says that what should be one number was counted twice and differs.
	errContradiction = errors.New("two of its figures that count the same differ")
	// errDisguise says that a measure adds up what it observes.
	errDisguise = errors.New("a mean or a sum of observations can be a count of people in disguise")
	// errTold says that a measure cannot keep to itself how few it leaves out.
	errTold = errors.New("it leaves out a few, and another measure tells of how many in all")
	// errOverlap says that two measures count the same in different ways.
	errOverlap = errors.New("a measure that is released counts some of the same otherwise, and their " +
		"difference could be a few people; see disclosure.public_measures")
	// errFew says that the figures of everybody are small already.
	errFew = errors.New("the figures of everybody are too small")
)

// discreet leaves out the measures of which a number that they keep to themselves is shown by another.
func discreet(all []made, withheld map[string]string) []made {
	var out []made
	for i, m := range all {
		told := false
		for _, rate := range m.rates {
			for j, other := range all {
				told = told || i != j && slices.ContainsFunc(other.rates, func(o counts) bool {
					return slices.ContainsFunc(rate.secrets(), func(number string) bool {
						return slices.Contains(o.numbers(), number)
					})
				})
			}
		}
		if told {
			withheld[m.definition.ID] = errTold.Error()
			continue
		}
		out = append(out, m)
	}
	return out
}

// clusters puts measures together that share a number, because what one hides the other may show.
func clusters(all []made) [][]made {
	var out [][]made
	for _, m := range all {
		one := []made{m}
		var others [][]made
		for _, cluster := range out {
			if slices.ContainsFunc(cluster, m.shares) {
				one = append(cluster, one...)
			} else {
				others = append(others, cluster)
			}
		}
		out = append(others, one)
	}
	return out
}

// apart leaves out the clusters that count the same encounters, or the same events, otherwise than one
// that is released: emergency visits and outpatient visits taken from all visits leave the few who were
// admitted. What is preferred by the configuration comes first, then what releases more.
func (d *Desk) apart(all [][]made, withheld map[string]string) [][]made {
	rank := func(cluster []made) int {
		best := len(d.cfg.Measures)
		for _, m := range cluster {
			if i := slices.Index(d.cfg.Measures, m.definition.ID); i >= 0 {
				best = min(best, i)
			}
		}
		return best
	}
	slices.SortStableFunc(all, func(a, b []made) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(len(b), len(a)))
	})
	taken := map[string]bool{}
	var out [][]made
	for _, cluster := range all {
		counted := map[string]bool{}
		for _, m := range cluster {
			for _, kind := range m.counts() {
				counted[kind] = true
			}
		}
		if slices.ContainsFunc(slices.Collect(maps.Keys(counted)), func(k string) bool { return taken[k] }) {
			for _, m := range cluster {
				withheld[m.definition.ID] = errOverlap.Error()
			}
			continue
		}
		maps.Copy(taken, counted)
		out = append(out, cluster)
	}
	return out
}

// counts lists what a measure counts: a stay is an encounter, and what a ratio observes above the line
// are events.
func (m *made) counts() []string {
	kinds := []string{string(m.definition.Unit)}
	if m.definition.Unit == measure.StayUnit {
		kinds[0] = string(measure.EncounterUnit)
	}
	if m.definition.Observe[measure.Numerator] != "" {
		kinds = append(kinds, string(measure.EventUnit))
	}
	return kinds
}

func (m *made) shares(other made) bool {
	for _, a := range m.rates {
		for _, b := range other.rates {
			for _, number := range a.numbers() {
				if slices.Contains(b.numbers(), number) {
					return true
				}
			}
		}
	}
	return false
}

// protect hides what has to be hidden of a cluster, block by block.
func (d *Desk) protect(cluster []made) ([]measure.Result, error) {
	for i := range cluster {
		cluster[i].start()
	}
	for _, part := range d.blocks() {
		b := newBuilder(part)
		for i := range cluster {
			if err := b.add(&cluster[i]); err != nil {
				return nil, err
			}
		}
		pattern, err := disclose.Protect(b.system, d.cfg.Disclose)
		if err != nil {
			return nil, err
		}
		for i := range cluster {
			b.keep(pattern, &cluster[i])
		}
	}
	var out []measure.Result
	for _, m := range cluster {
		out = append(out, m.released...)
	}
	return out, nil
}

// start makes the results that will be released, with the figures of everybody and no stratum yet.
func (m *made) start() {
	m.released = slices.Clone(m.results)
	for i := range m.released {
		r := &m.released[i]
		r.Audience = string(Public)
		r.Groups = slices.Clone(r.Groups)
		for j := range r.Groups {
			g := &r.Groups[j]
			g.Strata, g.Overlapping = map[string][]measure.Stratum{}, nil
			g.Statistics = harmless(g.Statistics)
			if m.rates[j].quiet {
				g.Populations, g.Suppressed = map[measure.Population]float64{}, true
			}
			if disclose.Small(g.Undated) {
				// Of a few who have no date it is only said that something is hidden.
				g.Undated, g.Suppressed = 0, true
			}
		}
	}
}
