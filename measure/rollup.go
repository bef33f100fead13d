package measure

import (
	"cmp"
	"database/sql"
	"slices"
	"strings"
)

// rollup gathers the rows of a query into strata.
type rollup struct {
	q          *query
	sites      map[string]string
	dimensions []string
	// masks maps the bit set of the dimensions that a row does not name to the indices of the
	// stratifiers that it belongs to: two where a cross is asked for both ways round. -1 is the group.
	masks map[int64][]int
	// cells holds, for each stratifier, its strata by their joined keys; totals are under -1 and "".
	cells map[int]map[string][]tally

	mask   int64
	keys   []sql.NullString
	value  sql.NullFloat64
	counts []sql.NullFloat64
	scan   []any
}

const countsPerRate = 4

func newRollup(q *query, sites map[string]string) *rollup {
	r := &rollup{
		q: q, sites: sites, dimensions: q.dimensions(), masks: map[int64][]int{},
		cells: map[int]map[string][]tally{-1: {"": make([]tally, len(q.rates))}},
	}
	all := int64(1)<<len(r.dimensions) - 1
	r.masks[all] = []int{-1}
	for i, s := range q.stratifiers {
		mask := all
		for _, name := range s {
			// The bit of the last argument of grouping() is the lowest.
			mask &^= 1 << (len(r.dimensions) - 1 - slices.Index(r.dimensions, name))
		}
		r.masks[mask] = append(r.masks[mask], i)
		r.cells[i] = map[string][]tally{}
	}
	r.keys = make([]sql.NullString, len(r.dimensions))
	r.counts = make([]sql.NullFloat64, countsPerRate*len(q.rates))
	r.scan = append(r.scan, &r.mask)
	for i := range r.keys {
		r.scan = append(r.scan, &r.keys[i])
	}
	if q.value() != "" {
		r.scan = append(r.scan, &r.value)
	}
	for i := range r.counts {
		r.scan = append(r.scan, &r.counts[i])
	}
	return r
}

// keySeparator cannot occur in a key: codes hold no control characters.
const keySeparator = "\x1f"

// row adds one row of the query.
func (r *rollup) row(rows *sql.Rows) error {
	if err := rows.Scan(r.scan...); err != nil {
		return err
	}
	for _, i := range r.masks[r.mask] {
		r.add(i)
	}
	return nil
}

// add counts the row that was scanned in one stratum of a stratifier, or in the group.
func (r *rollup) add(i int) {
	var key []string
	if i >= 0 {
		for _, name := range r.q.stratifiers[i] {
			key = append(key, r.keys[slices.Index(r.dimensions, name)].String)
		}
	}
	joined := strings.Join(key, keySeparator)
	tallies := r.cells[i][joined]
	if tallies == nil {
		tallies = make([]tally, len(r.q.rates))
		r.cells[i][joined] = tallies
	}
	for g := range tallies {
		c := r.counts[countsPerRate*g:]
		tallies[g].add(c[0].Float64, c[1].Float64, c[2].Float64, c[3].Float64)
		if r.value.Valid && c[3].Float64 > 0 {
			if tallies[g].values == nil {
				tallies[g].values = map[float64]int64{}
			}
			tallies[g].values[r.value.Float64] += int64(c[3].Float64)
		}
	}
}

// fill scores what was gathered. A stratum with nobody in the initial population is left out.
func (r *rollup) fill(groups []Group) {
	for g := range groups {
		groups[g].Cell = r.q.d.cell(&r.cells[-1][""][g])
		for i, s := range r.q.stratifiers {
			strata := make([]Stratum, 0, len(r.cells[i]))
			for joined, tallies := range r.cells[i] {
				if tallies[g].initial == 0 {
					continue
				}
				stratum := r.stratum(s, strings.Split(joined, keySeparator))
				stratum.Cell = r.q.d.cell(&tallies[g])
				strata = append(strata, stratum)
			}
			slices.SortFunc(strata, func(a, b Stratum) int { return compareStrata(s, a, b) })
			groups[g].Strata[s.String()] = strata
		}
	}
}

func (r *rollup) stratum(s Stratifier, keys []string) Stratum {
	if len(s) == 1 {
		return Stratum{Coding: codingOf(s[0], keys[0], r.sites)}
	}
	var out Stratum
	for i, name := range s {
		out.Components = append(out.Components, Component{name, codingOf(name, keys[i], r.sites)})
	}
	return out
}

func compareStrata(s Stratifier, a, b Stratum) int {
	if len(s) == 1 {
		return compareCodings(s[0], a.Coding, b.Coding)
	}
	for i, name := range s {
		if d := compareCodings(name, a.Components[i].Coding, b.Components[i].Coding); d != 0 {
			return d
		}
	}
	return cmp.Compare(len(a.Components), len(b.Components))
}
